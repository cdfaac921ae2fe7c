"""Pade approximants of power series, in exact arithmetic.

The approximant [L/M] of f(t) = sum c_k t^k is P/Q with deg P <= L, deg Q <= M, Q(0) = 1 and Q f - P = O(t^(L+M+1)).
In floats its equations lose digits as the order grows, and whether a pole is on the real axis is lost with them.
(Baker and Graves-Morris, Pade Approximants, 2nd ed. 1996.)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from ..errors import ComputationError, InputError
from ..points import Array, real, whole

Degree = tuple[int, int]


@dataclass(frozen=True)
class Pade:
    """A Pade approximant P/Q, exact.

    Attributes
    ----------
    numerator, denominator : tuple of Fraction
        Coefficients of P and Q from the constant term up; Q(0) = 1.
    """

    numerator: tuple[Fraction, ...]
    denominator: tuple[Fraction, ...]

    def __call__(self, t: npt.ArrayLike) -> Array:
        """Return the value at `t`."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(polynomial(self.numerator, t) / polynomial(self.denominator, t))

    def pole(self, end: Fraction | float = math.inf) -> float | None:
        """Return a pole on the real axis from 0 to `end`, or None if there is none; decided exactly."""
        q = self.denominator
        # signs that do not change leave no positive root (Descartes)
        if all(c >= 0 for c in q):
            return None
        import sympy

        t = sympy.Symbol("t")
        poly = sympy.Poly([sympy.Rational(c.numerator, c.denominator) for c in reversed(q)], t)
        stop = sympy.oo if end == math.inf else sympy.Rational(Fraction(end).numerator, Fraction(end).denominator)
        if not poly.count_roots(0, stop):
            return None
        # that there is one is exact, its place is for the message
        roots = np.roots([float(c) for c in reversed(q)])
        ahead = roots[(roots.real > 0) & (roots.real <= float(end) * (1 + 1e-6))]
        return float(ahead[np.argmin(np.abs(np.angle(ahead)))].real) if len(ahead) else float(end)


def pade(coefficients: Sequence[int | Fraction | float], degree: Degree) -> Pade:
    """Return the Pade approximant [L/M] of a power series.

    Parameters
    ----------
    coefficients : sequence of int, Fraction or float
        c_0, c_1, ...: at least L + M + 1 of them; floats are taken as the rationals that they are.
    degree : (int, int)
        Degrees L of the numerator and M of the denominator.

    Returns
    -------
    Pade
        Exact, with numerator and denominator.

    Raises
    ------
    InputError
        If there are too few coefficients, or one is not finite.
    ComputationError
        If the approximant does not exist.

    Examples
    --------
    >>> from fractions import Fraction
    >>> exp = [Fraction(1, 1), Fraction(1, 1), Fraction(1, 2), Fraction(1, 6), Fraction(1, 24)]
    >>> approximant = pade(exp, (2, 2))
    >>> [str(c) for c in approximant.numerator]
    ['1', '1/2', '1/12']
    >>> round(float(approximant(1.0)), 6)
    2.714286
    """
    upper, lower = as_degree(degree)
    if len(coefficients) < upper + lower + 1:
        raise InputError(f"[{upper}/{lower}] needs {upper + lower + 1} coefficients, got {len(coefficients)}")
    c = [as_fraction(v) for v in coefficients[: upper + lower + 1]]
    for m in range(lower, -1, -1):
        rows = [[c[upper + i - j] if upper + i >= j else Fraction(0) for j in range(1, m + 1)] for i in range(1, m + 1)]
        q = _solve(rows, [-c[upper + i] for i in range(1, m + 1)])
        if q is None:
            continue
        denominator = [Fraction(1), *q]
        product = [sum((q * c[k - j] for j, q in enumerate(denominator[: k + 1])), Fraction(0)) for k in range(len(c))]
        # with a smaller denominator the rest of the equations must hold by themselves
        if not any(product[upper + 1 :]):
            return Pade(tuple(_trimmed(product[: upper + 1])), tuple(_trimmed(denominator)))
        break
    raise ComputationError(
        f"the Pade approximant [{upper}/{lower}] of this series does not exist (its equations are singular); choose "
        "another degree"
    )


def as_degree(degree: object) -> Degree:
    """Return the degrees (L, M) of an approximant, checked."""
    if not isinstance(degree, tuple | list) or len(degree) != 2:
        raise InputError(f"degree must be a pair (L, M) of the degrees above and below, got {degree!r}")
    return whole(degree[0], "the degree of the numerator"), whole(degree[1], "the degree of the denominator")


def as_fraction(value: int | Fraction | float) -> Fraction:
    """Return a finite number as the rational that it is."""
    if isinstance(value, int | Fraction) and not isinstance(value, bool):
        return Fraction(value)
    number = real(value, "a coefficient")
    if not math.isfinite(number):
        raise InputError(f"a coefficient must be finite, got {value!r}")
    return Fraction(number)


def _trimmed(c: list[Fraction]) -> list[Fraction]:
    while len(c) > 1 and not c[-1]:
        c = c[:-1]
    return c


def _solve(rows: list[list[Fraction]], right: list[Fraction]) -> list[Fraction] | None:
    """Return the solution of a square system, or None if it is singular."""
    a = [[*row, b] for row, b in zip(rows, right, strict=True)]
    n = len(a)
    for k in range(n):
        pivot = next((i for i in range(k, n) if a[i][k]), None)
        if pivot is None:
            return None
        a[k], a[pivot] = a[pivot], a[k]
        for i in range(n):
            if i != k and a[i][k]:
                factor = a[i][k] / a[k][k]
                a[i] = [x - factor * y for x, y in zip(a[i], a[k], strict=True)]
    return [a[k][n] / a[k][k] for k in range(n)]


def polynomial(c: Sequence[Fraction | float], t: npt.ArrayLike) -> Array:
    """Return c_0 + c_1 t + c_2 t^2 + ... in floats."""
    at = np.asarray(t, dtype=np.float64)
    value = np.zeros_like(at)
    for v in reversed(c):
        value = value * at + float(v)
    return value


def square(q: Sequence[Fraction]) -> list[Fraction]:
    """Return the coefficients of Q^2, which give every derivative of P/Q.

    A change of c_k by d changes Q P' - P Q' to Q^2 d t^k, up to the power L + M: so d[P/Q] = [Q^2 t^k]_(L+M) d / Q^2.
    """
    n = len(q)
    return [sum((q[i] * q[k - i] for i in range(max(0, k - n + 1), min(k, n - 1) + 1)), Fraction(0))
            for k in range(2 * n - 1)]  # fmt: skip
