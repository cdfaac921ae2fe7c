r"""Diagrams as plain TikZ: needs \usepackage{tikz} and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from ..diagrams.diagram import Diagram
from .curves import Curve, Drawing, Point, tidy
from .geometry import arrange
from .svg import GREEK, PALETTE, split_name

#: Greek letters that TeX writes by another name than the coupling's.
_TEX = {"lam": "lambda", "kap": "kappa", "eps": "varepsilon", "epsilon": "varepsilon", "phi": "varphi"}


def diagram_tikz(d: Diagram) -> str:
    """Return a drawing of a diagram as a tikzpicture, one centimetre for a line between two vertices."""
    drawing = arrange(d)
    colours = {node.coupling for node in drawing.nodes if node.coupling is not None}
    return environment(paint(d, drawing), colours, repr(d))


def environment(body: Sequence[str], couplings: set[int], comment: str) -> str:
    """Return a tikzpicture with the colours that it needs."""
    colours = [
        rf"  \definecolor{{feynnn{k}}}{{HTML}}{{{PALETTE[k % len(PALETTE)].lstrip('#')}}}" for k in sorted(couplings)
    ]
    head = [f"% {comment}", r"\begin{tikzpicture}[x=1cm, y=1cm, line width=0.7pt, line cap=round, font=\small]"]
    return "\n".join([*head, *colours, *body, "\\end{tikzpicture}\n"])


def paint(d: Diagram, drawing: Drawing, corner: Point = (0.0, 0.0)) -> list[str]:
    """Return the commands of a drawing whose lower left corner is at `corner`."""

    def place(p: Point) -> str:
        return f"({_cm(corner[0] + p[0])}, {_cm(corner[1] + p[1])})"

    def path(curve: Curve) -> str:
        words = place(curve.points[0])
        if len(curve.points) == 2:
            return f"{words} -- {place(curve.points[1])}"
        for k in range(1, len(curve.points), 3):
            a, b, c = map(place, curve.points[k : k + 3])
            words += f" .. controls {a} and {b} .. {c}"
        return words

    commands = [rf"  \draw {path(c)};" for c in drawing.curves]
    dotted = "line width=1.2pt, dash pattern=on 0pt off 2.4pt"
    commands += [
        rf"  \draw[feynnn{drawing.nodes[c.ends[0]].coupling}, {dotted}] {path(c)};" for c in drawing.connectors
    ]
    for node in drawing.nodes:
        if node.coupling is None:
            commands.append(rf"  \fill {place(node.at)} circle[radius=0.05];")
        else:
            commands.append(rf"  \fill[feynnn{node.coupling}] {place(node.at)} circle[radius=0.09];")
        if node.label is not None:
            at = (corner[0] + node.label[0], corner[1] + node.label[1])
            commands.append(label(f"${node.name[0]}_{{{node.name[1:]}}}$", at))
    return commands


def label(words: str, at: Point) -> str:
    """Return the command that writes TeX centred at a place."""
    return rf"  \node[inner sep=0pt] at ({_cm(at[0])}, {_cm(at[1])}) {{{words}}};"


def symbol(name: str) -> str:
    r"""Return a coupling's name in TeX: \lambda for lam, \lambda_{NL} for lamNL, others as is."""
    head, index = split_name(name)
    letters = "\\" + _TEX.get(head, head) if head in GREEK else head.replace("_", r"\_")
    if head not in GREEK and len(head) > 1:
        letters = rf"\mathit{{{letters}}}"
    return letters + (rf"_{{{_index(index)}}}" if index else "")


def caption(d: Diagram) -> str:
    """Return a diagram's coefficient with its couplings in TeX."""
    couplings = " ".join(symbol(c) + (f"^{{{k}}}" if k > 1 else "") for c, k in d.order.items() if k)
    value = abs(d.coefficient)
    number = str(value) if value.denominator == 1 else rf"\frac{{{value.numerator}}}{{{value.denominator}}}"
    words = couplings if value == 1 and couplings else rf"{number}\,{couplings}" if couplings else number
    return f"${'-' if d.coefficient < 0 else ''}{words}$"


def _index(index: str) -> str:
    return index if index.isdigit() else rf"\mathrm{{{index}}}".replace("_", r"\_")


def _cm(value: float) -> str:
    return f"{tidy(value):.3f}".rstrip("0").rstrip(".")
