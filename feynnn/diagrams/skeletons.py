"""From tables of skeletons to diagrams: where external points and self-loops sit, class by class, then labels.

External points make the vertices that carry them distinct; self-loops and external legs lower a vertex's degree. A
`Configuration` says how many vertices of each kind have how many legs and loops; all its diagrams are one table of
skeletons, filtered before the labels are written, times the ways to put labels on the legs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from math import factorial

import numpy as np

from ..combinatorics import Indices
from . import masks
from .layout import Layout, Rows
from .tables import Lines, loop_choices, pair_columns, table

#: Most bytes of one block of diagrams.
BLOCK_BYTES = 1 << 26


@dataclass(frozen=True)
class Selection:
    """Which diagrams are wanted; the names are those of `generate`."""

    kind: str
    self_loops: bool = True
    snails: bool = True
    self_energies: bool = True
    loops: int | None = None


@dataclass(frozen=True)
class Configuration:
    """Legs and self-loops of every vertex of the layout, and the groups of interchangeable vertices.

    Attributes
    ----------
    free : int
        Number of lines between two external points.
    sizes : tuple of (legs, number)
        Vertices with external legs, by equal kind, in the order of `groups`.
    groups : tuple of (vertices, legs, loops, residual degree)
        Vertices of one kind; those with external legs stand alone.
    """

    free: int
    sizes: tuple[tuple[int, int], ...]
    groups: tuple[tuple[tuple[int, ...], int, int, int], ...]


def blocks(layout: Layout, wanted: Selection) -> Iterator[tuple[Rows, Indices]]:
    """Yield blocks of diagrams as rows of the layout, shape (k, pairs), and their stabilisers' orders, shape (k,).

    For vertices with one point each. Blocks have at most `BLOCK_BYTES`, or are one labelling of one skeleton table.
    """
    for c in configurations(layout, wanted):
        lines, stabilisers = skeletons_of(layout, c, wanted)
        if not lines.shape[1]:
            continue
        labellings = list(assignments(layout.n, c))
        step = max(1, BLOCK_BYTES // max(1, len(layout.pairs) * lines.shape[1]))
        for start in range(0, len(labellings), step):
            yield _labelled(layout, c, lines, stabilisers, labellings[start : start + step])


def configurations(layout: Layout, wanted: Selection) -> Iterator[Configuration]:
    """Yield all configurations that can hold a wanted diagram."""
    n, total = layout.n, len(layout.vertices)
    connected = wanted.kind in ("connected", "1PI")
    classes = [(layout.vertices[g[0]].n_legs, g) for g in layout.classes]
    kinds = [
        (c, legs, loops)
        for c, (degree, _) in enumerate(classes)
        for legs in range(1, min(degree, n) + 1)
        for loops in range((degree - legs) // 2 + 1 if wanted.self_loops else 1)
    ]
    most_free = n // 2 if not connected or (total == 0 and n == 2) else 0
    for free in range(most_free + 1):
        for chosen, room in _choose(kinds, n - 2 * free, [len(g) for _, g in classes]):
            loose = [loop_choices(d, k, self_loops=wanted.self_loops) for (d, _), k in zip(classes, room, strict=True)]
            for spread in product(*loose):
                c = _configuration(classes, free, chosen, spread)
                # a vertex with nothing left is a component of its own
                alone = [g for g in c.groups if g[3] == 0]
                if connected and total > 1 and alone:
                    continue
                if wanted.kind != "all" and any(legs == 0 and (n or total > 1) for _, legs, _, _ in alone):
                    continue
                yield c


def _choose(
    kinds: Sequence[tuple[int, int, int]], labels: int, room: list[int]
) -> Iterator[tuple[tuple[tuple[tuple[int, int, int], int], ...], list[int]]]:
    """Yield numbers of vertices of each kind (class, legs, loops) that use up all labels, and the vertices left."""
    if not kinds:
        if labels == 0:
            yield (), room
        return
    c, legs, _ = kinds[0]
    for k in range(min(room[c], labels // legs) + 1):
        left = room.copy()
        left[c] -= k
        for rest, end in _choose(kinds[1:], labels - k * legs, left):
            yield ((((kinds[0], k),) if k else ()) + rest), end


def _configuration(
    classes: Sequence[tuple[int, tuple[int, ...]]],
    free: int,
    chosen: Sequence[tuple[tuple[int, int, int], int]],
    spread: Sequence[tuple[int, ...]],
) -> Configuration:
    following = [iter(vertices) for _, vertices in classes]
    groups: list[tuple[tuple[int, ...], int, int, int]] = []
    for (c, legs, loops), k in chosen:
        residual = classes[c][0] - legs - 2 * loops
        groups += [((next(following[c]),), legs, loops, residual) for _ in range(k)]
    for c, numbers in enumerate(spread):
        for loops, k in enumerate(numbers):
            if k:
                vertices = tuple(next(following[c]) for _ in range(k))
                groups.append((vertices, 0, loops, classes[c][0] - 2 * loops))
    return Configuration(free, tuple((legs, k) for (_, legs, _), k in chosen), tuple(groups))


def skeletons_of(layout: Layout, c: Configuration, wanted: Selection) -> tuple[Lines, Indices]:
    """Return the skeletons of a configuration in the layout's order of vertices, filtered, and their stabilisers."""
    n = len(layout.vertices)
    active = sorted((g for g in c.groups if g[3]), key=lambda g: (g[3], len(g[0])))
    found = table(tuple((g[3], len(g[0])) for g in active))
    lines = np.zeros((n * (n - 1) // 2, len(found)), dtype=np.int8)
    vertices = np.array([v for g in active for v in g[0]], dtype=np.int64)
    i, j = np.triu_indices(found.n, 1)
    lines[pair_columns(n)[vertices[i], vertices[j]]] = found.lines
    idle = 1
    for g in c.groups:
        if g[3] == 0:
            idle *= factorial(len(g[0]))
    stabilisers = found.stabilisers * idle
    keep = _selected(lines, layout, c, wanted)
    if keep is None:
        return lines, stabilisers
    return lines[:, keep], stabilisers[keep]


def _selected(lines: Lines, layout: Layout, c: Configuration, wanted: Selection) -> masks.Flags | None:
    """Return which skeletons are wanted; None for all."""
    n = len(layout.vertices)
    legs, loops, ends = [0] * n, [0] * n, [0] * n
    for vertices, k, own, residual in c.groups:
        for v in vertices:
            legs[v], loops[v], ends[v] = k, own, residual + k
    external = sum(1 << v for v, k in enumerate(legs) if k)
    keep = np.ones(lines.shape[1], dtype=np.bool_)
    if wanted.kind in ("connected", "1PI"):
        # the free line is the only connected diagram without vertices; the empty one is none
        keep &= masks.is_joined(lines, n, 1) if n else bool(c.free == 1 and layout.n == 2)
        if wanted.kind == "1PI":
            keep &= ~masks.has_bridge(lines, n) if n else False
    elif wanted.kind == "vacuum-free":
        keep &= masks.is_joined(lines, n, external)
    if not wanted.self_energies:
        keep &= ~masks.has_self_energy(lines, n, ends)
    if not wanted.snails:
        keep &= ~masks.has_snail(lines, n, legs, loops)
    if wanted.loops is not None:
        n_lines = sum(layout.degrees) // 2
        parts = masks.number_of_components(lines, n) + c.free
        keep &= n_lines - (layout.n + n) + parts == wanted.loops
    return None if keep.all() else keep


def assignments(n: int, c: Configuration) -> Iterator[tuple[tuple[int, ...], ...]]:
    """Yield the ways to put the labels on free lines and legs: for each slot its labels, equal slots unordered."""
    slots = [(2, -1)] * c.free + [(legs, kind) for kind, (legs, k) in enumerate(c.sizes) for _ in range(k)]
    yield from _fill(tuple(range(n)), slots, 0)


def _fill(
    labels: tuple[int, ...], slots: Sequence[tuple[int, int]], least: int
) -> Iterator[tuple[tuple[int, ...], ...]]:
    if not slots:
        yield ()
        return
    size, kind = slots[0]
    for chosen in combinations(labels, size):
        if chosen[0] < least:  # equal slots are filled in the order of their first labels
            continue
        rest = tuple(x for x in labels if x not in chosen)
        same = len(slots) > 1 and slots[1][1] == kind
        for others in _fill(rest, slots[1:], chosen[0] if same else 0):
            yield (chosen, *others)


def _labelled(
    layout: Layout,
    c: Configuration,
    lines: Lines,
    stabilisers: Indices,
    labellings: Sequence[tuple[tuple[int, ...], ...]],
) -> tuple[Rows, Indices]:
    """Return the diagrams of some labellings, as rows of the layout."""
    n, count = layout.n, lines.shape[1]
    column = layout.column
    out = np.zeros((len(layout.pairs), len(labellings), count), dtype=np.int8)
    i, j = np.triu_indices(len(layout.vertices), 1)
    for k, place in enumerate(column[n + i, n + j]):
        out[place] = lines[k]
    for vertices, _, loops, _ in c.groups:
        for v in vertices:
            out[column[n + v, n + v]] = loops
    carriers = [v for vertices, legs, _, _ in c.groups if legs for v in vertices]
    for k, slots in enumerate(labellings):
        for a, b in slots[: c.free]:
            out[column[a, b], k] = 1
        for v, labels in zip(carriers, slots[c.free :], strict=True):
            for label in labels:
                out[column[label, n + v], k] = 1
    return out.reshape(len(layout.pairs), len(labellings) * count).T, np.tile(stabilisers, len(labellings))
