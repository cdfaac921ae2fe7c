"""Error-free transformations: sums and products of two floats as an unevaluated pair (value, rounding error).

They give the dot product and the wedge of near-parallel or cancelling inputs to full relative precision, where the
textbook formulas of the kernels lose half the digits or all. (Dekker 1971; Ogita, Rump, Oishi 2005.)
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from ...points import Array

_SPLIT = 134217729.0  # 2**27 + 1


def pair(value: Fraction) -> tuple[float, float]:
    """Return a rational as a pair (float, rounding error)."""
    high = float(value)
    return high, float(value - Fraction(high))


def two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """Return (s, e) with s = fl(a + b) and a + b = s + e exactly."""
    s = a + b
    t = s - a
    return s, (a - (s - t)) + (b - t)


def two_product(a: Array, b: Array) -> tuple[Array, Array]:
    """Return (p, e) with p = fl(a * b) and a * b = p + e exactly (barring overflow)."""
    p = a * b
    ta, tb = _SPLIT * a, _SPLIT * b
    ah, bh = ta - (ta - a), tb - (tb - b)
    al, bl = a - ah, b - bh
    return p, al * bl - (((p - ah * bh) - al * bh) - ah * bl)


def dot(x: Array, y: Array) -> tuple[Array, Array]:
    """Return the dot products of the rows of x (m, d) and y (p, d) as a pair of arrays (m, p)."""
    high, low = two_product(x[:, None, 0], y[None, :, 0])
    for k in range(1, x.shape[1]):
        p, e = two_product(x[:, None, k], y[None, :, k])
        high, f = two_sum(high, p)
        low = low + (e + f)
    return high, low


def wedge_squared(x: Array, y: Array) -> Array:
    """Return |x ^ y|^2 = |x|^2 |y|^2 - (x.y)^2 for rows of x (m, d) and y (p, d), as a sum of squares, shape (m, p)."""
    total: Array = np.zeros((len(x), len(y)))
    for i in range(x.shape[1]):
        for j in range(i + 1, x.shape[1]):
            p, e = two_product(x[:, None, i], y[None, :, j])
            q, f = two_product(x[:, None, j], y[None, :, i])
            s, g = two_sum(p, -q)
            total = total + (s + (g + (e - f))) ** 2
    return total


def decaying_exponential(rate: tuple[float, float], distance: tuple[Array, Array]) -> Array:
    """Return exp(-rate * distance) for two pairs; a rounding error of the exponent would be multiplied by its size."""
    high, low = distance
    p, e = two_product(np.asarray(rate[0]), high)
    return np.asarray(np.exp(-p) * (1.0 - (e + rate[0] * low + rate[1] * high)))


def distance(x: Array, y: Array) -> tuple[Array, Array]:
    """Return |x - y| for rows of x (m, d) and y (p, d) as a pair of arrays (m, p)."""
    if x.shape[1] == 1:
        r, e = two_sum(x[:, None, 0], -y[None, :, 0])
        return np.abs(r), np.where(r < 0, -e, e)
    high, low = distance_squared(x, y)
    r = np.sqrt(high)
    p, e = two_product(r, r)
    return r, ((high - p) - e + low) / (2 * np.where(r == 0, 1.0, r))


def distance_squared(x: Array, y: Array) -> tuple[Array, Array]:
    """Return |x - y|^2 for rows of x (m, d) and y (p, d) as a pair of arrays (m, p)."""
    high: Array = np.zeros((len(x), len(y)))
    low: Array = np.zeros((len(x), len(y)))
    for k in range(x.shape[1]):
        r, e = two_sum(x[:, None, k], -y[None, :, k])
        p, f = two_product(r, r)
        high, g = two_sum(high, p)
        low = low + (f + g + 2 * r * e)
    return high, low
