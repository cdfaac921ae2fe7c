"""Momentum space: which momentum each line of a diagram carries, and the diagram as an integral over loop momenta."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import InputError
from .structure import internal_lines, require_momentum_space, spanning_tree

if TYPE_CHECKING:
    import sympy

    from .diagram import Diagram

#: One row of whole numbers for each line.
Matrix = tuple[tuple[int, ...], ...]

#: Names that mean something else in a printed expression.
_TAKEN = re.compile(r"[DEGI]|Integral|oo|pi|[kp]_\d+")


@dataclass(frozen=True)
class Routing:
    """The momentum of each line, in the direction i -> j of the pair in `lines`.

    External momenta p_1..p_n flow in at the external points; those of one component add up to zero. The line at
    external point i carries p_i, and the last external momentum of a component occurs nowhere else. Loop momenta
    k_1..k_L are those of the lines outside a spanning tree of the vertices.

    Attributes
    ----------
    lines : tuple of (int, int)
        `Diagram.edges`.
    external : tuple of tuple of int, shape (lines, n)
        Coefficients of p_1..p_n.
    loop : tuple of tuple of int, shape (lines, n_loops)
        Coefficients of k_1..k_L. With A the rows of the internal lines and a the diagonal matrix of their Schwinger
        parameters, det(A^T a A) is the first Symanzik polynomial.
    tree_lines, loop_lines : tuple of int
        Places in `lines` of the internal lines in the spanning tree, and of those that carry k_1, ..., k_L.
    """

    lines: tuple[tuple[int, int], ...]
    external: Matrix
    loop: Matrix
    tree_lines: tuple[int, ...]
    loop_lines: tuple[int, ...]

    def momenta(self) -> tuple[sympy.Expr, ...]:
        """Return the momentum of each line in the symbols p_1, p_2, ... and k_1, k_2, ..."""
        import sympy

        p, k = _symbols(self)
        return tuple(
            sympy.Add(*(c * s for c, s in zip((*external, *loop), (*p, *k), strict=True)))
            for external, loop in zip(self.external, self.loop, strict=True)
        )


def momentum_routing(d: Diagram) -> Routing:
    """Return the momentum of each line; the spanning tree is found breadth first, so that loops are short.

    The tree of a component starts at the vertex of its last external point (in a vacuum component at the first
    vertex) and takes the lines in the order of `Diagram.edges`.

    Raises
    ------
    InputError
        If a vertex has several integrated points or a profile: it does not conserve momentum.

    Examples
    --------
    >>> import feynnn as fn
    >>> theory = fn.Theory.parse("lam*f**4")
    >>> bubble = fn.Diagram.from_edges(theory, 4, 2, [(0, 4), (1, 4), (4, 5), (4, 5), (2, 5), (3, 5)])
    >>> bubble.momentum_routing().momenta()
    (p_1, p_2, p_3, p_4, -k_1 + p_1 + p_2, k_1)
    """
    require_momentum_space(d, "momentum space")
    edges = d.edges
    parents = spanning_tree(d)
    tree = tuple(sorted(line for line in parents.values() if line is not None))
    chords = tuple(e for e in internal_lines(d) if e not in tree)
    width = d.n + len(chords)
    rows = [[0] * width for _ in edges]
    for e, (i, _) in enumerate(edges):
        if i < d.n:
            rows[e][i] = 1
    for k, e in enumerate(chords):
        rows[e][d.n + k] = 1
    # what flows into each vertex besides its lines of the tree; from the leaves on, it passes to the parent
    inflow = {v: [0] * width for v in parents}
    for row, (i, j) in zip(rows, edges, strict=True):
        for v, sign in ((j, 1), (i, -1)):
            if v >= d.n:
                inflow[v] = [f + sign * c for f, c in zip(inflow[v], row, strict=True)]
    for v, line in reversed(parents.items()):
        if line is not None:
            i, j = edges[line]
            parent = i + j - v
            rows[line] = inflow[v] if v == i else [-c for c in inflow[v]]
            inflow[parent] = [f + c for f, c in zip(inflow[parent], inflow[v], strict=True)]
    external, loop = (tuple(tuple(row[part]) for row in rows) for part in (slice(d.n), slice(d.n, None)))
    return Routing(edges, external, loop, tree, chords)


def momentum_expression(d: Diagram, *, amputated: bool = False) -> sympy.Expr:
    """Return the diagram's term of the expansion in momentum space.

    The kernel is translation invariant and the same on every line, K(x, y) = integral of G(q) exp(i q (x - y))
    d^D q / (2 pi)^D with G even. A momentum is one symbol in any dimension, ``Integral(..., (k_1, -oo, oo))`` is the
    integral over all of momentum space, and each loop comes with (2 pi)^(-D). Left out: for each component with
    external points the factor (2 pi)^D delta(sum of its external momenta), all flowing in, and for each component
    without any the volume. Momenta of lines are those of `momentum_routing`.

    Parameters
    ----------
    d : Diagram
        Every vertex has one point and no profile; a diagram that stands for several labelled copies counts that
        many times, with the momenta of one of them.
    amputated : bool
        Leave out the factor G(p_i) of each line from an external point to a vertex; lines between two external points
        stay.

    Returns
    -------
    sympy.Expr
        Coefficient (sign, 1/m!, factors and couplings, as in `feynnn.expression`) times integrals.

    Raises
    ------
    InputError
        If a vertex has several integrated points or a profile, or a coupling has a name that the expression uses:
        D, G, Integral, p_1, k_1, or sympy's numbers E, I, oo and pi.

    Examples
    --------
    >>> import feynnn as fn
    >>> d = fn.Diagram.from_edges(fn.Theory.parse("lam*f**4"), 2, 1, [(0, 2), (1, 2), (2, 2)])
    >>> d.momentum_expression(amputated=True)
    -12*lam*Integral(G(k_1), (k_1, -oo, oo))/(2*pi)**D
    """
    import sympy

    from ..perturbation.expressions import coefficient

    routing = momentum_routing(d)
    for name in d.theory.couplings:
        if _TAKEN.fullmatch(name):
            raise InputError(
                f"the coupling {name!r} has a name of momentum space (D, G, Integral, E, I, oo, pi, p_1, k_1); choose "
                "another"
            )
    propagator = sympy.Function("G")
    momenta, (_, loop_momenta) = routing.momenta(), _symbols(routing)
    result = coefficient(d) * (2 * sympy.pi) ** (-d.n_loops * sympy.Symbol("D"))
    for e, (i, j) in enumerate(d.edges):
        if not any(routing.loop[e]) and not (amputated and i < d.n <= j):
            result *= propagator(_sign(routing, e) * momenta[e])
    for nodes in d.components:
        inside = [e for e, (i, _) in enumerate(d.edges) if i in nodes and any(routing.loop[e])]
        integrand = sympy.Mul(*(propagator(_sign(routing, e) * momenta[e]) for e in inside))
        limits = [
            (k, -sympy.oo, sympy.oo) for k, e in zip(loop_momenta, routing.loop_lines, strict=True) if e in inside
        ]
        result *= sympy.Integral(integrand, *limits) if limits else 1
    return result


def _symbols(routing: Routing) -> tuple[tuple[sympy.Symbol, ...], tuple[sympy.Symbol, ...]]:
    """Return the symbols p_1..p_n and k_1..k_L."""
    import sympy

    n = len(routing.external[0]) if routing.external else 0
    return sympy.symbols(f"p_1:{n + 1}"), sympy.symbols(f"k_1:{len(routing.loop_lines) + 1}")


def _sign(routing: Routing, line: int) -> int:
    """Return the direction in which the momentum of a line is written: its first term positive, loops first."""
    return next((1 if c > 0 else -1 for c in (*routing.loop[line], *routing.external[line]) if c), 1)
