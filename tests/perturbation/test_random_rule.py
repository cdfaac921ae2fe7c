"""Quasi-Monte Carlo: closed forms, coverage of the error, agreement with meshes, refusals."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from perturbation_oracles import gauss_star_in_box, gaussian_integral
from scipy.stats import norm, t

from feynnn import Correlator, Theory
from feynnn.combinatorics import multisets
from feynnn.errors import ComputationError, DivergenceError, InputError
from feynnn.perturbation import random_rule
from feynnn.perturbation.contractions import MeshTable, Shape, evaluate
from feynnn.perturbation.quadrature import Cutoff, mesh
from feynnn.perturbation.random_rule import REPLICATES, STUDENT, random_value
from feynnn.points import Array
from feynnn.theory.kernels import Erf, FreeScalar, FromCallable, FromExpression, Gauss, Kernel, Lattice, ReLU

EVERYWHERE = Cutoff()


def star(legs: int) -> Shape:
    return Shape(legs=((("K", legs),),), loops=((),), powers=(0,), lines=())


def points(m: int, d: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=(m, d))


def within(found: tuple[Array, Array], exact: Sequence[float] | Array) -> None:
    values, error = found
    assert (np.abs(values - np.reshape(exact, values.shape)) <= STUDENT * error + 1e-12 * np.abs(values)).all()


def stars(x: Array, legs: int, size: float) -> list[float]:
    return [gauss_star_in_box(x[row], size) for row in multisets(len(x), legs)]


def tensor_rule(size: float, d: int, order: int) -> tuple[Array, Array]:
    nodes, weights = np.polynomial.legendre.leggauss(order)
    grid = np.stack([g.ravel() for g in np.meshgrid(*[size * nodes] * d, indexing="ij")], axis=1)
    return grid, np.prod(np.meshgrid(*[size * weights] * d, indexing="ij"), axis=0).ravel()


def test_the_factor_is_that_of_student_at_three_sigma() -> None:
    assert pytest.approx(t.isf(norm.sf(3.0), REPLICATES - 1), abs=1e-4) == STUDENT


# --- closed forms ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("d_in", [4, 5])
@pytest.mark.parametrize("size", [0.5, 3.0, 100.0])
def test_gauss_stars_in_a_box(d_in: int, size: float) -> None:
    x = points(2, d_in)
    found = random_value(star(4), {"K": Gauss(sigma_b=0, d_in=d_in)}, x, Cutoff(size), 2e-3)
    within(found, stars(x, 4, size))
    assert (STUDENT * found[1] <= 2e-3 * found[0]).all()


def test_gauss_with_two_vertices_over_all_space() -> None:
    shape = Shape(legs=((("K", 1),), (("K", 2),)), loops=((), ()), powers=(0, 0), lines=((0, 1, "K", 2),))
    x = points(2, 4)
    edges = [(0, 3), (1, 4), (2, 4), (3, 4), (3, 4)]
    exact = [[gaussian_integral(3, 2, edges, x[[i, j, k]]) for j, k in multisets(2, 2)] for i in range(2)]
    within(random_value(shape, {"K": Gauss(sigma_b=0, d_in=4)}, x, EVERYWHERE, 2e-2), np.array(exact))


def test_a_ring_of_six_vertices_in_one_dimension() -> None:
    ring = [(p, (p + 1) % 6) for p in range(6)]
    lines = tuple(sorted((min(e), max(e), "K", 1) for e in ring))
    shape = Shape(legs=((("K", 1),),) * 6, loops=((),) * 6, powers=(0,) * 6, lines=lines)
    x = np.array([[0.3]])
    edges = [(p, p + 6) for p in range(6)] + [(a + 6, b + 6) for a, b in ring]
    exact = gaussian_integral(6, 6, edges, np.full((6, 1), 0.3))
    values, error = random_value(shape, {"K": Gauss(sigma_b=0)}, x, EVERYWHERE, 1e-2)
    assert values.shape == (1,) * 6
    within((values, error), [exact])


def test_an_exponential_in_four_dimensions() -> None:
    # the surface of the unit sphere, 2 pi^2, times the integral of r^3 exp(-2 r)
    kernel = FromCallable(
        lambda x, y: np.exp(-np.linalg.norm(x[:, None] - y[None], axis=2)), d_in=4, diagonal="kink", decay_length=1.0
    )
    within(random_value(star(2), {"K": kernel}, points(1, 4), EVERYWHERE, 3e-3), [2 * np.pi**2 * 6 / 16])


def test_relu_without_bias_is_linear_in_its_odd_part() -> None:
    # K(u, y) - K(-u, y) = s u.y / 2, whatever the angle
    d, size = 4, 3.0
    u, v = points(2, d)
    x = np.array([u, -u, v, -v])
    values, error = random_value(star(2), {"K": ReLU(sigma_b=0, d_in=d)}, x, Cutoff(size), 3e-4)
    row = {tuple(r): k for k, r in enumerate(multisets(4, 2).tolist())}
    found = sum(a * b * values[row[(0 if a > 0 else 1), (2 if b > 0 else 3)]] for a, b in product((1, -1), repeat=2))
    bound = STUDENT * sum(error[row[i, j]] for i, j in product((0, 1), (2, 3)))
    assert found == pytest.approx((u @ v) / (4 * d**2) * (2 * size) ** d * size**2 / 3, abs=bound)
    assert bound < 2e-3 * values.max()


def test_relu_without_bias_scales_with_the_box() -> None:
    x, kernels = points(2, 4), {"K": ReLU(sigma_b=0, d_in=4)}
    small, large = (random_value(star(4), kernels, x, Cutoff(size), 1e-2) for size in (1.0, 1e4))
    np.testing.assert_allclose(large[0], 1e32 * small[0], rtol=1e-10)


@pytest.mark.parametrize("kernel", [Erf(d_in=4, bias=False), ReLU(d_in=4, bias=False)])
def test_network_kernels_against_a_product_rule(kernel: Kernel) -> None:
    x, size = points(2, 4), 2.0
    y, w = tensor_rule(size, 4, 14)
    c = 1 + x @ y.T / 4
    cx, cy = (1 + (z * z).sum(axis=1) / 4 for z in (x, y))
    if isinstance(kernel, Erf):
        rows = 2 / np.pi * np.arcsin(2 * c / np.sqrt(np.outer(1 + 2 * cx, 1 + 2 * cy)))
    else:
        root = np.sqrt(np.outer(cx, cy))
        angle = np.arccos(c / root)
        rows = root / (2 * np.pi) * (np.sin(angle) + (np.pi - angle) * np.cos(angle))
    exact = [float(w @ rows[row].prod(axis=0)) for row in multisets(2, 4)]
    within(random_value(star(4), {"K": kernel}, x, Cutoff(size), 3e-4), exact)


def test_the_volume_is_exact() -> None:
    shape = Shape(legs=((),), loops=((),), powers=(0,), lines=())
    values, error = random_value(shape, {"K": Erf(d_in=4)}, points(1, 4), Cutoff(3.0), 1e-13)
    assert values.shape == error.shape == ()
    assert values == pytest.approx(6.0**4, rel=1e-14)


# --- the error -------------------------------------------------------------------------------------------------------


def test_the_bound_covers_and_is_not_far_too_large() -> None:
    # 12 runs of 5 correlated values; expected outside: about 0.3 percent
    scores = []
    for seed in range(12):
        d = 4 + seed % 2
        size = (0.7, 2.0, 10.0, 100.0)[seed % 4]
        x = points(2, d, seed)
        values, error = random_value(star(4), {"K": Gauss(sigma_b=0, d_in=d)}, x, Cutoff(size), 2e-2, seed=seed)
        scores += list(np.abs(values - stars(x, 4, size)) / error)
    assert np.mean(np.array(scores) > STUDENT) <= 0.01
    assert 0.6 < np.sqrt(np.mean(np.square(scores))) < 1.5


def test_the_same_seed_gives_the_same_digits() -> None:
    x, kernels = points(2, 4), {"K": Erf(d_in=4)}
    first, again, other = (random_value(star(4), kernels, x, Cutoff(2.0), 1e-2, seed=s) for s in (7, 7, 8))
    assert np.array_equal(first, again)
    assert not np.array_equal(first[0], other[0])


def test_small_chunks_change_rounding_only(monkeypatch: pytest.MonkeyPatch) -> None:
    shape = Shape(legs=((("K", 2),), (("K", 2),)), loops=((), ()), powers=(0, 2), lines=((0, 1, "K", 1),))
    x, kernels = points(2, 4), {"K": Erf(d_in=4)}
    whole = random_value(shape, kernels, x, Cutoff(2.0), 3e-2)
    monkeypatch.setattr(random_rule, "_CHUNK", 20_000)
    parts = random_value(shape, kernels, x, Cutoff(2.0), 3e-2)
    np.testing.assert_allclose(whole[0], parts[0], rtol=1e-12)


def test_an_absolute_tolerance_is_enough() -> None:
    x, kernels = points(2, 4), {"K": Erf(d_in=4)}
    values, error = random_value(star(4), kernels, x, Cutoff(2.0), 0.0, 0.1)
    assert (STUDENT * error <= 0.1).all() and values.min() > 1.0


# --- agreement with meshes -------------------------------------------------------------------------------------------


def _exponential(x: Array, y: Array) -> Array:
    return np.asarray(np.exp(-0.5 * ((x[:, None] - y[None]) ** 2).sum(axis=2)) * (1 + x @ y.T / 4))


KERNELS: list[Kernel] = [
    Erf(d_in=2),
    ReLU(d_in=2, bias=False),
    Gauss(d_in=2),
    FromCallable(_exponential, d_in=2, decay_length=1.0),
    FromExpression("exp(-(x_1 - y_1)**2/2 - (x_2 - y_2)**2/3) + 1/4", d_in=2),
]


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: type(k).__name__)
def test_lines_loops_powers_and_several_kernels_agree_with_a_mesh(kernel: Kernel) -> None:
    shape = Shape(
        legs=((("F", 1), ("K", 2)), (("K", 1),)),
        loops=((), (("K", 1),)),
        powers=(2, 0),
        lines=((0, 1, "F", 1), (0, 1, "K", 2)),
    )
    x, cutoff = points(2, 2), Cutoff(1.5)
    kernels = {"K": kernel, "F": Gauss(sigma_w=1.2, d_in=2)}
    grid = mesh([Gauss(d_in=2)], cutoff, x, 10)
    exact = evaluate(shape, MeshTable(kernels, x, grid))
    found = random_value(shape, kernels, x, cutoff, 1e-2)
    assert found[0].shape == exact.shape == (2, 3, 2)
    within(found, exact)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 3), st.integers(0, 3), st.sampled_from([0.1, 5.0, 1e3, np.inf]), st.integers(0, 10**6))
def test_charts_fill_the_box(d: int, m: int, size: float, seed: int) -> None:
    x = points(m, d, seed)
    for kernel in (Gauss(sigma_b=0, d_in=d), Erf(d_in=d)):
        if not np.isfinite(size) and (kernel.reach is None or not m):
            continue
        for chart in random_rule._charts([kernel], Cutoff(size), x, 2):
            # along the diagonal of the unit cube, so that the midpoint rule sees one coordinate at a time
            u = np.repeat((np.arange(4000) + 0.5)[:, None] / 4000, d, axis=1)
            y, w = chart(u)
            assert (y >= chart.low).all() and (y <= chart.high).all() and (w > 0).all()
            h = 1e-6
            slopes = (chart(u[1000:3000] + h)[0] - chart(u[1000:3000] - h)[0]) / (2 * h)
            np.testing.assert_allclose(w[1000:3000], slopes.prod(axis=1), rtol=1e-5)
            edges = chart(np.stack([np.zeros(d), np.ones(d)]))[0]
            if size < 10:
                np.testing.assert_allclose(edges, [chart.low, chart.high], rtol=1e-6)


# --- refusals --------------------------------------------------------------------------------------------------------


def test_an_accuracy_out_of_reach_is_refused_early() -> None:
    with pytest.raises(ComputationError, match=r"Erf.*rtol = 1e-10: reached .* with 8192 quasi-random points"):
        random_value(star(4), {"K": Erf(d_in=4)}, points(2, 4), Cutoff(2.0), 1e-10)


def test_work_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    # 154 multiplications a point: two doublings, and the third would be too much
    monkeypatch.setattr(random_rule, "MAX_RANDOM_WORK", 6e6)
    monkeypatch.setattr(random_rule, "_BEST_RATE", 99.0)
    with pytest.raises(ComputationError, match=r"reached .* with 32768 quasi-random points.*ask for rtol above that"):
        random_value(star(4), {"K": Erf(d_in=4)}, points(2, 4), Cutoff(2.0), 1e-8)


def test_too_many_sets_of_inputs_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random_rule, "MEMORY", 1000)
    with pytest.raises(ComputationError, match=r"for 35 sets of inputs needs .* GB.*use fewer inputs"):
        random_value(star(4), {"K": Erf(d_in=4)}, points(4, 4), Cutoff(2.0), 1e-2)


def test_too_much_work_for_one_point_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random_rule, "MAX_RANDOM_WORK", 1e6)
    with pytest.raises(ComputationError, match=r"for 35 sets of inputs takes .* for each quasi-random point"):
        random_value(star(4), {"K": Erf(d_in=4)}, points(4, 4), Cutoff(2.0), 1e-2)


def test_what_does_not_fit_is_refused() -> None:
    x = points(2, 4)
    vacuum = Shape(legs=((),), loops=((("K", 1),),), powers=(0,), lines=())
    many = Shape(legs=((("K", 1),),) * 5301, loops=((),) * 5301, powers=(0,) * 5301, lines=())
    with pytest.raises(InputError, match="a lattice sums over its sites"):
        random_value(star(2), {"K": Lattice(np.eye(2))}, np.zeros((1, 1)), Cutoff(1.0), 1e-2)
    with pytest.raises(DivergenceError, match=r"FreeScalar.*singular.*smooth kernel"):
        random_value(star(2), {"K": FreeScalar(d_in=4)}, x, Cutoff(1.0), 1e-2)
    with pytest.raises(DivergenceError, match="over all space diverges"):
        random_value(star(2), {"K": Erf(d_in=4)}, x, EVERYWHERE, 1e-2)
    with pytest.raises(DivergenceError, match="proportional to its volume"):
        random_value(vacuum, {"K": Gauss(sigma_b=0, d_in=4)}, x, EVERYWHERE, 1e-2)
    with pytest.raises(ComputationError, match="21204 coordinates"):
        random_value(many, {"K": Erf(d_in=4)}, x, Cutoff(1.0), 1e-2)
    with pytest.raises(InputError, match=r"rtol.*-1"):
        random_value(star(2), {"K": Erf(d_in=4)}, x, Cutoff(1.0), -1.0)
    with pytest.raises(InputError, match=r"seed.*0\.5"):
        random_value(star(2), {"K": Erf(d_in=4)}, x, Cutoff(1.0), 1e-2, seed=0.5)  # type: ignore[arg-type]


def test_axes_are_those_of_meshes() -> None:
    shape = Shape(legs=((("F", 2), ("K", 1)), (("K", 2),)), loops=((), ()), powers=(0, 0), lines=((0, 1, "K", 1),))
    values, error = random_value(shape, {"F": Erf(d_in=4), "K": ReLU(d_in=4)}, points(3, 4), Cutoff(1.0), 3e-2)
    assert values.shape == error.shape == (6, 3, 6)
    assert prod(values.shape) == 108


def test_correlators_in_four_dimensions_take_random_points() -> None:
    """Against the tensor product of Gauss rules, 14 nodes along each axis; the origin says what the bound is."""
    kernel, x = Erf(d_in=4).without_bias(), np.array([[0.1, 0.2, 0.3, 0.4], [1.0, 0.0, 0.0, -1.0]])
    g = Correlator(Theory.parse("lam*f**4"), 4, kernel=kernel, cutoff=Cutoff(1.5), kind="connected")
    found = g.series(x, max_order=1, rtol=2e-3)[1]
    u, w = np.polynomial.legendre.leggauss(14)
    nodes = 1.5 * np.stack([axis.ravel() for axis in np.meshgrid(*[u] * 4, indexing="ij")], axis=1)
    weights = 1.5**4 * np.prod(np.meshgrid(*[w] * 4, indexing="ij"), axis=0).ravel()
    legs = kernel(x, nodes)
    expected = -24 * np.array([(weights * np.prod(legs[list(row)], axis=0)).sum() for row in found.indices])
    assert (np.abs(found.values - expected) <= found.bound).all()
    assert (found.bound <= 2e-3 * 1.01 * 24 * weights @ (np.abs(legs) ** 4).max(axis=0)).all()
    assert "3 standard errors" in found.origin
    assert [i.rule for i in g.plan(x, max_order=1).integrals] == ["random"]
    with pytest.raises(ComputationError, match="quasi-random points"):
        g.series(x, max_order=1)
