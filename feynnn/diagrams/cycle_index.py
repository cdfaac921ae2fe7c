"""Burnside's lemma for diagrams: orbits of the pairings of all legs under permutations of legs and vertices.

A permutation with c_l cycles of length l on the legs fixes prod_l F(l, c_l) pairings; the cycle types of the wreath
products (legs inside points inside vertices inside classes of equal vertices) come from their cycle indices.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from math import comb

from ..combinatorics import double_factorial
from ..errors import ComputationError
from ..theory.interaction import Interaction

#: A cycle type: sorted pairs (length, number of cycles).
CycleType = tuple[tuple[int, int], ...]
CycleIndex = dict[CycleType, Fraction]


def orbits_of_pairings(n: int, vertices: Sequence[tuple[Interaction, int]]) -> int:
    """Return the number of diagrams with n labelled external points and given numbers of vertices."""
    total = Fraction(0)
    for cycles, weight in _index(tuple(vertices)).items():
        numbers = dict(cycles)
        numbers[1] = numbers.get(1, 0) + n
        fixed = 1
        for length, k in numbers.items():
            fixed *= _fixed_pairings(length, k)
        total += weight * fixed
    if total.denominator != 1:
        raise ComputationError(f"{total} orbits: the number should be whole")
    return total.numerator


@cache
def _fixed_pairings(length: int, k: int) -> int:
    """Return the number of pairings fixed by a permutation with k cycles of one length.

    Two cycles pair in `length` ways; one of even length pairs with itself in one way, half a turn.
    """
    total = 0
    for pairs in range(k // 2 + 1):
        alone = k - 2 * pairs
        if alone and length % 2:
            continue
        total += comb(k, alone) * double_factorial(2 * pairs - 1) * length**pairs
    return total


@cache
def _index(vertices: tuple[tuple[Interaction, int], ...]) -> CycleIndex:
    """Return the cycle index of the permutations of legs and vertices."""
    index: CycleIndex = {(): Fraction(1)}
    for interaction, m in vertices:
        index = _times(index, _equal_vertices(interaction, m))
    return index


@cache
def _equal_vertices(interaction: Interaction, m: int) -> CycleIndex:
    """Return the cycle index of m equal vertices, kept because every order needs those below it."""
    return _level(_vertex_index(interaction), [_equal_vertices(interaction, k) for k in range(m)])


@cache
def _vertex_index(interaction: Interaction) -> CycleIndex:
    """Return the cycle index of a vertex's own symmetry, acting on its legs."""
    index: CycleIndex = {(): Fraction(1)}
    for points in interaction.point_classes():
        legs = _wreath(interaction.degree[points[0]], {((1, 1),): Fraction(1)})
        index = _times(index, _wreath(len(points), legs))
    return index


def _times(a: CycleIndex, b: CycleIndex) -> CycleIndex:
    result: CycleIndex = {}
    for t1, c1 in a.items():
        for t2, c2 in b.items():
            merged = dict(t1)
            for length, k in t2:
                merged[length] = merged.get(length, 0) + k
            key = tuple(sorted(merged.items()))
            result[key] = result.get(key, Fraction(0)) + c1 * c2
    return result


def _wreath(m: int, index: CycleIndex) -> CycleIndex:
    """Return the cycle index of m interchangeable copies."""
    levels: list[CycleIndex] = []
    for _ in range(m + 1):
        levels.append(_level(index, levels))
    return levels[m]


def _level(index: CycleIndex, lower: Sequence[CycleIndex]) -> CycleIndex:
    """Return the cycle index of m copies from those of 0 .. m-1 copies: Z_m = (1/m) sum_k p_k(Z) Z_(m-k)."""
    m = len(lower)
    if m == 0:
        return {(): Fraction(1)}
    level: CycleIndex = {}
    for k in range(1, m + 1):
        stretched = {tuple((k * length, c) for length, c in t): w for t, w in index.items()}
        for t, w in _times(stretched, lower[m - k]).items():
            level[t] = level.get(t, Fraction(0)) + w / m
    return level
