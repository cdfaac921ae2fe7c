"""Where the points and lines of a diagram go: one geometry, from which every picture format is written.

External points stand on a frame (left and right, top to bottom). Integrated points go where the lines' natural
lengths balance, from many starts: every reflection of the frame that is a symmetry of the diagram gives starts that
keep it, so that symmetric diagrams come out symmetric. Then the lines are drawn, and the start with the fewest
crossings and collisions wins. There is no randomness, and coordinates are rounded: the same bytes every time.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

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


@lru_cache(maxsize=4096)
def picture(n: int, size: int, lines: Links, joins: Links) -> tuple[Path, tuple[Path, ...]]:
    """Return places for the nodes and a path for each line and connector; nodes 0..n-1 are external.

    A vertex with two neighbours is a bead on the line between them: the rest, the core, is placed first.
    """
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
    return best[1], best[2]


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


def arrange(d: Diagram) -> Drawing:
    """Return the drawing of a diagram: what holds external points in the frame, vacuum components to its right."""
    joins = tuple((a, b) for nodes in d.layout.points for a, b in pairwise(nodes))
    groups = [tuple(sorted(node for c in d.components if c[0] < d.n for node in c))]
    groups += [c for c in d.components if c[0] >= d.n]
    at: dict[int, Point] = {}
    curves: list[Curve] = []
    connectors: list[Curve] = []
    right: float | None = None
    for members in filter(None, groups):
        number = {node: k for k, node in enumerate(members)}
        lines = tuple((number[i], number[j]) for i, j in d.edges if i in number)
        inner = tuple((number[i], number[j]) for i, j in joins if i in number)
        places, paths = picture(sum(node < d.n for node in members), len(members), lines, inner)
        xs = [x for path in (*paths, places) for x, _ in (sample(path) if path is not places else path)]
        shift = 0.0 if right is None else right + 0.45 - min(xs)
        right = max(xs) + shift + (0.3 if members[0] < d.n else 0.0)
        at |= {node: (x + shift, y) for node, (x, y) in zip(members, places, strict=True)}
        for k, ((i, j), path) in enumerate(zip((*lines, *inner), paths, strict=True)):
            curve = Curve((members[i], members[j]), tuple((x + shift, y) for x, y in path))
            (curves if k < len(lines) else connectors).append(curve)
    kinds = [None] * d.n + [d.theory.interactions.index(d.layout.vertices[p - d.n]) for p in d.layout.part_of[d.n :]]
    nodes = [Node(name, at[k], kinds[k]) for k, name in enumerate(d.names)]
    return boxed(nodes, curves, connectors)
