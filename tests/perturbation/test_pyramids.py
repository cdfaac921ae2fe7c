"""Pyramid meshes: volume, moments, surfaces, breaks at the directions of inputs, convergence."""

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from perturbation_oracles import erf_kernel, relu_kernel
from scipy.integrate import quad

from feynnn.errors import InputError
from feynnn.perturbation.pyramids import pyramid_boundary, pyramid_mesh, pyramid_size
from feynnn.perturbation.quadrature import Cutoff, gauss_legendre
from feynnn.points import Array
from feynnn.theory.kernels import Erf, Kernel, ReLU

NONE = {d: np.zeros((0, d)) for d in (2, 3)}


def kernels(d: int) -> list[Kernel]:
    return [Erf(d_in=d), ReLU(d_in=d), ReLU(sigma_b=0, d_in=d)]


def moment(powers: tuple[int, ...], size: float) -> float:
    if any(p % 2 for p in powers):
        return 0.0
    return float(np.prod([2 * size ** (p + 1) / (p + 1) for p in powers]))


@pytest.mark.parametrize("d_in", [2, 3])
@pytest.mark.parametrize("size", [1e-3, 1.0, 7.0])
def test_volume_and_moments_of_the_box(d_in: int, size: float) -> None:
    x = np.random.default_rng(d_in).uniform(-2, 2, size=(2, d_in))
    for kernel in kernels(d_in):
        grid = pyramid_mesh([kernel], Cutoff(size), x, 9)
        assert (grid.weights > 0).all()
        assert np.abs(grid.nodes).max() <= size
        for powers in ((0, 0, 0), (2, 0, 0), (1, 1, 0), (2, 2, 0), (3, 0, 0), (4, 0, 0)):
            value = grid.weights @ np.prod(grid.nodes ** np.array(powers[:d_in]), axis=1)
            scale = size ** (sum(powers) + d_in)
            assert value == pytest.approx(moment(powers[:d_in], size), rel=1e-9, abs=1e-9 * scale)


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 3), st.integers(0, 3), st.sampled_from([6, 9, 14]), st.floats(0.01, 1e5), st.integers(0, 10**6))
def test_sizes_are_known_without_making_the_mesh(d: int, m: int, order: int, size: float, seed: int) -> None:
    x = np.random.default_rng(seed).normal(size=(m, d))
    for kernel in kernels(d):
        n = pyramid_size([kernel], Cutoff(size), x, order)
        if n < 200_000:
            assert n == len(pyramid_mesh([kernel], Cutoff(size), x, order))


@pytest.mark.parametrize("d_in", [2, 3])
def test_the_surface_has_its_area_and_all_faces(d_in: int) -> None:
    surface = pyramid_boundary(Cutoff(3.0), NONE[d_in], 6)
    assert surface.weights.sum() == pytest.approx(2 * d_in * 6.0 ** (d_in - 1), rel=1e-13)
    np.testing.assert_allclose(np.abs(surface.nodes).max(axis=1), 3.0)
    for axis, side in product(range(d_in), (3.0, -3.0)):
        face = surface.nodes[:, axis] == side
        assert surface.weights[face].sum() == pytest.approx(6.0 ** (d_in - 1), rel=1e-13)


@pytest.mark.parametrize("d_in", [2, 3])
@pytest.mark.parametrize("kernel", [Erf, ReLU])
def test_surface_integrals_are_derivatives_by_the_cutoff(d_in: int, kernel: type[Erf] | type[ReLU]) -> None:
    k = kernel(d_in=d_in, bias=False)
    x = np.array([[0.5, -0.3, 0.8], [1.0, 0.2, -0.4]])[:, :d_in]

    def legs(nodes: Array) -> Array:
        return np.asarray(k(x, nodes).prod(axis=0))

    h = 1e-3
    grids = [pyramid_mesh([k], Cutoff(2.0 + s * h), x, 14) for s in (1, -1)]
    up, down = (float(g.weights @ legs(g.nodes)) for g in grids)
    surface = pyramid_boundary(Cutoff(2.0), x, 14)
    assert float(surface.weights @ legs(surface.nodes)) == pytest.approx((up - down) / (2 * h), rel=1e-5)


def test_homogeneous_kernels_take_one_radial_panel() -> None:
    """The radial integrals of polynomials of degree 9 are exact at the coarsest mesh."""
    x = np.array([[0.5, 1.0]])
    k = ReLU(sigma_b=0, d_in=2)
    coarse, other = (pyramid_size([kernel], Cutoff(100.0), x, 6) for kernel in (k, ReLU(d_in=2)))
    assert coarse < other
    grid = pyramid_mesh([k], Cutoff(100.0), x, 6)
    rho = np.abs(grid.nodes).max(axis=1)
    # integral of rho^8 over the square: 8 L^10 / 10
    assert grid.weights @ rho**8 == pytest.approx(0.8 * 100.0**10, rel=1e-12)
    # beside a kernel that is not homogeneous the panels are graded as usual
    assert pyramid_size([k, Erf(d_in=2)], Cutoff(100.0), x, 6) > coarse


def relu_polar(x: Array, size: float) -> float:
    """Integral over [-L, L]^2 of prod_i K(x_i, y) at sigma_b = 0 in polar coordinates, the radius in closed form."""
    power = len(x) + 2

    def density(angle: float) -> float:
        e = (np.cos(angle), np.sin(angle))
        radius = size / max(abs(e[0]), abs(e[1]))
        return float(radius**power / power * np.prod([relu_kernel(u, e, bias=0.0) for u in x]))

    special = [np.arctan2(u[1], u[0]) + s for u in x for s in (0, np.pi)] + [
        np.pi / 4 + k * np.pi / 2 for k in range(4)
    ]
    breaks = np.unique(np.concatenate([[0.0, 2 * np.pi], np.mod(special, 2 * np.pi)]))
    return sum(quad(density, a, b, epsabs=0, epsrel=1e-12)[0] for a, b in pairwise(breaks))


@pytest.mark.parametrize("size", [0.3, 5.0, 1e3])
def test_relu_in_the_plane_against_polar_coordinates(size: float) -> None:
    x = np.array([[0.7, 0.2], [-0.5, 1.0], [0.1, -0.9]])
    exact = relu_polar(x, size)
    k = ReLU(sigma_b=0, d_in=2)
    errors = []
    for order in (6, 9, 14):
        grid = pyramid_mesh([k], Cutoff(size), x, order)
        errors.append(abs(float(grid.weights @ k(x, grid.nodes).prod(axis=0)) / exact - 1))
    assert errors[0] < 1e-5
    assert errors[2] < 1e-11


@pytest.mark.parametrize(("d_in", "size", "n"), [(2, 0.5, 40), (2, 4.0, 80), (3, 1.5, 30)])
def test_erf_against_a_plain_product_rule(d_in: int, size: float, n: int) -> None:
    """The kernel is analytic, so that one fine Gauss-Legendre rule over the box is a reference."""
    x = np.random.default_rng(n).uniform(-1, 1, size=(2, d_in))
    t, w = gauss_legendre(n)
    grids = [g.ravel() for g in np.meshgrid(*[size * t] * d_in, indexing="ij")]
    weights = np.prod([g.ravel() for g in np.meshgrid(*[size * w] * d_in, indexing="ij")], axis=0)
    nodes = np.stack(grids, axis=1)
    k = Erf(d_in=d_in, bias=False)
    assert k(x[:1], nodes[:1])[0, 0] == pytest.approx(erf_kernel(x[0].tolist(), nodes[0].tolist()))
    exact = float(weights @ k(x, nodes).prod(axis=0))
    errors = []
    for order in (6, 14):
        grid = pyramid_mesh([k], Cutoff(size), x, order)
        errors.append(abs(float(grid.weights @ k(x, grid.nodes).prod(axis=0)) / exact - 1))
    assert errors[0] < 1e-4
    assert errors[1] < 1e-8


def test_more_than_three_dimensions_are_refused() -> None:
    x = np.zeros((1, 4))
    for call in (lambda: pyramid_size([Erf(d_in=4)], Cutoff(1.0), x, 6), lambda: pyramid_boundary(Cutoff(1.0), x, 6)):
        with pytest.raises(InputError, match=r"for d_in = 1, 2, 3; in d_in = 4 use a kernel that factorises"):
            call()
    with pytest.raises(InputError, match="factorises over the coordinates"):
        pyramid_mesh([Erf(d_in=4)], Cutoff(1.0), x, 6)
