"""Tables of multigraphs against brute force, and the refinement that finds the canonical root."""

from __future__ import annotations

from itertools import permutations, product
from math import factorial

import networkx as nx
import numpy as np
import pytest

from feynnn.diagrams.pairs import pair_columns
from feynnn.diagrams.roots import EXACT, canonical_root
from feynnn.diagrams.tables import is_possible, table

PATTERNS = [
    ((4, 2),),
    ((4, 3),),
    ((4, 4),),
    ((3, 4),),
    ((2, 5),),
    ((2, 2), (3, 2)),
    ((1, 2), (4, 2)),
    ((1, 1), (2, 1), (3, 1)),
    ((2, 2), (2, 2)),
    ((1, 3), (3, 1)),
    ((6, 2), (4, 1)),
    ((2, 1), (2, 3)),
]


def brute_force(pattern: tuple[tuple[int, int], ...]) -> dict[tuple[int, ...], int]:
    """Canonical form -> stabiliser, by trying every multigraph and every permutation inside groups."""
    degrees = [d for d, s in pattern for _ in range(s)]
    n = len(degrees)
    pairs = [(i, j) for i in range(n) for j in range(i + 1, n)]
    graphs = []
    for lines in product(*(range(min(degrees[i], degrees[j]) + 1) for i, j in pairs)):
        used = [0] * n
        for (i, j), k in zip(pairs, lines, strict=True):
            used[i] += k
            used[j] += k
        if used == degrees:
            graphs.append(lines)
    groups, start = [], 0
    for _, size in pattern:
        groups.append(range(start, start + size))
        start += size
    moves = []
    for choice in product(*(permutations(g) for g in groups)):
        image = [v for part in choice for v in part]
        moves.append([pairs.index((min(image[i], image[j]), max(image[i], image[j]))) for i, j in pairs])
    result = {}
    for g in graphs:
        images = [tuple(g[k] for k in move) for move in moves]
        result[max(images)] = sum(i == g for i in images)
    return result


@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_multigraph_once_with_its_stabiliser(pattern: tuple[tuple[int, int], ...]) -> None:
    ordered = tuple(sorted(pattern))
    expected = brute_force(ordered)
    found = table(ordered)
    assert len(found) == len(expected)
    assert sorted(found.stabilisers.tolist()) == sorted(expected.values())


@pytest.mark.parametrize(("n", "number"), [(4, 1), (6, 2), (8, 6), (10, 21)])
def test_simple_cubic_graphs_are_the_known_ones(n: int, number: int) -> None:
    """Connected and disconnected simple cubic graphs: 1, 2, 6, 21 on 4, 6, 8, 10 vertices (OEIS A005638)."""
    found = table(((3, n),))
    simple = found.lines[:, (found.lines <= 1).all(axis=0)]
    assert simple.shape[1] == number
    graphs = []
    i, j = np.triu_indices(n, 1)
    for c in simple.T:
        graphs += [nx.Graph(list(zip(i[c > 0].tolist(), j[c > 0].tolist(), strict=True)))]
    for a in range(len(graphs)):
        for b in range(a):
            assert not nx.is_isomorphic(graphs[a], graphs[b])


def test_stabilisers_are_automorphism_groups() -> None:
    found = table(((3, 6),))
    i, j = np.triu_indices(6, 1)
    for column, stabiliser in zip(found.lines.T, found.stabilisers, strict=True):
        g: nx.Graph[int] = nx.Graph()
        g.add_nodes_from(range(6))
        g.add_edges_from((int(a), int(b), {"k": int(k)}) for a, b, k in zip(i, j, column, strict=True) if k)
        matcher = nx.isomorphism.GraphMatcher(g, g, edge_match=lambda a, b: a["k"] == b["k"])
        assert sum(1 for _ in matcher.isomorphisms_iter()) == stabiliser


def test_patterns_that_no_graph_has() -> None:
    assert not is_possible(((3, 1), (2, 1)))
    assert len(table(((2, 1), (4, 1)))) == 0
    assert len(table(((1, 3),))) == 0
    assert len(table(())) == 1


def test_refinement_separates_what_degrees_cannot() -> None:
    """Two triangles and a hexagon are both 2-regular: a root of one is never the image of a root of the other."""
    n = 6
    columns = pair_columns(n)
    lines = np.zeros((15, 2), dtype=np.int8)
    for a, b in ((0, 1), (1, 2), (0, 2), (3, 4), (4, 5), (3, 5)):
        lines[columns[a, b], 0] = 1
    for a in range(6):
        lines[columns[a, (a + 1) % 6], 1] = 1
    keep, orbits = canonical_root(lines, np.zeros(n, dtype=np.int64), 0, n)
    assert keep.all()
    assert orbits.tolist() == [6, 6]


def test_exactly_one_rooting_of_each_graph_is_kept() -> None:
    """A path of lines 1, 2, 1 ... rooted at each of its vertices: the kept roots form one orbit."""
    n = 5
    columns = pair_columns(n)
    edges = {(0, 1): 2, (1, 2): 1, (2, 3): 1, (3, 4): 2}
    rooted = []
    for root in range(n):
        order = [root, *(v for v in range(n) if v != root)]
        place = {v: k for k, v in enumerate(order)}
        column = np.zeros(10, dtype=np.int8)
        for (a, b), k in edges.items():
            column[columns[place[a], place[b]]] = k
        rooted.append(column)
    keep, orbits = canonical_root(np.array(rooted).T, np.zeros(n, dtype=np.int64), 0, n)
    kept = {tuple(sorted(o)) for o in ([0, 4], [1, 3], [2]) if keep[o].all()}
    assert len(kept) == 1 and keep.sum() == len(next(iter(kept)))
    assert set(orbits.tolist()) == {len(next(iter(kept)))}


def test_the_stated_size_of_exactness_is_below_the_smallest_exception() -> None:
    assert EXACT == 13
    assert factorial(EXACT) > 2**32
