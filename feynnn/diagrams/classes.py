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
    return [inner[k] for k in sorted(_cut_lines(n_nodes, inner))]


def _cut_lines(n_nodes: int, edges: Edges) -> set[int]:
    """Return the places of the bridges in a list of lines, by depth-first search: linear in their number."""
    at: list[list[tuple[int, int]]] = [[] for _ in range(n_nodes)]
    for k, (i, j) in enumerate(edges):
        if i != j:
            at[i].append((j, k))
            at[j].append((i, k))
    found: set[int] = set()
    # when a node was first seen, and the earliest node that its subtree reaches past the line it was entered by
    seen = [0] * n_nodes
    low = [0] * n_nodes
    time = 0
    for root in range(n_nodes):
        if seen[root]:
            continue
        time += 1
        seen[root] = low[root] = time
        stack = [(root, -1, iter(at[root]))]
        while stack:
            node, entered, rest = stack[-1]
            for other, k in rest:
                if k == entered:
                    continue
                if seen[other]:
                    low[node] = min(low[node], seen[other])
                else:
                    time += 1
                    seen[other] = low[other] = time
                    stack.append((other, k, iter(at[other])))
                    break
            else:
                stack.pop()
                if stack:
                    above = stack[-1][0]
                    low[above] = min(low[above], low[node])
                    if low[node] > seen[above]:
                        found.add(entered)
    return found


def is_1pi(n: int, n_nodes: int, edges: Edges) -> bool:
    """Whether the diagram is connected, has a vertex, and has no bridge once its external legs are removed."""
    return n_nodes > n and is_connected(n_nodes, edges) and not bridges(n, n_nodes, edges)


def is_amputated(n: int, n_nodes: int, edges: Edges) -> bool:
    """Whether the diagram is connected, has a vertex, and no bridge leaves exactly one external point on a side.

    Cutting such a bridge off takes a correction of an external leg with it; what is left is the amputated diagram.
    """
    if n_nodes == n or not is_connected(n_nodes, edges):
        return False
    external = (1 << n) - 1
    for bridge in bridges(n, n_nodes, edges):
        rest = list(edges)
        rest.remove(bridge)
        for part in components(neighbours(n_nodes, rest), (1 << n_nodes) - 1):
            if (part & external).bit_count() == 1:
                return False
    return True


def is_2pi(n: int, n_nodes: int, edges: Edges) -> bool:
    """Whether the diagram is connected, has a vertex, and no one or two lines between vertices cut it apart."""
    if n_nodes == n or not is_connected(n_nodes, edges):
        return False
    return not _has_small_cut(n_nodes, [e for e in edges if min(e) >= n])


def has_self_energy(n: int, n_nodes: int, edges: Edges) -> bool:
    """Whether some set of vertices is joined to the rest by one or two line ends (external legs count).

    These are the insertions that propagator="exact" drops: self-energies, tadpoles and chains of them.
    """
    # all external points as one node, which is never in the set
    joined = [(max(i, n - 1), max(j, n - 1)) for i, j in edges]
    return _has_small_cut(n_nodes, joined)


def _has_small_cut(n_nodes: int, edges: Edges) -> bool:
    """Whether one line, or two, cut some component apart: a line is left out, and then there is a bridge."""
    lines = [e for e in edges if e[0] != e[1]]
    if _cut_lines(n_nodes, lines):
        return True
    return any(_cut_lines(n_nodes, lines[:k] + lines[k + 1 :]) for k in range(len(lines)))


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
