"""Fingerprints: equal for equal diagrams, whatever their vertices are called; different for most others."""

from __future__ import annotations

import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feynnn import Diagram, Interaction, Theory, generate
from feynnn.diagrams import lookup
from feynnn.diagrams.layout import Layout, Rows
from feynnn.diagrams.lookup import fingerprints

PHI3 = Theory.parse("g*f**3")
PHI4 = Theory.parse("lam*f**4")

CASES: list[tuple[Theory, int, tuple[int, ...]]] = [
    (PHI4, 4, (4,)),
    (PHI4, 0, (3,)),
    (PHI3, 3, (5,)),
    (Theory.parse("a*f**4 + b*f**4"), 2, (2, 1)),
    (Theory.parse("s*f + m*f**2 + g*f**3"), 1, (2, 1, 3)),
    (Theory([Interaction((2, 2), "b"), Interaction(4, "lam")]), 2, (2, 1)),
    (Theory([Interaction((1, 3), "c")]), 2, (2,)),
]


def random_rows(layout: Layout, number: int, rng: np.random.Generator) -> Rows:
    """Pair all legs at random."""
    legs = [node for node, d in enumerate(layout.degrees) for _ in range(d)]
    return np.array([layout.row_of(_pairs(rng.permutation(legs))) for _ in range(number)], dtype=np.int8)


def _pairs(legs: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> list[tuple[int, int]]:
    return [(int(min(a, b)), int(max(a, b))) for a, b in legs.reshape(-1, 2)]


def relabelled(layout: Layout, rows: Rows, labels: list[int]) -> Rows:
    names = np.array([*labels, *range(layout.n, layout.n_nodes)])
    first, second = layout.pair_arrays
    return rows[:, layout.column[names[first], names[second]]]


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(CASES), st.integers(0, 2**32))
def test_names_of_vertices_and_points_do_not_matter(case: tuple[Theory, int, tuple[int, ...]], seed: int) -> None:
    theory, n, order = case
    layout, rng = Layout.of(theory, n, order), np.random.default_rng(seed)
    rows = random_rows(layout, 6, rng)
    maps = layout.column_maps
    for labelled in (True, False):
        known = fingerprints(layout, rows, labelled=labelled)
        assert known.shape == (6,)
        for columns in maps[rng.integers(len(maps), size=5)]:
            np.testing.assert_array_equal(fingerprints(layout, rows[:, columns], labelled=labelled), known)


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(CASES), st.integers(0, 2**32))
def test_labels_matter_only_where_points_have_names(case: tuple[Theory, int, tuple[int, ...]], seed: int) -> None:
    theory, n, order = case
    layout, rng = Layout.of(theory, n, order), np.random.default_rng(seed)
    rows = random_rows(layout, 6, rng)
    moved = relabelled(layout, rows, rng.permutation(n).tolist())
    here, there = (fingerprints(layout, some, labelled=False) for some in (rows, moved))
    np.testing.assert_array_equal(here, there)
    with_names = [fingerprints(layout, some, labelled=True) for some in (rows, moved)]
    keys = [[Diagram.from_edges(theory, n, order, _edges(layout, row)).key for row in some] for some in (rows, moved)]
    equal = [a == b for a, b in zip(*keys, strict=True)]
    # equal diagrams share one; that different ones differ is likely, not certain
    assert all(a == b for a, b, e in zip(*with_names, equal, strict=True) if e)


def _edges(layout: Layout, row: Rows) -> list[tuple[int, int]]:
    return [pair for pair, k in zip(layout.pairs, row.tolist(), strict=True) for _ in range(int(k))]


@pytest.mark.parametrize(
    ("theory", "n", "order", "share"),
    [
        (PHI4, 4, 4, 0.99),
        (PHI4, 4, 6, 0.99),
        (PHI4, 2, 5, 0.99),
        (PHI3, 3, 5, 0.99),
        (PHI4, 0, 6, 0.9),
        (PHI3, 0, 8, 0.6),
    ],
)
def test_most_different_diagrams_differ(theory: Theory, n: int, order: int, share: float) -> None:
    ds = generate(theory, n, order=order, kind="connected")
    assert len(set(fingerprints(ds.layout, ds.rows, labelled=True).tolist())) >= share * len(ds)


def test_external_points_with_and_without_names() -> None:
    """The three exchange channels have the same lines up to labels."""
    ds = generate(PHI3, 4, order=2, kind="connected")
    assert len(ds) == 3
    assert len(set(fingerprints(ds.layout, ds.rows, labelled=True).tolist())) == 3
    assert len(set(fingerprints(ds.layout, ds.rows, labelled=False).tolist())) == 1


def test_points_of_one_vertex_belong_together() -> None:
    """Two diagrams with the same lines between points, which differ by the points that share a vertex."""
    theory = Theory([Interaction((2, 2), "b")])
    layout = Layout.of(theory, 0, (2,))
    rows = np.array(
        [layout.row_of([(0, 1)] * 2 + [(2, 3)] * 2), layout.row_of([(0, 2)] * 2 + [(1, 3)] * 2)], dtype=np.int8
    )
    assert len(set(fingerprints(layout, rows, labelled=True).tolist())) == 2


def test_the_prism_and_k33_share_a_fingerprint_and_are_told_apart() -> None:
    """Regular graphs of one degree look alike to neighbours of neighbours; comparison of the few is exact."""
    ds = generate(PHI3, 0, order=6, kind="connected")
    prism = Diagram.from_edges(PHI3, 0, 6, list(networkx.circular_ladder_graph(3).edges))
    bipartite = Diagram.from_edges(PHI3, 0, 6, list(networkx.complete_bipartite_graph(3, 3).edges))
    rows = np.array([prism.row, bipartite.row])
    assert len(set(fingerprints(ds.layout, rows, labelled=True).tolist())) == 1
    assert prism in ds
    assert bipartite in ds
    assert ds.index(prism) != ds.index(bipartite)
    assert ds[ds.index(prism)].symmetry_factor == 12
    assert ds[ds.index(bipartite)].symmetry_factor == 72


def test_chunks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    ds = generate(PHI4, 4, order=4)
    known = fingerprints(ds.layout, ds.rows, labelled=True)
    monkeypatch.setattr(lookup, "_CHUNK", 7)
    np.testing.assert_array_equal(fingerprints(ds.layout, ds.rows, labelled=True), known)
    assert fingerprints(ds.layout, ds.rows[:0], labelled=True).shape == (0,)
    assert fingerprints(ds.layout, ds.rows[:0], labelled=True).dtype == known.dtype


def test_diagrams_without_vertices_or_points() -> None:
    ds = generate(PHI4, 4, order=0)
    assert len(set(fingerprints(ds.layout, ds.rows, labelled=True).tolist())) == 3
    assert len(set(fingerprints(ds.layout, ds.rows, labelled=False).tolist())) == 1
    empty = generate(PHI4, 0, order=0)
    assert empty[0] in empty
