"""Diagrams as SVG: standalone, without scripts, styles or identifiers, in the colour of the text around them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

from ..diagrams.diagram import Diagram
from .curves import Curve, Drawing, Point
from .geometry import arrange

#: Pixels for the length of a line between two vertices.
UNIT = 44.0
#: Colours by position in the theory's couplings; distinct for the colour-blind, in grey too (Okabe and Ito).
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
FONT = "'Latin Modern Roman','STIX Two Text','Times New Roman',serif"
#: Names of couplings that print as Greek letters.
GREEK = {
    "lam": "λ", "lambda": "λ", "kap": "κ", "kappa": "κ", "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ",
    "eps": "ε", "epsilon": "ε", "zeta": "ζ", "eta": "η", "theta": "θ", "mu": "μ", "nu": "ν", "xi": "ξ", "rho": "ρ",
    "sigma": "σ", "tau": "τ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω",
}  # fmt: skip

#: Pieces of a line of text, each "" (upright), "i" (italic), "sub" or "sup".
Text = Sequence[tuple[str, str]]


def diagram_svg(d: Diagram, *, width: float | None = None, labels: bool = True, show_legend: bool | None = None) -> str:
    """Return a drawing of a diagram as a standalone SVG document.

    Parameters
    ----------
    d : Diagram
    width : float, optional
        Width in pixels; by default lines between vertices are 44 pixels long.
    labels : bool
        Whether external points carry their names.
    show_legend : bool, optional
        Whether to explain the vertices' colours; by default when the theory has more than one coupling.

    Returns
    -------
    str
    """
    drawing = arrange(d)
    wide, high = drawing.size[0] * UNIT, drawing.size[1] * UNIT
    used = [k for k, c in enumerate(d.theory.couplings) if d.order[c]]
    body = paint(d, drawing, (0.0, 0.0), labels=labels)
    if used and (len(d.theory.couplings) > 1 if show_legend is None else show_legend):
        names = [(k, d.theory.couplings[k]) for k in used]
        wide = max(wide, legend_width(names))
        body += legend(names, (wide / 2, high + 8.0))
        high += 24.0
    return document(body, (wide, high), repr(d), width=width)


def document(body: Iterable[str], size: Point, title: str, *, width: float | None = None, paper: bool = False) -> str:
    """Return an SVG document with a title for screen readers; on `paper` it is black on white wherever it is shown."""
    scale = 1.0 if width is None else width / size[0]
    if paper:
        body = ['<rect width="100%" height="100%" fill="#fff"/>', '<g color="#000">', *body, "</g>"]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{_px(size[0] * scale)}" height="{_px(size[1] * scale)}" '
            f'viewBox="0 0 {_px(size[0])} {_px(size[1])}" role="img">',
            f"<title>{escape(title)}</title>",
            *body,
            "</svg>\n",
        ]
    )


def paint(d: Diagram, drawing: Drawing, corner: Point, *, labels: bool = True) -> list[str]:
    """Return the elements of a drawing whose top left corner is at `corner`."""

    def place(p: Point) -> Point:
        return (corner[0] + p[0] * UNIT, corner[1] + (drawing.size[1] - p[1]) * UNIT)

    def path(curve: Curve) -> str:
        points = [f"{_px(x)} {_px(y)}" for x, y in map(place, curve.points)]
        return f"M{points[0]}{'L' if len(points) == 2 else 'C'}{' '.join(points[1:])}"

    lines = [f'<path d="{path(c)}"/>' for c in drawing.curves]
    parts = ['<g fill="none" stroke="currentColor" stroke-width="1.4" stroke-linecap="round">', *lines, "</g>"]
    dotted = 'fill="none" stroke-width="2.4" stroke-linecap="round" stroke-dasharray="0.1 4.5"'
    parts += [
        f'<path d="{path(c)}" stroke="{colour(drawing.nodes[c.ends[0]].coupling)}" {dotted}/>'
        for c in drawing.connectors
    ]
    for k, node in enumerate(drawing.nodes):
        x, y = map(_px, place(node.at))
        what = node.name
        if node.coupling is None:
            parts.append(f'<circle cx="{x}" cy="{y}" r="2.5" fill="currentColor">{_tooltip(what)}</circle>')
        else:
            what += f": {d.layout.vertices[d.layout.part_of[k] - d.n]}"
            fill = colour(node.coupling)
            parts.append(f'<circle cx="{x}" cy="{y}" r="4.2" fill="{fill}">{_tooltip(what)}</circle>')
        if labels and node.label is not None:
            x0, y0 = place(node.label)
            parts.append(text([("x", "i"), (node.name[1:], "sub")], (x0, y0 + 4.0)))
    return parts


def legend_width(names: Sequence[tuple[int, str]]) -> float:
    """Return the width of a legend."""
    return sum(30.0 + 8.0 * len(name) for _, name in names)


def legend(names: Sequence[tuple[int, str]], middle: Point) -> list[str]:
    """Return a row of coloured dots with the couplings' names, centred at `middle`."""
    x, y = middle[0] - legend_width(names) / 2, middle[1]
    parts = []
    for k, name in names:
        parts.append(f'<circle cx="{_px(x + 12)}" cy="{_px(y)}" r="4.2" fill="{colour(k)}"/>')
        parts.append(text(symbol(name), (x + 21, y + 4.0), anchor="start"))
        x += 30.0 + 8.0 * len(name)
    return parts


def text(pieces: Text, at: Point, *, size: float = 13.0, anchor: str = "middle") -> str:
    """Return a line of text; raised and lowered pieces are shifted by `dy`, which every viewer knows."""
    spans, level = [], 0.0
    for word, style in pieces:
        target = {"sub": 0.22 * size, "sup": -0.36 * size}.get(style, 0.0)
        shift = f' dy="{_px(target - level)}"' if target != level else ""
        small = f' font-size="{_px(0.72 * size)}"' if style in ("sub", "sup") else ""
        slant = ' font-style="italic"' if style == "i" else ""
        spans.append(f"<tspan{shift}{small}{slant}>{escape(word)}</tspan>" if shift + small + slant else escape(word))
        level = target
    return (
        f'<text x="{_px(at[0])}" y="{_px(at[1])}" font-family="{FONT}" font-size="{_px(size)}" fill="currentColor" '
        f'text-anchor="{anchor}">{"".join(spans)}</text>'
    )


def symbol(name: str) -> list[tuple[str, str]]:
    """Return a coupling's name as it prints: lam is λ, lam0 is λ with index 0, lamNL λ with index NL, others as is.

    >>> symbol("lamNL"), symbol("g3"), symbol("nl")
    ([('λ', 'i'), ('NL', 'sub')], [('g', 'i'), ('3', 'sub')], [('nl', 'i')])
    """
    head, index = split_name(name)
    return [(GREEK.get(head, head), "i")] + ([(index, "sub")] if index else [])


def split_name(name: str) -> tuple[str, str]:
    """Split a coupling's name into its letters and its index."""
    match = re.fullmatch(rf"({'|'.join(sorted(GREEK, key=len, reverse=True))})(?:_?([0-9A-Z]\w*))?", name)
    match = match or re.fullmatch(r"(\w*?[A-Za-z])(?:_?(\d+))?", name)
    return (match[1], match[2] or "") if match else (name, "")


def caption(d: Diagram) -> list[tuple[str, str]]:
    """Return a diagram's coefficient with its couplings as pieces of text, such as −24 λ."""
    couplings: list[tuple[str, str]] = []
    for name, power in d.order.items():
        if power:
            couplings += [*symbol(name), *([(str(power), "sup")] if power > 1 else [])]
    sign, size = ("−" if d.coefficient < 0 else ""), abs(d.coefficient)
    number = "" if size == 1 and couplings else str(size)
    return [(sign + number + ("\u2009" if number and couplings else ""), ""), *couplings]


def colour(coupling: int | None) -> str:
    """Return the colour of a coupling by its position."""
    return "currentColor" if coupling is None else PALETTE[coupling % len(PALETTE)]


def _tooltip(words: str) -> str:
    return f"<title>{escape(words)}</title>"


def _px(value: float) -> str:
    """Write a length in pixels with at most two digits, the same on every platform."""
    return f"{round(round(value, 7), 2) + 0.0:.2f}".rstrip("0").rstrip(".")
