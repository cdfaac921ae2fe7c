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
from itertools import product
from math import factorial

import numpy as np
import numpy.typing as npt

from ..combinatorics import Indices
from .roots import canonical_root

Lines = npt.NDArray[np.int8]
Group = tuple[int, int]
Pattern = tuple[Group, ...]

#: Rooted graphs compared at once, which bounds the memory of the refinement.
_CHUNK = 1 << 16


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


@lru_cache(maxsize=64)
def pair_columns(n: int) -> Indices:
    """Return the place of the pair (i, j) in either order among the pairs i < j, shape (n, n); -1 on the diagonal."""
    columns = np.full((n, n), -1, dtype=np.int64)
    i, j = np.triu_indices(n, 1)
    columns[i, j] = columns[j, i] = np.arange(len(i))
    return columns


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
    starts = [0, *np.cumsum([size for _, size in pattern]).tolist()]
    v = starts[g]
    others = [h for h in range(len(pattern)) if h != g]
    found: list[tuple[Table, list[int], list[tuple[int, int, int]], int]] = []
    for counts in _splits(tuple(pattern[h] for h in others), pattern[g][0]):
        rest: list[tuple[int, int, int]] = []  # residual degree, size, first vertex
        own: list[tuple[int, int, int]] = []  # first vertex, size, lines to v
        idle = 1
        for h, by_lines in zip(others, counts, strict=True):
            degree, size = pattern[h]
            place = starts[h]
            for lines, k in [(0, size - sum(by_lines)), *enumerate(by_lines, start=1)]:
                if not k:
                    continue
                if lines:
                    own.append((place, k, lines))
                if degree > lines:
                    rest.append((degree - lines, k, place))
                else:  # saturated vertices leave the pattern, interchangeable among themselves
                    idle *= factorial(k)
                place += k
        rest.sort(key=lambda r: r[:2])
        smaller = tuple(r[:2] for r in rest)
        if is_possible(smaller) and len(part := table(smaller)):
            found.append((part, [first + i for _, k, first in rest for i in range(k)], own, idle))
    total = sum(len(part) for part, *_ in found)
    lines_out = np.zeros((n * (n - 1) // 2, total), dtype=np.int8)
    stabilisers = np.empty(total, dtype=np.int64)
    columns = pair_columns(n)
    at = 0
    for part, vertices, own, idle in found:
        here = slice(at, at + len(part))
        where = np.array(vertices, dtype=np.int64)
        i, j = np.triu_indices(part.n, 1)
        lines_out[columns[where[i], where[j]], here] = part.lines
        for first, k, number in own:
            lines_out[columns[v, first : first + k], here] = number
        stabilisers[here] = part.stabilisers * idle
        at += len(part)
    return Table(n, lines_out, stabilisers)


def _splits(groups: tuple[Group, ...], legs: int) -> Iterator[tuple[tuple[int, ...], ...]]:
    """Yield for each group how many of its vertices get 1, 2, ... of the `legs` lines from one vertex."""
    if not groups:
        if legs == 0:
            yield ()
        return
    degree, size = groups[0]
    room = sum(d * s for d, s in groups[1:])
    for counts in _parts(min(degree, legs), size, legs):
        left = legs - sum(line * k for line, k in enumerate(counts, start=1))
        if left <= room:
            for rest in _splits(groups[1:], left):
                yield (counts, *rest)


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
    starts = dict(zip((h for _, h in parts), np.cumsum([0, *(s for (_, s), _ in parts)]).tolist(), strict=False))
    order: list[int] = []
    for h, (_, k) in enumerate(pattern):
        order += [starts[-1], *range(starts[g], starts[g] + k - 1)] if h == g else range(starts[h], starts[h] + k)
    i, j = np.triu_indices(n, 1)
    vertex = np.array(order, dtype=np.int64)
    where = pair_columns(n)[vertex[i], vertex[j]]
    colours = np.repeat(np.arange(len(pattern)), [k for _, k in pattern])
    first = sum(k for _, k in pattern[:g])
    kept, stabilisers = [], []
    for start in range(0, max(len(rooted), 1), _CHUNK):
        lines = rooted.lines[where, start : start + _CHUNK]
        keep, orbits = canonical_root(lines, colours, first, size)
        kept.append(lines[:, keep])
        stabilisers.append(rooted.stabilisers[start : start + _CHUNK][keep] * orbits)
    return Table(n, np.concatenate(kept, axis=1), np.concatenate(stabilisers))


def clear() -> None:
    """Forget all tables, for measurements with cold tables."""
    table.cache_clear()


def loop_choices(degree: int, size: int, *, self_loops: bool) -> Iterator[tuple[int, ...]]:
    """Yield how many of `size` equal vertices have 0, 1, 2, ... self-loops."""
    top = degree // 2 if self_loops else 0
    yield from (c for c in product(range(size + 1), repeat=top + 1) if sum(c) == size)
