"""Power series and transforms against sums over sets, partitions and Fractions."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import comb, factorial, prod

import pytest
from diagram_oracles import Orders, ZeroDimensional, irreducible
from hypothesis import given, settings
from hypothesis import strategies as st

from feynnn import Interaction, Theory, count
from feynnn.combinatorics import set_partitions
from feynnn.diagrams.generation import Kind
from feynnn.diagrams.series import Lines, Ring, Series, amputated, one_particle_irreducible
from feynnn.errors import ComputationError

PHI3 = Theory.parse("g*f**3")
PHI4 = Theory.parse("lam*f**4")
BOTH = Theory.parse("lam*f**4 + kap*f**6")
ODD = Theory.parse("g*f**3 + lam*f**4")
LOW = Theory.parse("s*f + m*f**2 + g*f**3")
BILOCAL = Theory([Interaction((2, 2), "b"), Interaction(4, "lam")])
POINTS = Theory([Interaction((1, 3), "c"), Interaction((2, 2, 2), "h"), Interaction(3, "g")])

#: An exponential variable and an ordinary one.
MIXED = Ring((3, 2), (True, False))


def coefficients(ring: Ring, x: Series) -> dict[tuple[int, ...], Fraction]:
    """Coefficients of plain monomials."""
    result = {}
    for k, c in x.items():
        a = ring.exponents[k]
        result[a] = Fraction(c, factorial(a[0]))
    return result


@st.composite
def series(draw: st.DrawFn, first: int | None = None, ring: Ring = MIXED) -> Series:
    x = {k: draw(st.integers(-9, 9)) for k in ring.exponents}
    if first is not None:
        x[0] = first
    return {k: c for k, c in x.items() if c}


@given(series(), series())
def test_product(x: Series, y: Series) -> None:
    a, b = coefficients(MIXED, x), coefficients(MIXED, y)
    expected: dict[tuple[int, ...], Fraction] = {}
    for (p, c), (q, d) in product(a.items(), b.items()):
        total = tuple(i + j for i, j in zip(p, q, strict=True))
        if total[0] <= 3 and total[1] <= 2:
            expected[total] = expected.get(total, Fraction(0)) + c * d
    found = coefficients(MIXED, MIXED.times(x, y))
    assert {k: c for k, c in found.items() if c} == {k: c for k, c in expected.items() if c}


@given(series(), series(first=1))
def test_quotient(x: Series, y: Series) -> None:
    assert MIXED.over(MIXED.times(x, y), y) == x
    assert MIXED.plus(MIXED.times(MIXED.over(x, y), y), x, -1) == {}


@given(series(first=0, ring=Ring((5,), (True,))))
def test_exponential_is_the_sum_over_set_partitions(x: Series) -> None:
    """Labelled structures from connected ones; the logarithm leads back."""
    ring = Ring((5,), (True,))
    expected: Series = {}
    for n in range(6):
        total = 0
        for partition in set_partitions(n):
            term = 1
            for block in partition:
                term *= x.get(len(block), 0)
            total += term
        if total:
            expected[n] = total
    assert ring.exp(x) == expected
    assert ring.log(expected) == x


@given(series(first=0, ring=Ring((3, 2), (False, False))))
@settings(max_examples=20, deadline=None)
def test_multisets_and_back(x: Series) -> None:
    """All multisets of connected things, made one kind after the other."""
    ring = Ring((3, 2), (False, False))
    every: Series = {0: 1}
    x = {k: abs(c) for k, c in x.items()}
    for k, number in x.items():
        kind: Series = {}
        m = 0
        while m * k in ring.exponents:
            kind[m * k] = comb(number + m - 1, m)
            m += 1
        every = ring.times(every, kind)
    assert ring.inverse_euler(every) == x


def test_a_ring_may_be_cut_further() -> None:
    ring = Ring((3, 3), (True, True), lambda a: sum(a) <= 3)
    assert sorted(ring.exponents.values()) == sorted(a for a in product(range(4), repeat=2) if sum(a) <= 3)
    x: Series = {ring.code((1, 0)): 1, ring.code((0, 1)): 1}
    cube = ring.times(x, ring.times(x, x))
    # (s + t)^3, each coefficient of s^i t^j times i! j!
    assert {ring.exponents[k]: c for k, c in cube.items()} == dict.fromkeys(((3, 0), (2, 1), (1, 2), (0, 3)), 6)


@given(st.lists(st.integers(-5, 5), min_size=5, max_size=5), st.lists(st.integers(-5, 5), min_size=5, max_size=5))
def test_legendre_transform_inverts(first: list[int], second: list[int]) -> None:
    """J = phi - Gamma'(phi) inverts phi = W'(J), tadpoles included, to second order of one coupling.

    W is J^2/2 and a polynomial with the coupling; Gamma(0) is W at the source where phi vanishes.
    """
    ring = Ring((6, 2), (True, True), lambda a: sum(a) <= 6)
    w: Series = {2: 1}
    for order, numbers in ((1, first), (2, second)):
        for n, c in enumerate(numbers):
            if c:
                w[ring.code((n, order))] = c
    gamma = one_particle_irreducible(ring, w, 4)
    slope = {k - 1: c for k, c in gamma.items() if ring.exponents[k][0]}
    source = ring.plus({1: 1}, slope, -1)
    field: Series = {}
    value: Series = {}
    for m, power in enumerate(ring.divided_powers(source)):
        field = ring.plus(field, ring.times(ring.part(w, m + 1), power))
        value = ring.plus(value, ring.times(ring.part(w, m), power))
    assert {k: c for k, c in field.items() if ring.exponents[k][0] <= 3} == {1: 1}
    assert ring.part(value, 0) == ring.part(gamma, 0)


def test_amputation_divides_by_the_full_lines() -> None:
    ring = Ring((3, 2), (True, True))
    two: Series = {0: 1, ring.code((0, 1)): 5, ring.code((0, 2)): -7}
    star: Series = {ring.code((0, 1)): 3, ring.code((0, 2)): 2}
    three = ring.times(star, ring.times(two, ring.times(two, two)))
    connected = ring.sum_of_parts({2: two, 3: three})
    assert amputated(ring, connected, 3) == star
    proper = amputated(ring, connected, 2)
    assert ring.times(ring.plus({0: 1}, proper, -1), two) == {0: 1}


def test_dressed_lines() -> None:
    """G^6 for 6 lines; with two marked self-loops, G^4 (G - 1)^2 in a ring whose self-loops count nothing."""
    ring = Ring((0, 3, 3), (True, True, False), lambda a: sum(a) <= 3)
    t = ring.code((0, 1, 0))
    line: Series = {0: 1, t: 1}
    for loops in (0, 1, 2):
        expected: Series = {0: 1}
        for k in range(6):
            expected = ring.times(expected, line if k >= loops else {t: 1})
        found = Lines(ring, line, (12,), {}).dressed(ring.code((0, 1, loops)), 1, 0)
        assert found == ring.times({t: 1}, expected)
    # one line, a self-loop that counts the mark: G - 1 + mark
    mark = ring.code((0, 0, 1))
    found = Lines(ring, line, (2,), {mark: 1}).dressed(ring.code((0, 1, 1)), 1, 0)
    assert found == ring.times({t: 1}, {t: 1, mark: 1})


def test_multisets_may_be_virtual() -> None:
    """1 + t + t^2 = (1 - t^3) / (1 - t)."""
    ring = Ring((4,), (False,))
    assert ring.inverse_euler({0: 1, 1: 1, 2: 1}) == {1: 1, 3: -1}


def test_what_is_not_whole_is_an_error() -> None:
    """Rounding it down would hide a bug."""
    with pytest.raises(ComputationError, match="1/2 diagrams or contractions: the count should be whole"):
        list(Ring((2,), (False,)).divided_powers({1: 1}))


# --- through count: exact integrals -----------------------------------------------------------------------------------


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
        sign *= (-i.factor) ** m / Fraction(factorial(m))
    expected: dict[Kind, Fraction] = {
        "all": exact.unnormalised(n)[order],
        "vacuum-free": exact.full(n)[order],
        "connected": exact.connected(n)[order],
        "1PI": irreducible(theory, n, order),
    }
    for kind, value in expected.items():
        assert sign * count(theory, n, order=order, kind=kind).multiplicity == value, kind


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize(
    ("theory", "n", "order"),
    [
        (PHI4, 4, (5,)),
        (PHI4, 6, (5,)),
        (PHI3, 3, (7,)),
        (PHI3, 4, (6,)),
        (BOTH, 4, (3, 2)),
        (BOTH, 6, (2, 2)),
        (ODD, 3, (3, 2)),
        (ODD, 4, (4, 1)),
        (Theory.parse("v*f**5 + kap*f**6"), 3, (3, 2)),
        (Theory([Interaction((2, 2), "b"), Interaction(3, "g")]), 3, (2, 3)),
    ],
    ids=str,
)
def test_exact_scheme_weights_are_tuned_integrals(theory: Theory, n: int, order: Orders, ordered: bool) -> None:
    """The integral with linear and quadratic terms tuned so that <f> = 0 and <f^2> = 1, order by order."""
    theory = Theory(theory.interactions, propagator="exact", normal_ordered=ordered)
    exact = ZeroDimensional.of(theory, order)
    sign = Fraction(1)
    for i, m in zip(theory.interactions, order, strict=True):
        sign *= (-i.factor) ** m / Fraction(factorial(m))
    assert sign * count(theory, n, order=order).multiplicity == exact.full(n)[order]
    connected = exact.connected(n)[order]
    assert sign * count(theory, n, order=order, kind="connected").multiplicity == connected
    assert sign * count(theory, n, order=order, kind="amputated").multiplicity == connected


def test_exact_scheme_anchors() -> None:
    """G4c = -24 lam - 360 kap + 864 lam^2 + 37440 lam kap + 432000 kap^2, G6c = -720 kap + 5760 lam^2 + 302400 lam kap,
    and with g f^3: G3c = -6 g - 216 g^3 + 216 g lam."""

    def coefficient(text: str, n: int, order: Orders) -> Fraction:
        c = count(Theory.parse(text, propagator="exact"), n, order=order, kind="connected")
        return Fraction((-1) ** sum(order) * c.multiplicity, prod(map(factorial, order)))

    both, odd = "lam*f**4 + kap*f**6", "g*f**3 + lam*f**4"
    orders = [(1, 0), (0, 1), (2, 0), (1, 1), (0, 2)]
    assert [coefficient(both, 4, a) for a in orders] == [-24, -360, 864, 37440, 432000]
    assert [coefficient(both, 6, a) for a in orders[:4]] == [0, -720, 5760, 302400]
    assert [coefficient(odd, 3, a) for a in ((1, 0), (3, 0), (1, 1))] == [-6, -216, 216]
    for n, order in product((1, 2), ((1, 0), (2, 0), (1, 2), (2, 1))):
        assert coefficient(odd, n, order) == 0


def product_of(a: list[Fraction], b: list[Fraction]) -> list[Fraction]:
    return [sum((a[k] * b[m - k] for k in range(m + 1)), Fraction(0)) for m in range(len(a))]


@pytest.mark.parametrize(("text", "degree"), [("lam*f**4", 4), ("kap*f**6", 6)])
def test_two_particle_irreducible_vacuum_diagrams_make_the_free_energy(text: str, degree: int) -> None:
    """log Z = log(G)/2 - (G - 1)/2 + Phi(G) at the full G, itself the 2-point function: no derivative is used."""
    top, theory = 9, Theory.parse(text)
    asked: tuple[tuple[int, Kind], ...] = ((0, "connected"), (2, "connected"), (0, "2PI"))
    weight = {(n, kind): [count(theory, n, order=a, kind=kind).weight for a in range(top)] for n, kind in asked}
    line = weight[2, "connected"]
    excess = [Fraction(0), *line[1:]]
    total = [-c / 2 for c in excess]
    power = [Fraction(1)] + [Fraction(0)] * (top - 1)
    for k in range(1, top):
        power = product_of(power, excess)
        total = [t + Fraction((-1) ** (k - 1), 2 * k) * c for t, c in zip(total, power, strict=True)]
    lines = [Fraction(1)] + [Fraction(0)] * (top - 1)
    for a in range(1, top):
        for _ in range(degree // 2):
            lines = product_of(lines, line)
        shifted = [Fraction(0)] * a + [weight[0, "2PI"][a] * c for c in lines[: top - a]]
        total = [t + c for t, c in zip(total, shifted, strict=True)]
    assert total == weight[0, "connected"]


def test_two_particle_irreducible_vacuum_diagrams_of_phi4() -> None:
    """Figure-eight 1/8, basketball 1/48, the ring of three double lines 1/48."""
    found = [count(PHI4, 0, order=a, kind="2PI").weight for a in range(4)]
    assert found == [0, Fraction(1, 8), Fraction(1, 48), Fraction(1, 48)]
    assert count(PHI4, 0, order=1, kind="2PI", self_loops=False).weight == 0
