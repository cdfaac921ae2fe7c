"""Sets: a sequence of distinct diagrams, their sums, topologies and files."""

from __future__ import annotations

import json
from collections import Counter
from fractions import Fraction
from itertools import combinations, permutations
from typing import Any

import networkx as nx
import pytest
from diagram_oracles import graph_of, same, vertices_of
from hypothesis import given, settings
from hypothesis import strategies as st

from feynnn import Diagram, DiagramSet, FeynnnError, Interaction, Theory, generate
from feynnn.diagrams.canonical import SMALL_GROUP
from feynnn.diagrams.generation import KINDS, Kind

PHI4 = Theory.parse("lam*f**4")
BOTH = Theory.parse("lam*f**4 + kap*f**6")
ODD = Theory.parse("g*f**3 + lam*f**4")
BILOCAL = Theory([Interaction((2, 2), "b"), Interaction(4, "lam")])

CASES: list[tuple[Theory, int, tuple[int, ...], Kind]] = [
    (PHI4, 4, (2,), "vacuum-free"),
    (PHI4, 2, (3,), "all"),
    (PHI4, 4, (3,), "connected"),
    (PHI4, 6, (1,), "all"),
    (BOTH, 4, (1, 1), "connected"),
    (ODD, 3, (1, 1), "vacuum-free"),
    (ODD, 4, (2, 1), "connected"),
    (BILOCAL, 4, (1, 1), "connected"),
    (PHI4, 4, (0,), "all"),
    (PHI4, 0, (3,), "connected"),
    (PHI4, 4, (2,), "1PI"),
    (PHI4, 4, (3,), "amputated"),
    (PHI4, 2, (4,), "2PI"),
    (PHI4, 2, (5,), "connected"),
    (Theory.parse("g*f**3"), 3, (5,), "connected"),
]


@pytest.fixture(params=CASES, ids=str)
def ds(request: pytest.FixtureRequest) -> DiagramSet:
    theory, n, order, kind = request.param
    return generate(theory, n, order=order, kind=kind)


def test_it_is_a_sequence_of_its_diagrams(ds: DiagramSet) -> None:
    listed = list(ds)
    assert len(listed) == len(ds) > 0
    assert all(ds[k] == d for k, d in enumerate(listed))
    assert ds[-1] == listed[-1]
    assert list(ds[1:]) == listed[1:]
    assert list(ds[::-1]) == listed[::-1]
    assert all(d in ds for d in ds)
    assert ds.index(listed[-1]) == len(ds) - 1
    assert ds.weight == sum(d.weight for d in listed)
    assert ds.multiplicity == sum(d.multiplicity for d in listed)
    assert isinstance(ds.weight, Fraction)
    for k in (len(ds), -len(ds) - 1):
        with pytest.raises(IndexError, match=f"this set has {len(ds)} diagrams"):
            ds[k]


def test_all_are_different(ds: DiagramSet) -> None:
    assert len(set(ds)) == len(ds)


def test_no_two_are_isomorphic(ds: DiagramSet) -> None:
    """By networkx, between diagrams that a quick hash does not tell apart."""
    order = tuple(ds.order[c] for c in ds.theory.couplings)
    buckets: dict[str, list[nx.Graph[object]]] = {}
    for d in ds:
        graph = graph_of(d, vertices_of(ds.theory, order))
        buckets.setdefault(nx.weisfeiler_lehman_graph_hash(graph, node_attr="label", edge_attr="lines"), []).append(
            graph
        )
    assert not any(same(a, b) for bucket in buckets.values() for a, b in combinations(bucket, 2))


def test_multiplicity_times_symmetry(ds: DiagramSet) -> None:
    assert all(d.multiplicity * d.symmetry_factor == ds.layout.relabellings for d in ds)


def test_relabelling_external_points_permutes_the_set(ds: DiagramSet) -> None:
    n, order = ds.n, tuple(ds.order[c] for c in ds.theory.couplings)
    shift = [*range(1, n), 0][:n]
    swap = [1, 0, *range(2, n)][:n]
    for p in (shift, swap):
        names = [*p, *range(n, ds.layout.n_nodes)]
        moved = [Diagram.from_edges(ds.theory, n, order, [(names[i], names[j]) for i, j in d.edges]) for d in ds]
        assert set(moved) == set(ds)


# --- topologies ------------------------------------------------------------------------------------------------------


def test_topologies_are_the_orbits_of_external_labels(ds: DiagramSet) -> None:
    tops = ds.topologies()
    n, order = ds.n, tuple(ds.order[c] for c in ds.theory.couplings)
    assert sum(t.copies for t in tops) == len(ds)
    assert tops.multiplicity == ds.multiplicity
    assert tops.weight == ds.weight
    seen: set[Diagram] = set()
    for t in tops:
        orbit = set()
        for p in permutations(range(n)):
            names = [*p, *range(n, ds.layout.n_nodes)]
            edges = [(names[i], names[j]) for i, j in t.edges]
            orbit.add(Diagram.from_edges(ds.theory, n, order, edges))
        assert len(orbit) == t.copies
        assert not orbit & seen
        seen |= orbit
    assert seen == set(ds)
    assert [t.copies for t in tops.topologies()] == [t.copies for t in tops]
    asked = generate(ds.theory, n, order=order, kind=_kind(ds), external="indistinguishable")
    assert {a.topology_key: a.copies for a in asked} == {t.topology_key: t.copies for t in tops}
    assert len(asked) == len(tops)
    # small sets have the same representatives in the same order
    assert tops == asked or ds.layout.group_order > SMALL_GROUP


def _kind(ds: DiagramSet) -> Kind:
    return next(k for k in KINDS if k == ds.kind)


def test_topologies_with_many_legs_on_one_point() -> None:
    """Packing the number of legs into the byte that holds the self-loops would overflow here."""
    theory = Theory.parse("a*f**8")
    ds = generate(theory, 8, order=1, kind="all")
    assert [(t.n_loops, t.copies) for t in ds.topologies()] == [(4, 105), (3, 28 * 15), (2, 70 * 3), (1, 28), (0, 1)]

    star = Diagram.from_edges(Theory.parse("a*f**16"), 16, 1, [(k, 16) for k in range(16)])
    loop = Diagram.from_edges(Theory.parse("a*f**16"), 16, 1, [*[(k, k + 1) for k in range(0, 16, 2)], *[(16, 16)] * 8])
    data = {
        "theory": star.theory.to_dict(),
        "n": 16,
        "order": {"a": 1},
        "kind": "all",
        "diagrams": [
            {"edges": [list(e) for e in d.edges], "symmetry_factor": d.symmetry_factor, "copies": 1}
            for d in (star, loop)
        ],
    }
    assert len(DiagramSet.from_dict(data).topologies()) == 2


def test_topologies_of_no_diagram_and_of_no_vertex() -> None:
    assert len(generate(PHI4, 3, order=1).topologies()) == 0
    free = generate(PHI4, 6, order=0).topologies()
    assert [t.copies for t in free] == [15]
    empty = generate(PHI4, 0, order=0, kind="all").topologies()
    assert [t.copies for t in empty] == [1]


def test_topologies_keep_unequal_points_apart() -> None:
    ds = generate(Theory([Interaction((2, 2), "b", profile="y**2")]), 2, order=1)
    # both legs at y; both at z; one at each (two labellings)
    assert Counter(t.copies for t in ds.topologies()) == {1: 2, 2: 1}
    same_points = generate(Theory([Interaction((2, 2), "b")]), 2, order=1)
    assert Counter(t.copies for t in same_points.topologies()) == {1: 2}


# --- filters, equality, files ----------------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.sets(st.integers(0, 27)))
def test_filter_keeps_what_it_is_told_in_order(chosen: set[int]) -> None:
    ds = generate(PHI4, 4, order=2)
    assert len(ds) == 28
    kept = ds.filter(lambda d: ds.index(d) in chosen)
    assert list(kept) == [ds[k] for k in sorted(chosen)]
    assert (kept.n, kept.order, kept.kind) == (ds.n, ds.order, ds.kind)


def test_an_empty_slice_says_so() -> None:
    ds = generate(PHI4, 4, order=1, kind="connected")
    assert (ds[5:9].reason, ds[:].reason) == ("an empty slice", None)
    assert generate(PHI4, 3, order=1)[:2].reason == "7 legs in all: an odd number cannot be joined in pairs"


def test_equality_and_hash_agree_on_empty_sets_too() -> None:
    a, b = generate(PHI4, 3, order=1), generate(PHI4, 5, order=1)
    assert len(a) == len(b) == 0
    assert a != b
    assert a != generate(Theory.parse("mu*f**4"), 3, order=1)
    assert generate(PHI4, 2, order=1) != generate(Theory.parse("lam/24*f**4"), 2, order=1)
    assert a == generate(PHI4, 3, order=1)
    assert hash(a) == hash(generate(PHI4, 3, order=1))
    ds = generate(PHI4, 4, order=2)
    assert ds == ds[:]
    assert hash(ds) == hash(ds[:])
    assert ds != ds[::-1]
    assert ds != ds[:-1]
    assert ds.topologies() != ds
    assert ds != list(ds)


def test_membership_of_strangers() -> None:
    ds = generate(PHI4, 4, order=1, kind="connected")
    assert generate(PHI4, 4, order=0)[0] not in ds
    assert generate(PHI4, 4, order=1, kind="all")[0] not in ds
    assert "star" not in ds


def test_round_trip_through_json(ds: DiagramSet) -> None:
    for one in (ds, ds.topologies()):
        again = DiagramSet.from_dict(json.loads(json.dumps(one.to_dict())))
        assert again == one
        assert hash(again) == hash(one)
        assert (again.multiplicity, again.weight, again.kind) == (one.multiplicity, one.weight, one.kind)
        assert again.theory == one.theory


def test_empty_set_round_trip() -> None:
    ds = generate(PHI4, 3, order=1)
    assert DiagramSet.from_dict(json.loads(json.dumps(ds.to_dict()))) == ds


def test_a_file_with_a_wrong_symmetry_factor_or_line_is_refused() -> None:
    data = generate(PHI4, 2, order=1).to_dict()
    diagram = data["diagrams"][0]
    assert diagram["symmetry_factor"] == 2
    for change, message in (
        ({"symmetry_factor": 1}, "has symmetry factor 2, the file says 1"),
        ({"edges": [[0, 1], [2, 2]]}, "node 2 must have 4 line ends"),
        ({"copies": -1}, "copies must be at least 1"),
    ):
        with pytest.raises(FeynnnError, match=message):
            DiagramSet.from_dict(data | {"diagrams": [diagram | change]})


def test_how_a_set_looks() -> None:
    ds = generate(PHI4, 4, order=1, kind="connected")
    assert repr(ds) == "DiagramSet(1 connected diagrams, n=4, lam: 1, weight 1, multiplicity 24)"
    assert str(ds).splitlines() == [
        "DiagramSet(1 connected diagrams, n=4, lam: 1, weight 1, multiplicity 24)",
        " no.    1/|Aut|     mult.  loops  lines",
        "   0        1/1        24      0  x1-y x2-y x3-y x4-y",
    ]
    assert str(generate(PHI4, 6, order=1, kind="all")).splitlines()[-1] == "... and 15 more"
    assert "free" in repr(generate(PHI4, 2, order=0))


@pytest.mark.parametrize("external", ["labelled", "indistinguishable"])
def test_totals_are_those_of_the_single_diagrams(external: Any) -> None:
    theory = Theory.parse("lam*f**4 + kap*f**6")
    ds = generate(theory, 4, order=(1, 1), kind="all", external=external)
    assert ds.weight == sum((d.weight for d in ds), Fraction(0))
    assert ds.multiplicity == sum(d.multiplicity for d in ds)
