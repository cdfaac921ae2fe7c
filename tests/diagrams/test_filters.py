"""Kinds, filters and schemes against facts found by cutting lines and nodes."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

import pytest
from diagram_oracles import (
    IN_KIND,
    Facts,
)

from feynnn import DiagramSet, Interaction, Theory, generate
from feynnn.diagrams.generation import KINDS, Kind
from feynnn.errors import InputError

PHI4 = Theory.parse("lam*f**4")
BOTH = Theory.parse("lam*f**4 + kap*f**6")
ODD = Theory.parse("g*f**3 + lam*f**4")
LOW = Theory.parse("s*f + m*f**2 + g*f**3")
BILOCAL = Theory([Interaction((2, 2), "b"), Interaction(4, "lam")])


def total(ds: DiagramSet) -> Fraction:
    return sum((d.coefficient for d in ds), Fraction(0))


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
    if kind == "amputated" and n < 2:
        with pytest.raises(InputError, match="kind='amputated' needs two external points or more, got n=1"):
            generate(theory, n, order=order, kind=kind)
        return
    every = generate(theory, n, order=order, kind="all")
    chosen = [(d, f) for d, f in ((d, Facts.of(d)) for d in every) if IN_KIND[kind](f)]
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
