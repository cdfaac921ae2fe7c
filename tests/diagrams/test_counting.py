"""Counts without generating: reference file, exact integrals, identities to high order, and against generated sets."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable
from fractions import Fraction
from functools import cache
from itertools import combinations, product
from pathlib import Path
from typing import Any

import networkx as nx
import pytest
from diagram_oracles import Facts, Orders

from feynnn import Diagram, FeynnnError, Interaction, Theory, count, generate
from feynnn.diagrams import counting, generation
from feynnn.diagrams.counting import Count
from feynnn.diagrams.cycle_index import Points, orbits_of_pairings
from feynnn.diagrams.generation import KINDS, Kind
from feynnn.diagrams.wick import contractions

PHI3 = Theory.parse("g*f**3")
PHI4 = Theory.parse("lam*f**4")
BOTH = Theory.parse("lam*f**4 + kap*f**6")
ODD = Theory.parse("g*f**3 + lam*f**4")
LOW = Theory.parse("s*f + m*f**2 + g*f**3")
BILOCAL = Theory([Interaction((2, 2), "b"), Interaction(4, "lam")])
POINTS = Theory([Interaction((1, 3), "c"), Interaction((2, 2, 2), "h"), Interaction(3, "g")])
SPLIT = Theory([Interaction((2, 2), "b", profile="y**2"), Interaction(4, "lam")])
TWINS = Theory([Interaction(4, "lam0", "1/24"), Interaction(4, "lam2", -2, profile="y**2")])

REFERENCE: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "reference" / "diagram_counts.json").read_text()
)["data"]
NAMES: dict[str, Kind] = {"all": "all", "vacuum_free": "vacuum-free", "connected": "connected", "one_pi": "1PI"}


@pytest.mark.parametrize("key", REFERENCE)
def test_reference_counts(key: str) -> None:
    n, a, b = map(int, key.split(","))
    for ordered in (False, True):
        theory = Theory.parse("lam/24*f**4 + kap/720*f**6", normal_ordered=ordered)
        for name, kind in NAMES.items():
            entry = REFERENCE[key][name + ("_noself" if ordered else "")]
            c = count(theory, n, order=(a, b), kind=kind)
            assert (c.weight, c.multiplicity) == (Fraction(entry["sum"]), entry["wick"]), name
            assert c.number == entry["count"], name
            assert isinstance(c.weight, Fraction)
            assert isinstance(c.multiplicity, int)
    found = count(Theory.parse("lam*f**4 + kap*f**6"), n, order=(a, b), kind="all", external="indistinguishable")
    assert found.number == REFERENCE[key]["unlabelled_all"]


# --- brute force -----------------------------------------------------------------------------------------------------


def survives(facts: Facts, cuts: int) -> bool:
    """Whether the diagram stays connected when any `cuts` lines between vertices are cut."""
    inner = [line for line in facts.graph.edges(keys=True) if not facts.external & set(line[:2])]
    for cut in combinations(inner, cuts):
        left = facts.graph.copy()
        left.remove_edges_from(cut)
        if not nx.is_connected(left):
            return False
    return True


def bare_legs(facts: Facts) -> bool:
    """Whether no line between vertices, when cut, leaves one external point alone on a side."""
    for line in list(facts.inner.edges(keys=True)):
        left = facts.graph.copy()
        left.remove_edge(*line)
        parts = list(nx.connected_components(left))
        if len(parts) > 1 and any(len(part & facts.external) == 1 for part in parts):
            return False
    return True


def kinds_of(d: Diagram) -> Iterable[Kind]:
    """The kinds a diagram belongs to, by cutting lines of the graph."""
    facts = Facts.of(d)
    yield "all"
    if facts.vacuum_free:
        yield "vacuum-free"
    if not facts.connected:
        return
    yield "connected"
    if d.n_vertices:
        if survives(facts, 1):
            yield "1PI"
            if survives(facts, 2):
                yield "2PI"
        if d.n >= 2 and bare_legs(facts):
            yield "amputated"


@cache
def listed(theory: Theory, n: int, order: Orders) -> list[tuple[Diagram, int, frozenset[str]]]:
    """Every diagram by brute force, its contractions, and its kinds, 'loop' and 'insertion'."""
    result = []
    for d, number in contractions(theory, n, order=order).items():
        words: set[str] = set(kinds_of(d))
        words |= {"loop"} if any(i == j for i, j in d.edges) else set()
        words |= {"insertion"} if Facts.of(d).self_energy else set()
        result.append((d, number, frozenset(words)))
    return result


BRUTE: list[tuple[Theory, int, Orders]] = [
    (PHI3, 0, (4,)),
    (PHI3, 1, (3,)),
    (PHI3, 2, (2,)),
    (PHI3, 3, (3,)),
    (PHI3, 4, (2,)),
    (PHI3, 5, (1,)),
    (PHI4, 0, (3,)),
    (PHI4, 2, (2,)),
    (PHI4, 4, (2,)),
    (PHI4, 6, (1,)),
    (Theory.parse("v*f**5"), 0, (2,)),
    (Theory.parse("v*f**5"), 2, (2,)),
    (BOTH, 0, (1, 1)),
    (BOTH, 2, (1, 1)),
    (BOTH, 4, (0, 1)),
    (Theory.parse("kap*f**6"), 0, (2,)),
    (ODD, 0, (2, 1)),
    (ODD, 1, (1, 2)),
    (ODD, 2, (2, 1)),
    (ODD, 3, (1, 2)),
    (ODD, 3, (3, 0)),
    (LOW, 0, (2, 1, 2)),
    (LOW, 1, (1, 1, 2)),
    (LOW, 2, (1, 1, 1)),
    (LOW, 3, (1, 1, 1)),
    (BILOCAL, 0, (2, 1)),
    (BILOCAL, 2, (1, 1)),
    (BILOCAL, 4, (1, 1)),
    (BILOCAL, 2, (2, 0)),
    (POINTS, 1, (1, 0, 1)),
    (POINTS, 2, (0, 1, 0)),
    (POINTS, 3, (1, 0, 1)),
    (POINTS, 0, (1, 1, 0)),
    (SPLIT, 4, (1, 1)),
    (TWINS, 2, (1, 1)),
    (TWINS, 4, (1, 1)),
]


def is_known(theory: Theory, order: Orders, n: int, kind: Kind, external: str, self_energies: bool) -> bool:
    """The table of the docstring."""
    even = all(i.n_legs % 2 == 0 for i, m in zip(theory.interactions, order, strict=True) if m)
    if not any(order):
        return True
    if not self_energies or kind == "2PI":
        return False
    if external == "indistinguishable" and n >= 2:
        return kind in ("all", "vacuum-free", "connected")
    return kind != "1PI" or even


@pytest.mark.parametrize(("theory", "n", "order"), BRUTE, ids=str)
def test_counts_are_those_of_brute_force(theory: Theory, n: int, order: Orders) -> None:
    every = listed(theory, n, order)
    for kind, self_loops, self_energies in product(KINDS, (True, False), (True, False)):
        if kind == "amputated" and n < 2:
            continue
        label = (kind, self_loops, self_energies)
        dropped = set() if self_loops else {"loop"}
        dropped |= set() if self_energies else {"insertion"}
        kept = [(d, k) for d, k, words in every if kind in words and not dropped & words]
        c = count(theory, n, order=order, kind=kind, self_loops=self_loops, self_energies=self_energies)
        assert c.multiplicity == sum(k for _, k in kept), label
        assert c.weight == sum((Fraction(1, d.symmetry_factor) for d, _ in kept), Fraction(0)), label
        known = not kept or is_known(theory, order, n, kind, "labelled", self_energies)
        assert c.number == (len(kept) if known else None), label


@pytest.mark.parametrize(("theory", "n", "order"), BRUTE, ids=str)
def test_filters_are_the_schemes(theory: Theory, n: int, order: Orders) -> None:
    ordered = Theory(theory.interactions, normal_ordered=True)
    for kind in KINDS:
        if kind == "amputated" and n < 2:
            continue
        assert count(ordered, n, order=order, kind=kind) == count(theory, n, order=order, kind=kind, self_loops=False)
        if n and kind != "all" and all(i.n_legs > 2 for i in theory.interactions):
            for self_loops in (True, False):
                exact = Theory(theory.interactions, propagator="exact", normal_ordered=not self_loops)
                options: dict[str, Any] = {"order": order, "kind": kind, "self_loops": self_loops}
                assert count(exact, n, **options) == count(theory, n, self_energies=False, **options)


def relabelled(d: Diagram, swap: tuple[int, int]) -> Diagram:
    names = list(range(d.layout.n_nodes))
    i, j = swap
    names[i], names[j] = j, i
    order = {c: k for c, k in d.order.items() if k}
    return Diagram.from_edges(d.theory, d.n, order, [(names[a], names[b]) for a, b in d.edges])


@pytest.mark.parametrize(("theory", "n", "order"), [*BRUTE, (PHI4, 4, (0,)), (PHI4, 6, (0,))], ids=str)
def test_topologies_are_orbits_under_exchanges_of_external_points(theory: Theory, n: int, order: Orders) -> None:
    every = listed(theory, n, order)
    graph: nx.Graph[Diagram] = nx.Graph()
    graph.add_nodes_from(d for d, _, _ in every)
    graph.add_edges_from((d, relabelled(d, (k, k + 1))) for d, _, _ in every for k in range(n - 1))
    words = {d: w for d, _, w in every}
    orbits = [next(iter(part)) for part in nx.connected_components(graph)]
    for kind, self_loops in product(KINDS, (True, False)):
        if kind == "amputated" and n < 2:
            continue
        kept = [d for d in orbits if kind in words[d] and (self_loops or "loop" not in words[d])]
        c = count(theory, n, order=order, kind=kind, self_loops=self_loops, external="indistinguishable")
        known = not kept or is_known(theory, order, n, kind, "indistinguishable", True)
        assert c.number == (len(kept) if known else None), kind
        same = count(theory, n, order=order, kind=kind, self_loops=self_loops)
        assert (c.weight, c.multiplicity) == (same.weight, same.multiplicity)


# --- generated sets --------------------------------------------------------------------------------------------------

COMPARED: list[tuple[Theory, int, Orders]] = [
    (PHI3, 0, (4,)),
    (PHI3, 1, (5,)),
    (PHI3, 3, (3,)),
    (PHI4, 0, (4,)),
    (PHI4, 2, (4,)),
    (PHI4, 4, (3,)),
    (PHI4, 6, (2,)),
    (BOTH, 0, (2, 2)),
    (BOTH, 2, (1, 2)),
    (BOTH, 4, (2, 1)),
    (ODD, 0, (4, 1)),
    (ODD, 1, (3, 1)),
    (ODD, 2, (2, 2)),
    (ODD, 3, (3, 1)),
    (LOW, 0, (2, 2, 2)),
    (LOW, 1, (2, 2, 1)),
    (LOW, 2, (1, 2, 1)),
    (LOW, 3, (3, 1, 2)),
    (BILOCAL, 0, (2, 1)),
    (BILOCAL, 4, (1, 1)),
    (BILOCAL, 2, (2, 0)),
    (POINTS, 1, (1, 0, 1)),
    (POINTS, 0, (2, 1, 0)),
    (POINTS, 2, (0, 1, 0)),
    (SPLIT, 2, (2, 0)),
    (SPLIT, 4, (1, 1)),
    (TWINS, 2, (2, 1)),
    (TWINS, 4, (1, 1)),
    (PHI4, 3, (2,)),
    (Theory([Interaction((1, 1), "b"), Interaction(3, "g")]), 2, (2, 2)),
]


@pytest.mark.parametrize(("theory", "n", "order"), COMPARED, ids=str)
def test_counts_are_those_of_the_generated_sets(theory: Theory, n: int, order: Orders) -> None:
    for kind, self_loops in product(KINDS, (True, False)):
        if kind == "amputated" and n < 2:
            continue
        ds = generate(theory, n, order=order, kind=kind, self_loops=self_loops)
        c = count(theory, n, order=order, kind=kind, self_loops=self_loops)
        assert (c.weight, c.multiplicity) == (ds.weight, ds.multiplicity), kind
        known = not len(ds) or is_known(theory, order, n, kind, "labelled", True)
        assert c.number == (len(ds) if known else None), kind


@pytest.mark.parametrize(
    ("theory", "n", "order"),
    [
        (PHI4, 2, (3,)),
        (PHI4, 4, (4,)),
        (PHI4, 6, (3,)),
        (PHI3, 3, (5,)),
        (PHI3, 4, (4,)),
        (BOTH, 4, (1, 2)),
        (BOTH, 6, (1, 1)),
        (ODD, 3, (3, 1)),
        (ODD, 4, (2, 2)),
        (Theory.parse("kap*f**6"), 4, (3,)),
        (Theory.parse("v*f**5"), 3, (3,)),
    ],
    ids=str,
)
def test_the_exact_scheme_of_the_generated_sets(theory: Theory, n: int, order: Orders) -> None:
    kinds: tuple[Kind, ...] = ("vacuum-free", "connected", "1PI", "amputated", "2PI")
    for kind, self_loops in product(kinds, (True, False)):
        ds = generate(theory, n, order=order, kind=kind, self_loops=self_loops, self_energies=False)
        c = count(theory, n, order=order, kind=kind, self_loops=self_loops, self_energies=False)
        assert (c.weight, c.multiplicity) == (ds.weight, ds.multiplicity), kind


def test_nothing_is_generated_and_little_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count work: one Burnside sum for all orders and numbers of points."""
    calls: list[Orders] = []

    def counted(vertices: list[Points], top: Orders, external: range, *, self_loops: bool) -> dict[Any, int]:
        calls.append(top)
        return orbits_of_pairings(vertices, top, external, self_loops=self_loops)

    def forbidden(*_: Any, **__: Any) -> Any:
        raise AssertionError("count must not generate")

    monkeypatch.setattr(counting, "orbits_of_pairings", counted)
    monkeypatch.setattr(generation, "contract_all", forbidden)
    monkeypatch.setattr(generation, "blocks", forbidden)
    assert count(PHI4, 4, order=6, kind="connected").number == 10441
    assert calls == [(6,)]


def test_couplings_of_order_zero_do_not_matter() -> None:
    """A theory with an odd vertex that does not occur is even: its 1PI number is known."""
    assert count(ODD, 4, order=(0, 3), kind="1PI") == count(PHI4, 4, order=3, kind="1PI")
    assert count(ODD, 4, order=(0, 3), kind="1PI").number == len(generate(PHI4, 4, order=3, kind="1PI"))


def test_high_orders() -> None:
    """No recursion in the order: what is asked is as deep as the lowest order."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(400)
    try:
        c = count(PHI4, 2, order=30, kind="connected")
        v = count(PHI4, 0, order=30, kind="connected")
    finally:
        sys.setrecursionlimit(limit)
    assert c.weight == 2 * 60 * v.weight
    assert c.number is not None
    assert c.number > c.weight > 0


def test_vertices_of_many_legs() -> None:
    """A star with k of 60 legs on points: all diagrams of one f^60 have a weight that is a Gaussian moment."""
    c = count(Theory.parse("g*f**60"), 60, order=1)
    free = sum(math.comb(60, k) * math.prod(range(1, 60 - k, 2)) for k in range(2, 61, 2))
    assert c.number == free
    moment = math.prod(range(1, 120, 2)) - math.prod(range(1, 60, 2)) ** 2
    assert c.multiplicity == moment
    assert c.weight == Fraction(moment, math.factorial(60))
    # the two vertices, as many lines between them as there are pairs left, never none
    assert count(Theory.parse("g*f**40"), 0, order=2, kind="connected").number == 20
    assert count(Theory.parse("g*f**30"), 0, order=2, kind="all", external="indistinguishable").number == 16
    assert count(Theory.parse("g*f**60"), 60, order=1, external="indistinguishable").number == 30


@pytest.mark.parametrize("kind", KINDS)
def test_odd_number_of_legs(kind: Kind) -> None:
    c = count(PHI4, 3, order=2, kind=kind)
    assert c == Count(0, Fraction(0), 0)
    assert count(PHI3, 2, order=3, kind=kind).multiplicity == 0


def test_free_theory() -> None:
    exact = Theory(PHI4.interactions, propagator="exact")
    assert count(exact, 4, order=0) == count(PHI4, 4, order=0) == Count(3, Fraction(3), 3)
    assert [count(PHI4, n, order=0).number for n in range(7)] == [1, 0, 1, 0, 3, 0, 15]
    kinds: tuple[Kind, ...] = ("all", "vacuum-free", "connected", "1PI", "2PI", "amputated")
    assert [count(PHI4, 2, order=0, kind=k).number for k in kinds] == [1, 1, 1, 0, 0, 0]
    assert [count(PHI4, 0, order=0, kind=k).number for k in kinds[:5]] == [1, 1, 0, 0, 0]
    assert [count(PHI4, n, order=0, external="indistinguishable").number for n in range(7)] == [1, 0, 1, 0, 1, 0, 1]


def test_the_exact_scheme_has_no_vacuum_components() -> None:
    exact = Theory(PHI4.interactions, propagator="exact")
    cases: tuple[tuple[int, Kind], ...] = ((0, "connected"), (4, "all"))
    for n, kind in cases:
        with pytest.raises(FeynnnError, match="without vacuum components"):
            count(exact, n, order=1, kind=kind)


@pytest.mark.parametrize(
    ("theory", "n", "options", "message"),
    [
        (PHI4, 4, {"order": {"kap": 1}}, "unknown coupling 'kap'"),
        (PHI4, 4, {"order": -1}, "at least 0"),
        (PHI4, 4, {"order": 0.5}, "whole number"),
        (BOTH, 4, {"order": 1}, "ambiguous for the couplings lam, kap"),
        (PHI4, 4.0, {"order": 1}, "n must be a whole number"),
        (PHI4, -1, {"order": 1}, "n must be at least 0"),
        (PHI4, 4, {"order": 1, "kind": "tree"}, "kind must be one of"),
        (PHI4, 1, {"order": 1, "kind": "amputated"}, "two external points"),
        (PHI4, 4, {"order": 1, "external": "none"}, "external must be 'labelled' or 'indistinguishable', got 'none'"),
        (PHI4, 4, {"order": 1, "self_loops": 1}, "self_loops must be True or False, got 1"),
        (PHI4, 4, {"order": 1, "self_energies": "no"}, "self_energies must be True or False, got 'no'"),
        (
            PHI4,
            4,
            {"order": 10**6},
            r"4000004 legs \(n=4 \+ 1000000 \* 4\), more than the 2048 .*; lower n",
        ),
        (PHI4, 10**5, {"order": 1}, "100004 legs"),
        (PHI4, 2**16, {"order": 0, "kind": "all"}, "65536 legs"),
        (PHI4, 4, {"order": 200, "kind": "2PI"}, "804 legs .*, more than the 512"),
        (PHI4, 4, {"order": 65}, "260 legs of vertices .*, more than the 256 .* lower the order"),
        (PHI4, 480, {"order": 2, "kind": "1PI"}, "n=480 with 2 vertices needs series of 1443 terms, too many"),
        (ODD, 200, {"order": (30, 30)}, r"n=200 with 30 \+ 30 vertices needs series of 193161 terms, too many"),
    ],
)
def test_refusals(theory: Theory, n: int, options: dict[str, Any], message: str) -> None:
    with pytest.raises(FeynnnError, match=message):
        count(theory, n, **options)
