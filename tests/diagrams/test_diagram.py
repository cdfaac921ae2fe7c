"""One diagram: symmetry factors of textbook diagrams, coefficients from the slides, identity and round trips."""

from __future__ import annotations

import json
from fractions import Fraction

import networkx as nx
import pytest
from diagram_oracles import graph_of, same, vertices_of
from hypothesis import given, settings
from hypothesis import strategies as st

from feynnn import Diagram, FeynnnError, Interaction, Theory, generate

PHI4 = Theory.parse("lam*f**4")
PHI3 = Theory.parse("g*f**3")
PHI6 = Theory.parse("kap*f**6")
BOTH = Theory.parse("lam*f**4 + kap*f**6")
POINTS = Theory([Interaction((2, 2), "b"), Interaction((1, 3), "c"), Interaction(3, "g")])


def star(n: int, order: int = 1) -> list[tuple[int, int]]:
    return [(k, n) for k in range(n)]


@pytest.mark.parametrize(
    ("theory", "n", "order", "edges", "symmetry"),
    [
        (PHI4, 0, 1, [(0, 0), (0, 0)], 8),
        (PHI4, 0, 2, [(0, 1)] * 4, 48),
        (PHI4, 0, 2, [(0, 0), (0, 1), (0, 1), (1, 1)], 16),
        (PHI4, 0, 3, [(0, 1), (0, 1), (1, 2), (1, 2), (0, 2), (0, 2)], 48),
        (PHI4, 0, 3, [(0, 0), (0, 1), (0, 1), (1, 2), (1, 2), (2, 2)], 32),
        (PHI4, 2, 1, [(0, 2), (1, 2), (2, 2)], 2),
        (PHI4, 2, 2, [(0, 2), (1, 3), (2, 3), (2, 3), (2, 3)], 6),
        (PHI4, 2, 2, [(0, 2), (1, 2), (2, 3), (2, 3), (3, 3)], 4),
        (PHI4, 2, 2, [(0, 2), (2, 2), (2, 3), (3, 3), (1, 3)], 4),
        (PHI4, 4, 1, [(0, 4), (1, 4), (2, 4), (3, 4)], 1),
        (PHI4, 4, 2, [(0, 4), (1, 4), (4, 5), (4, 5), (2, 5), (3, 5)], 2),
        (PHI3, 0, 2, [(0, 1)] * 3, 12),
        (PHI3, 0, 2, [(0, 0), (0, 1), (1, 1)], 8),
        (PHI3, 1, 1, [(0, 1), (1, 1)], 2),
        (PHI3, 2, 2, [(0, 2), (2, 3), (2, 3), (3, 1)], 2),
        (PHI3, 0, 4, [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)], 24),
        (PHI6, 0, 1, [(0, 0)] * 3, 48),
        (PHI6, 4, 1, [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)], 2),
        (POINTS, 0, (1, 0, 0), [(0, 0), (1, 1)], 8),
        (POINTS, 0, (1, 0, 0), [(0, 1), (0, 1)], 4),
        (POINTS, 0, (0, 1, 0), [(0, 1), (1, 1)], 2),
        (POINTS, 2, (1, 0, 0), [(0, 2), (1, 2), (3, 3)], 2),
        (POINTS, 2, (1, 0, 0), [(0, 2), (1, 3), (2, 3)], 1),
    ],
)
def test_symmetry_factors(
    theory: Theory, n: int, order: int | tuple[int, ...], edges: list[tuple[int, int]], symmetry: int
) -> None:
    d = Diagram.from_edges(theory, n, order, edges)
    assert d.symmetry_factor == symmetry
    assert d.weight == Fraction(1, symmetry)
    assert d.multiplicity * symmetry == d.layout.relabellings


def test_coefficients_of_the_slides_to_the_unit() -> None:
    """24, not 23: each number is exact, sign and type included."""
    lam = Diagram.from_edges(BOTH, 4, {"lam": 1}, star(4)).coefficient
    assert lam == Fraction(-24)
    assert lam not in (-23, -25, 24)
    assert isinstance(lam, Fraction)
    assert Diagram.from_edges(BOTH, 6, {"kap": 1}, star(6)).coefficient == -720
    assert Diagram.from_edges(BOTH, 4, {"kap": 1}, [*star(4), (4, 4)]).coefficient == -360


@pytest.mark.parametrize(
    ("text", "order", "edges", "coefficient"),
    [
        ("lam/24*f**4", 1, star(4), Fraction(-1)),
        ("-lam*f**4", 1, star(4), Fraction(24)),
        ("2/3*lam*f**4", 1, star(4), Fraction(-16)),
        # two equal vertices: (-1/24)^2 / 2! times 2! 24^2 / 2
        ("lam/24*f**4", 2, [(0, 4), (1, 4), (4, 5), (4, 5), (2, 5), (3, 5)], Fraction(1, 2)),
        ("lam*f**4", 2, [(0, 4), (1, 4), (4, 5), (4, 5), (2, 5), (3, 5)], Fraction(288)),
    ],
)
def test_coefficient_has_sign_factor_and_factorial(
    text: str, order: int, edges: list[tuple[int, int]], coefficient: Fraction
) -> None:
    assert Diagram.from_edges(Theory.parse(text), 4, order, edges).coefficient == coefficient


def test_two_couplings_of_one_degree_are_two_kinds_of_vertex() -> None:
    theory = Theory([Interaction(4, "lam0"), Interaction(4, "lam2", profile="y**2")])
    sunset = [(0, 2), (1, 3), (2, 3), (2, 3), (2, 3)]
    mixed = Diagram.from_edges(theory, 2, {"lam0": 1, "lam2": 1}, sunset)
    swapped = Diagram.from_edges(theory, 2, {"lam0": 1, "lam2": 1}, [(1, 2), (0, 3), (2, 3), (2, 3), (2, 3)])
    assert mixed != swapped
    assert mixed.multiplicity == swapped.multiplicity == 24 * 24 // 6
    assert Diagram.from_edges(theory, 2, {"lam0": 2}, sunset).multiplicity == 2 * 24 * 24 // 6
    assert Diagram.from_edges(theory, 2, {"lam0": 2}, sunset) != Diagram.from_edges(theory, 2, {"lam2": 2}, sunset)


def test_facts_of_the_bubble() -> None:
    d = Diagram.from_edges(PHI4, 4, 2, [(2, 5), (3, 5), (0, 4), (5, 4), (4, 5), (1, 4)])
    assert d.edges == ((0, 4), (1, 4), (2, 5), (3, 5), (4, 5), (4, 5))
    assert d.names == ("x1", "x2", "x3", "x4", "y1", "y2")
    assert d.order == {"lam": 2}
    assert (d.n, d.n_vertices, d.n_loops, d.copies) == (4, 2, 1, 1)
    assert d.components == ((0, 1, 2, 3, 4, 5),)
    assert d.bridges == ()
    assert repr(d) == "Diagram(x1-y1 x2-y1 x3-y2 x4-y2 y1-y2 y1-y2; lam: 2; multiplicity 576)"
    assert repr(generate(PHI4, 0, order=0)[0]) == "Diagram(empty; free; multiplicity 1)"
    assert Diagram.from_edges(PHI4, 4, 1, star(4)).names[-1] == "y"


def test_facts_of_a_disconnected_diagram() -> None:
    d = Diagram.from_edges(BOTH, 4, {"lam": 1, "kap": 1}, [(0, 1), (2, 4), (3, 4), (4, 4), *[(5, 5)] * 3])
    assert d.components == ((0, 1), (2, 3, 4), (5,))
    assert not d.is_connected
    assert not d.is_vacuum_free
    assert d.n_loops == 4
    assert d.order == {"lam": 1, "kap": 1}


def test_networkx_has_all_lines_and_labels() -> None:
    d = Diagram.from_edges(POINTS, 1, {"b": 1, "g": 1}, [(0, 1), (1, 3), (2, 2), (3, 3)])
    g = d.to_networkx()
    assert g.number_of_edges() == 4
    assert g.nodes["x1"] == {"kind": "external"}
    assert {k: v["coupling"] for k, v in g.nodes(data=True) if v["kind"] == "vertex"} == {
        "y1": "b",
        "y2": "b",
        "y3": "g",
    }
    assert g.nodes["y1"]["vertex"] == g.nodes["y2"]["vertex"] != g.nodes["y3"]["vertex"]
    assert nx.number_of_selfloops(g) == 2


# --- identity --------------------------------------------------------------------------------------------------------

CASES = [(PHI4, 2, (3,)), (BOTH, 2, (2, 1)), (PHI3, 3, (3,)), (POINTS, 1, (2, 1, 1)), (POINTS, 2, (2, 0, 2))]


@st.composite
def pairings_of_legs(draw: st.DrawFn) -> tuple[Theory, int, tuple[int, ...], list[tuple[int, int]]]:
    theory, n, order = draw(st.sampled_from(CASES))
    degrees = [1] * n + [d for i, m in zip(theory.interactions, order, strict=True) for _ in range(m) for d in i.degree]
    legs = draw(st.permutations([node for node, d in enumerate(degrees) for _ in range(d)]))
    return theory, n, order, [(a, b) for a, b in zip(legs[::2], legs[1::2], strict=True)]


@settings(deadline=None)
@given(pairings_of_legs(), st.data())
def test_names_of_equal_vertices_and_order_of_lines_do_not_matter(
    case: tuple[Theory, int, tuple[int, ...], list[tuple[int, int]]], data: st.DataObject
) -> None:
    theory, n, order, edges = case
    d = Diagram.from_edges(theory, n, order, edges)
    # rename: shuffle vertices of one coupling, and equal points inside each
    names = list(range(n))
    first = n
    for i, m in zip(theory.interactions, order, strict=True):
        for target in data.draw(st.permutations(range(m))):
            start = first + target * len(i.degree)
            points = list(range(start, start + len(i.degree)))
            swap = len(set(i.degree)) == 1 and data.draw(st.booleans())
            names += points[::-1] if swap else points
        first += m * len(i.degree)
    renamed = [(names[b], names[a]) for a, b in data.draw(st.permutations(edges))]
    e = Diagram.from_edges(theory, n, order, renamed)
    assert d == e
    assert hash(d) == hash(e)
    assert d.edges == e.edges
    assert (d.symmetry_factor, d.multiplicity, d.coefficient) == (e.symmetry_factor, e.multiplicity, e.coefficient)
    assert same(graph_of(d, vertices_of(theory, order)), graph_of(e, vertices_of(theory, order)))
    assert d.symmetry_factor * d.multiplicity == d.layout.relabellings


@settings(deadline=None)
@given(pairings_of_legs(), st.data())
def test_equal_means_isomorphic(
    case: tuple[Theory, int, tuple[int, ...], list[tuple[int, int]]], data: st.DataObject
) -> None:
    theory, n, order, edges = case
    legs = [leg for edge in edges for leg in edge]
    k = data.draw(st.sampled_from([2, 4, len(legs)]))  # swap a few legs, so that equal diagrams are not rare
    moved = [*data.draw(st.permutations(legs[:k])), *legs[k:]]
    a = Diagram.from_edges(theory, n, order, edges)
    b = Diagram.from_edges(theory, n, order, list(zip(moved[::2], moved[1::2], strict=True)))
    vertices = vertices_of(theory, order)
    assert (a == b) == same(graph_of(a, vertices), graph_of(b, vertices))
    assert a != "a diagram"
    assert a != Diagram.from_edges(PHI4, 2, 0, [(0, 1)])


@settings(deadline=None)
@given(pairings_of_legs())
def test_round_trip_through_json(case: tuple[Theory, int, tuple[int, ...], list[tuple[int, int]]]) -> None:
    d = Diagram.from_edges(*case[:3], case[3])
    again = Diagram.from_dict(json.loads(json.dumps(d.to_dict())))
    assert again == d
    assert again.theory == d.theory
    assert again.multiplicity == d.multiplicity


def test_copies_survive_the_round_trip() -> None:
    bubble = generate(PHI4, 4, order=2, kind="1PI", external="indistinguishable")[0]
    assert bubble.copies == 3
    labelled = Diagram.from_edges(PHI4, 4, 2, bubble.edges)
    assert labelled.edges == bubble.edges
    assert labelled != bubble
    again = Diagram.from_dict(json.loads(json.dumps(bubble.to_dict())))
    assert again == bubble
    assert again.coefficient == 864
    assert again.weight == Fraction(3, 2)


# --- bad input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "order", "edges", "message"),
    [
        (4, 1, [(0, 4), (1, 4), (2, 4)], "node 3 must have 1 line ends, it has 0"),
        (2, {"lam": 1}, [(0, 1), (2, 2)], "node 2 must have 4 line ends, it has 2"),
        (2, {"kap": 1}, [(0, 1)], "unknown coupling 'kap'; this theory has lam"),
        (2, -1, [(0, 1)], "order must be at least 0, got -1"),
        (2, 1.0, [(0, 1)], "whole number"),
        (2.0, 1, [(0, 1)], "n must be a whole number, got 2.0"),
        (-2, 1, [(0, 1)], "n must be at least 0"),
        (1, 1, [(0, 1), (1, 1)], "node 1 must have 4 line ends, it has 3"),
    ],
)
def test_from_edges_refuses(n: int, order: dict[str, int] | int, edges: list[tuple[int, int]], message: str) -> None:
    with pytest.raises(FeynnnError, match=message):
        Diagram.from_edges(PHI4, n, order, edges)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"edges": [[0, 1], [0, 2], [2, 2]]}, "node 0 must have 1 line ends"),
        ({"edges": [[0, "2"], [1, 2], [2, 2]]}, "whole number, got '2'"),
        ({"edges": [0, 1]}, "pair of node numbers"),
        ({"copies": 0}, "copies must be at least 1"),
        ({"copies": 1.5}, "copies must be a whole number"),
        ({"order": {"lam": 2}}, "node 3 must have 4 line ends, it has 0"),
    ],
)
def test_from_dict_refuses(change: dict[str, object], message: str) -> None:
    data = Diagram.from_edges(PHI4, 2, 1, [(0, 2), (1, 2), (2, 2)]).to_dict()
    with pytest.raises(FeynnnError, match=message):
        Diagram.from_dict(data | change)
