"""Which vertex of a group is canonical: colour refinement on pairs of vertices, all graphs of a table at once.

The colour of a pair (i, j) starts as its number of lines (and the group of i, for i = j) and is refined with the
colours of (i, k) and (k, j) for all k: the two-dimensional Weisfeiler-Leman method. Colours are 64-bit hashes, the
same for isomorphic graphs. Round by round only the vertices of least colour stay candidates; a graph whose root is not
among them is dropped at once. When the colours are stable, the candidates left are taken for one orbit. That is exact
for up to `EXACT` vertices: the smallest coherent configuration that is not the one of its automorphism group has 14
points (M. Klin, M. Ziv-Av, "A non-Schurian coherent configuration on 14 points exists", 2017).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..combinatorics import Indices

#: Largest number of vertices for which colours are orbits.
EXACT = 13

_Hash = npt.NDArray[np.uint64]
_A, _B, _C = (np.uint64(x) for x in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
_NONE = np.uint64(2**64 - 1)


def _mix(x: _Hash) -> _Hash:
    """Scramble 64-bit words (the finaliser of splitmix64)."""
    x = (x ^ (x >> np.uint64(30))) * _B
    x = (x ^ (x >> np.uint64(27))) * _C
    return np.asarray(x ^ (x >> np.uint64(31)))


def canonical_root(
    lines: npt.NDArray[np.int8], colours: Indices, first: int, size: int
) -> tuple[npt.NDArray[np.bool_], Indices]:
    """Return which graphs have the vertex `first` in the canonical orbit of its group, and the size of that orbit.

    Parameters
    ----------
    lines : numpy.ndarray of int8, shape (n(n-1)/2, graphs)
        Number of lines between pairs i < j.
    colours : numpy.ndarray, shape (n,)
        Number of each vertex's group.
    first, size : int
        The group: vertices first, ..., first + size - 1; the root is its first.

    Returns
    -------
    keep : numpy.ndarray of bool, shape (graphs,)
    orbits : numpy.ndarray, shape (number kept,)
    """
    n, count = len(colours), lines.shape[1]
    keep = np.zeros(count, dtype=np.bool_)
    orbit = np.ones(count, dtype=np.int64)
    alive = np.arange(count)
    candidates = np.ones((size, count), dtype=np.bool_)
    pairs = np.empty((n, n, count), dtype=np.uint64)
    i, j = np.triu_indices(n, 1)
    pairs[i, j] = pairs[j, i] = _mix(lines.astype(np.uint64) + np.uint64(1))
    diagonal = np.arange(n)
    pairs[diagonal, diagonal] = _mix(colours.astype(np.uint64) + np.uint64(1000))[:, None]
    group = diagonal[first : first + size]
    for _ in range(n + 2):
        refined = pairs * _A
        for k in range(n):
            refined += _mix(pairs[:, k, None, :] * _B + pairs[None, k, :, :] * _C)
        pairs = _mix(refined)
        own = np.where(candidates, pairs[group, group], _NONE)
        candidates &= own == own.min(axis=0)
        left = candidates.sum(axis=0)
        keep[alive[candidates[0] & (left == 1)]] = True
        go = candidates[0] & (left > 1)
        alive, pairs, candidates = alive[go], pairs[:, :, go], candidates[:, go]
        if not len(alive):
            break
    keep[alive] = True
    orbit[alive] = candidates.sum(axis=0)
    return keep, orbit[keep]
