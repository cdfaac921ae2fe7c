"""Which class a diagram belongs to: connected, 1PI, self-energy insertions, snails. Bit masks, one diagram at a time.

Here a vertex counts as one node with all its points; nodes 0..n-1 are external.
"""

from __future__ import annotations

from collections.abc import Sequence

Edges = Sequence[tuple[int, int]]


def neighbours(n_nodes: int, edges: Edges) -> list[int]:
    """Return for each node the bit mask of the nodes it has a line to."""
    masks = [0] * n_nodes
    for i, j in edges:
        masks[i] |= 1 << j
        masks[j] |= 1 << i
    return masks


def components(masks: list[int], within: int) -> list[int]:
    """Return the connected components of the nodes in the bit mask `within`, as bit masks."""
    result = []
    while within:
        part, frontier = 0, within & -within
        while frontier:
            part |= frontier
            reached = 0
            while frontier:
                low = frontier & -frontier
                reached |= masks[low.bit_length() - 1]
                frontier ^= low
            frontier = reached & within & ~part
        result.append(part)
        within &= ~part
    return result


def is_connected(n_nodes: int, edges: Edges) -> bool:
    """Whether there is one component; the empty diagram is not connected."""
    return len(components(neighbours(n_nodes, edges), (1 << n_nodes) - 1)) == 1


def is_vacuum_free(n: int, n_nodes: int, edges: Edges) -> bool:
    """Whether every component holds an external point."""
    external = (1 << n) - 1
    return all(c & external for c in components(neighbours(n_nodes, edges), (1 << n_nodes) - 1))


def bridges(n: int, n_nodes: int, edges: Edges) -> list[tuple[int, int]]:
    """Return the lines between vertices whose removal disconnects their ends (external legs do not count)."""
    inner = [e for e in edges if min(e) >= n]
    found = []
    for k, (i, j) in enumerate(inner):
        if i == j or inner.count((i, j)) > 1:
            continue
        masks = neighbours(n_nodes, inner[:k] + inner[k + 1 :])
        if not any(c >> i & 1 and c >> j & 1 for c in components(masks, ((1 << n_nodes) - 1) & ~((1 << n) - 1))):
            found.append((i, j))
    return found


def is_1pi(n: int, n_nodes: int, edges: Edges) -> bool:
    """Whether the diagram is connected, has a vertex, and has no bridge once its external legs are removed."""
    return n_nodes > n and is_connected(n_nodes, edges) and not bridges(n, n_nodes, edges)


def has_self_energy(n: int, n_nodes: int, edges: Edges) -> bool:
    """Whether some set of vertices is joined to the rest by one or two line ends (external legs count).

    These are the insertions that propagator="exact" drops: self-energies, tadpoles and chains of them.
    """
    for subset in range(1, 1 << (n_nodes - n)):
        inside = subset << n
        ends = 0
        for i, j in edges:
            if (inside >> i & 1) != (inside >> j & 1):
                ends += 1
                if ends > 2:
                    break
        if ends in (1, 2):
            return True
    return False


def has_snail(n: int, n_nodes: int, edges: Edges) -> bool:
    """Whether there is a self-loop, or a vertex whose removal leaves a part of its component without external points.

    Taken literally for n = 0: every connected vacuum diagram with two or more vertices has one.
    """
    if any(i == j for i, j in edges):
        return True
    everything, external = (1 << n_nodes) - 1, (1 << n) - 1
    for v in range(n, n_nodes):
        masks = neighbours(n_nodes, [e for e in edges if v not in e])
        here = next(c for c in components(neighbours(n_nodes, edges), everything) if c >> v & 1)
        parts = components(masks, here & ~(1 << v))
        if any(not c & external for c in parts):
            return True
    return False
