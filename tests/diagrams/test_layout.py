"""Nodes, their permutations, and canonical forms."""

from __future__ import annotations

import math
from collections import Counter
from itertools import permutations

import numpy as np
import pytest
from diagram_oracles import pairings
from hypothesis import given, settings
from hypothesis import strategies as st

from feynnn import FeynnnError, Interaction, Theory
from feynnn.diagrams.layout import MAX_LEGS, Layout, as_keys, automorphisms, by_permutations

MIXED = Theory([Interaction(3, "g"), Interaction((2, 2), "b"), Interaction((1, 3), "c"), Interaction((2, 2, 2), "h")])
PHI4 = Theory.parse("lam*f**4")


def test_nodes_come_external_first_then_vertex_by_vertex() -> None:
    layout = Layout.of(MIXED, 2, (2, 1, 1, 0))
    assert layout.points == ((2,), (3,), (4, 5), (6, 7))
    assert layout.degrees == (1, 1, 3, 3, 2, 2, 1, 3)
    assert layout.part_of == (0, 1, 2, 3, 4, 4, 5, 5)
    assert layout.classes == ((0, 1), (2,), (3,))
    assert layout.pairs[:3] == ((0, 0), (0, 1), (0, 2))
    assert len(layout.pairs) == 8 * 9 // 2
    assert all(layout.column[i, j] == layout.column[j, i] == k for k, (i, j) in enumerate(layout.pairs))


@pytest.mark.parametrize(
    ("order", "group", "relabellings"),
    [
        ((0, 0, 0, 0), 1, 1),
        ((3, 0, 0, 0), 6, 6 * 6**3),
        ((0, 1, 0, 0), 2, 8),
        ((0, 3, 0, 0), 6 * 2**3, 6 * 8**3),
        ((0, 0, 2, 0), 2, 2 * 6**2),
        ((0, 0, 0, 1), 6, 6 * 8),
        ((2, 2, 1, 1), 2 * (2 * 4) * 1 * 6, (2 * 36) * (2 * 64) * 6 * 48),
    ],
)
def test_group_orders(order: tuple[int, ...], group: int, relabellings: int) -> None:
    layout = Layout.of(MIXED, 1, order)
    assert layout.group_order == group
    assert layout.relabellings == relabellings
    listed = list(layout.permutations())
    assert len(listed) == len(set(listed)) == group
    for p in listed:
        assert p[: layout.n] == tuple(range(layout.n))
        assert [layout.degrees[k] for k in p] == list(layout.degrees)
        # points of one vertex stay together
        assert all(len({layout.part_of[p[k]] for k in nodes}) == 1 for nodes in layout.points)


def test_the_permutations_are_a_group() -> None:
    listed = set(Layout.of(MIXED, 1, (2, 2, 0, 0)).permutations())
    assert all(tuple(a[k] for k in b) in listed for a in listed for b in listed)


def test_points_with_different_profile_are_not_exchanged() -> None:
    same = Theory([Interaction((2, 2), "b", profile="y**2*z**2")])
    different = Theory([Interaction((2, 2), "b", profile="y**2")])
    two = Theory([Interaction((2, 2, 2), "b", profile="y**2*z**2")])
    assert Layout.of(same, 0, (1,)).group_order == 2
    assert Layout.of(different, 0, (1,)).group_order == 1
    assert Layout.of(two, 0, (1,)).group_order == 2
    assert [Layout.of(t, 0, (1,)).relabellings for t in (same, different, two)] == [8, 4, 16]


def test_equal_degree_with_other_coupling_is_another_vertex() -> None:
    theory = Theory([Interaction(4, "a"), Interaction(4, "b")])
    assert Layout.of(theory, 0, (1, 1)).group_order == 1
    assert Layout.of(theory, 0, (2, 0)).group_order == 2


@pytest.mark.parametrize(("n", "order", "number"), [(0, 0, 1), (4, 0, 3), (2, 1, 15), (4, 2, 10395), (3, 1, 0)])
def test_number_of_contractions(n: int, order: int, number: int) -> None:
    assert Layout.of(PHI4, n, (order,)).n_contractions == number


@pytest.mark.parametrize(
    ("text", "n", "order"),
    [
        ("lam*f**4", 4, (2,)),
        ("lam*f**4", 0, (1,)),
        ("g*f**3 + lam*f**4", 1, (1, 1)),
        ("s*f + m*f**2 + g*f**3", 2, (1, 1, 1)),
        ("b*f(y)**2*f(z)**2", 2, (2,)),
        ("lam*f**4", 1, (1,)),
    ],
)
def test_number_of_contractions_without_loops(text: str, n: int, order: tuple[int, ...]) -> None:
    layout = Layout.of(Theory.parse(text), n, order)
    legs = [node for node, d in enumerate(layout.degrees) for _ in range(d)]
    listed = [pairing for pairing in pairings(range(len(legs))) if all(legs[a] != legs[b] for a, b in pairing)]
    assert layout.n_loopless_contractions == len(listed)


def test_row_of_counts_lines_in_either_direction() -> None:
    layout = Layout.of(PHI4, 2, (1,))
    assert layout.row_of([(0, 2), (2, 1), (2, 2)]).tolist() == layout.row_of([(2, 2), (2, 0), (1, 2)]).tolist()
    assert layout.row_of([(0, 2), (1, 2), (2, 2)]).sum() == 3


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        ([], "node 0 must have 1 line ends, it has 0"),
        ([(0, 1), (2, 2)], "node 2 must have 4 line ends, it has 2"),
        ([(0, 2), (1, 2)], "node 2 must have 4 line ends, it has 2"),
        ([(0, 2), (1, 2), (2, 2), (2, 2)], "node 2 must have 4 line ends, it has 6"),
        ([(0, 3), (1, 2), (2, 2)], r"\(0, 3\) leaves the nodes 0..2"),
        ([(-1, 1), (0, 2), (2, 2)], "at least 0, got -1"),
        ([(0.0, 2), (1, 2), (2, 2)], "whole number, got 0.0"),
        ([(True, 2), (0, 2), (2, 2)], "whole number, got True"),
        ([(0, 2, 1), (1, 2), (2, 2)], r"pair of node numbers, got \(0, 2, 1\)"),
        (["02", "12", "22"], "pair of node numbers, got '02'"),
    ],
)
def test_row_of_refuses(edges: list[tuple[int, int]], message: str) -> None:
    with pytest.raises(FeynnnError, match=message):
        Layout.of(PHI4, 2, (1,)).row_of(edges)


def test_more_parallel_lines_than_a_byte_holds_are_refused_not_wrapped() -> None:
    def loops(k: int) -> int:
        return int(Layout.of(Theory([Interaction(2 * k, "lam")]), 0, (1,)).row_of([(0, 0)] * k)[0])

    assert loops(127) == 127
    with pytest.raises(FeynnnError, match="128 parallel lines, more than the 127"):
        loops(128)


def test_too_many_legs_or_vertices_are_refused_at_once() -> None:
    with pytest.raises(FeynnnError, match=f"4000000002 legs, more than the {MAX_LEGS}"):
        Layout.of(PHI4, 2, (10**9,))
    with pytest.raises(FeynnnError, match="10000 legs"):
        Layout.of(PHI4, 10_000, (0,))
    with pytest.raises(FeynnnError, match=r"8 vertices have 40320 permutations.*count\(\) gives numbers"):
        list(Layout.of(PHI4, 2, (8,)).permutations())
    with pytest.raises(FeynnnError, match="240 vertices"):
        list(Layout.of(PHI4, 2, (240,)).permutations())


# --- byte strings ----------------------------------------------------------------------------------------------------

ROWS = st.integers(1, 9).flatmap(
    lambda width: st.lists(
        st.lists(st.sampled_from([0, 0, 0, 1, 2, 63, 127]), min_size=width, max_size=width), min_size=1, max_size=8
    )
)


@settings(deadline=None)
@given(ROWS)
def test_keys_compare_as_rows(rows: list[list[int]]) -> None:
    """Trailing zero bytes are dropped by numpy when it reads a key, but must not matter when it compares."""
    keys = as_keys(np.array(rows, dtype=np.int8))
    for a, x in zip(keys, rows, strict=True):
        for b, y in zip(keys, rows, strict=True):
            assert (a == b) == (x == y)
            assert (a > b) == (x > y)
    assert len(np.unique(keys)) == len({tuple(row) for row in rows})


def test_keys_of_rows_without_columns() -> None:
    assert len(np.unique(as_keys(np.zeros((3, 0), dtype=np.int8)))) == 1


def test_keys_of_a_view_that_is_not_contiguous() -> None:
    block = np.arange(24, dtype=np.int8).reshape(4, 6)
    assert as_keys(block[::2, ::-2]).tolist() == [bytes(row) for row in block[::2, ::-2].tolist()]


# --- canonical forms -------------------------------------------------------------------------------------------------


@st.composite
def layouts_with_lines(draw: st.DrawFn) -> tuple[Layout, list[tuple[int, int]]]:
    n, order = draw(
        st.sampled_from(
            [(2, (3, 0, 0, 0)), (3, (1, 2, 0, 0)), (0, (0, 0, 2, 0)), (0, (2, 1, 0, 1)), (1, (1, 1, 1, 0)), (4, (4,))]
        )
    )
    layout = Layout.of(PHI4 if len(order) == 1 else MIXED, n, order)
    legs = [node for node, d in enumerate(layout.degrees) for _ in range(d)]
    legs = legs[: len(legs) // 2 * 2]
    shuffled = draw(st.permutations(legs))
    return layout, [(a, b) for a, b in zip(shuffled[::2], shuffled[1::2], strict=True)]


def _row(layout: Layout, edges: list[tuple[int, int]]) -> np.ndarray[tuple[int, ...], np.dtype[np.int8]]:
    """Row of a partial diagram too: no check of the degrees."""
    row = np.zeros(len(layout.pairs), dtype=np.int8)
    for i, j in edges:
        row[layout.pairs.index((min(i, j), max(i, j)))] += 1
    return row


@settings(deadline=None)
@given(layouts_with_lines(), st.data())
def test_canonical_form_does_not_depend_on_names(
    case: tuple[Layout, list[tuple[int, int]]], data: st.DataObject
) -> None:
    layout, edges = case
    edges = edges[: data.draw(st.integers(0, len(edges)))]
    relabel = data.draw(st.sampled_from(list(layout.permutations())))
    there = [(relabel[i], relabel[j]) for i, j in edges]
    forms, stabilisers = by_permutations(layout, np.stack([_row(layout, edges), _row(layout, there)]))
    assert forms[0].tolist() == forms[1].tolist()
    assert stabilisers[0] == stabilisers[1]
    again, same = by_permutations(layout, forms)
    assert again.tolist() == forms.tolist()
    assert same.tolist() == stabilisers.tolist()

    # the stabiliser and the orbit, by multisets of lines
    def lines(p: tuple[int, ...]) -> frozenset[tuple[frozenset[int], int]]:
        return frozenset(Counter(frozenset((p[i], p[j])) for i, j in edges).items())

    images = Counter(lines(p) for p in layout.permutations())
    assert images[lines(tuple(range(layout.n_nodes)))] == stabilisers[0]
    assert len(images) * int(stabilisers[0]) == layout.group_order


def test_canonical_of_many_rows_is_row_by_row() -> None:
    layout = Layout.of(PHI4, 1, (3,))
    rows = np.random.default_rng(1).integers(0, 3, (40, len(layout.pairs))).astype(np.int8)
    forms, stabilisers = by_permutations(layout, rows)
    for row, form, s in zip(rows, forms, stabilisers, strict=True):
        one, t = by_permutations(layout, row[None])
        assert one[0].tolist() == form.tolist()
        assert t[0] == s
    assert by_permutations(layout, rows[:0])[0].shape == (0, len(layout.pairs))
    assert rows is not forms


@pytest.mark.parametrize(
    ("degree", "order", "n"),
    [(4, 1, 0), (4, 1, 2), (4, 1, 4), (3, 2, 0), (3, 2, 2), ((2, 2), 1, 0), ((2, 2), 1, 2), ((1, 3), 1, 2), (6, 1, 2)],
)
def test_automorphisms_are_the_leg_permutations_that_keep_the_pairing(
    degree: int | tuple[int, ...], order: int, n: int
) -> None:
    """|Aut| by listing every permutation of the legs of the vertices, no formula."""
    layout = Layout.of(Theory([Interaction(degree, "g")]), n, (order,))
    legs_of: list[list[int]] = [[] for _ in range(layout.n_nodes)]
    for leg, node in enumerate(node for node, d in enumerate(layout.degrees) for _ in range(d)):
        legs_of[node].append(leg)
    n_legs = sum(layout.degrees)

    def moves() -> list[list[int]]:
        result = []
        for p in layout.permutations():
            maps = [[-1] * n_legs]
            for node, legs in enumerate(legs_of):
                maps = [
                    [t if i not in legs else target[legs.index(i)] for i, t in enumerate(m)]
                    for m in maps
                    for target in permutations(legs_of[p[node]])
                ]
            result += maps
        return result

    group = moves()
    assert len(group) == layout.relabellings
    rng = np.random.default_rng(2)
    for _ in range(5):
        order_of_legs = rng.permutation(n_legs).tolist()
        pairing = {frozenset(order_of_legs[k : k + 2]) for k in range(0, n_legs, 2)}
        kept = sum({frozenset(m[leg] for leg in pair) for pair in pairing} == pairing for m in group)
        node_of = {leg: node for node, legs in enumerate(legs_of) for leg in legs}
        row = layout.row_of([(node_of[a], node_of[b]) for a, b in (sorted(pair) for pair in pairing)])
        _, stabiliser = by_permutations(layout, row[None])
        assert automorphisms(layout, row, int(stabiliser[0])) == kept


def test_automorphisms_of_a_vertex_with_loops_and_parallel_lines() -> None:
    layout = Layout.of(Theory.parse("lam*f**8"), 0, (1,))
    assert automorphisms(layout, layout.row_of([(0, 0)] * 4), 1) == math.factorial(4) * 2**4
    two = Layout.of(Theory.parse("lam*f**8"), 0, (2,))
    assert automorphisms(two, two.row_of([(0, 1)] * 8), 2) == 2 * math.factorial(8)
