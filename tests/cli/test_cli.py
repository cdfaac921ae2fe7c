"""The command line: every verb on real input, JSON that programs read, and one clear message for bad input."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("typer")

import feynnn as fn
from feynnn import cli


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Run ``feynnn`` in this process; return exit code, standard output and standard error."""
    monkeypatch.setattr(sys, "argv", ["feynnn", *words])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    captured = capsys.readouterr()
    code = stop.value.code
    return (code if isinstance(code, int) else 0), captured.out, captured.err


@pytest.fixture
def feynnn(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> object:
    return lambda *words: run(monkeypatch, capsys, *words)


def good(result: tuple[int, str, str]) -> str:
    code, out, err = result
    assert code == 0, err
    return out


def test_diagrams_table_json_and_count(feynnn: object) -> None:
    call = feynnn
    assert callable(call)
    assert "multiplicity 96" in good(call("diagrams", "lam*f**4", "-n", "4", "--order", "1"))
    data = json.loads(good(call("diagrams", "lam*f**4 + kap*f**6", "-n", "4", "--order", "lam=1,kap=1", "--json")))
    theory = fn.Theory.parse("lam*f**4 + kap*f**6")
    assert len(data["data"]["diagrams"]) == len(fn.generate(theory, 4, order={"lam": 1, "kap": 1}))
    counted = json.loads(good(call("diagrams", "lam*f**4", "--order", "8", "--kind", "connected", "--count", "--json")))
    assert counted["number"] == 531606


def test_diagrams_are_drawn(feynnn: object, tmp_path: Path) -> None:
    assert callable(feynnn)
    for name, start in (("a.svg", "<svg"), ("a.tex", "\\begin{tikzpicture}")):
        good(feynnn("diagrams", "lam*f**4", "--draw", str(tmp_path / name)))
        assert start in (tmp_path / name).read_text()


def test_expressions(feynnn: object) -> None:
    assert callable(feynnn)
    out = good(feynnn("expression", "lam*f**4", "--kind", "connected"))
    assert out.strip() == "-24*lam*Integral(K(x1, y)*K(x2, y)*K(x3, y)*K(x4, y), (y, -Lambda, Lambda))"
    record = json.loads(
        good(feynnn("expression", "lam*f**4 + kap*f**6", "-n", "6", "--propagator", "exact", "--grouped", "--json"))
    )
    assert [t["coefficient"] for t in record["terms"]] == ["15", "-360", "-720", "-5400"]
    assert "\\kappa \\left[ 720" in record["latex"]
    ratio = json.loads(good(feynnn("expression", "lam*f**4", "-n", "2", "--ratio", "--json")))
    assert set(ratio) == {"numerator", "denominator", "series"}


def test_correlator_agrees_with_the_library(feynnn: object, tmp_path: Path) -> None:
    assert callable(feynnn)
    words = ("correlator", "lam*f**4", "--points", "-0.3,0.5", "--kernel", "erf", "--without-bias", "--cutoff", "5",
             "--propagator", "exact")  # fmt: skip
    data = json.loads(good(feynnn(*words, "--json")))
    k = fn.kernels.Erf()
    theory = fn.Theory.parse("lam*f**4", propagator="exact")
    s = fn.Correlator(theory, 4, kernel=k, vertex_kernel=k.without_bias(), cutoff=fn.Cutoff(5.0)).series([-0.3, 0.5])
    np.testing.assert_array_equal(data["data"][1]["data"]["values"], s[{"lam": 1}].values)
    path = tmp_path / "g4.json"
    good(feynnn(*words, "--coupling", "lam=0.01", "-o", str(path)))
    assert isinstance(fn.load(path), fn.NPoint)


def test_a_correlator_is_planned_and_not_computed(
    feynnn: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert callable(feynnn)
    k = fn.kernels.Erf()
    g = fn.Correlator(fn.Theory.parse("lam*f**4"), 2, kernel=k, cutoff=fn.Cutoff(5.0))
    plan = g.plan([-0.3, 0.5], max_order=2)
    monkeypatch.setattr(fn.Correlator, "series", None)
    words = ("correlator", "lam*f**4", "-n", "2", "--points", "-0.3,0.5", "--kernel", "erf", "--cutoff", "5",
             "--max-order", "2", "--plan")  # fmt: skip
    assert good(feynnn(*words)) == f"{plan}\n"
    assert json.loads(good(feynnn(*words, "--json"))) == plan.to_dict()
    path = tmp_path / "plan.json"
    assert good(feynnn(*words, "-o", str(path))) == ""
    assert json.loads(path.read_text()) == plan.to_dict()
    refused = json.loads(good(feynnn(*words[:9], "inf", *words[10:], "--json")))
    assert "diverges" in refused["refusals"][0]
    assert feynnn(*words, "--coupling", "lam=0.1")[0] == 2


def test_exact_sample_match_flow_report_through_files(feynnn: object, tmp_path: Path) -> None:
    assert callable(feynnn)
    net = ("erf", "--width", "5", "--points", "0.2,0.6")
    g4, ensemble, lam, running = (str(tmp_path / f"{n}.json") for n in ("g4", "run", "lam", "flow"))
    good(feynnn("exact", *net, "-o", g4))
    good(feynnn("sample", *net, "--n-nets", "2000", "--n-experiments", "20", "-o", ensemble))
    shared = ("lam*f**4", "--kernel", "erf", "--without-bias", "--rtol", "1e-6")
    exact = json.loads(good(feynnn("match", g4, *shared, "--cutoff", "20", "--json")))["data"]
    sampled = json.loads(good(feynnn("match", ensemble, *shared, "--cutoff", "20", "--json")))["data"]
    assert exact["couplings"]["lam"] < 0
    # 5 standard errors: false alarm below 1e-5 for this fixed seed
    assert abs(sampled["couplings"]["lam"] - exact["couplings"]["lam"]) < 5 * sampled["error"]["lam"]
    good(feynnn("match", g4, *shared, "--cutoff", "20", "-o", lam))
    good(feynnn("flow", g4, *shared, "--cutoffs", "7,10,20", "-o", running))
    page = tmp_path / "page.html"
    good(feynnn("report", g4, lam, running, "-o", str(page)))
    assert "<html" in page.read_text()


def test_match_and_flow_take_normal_ordering(feynnn: object, tmp_path: Path) -> None:
    assert callable(feynnn)
    g4 = str(tmp_path / "g4.json")
    good(feynnn("exact", "erf", "--width", "5", "--points", "0.2,0.6", "-o", g4))
    shared = ("kap*f**6", "--kernel", "erf", "--without-bias", "--rtol", "1e-6")
    for words in (("match", g4, *shared, "--cutoff", "20"), ("flow", g4, *shared, "--cutoffs", "10,20")):
        good(feynnn(*words))
        # the six-leg vertex enters the 4-point function by its self-loop only
        code, _, err = feynnn(*words, "--normal-ordered")
        assert code == 2 and "does not enter" in err


def test_points_from_a_file_and_standard_input(feynnn: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    assert callable(feynnn)
    (tmp_path / "x.csv").write_text("# two inputs\n1, 1\n1, -1\n")
    (tmp_path / "x.json").write_text("[[1, 1], [1, -1]]")
    outputs = [good(feynnn("exact", "relu", "--points", p, "--json")) for p in
               (str(tmp_path / "x.csv"), str(tmp_path / "x.json"), "1,1;1,-1")]  # fmt: skip
    monkeypatch.setattr(sys, "stdin", io.StringIO("1 1\n1 -1\n"))
    outputs.append(good(feynnn("exact", "relu", "--points", "-", "--json")))
    assert len(set(outputs)) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("diagrams", "lam*f**"), "cannot read the expression"),
        (("diagrams", "4*f**4"), "coupling"),
        (("diagrams", "lam*f**4", "--order", "kap=1"), "unknown coupling"),
        (("diagrams", "lam*f**4", "--order", "two"), "--order"),
        (("diagrams", "lam*f**4", "--kind", "tree"), "kind must be"),
        (("diagrams", "lam*f**4", "--propagator", "exakt"), "propagator must be"),
        (("diagrams", "lam*f**4", "--draw", "a.gif"), "format"),
        (("diagrams", "lam*f**4", "--count", "--no-snails"), "--count"),
        (("diagrams", "lam*f**4", "--order", "lam=1,lam=2"), "twice"),
        (("expression", "lam*f**4", "--ratio", "--kind", "connected"), "--ratio"),
        (("exact", "erf", "--points", "x" * 300), "--points"),
        (("study", "hms", "--workers", "-1"), "--workers"),
        (("sample", "erf", "--points", "0.2", "-n", "5"), "even"),
        (("exact", "tanh", "--points", "0.2"), "tanh"),
        (("exact", "erf", "--points", "0.2", "--width=-3"), "--width"),
        (("exact", "erf", "--points", "0.2", "-n", "3"), "odd"),
        (("exact", "erf", "--points", "nan"), "finite"),
        (("exact", "erf", "--points", "1,2;3"), "same number of coordinates"),
        (("exact", "erf", "--points", "no-such-file.csv"), "no file"),
        (("exact", "erf", "--points", "0.2", "-o", "no/such/folder/a.json"), "folder"),
        (("sample", "erf", "--points", "0.2", "--n-nets", "10", "--n-experiments", "3"), "multiple"),
        (("sample", "erf", "--points", "0.2", "--workers", "0"), "--workers"),
        (("correlator", "lam*f**4", "--points", "0.2", "--kernel", "erf", "--cutoff", "inf"), "diverges"),
        (("correlator", "lam*f**4", "--points", "0.2", "--cutoff", "inf"), "without_bias"),
        (("correlator", "lam*f**4", "--points", "0.2", "--cutoff", "-1"), "cutoff"),
        (("correlator", "lam*f**4", "--points", "0.2", "--cutoff", "nan"), "cutoff"),
        (("correlator", "lam*f**4", "--points", "0.2", "--cutoff", "5", "--coupling", "mu=1"), "unknown coupling"),
        (("match", "no.json", "lam*f**4", "--cutoff", "5"), "no file"),
        (("correlator", "lam*f**4", "--points", "0.2"), "--cutoff"),
        (("correlator", "lam*f**4", "--points", "0", "--cutoff", "5", "-o", "no/such.json"), "there is no folder"),
        (("match", "no.json", "lam*f**4", "--cutoff", "5", "-o", "no/such.json"), "there is no folder"),
        (("flow", "no.json", "lam*f**4", "-o", "."), "it is a folder"),
        (("diagrams",), "action"),
        (("exact", "erf", "--no-such-option"), "--no-such-option"),
        (("study", "hms", "--scale", "huge"), "scale must be"),
        (("study", "hms", "--network", "tanh"), "tanh"),
    ],
)
def test_bad_input_is_one_message_and_exit_code_2(
    feynnn: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], message: str
) -> None:
    assert callable(feynnn)
    monkeypatch.chdir(tmp_path)
    code, out, err = feynnn(*words)
    assert code == 2
    assert message in err
    assert err.startswith("feynnn: ") and err.count("\n") == 1, err
    assert out == ""
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]


def test_unwritable_output_is_found_before_the_work(feynnn: object, tmp_path: Path) -> None:
    assert callable(feynnn)
    (tmp_path / "taken").write_text("a file, not a folder")
    code, _, err = feynnn("study", "hms", "-o", str(tmp_path / "taken" / "inside"))
    assert code == 2 and "cannot write" in err


def test_a_cancelled_run_leaves_nothing_half_written(
    feynnn: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert callable(feynnn)

    def interrupted(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("feynnn.sampling.ensemble.sample", interrupted)
    code, out, err = feynnn("sample", "erf", "--points", "0.2", "-o", str(tmp_path / "run.json"))
    assert code == 130
    assert "cancelled" in err and out == ""
    assert not list(tmp_path.iterdir())


def test_every_help_has_an_example() -> None:
    from feynnn.cli.app import app, study_app
    from feynnn.cli.atlas import app as atlas_app

    for prefix, group in (("", app), ("study ", study_app), ("atlas ", atlas_app)):
        for command in group.registered_commands:
            assert command.callback is not None
            name = command.name or command.callback.__name__
            assert f"feynnn {prefix}{name}" in " ".join((command.callback.__doc__ or "").split()), name


def test_help_and_version_start_without_the_heavy_libraries() -> None:
    code = (
        "import sys\nsys.argv = ['feynnn', '--help']\nfrom feynnn.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'numpy', 'sympy', 'scipy', 'matplotlib'} & set(sys.modules)\nassert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=60)
    done = subprocess.run([sys.executable, "-m", "feynnn.cli", "--version"], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == f"feynnn {fn.__version__}"
