"""Momenta of lines: conservation, and equality with position space on a periodic lattice, exactly.

On Z_N with values in a finite field that has an N-th root of unity, the Fourier transform of a product of kernels is
the sum over loop momenta of the product of the transformed kernels, whole numbers modulo a prime all the way.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import mpmath
import numpy as np
import numpy.typing as npt
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from feynnn import Diagram, FeynnnError, Interaction, Theory, generate
from feynnn.perturbation.expressions import coefficient

PHI4 = Theory.parse("lam*f**4")
THEORIES = [
    (PHI4, 4, (2,)),
    (PHI4, 2, (3,)),
    (PHI4, 6, (1,)),
    (Theory.parse("g*f**3 + lam*f**4"), 3, (1, 1)),
    (Theory.parse("s*f + m*f**2 + g*f**3"), 2, (1, 1, 1)),
    (Theory.parse("g*f**3"), 2, (4,)),
    (Theory.parse("g*f**3"), 0, (4,)),
    (Theory.parse("kap*f**6 + lam*f**4"), 2, (1, 1)),
]


@st.composite
def diagrams(draw: st.DrawFn) -> Diagram:
    """Any pairing of the legs of some theory's vertices, vacuum parts and all."""
    theory, n, order = draw(st.sampled_from(THEORIES))
    degrees = [1] * n + [d for i, m in zip(theory.interactions, order, strict=True) for _ in range(m) for d in i.degree]
    legs = draw(st.permutations([node for node, d in enumerate(degrees) for _ in range(d)]))
    return Diagram.from_edges(theory, n, order, list(zip(legs[::2], legs[1::2], strict=True)))


def externals(d: Diagram) -> list[list[int]]:
    """External points of each component."""
    return [[node for node in nodes if node < d.n] for nodes in d.components]


@settings(deadline=None)
@given(diagrams())
def test_momentum_is_conserved_at_every_vertex(d: Diagram) -> None:
    r = d.momentum_routing()
    assert r.lines == d.edges
    rows = [np.array([*e, *k], dtype=int) for e, k in zip(r.external, r.loop, strict=True)]
    last = {points[-1]: points for points in externals(d) if points}
    for v in range(d.n, d.layout.n_nodes):
        inflow = np.zeros(d.n + d.n_loops, dtype=int)
        for row, (i, j) in zip(rows, r.lines, strict=True):
            inflow += ((j == v) - (i == v)) * row
        # p_1 + p_2 + ... = 0 in each component
        for point, points in last.items():
            inflow[points] = inflow[points] - inflow[point]
        assert not inflow.any(), v


@settings(deadline=None)
@given(diagrams())
def test_loop_momenta_run_on_the_lines_outside_a_spanning_tree(d: Diagram) -> None:
    r = d.momentum_routing()
    inner = {e for e, (i, _) in enumerate(d.edges) if i >= d.n}
    assert {*r.tree_lines} | {*r.loop_lines} == inner
    assert len(r.tree_lines) + len(r.loop_lines) == len(inner)
    assert len(r.tree_lines) == d.n_vertices - sum(nodes[-1] >= d.n for nodes in d.components)
    for k, e in enumerate(r.loop_lines):
        assert r.loop[e] == tuple(int(k == other) for other in range(d.n_loops))
        assert not any(r.external[e])
    # a line without loop momentum is a leg, joins external points or is a bridge
    without = [d.edges[e] for e in sorted(inner) if not any(r.loop[e])]
    assert sorted(without) == sorted(d.bridges)
    last = {points[-1] for points in externals(d) if points}
    for e, (i, _) in enumerate(d.edges):
        if i < d.n:
            assert r.external[e] == tuple(int(i == other) for other in range(d.n))
            assert not any(r.loop[e])
        else:
            assert not any(r.external[e][point] for point in last)


# --- the lattice -----------------------------------------------------------------------------------------------------

#: Sites, a prime with that root of unity, and the root.
SITES, PRIME, ROOT = 3, 1009, 374
Kernel = list[int]


def test_the_root_of_unity_is_one() -> None:
    assert pow(ROOT, SITES, PRIME) == 1 != ROOT
    assert (PRIME - 1) % SITES == 0
    assert all(PRIME % k for k in range(2, 32))


def transformed(kernel: Kernel) -> Kernel:
    return [sum(kernel[x] * pow(ROOT, -p * x, PRIME) for x in range(SITES)) % PRIME for p in range(SITES)]


def from_position_space(d: Diagram, kernel: Kernel) -> npt.NDArray[np.int64]:
    """Sum over all vertices of the product of kernels, Fourier transformed in the external points; shape (N,)*n."""
    table = np.array([[kernel[(x - y) % SITES] for y in range(SITES)] for x in range(SITES)], dtype=np.int64)
    nodes = d.layout.n_nodes
    values = np.ones((SITES,) * nodes, dtype=np.int64)
    grids = np.indices((SITES,) * nodes)
    for i, j in d.edges:
        values = values * table[grids[i], grids[j]] % PRIME
    values = values.sum(axis=tuple(range(d.n, nodes))) % PRIME
    wave = np.array([[pow(ROOT, -p * x, PRIME) for x in range(SITES)] for p in range(SITES)], dtype=np.int64)
    for axis in range(d.n):
        values = np.moveaxis(np.tensordot(wave, values, axes=(1, axis)) % PRIME, 0, axis)
    return np.asarray(values, dtype=np.int64)


def on_lattice(expr: sympy.Expr, kernel: Kernel, momenta: tuple[int, ...]) -> int:
    """A momentum-space expression with G the transformed kernel and sums for integrals, modulo the prime."""
    ghat = transformed(kernel)
    table: list[dict[str, Any] | str] = [{"G": lambda q: ghat[int(q) % SITES]}]
    p = sympy.symbols(f"p_1:{len(momenta) + 1}")

    def total(integral: sympy.Integral) -> sympy.Integer:
        ks = [limits[0] for limits in integral.limits]
        f = sympy.lambdify((*p, *ks), integral.function, modules=table)
        return sympy.Integer(sum(f(*momenta, *k) for k in product(range(SITES), repeat=len(ks))) % PRIME)

    outside = expr.replace(lambda e: isinstance(e, sympy.Integral), total)
    return int(sympy.lambdify(p, outside, modules=table)(*momenta)) % PRIME


@settings(deadline=None, max_examples=40)
@given(diagrams(), st.lists(st.integers(0, PRIME - 1), min_size=2, max_size=2))
def test_the_momentum_integral_is_the_fourier_transform_of_position_space(d: Diagram, values: list[int]) -> None:
    kernel = [values[0], values[1], values[1]]
    expr = d.momentum_expression()
    rest = expr / coefficient(d) * (2 * sympy.pi) ** (d.n_loops * sympy.Symbol("D"))
    expected = from_position_space(d, kernel)
    # (2 pi)^D delta -> N for each component, (2 pi)^-D -> 1/N for each loop
    factor = pow(SITES, len(d.components) - d.n_loops, PRIME)
    seen = 0
    for p in product(range(SITES), repeat=d.n):
        if any(sum(p[i] for i in points) % SITES for points in externals(d)):
            assert expected[p] == 0
        elif seen < 9:
            assert expected[p] == factor * on_lattice(rest, kernel, p) % PRIME
            seen += 1


# --- the expression --------------------------------------------------------------------------------------------------


def symbols(names: str) -> tuple[sympy.Symbol, ...]:
    return tuple(sympy.symbols(names, seq=True))


def test_expressions_known_by_eye() -> None:
    g = sympy.Function("G")
    lam, dim, k, h, p, q, r, s = symbols("lam D k_1 k_2 p_1 p_2 p_3 p_4")
    loop = (2 * sympy.pi) ** (-dim)

    def integral(integrand: sympy.Expr, *over: sympy.Symbol) -> sympy.Expr:
        return sympy.Integral(integrand, *((x, -sympy.oo, sympy.oo) for x in over))

    star = Diagram.from_edges(PHI4, 4, 1, [(0, 4), (1, 4), (2, 4), (3, 4)])
    assert star.momentum_expression() == -24 * lam * g(p) * g(q) * g(r) * g(s)
    assert star.momentum_expression(amputated=True) == -24 * lam
    bubble = Diagram.from_edges(PHI4, 4, 2, [(0, 4), (1, 4), (4, 5), (4, 5), (2, 5), (3, 5)])
    expected = 288 * lam**2 * loop * integral(g(k) * g(k - p - q), k)
    assert bubble.momentum_expression(amputated=True) == expected
    assert bubble.momentum_expression() == expected * g(p) * g(q) * g(r) * g(s)
    sunset = Diagram.from_edges(PHI4, 2, 2, [(0, 2), (2, 3), (2, 3), (2, 3), (1, 3)])
    expected = 96 * lam**2 * loop**2 * integral(g(k) * g(h) * g(k + h - p), k, h)
    assert sunset.momentum_expression(amputated=True) == expected
    eight = Diagram.from_edges(PHI4, 2, 1, [(0, 1), (2, 2), (2, 2)])
    expected = -3 * lam * loop**2 * g(p) * integral(g(k) * g(h), k, h)
    assert eight.momentum_expression() == expected
    assert eight.momentum_expression(amputated=True) == expected, "a line between external points stays"
    assert generate(PHI4, 0, order=0, kind="all")[0].momentum_expression() == 1


def test_copies_count() -> None:
    theory = Theory.parse("lam*f**4")
    (merged,) = (d for d in generate(theory, 4, order=2, kind="1PI", external="indistinguishable") if d.n_loops == 1)
    assert merged.copies == 3
    one = Diagram.from_edges(theory, 4, 2, merged.edges)
    assert merged.momentum_expression() == 3 * one.momentum_expression()


def test_a_tadpole_on_a_bridge_carries_no_momentum() -> None:
    d = Diagram.from_edges(Theory.parse("g*f**3"), 2, 2, [(0, 2), (1, 2), (2, 3), (3, 3)])
    assert d.momentum_expression().has(sympy.Function("G")(0))


@pytest.mark.parametrize("momentum", [0.0, 0.7])
def test_the_measure_in_one_dimension(momentum: float) -> None:
    """G = 1/(q^2 + 1) is K = exp(-|t|)/2: the bubble transforms K^2, the tadpole is K(0)."""
    g, dim = sympy.Function("G"), sympy.Symbol("D")
    p, q, k = symbols("p_1 p_2 k_1")
    theory = Theory.parse("g*f**3 + lam*f**4")
    bubble = Diagram.from_edges(theory, 2, {"g": 2}, [(0, 2), (2, 3), (2, 3), (1, 3)])
    tadpole = Diagram.from_edges(theory, 2, {"lam": 1}, [(0, 2), (1, 2), (2, 2)])
    for d, expected in [(bubble, 18 / (momentum**2 + 4)), (tadpole, -12 / 2)]:
        expr = d.momentum_expression(amputated=True).subs({dim: 1, p: momentum, q: -momentum, "g": 1, "lam": 1})
        (integral,) = expr.atoms(sympy.Integral)
        integrand = sympy.lambdify(k, integral.function.replace(g, lambda x: 1 / (x**2 + 1)), "mpmath")
        value = float(expr.subs(integral, 1)) * mpmath.quad(integrand, [-mpmath.inf, 0, momentum + 1, mpmath.inf])
        assert float(value) == pytest.approx(expected, rel=1e-9)


def test_what_does_not_conserve_momentum_is_refused() -> None:
    weighted = Diagram.from_edges(Theory([Interaction(4, "h", profile="y**2")]), 2, 1, [(0, 2), (1, 2), (2, 2)])
    bilocal = Diagram.from_edges(Theory([Interaction((2, 2), "b")]), 2, 1, [(0, 2), (1, 2), (3, 3)])
    for d, match in [(weighted, "'h' has a profile"), (bilocal, "'b' has 2 integrated points")]:
        for ask in (d.momentum_routing, d.momentum_expression, d.symanzik):
            with pytest.raises(FeynnnError, match=match):
                ask()


@pytest.mark.parametrize("name", ["D", "G", "p_1", "k_12", "pi", "oo", "I", "E", "Integral"])
def test_couplings_with_names_of_momentum_space_are_refused(name: str) -> None:
    d = Diagram.from_edges(Theory([Interaction(4, name)]), 2, 1, [(0, 2), (1, 2), (2, 2)])
    with pytest.raises(FeynnnError, match=f"coupling '{name}' has a name of momentum space"):
        d.momentum_expression()
    assert d.momentum_routing().momenta() == symbols("p_1 p_2 k_1")


def test_latex() -> None:
    d = Diagram.from_edges(PHI4, 2, 1, [(0, 2), (1, 2), (2, 2)])
    assert sympy.latex(d.momentum_expression(amputated=True)) == (
        r"- 12 lam \left(2 \pi\right)^{- D} \int\limits_{-\infty}^{\infty} G{\left(k_{1} \right)}\, dk_{1}"
    )
