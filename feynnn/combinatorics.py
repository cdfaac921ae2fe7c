"""Multisets of inputs, set partitions and pairings: the index sets of symmetric n-point functions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import combinations_with_replacement
from math import comb

import numpy as np
import numpy.typing as npt

from .points import whole

Indices = npt.NDArray[np.int64]
Partition = tuple[tuple[int, ...], ...]


def multisets(m: int, n: int) -> Indices:
    """Return the C(m+n-1, n) multisets of size `n` of range(m), shape (k, n), in lexicographic order; read-only."""
    return _multisets(whole(m, "m"), whole(n, "n"))


@lru_cache(maxsize=128)
def _multisets(m: int, n: int) -> Indices:
    rows = list(combinations_with_replacement(range(m), n))
    result = np.array(rows, dtype=np.int64).reshape(len(rows), n)
    result.setflags(write=False)
    return result


@lru_cache(maxsize=64)
def _binomials(top: int, bottom: int) -> Indices:
    return np.array([[comb(a, b) for b in range(bottom + 1)] for a in range(top + 1)], dtype=np.int64)


def multiset_rank(indices: npt.ArrayLike, m: int) -> Indices:
    """Return the position of each row of `indices` (any order within a row) in ``multisets(m, n)``.

    The map a_i -> a_i + i turns sorted multisets into subsets, whose lexicographic rank is a sum of binomials.
    """
    rows = np.sort(np.asarray(indices, dtype=np.int64), axis=-1)
    n = rows.shape[-1]
    if n == 0:
        return np.zeros(rows.shape[:-1], dtype=np.int64)
    table = _binomials(m + n, n)
    top = m + n - 1
    subset = rows + np.arange(n)
    return np.asarray(comb(top, n) - 1 - table[top - 1 - subset, n - np.arange(n)].sum(axis=-1))


def _partitions(elements: tuple[int, ...], even: bool) -> Iterator[Partition]:
    if not elements:
        yield ()
        return
    first, rest = elements[0], elements[1:]
    for mask in range(1 << len(rest)):
        if even and mask.bit_count() % 2 == 0:
            continue
        block = (first, *(e for i, e in enumerate(rest) if mask >> i & 1))
        others = tuple(e for i, e in enumerate(rest) if not mask >> i & 1)
        for tail in _partitions(others, even):
            yield (block, *tail)


@lru_cache(maxsize=32)
def set_partitions(n: int, *, even: bool = False) -> tuple[Partition, ...]:
    """Return all partitions of range(n) into blocks; with `even`, into blocks of even size only."""
    return tuple(_partitions(tuple(range(n)), even))


def pairings(elements: Sequence[int]) -> Iterator[tuple[tuple[int, int], ...]]:
    """Yield the (n-1)!! perfect pairings of `elements` (none if their number is odd)."""
    if not elements:
        yield ()
        return
    first, rest = elements[0], list(elements[1:])
    for i, partner in enumerate(rest):
        for tail in pairings(rest[:i] + rest[i + 1 :]):
            yield ((first, partner), *tail)


def double_factorial(n: int) -> int:
    """Return n!! with (-1)!! = 1: the number of pairings of n + 1 things."""
    result = 1
    while n > 1:
        result *= n
        n -= 2
    return result
