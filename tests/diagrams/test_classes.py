"""Classes of diagrams against networkx, and on examples known by eye."""

from __future__ import annotations

from typing import cast

import networkx as nx
import pytest
from diagram_oracles import Facts
from hypothesis import given, settings
from hypothesis import strategies as st

from feynnn import Diagram, Interaction, Theory, generate
from feynnn.diagrams import classes

EDGES = st.integers(1, 7).flatmap(
    lambda n: st.tuples(
        st.just(n),
        st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).map(lambda e: (min(e), max(e))), max_size=10),
    )
)


@settings(deadline=None)
@given(EDGES)
def test_components_are_those_of_networkx(case: tuple[int, list[tuple[int, int]]]) -> None:
    n, edges = case
    graph: nx.MultiGraph[int] = nx.MultiGraph()
    graph.add_nodes_from(range(n))
    graph.add_edges_from(edges)
    masks = classes.neighbours(n, edges)
    found = {frozenset(k for k in range(n) if c >> k & 1) for c in classes.components(masks, (1 << n) - 1)}
    assert found == {frozenset(c) for c in nx.connected_components(graph)}
    assert classes.is_connected(n, edges) == nx.is_connected(graph)
    within = 0b101101 & ((1 << n) - 1)
    part = graph.subgraph([k for k in range(n) if within >> k & 1])
    assert len(classes.components(masks, within)) == nx.number_connected_components(part)


@settings(deadline=None)
@given(EDGES)
def test_bridges_are_those_of_networkx(case: tuple[int, list[tuple[int, int]]]) -> None:
    n, edges = case
    graph: nx.MultiGraph[int] = nx.MultiGraph(edges)
    graph.remove_edges_from([(k, k) for k in range(n) for _ in range(edges.count((k, k)))])
    single = cast("list[tuple[int, int]]", list(nx.bridges(nx.Graph(graph))))
    expected = {frozenset((i, j)) for i, j in single if graph.number_of_edges(i, j) == 1}
    assert {frozenset(e) for e in classes.bridges(0, n, edges)} == expected


THEORIES = [
    (Theory.parse("lam*f**4"), 4, (3,)),
    (Theory.parse("g*f**3 + lam*f**4"), 3, (3, 1)),
    (Theory.parse("s*f + m*f**2 + g*f**3"), 2, (2, 1, 2)),
    (Theory([Interaction((2, 2), "b"), Interaction((1, 3), "c")]), 2, (1, 2)),
    (Theory.parse("g*f**3"), 0, (4,)),
    (Theory.parse("lam*f**4 + kap*f**6"), 2, (1, 1)),
]


@st.composite
def diagrams(draw: st.DrawFn) -> Diagram:
    """Any pairing of the legs of some theory's vertices, vacuum parts and all."""
    theory, n, order = draw(st.sampled_from(THEORIES))
    degrees = [1] * n + [d for i, m in zip(theory.interactions, order, strict=True) for _ in range(m) for d in i.degree]
    legs = draw(st.permutations([node for node, d in enumerate(degrees) for _ in range(d)]))
    return Diagram.from_edges(theory, n, order, [(a, b) for a, b in zip(legs[::2], legs[1::2], strict=True)])


@settings(deadline=None)
@given(diagrams())
def test_every_fact_agrees_with_cutting_lines_and_nodes(d: Diagram) -> None:
    facts = Facts.of(d)
    assert d.is_connected == facts.connected
    assert d.is_vacuum_free == facts.vacuum_free
    assert len(d.bridges) == facts.n_bridges
    assert d.is_1pi == facts.one_particle_irreducible
    assert d.is_2pi == facts.two_particle_irreducible
    assert d.is_amputated == facts.amputated
    assert d.n_loops == facts.n_loops
    assert d.has_self_energy == facts.self_energy == facts.insertion
    assert d.has_snail == facts.snail


PHI4 = Theory.parse("lam*f**4")
PHI3 = Theory.parse("g*f**3")


@pytest.mark.parametrize(
    ("name", "theory", "n", "order", "edges", "one_pi", "self_energy", "snail"),
    [
        ("tadpole on a propagator", PHI4, 2, 1, [(0, 2), (1, 2), (2, 2)], True, True, True),
        ("sunset", PHI4, 2, 2, [(0, 2), (1, 3), (2, 3), (2, 3), (2, 3)], True, True, False),
        ("cactus", PHI4, 2, 2, [(0, 2), (1, 2), (2, 3), (2, 3), (3, 3)], True, True, True),
        ("chain of two tadpoles", PHI4, 2, 2, [(0, 2), (2, 2), (2, 3), (3, 3), (1, 3)], False, True, True),
        ("star", PHI4, 4, 1, [(0, 4), (1, 4), (2, 4), (3, 4)], True, False, False),
        ("bubble", PHI4, 4, 2, [(0, 4), (1, 4), (4, 5), (4, 5), (2, 5), (3, 5)], True, False, False),
        ("leg correction", PHI4, 4, 2, [(0, 4), (1, 4), (2, 4), (4, 5), (5, 5), (3, 5)], False, True, True),
        ("exchange", PHI4, 6, 2, [(0, 6), (1, 6), (2, 6), (6, 7), (3, 7), (4, 7), (5, 7)], False, False, False),
        ("free line", PHI4, 2, 0, [(0, 1)], False, False, False),
        ("one-point tadpole", PHI3, 1, 1, [(0, 1), (1, 1)], True, True, True),
        ("tadpole on a stalk", PHI3, 2, 2, [(0, 2), (1, 2), (2, 3), (3, 3)], False, True, True),
        ("triangle", PHI3, 3, 3, [(0, 3), (1, 4), (2, 5), (3, 4), (4, 5), (3, 5)], True, False, False),
        ("dumbbell", PHI3, 0, 2, [(0, 0), (0, 1), (1, 1)], False, True, True),
        ("vacuum sunset", PHI3, 0, 2, [(0, 1), (0, 1), (0, 1)], True, False, True),
        ("figure eight", PHI4, 0, 1, [(0, 0), (0, 0)], True, False, True),
    ],
)
def test_known_diagrams(
    name: str,
    theory: Theory,
    n: int,
    order: int,
    edges: list[tuple[int, int]],
    one_pi: bool,
    self_energy: bool,
    snail: bool,
) -> None:
    d = Diagram.from_edges(theory, n, order, edges)
    assert (d.is_1pi, d.has_self_energy, d.has_snail) == (one_pi, self_energy, snail), name
    assert d.is_connected


def test_the_self_loop_of_the_kappa_vertex_is_a_snail_but_no_self_energy() -> None:
    """It stays in the exact scheme: the 360 and 5400 of the slides."""
    theory = Theory.parse("kap*f**6")
    d = Diagram.from_edges(theory, 4, 1, [(k, 4) for k in range(4)] + [(4, 4)])
    assert d.has_self_loop
    assert d.has_snail
    assert not d.has_self_energy


def test_a_line_between_two_points_of_one_vertex() -> None:
    """The vertex is one node: the line is no bridge and no self-loop of a point, but it hangs on one vertex."""
    theory = Theory([Interaction((2, 2), "b")])
    d = Diagram.from_edges(theory, 2, 1, [(0, 2), (1, 3), (2, 3)])
    assert d.is_connected
    assert d.is_1pi
    assert d.n_loops == 1
    assert not d.has_self_loop
    assert d.has_snail
    split = Diagram.from_edges(theory, 4, 1, [(0, 4), (1, 4), (2, 5), (3, 5)])
    assert split.is_connected
    assert split.is_1pi
    assert split.components == ((0, 1, 2, 3, 4, 5),)


def test_an_insertion_of_two_vertices_is_found_as_a_set() -> None:
    """Each vertex alone has more than two line ends; together they have two."""
    d = Diagram.from_edges(PHI4, 4, 3, [(0, 4), (1, 4), (2, 4), (4, 5), (5, 6), (5, 6), (5, 6), (6, 3)])
    assert d.has_self_energy
    assert not d.has_snail


@pytest.mark.parametrize(
    ("name", "theory", "n", "order", "edges", "amputated", "two_pi"),
    [
        ("tadpole on a propagator", PHI4, 2, 1, [(0, 2), (1, 2), (2, 2)], True, True),
        ("sunset", PHI4, 2, 2, [(0, 2), (1, 3), (2, 3), (2, 3), (2, 3)], True, True),
        ("cactus", PHI4, 2, 2, [(0, 2), (1, 2), (2, 3), (2, 3), (3, 3)], True, False),
        ("chain of two tadpoles", PHI4, 2, 2, [(0, 2), (2, 2), (2, 3), (3, 3), (1, 3)], False, False),
        ("star", PHI4, 4, 1, [(0, 4), (1, 4), (2, 4), (3, 4)], True, True),
        ("bubble", PHI4, 4, 2, [(0, 4), (1, 4), (4, 5), (4, 5), (2, 5), (3, 5)], True, False),
        ("leg correction", PHI4, 4, 2, [(0, 4), (1, 4), (2, 4), (4, 5), (5, 5), (3, 5)], False, False),
        ("exchange", PHI4, 6, 2, [(0, 6), (1, 6), (2, 6), (6, 7), (3, 7), (4, 7), (5, 7)], True, False),
        ("free line", PHI4, 2, 0, [(0, 1)], False, False),
        ("tadpole on a stalk", PHI3, 2, 2, [(0, 2), (1, 2), (2, 3), (3, 3)], True, False),
        ("triangle", PHI3, 3, 3, [(0, 3), (1, 4), (2, 5), (3, 4), (4, 5), (3, 5)], True, False),
        ("tadpole on a leg", PHI3, 3, 3, [(0, 3), (3, 4), (4, 4), (3, 5), (1, 5), (2, 5)], False, False),
        (
            "tadpole in between",
            PHI3,
            4,
            4,
            [(0, 4), (1, 4), (4, 5), (5, 6), (6, 6), (5, 7), (2, 7), (3, 7)],
            True,
            False,
        ),
        ("vacuum sunset", PHI3, 0, 2, [(0, 1), (0, 1), (0, 1)], True, True),
        ("K_4", PHI3, 0, 4, [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)], True, True),
    ],
)
def test_known_amputated_and_2pi_diagrams(
    name: str,
    theory: Theory,
    n: int,
    order: int,
    edges: list[tuple[int, int]],
    amputated: bool,
    two_pi: bool,
) -> None:
    """Tadpoles without external points stay when legs are amputated, wherever they hang."""
    d = Diagram.from_edges(theory, n, order, edges)
    assert (d.is_amputated, d.is_2pi) == (amputated, two_pi), name


def test_empty_diagram() -> None:
    d = generate(PHI4, 0, order=0, kind="all")[0]
    assert not d.is_connected
    assert d.is_vacuum_free
    assert not d.is_1pi
    assert not d.is_2pi
    assert not d.is_amputated
    assert not d.has_self_energy
    assert not d.has_snail
    assert d.n_loops == 0
