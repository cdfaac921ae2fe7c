"""Correlator and Series: exact lattice theories, textbook field theories, indexing, symmetry."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from perturbation_oracles import LatticeTheory, gaussian_diagram

from feynnn.combinatorics import multisets
from feynnn.diagrams.generation import generate
from feynnn.errors import InputError
from feynnn.perturbation.correlator import Correlator, Series
from feynnn.perturbation.quadrature import Cutoff
from feynnn.points import Array
from feynnn.theory import Theory
from feynnn.theory.kernels import Erf, FreeScalar, Gauss, Kernel, Lattice, ReLU

PHI4 = Theory.parse("lam*f**4")
TWO = Theory.parse("lam*f**4 + kap*f**6")

# --- finite lattices: every coefficient is known exactly --------------------------------------------------------------

MATRIX = np.array([[0.9, 0.3, -0.2], [0.3, 0.7, 0.1], [-0.2, 0.1, 1.1]])
WEIGHTS = np.array([0.5, 1.3, 0.8])
SITES = np.array([-1.0, 0.5, 2.0])
Action = Callable[[Array], Array]


def local(power: int, weight: Array = WEIGHTS) -> Action:
    return lambda f: weight @ f**power


def lattice_case(name: str, size: int = 3) -> tuple[Theory, list[Action], Lattice, LatticeTheory]:
    k, w, s = MATRIX[:size, :size], WEIGHTS[:size], SITES[:size]
    cases: dict[str, tuple[Theory, list[Action]]] = {
        "quartic": (PHI4, [local(4, w)]),
        "two couplings": (TWO, [local(4, w), local(6, w)]),
        "factors": (Theory.parse("lam/24*f**4 - kap/720*f**6"), [local(4, w / 24), local(6, -w / 720)]),
        "two of one degree": (Theory.parse("a*f**4 + b*y**2*f**4"), [local(4, w), local(4, w * s**2)]),
        "odd": (Theory.parse("g*f**3 + lam*f**4"), [local(3, w), local(4, w)]),
        "source": (Theory.parse("h*f + lam*f**4"), [local(1, w), local(4, w)]),
        "mass": (Theory.parse("m2/2*f**2 + lam*f**4"), [local(2, w / 2), local(4, w)]),
        "odd profile": (Theory.parse("lam*(y + 2*y**2)*f**4"), [local(4, w * (s + 2 * s**2))]),
        "bilocal": (Theory.parse("nl*f(y)**2*f(z)**2"), [lambda f: (w @ f**2) ** 2]),
        "uneven bilocal": (Theory.parse("nl*f(y)**3*f(z)"), [lambda f: (w @ f**3) * (w @ f)]),
        "bilocal with profile": (
            Theory.parse("nl*(y**2*z + 3)*f(y)**2*f(z)**2"),
            [lambda f: ((w * s**2) @ f**2) * ((w * s) @ f**2) + 3 * (w @ f**2) ** 2],
        ),
        "three points": (Theory.parse("nl*f(y)**2*f(z)*f(w)"), [lambda f: (w @ f**2) * (w @ f) ** 2]),
        "normal ordered": (
            Theory.parse("lam*f**4 + kap*f**6", normal_ordered=True),
            [lambda f: w @ hermite(4, f, k), lambda f: w @ hermite(6, f, k)],
        ),
    }
    theory, actions = cases[name]
    # 18 nodes are exact for every average of second order; the whole weight needs more
    return theory, actions, Lattice(k, sites=s, weights=w), LatticeTheory(k, nodes=18 if size == 3 else 40)


def hermite(power: int, f: Array, matrix: Array) -> Array:
    v = np.diag(matrix)[:, None]
    if power == 4:
        return np.asarray(f**4 - 6 * v * f**2 + 3 * v**2)
    return np.asarray(f**6 - 15 * v * f**4 + 45 * v**2 * f**2 - 15 * v**3)


NAMES = [
    "quartic", "two couplings", "factors", "two of one degree", "odd", "source", "mass", "odd profile", "bilocal",
    "uneven bilocal", "bilocal with profile", "three points", "normal ordered",
]  # fmt: skip


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("name", NAMES)
def test_coefficients_on_a_lattice_are_those_of_the_exact_weight(name: str, size: int) -> None:
    theory, actions, kernel, exact = lattice_case(name, size)
    top = 1 if name in ("two couplings", "normal ordered", "three points") and size == 3 else 2
    for n in (2, 4) if theory.is_even else (1, 2, 3):
        series = Correlator(theory, n, kernel=kernel).series(kernel.sites, max_order=top)
        for k, sites in enumerate(multisets(size, n)):
            expected = exact.series(sites.tolist(), actions, top)
            for order, value in expected.items():
                p = series[order]
                assert abs(p.values[k] - value) <= p.bound[k] + 2e-12 * (1 + abs(value)), (n, sites, order)


@pytest.mark.parametrize(("n", "max_order"), [(2, {"lam": 3, "kap": 1}), (4, {"lam": 3}), (6, {"lam": 1, "kap": 1})])
def test_higher_orders_and_six_points_on_one_site(n: int, max_order: dict[str, int]) -> None:
    w = np.array([0.7])
    exact = LatticeTheory(np.ones((1, 1))).series([0] * n, [local(4, w), local(6, w)], 4)
    s = Correlator(TWO, n, kernel=Lattice([[1.0]], weights=w)).series([0.0], max_order=max_order)
    for order, p in s.items():
        assert p.at(*[0] * n) == pytest.approx(exact[order], rel=1e-11)


@pytest.mark.parametrize("name", ["quartic", "two couplings", "odd", "odd profile", "bilocal with profile"])
@pytest.mark.parametrize("max_order", [1, 2])
def test_truncation_errors_scale_with_the_order(name: str, max_order: int) -> None:
    theory, actions, kernel, exact = lattice_case(name, 2)
    sites = (0, 1, 1, 0)
    series = Correlator(theory, 4, kernel=kernel).series(kernel.sites, max_order=max_order)
    errors = []
    for scale in (2e-5, 1e-5):
        # the term that makes an odd action stable comes along at the same order
        couplings = {c: scale * (1 if c != "kap" else 0.3) for c in theory.couplings}
        truth = exact.exact(sites, actions, list(couplings.values()))
        errors.append(abs(series.sum(couplings).at(*sites) - truth))
    assert errors[0] < 0.02 * (200 * scale) ** max_order
    assert np.log2(errors[0] / errors[1]) == pytest.approx(max_order + 1, abs=0.1)


@pytest.mark.parametrize(("theory", "terms"), [(PHI4, [(4, 0)]), (TWO, [(4, 0), (6, 1)])])
def test_schwinger_dyson_equation_order_by_order(theory: Theory, terms: list[tuple[int, int]]) -> None:
    """delta_ij = (K^-1 G2)_ij + sum over terms of p g w_i <f_i^(p-1) f_j>."""
    kernel = Lattice(MATRIX, sites=SITES, weights=WEIGHTS)
    top = 2 if theory is PHI4 else 1
    two = Correlator(theory, 2, kernel=kernel).series(SITES, max_order=top)
    inverse = np.linalg.inv(MATRIX)
    np.testing.assert_allclose(inverse @ two[{}].full(), np.eye(3), atol=1e-13)
    higher = {p: Correlator(theory, p, kernel=kernel).series(SITES, max_order=top - 1) for p, _ in terms}
    for order in theory.orders_up_to(top)[1:]:
        total = inverse @ two[order].full()
        for p, which in terms:
            lower = tuple(k - (c == which) for c, k in enumerate(order))
            if min(lower) >= 0:
                f = higher[p][lower]
                total += [[p * WEIGHTS[i] * f.at(*[i] * (p - 1), j) for j in range(3)] for i in range(3)]
        np.testing.assert_allclose(total, 0, atol=1e-11)


def test_zero_dimensional_theory_with_counterterms() -> None:
    """The exact scheme of PHYSICS section 4, as numbers on one site."""
    exact = Theory.parse("lam*f**4 + kap*f**6", propagator="exact")
    one = Lattice([[1.0]])
    g4 = Correlator(exact, 4, kernel=one, kind="connected").series([0.0], max_order=2)
    expected = {(1, 0): -24, (0, 1): -360, (2, 0): 864, (1, 1): 37440, (0, 2): 432000}
    for order, value in expected.items():
        assert g4[order].at(0, 0, 0, 0) == pytest.approx(value, rel=1e-13)
    g6 = Correlator(exact, 6, kernel=one, kind="connected").series([0.0], max_order={"lam": 2, "kap": 0})
    assert g6[2, 0].at(*[0] * 6) == pytest.approx(5760, rel=1e-13)
    odd = Theory.parse("g*f**3 + lam*f**4", propagator="exact")
    g3 = Correlator(odd, 3, kernel=one, kind="connected").series([0.0], max_order={"g": 3, "lam": 1})
    assert [g3[o].at(0, 0, 0) for o in ((1, 0), (3, 0), (1, 1))] == pytest.approx([-6, -216, 216], rel=1e-13)
    free = Correlator(PHI4, 4, kernel=one, kind="connected").series([0.0], max_order=2)
    assert free[{"lam": 2}].at(0, 0, 0, 0) == pytest.approx(2016, rel=1e-13)


@pytest.mark.parametrize("name", ["quartic", "odd", "bilocal"])
def test_connected_functions_are_cumulants_of_the_full_ones(name: str) -> None:
    theory, _, kernel, _ = lattice_case(name, 2)
    full = {n: Correlator(theory, n, kernel=kernel).series(kernel.sites, max_order=2) for n in (1, 2, 3, 4)}
    g = dict.fromkeys(theory.couplings, 0.001)
    found = Correlator(theory, 4, kernel=kernel, kind="connected").series(kernel.sites, max_order=2)
    # the cumulant of the truncated moments agrees to the order kept, here compared by its derivatives in the couplings
    errors = []
    for scale in (1.0, 0.5):
        values = {c: scale * v for c, v in g.items()}
        lower = [full[n].sum(values) for n in (1, 2, 3)]
        cumulant = full[4].sum(values).to_connected(lower=lower)
        errors.append(np.abs(cumulant.values - found.sum(values).values).max())
    assert errors[0] / errors[1] == pytest.approx(8, rel=0.1)


def test_the_vacuum_sum_is_the_logarithm_of_the_partition_function() -> None:
    theory, actions, kernel, exact = lattice_case("odd", 2)
    s = Correlator(theory, 0, kernel=kernel, kind="connected").series(max_order=2)
    every = Correlator(theory, 0, kernel=kernel, kind="all").series(max_order=2)
    z = {o: exact.average(moment) for o, moment in moments(actions, exact).items()}
    for order, value in z.items():
        assert every[order].at() == pytest.approx(value, rel=1e-12, abs=1e-14)
    assert s[1, 0].at() == pytest.approx(z[1, 0], abs=1e-14)
    assert s[2, 0].at() == pytest.approx(z[2, 0] - z[1, 0] ** 2 / 2, rel=1e-12)
    assert s[1, 1].at() == pytest.approx(z[1, 1] - z[1, 0] * z[0, 1], abs=1e-14)
    assert s[0, 2].at() == pytest.approx(z[0, 2] - z[0, 1] ** 2 / 2, rel=1e-12)
    assert (s[0, 0].at(), every[0, 0].at()) == (0.0, 1.0)


def moments(actions: list[Action], exact: LatticeTheory) -> dict[tuple[int, int], Array]:
    a, b = (v(exact.fields) for v in actions)
    return {(0, 0): a**0, (1, 0): -a, (0, 1): -b, (2, 0): a * a / 2, (1, 1): a * b, (0, 2): b * b / 2}


# --- the anharmonic oscillator ----------------------------------------------------------------------------------------


def test_ground_state_energy_of_the_anharmonic_oscillator() -> None:
    c = Correlator(PHI4, 0, kernel=FreeScalar(), cutoff=Cutoff(), kind="connected", per_volume=True)
    s = c.series(max_order=3, rtol=1e-7)
    for order, energy in ((1, Fraction(3, 4)), (2, -Fraction(21, 8)), (3, Fraction(333, 16))):
        p = s[{"lam": order}]
        assert abs(p.at() + float(energy)) <= p.bound[0] <= 2e-5


def test_ground_state_energy_on_a_box_and_for_another_mass() -> None:
    """E_0 = m/2 + (3/4) g/m^2 - (21/8) g^2/m^5; with one vertex fixed the box [-T, T] changes it by e^(-2mT)."""
    for mass, cutoff in ((1.0, 20.0), (0.5, 45.0), (2.0, 10.0)):
        k = FreeScalar(mass=mass)
        s = Correlator(PHI4, 0, kernel=k, cutoff=Cutoff(cutoff), kind="connected", per_volume=True).series(max_order=2)
        for order, energy in ((1, 0.75 / mass**2), (2, -21 / 8 / mass**5)):
            p = s[(order,)]
            assert abs(p.at() + energy) <= p.bound[0] + 20 * np.exp(-2 * mass * cutoff)
            assert p.bound[0] <= 1e-9 * abs(energy)


def test_ground_state_energy_of_the_cubic_theory() -> None:
    theory = Theory.parse("g*f**3")
    s = Correlator(theory, 0, kernel=FreeScalar(), cutoff=Cutoff(), kind="connected", per_volume=True)
    p = s.series(max_order=2)[{"g": 2}]
    assert abs(p.at() - 11 / 8) <= p.bound[0] <= 1e-9


def test_the_whole_box_grows_with_its_length() -> None:
    def log_z(size: float, order: int) -> tuple[float, float]:
        c = Correlator(PHI4, 0, kernel=FreeScalar(), cutoff=Cutoff(size), kind="connected")
        p = c.series(max_order=order, rtol=1e-8)[{"lam": order}]
        return p.at(), float(p.bound[0])

    (a, da), (b, db) = log_z(6.0, 2), log_z(8.0, 2)
    assert abs((b - a) / 4 - 21 / 8) <= (da + db) / 4 + 2 * np.exp(-4 * 6.0) * 100
    assert log_z(6.0, 1)[0] == pytest.approx(-0.75 * 12, rel=1e-12)


@pytest.mark.parametrize("cutoff", [Cutoff(), Cutoff(30.0)])
def test_two_point_function_of_the_anharmonic_oscillator(cutoff: Cutoff) -> None:
    t = np.array([0.0, 0.3, 1.0, 2.5])
    p = Correlator(PHI4, 2, kernel=FreeScalar(), cutoff=cutoff).series(t)[{"lam": 1}]
    for k, (i, j) in enumerate(p.indices):
        u = abs(t[i] - t[j])
        assert abs(p.values[k] + 1.5 * (1 + u) * np.exp(-u)) <= p.bound[k] <= 1e-9


def test_second_order_of_the_two_point_function_obeys_its_equation_of_motion() -> None:
    """Integrated over t, G2 of order 2: 1/(m^2 - Sigma), Sigma = -12 K(0) lam + lam^2 (144 K(0) B + 96 S).

    With m = 1: K(0) = 1/2, B = integral of K^2 = 1/4 and S = integral of K^3 = 1/12 at zero momentum.
    """
    sigma1, sigma2 = -6.0, 144 * 0.5 * 0.25 + 96 / 12
    expected = sigma2 + sigma1**2
    h = 0.4
    t = np.arange(0, 15, h)
    p = Correlator(PHI4, 2, kernel=FreeScalar(), cutoff=Cutoff()).series(
        np.array([0.0, *t[1:]]), max_order=2, rtol=1e-6
    )
    row = p[{"lam": 2}].full()[0]
    # Simpson's rule on the half line, times two
    weights = np.where(np.arange(len(t)) % 2, 4.0, 2.0)
    weights[0] = 1.0
    assert 2 * h / 3 * float(weights @ row) == pytest.approx(expected, rel=1e-3)


# --- Gauss at infinite cutoff -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("d_in", [1, 2, 3])
def test_series_of_the_gauss_kernel_is_the_sum_of_determinants(d_in: int) -> None:
    x = np.random.default_rng(d_in).normal(size=(2, d_in))
    k = Gauss(sigma_w=1.2, d_in=d_in)
    s = Correlator(PHI4, 4, kernel=k, vertex_kernel=k.without_bias(), cutoff=Cutoff()).series(x, max_order=2)
    for order in (0, 1, 2):
        p = s[(order,)]
        for row, value, bound in zip(p.indices, p.values, p.bound, strict=True):
            diagrams = generate(PHI4, 4, order=order)
            each = [float(d.coefficient) * gaussian_diagram(d, x[row], sigma_w=1.2, sigma_b=1.0) for d in diagrams]
            assert abs(value - sum(each)) <= bound + 1e-13 * np.abs(each).sum()
            assert bound <= 4e-10 * np.abs(each).sum()


# --- series and indexing ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small() -> Series:
    k = Gauss(sigma_b=0)
    return Correlator(TWO, 4, kernel=k, cutoff=Cutoff()).series([0.0, 0.7], max_order={"lam": 1, "kap": 1})


def test_a_series_is_indexed_by_dict_or_tuple(small: Series) -> None:
    assert list(small) == [(0, 0), (1, 0), (0, 1), (1, 1)]
    assert len(small) == 4
    assert small[{"lam": 1}] is small[1, 0] is small[{"lam": 1, "kap": 0}]
    assert small[{}] is small[0, 0]
    keys: list[tuple[Any, bool]] = [
        ((1, 0), True),
        ({"kap": 1}, True),
        ((2, 0), False),
        ({"mu": 1}, False),
        ("lam", False),
    ]
    for key, present in keys:
        assert (key in small) is present
    assert repr(small) == "Series(1, lam, kap, lam*kap)"
    assert small[{}].origin == "order {'lam': 0, 'kap': 0}"
    assert {p.kind for p in small.values()} == {"computed"}
    assert not any(p.connected for p in small.values())


@pytest.mark.parametrize(
    ("order", "message"),
    [
        ({"lam": 2}, r"computed to the orders .*, not \(2, 0\)"),
        ((0, 3), r"not \(0, 3\)"),
        ({"mu": 1}, "unknown coupling 'mu'; this theory has lam, kap"),
        (1, "ambiguous for the couplings lam, kap"),
        ((1,), "must have one entry for each of lam, kap"),
        ({"lam": -1}, r"order\['lam'\] must be at least 0"),
        ({"lam": 0.5}, "must be a whole number"),
        ("lam", "order must be a whole number"),
    ],
)
def test_orders_that_a_series_does_not_have(small: Series, order: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        small[order]


def test_the_sum_weighs_orders_by_powers_of_the_couplings(small: Series) -> None:
    g = {"lam": 0.01, "kap": -0.002}
    total = small.sum(g)
    expected = sum(p.values * 0.01**i * (-0.002) ** j for (i, j), p in small.items())
    np.testing.assert_allclose(total.values, expected, rtol=1e-14)
    np.testing.assert_array_equal(small.sum({}).values, small[{}].values)
    with pytest.raises(InputError, match="unknown coupling 'mu'"):
        small.sum({"mu": 1.0})
    with pytest.raises(InputError, match="the coupling 'lam' must be finite"):
        small.sum({"lam": np.nan})


def test_bounds_add_linearly_through_a_cancellation(small: Series) -> None:
    lam = -float(small[0, 1].values[0] / small[1, 0].values[0])
    total = small.sum({"lam": lam, "kap": 1.0})
    rest = small[0, 0].values[0] + lam * small[1, 1].values[0]
    expected = sum(p.bound * abs(lam) ** i for (i, _), p in small.items())
    np.testing.assert_allclose(total.bound, expected, rtol=1e-12)
    assert abs(total.values[0] - rest) < 1e-8 * abs(small[0, 1].values[0])


def test_evaluate_is_the_sum_of_the_series() -> None:
    k = Gauss()
    c = Correlator(TWO, 4, kernel=k, vertex_kernel=k.without_bias(), cutoff=Cutoff(3.0))
    g = {"lam": 0.004, "kap": 0.0001}
    p = c.evaluate([0.1, 0.5], g)
    np.testing.assert_array_equal(p.values, c.series([0.1, 0.5]).sum(g).values)
    assert p.origin == "perturbation theory, order 1"
    np.testing.assert_array_equal(c.evaluate([0.1, 0.5], {}, max_order=0).values, c.series([0.1, 0.5])[{}].values)


@settings(max_examples=15, deadline=None)
@given(st.permutations(range(4)), st.integers(0, 2**31))
def test_the_order_of_the_inputs_does_not_matter(order: list[int], seed: int) -> None:
    x = np.random.default_rng(seed).uniform(-1.5, 1.5, size=4)
    c = Correlator(TWO, 4, kernel=Erf(), vertex_kernel=Erf().without_bias(), cutoff=Cutoff(4.0))
    here, there = c.series(x, rtol=1e-8), c.series(x[order], rtol=1e-8)
    for key in here:
        p, q = here[key], there[key]
        moved = q.rank(np.argsort(order)[p.indices])
        assert (np.abs(p.values - q.values[moved]) <= p.bound + q.bound[moved]).all()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 3))
def test_more_inputs_change_nothing(seed: int, extra: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.uniform(-2, 2, size=3 + extra)
    k = ReLU()
    c = Correlator(PHI4, 4, kernel=k, vertex_kernel=k.without_bias(), cutoff=Cutoff(3.0), kind="connected")
    few, many = (c.series(points, rtol=1e-8)[{"lam": 1}] for points in (x[:3], x))
    same = many.rank(few.indices)
    assert (np.abs(few.values - many.values[same]) <= few.bound + many.bound[same]).all()


@pytest.mark.parametrize("kernel", [Gauss(sigma_b=0), Erf().without_bias(), ReLU(sigma_b=0), FreeScalar()], ids=repr)
def test_coincident_inputs_are_the_same_input(kernel: Kernel) -> None:
    c = Correlator(PHI4, 4, kernel=kernel, cutoff=Cutoff(3.0))
    p = c.series([0.4, 0.4, 0.9])[{"lam": 1}]
    q = c.series([0.4, 0.9])[{"lam": 1}]
    first = np.array([0, 0, 1])
    assert (np.abs(p.values - q.values[q.rank(first[p.indices])]) <= p.bound + q.bound.max()).all()


@pytest.mark.parametrize("cutoff", [Cutoff(1e-3), Cutoff(0.5), Cutoff(1e4)])
def test_inputs_outside_the_box_and_extreme_boxes(cutoff: Cutoff) -> None:
    p = Correlator(PHI4, 2, kernel=ReLU(sigma_b=0), cutoff=cutoff).series([0.2, 3.0])[{"lam": 1}]
    # 12 K(x1, y) K(x2, y) K(y, y) = 12 x1 x2 y^4 / 8 for y > 0
    expected = -1.5 * np.array([0.04, 0.6, 9.0]) * cutoff.value**5 / 5
    np.testing.assert_allclose(p.values, expected, rtol=1e-12)
    assert (np.abs(p.values - expected) <= p.bound).all()


# --- expressions and diagrams of a correlator -------------------------------------------------------------------------


def test_expression_names_the_vertex_kernel_only_where_it_differs() -> None:
    k = Gauss()
    same = Correlator(PHI4, 2, kernel=k, cutoff=Cutoff(1.0))
    other = Correlator(PHI4, 2, kernel=k, vertex_kernel=k.without_bias(), cutoff=Cutoff(1.0))
    text = "-12*lam*Integral({0}(x1, y)*{0}(x2, y)*{0}(y, y), (y, -Lambda, Lambda)) + K(x1, x2)"
    assert str(same.expression()) == text.format("K")
    assert str(other.expression()) == text.format("K_v")
    assert str(same.expression(max_order=0)) == "K(x1, x2)"
    assert len(other.diagrams({"lam": 2})) == len(generate(PHI4, 2, order=2))
    assert other.diagrams(1) is other.diagrams({"lam": 1})


def test_formula_has_the_correlator_s_class() -> None:
    c = Correlator(TWO, 4, kernel=Gauss(), cutoff=Cutoff(1.0), kind="connected")
    assert c.formula().coefficients({"lam": 1}) == [-24]
    assert c.formula().kind == "connected"


def test_what_a_correlator_shows() -> None:
    k = Gauss()
    c = Correlator(PHI4, 4, kernel=k, vertex_kernel=k.without_bias(), cutoff=Cutoff(5))
    assert repr(c) == (
        "Correlator(Theory('lam*f**4'), 4, kernel=Gauss(sigma_w=1.0, sigma_b=1.0, d_in=1), vertex_kernel="
        "Gauss(sigma_w=1.0, sigma_b=1.0, d_in=1, bias=False), cutoff=Cutoff(5), kind='vacuum-free')"
    )
    assert repr(Correlator(PHI4, 4, kernel=k)) == (
        "Correlator(Theory('lam*f**4'), 4, kernel=Gauss(sigma_w=1.0, sigma_b=1.0, d_in=1), cutoff=None, "
        "kind='vacuum-free')"
    )


def test_odd_functions_of_even_theories_vanish() -> None:
    s = Correlator(PHI4, 3, kernel=Gauss(), vertex_kernel=Gauss(sigma_b=0), cutoff=Cutoff()).series([0.1, 0.4])
    for p in s.values():
        np.testing.assert_array_equal(p.values, 0)
