"""Error propagation against brute force: rows, intervals and finite differences."""

import operator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feynnn.errors import InputError
from feynnn.points import Array
from feynnn.uncertain import Estimate, Uncertain, sum_of_products

R = 400


def run(seed: int, k: int = 3, name: str = "run", mean: float = 5.0) -> tuple[Uncertain, Array]:
    rng = np.random.default_rng(seed)
    rows = mean + 0.1 * rng.normal(size=(R, k)) @ rng.normal(size=(k, k))
    return of_rows(rows, name), rows


def of_rows(rows: Array, name: str = "run") -> Uncertain:
    values = rows.mean(axis=0)
    return Uncertain(values, np.zeros_like(values), {name: (rows - values) / np.sqrt(len(rows) * (len(rows) - 1.0))})


def test_covariance_is_that_of_the_mean() -> None:
    u, rows = run(1)
    np.testing.assert_allclose(u.covariance, np.cov(rows.T) / R, rtol=1e-12)
    np.testing.assert_allclose(u.stat, rows.std(axis=0, ddof=1) / np.sqrt(R), rtol=1e-12)


def test_a_difference_with_itself_has_no_statistical_error() -> None:
    u, _ = run(2)
    assert (u - u).stat.max() == 0.0
    np.testing.assert_allclose((u / u).stat, 0.0, atol=1e-17)
    np.testing.assert_allclose((u + u).stat, 2 * u.stat)
    np.testing.assert_allclose((u * u).stat, 2 * np.abs(u.values) * u.stat)


def test_linear_functions_of_one_run_are_exactly_those_of_the_rows() -> None:
    rows = np.random.default_rng(3).normal(size=(R, 6))
    a, b = of_rows(rows[:, :3]), of_rows(rows[:, 3:])
    for got, want in ((a + b, rows[:, :3] + rows[:, 3:]), (a - b, rows[:, :3] - rows[:, 3:])):
        np.testing.assert_allclose(got.values, want.mean(axis=0), atol=1e-15)
        np.testing.assert_allclose(got.covariance, np.cov(want.T) / R, rtol=1e-10, atol=1e-18)


def test_independent_runs_add_in_quadrature() -> None:
    a, b = run(4, name="one")[0], run(5, name="two")[0]
    np.testing.assert_allclose((a - b).stat, np.hypot(a.stat, b.stat))
    np.testing.assert_allclose((a + b).covariance, a.covariance + b.covariance)


@pytest.mark.parametrize("operation", ["product", "ratio"])
def test_products_and_ratios_agree_with_the_jackknife(operation: str) -> None:
    rng = np.random.default_rng(6)
    base = rng.normal(size=(R, 2)) @ np.array([[1.0, 0.8], [0.0, 0.6]])
    rows = np.array([3.0, 4.0]) + 0.2 * base
    a, b = of_rows(rows[:, :1]), of_rows(rows[:, 1:])
    left = (rows.sum(axis=0) - rows) / (R - 1)
    if operation == "product":
        got, leave_one_out = a * b, left[:, 0] * left[:, 1]
    else:
        got, leave_one_out = a / b, left[:, 0] / left[:, 1]
    jackknife = np.sqrt((R - 1) / R * ((leave_one_out - leave_one_out.mean()) ** 2).sum())
    # the two differ at second order, (0.2/3)^2 / R
    np.testing.assert_allclose(got.stat, jackknife, rtol=1e-3)


def test_take_and_linear_keep_correlations() -> None:
    u, rows = run(7)
    doubled = u.take([0, 0, 2])
    assert doubled.covariance[0, 1] == doubled.covariance[0, 0]
    matrix = np.array([[1.0, -1.0, 0.0], [0.5, 0.0, 2.0]])
    np.testing.assert_allclose(u.linear(matrix).covariance, np.cov(matrix @ rows.T) / R, rtol=1e-10, atol=1e-20)


def test_linear_bounds_add_in_absolute_value() -> None:
    u = Uncertain(np.array([1.0, 2.0]), np.array([0.1, 0.2]))
    np.testing.assert_allclose(u.linear(np.array([[1.0, -1.0]])).bound, [0.3])


interval = st.tuples(st.floats(-10, 10), st.floats(0, 3), st.floats(-1, 1))


@given(interval, interval)
@settings(deadline=None, max_examples=100)
def test_bounds_enclose_every_combination(
    first: tuple[float, float, float], second: tuple[float, float, float]
) -> None:
    (a, da, s), (b, db, t) = first, second
    u = Uncertain(np.array([a]), np.array([da]))
    v = Uncertain(np.array([b]), np.array([db]))
    x, y = a + s * da, b + t * db
    slack = 1e-12 * (1 + abs(x) + abs(y)) ** 2
    assert abs((x + y) - (u + v).values[0]) <= (u + v).bound[0] + slack
    assert abs((x - y) - (u - v).values[0]) <= (u - v).bound[0] + slack
    assert abs(x * y - (u * v).values[0]) <= (u * v).bound[0] + slack
    quotient = u / v
    if abs(b) - db > 1e-3:
        assert abs(x / y - quotient.values[0]) <= quotient.bound[0] * (1 + 1e-9) + slack / (abs(b) - db) ** 2
    elif abs(b) <= db:
        assert quotient.bound[0] == np.inf


def test_dividing_by_an_interval_around_zero_is_unbounded_and_quiet() -> None:
    quotient = Uncertain.exact([1.0, 0.0]) / Uncertain.exact([0.0, 0.0])
    assert np.isinf(quotient.bound).all()
    assert np.isinf(quotient.values[0])
    assert np.isnan(quotient.values[1])


def test_bounds_do_not_mix_with_standard_errors() -> None:
    u, _ = run(8)
    bounded = Uncertain(u.values, np.full(3, 0.5), u.sources)
    assert (bounded + u).bound.tolist() == [0.5] * 3
    np.testing.assert_allclose((bounded + u).stat, 2 * u.stat)


def test_numbers_scale() -> None:
    u = Uncertain(np.array([2.0]), np.array([0.1]), {"run": np.array([[0.3], [-0.3]])})
    for scaled in (u * -2, -2 * u, u.scaled(-2)):
        assert scaled.values.tolist() == [-4.0]
        assert scaled.bound.tolist() == [0.2]
        np.testing.assert_allclose(scaled.stat, 2 * u.stat)


def test_one_name_for_two_runs_is_refused() -> None:
    a = Uncertain(np.ones(2), np.zeros(2), {"run": np.ones((3, 2))})
    b = Uncertain(np.ones(2), np.zeros(2), {"run": np.ones((4, 2))})
    for combine in (operator.add, operator.sub, operator.mul, operator.truediv):
        with pytest.raises(InputError, match="'run' has 3 rows in one quantity and 4 in the other"):
            combine(a, b)


def test_sum_of_products_is_the_polynomial() -> None:
    u, rows = run(9)
    total = sum_of_products([(2.0, [u, u]), (-1.0, [u])], lambda: Uncertain.exact(np.zeros(3)))
    np.testing.assert_allclose(total.values, 2 * u.values**2 - u.values)
    np.testing.assert_allclose(total.stat, np.abs(4 * u.values - 1) * u.stat)
    assert len(rows) == R


def test_no_sources_means_no_statistical_error() -> None:
    u = Uncertain.exact([1.0, 2.0])
    assert u.stat.tolist() == [0.0, 0.0]
    assert u.covariance.shape == (2, 2)
    assert not u.covariance.any()


def test_an_estimate_prints_value_and_error() -> None:
    assert str(Estimate(0.123456789, 0.00123)) == "0.123457 +- 0.0012"
