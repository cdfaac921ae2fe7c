"""Diagrams in files: nothing is lost, everything stated is checked, and errors name the diagram and the line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import feynnn
from feynnn import Diagram, Interaction, Theory, generate
from feynnn.diagrams.diagram_set import DiagramSet
from feynnn.errors import InputError
from feynnn.storage import dumps, loads

PHI4 = Theory.parse("lam*f**4")
WEIGHTED = Theory(
    [
        Interaction(4, "lam0", "1/24"),
        Interaction(4, "lam2", profile="1 - y**2"),
        Interaction((2, 4), "q", "-2/3", "z**2"),
    ],
    propagator="exact",
    normal_ordered=True,
)


def same(a: DiagramSet, b: DiagramSet) -> bool:
    """Everything that a set holds, field by field."""
    return (
        a.theory == b.theory
        and (a.n, a.order, a.kind, a.external, a.reason) == (b.n, b.order, b.kind, b.external, b.reason)
        and np.array_equal(a.rows, b.rows)
        and [d.edges for d in a] == [d.edges for d in b]
        and [(d.symmetry_factor, d.multiplicity, d.copies) for d in a]
        == [(d.symmetry_factor, d.multiplicity, d.copies) for d in b]
        and list(a) == list(b)
        and (a.weight, a.multiplicity) == (b.weight, b.multiplicity)
    )


@pytest.mark.parametrize(
    ("theory", "n", "order", "kind", "external"),
    [
        (PHI4, 4, 2, "all", "labelled"),
        (PHI4, 4, 3, "1PI", "indistinguishable"),
        (PHI4, 2, 5, "connected", "labelled"),  # more vertices than are brought to canonical form
        (PHI4, 0, 6, "connected", "labelled"),
        (WEIGHTED, 4, (1, 1, 0), "connected", "labelled"),
        (WEIGHTED, 2, (1, 0, 1), "vacuum-free", "labelled"),
        (PHI4, 3, 1, "all", "labelled"),
        (PHI4, 0, 0, "all", "labelled"),
        (PHI4, 6, 0, "vacuum-free", "indistinguishable"),
    ],
)
def test_a_set_comes_back_from_a_file_as_it_was(
    tmp_path: Path, theory: Theory, n: int, order: Any, kind: Any, external: Any
) -> None:
    ds = generate(theory, n, order=order, kind=kind, external=external)[::-1]
    feynnn.save(ds, tmp_path / "ds.json")
    again = feynnn.load(tmp_path / "ds.json")
    assert same(again, ds)
    assert again == ds
    assert again.to_dict() == ds.to_dict()
    assert all(d in again for d in ds[:5])


def test_lines_stay_as_written_whatever_their_canonical_form() -> None:
    ds = generate(PHI4, 4, order=3, kind="connected")
    d = next(d for d in ds if d.symmetry_factor == 2)
    swap = {4: 6, 6: 4}
    turned = sorted(tuple(sorted((swap.get(i, i), swap.get(j, j)))) for i, j in d.edges)
    assert turned != list(d.edges)
    data = ds.to_dict()
    place = ds.index(d)
    data["diagrams"][place]["edges"] = turned
    again = DiagramSet.from_dict(data)
    assert list(again[place].edges) == turned
    assert again[place] == d
    assert again.index(d) == place
    one = Diagram.from_dict(d.to_dict() | {"edges": turned})
    assert list(one.edges) == turned
    assert (one, hash(one), one.symmetry_factor) == (d, hash(d), d.symmetry_factor)


@settings(deadline=None)
@given(st.sampled_from([(PHI4, 2, (4,)), (PHI4, 4, (9,)), (WEIGHTED, 2, (1, 2, 2))]), st.data())
def test_single_diagrams_of_any_size(case: tuple[Theory, int, tuple[int, ...]], data: st.DataObject) -> None:
    theory, n, order = case
    degrees = [1] * n + [d for i, m in zip(theory.interactions, order, strict=True) for _ in range(m) for d in i.degree]
    legs = data.draw(st.permutations([node for node, d in enumerate(degrees) for _ in range(d)]))
    d = Diagram.from_edges(theory, n, order, list(zip(legs[::2], legs[1::2], strict=True)))
    again = loads(dumps(d))
    assert again == d
    assert (again.theory, again.edges, again.copies) == (d.theory, d.edges, d.copies)
    assert (again.symmetry_factor, again.multiplicity) == (d.symmetry_factor, d.multiplicity)


def test_a_record_can_be_read_by_people() -> None:
    d = Diagram.from_edges(WEIGHTED, 2, (1, 0, 1), [(0, 2), (1, 4), (2, 4), (2, 4), (2, 4), (3, 3)])
    assert d.to_dict() == {
        "theory": WEIGHTED.to_dict(),
        "n": 2,
        "order": {"lam0": 1, "lam2": 0, "q": 1},
        "nodes": ["x1", "x2", "y1: lam0", "y2: q at y", "y3: q at z"],
        "edges": [[0, 2], [1, 4], [2, 4], [2, 4], [2, 4], [3, 3]],
        "symmetry_factor": 12,
        "multiplicity": 96,
        "copies": 1,
    }
    total = generate(PHI4, 4, order=2, kind="1PI", external="indistinguishable").to_dict()
    assert {key: value for key, value in total.items() if key not in ("theory", "diagrams")} == {
        "n": 4,
        "order": {"lam": 2},
        "nodes": ["x1", "x2", "x3", "x4", "y1: lam", "y2: lam"],
        "kind": "1PI",
        "external": "indistinguishable",
        "reason": None,
        "weight": "3/2",
        "multiplicity": 1728,
    }


def test_records_without_the_redundant_fields_are_read() -> None:
    for ds in (generate(PHI4, 4, order=2), generate(PHI4, 4, order=2, external="indistinguishable")):
        data = ds.to_dict()
        for key in ("nodes", "external", "reason", "weight", "multiplicity"):
            del data[key]
        for record in data["diagrams"]:
            del record["multiplicity"]
        assert same(DiagramSet.from_dict(data), ds)


def test_a_loaded_set_claims_no_comparison() -> None:
    certificate = DiagramSet.from_dict(generate(PHI4, 4, order=2).to_dict()).certificate
    assert str(certificate).startswith("not compared with count()")


# --- damage ----------------------------------------------------------------------------------------------------------


def damaged(change: dict[str, Any], **in_diagram_3: Any) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(json.dumps(generate(PHI4, 4, order=2).to_dict()))
    data["diagrams"][3] |= in_diagram_3
    return data | change


EDGES = generate(PHI4, 4, order=2)[3].edges


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (damaged({}, edges=[*EDGES[:2], [1, 9], *EDGES[3:]]), r"^diagram 3: edges\[2\]: the line \(1, 9\) leaves"),
        (
            damaged({}, edges=[*EDGES[:4], [5, "5"], *EDGES[5:]]),
            r"^diagram 3: edges\[4\]: a node must be a whole .*'5'",
        ),
        (damaged({}, edges=[[0], *EDGES[1:]]), r"^diagram 3: edges\[0\]: a line is a pair of node numbers, got \[0\]"),
        (
            damaged({}, edges=[*EDGES, [5, 5]]),
            r"^diagram 3: node 5 must have 4 line ends, it has 6: .*edges\[6\] = \(5, 5\)",
        ),
        (damaged({}, edges=[*EDGES[:-1]]), r"^diagram 3: node \d must have . line ends, it has"),
        (damaged({}, edges=None), "^diagram 3: edges must be a list of pairs of node numbers, got None"),
        (damaged({}, edges={"0": 1}), "^diagram 3: edges must be a list"),
        (damaged({}, symmetry_factor=5), r"^diagram 3: Diagram\(.*\) has symmetry factor \d+, the file says 5"),
        (damaged({}, multiplicity=1), r"^diagram 3: Diagram\(.*\) has multiplicity \d+, the file says 1"),
        (damaged({}, copies=25), "^diagram 3: copies=25, but 4 points have 24 labellings"),
        (damaged({}, copies=10**40), "^diagram 3: copies=1000.*, but 4 points have 24"),
        (damaged({}, copies=2), r"^diagram 3: copies=2, but .* a diagram stands for itself only: copies=1, or ext"),
        (
            damaged({"external": "indistinguishable"}, copies=13),
            r"^diagram 3: copies=13, but its external points have \d+ labellings",
        ),
        (damaged({"external": "indistinguishable"}), r"^diagram \d+: it is the same as diagram \d+; leave out one"),
        (damaged({"kind": "foo"}), "^'kind' must be one of 'all', .*'2PI', got 'foo'"),
        (damaged({"theory": {}}), r"^the record of a theory has 'interactions', .*\(see to_dict\), got {}"),
        (damaged({"theory": None}), "^the record of a theory has 'interactions', .*, got None"),
        (damaged({"reason": 3}), "'reason' must be text, got 3"),
        (damaged({"weight": "1/2"}), "^the diagrams have weight .* in all, the file says '1/2'"),
        (damaged({"multiplicity": 0}), "^the diagrams have multiplicity 9504 in all, the file says 0"),
        (damaged({"nodes": ["x1"]}), r"^theory, n and order give the nodes \['x1', .*the file says \['x1'\]"),
        (damaged({"kind": 3}), "'kind' must be one of 'all', .*, got 3"),
        (damaged({"external": "both"}), "'external' must be 'labelled' or 'indistinguishable', got 'both'"),
        (damaged({"diagrams": {}}), "'diagrams' must be a list"),
        (damaged({"diagrams": [3]}), r"^diagram 0: a record is a dictionary with 'edges', got 3"),
        (damaged({"diagrams": [{}]}), r"^diagram 0: the record has no 'edges', only nothing"),
        (damaged({"order": {"kap": 2}}), "unknown coupling 'kap'"),
        ({"theory": PHI4.to_dict()}, "the record has no 'diagrams', only 'theory'"),
        ([], "a record is a dictionary with 'diagrams'"),
    ],
)
def test_damage_is_named(data: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        DiagramSet.from_dict(data)


def test_a_missing_or_doubled_diagram_is_seen() -> None:
    data = generate(PHI4, 4, order=2).to_dict()
    with pytest.raises(InputError, match=r"the diagrams have weight .* in all, the file says"):
        DiagramSet.from_dict(data | {"diagrams": data["diagrams"][1:]})
    k = len(data["diagrams"])
    with pytest.raises(InputError, match=f"^diagram {k}: it is the same as diagram 0; leave out one of them"):
        DiagramSet.from_dict(data | {"diagrams": [*data["diagrams"], data["diagrams"][0]]})


@pytest.mark.parametrize("external", ["labelled", "indistinguishable"])
def test_a_diagram_is_seen_again_under_other_names(external: Any) -> None:
    """With vertices, and where points have no labels also external points, exchanged."""
    data = generate(PHI4, 4, order=5, kind="1PI", external=external).to_dict()
    for key in ("weight", "multiplicity"):
        del data[key]
    swap = {4: 8, 8: 4, **({0: 3, 3: 0} if external == "indistinguishable" else {})}
    for record in data["diagrams"]:
        turned = [sorted(swap.get(node, node) for node in line) for line in record["edges"]]
        if sorted(turned) != sorted(record["edges"]):
            break
    with pytest.raises(InputError, match=r"it is the same as diagram \d+"):
        DiagramSet.from_dict(data | {"diagrams": [*data["diagrams"], record | {"edges": turned}]})


@pytest.mark.parametrize("keep", [slice(1, None), slice(0, 2)])
def test_topologies_of_which_a_filter_left_some_labellings_come_back(keep: slice) -> None:
    full = generate(PHI4, 4, order=2, kind="1PI")
    some = full[keep].topologies()
    assert [d.copies for d in some] == [2]
    assert same(DiagramSet.from_dict(some.to_dict()), some)


@pytest.mark.parametrize(("theory", "order"), [(PHI4, (3,)), (WEIGHTED, (1, 0, 1))])
def test_copies_are_at_most_the_labellings(theory: Theory, order: Any) -> None:
    """The labellings of a topology, counted by generating every labelled diagram."""
    for t in generate(theory, 4, order=order, kind="connected", external="indistinguishable"):
        labelled = generate(theory, 4, order=order, kind="connected")
        n_labellings = sum(d.topology_key == t.topology_key for d in labelled)
        record = t.to_dict()
        del record["multiplicity"]
        assert Diagram.from_dict(record | {"copies": n_labellings}) == t
        with pytest.raises(InputError, match=r"copies=\d+, but (its external points|4 points) have \d+ labellings"):
            Diagram.from_dict(record | {"copies": n_labellings + 1})


def test_the_storage_names_the_place_too(tmp_path: Path) -> None:
    text = dumps(generate(PHI4, 4, order=1, kind="connected")).replace("[2, 4]", "[2, 5]")
    (tmp_path / "ds.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"ds.json' is damaged.*diagram 0: edges\[2\]: the line \(2, 5\) leaves"):
        feynnn.load(tmp_path / "ds.json")
