"""Index sets: multisets and their ranks, set partitions, pairings."""

from itertools import permutations
from math import comb, factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feynnn.combinatorics import double_factorial, multiset_rank, multisets, pairings, set_partitions
from feynnn.errors import FeynnnError

BELL = [1, 1, 2, 5, 15, 52, 203, 877]


@pytest.mark.parametrize(
    ("m", "n", "k"), [(6, 2, 21), (6, 4, 126), (6, 6, 462), (4, 0, 1), (1, 5, 1), (3, 1, 3), (0, 2, 0), (0, 0, 1)]
)
def test_multisets_are_sorted_distinct_and_as_many_as_the_binomial(m: int, n: int, k: int) -> None:
    rows = multisets(m, n)
    assert rows.shape == (k, n)
    assert rows.dtype == np.int64
    assert (np.diff(rows, axis=1) >= 0).all()
    listed = [tuple(r) for r in rows.tolist()]
    assert listed == sorted(set(listed))


@given(st.integers(1, 7), st.integers(0, 6))
@settings(deadline=None, max_examples=40)
def test_rank_is_the_position_in_multisets(m: int, n: int) -> None:
    rows = multisets(m, n)
    assert len(rows) == comb(m + n - 1, n)
    np.testing.assert_array_equal(multiset_rank(rows, m), np.arange(len(rows)))


def test_rank_does_not_mind_the_order_within_a_row() -> None:
    for row in multisets(4, 4)[::5]:
        orders = np.array(list(permutations(row)))
        assert len(set(multiset_rank(orders, 4).tolist())) == 1


def test_rank_of_many_axes_and_of_many_inputs() -> None:
    grid = np.stack(np.meshgrid(*[np.arange(3)] * 3, indexing="ij"), axis=-1)
    ranks = multiset_rank(grid, 3)
    assert ranks.shape == (3, 3, 3)
    assert ranks[2, 0, 1] == ranks[0, 1, 2]
    # far beyond what can be listed: the last multiset of 1000 inputs
    assert multiset_rank([999] * 6, 1000) == comb(1005, 6) - 1


@pytest.mark.parametrize(("m", "n"), [(-1, 2), (3, -1), (2.0, 2), (3, True)])
def test_multisets_of_nonsense_are_refused(m: int, n: int) -> None:
    with pytest.raises(FeynnnError, match="must be"):
        multisets(m, n)


@pytest.mark.parametrize("n", range(8))
def test_set_partitions_are_as_many_as_bell_and_cover_everything_once(n: int) -> None:
    partitions = set_partitions(n)
    assert len(partitions) == len(set(partitions)) == BELL[n]
    for p in partitions:
        assert sorted(e for block in p for e in block) == list(range(n))


@pytest.mark.parametrize("n", range(9))
def test_even_partitions_are_the_partitions_with_even_blocks(n: int) -> None:
    kept = [p for p in set_partitions(n) if all(len(b) % 2 == 0 for b in p)]
    assert list(set_partitions(n, even=True)) == kept


def test_even_partitions_of_ten_are_listed_directly() -> None:
    # the even Bell numbers 1, 1, 4, 31, 379, 6556, 150349
    assert len(set_partitions(10, even=True)) == 6556


@pytest.mark.parametrize("n", range(0, 11, 2))
def test_pairings_are_as_many_as_the_double_factorial(n: int) -> None:
    listed = [frozenset(frozenset(pair) for pair in p) for p in pairings(range(n))]
    assert len(listed) == len(set(listed)) == double_factorial(n - 1)
    assert double_factorial(n - 1) == factorial(n) // (2 ** (n // 2) * factorial(n // 2))


def test_an_odd_number_has_no_pairing() -> None:
    assert list(pairings(range(3))) == []
    assert list(pairings([])) == [()]


def test_double_factorial() -> None:
    assert [double_factorial(n) for n in (-1, 0, 1, 2, 3, 5, 6, 7, 15)] == [1, 1, 1, 2, 3, 15, 48, 105, 2027025]
