"""Finding diagrams in sets, and sets too large to try all permutations: nothing twice, exact totals."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from math import factorial
from random import Random
from typing import Any

import networkx as nx
import numpy as np
import pytest
from diagram_oracles import graph_of, same, vertices_of
from hypothesis import given, settings
from hypothesis import strategies as st

from feynnn import Diagram, Interaction, Theory, generate
from feynnn.diagrams.generation import EXTERNAL, External, Kind
from feynnn.diagrams.lookup import fingerprints

PHI4 = Theory.parse("lam*f**4")
BOTH = Theory.parse("lam*f**4 + kap*f**6")
ODD = Theory.parse("g*f**3 + lam*f**4")
CUBIC = Theory.parse("g*f**3")
BILOCAL = Theory([Interaction((2, 2), "b"), Interaction(4, "lam")])

# --- finding diagrams ------------------------------------------------------------------------------------------------

Case = tuple[Theory, int, tuple[int, ...], Kind]
LARGE: list[Case] = [
    (PHI4, 4, (2,), "vacuum-free"),
    (PHI4, 4, (5,), "connected"),
    (PHI4, 2, (6,), "1PI"),
    (PHI4, 0, (7,), "connected"),
    (CUBIC, 3, (7,), "connected"),
    (ODD, 2, (4, 2), "amputated"),
    (BILOCAL, 2, (2, 1), "connected"),
]


def renamed(d: Diagram, rng: np.random.Generator, *, labels: bool = False) -> Diagram:
    """The same diagram, drawn with its equal vertices (and the external points) in another order."""
    names = [*(rng.permutation(d.n).tolist() if labels else range(d.n)), *range(d.n, d.layout.n_nodes)]
    for group in d.layout.classes:
        for v, w in zip(group, rng.permutation(group).tolist(), strict=True):
            for a, b in zip(d.layout.points[v], d.layout.points[w], strict=True):
                names[a] = b
    lines = [(names[i], names[j]) for i, j in d.edges]
    return Diagram.from_edges(d.theory, d.n, tuple(d.order.values()), [lines[k] for k in rng.permutation(len(lines))])


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(LARGE), st.randoms(use_true_random=False))
def test_a_diagram_drawn_by_someone_else_is_found(
    case: tuple[Theory, int, tuple[int, ...], Kind], random: Random
) -> None:
    theory, n, order, kind = case
    ds = generate(theory, n, order=order, kind=kind, certify=False)
    rng = np.random.default_rng(random.getrandbits(32))
    place = random.randrange(len(ds))
    d = renamed(ds[place], rng)
    assert d in ds
    assert d == ds[place]
    assert hash(d) == hash(ds[place])
    assert ds.index(d) == place
    assert d.symmetry_factor == ds[place].symmetry_factor
    moved = renamed(ds[place], rng, labels=True)
    assert moved in ds
    assert ds[ds.index(moved)] == moved


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(LARGE), st.randoms(use_true_random=False))
def test_labels_do_not_matter_among_topologies(case: Case, random: Random) -> None:
    theory, n, order, kind = case
    ds = generate(theory, n, order=order, kind=kind, external="indistinguishable", certify=False)
    place = random.randrange(len(ds))
    d = renamed(ds[place], np.random.default_rng(random.getrandbits(32)), labels=True)
    assert d in ds
    assert ds.index(d) == place


def test_a_graph_of_networkx_is_found_whatever_its_nodes_are_called() -> None:
    ds = generate(PHI4, 4, order=5, kind="connected")
    for k in range(0, len(ds), 131):
        graph = ds[k].to_networkx()
        inner = [node for node, data in graph.nodes(data=True) if data["kind"] == "vertex"]
        names = {node: f"w{hash((k, node)) % 1000}-{place}" for place, node in enumerate(reversed(inner))}
        bare: nx.MultiGraph[str] = nx.MultiGraph(list(nx.relabel_nodes(graph, names).edges()))
        assert ds.index(Diagram.from_networkx(PHI4, bare)) == k


def test_what_is_not_in_the_set_has_no_index() -> None:
    connected, every = generate(PHI4, 4, order=3, kind="connected"), generate(PHI4, 4, order=3)
    inside = 0
    for d in every:
        assert (d in connected) == d.is_connected
        if d in connected:
            inside += 1
            continue
        with pytest.raises(ValueError, match=r"Diagram\(.* is not in DiagramSet\(42 connected diagrams"):
            connected.index(d)
    assert inside == len(connected) == 42
    for stranger in (generate(PHI4, 4, order=2)[0], generate(BOTH, 4, order=(3, 0))[0], "star", None):
        assert stranger not in connected
        with pytest.raises(ValueError, match="is not in"):
            connected.index(stranger)
    assert connected[0] not in generate(PHI4, 3, order=1)


def test_index_between_bounds() -> None:
    ds = generate(PHI4, 4, order=2)
    assert ds.index(ds[5], 5) == ds.index(ds[5], 0, 6) == ds.index(ds[5], -len(ds)) == ds.index(ds[5], 3, -1) == 5
    for bounds in ((6,), (0, 5), (-3,), (7, 3)):
        with pytest.raises(ValueError, match="is not in"):
            ds.index(ds[5], *bounds)
    assert ds[2:9].index(ds[5]) == 3
    assert ds[1] not in ds[2:9]
    assert ds.count(ds[5]) == 1
    assert ds.count("star") == 0


# --- no diagram twice, in sets too large to try all permutations -----------------------------------------------------


@pytest.mark.parametrize("external", EXTERNAL)
@pytest.mark.parametrize(
    ("theory", "n", "order", "kind"),
    [
        (PHI4, 4, (5,), "connected"),
        (PHI4, 4, (6,), "connected"),
        (PHI4, 0, (8,), "connected"),
        (PHI4, 2, (7,), "1PI"),
        (PHI4, 4, (5,), "vacuum-free"),
        (CUBIC, 0, (8,), "all"),
        (CUBIC, 3, (7,), "connected"),
        (CUBIC, 4, (8,), "amputated"),
        (ODD, 2, (4, 3), "connected"),
        (BOTH, 4, (3, 1), "connected"),
        pytest.param(PHI4, 4, (7,), "connected", marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_no_two_of_a_large_set_are_isomorphic(
    theory: Theory, n: int, order: tuple[int, ...], kind: Kind, external: External
) -> None:
    """All pairs with one fingerprint by networkx; isomorphic diagrams share it, whatever else it cannot tell apart."""
    ds = generate(theory, n, order=order, kind=kind, external=external, certify=False)
    signs = fingerprints(ds.layout, ds.rows, labelled=external == "labelled")
    _, place, number = np.unique(signs, return_inverse=True, return_counts=True)
    groups: dict[int, list[nx.Graph[Any]]] = {}
    vertices = vertices_of(theory, order)
    for k in np.flatnonzero(number[place] > 1).tolist():
        graph = graph_of(ds[k], vertices)
        if external == "indistinguishable":
            nx.set_node_attributes(graph, {("x", i): "x" for i in range(n)}, "label")
        groups.setdefault(int(place[k]), []).append(graph)
    assert not any(same(a, b) for group in groups.values() for a, b in combinations(group, 2))
    # and a sample, told apart without fingerprints
    chosen = np.random.default_rng(3).choice(len(ds), size=min(len(ds), 60), replace=False)
    buckets: dict[str, list[nx.Graph[Any]]] = {}
    for k in chosen.tolist():
        graph = graph_of(ds[k], vertices)
        if external == "indistinguishable":
            nx.set_node_attributes(graph, {("x", i): "x" for i in range(n)}, "label")
        sign = nx.weisfeiler_lehman_graph_hash(graph, node_attr="label", edge_attr="lines", iterations=2)
        buckets.setdefault(sign, []).append(graph)
    assert not any(same(a, b) for bucket in buckets.values() for a, b in combinations(bucket, 2))


@pytest.mark.parametrize(("n", "order", "kind"), [(4, 5, "connected"), (3, 5, "all"), (2, 6, "1PI")])
def test_totals_of_large_sets_are_those_of_single_diagrams(n: int, order: int, kind: Kind) -> None:
    theory = CUBIC if n == 3 else PHI4
    ds = generate(theory, n, order=order, kind=kind, certify=False)
    assert all(d.multiplicity * d.symmetry_factor == ds.layout.relabellings for d in ds)
    assert ds.weight == sum((d.weight for d in ds), Fraction(0))
    assert ds.multiplicity == sum(d.multiplicity for d in ds)
    if kind == "all":
        assert ds.multiplicity == ds.layout.n_contractions
    # the symmetry factor again, from the diagram's own search
    order_of = tuple(ds.order.values())
    for d in ds[:: max(1, len(ds) // 50)]:
        assert Diagram.from_edges(theory, n, order_of, d.edges).symmetry_factor == d.symmetry_factor


def test_weights_beyond_64_bits() -> None:
    """One and two f^24: |Aut| up to 2 * 24! > 10^24 in exact whole numbers."""
    theory = Theory.parse("a*f**24")
    one = generate(theory, 0, order=1, kind="connected", certify=False)
    assert one.weight == Fraction(1, 2**12 * factorial(12))
    assert one.multiplicity == factorial(24) // (2**12 * factorial(12))
    two = generate(theory, 0, order=2, kind="connected", certify=False)
    # 24 - 2 k lines between the two vertices and k loops at each
    exact = [2 * factorial(24 - 2 * k) * (2**k * factorial(k)) ** 2 for k in range(12)]
    assert sorted(d.symmetry_factor for d in two) == sorted(exact)
    assert two.weight == sum(Fraction(1, size) for size in exact)
    assert two.multiplicity == sum(2 * factorial(24) ** 2 // size for size in exact)
