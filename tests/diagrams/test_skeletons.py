"""The tables of skeletons against the merged contractions: two generators that share no algorithm."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from feynnn import Theory
from feynnn.diagrams.canonical import canonical_form
from feynnn.diagrams.contracting import contract_all
from feynnn.diagrams.counting import count
from feynnn.diagrams.decorations import Selection
from feynnn.diagrams.diagram_set import DiagramSet
from feynnn.diagrams.generation import KINDS, Kind, generate
from feynnn.diagrams.layout import Layout, automorphisms, by_permutations
from feynnn.diagrams.skeletons import blocks

CASES = [
    *[("l*f**4", n, (order,)) for n in (0, 1, 2, 4, 6) for order in range(4)],
    *[("g*f**3", n, (order,)) for n in (0, 1, 2, 3) for order in range(5)],
    *[("l*f**4 + k*f**6", n, order) for n in (0, 2, 4) for order in ((1, 1), (2, 1), (0, 2))],
    *[("g*f**3 + l*f**4", n, order) for n in (0, 1, 2, 3) for order in ((1, 1), (2, 1))],
    ("a*f**4 + b*f**4", 2, (1, 2)),
    ("h*f**2 + l*f**4", 2, (2, 1)),
    ("j*f + g*f**3", 1, (2, 2)),
    ("q*f**5", 1, (3,)),
    ("o*f**8", 2, (2,)),
]
FILTERS = [{}, {"self_loops": False}, {"snails": False}, {"self_energies": False}, {"loops": 1}]


def assembled(layout: Layout, wanted: Selection) -> tuple[np.ndarray, np.ndarray]:
    parts = list(blocks(layout, wanted))
    if not parts:
        return np.zeros((0, len(layout.pairs)), dtype=np.int8), np.ones(0, dtype=np.int64)
    return np.concatenate([r for r, _, _ in parts]), np.concatenate([s for _, s, _ in parts])


@pytest.mark.parametrize(("text", "n", "order"), CASES)
def test_every_class_and_filter_agrees_with_contraction(text: str, n: int, order: tuple[int, ...]) -> None:
    theory = Theory.parse(text)
    layout = Layout.of(theory, n, order)
    reference: dict[bool, DiagramSet] = {}
    for loops in (True, False):
        rows, stabilisers = contract_all(layout, self_loops=loops)
        reference[loops] = DiagramSet(theory, layout, rows, stabilisers, kind="all")
    for kind, options in product(KINDS, FILTERS):
        if kind == "amputated" and n < 2:
            continue
        wanted = Selection(kind, **options)  # type: ignore[arg-type]
        rows, stabilisers = assembled(layout, wanted)
        forms, again = by_permutations(layout, rows)
        np.testing.assert_array_equal(again, stabilisers)
        mine = {bytes(r) for r in np.ascontiguousarray(forms)}
        assert len(mine) == len(rows), "a diagram twice"
        expected = {
            d._row.tobytes()
            for d in reference[wanted.self_loops]
            if {
                "all": True,
                "vacuum-free": d.is_vacuum_free,
                "connected": d.is_connected,
                "amputated": d.is_amputated,
                "1PI": d.is_1pi,
                "2PI": d.is_2pi,
            }[kind]
            and (wanted.snails or not d.has_snail)
            and (wanted.self_energies or not d.has_self_energy)
            and (wanted.loops is None or d.n_loops == wanted.loops)
        }
        assert mine == expected, (kind, options)


@pytest.mark.parametrize(
    ("text", "n", "order"), [*CASES, ("l*f**4", 6, (4,)), ("g*f**3", 4, (6,)), ("o*f**8", 4, (3,))]
)
def test_topologies_are_the_classes_of_labelled_diagrams(text: str, n: int, order: tuple[int, ...]) -> None:
    theory = Theory.parse(text)
    layout = Layout.of(theory, n, order)
    for kind in ("all", "connected", "2PI") if n < 6 else ("connected",):
        rows, stabilisers = assembled(layout, Selection(kind))
        classes: dict[object, list[int]] = {}
        for row, s in zip(rows, stabilisers.tolist(), strict=True):
            key = canonical_form(layout, row, labelled=False)[0].tobytes()
            classes.setdefault(key, []).append(automorphisms(layout, row, s))
        found = list(blocks(layout, Selection(kind, labelled=False)))
        mine = {
            canonical_form(layout, row, labelled=False)[0].tobytes(): (automorphisms(layout, row, s), copies)
            for rows, orders, numbers in found
            for row, s, copies in zip(rows, orders.tolist(), numbers.tolist(), strict=True)
        }
        assert sum(len(rows) for rows, _, _ in found) == len(mine), "a topology twice"
        assert mine == {key: (sizes[0], len(sizes)) for key, sizes in classes.items()}
        assert all(len(set(sizes)) == 1 for sizes in classes.values())


@pytest.mark.parametrize(
    ("text", "n", "order", "kind"),
    [
        ("l*f**4", 4, (6,), "connected"),
        ("l*f**4", 2, (6,), "1PI"),
        ("l*f**4", 6, (5,), "vacuum-free"),
        ("k*f**6", 6, (4,), "connected"),
        ("l*f**4 + k*f**6", 6, (2, 2), "connected"),
        ("g*f**3", 3, (7,), "connected"),
        ("g*f**3", 0, (8,), "connected"),
        ("l*f**4", 0, (7,), "all"),
        pytest.param("l*f**4", 4, (8,), "connected", marks=pytest.mark.slow),
        pytest.param("l*f**4", 0, (9,), "connected", marks=pytest.mark.slow),
    ],
)
def test_high_orders_have_the_counted_number_and_weight(text: str, n: int, order: tuple[int, ...], kind: Kind) -> None:
    theory = Theory.parse(text)
    layout = Layout.of(theory, n, order)
    wanted = Selection(kind)
    expected = count(theory, n, order=order, kind=kind)
    number, weight = 0, 0.0
    from math import factorial

    parallel = np.array([factorial(k) for k in range(20)], dtype=float)
    for rows, stabilisers, _ in blocks(layout, wanted):
        number += len(rows)
        size = stabilisers.astype(float)
        for column, (i, j) in enumerate(layout.pairs):
            lines = rows[:, column]
            size *= parallel[lines] * (2.0**lines if i == j else 1.0)
        weight += float((1 / size).sum())
    assert number == expected.number
    assert weight == pytest.approx(float(expected.weight), rel=1e-9)


def test_531606_connected_diagrams_at_eight_vertices_are_indexable() -> None:
    ds = generate(Theory.parse("l*f**4"), 2, order=6, kind="connected")
    assert len(ds) == count(Theory.parse("l*f**4"), 2, order=6, kind="connected").number
    d = ds[-1]
    assert d.is_connected and d.n_vertices == 6
    assert d.multiplicity * d.symmetry_factor == d.layout.relabellings
