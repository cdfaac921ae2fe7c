"""The pages of the atlas in Markdown: the overview, and one page for each theory with pictures and tables."""

from __future__ import annotations

from collections.abc import Sequence

from .atlas_sets import FOLDERS, WHOLE, AtlasSet, Topology, couplings_text, lines_text

_MARK = {True: "✓", False: ""}

_INTRODUCTION = """# The atlas of Feynman diagrams

All Feynman diagrams of two scalar theories and their mixture at low orders: drawn, weighted and counted.
`f` is the field; λ (`lam`) multiplies f⁴, κ (`kap`) multiplies f⁶ in the action.

* A page for each theory: {pages}.
* [The formulas of the slides](slides.md): G4 and G6 at first order, in pictures and in TeX.
* [index.json](index.json): every set and every diagram with its facts, for programs.

Each set comes as a picture (`.svg`), as TeX (`.tex`: a document for pdflatex whose pictures can be copied, they need
only the package tikz) and as data (`.json`), which `feynnn.load` reads:

```python
import feynnn as fn

ds = fn.load("diagrams/phi4/order2-n4.json")
print(ds)
print(ds[0].to_latex())
```

No file here is written by hand: `feynnn atlas build` makes them all again, and `feynnn atlas check` says whether
they are what the library makes.

## Conventions

* The weight is exp(−S) with S = S_GP + ∫(λf⁴ + κf⁶), without 1/4! or 1/6!.
  A term with a vertices λ and b vertices κ carries (−λ)ᵃ(−κ)ᵇ/(a! b!) times its number of Wick contractions:
  that is the **coefficient**, the number under each drawing.
* A drawing stands for all **labellings**: the diagrams that differ only by which external point is which.
  The names x1, x2, ... in it are those of one labelling; y1, y2, ... are the vertices, and `y1-y1` is a line from a
  point to itself.
* The **symmetry factor** |Aut| of each labelled diagram counts the permutations of equal vertices and of parallel
  lines and the flips of self-loops that leave it the same, external points fixed.
* The **multiplicity** is the number of Wick contractions, of all labellings together: for vertices of degree p,
  multiplicity × |Aut| = labellings × (product of m! (p!)ᵐ over the couplings, m vertices each).
* A set with external points holds every diagram without vacuum components, which cancel in G⁽ⁿ⁾; a set without them
  (n = 0) holds all vacuum diagrams, connected or not, the terms of Z/Z₀.

Classes:

* **connected**: in one piece.
* **1PI**: connected, and no single line between vertices disconnects it once the external legs are removed.
* **exact scheme**: no set of vertices is joined to the rest by one or two line ends, so that nothing corrects the
  2-point function; these diagrams remain with `propagator="exact"`.
* **self-loop**: a line from a point to itself.
* **snail**: a part without external points behind one vertex, self-loops included.

Exact scheme and snail are questions about diagrams with external points; vacuum diagrams are not marked with them.

## All sets

The columns topologies, connected, 1PI and exact scheme count drawings; diagrams counts labelled ones, Σ1/|Aut| is their
weight.
Diagrams, contractions and weight, of the whole set and of its connected and 1PI members, agree with `fn.count`,
which generates nothing; the build stops if they do not.
"""


def overview(sets: Sequence[AtlasSet]) -> str:
    """Return the atlas's README."""
    pages = ", ".join(f"[`{action}`]({folder}/README.md)" for folder, action, _ in FOLDERS)
    head = (
        "set",
        "topologies",
        "diagrams",
        "contractions",
        "Σ1/\\|Aut\\|",
        "connected",
        "1PI",
        "exact scheme",
        "files",
    )
    lines = [_INTRODUCTION.format(pages=pages), f"| {' | '.join(head)} |", "|---|" + "--:|" * 7 + "---|"]
    for s in sets:
        stem = f"{s.folder}/{s.name}"
        files = " ".join(f"[{ending}]({stem}.{ending})" for ending in ("svg", "tex", "json"))
        cells = [
            f"[{couplings_text(dict(s.order))}, n = {s.n}]({s.folder}/README.md#{anchor(s.title)})",
            len(s.topologies),
            sum(t.diagram.copies for t in s.topologies),
            s.drawn.multiplicity,
            s.drawn.weight,
            *(_number(s, name) for name in ("connected", "1PI", "exact scheme")),
            files,
        ]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    orders = {folder: _sentence([couplings_text(o) for o in orders]) for folder, _, orders in FOLDERS}
    lines += [
        "",
        f"The orders of `{WHOLE}` with one coupling alone are those of the other pages "
        f"({orders['phi4']}; {orders['phi6']}), so its page holds {orders['mixed']} only.",
        "",
    ]
    return "\n".join(lines)


def theory_page(folder: str, action: str, sets: Sequence[AtlasSet]) -> str:
    """Return the page of one theory."""
    lines = [
        f"# Diagrams of `{action}`",
        "",
        "[Overview and conventions](../README.md). Jump to: "
        + ", ".join(f"[{couplings_text(dict(s.order))} n={s.n}](#{anchor(s.title)})" for s in sets)
        + ".",
    ]
    if folder == "mixed":
        others = " and ".join(f"[`{a}`](../{f}/README.md)" for f, a, _ in FOLDERS if f != folder)
        lines += ["", f"Orders with one coupling alone are on the pages of {others}."]
    for s in sets:
        number, diagrams = len(s.topologies), sum(t.diagram.copies for t in s.topologies)
        what = f"Order {couplings_text(dict(s.order))}: {number} {'topology' if number == 1 else 'topologies'}"
        if diagrams > number:
            what += f", {diagrams} labelled diagrams"
        lines += [
            "",
            f"## {s.title}",
            "",
            f"{what}, {s.drawn.multiplicity} Wick contractions, Σ1/|Aut| = {s.drawn.weight}. "
            f"Files: [svg]({s.name}.svg), [tex]({s.name}.tex), [json]({s.name}.json).",
            "",
            f"![{s.title} of {action}]({s.name}.svg)",
            "",
            *_table(s),
        ]
    return "\n".join([*lines, ""])


def _table(s: AtlasSet) -> list[str]:
    flags = ("connected", "1PI", "exact scheme", "self-loop", "snail") if s.n else ("connected", "1PI", "self-loop")
    counted = ("labellings",) if s.n else ()
    head = ("no.", "coefficient", *counted, "\\|Aut\\|", "multiplicity", "loops", *flags, "lines")
    numbers = 5 + len(counted)
    rule = "|" + "--:|" * numbers + ":-:|" * len(flags) + "---|"
    return [f"| {' | '.join(head)} |", rule, *(_row(t, flags, bool(counted)) for t in s.topologies)]


def _row(t: Topology, flags: Sequence[str], counted: bool) -> str:
    d = t.diagram
    coefficient = f"{d.coefficient} {couplings_text(d.order)}".replace("-", "−")
    cells = [t.number, coefficient, *([d.copies] if counted else []), d.symmetry_factor, d.multiplicity, d.n_loops]
    cells += [_MARK[name in t.classes] for name in flags]
    return f"| {' | '.join(map(str, cells))} | `{lines_text(d)}` |"


def _number(s: AtlasSet, name: str) -> str:
    if name == "exact scheme" and not s.n:
        return "—"
    return str(sum(name in t.classes for t in s.topologies))


def anchor(title: str) -> str:
    """Return the name by which code-hosting pages link to a heading of letters, digits, hyphens and spaces."""
    return title.lower().replace(" ", "-")


def _sentence(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]
