"""Pairs of vertices i < j in lexicographic order: the rows of every table of skeletons."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ..combinatorics import Indices


@lru_cache(maxsize=64)
def pair_columns(n: int) -> Indices:
    """Return the place of the pair (i, j) in either order among the pairs i < j, shape (n, n); -1 on the diagonal."""
    columns = np.full((n, n), -1, dtype=np.int64)
    i, j = upper_pairs(n)
    columns[i, j] = columns[j, i] = np.arange(len(i))
    return columns


@lru_cache(maxsize=64)
def upper_pairs(n: int) -> tuple[Indices, Indices]:
    """Return the pairs i < j in lexicographic order; numpy takes longer to make them than to use them."""
    i, j = np.triu_indices(n, 1)
    return i, j


@lru_cache(maxsize=4096)
def places(n: int, vertices: tuple[int, ...]) -> Indices:
    """Return where the pairs of some vertices, in their own order, stand among the pairs of n vertices."""
    i, j = upper_pairs(len(vertices))
    where = np.array(vertices, dtype=np.int64)
    return np.asarray(pair_columns(n)[where[i], where[j]])
