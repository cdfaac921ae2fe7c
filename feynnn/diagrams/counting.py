"""Counting without generating: numbers by Burnside's lemma, weights from the zero-dimensional theory.

With every propagator set to 1 the sum of 1/|Aut| over all diagrams is a Gaussian moment.  Dividing by the vacuum
diagrams, splitting by the component of the first external point and a Legendre transform then give the vacuum-free,
connected and 1PI sums.  The number of diagrams is the number of orbits of pairings under the permutations of legs
and vertices; since labelled external points tell components apart, the same recursions take it to the other classes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import product
from math import comb, factorial, gcd

from ..combinatorics import double_factorial
from ..errors import ComputationError, InputError
from ..points import whole
from ..theory.action import Order, Theory
from ..theory.interaction import Interaction
from .cycle_index import orbits_of_pairings
from .generation import Kind, check_request

Orders = tuple[int, ...]
Table = Callable[[int, Orders], Fraction]


@dataclass(frozen=True)
class Count:
    """How many diagrams there are.

    Attributes
    ----------
    number : int or None
        Number of diagrams with labelled external points; None where no closed route is implemented (normal-ordered
        theories, and 1PI in theories with odd vertices).
    weight : Fraction
        Sum of 1/|Aut|.
    multiplicity : int
        Number of Wick contractions.
    """

    number: int | None
    weight: Fraction
    multiplicity: int


def count(theory: Theory, n: int, *, order: Order, kind: Kind = "vacuum-free") -> Count:
    """Count the diagrams of a theory at an exact order without generating them.

    Parameters
    ----------
    theory : Theory
        With propagator="free"; a normal-ordered theory has no self-loops.
    n : int
        Number of labelled external points.
    order : dict, tuple or int
        Exact number of vertices of each coupling.
    kind : {"vacuum-free", "all", "connected", "1PI"}
        Class of diagrams, as in `generate`.

    Returns
    -------
    Count

    Raises
    ------
    InputError
        For bad arguments, or in the exact-propagator scheme, whose counterterms this route does not know.
    """
    check_request(theory, n, kind)
    if theory.propagator == "exact":
        raise InputError(
            "count knows the free scheme only; for propagator='exact' use generate(...), whose set has len(), weight "
            "and multiplicity"
        )
    n = whole(n, "n")
    exact = theory.order(order)
    scale = Fraction(1)
    for i, m in zip(theory.interactions, exact, strict=True):
        scale *= factorial(m) * i.symmetry**m
    weight = _ladder(_weights(theory), theory, kind, n, exact, log=_vacuum_log)
    number = None
    if not theory.normal_ordered and (kind != "1PI" or theory.is_even):
        value = _ladder(_numbers(theory), theory, kind, n, exact, log=_vacuum_inverse_euler)
        number = _integer(value)
    return Count(number, weight, _integer(weight * scale))


def _integer(value: Fraction) -> int:
    """Return a whole number as int; a fraction here is a bug that rounding would hide."""
    if value.denominator != 1:
        raise ComputationError(f"{value} diagrams or contractions: the count should be whole")
    return value.numerator


def _ladder(
    everything: Table, theory: Theory, kind: Kind, n: int, order: Orders, *, log: Callable[[Table, Orders], Fraction]
) -> Fraction:
    """Go from all diagrams to the asked class."""

    @cache
    def vacuum_free(k: int, a: Orders) -> Fraction:
        # low orders first, or the recursion is as deep as the order is high
        return everything(k, a) - sum(
            (vacuum_free(k, b) * everything(0, _minus(a, b)) for b in _below(a) if b != a), Fraction(0)
        )

    @cache
    def connected(k: int, a: Orders) -> Fraction:
        if k == 0:
            return log(everything, a)
        # the component of the first external point takes `size` points and order b; the rest is vacuum-free
        rest = Fraction(0)
        for size in range(1, k):
            for b in _below(a):
                rest += comb(k - 1, size - 1) * connected(size, b) * vacuum_free(k - size, _minus(a, b))
        return vacuum_free(k, a) - rest

    if kind == "all":
        return everything(n, order)
    if kind == "vacuum-free":
        return vacuum_free(n, order)
    if kind == "connected":
        return connected(n, order)
    return _one_particle_irreducible(connected, theory, n, order)


def _weights(theory: Theory) -> Table:
    @cache
    def weight(n: int, order: Orders) -> Fraction:
        legs: dict[int, int] = {}
        scale = 1
        for i, m in zip(theory.interactions, order, strict=True):
            scale *= factorial(m) * i.symmetry**m
            for d in i.degree:
                legs[d] = legs.get(d, 0) + m
        return Fraction(_moment(n, tuple(legs.items()), theory.normal_ordered), scale)

    return weight


@cache
def _moment(n: int, legs: tuple[tuple[int, int], ...], normal_ordered: bool) -> int:
    """Return E[f^n prod f^d] for a unit Gaussian, with Hermite polynomials for normal-ordered powers."""
    if not normal_ordered:
        total = n + sum(d * k for d, k in legs)
        return double_factorial(total - 1) if total % 2 == 0 else 0
    polynomial = {n: 1}
    for d, k in legs:
        for _ in range(k):
            new: dict[int, int] = {}
            for power, c in polynomial.items():
                for pairs in range(d // 2 + 1):
                    loops = (-1) ** pairs * factorial(d) // (factorial(pairs) * factorial(d - 2 * pairs) * 2**pairs)
                    key = power + d - 2 * pairs
                    new[key] = new.get(key, 0) + c * loops
            polynomial = new
    return sum(c * double_factorial(p - 1) for p, c in polynomial.items() if p % 2 == 0)


def _numbers(theory: Theory) -> Table:
    @cache
    def number(n: int, order: Orders) -> Fraction:
        vertices: list[tuple[Interaction, int]] = list(zip(theory.interactions, order, strict=True))
        return Fraction(orbits_of_pairings(n, vertices))

    return number


def _vacuum_log(everything: Table, order: Orders) -> Fraction:
    """Return the connected vacuum weight: the logarithm of the series of all vacuum weights."""

    @cache
    def log(a: Orders) -> Fraction:
        lead = _lead(a)
        if lead is None:
            return Fraction(0)
        rest = sum(
            (b[lead] * log(b) * everything(0, _minus(a, b)) for b in _below(a) if b[lead] and b != a), Fraction(0)
        )
        return everything(0, a) - rest / a[lead]

    return log(order)


def _vacuum_inverse_euler(everything: Table, order: Orders) -> Fraction:
    """Return the number of connected vacuum diagrams: multisets of them make all vacuum diagrams (Euler transform)."""

    @cache
    def connected(a: Orders) -> Fraction:
        lead = _lead(a)
        if lead is None:
            return Fraction(0)
        rest = sum(
            (power_sum(b, lead) * everything(0, _minus(a, b)) for b in _below(a) if any(b) and b != a), Fraction(0)
        )
        return (a[lead] * everything(0, a) - rest - repeated(a, lead)) / a[lead]

    def repeated(b: Orders, lead: int) -> Fraction:
        divisors = [d for d in range(2, gcd(*b) + 1) if all(k % d == 0 for k in b)]
        return sum((Fraction(b[lead], d) * connected(tuple(k // d for k in b)) for d in divisors), Fraction(0))

    def power_sum(b: Orders, lead: int) -> Fraction:
        return b[lead] * connected(b) + repeated(b, lead)

    return connected(order)


def _one_particle_irreducible(connected: Table, theory: Theory, n: int, order: Orders) -> Fraction:
    """Return the 1PI sum by the Legendre transform: phi = W'(J), inverted order by order, J = phi - Gamma_int'(phi).

    The series are dictionaries keyed by (power, orders).
    """
    size = sum(order)
    top = max(n - 1, 0) + (0 if theory.is_even else size)
    source = {
        (k, a): connected(k + 1, a) / factorial(k)
        for k in range(top + 1)
        for a in _below(order)
        if any(a) and connected(k + 1, a)
    }
    j: dict[tuple[int, Orders], Fraction] = {}
    phi = {(1, (0,) * len(order)): Fraction(1)}
    for _ in range(size + 1):
        j = _subtract(phi, _compose(source, j or phi, top, order))
    if n == 0:
        # Gamma_int(0) = W(J) at the J that makes phi vanish
        constant = {key: c for key, c in j.items() if key[0] == 0}
        generator = {(0, order): connected(0, order)}
        generator |= {
            (k, a): connected(k, a) / factorial(k)
            for k in range(1, top + 2)
            for a in _below(order)
            if connected(k, a) and (any(a) or k == 2)
        }
        return _compose(generator, constant, top + 1, order).get((0, order), Fraction(0))
    return -j.get((n - 1, order), Fraction(0)) * factorial(n - 1) if any(order) else Fraction(0)


Series = dict[tuple[int, Orders], Fraction]


def _subtract(a: Series, b: Series) -> Series:
    result = dict(a)
    for key, c in b.items():
        result[key] = result.get(key, Fraction(0)) - c
    return {key: c for key, c in result.items() if c}


def _times(a: Series, b: Series, top: int, order: Orders) -> Series:
    result: Series = {}
    for (p, u), c in a.items():
        for (q, v), d in b.items():
            total = tuple(x + y for x, y in zip(u, v, strict=True))
            if p + q <= top and all(x <= y for x, y in zip(total, order, strict=True)):
                key = (p + q, total)
                result[key] = result.get(key, Fraction(0)) + c * d
    return result


def _compose(outer: Series, inner: Series, top: int, order: Orders) -> Series:
    """Return outer(inner), truncated at power `top` and at `order`."""
    result: Series = {}
    power: Series = {(0, (0,) * len(order)): Fraction(1)}
    for k in range(max((key[0] for key in outer), default=-1) + 1):
        layer = {(0, a): c for (q, a), c in outer.items() if q == k}
        for key, c in _times(layer, power, top, order).items():
            result[key] = result.get(key, Fraction(0)) + c
        power = _times(power, inner, top, order)
    return {key: c for key, c in result.items() if c}


def _below(a: Orders) -> Iterator[Orders]:
    return product(*(range(k + 1) for k in a))


def _minus(a: Orders, b: Orders) -> Orders:
    return tuple(x - y for x, y in zip(a, b, strict=True))


def _lead(a: Orders) -> int | None:
    return next((i for i, k in enumerate(a) if k), None)
