"""Two and more vertices with rotation-invariant kernels: anchors, brute force, closed forms, symmetries, bounds."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise, product
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from perturbation_oracles import relu_kernel
from scipy.integrate import quad

from feynnn.combinatorics import multiset_rank, multisets
from feynnn.errors import ComputationError
from feynnn.perturbation.contractions import MeshTable, Shape, evaluate
from feynnn.perturbation.integration import Integrator
from feynnn.perturbation.quadrature import Cutoff, mesh
from feynnn.perturbation.rays import RAY_ORDERS, evaluate_rays, ray_excess, ray_rule, use_rays
from feynnn.perturbation.rays_cells import cell_rule, graded
from feynnn.perturbation.rays_matrix import ray_matrix
from feynnn.perturbation.rays_rule import RayRule, lagrange
from feynnn.points import Array
from feynnn.theory.kernels import Erf, Gauss, Kernel, ReLU

SQUARE = np.array([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
ERF = {d: Erf(d_in=d, bias=False) for d in (2, 3)}


def two(left: int, right: int, m: int, *, loops: tuple[int, int] = (0, 0), powers: tuple[int, int] = (0, 0)) -> Shape:
    """Two vertices with legs, `m` lines between them, loops and weights |y|^power."""
    return Shape(
        legs=tuple((("K", k),) if k else () for k in (left, right)),
        loops=tuple((("K", k),) if k else () for k in loops),
        powers=powers,
        lines=((0, 1, "K", m),),
    )


def rays(shape: Shape, kernels: Kernel | Mapping[str, Kernel], x: Array, size: float, order: int) -> Array:
    named = {"K": kernels} if isinstance(kernels, Kernel) else kernels
    return evaluate_rays(shape, ray_rule(list(named.values()), Cutoff(size), x, order), named, x)


def plain(shape: Shape, kernels: Kernel | Mapping[str, Kernel], x: Array, size: float, order: int) -> Array:
    """The product mesh, which knows nothing of two points."""
    named = {"K": kernels} if isinstance(kernels, Kernel) else kernels
    return evaluate(shape, MeshTable(named, x, mesh(list(named.values()), Cutoff(size), x, order)))


def agree(p: Array, q: Array, rtol: float) -> None:
    assert p.shape == q.shape
    np.testing.assert_allclose(p, q, rtol=0, atol=rtol * np.abs(q).max())


# --- numbers from elsewhere -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "equal", "mixed"), [(5.0, 28.598668680883, 0.79208085323533), (100.0, 6346879.017367, 892871.6204748)]
)
def test_published_digits(size: float, equal: float, mixed: float) -> None:
    """Legs (0, 0) | (0, 0) and (0, 1) | (2, 3) of two vertices joined by two lines, to the digits given."""
    value = rays(two(2, 2, 2), ERF[2], SQUARE, size, 26)
    rank = multiset_rank(np.array([[0, 0], [0, 1], [2, 3]]), 4)
    assert value[rank[0], rank[0]] == pytest.approx(equal, rel=2e-12)
    assert value[rank[1], rank[2]] == pytest.approx(mixed, rel=2e-12)


@pytest.mark.parametrize("kernel", [ERF[2], ReLU(d_in=2, bias=False), ReLU(sigma_b=0, d_in=2)], ids=repr)
@pytest.mark.parametrize("m", [1, 3])
def test_agrees_with_the_plain_mesh_in_a_small_box(kernel: Kernel, m: int) -> None:
    x = np.array([[0.5, -0.5], [0.4, 0.4]])  # along the corners, where they break no panel
    shape = two(1, 2, m, loops=(1, 0), powers=(0, 2))
    agree(rays(shape, kernel, x, 2.0, 17), plain(shape, kernel, x, 2.0, 9), 1e-5)


@pytest.mark.parametrize("kernel", [ERF[3], ReLU(sigma_b=0, d_in=3)], ids=repr)
def test_agrees_with_the_plain_mesh_in_three_dimensions(kernel: Kernel) -> None:
    x = np.array([[1.0, -1.0, 1.0]])  # breaks no panel
    shape = two(1, 2, 2, powers=(2, 0))
    agree(rays(shape, kernel, x, 1.0, 9), plain(shape, kernel, x, 1.0, 4), 1e-3)


def test_monte_carlo_in_three_dimensions() -> None:
    """Seeded points, within five standard errors (false alarms: 6e-7 for each of nine numbers)."""
    x = np.array([[-1.0, -1.0, -1.0], [1.0, 1.0, -1.0]])
    kernel, size, n = ERF[3], 100.0, 400_000
    y, z = np.random.default_rng(5).uniform(-size, size, (2, n, 3))
    inner = kernel.of_invariants((y * y).sum(1), (z * z).sum(1), (y * z).sum(1), (np.cross(y, z) ** 2).sum(axis=1))
    left, right = kernel(x, y), kernel(x, z)
    value = rays(two(2, 2, 2), kernel, x, size, 9)
    pairs = list(enumerate(multisets(2, 2).tolist()))
    for (a, (h, i)), (b, (j, k)) in product(pairs, repeat=2):
        sample = left[h] * left[i] * inner**2 * right[j] * right[k] * (2 * size) ** 6
        error = sample.std() / np.sqrt(n)
        assert abs(value[a, b] - sample.mean()) < 5 * error
        assert error < 0.01 * value.max()


def test_relu_without_biases_against_the_double_angular_integral() -> None:
    """Polar coordinates, nested adaptive quadrature: the box has the radius size / max(|cos|, |sin|)."""
    x = np.array([[0.5, 1.0]])
    size = 3.0

    def ray(a: float) -> Array:
        return np.array([np.cos(a), np.sin(a)])

    def radial(a: float, degree: int) -> float:
        return float((size / np.abs(ray(a)).max()) ** (degree + 2) / (degree + 2))

    def leg(a: float) -> float:
        return relu_kernel(list(x[0]), list(ray(a)), bias=0)

    own = float(np.arctan2(1.0, 0.5))
    corners = [k * np.pi / 4 for k in (-3, -1, 1, 3)]

    def inner(a: float) -> float:
        edges = sorted({-np.pi, np.pi, *corners, *(np.angle(np.exp(1j * b)) for b in (a, a + np.pi, own, own + np.pi))})
        return sum(
            quad(
                lambda b: relu_kernel(list(ray(a)), list(ray(b)), bias=0) ** 2 * leg(b) * radial(b, 3),
                low,
                high,
                epsabs=0,
                epsrel=1e-9,
            )[0]
            for low, high in pairwise(edges)
            if high - low > 1e-9
        )

    edges = sorted({-np.pi, np.pi, *corners, own, own - np.pi})
    nodes, weights = np.polynomial.legendre.leggauss(14)
    exact = 0.0
    for low, high in pairwise(edges):
        for u, w in zip(nodes, weights, strict=True):
            a = (low + high + (high - low) * u) / 2
            exact += (high - low) / 2 * w * leg(a) ** 2 * radial(a, 4) * inner(a)
    assert rays(two(2, 1, 2), ReLU(sigma_b=0, d_in=2), x, size, 17)[0, 0] == pytest.approx(exact, rel=1e-7)


def test_relu_without_biases_is_homogeneous_and_fast_to_converge() -> None:
    x = np.array([[0.5, 0.5], [0.5, 1.0], [1.0, 0.5]])
    kernel = ReLU(sigma_b=0, d_in=2)
    shape = two(1, 3, 2, loops=(1, 0), powers=(0, 2))
    value = rays(shape, kernel, x, 5.0, 17)
    # 4 + 4 legs and loops twice, two lines at both ends, the weight, the measure
    agree(rays(shape, kernel, x, 500.0, 17), value * 100.0 ** (4 + 2 + 2 * 2 + 2 + 4), 1e-13)
    agree(value, rays(shape, kernel, x, 5.0, 32), 1e-10)


def test_the_triangle_and_other_networks_agree_with_the_plain_mesh() -> None:
    x = np.array([[0.5, -0.2], [0.1, 0.7]])
    triangle = ((0, 1, "K", 1), (0, 2, "K", 1), (1, 2, "K", 1))
    chain = ((0, 1, "K", 2), (1, 2, "K", 3))
    for legs, lines in (((2, 1, 0), triangle), ((1, 0, 1), chain)):
        shape = Shape(tuple((("K", k),) if k else () for k in legs), ((),) * 3, (0, 0, 0), lines)
        agree(rays(shape, ERF[2], x, 1.5, 14), plain(shape, ERF[2], x, 1.5, 6), 1e-4)


def test_the_triangle_converges_in_a_large_box() -> None:
    shape = Shape(
        ((("K", 2),), (("K", 2),), (("K", 1),)), ((),) * 3, (0, 0, 0), ((0, 1, "K", 1), (0, 2, "K", 1), (1, 2, "K", 1))
    )
    x = SQUARE[:1]
    coarse, fine = (rays(shape, ERF[2], x, 100.0, order) for order in (11, 14))
    agree(coarse, fine, 3e-7)


def test_kernels_of_several_names() -> None:
    """Lines of two kernels between two vertices multiply, legs and loops have their own."""
    x = np.array([[0.3, -0.4]])
    kernels = {"A": ERF[2], "B": ReLU(d_in=2, bias=False)}
    shape = Shape(
        legs=((("A", 1), ("B", 1)), (("A", 2),)),
        loops=((("B", 1),), ()),
        powers=(0, 0),
        lines=((0, 1, "A", 2), (0, 1, "B", 1)),
    )
    agree(rays(shape, kernels, x, 2.0, 17), plain(shape, kernels, x, 2.0, 9), 1e-5)
    same = {"A": ERF[2], "B": ERF[2]}
    mixed = Shape(((("A", 1),), (("B", 1),)), ((), ()), (0, 0), ((0, 1, "A", 2), (0, 1, "B", 1)))
    agree(rays(mixed, same, x, 2.0, 11), rays(two(1, 1, 3), ERF[2], x, 2.0, 11), 1e-14)


# --- invariants -------------------------------------------------------------------------------------------------------


@settings(max_examples=10, deadline=None)
@given(st.sampled_from([2, 3]), st.integers(0, 10**6), st.sampled_from([0.5, 5.0, 100.0]), st.integers(1, 3))
def test_symmetries_of_the_box_and_of_the_inputs(d: int, seed: int, size: float, m: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(3, d))
    kernel = ERF[d] if seed % 2 else ReLU(sigma_b=0, d_in=d)
    order = 8 if d == 2 else 5
    shape = two(1, 2, m)
    value = rays(shape, kernel, x, size, order)
    turned = x[:, rng.permutation(d)] * rng.choice([-1.0, 1.0], size=d)
    agree(rays(shape, kernel, turned, size, order), value, 1e-12)
    swapped = rays(two(2, 1, m), kernel, x, size, order)
    agree(swapped.T, value, 1e-13)
    square = rays(two(2, 2, m), kernel, x, size, order)
    agree(square.T, square, 1e-14)
    if kernel.homogeneous is None:  # else panels break at the inputs
        fewer = rays(shape, kernel, x[:2], size, order)
        keep = multiset_rank(multisets(2, 2), 3)
        agree(fewer, value[:2][:, keep], 1e-13)
        order_of = rng.permutation(3)
        rows = multiset_rank(np.sort(order_of[multisets(3, 2)], axis=1), 3)
        agree(rays(shape, kernel, x[order_of], size, order), value[order_of][:, rows], 1e-13)


@settings(max_examples=20, deadline=None)
@given(st.sampled_from([2, 3]), st.integers(3, 6), st.booleans(), st.integers(0, 10**6))
def test_the_half_matrix_and_the_full_one_agree(d: int, n: int, homogeneous: bool, seed: int) -> None:
    core = 0.0 if homogeneous else 1.0
    kernel: Kernel = ReLU(sigma_b=0, d_in=d) if homogeneous else ERF[d]
    edges = (-1.0, -0.3, 0.3, 1.0) if d == 2 and seed % 2 else (-1.0, 1.0)
    rule = RayRule(d, 7.0, core, edges, 2, n, n + 1, n)
    matrix = ray_matrix(rule, ((kernel, 2),))
    rng = np.random.default_rng(seed)
    u, v = rng.normal(size=(2, len(rule.mesh))), rng.normal(size=(5, len(rule.mesh)))
    full = matrix.full()
    np.testing.assert_array_equal(full, full.T)
    agree(matrix.contract(u, v), u @ full @ v.T, 1e-12)
    agree(matrix.contract(v, v), v @ full @ v.T, 1e-12)


@pytest.mark.parametrize("d", [2, 3])
def test_the_matrix_stands_for_the_kernel_where_nothing_is_hard(d: int) -> None:
    """In a small box all is smooth, and the plain rule on the nodes is right for every first point."""
    rule = RayRule(d, 0.3, ERF[d].core, (-1.0, 1.0), 4, 10, 16, 16)
    nodes, weights = rule.mesh.nodes, rule.mesh.weights
    smooth = weights * ERF[d](np.full((1, d), 0.2), nodes)[0]
    agree(ray_matrix(rule, ((ERF[d], 2),)).full() @ smooth, ERF[d](nodes, nodes) ** 2 @ smooth, 1e-8)


@pytest.mark.parametrize("d", [2, 3])
@pytest.mark.parametrize("size", [0.1, 9.0, 100.0])
def test_nodes_cover_the_box(d: int, size: float) -> None:
    rule = ray_rule([ERF[d]], Cutoff(size), np.zeros((0, d)), 12)
    nodes, weights = rule.mesh.nodes, rule.mesh.weights
    assert np.abs(nodes).max() <= size
    assert weights.sum() == pytest.approx((2 * size) ** d, rel=1e-6)
    assert weights @ nodes[:, -1] ** 2 == pytest.approx((2 * size) ** d * size**2 / 3, rel=1e-5)
    assert sum(rule.symmetry.shares) * len(rule.symmetry.place) == pytest.approx(d * len(rule.face[0]), rel=1e-14)


def test_lagrange_polynomials() -> None:
    points = np.concatenate([np.polynomial.legendre.leggauss(9)[0], np.linspace(-1, 1, 7)])
    basis = lagrange(points, 9)
    np.testing.assert_allclose(basis[:, :9], np.eye(9), atol=1e-14)
    nodes = np.polynomial.legendre.leggauss(9)[0]
    for k in range(9):
        np.testing.assert_allclose(nodes**k @ basis, points**k, atol=1e-13)


@pytest.mark.parametrize("centre", [(0.2, -0.7), (0.2, 1.0), (1.0, 1.0), (1.4, 0.3), (1.2, -1.1), (9.0, 0.0)])
@pytest.mark.parametrize("width", [0.0, 0.02])
def test_cells_integrate_cones(centre: tuple[float, float], width: float) -> None:
    """The integral of (width^2 + r^2)^(3/2) over the square, against a product rule in the exact inner integral."""
    points, weights, panels = cell_rule((-1.0, 0.1, 1.0), np.array(centre), width, 30, 24)
    assert weights.sum() == pytest.approx(4.0, rel=1e-10)
    assert ((points[:, 0] > 0.1) == (panels[:, 0] == 1)).all()

    def inner(v: float) -> float:
        a = width**2 + (v - centre[1]) ** 2

        def primitive(u: float) -> float:
            r = np.sqrt(a + u * u)
            tail = 3 * a * a / 8 * np.arcsinh(u / np.sqrt(a)) if a else 0.0
            return float(u * r * (2 * u * u + 5 * a) / 8 + tail)

        return primitive(1 - centre[0]) - primitive(-1 - centre[0])

    breaks = [centre[1]] if -1 < centre[1] < 1 else None
    exact = quad(inner, -1, 1, points=breaks, epsabs=0, epsrel=1e-11, limit=200)[0]
    value = weights @ (width**2 + ((points - np.array(centre)) ** 2).sum(axis=1)) ** 1.5
    assert value == pytest.approx(exact, rel=1e-9)


def test_graded_rules() -> None:
    for width in (0.0, 1e-3, 1.0):
        t, w = graded(2.0, width, 30)
        assert (w > 0).all()
        assert w @ t**2 == pytest.approx(8 / 3, rel=1e-10)


# --- kernels ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kernel", [Erf(d_in=3), ReLU(d_in=3, sigma_b=0.7), ReLU(sigma_b=0, d_in=3)], ids=repr)
def test_kernels_of_invariants(kernel: Kernel) -> None:
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(5, 3)), rng.normal(size=(6, 3)) * 30
    xx, yy = (x * x).sum(1)[:, None], (y * y).sum(1)[None, :]
    wedge = (np.cross(x[:, None], y[None, :]) ** 2).sum(axis=2)
    np.testing.assert_allclose(kernel.of_invariants(xx, yy, x @ y.T, wedge), kernel(x, y), rtol=1e-12)


def test_where_the_rule_applies() -> None:
    shape, box = two(1, 1, 2), Cutoff(3.0)
    assert use_rays(shape, [ERF[2]], box)
    assert not use_rays(shape, [Erf()], box)
    assert not use_rays(shape, [Gauss(d_in=2)], box)
    assert not use_rays(shape, [ERF[2], Gauss(d_in=2)], box)
    assert not use_rays(shape, [Erf(d_in=4)], box)
    assert not use_rays(shape, [ERF[2]], None)

    class Own(Kernel):
        """Without the form of invariants it takes the plain mesh."""

        rotation_invariant = True

    assert not use_rays(shape, [Own(2)], box)


# --- the integrator ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kernel",
    [ERF[2], Erf(d_in=2), ReLU(d_in=2, bias=False), ReLU(sigma_b=0.3, d_in=2), ReLU(sigma_b=0, d_in=2)],
    ids=repr,
)
@pytest.mark.parametrize("size", [5.0, 100.0])
def test_bounds_hold(kernel: Kernel, size: float) -> None:
    """Every entry of 2 leg sets and 2 accuracies against a finer rule."""
    x = np.array([[-1.0, 0.6], [0.3, 1.2], [1.0, 1.0]])
    for shape in (two(1, 2, 1), two(2, 2, 2)):
        exact = rays(shape, kernel, x, size, 29).ravel()
        for rtol in (1e-4, 1e-7):
            p = Integrator({"K": kernel}, x, Cutoff(size), rtol=rtol).shape_value(shape)
            assert (np.abs(p.values - exact) <= p.bound).all()
            assert (p.bound <= rtol * np.abs(exact).max() * 3).all()


def test_work_is_bounded_and_what_was_reached_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    shape = two(1, 1, 1)
    assert ray_excess(shape, ray_rule([ERF[2]], Cutoff(5.0), SQUARE, RAY_ORDERS[2][-1]), 4) == ""
    huge = ray_rule([ERF[3]], Cutoff(1e6), np.zeros((0, 3)), 60)
    assert "GB" in ray_excess(shape, huge, 4)
    tool = Integrator({"K": ReLU(d_in=2, bias=False)}, SQUARE[:1], Cutoff(5.0), rtol=1e-12)
    monkeypatch.setattr("feynnn.perturbation.rays.MAX_RAY_WORK", 1e8)
    with pytest.raises(
        ComputationError, match=r"did not meet rtol = 1e-12: reached .*, the next rule of .* nodes needs"
    ):
        tool.shape_value(shape)


def test_adding_inputs_to_the_integrator_changes_nothing() -> None:
    x = np.random.default_rng(0).normal(size=(6, 2))
    tools = [Integrator({"K": ERF[2]}, x[:m], Cutoff(100.0), rtol=1e-6) for m in (2, 6)]
    few, many = (tool.shape_value(two(1, 3, 1)) for tool in tools)
    assert many.values.shape == (6 * comb(8, 3),)
    keep = multiset_rank(multisets(2, 3), 6)
    both = many.values.reshape(6, -1)[:2][:, keep].ravel()
    assert (np.abs(few.values - both) <= few.bound + many.bound.reshape(6, -1)[:2][:, keep].ravel()).all()
