"""The sets of the atlas: which diagrams, their facts, and each set as JSON, SVG and TeX."""

from __future__ import annotations

import json
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from ..diagrams.counting import count
from ..diagrams.diagram import Diagram
from ..diagrams.diagram_set import DiagramSet
from ..diagrams.generation import Kind, generate
from ..errors import ComputationError
from ..storage import dumps
from ..theory.action import Theory
from ..theory.names import unicode_name
from . import tikz
from .drawing import grid_svg
from .html_parts import raised

#: Drawings are of this theory, so that a coupling has one colour on every page.
WHOLE = "lam*f**4 + kap*f**6"
#: The folders of the atlas: name, action, orders, numbers of external points.
FOLDERS: tuple[tuple[str, str, tuple[dict[str, int], ...]], ...] = (
    ("phi4", "lam*f**4", ({"lam": 1}, {"lam": 2}, {"lam": 3})),
    ("phi6", "kap*f**6", ({"kap": 1}, {"kap": 2})),
    ("mixed", WHOLE, ({"lam": 1, "kap": 1},)),
)
POINTS = (0, 2, 4, 6)
#: Drawings in a row of a picture, and of a page of TeX.
COLUMNS, TEX_COLUMNS = 4, 3


@dataclass(frozen=True)
class Topology:
    """One drawn diagram, which stands for all its labellings, with its facts."""

    number: int
    diagram: Diagram

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes it belongs to; the last two are asked of diagrams with external points only."""
        d = self.diagram
        known = {"connected": d.is_connected, "1PI": d.is_1pi, "self-loop": d.has_self_loop}
        if d.n:
            known |= {"snail": d.has_snail, "exact scheme": not d.has_self_energy}
        return tuple(name for name, yes in known.items() if yes)

    def small_print(self) -> list[str]:
        """Return its number, weights and classes as two lines for the eye."""
        d = self.diagram
        copies = f"{d.copies} labellings, " if d.copies > 1 else ""
        words = [] if "1PI" in self.classes else [w for w in ("connected",) if w in self.classes]
        words += [w for w in ("1PI", "exact scheme") if w in self.classes]
        loops = f"{d.n_loops} loop{'s' if d.n_loops != 1 else ''}"
        return [f"no. {self.number}: {copies}|Aut| = {d.symmetry_factor}", ", ".join([*words, loops])]

    def record(self) -> dict[str, Any]:
        """Return the facts for the index."""
        d = self.diagram
        return {
            "number": self.number,
            "lines": lines_text(d),
            "coefficient": str(d.coefficient),
            "labellings": d.copies,
            "multiplicity": d.multiplicity,
            "symmetry_factor": d.symmetry_factor,
            "loops": d.n_loops,
            "classes": list(self.classes),
        }


@dataclass(frozen=True)
class AtlasSet:
    """All diagrams of one theory, order and number of external points, up to the labels of these."""

    folder: str
    action: str
    order: tuple[tuple[str, int], ...]
    n: int

    @property
    def kind(self) -> Kind:
        """The class: what G^(n) needs, or what Z / Z_0 is."""
        return "vacuum-free" if self.n else "all"

    @property
    def name(self) -> str:
        """Name of its files without the ending, and of its place on the folder's page."""
        return f"order{sum(k for _, k in self.order)}-n{self.n}"

    @property
    def title(self) -> str:
        """Heading; letters, digits and single spaces only, which every code-hosting page turns into the same link."""
        return f"{f'{self.n}-point' if self.n else 'Vacuum'} diagrams of order {sum(k for _, k in self.order)}"

    @cached_property
    def saved(self) -> DiagramSet:
        """The set in its own theory, as it is saved."""
        return self._generated(self.action, dict(self.order))

    @cached_property
    def drawn(self) -> DiagramSet:
        """The same set in the theory of all couplings."""
        whole = Theory.parse(WHOLE)
        return self._generated(WHOLE, dict.fromkeys(whole.couplings, 0) | dict(self.order))

    def _generated(self, action: str, order: dict[str, int]) -> DiagramSet:
        return generate(Theory.parse(action), self.n, order=order, kind=self.kind, external="indistinguishable")

    @cached_property
    def topologies(self) -> tuple[Topology, ...]:
        """The diagrams with their facts, counted from 1.

        Raises
        ------
        ComputationError
            If `count`, which generates nothing, finds another number, weight or multiplicity in any class.
        """
        found = tuple(Topology(k, d) for k, d in enumerate(self.drawn, start=1))
        theory = Theory.parse(self.action)
        classes: tuple[tuple[Kind, list[Diagram]], ...] = (
            (self.kind, [t.diagram for t in found]),
            ("connected", [t.diagram for t in found if "connected" in t.classes]),
            ("1PI", [t.diagram for t in found if "1PI" in t.classes]),
        )
        for kind, members in classes:
            expected = count(theory, self.n, order=dict(self.order), kind=kind)
            number, weight = sum(d.copies for d in members), sum((d.weight for d in members), Fraction(0))
            multiplicity = sum(d.multiplicity for d in members)
            if (number, weight, multiplicity) != (expected.number, expected.weight, expected.multiplicity):
                raise ComputationError(
                    f"{self.folder}/{self.name}: {number} {kind} diagrams of weight {weight} with {multiplicity} "
                    f"contractions, but {expected!r}; please report this"
                )
        return found

    def files(self) -> dict[str, str]:
        """Return the set's files: text by path."""
        stem = f"{self.folder}/{self.name}"
        return {f"{stem}.json": self.to_json(), f"{stem}.svg": self.to_svg(), f"{stem}.tex": self.to_tex()}

    def to_json(self) -> str:
        """Return what `feynnn.load` reads, one diagram a line."""
        return json_lines(json.loads(dumps(self.saved)), 3)

    def to_svg(self) -> str:
        """Return the drawings with captions as one picture, black on white."""
        shown = [t.diagram for t in self.topologies]
        small_print = [t.small_print() for t in self.topologies]
        return grid_svg(self.drawn, shown, min(COLUMNS, len(shown)), small_print=small_print, paper=True)

    def to_tex(self) -> str:
        """Return a document with one tikzpicture for each drawing."""
        couplings = " ".join(tikz.symbol(c) + (f"^{{{k}}}" if k > 1 else "") for c, k in self.order)
        body = [rf"\section*{{{self.title}: ${couplings}$}}"]
        for t in self.topologies:
            words = r"\\ ".join(t.small_print()).replace("|Aut| =", r"$|\mathrm{Aut}| =$")
            body += [
                rf"\begin{{minipage}}[b]{{{1 / TEX_COLUMNS - 0.003:.2f}\textwidth}}\centering",
                t.diagram.to_tikz().rstrip(),
                rf"\par\smallskip {tikz.caption(t.diagram)}\par {{\footnotesize {words}\par}}",
                r"\end{minipage}%",
            ]
            if t.number % TEX_COLUMNS == 0:
                body.append(r"\par\bigskip")
        return tex_document(body, f"{self.title} of {self.action}")

    def record(self) -> dict[str, Any]:
        """Return the set for the index."""
        members = [t.diagram for t in self.topologies]
        stem = f"{self.folder}/{self.name}"
        return {
            "name": stem,
            "action": self.action,
            "order": dict(self.order),
            "n": self.n,
            "kind": self.kind,
            "topologies": len(members),
            "diagrams": sum(d.copies for d in members),
            "multiplicity": self.drawn.multiplicity,
            "weight": str(self.drawn.weight),
            "files": {ending: f"{stem}.{ending}" for ending in ("json", "svg", "tex")},
            "members": [t.record() for t in self.topologies],
        }


def all_sets() -> list[AtlasSet]:
    """Return the sets in the order of the pages."""
    return [
        AtlasSet(folder, action, tuple(order.items()), n)
        for folder, action, orders in FOLDERS
        for order in orders
        for n in POINTS
    ]


def lines_text(d: Diagram) -> str:
    """Return a diagram's lines in words: x1-y1 x2-y1 y1-y1."""
    return " ".join(f"{d.names[i]}-{d.names[j]}" for i, j in d.edges)


def couplings_text(order: dict[str, int]) -> str:
    """Return an order as it prints: λ², λκ."""
    return "".join(unicode_name(c) + (raised(k) if k > 1 else "") for c, k in order.items() if k)


def tex_document(body: list[str], title: str) -> str:
    """Return a document that pdflatex compiles with the packages geometry and tikz alone."""
    head = [
        f"% {title}",
        "% Made by feynnn atlas build; compile with pdflatex, or copy the pictures, which need only tikz.",
        r"\documentclass[a4paper]{article}",
        r"\usepackage[margin=15mm]{geometry}",
        r"\usepackage{tikz}",
        r"\pagestyle{empty}",
        r"\setlength{\parindent}{0pt}",
        r"\begin{document}",
    ]
    return "\n".join([*head, *body, "\\end{document}\n"])


def json_lines(value: Any, depth: int) -> str:
    """Return JSON with the containers below `depth` levels on one line each, so that a change shows as few lines."""

    def write(item: Any, level: int) -> str:
        if level == depth or not isinstance(item, dict | list) or not item:
            return json.dumps(item, ensure_ascii=False, allow_nan=False)
        pairs = (
            [(json.dumps(k) + ": ", v) for k, v in item.items()] if isinstance(item, dict) else [("", v) for v in item]
        )
        inside = ",\n".join(" " * (level + 1) + key + write(v, level + 1) for key, v in pairs)
        first, last = "{}" if isinstance(item, dict) else "[]"
        return f"{first}\n{inside}\n{' ' * level}{last}"

    return write(value, 0) + "\n"
