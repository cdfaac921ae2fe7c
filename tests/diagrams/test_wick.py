"""The brute-force oracle, and the generator against it."""

from __future__ import annotations

import pytest
from diagram_oracles import brute_force, graph_of, same, vertices_of

from feynnn import FeynnnError, Interaction, Theory, generate
from feynnn.diagrams import wick
from feynnn.diagrams.wick import MAX_CONTRACTIONS, contractions

CASES = [
    (Theory.parse("lam*f**4"), 0, (0,)),
    (Theory.parse("lam*f**4"), 6, (0,)),
    (Theory.parse("lam*f**4"), 0, (3,)),
    (Theory.parse("lam*f**4"), 2, (2,)),
    (Theory.parse("lam*f**4"), 4, (2,)),
    (Theory.parse("lam*f**4"), 6, (1,)),
    (Theory.parse("lam*f**4 + kap*f**6"), 2, (1, 1)),
    (Theory.parse("g*f**3 + lam*f**4"), 1, (1, 2)),
    (Theory.parse("g*f**3 + lam*f**4"), 2, (2, 1)),
    (Theory.parse("s*f + m*f**2 + g*f**3"), 1, (2, 3, 1)),
    (Theory([Interaction((2, 2), "b")]), 4, (2,)),
    (Theory([Interaction((2, 2), "b", profile="y**2")]), 2, (2,)),
    (Theory([Interaction((1, 3), "c"), Interaction((2, 2, 2), "h")]), 2, (1, 1)),
    (Theory([Interaction(4, "lam0"), Interaction(4, "lam2", profile="y**2")]), 2, (1, 1)),
]


@pytest.mark.parametrize(("theory", "n", "order"), CASES, ids=str)
def test_generate_finds_every_contraction(theory: Theory, n: int, order: tuple[int, ...]) -> None:
    found = contractions(theory, n, order=order)
    ds = generate(theory, n, order=order, kind="all")
    assert {d: d.multiplicity for d in ds} == found
    assert len(ds) == len(found)
    assert sum(found.values()) == ds.layout.n_contractions
    assert set(generate(theory, n, order=order)) == {d for d in found if d.is_vacuum_free}
    assert set(generate(theory, n, order=order, kind="connected")) == {d for d in found if d.is_connected}
    assert set(generate(theory, n, order=order, kind="1PI")) == {d for d in found if d.is_1pi}


@pytest.mark.parametrize(("n", "order", "total"), [(2, 2, 768), (4, 2, 9504)])
def test_vacuum_free_totals(n: int, order: int, total: int) -> None:
    found = contractions(Theory.parse("lam*f**4"), n, order=order)
    assert sum(number for d, number in found.items() if d.is_vacuum_free) == total


def test_the_oracle_agrees_with_one_that_shares_no_code() -> None:
    theory, order = Theory.parse("lam*f**4"), (2,)
    vertices = vertices_of(theory, order)
    found = contractions(theory, 2, order=order)
    other = brute_force(2, vertices)
    assert len(found) == len(other)
    for d, number in found.items():
        assert [k for graph, k in other if same(graph, graph_of(d, vertices))] == [number]


def test_odd_number_of_legs() -> None:
    assert contractions(Theory.parse("lam*f**4"), 3, order=1) == {}


def test_no_legs() -> None:
    ((d, number),) = contractions(Theory.parse("lam*f**4"), 0, order=0).items()
    assert d.edges == ()
    assert number == 1


@pytest.mark.parametrize("order", [4, 5, 50, 200])
def test_too_many_contractions_are_refused_before_any_work(order: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wick, "pairings", None)
    legs = 4 * order
    with pytest.raises(
        FeynnnError, match=rf"{legs} legs have {legs - 1}!! .*stops at {MAX_CONTRACTIONS}; use generate"
    ):
        contractions(Theory.parse("lam*f**4"), 0, order=order)
