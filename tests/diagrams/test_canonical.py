"""Canonical form and stabiliser of one diagram: against all permutations, known graphs, and networkx."""

from __future__ import annotations

from math import factorial

import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networkx.algorithms.isomorphism import categorical_node_match, numerical_edge_match

from feynnn import Diagram, Interaction, Theory
from feynnn.diagrams.canonical import SMALL_GROUP, canonical_form, canonical_forms
from feynnn.diagrams.generation import generate
from feynnn.diagrams.layout import Layout, by_permutations

CASES = [
    (Theory.parse("l*f**4"), 2, (5,)),
    (Theory.parse("l*f**4"), 0, (4,)),
    (Theory.parse("g*f**3"), 3, (5,)),
    (Theory.parse("g*f**3 + l*f**4"), 2, (4, 1)),
    (Theory.parse("a*f**4 + b*f**4"), 2, (2, 2)),
    (Theory([Interaction((2, 2), "c")]), 2, (3,)),
    (Theory([Interaction((2, 4), "c"), Interaction(4, "l")]), 2, (1, 2)),
]


def random_row(layout: Layout, rng: np.random.Generator) -> np.ndarray:
    """Pair all legs at random."""
    ends = rng.permutation([node for node, d in enumerate(layout.degrees) for _ in range(d)])
    pairs = [(int(min(a, b)), int(max(a, b))) for a, b in ends.reshape(-1, 2)]
    return layout.row_of(pairs)


def shuffled(layout: Layout, row: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Rename equal vertices at random; the row of the same diagram."""
    maps = layout.column_maps
    return np.asarray(row[maps[rng.integers(len(maps))]])


@pytest.mark.parametrize(("theory", "n", "order"), CASES)
def test_search_agrees_with_all_permutations(theory: Theory, n: int, order: tuple[int, ...]) -> None:
    layout, rng = Layout.of(theory, n, order), np.random.default_rng(5)
    for _ in range(40):
        row = random_row(layout, rng)
        form, stabiliser = canonical_form(layout, row)
        every, expected = by_permutations(layout, row[None, :])
        assert stabiliser == expected[0]
        again, _ = canonical_form(layout, shuffled(layout, row, rng))
        np.testing.assert_array_equal(form, again)
        # the form is a diagram of the same class
        np.testing.assert_array_equal(by_permutations(layout, form[None, :])[0], every)


@pytest.mark.parametrize(("theory", "n", "order"), CASES)
def test_forms_differ_where_diagrams_differ(theory: Theory, n: int, order: tuple[int, ...]) -> None:
    layout, rng = Layout.of(theory, n, order), np.random.default_rng(6)
    rows = np.array([random_row(layout, rng) for _ in range(150)], dtype=np.int8)
    forms, _ = canonical_forms(layout, rows)
    reference, _ = by_permutations(layout, rows)
    mine = {bytes(f): bytes(r) for f, r in zip(forms, reference, strict=True)}
    assert len(mine) == len({bytes(r) for r in reference})


@settings(max_examples=30, deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from(CASES))
def test_external_points_may_be_exchanged(random: object, case: tuple[Theory, int, tuple[int, ...]]) -> None:
    theory, n, order = case
    layout, rng = Layout.of(theory, n, order), np.random.default_rng(hash(str(random)) % 2**32)
    row = random_row(layout, rng)
    name = [*rng.permutation(n).tolist(), *range(n, layout.n_nodes)]
    edges = [(name[i], name[j]) for (i, j), k in zip(layout.pairs, row.tolist(), strict=True) for _ in range(int(k))]
    form, order_all = canonical_form(layout, row, labelled=False)
    other, again = canonical_form(layout, layout.row_of(edges), labelled=False)
    np.testing.assert_array_equal(form, other)
    assert order_all == again
    assert order_all % canonical_form(layout, row)[1] == 0
    assert (factorial(n) * canonical_form(layout, row)[1]) % order_all == 0


def test_copies_are_the_labellings_of_a_topology() -> None:
    theory = Theory.parse("l*f**4")
    for d in generate(theory, 4, order=5, external="indistinguishable"):
        _, everything = canonical_form(d.layout, d.row, labelled=False)
        _, labelled = canonical_form(d.layout, d.row)
        assert d.copies == factorial(4) * labelled // everything


GRAPHS = [
    ("Petersen", networkx.petersen_graph(), 3, 120),
    ("Desargues", networkx.desargues_graph(), 3, 240),
    ("dodecahedron", networkx.dodecahedral_graph(), 3, 120),
    ("K_4,4", networkx.complete_bipartite_graph(4, 4), 4, 2 * 24**2),
    ("4-cube", networkx.convert_node_labels_to_integers(networkx.hypercube_graph(4)), 4, 384),
    ("K_9", networkx.complete_graph(9), 8, factorial(9)),
    # two graphs that refinement alone cannot tell apart, on 16 vertices
    ("rook 4x4", networkx.convert_node_labels_to_integers(networkx.line_graph(networkx.complete_bipartite_graph(4, 4))),
     6, 1152),
    ("Shrikhande", networkx.Graph(
        [(4 * a + b, 4 * ((a + s) % 4) + (b + t) % 4) for a in range(4) for b in range(4) for s, t in
         ((0, 1), (1, 0), (1, 1))]), 6, 192),
]  # fmt: skip


@pytest.mark.parametrize(("name", "graph", "degree", "order"), GRAPHS, ids=[g[0] for g in GRAPHS])
def test_groups_of_well_known_graphs(name: str, graph: networkx.Graph[int], degree: int, order: int) -> None:
    theory, size = Theory([Interaction(degree, "g")]), graph.number_of_nodes()
    edges = [(min(e), max(e)) for e in graph.edges]
    d = Diagram.from_edges(theory, 0, size, edges)
    assert d.symmetry_factor == order
    names = np.random.default_rng(1).permutation(size)
    assert d == Diagram.from_edges(theory, 0, size, [(int(names[a]), int(names[b])) for a, b in edges])


def test_graphs_with_the_same_refinement_differ() -> None:
    theory = Theory([Interaction(6, "g")])
    rook, shrikhande = (
        Diagram.from_edges(theory, 0, 16, [(min(e), max(e)) for e in graph.edges]) for _, graph, _, _ in GRAPHS[-2:]
    )
    assert rook != shrikhande


def test_many_equal_parts_are_no_explosion() -> None:
    """12! ways to name the leaves of a star, and 6! 2^6 to name pairs, are not tried one by one."""
    star = Theory([Interaction(12, "a"), Interaction(3, "b")])
    edges = [(0, k) for k in range(1, 13)] + [(k, k) for k in range(1, 13)]
    assert Diagram.from_edges(star, 0, {"a": 1, "b": 12}, edges).symmetry_factor == factorial(12) * 2**12
    basketballs = [(2 * k, 2 * k + 1) for k in range(6) for _ in range(4)]
    d = Diagram.from_edges(Theory.parse("l*f**4"), 0, 12, basketballs)
    assert d.symmetry_factor == factorial(6) * 2**6 * factorial(4) ** 6


def test_sampled_diagrams_of_a_set_are_not_isomorphic() -> None:
    """No two of a set, by networkx; both below and above the size where all permutations are tried."""
    for order in (4, 6):
        ds = generate(Theory.parse("l*f**4"), 4, order=order, kind="connected")
        assert (ds.layout.group_order <= SMALL_GROUP) == (order == 4)
        chosen = np.random.default_rng(2).choice(len(ds), size=min(len(ds), 250), replace=False)
        buckets: dict[str, list[networkx.Graph[str]]] = {}
        for k in chosen.tolist():
            graph: networkx.Graph[str] = networkx.Graph()
            d = ds[k]
            for node, name in enumerate(d.names):
                graph.add_node(name, kind=name if node < d.n else "vertex")
            for i, j in dict.fromkeys(d.edges):
                graph.add_edge(d.names[i], d.names[j], lines=d.edges.count((i, j)))
            sign = networkx.weisfeiler_lehman_graph_hash(graph, node_attr="kind", edge_attr="lines")
            for other in buckets.setdefault(sign, []):
                assert not networkx.is_isomorphic(
                    graph, other, categorical_node_match("kind", ""), numerical_edge_match("lines", 0)
                )
            buckets[sign].append(graph)
