"""Counts without generating: identities between classes and known series, to high order."""

from __future__ import annotations

import math
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from feynnn import Interaction, Theory, count
from feynnn.diagrams.generation import KINDS, Kind

PHI3 = Theory.parse("g*f**3")
PHI4 = Theory.parse("lam*f**4")
BOTH = Theory.parse("lam*f**4 + kap*f**6")
ODD = Theory.parse("g*f**3 + lam*f**4")
TWINS = Theory([Interaction(4, "lam0", "1/24"), Interaction(4, "lam2", -2, profile="y**2")])


# --- identities and known series --------------------------------------------------------------------------------------


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


def test_numbers_of_loopless_regular_multigraphs() -> None:
    """Connected and loopless: OEIS A000421 for degree 3."""
    cubic = [count(PHI3, 0, order=a, kind="connected", self_loops=False).number for a in (2, 4, 6, 8, 10)]
    assert cubic == [1, 2, 6, 20, 91]


def test_vacuum_diagrams_without_insertions_are_two_particle_irreducible() -> None:
    for theory, order in ((PHI4, (5,)), (ODD, (4, 2)), (BOTH, (2, 2))):
        kinds: tuple[Kind, ...] = ("connected", "1PI", "2PI")
        found = {count(theory, 0, order=order, kind=kind, self_energies=False).weight for kind in kinds}
        assert found == {count(theory, 0, order=order, kind="2PI").weight}


def test_two_particle_irreducible_diagrams_with_legs_have_no_insertions() -> None:
    for theory, n, order in ((PHI4, 4, (5,)), (ODD, 3, (1, 3)), (ODD, 4, (2, 4))):
        every = count(theory, n, order=order, kind="2PI")
        assert every.multiplicity > 0
        assert count(theory, n, order=order, kind="2PI", self_energies=False) == every


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 5), st.integers(0, 3), st.integers(0, 3), st.booleans(), st.booleans())
def test_classes_are_nested(n: int, a: int, b: int, self_loops: bool, self_energies: bool) -> None:
    """2PI < 1PI < amputated < connected < vacuum-free < all, and 1PI = connected for a single vertex."""
    kinds: tuple[Kind, ...] = ("2PI", "1PI", "amputated", "connected", "vacuum-free", "all")
    found = [
        count(ODD, n, order=(a, b), kind=kind, self_loops=self_loops, self_energies=self_energies).multiplicity
        for kind in kinds
        if (kind != "amputated" or n >= 2) and (kind != "vacuum-free" or n)
    ]
    assert all(x >= 0 for x in found)
    assert found == sorted(found)
    if a + b == 1:
        assert len(set(found[:-2])) == 1


def test_connected_functions_are_amputated_ones_with_full_legs() -> None:
    """Numbers, in a theory with tadpoles: each leg ends in a whole 2-point function."""
    top = 5
    g2 = [count(PHI3, 2, order=a, kind="connected").number or 0 for a in range(top + 1)]
    bare = [count(PHI3, 3, order=a, kind="amputated").number or 0 for a in range(top + 1)]
    assert bare[:4] == [0, 1, 0, 1]
    for a in range(top + 1):
        dressed = sum(
            bare[b] * g2[i] * g2[j] * g2[a - b - i - j]
            for b in range(a + 1)
            for i in range(a - b + 1)
            for j in range(a - b - i + 1)
        )
        assert dressed == count(PHI3, 3, order=a, kind="connected").number


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
