"""Symanzik polynomials: spanning trees and 2-forests of a diagram, gathered vertex by vertex."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

from ..errors import InputError
from .structure import internal_lines, require_momentum_space, spanning_tree

if TYPE_CHECKING:
    import sympy

    from .diagram import Diagram

#: Most monomials of both polynomials together; sympy takes some seconds for as many.
MAX_TERMS = 100_000

#: The blocks of a forest: vertices that still wait for lines, and external points, both as bit masks.
Blocks = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Symanzik:
    """The Symanzik polynomials of a connected diagram, external legs amputated, Euclidean momenta.

    With propagators 1/(q^2 + m^2) = integral of exp(-alpha (q^2 + m^2)) over alpha > 0, the integral over the L loop
    momenta, each with the measure d^D k / (2 pi)^D, is the integral over all alpha_i > 0 of
    (4 pi)^(-L D/2) U^(-D/2) exp(-F/U).

    Attributes
    ----------
    U : sympy.Expr
        First polynomial: sum over spanning trees of the product of the alphas of the lines not in the tree.
    F0 : sympy.Expr
        Second polynomial without masses: sum over spanning 2-forests of the square of the momentum that flows from
        one tree to the other times the product of the alphas of the lines not in the forest.
    F : sympy.Expr
        F0 + m^2 U (alpha_1 + alpha_2 + ...).
    alphas : tuple of sympy.Symbol
        alpha_1, alpha_2, ..., one for each internal line, self-loops included.
    lines : tuple of (int, int)
        The internal lines, in the order of `Diagram.edges`.
    invariants : dict of sympy.Symbol to tuple of int
        The kinematic invariants in F0 and their external points (nodes 0..n-1): s_1_2 = (p_1 + p_2)^2 belongs to
        (0, 1). All momenta flow in and add up to zero; of a set of points and its complement the smaller names the
        invariant, of equal ones that with point 1.
    mass : sympy.Symbol
        m.
    """

    U: sympy.Expr
    F0: sympy.Expr
    F: sympy.Expr
    alphas: tuple[sympy.Symbol, ...]
    lines: tuple[tuple[int, int], ...]
    invariants: dict[sympy.Symbol, tuple[int, ...]]
    mass: sympy.Symbol


def symanzik_polynomials(d: Diagram) -> Symanzik:
    """Return the Symanzik polynomials U and F of a connected diagram.

    Parameters
    ----------
    d : Diagram
        Connected, with a vertex; every vertex has one point and no profile.

    Raises
    ------
    InputError
        If the diagram is not of this kind, or there are more than `MAX_TERMS` monomials.

    Examples
    --------
    >>> import feynnn as fn
    >>> theory = fn.Theory.parse("lam*f**4")
    >>> bubble = fn.Diagram.from_edges(theory, 4, 2, [(0, 4), (1, 4), (4, 5), (4, 5), (2, 5), (3, 5)])
    >>> result = bubble.symanzik()
    >>> result.U, result.F0
    (alpha_1 + alpha_2, alpha_1*alpha_2*s_1_2)

    References
    ----------
    C. Bogner and S. Weinzierl, Feynman graph polynomials, Int. J. Mod. Phys. A 25 (2010) 2585, section 3.
    """
    import sympy

    require_momentum_space(d, "symanzik()")
    if not d.n_vertices or not d.is_connected:
        why = "has no vertex" if not d.n_vertices else f"has {len(d.components)} components"
        raise InputError(f"symanzik() takes a connected diagram with a vertex; this one {why}")
    lines = internal_lines(d)
    trees, forests = spanning_forests(d)
    alphas = sympy.symbols(f"alpha_1:{len(lines) + 1}")
    # distinct symbols in sympy's own order need no evaluation, which would take most of the time
    ordered = [(a, alphas.index(a)) for a in sympy.Mul.make_args(sympy.Mul(*alphas)) if a in alphas]

    def polynomial(monomials: list[int]) -> sympy.Expr:
        return sympy.Add(*(sympy.Mul(*(a for a, k in ordered if m >> k & 1), evaluate=False) for m in monomials))

    first = polynomial(trees)
    invariants = {sympy.Symbol("_".join(("s", *(str(i + 1) for i in points)))): points for points in sorted(forests)}
    massless = sympy.Add(*(s * polynomial(forests[points]) for s, points in invariants.items()))
    mass = sympy.Symbol("m")
    second = massless + mass**2 * first * sympy.Add(*alphas)
    return Symanzik(first, massless, second, alphas, tuple(d.edges[e] for e in lines), invariants, mass)


def spanning_forests(d: Diagram) -> tuple[list[int], dict[tuple[int, ...], list[int]]]:
    """Return the spanning trees of a connected diagram, and its 2-forests through which external momentum flows.

    Each is given by the internal lines that are not in it, as a bit mask of their places among the internal lines;
    2-forests come by the external points of one tree, chosen as in `Symanzik.invariants`.

    Vertices enter one after the other. Forests of the lines so far are kept together when they agree in what matters
    for the rest: which unfinished vertices, and which external points, are in one tree.
    """
    lines = [d.edges[e] for e in internal_lines(d)]
    points = dict.fromkeys(range(d.n, d.n + d.n_vertices), 0)
    for i, j in d.edges:
        if i < d.n:
            points[j] |= 1 << i
    everything = (1 << d.n) - 1
    order = list(spanning_tree(d))
    states: dict[Blocks, list[int]] = {(): [0]}
    for position, v in enumerate(order):
        states = {tuple(sorted((*blocks, (1 << v, points[v])))): masks for blocks, masks in states.items()}
        entered = order[: position + 1]
        for k, (i, j) in enumerate(lines):
            if v in (i, j) and i in entered and j in entered:
                states = _with_line(states, k, i, j)
        waiting = reduce(int.__or__, (1 << w for w in entered if _waits(w, lines, entered)), 0)
        states = _finished(states, waiting, everything)
        if sum(map(len, states.values())) > MAX_TERMS:
            raise InputError(
                f"the Symanzik polynomials of this diagram ({d.n_loops} loops, {len(lines)} internal lines) have more "
                f"than {MAX_TERMS} terms; momentum_routing() gives the matrix whose determinant is U"
            )
    trees: list[int] = []
    forests: dict[tuple[int, ...], list[int]] = {}
    for blocks, masks in states.items():
        if len(blocks) == 1:
            trees += masks
        else:
            forests.setdefault(_smaller(blocks[0][1], d.n), []).extend(masks)
    return trees, forests


def _waits(w: int, lines: list[tuple[int, int]], entered: list[int]) -> bool:
    """Whether a vertex has lines to vertices that have not entered."""
    return any(w in (i, j) and (i not in entered or j not in entered) for i, j in lines)


def _with_line(states: dict[Blocks, list[int]], k: int, i: int, j: int) -> dict[Blocks, list[int]]:
    """Leave out line k (which enters the monomial), or join the trees of its ends with it."""
    result: dict[Blocks, list[int]] = {}
    for blocks, masks in states.items():
        result.setdefault(blocks, []).extend([mask | 1 << k for mask in masks])
        ends = [b for b in blocks if b[0] >> i & 1 or b[0] >> j & 1]
        if len(ends) == 2:
            (v, x), (w, y) = ends
            joined = tuple(sorted([*(b for b in blocks if b not in ends), (v | w, x | y)]))
            result.setdefault(joined, []).extend(masks)
    return result


def _finished(states: dict[Blocks, list[int]], waiting: int, everything: int) -> dict[Blocks, list[int]]:
    """Forget the vertices that do not wait; drop forests that end as three trees or without momentum between two."""
    result: dict[Blocks, list[int]] = {}
    for blocks, masks in states.items():
        left = tuple(sorted((v & waiting, x) for v, x in blocks))
        closed = [x for v, x in left if not v]
        splits = len(closed) <= 1 or len(left) == 2
        if len(left) == 1 or (splits and not {0, everything} & set(closed)):
            result.setdefault(left, []).extend(masks)
    return result


def _smaller(points: int, n: int) -> tuple[int, ...]:
    """Return the smaller of a set of external points and its complement; of equal ones that with point 0."""
    one = tuple(i for i in range(n) if points >> i & 1)
    other = tuple(i for i in range(n) if not points >> i & 1)
    return min(one, other, key=lambda s: (len(s), s))
