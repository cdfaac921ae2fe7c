"""Make the pictures of the README and of docs/: python docs/make_images.py writes docs/images/*.svg."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import networkx

import feynnn as fn
from feynnn.perturbation.formulas import Term
from feynnn.views.svg import diagram_svg, document, symbol, text

IMAGES = Path(__file__).parent / "images"
ACTION = "lam*f**4 + kap*f**6"
#: Height of a row, size of letters, gap between pieces, in pixels; size of the drawings against their own.
ROW, SIZE, GAP, SCALE = 112.0, 20.0, 6.0, 0.75
#: Height of a caption, least width of a frame, size of a caption's letters.
CAPTION, LEAST, SMALL = 22.0, 90.0, 14.0
#: Dark on light pages, light on dark ones.
STYLE = "<style>.formulas{color:#1f2328}@media (prefers-color-scheme:dark){.formulas{color:#e6edf3}}</style>"


@dataclass(frozen=True)
class Example:
    """A kind or filter, a diagram that is in and one that is out, all of lam*f**4, as their lines."""

    arguments: dict[str, Any]
    inside: str
    outside: str = ""

    def diagram(self, lines: str) -> fn.Diagram:
        """Return a diagram from lines such as x1-a."""
        graph: networkx.MultiGraph[str] = networkx.MultiGraph([line.split("-") for line in lines.split()])
        return fn.Diagram.from_networkx(fn.Theory.parse("lam*f**4"), graph)


BUBBLE, SUNSET = "x1-a x2-a a-b a-b b-x3 b-x4", "x1-a a-b a-b a-b b-x2"
SPECTATOR, TREE = "x1-x2 x3-a x4-a a-a", "x1-a x2-a x3-a a-b b-x4 b-x5 b-x6"
#: By the name of the picture, in the order of the page.
EXAMPLES = {
    "all": Example({"kind": "all"}, "x1-x2 a-a a-a"),
    "vacuum-free": Example({"kind": "vacuum-free"}, SPECTATOR, "x1-x2 x3-x4 a-a a-a"),
    "connected": Example({"kind": "connected"}, "x1-a x2-a x3-a x4-a", SPECTATOR),
    "amputated": Example({"kind": "amputated"}, TREE, "x1-a x2-a x3-a a-b b-b b-x4"),
    "1PI": Example({"kind": "1PI"}, BUBBLE, TREE),
    "2PI": Example({"kind": "2PI"}, SUNSET, BUBBLE),
    "self-loops": Example({"self_loops": False}, SUNSET, "x1-a x2-a a-a"),
    "snails": Example({"snails": False}, SUNSET, "x1-a a-x2 a-b a-c b-c b-c b-c"),
    "self-energies": Example({"self_energies": False}, BUBBLE, "x1-a x2-a a-b a-c c-c c-b b-x3 b-x4"),
}


def formulas() -> str:
    """Return the slides' two formulas as a picture: each term's coefficient and one drawing of its topology."""
    theory = fn.Theory.parse(ACTION, propagator="exact")
    body, width = [STYLE], 0.0
    for row, n in enumerate((4, 6)):
        elements, end = _row(n, fn.formula(theory, n).terms, (row + 0.5) * ROW)
        body += elements
        width = max(width, end)
    return _themed(document(body, (width, 2 * ROW), f"The 4- and 6-point functions of {ACTION} at first order"))


def example(name: str) -> str:
    """Return the picture of a kind or filter: a diagram that is in, one that is out, each in a frame of its own."""
    e = EXAMPLES[name]
    drawings = [diagram_svg(e.diagram(lines), show_legend=False) for lines in (e.inside, e.outside) if lines]
    sizes = [_size(drawing) for drawing in drawings]
    inner, x = max(high for _, high in sizes), 1.0
    body = [STYLE]
    for word, drawing, (wide, high) in zip(("in", "out"), drawings, sizes, strict=False):
        frame = max(wide, LEAST) + 2 * GAP
        body.append(
            f'<rect x="{x:.2f}" y="1" width="{frame:.2f}" height="{inner + CAPTION + 2 * GAP:.2f}" rx="6" fill="none" '
            'stroke="currentColor" stroke-opacity="0.25"/>'
        )
        body.append(_placed(drawing, (x + (frame - wide) / 2, GAP + 1 + (inner - high) / 2), (wide, high)))
        body.append(text([(word, "")], (x + frame / 2, inner + GAP + 0.8 * CAPTION), size=SMALL))
        x += frame + 2 * GAP
    title = f"{name}: a diagram that is in" + (" and one that is out" if e.outside else "")
    return _themed(document(body, (x - 2 * GAP + 1, inner + CAPTION + 2 * GAP + 2), title))


#: What makes each file.
PICTURES: dict[str, Callable[[], str]] = {
    "formulas.svg": formulas,
    **{f"kind-{name}.svg": partial(example, name) for name in EXAMPLES},
}


def _themed(picture: str) -> str:
    return picture.replace("<svg ", '<svg class="formulas" ', 1)


def _size(drawing: str, scale: float = 1.0) -> tuple[float, float]:
    wide, high = (scale * float(v) for v in re.findall(r'(?:width|height)="([\d.]+)"', drawing)[:2])
    return wide, high


def _placed(drawing: str, corner: tuple[float, float], size: tuple[float, float]) -> str:
    """Return a drawing inside another one."""
    place = f'<svg x="{corner[0]:.2f}" y="{corner[1]:.2f}" width="{size[0]:.2f}" height="{size[1]:.2f}"'
    return re.sub(r'<svg( xmlns="[^"]*")? width="[^"]*" height="[^"]*"', place, drawing.strip(), count=1)


def _row(n: int, terms: tuple[Term, ...], middle: float) -> tuple[list[str], float]:
    elements: list[str] = []
    x = 2 * GAP

    def write(pieces: list[tuple[str, str]], wide: float) -> None:
        nonlocal x
        elements.append(text(pieces, (x, middle + 0.3 * SIZE), size=SIZE, anchor="start"))
        x += wide

    write([("G", "i"), (f"({n})", "sup"), (" =", "")], 3.2 * SIZE)
    for k, term in enumerate(terms):
        names = [symbol(c) for c, power in term.diagram.order.items() if power]
        sign = "− " if term.coefficient < 0 else "+ " if k else ""
        number = f"{sign}{abs(term.coefficient)}"
        write([(number + "\u2009", ""), *(piece for name in names for piece in name)], _wide(number, len(names)))
        drawing = diagram_svg(term.diagram, labels=False, show_legend=False)
        wide, high = _size(drawing, SCALE)
        elements.append(_placed(drawing, (x, middle - high / 2), (wide, high)))
        x += wide + GAP
    return elements, x


def _wide(number: str, letters: int) -> float:
    return SIZE * (0.52 * len(number) + 0.55 * letters) + GAP


if __name__ == "__main__":
    for name, picture in PICTURES.items():
        (IMAGES / name).write_text(picture(), encoding="utf-8")
        print(f"wrote docs/images/{name}")
