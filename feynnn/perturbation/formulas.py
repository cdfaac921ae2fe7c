"""Formulas as the slides write them: one term for each topology, all its labelled copies counted together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from typing import TYPE_CHECKING, Literal

from ..diagrams.diagram import Diagram
from ..diagrams.generation import Kind, generate
from ..errors import InputError
from ..theory.action import Order, Theory
from ..theory.names import latex_name, unicode_name

if TYPE_CHECKING:
    import sympy

Style = Literal["integral", "diagram"]


@dataclass(frozen=True)
class Term:
    """A topology with its coefficient: the sum over its `diagram.copies` labelled diagrams."""

    diagram: Diagram

    @property
    def coefficient(self) -> Fraction:
        """Sum of the coefficients of the labelled diagrams: -360 for the 15 of -24 each."""
        return self.diagram.coefficient

    @property
    def order(self) -> tuple[int, ...]:
        """Number of vertices of each coupling."""
        return tuple(self.diagram.order.values())


class Formula:
    """The expansion of G^(n), a sequence of `Term` by order and topology.

    ``str`` prints it with integrals of one representative each; `to_latex` as the slides do, ``style="diagram"`` with
    drawn diagrams in TikZ.
    """

    def __init__(self, theory: Theory, n: int, kind: str, terms: Sequence[Term]) -> None:
        self.theory, self.n, self.kind = theory, n, kind
        self.terms = tuple(terms)

    def coefficients(self, order: Order) -> list[Fraction]:
        """Return the coefficients of the topologies at an exact order, without the couplings."""
        exact = self.theory.order(order)
        return [t.coefficient for t in self.terms if t.order == exact]

    def _groups(self) -> list[tuple[tuple[int, ...], list[Term]]]:
        return [(order, list(terms)) for order, terms in groupby(self.terms, key=lambda t: t.order)]

    def to_latex(self, style: Style = "integral") -> str:
        """Return the formula as LaTeX.

        Parameters
        ----------
        style : {"integral", "diagram"}
            Integrals over kernels, or TikZ pictures of the diagrams.
        """
        if style not in ("integral", "diagram"):
            raise InputError(f"style must be 'integral' or 'diagram', got {style!r}")
        body = _integral_latex if style == "integral" else _diagram_tikz
        text = ""
        for order, terms in self._groups():
            couplings = _couplings_latex(self.theory, order)
            if len(terms) == 1 or not couplings:
                for t in terms:
                    text += _term(t.coefficient, f"{couplings} {body(t.diagram)}".strip(), first=not text)
                continue
            # several topologies of one order share their couplings and the common sign, as on the slides
            sign = -1 if all(t.coefficient < 0 for t in terms) else 1
            inner = "".join(_term(sign * t.coefficient, body(t.diagram), first=i == 0) for i, t in enumerate(terms))
            text += (" - " if sign < 0 else " + " if text else "") + f"{couplings} \\left[ {inner} \\right]"
        return f"{self._name()} = {text.strip() or '0'}"

    def _name(self) -> str:
        if not self.n:
            return "\\log (Z / Z_0)" if self.kind == "connected" else "Z / Z_0" if self.kind == "all" else "G^{(0)}"
        points = ", ".join(f"x_{{{k + 1}}}" for k in range(self.n))
        suffix = f"_{{\\mathrm{{{self.kind}}}}}" if self.kind in ("connected", "1PI") else ""
        return f"G^{{({self.n})}}{suffix}({points})"

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.to_latex()}$"

    def __str__(self) -> str:
        from .expressions import integral

        lines: list[str] = []
        for t in self.terms:
            names = [unicode_name(c) + (f"^{k}" if k > 1 else "") for c, k in t.diagram.order.items() if k]
            copies = f"   [{t.diagram.copies} labellings]" if t.diagram.copies > 1 else ""
            sign = "-" if t.coefficient < 0 else "+" if lines else ""
            size = "" if abs(t.coefficient) == 1 else f"{abs(t.coefficient)} "
            lines.append(f"  {sign:>1} {size}{' '.join([*names, ''])}{integral(t.diagram)}{copies}")
        return "\n".join([f"G^({self.n}) [{self.kind}] =", *lines] if lines else [f"G^({self.n}) = 0"])

    def __repr__(self) -> str:
        return f"Formula(G^({self.n}), {self.kind}, {len(self.terms)} topologies)"

    def expression(self) -> sympy.Expr:
        """Return the sum of coefficient times the representative's integral as sympy."""
        from .expressions import expression

        return expression([t.diagram for t in self.terms])


def formula(theory: Theory, n: int, *, max_order: Order = 1, kind: Kind = "vacuum-free") -> Formula:
    """Return the expansion of G^(n), grouped by topology.

    Parameters
    ----------
    theory : Theory
    n : int
        Number of points.
    max_order : int or dict
        Cumulative order: an int bounds the number of vertices, a dict each coupling.
    kind : {"vacuum-free", "all", "connected", "1PI"}

    Examples
    --------
    >>> import feynnn as fn
    >>> theory = fn.Theory.parse("lam*f**4 + kap*f**6", propagator="exact")
    >>> f = fn.formula(theory, 6)
    >>> [str(c) for c in f.coefficients({}) + f.coefficients({"lam": 1}) + f.coefficients({"kap": 1})]
    ['15', '-360', '-720', '-5400']
    """
    terms: list[Term] = []
    for order in theory.orders_up_to(max_order):
        found = generate(theory, n, order=order, kind=kind, external="indistinguishable")
        # by number of components, then of loops: the star comes before the diagrams with a spectator line
        ranked = sorted(found, key=lambda d: (len(d.components), d.n_loops))
        terms += [Term(d) for d in ranked]
    return Formula(theory, n, kind, terms)


def diagram_latex(d: Diagram) -> str:
    """Return one diagram's term: coefficient, couplings and integral."""
    body = f"{_couplings_latex(d.theory, tuple(d.order.values()))} {_integral_latex(d)}"
    return _term(d.coefficient, body.strip(), first=True)


def _term(c: Fraction, body: str, *, first: bool) -> str:
    sign = "-" if c < 0 else "" if first else "+"
    size = abs(c)
    digits = str(size) if size.denominator == 1 else f"\\frac{{{size.numerator}}}{{{size.denominator}}}"
    shown = body if size == 1 and body else f"{digits}\\, {body}" if body else digits
    return f"{sign}{shown}" if first else f" {sign} {shown}"


def _couplings_latex(theory: Theory, order: tuple[int, ...]) -> str:
    pairs = zip(theory.couplings, order, strict=True)
    return " ".join(latex_name(c) + (f"^{{{k}}}" if k > 1 else "") for c, k in pairs if k)


def _integral_latex(d: Diagram) -> str:
    """Return the integrals of a diagram, component by component, in the measure d^d y."""
    pieces = []
    for nodes in d.components:
        inner = [node for node in nodes if node >= d.n]
        name = {node: f"x_{{{node + 1}}}" for node in nodes if node < d.n}
        name |= {node: f"y_{{{k + 1}}}" if len(inner) > 1 else "y" for k, node in enumerate(inner)}
        here: list[tuple[int, int]] = [e for e in d.edges if e[0] in nodes]
        factors: list[str] = []
        for i, j in dict.fromkeys(here):
            power = here.count((i, j))
            kernel = "K" if max(i, j) < d.n else "K_W"
            factors.append(f"{kernel}{f'^{{{power}}}' if power > 1 else ''}({name[i]}, {name[j]})")
        weights = [
            _profile_latex(v.profile, [name[p] for p in points])
            for points, v in zip(d.layout.points, d.layout.vertices, strict=True)
            if points[0] in nodes and v.has_profile
        ]
        measure = "".join(f"\\int\\! d^{{d}}{name[p]}\\, " for p in inner)
        pieces.append(measure + " ".join([*weights, *factors]))
    return " ".join(pieces)


def _profile_latex(profile: Sequence[tuple[tuple[int, ...], Fraction]], names: Sequence[str]) -> str:
    terms = []
    for powers, c in profile:
        points = [_power_latex(n, p) for n, p in zip(names, powers, strict=True) if p]
        size = [str(abs(c))] if abs(c) != 1 or not points else []
        terms.append((" - " if c < 0 else " + ") + " ".join(size + points))
    text = "".join(terms).removeprefix(" + ")
    return text if len(terms) == 1 else f"({text.strip()})"


def _power_latex(name: str, power: int) -> str:
    return f"|{name}|^{{{power}}}" if power % 2 == 0 else name if power == 1 else f"{name}^{{{power}}}"


def _diagram_tikz(d: Diagram) -> str:
    return f"\\vcenter{{\\hbox{{{d.to_tikz()}}}}}"
