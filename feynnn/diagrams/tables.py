"""Tables of skeletons: loopless multigraphs with given degrees, up to permutations of equal vertices.

A pattern is a sorted tuple of groups (degree, size); the vertices of a group are interchangeable, groups are not, even
of one degree. When a group has one vertex, the lines from it split every other group by their number, which leaves a
smaller pattern: each graph arises exactly once, and its stabiliser is that of the smaller graph. No isomorphism is
ever tested there. A pattern of larger groups only is rooted at a vertex of its smallest group; of the rooted graphs
those are kept whose root lies in the canonical orbit (roots.py), and the stabiliser is multiplied by the orbit's size.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from math import factorial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..combinatorics import Indices
from .pairs import pair_columns, places
from .roots import canonical_root

Lines = npt.NDArray[np.int8]
Group = tuple[int, int]
Pattern = tuple[Group, ...]

#: Rooted graphs compared at once, which bounds the memory of the refinement.
_CHUNK = 1 << 13


@dataclass(frozen=True)
class Table:
    """All graphs of a pattern.

    Attributes
    ----------
    n : int
        Number of vertices, in the order of the pattern's groups.
    lines : numpy.ndarray of int8, shape (n(n-1)/2, graphs)
        Number of lines between each pair of vertices i < j, pairs in lexicographic order, graphs last.
    stabilisers : numpy.ndarray of int64, shape (graphs,)
        Number of permutations inside groups that leave the graph the same.
    """

    n: int
    lines: Lines
    stabilisers: Indices

    def __len__(self) -> int:
        return int(self.lines.shape[1])


def is_possible(groups: Sequence[Group]) -> bool:
    """Whether some loopless multigraph has these degrees: an even sum, and no vertex with more than half of it."""
    total = sum(degree * size for degree, size in groups)
    return total % 2 == 0 and all(2 * degree <= total for degree, _ in groups)


@lru_cache(maxsize=4096)
def table(pattern: Pattern) -> Table:
    """Return all loopless multigraphs of a pattern of positive degrees, each once; memoised."""
    n = sum(size for _, size in pattern)
    if not pattern:
        return Table(0, np.zeros((0, 1), dtype=np.int8), np.ones(1, dtype=np.int64))
    if not is_possible(pattern):
        return Table(n, np.zeros((n * (n - 1) // 2, 0), dtype=np.int8), np.ones(0, dtype=np.int64))
    single = [g for g, (_, size) in enumerate(pattern) if size == 1]
    if single:
        return _without_vertex(pattern, min(single, key=lambda g: pattern[g][0]), n)
    return _rooted(pattern, n)


def _without_vertex(pattern: Pattern, g: int, n: int) -> Table:
    """Remove the only vertex of group g in all ways, look the rest up and paste its columns."""
    starts = [0, *accumulate(size for _, size in pattern)]
    v = starts[g]
    found: list[tuple[Table, Indices, _Split]] = []
    for split in _splits(pattern, g, starts):
        smaller = tuple(r[:2] for r in split.rest)
        if len(part := table(smaller)):
            vertices = tuple(first + i for _, k, first in split.rest for i in range(k))
            found.append((part, places(n, vertices), split))
    total = sum(len(part) for part, *_ in found)
    lines_out = np.zeros((n * (n - 1) // 2, total), dtype=np.int8)
    stabilisers = np.empty(total, dtype=np.int64)
    columns = pair_columns(n)[v]
    at = 0
    for part, where, split in found:
        here = slice(at, at + len(part))
        lines_out[where, here] = part.lines
        for number, k, first in split.own:
            lines_out[columns[first : first + k], here] = number
        stabilisers[here] = part.stabilisers if split.idle == 1 else part.stabilisers * split.idle
        at += len(part)
    return Table(n, lines_out, stabilisers)


class _Split(NamedTuple):
    """How one vertex's lines fall on the other groups: the groups left over, and the groups it is joined to."""

    left: int  # lines still to be given away
    rest: tuple[tuple[int, int, int], ...]  # residual degree, size, first vertex
    own: tuple[tuple[int, int, int], ...]  # lines to the vertex, size, first vertex
    idle: int  # permutations of vertices that have no other line


def _splits(pattern: Pattern, g: int, starts: Sequence[int]) -> list[_Split]:
    """Return all ways to give away the lines of the only vertex of group g that leave a possible pattern."""
    legs = pattern[g][0]
    others = [h for h in range(len(pattern)) if h != g]
    room = sum(pattern[h][0] * pattern[h][1] for h in others)
    half = (room - legs) // 2
    found = [_Split(legs, (), (), 1)]
    for h in others:
        degree, size = pattern[h]
        room -= degree * size
        first = starts[h]
        grown = []
        for left, rest, own, idle in found:
            for used, groups, joined, still in _group_splits(degree, size, min(left, degree * size)):
                if left - used <= room and (not groups or groups[-1][0] <= half):
                    grown.append(
                        _Split(
                            left - used,
                            rest + tuple((d, k, first + at) for d, k, at in groups),
                            own + tuple((m, k, first + at) for m, k, at in joined),
                            idle * still,
                        )
                    )
        found = grown
    return [_Split(left, tuple(sorted(rest, key=_by_group)), own, idle) for left, rest, own, idle in found]


def _by_group(part: tuple[int, int, int]) -> Group:
    return part[:2]


@lru_cache(maxsize=4096)
def _group_splits(
    degree: int, size: int, most: int
) -> tuple[tuple[int, tuple[tuple[int, int, int], ...], tuple[tuple[int, int, int], ...], int], ...]:
    """Return how `size` vertices of one group may share up to `most` lines from one vertex.

    Each: the lines used; (residual degree, number, offset) of the vertices left, by degree; (lines, number, offset) of
    those with a line; and the permutations of those that have no other line.
    """
    result = []
    for counts in _parts(min(degree, most), size, most):
        at, used, idle = 0, 0, 1
        groups, joined = [], []
        for lines, k in [(0, size - sum(counts)), *enumerate(counts, start=1)]:
            if not k:
                continue
            if lines:
                joined.append((lines, k, at))
                used += lines * k
            if degree > lines:
                groups.append((degree - lines, k, at))
            else:
                idle *= factorial(k)
            at += k
        result.append((used, tuple(reversed(groups)), tuple(joined), idle))
    return tuple(result)


def _parts(line: int, size: int, legs: int) -> Iterator[tuple[int, ...]]:
    """Yield the numbers of vertices with 1, ..., `line` lines: at most `size` vertices and `legs` lines."""
    if line == 0:
        yield ()
        return
    for k in range(min(size, legs // line) + 1):
        for fewer in _parts(line - 1, size - k, legs - k * line):
            yield (*fewer, k)


def _rooted(pattern: Pattern, n: int) -> Table:
    """Root the pattern at a vertex of its smallest group and keep the graphs whose root is canonical."""
    g = min(range(len(pattern)), key=lambda h: (pattern[h][1], pattern[h][0]))
    degree, size = pattern[g]
    parts = [(group, h) for h, group in enumerate(pattern) if h != g]
    parts += [((degree, 1), -1), ((degree, size - 1), g)]
    parts.sort(key=lambda part: part[0])
    rooted = table(tuple(group for group, _ in parts))
    # the vertices of the rooted pattern in the order of this one, the root first in its group
    starts = dict(zip((h for _, h in parts), accumulate((s for (_, s), _ in parts), initial=0), strict=False))
    order: list[int] = []
    for h, (_, k) in enumerate(pattern):
        order += [starts[-1], *range(starts[g], starts[g] + k - 1)] if h == g else range(starts[h], starts[h] + k)
    where = places(n, tuple(order))
    colours = np.repeat(np.arange(len(pattern)), [k for _, k in pattern])
    first = sum(k for _, k in pattern[:g])
    kept, stabilisers = [], []
    for start in range(0, max(len(rooted), 1), _CHUNK):
        lines = rooted.lines[where, start : start + _CHUNK]
        keep, orbits = canonical_root(lines, colours, first, size)
        kept.append(lines[:, keep])
        stabilisers.append(rooted.stabilisers[start : start + _CHUNK][keep] * orbits)
    return Table(n, np.concatenate(kept, axis=1), np.concatenate(stabilisers))
