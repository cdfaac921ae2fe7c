"""Parts and power counting against networkx, brute force over sets of lines, and diagrams known by eye."""

from __future__ import annotations

from collections.abc import Hashable
from itertools import combinations
from typing import cast

import networkx as nx
import pytest
from diagram_oracles import Facts
from hypothesis import given, settings
from hypothesis import strategies as st

from feynnn import Diagram, FeynnnError, Interaction, Theory
from feynnn.diagrams import structure

PHI3 = Theory.parse("g*f**3")
PHI4 = Theory.parse("lam*f**4")
LOCAL = [
    (PHI4, 4, (3,)),
    (PHI4, 2, (4,)),
    (Theory.parse("g*f**3 + lam*f**4"), 3, (3, 1)),
    (Theory.parse("s*f + m*f**2 + g*f**3"), 2, (2, 1, 2)),
    (PHI3, 0, (4,)),
    (PHI3, 2, (6,)),
    (Theory.parse("lam*f**4 + kap*f**6"), 2, (1, 1)),
    (Theory.parse("kap*f**6"), 4, (2,)),
]
BILOCAL = (Theory([Interaction((2, 2), "b"), Interaction((1, 3), "c")]), 2, (1, 2))


@st.composite
def diagrams(draw: st.DrawFn, theories: list[tuple[Theory, int, tuple[int, ...]]]) -> Diagram:
    """Any pairing of the legs of some theory's vertices, vacuum parts and all."""
    theory, n, order = draw(st.sampled_from(theories))
    degrees = [1] * n + [d for i, m in zip(theory.interactions, order, strict=True) for _ in range(m) for d in i.degree]
    legs = draw(st.permutations([node for node, d in enumerate(degrees) for _ in range(d)]))
    return Diagram.from_edges(theory, n, order, list(zip(legs[::2], legs[1::2], strict=True)))


def bridges(graph: nx.MultiGraph[Hashable]) -> set[frozenset[Hashable]]:
    """Bridges of a multigraph: those of its simple graph that are single lines."""
    simple: nx.Graph[Hashable] = nx.Graph()
    simple.add_nodes_from(graph)
    simple.add_edges_from((a, b) for a, b in graph.edges() if a != b)
    single = cast("list[tuple[Hashable, Hashable]]", list(nx.bridges(simple)))
    return {frozenset((a, b)) for a, b in single if graph.number_of_edges(a, b) == 1}


def node_of(d: Diagram, vertex: Hashable) -> int:
    """The number in `vertex_edges` of a vertex of `Facts`."""
    return d.n + cast("tuple[str, int]", vertex)[1]


@settings(deadline=None)
@given(diagrams([*LOCAL, BILOCAL]))
def test_one_pi_parts_are_what_the_bridges_leave(d: Diagram) -> None:
    graph = Facts.of(d).inner
    for pair in bridges(graph):
        graph.remove_edge(*pair)
    expected = {tuple(sorted(node_of(d, v) for v in part)) for part in nx.connected_components(graph)}
    assert set(d.one_pi_parts) == expected
    assert len(d.one_pi_parts) == len(expected)
    assert d.is_1pi == (d.is_connected and len(d.one_pi_parts) == 1)


@settings(deadline=None)
@given(diagrams([*LOCAL, BILOCAL]))
def test_cut_vertices_are_the_articulation_points_of_the_vertices(d: Diagram) -> None:
    inner = Facts.of(d).inner
    expected = sorted(node_of(d, v) for v in nx.articulation_points(nx.Graph(inner)))
    assert list(d.cut_vertices) == expected


def test_legs_and_self_loops_make_no_cut_vertex() -> None:
    star = Diagram.from_edges(PHI4, 4, 1, [(0, 4), (1, 4), (2, 4), (3, 4)])
    assert (star.cut_vertices, star.one_pi_parts) == ((), ((4,),))
    tadpole = Diagram.from_edges(PHI4, 2, 1, [(0, 2), (1, 2), (2, 2)])
    assert (tadpole.cut_vertices, tadpole.one_pi_parts) == ((), ((2,),))
    free = Diagram.from_edges(PHI4, 2, 0, [(0, 1)])
    assert (free.cut_vertices, free.one_pi_parts) == ((), ())


def test_the_middle_of_a_chain_is_a_cut_vertex() -> None:
    theory = Theory.parse("a*f**4 + b*f**4 + c*f**4")
    cactus = Diagram.from_edges(theory, 2, (1, 1, 1), [(0, 2), (1, 2), (2, 3), (2, 3), (3, 4), (3, 4), (4, 4)])
    assert (cactus.cut_vertices, cactus.one_pi_parts) == ((3,), ((2, 3, 4),))
    chain = Diagram.from_edges(theory, 2, (1, 1, 1), [(0, 2), (2, 2), (2, 3), (3, 3), (3, 4), (4, 4), (1, 4)])
    assert (chain.cut_vertices, chain.one_pi_parts) == ((3,), ((2,), (3,), (4,)))


@settings(deadline=None)
@given(diagrams(LOCAL), st.integers(0, 8))
def test_the_superficial_degree_depends_on_legs_and_vertices_only(d: Diagram, dimension: int) -> None:
    """The field has dimension (D - 2)/2: D for each component, less that of its legs and couplings."""
    legs = sum(j >= d.n for i, j in d.edges if i < d.n)
    with_vertices = sum(any(node >= d.n for node in c) for c in d.components)
    couplings = [2 * dimension - v.n_legs * (dimension - 2) for v in d.layout.vertices]
    twice = 2 * dimension * with_vertices - legs * (dimension - 2) - sum(couplings)
    assert 2 * d.superficial_degree(dimension) == twice


def brute_force(d: Diagram, dimension: int) -> set[tuple[int, ...]]:
    """Every proper set of internal lines that is connected, has a loop, no bridge and a degree >= 0."""
    inner = [e for e, (i, _) in enumerate(d.edges) if i >= d.n]
    found = set()
    for size in range(1, len(inner)):
        for chosen in combinations(inner, size):
            graph: nx.MultiGraph[Hashable] = nx.MultiGraph([d.edges[e] for e in chosen])
            n_loops = size - len(graph) + 1
            if nx.is_connected(graph) and not bridges(graph) and dimension * n_loops >= 2 * size:
                found.add(chosen)
    return found


@settings(deadline=None, max_examples=60)
@given(diagrams(LOCAL), st.integers(0, 7))
def test_subdivergences_are_all_of_them(d: Diagram, dimension: int) -> None:
    found = d.subdivergences(dimension)
    assert {g.lines for g in found} == brute_force(d, dimension)
    assert len({g.lines for g in found}) == len(found)
    for g in found:
        lines = [d.edges[e] for e in g.lines]
        assert g.vertices == tuple(sorted({v for line in lines for v in line}))
        assert g.n_loops == len(lines) - len(g.vertices) + 1 >= 1
        ends = sum((i in g.vertices) + (j in g.vertices) for e, (i, j) in enumerate(d.edges) if e not in g.lines)
        assert g.n_legs == ends
        assert g.degree == dimension * g.n_loops - 2 * len(lines) >= 0
    assert [g.n_loops for g in found] == sorted(g.n_loops for g in found)


BUBBLE = (2, 4, 0)


@pytest.mark.parametrize(
    ("name", "theory", "n", "order", "edges", "dimension", "expected"),
    [
        ("star", PHI4, 4, 1, [(0, 4), (1, 4), (2, 4), (3, 4)], 4, []),
        ("bubble", PHI4, 4, 2, [(0, 4), (1, 4), (4, 5), (4, 5), (2, 5), (3, 5)], 4, []),
        ("sunset: any two lines", PHI4, 2, 2, [(0, 2), (2, 3), (2, 3), (2, 3), (1, 3)], 4, [BUBBLE] * 3),
        ("sunset, three dimensions", PHI4, 2, 2, [(0, 2), (2, 3), (2, 3), (2, 3), (1, 3)], 3, []),
        (
            "chain of three bubbles: each, and neighbours together",
            PHI4,
            4,
            4,
            [(0, 4), (1, 4), (4, 5), (4, 5), (5, 6), (5, 6), (6, 7), (6, 7), (2, 7), (3, 7)],
            4,
            [BUBBLE, BUBBLE, BUBBLE, (4, 4, 0), (4, 4, 0)],
        ),
        (
            "ice cream cone: the bubble",
            PHI4,
            4,
            3,
            [(0, 4), (1, 4), (4, 5), (4, 6), (5, 6), (5, 6), (2, 5), (3, 6)],
            4,
            [BUBBLE],
        ),
        (
            "double scoop, four dimensions: the self-loop and the bubble",
            PHI4,
            2,
            2,
            [(0, 2), (1, 2), (2, 3), (2, 3), (3, 3)],
            4,
            [(1, 2, 2), BUBBLE],
        ),
        ("double scoop, two dimensions", PHI4, 2, 2, [(0, 2), (1, 2), (2, 3), (2, 3), (3, 3)], 2, [(1, 2, 0)]),
        (
            "self-energy in a triangle, six dimensions",
            PHI3,
            3,
            5,
            [(0, 3), (1, 4), (2, 5), (3, 4), (3, 5), (4, 6), (6, 7), (6, 7), (5, 7)],
            6,
            [(2, 2, 2)],
        ),
        (
            "overlapping vertices of the self-energy, six dimensions",
            PHI3,
            2,
            4,
            [(0, 2), (2, 3), (2, 4), (3, 4), (3, 5), (4, 5), (1, 5)],
            6,
            [(3, 3, 0), (3, 3, 0)],
        ),
    ],
)
def test_known_subdivergences(
    name: str,
    theory: Theory,
    n: int,
    order: int,
    edges: list[tuple[int, int]],
    dimension: int,
    expected: list[tuple[int, int, int]],
) -> None:
    """Lines, legs and degree of each."""
    d = Diagram.from_edges(theory, n, order, edges)
    assert sorted((len(g.lines), g.n_legs, g.degree) for g in d.subdivergences(dimension)) == expected, name


def test_subdivergences_of_disconnected_diagrams_may_be_whole_components() -> None:
    d = Diagram.from_edges(PHI4, 4, 2, [(0, 4), (1, 4), (4, 4), (2, 5), (3, 5), (5, 5)])
    assert [(g.vertices, g.degree) for g in d.subdivergences(4)] == [((4,), 2), ((5,), 2)]
    assert d.superficial_degree(4) == 4


def test_profiles_do_not_count_and_points_of_one_vertex_are_refused() -> None:
    weighted = Theory([Interaction(4, "lam", profile="y**2")])
    lines = [(0, 2), (2, 3), (2, 3), (2, 3), (1, 3)]
    d, plain = (Diagram.from_edges(t, 2, 2, lines) for t in (weighted, PHI4))
    assert d.subdivergences(4) == plain.subdivergences(4)
    assert d.superficial_degree(4) == plain.superficial_degree(4) == 2
    bilocal = Diagram.from_edges(Theory([Interaction((2, 2), "b")]), 4, 1, [(0, 4), (1, 4), (2, 5), (3, 5)])
    for ask in (bilocal.superficial_degree, bilocal.subdivergences):
        with pytest.raises(FeynnnError, match=r"power counting needs vertices of one point each, but 'b' has 2"):
            ask(4)


@pytest.mark.parametrize("dimension", [-1, 4.0, True, "4", None])
def test_the_dimension_is_a_whole_number(dimension: int) -> None:
    d = Diagram.from_edges(PHI4, 2, 1, [(0, 2), (1, 2), (2, 2)])
    for ask in (d.superficial_degree, d.subdivergences):
        with pytest.raises(FeynnnError, match="dimension must be"):
            ask(dimension)


def ladder(size: int) -> Diagram:
    """A ring of vertices of different couplings, each joined to the next by two lines: one 1PI part."""
    theory = Theory([Interaction(4, f"g{k}") for k in range(size)])
    lines = [(k, (k + 1) % size) for k in range(size) for _ in range(2)]
    return Diagram.from_edges(theory, 0, (1,) * size, lines)


def test_large_searches_are_refused_with_their_number() -> None:
    with pytest.raises(FeynnnError, match=r"1PI part of this diagram has 21 vertices, which are 2\*\*21 sets"):
        ladder(structure.MAX_VERTICES + 1).subdivergences(4)
    flower = Diagram.from_edges(Theory.parse("h*f**40"), 0, 1, [(0, 0)] * 20)
    with pytest.raises(FeynnnError, match="more than 100000 sets of lines that may be subdivergences in 4 dim"):
        flower.subdivergences(4)
    assert flower.subdivergences(1) == ()


def test_a_ring_of_bubbles_has_the_subdivergences_that_its_arcs_give() -> None:
    """In four dimensions every arc of the ring, whole bubbles only: lines - 2 (vertices - 1) must not be negative."""
    size = 12
    found = ladder(size).subdivergences(4)
    # arcs of 1..11 bubbles from each vertex, and the whole ring (degree 4) without one or two lines
    arcs = size * (size - 1)
    without_one, without_two = 2 * size, size * (size - 1) * 2
    assert len(found) == arcs + without_one + without_two
