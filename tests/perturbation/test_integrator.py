"""Integrator beside its numbers: volumes, accuracies asked and reached, inputs, derivatives by the cutoff, refusals."""

from math import inf
from typing import Any

import numpy as np
import pytest
from perturbation_oracles import gaussian_integral
from single_integrals import V, close, column, integrate, pair, star

from feynnn.diagrams.generation import generate
from feynnn.errors import ComputationError, DivergenceError, InputError
from feynnn.perturbation.contractions import Shape, contraction, products_of
from feynnn.perturbation.integration import ORDERS, STEPS, Integrator
from feynnn.perturbation.quadrature import Cutoff, mesh
from feynnn.theory import Theory
from feynnn.theory.kernels import Erf, FreeScalar, FromCallable, Gauss, Kernel, Lattice, ReLU
from feynnn.uncertain import Uncertain

PHI4 = Theory.parse("lam*f**4")


# --- volumes, vacuum diagrams, one point fixed ------------------------------------------------------------------------


@pytest.mark.parametrize("kernel", [Gauss(d_in=2), Erf(d_in=2), ReLU(sigma_b=0, d_in=2), FreeScalar(d_in=2)], ids=repr)
def test_an_integral_without_kernels_is_a_volume(kernel: Kernel) -> None:
    empty = np.zeros((0, 2))
    tool = Integrator({V: kernel}, empty, Cutoff(1.5))
    rows = np.zeros((1, 0), dtype=np.int64)
    assert tool.piece(contraction([0], [], [], {}), rows).values[0] == pytest.approx(9.0, rel=1e-12)
    assert tool.piece(contraction([0], [], [], {0: 2}), rows).values[0] == pytest.approx(9 * 1.5, rel=1e-12)
    with pytest.raises(DivergenceError, match=r"proportional to its volume|diverges"):
        Integrator({V: kernel}, empty, Cutoff()).piece(contraction([0], [], [], {}), rows)


@pytest.mark.parametrize("d_in", [1, 2, 3])
def test_vacuum_bubble_with_one_point_fixed(d_in: int) -> None:
    """The integral of K(0, y)^4 over all space."""
    bubble = contraction([0, 1], [], [(0, 1, V)] * 4, {})
    k = Gauss(sigma_b=0, d_in=d_in)
    p = Integrator({V: k}, np.zeros((0, d_in)), Cutoff(), pinned=True, rtol=1e-9).shape_value(bubble.shape)
    assert close(p, (np.pi * d_in / 2) ** (d_in / 2))


def test_three_points_with_one_fixed(monkeypatch: pytest.MonkeyPatch) -> None:
    triangle = contraction([0, 1, 2], [], [(0, 1, V), (1, 2, V), (0, 2, V)] * 2, {})
    p = Integrator({V: Gauss(sigma_b=0)}, np.zeros((0, 1)), Cutoff(), pinned=True).shape_value(triangle.shape)
    assert close(p, gaussian_integral(1, 2, [(0, 1), (1, 2), (0, 2)] * 2, np.zeros((1, 1))))
    with pytest.raises(ComputationError, match=r"the next mesh of .* nodes needs .* multiplications"):
        monkeypatch.setattr("feynnn.perturbation.integration.MAX_FLOPS", 1e3)
        Integrator({V: Gauss(sigma_b=0)}, np.zeros((0, 1)), Cutoff(), pinned=True).shape_value(triangle.shape)
    monkeypatch.undo()
    # two bubbles that meet in the fixed point, or in another one: the fixed point may be any
    chain = contraction([0, 1, 2], [], [(0, 1, V), (1, 2, V)] * 2, {})
    q = Integrator({V: Gauss(sigma_b=0)}, np.zeros((0, 1)), Cutoff(), pinned=True).shape_value(chain.shape)
    assert close(q, np.pi)


# --- accuracy asked and reached ---------------------------------------------------------------------------------------


def test_the_bound_follows_the_tolerance() -> None:
    x = column([0.1, 0.4, -0.7, 1.0])
    bounds = [integrate(star(4), Erf(bias=False), x, 100.0, rtol=r).bound[0] for r in (1e-2, 1e-6, 1e-10)]
    assert bounds[0] >= bounds[1] >= bounds[2]


@pytest.mark.parametrize("d_in", [1, 2])
def test_an_absolute_tolerance_alone(d_in: int) -> None:
    x = np.full((2, d_in), 0.3)
    tool = Integrator({V: Gauss(sigma_b=0, d_in=d_in)}, x, Cutoff(), rtol=0.0, atol=1e-6)
    p = tool.piece(star(2), np.array([[0, 1]]))
    assert abs(p.values[0] - (np.pi * d_in) ** (d_in / 2)) <= p.bound[0] <= 1.1e-6


def test_multisets_of_inputs_share_the_largest_relative_difference() -> None:
    """One difference of two meshes may be small because it changes sign there."""
    x = column([0.0, 0.4, 1.1, 2.0])
    tool = Integrator({V: Gauss(sigma_b=0)}, x, Cutoff(), rtol=1e-3)
    p = tool.shape_value(pair(2, 2, 2).shape)
    relative = p.bound / p.values
    assert relative.min() > 0.9 * relative.max()
    assert relative.max() <= 1.1e-3


def test_tolerances_below_rounding_are_refused_by_name() -> None:
    with pytest.raises(
        ComputationError, match=r"1-vertex integral of Erf.* over Cutoff\(5\) did not meet rtol = 0: re"
    ):
        integrate(star(3), Erf(bias=False), column([0.1, 0.4, -0.7]), 5.0, rtol=0.0)


def test_a_kink_that_is_not_resolved_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("feynnn.perturbation.integration.MAX_WORK", 2e5)
    with pytest.raises(
        ComputationError, match=r"reached .* \(it has a kink between vertices\), the next mesh has \d+ n"
    ):
        integrate(pair(1, 1, 1), FreeScalar(), column([0.0, 1.0]), inf, rtol=1e-12)
    monkeypatch.setattr("feynnn.perturbation.integration.MAX_WORK", 1e5)
    with pytest.raises(ComputationError, match="too few meshes fit to tell what was reached"):
        integrate(pair(1, 1, 1), FreeScalar(), column([0.0, 1.0]), inf, rtol=1e-12)


@pytest.mark.parametrize(
    ("limit", "value", "message"), [("MEMORY", 4e3, "needs 0.0 GB"), ("MAX_FLOPS", 2e4, "multipl")]
)
def test_meshes_that_are_too_dear_are_not_tried(
    monkeypatch: pytest.MonkeyPatch, limit: str, value: float, message: str
) -> None:
    monkeypatch.setattr(f"feynnn.perturbation.integration.{limit}", value)
    with pytest.raises(ComputationError, match=message):
        integrate(pair(2, 2, 2), Erf(bias=False), column([0.0, 0.2, 0.4, 1.0]), 5.0, rtol=1e-10)


def test_refinements_grow_by_about_a_half() -> None:
    for levels in (ORDERS, STEPS):
        ratios = np.array(levels[1:]) / np.array(levels[:-1])
        assert ((ratios >= 1.3) & (ratios <= 1.6)).all()


def test_a_shape_is_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    tool = Integrator({V: Gauss(sigma_b=0)}, column([0.0, 1.0]), Cutoff())
    first = tool.shape_value(star(4).shape)
    monkeypatch.setattr("feynnn.perturbation.integration.evaluate", None)
    assert tool.shape_value(star(4).shape) is first


# --- positions of inputs ----------------------------------------------------------------------------------------------


def test_pieces_look_their_inputs_up() -> None:
    """Every assignment of three inputs to the legs of two points, one evaluation."""
    x = column([0.0, 0.5, -1.2])
    tool = Integrator({V: Gauss(sigma_b=0)}, x, Cutoff())
    c = contraction([4, 9], [(0, 9, V), (1, 4, V), (2, 9, V)], [(4, 9, V)], {})
    rows = np.array(np.meshgrid(*[range(3)] * 3, indexing="ij")).reshape(3, -1).T
    p = tool.piece(c, rows)
    for row, value in zip(rows, p.values, strict=True):
        exact = gaussian_integral(3, 2, [(0, 3), (1, 4), (2, 3), (3, 4)], x[row])
        assert value == pytest.approx(exact, rel=1e-11)


# --- the derivative by the cutoff -------------------------------------------------------------------------------------


@pytest.mark.parametrize("d_in", [1, 2])
@pytest.mark.parametrize("kind", [Gauss, Erf, ReLU])
def test_boundary_is_the_derivative_by_the_cutoff(d_in: int, kind: type[Gauss] | type[Erf] | type[ReLU]) -> None:
    k = kind(d_in=d_in)
    x = np.random.default_rng(3).uniform(-1, 1, size=(2, d_in))
    rows = np.array([[0, 0, 0, 0], [0, 1, 1, 1]])
    theory = Theory.parse("lam*(1 + y**2)*f**4")
    for d in generate(theory, 4, order=1):
        for term in products_of(d):

            def value(size: float, term: Any = term) -> Uncertain:
                tool = Integrator({"K": k, V: k.without_bias()}, x, Cutoff(size), rtol=1e-9)
                return tool.product(term, rows)

            h = 1e-3
            slope = (value(2 + h).values - value(2 - h).values) / (2 * h)
            tool = Integrator({"K": k, V: k.without_bias()}, x, Cutoff(2.0), rtol=1e-8)
            p = tool.boundary(term, rows)
            np.testing.assert_allclose(p.values, slope, rtol=1e-5)
            assert (p.bound <= 1e-7 * np.abs(p.values)).all()


def test_boundaries_exist_for_one_vertex_in_a_finite_box() -> None:
    x = column([0.0])
    rows = np.array([[0, 0, 0, 0]])
    (one,) = products_of(generate(PHI4, 4, order=1, kind="connected")[0])
    (two,) = products_of(generate(PHI4, 4, order=2, kind="connected")[0])
    k = Gauss(sigma_b=0)
    with pytest.raises(InputError, match="available for one integrated point"):
        Integrator({"K": k, V: k}, x, Cutoff(1.0)).boundary(two, rows)
    with pytest.raises(InputError, match=r"needs a finite one, got Cutoff\(inf\)"):
        Integrator({"K": k, V: k}, x, Cutoff()).boundary(one, rows)
    site = Lattice([[1.0]])
    with pytest.raises(InputError, match="needs a finite one, got None"):
        Integrator({"K": site, V: site}, x, None).boundary(one, rows)


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_only_the_kernels_of_the_integrand_must_converge() -> None:
    """The bias may stay on lines between external points."""
    x = column([0.0])
    tool = Integrator({"K": Gauss(), V: Gauss(sigma_b=0), "other": Erf()}, x, Cutoff())
    assert np.isfinite(tool.shape_value(star(4).shape).values).all()
    loop = contraction([0], [(0, 0, V), (1, 0, V)], [(0, 0, "K")], {})
    with pytest.raises(DivergenceError, match=r"diverges for Gauss.*pass kernel\['K'\]=K.without_bias\(\)"):
        tool.shape_value(loop.shape)


def test_lattices_of_one_integral_share_sites_and_weights() -> None:
    a, b = Lattice(np.eye(2)), Lattice(2 * np.eye(2), weights=[1.0, 2.0])
    c = contraction([0], [(0, 0, "A"), (1, 0, "B")], [], {})
    with pytest.raises(InputError, match="must have the same sites and weights"):
        Integrator({"A": a, "B": b}, column([0.0]), None).shape_value(c.shape)
    same = Lattice(2 * np.eye(2))
    p = Integrator({"A": a, "B": same}, column([0.0, 1.0]), None).piece(c, np.array([[0, 0], [0, 1]]))
    assert p.values.tolist() == [2.0, 0.0]


def test_an_infinite_line_between_inputs_is_refused() -> None:
    term = products_of(generate(PHI4, 2, order=0)[0])[0]
    tool = Integrator({"K": FreeScalar(d_in=3)}, np.eye(3), Cutoff(1.0))
    with pytest.raises(DivergenceError, match="infinite at coincident inputs"):
        tool.product(term, np.array([[0, 1]]))


@pytest.mark.parametrize("d_in", [1, 2, 3])
def test_the_volume_of_the_box(d_in: int) -> None:
    """An integral without kernels, also where integrals are products over the coordinates."""
    tool = Integrator({V: Gauss(sigma_b=0, d_in=d_in)}, np.zeros((1, d_in)), Cutoff(1.5))
    found = tool.shape_value(Shape(((),), ((),), (0,), ()))
    assert found.values[0] == pytest.approx(3.0**d_in, rel=1e-14)


def test_a_second_call_starts_where_the_first_ended() -> None:
    """Coarse meshes are left out, the accuracy is judged as before, and the value is the same."""
    x, levels = column([0.0, 0.7, 1.0]), dict[tuple[Shape, float], int]()
    shape = pair(2, 2, 1).shape
    one = Integrator({V: Erf(bias=False)}, x, Cutoff(5.0), levels=levels)
    first = one.shape_value(shape)
    assert levels[shape, one.rtol] >= 2
    grids = len(one._grids)
    two = Integrator({V: Erf(bias=False)}, x, Cutoff(5.0), levels=levels)
    second = two.shape_value(shape)
    assert len(two._grids) == 2 < grids
    np.testing.assert_allclose(second.values, first.values, rtol=0, atol=(first.bound + second.bound).max())


def test_absolute_values_take_no_kernel_again() -> None:
    calls = []

    def counted(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        calls.append(1)
        return np.asarray(np.exp(-((x - y.T) ** 2)) - 0.2)

    kernel = FromCallable(counted, diagonal="smooth")
    calls.clear()
    tool = Integrator({V: kernel}, column([0.0, 0.5]), Cutoff(2.0), rtol=1e-8)
    grid = mesh([kernel], Cutoff(2.0), column([0.0, 0.5]), 6)
    plain, absolute = tool._table(grid), tool._table(grid, absolute=True)
    np.testing.assert_array_equal(absolute.rows(V), np.abs(plain.rows(V)))
    np.testing.assert_array_equal(absolute.matrix(V), np.abs(plain.matrix(V)))
    assert plain.rows(V).min() < 0
    assert len(calls) == 2
