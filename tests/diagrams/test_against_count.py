"""Generated sets against `count`, which generates nothing: number and weight of every kind."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import pytest

from feynnn import Theory, generate
from feynnn.diagrams.counting import Count, count
from feynnn.diagrams.diagram_set import Certificate
from feynnn.diagrams.generation import EXTERNAL, KINDS, External, Kind, stream

PHI3 = Theory.parse("g*f**3")
PHI4 = Theory.parse("lam*f**4")
PHI6 = Theory.parse("kap*f**6")
MIXED = Theory.parse("lam*f**4 + kap*f**6")

Case = tuple[Theory, int, tuple[int, ...]]
CASES: list[Case] = [
    *[(PHI4, n, (order,)) for n in (0, 2, 4) for order in range(6)],
    *[(PHI4, 6, (order,)) for order in range(5)],
    *[(PHI6, n, (order,)) for n in (0, 2, 4, 6) for order in range(4)],
    *[(PHI3, n, (order,)) for n in range(5) for order in range(8) if (n + order) % 2 == 0],
    *[(MIXED, n, order) for n in (0, 2, 4) for order in ((1, 1), (2, 1), (1, 2))],
]
HEAVY: list[Case] = [
    *[(PHI4, n, (order,)) for n in (0, 2, 4) for order in (6, 7)],
    (PHI4, 6, (5,)),
    *[(PHI6, n, (4,)) for n in (0, 2, 4, 6)],
    *[(MIXED, n, (3, 2)) for n in (0, 2, 4)],
    (PHI3, 4, (8,)),
]


def kinds(n: int) -> list[Kind]:
    """The kinds that are defined for n external points."""
    return [kind for kind in KINDS if n >= 2 or kind != "amputated"]


def summed(blocks: Iterable[tuple[int, Fraction]]) -> tuple[int, Fraction]:
    """Number and weight of all blocks together."""
    sizes = list(blocks)
    return sum(k for k, _ in sizes), sum((w for _, w in sizes), Fraction(0))


def compare(case: Case, kind: Kind, external: External, found: tuple[int, Fraction], expected: Count) -> bool:
    """Compare the weight, and the number if it is known; return whether it is."""
    number, weight = found
    assert weight == expected.weight, (case, kind, external)
    if expected.number is None:
        return False
    assert number == expected.number, (case, kind, external)
    return True


@pytest.mark.parametrize(
    "case",
    [*CASES, *(pytest.param(case, marks=pytest.mark.slow, id=f"heavy {case}") for case in HEAVY)],
    ids=str,
)
def test_number_and_weight_of_every_kind(case: Case) -> None:
    theory, n, order = case
    compared = set()
    for kind in kinds(n):
        for external in EXTERNAL:
            found = summed((len(b), b.weight) for b in stream(theory, n, order=order, kind=kind, external=external))
            if compare(case, kind, external, found, count(theory, n, order=order, kind=kind, external=external)):
                compared.add((kind, external))
    # what `count` promises to know
    known: list[Kind] = ["all", "vacuum-free", "connected"]
    assert compared >= {(kind, external) for kind in known for external in EXTERNAL}
    if n >= 2:
        assert ("amputated", "labelled") in compared
    if theory is not PHI3:
        assert ("1PI", "labelled") in compared


@pytest.mark.parametrize("scheme", ["no self-loops", "no self-energies", "normal ordered", "exact", "both"])
@pytest.mark.parametrize(
    "case",
    [
        *[(PHI4, n, (order,)) for n in (0, 2, 4) for order in range(6)],
        (PHI4, 6, (4,)),
        *[(PHI6, n, (3,)) for n in (0, 2, 4, 6)],
        *[(PHI3, n, (4 + n % 2,)) for n in range(5)],
        (PHI3, 3, (7,)),
        *[(MIXED, n, (2, 1)) for n in (0, 2, 4)],
    ],
    ids=str,
)
def test_without_self_loops_or_self_energies(case: Case, scheme: str) -> None:
    theory, n, order = case
    theory = Theory(
        theory.interactions,
        propagator="exact" if scheme in ("exact", "both") else "free",
        normal_ordered=scheme in ("normal ordered", "both"),
    )
    for kind in kinds(n):
        if theory.propagator == "exact" and (n == 0 or kind == "all"):
            continue
        loops, insertions = scheme != "no self-loops", scheme != "no self-energies"
        blocks = stream(theory, n, order=order, kind=kind, self_loops=loops, self_energies=insertions)
        expected = count(theory, n, order=order, kind=kind, self_loops=loops, self_energies=insertions)
        compare(case, kind, "labelled", summed((len(b), b.weight) for b in blocks), expected)


def test_what_is_known_stays_known() -> None:
    """The comparisons above are not empty: 2PI diagrams and those of the exact scheme have weights to compare."""
    exact = Theory(PHI4.interactions, propagator="exact")
    assert count(PHI4, 4, order=4, kind="2PI").weight == Fraction(1)
    assert count(exact, 4, order=3, kind="connected").weight > 0
    assert count(PHI4, 4, order=6, kind="connected").number == 10441
    assert count(PHI4, 4, order=7, kind="connected").number == 72314
    assert count(PHI6, 6, order=4, kind="connected").number == 22517


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("external", EXTERNAL)
def test_the_certificate_says_what_was_compared(kind: Kind, external: External) -> None:
    for order in (3, 6):
        expected = count(PHI4, 4, order=order, kind=kind, external=external)
        ds = generate(PHI4, 4, order=order, kind=kind, external=external, certify=True)
        assert ds.certificate == Certificate(number=expected.number is not None, weight=True)
        assert ds.weight == expected.weight
        assert ds.multiplicity == expected.multiplicity
