"""Generated sets against the slides' table and the reference file; refusals, blocks, what is remembered."""

from __future__ import annotations

import json
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from feynnn import Diagram, DiagramSet, FeynnnError, Interaction, Theory, generate
from feynnn.diagrams import generation, skeletons
from feynnn.diagrams.counting import count
from feynnn.diagrams.decorations import Selection
from feynnn.diagrams.diagram_set import Certificate
from feynnn.diagrams.generation import EXTERNAL, KINDS, External, Kind, stream
from feynnn.diagrams.layout import Layout
from feynnn.errors import ComputationError, InputError

PHI4 = Theory.parse("lam*f**4")
BOTH = Theory.parse("lam*f**4 + kap*f**6")
ODD = Theory.parse("g*f**3 + lam*f**4")
BILOCAL = Theory([Interaction((2, 2), "b"), Interaction(4, "lam")])


@pytest.fixture
def fresh() -> Iterator[None]:
    """Nothing remembered from earlier calls, and nothing left to later ones."""
    generation._request.cache_clear()
    yield
    generation._request.cache_clear()


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


def test_a_wrong_coefficient_would_be_seen(fresh: None) -> None:
    """24 to the unit; a vertex symmetry of 23 stops generation itself."""
    (star,) = generate(PHI4, 4, order=1, kind="connected")
    assert star.multiplicity == 24
    assert star.coefficient == -24
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Interaction, "symmetry", 23)
        generation._request.cache_clear()
        with pytest.raises(ComputationError, match="should have weight 24/23"):
            generate(PHI4, 4, order=1, kind="connected")


@pytest.mark.parametrize("change", ["lost", "doubled"])
@pytest.mark.parametrize("external", EXTERNAL)
@pytest.mark.parametrize("order", [2, 5])
def test_a_lost_or_doubled_skeleton_would_be_seen(
    change: str, external: External, order: int, monkeypatch: pytest.MonkeyPatch, fresh: None
) -> None:
    parts = skeletons._parts

    def broken(layout: Layout, wanted: Selection) -> list[skeletons.Part]:
        found = list(parts(layout, wanted))
        return found[1:] if change == "lost" else [found[0], *found]

    monkeypatch.setattr(skeletons, "_parts", broken)
    with pytest.raises(ComputationError, match="should have weight"):
        generate(PHI4, 4, order=order, external=external)


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
        (PHI4, 4, {"order": [1]}, "order"),
        (PHI4, [4], {"order": 1}, r"n must be a whole number, got \[4\]"),
        (PHI4, 4, {"order": 1, "kind": ["connected"]}, "kind must be one of"),
        (PHI4, 4, {"order": 1, "external": []}, "external must be"),
        ("lam*f**4", 4, {"order": 1}, r"expected a Theory, got 'lam\*f\*\*4'; write Theory.parse"),
        (5, 4, {"order": 1}, "expected a Theory, got 5$"),
    ],
)
def test_refusals(theory: Any, n: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        generate(theory, n, **options)
    with pytest.raises(InputError, match=message):
        stream(theory, n, **options)
    assert isinstance(caught.value, FeynnnError | ValueError)


@pytest.mark.parametrize(("n", "kind"), [(0, "connected"), (0, "vacuum-free"), (2, "all"), (4, "all")])
def test_the_exact_scheme_needs_diagrams_without_vacuum_parts(n: int, kind: Kind) -> None:
    exact = Theory(PHI4.interactions, propagator="exact")
    with pytest.raises(InputError, match=f"got n={n}, kind='{kind}'.*use propagator='free'"):
        generate(exact, n, order=1, kind=kind)


def test_diagrams_of_a_set_can_be_rebuilt_from_their_lines() -> None:
    ds = generate(ODD, 3, order=(1, 1))
    assert [Diagram.from_edges(ODD, 3, (1, 1), d.edges) for d in ds] == list(ds)


# --- empty sets, limits and blocks -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("theory", "n", "options", "reason"),
    [
        (PHI4, 3, {"order": 2}, "11 legs in all: an odd number cannot be joined in pairs"),
        (ODD, 2, {"order": {"g": 1}}, "5 legs in all: an odd number"),
        (PHI4, 6, {"order": 1, "kind": "connected"}, "no connected diagram has 6 external points and these 1 vertices"),
        (PHI4, 4, {"order": 0, "kind": "connected"}, "no connected diagram has 4 external points and these 0 vertices"),
        (PHI4, 4, {"order": 2, "kind": "2PI"}, "no 2PI diagram has 4 external points and these 2 vertices"),
        (PHI4, 2, {"order": 0, "kind": "1PI"}, "no 1PI diagram has 2 external points and these 0 vertices"),
        (PHI4, 0, {"order": 2}, "no vacuum-free diagram has 0 external points"),
        (PHI4, 2, {"order": 1, "self_loops": False}, "the filters leave none"),
        (PHI4, 2, {"order": 1, "snails": False}, "the filters leave none"),
        (PHI4, 2, {"order": 2, "self_energies": False}, "the filters leave none"),
        (PHI4, 2, {"order": 2, "loops": 7}, "the filters leave none"),
    ],
)
def test_an_empty_set_says_why(theory: Theory, n: int, options: dict[str, Any], reason: str) -> None:
    for external in EXTERNAL:
        ds = generate(theory, n, external=external, **options)
        assert len(ds) == 0
        assert ds.reason is not None
        assert ds.reason.startswith(reason)
    assert generate(PHI4, 4, order=2).reason is None
    assert generate(PHI4, 4, order=2).filter(lambda d: False).reason == "the filter leaves none"


@pytest.mark.parametrize("external", EXTERNAL)
@pytest.mark.parametrize(("order", "kind"), [(3, "vacuum-free"), (6, "connected")])
def test_whole_sets_are_bounded_in_memory(order: int, kind: Kind, external: External) -> None:
    ds = generate(PHI4, 4, order=order, kind=kind, external=external)
    need = ds.rows.nbytes
    assert generate(PHI4, 4, order=order, kind=kind, external=external, max_bytes=need) == ds
    number = count(PHI4, 4, order=order, kind=kind, external=external).number
    assert number == len(ds)
    words = (
        rf"the {kind} diagrams at this order \({number} of {need // number} bytes each\) need more than max_bytes="
        rf"{need - 1}; take them block by block from stream\(\), raise max_bytes, lower the order, or use count\(\)"
    )
    with pytest.raises(InputError, match=words):
        generate(PHI4, 4, order=order, kind=kind, external=external, max_bytes=need - 1)
    for wrong in (0, -1, 1.5, None, True):
        with pytest.raises(InputError, match="max_bytes must be"):
            generate(PHI4, 4, order=order, kind=kind, external=external, max_bytes=wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("external", EXTERNAL)
@pytest.mark.parametrize(
    ("theory", "n", "order", "kind"),
    [
        (PHI4, 4, (3,), "connected"),
        (PHI4, 4, (5,), "connected"),
        (PHI4, 2, (6,), "vacuum-free"),
        (PHI4, 0, (5,), "all"),
        (BOTH, 4, (2, 1), "amputated"),
        (ODD, 3, (3, 2), "1PI"),
        (BILOCAL, 4, (1, 1), "connected"),
    ],
    ids=str,
)
def test_blocks_make_up_the_whole_set(
    theory: Theory, n: int, order: tuple[int, ...], kind: Kind, external: External, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(skeletons, "BLOCK_BYTES", 100)
    parts = list(stream(theory, n, order=order, kind=kind, external=external))
    whole = generate(theory, n, order=order, kind=kind, external=external)
    assert theory is BILOCAL or len(parts) > 2
    assert all(len(part) for part in parts)
    assert {(part.kind, part.external, part.n, tuple(part.order.values())) for part in parts} == {
        (kind, external, n, order)
    }
    names = [d.key if external == "labelled" else d.topology_key for part in parts for d in part]
    assert len(names) == len(set(names)) == len(whole)
    assert set(names) == {d.key if external == "labelled" else d.topology_key for d in whole}
    assert sum(part.weight for part in parts) == whole.weight
    assert sum(part.multiplicity for part in parts) == whole.multiplicity
    if max(order) > 4 and external == "labelled":  # larger sets are not sorted: block after block
        np.testing.assert_array_equal(np.concatenate([part.rows for part in parts]), whole.rows)


def test_half_a_million_diagrams_pass_in_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole set has 78 bytes for each diagram, 41 MB; blocks of 4 MB, and the tables they are made from."""
    monkeypatch.setattr(skeletons, "BLOCK_BYTES", 1 << 22)
    tracemalloc.start()
    try:
        number, weight, largest = 0, Fraction(0), 0
        for block in stream(PHI4, 4, order=8, kind="connected"):
            number += len(block)
            weight += block.weight
            largest = max(largest, block.rows.nbytes)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert number == 531_606
    assert weight == Fraction(68_094_713, 1728) == count(PHI4, 4, order=8, kind="connected").weight
    assert largest < 1.1 * (1 << 22)
    assert peak < 35_000_000


# --- what is remembered ----------------------------------------------------------------------------------------------


def test_a_remembered_set_cannot_be_changed(fresh: None) -> None:
    for external in EXTERNAL:
        first = generate(PHI4, 4, order=2, external=external)
        for array in (first.rows, first[0].row):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 5
        known = list(first)
        first.kind, first.reason, first.external = "mine", "mine", "mine"
        first.rows = first.rows[:1]
        first.certificate = Certificate(number=False, weight=False, note="mine")
        again = generate(PHI4, 4, order=2, external=external)
        assert (again.kind, again.reason, again.external) == ("vacuum-free", None, external)
        assert list(again) == known
        assert again.certificate == Certificate(number=True, weight=True)


def test_requests_that_differ_are_kept_apart(fresh: None) -> None:
    """By scheme, by kind, and by type: True is no order, though it equals 1."""
    exact, ordered = Theory(PHI4.interactions, propagator="exact"), Theory(PHI4.interactions, normal_ordered=True)
    assert [len(generate(theory, 4, order=1)) for theory in (PHI4, exact, ordered)] == [7, 1, 1]
    assert [len(generate(PHI4, 4, order=2, kind=kind)) for kind in KINDS] == [44, 28, 7, 3, 3, 0]
    assert generate(PHI4, 4, order={"lam": 1}) == generate(PHI4, 4, order=(1,)) == generate(PHI4, 4, order=1)
    assert generate(PHI4, 4, order={}) == generate(PHI4, 4, order=0)
    with pytest.raises(InputError, match="got True"):
        generate(PHI4, 4, order=True)


@pytest.mark.parametrize("order", [3, 6])
def test_certificates_when_asked(order: int, fresh: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generation, "MAX_CERTIFIED", 5)
    none = Certificate(number=False, weight=False)
    both = Certificate(number=True, weight=True)
    assert generate(PHI4, 4, order=order, kind="connected", certify=False).certificate == none
    assert generate(PHI4, 4, order=order, kind="connected").certificate == (both if order == 3 else none)
    assert generate(PHI4, 4, order=order, kind="connected", certify=True).certificate == both
    assert generate(PHI4, 4, order=order, kind="2PI", certify=True).certificate == Certificate(
        number=order == 3, weight=True
    )
    filtered = generate(PHI4, 4, order=order, kind="connected", snails=False, certify=True).certificate
    assert (filtered.number, filtered.weight) == (False, False)
    assert str(filtered) == "not compared with count(): count() knows nothing of snails and numbers of loops"
    assert str(both) == "number and weight agree with count()"
    assert str(Certificate(number=False, weight=True)) == "weight agrees with count()"
    assert str(none) == "not compared with count()"
