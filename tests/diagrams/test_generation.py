"""Generated sets against brute force, exact integrals, the slides' table and the reference file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pytest
from diagram_oracles import (
    Facts,
    ZeroDimensional,
    brute_force,
    graph_of,
    irreducible,
    same,
    vertices_of,
)

from feynnn import Diagram, DiagramSet, FeynnnError, Interaction, Theory, generate
from feynnn.diagrams import contracting, generation, skeletons
from feynnn.diagrams.contracting import contract_all
from feynnn.diagrams.counting import count
from feynnn.diagrams.generation import KINDS, Kind
from feynnn.diagrams.layout import Layout, Rows, canonical
from feynnn.errors import ComputationError, InputError

PHI4 = Theory.parse("lam*f**4")
BOTH = Theory.parse("lam*f**4 + kap*f**6")
ODD = Theory.parse("g*f**3 + lam*f**4")
LOW = Theory.parse("s*f + m*f**2 + g*f**3")
BILOCAL = Theory([Interaction((2, 2), "b"), Interaction(4, "lam")])
POINTS = Theory([Interaction((1, 3), "c"), Interaction((2, 2, 2), "h"), Interaction(3, "g")])
TWINS = Theory([Interaction(4, "lam0", "1/24"), Interaction(4, "lam2", -2, profile="y**2")])


def total(ds: DiagramSet) -> Fraction:
    return sum((d.coefficient for d in ds), Fraction(0))


# --- reference file --------------------------------------------------------------------------------------------------

REFERENCE: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "reference" / "diagram_counts.json").read_text()
)["data"]
UNIT = Theory.parse("lam/24*f**4 + kap/720*f**6")
NAMES: dict[str, Kind] = {"all": "all", "vacuum_free": "vacuum-free", "connected": "connected", "one_pi": "1PI"}


@pytest.mark.parametrize("key", REFERENCE)
def test_reference_counts(key: str) -> None:
    """Number, sum of 1/|Aut| and number of contractions of every class in the file, each generated on its own."""
    n, a, b = map(int, key.split(","))
    for name, entry in REFERENCE[key].items():
        if name == "unlabelled_all":
            assert len(generate(UNIT, n, order=(a, b), kind="all", external="indistinguishable")) == entry
            continue
        if name == "tadpole_free":
            ds = generate(UNIT, n, order=(a, b), kind="connected", snails=False)
        else:
            kind = NAMES[name.removesuffix("_noself")]
            ds = generate(UNIT, n, order=(a, b), kind=kind, self_loops=not name.endswith("_noself"))
        assert (len(ds), ds.weight, ds.multiplicity) == (entry["count"], Fraction(entry["sum"]), entry["wick"]), name
        if name.endswith("_noself"):
            ordered = Theory(UNIT.interactions, normal_ordered=True)
            assert generate(ordered, n, order=(a, b), kind=ds_kind(ds)) == ds


def ds_kind(ds: DiagramSet) -> Kind:
    return next(k for k in KINDS if k == ds.kind)


def test_the_reference_file_has_every_class() -> None:
    fields = {name for entry in REFERENCE.values() for name in entry}
    assert fields == {*NAMES, *(f"{k}_noself" for k in NAMES), "tadpole_free", "unlabelled_all"}
    assert len(REFERENCE) == 24


# --- the slides ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "coupling", "by_topology"),
    [
        # (external points on the vertex, labellings): contractions of each labelling
        (2, "lam", {(2, 1): 12}),
        (2, "kap", {(2, 1): 90}),
        (4, "lam", {(4, 1): 24, (2, 6): 12}),
        (4, "kap", {(4, 1): 360, (2, 6): 90}),
        (6, "lam", {(4, 15): 24, (2, 45): 12}),
        (6, "kap", {(6, 1): 720, (4, 15): 360, (2, 45): 90}),
    ],
)
def test_first_order_table(n: int, coupling: str, by_topology: dict[tuple[int, int], int]) -> None:
    ds = generate(BOTH, n, order={coupling: 1})
    found = {
        (sum(n in edge and min(edge) < n for edge in t.edges), t.copies): t.multiplicity
        for t in generate(BOTH, n, order={coupling: 1}, external="indistinguishable")
    }
    assert found == {key: key[1] * each for key, each in by_topology.items()}
    assert all(d.coefficient == -d.multiplicity for d in ds)
    assert len(ds) == sum(copies for _, copies in by_topology)


@pytest.mark.parametrize(
    ("n", "coupling", "attached", "other"),
    [(2, "lam", 0, 12), (2, "kap", 0, 90), (4, "lam", 24, 72), (4, "kap", 360, 540), (6, "lam", 360, 540)],
)
def test_first_order_sums_and_the_slides_scheme(n: int, coupling: str, attached: int, other: int) -> None:
    exact = Theory(BOTH.interactions, propagator="exact")
    assert generate(BOTH, n, order={coupling: 1}).multiplicity == attached + other
    assert generate(exact, n, order={coupling: 1}).multiplicity == attached


def test_six_points_at_first_order_of_kappa() -> None:
    exact = Theory(BOTH.interactions, propagator="exact")
    ds = generate(exact, 6, order={"kap": 1})
    assert ds.multiplicity == 720 + 5400
    assert Counter(d.multiplicity for d in ds) == {720: 1, 360: 15}
    assert generate(BOTH, 6, order={"kap": 1}).multiplicity == 720 + 5400 + 4050
    assert generate(exact, 6, order={"kap": 1}, kind="connected").multiplicity == 720


@pytest.mark.parametrize(("n", "contractions"), [(2, 768), (4, 9504), (6, 128160)])
def test_vacuum_free_totals_at_second_order(n: int, contractions: int) -> None:
    assert generate(PHI4, n, order=2).multiplicity == contractions


def test_a_wrong_coefficient_would_be_seen() -> None:
    """24 to the unit; a vertex symmetry of 23 stops generation itself."""
    (star,) = generate(PHI4, 4, order=1, kind="connected")
    assert star.multiplicity == 24
    assert star.coefficient == -24
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Interaction, "symmetry", 23)
        with pytest.raises(ComputationError, match=r"contractions by counting, 23/\d+ by its symmetry"):
            contract_all(Layout.of(PHI4, 4, (1,)))
        generation._remembered.cache_clear()
        with pytest.raises(ComputationError, match="should have weight 24/23"):
            generate(PHI4, 4, order=1, kind="connected")
    with pytest.MonkeyPatch.context() as patch:
        # |Aut| is 8; a quotient rounded down would take 24 / 7 for the 3 contractions
        patch.setattr(contracting, "automorphisms", lambda *_: 7)
        with pytest.raises(ComputationError, match="3 contractions by counting, 24/7 by its symmetry"):
            contract_all(Layout.of(PHI4, 0, (1,)))


@pytest.mark.parametrize("self_loops", [False, True])
def test_a_lost_or_doubled_diagram_would_be_seen(self_loops: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    contract = contracting._contract_one

    def lossy(layout: Layout, *args: Any) -> Any:
        rows, numbers = contract(layout, *args)
        last = int(rows[0].sum()) * 2 == sum(layout.degrees)
        return (rows[:-1], numbers[:-1]) if last else (rows, numbers)

    def doubling(layout: Layout, *args: Any) -> Any:
        rows, numbers = contract(layout, *args)
        return np.concatenate([rows, rows[:1]]), np.concatenate([numbers, numbers[:1]])

    monkeypatch.setattr(contracting, "_contract_one", lossy)
    with pytest.raises(ComputationError, match="contractions in all, there are"):
        contract_all(Layout.of(PHI4, 4, (2,)), self_loops=self_loops)
    monkeypatch.setattr(contracting, "_contract_one", doubling)
    with pytest.raises(ComputationError, match="contractions"):
        contract_all(Layout.of(PHI4, 4, (2,)), self_loops=self_loops)


@pytest.mark.parametrize("change", ["lost", "doubled"])
def test_a_lost_or_doubled_skeleton_would_be_seen(change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(layout: Layout, wanted: skeletons.Selection) -> Any:
        found = list(skeletons.blocks(layout, wanted))
        return found[1:] if change == "lost" else [found[0], *found]

    generation._remembered.cache_clear()
    monkeypatch.setattr(generation, "blocks", broken)
    with pytest.raises(ComputationError, match="should have weight"):
        generate(PHI4, 4, order=2)


# --- brute force -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("theory", "n", "order"),
    [
        (PHI4, 0, (2,)),
        (PHI4, 2, (2,)),
        (PHI4, 4, (1,)),
        (BOTH, 2, (1, 1)),
        (ODD, 1, (1, 1)),
        (ODD, 2, (2, 0)),
        (Theory.parse("g*f**3"), 0, (4,)),
        (LOW, 2, (1, 1, 1)),
        (LOW, 0, (2, 2, 0)),
        (BILOCAL, 2, (1, 1)),
        (BILOCAL, 4, (1, 0)),
        (BILOCAL, 0, (2, 0)),
        (POINTS, 2, (1, 0, 0)),
        (POINTS, 0, (2, 0, 0)),
        (POINTS, 2, (0, 1, 0)),
        (POINTS, 1, (1, 0, 1)),
        (TWINS, 2, (1, 1)),
    ],
    ids=str,
)
def test_every_pairing_of_legs_is_in_exactly_one_diagram(theory: Theory, n: int, order: tuple[int, ...]) -> None:
    """All pairings one by one, equal diagrams by networkx: the same classes, each with the same number."""
    vertices = vertices_of(theory, order)
    expected = brute_force(n, vertices)
    ds = generate(theory, n, order=order, kind="all")
    assert sorted(d.multiplicity for d in ds) == sorted(number for _, number in expected)
    left = list(expected)
    for d in ds:
        graph = graph_of(d, vertices)
        (match,) = [k for k, (other, _) in enumerate(left) if same(graph, other)]
        assert left.pop(match)[1] == d.multiplicity
    assert not left


def test_points_told_apart_by_their_profile() -> None:
    theory = Theory([Interaction((2, 2), "b", profile="y**2")])
    ds = generate(theory, 2, order=1, kind="all")
    expected = brute_force(2, [("b", [(2, "y"), (2, "z")])])
    assert sorted(d.multiplicity for d in ds) == sorted(number for _, number in expected)
    assert len(ds) == 6
    # two equal points would merge the ends
    assert len(generate(Theory([Interaction((2, 2), "b")]), 2, order=1, kind="all")) == 4
    two = generate(theory, 0, order=2, kind="all")
    assert len(two) == len(brute_force(0, [("b", [(2, "y"), (2, "z")])] * 2))


@pytest.mark.parametrize(
    ("theory", "n", "order"),
    [
        (PHI4, 6, (2,)),
        (BOTH, 4, (1, 1)),
        (ODD, 3, (3, 1)),
        (POINTS, 2, (1, 1, 2)),
        (LOW, 3, (2, 2, 3)),
        (TWINS, 0, (2, 2)),
    ],
    ids=str,
)
def test_sum_rule(theory: Theory, n: int, order: tuple[int, ...]) -> None:
    """(n + sum of degrees - 1)!! contractions in all."""
    legs = n + sum(i.n_legs * m for i, m in zip(theory.interactions, order, strict=True))
    product = 1
    for k in range(1, legs, 2):
        product *= k
    ds = generate(theory, n, order=order, kind="all")
    assert legs % 2 == 0
    assert ds.multiplicity == product
    assert len(set(ds)) == len(ds)


# --- multi-point vertices --------------------------------------------------------------------------------------------


def test_the_bilocal_vertex_has_eight_for_each_channel() -> None:
    theory = Theory([Interaction((2, 2), "lamNL")])
    ds = generate(theory, 4, order=1, kind="connected")
    assert theory.interactions[0].symmetry == 8
    assert [d.multiplicity for d in ds] == [8, 8, 8]
    assert total(ds) == -24
    assert [t.copies for t in ds.topologies()] == [3]
    # two points: both legs at one point (and a loop at the other), or one at each
    assert sorted(d.multiplicity for d in generate(theory, 2, order=1)) == [4, 8]


def test_the_same_vertex_with_unequal_points() -> None:
    """Six labelled placements of four each: exchanging y and z is another diagram, the sum stays."""
    ds = generate(Theory([Interaction((2, 2), "b", profile="y**2")]), 4, order=1, kind="connected")
    assert [d.multiplicity for d in ds] == [4] * 6
    assert total(ds) == -24


def test_one_and_three_legs() -> None:
    ds = generate(Theory([Interaction((1, 3), "c")]), 4, order=1, kind="connected")
    assert [d.multiplicity for d in ds] == [6] * 4
    assert total(ds) == -24


def test_three_points_of_two_legs() -> None:
    ds = generate(Theory([Interaction((2, 2, 2), "h")]), 6, order=1, kind="connected")
    assert [d.multiplicity for d in ds] == [48] * 15
    assert total(ds) == -720


# --- zero dimensions -------------------------------------------------------------------------------------------------

SERIES = [
    (PHI4, 0, (3,)),
    (PHI4, 2, (3,)),
    (PHI4, 4, (3,)),
    (PHI4, 6, (2,)),
    (BOTH, 0, (1, 1)),
    (BOTH, 2, (2, 1)),
    (BOTH, 4, (1, 1)),
    (BOTH, 6, (1, 1)),
    (Theory.parse("lam/24*f**4 - 2/3*kap*f**6"), 4, (2, 0)),
    (Theory.parse("lam/24*f**4 - 2/3*kap*f**6"), 4, (1, 1)),
    (ODD, 1, (3, 1)),
    (ODD, 2, (2, 1)),
    (ODD, 3, (3, 1)),
    (ODD, 0, (2, 1)),
    (Theory.parse("q*f**5 + g*f**3"), 2, (1, 1)),
    (LOW, 1, (2, 1, 1)),
    (LOW, 2, (2, 2, 2)),
    (LOW, 0, (3, 1, 1)),
    (BILOCAL, 2, (1, 1)),
    (BILOCAL, 4, (2, 0)),
    (POINTS, 1, (1, 0, 1)),
    (POINTS, 2, (1, 1, 0)),
    (TWINS, 4, (1, 1)),
    (TWINS, 0, (2, 1)),
]


@pytest.mark.parametrize("normal_ordered", [False, True])
@pytest.mark.parametrize(("theory", "n", "order"), SERIES, ids=str)
def test_zero_dimensional_series(theory: Theory, n: int, order: tuple[int, ...], normal_ordered: bool) -> None:
    """With every propagator 1 the coefficients are those of an ordinary integral; Hermite when normal-ordered."""
    theory = Theory(theory.interactions, normal_ordered=normal_ordered)
    exact = ZeroDimensional.of(theory, order)
    every = generate(theory, n, order=order, kind="all")
    assert total(every) == exact.unnormalised(n)[order]
    assert total(generate(theory, n, order=order)) == exact.full(n)[order]
    assert total(generate(theory, n, order=order, kind="connected")) == exact.connected(n)[order]
    assert total(generate(theory, n, order=order, kind="1PI")) == irreducible(theory, n, order)


EXACT_SCHEME = [
    (BOTH, 4, (1, 0), -24),
    (BOTH, 4, (0, 1), -360),
    (BOTH, 4, (2, 0), 864),
    (BOTH, 4, (1, 1), 37440),
    (BOTH, 4, (0, 2), 432000),
    (BOTH, 6, (1, 0), 0),
    (BOTH, 6, (0, 1), -720),
    (BOTH, 6, (2, 0), 5760),
    (BOTH, 6, (1, 1), 302400),
    (ODD, 3, (1, 0), -6),
    (ODD, 3, (2, 0), 0),
    (ODD, 3, (3, 0), -216),
    (ODD, 3, (1, 1), 216),
    # derived here only
    (BOTH, 4, (3, 0), None),
    (BOTH, 4, (2, 1), None),
    (ODD, 4, (2, 0), None),
    (ODD, 4, (4, 0), None),
    (ODD, 4, (2, 1), None),
    (ODD, 3, (3, 1), None),
    (ODD, 5, (3, 0), None),
    (ODD, 5, (1, 1), None),
    (Theory.parse("q*f**5 + g*f**3"), 3, (1, 0), None),
    (Theory.parse("q*f**5 + g*f**3"), 4, (1, 1), None),
    (Theory.parse("q*f**5 + g*f**3"), 3, (1, 2), None),
    (Theory.parse("q*f**5 + g*f**3"), 2, (1, 1), 0),
    (ODD, 1, (1, 1), 0),
    (ODD, 2, (2, 1), 0),
    (BILOCAL, 4, (1, 0), -24),
    (BILOCAL, 4, (2, 0), 864),
    (BILOCAL, 4, (1, 1), 1728),
    (POINTS, 3, (1, 0, 1), None),
]


@pytest.mark.parametrize("normal_ordered", [False, True])
@pytest.mark.parametrize(("theory", "n", "order", "known"), EXACT_SCHEME, ids=str)
def test_exact_scheme_is_the_theory_with_tuned_counterterms(
    theory: Theory, n: int, order: tuple[int, ...], known: int | None, normal_ordered: bool
) -> None:
    """Linear and mass terms chosen order by order so that <f> = 0 and G2 = 1: dropping insertions is exactly that."""
    theory = Theory(theory.interactions, propagator="exact", normal_ordered=normal_ordered)
    tuned = ZeroDimensional.of(theory, order)
    ds = generate(theory, n, order=order, kind="connected")
    assert total(ds) == tuned.connected(n)[order]
    assert total(generate(theory, n, order=order)) == tuned.full(n)[order]
    if known is not None and not normal_ordered:
        assert total(ds) == known


def test_free_scheme_keeps_the_insertions() -> None:
    assert total(generate(PHI4, 4, order=2, kind="connected")) == 2016
    assert total(generate(Theory(PHI4.interactions, propagator="exact"), 4, order=2, kind="connected")) == 864


# --- filters ---------------------------------------------------------------------------------------------------------

FILTERED = [
    (PHI4, 4, (2,)),
    (PHI4, 2, (3,)),
    (BOTH, 2, (1, 1)),
    (ODD, 2, (2, 1)),
    (BILOCAL, 2, (1, 1)),
    (LOW, 1, (2, 1, 1)),
]
# self_loops, snails, self_energies
OPTIONS = [(False, True, True), (True, False, True), (True, True, False), (False, True, False), (True, False, False)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("theory", "n", "order"), FILTERED, ids=str)
def test_filters_only_remove(theory: Theory, n: int, order: tuple[int, ...], kind: Kind) -> None:
    """Each filter equals a selection from the whole set by facts found independently, in the same order."""
    every = generate(theory, n, order=order, kind="all")
    in_kind: dict[str, Callable[[Facts], bool]] = {
        "all": lambda f: True,
        "vacuum-free": lambda f: f.vacuum_free,
        "connected": lambda f: f.connected,
        "1PI": lambda f: f.one_particle_irreducible,
    }
    chosen = [(d, f) for d, f in ((d, Facts.of(d)) for d in every) if in_kind[kind](f)]
    assert list(generate(theory, n, order=order, kind=kind)) == [d for d, _ in chosen]
    for self_loops, snails, self_energies in OPTIONS:
        kept = [
            d
            for d, f in chosen
            if (self_loops or all(i != j for i, j in d.edges))
            and (snails or not f.snail)
            and (self_energies or not f.self_energy)
        ]
        ds = generate(
            theory, n, order=order, kind=kind, self_loops=self_loops, snails=snails, self_energies=self_energies
        )
        assert list(ds) == kept
    for loops in range(5):
        kept = [d for d, f in chosen if f.n_loops == loops]
        assert list(generate(theory, n, order=order, kind=kind, loops=loops)) == kept


def test_filters_and_schemes_together() -> None:
    exact = Theory(PHI4.interactions, propagator="exact")
    ordered = Theory(PHI4.interactions, normal_ordered=True)
    assert generate(exact, 4, order=3) == generate(PHI4, 4, order=3, self_energies=False)
    assert generate(exact, 4, order=3, self_energies=True) == generate(exact, 4, order=3)
    assert generate(ordered, 4, order=3, self_loops=True) == generate(PHI4, 4, order=3, self_loops=False)
    both = Theory(PHI4.interactions, propagator="exact", normal_ordered=True)
    assert generate(both, 4, order=3) == generate(PHI4, 4, order=3, self_energies=False, self_loops=False)
    snails = set(generate(PHI4, 4, order=3, snails=False))
    assert snails < set(generate(PHI4, 4, order=3, self_loops=False))


def test_kind_is_independent_of_the_scheme() -> None:
    exact = Theory(BOTH.interactions, propagator="exact")
    one = generate(exact, 6, order=(2, 0), kind="1PI")
    connected = generate(exact, 6, order=(2, 0), kind="connected")
    assert set(one) == {d for d in connected if d.is_1pi}
    assert len(connected) > len(one) == 0  # the exchange has a bridge, the rest needs a third vertex


def test_two_point_topologies_are_those_of_the_literature() -> None:
    """Connected 2-point diagrams of phi^4 with unnamed and with named legs: OEIS A361135 and A352174."""
    unnamed = [generate(PHI4, 2, order=a, kind="connected", external="indistinguishable") for a in range(1, 7)]
    assert [len(ds) for ds in unnamed] == [1, 3, 8, 30, 118, 548]
    assert [sum(d.copies for d in ds) for ds in unnamed[:4]] == [1, 3, 10, 39]


@pytest.mark.parametrize("external", ["labelled", "indistinguishable"])
def test_external_points_with_or_without_names(external: Literal["labelled", "indistinguishable"]) -> None:
    ds = generate(PHI4, 4, order=2, kind="connected", external=external)
    assert len(ds) == (7 if external == "labelled" else 2)
    assert ds.multiplicity == 4032
    assert total(ds) == 2016


# --- edges of the domain ---------------------------------------------------------------------------------------------


def test_no_external_points_and_no_vertices() -> None:
    kinds: tuple[Kind, ...] = ("all", "vacuum-free", "connected", "1PI")
    assert [len(generate(PHI4, 0, order=0, kind=k)) for k in kinds] == [1, 1, 0, 0]
    assert total(generate(PHI4, 0, order=0)) == 1
    assert [len(generate(PHI4, 0, order=2, kind=k)) for k in kinds] == [3, 0, 2, 2]
    assert [len(generate(PHI4, 2, order=0, kind=k)) for k in kinds] == [1, 1, 1, 0]


@pytest.mark.parametrize("kind", KINDS)
def test_an_odd_number_of_legs_has_no_diagram(kind: Kind) -> None:
    ds = generate(PHI4, 3, order=2, kind=kind)
    assert len(ds) == 0
    assert list(ds) == []
    assert ds.weight == ds.multiplicity == 0
    assert ds.order == {"lam": 2}
    assert len(generate(ODD, 2, order={"g": 1}, kind=kind)) == 0


@pytest.mark.parametrize(
    ("theory", "n", "options", "message"),
    [
        (PHI4, 4, {"order": {"kap": 1}}, "unknown coupling 'kap'; this theory has lam"),
        (PHI4, 4, {"order": -1}, "at least 0, got -1"),
        (PHI4, 4, {"order": {"lam": -1}}, r"order\['lam'\] must be at least 0"),
        (PHI4, 4, {"order": 1.0}, "whole number, got 1.0"),
        (PHI4, 4, {"order": (1, 1)}, "one entry for each of lam"),
        (BOTH, 4, {"order": 1}, r"ambiguous for the couplings lam, kap; give a dict such as \{'lam': 1\}"),
        (PHI4, 4.0, {"order": 1}, "n must be a whole number, got 4.0"),
        (PHI4, -4, {"order": 1}, "n must be at least 0, got -4"),
        (PHI4, True, {"order": 1}, "n must be a whole number, got True"),
        (PHI4, 4, {"order": 1, "kind": "planar"}, "kind must be one of 'all', .* got 'planar'"),
        (PHI4, 4, {"order": 1, "kind": "1pi"}, "got '1pi'"),
        (PHI4, 4, {"order": 1, "external": "unlabelled"}, "external must be 'labelled' or .* got 'unlabelled'"),
        (PHI4, 4, {"order": 1, "loops": -1}, "loops must be at least 0"),
        (PHI4, 4, {"order": 1, "loops": 1.5}, "loops must be a whole number"),
        (PHI4, 4, {"order": 14}, r"14 vertices: this generator is exact to 13.*use count\(\)"),
        (PHI4, 4, {"order": 200}, "200 vertices: this generator is exact to 13"),
        (PHI4, 4, {"order": 10**12}, "4000000000004 legs, more than"),
    ],
)
def test_refusals(theory: Theory, n: int, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        generate(theory, n, **options)
    assert isinstance(caught.value, FeynnnError | ValueError)


@pytest.mark.parametrize(
    ("order", "message"),
    [(8, "8 vertices have 40320 permutations"), (9, r"38 legs have 37!! contractions.*use count\(\)")],
)
def test_contraction_refuses_what_it_cannot_list(order: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        contract_all(Layout.of(PHI4, 2, (order,)))


@pytest.mark.parametrize(("n", "kind"), [(0, "connected"), (0, "vacuum-free"), (2, "all"), (4, "all")])
def test_the_exact_scheme_needs_diagrams_without_vacuum_parts(n: int, kind: Kind) -> None:
    exact = Theory(PHI4.interactions, propagator="exact")
    with pytest.raises(InputError, match=f"got n={n}, kind='{kind}'.*use propagator='free'"):
        generate(exact, n, order=1, kind=kind)


def test_partial_diagrams_are_bounded_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contracting, "MAX_BYTES", 20_000)
    assert len(contract_all(Layout.of(PHI4, 4, (2,)))[0]) == len(generate(PHI4, 4, order=2, kind="all"))
    with pytest.raises(InputError, match=r"need more than 0.02 MB; lower it, or use count\(\)"):
        contract_all(Layout.of(PHI4, 4, (4,)))


def test_whole_sets_are_bounded_in_memory_and_streamed_beyond(monkeypatch: pytest.MonkeyPatch) -> None:
    generation._remembered.cache_clear()
    monkeypatch.setattr(generation, "MAX_BYTES", 1_000)
    with pytest.raises(InputError, match=r"stream\(\), or use count\(\)"):
        generate(PHI4, 4, order=3)
    monkeypatch.setattr(skeletons, "BLOCK_BYTES", 500)
    parts = list(generation.stream(PHI4, 4, order=3, kind="connected"))
    assert len(parts) > 5
    assert sum(map(len, parts)) == count(PHI4, 4, order=3, kind="connected").number
    assert len({d for part in parts for d in part}) == 42
    bilocal = Theory([Interaction((2, 2), "nl")])
    assert sum(map(len, generation.stream(bilocal, 4, order=1))) == len(generate(bilocal, 4, order=1))


def test_work_grows_with_the_answer_not_with_the_contractions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows brought to canonical form: a few for each diagram, not one for each of 34 459 425 contractions."""
    seen: list[int] = []

    def counted(layout: Layout, rows: Rows) -> tuple[Rows, npt.NDArray[np.int64]]:
        seen.append(len(rows))
        return canonical(layout, rows)

    monkeypatch.setattr(contracting, "canonical", counted)
    ds, _ = contract_all(Layout.of(BOTH, 4, (2, 1)))
    assert generate(BOTH, 4, order=(2, 1), kind="all").multiplicity == 34_459_425
    assert len(seen) == 10
    assert sum(seen) < 8 * len(ds)


def test_diagrams_of_a_set_can_be_rebuilt_from_their_lines() -> None:
    ds = generate(ODD, 3, order=(1, 1))
    assert [Diagram.from_edges(ODD, 3, (1, 1), d.edges) for d in ds] == list(ds)
