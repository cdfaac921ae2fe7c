"""Resummation against theories whose exact answer is known: one site, and the anharmonic oscillator."""

import math
import warnings
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.interpolate import pade as scipy_pade
from scipy.special import exp1

import feynnn as fn
from feynnn.errors import ComputationError, InputError
from feynnn.perturbation.approximants import Degree, pade, polynomial
from feynnn.perturbation.correlator import Series
from feynnn.perturbation.resummation import Method, resum
from feynnn.uncertain import Uncertain

THEORY = fn.Theory.parse("lam*f**4")
METHODS: tuple[Method, ...] = ("pade", "borel-pade")
#: Ground state energy of p^2/2 + f^2/2 + g f^4 (PHYSICS section 4; Bender and Wu 1969).
OSCILLATOR = [Fraction(1, 2), Fraction(3, 4), Fraction(-21, 8), Fraction(333, 16), Fraction(-30885, 128),
              Fraction(916731, 256), Fraction(-65518401, 1024), Fraction(2723294673, 2048),
              Fraction(-1030495099053, 32768)]  # fmt: skip


def one_site(n: int, lam: float, kap: float = 0.0) -> float:
    """<f^n> in zero dimensions, by quadrature."""

    def moment(k: int) -> float:
        return float(
            quad(lambda f: f**k * math.exp(-f * f / 2 - lam * f**4 - kap * f**6), 0, 12, epsabs=0, epsrel=1e-12)[0]
        )

    return moment(n) / moment(0)


def coefficients(n: int, orders: int) -> list[Fraction]:
    """Coefficients of <f^n> in zero dimensions, by counting diagrams."""
    return [(-24) ** k * fn.count(THEORY, n=n, order=k).weight for k in range(orders + 1)]


def energy(g: float, size: int = 200) -> float:
    """The oscillator's ground state energy in a truncated basis."""
    step = np.diag(np.sqrt(np.arange(1, size)), 1)
    square = np.linalg.matrix_power((step + step.T) / math.sqrt(2), 2)
    h = np.diag(np.arange(size) + 0.5) + g * square @ square
    return float(np.linalg.eigvalsh(h[:-8, :-8])[0])


def scaled(c: Sequence[Fraction], t: float, bound: float = 0.0) -> list[Uncertain]:
    return [Uncertain(np.array([float(v) * t**k]), np.array([bound * abs(float(v)) * t**k])) for k, v in enumerate(c)]


def product(a: Sequence[Fraction], b: Sequence[Fraction]) -> list[Fraction]:
    result = [Fraction(0)] * (len(a) + len(b) - 1)
    for i, u in enumerate(a):
        for j, v in enumerate(b):
            result[i + j] += u * v
    return result


def value(c: Sequence[Fraction], t: float, method: Method, degree: Degree | None = None) -> tuple[float, float]:
    data, _ = resum(scaled(c, t), method=method, degree=degree)
    return float(data.values[0]), float(data.bound[0])


# --- approximants -----------------------------------------------------------------------------------------------------


@given(
    st.lists(st.fractions(-5, 5, max_denominator=9), min_size=1, max_size=4),
    st.lists(st.fractions(-5, 5, max_denominator=9), max_size=3),
)
@settings(max_examples=50, deadline=None)
def test_a_rational_function_is_found_again(p: list[Fraction], q: list[Fraction]) -> None:
    below = [Fraction(1), *q]
    c: list[Fraction] = []
    for k in range(len(p) + len(q) + 4):
        known = sum((below[j] * c[k - j] for j in range(1, min(k, len(q)) + 1)), Fraction(0))
        c.append((p[k] if k < len(p) else Fraction(0)) - known)
    f = pade(c, (len(p) - 1, len(q)))
    # the same function, perhaps with a common factor less: P Q' = P' Q
    zeros = [Fraction(0)] * 8
    assert (product(p, f.denominator) + zeros)[:8] == (product(f.numerator, below) + zeros)[:8]


@pytest.mark.parametrize("degree", [(0, 0), (3, 0), (0, 3), (2, 2), (4, 3), (5, 5)])
def test_the_approximant_matches_the_series(degree: Degree) -> None:
    c = coefficients(2, 10)
    f = pade(c, degree)
    assert f.denominator[0] == 1
    found = product(f.denominator, c)[: sum(degree) + 1]
    assert found == [*f.numerator, *[0] * (sum(degree) + 1 - len(f.numerator))]


def test_eulers_series_against_scipy_and_between_the_convergents() -> None:
    euler = [Fraction((-1) ** k * math.factorial(k)) for k in range(29)]
    for n in (1, 2, 3, 4):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # ill-conditioned, says scipy, from low orders on
            p, q = scipy_pade([float(c) for c in euler[: 2 * n + 1]], n)
        assert p(1.0) / q(1.0) == pytest.approx(float(pade(euler, (n, n))(1.0)), rel=1e-13)
    # the convergents of Stieltjes' continued fraction bracket the sum
    low, high = (float(pade(euler, d)(1.0)) for d in ((13, 14), (14, 14)))
    assert low < math.e * exp1(1.0) < high
    assert high - low < 1e-4


def test_poles_are_decided_exactly() -> None:
    # 1 / ((1 - 3t)^2 + eps), with eps too small for the roots of floats to leave the real axis
    for eps, pole in ((Fraction(0), True), (Fraction(1, 10**40), False)):
        q = [1 + eps, Fraction(-6), Fraction(9)]
        c: list[Fraction] = []
        for k in range(3):
            c.append(((k == 0) - sum((q[j] * c[k - j] for j in range(1, k + 1)), Fraction(0))) / q[0])
        found = pade(c, (0, 2)).pole()
        assert (found is not None) is pole
        assert found is None or found == pytest.approx(1 / 3, rel=1e-6)
    geometric = pade([1, 2], (0, 1))
    assert geometric.pole() == pytest.approx(0.5)
    assert geometric.pole(Fraction(1, 4)) is None
    assert pade([1, -2], (0, 1)).pole() is None
    assert polynomial([1, 2, 3], 2.0) == 17


@pytest.mark.parametrize(
    ("c", "degree", "error", "match"),
    [
        ([1, 2], (1, 1), InputError, r"\[1/1\] needs 3 coefficients, got 2"),
        ([1, 2, 3], (1, -1), InputError, "denominator must be at least 0"),
        ([1, 2, 3], 2, InputError, "degree must be a pair"),
        ([1, math.nan, 3], (1, 1), InputError, "a coefficient must be finite"),
        ([1, "2", 3], (1, 1), InputError, "a coefficient must be a real number"),
        ([1, 0, 1], (1, 1), ComputationError, r"\[1/1\] of this series does not exist"),
    ],
)
def test_what_is_no_approximant_is_refused(c: list[int], degree: Degree, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        pade(c, degree)


# --- zero dimensions --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "reached"), [("pade", 5e-3), ("borel-pade", 5e-5)])
def test_one_site_is_resummed_where_the_sum_diverges(method: Method, reached: float) -> None:
    lam, exact, c = 0.1, one_site(2, 0.1), coefficients(2, 10)
    sums = [abs(float(sum(v * Fraction(lam) ** k for k, v in enumerate(c[: n + 1]))) - exact) for n in (2, 4, 6, 8, 10)]
    assert sums == sorted(sums)
    assert sums[-1] > 1e8
    errors = []
    for n in (2, 4, 6, 8, 10):
        got, estimate = value(c[: n + 1], lam, method)
        errors.append(abs(got - exact))
        assert errors[-1] < estimate
    assert errors[-1] < reached
    assert errors[-1] < errors[2] < errors[0]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("lam", [0.003, 0.01, 0.1, 1.0])
@pytest.mark.parametrize("n", [2, 4])
def test_the_estimated_error_holds_in_zero_dimensions(n: int, lam: float, method: Method) -> None:
    c, exact = coefficients(n, 9), one_site(n, lam)
    for order in range(2, 10):
        got, estimate = value(c[: order + 1], lam, method)
        assert abs(got - exact) < estimate + 1e-13


def test_a_correlator_on_one_site_is_resummed() -> None:
    site = fn.kernels.Lattice([[1.0]])
    series = fn.Correlator(THEORY, 2, kernel=site).series([0.0], max_order=4)
    for k, c in enumerate(coefficients(2, 4)):
        assert series[k].values[0] == pytest.approx(float(c), rel=1e-13)
    p = series.resum({"lam": 0.02}, method="borel-pade", degree=(2, 1))
    assert p.origin == "Borel-Pade [2/1] resummation of order 4, error estimated"
    assert (p.kind, p.n, p.n_inputs, p.connected) == ("computed", 2, 1, False)
    exact = one_site(2, 0.02)
    assert abs(p.at(0, 0) - exact) < p.error[0] < 0.1
    assert abs(p.at(0, 0) - exact) < 0.05 * abs(series.sum({"lam": 0.02}).at(0, 0) - exact)
    assert series.resum({"lam": 0.0}).at(0, 0) == 1


def test_connected_functions_start_at_a_higher_order() -> None:
    site = fn.kernels.Lattice([[1.0]])
    series = fn.Correlator(THEORY, 4, kernel=site, kind="connected").series([0.0], max_order=4)
    lam = 0.005
    exact = one_site(4, lam) - 3 * one_site(2, lam) ** 2
    for method in METHODS:
        p = series.resum({"lam": lam}, method=method)
        assert p.connected
        assert abs(p.values[0] - exact) < p.bound[0]
        assert abs(p.values[0] - exact) < 0.1 * abs(series.sum({"lam": lam}).values[0] - exact)


def test_odd_orders_without_diagrams_are_left_out() -> None:
    theory = fn.Theory.parse("g*f**3")
    c = [fn.count(theory, n=2, order=k).weight * Fraction(6) ** k for k in range(9)]
    assert c[1] == c[3] == 0
    # with an imaginary coupling the series in g^2 alternates and is Borel summable: the weight is exp(-i h f^3)
    h = 0.1
    signs = [(-1) ** (k // 2) * v for k, v in enumerate(c)]

    def moment(n: int) -> float:
        return float(
            quad(lambda f: f**n * math.exp(-f * f / 2) * math.cos(h * f**3), 0, 12, epsabs=1e-13, limit=200)[0]
        )

    exact = moment(2) / moment(0)
    # two points without a diagram's tadpoles taken off: <f^2>, the full function
    for method in METHODS:
        got, estimate = value(signs, h, method)
        assert abs(got - exact) < estimate < 0.1
    # a series in t^2 is that in t' = t^2, and its Borel transform is divided by (2k)!
    data, words = resum(scaled(signs, h))
    assert words == "Pade [2/2] resummation of order 8, error estimated"
    assert data.values[0] == pytest.approx(float(pade(c[::2], (2, 2))(-(h**2))), rel=1e-12)


def test_two_couplings_are_scaled_together() -> None:
    theory = fn.Theory.parse("lam*f**4 + kap*f**6")
    site = fn.kernels.Lattice([[1.0]])
    correlator = fn.Correlator(theory, 2, kernel=site)
    couplings = {"lam": 0.01, "kap": 1e-4}
    series = correlator.series([0.0], max_order=3)
    exact = one_site(2, 0.01, 1e-4)
    p = series.resum(couplings)
    assert abs(p.values[0] - exact) < p.bound[0]
    assert abs(p.values[0] - exact) < 0.2 * abs(series.sum(couplings).values[0] - exact)
    # orders up to lam^2 kap^2 hold everything with two vertices, but not with three
    corner = correlator.series([0.0], max_order={"lam": 2, "kap": 2})
    assert corner.resum(couplings).origin.startswith("Pade [1/1] resummation of order 2")
    # a coupling that is zero needs no orders
    assert corner.resum({"lam": 0.01, "kap": 0.0}).values == pytest.approx(
        fn.Correlator(THEORY, 2, kernel=site).series([0.0], max_order=2).resum({"lam": 0.01}).values, rel=1e-13
    )


def test_every_entry_is_resummed_for_itself() -> None:
    pair = fn.kernels.Lattice([[1.0, 0.4], [0.4, 1.5]])
    series = fn.Correlator(THEORY, 2, kernel=pair).series([0.0, 1.0], max_order=3)
    p = series.resum({"lam": 0.01})
    for k, (i, j) in enumerate([(0, 0), (0, 1), (1, 1)]):
        alone, estimate = value([Fraction(float(series[o].values[k])) for o in range(4)], 0.01, "pade")
        assert p.at(i, j) == pytest.approx(alone, rel=1e-14)
        assert p.bound[k] == pytest.approx(estimate, rel=1e-6)


# --- the anharmonic oscillator ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("g", [0.1, 0.3, 1.0])
def test_the_oscillators_energy(g: float, method: Method) -> None:
    exact = energy(g)
    errors = []
    for n in (2, 4, 8):
        got, estimate = value(OSCILLATOR[: n + 1], g, method)
        errors.append(abs(got - exact))
        assert errors[-1] < estimate
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < {"pade": 0.04, "borel-pade": 0.003}[method] * g**1.5
    assert abs(float(sum(c * Fraction(g) ** k for k, c in enumerate(OSCILLATOR))) - exact) > 50 * errors[-1]


# --- errors and refusals ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("degree", [(2, 2), (3, 1), (1, 2)])
def test_bounds_of_the_coefficients_are_propagated(method: Method, degree: Degree) -> None:
    c = coefficients(4, 5)
    size = 1e-7
    with_bound, _ = resum(scaled(c, 0.02, size), method=method, degree=degree)
    centre, estimate = value(c, 0.02, method, degree)
    expected = 0.0
    for k in range(len(c)):
        moved = list(c)
        moved[k] *= 1 + Fraction(size)
        expected += abs(value(moved, 0.02, method, degree)[0] - centre)
    assert with_bound.values[0] == centre
    assert with_bound.bound[0] - estimate == pytest.approx(expected, rel=1e-4)


def test_standard_errors_are_propagated_with_their_correlation() -> None:
    c = coefficients(2, 4)
    rows = np.random.default_rng(3).normal(size=(20, 1))
    noisy = [Uncertain(u.values, u.bound, {"run": 1e-6 * u.values * rows}) for u in scaled(c, 0.02)]
    data, _ = resum(noisy)
    # all coefficients move by the same factor, and so does the sum
    assert data.stat[0] == pytest.approx(1e-6 * abs(data.values[0]) * np.linalg.norm(rows), rel=1e-9)


def test_a_pole_on_the_way_is_refused_by_name() -> None:
    geometric = [Fraction(1)] * 3 + [Fraction(3, 2)]
    for t, met in ((0.5, False), (0.99, True), (1.5, True)):
        if not met:
            assert value(geometric, t, "pade", (0, 1))[0] == pytest.approx(1 / (1 - t))
            continue
        with pytest.raises(ComputationError, match=rf"\[0/1\] has a pole at t = {1 / t:.4g}, on or near the way"):
            value(geometric, t, "pade", (0, 1))


def test_a_series_that_is_not_borel_summable_is_refused_by_its_pole() -> None:
    for c in ([abs(v) for v in coefficients(2, 6)], [Fraction(math.factorial(k)) for k in range(7)]):
        with pytest.raises(ComputationError, match=r"has a pole at u = .* not Borel summable"):
            value(c, 0.05, "borel-pade")
    site = fn.kernels.Lattice([[1.0]])
    series = fn.Correlator(THEORY, 2, kernel=site).series([0.0], max_order=3)
    with pytest.raises(ComputationError, match=r"not Borel summable.* at the inputs \(0, 0\)"):
        series.resum({"lam": -0.05}, method="borel-pade")


def test_a_spurious_pole_moves_the_default_and_stops_what_was_asked_for() -> None:
    c = coefficients(2, 4)
    with pytest.raises(ComputationError, match=r"approximant \[2/2\] has a pole at u = 20.61"):
        value(c, 0.1, "borel-pade", (2, 2))
    _, words = resum(scaled(c, 0.1), method="borel-pade")
    assert words.startswith("Borel-Pade [3/1]")


def test_the_borel_sum_of_eulers_series() -> None:
    # its Borel transform is 1/(1 + u), which the approximant is
    euler = [Fraction((-1) ** k * math.factorial(k)) for k in range(3)]
    for t in (1e-3, 0.1, 1.0, 10.0, 1e3):
        got, _ = value(euler, t, "borel-pade", (0, 1))
        assert got == pytest.approx(math.exp(1 / t) * exp1(1 / t) / t if t > 0.01 else 0.99900199402388, rel=1e-12)


def test_the_borel_integral_of_a_polynomial_is_its_sum() -> None:
    c = coefficients(2, 6)
    got, _ = value(c, 0.01, "borel-pade", (6, 0))
    assert got == pytest.approx(float(sum(v * Fraction(0.01) ** k for k, v in enumerate(c))), rel=1e-12)


def test_what_vanishes_stays_zero() -> None:
    c = [Uncertain.exact([v, 0.0, 1.0]) for v in (1.0, -1.0, 2.0)]
    c[1], c[2] = Uncertain.exact([-1.0, 0.0, 0.0]), Uncertain.exact([2.0, 0.0, 0.0])
    for method in METHODS:
        data, _ = resum(c, method=method)
        assert data.values[1:].tolist() == pytest.approx([0.0, 1.0], rel=1e-13)
        assert (data.bound[1:] < 1e-13).all()


@pytest.mark.parametrize(
    ("c", "options", "match"),
    [
        ([], {}, "needs the coefficients of a series, got none"),
        ([1.0], {}, "needs two orders that do not vanish"),
        ([0.0, 0.0, 2.0], {}, "needs two orders that do not vanish"),
        ([1.0, 2.0], {"method": "euler"}, "method must be 'pade' or 'borel-pade', got 'euler'"),
        ([1.0, 2.0], {"degree": (1, 1)}, r"degree = \(1, 1\) needs L \+ M from 1 to 1"),
        ([1.0, 2.0], {"degree": (0, 0)}, "needs L . M from 1 to 1"),
        ([1.0, 2.0], {"degree": 1}, "degree must be a pair"),
        ([1.0, math.inf], {}, "a coefficient must be finite"),
        ([[1.0, 2.0], [3.0]], {}, "different shapes"),
    ],
)
def test_bad_requests_are_refused(c: list[float], options: dict[str, Method], match: str) -> None:
    with pytest.raises(InputError, match=match):
        resum(c, **options)  # type: ignore[arg-type]


def test_a_series_that_is_too_short_is_refused() -> None:
    site = fn.kernels.Lattice([[1.0]])
    theory = fn.Theory.parse("lam*f**4 + kap*f**6")
    series = fn.Correlator(theory, 2, kernel=site).series([0.0], max_order={"lam": 2, "kap": 0})
    assert isinstance(series, Series)
    with pytest.raises(InputError, match="compute the series to a higher max_order"):
        series.resum({"lam": 0.1, "kap": 0.1})
    with pytest.raises(InputError, match="too large"):
        series.resum({"lam": 1e200, "kap": 0.0})
