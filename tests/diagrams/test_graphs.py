"""Graphs that people draw, read as diagrams: round trips, known automorphism groups, and errors that name the node."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feynnn import Diagram, Interaction, Theory, generate
from feynnn.errors import InputError

PHI3 = Theory.parse("g*f**3")
PHI4 = Theory.parse("lam*f**4")
BOTH = Theory.parse("lam*f**4 + kap*f**6")
TWICE = Theory([Interaction(4, "lam0"), Interaction(4, "lam2", profile="y**2"), Interaction(3, "g")])
LINEAR = Theory.parse("s*f + m*f**2 + g*f**3")
POINTS = Theory([Interaction((2, 2), "b"), Interaction((2, 4), "c"), Interaction((2, 2), "q", profile="y**2"),
                 Interaction((1, 3), "h"), Interaction((2, 2, 2), "t", profile="y**2*z**2")])  # fmt: skip

CASES = [
    (PHI4, 2, (3,)),
    (BOTH, 4, (1, 1)),
    (TWICE, 3, (1, 1, 1)),
    (LINEAR, 2, (1, 1, 1)),
    (POINTS, 2, (2, 0, 0, 0, 0)),
    (POINTS, 2, (1, 1, 1, 0, 0)),
    (POINTS, 2, (0, 0, 2, 1, 0)),
    (POINTS, 2, (1, 0, 0, 0, 1)),
]


@st.composite
def diagrams(draw: st.DrawFn) -> Diagram:
    theory, n, order = draw(st.sampled_from(CASES))
    degrees = [1] * n + [d for i, m in zip(theory.interactions, order, strict=True) for _ in range(m) for d in i.degree]
    legs = draw(st.permutations([node for node, d in enumerate(degrees) for _ in range(d)]))
    return Diagram.from_edges(theory, n, order, list(zip(legs[::2], legs[1::2], strict=True)))


def drawn_anew(graph: nx.MultiGraph[Any], names: dict[Any, Any], data: st.DataObject) -> nx.MultiGraph[Any]:
    """The same graph with other names, nodes and lines in another order, lines turned around."""
    result: nx.MultiGraph[Any] = nx.MultiGraph()
    for node in data.draw(st.permutations(list(graph))):
        result.add_node(names[node], **graph.nodes[node])
    for a, b in data.draw(st.permutations(list(graph.edges()))):
        result.add_edge(*((names[b], names[a]) if data.draw(st.booleans()) else (names[a], names[b])))
    return result


@settings(deadline=None)
@given(diagrams())
def test_the_round_trip_loses_nothing(d: Diagram) -> None:
    again = Diagram.from_networkx(d.theory, d.to_networkx())
    assert again == d
    assert again.edges == d.edges
    assert (again.theory, again.order, again.coefficient) == (d.theory, d.order, d.coefficient)


@settings(deadline=None)
@given(diagrams(), st.data())
def test_names_of_vertices_and_the_order_of_drawing_do_not_matter(d: Diagram, data: st.DataObject) -> None:
    graph = d.to_networkx()
    inner = data.draw(st.permutations(range(len(graph) - d.n)))
    names: dict[Any, Any] = {name: name if k < d.n else ("v", inner[k - d.n]) for k, name in enumerate(d.names)}
    shuffled = drawn_anew(graph, names, data)
    for _, marks in shuffled.nodes(data=True):
        if "vertex" in marks:
            marks["vertex"] = f"vertex {marks['vertex']}"
    assert Diagram.from_networkx(d.theory, shuffled) == d


@settings(deadline=None)
@given(st.data())
def test_bare_graphs_are_found_in_the_generated_set(data: st.DataObject) -> None:
    theory, n, order = data.draw(st.sampled_from([(PHI4, 4, (2,)), (BOTH, 2, (1, 1)), (PHI3, 3, (3,))]))
    ds = generate(theory, n, order=order, kind="all")
    place = data.draw(st.integers(0, len(ds) - 1))
    bare: nx.MultiGraph[Any] = nx.MultiGraph(ds[place].to_networkx().edges())
    names = {name: name if name[0] == "x" else f"vertex {name[1:]}" for name in ds[place].names}
    d = Diagram.from_networkx(theory, drawn_anew(bare, names, data))
    assert d in ds
    assert ds.index(d) == place


@pytest.mark.parametrize(
    ("graph", "degree", "automorphisms"),
    [
        (nx.complete_graph(4), 3, 24),
        (nx.complete_graph(5), 4, 120),
        (nx.complete_bipartite_graph(4, 4), 4, 1152),
        (nx.cubical_graph(), 3, 48),
        (nx.octahedral_graph(), 4, 48),
        (nx.petersen_graph(), 3, 120),
        (nx.icosahedral_graph(), 5, 120),
        (nx.frucht_graph(), 3, 1),
        (nx.MultiGraph([(0, 1)] * 4), 4, 48),
        (nx.MultiGraph([(0, 0), (0, 0)]), 4, 8),
    ],
)
def test_symmetry_factors_of_famous_graphs(graph: nx.Graph[int], degree: int, automorphisms: int) -> None:
    d = Diagram.from_networkx(Theory([Interaction(degree, "g")]), graph)
    assert d.symmetry_factor == automorphisms
    assert d.weight == Fraction(1, automorphisms)
    assert (d.n, d.order) == (0, {"g": len(graph)})


# --- external points -------------------------------------------------------------------------------------------------


def exchange(legs: list[Any]) -> nx.Graph[Any]:
    """Legs 0, 1 on one vertex of f^3, legs 2, 3 on the other."""
    return nx.Graph([("a", legs[0]), ("a", legs[1]), ("b", legs[2]), ("b", legs[3]), ("a", "b")])


def channel(d: Diagram) -> frozenset[int]:
    """External points on the vertex of x1."""
    vertex = next(j for i, j in d.edges if i == 0)
    return frozenset(i + 1 for i, j in d.edges if j == vertex and i < d.n)


@pytest.mark.parametrize(
    ("legs", "with_x1"),
    [
        (["x1", "x2", "x3", "x4"], {1, 2}),
        (["x10", "x2", "x9", "x1"], {1, 3}),  # x1, x2, x9, x10
        (["p3", "p1", "p2", "p12"], {1, 3}),
        ([10, 9, 100, 1], {1, 4}),
        (["in 1", "out 1", "in 2", "out 2"], {1, 3}),
        ([(0, 1), (0, 10), (0, 9), (0, 2)], {1, 4}),
        (["A", "C", "B", "D"], {1, 3}),
        (["x" + "1" * 5000, "x2", "x" + "1" * 4999 + "2", "x" + "0" * 5000 + "1"], {1, 4}),  # longer than int() reads
        ([-10, -2, -9, -1], {1, 3}),  # by their digits: -1, -2, -9, -10
    ],
)
def test_external_points_come_in_the_natural_order_of_their_names(legs: list[Any], with_x1: set[int]) -> None:
    assert channel(Diagram.from_networkx(PHI3, exchange(legs))) == with_x1


@pytest.mark.parametrize("labels", [(2, 1, 10, 3), ("x2", "x1", "x10", "x3"), ("p_2", "p_1", "p_10", "p_3")])
def test_labels_come_before_names(labels: tuple[Any, ...]) -> None:
    graph = exchange(["x1", "x2", "x3", "x4"])
    nx.set_node_attributes(graph, dict(zip(["x1", "x2", "x3", "x4"], labels, strict=True)), "label")
    nx.set_node_attributes(graph, {"a": "left", "b": "right"}, "label")  # of vertices: of no concern here
    assert channel(Diagram.from_networkx(PHI3, graph)) == {1, 2}
    graph.nodes["x1"]["label"], graph.nodes["x3"]["label"] = labels[2], labels[0]
    assert channel(Diagram.from_networkx(PHI3, graph)) == {1, 4}


def test_free_lines_and_nothing() -> None:
    two = Diagram.from_networkx(PHI4, nx.Graph([("x1", "x3"), ("x2", "x4")]))
    assert two.edges == ((0, 2), (1, 3))
    assert Diagram.from_networkx(PHI4, nx.Graph()) == generate(PHI4, 0, order=0, kind="all")[0]


def test_a_graph_is_one_labelled_diagram() -> None:
    bubble = generate(PHI4, 4, order=2, kind="1PI", external="indistinguishable")[0]
    assert bubble.copies == 3
    assert Diagram.from_networkx(PHI4, bubble.to_networkx()).copies == 1


def test_linear_terms_need_marks_and_then_work() -> None:
    graph: nx.Graph[Any] = nx.Graph([("x1", "a"), ("a", "x2"), ("a", "j")])
    with pytest.raises(InputError, match=r"node 'x1' has one line end: it may be an external point or the vertex of s"):
        Diagram.from_networkx(LINEAR, graph)
    nx.set_node_attributes(graph, {"x1": "external", "x2": "external"}, "kind")
    graph.nodes["j"]["coupling"] = "s"
    d = Diagram.from_networkx(LINEAR, graph)
    assert (d.n, d.order, d.edges) == (2, {"s": 1, "m": 0, "g": 1}, ((0, 3), (1, 3), (2, 3)))
    del graph.nodes["j"]["coupling"]
    graph.nodes["j"]["kind"] = "vertex"
    assert Diagram.from_networkx(LINEAR, graph) == d


# --- vertices with several points ------------------------------------------------------------------------------------


def test_points_of_one_vertex_share_the_attribute_vertex() -> None:
    graph: nx.MultiGraph[Any] = nx.MultiGraph([("x1", "a"), ("x2", "b"), ("a", "b")])
    with pytest.raises(InputError, match=r"the vertex at 'a' has 2 line ends, which no term has: b\*f\(y\)\*\*2"):
        Diagram.from_networkx(Theory([Interaction((2, 2), "b")]), graph)
    nx.set_node_attributes(graph, {"a": "v", "b": "v"}, "vertex")
    d = Diagram.from_networkx(Theory([Interaction((2, 2), "b")]), graph)
    assert d == Diagram.from_edges(d.theory, 2, 1, [(0, 2), (1, 3), (2, 3)])


def test_points_that_a_weight_tells_apart_need_their_number() -> None:
    theory = Theory([Interaction((2, 2), "q", profile="y**2")])
    graph: nx.MultiGraph[Any] = nx.MultiGraph([("x1", "a"), ("x2", "a"), ("b", "b")])
    nx.set_node_attributes(graph, {"a": 1, "b": 1}, "vertex")
    with pytest.raises(InputError, match=r"points \['a', 'b'\] of q\*y\*\*2.* differ by its weight.*point=0, 1"):
        Diagram.from_networkx(theory, graph)
    found = []
    for a, b in ((0, 1), (1, 0)):
        nx.set_node_attributes(graph, {"a": a, "b": b}, "point")
        found.append(Diagram.from_networkx(theory, graph))
    assert found[0] == Diagram.from_edges(theory, 2, 1, [(0, 2), (1, 2), (3, 3)])
    assert found[1] == Diagram.from_edges(theory, 2, 1, [(0, 3), (1, 3), (2, 2)])
    assert found[0] != found[1]


def test_points_with_different_legs_are_known_by_them() -> None:
    theory = Theory([Interaction((4, 2), "c"), Interaction((2, 2, 2), "t")])
    graph: nx.MultiGraph[Any] = nx.MultiGraph([("x1", "a"), ("x2", "a"), ("b", "b"), ("b", "b")])
    nx.set_node_attributes(graph, {"a": 7, "b": 7}, "vertex")
    assert Diagram.from_networkx(theory, graph) == Diagram.from_edges(
        theory, 2, (1, 0), [(0, 3), (1, 3), (2, 2), (2, 2)]
    )


# --- what is refused -------------------------------------------------------------------------------------------------


def marked(edges: list[tuple[Any, Any]], **marks: dict[str, Any]) -> nx.MultiGraph[Any]:
    """A multigraph with attributes of nodes."""
    graph: nx.MultiGraph[Any] = nx.MultiGraph(edges)
    for node, attributes in marks.items():
        graph.add_node(node, **attributes)
    return graph


TADPOLE = [("x1", "a"), ("x2", "a"), ("a", "a")]
WEIGHTED = Theory([Interaction((2, 2), "b"), Interaction(4, "lam")])


@pytest.mark.parametrize(
    ("theory", "graph", "message"),
    [
        (PHI4, nx.DiGraph([("x1", "x2")]), r"directed \(its first line is 'x1' -> 'x2'\).*MultiGraph"),
        (PHI4, nx.MultiDiGraph(), "the graph is directed, lines"),
        (PHI4, [("x1", "x2")], "expected a networkx Graph or MultiGraph, got"),
        (nx.Graph(), PHI4, r"expected a Theory, got .*from_networkx\(theory, graph\)"),
        (
            PHI4,
            marked([*TADPOLE, ("a", "b")]),
            r"vertex at 'a' has 5 line ends, which no term has: lam\*f\*\*4 needs 4",
        ),
        (PHI4, nx.Graph(TADPOLE[:2]), "vertex at 'a' has 2 line ends.*; parallel lines need a MultiGraph"),
        (PHI4, marked(TADPOLE, lonely={}), "node 'lonely' has no line; remove it"),
        (PHI4, marked(TADPOLE, x1={"kind": "source"}), "node 'x1' has kind='source'; it is 'external' or 'vertex'"),
        (PHI4, marked(TADPOLE, a={"kind": "external"}), "external point 'a' must have 1 line end, it has 4"),
        (PHI4, marked(TADPOLE, x1={"kind": "external", "coupling": "lam"}), "'x1' is external but has coupling='lam'"),
        (PHI4, marked(TADPOLE, x1={"kind": "vertex"}), "the vertex at 'x1' has 1 line end, which no term has"),
        (PHI4, marked(TADPOLE, a={"coupling": "kap"}), "node 'a' has the unknown coupling 'kap'; this theory has lam"),
        (BOTH, marked(TADPOLE, a={"coupling": "kap"}), r"vertex at 'a' has 4 line ends, kap\*f\*\*6 needs 6"),
        (BOTH, nx.Graph([*TADPOLE[:2], ("a", "x3")]), "vertex at 'a' has 3 line ends"),
        (TWICE, marked(TADPOLE), r"'a' has 4 line ends, which fit lam0\*f\*\*4, .*coupling='lam0' or 'lam2'"),
        (PHI4, marked(TADPOLE, x1={"label": 1}), "external point 'x2' has no label, 'x1' has; label all or none"),
        (PHI4, marked(TADPOLE, x1={"label": 1}, x2={"label": 1}), "'x1' and 'x2' have the same label '1'"),
        (PHI4, nx.MultiGraph([(1, "a"), ("1", "a"), ("a", "a")]), "external points 1 and '1' have the same label"),
        (PHI4, marked(TADPOLE, a={"vertex": [0]}), r"node 'a' has vertex=\[0\]; use a number or a name"),
        (PHI4, marked(TADPOLE, a={"point": 1}), r"node 'a' has point=1; the points of lam\*f\*\*4 are 0\.\.0"),
        (PHI4, marked(TADPOLE, a={"point": "0"}), "node 'a' has point='0'"),
        (
            PHI4,
            marked([("a", "a"), ("b", "b")] * 2, a={"vertex": 0}, b={"vertex": 0}),
            r"vertex with the points \['a', 'b'\] has \(4, 4\) line ends",
        ),
        (
            WEIGHTED,
            marked([("a", "b")] * 2, a={"vertex": 0, "coupling": "b"}, b={"vertex": 0, "coupling": "lam"}),
            r"points \['a', 'b'\] has two couplings, 'b' at 'a' and 'lam' at 'b'",
        ),
        (
            POINTS,
            marked(
                [("a", "a"), ("b", "b")],
                a={"vertex": 0, "coupling": "q", "point": 1},
                b={"vertex": 0, "coupling": "q", "point": 1},
            ),
            r"nodes 'a' and 'b' are both point 1 of one vertex of q\*y\*\*2",
        ),
        (
            Theory([Interaction((2, 4), "c")]),
            marked([("a", "a"), ("b", "b"), ("b", "b")], a={"vertex": 0, "point": 1}, b={"vertex": 0, "point": 0}),
            r"node 'a', point 1 of c\*.*, must have 4 line ends, it has 2",
        ),
    ],
)
def test_refused(theory: Any, graph: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Diagram.from_networkx(theory, graph)
