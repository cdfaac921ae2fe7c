"""Sums over shared indices against numpy's einsum, which multiplies everything out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feynnn.perturbation.elimination import contract, eliminate

SIZES = [3, 4, 2, 5, 3, 2, 4]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 6), min_size=1, max_size=3, unique=True), min_size=1, max_size=6),
    st.sets(st.integers(0, 6)),
    st.integers(0, 2**32 - 1),
)
def test_any_product_is_what_einsum_gives(factors: list[list[int]], inner: set[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    used = sorted({i for f in factors for i in f})
    summed = [i for i in used if i in inner]
    output = [i for i in used if i not in inner][::-1]
    arrays = [rng.normal(size=[SIZES[i] for i in f]) for f in factors]
    steps = eliminate([tuple(f) for f in factors], summed, dict(enumerate(SIZES)))
    assert sorted(s.index for s in steps) == summed
    found = contract(list(zip(map(tuple, factors), arrays, strict=True)), steps, output)
    arguments: list[Any] = [item for pair in zip(arrays, factors, strict=True) for item in pair]
    np.testing.assert_allclose(found, np.einsum(*arguments, output), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize(("edges", "treewidth"), [
    ([(0, 1), (1, 2), (2, 3)], 1),
    ([(0, 1), (1, 2), (2, 3), (3, 0)], 2),
    ([(a, b) for a in range(4) for b in range(a)], 3),
])  # fmt: skip
def test_work_grows_with_the_treewidth(edges: list[tuple[int, int]], treewidth: int) -> None:
    """Chain, ring and tetrahedron cost M^2, M^3 and M^4, and the tetrahedron's largest array has M^3 entries."""
    work, room = [], []
    for size in (100, 1000):
        steps = eliminate([tuple(e) for e in edges], range(4), dict.fromkeys(range(4), size))
        work.append(max(s.flops for s in steps))
        room.append(max(s.entries for s in steps))
    assert np.log10(work[1] / work[0]) == pytest.approx(treewidth + 1, abs=0.2)
    assert np.log10(room[1] / room[0]) <= max(treewidth, 1) + 0.2


def test_a_sum_over_one_factor_and_a_scalar() -> None:
    (step,) = eliminate([(0,)], [0], {0: 3})
    assert contract([((0,), np.array([1.0, 2.0, 4.0]))], [step], []) == 7.0
