"""Expressions: the terms of the expansion in sympy, with exact coefficients.

A point of any dimension is one symbol (x1, x2, ... external, y or y1, y2, ... integrated), K(x, y) the kernel, and
``Integral(..., (y, -Lambda, Lambda))`` the integral over the box [-Lambda, Lambda]^d_in; ``y**2`` means |y|^2.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import sympy

from ..diagrams.diagram import Diagram
from ..diagrams.diagram_set import DiagramSet
from ..diagrams.generation import Kind, generate
from ..errors import InputError
from ..theory.action import Order, Theory
from ..theory.names import latex_name

LAMBDA = sympy.Symbol("Lambda", positive=True)


def expression(diagrams: Diagram | DiagramSet | Iterable[Diagram], *, vertex_kernel: str = "K") -> sympy.Expr:
    """Return the term of the expansion that the diagrams stand for.

    Parameters
    ----------
    diagrams : Diagram, DiagramSet or iterable of Diagram
        Their terms are added. A diagram that stands for several labelled copies counts that many times.
    vertex_kernel : str
        Name of the function on lines with an end on a vertex: "K", or "K_v" where it is another kernel.

    Returns
    -------
    sympy.Expr
        Sum of coefficient * couplings * integrals; sign, 1/m! and factors are in the coefficient.

    Examples
    --------
    >>> import feynnn as fn
    >>> ds = fn.generate(fn.Theory.parse("lam*f**4"), 4, order=1, kind="connected")
    >>> fn.expression(ds)
    -24*lam*Integral(K(x1, y)*K(x2, y)*K(x3, y)*K(x4, y), (y, -Lambda, Lambda))
    """
    items = [diagrams] if isinstance(diagrams, Diagram) else list(diagrams)
    total = sympy.Integer(0)
    for d in items:
        if not isinstance(d, Diagram):
            raise InputError(f"expression() takes diagrams, got {d!r}")
        total += coefficient(d) * integral(d, vertex_kernel=vertex_kernel)
    return total


def coefficient(d: Diagram) -> sympy.Expr:
    """Return the exact coefficient of a diagram's integral, couplings included: -24*lam."""
    c = d.coefficient
    product = sympy.Rational(c.numerator, c.denominator)
    for name, power in d.order.items():
        product *= sympy.Symbol(name) ** power
    return product


def integral(d: Diagram, *, vertex_kernel: str = "K") -> sympy.Expr:
    """Return the product over components of the integrals of products of kernels, without coefficient."""
    free, vertex = sympy.Function("K"), sympy.Function(vertex_kernel)
    result = sympy.Integer(1)
    for nodes in d.components:
        inner = [node for node in nodes if node >= d.n]
        # each component has its own names, so that equal components look equal
        names = {node: f"x{node + 1}" for node in nodes if node < d.n}
        names |= {node: f"y{k + 1}" if len(inner) > 1 else "y" for k, node in enumerate(inner)}
        symbol = {node: sympy.Symbol(name) for node, name in names.items()}
        integrand = sympy.Integer(1)
        for i, j in d.edges:
            if i in symbol:
                kernel = free if max(i, j) < d.n else vertex
                integrand *= kernel(symbol[i], symbol[j])
        for vertex_nodes, interaction in zip(d.layout.points, d.layout.vertices, strict=True):
            if vertex_nodes[0] in symbol and interaction.has_profile:
                integrand *= sum(
                    sympy.Rational(c.numerator, c.denominator)
                    * sympy.Mul(*(symbol[node] ** p for node, p in zip(vertex_nodes, powers, strict=True)))
                    for powers, c in interaction.profile
                )
        limits = [(symbol[node], -LAMBDA, LAMBDA) for node in inner]
        result *= sympy.Integral(integrand, *limits) if limits else integrand
    return result


@dataclass(frozen=True)
class Ratio:
    """The slides' ratio of path integrals, expanded.

    Attributes
    ----------
    theory, n
        What was asked.
    numerator : sympy.Expr
        The integral of f(x1)...f(xn) exp(-Delta S) over the Gaussian process, to the order asked: every diagram.
    denominator : sympy.Expr
        Z/Z_0, the vacuum diagrams.
    series : sympy.Expr
        Their ratio to the same order: the vacuum components have cancelled. With propagator="exact" the self-energy
        insertions are dropped too ("no correction to the 2-pt function").
    """

    theory: Theory
    n: int
    numerator: sympy.Expr
    denominator: sympy.Expr
    series: sympy.Expr

    def to_latex(self) -> str:
        """Return ``numerator / denominator = series`` as LaTeX."""
        points = ", ".join(f"x_{{{k + 1}}}" for k in range(self.n))
        top, bottom, result = (to_latex(e) for e in (self.numerator, self.denominator, self.series))
        return f"G^{{({self.n})}}({points}) = \\frac{{{top}}}{{{bottom}}} = {result} + \\cdots"

    def _repr_latex_(self) -> str:
        return f"${self.to_latex()}$"

    def __str__(self) -> str:
        return f"numerator:\n  {self.numerator}\nZ/Z_0:\n  {self.denominator}\nratio:\n  {self.series}"


def ratio(theory: Theory, n: int, *, max_order: Order = 1) -> Ratio:
    """Return numerator, denominator and quotient of G^(n) = <f(x1)...f(xn) exp(-Delta S)> / <exp(-Delta S)>.

    Parameters
    ----------
    theory : Theory
        Numerator and denominator hold every diagram, in either scheme; the quotient follows `theory.propagator`.
    n : int
        Number of points.
    max_order : int or dict
        Cumulative order.
    """
    free = Theory(theory.interactions, normal_ordered=theory.normal_ordered)
    orders = theory.orders_up_to(max_order)

    def total(t: Theory, points: int, kind: Kind) -> sympy.Expr:
        return sum((expression(generate(t, points, order=o, kind=kind)) for o in orders), sympy.Integer(0))

    return Ratio(theory, n, total(free, n, "all"), total(free, 0, "all"), total(theory, n, "vacuum-free"))


def to_latex(expr: sympy.Expr) -> str:
    """Return LaTeX of an expression, with Greek couplings and K_W for the vertex kernel."""
    names = {s: latex_name(s.name) for s in expr.free_symbols if not re.fullmatch(r"[xyzw]\d*", s.name)}
    names[LAMBDA] = "\\Lambda"
    return str(sympy.latex(expr, symbol_names=names)).replace("\\operatorname{K_{v}}", "K_W").replace("K_{v}", "K_W")
