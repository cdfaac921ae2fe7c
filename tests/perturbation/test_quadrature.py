"""Cutoffs, panels and meshes: what they cover, where they break, what they integrate exactly."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feynnn.errors import ComputationError, DivergenceError, InputError
from feynnn.perturbation.quadrature import (
    Cutoff,
    as_cutoff,
    axis_edges,
    axis_rule,
    boundary_mesh,
    even_mesh,
    gauss_legendre,
    mesh,
    mesh_size,
    panel_rule,
    require_convergent,
    subdivide,
    tensor_mesh,
    use_pyramids,
)
from feynnn.points import Array
from feynnn.theory.kernels import Erf, FreeScalar, FromCallable, Gauss, Kernel, Lattice, ReLU

BOX = 3.0
ALL = [
    Gauss(sigma_b=0),
    Gauss(sigma_w=3.0),
    Erf(),
    Erf(sigma_w=5.0, sigma_b=0.1),
    ReLU(),
    ReLU(sigma_b=0),
    FreeScalar(),
    FreeScalar(mass=0.01),
    FromCallable(lambda x, y: 1 / (1 + (x - y.T) ** 2)),
]


def plain(x: Array, y: Array) -> Array:
    return np.asarray(1 / (1 + ((x[:, None, :] - y[None, :, :]) ** 2).sum(axis=2)))


# --- cutoffs ----------------------------------------------------------------------------------------------------------


def test_a_cutoff_is_a_positive_number() -> None:
    assert Cutoff(5).value == 5.0
    assert Cutoff(float(np.float32(0.5))).value == 0.5
    assert Cutoff().value == np.inf
    assert (Cutoff(1e-3).is_finite, Cutoff().is_finite) == (True, False)
    assert [repr(Cutoff(v)) for v in (5.0, 1e5, np.inf)] == ["Cutoff(5)", "Cutoff(100000)", "Cutoff(inf)"]
    assert Cutoff(2) == Cutoff(2.0) != Cutoff(3.0)
    assert len({Cutoff(2), Cutoff(2.0)}) == 1


@pytest.mark.parametrize("value", [0, -1, -np.inf, np.nan, "a", "5", None, 1j, True, [5.0], np.array([1.0, 2.0])])
def test_other_cutoffs_are_refused(value: Any) -> None:
    with pytest.raises(InputError, match=r"a cutoff (is a positive number \(or infinity\)|must be a real number), got"):
        Cutoff(value)


def test_only_a_cutoff_or_none_passes_for_one() -> None:
    assert as_cutoff(None) is None
    assert as_cutoff(Cutoff(2.0)) == Cutoff(2.0)
    with pytest.raises(InputError, match=r"cutoff must be a Cutoff, got 2.5; write Cutoff\(2.5\)"):
        as_cutoff(2.5)


@pytest.mark.parametrize(
    ("kernel", "cutoff", "message"),
    [
        (Gauss(), Cutoff(), r"tends to a constant of at least sigma_b\^2 = 1; pass mine=K.without_bias\(\)$"),
        (Gauss(sigma_b=0.5, d_in=3), Cutoff(), r"sigma_b\^2 = 0.25; pass mine=K.without_bias\(\)$"),
        (Erf(), Cutoff(), r"use a finite cutoff \(and mine=K.without_bias\(\)\)$"),
        (Erf(bias=False), Cutoff(), "depends on the direction; use a finite cutoff$"),
        (ReLU(bias=False), Cutoff(), "it grows linearly; use a finite cutoff$"),
        (FromCallable(plain), Cutoff(), r"its decay is not known \(give decay_length= to FromCallable\)"),
    ],
)
def test_divergences_name_reason_and_remedy(kernel: Kernel, cutoff: Cutoff, message: str) -> None:
    with pytest.raises(DivergenceError, match=message):
        require_convergent(kernel, cutoff, "mine")
    require_convergent(kernel, Cutoff(1e5))


def test_what_exists_over_all_space() -> None:
    for kernel in (Gauss(sigma_b=0), FreeScalar(), FromCallable(plain, decay_length=2.0), Gauss(bias=False, d_in=4)):
        require_convergent(kernel, Cutoff())
    require_convergent(Lattice([[1.0]]), None)
    with pytest.raises(InputError, match="takes no cutoff"):
        require_convergent(Lattice([[1.0]]), Cutoff())
    with pytest.raises(InputError, match="pass cutoff=Cutoff"):
        require_convergent(Gauss(sigma_b=0), None)


# --- panels -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [1, 6, 48, 162])
def test_gauss_legendre_is_exact_for_polynomials(order: int) -> None:
    t, w = gauss_legendre(order)
    for power in (0, 1, order, 2 * order - 1):
        assert w @ t**power == pytest.approx((1 - (-1) ** (power + 1)) / (power + 1), abs=1e-13)


def test_composite_rules_add_their_panels_up() -> None:
    t, w = panel_rule(np.array([-1.0, 0.5, 4.0]), 4)
    assert len(t) == 8
    assert (np.diff(t) > 0).all()
    for power in range(8):
        assert w @ t**power == pytest.approx((4.0 ** (power + 1) - (-1.0) ** (power + 1)) / (power + 1), rel=1e-13)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-50, 50), min_size=2, max_size=8), st.floats(0.1, 20))
def test_subdivision_keeps_edges_and_shortens_panels(values: list[float], longest: float) -> None:
    edges = np.array([*values, -60.0])
    result = subdivide(edges, longest)
    steps = np.diff(result)
    assert (steps > 0).all()
    assert (steps <= longest * (1 + 1e-12)).all()
    for e in edges:
        assert np.abs(result - e).min() <= 1e-10
    assert len(result) <= len(edges) + np.ptp(edges) / longest + 1


def test_panels_shorter_than_rounding_are_dropped() -> None:
    assert subdivide(np.array([0.0, 1.0, 1.0 + 1e-15, 2.0]), 5.0).tolist() == [0.0, 1.0, 2.0]
    assert len(subdivide(np.array([1.0, 1.0, 3.0]), 5.0)) == 2


def test_a_region_far_too_large_for_the_kernel_is_refused() -> None:
    with pytest.raises(ComputationError, match=r"from 0 to 1e.10 in panels of 1 is too large; the kernel is narrow"):
        subdivide(np.array([0.0, 1e10]), 1.0)
    with pytest.raises(ComputationError, match="use a smaller cutoff or inputs that are closer together"):
        axis_edges([Gauss(sigma_b=0)], Cutoff(), np.array([0.0, 1e12]), 1)
    with pytest.raises(ComputationError, match="is too large"):
        axis_edges([Gauss()], Cutoff(1e12), np.zeros(0), 1)


# --- one axis ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kernel", ALL, ids=repr)
@pytest.mark.parametrize("size", [1e-3, BOX, 1e5])
def test_every_input_in_the_box_is_an_edge_unless_all_kernels_are_analytic(kernel: Kernel, size: float) -> None:
    x = np.array([-2.0, -1e-4, 0.3, 0.3, 1.7, 40.0]) * size / 2.5
    edges, scale = axis_edges([kernel], Cutoff(size), x, 1)
    y = edges if scale is None else scale * np.sinh(edges)
    for inside in x[np.abs(x) < size]:
        assert np.abs(y - inside).min() <= 1e-12 * size or kernel.analytic
    if size > BOX:
        return
    with_kink, scale = axis_edges([kernel, ReLU(1.0, 0.0)], Cutoff(size), x, 1)
    y = with_kink if scale is None else scale * np.sinh(with_kink)
    assert all(np.abs(y - inside).min() <= 1e-12 * size for inside in x[np.abs(x) < size])
    assert y[0] >= -size * (1 + 1e-12)
    assert y[-1] <= size * (1 + 1e-12)


@pytest.mark.parametrize("kernel", ALL, ids=repr)
def test_rules_cover_the_box_wherever_the_kernel_lives(kernel: Kernel) -> None:
    for size in (1e-3, 0.5, BOX):
        y, w = axis_rule([kernel], Cutoff(size), np.array([0.1]), 14, 1)
        assert (w > 0).all()
        for power in (0, 2, 4):
            assert w @ y**power == pytest.approx(2 * size ** (power + 1) / (power + 1), rel=1e-10)


@pytest.mark.parametrize("kernel", [Gauss(sigma_b=0), FreeScalar(mass=2.0)], ids=repr)
@pytest.mark.parametrize("place", [0.0, 2.0, 5.0, 12.0, 100.0])
@pytest.mark.parametrize("size", [0.5, 3.0, 50.0, np.inf])
def test_what_lies_beyond_the_rule_is_small_beside_the_rest(kernel: Kernel, place: float, size: float) -> None:
    """Also where the input sits outside the box, and the kernel is tiny in all of it."""
    y, _ = axis_rule([kernel], Cutoff(size), np.array([place]), 32, 1)
    k = kernel([place], np.clip([y.min() - 0.3, y.max() + 0.3], -size, size))[0]
    ends = [(y.min() - 0.3, k[0]), (y.max() + 0.3, k[1])]
    peak = kernel([place], [min(place, size)])[0, 0]
    for end, value in ends:
        assert abs(end) >= size or value <= 1e-15 * peak


def test_a_constant_outside_is_kept_and_a_line_between_vertices_resolved() -> None:
    x = np.array([0.0])
    one, _ = axis_edges([Gauss()], Cutoff(100.0), x, 1)
    two, _ = axis_edges([Gauss()], Cutoff(100.0), x, 2)
    assert one[0] == two[0] == -100.0
    assert one[1] > -10.0  # a single panel: nothing but the constant lives there
    assert np.diff(two).max() <= 2.0


def test_the_origin_is_an_edge_when_there_are_no_inputs() -> None:
    for kernel in (FreeScalar(), Gauss(sigma_b=0), Gauss(sigma_w=0.3), Erf()):
        for cutoff in (Cutoff(7.3), Cutoff()):
            if cutoff.is_finite or kernel.reach is not None:
                assert 0.0 in axis_edges([kernel], cutoff, np.zeros(0), 1)[0]


def test_two_kernels_share_reach_and_length() -> None:
    wide, narrow, graded = Gauss(sigma_w=0.5, sigma_b=0), Gauss(sigma_w=4.0, sigma_b=0), Erf(bias=False)
    x = np.array([0.2])
    edges, scale = axis_edges([narrow, wide], Cutoff(), x, 1)
    assert scale is None
    assert edges[0] == pytest.approx(0.2 - (wide.reach or 0.0))
    assert np.diff(edges).max() <= 2 * narrow.length
    t, c = axis_edges([graded, narrow], Cutoff(1e4), x, 1)
    assert c == graded.length
    y = c * np.sinh(t)
    assert y[-1] == pytest.approx(1e4)
    near = y[np.abs(y - 0.2) <= (narrow.reach or 0.0) * (1 + 1e-9)]
    assert np.diff(near).max() <= 2 * narrow.length * (1 + 1e-9)
    # along the whole box if a line between two vertices is narrow
    far, _ = axis_edges([graded, narrow], Cutoff(50.0), x, 2)
    assert np.diff(np.sinh(far)).max() <= 2 * narrow.length * (1 + 1e-9)


# --- even meshes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kernel", [FreeScalar(), FromCallable(lambda x, y: np.exp(-abs(x - y.T)))], ids=repr)
def test_even_meshes_are_trapezoid_rules(kernel: Kernel) -> None:
    x = np.array([[-0.7], [1.1]])
    coarse, fine = (even_mesh([kernel], Cutoff(4.0), x, steps, 2) for steps in (4, 8))
    edges, scale = axis_edges([kernel], Cutoff(4.0), x[:, 0], 2)
    assert len(coarse) == (len(edges) - 1) * 4 + 1
    assert (np.diff(coarse.nodes[:, 0]) > 0).all()
    assert np.isin(np.round(coarse.nodes, 12), np.round(fine.nodes, 12)).all()
    for u in x:
        assert np.abs(coarse.nodes - u).min() < 1e-12
    assert fine.nodes[[0, -1], 0] == pytest.approx([-4.0, 4.0])
    errors = [abs(m.weights @ np.cos(m.nodes[:, 0]) - 2 * np.sin(4.0)) for m in (coarse, fine)]
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.05)
    if scale is None:
        assert fine.weights.sum() == pytest.approx(8.0, rel=1e-13)


# --- meshes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("d_in", [1, 2, 3])
@pytest.mark.parametrize("order", [6, 9])
def test_mesh_size_is_the_size_of_the_mesh(d_in: int, order: int) -> None:
    x = np.random.default_rng(0).normal(size=(3, d_in))
    x[2] = x[1]
    for cutoff in (Cutoff(0.5), Cutoff(4.0), Cutoff(1e4)):
        for kernel in (Gauss(sigma_b=0, d_in=d_in), Erf(d_in=d_in), ReLU(d_in=d_in), ReLU(sigma_b=0, d_in=d_in)):
            for points in (x, x[:0]):
                if d_in == 3 and isinstance(kernel, Gauss) and (cutoff.value > 10 or order > 6):
                    continue
                size = mesh_size([kernel], cutoff, points, order, 1)
                if size < 1e6:
                    assert size == len(mesh([kernel], cutoff, points, order)) > 0


def test_only_kernels_with_rays_get_pyramids() -> None:
    assert use_pyramids([Erf(d_in=2)])
    assert use_pyramids([ReLU(d_in=3), Erf(d_in=3)])
    assert not use_pyramids([Erf(d_in=1)])
    assert not use_pyramids([Gauss(d_in=2)])
    assert not use_pyramids([Erf(d_in=2), Gauss(d_in=2)])


@pytest.mark.parametrize("kernel", [Gauss(d_in=2), FromCallable(plain, d_in=2), Erf(d_in=2), ReLU(sigma_b=0, d_in=2)])
def test_moments_of_a_square(kernel: Kernel) -> None:
    x = np.array([[0.3, -1.0], [1.2, 0.4]])
    grid = mesh([kernel], Cutoff(BOX), x, 21)
    u, v = grid.nodes.T
    for p, q in ((0, 0), (2, 0), (2, 4), (1, 0), (3, 2)):
        exact = 0.0 if p % 2 or q % 2 else 4 * BOX ** (p + q + 2) / (p + 1) / (q + 1)
        assert grid.weights @ (u**p * v**q) == pytest.approx(exact, rel=1e-11, abs=1e-9)


def test_tensor_meshes_break_at_the_coordinates_of_inputs() -> None:
    x = np.array([[0.4, -0.2, 1.0]])
    grid = tensor_mesh([FromCallable(plain, d_in=3)], Cutoff(2.0), x, 6, 1)
    # kinks along the coordinate planes through the input are integrated exactly up to smooth parts
    found = grid.weights @ np.abs(grid.nodes - x).sum(axis=1)
    exact = sum(16 * ((2 - u) ** 2 + (2 + u) ** 2) / 2 for u in x[0])
    assert found == pytest.approx(exact, rel=1e-4)


def test_a_lattice_is_its_own_mesh() -> None:
    k = Lattice(np.eye(2), sites=[[0.0, 1.0], [2.0, 5.0]], weights=[0.5, -0.25])
    grid = mesh([k], None, np.zeros((1, 2)), 6)
    np.testing.assert_array_equal(grid.nodes, k.sites)
    np.testing.assert_array_equal(grid.weights, k.weights)
    assert len(grid) == 2


# --- surfaces ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("d_in", [1, 2, 3])
@pytest.mark.parametrize("make", [lambda d: FromCallable(plain, d_in=d), lambda d: Erf(d_in=d), lambda d: ReLU(d_in=d)])
def test_surface_of_the_box(d_in: int, make: Any) -> None:
    x = np.random.default_rng(1).uniform(-1, 1, size=(2, d_in))
    if d_in == 1:
        surface = boundary_mesh([make(1)], Cutoff(BOX), x, 6)
        assert sorted(surface.nodes[:, 0]) == [-BOX, BOX]
        assert surface.weights.tolist() == [1.0, 1.0]
        return
    surface = boundary_mesh([make(d_in)], Cutoff(BOX), x, 14)
    assert surface.weights.sum() == pytest.approx(2 * d_in * (2 * BOX) ** (d_in - 1), rel=1e-12)
    np.testing.assert_allclose(np.abs(surface.nodes).max(axis=1), BOX, rtol=1e-12)
    assert surface.weights @ surface.nodes[:, 0] == pytest.approx(0, abs=1e-10)


@pytest.mark.parametrize("d_in", [1, 2, 3])
def test_surface_integrals_are_derivatives_by_the_cutoff(d_in: int) -> None:
    k = Gauss(sigma_b=0, d_in=d_in)
    x = np.array([[0.5, -0.3, 0.1][:d_in], [1.0, 0.2, 0.9][:d_in]])

    def value(grid: Any) -> float:
        return float(grid.weights @ k(x, grid.nodes).prod(axis=0))

    h = 1e-3
    up, down = (value(tensor_mesh([k], Cutoff(1.5 + s * h), x, 21, 1)) for s in (1, -1))
    assert value(boundary_mesh([k], Cutoff(1.5), x, 21)) == pytest.approx((up - down) / (2 * h), rel=1e-5)


def test_equal_steps_where_analytic_kernels_decay_within_the_box() -> None:
    """Two Gaussians: exact to rounding on 9 steps for 2.7 lengths; panels as soon as the box cuts something off."""
    kernel, x = Gauss(sigma_b=0), np.array([[-0.4], [1.1]])
    sizes = []
    for order in (6, 9, 14):
        found = mesh([kernel], Cutoff(), x, order)
        sizes.append(len(found))
        assert len(found) == mesh_size([kernel], Cutoff(), x, order, 1)
        steps = np.diff(found.nodes[:, 0])
        np.testing.assert_allclose(steps, steps[0], rtol=1e-9)
        assert steps[0] <= 2.7 / order
        value = found.weights @ np.prod(kernel(x, found.nodes), axis=0)
        if order >= 9:
            assert value == pytest.approx(np.sqrt(np.pi) * np.exp(-(1.5**2) / 4), rel=1e-14)
    panels = mesh([kernel], Cutoff(3.0), x, 6)
    assert np.ptp(np.diff(panels.nodes[:, 0])) > 1e-3
    assert len(mesh([Erf(bias=False)], Cutoff(3.0), x, 6)) == mesh_size([Erf(bias=False)], Cutoff(3.0), x, 6, 1)
    assert sizes == sorted(sizes)
