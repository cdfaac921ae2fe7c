"""The atlas: its facts against zero-dimensional theory and brute force, its links, its files byte for byte."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from itertools import product
from math import factorial, prod
from pathlib import Path, PurePosixPath
from posixpath import normpath
from typing import Any
from xml.etree import ElementTree

import pytest

import feynnn as fn
from feynnn.diagrams.generation import Kind
from feynnn.diagrams.wick import contractions
from feynnn.storage import loads, write_atomically
from feynnn.views import atlas
from feynnn.views.atlas_sets import all_sets, json_lines

ROOT = Path(__file__).parents[2]
NS = {"s": "http://www.w3.org/2000/svg"}


@cache
def texts() -> dict[str, str]:
    return dict(atlas.atlas_files())


@cache
def index() -> list[dict[str, Any]]:
    sets: list[dict[str, Any]] = json.loads(texts()["index.json"])["sets"]
    return sets


def named(name: str) -> dict[str, Any]:
    return next(s for s in index() if s["name"] == name)


# --- the facts --------------------------------------------------------------------------------------------------------


def test_the_repository_holds_this_atlas() -> None:
    found = atlas.check(ROOT / "diagrams")
    assert found.is_same, f"{found}; feynnn atlas build makes it again"


def test_every_order_asked_for_is_there_once() -> None:
    orders = [{"lam": 1}, {"lam": 2}, {"lam": 3}, {"kap": 1}, {"kap": 2}, {"lam": 1, "kap": 1}]
    expected = [(order, n) for order in orders for n in (0, 2, 4, 6)]
    found = [(s["order"], s["n"]) for s in index()]
    assert len(found) == len(expected)
    assert all(item in found for item in expected)


def series(n: int, top: tuple[int, int]) -> dict[tuple[int, int], Fraction]:
    """The integral of f^n exp(-f^2/2 - lam f^4 - kap f^6), order by order, without diagrams."""

    def moment(k: int) -> int:
        return prod(range(k - 1, 0, -2))

    return {
        (a, b): Fraction((-1) ** (a + b) * moment(n + 4 * a + 6 * b), factorial(a) * factorial(b))
        for a, b in product(range(top[0] + 1), range(top[1] + 1))
    }


def test_coefficients_add_up_to_the_zero_dimensional_theory() -> None:
    for s in index():
        top = (s["order"].get("lam", 0), s["order"].get("kap", 0))
        numerator, z = series(s["n"], top), series(0, top)
        ratio: dict[tuple[int, int], Fraction] = {}
        for a, b in sorted(numerator):
            below = ((c, d) for c, d in ratio if c <= a and d <= b)
            ratio[a, b] = numerator[a, b] - sum((ratio[c, d] * z[a - c, b - d] for c, d in below), Fraction(0))
        expected = ratio[top] if s["n"] else z[top]
        assert sum(Fraction(m["coefficient"]) for m in s["members"]) == expected, s["name"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("phi4/order1-n4", -24),
        ("phi6/order1-n4", -360),
        ("phi4/order2-n4", 864),
        ("mixed/order2-n4", 37440),
        ("phi6/order2-n4", 432000),
        ("phi6/order1-n6", -720),
        ("phi4/order2-n6", 5760),
        ("mixed/order2-n6", 302400),
    ],
)
def test_the_exact_scheme_gives_the_theory_with_tuned_counterterms(name: str, value: int) -> None:
    # cumulants of the zero-dimensional theory whose counterterms keep <f^2> = 1, computed order by order
    chosen = [m for m in named(name)["members"] if {"connected", "exact scheme"} <= {*m["classes"]}]
    assert sum(Fraction(m["coefficient"]) for m in chosen) == value


def test_classes_are_those_of_generate() -> None:
    for s in index():
        kinds: tuple[Kind, ...] = ("connected", "1PI")
        for kind in kinds:
            theory = fn.Theory.parse(s["action"])
            ds = fn.generate(theory, s["n"], order=s["order"], kind=kind, external="indistinguishable")
            assert sum(kind in m["classes"] for m in s["members"]) == len(ds)
        if not s["n"]:
            assert all({"snail", "exact scheme"}.isdisjoint(m["classes"]) for m in s["members"])
            continue
        exact = fn.Theory.parse(s["action"], propagator="exact")
        ds = fn.generate(exact, s["n"], order=s["order"], external="indistinguishable")
        kept = Counter(str(d.coefficient) for d in ds)
        assert Counter(m["coefficient"] for m in s["members"] if "exact scheme" in m["classes"]) == kept


@pytest.mark.parametrize("name", ["phi4/order1-n6", "phi4/order2-n4", "phi4/order3-n0", "mixed/order2-n2"])
def test_facts_agree_with_every_wick_contraction(name: str) -> None:
    s = named(name)
    found = contractions(fn.Theory.parse(s["action"]), s["n"], order=s["order"])
    if s["n"]:
        found = {d: k for d, k in found.items() if d.is_vacuum_free}
    assert s["diagrams"] == len(found)
    assert s["multiplicity"] == sum(found.values())
    each = Counter(dict.fromkeys(found.values(), 0))
    for m in s["members"]:
        each[m["multiplicity"] // m["labellings"]] += m["labellings"]
    assert each == Counter(found.values())


# --- the files --------------------------------------------------------------------------------------------------------


def test_data_are_read_back_as_they_were_generated() -> None:
    for s in index():
        ds = loads(texts()[s["files"]["json"]])
        kind: Kind = "vacuum-free" if s["n"] else "all"
        theory = fn.Theory.parse(s["action"])
        assert ds == fn.generate(theory, s["n"], order=s["order"], kind=kind, external="indistinguishable")
        assert (ds.theory, ds.kind, len(ds)) == (theory, kind, s["topologies"])
        assert (ds.multiplicity, str(ds.weight)) == (s["multiplicity"], s["weight"])


def test_json_changes_line_by_line() -> None:
    value = {"a": {"b": [{"c": [1, 2]}, {}], "ä": "é"}, "empty": []}
    text = json_lines(value, 2)
    assert text == '{\n "a": {\n  "b": [{"c": [1, 2]}, {}],\n  "ä": "é"\n },\n "empty": []\n}\n'.replace(
        '"ä": "é"', '"\\u00e4": "é"'
    )
    assert json.loads(text) == value


def test_pictures_are_well_formed_and_black_on_white() -> None:
    for s in index():
        root = ElementTree.fromstring(texts()[s["files"]["svg"]])
        background = root.find("s:rect", NS)
        assert background is not None
        assert (background.get("fill"), background.get("width"), background.get("height")) == ("#fff", "100%", "100%")
        (ink,) = root.findall("s:g", NS)
        assert ink.get("color") == "#000"
        assert len(ink.findall("s:g/s:title", NS)) == s["topologies"]
        words = ["".join(e.itertext()) for e in root.iterfind(".//s:text", NS)]
        for m in s["members"]:
            assert any(
                w.startswith(f"no. {m['number']}: ") and w.endswith(f"|Aut| = {m['symmetry_factor']}") for w in words
            )
        assert words[-len(s["order"]) :] == [{"lam": "λ", "kap": "κ"}[c] for c in s["order"]], "the legend"
        assert len(words) == len(s["order"]) + s["topologies"] * (3 + s["n"])


def test_small_print_does_not_run_into_its_neighbour() -> None:
    for s in index():
        root = ElementTree.fromstring(texts()[s["files"]["svg"]])
        wide = float(root.get("viewBox", "").split()[2])
        rows: dict[str, list[tuple[float, float]]] = {}
        for e in root.iterfind(".//s:text", NS):
            if e.get("font-size") == "11":
                rows.setdefault(e.get("y", ""), []).append(
                    (float(e.get("x", "nan")), 0.5 * 5.0 * len("".join(e.itertext())))
                )
        for row in rows.values():
            edges = [x + sign * half for x, half in sorted(row) for sign in (-1, 1)]
            assert edges == sorted(edges)
            assert edges[0] > 0
            assert edges[-1] < wide


def test_tex_needs_only_geometry_and_tikz() -> None:
    for path, text in texts().items():
        if path.endswith(".tex"):
            assert re.findall(r"\\usepackage(?:\[.*\])?\{(.*)\}", text) == ["geometry", "tikz"]
            assert Counter(re.findall(r"\\begin\{(\w+)\}", text)) == Counter(re.findall(r"\\end\{(\w+)\}", text))
            assert not re.search(r"\\(tfrac|dfrac|text|operatorname)\b", text), "these are of amsmath"
    for s in index():
        assert texts()[s["files"]["tex"]].count(r"\begin{tikzpicture}") == s["topologies"]


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no pdflatex")
@pytest.mark.parametrize("path", ["phi4/order3-n0.tex", "mixed/order2-n4.tex", "slides/formulas.tex"])
def test_tex_compiles(path: str, tmp_path: Path) -> None:
    (tmp_path / "a.tex").write_text(texts()[path], encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "a.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False)
    assert done.returncode == 0, done.stdout[-1000:]
    assert (tmp_path / "a.pdf").exists()
    assert "Overfull" not in done.stdout


def links(text: str) -> Iterator[tuple[str, str]]:
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, place = target.partition("#")
        yield path, place


def headings(text: str) -> list[str]:
    """Links to headings as code-hosting pages make them, for headings of plain words."""
    found = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return [h.lower().replace(" ", "-") for h in found if re.fullmatch(r"[\w\- ]+", h, re.ASCII) and "  " not in h]


def test_every_link_leads_somewhere() -> None:
    seen = 0
    for page, text in texts().items():
        if not page.endswith(".md"):
            continue
        assert len(headings(text)) == len(set(headings(text)))
        for path, place in links(text):
            target = normpath(str(PurePosixPath(page).parent / path)) if path else page
            assert target in texts(), (page, path)
            assert not place or place in headings(texts()[target]), (page, path, place)
            seen += 1
    linked = {
        normpath(str(PurePosixPath(p).parent / path))
        for p, t in texts().items()
        if p.endswith(".md")
        for path, _ in links(t)
    }
    assert linked >= texts().keys() - {"README.md"}, "every file can be reached"
    assert seen > 24 * 7


def test_tables_have_as_many_cells_as_heads() -> None:
    for page, text in texts().items():
        if page.endswith(".md"):
            for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
                assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1, (page, block)


def test_the_page_of_the_slides_has_their_numbers() -> None:
    page = texts()["slides.md"]
    cells = [[c.strip() for c in line.split("|")[1:4]] for line in page.splitlines() if line.startswith("| ")]
    assert [c for c in cells if c[0] != "term"] == [
        ["1", "3", "3"], ["λ", "−24", "1"], ["κ", "−360", "1"],
        ["1", "15", "15"], ["λ", "−360", "15"], ["κ", "−720", "1"], ["κ", "−5400", "15"],
    ]  # fmt: skip
    for n, numbers in ((4, ["3", "24", "360"]), (6, ["15", "360", "720", "5400"])):
        root = ElementTree.fromstring(texts()[f"slides/G{n}.svg"])
        words = ["".join(e.itertext()) for e in root.iterfind(".//s:text", NS)]
        assert words[0] == f"G({n}) ="
        assert [re.sub(r"\D", "", w) for w in words[1:]] == numbers
        assert ["λ" in w or "κ" in w for w in words[1:]] == [False] + [True] * (len(numbers) - 1)


def test_the_python_on_the_pages_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "diagrams" / "phi4").mkdir(parents=True)
    name = "phi4/order2-n4.json"
    (tmp_path / "diagrams" / name).write_text(texts()[name], encoding="utf-8")
    for page, words in (("README.md", "6 vacuum-free diagrams"), ("slides.md", "- 5400 κ")):
        (code,) = re.findall(r"```python\n(.*?)```", texts()[page], re.DOTALL)
        done = subprocess.run(
            [sys.executable, "-X", "utf8", "-c", code], cwd=tmp_path, capture_output=True, encoding="utf-8", check=True,
            env={**os.environ, "PYTHONPATH": str(Path(fn.__file__).parents[1])},
        )  # fmt: skip
        assert words in done.stdout


def test_the_hash_seed_changes_nothing() -> None:
    code = (
        "import sys, hashlib\n"
        "from feynnn.views.atlas_sets import all_sets\n"
        "from feynnn.views.atlas_slides import slides_files\n"
        "s = next(s for s in all_sets() if (s.folder, s.name) == ('mixed', 'order2-n4'))\n"
        "print(hashlib.sha256(repr({**s.files(), **slides_files(), 'r': s.record()}).encode()).hexdigest())"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(fn.__file__).parents[1])}
    hashes = {
        subprocess.run(
            [sys.executable, "-c", code], env=env | {"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(hashes) == 1


def test_a_wrong_set_is_not_published(monkeypatch: pytest.MonkeyPatch) -> None:
    s = next(s for s in all_sets() if s.name == "order2-n4")
    short = fn.generate(fn.Theory.parse(s.action), 4, order=2, external="indistinguishable")[1:]
    monkeypatch.setitem(s.__dict__, "drawn", short)
    with pytest.raises(fn.FeynnnError, match="phi4/order2-n4: 22 vacuum-free diagrams"):
        _ = s.topologies


# --- building and checking a folder -----------------------------------------------------------------------------------

SMALL = {"a/b.svg": "<svg/>\n", "README.md": "λ\n", "index.json": '{"format": "feynnn atlas"}\n'}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(atlas, "atlas_files", lambda progress=None: iter(SMALL.items()))


@pytest.mark.usefixtures("small")
def test_build_makes_what_check_expects(tmp_path: Path) -> None:
    root = tmp_path / "new" / "atlas"
    assert atlas.build(root) == atlas.Comparison(tuple(sorted(SMALL)), (), (), 3)
    assert {p: (root / p).read_bytes().decode() for p in SMALL} == SMALL
    assert atlas.check(root).is_same
    assert sorted(p.name for p in root.rglob("*") if p.is_file()) == ["README.md", "b.svg", "index.json"]


@pytest.mark.usefixtures("small")
def test_check_names_every_difference_and_build_mends_it(tmp_path: Path) -> None:
    atlas.build(tmp_path)
    (tmp_path / "a" / "b.svg").unlink()
    (tmp_path / "README.md").write_text("λ \n", encoding="utf-8")
    (tmp_path / "a" / "mine.txt").write_text("kept")
    expected = atlas.Comparison(("a/b.svg",), ("README.md",), ("a/mine.txt",), 3)
    assert atlas.check(tmp_path) == expected
    assert not expected.is_same
    assert atlas.build(tmp_path) == expected
    assert atlas.check(tmp_path) == atlas.Comparison((), (), ("a/mine.txt",), 3)
    assert (tmp_path / "a" / "mine.txt").read_text() == "kept"


@pytest.mark.usefixtures("small")
def test_build_writes_only_what_changed(tmp_path: Path) -> None:
    atlas.build(tmp_path)
    os.utime(tmp_path / "README.md", (1, 1))
    atlas.build(tmp_path)
    assert (tmp_path / "README.md").stat().st_mtime == 1


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("foreign", ["README.md", "index.json"])
def test_build_does_not_overwrite_the_files_of_others(tmp_path: Path, foreign: str) -> None:
    (tmp_path / foreign).write_text("[1]")
    with pytest.raises(fn.FeynnnError, match=f"not an atlas, but holds '{foreign}'"):
        atlas.build(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == [foreign]
    assert (tmp_path / foreign).read_text() == "[1]"


@pytest.mark.usefixtures("small")
def test_a_broken_off_build_can_be_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Path] = []

    def stop(path: Path, text: str) -> None:
        calls.append(path)
        if len(calls) == 2:
            raise KeyboardInterrupt
        write_atomically(path, text)

    with monkeypatch.context() as patch:
        patch.setattr("feynnn.views.atlas.write_atomically", stop)
        with pytest.raises(KeyboardInterrupt):
            atlas.build(tmp_path)
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["index.json"], "by which it is known as an atlas"
    (tmp_path / "README.md").write_text("half")
    assert atlas.build(tmp_path).differing == ("README.md",)
    assert atlas.check(tmp_path).is_same


@pytest.mark.usefixtures("small")
def test_bad_folders_are_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder, words in ((tmp_path / "file", "is a file"), ("", "got ''"), (None, "got None"), ("a\0", "name of a")):
        for call in (atlas.build, atlas.check):
            with pytest.raises(fn.FeynnnError, match=words):
                call(folder)  # type: ignore[arg-type]
    with pytest.raises(fn.FeynnnError, match=r"there is no folder .*feynnn atlas build makes it"):
        atlas.check(tmp_path / "none")
    with pytest.raises(fn.FeynnnError, match="cannot make"):
        atlas.build(tmp_path / "file" / "below")


def test_progress_counts_the_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    few = all_sets()[:3]
    monkeypatch.setattr(atlas, "all_sets", lambda: few)
    steps: list[tuple[str, int, int]] = []
    for _ in atlas.atlas_files(lambda *step: steps.append(step)):
        pass
    assert steps == [(f"phi4/order1-n{n}", k, 3) for k, n in enumerate((0, 2, 4), start=1)]
