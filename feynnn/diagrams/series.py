"""Power series in the source and the couplings, and the way through them from all diagrams to a class of diagrams.

A series is a dictionary of whole numbers.  Where vertices or external points are labelled its variable is exponential
(the coefficient of t^k / k! is held), so that sums of Wick contractions stay whole; where they are not it is ordinary.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from copy import copy
from itertools import product
from math import factorial, gcd, prod

from ..errors import ComputationError

#: Coefficients keyed by the packed exponents of a monomial; zeros are left out.
Series = dict[int, int]
Orders = tuple[int, ...]

#: Bits for the exponent of each variable in a packed monomial.
BITS = 16
MASK = (1 << BITS) - 1


class Ring:
    """Power series cut at an order.

    Parameters
    ----------
    top : tuple of int
        Largest exponent of each variable; the first one is the source (or the mean field) of external points.
    exponential : tuple of bool
        Which variables have coefficients of t^k / k!.
    keep : callable, optional
        Which exponents to keep besides; if it drops a monomial it must drop its multiples.
    """

    def __init__(
        self, top: Orders, exponential: tuple[bool, ...], keep: Callable[[Orders], bool] = lambda a: True
    ) -> None:
        exponents = sorted((a for a in product(*(range(t + 1) for t in top)) if keep(a)), key=sum)
        self.exponents: dict[int, Orders] = {self.code(a): a for a in exponents}
        self._degree: dict[int, int] = {}
        self._factorial: dict[int, int] = {}
        for k, a in self.exponents.items():
            labelled = [e for e, is_exponential in zip(a, exponential, strict=True) if is_exponential]
            self._degree[k] = sum(labelled)
            self._factorial[k] = prod(map(factorial, labelled))
        whole = prod(factorial(t) for t, is_exponential in zip(top, exponential, strict=True) if is_exponential)
        self._square = whole**2
        self._scale = {k: whole // f for k, f in self._factorial.items()}
        self._order = {k: sum(a[1:]) for k, a in self.exponents.items()}
        self._highest = max(self._order.values())

    def up_to(self, order: int) -> Ring:
        """Return the same ring with products of no higher order in all variables but the source."""
        low = copy(self)
        low._highest = order
        return low

    @staticmethod
    def code(a: Orders) -> int:
        """Return the packed exponents."""
        return sum(e << BITS * i for i, e in enumerate(a))

    def plus(self, x: Series, y: Series, factor: int = 1) -> Series:
        """Return x + factor y."""
        result = dict(x)
        for k, c in y.items():
            result[k] = result.get(k, 0) + factor * c
        return {k: c for k, c in result.items() if c}

    def times(self, x: Series, y: Series) -> Series:
        """Return the product."""
        if x == {0: 1}:
            return y
        factors, scale, order = self._factorial, self._scale, self._order
        # by order, so that most products beyond the highest one are not even looked at
        right = sorted((order[j], j, d * scale[j]) for j, d in y.items())
        orders = [o for o, _, _ in right]
        result: Series = {}
        for i, c in x.items():
            left = c * scale[i]
            for _, j, d in right[: bisect_right(orders, self._highest - order[i])]:
                k = i + j
                if k in factors:
                    result[k] = result.get(k, 0) + left * d
        return {k: c * factors[k] // self._square for k, c in result.items() if c}

    def over(self, x: Series, y: Series) -> Series:
        """Return the quotient by a series that starts with 1."""
        factors, scale = self._factorial, self._scale
        right = [(j, d * scale[j]) for j, d in y.items() if j]
        known: Series = {}
        result: Series = {}
        for k in self.exponents:
            c = x.get(k, 0) - known.get(k, 0) * factors[k] // self._square
            if c:
                result[k] = c
                left = c * scale[k]
                for j, d in right:
                    if k + j in factors:
                        known[k + j] = known.get(k + j, 0) + left * d
        return result

    def log(self, x: Series) -> Series:
        """Return the logarithm of a series that starts with 1: labelled diagrams to connected ones."""
        slope = {k: c * self._degree[k] for k, c in x.items() if self._degree[k]}
        return {k: _exact(c, self._degree[k]) for k, c in self.over(slope, x).items()}

    def exp(self, x: Series) -> Series:
        """Return the exponential of a series without constant term."""
        result: Series = {}
        for power in self.divided_powers(x):
            result = self.plus(result, power)
        return result

    def divided_powers(self, x: Series) -> Iterator[Series]:
        """Yield 1, x, x^2 / 2!, x^3 / 3!, ... while they are not zero; x has no constant term."""
        power: Series = {0: 1}
        m = 0
        while power:
            yield power
            m += 1
            power = {k: _exact(c, m) for k, c in self.times(power, x).items()}

    def inverse_euler(self, x: Series) -> Series:
        """Return the connected parts of unlabelled diagrams: multisets of them make all (the Euler transform)."""
        total = {k: sum(a) for k, a in self.exponents.items()}
        result: Series = {}
        sums = self.over({k: c * total[k] for k, c in x.items() if k}, x)
        for k, a in self.exponents.items():
            c = sums.get(k, 0)
            for d in range(2, gcd(*a) + 1):
                if all(e % d == 0 for e in a):
                    part = self.code(tuple(e // d for e in a))
                    c -= total[part] * result.get(part, 0)
            if c:
                result[k] = _exact(c, total[k])
        return result

    def part(self, x: Series, n: int) -> Series:
        """Return the coefficient of the n-th power of the source, a series in the other variables."""
        return {k - n: c for k, c in x.items() if k & MASK == n}

    def sum_of_parts(self, parts: dict[int, Series]) -> Series:
        """Return the series with these coefficients of powers of the source."""
        return {k + n: c for n, x in parts.items() for k, c in x.items() if k + n in self.exponents}


def _exact(c: int, d: int) -> int:
    """Return c / d; a remainder here is a bug that rounding would hide."""
    if c % d:
        raise ComputationError(f"{c}/{d} diagrams or contractions: the count should be whole")
    return c // d


def one_particle_irreducible(ring: Ring, connected: Series, n: int) -> Series:
    """Return the 1PI series up to n external points: the Legendre transform Gamma_int of the connected one, W.

    J = phi - Gamma_int'(phi) inverts phi = W'(J), here about the J_0 that makes phi vanish.  W starts with J^2/2 and
    must hold as many more powers of J as J_0 has orders.
    """
    top = max(k & MASK for k in ring.exponents)
    w = [ring.part(connected, k) for k in range(top + 1)]
    source: Series = {}
    while True:
        error = _shifted(ring, w[1:], source)
        if not error:
            break
        source = ring.plus(source, error, -1)
    d = [_shifted(ring, w[k:], source) for k in range(n + 1)]
    parts = {0: d[0], 1: {k: -c for k, c in source.items()}}
    # j = J - J_0, each round right to one more power of phi
    phi = {1: 1}
    j: Series = {}
    for _ in range(n - 1):
        bent: Series = {}
        for m, power in enumerate(ring.divided_powers(j)):
            if 2 <= m < n:
                bent = ring.plus(bent, ring.times(d[m + 1], power))
        j = ring.over(ring.plus(phi, bent, -1), d[2])
    for k in range(2, n + 1):
        parts[k] = ring.plus(ring.part(phi, k - 1), ring.part(j, k - 1), -1)
    return ring.sum_of_parts({k: x for k, x in parts.items() if k <= n})


def _shifted(ring: Ring, w: list[Series], source: Series) -> Series:
    """Return the sum of w_m source^m / m!."""
    result: Series = {}
    for x, power in zip(w, ring.divided_powers(source), strict=False):
        result = ring.plus(result, ring.times(x, power))
    return result


def amputated(ring: Ring, connected: Series, n: int) -> Series:
    """Return the diagrams with n >= 2 external points and bare legs: C_n = A_n C_2^n, C_2 = 1 / (1 - A_2)."""
    two = ring.part(connected, 2)
    if n == 2:
        return ring.plus({0: 1}, ring.over({0: 1}, two), -1)
    result = ring.part(connected, n)
    for _ in range(n):
        result = ring.over(result, two)
    return result


class Lines:
    """Products of a line's series G, with E for each line from a point to itself.

    Parameters
    ----------
    ring : Ring
        Its last variable marks self-loops; it is absent (exponent 0) where they count as any line.
    line : Series
        G, which starts with 1.
    legs : tuple of int
        Number of legs of each vertex.
    self_loop : Series
        What a self-loop counts when G = 1: the ring's mark, or zero.
    """

    def __init__(self, ring: Ring, line: Series, legs: tuple[int, ...], self_loop: Series) -> None:
        self.ring, self.line, self.legs = ring, line, legs
        # normal ordering takes 1 - self_loop from G; all lines together have their powers of G already
        removed = ring.plus({0: 1}, self_loop, -1)
        self._loop = ring.plus({0: 1}, ring.over(removed, line), -1)
        self._powers: dict[tuple[int, int], Series] = {(0, 0): {0: 1}}

    def dressed(self, k: int, c: int, n: int) -> Series:
        """Return the term c of diagrams with n external legs, at packed exponents k, with G on every line."""
        a = self.ring.exponents[k]
        ends = n + sum(d * m for d, m in zip(self.legs, a[1:-1], strict=True))
        bare = self.ring.code((*a[:-1], 0))
        return self.ring.times({bare: c}, self._power(ends // 2, a[-1]))

    def _power(self, lines: int, loops: int) -> Series:
        if (lines, loops) not in self._powers:
            low = (lines, loops - 1) if loops else (lines - 1, 0)
            factor = self._loop if loops else self.line
            self._powers[lines, loops] = self.ring.times(self._power(*low), factor)
        return self._powers[lines, loops]


def without_self_energies(ring: Ring, connected: Series, n: int, legs: tuple[int, ...]) -> Series:
    """Return the connected diagrams with 1 to n external points, without self-energies and tadpoles.

    They are those of the theory with a linear counterterm and a bare line G, tuned so that <f> = 0 and <f^2> = 1.
    Without self-loops normal ordering is with respect to the tuned line.
    """
    linear: Series = {}
    line: Series = {0: 1}
    for order in range(1, max(sum(a[1:]) for a in ring.exponents.values()) + 1):
        # to lowest order both counterterms shift what they tune by themselves
        low = ring.up_to(order)
        mean = _with_counterterms(low, connected, 1, linear, line, legs)
        excess = ring.plus(_with_counterterms(low, connected, 2, linear, line, legs), {0: 1}, -1)
        linear = ring.plus(linear, mean, -1)
        line = ring.plus(line, excess, -1)
    higher = {k: _with_counterterms(ring, connected, k, linear, line, legs) for k in range(3, n + 1)}
    return ring.sum_of_parts({2: {0: 1}} | higher)


def _with_counterterms(
    ring: Ring, connected: Series, n: int, linear: Series, line: Series, legs: tuple[int, ...]
) -> Series:
    """Return the connected n-point function with a source `linear` and bare lines `line`."""
    lines = Lines(ring, line, legs, {})
    result: Series = {}
    for m, power in enumerate(ring.divided_powers(linear)):
        dressed: Series = {}
        for k, c in ring.part(connected, n + m).items():
            for i, d in lines.dressed(k, c, n + m).items():
                dressed[i] = dressed.get(i, 0) + d
        result = ring.plus(result, ring.times(power, dressed))
    return result


def two_particle_irreducible(ring: Ring, gamma: Series, n: int, legs: tuple[int, ...]) -> Series:
    """Return the 2PI diagrams up to n external points from the 1PI series up to n + 2.

    Gamma_int = ext_G { log(G)/2 - (G - 1)/2 + Phi(phi, G) }: the full line is G = 1/(1 - Gamma_int''), and since the
    right side is stationary in G, counting vertices in Gamma_int is counting them in Phi, with G on every line.
    """
    second = {k - 2: c for k, c in gamma.items() if k & MASK >= 2}
    mark: Series = {k: 1 for k, a in ring.exponents.items() if sum(a) == a[-1] == 1}
    lines = Lines(ring, ring.over({0: 1}, ring.plus({0: 1}, second, -1)), legs, mark)
    vertices = {k: sum(a[1:-1]) for k, a in ring.exponents.items()}
    left: Series = {k: vertices[k] * c for k, c in gamma.items() if k & MASK <= n}
    result: Series = {}
    for k in sorted((k for k, a in ring.exponents.items() if a[0] <= n), key=vertices.__getitem__):
        c = left.get(k, 0)
        if c:
            result[k] = _exact(c, vertices[k])
            # external legs are no lines here
            for i, d in lines.dressed(k, c, -(k & MASK)).items():
                left[i] = left.get(i, 0) - d
    return result
