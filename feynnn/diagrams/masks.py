"""Classes of many skeletons at once, by bit masks of vertices: the vectorised form of classes.py.

Every function takes `lines` of shape (V(V-1)/2, graphs), the lines between each pair of vertices i < j; lines to
external points and self-loops are given by vertex, as they are the same for all graphs of one configuration.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from .pairs import pair_columns
from .tables import Lines

Mask = npt.NDArray[np.uint32]
Flags = npt.NDArray[np.bool_]

#: Bytes of the table of subsets that the search for self-energies holds at once.
_SUBSET_BYTES = 1 << 25


def adjacency(lines: Lines, n: int) -> list[Mask]:
    """Return for each vertex the masks of its neighbours, shape (graphs,)."""
    columns = pair_columns(n)
    masks = [np.zeros(lines.shape[1], dtype=np.uint32) for _ in range(n)]
    for i in range(n):
        for j in range(i + 1, n):
            joined = (lines[columns[i, j]] > 0).astype(np.uint32)
            masks[i] |= joined << np.uint32(j)
            masks[j] |= joined << np.uint32(i)
    return masks


def reached(masks: Sequence[Mask], start: Mask, *, within: int | None = None) -> Mask:
    """Return which vertices are joined to those in `start`, using only vertices of the mask `within`."""
    allowed = np.uint32((1 << len(masks)) - 1 if within is None else within)
    found = start & allowed
    for _ in range(len(masks)):
        more = found.copy()
        for v, mask in enumerate(masks):
            if allowed >> np.uint32(v) & np.uint32(1):
                more |= mask * (more >> np.uint32(v) & np.uint32(1))
        more &= allowed
        if np.array_equal(more, found):
            break
        found = more
    return found


def is_joined(lines: Lines, n: int, start: int) -> Flags:
    """Whether every vertex is joined to one of those in the mask `start`."""
    if n == 0:
        return np.ones(lines.shape[1], dtype=np.bool_)
    seed = np.full(lines.shape[1], start, dtype=np.uint32)
    return np.asarray(reached(adjacency(lines, n), seed) == np.uint32((1 << n) - 1))


def number_of_components(lines: Lines, n: int) -> npt.NDArray[np.int64]:
    """Return the number of connected components of the vertices."""
    masks = adjacency(lines, n)
    count = np.zeros(lines.shape[1], dtype=np.int64)
    seen = np.zeros(lines.shape[1], dtype=np.uint32)
    for v in range(n):
        new = (seen >> np.uint32(v) & np.uint32(1)) == 0
        count += new
        seen |= np.where(new, reached(masks, np.full_like(seen, 1 << v)), np.uint32(0))
    return count


def has_bridge(lines: Lines, n: int) -> Flags:
    """Whether a single line between two vertices disconnects them when cut."""
    found = np.zeros(lines.shape[1], dtype=np.bool_)
    for graphs, _ in _bridges(lines, n, found):
        found[graphs] = True
    return found


def has_leg_correction(lines: Lines, n: int, legs: Sequence[int]) -> Flags:
    """Whether some bridge leaves exactly one external point on one of its sides; for connected graphs."""
    found = np.zeros(lines.shape[1], dtype=np.bool_)
    for graphs, side in _bridges(lines, n, found):
        here = sum((side >> np.uint32(v) & np.uint32(1)) * np.uint32(k) for v, k in enumerate(legs))
        found[graphs] |= (here == 1) | (here == sum(legs) - 1)
    return found


def _bridges(lines: Lines, n: int, done: Flags) -> Iterator[tuple[npt.NDArray[np.int64], Mask]]:
    """Yield for each pair of vertices the graphs, not yet done, where it is a bridge, and the vertices on one side."""
    columns = pair_columns(n)
    masks = adjacency(lines, n)
    for i in range(n):
        for j in range(i + 1, n):
            one = np.flatnonzero((lines[columns[i, j]] == 1) & ~done)
            if not len(one):
                continue
            rest = [mask[one] for mask in masks]
            rest[i] &= ~np.uint32(1 << j)
            rest[j] &= ~np.uint32(1 << i)
            far = reached(rest, np.full(len(one), 1 << i, dtype=np.uint32))
            cut = (far >> np.uint32(j) & np.uint32(1)) == 0
            yield one[cut], far[cut]


def has_snail(lines: Lines, n: int, legs: Sequence[int], loops: Sequence[int]) -> Flags:
    """Whether a part without external points hangs on one vertex, self-loops included."""
    count = lines.shape[1]
    if any(loops):
        return np.ones(count, dtype=np.bool_)
    masks = adjacency(lines, n)
    external = sum(1 << v for v, k in enumerate(legs) if k)
    outside = reached(masks, np.full(count, external, dtype=np.uint32))
    found = np.zeros(count, dtype=np.bool_)
    for v in range(n):
        bit = np.uint32(1 << v)
        rest = ((1 << n) - 1) & ~(1 << v)
        left = reached(masks, np.full(count, external & rest, dtype=np.uint32), within=rest)
        attached = (outside & bit) > 0
        # a component with external points must keep them all round v; one without is cut by any v with a neighbour
        found |= np.where(attached, left != (outside & ~bit), masks[v] > 0)
    return found


def has_small_cut(lines: Lines, n: int, ends: Sequence[int]) -> Flags:
    """Whether some set of vertices has one or two line ends outside it.

    Parameters
    ----------
    ends : sequence of int
        Line ends of each vertex, without its self-loops. With the external legs among them such a set is a
        self-energy insertion; without, the cut takes a connected diagram apart (it is not 2PI).
    """
    count = lines.shape[1]
    found = np.zeros(count, dtype=np.bool_)
    step = max(1, _SUBSET_BYTES >> n)
    for start in range(0, count, step):
        found[start : start + step] = _small_cuts(lines[:, start : start + step], n, ends)
    return found


def _small_cuts(lines: Lines, n: int, ends: Sequence[int]) -> Flags:
    columns = pair_columns(n)
    count = lines.shape[1]
    cut = np.zeros((1 << n, count), dtype=np.int16)
    found = np.zeros(count, dtype=np.bool_)
    for v in range(n):
        # lines from v into each subset of the vertices before it, then cut(S + v) = cut(S) + ends - 2 lines(S, v)
        into = np.zeros((1 << v, count), dtype=np.int16)
        for u in range(v):
            into[1 << u : 2 << u] = into[: 1 << u] + lines[columns[u, v]]
        new = cut[: 1 << v] + np.int16(ends[v]) - 2 * into
        cut[1 << v : 2 << v] = new
        found |= ((new == 1) | (new == 2)).any(axis=0)
    return found
