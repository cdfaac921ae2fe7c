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
from .pairs import upper_pairs

#: Largest number of vertices for which colours are orbits.
EXACT = 13
#: Rounds of refinement of single vertices before that of pairs.
_VERTEX_ROUNDS = 3
#: Rounds of refinement of pairs before stability is asked for, which costs a sort.
_PAIR_ROUNDS = 3

_Hash = npt.NDArray[np.uint64]
_A, _B, _C = (np.uint64(x) for x in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
_NONE = np.uint64(2**64 - 1)


def mix(x: _Hash) -> _Hash:
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
    orbit = np.zeros(count, dtype=np.int64)
    alive = np.arange(count)
    group = slice(first, first + size)
    candidates = np.ones((size, count), dtype=np.bool_)
    diagonal = np.arange(n)
    pairs, own = _start(lines, colours)
    # refining vertices by their neighbours costs n times less than pairs and settles most graphs
    for _ in range(_VERTEX_ROUNDS):
        own = vertices_refined(pairs, own)
        alive, own, pairs, candidates = _narrow(orbit, alive, own, pairs, candidates, group)
        if not len(alive):
            return orbit > 0, orbit[orbit > 0]
    pairs[diagonal, diagonal] = own
    for _ in range(_PAIR_ROUNDS):
        pairs = _pairs_refined(pairs)
        alive, _, pairs, candidates = _narrow(orbit, alive, pairs[diagonal, diagonal], pairs, candidates, group)
        if not len(alive):
            break
    if len(alive):
        pairs = _stable(pairs)
        alive, _, _, candidates = _narrow(orbit, alive, pairs[diagonal, diagonal], pairs, candidates, group)
        orbit[alive] = candidates.sum(axis=0)
    return orbit > 0, orbit[orbit > 0]


def stabiliser_orders(lines: npt.NDArray[np.int8], colours: Indices) -> Indices:
    """Return the number of permutations of equally coloured vertices that leave each graph the same.

    A chain of stabilisers: the order is the size of an orbit times the order once one of its vertices is held fixed.
    The arguments are those of `canonical_root`.
    """
    n, count = len(colours), lines.shape[1]
    order = np.ones(count, dtype=np.int64)
    alive = np.arange(count)
    pairs, own = _start(lines, colours)
    diagonal = np.arange(n)
    pairs[diagonal, diagonal] = own
    while True:
        pairs = _stable(pairs)
        own = pairs[diagonal, diagonal]
        cells = (own[:, None] == own[None]).sum(axis=1)
        go = (cells > 1).any(axis=0)
        alive, pairs, cells = alive[go], pairs[:, :, go], cells[:, go]
        if not len(alive):
            return order
        fixed, each = (cells > 1).argmax(axis=0), np.arange(len(alive))
        order[alive] *= cells[fixed, each]
        pairs[fixed, fixed, each] = mix(pairs[fixed, fixed, each] + _C)


def _start(lines: npt.NDArray[np.int8], colours: Indices) -> tuple[_Hash, _Hash]:
    """Return the first colours of pairs, shape (n, n, graphs), and of vertices, shape (n, graphs)."""
    n, count = len(colours), lines.shape[1]
    i, j = upper_pairs(n)
    pairs = np.zeros((n, n, count), dtype=np.uint64)
    pairs[i, j] = pairs[j, i] = _hashes(lines, 1)
    return pairs, np.broadcast_to(mix(colours.astype(np.uint64) + np.uint64(1000))[:, None], (n, count))


def vertices_refined(pairs: _Hash, own: _Hash) -> _Hash:
    """Return the colours of vertices, shape (n, graphs), once each has seen those of its neighbours."""
    return mix(own * _A + mix(pairs + (own * _B)[None]).sum(axis=1))


def _pairs_refined(pairs: _Hash) -> _Hash:
    refined = pairs * _A
    for k in range(len(pairs)):
        refined += mix(pairs[:, k, None, :] * _B + pairs[None, k, :, :] * _C)
    return mix(refined)


def _stable(pairs: _Hash) -> _Hash:
    """Refine each graph until it has no more colours than the round before, whatever the graphs beside it do."""
    n, count = len(pairs), pairs.shape[2]
    result = np.empty_like(pairs)
    alive, known = np.arange(count), np.zeros(count, dtype=np.int64)
    while len(alive):
        ranked = pairs.reshape(n * n, len(alive)).T.copy()
        ranked.sort(axis=1)
        number = (ranked[:, 1:] != ranked[:, :-1]).sum(axis=1)
        done = number == known
        result[:, :, alive[done]] = pairs[:, :, done]
        alive, known = alive[~done], number[~done]
        pairs = _pairs_refined(np.ascontiguousarray(pairs[:, :, ~done]))
    return result


def _narrow(
    orbit: Indices, alive: Indices, own: _Hash, pairs: _Hash, candidates: npt.NDArray[np.bool_], group: slice
) -> tuple[Indices, _Hash, _Hash, npt.NDArray[np.bool_]]:
    """Keep the candidates of least colour and the graphs that are still open; a lone root gets its orbit."""
    colour = np.where(candidates, own[group], _NONE)
    candidates = candidates & (colour == colour.min(axis=0))
    left = candidates.sum(axis=0)
    orbit[alive[candidates[0] & (left == 1)]] = 1
    go = candidates[0] & (left > 1)
    return alive[go], own[:, go], pairs[:, :, go], candidates[:, go]


def _hashes(lines: npt.NDArray[np.int8], start: int) -> _Hash:
    """Return the hashes of numbers of lines, by a table: there are few different ones."""
    top = int(lines.max(initial=0)) + 1
    return mix(np.arange(start, start + top, dtype=np.uint64))[lines]
