"""Make the pictures of the README: python docs/make_images.py writes docs/images/formulas.svg."""

from __future__ import annotations

import re
from pathlib import Path

import feynnn as fn
from feynnn.perturbation.formulas import Term
from feynnn.views.svg import diagram_svg, document, symbol, text

IMAGES = Path(__file__).parent / "images"
ACTION = "lam*f**4 + kap*f**6"
#: Height of a row, size of letters, gap between pieces, in pixels; size of the drawings against their own.
ROW, SIZE, GAP, SCALE = 112.0, 20.0, 6.0, 0.75
#: Dark on light pages, light on dark ones.
STYLE = "<style>.formulas{color:#1f2328}@media (prefers-color-scheme:dark){.formulas{color:#e6edf3}}</style>"


def formulas() -> str:
    """Return the slides' two formulas as a picture: each term's coefficient and one drawing of its topology."""
    theory = fn.Theory.parse(ACTION, propagator="exact")
    body, width = [STYLE], 0.0
    for row, n in enumerate((4, 6)):
        elements, end = _row(n, fn.formula(theory, n).terms, (row + 0.5) * ROW)
        body += elements
        width = max(width, end)
    picture = document(body, (width, 2 * ROW), f"The 4- and 6-point functions of {ACTION} at first order")
    return picture.replace("<svg ", '<svg class="formulas" ', 1)


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
        wide, high = (SCALE * float(v) for v in re.findall(r'(?:width|height)="([\d.]+)"', drawing)[:2])
        place = f'<svg x="{x:.2f}" y="{middle - high / 2:.2f}" width="{wide:.2f}" height="{high:.2f}"'
        elements.append(re.sub(r'<svg( xmlns="[^"]*")? width="[^"]*" height="[^"]*"', place, drawing.strip(), count=1))
        x += wide + GAP
    return elements, x


def _wide(number: str, letters: int) -> float:
    return SIZE * (0.52 * len(number) + 0.55 * letters) + GAP


if __name__ == "__main__":
    target = IMAGES / "formulas.svg"
    target.write_text(formulas(), encoding="utf-8")
    print(f"wrote {target.relative_to(IMAGES.parent.parent)}")
