"""Classes of many skeletons at once against networkx and the classes of single diagrams."""

from __future__ import annotations

from itertools import combinations

import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feynnn.diagrams import classes, masks
from feynnn.diagrams.pairs import upper_pairs
from feynnn.diagrams.tables import Lines, table

Edges = list[tuple[int, int]]


class Graphs:
    """Random multigraphs on n vertices, with external legs and self-loops that all of them share."""

    def __init__(self, n: int, seed: int, *, number: int = 24) -> None:
        rng = np.random.default_rng(seed)
        self.n = n
        # few lines, so that bridges, cuts and several components are common
        self.lines: Lines = rng.choice([0, 0, 0, 1, 1, 2, 3], size=(n * (n - 1) // 2, number)).astype(np.int8)
        self.lines[rng.random(self.lines.shape) < rng.choice([0.0, 0.3, 0.6])] = 0
        self.legs = rng.choice([0, 0, 1, 2], size=n).tolist()
        self.loops = rng.choice([0, 1], p=[0.9, 0.1], size=n).tolist()

    def __len__(self) -> int:
        return int(self.lines.shape[1])

    def inner(self, k: int) -> Edges:
        """Lines between vertices of graph k."""
        i, j = upper_pairs(self.n)
        return [
            (a, b)
            for a, b, m in zip(i.tolist(), j.tolist(), self.lines[:, k].tolist(), strict=True)
            for _ in range(int(m))
        ]

    def diagram(self, k: int, *, loops: bool = True) -> tuple[int, int, Edges]:
        """Number of external points, of nodes, and lines, external points first: what `classes` takes."""
        carriers = [v for v, legs in enumerate(self.legs) for _ in range(legs)]
        n = len(carriers)
        edges = [(x, n + v) for x, v in enumerate(carriers)]
        edges += [(n + a, n + b) for a, b in self.inner(k)]
        edges += [(n + v, n + v) for v, own in enumerate(self.loops) for _ in range(own if loops else 0)]
        return n, n + self.n, edges

    def networkx(self, k: int) -> networkx.MultiGraph[int]:
        g: networkx.MultiGraph[int] = networkx.MultiGraph()
        g.add_nodes_from(range(self.n))
        g.add_edges_from(self.inner(k))
        return g


GRAPHS = st.builds(Graphs, st.integers(1, 7), st.integers(0, 2**32))


def flags(expected: list[bool], found: masks.Flags) -> None:
    """Compare and check the type."""
    assert found.dtype == np.bool_
    assert found.tolist() == expected


@settings(max_examples=40, deadline=None)
@given(GRAPHS)
def test_neighbours_and_components(g: Graphs) -> None:
    found = masks.adjacency(g.lines, g.n)
    for k in range(len(g)):
        assert [int(m[k]) for m in found] == classes.neighbours(g.n, g.inner(k))
    assert masks.number_of_components(g.lines, g.n).tolist() == [
        networkx.number_connected_components(g.networkx(k)) for k in range(len(g))
    ]


@settings(max_examples=40, deadline=None)
@given(GRAPHS, st.integers(0, 127), st.integers(0, 127))
def test_what_is_reached_from_some_vertices(g: Graphs, start: int, within: int) -> None:
    start &= (1 << g.n) - 1
    seeds = np.full(len(g), start, dtype=np.uint32)
    for inside in (None, within & ((1 << g.n) - 1)):
        found = masks.reached(masks.adjacency(g.lines, g.n), seeds, within=inside)
        allowed = [v for v in range(g.n) if inside is None or inside >> v & 1]
        for k in range(len(g)):
            part = g.networkx(k).subgraph(allowed)
            parts = [c for c in networkx.connected_components(part) if any(start >> v & 1 for v in c)]
            assert int(found[k]) == sum(1 << v for c in parts for v in c)
    whole = [
        all(any(start >> v & 1 for v in c) for c in networkx.connected_components(g.networkx(k))) for k in range(len(g))
    ]
    flags(whole, masks.is_joined(g.lines, g.n, start))


@settings(max_examples=40, deadline=None)
@given(GRAPHS)
def test_bridges(g: Graphs) -> None:
    """A line is a bridge if there is one more component without it."""
    expected = []
    for k in range(len(g)):
        graph = g.networkx(k)
        parts = networkx.number_connected_components(graph)
        cut = [networkx.restricted_view(graph, [], [line]) for line in graph.edges(keys=True)]
        expected.append(any(networkx.number_connected_components(rest) > parts for rest in cut))
        assert expected[-1] == bool(classes.bridges(0, g.n, g.inner(k)))
    flags(expected, masks.has_bridge(g.lines, g.n))


def joined(g: Graphs) -> None:
    """Keep the connected graphs."""
    g.lines = g.lines[:, masks.is_joined(g.lines, g.n, 1)]


@settings(max_examples=60, deadline=None)
@given(GRAPHS)
def test_leg_corrections(g: Graphs) -> None:
    joined(g)
    expected = []
    for k in range(len(g)):
        n, nodes, edges = g.diagram(k)
        expected.append(not classes.is_amputated(n, nodes, edges))
        whole: networkx.MultiGraph[int] = networkx.MultiGraph(edges)
        whole.add_nodes_from(range(nodes))
        sides = [
            len([x for x in part if x < n])
            for line in whole.edges(keys=True)
            if min(line[:2]) >= n
            for rest in [networkx.restricted_view(whole, [], [line])]
            if not networkx.is_connected(rest)
            for part in networkx.connected_components(rest)
        ]
        assert expected[-1] == (1 in sides)
    flags(expected, masks.has_leg_correction(g.lines, g.n, g.legs))


@settings(max_examples=60, deadline=None)
@given(GRAPHS, st.booleans())
def test_snails(g: Graphs, loops: bool) -> None:
    own = g.loops if loops else [0] * g.n
    expected = [classes.has_snail(*g.diagram(k, loops=loops)) for k in range(len(g))]
    for k in range(len(g)):
        n, nodes, edges = g.diagram(k, loops=loops)
        whole: networkx.MultiGraph[int] = networkx.MultiGraph()
        whole.add_nodes_from(range(nodes))
        whole.add_edges_from(edges)
        hanging = any(
            min(piece) >= n
            for part in networkx.connected_components(whole)
            for v in part
            if v >= n
            for piece in networkx.connected_components(whole.subgraph(part - {v}))
        )
        assert expected[k] == (any(own) or hanging)
    flags(expected, masks.has_snail(g.lines, g.n, g.legs, own))


@settings(max_examples=60, deadline=None)
@given(GRAPHS)
def test_small_cuts(g: Graphs) -> None:
    """With the legs: a self-energy insertion. Without: sets of vertices that one or two lines leave."""
    for legs in (g.legs, [0] * g.n):
        for k in range(len(g)):
            edges = g.inner(k)
            leaving = {
                sum((a in inside) != (b in inside) for a, b in edges) + sum(legs[v] for v in inside)
                for size in range(1, g.n + 1)
                for inside in map(set, combinations(range(g.n), size))
            }
            expected = bool(leaving & {1, 2})
            ends = [sum(v in e for e in edges) + legs[v] for v in range(g.n)]
            flags([expected], masks.has_small_cut(g.lines[:, k : k + 1], g.n, ends))
            if legs is g.legs:
                assert expected == classes.has_self_energy(*g.diagram(k, loops=False))


@pytest.mark.parametrize("pattern", [((4, 5),), ((3, 6),), ((3, 2), (4, 3)), ((3, 2), (5, 2))])
def test_small_cuts_of_whole_tables_in_pieces(
    pattern: tuple[tuple[int, int], ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Graphs of one pattern share their degrees; pieces of any size give the same."""
    found = table(pattern)
    degrees = [d for d, k in pattern for _ in range(k)]
    i, j = upper_pairs(found.n)
    expected = []
    for column in found.lines.T.tolist():
        edges = [(a, b) for a, b, m in zip(i.tolist(), j.tolist(), column, strict=True) for _ in range(m)]
        expected.append(classes.has_self_energy(0, found.n, edges))
    assert 0 < sum(expected) < len(expected)
    flags(expected, masks.has_small_cut(found.lines, found.n, degrees))
    for size in (1, 100, 1000):
        monkeypatch.setattr(masks, "_SUBSET_BYTES", size)
        flags(expected, masks.has_small_cut(found.lines, found.n, degrees))


def test_no_graphs_and_no_vertices() -> None:
    none = np.zeros((3, 0), dtype=np.int8)
    for found in (
        masks.is_joined(none, 3, 1),
        masks.has_bridge(none, 3),
        masks.has_leg_correction(none, 3, [1, 1, 0]),
        masks.has_snail(none, 3, [1, 1, 0], [0, 0, 0]),
        masks.has_small_cut(none, 3, [2, 2, 2]),
    ):
        assert found.shape == (0,)
    empty = np.zeros((0, 2), dtype=np.int8)
    assert masks.is_joined(empty, 0, 0).tolist() == [True, True]
    assert masks.number_of_components(empty, 0).tolist() == [0, 0]
    assert not masks.has_bridge(empty, 0).any()
    assert not masks.has_small_cut(empty, 0, []).any()
