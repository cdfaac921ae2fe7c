"""``feynnn diagrams``: every filter, one diagram's card, a user's graph, streams, exports, and nothing half-done."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkx
import pytest

pytest.importorskip("typer")

import feynnn as fn
from feynnn import cli
from feynnn.cli.graphs import MAX_LINES

Run = Callable[..., tuple[int, str, str]]
PHI4 = "lam*f**4"
THEORY = fn.Theory.parse(PHI4)
#: The lines of the one-loop 4-point function with nodes named as nobody else names them.
BUBBLE = [["x1", "b"], ["x3", "a"], ["x2", "b"], ["a", "b"], ["b", "a"], ["a", "x4"]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run ``feynnn diagrams`` in an empty folder; exit code, standard output and standard error."""
    monkeypatch.chdir(tmp_path)

    def call(*words: str, stdin: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["feynnn", "diagrams", *words])
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        with pytest.raises(SystemExit) as stop:
            cli.main()
        captured = capsys.readouterr()
        code = stop.value.code
        return (code if isinstance(code, int) else 0), captured.out, captured.err

    return call


def good(result: tuple[int, str, str]) -> str:
    code, out, err = result
    assert code == 0, err
    return out


# --- sets ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["all", "vacuum-free", "connected", "amputated", "1PI", "2PI"])
@pytest.mark.parametrize(
    ("words", "filters"),
    [
        ((), {}),
        (("--no-self-loops",), {"self_loops": False}),
        (("--no-self-energies",), {"self_energies": False}),
        (("--no-snails",), {"snails": False}),
        (("--loops", "1"), {"loops": 1}),
        (("--external", "indistinguishable"), {"external": "indistinguishable"}),
    ],
)
def test_every_kind_and_filter_is_the_library_s(
    run: Run, kind: str, words: tuple[str, ...], filters: dict[str, Any]
) -> None:
    expected = fn.generate(THEORY, 4, order=2, kind=kind, **filters)  # type: ignore[arg-type]
    asked = (PHI4, "--order", "2", "--kind", kind, *words)
    assert good(run(*asked)).splitlines()[0] == repr(expected)
    record = json.loads(good(run(*asked, "--json")))
    found = fn.load(_file("set.json", json.dumps(record)))
    assert found == expected
    c = expected.certificate
    assert record["certificate"] == {"number": c.number, "weight": c.weight, "note": c.note}
    if not {"snails", "loops"} & set(filters):
        counted = json.loads(good(run(*asked, "--count", "--json")))
        assert counted["weight"] == str(expected.weight)
        assert counted["number"] in (None, len(expected))


def _file(name: str, text: str) -> str:
    Path(name).write_text(text)
    return name


def test_the_certificate_and_the_reason_are_printed(run: Run) -> None:
    assert good(run(PHI4, "--order", "2")).endswith("\ncertificate: number and weight agree with count()\n")
    assert "not compared with count()" in good(run(PHI4, "--no-certify", "--order", "6", "--kind", "2PI"))
    assert "weight agrees with count()" in good(run(PHI4, "--certify", "--order", "6", "--kind", "2PI"))
    out = good(run(PHI4, "-n", "3"))
    assert out.splitlines()[1] == "no diagrams: 7 legs in all: an odd number cannot be joined in pairs"
    assert json.loads(good(run(PHI4, "-n", "3", "--json")))["data"]["reason"].startswith("7 legs")


def test_a_stream_is_the_set_line_by_line(run: Run) -> None:
    asked = (PHI4, "--order", "4", "--kind", "connected", "--stream")
    code, out, err = run(*asked)
    assert code == 0 and err.startswith("nodes: x1, x2, x3, x4, y1: lam, ")
    expected = fn.generate(THEORY, 4, order=4, kind="connected")
    records = [json.loads(line) for line in out.splitlines()]
    assert len(records) == len(expected) and f"{len(records)} diagrams in all" in err
    found = {fn.Diagram.from_edges(THEORY, 4, 4, [(i, j) for i, j in r["edges"]]) for r in records}
    assert found == set(expected)
    for r in records[:20]:
        d = fn.Diagram.from_edges(THEORY, 4, 4, r["edges"])
        assert (r["symmetry_factor"], r["multiplicity"], r["copies"]) == (d.symmetry_factor, d.multiplicity, 1)
    code, nothing, err = run(*asked, "-o", "all.jsonl")
    assert code == 0 and nothing == "" and Path("all.jsonl").read_text() == out
    assert "no diagrams" in run(PHI4, "-n", "3", "--stream")[2]


def test_an_interrupted_stream_leaves_no_file(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def interrupted(*args: object, **kwargs: object) -> Any:
        yield fn.generate(THEORY, 4, order=1)
        raise KeyboardInterrupt

    monkeypatch.setattr("feynnn.diagrams.generation.stream", interrupted)
    code, out, err = run(PHI4, "--stream", "-o", "all.jsonl")
    assert code == 130 and out == "" and "cancelled" in err
    assert not list(tmp_path.iterdir())


# --- one diagram -----------------------------------------------------------------------------------------------------


def test_the_card_of_a_diagram(run: Run) -> None:
    expected = fn.generate(THEORY, 4, order=2, kind="1PI")[1]
    out = good(run(PHI4, "--order", "2", "--kind", "1PI", "--show", "1", "--dimension", "4"))
    rows = {line[:16].strip(): line[17:] for line in out.splitlines()}
    assert rows["place"] == "number 1 of 3 1PI diagrams"
    assert rows["lines"] == "x1-y1 x2-y2 x3-y1 x4-y2 y1-y2 y1-y2"
    assert rows["symmetry factor"] == "2" and rows["multiplicity"] == "576" and rows["coefficient"] == "288"
    assert rows["is"] == "vacuum-free, connected, 1PI, amputated"
    assert rows["degree in D=4"] == "0" and rows["Symanzik U"] == "alpha_1 + alpha_2"
    assert rows["momentum space"] == str(expected.momentum_expression())
    record = json.loads(good(run(PHI4, "--order", "2", "--kind", "1PI", "--show", "1", "--json")))
    assert fn.Diagram.from_dict(record["diagram"]) == expected
    assert record["number"] == 1 and record["of"] == 3 and record["notes"] == {}
    assert record["symanzik"]["F0"] == "alpha_1*alpha_2*s_1_3"
    assert "superficial_degree" not in record


def test_the_card_names_parts_and_subdivergences(run: Run) -> None:
    # a tadpole on a leg, and the three bubbles inside a sunset
    asked = ("--order", "2", "--kind", "connected", "-n", "2")
    ds = fn.generate(THEORY, 2, order=2, kind="connected")
    chain = next(k for k, d in enumerate(ds) if d.bridges)
    rows = good(run(PHI4, *asked, "--show", str(chain)))
    assert "bridges          y1-y2\n" in rows and "1PI parts        {y1} {y2}\n" in rows
    assert "has              self-loop, snail, self-energy\n" in rows
    sunset = next(k for k, d in enumerate(ds) if not d.has_self_loop)
    record = json.loads(good(run(PHI4, *asked, "--show", str(sunset), "--dimension", "4", "--json")))
    assert record["superficial_degree"] == 2
    assert [(g["lines"], g["degree"]) for g in record["subdivergences"]] == [([[2, 3], [2, 3]], 0)] * 3


def test_what_does_not_exist_is_null_with_a_reason(run: Run) -> None:
    record = json.loads(good(run(PHI4, "--show", "0", "--json")))
    ds = fn.generate(THEORY, 4, order=1)
    assert not ds[0].is_connected
    assert record["symanzik"] is None and "2 components" in record["notes"]["Symanzik"]
    assert "Symanzik         none: symanzik() takes a connected diagram" in good(run(PHI4, "--show", "0"))
    topologies = (PHI4, "--external", "indistinguishable", "--show", "0")
    assert "(each of 6 labellings)" in good(run(*topologies))


def test_a_graph_is_found_in_its_set(run: Run) -> None:
    d = fn.Diagram.from_networkx(THEORY, networkx.MultiGraph(BUBBLE))
    ds = fn.generate(THEORY, 4, order=2, kind="connected")
    asked = (PHI4, "--kind", "connected", "--graph")
    record = json.loads(good(run(*asked, _file("g.json", json.dumps(BUBBLE)), "--json")))
    assert record["number"] == ds.index(d) and record["of"] == 7
    assert record["diagram"]["multiplicity"] == d.multiplicity == 576
    assert record["key"] == [list(e) for e in ds[ds.index(d)].edges]
    # other names and another order of lines: the same key
    renamed = json.dumps([[b.replace("a", "u"), a.replace("a", "u")] for a, b in reversed(BUBBLE)])
    assert json.loads(good(run(*asked, "-", "--json", stdin=renamed)))["key"] == record["key"]
    out = good(run(PHI4, "--graph", "g.json", "--kind", "2PI"))
    assert "place            not one of 0 2PI diagrams\n" in out


def test_graphs_in_every_form(run: Run) -> None:
    theory = fn.Theory.parse("g*f**3 + lam*f**4")
    lines = [(0, 2), (2, 4), (2, 4), (4, 3), (4, 3), (1, 3)]
    d = fn.Diagram.from_edges(theory, 2, {"g": 2, "lam": 1}, lines)
    fn.save(d, "saved.json")
    forms = [
        Path("saved.json").read_text(),
        json.dumps(networkx.node_link_data(d.to_networkx())),
        json.dumps({"edges": [list(e) for e in d.edges]}),
    ]
    keys = []
    for text in forms:
        record = json.loads(good(run("g*f**3 + lam*f**4", "--graph", "-", "--json", stdin=text)))
        assert record["diagram"]["order"] == {"g": 2, "lam": 1} and record["number"] is not None
        keys.append(record["key"])
    assert keys[0] == keys[1] == keys[2]
    printed = good(run("g*f**3 + lam*f**4", "--graph", "saved.json", "--format", "networkx"))
    again = networkx.node_link_graph(json.loads(printed), edges="edges")
    assert fn.Diagram.from_networkx(theory, again) == d


def test_a_graph_of_a_huge_set_is_not_searched_for(run: Run) -> None:
    # a chain of ten vertices: its set has millions of diagrams
    chain = [
        ["x1", "0"],
        *([str(k), str(k)] for k in range(10)),
        *([str(k), str(k + 1)] for k in range(9)),
        ["9", "x2"],
    ]
    out = good(run(PHI4, "--kind", "connected", "--graph", "-", stdin=json.dumps(chain)))
    assert "place            not looked up among " in out and "symmetry factor  1024\n" in out


def _chain(vertices: int) -> str:
    """A line through many vertices with a self-loop each."""
    loops = [[str(k), str(k)] for k in range(vertices)]
    lines = [[str(k), str(k + 1)] for k in range(vertices - 1)]
    return json.dumps([["x1", "0"], *loops, *lines, [str(vertices - 1), "x2"]])


def test_the_card_of_a_graph_beyond_the_generator(run: Run) -> None:
    out = good(run(PHI4, "--graph", "-", stdin=_chain(20)))
    assert "place            not looked up: 20 vertices: this generator is exact to 13" in out
    assert "symmetry factor  1048576\n" in out and "self-energy" in out
    record = json.loads(good(run(PHI4, "--graph", "-", "--json", stdin=_chain(20))))
    assert record["has"] == {"self-loop": True, "snail": True, "self-energy": True}
    assert record["is"]["2PI"] is False and record["number"] is None
    # vertices with two points: too many permutations
    pairs = [[[2 + 2 * k, 2 + 2 * k], [3 + 2 * k, 3 + 2 * k]] for k in range(8)]
    theory = fn.Theory.parse("b*f(y)**2*f(z)**2")
    d = fn.Diagram.from_edges(theory, 2, 8, [(0, 1), *((i, j) for pair in pairs for i, j in pair)])
    fn.save(d, "bilocal.json")
    out = good(run("b*f(y)**2*f(z)**2", "--kind", "all", "--no-certify", "--graph", "bilocal.json"))
    assert "place            not looked up: 8 vertices have 10321920 permutations" in out
    out = good(run(PHI4, "--graph", "-", "--max-bytes", "1", stdin=json.dumps(BUBBLE)))
    assert "place            not looked up: " in out and "max_bytes=1" in out


@pytest.mark.parametrize("words", [("--no-snails",), ("--loops", "10")])
def test_a_huge_set_is_not_filtered_for_one_graph(run: Run, words: tuple[str, ...]) -> None:
    out = good(run(PHI4, "--kind", "connected", *words, "--graph", "-", stdin=_chain(10)))
    assert "place            not looked up among " in out and "(before --no-snails and --loops)" in out


def test_a_graph_among_unlabelled_ones(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    # the weight 3/2 of the labelled diagrams is more than the number of topologies, which count() does not know
    monkeypatch.setattr("feynnn.cli.diagrams.MAX_SEARCHED", 1)
    asked = (PHI4, "--kind", "1PI", "--external", "indistinguishable", "--graph", "-")
    out = good(run(*asked, stdin=json.dumps(BUBBLE)))
    assert "place            number 0 of 1 1PI diagram\n" in out


@pytest.mark.parametrize(
    ("words", "message"), [(("--external", "none"), "external must be"), (("--loops", "-1"), "loops")]
)
def test_bad_options_with_a_graph_are_errors(run: Run, words: tuple[str, ...], message: str) -> None:
    code, out, err = run(PHI4, *words, "--graph", "-", stdin=json.dumps(BUBBLE))
    assert code == 2 and out == "" and message in err


# --- drawings and exports --------------------------------------------------------------------------------------------


def test_exports_are_the_library_s(run: Run) -> None:
    ds = fn.generate(THEORY, 2, order=2)
    asked = (PHI4, "-n", "2", "--order", "2")
    for name, text in (("a.dot", ds.to_dot()), ("a.frm", ds.to_form()), ("a.wl", ds.to_mathematica() + "\n")):
        assert repr(ds) in good(run(*asked, "--export", name))
        assert Path(name).read_text() == text
    assert good(run(*asked, "--format", "dot")).rstrip("\n") == ds.to_dot().rstrip("\n")
    good(run(*asked, "--export", "a.json"))
    assert fn.load("a.json") == ds
    good(run(*asked, "--show", "1", "--export", "b.tex", "--draw", "c.tex"))
    assert Path("b.tex").read_text() == ds[1].to_latex()
    assert Path("c.tex").read_text() == ds[1].to_tikz()
    terms = good(run(*asked, "--format", "latex")).splitlines()
    assert terms[0] == ds[0].to_latex() and terms[1] == "+" + ds[1].to_latex()
    assert good(run(PHI4, "-n", "3", "--format", "latex")) == "0\n"


BAD = [
    (("--count", "--no-snails"), "--count does not go with --no-snails"),
    (("--count", "--loops", "1"), "--loops"),
    (("--count", "--draw", "a.svg"), "--draw"),
    (("--stream", "--json"), "--stream does not go with --json"),
    (("--stream", "--count"), "choose one"),
    (("--stream", "--max-bytes", "5"), "--max-bytes"),
    (("--show", "7"), "no such diagram among the 7"),
    (("--show", "-1"), "--show -1"),
    (("--dimension", "4"), "--dimension"),
    (("--show", "0", "--dimension", "-4"), "--dimension"),
    (("--format", "tikz"), "--format must be one of"),
    (("--format", "dot", "--json"), "--format prints"),
    (("--draw", "a.gif"), "the format of 'a.gif' is not known"),
    (("--export", "a.txt"), ".frm"),
    (("--draw", "a.svg", "-o", "no/such/b.json"), "there is no folder"),
    (("--draw", "a.tex", "--export", "a.tex"), "name the same file"),
    (("--export", "a.dot", "-o", "."), "it is a folder"),
    (("-o", " "), "no file name"),
    (("--draw", "a.svg", "--max-bytes", "10", "--order", "6"), "max_bytes=10"),
    (("--external", "unlabelled"), "external must be"),
    (("--kind", "amputated", "-n", "1"), "amputated"),
    (("--graph", "no.json"), "there is no file"),
    (("--graph", "-", "-n", "4"), "-n is read off the graph"),
    (("--graph", "-", "--order", "2"), "--order is read off the graph"),
]


@pytest.mark.parametrize(("words", "message"), BAD)
def test_bad_input_writes_nothing(run: Run, tmp_path: Path, words: tuple[str, ...], message: str) -> None:
    code, out, err = run(PHI4, *words)
    assert code == 2
    assert message in err
    assert err.startswith("feynnn: ") and err.count("\n") == 1, err
    assert out == "" and not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not valid JSON"),
        ("[" * 5000, "not valid JSON"),
        ("3", "no list of lines"),
        ('{"nodes": []}', "no list of lines"),
        ('[["x1"]]', "a line is a pair"),
        ('[["x1", 1.5]]', "the node 1.5"),
        ('[["x1", true]]', "the node True"),
        ('{"nodes": [{"kind": "external"}], "edges": []}', "the node None"),
        ('{"directed": true, "edges": [["x1", "a"], ["a", "x2"], ["a", "a"]]}', "directed"),
        ('[["x1", "a"], ["a", "x2"], ["a", "x3"]]', "3 line ends"),
        ('{"format": "feynnn", "version": 1, "type": "Diagram", "data": {}}', "no 'theory'"),
        (json.dumps([["a", "b"]] * (MAX_LINES + 1)), "graphs are read up to"),
    ],
)
def test_bad_graphs_are_refused(run: Run, text: str, message: str) -> None:
    code, out, err = run(PHI4, "--graph", "-", stdin=text)
    assert code == 2 and out == "" and message in err and err.count("\n") == 1, err


def test_a_saved_set_is_no_graph(run: Run) -> None:
    fn.save(fn.generate(THEORY, 2, order=1), "set.json")
    code, _, err = run(PHI4, "--graph", "set.json")
    assert code == 2 and "holds a DiagramSet, not a Diagram" in err
