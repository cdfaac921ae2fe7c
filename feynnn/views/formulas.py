"""Expansions as pages show them: a picture for each topology, as on the slides, and the integrals in words."""

from __future__ import annotations

from fractions import Fraction
from itertools import groupby

from ..diagrams.diagram import Diagram
from ..perturbation.formulas import Formula
from ..theory.interaction import profile_text
from ..theory.names import unicode_name
from . import svg
from .geometry import arrange
from .html_parts import Html, join, lowered, raised, tag


def formula_html(f: Formula, _: str = "") -> Html:
    """Return an expansion as the slides draw it, a picture for each topology, and its integrals in words."""
    terms: list[Html] = []
    for _order, group in groupby(f.terms, key=lambda t: t.order):
        diagrams = [t.diagram for t in group]
        couplings = _couplings(diagrams[0])
        if len(diagrams) == 1 or not couplings:
            terms += [
                tag("span", _signed(d.coefficient, bool(terms or k)), couplings, _picture(d), class_="term")
                for k, d in enumerate(diagrams)
            ]
            continue
        sign = -1 if all(d.coefficient < 0 for d in diagrams) else 1
        inner = [
            tag("span", _signed(sign * d.coefficient, bool(k)), _picture(d), class_="term")
            for k, d in enumerate(diagrams)
        ]
        lead = "− " if sign < 0 else "+ " if terms else ""
        terms.append(tag("span", lead, couplings, tag("span", "[", class_="bracket"), class_="term"))
        inner[-1] = tag("span", inner[-1], tag("span", "]", class_="bracket"), class_="term")
        terms += inner
    points = ", ".join(f"x{lowered(k + 1)}" for k in range(f.n))
    name = f"G⁽{raised(f.n)}⁾{' connected' if f.kind == 'connected' else ''}({points}) ="
    picture = tag("div", tag("span", name, class_="term"), *(terms or [Html("0")]), class_="formula math")
    return join([picture, tag("ul", *(_integral_line(t.diagram) for t in f.terms), class_="integrals math")], "\n")


def _signed(coefficient: Fraction, inside: bool) -> str:
    sign = "− " if coefficient < 0 else "+ " if inside else ""
    return f"{sign}{abs(coefficient)}\u2009"


def _couplings(d: Diagram) -> Html:
    return join(tag("i", unicode_name(c), raised(k) if k > 1 else "") for c, k in d.order.items() if k)


def _picture(d: Diagram) -> Html:
    width = 0.8 * svg.UNIT * arrange(d).size[0]
    return Html(svg.diagram_svg(d, width=width, labels=False, show_legend=False))


def _integral_line(d: Diagram) -> Html:
    """Return the sum over the labelled diagrams that one picture stands for."""
    share = d.coefficient / d.copies
    size = "" if abs(share) == 1 else f"{abs(share)}\u2009"
    words: list[object] = [("− " if share < 0 else "+ " if any(d.order.values()) else "") + size, _couplings(d), " "]
    if d.copies > 1:
        words += ["∑", tag("sub", f"{d.copies} labellings"), " "]
    return tag("li", *words, integral_html(d))


def integral_html(d: Diagram) -> Html:
    """Return a diagram's integral as markup; K_W is the kernel of lines with an end on a vertex."""
    inner = d.layout.n_nodes - d.n
    name = {k: join([tag("i", "x"), tag("sub", k + 1)]) for k in range(d.n)}
    name |= {d.n + k: join([tag("i", "y"), tag("sub", k + 1) if inner > 1 else ""]) for k in range(inner)}
    pieces: list[object] = []
    for nodes in d.components:
        pieces += [join(["∫ d", tag("sup", tag("i", "d")), name[k], " "]) for k in nodes if k >= d.n]
        for points, v in zip(d.layout.points, d.layout.vertices, strict=True):
            if points[0] in nodes and v.has_profile:
                pieces.append(f"[{profile_text(v.profile)}] at ({', '.join(d.names[p] for p in points)}) ")
        lines = [e for e in d.edges if e[0] in nodes]
        for i, j in dict.fromkeys(lines):
            power = lines.count((i, j))
            kernel: list[object] = [tag("i", "K"), tag("sub", "W") if max(i, j) >= d.n else ""]
            pieces.append(join([*kernel, tag("sup", power) if power > 1 else "", "(", name[i], ", ", name[j], ") "]))
    return join(pieces)
