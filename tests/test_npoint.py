"""NPoint: indexing, errors, moments and cumulants, showing and storing."""

import json
import operator
from itertools import product
from math import factorial
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feynnn.combinatorics import double_factorial, multisets
from feynnn.errors import InputError
from feynnn.npoint import NPoint, as_npoints, gaussian, ordered_tuples
from feynnn.points import Array
from feynnn.theory.kernels import Erf, Gauss, Lattice, ReLU

M = 3


def random_npoint(seed: int, n: int, *, m: int = M, connected: bool = False, **options: Any) -> NPoint:
    k = len(multisets(m, n))
    return NPoint(np.random.default_rng(seed).normal(size=k), n=n, n_inputs=m, connected=connected, **options)


def sampled(seed: int, n: int, *, m: int = M, experiments: int = 50, source: str | None = None) -> NPoint:
    k = len(multisets(m, n))
    rows = 2.0 + 0.1 * np.random.default_rng(seed).normal(size=(experiments, k))
    return NPoint(rows.mean(axis=0), n=n, n_inputs=m, rows=rows, source=source, origin="test")


# --- indexing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("symmetric", [True, False])
def test_at_full_position_and_rank_agree(n: int, symmetric: bool) -> None:
    k = len(multisets(M, n)) if symmetric else M**n
    p = NPoint(np.arange(k), n=n, n_inputs=M, symmetric=symmetric)
    assert len(p) == len(p.indices) == k
    full = p.full()
    assert full.shape == (M,) * n
    for inputs in product(range(M), repeat=n):
        assert p.at(*inputs) == full[inputs] == p.values[p.position(*inputs)]
    np.testing.assert_array_equal(p.rank(p.indices), np.arange(k))


def test_a_symmetric_function_takes_inputs_in_any_order_the_other_does_not() -> None:
    s = random_npoint(1, 3)
    assert s.at(2, 0, 1) == s.at(0, 1, 2) == s.at(1, 2, 0)
    t = NPoint(np.arange(27.0), n=3, n_inputs=M, symmetric=False)
    assert [t.at(0, 1, 2), t.at(2, 1, 0)] == [5.0, 21.0]


def test_ordered_tuples_have_the_last_index_fastest() -> None:
    assert ordered_tuples(2, 2).tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert ordered_tuples(5, 0).shape == (1, 0)


@pytest.mark.parametrize("inputs", [(0,), (0, 1, 2), (0, 3), (0, -1), (), ([0, 1],), (0.0, 1), (True, 1), ("0", 1)])
def test_wrong_input_numbers_are_refused(inputs: tuple[Any, ...]) -> None:
    for p in (random_npoint(1, 2), NPoint(np.zeros(9), n=2, n_inputs=M, symmetric=False)):
        with pytest.raises(InputError, match="input number"):
            p.at(*inputs)


@pytest.mark.parametrize("tuples", [[[0, 3]], [[-1, 0]], [[0.5, 1.0]], [[0, 1, 2]], 3, [["a", "b"]]])
def test_rank_refuses_what_is_no_row_of_inputs(tuples: Any) -> None:
    with pytest.raises(InputError, match=r"expected 2 input numbers, each in 0\.\.2"):
        random_npoint(1, 2).rank(tuples)


def test_arrays_given_are_copied() -> None:
    values, points, bound = np.ones(6), np.array([0.1, 0.2, 0.3]), np.ones(6)
    p = NPoint(values, n=2, n_inputs=3, points=points, bound=bound)
    values[:], points[:], bound[:] = 7, 7, 7
    assert p.values[0] == p.bound[0] == 1.0
    assert p.points is not None
    np.testing.assert_array_equal(p.points, [[0.1], [0.2], [0.3]])


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"values": np.zeros(5)}, r"symmetric 2-point function of 3 inputs has 6 values, got shape \(5,\)"),
        ({"values": np.zeros((6, 1))}, r"got shape \(6, 1\)"),
        ({"values": np.zeros(6), "symmetric": False}, "has 9 values"),
        ({"values": [1j] * 6}, "values must be an array of real numbers"),
        ({"n": -1}, "n must be at least 0"),
        ({"n": 2.0}, "n must be a whole number"),
        ({"n_inputs": 0}, "n_inputs must be at least 1"),
        ({"rows": np.zeros((1, 6))}, "n_experiments >= 2, 6"),
        ({"rows": np.zeros((4, 5))}, r"got \(4, 5\)"),
        ({"rows": np.zeros(6)}, r"got \(6,\)"),
        ({"rows": np.zeros((4, 6)), "stat": 1.0}, "rows or stat, not both"),
        ({"stat": np.zeros(5)}, r"stat must be a number or have shape \(6,\)"),
        ({"stat": -np.ones(6)}, "stat must not be negative"),
        ({"bound": [0.1, 0.2]}, r"bound must be a number or have shape \(6,\)"),
        ({"bound": -1.0}, "bound must not be negative, got -1"),
        ({"kind": "guessed"}, "kind must be 'exact', 'computed' or 'sampled', got 'guessed'"),
        ({"points": np.zeros((4, 1))}, r"points must have shape \(3, d_in\), got shape \(4, 1\)"),
        ({"points": np.zeros((3, 1, 1))}, "points must have shape"),
    ],
)
def test_bad_shapes_are_refused(options: dict[str, Any], match: str) -> None:
    with pytest.raises(InputError, match=match):
        NPoint(**{"values": np.zeros(6), "n": 2, "n_inputs": 3, **options})


# --- errors -----------------------------------------------------------------------------------------------------------


def test_kind_follows_from_the_errors_given() -> None:
    assert random_npoint(1, 2).kind == "exact"
    assert random_npoint(1, 2, bound=0.1).kind == "computed"
    assert random_npoint(1, 2, stat=0.1).kind == "sampled"
    assert sampled(1, 2).kind == "sampled"
    assert random_npoint(1, 2, bound=1e-16, kind="exact").kind == "exact"


def test_the_kind_of_a_combination_is_the_weaker_one() -> None:
    exact, computed, run = random_npoint(1, 2), random_npoint(2, 2, bound=0.1), sampled(3, 2)
    assert (exact - exact).kind == "exact"
    assert (exact - computed).kind == (computed * exact).kind == "computed"
    assert (run / computed).kind == (exact + run).kind == "sampled"
    assert (2 * computed).kind == "computed"


def test_stat_and_bound_are_kept_apart_and_error_is_their_sum() -> None:
    run, computed = sampled(1, 2), random_npoint(2, 2, bound=0.25)
    difference = run - computed
    np.testing.assert_allclose(difference.stat, run.stat)
    np.testing.assert_allclose(difference.bound, 0.25)
    np.testing.assert_allclose(difference.error, run.stat + 0.25)
    twice = computed + computed
    np.testing.assert_allclose(twice.bound, 0.5)
    one, two = random_npoint(1, 2, stat=0.3), random_npoint(1, 2, stat=0.4)
    np.testing.assert_allclose((one + two).stat, 0.5)


def test_one_run_knows_its_covariance() -> None:
    rng = np.random.default_rng(4)
    rows = rng.normal(size=(80, 12)) @ rng.normal(size=(12, 12))
    p = NPoint(rows[:, :6].mean(axis=0), n=2, n_inputs=3, rows=rows[:, :6], source="run")
    q = NPoint(rows[:, 6:].mean(axis=0), n=2, n_inputs=3, rows=rows[:, 6:], source="run")
    np.testing.assert_allclose(p.covariance, np.cov(rows[:, :6].T) / 80)
    np.testing.assert_allclose((p - q).covariance, np.cov((rows[:, :6] - rows[:, 6:]).T) / 80, rtol=1e-9, atol=1e-15)
    assert (p - p).error.max() == 0.0
    got = (p - q).rows
    assert got is not None
    np.testing.assert_allclose(got, rows[:, :6] - rows[:, 6:], atol=1e-12)
    np.testing.assert_allclose(got.mean(axis=0), (p - q).values, atol=1e-12)


def test_two_runs_are_independent_by_default() -> None:
    p, q = sampled(1, 2), sampled(1, 2)
    np.testing.assert_allclose((p - q).stat, np.sqrt(2) * p.stat)
    assert (p - q).rows is None


def test_independent_errors_are_not_rows() -> None:
    assert random_npoint(1, 2, stat=0.1).rows is None
    assert random_npoint(1, 2).rows is None
    assert random_npoint(1, 2, stat=0.1, source="run").rows is None
    p = random_npoint(1, 2, stat=0.1)
    assert (p - p).stat.max() == 0.0
    np.testing.assert_allclose(p.covariance, 0.01 * np.eye(6))


def test_a_source_name_stands_for_one_set_of_experiments() -> None:
    with pytest.raises(InputError, match="'run' has 50 rows in one quantity and 40 in the other"):
        sampled(1, 2, source="run") - sampled(1, 2, source="run", experiments=40)


def test_products_and_ratios_against_the_jackknife() -> None:
    rng = np.random.default_rng(5)
    rows = 3.0 + 0.2 * rng.normal(size=(300, 4)) @ rng.normal(size=(4, 4))
    p = NPoint(rows[:, :2].mean(axis=0), n=1, n_inputs=2, rows=rows[:, :2], source="run")
    q = NPoint(rows[:, 2:].mean(axis=0), n=1, n_inputs=2, rows=rows[:, 2:], source="run")
    left = (rows.sum(axis=0) - rows) / 299
    for got, want in ((p * q, left[:, :2] * left[:, 2:]), (p / q, left[:, :2] / left[:, 2:])):
        jackknife = 299 / 300 * np.cov(want.T, ddof=0) * 300
        np.testing.assert_allclose(got.covariance, jackknife, rtol=2e-2, atol=2e-3 * np.abs(jackknife).max())


def test_numbers_multiply_and_divide_from_both_sides() -> None:
    p = sampled(1, 2)
    two: Any = np.int64(2)
    for doubled in (2 * p, p * 2, np.float64(2) * p, two * p, p / 0.5, -(p * -2)):
        assert isinstance(doubled, NPoint)
        np.testing.assert_array_equal(doubled.values, 2 * p.values)
        np.testing.assert_allclose(doubled.stat, 2 * p.stat)


@pytest.mark.parametrize("factor", ["2", None, [1.0], np.ones(6), 1j, True])
def test_other_factors_are_refused(factor: Any) -> None:
    p = random_npoint(1, 2)
    for combine in (operator.mul, operator.truediv, lambda a, b: b * a):
        with pytest.raises(InputError, match="must be a real number"):
            combine(p, factor)


def test_other_sums_and_division_by_zero_are_refused() -> None:
    p = random_npoint(1, 2)
    for other in (1, np.ones(6), "p"):
        with pytest.raises(InputError, match="adds to n-point functions only"):
            p + cast("Any", other)
        with pytest.raises(InputError, match="adds to n-point functions only"):
            p - cast("Any", other)
    with pytest.raises(InputError, match="divided by zero"):
        p / 0


def test_only_like_combines_with_like() -> None:
    p = random_npoint(1, 4, points=[0.1, 0.2, 0.3])
    with pytest.raises(InputError, match="differ"):
        p - random_npoint(1, 2)
    with pytest.raises(InputError, match="differ"):
        p - random_npoint(1, 4, m=2)
    with pytest.raises(InputError, match="different inputs"):
        p - random_npoint(1, 4, points=[0.1, 0.2, 0.4])
    with pytest.raises(InputError, match="one function is connected, the other full"):
        p - random_npoint(1, 4, connected=True)
    # a ratio of the two makes sense, and so does a sum where the classes coincide
    assert (random_npoint(1, 4, connected=True) / p).connected
    assert len(random_npoint(1, 2) - random_npoint(1, 2, connected=True)) == 6
    # the same inputs, written in two ways
    assert len(p - random_npoint(2, 4, points=[[0.1], [0.2], [0.3]])) == 15


# --- moments and cumulants --------------------------------------------------------------------------------------------


def moment_by_hand(cumulants: dict[int, NPoint], inputs: tuple[int, ...]) -> float:
    """The moment by the recursion over the block of the first point, a second route to the set partitions."""
    if not inputs:
        return 1.0
    first, rest = inputs[0], inputs[1:]
    total = 0.0
    for mask in range(2 ** len(rest)):
        block = (first, *(e for i, e in enumerate(rest) if mask >> i & 1))
        if len(block) in cumulants:
            others = tuple(e for i, e in enumerate(rest) if not mask >> i & 1)
            total += cumulants[len(block)].at(*block) * moment_by_hand(cumulants, others)
    return total


@pytest.mark.parametrize("odd", [False, True])
@pytest.mark.parametrize("n", [3, 4, 5, 6])
def test_to_full_is_the_sum_over_set_partitions(n: int, odd: bool) -> None:
    orders = [k for k in range(1, n + 1) if odd or k % 2 == 0 or k == n]
    cumulants = {k: random_npoint(k, k, m=2, connected=True) for k in orders}
    full = cumulants[n].to_full(lower=[p for k, p in cumulants.items() if k < n])
    assert not full.connected
    for inputs in full.indices.tolist():
        assert full.at(*inputs) == pytest.approx(moment_by_hand(cumulants, tuple(inputs)), rel=1e-12, abs=1e-12)


@given(st.integers(0, 2**32 - 1), st.sampled_from([4, 6]), st.booleans())
@settings(deadline=None, max_examples=15)
def test_full_and_connected_are_inverse(seed: int, n: int, odd: bool) -> None:
    orders = [k for k in range(1, n + 1) if odd or k % 2 == 0]
    connected = {k: random_npoint(seed + k, k, m=2, connected=True) for k in orders}
    full = {k: p.to_full(lower=[connected[j] for j in orders if j < k]) for k, p in connected.items() if k > 2}
    full |= {k: connected[k] for k in orders if k == 1}
    full[2] = connected[2].to_full(lower=[connected[1]]) if odd else connected[2].to_full()
    back = full[n].to_connected(lower=[full[j] for j in orders if j < n])
    assert back.connected
    np.testing.assert_allclose(back.values, connected[n].values, rtol=1e-9, atol=1e-9)
    again = back.to_full(lower=[connected[j] for j in orders if j < n])
    np.testing.assert_allclose(again.values, full[n].values, rtol=1e-9, atol=1e-9)


def exponential(n: int, *, connected: bool) -> NPoint:
    """One input whose value is exponential with mean 1: moments n!, cumulants (n-1)!."""
    value = factorial(n - 1) if connected else factorial(n)
    return NPoint([value], n=n, n_inputs=1, connected=connected)


@pytest.mark.parametrize("n", [2, 3, 4, 5, 6])
def test_the_cumulants_of_the_exponential_distribution(n: int) -> None:
    moments = [exponential(k, connected=False) for k in range(1, n)]
    cumulants = [exponential(k, connected=True) for k in range(1, n)]
    assert exponential(n, connected=False).to_connected(lower=moments).values[0] == factorial(n - 1)
    assert exponential(n, connected=True).to_full(lower=cumulants).values[0] == factorial(n)


def test_with_a_mean_the_kernel_is_the_connected_two_point_function() -> None:
    kernel = Lattice([[1.0, 0.3], [0.3, 2.0]])
    points = np.array([[0.0], [1.0]])
    mean = NPoint([0.5, -0.2], n=1, n_inputs=2, connected=True, points=points)
    connected = random_npoint(3, 3, m=2, connected=True, points=points)
    full = connected.to_full(kernel, lower=[mean])
    want = connected.at(0, 0, 1) + 0.5 * (2 * 0.3 + 0.5 * -0.2) + 1.0 * -0.2
    assert full.at(0, 0, 1) == pytest.approx(want, rel=1e-14)
    back = full.to_connected(kernel, lower=[mean])
    np.testing.assert_allclose(back.values, connected.values, atol=1e-15)
    two = gaussian(kernel, points, 2, connected=True)
    np.testing.assert_array_equal(full.to_connected(two, lower=mean).values, back.values)
    np.testing.assert_allclose(full.to_connected(two.to_full(lower=mean), lower=mean).values, back.values, atol=1e-15)


def test_the_gaussian_process_has_no_connected_part() -> None:
    kernel = Erf()
    points = np.array([[-0.5], [0.3], [1.0]])
    for n in (4, 6):
        full = gaussian(kernel, points, n)
        lower = [gaussian(kernel, points, 4)] if n == 6 else []
        back = full.to_connected(kernel, lower=lower)
        assert (np.abs(back.values) <= back.bound).all()
        zero = gaussian(kernel, points, n, connected=True)
        assert not zero.values.any()
        given_zero = [gaussian(kernel, points, 4, connected=True)] if n == 6 else []
        np.testing.assert_allclose(zero.to_full(kernel, lower=given_zero).values, full.values, rtol=1e-14)


@pytest.mark.parametrize("n", [0, 1, 2, 4, 6, 8])
def test_gaussian_moments_are_double_factorials(n: int) -> None:
    p = gaussian(Gauss(1.0, 0.0), np.zeros((1, 1)), n)
    assert p.values.tolist() == [double_factorial(n - 1) if n % 2 == 0 else 0.0]
    assert p.kind == "exact"


def test_the_rounding_bound_of_a_cancelling_wick_sum_is_honest() -> None:
    # K00 K12 + 2 K01 K02 = -0.02 + 0.02
    kernel = Lattice([[1.0, 0.1, 0.1], [0.1, 1.0, -0.02], [0.1, -0.02, 1.0]])
    p = gaussian(kernel, np.array([[0.0], [1.0], [2.0]]), 4)
    where = p.position(0, 0, 1, 2)
    assert abs(p.values[where]) <= p.bound[where]
    assert 1e-18 < p.bound[where] < 1e-15


def test_correlated_errors_survive_the_conversion() -> None:
    rng = np.random.default_rng(6)
    f = rng.normal(size=(100, 200, 2)) @ np.array([[1.0, 0.5], [0.0, 1.0]])
    rows = {}
    for n in (2, 4):
        index = multisets(2, n)
        rows[n] = np.prod(f[:, :, index], axis=3).mean(axis=1)
    p = {n: NPoint(r.mean(axis=0), n=n, n_inputs=2, rows=r, source="run") for n, r in rows.items()}
    got = p[4].to_connected(p[2])
    jackknife = []
    for i in range(100):
        left = {n: np.delete(r, i, axis=0).mean(axis=0) for n, r in rows.items()}
        jackknife.append(left[4][0] - 3 * left[2][0] ** 2)
    want = np.sqrt(99 / 100 * ((np.array(jackknife) - np.mean(jackknife)) ** 2).sum())
    assert got.stat[0] == pytest.approx(want, rel=0.02)
    # without the correlation of G4 with G2 the error would be far larger
    assert got.stat[0] < 0.7 * p[4].stat[0]


def test_bounds_of_a_conversion_add_linearly() -> None:
    four = NPoint([10.0], n=4, n_inputs=1, bound=0.5)
    two = NPoint([2.0], n=2, n_inputs=1, bound=0.1)
    result = four.to_connected(two)
    assert result.values[0] == 10 - 3 * 4
    assert result.bound[0] == pytest.approx(0.5 + 3 * (2 * 2 * 0.1 + 0.01))


def test_converting_twice_changes_nothing() -> None:
    p, q = random_npoint(1, 4), random_npoint(1, 4, connected=True)
    assert p.to_full() is p
    assert q.to_connected() is q
    assert random_npoint(1, 4, connected=cast("bool", np.False_)).to_full(None).connected is False


def test_three_and_five_points_need_no_even_function_that_cannot_enter() -> None:
    three = random_npoint(1, 3)
    np.testing.assert_array_equal(three.to_connected().values, three.values)
    five = random_npoint(2, 5)
    two = random_npoint(3, 2)
    got = five.to_connected(two, lower=[three])
    want = five.at(0, 0, 0, 0, 0) - 10 * two.at(0, 0) * three.at(0, 0, 0)
    assert got.at(0, 0, 0, 0, 0) == pytest.approx(want)


def test_conversions_that_lack_something_say_what() -> None:
    points = [0.1, 0.2, 0.3]
    six, four = random_npoint(1, 6, points=points), random_npoint(2, 4, points=points)
    cases: list[tuple[NPoint, Any, Any, str]] = [
        (four, None, (), "pass the kernel"),
        (six, Gauss(), (), r"the 6-point function needs the 4-point function too: pass it in lower="),
        (six, Gauss(), [random_npoint(2, 4, connected=True)], "lower must hold full functions, got a 4-point"),
        (random_npoint(1, 4), Gauss(), (), "carries no points: pass a 2-point NPoint"),
        (four, six, (), "kernel must be a kernel or a 2-point function, got a 6-point function"),
        (four, random_npoint(1, 2, m=2), (), "has 2 inputs, this one 3"),
        (four, random_npoint(1, 2, points=[0.1, 0.2, 0.4]), (), "belongs to other inputs"),
        (six, Gauss(), [random_npoint(2, 4, points=[1, 2, 3])], "belongs to other inputs"),
        (six, Gauss(), [3], "expected n-point functions"),
        (random_npoint(1, 0), None, (), "log Z are not converted"),
        (NPoint(np.zeros(9), n=2, n_inputs=3, symmetric=False), None, (), "only symmetric"),
    ]
    for p, kernel, lower, match in cases:
        with pytest.raises(InputError, match=match):
            p.to_connected(kernel, lower=lower)
    with pytest.raises(InputError, match="lower must hold connected functions"):
        random_npoint(1, 6, connected=True).to_full(random_npoint(3, 2), lower=[four])


def test_functions_of_more_points_in_lower_are_not_used() -> None:
    four, two = random_npoint(1, 4), random_npoint(2, 2)
    extra = [random_npoint(3, 6), random_npoint(4, 7, connected=True), random_npoint(5, 4, connected=True)]
    np.testing.assert_array_equal(four.to_connected(two, lower=extra).values, four.to_connected(two).values)


def test_as_npoints() -> None:
    p = random_npoint(1, 2)
    assert as_npoints(p) == as_npoints([p]) == as_npoints(q for q in [p]) == [p]
    for bad in ([], [1], 3, None, "p"):
        with pytest.raises(InputError, match="expected"):
            as_npoints(cast("Any", bad))


# --- showing and storing ----------------------------------------------------------------------------------------------


def test_repr_is_one_line() -> None:
    p = NPoint(np.zeros(6), n=2, n_inputs=3, connected=True, origin="Gauss-net, width 10")
    assert repr(p) == "NPoint(2-point connected, 3 inputs, 6 values, exact, Gauss-net, width 10)"
    assert repr(random_npoint(1, 4, stat=1.0)) == "NPoint(4-point full, 3 inputs, 15 values, sampled)"


def test_str_is_a_table() -> None:
    p = NPoint([1.0, -2.5, 1 / 3], n=2, n_inputs=2, bound=[0.1, 0.0, 1e-16], origin="hand")
    assert str(p) == (
        "NPoint(2-point full, 2 inputs, 3 values, computed, hand)\n"
        "inputs               value      error\n"
        "0,0                      1        0.1\n"
        "0,1                   -2.5          0\n"
        "1,1            0.333333333      1e-16"
    )


def test_a_long_table_is_shortened_in_the_middle() -> None:
    lines = str(random_npoint(1, 6)).splitlines()
    assert len(lines) == 2 + 20 + 1 + 3
    assert lines[22].startswith("...")
    assert lines[-1].startswith("2,2,2,2,2,2")


def test_html_names_what_it_leaves_out() -> None:
    assert "first 24 of 28" in random_npoint(1, 6)._repr_html_()
    short = random_npoint(1, 2)._repr_html_()
    assert "<caption>" not in short
    assert short.count("<tr>") == 7


def assert_same(p: NPoint, q: NPoint) -> None:
    for name in ("n", "n_inputs", "connected", "symmetric", "kind", "origin"):
        assert getattr(p, name) == getattr(q, name)
    for name in ("values", "bound", "stat", "covariance", "indices"):
        np.testing.assert_array_equal(getattr(p, name), getattr(q, name))
    for first, second in ((p.points, q.points), (p.rows, q.rows)):
        assert (first is None) == (second is None)
        np.testing.assert_array_equal(cast("Array", first), cast("Array", second))


@pytest.mark.parametrize(
    "p",
    [
        sampled(1, 4),
        random_npoint(1, 0),
        random_npoint(1, 2, stat=0.1, points=[[0.1, 1 / 3], [1e-300, 2.0], [3.0, -0.0]]),
        NPoint(np.arange(9) / 7, n=2, n_inputs=3, symmetric=False, bound=1e-17, origin="a diagram"),
        sampled(1, 2) - random_npoint(2, 2, bound=0.1, stat=0.2),
        gaussian(ReLU(), np.array([[0.5], [1.0]]), 4),
    ],
    ids=repr,
)
def test_dictionaries_are_lossless(p: NPoint) -> None:
    back = NPoint.from_dict(json.loads(json.dumps(p.to_dict())))
    assert_same(p, back)
    # correlation with the original is kept as well
    assert (p - back).stat.max() == 0.0


def test_a_dictionary_with_wrong_sources_is_refused() -> None:
    data = sampled(1, 2).to_dict()
    data["sources"] = {"run": [[1.0, 2.0]]}
    with pytest.raises(InputError, match=r"source 'run' must have shape \(r, 6\), got \(1, 2\)"):
        NPoint.from_dict(data)
