"""Kernels of the slides' three networks: Gauss, Erf, ReLU (PHYSICS section 1), accurate to rounding.

With C_xy = sigma_b^2 + sigma_w^2 x.y/d_in and the wedge W^2 = C_xx C_yy - C_xy^2, which is never formed by that
difference but as a sum of squares: W^2 = sigma_b^2 s |x - y|^2 + s^2 |x ^ y|^2, s = sigma_w^2/d_in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...points import Array
from ._accurate import decaying_exponential, distance_squared, dot, two_product, two_sum, wedge_squared
from .base import Kernel, NetworkKernel, coordinates, exact_number

if TYPE_CHECKING:
    import sympy


class Gauss(NetworkKernel):
    """K = sigma_b^2 + sigma_w^2 exp(-sigma_w^2 |x - y|^2 / (2 d_in)), the kernel of the Gauss-net."""

    name = "gauss"
    analytic = True
    positive = True
    translation_invariant = True

    def _matrix(self, x: Array, y: Array) -> Array:
        rate = (0.5 * self._scale[0], 0.5 * self._scale[1])
        return self.constant + self.sigma_w**2 * decaying_exponential(rate, distance_squared(x, y))

    def _coincident(self, x: Array) -> Array:
        return np.full(len(x), self.constant + self.sigma_w**2)

    @property
    def reach(self) -> float | None:
        """Distance beyond which K < 1e-17 K(0); None with the bias left in."""
        return None if self.constant else float(np.sqrt(2 * np.log(1e17) / self.scale))

    def axes(self) -> list[Kernel] | None:
        """Return d_in one-dimensional Gauss kernels whose product is this one (without bias only)."""
        if self.constant:
            return None
        return [_GaussAxis(self.sigma_w ** (2 / self.d_in), *self._scale) for _ in range(self.d_in)]

    @property
    def expression(self) -> sympy.Expr:
        """Sympy form in x, y."""
        import sympy

        xs, ys = coordinates(self.d_in)
        s2 = exact_number(self.sigma_w) ** 2
        square = sum((a - b) ** 2 for a, b in zip(xs, ys, strict=True))
        return exact_number(self.sigma_b) ** 2 * int(self.bias) + s2 * sympy.exp(-s2 * square / (2 * self.d_in))


class _GaussAxis(Kernel):
    """amplitude * exp(-rate (x - y)^2 / 2): one coordinate of a Gauss kernel."""

    translation_invariant = True

    def __init__(self, amplitude: float, rate: float, rate_low: float = 0.0) -> None:
        super().__init__(1)
        self.amplitude, self.rate, self.rate_low = amplitude, rate, rate_low

    def _matrix(self, x: Array, y: Array) -> Array:
        rate = (0.5 * self.rate, 0.5 * self.rate_low)
        return self.amplitude * decaying_exponential(rate, distance_squared(x, y))

    def _coincident(self, x: Array) -> Array:
        return np.full(len(x), self.amplitude)

    @property
    def length(self) -> float:
        return 1.0 / float(np.sqrt(self.rate))

    @property
    def reach(self) -> float | None:
        return float(np.sqrt(2 * np.log(1e17) / self.rate))

    def _parameters(self) -> dict[str, float]:
        return {"amplitude": self.amplitude, "rate": self.rate, "rate_low": self.rate_low}


class _PreActivation(NetworkKernel):
    """Kernels that are functions of the pre-activation covariance C."""

    rotation_invariant = True

    def _covariance(self, x: Array, y: Array) -> Array:
        """Return C_xy, shape (m, p), with the rounding error of its sum put back."""
        high, low = dot(x, y)
        scale, scale_low = self._scale
        p, e = two_product(np.asarray(scale), high)
        b, b_low = two_product(np.asarray(self.sigma_b), np.asarray(self.sigma_b))
        total, rest = two_sum(p, b)
        return total + (rest + (e + scale * low + scale_low * high + b_low))

    def _variance(self, x: Array) -> Array:
        """Return C_xx, shape (m,)."""
        return np.asarray(self.sigma_b**2 + self.scale * (x * x).sum(axis=1))

    def _wedge_squared(self, x: Array, y: Array) -> Array:
        """Return C_xx C_yy - C_xy^2 as a sum of squares, shape (m, p)."""
        total = self.scale**2 * wedge_squared(x, y)
        if self.sigma_b:
            high, low = distance_squared(x, y)
            total = total + self.sigma_b**2 * self.scale * (high + low)
        return total

    def _invariants(self, xx: Array, yy: Array, xy: Array, wedge: Array) -> tuple[Array, Array, Array, Array]:
        """Return C_xx, C_yy, C_xy and C_xx C_yy - C_xy^2 from |x|^2, |y|^2, x.y and |x ^ y|^2."""
        b, s = self.sigma_b**2, self.scale
        square = s**2 * wedge
        if b:
            # a rounding error of |x - y|^2 is one of s (|x|^2 + |y|^2), which stands beside it or is larger
            square = square + b * s * np.maximum(xx + yy - 2 * xy, 0.0)
        return b + s * xx, b + s * yy, b + s * xy, square


class Erf(_PreActivation):
    """K = sigma_b^2 + sigma_w^2 (2/pi) asin(2 C_xy / sqrt((1 + 2 C_xx)(1 + 2 C_yy))), the kernel of the Erf-net."""

    name = "erf"
    analytic = True

    def _matrix(self, x: Array, y: Array) -> Array:
        # asin(p / sqrt(p^2 + q^2)) = atan2(p, q), and q^2 is a sum of positive terms
        cross = 1 + 2 * (self._variance(x)[:, None] + self._variance(y)[None, :]) + 4 * self._wedge_squared(x, y)
        angle = np.arctan2(2 * self._covariance(x, y), np.sqrt(cross))
        return self.constant + self.sigma_w**2 * (2 / np.pi) * angle

    def of_invariants(self, xx: Array, yy: Array, xy: Array, wedge: Array) -> Array:
        """Return K from |x|^2, |y|^2, x.y and |x ^ y|^2."""
        cx, cy, c, square = self._invariants(xx, yy, xy, wedge)
        angle = np.arctan(2 * c / np.sqrt(1 + 2 * (cx + cy) + 4 * square))
        return self.constant + self.sigma_w**2 * (2 / np.pi) * angle

    @property
    def core(self) -> float:
        """Radius below which the structure along rays is rounded off."""
        return float(np.sqrt((0.5 + self.sigma_b**2) / self.scale))

    def _coincident(self, x: Array) -> Array:
        c = self._variance(x)
        return self.constant + self.sigma_w**2 * (2 / np.pi) * np.arctan2(2 * c, np.sqrt(1 + 4 * c))

    def _tail(self) -> str:
        return "K tends to a constant that depends on the direction"

    @property
    def expression(self) -> sympy.Expr:
        """Sympy form in x, y."""
        import sympy

        c, cx, cy, b2, s2 = _symbolic_covariance(self)
        angle = sympy.asin(2 * c / sympy.sqrt((1 + 2 * cx) * (1 + 2 * cy)))
        return b2 * int(self.bias) + s2 * 2 / sympy.pi * angle


class ReLU(_PreActivation):
    """K = sigma_b^2 + sigma_w^2 sqrt(C_xx C_yy) (sin t + (pi - t) cos t) / (2 pi), cos t = C_xy / sqrt(C_xx C_yy)."""

    name = "relu"
    positive = True

    @property
    def homogeneous(self) -> int | None:
        """1 without biases: K(s x, y) = s K(x, y)."""
        return 1 if self.sigma_b == 0 else None

    @property
    def core(self) -> float:
        """Radius below which the structure along rays is rounded off; 0 without biases."""
        return self.sigma_b * self.length

    def _matrix(self, x: Array, y: Array) -> Array:
        size = np.sqrt(self._variance(x)[:, None] * self._variance(y)[None, :])
        return self._of_angle(size, self._covariance(x, y), np.sqrt(self._wedge_squared(x, y)))

    def of_invariants(self, xx: Array, yy: Array, xy: Array, wedge: Array) -> Array:
        """Return K from |x|^2, |y|^2, x.y and |x ^ y|^2."""
        cx, cy, c, square = self._invariants(xx, yy, xy, wedge)
        return self._of_angle(np.sqrt(cx * cy), c, np.sqrt(square))

    def _of_angle(self, size: Array, inner: Array, wedge: Array) -> Array:
        """Return K from sqrt(C_xx C_yy) and its parts along and across."""
        # the angle from the nearer of the parallel and the antiparallel direction
        angle = np.arctan2(wedge, np.abs(inner))
        near = _sine_minus_angle_cosine(angle)
        arc = np.where(inner < 0, near, near + np.pi * np.cos(angle))
        return self.constant + self.sigma_w**2 / (2 * np.pi) * size * arc

    def _coincident(self, x: Array) -> Array:
        return self.constant + 0.5 * self.sigma_w**2 * self._variance(x)

    def _tail(self) -> str:
        return "it grows linearly"

    @property
    def expression(self) -> sympy.Expr:
        """Sympy form in x, y."""
        import sympy

        c, cx, cy, b2, s2 = _symbolic_covariance(self)
        t = sympy.acos(c / sympy.sqrt(cx * cy))
        arc = sympy.sin(t) + (sympy.pi - t) * sympy.cos(t)
        return b2 * int(self.bias) + s2 / (2 * sympy.pi) * sympy.sqrt(cx * cy) * arc


def _sine_minus_angle_cosine(t: Array) -> Array:
    """Return sin t - t cos t for 0 <= t <= pi/2, by its series where the two terms cancel.

    sin t + (pi - t) cos t equals this at pi - t for the antiparallel side, and this plus pi cos t for the other.
    """
    square = np.minimum(t, 1.0) ** 2
    series = np.zeros_like(square)
    coefficient = 1.0
    terms = []
    for k in range(1, 11):
        coefficient /= (2 * k) * (2 * k + 1)
        terms.append((-1) ** (k + 1) * 2 * k * coefficient)
    for c in reversed(terms):
        series = series * square + c
    return np.where(t < 1.0, series * square * t, np.sin(t) - t * np.cos(t))


def _symbolic_covariance(kernel: NetworkKernel) -> tuple[sympy.Expr, sympy.Expr, sympy.Expr, sympy.Expr, sympy.Expr]:
    xs, ys = coordinates(kernel.d_in)
    b2, s2 = exact_number(kernel.sigma_b) ** 2, exact_number(kernel.sigma_w) ** 2
    inner = [sum(a * b for a, b in zip(u, v, strict=True)) for u, v in ((xs, ys), (xs, xs), (ys, ys))]
    c, cx, cy = (b2 + s2 * i / kernel.d_in for i in inner)
    return c, cx, cy, b2, s2
