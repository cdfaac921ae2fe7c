"""Sums of coefficients against exact series of one integral: the theory in zero dimensions, in every scheme."""

from __future__ import annotations

from fractions import Fraction

import pytest
from diagram_oracles import (
    ZeroDimensional,
    irreducible,
)

from feynnn import DiagramSet, Interaction, Theory, generate

PHI4 = Theory.parse("lam*f**4")
BOTH = Theory.parse("lam*f**4 + kap*f**6")
ODD = Theory.parse("g*f**3 + lam*f**4")
LOW = Theory.parse("s*f + m*f**2 + g*f**3")
BILOCAL = Theory([Interaction((2, 2), "b"), Interaction(4, "lam")])
POINTS = Theory([Interaction((1, 3), "c"), Interaction((2, 2, 2), "h"), Interaction(3, "g")])
TWINS = Theory([Interaction(4, "lam0", "1/24"), Interaction(4, "lam2", -2, profile="y**2")])


def total(ds: DiagramSet) -> Fraction:
    return sum((d.coefficient for d in ds), Fraction(0))


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
