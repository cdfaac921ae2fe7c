"""Symanzik polynomials against the determinant of the loop momenta, brute force over trees, and textbook diagrams."""

from __future__ import annotations

from collections.abc import Hashable
from fractions import Fraction
from itertools import combinations

import networkx as nx
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate

from feynnn import Diagram, FeynnnError, Interaction, Theory, generate
from feynnn.diagrams import symanzik

PHI3 = Theory.parse("g*f**3")
PHI4 = Theory.parse("lam*f**4")


def connected() -> list[Diagram]:
    """Connected diagrams of several theories, trees and vacuum diagrams and self-loops among them."""
    mixed = Theory.parse("s*f + m*f**2 + g*f**3")
    asked: list[tuple[Theory, int, int | dict[str, int]]] = [
        (PHI4, 4, 1),
        (PHI4, 4, 2),
        (PHI4, 2, 3),
        (PHI4, 0, 3),
        (PHI4, 6, 2),
        (PHI3, 3, 3),
        (PHI3, 4, 4),
        (PHI3, 1, 3),
        (mixed, 2, {"s": 1, "m": 1, "g": 3}),
    ]
    return [d for theory, n, order in asked for d in generate(theory, n, order=order, kind="connected")]


CONNECTED = connected()


@st.composite
def points(draw: st.DrawFn) -> tuple[Diagram, list[int], list[list[int]]]:
    """A diagram, a positive alpha for each internal line, and external momenta in three dimensions."""
    d = draw(st.sampled_from(CONNECTED))
    inner = sum(i >= d.n for i, _ in d.edges)
    alphas = draw(st.lists(st.integers(1, 9), min_size=inner, max_size=inner))
    coordinates = st.lists(st.integers(-5, 5), min_size=3, max_size=3)
    momenta = draw(st.lists(coordinates, min_size=d.n, max_size=d.n))
    if momenta:
        momenta[-1] = [-sum(p[axis] for p in momenta[:-1]) for axis in range(3)]
    return d, alphas, momenta


def square_of_sum(momenta: list[list[int]], nodes: tuple[int, ...]) -> int:
    return sum(sum(momenta[i][axis] for i in nodes) ** 2 for axis in range(3))


@settings(deadline=None, max_examples=150)
@given(points())
def test_the_polynomials_are_what_completing_the_square_leaves(
    case: tuple[Diagram, list[int], list[list[int]]],
) -> None:
    """Sum of alpha q^2 over the lines, q = A k + B p: U = det(A^T alpha A), F0/U the minimum over k; exact."""
    d, alphas, momenta = case
    s, r = d.symanzik(), d.momentum_routing()
    inner = [e for e, (i, _) in enumerate(d.edges) if i >= d.n]
    a = sympy.Matrix(len(inner), d.n_loops, [c for e in inner for c in r.loop[e]])
    b = sympy.Matrix(len(inner), d.n, [c for e in inner for c in r.external[e]])
    weights = sympy.diag(*alphas) if alphas else sympy.zeros(0, 0)
    p = sympy.Matrix(d.n, 3, [c for momentum in momenta for c in momentum])
    form = a.T * weights * a
    flow = b * p
    determinant = form.det() if d.n_loops else sympy.Integer(1)
    shift = form.LUsolve(a.T * weights * flow) if d.n_loops else sympy.zeros(0, 3)
    minimum = sum(w * c**2 for w, row in zip(alphas, (flow - a * shift).tolist(), strict=True) for c in row)
    values = dict(zip(s.alphas, alphas, strict=True))
    values |= {symbol: square_of_sum(momenta, nodes) for symbol, nodes in s.invariants.items()}
    assert s.U.subs(values) == determinant
    assert s.F0.subs(values) == determinant * minimum
    assert s.F.subs({**values, s.mass: 3}) == determinant * (minimum + 9 * sum(alphas))
    assert s.lines == tuple(d.edges[e] for e in inner)


@pytest.mark.parametrize("d", CONNECTED[::7], ids=repr)
def test_the_terms_are_the_trees_and_forests_found_by_trying_all_sets_of_lines(d: Diagram) -> None:
    s = d.symanzik()
    first, second = sympy.Integer(0), sympy.Integer(0)
    invariants = {nodes: symbol for symbol, nodes in s.invariants.items()}
    vertices = range(d.n, d.n + d.n_vertices)
    leg = {i: j for i, j in d.edges if i < d.n}
    sizes = range(max(d.n_vertices - 2, 0), d.n_vertices)
    for kept in (set(c) for size in sizes for c in combinations(range(len(s.lines)), size)):
        graph: nx.MultiGraph[Hashable] = nx.MultiGraph()
        graph.add_nodes_from(vertices)
        graph.add_edges_from(s.lines[e] for e in kept)
        trees = list(nx.connected_components(graph))
        if len(trees) != d.n_vertices - len(kept):
            continue
        monomial = sympy.Mul(*(alpha for e, alpha in enumerate(s.alphas) if e not in kept))
        if len(trees) == 1:
            first += monomial
            continue
        sides = [tuple(i for i in range(d.n) if leg[i] in tree) for tree in trees]
        if all(sides):
            second += monomial * next(invariants[side] for side in sides if side in invariants)
    assert sympy.expand(s.U) == sympy.expand(first)
    assert sympy.expand(s.F0) == sympy.expand(second)


def polynomials(d: Diagram) -> list[sympy.Expr]:
    result = d.symanzik()
    return [result.U, result.F0, result.F]


def test_textbook_polynomials() -> None:
    a, b, c, m, p2 = sympy.symbols("alpha_1:4 m s_1")
    sunset = Diagram.from_edges(PHI4, 2, 2, [(0, 2), (2, 3), (2, 3), (2, 3), (1, 3)])
    u, f0, f = polynomials(sunset)
    assert u == a * b + a * c + b * c
    assert f0 == a * b * c * p2
    assert f == f0 + m**2 * u * (a + b + c)
    assert sunset.symanzik().invariants == {p2: (0,)}


def test_the_box_of_four_couplings() -> None:
    """Opposite lines carry s and t, neighbours the square of the external momentum between them."""
    theory = Theory([Interaction(3, f"g{k}") for k in range(4)])
    lines = [(0, 4), (1, 5), (2, 6), (3, 7), (4, 5), (4, 7), (5, 6), (6, 7)]
    u, f0, _ = polynomials(Diagram.from_edges(theory, 4, (1, 1, 1, 1), lines))
    a45, a47, a56, a67 = sympy.symbols("alpha_1:5")
    p1, p2, p3, p4, s, u14 = sympy.symbols("s_1:5 s_1_2 s_1_4")
    assert u == a45 + a47 + a56 + a67
    neighbours = a45 * a47 * p1 + a45 * a56 * p2 + a56 * a67 * p3 + a47 * a67 * p4
    assert sympy.expand(f0) == neighbours + a47 * a56 * s + a45 * a67 * u14


def test_trees_and_self_loops() -> None:
    a, b, s, m = sympy.symbols("alpha_1 alpha_2 s_1_2 m")
    star = Diagram.from_edges(PHI4, 4, 1, [(0, 4), (1, 4), (2, 4), (3, 4)])
    assert polynomials(star) == [1, 0, 0]
    assert (star.symanzik().alphas, star.symanzik().invariants) == ((), {})
    exchange = Diagram.from_edges(PHI3, 4, 2, [(0, 4), (1, 4), (4, 5), (2, 5), (3, 5)])
    assert polynomials(exchange) == [1, a * s, a * s + a * m**2]
    eight = Diagram.from_edges(PHI4, 0, 1, [(0, 0), (0, 0)])
    assert polynomials(eight) == [a * b, 0, m**2 * a * b * (a + b)]
    tadpole = Diagram.from_edges(PHI4, 2, 1, [(0, 2), (1, 2), (2, 2)])
    assert polynomials(tadpole) == [a, 0, m**2 * a**2]


def test_the_integral_over_alphas_is_the_momentum_integral() -> None:
    """The bubble in one dimension with m = 1: the transform of exp(-2|t|)/4 is 1/(p^2 + 4)."""
    d = Diagram.from_edges(PHI3, 2, 2, [(0, 2), (2, 3), (2, 3), (1, 3)])
    s = d.symanzik()
    symbol = sympy.Symbol("s_1")
    square = 0.9
    integrand = sympy.lambdify(
        s.alphas, (s.U ** (-sympy.Rational(1, 2)) * sympy.exp(-s.F / s.U)).subs({s.mass: 1, symbol: square})
    )
    # alpha_1 = w^2 x, alpha_2 = w^2 (1 - x)
    value, _ = integrate.dblquad(lambda x, w: 2 * w**3 * integrand(w**2 * x, w**2 * (1 - x)), 0, 7, 0, 1, epsabs=1e-11)
    assert value * (4 * np.pi) ** (-1 / 2) == pytest.approx(1 / (square + 4), rel=1e-9)


def test_names_of_invariants_are_the_smaller_side() -> None:
    five = next(d for d in generate(PHI3, 5, order=5, kind="1PI") if d.n_loops == 1)
    invariants = five.symanzik().invariants
    assert {len(nodes) for nodes in invariants.values()} == {1, 2}
    assert all(str(symbol) == "s_" + "_".join(str(i + 1) for i in nodes) for symbol, nodes in invariants.items())
    assert len(invariants) == 10
    four = next(d for d in generate(PHI3, 4, order=4, kind="1PI") if d.n_loops == 1)
    pairs = [nodes for nodes in four.symanzik().invariants.values() if len(nodes) == 2]
    assert len(pairs) == 2
    assert all(nodes[0] == 0 for nodes in pairs)


def wheel(size: int) -> Diagram:
    """A ring of cubic vertices around a hub of degree `size`: vertices of the ring first."""
    theory = Theory([Interaction(3, "g"), Interaction(size, "h")])
    ring = [(k, (k + 1) % size) for k in range(size)]
    return Diagram.from_edges(theory, 0, {"g": size, "h": 1}, ring + [(k, size) for k in range(size)])


def test_as_many_terms_as_spanning_trees() -> None:
    """The wheel with n spokes has L_2n - 2 spanning trees (Lucas numbers); eight loops here."""
    size = 8
    trees, forests = symanzik.spanning_forests(wheel(size))
    lucas = [2, 1]
    while len(lucas) <= 2 * size:
        lucas.append(lucas[-1] + lucas[-2])
    assert len(trees) == len(set(trees)) == lucas[2 * size] - 2 == 2205
    assert not forests
    assert len(wheel(size).symanzik().U.args) == 2205
    assert all(mask.bit_count() == size for mask in trees)


def test_the_number_of_terms_is_bounded() -> None:
    lines = [(k, (k + 1) % 20) for k in range(20) for _ in range(3)]
    theory = Theory([Interaction(6, f"g{k}") for k in range(20)])
    d = Diagram.from_edges(theory, 0, (1,) * 20, lines)
    with pytest.raises(FeynnnError, match=r"41 loops, 60 internal lines.*more than 100000 terms"):
        d.symanzik()


def test_a_ring_of_bubbles_by_hand() -> None:
    """A bubble is one line of parameter a b/(a + b), and contributes a factor a + b to U."""
    size = 5
    theory = Theory([Interaction(4, f"g{k}") for k in range(size)])
    lines = [(k, (k + 1) % size) for k in range(size) for _ in range(2)]
    s = Diagram.from_edges(theory, 0, (1,) * size, lines).symanzik()
    alphas = [Fraction(k + 1, 3) for k in range(2 * size)]
    pairs: dict[tuple[int, int], list[Fraction]] = {}
    for line, alpha in zip(s.lines, alphas, strict=True):
        pairs.setdefault(line, []).append(alpha)
    bubbles = [a * b / (a + b) for a, b in pairs.values()]
    expected = sum(bubbles, Fraction(0))
    for a, b in pairs.values():
        expected *= a + b
    value = s.U.subs({x: sympy.Rational(a.numerator, a.denominator) for x, a in zip(s.alphas, alphas, strict=True)})
    assert value == sympy.Rational(expected.numerator, expected.denominator)


def test_only_connected_diagrams_with_a_vertex() -> None:
    two = Diagram.from_edges(PHI4, 4, 2, [(0, 4), (1, 4), (4, 4), (2, 5), (3, 5), (5, 5)])
    with pytest.raises(FeynnnError, match="connected diagram with a vertex; this one has 2 components"):
        two.symanzik()
    for d in (Diagram.from_edges(PHI4, 2, 0, [(0, 1)]), generate(PHI4, 0, order=0, kind="all")[0]):
        with pytest.raises(FeynnnError, match="this one has no vertex"):
            d.symanzik()
