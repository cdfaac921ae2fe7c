"""The documentation agrees with the library: names, numbers, links, versions. The build itself is ``make docs``."""

from __future__ import annotations

import importlib.util
import re
import sys
import tomllib
from fractions import Fraction
from math import comb, factorial
from pathlib import Path
from types import ModuleType

import pytest

import feynnn
from feynnn import Theory, count, exact, generate
from feynnn.cli.graphs import MAX_LINES
from feynnn.combinatorics import double_factorial
from feynnn.diagrams import contracting
from feynnn.diagrams.generation import KINDS, MAX_BYTES, MAX_CERTIFIED, MAX_DEGREE, Kind
from feynnn.diagrams.layout import MAX_GROUP, MAX_LEGS
from feynnn.diagrams.roots import EXACT
from feynnn.diagrams.structure import MAX_LINE_SETS, MAX_VERTICES
from feynnn.diagrams.symanzik import MAX_TERMS
from feynnn.networks import Network

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
ACTION = "lam*f**4 + kap*f**6"
CONVENTIONS = (DOCS / "conventions.md").read_text(encoding="utf-8")


def table(heading: str) -> list[list[str]]:
    """Return the rows of the first table of the conventions after a heading, without its head."""
    section = CONVENTIONS.split(f"## {heading}\n", 1)[1].split("\n## ")[0]
    rows = [[c.strip() for c in line.strip("|").split("|")] for line in section.splitlines() if line.startswith("|")]
    return rows[2:]


def whole_numbers(cell: str) -> list[int]:
    return [int(v) for v in re.findall(r"\d+", cell)]


# --- names -----------------------------------------------------------------------------------------------------------


def test_every_public_name_is_in_the_reference() -> None:
    text = (DOCS / "api.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\.\. auto(?:class|function|exception):: (\S+)$", text, flags=re.MULTILINE))
    public = {f"feynnn.{name}" for name in feynnn.__all__ if name not in ("__version__", "kernels")}
    assert public | {f"feynnn.kernels.{name}" for name in feynnn.kernels.__all__} <= listed
    assert "feynnn.__version__" in text


def test_every_command_has_a_section() -> None:
    typer = pytest.importorskip("typer")
    from feynnn.cli.app import app

    text = (DOCS / "cli.md").read_text(encoding="utf-8")
    for command in typer.main.get_command(app).commands:
        assert f"\n## {command}\n" in text, command
        assert f"feynnn {command} " in text, command


def test_what_the_readme_tells_to_type_exists() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^make (\w+)$|`make (\w+)`", text, flags=re.MULTILINE):
        assert re.search(rf"^{''.join(target)}:", makefile, flags=re.MULTILINE), target
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = set(re.findall(r"'\.\[(\w+)\]'", text))
    assert named == {"all", "app", "distributed", "fast"}
    assert named <= set(extras)


@pytest.mark.parametrize("page", [ROOT / "README.md", *sorted(DOCS.glob("*.md"))], ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r"^:file: (\S+)$", text, flags=re.MULTILINE)
    for target in targets:
        assert target.startswith("https://") or (page.parent / target.partition("#")[0]).exists(), target


def test_one_version_everywhere() -> None:
    citation = (ROOT / "CITATION.cff").read_text()
    assert f"\nversion: {feynnn.__version__}\n" in citation
    assert re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)[1] == feynnn.__version__  # type: ignore[index]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for text in (citation, readme):
        assert "10.1088/2632-2153/abeca3" in text
        assert "2008.08601" in text


# --- numbers of the conventions --------------------------------------------------------------------------------------


def test_factors_at_first_order() -> None:
    theory = Theory.parse(ACTION)
    for n_cell, *cells in table("Factors at first order"):
        n = int(n_cell)
        for name, p, (attached, other) in (("lam", 4, cells[:2]), ("kap", 6, cells[2:])):
            found: dict[bool, list[int]] = {True: [], False: []}
            for d in generate(theory, n, order={name: 1}, external="indistinguishable"):
                legs = sum(i < n <= j for i, j in d.edges)
                loops = (p - legs) // 2
                pairings = double_factorial(n - legs - 1) if n > legs else 1
                ways = comb(n, legs) * pairings * factorial(p) // (2**loops * factorial(loops))
                assert d.multiplicity == ways
                assert d.coefficient == -ways
                found[legs >= 4].append(ways)
            assert sorted(found[True]) == sorted(whole_numbers(attached))
            assert sorted(found[False]) == sorted(whole_numbers(other))


def test_schemes_at_second_order() -> None:
    schemes = [
        Theory.parse(ACTION),
        Theory.parse(ACTION, propagator="exact"),
        Theory.parse(ACTION, propagator="exact", normal_ordered=True),
    ]
    orders = {"λ²": {"lam": 2}, "λκ": {"lam": 1, "kap": 1}, "κ²": {"kap": 2}}
    rows = table("Two propagator schemes")
    assert len(rows) == 6
    for n, order, *shown in rows:
        sums = [
            sum((d.coefficient for d in generate(t, int(n), order=orders[order], kind="connected")), Fraction(0))
            for t in schemes
        ]
        assert sums == [Fraction(v) for v in shown]


def test_numbers_in_the_text() -> None:
    x = [0.2, 0.4, 0.6, 0.8, 1.0, 1.2]
    net = Network("relu", width=2, sigma_b=0.0)
    sizes = [len(exact(net, x, n=n)) for n in (2, 4, 6)]
    assert "{}, {} and {} for six inputs and n = 2, 4, 6".format(*sizes) in CONVENTIONS
    bilocal = feynnn.Interaction((2, 2), "lamNL")
    assert f"here {bilocal.symmetry}." in CONVENTIONS


# --- the page about diagrams -----------------------------------------------------------------------------------------


def test_what_count_knows() -> None:
    page = (DOCS / "diagrams.md").read_text(encoding="utf-8").split("## What count knows\n")[1].split("\n## ")[0]
    rows = [[c.strip() for c in line.strip("|").split("|")] for line in page.splitlines() if line.startswith("|")][2:]
    assert [row[0] for row in rows[:-1]] == list(KINDS)
    phi4, phi3 = Theory.parse("lam*f**4"), Theory.parse("g*f**3")
    for kind, *cells in rows:
        filters = {"self_energies": False} if kind == "any, without self-energies" else {"kind": kind}
        # orders at which there are such diagrams
        for theory, order, n in ((phi4, 3, 2), (phi3, 4, 0)) if kind == "2PI" else ((phi4, 3, 4), (phi3, 4, 4)):
            for external, cell in zip(("labelled", "indistinguishable"), cells, strict=True):
                found = count(theory, n, order=order, external=external, **filters)  # type: ignore[arg-type]
                assert found.weight > 0
                known = cell == "yes" or (cell.startswith("yes, unless") and theory is phi4)
                assert (found.number is not None) == known, (kind, external)


def test_the_limits() -> None:
    page = (DOCS / "diagrams.md").read_text(encoding="utf-8").split("## How far it is exact\n")[1]
    values = [
        int(row.split("|")[2].split("=")[-1].replace(" ", "")) for row in page.splitlines() if re.match(r"\| .*\d", row)
    ]
    sets = [EXACT, MAX_GROUP, contracting.MAX_BYTES, MAX_BYTES, MAX_LEGS, MAX_DEGREE]
    assert values == [*sets, MAX_CERTIFIED, MAX_VERTICES, MAX_LINE_SETS, MAX_TERMS, MAX_LINES]
    assert f"go to {EXACT} vertices" in page
    assert EXACT**2 == 169 and 169**2 / 2**64 < 2e-15


# --- the pictures ----------------------------------------------------------------------------------------------------


def make_images() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_images", DOCS / "make_images.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # a dataclass looks its module up
    sys.modules["make_images"] = module
    spec.loader.exec_module(module)
    return module


IMAGES = make_images()


@pytest.mark.parametrize("name", sorted(IMAGES.PICTURES))
def test_pictures_are_what_the_library_draws(name: str) -> None:
    number = re.compile(r"-?\d+\.?\d*")
    old, new = (DOCS / "images" / name).read_text(encoding="utf-8"), IMAGES.PICTURES[name]()
    remedy = "python docs/make_images.py makes the pictures again"
    assert number.sub("#", old) == number.sub("#", new), remedy
    pairs = zip(number.findall(old), number.findall(new), strict=True)
    assert all(abs(float(a) - float(b)) < 0.05 for a, b in pairs), remedy


def test_no_picture_is_left_over() -> None:
    assert {p.name for p in (DOCS / "images").iterdir()} == set(IMAGES.PICTURES)
    page = (DOCS / "diagrams.md").read_text(encoding="utf-8")
    assert re.findall(r"\]\(images/(\S+)\)", page) == [f"kind-{name}.svg" for name in IMAGES.EXAMPLES]


@pytest.mark.parametrize("name", IMAGES.EXAMPLES)
def test_examples_are_in_and_out(name: str) -> None:
    example = IMAGES.EXAMPLES[name]
    inside = example.diagram(example.inside)
    assert inside in generate(inside.theory, inside.n, order=inside.order, **example.arguments)
    assert bool(example.outside) == (name != "all")
    if example.outside:
        outside = example.diagram(example.outside)
        assert outside not in generate(outside.theory, outside.n, order=outside.order, **example.arguments)
        # what is out is out for this reason only
        kind = example.arguments.get("kind")
        wider: Kind = "all" if kind == "vacuum-free" else "vacuum-free" if kind == "connected" else "connected"
        assert outside in generate(outside.theory, outside.n, order=outside.order, kind=wider)
