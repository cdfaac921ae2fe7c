"""Counts without generating: reference file, exact integrals, identities to high order, and against generated sets."""

from __future__ import annotations

import inspect
import json
import math
import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from diagram_oracles import Orders, ZeroDimensional, irreducible

from feynnn import FeynnnError, Interaction, Theory, count, generate
from feynnn.diagrams import counting, generation
from feynnn.diagrams.counting import Count
from feynnn.diagrams.cycle_index import orbits_of_pairings
from feynnn.diagrams.generation import KINDS, Kind
from feynnn.errors import ComputationError

PHI3 = Theory.parse("g*f**3")
PHI4 = Theory.parse("lam*f**4")
BOTH = Theory.parse("lam*f**4 + kap*f**6")
ODD = Theory.parse("g*f**3 + lam*f**4")
LOW = Theory.parse("s*f + m*f**2 + g*f**3")
BILOCAL = Theory([Interaction((2, 2), "b"), Interaction(4, "lam")])
POINTS = Theory([Interaction((1, 3), "c"), Interaction((2, 2, 2), "h"), Interaction(3, "g")])
SPLIT = Theory([Interaction((2, 2), "b", profile="y**2"), Interaction(4, "lam")])
TWINS = Theory([Interaction(4, "lam0", "1/24"), Interaction(4, "lam2", -2, profile="y**2")])

REFERENCE: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "reference" / "diagram_counts.json").read_text()
)["data"]
NAMES: dict[str, Kind] = {"all": "all", "vacuum_free": "vacuum-free", "connected": "connected", "one_pi": "1PI"}


@pytest.mark.parametrize("key", REFERENCE)
def test_reference_counts(key: str) -> None:
    n, a, b = map(int, key.split(","))
    for ordered in (False, True):
        theory = Theory.parse("lam/24*f**4 + kap/720*f**6", normal_ordered=ordered)
        for name, kind in NAMES.items():
            entry = REFERENCE[key][name + ("_noself" if ordered else "")]
            c = count(theory, n, order=(a, b), kind=kind)
            assert (c.weight, c.multiplicity) == (Fraction(entry["sum"]), entry["wick"]), name
            assert c.number == (None if ordered else entry["count"]), name
            assert isinstance(c.weight, Fraction)
            assert isinstance(c.multiplicity, int)


COMPARED: list[tuple[Theory, int, Orders]] = [
    (PHI3, 0, (4,)),
    (PHI3, 1, (5,)),
    (PHI3, 3, (3,)),
    (PHI4, 0, (4,)),
    (PHI4, 2, (4,)),
    (PHI4, 4, (3,)),
    (PHI4, 6, (2,)),
    (BOTH, 0, (2, 2)),
    (BOTH, 2, (1, 2)),
    (BOTH, 4, (2, 1)),
    (ODD, 0, (4, 1)),
    (ODD, 1, (3, 1)),
    (ODD, 2, (2, 2)),
    (ODD, 3, (3, 1)),
    (LOW, 0, (2, 2, 2)),
    (LOW, 1, (2, 2, 1)),
    (LOW, 2, (1, 2, 1)),
    (LOW, 3, (3, 1, 2)),
    (BILOCAL, 0, (2, 1)),
    (BILOCAL, 4, (1, 1)),
    (BILOCAL, 2, (2, 0)),
    (POINTS, 1, (1, 0, 1)),
    (POINTS, 0, (2, 1, 0)),
    (POINTS, 2, (0, 1, 0)),
    (SPLIT, 2, (2, 0)),
    (SPLIT, 4, (1, 1)),
    (TWINS, 2, (2, 1)),
    (TWINS, 4, (1, 1)),
    (PHI4, 3, (2,)),
    (Theory([Interaction((1, 1), "b"), Interaction(3, "g")]), 2, (2, 2)),
]


@pytest.mark.parametrize(("theory", "n", "order"), COMPARED, ids=str)
def test_counts_are_those_of_the_generated_sets(theory: Theory, n: int, order: Orders) -> None:
    for ordered in (False, True):
        theory = Theory(theory.interactions, normal_ordered=ordered)
        for kind in KINDS:
            ds, c = generate(theory, n, order=order, kind=kind), count(theory, n, order=order, kind=kind)
            assert (c.weight, c.multiplicity) == (ds.weight, ds.multiplicity), kind
            if ordered or (kind == "1PI" and not theory.is_even):
                assert c.number is None
            else:
                assert c.number == len(ds), kind


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize(
    ("theory", "n", "order"),
    [
        (PHI4, 0, (6,)),
        (PHI4, 2, (6,)),
        (PHI4, 4, (6,)),
        (PHI4, 8, (5,)),
        (PHI3, 1, (7,)),
        (PHI3, 0, (8,)),
        (PHI3, 5, (5,)),
        (BOTH, 4, (3, 2)),
        (BOTH, 6, (2, 2)),
        (ODD, 3, (3, 2)),
        (LOW, 2, (2, 3, 2)),
        (BILOCAL, 4, (2, 2)),
        (POINTS, 2, (2, 1, 2)),
    ],
    ids=str,
)
def test_weights_are_exact_integrals(theory: Theory, n: int, order: Orders, ordered: bool) -> None:
    """Beyond the orders that can be generated: coefficients of the zero-dimensional theory in each class."""
    theory = Theory(theory.interactions, normal_ordered=ordered)
    exact = ZeroDimensional.of(theory, order)
    sign = Fraction(1)
    for i, m in zip(theory.interactions, order, strict=True):
        sign *= (-i.factor) ** m / Fraction(math.factorial(m))
    expected: dict[Kind, Fraction] = {
        "all": exact.unnormalised(n)[order],
        "vacuum-free": exact.full(n)[order],
        "connected": exact.connected(n)[order],
        "1PI": irreducible(theory, n, order),
    }
    for kind, value in expected.items():
        assert sign * count(theory, n, order=order, kind=kind).multiplicity == value, kind


def test_all_contractions_are_gaussian_moments() -> None:
    for a in range(8):
        legs = 4 + 4 * a
        assert count(PHI4, 4, order=a, kind="all").multiplicity == math.prod(range(1, legs, 2))


def test_connected_vacuum_series_of_the_quartic_integral() -> None:
    """log Z of exp(-f^2/2 - lam f^4): 3, 48, 1584, 78336, ... (weights times m! 24^m / m!)."""
    series = [-3, 48, -1584, 78336]
    for a, c in enumerate(series, start=1):
        found = count(PHI4, 0, order=a, kind="connected")
        assert Fraction(found.multiplicity * (-1) ** a, math.factorial(a)) == c


def test_numbers_of_regular_multigraphs() -> None:
    """Vacuum diagrams are regular multigraphs with loops: OEIS A129429, A085549 (connected), A129427, A005967."""
    assert [count(PHI4, 0, order=a, kind="all").number for a in range(1, 7)] == [1, 3, 7, 20, 56, 187]
    assert [count(PHI4, 0, order=a, kind="connected").number for a in range(1, 9)] == [1, 2, 4, 10, 28, 97, 359, 1635]
    assert [count(PHI3, 0, order=a, kind="all").number for a in (2, 4, 6, 8)] == [2, 8, 31, 140]
    assert [count(PHI3, 0, order=a, kind="connected").number for a in (2, 4, 6, 8)] == [2, 5, 17, 71]


def test_derivative_of_the_vacuum_diagrams_by_the_propagator() -> None:
    """Cutting each of the 2a lines of a connected vacuum diagram, in two directions, gives the 2-point function."""
    for a in range(1, 8):
        vacuum = count(PHI4, 0, order=a, kind="connected").weight
        assert count(PHI4, 2, order=a, kind="connected").weight == 2 * (2 * a) * vacuum


def test_two_point_function_is_the_geometric_series_of_its_irreducible_part() -> None:
    """Numbers, not only weights: connected = sum of chains of 1PI, since chains have two different ends."""
    top = 7
    connected = [count(PHI4, 2, order=a, kind="connected").number or 0 for a in range(top)]
    irreducible_part = [count(PHI4, 2, order=a, kind="1PI").number or 0 for a in range(top)]
    assert connected[:5] == [1, 1, 3, 10, 39]
    assert irreducible_part[:4] == [0, 1, 2, 5]
    for a in range(1, top):
        assert connected[a] == sum(irreducible_part[b] * connected[a - b] for b in range(1, a + 1))


def test_full_four_point_numbers_from_connected_ones() -> None:
    """G4 = G4c + three products of G2: labelled points tell the factors apart."""
    for a in range(6):
        g2 = [count(PHI4, 2, order=b, kind="connected").number or 0 for b in range(a + 1)]
        pairs = sum(g2[b] * g2[a - b] for b in range(a + 1))
        connected = count(PHI4, 4, order=a, kind="connected").number or 0
        assert count(PHI4, 4, order=a).number == connected + 3 * pairs


def test_connected_four_point_numbers_to_eight_vertices() -> None:
    """The last one from another generator, the others also generated, up to five vertices in these tests."""
    numbers = [count(PHI4, 4, order=a, kind="connected").number for a in (0, 1, 2, 3, 4, 5, 6, 8)]
    assert numbers == [0, 1, 7, 42, 255, 1592, 10441, 531606]


def test_couplings_add_up() -> None:
    """lam0 f^4 + lam2 f^4 with unit profiles is (lam0 + lam2) f^4: contractions follow the binomial theorem."""
    for kind in KINDS:
        whole = count(PHI4, 4, order=4, kind=kind).multiplicity
        for k in range(5):
            split = count(TWINS, 4, order=(k, 4 - k), kind=kind).multiplicity
            assert split == whole


def test_nothing_is_generated_and_little_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count work: one Burnside sum for each number of points and order, whatever the number of diagrams."""
    calls: list[tuple[int, int]] = []

    def counted(n: int, vertices: Sequence[tuple[Interaction, int]]) -> int:
        calls.append((n, sum(m for _, m in vertices)))
        return orbits_of_pairings(n, vertices)

    def forbidden(*_: Any, **__: Any) -> Any:
        raise AssertionError("count must not generate")

    monkeypatch.setattr(counting, "orbits_of_pairings", counted)
    monkeypatch.setattr(generation, "contract_all", forbidden)
    monkeypatch.setattr(generation, "blocks", forbidden)
    assert count(PHI4, 4, order=6, kind="connected").number == 10441
    assert len(calls) == len(set(calls)) <= 5 * 7


def test_a_count_that_is_not_whole_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounding it down would hide a bug."""
    monkeypatch.setattr(counting, "orbits_of_pairings", lambda n, vertices: Fraction(7, 2))
    with pytest.raises(ComputationError, match="7/2 diagrams or contractions"):
        count(PHI4, 4, order=1, kind="all")


def test_high_orders_do_not_recurse_deeply() -> None:
    """Each order builds on lower ones already known, so the depth does not grow."""

    def one(n: int, order: Orders) -> Fraction:
        return Fraction(1)

    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 100)
    try:
        assert counting._ladder(one, PHI4, "vacuum-free", 2, (150,), log=counting._vacuum_log) == 0
        assert counting._ladder(one, PHI4, "connected", 2, (60,), log=counting._vacuum_log) == 0
    finally:
        sys.setrecursionlimit(limit)


@pytest.mark.parametrize("kind", KINDS)
def test_odd_number_of_legs(kind: Kind) -> None:
    c = count(PHI4, 3, order=2, kind=kind)
    assert c == Count(0, Fraction(0), 0)
    assert count(PHI3, 2, order=3, kind=kind).multiplicity == 0


def test_free_theory() -> None:
    assert [count(PHI4, n, order=0).number for n in range(7)] == [1, 0, 1, 0, 3, 0, 15]
    kinds: tuple[Kind, ...] = ("all", "vacuum-free", "connected", "1PI")
    assert [count(PHI4, 2, order=0, kind=k).number for k in kinds] == [1, 1, 1, 0]
    assert [count(PHI4, 0, order=0, kind=k).number for k in kinds] == [1, 1, 0, 0]


def test_the_exact_scheme_is_refused_with_the_remedy() -> None:
    exact = Theory(PHI4.interactions, propagator="exact")
    with pytest.raises(FeynnnError, match=r"count knows the free scheme only; .* use generate\(...\)"):
        count(exact, 4, order=1)
    with pytest.raises(FeynnnError, match="without vacuum components"):
        count(exact, 0, order=1)


@pytest.mark.parametrize(
    ("theory", "n", "options", "message"),
    [
        (PHI4, 4, {"order": {"kap": 1}}, "unknown coupling 'kap'"),
        (PHI4, 4, {"order": -1}, "at least 0"),
        (PHI4, 4, {"order": 0.5}, "whole number"),
        (BOTH, 4, {"order": 1}, "ambiguous for the couplings lam, kap"),
        (PHI4, 4.0, {"order": 1}, "n must be a whole number"),
        (PHI4, -1, {"order": 1}, "n must be at least 0"),
        (PHI4, 4, {"order": 1, "kind": "tree"}, "kind must be one of"),
    ],
)
def test_refusals(theory: Theory, n: int, options: dict[str, Any], message: str) -> None:
    with pytest.raises(FeynnnError, match=message):
        count(theory, n, **options)
