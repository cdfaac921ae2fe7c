"""Where the points and lines of a diagram go: one geometry, from which every picture format is written.

External points stand on a frame (left and right, top to bottom). Integrated points go where the lines' natural
lengths balance, from many starts: every reflection of the frame that is a symmetry of the diagram gives starts that
keep it, so that symmetric diagrams come out symmetric. Then the lines are drawn, and the start with the fewest
crossings and collisions wins. There is no randomness, and coordinates are rounded: the same bytes every time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise, permutations

from ..diagrams.diagram import Diagram
from .curves import (
    Curve,
    Drawing,
    Link,
    Links,
    Node,
    Path,
    Point,
    boxed,
    sample,
    string,
)  # fmt: skip
from .placement import CLEAR, Wire, candidates
from .routing import loop_paths, route, score

#: Space between the components of a drawing, and for a label above or below a frame.
GAP, LABEL = 0.45, 0.25
#: Most ways to seat the external points of a topology that are tried.
MOST_SEATINGS = 48


def picture(n: int, size: int, lines: Links, joins: Links) -> tuple[Path, tuple[Path, ...]]:
    """Return places for the nodes and a path for each line and connector; nodes 0..n-1 are external.

    A vertex with two neighbours is a bead on the line between them: the rest, the core, is placed first.
    """
    return judged(n, size, lines, joins)[1:]


@lru_cache(maxsize=4096)
def judged(n: int, size: int, lines: Links, joins: Links) -> tuple[float, Path, tuple[Path, ...]]:
    """Return how bad the picture is, less is better, and the picture."""
    links = (*lines, *joins)
    chains = _chains(n, size, lines, joins)
    core = sorted(set(range(size)).difference(*(chain[1:-1] for chain in chains)))
    number = {node: k for k, node in enumerate(core)}
    wires = [Wire(number[c[0]], number[c[-1]], len(c) - 2) for c in chains]
    wires += [Wire(number[i], number[j], 0, join=True) for i, j in joins]
    best: tuple[float, Path, tuple[Path, ...]] | None = None
    for candidate, bonus in candidates(n, len(core), wires):
        routes, bent = route(candidate, wires)
        places, paths = _assemble(dict(zip(core, candidate, strict=True)), links, chains, routes)
        mark = round(0.7 * bent + score(n, places, links, paths) - bonus, 6)
        if best is None or mark < best[0]:
            best = (mark, places, paths)
    assert best is not None
    return best


@lru_cache(maxsize=4096)
def seated(n: int, size: int, lines: Links, joins: Links) -> tuple[Path, tuple[Path, ...]]:
    """Return the best picture over the ways to seat the external points, which nothing tells apart, on the frame."""
    legs = [next(i + j - k for i, j in lines if k in (i, j)) for k in range(n)]
    seats = sorted({min(_mirrored(p)) for p in permutations(legs)})[:MOST_SEATINGS] if 2 < n <= 8 else [tuple(legs)]
    best: tuple[float, tuple[int, ...], Path, tuple[Path, ...]] | None = None

    def consider(seating: tuple[int, ...], gain: float) -> None:
        nonlocal best
        waiting = {v: [k for k in range(n) if legs[k] == v] for v in legs}
        order = [*(waiting[v].pop(0) for v in seating), *range(n, size)]  # who sits on each seat
        number = {node: seat for seat, node in enumerate(order)}
        moved = tuple((min(a, b), max(a, b)) for a, b in ((number[i], number[j]) for i, j in lines))
        mark, places, paths = judged(n, size, moved, joins)
        if best is None or mark < best[0] - gain:
            turned = [
                p[::-1] if number[i] > number[j] else p for p, (i, j) in zip(paths, (*lines, *joins), strict=True)
            ]
            best = (mark, seating, tuple(places[number[k]] for k in range(size)), tuple(turned))

    consider(tuple(legs), 0.0)
    for seating in seats:
        # the given labels stay where they are unless that is clearly worse
        consider(seating, 1e-4 if best is not None and best[1] != tuple(legs) else 0.2)
    assert best is not None
    if best[1] != tuple(legs):
        for seating in _mirrored(best[1]):
            consider(seating, 1e-4)
    return best[2:]


def _mirrored(seating: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Return a seating and its reflections in the frame: left-right, up-down, both."""
    half = len(seating) // 2
    if len(seating) % 2:
        return [seating, (seating[0], *seating[:0:-1])]
    left, right = seating[:half], seating[half:]
    return [left + right, right + left, left[::-1] + right[::-1], right[::-1] + left[::-1]]


def _assemble(
    at: dict[int, Point], links: Links, chains: Sequence[tuple[int, ...]], routes: Sequence[Path]
) -> tuple[Path, tuple[Path, ...]]:
    """Return places and paths of the whole from those of the core: beads on the wires, then the loops."""
    drawn: dict[Link, list[Path]] = {}
    for chain, path in zip(chains, routes, strict=False):
        others = [other for other in routes if other is not path]
        for here, there, piece in zip(chain, chain[1:], string(path, len(chain) - 2, others, CLEAR), strict=False):
            at[there] = piece[-1]
            link, piece = ((here, there), piece) if here < there else ((there, here), piece[::-1])
            drawn.setdefault(link, []).append(piece)
    for link, path in zip(links[len(links) - len(routes) + len(chains) :], routes[len(chains) :], strict=True):
        drawn.setdefault(link, []).append(path)
    places = tuple(at[k] for k in range(len(at)))
    paths = [drawn[link].pop(0) if link[0] != link[1] else () for link in links]
    for node in range(len(places)):
        members = [k for k, link in enumerate(links) if link == (node, node)]
        for k, path in zip(members, loop_paths(node, len(members), places, links, paths), strict=True):
            paths[k] = path
    return places, tuple(paths)


def _chains(n: int, size: int, lines: Links, joins: Links) -> list[tuple[int, ...]]:
    """Return the lines as chains of nodes (end, beads..., end), loops left out."""
    ends: list[list[int]] = [[] for _ in range(size)]
    for i, j in lines:
        if i != j:
            ends[i].append(j)
            ends[j].append(i)
    beads = {k for k in range(n, size) if len(ends[k]) == 2 and ends[k][0] != ends[k][1]}
    beads = set() if len(beads) == size else beads - {k for link in joins for k in link}
    while True:
        chains = []
        for start in sorted(set(range(size)) - beads):
            for step in ends[start]:
                chain = [start, step]
                while chain[-1] in beads:
                    chain.append(next(k for k in ends[chain[-1]] if k != chain[-2]))
                chains.append(tuple(chain))
        ring = next((chain for chain in chains if chain[0] == chain[-1]), ())
        if not ring:
            return sorted((c for c in chains if c[0] < c[-1]), key=lambda c: (c[0], c[-1], -len(c), c))
        beads -= set(ring)  # it comes back to where it began: its vertices are corners of a polygon


@dataclass(frozen=True)
class _Part:
    """What is placed together: its nodes, its lines and connectors between them, and their picture."""

    n: int
    members: tuple[int, ...]
    lines: Links
    joins: Links
    places: Path
    paths: tuple[Path, ...]

    def extent(self, axis: int) -> tuple[float, float]:
        """Return the least and the largest coordinate; above and below a frame there is room for the labels."""
        points = [*self.places, *(p for path in self.paths for p in sample(path))]
        if axis == 1 and self.n > 2:
            points += [(x, y + r) for x, y in self.places[: self.n] for r in (-LABEL, LABEL)]
        return min(p[axis] for p in points), max(p[axis] for p in points)


def _part(d: Diagram, members: tuple[int, ...]) -> _Part:
    number = {node: k for k, node in enumerate(members)}
    joins = tuple((a, b) for nodes in d.layout.points for a, b in pairwise(nodes) if a in number)
    lines = tuple((i, j) for i, j in d.edges if i in number)
    n = sum(node < d.n for node in members)
    inner = [tuple((number[i], number[j]) for i, j in links) for links in (lines, joins)]
    return _Part(n, members, lines, joins, *(picture if d.copies == 1 else seated)(n, len(members), *inner))


def arrange(d: Diagram) -> Drawing:
    """Return the drawing of a diagram: what holds external points in one frame, vacuum components to its right.

    A topology, which stands for all its labellings, has a frame for each component, one below the other, and its
    external points sit where they look best.
    """
    outer = [c for c in d.components if c[0] < d.n]
    if d.copies == 1 and outer:
        outer = [tuple(sorted(node for c in outer for node in c))]
    framed = [_part(d, members) for members in outer]
    parts = framed + [_part(d, members) for members in d.components if members[0] >= d.n]
    heights = [part.extent(1) for part in framed]
    y = 0.5 * (sum(high - low for low, high in heights) + GAP * (len(framed) - 1))
    shifts: list[Point] = []
    for low, high in heights:
        shifts.append((0.0, y - high if len(framed) > 1 else 0.0))
        y -= high - low + GAP
    right = max((part.extent(0)[1] for part in framed), default=0.0) + 0.3
    for part in parts[len(framed) :]:
        low, high = part.extent(0)
        shifts.append((right + GAP - low if shifts else 0.0, 0.0))
        right = high + shifts[-1][0]
    at: dict[int, Point] = {}
    curves: list[Curve] = []
    connectors: list[Curve] = []
    for part, (u, v) in zip(parts, shifts, strict=True):
        at |= {node: (x + u, y + v) for node, (x, y) in zip(part.members, part.places, strict=True)}
        drawn = [
            Curve(ends, tuple((x + u, y + v) for x, y in path))
            for ends, path in zip((*part.lines, *part.joins), part.paths, strict=True)
        ]
        curves += drawn[: len(part.lines)]
        connectors += drawn[len(part.lines) :]
    kinds = [None] * d.n + [d.theory.interactions.index(d.layout.vertices[p - d.n]) for p in d.layout.part_of[d.n :]]
    nodes = [Node(name, at[k], kinds[k]) for k, name in enumerate(d.names)]
    return boxed(nodes, curves, connectors)
