"""Pairs of vertices in lexicographic order."""

from __future__ import annotations

from itertools import combinations, permutations

import pytest

from feynnn.diagrams.pairs import pair_columns, places, upper_pairs


@pytest.mark.parametrize("n", range(8))
def test_pairs_are_those_of_combinations(n: int) -> None:
    expected = list(combinations(range(n), 2))
    i, j = upper_pairs(n)
    assert list(zip(i.tolist(), j.tolist(), strict=True)) == expected
    columns = pair_columns(n)
    assert columns.shape == (n, n)
    assert columns.diagonal().tolist() == [-1] * n
    for k, (a, b) in enumerate(expected):
        assert columns[a, b] == columns[b, a] == k


@pytest.mark.parametrize("n", [1, 2, 4, 5])
def test_places_follow_the_order_of_the_vertices(n: int) -> None:
    expected = list(combinations(range(n), 2))
    for size in range(n + 1):
        for chosen in permutations(range(n), size):
            where = places(n, chosen).tolist()
            assert [expected[k] for k in where] == [(min(p), max(p)) for p in combinations(chosen, 2)]
