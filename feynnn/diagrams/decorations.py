"""Where external points and self-loops sit on the vertices, class by class, before any line between vertices is drawn.

External points make the vertices that carry them distinct; self-loops and external legs lower a vertex's degree. A
`Configuration` says how many vertices of each kind have how many legs and loops; its diagrams are one table of
skeletons times the ways to put labels on the legs (skeletons.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import factorial
from typing import NamedTuple

import numpy as np

from ..combinatorics import Indices
from .layout import Layout

#: Labellings up to this number are kept for the next configuration with the same slots.
_KEPT = 4096


@dataclass(frozen=True)
class Selection:
    """Which diagrams are wanted; the names are those of `generate`."""

    kind: str
    self_loops: bool = True
    snails: bool = True
    self_energies: bool = True
    loops: int | None = None
    labelled: bool = True

    @property
    def is_connected(self) -> bool:
        """Whether the kind has connected diagrams only."""
        return self.kind not in ("all", "vacuum-free")

    @property
    def has_filters(self) -> bool:
        """Whether there are filters that `count` does not know."""
        return not self.snails or self.loops is not None

    @property
    def external(self) -> str:
        """How external points count, in the word of `generate`."""
        return "labelled" if self.labelled else "indistinguishable"


class Configuration(NamedTuple):
    """Legs and self-loops of every vertex of the layout, and the groups of interchangeable vertices.

    Attributes
    ----------
    free : int
        Number of lines between two external points.
    sizes : tuple of (legs, number)
        Vertices with external legs, by equal kind, in the order of `groups`.
    groups : tuple of (vertices, legs, loops, residual degree)
        Vertices of one kind; those with external legs stand alone when external points are labelled.
    """

    free: int
    sizes: tuple[tuple[int, int], ...]
    groups: tuple[tuple[tuple[int, ...], int, int, int], ...]


def configurations(layout: Layout, wanted: Selection) -> Iterator[Configuration]:
    """Yield all configurations that can hold a wanted diagram."""
    n, total = layout.n, len(layout.vertices)
    connected = wanted.is_connected
    classes = [(layout.vertices[g[0]].n_legs, g) for g in layout.classes]
    # a vertex with no line end left for other vertices is a component of its own
    alone_with_legs = not connected or total == 1
    alone = wanted.kind == "all" or (n == 0 and total == 1)
    kinds = [
        (c, legs, loops)
        for c, (degree, _) in enumerate(classes)
        for legs in range(1, min(degree, n) + 1)
        for loops in range((degree - legs) // 2 + 1 if wanted.self_loops else 1)
        if alone_with_legs or degree - legs - 2 * loops
    ]
    tops = [(d if alone else d - 1) // 2 if wanted.self_loops else 0 for d, _ in classes]
    most_free = n // 2 if not connected or (total == 0 and n == 2) else 0
    for free in range(most_free + 1):
        for chosen, room in _choose(kinds, n - 2 * free, [len(g) for _, g in classes]):
            for spread in product(*(_spreads(top, k) for top, k in zip(tops, room, strict=True))):
                yield _configuration(classes, free, chosen, spread, wanted.labelled)


def _spreads(top: int, size: int) -> Iterator[tuple[int, ...]]:
    """Yield how many of `size` equal vertices have 0, 1, ..., `top` self-loops."""
    if top == 0:
        yield (size,)
        return
    for k in range(size + 1):
        for fewer in _spreads(top - 1, size - k):
            yield (*fewer, k)


def _choose(
    kinds: Sequence[tuple[int, int, int]], labels: int, room: list[int], first: int = 0
) -> Iterator[tuple[tuple[tuple[tuple[int, int, int], int], ...], list[int]]]:
    """Yield numbers of vertices of each kind (class, legs, loops) that use up all labels, and the vertices left."""
    if labels == 0:
        yield (), room
        return
    if not any(room):
        return
    for place in range(first, len(kinds)):
        c, legs, _ = kinds[place]
        for k in range(1, min(room[c], labels // legs) + 1):
            left = room.copy()
            left[c] -= k
            for rest, end in _choose(kinds, labels - k * legs, left, place + 1):
                yield ((kinds[place], k), *rest), end


def _configuration(
    classes: Sequence[tuple[int, tuple[int, ...]]],
    free: int,
    chosen: Sequence[tuple[tuple[int, int, int], int]],
    spread: Sequence[tuple[int, ...]],
    labelled: bool,
) -> Configuration:
    following = [iter(vertices) for _, vertices in classes]
    groups: list[tuple[tuple[int, ...], int, int, int]] = []
    for (c, legs, loops), k in chosen:
        residual = classes[c][0] - legs - 2 * loops
        carriers = tuple(next(following[c]) for _ in range(k))
        # labels make the vertices that carry them distinct
        groups += [(part, legs, loops, residual) for part in ([(v,) for v in carriers] if labelled else [carriers])]
    for c, numbers in enumerate(spread):
        for loops, k in enumerate(numbers):
            if k:
                vertices = tuple(next(following[c]) for _ in range(k))
                groups.append((vertices, 0, loops, classes[c][0] - 2 * loops))
    return Configuration(free, tuple((legs, k) for (_, legs, _), k in chosen), tuple(groups))


def slots_of(c: Configuration) -> tuple[tuple[int, int], ...]:
    """Return the places for labels, free lines first, then vertices: their size, and a number that equals share."""
    vertices = [(legs, kind) for kind, (legs, k) in enumerate(c.sizes, start=1) for _ in range(k)]
    return ((2, 0),) * c.free + tuple(vertices)


def n_labellings(n: int, slots: Sequence[tuple[int, int]]) -> int:
    """Return the number of ways to fill the slots with n labels, equal slots unordered."""
    ways = factorial(n)
    for size, _ in slots:
        ways //= factorial(size)
    for equal in Counter(slots).values():
        ways //= factorial(equal)
    return ways


def labellings(n: int, slots: tuple[tuple[int, int], ...], room: int) -> Iterator[Indices]:
    """Yield the slot of each of n labels, in all ways that fill the slots, in blocks of shape (ways <= room, n).

    Equal slots are unordered: they open one after the other.
    """
    if n_labellings(n, slots) <= min(room, _KEPT):
        yield _all_labellings(n, slots)
        return
    waiting = [_start(slots)]
    while waiting:
        found, filled = waiting.pop()
        if found.shape[1] == n:
            yield found
        elif len(found) > 1 and len(found) * len(slots) > room:
            half = len(found) // 2
            waiting += [(found[half:], filled[half:]), (found[:half], filled[:half])]
        else:
            waiting.append(_one_more(found, filled, slots))


@lru_cache(maxsize=256)
def _all_labellings(n: int, slots: tuple[tuple[int, int], ...]) -> Indices:
    found, filled = _start(slots)
    for _ in range(n):
        found, filled = _one_more(found, filled, slots)
    found.setflags(write=False)
    return found


def _start(slots: Sequence[tuple[int, int]]) -> tuple[Indices, Indices]:
    return np.zeros((1, 0), dtype=np.int64), np.zeros((1, len(slots)), dtype=np.int64)


def _one_more(found: Indices, filled: Indices, slots: Sequence[tuple[int, int]]) -> tuple[Indices, Indices]:
    """Put the next label into every slot that may take it."""
    may = filled < np.array([size for size, _ in slots], dtype=np.int64)
    for k in range(1, len(slots)):
        if slots[k] == slots[k - 1]:
            may[:, k] &= filled[:, k - 1] > 0
    way, slot = np.nonzero(may)
    found = np.concatenate([found[way], slot[:, None]], axis=1)
    filled = filled[way]
    filled[np.arange(len(way)), slot] += 1
    return found, filled
