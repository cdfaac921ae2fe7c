"""Arrays that carry their errors: a systematic bound, and statistical sources that know their correlation.

Every statistical error is a sum over named independent sources; a source is a matrix A of shape (r, k) such that
its covariance is A^T A. Values that came from one run share the source's name, so differences and ratios of them
have the right error. Propagation is linear; bounds add linearly (never in quadrature).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .errors import InputError
from .points import Array


class Estimate(NamedTuple):
    """A number and its standard error (or error bound)."""

    value: float
    error: float

    def __str__(self) -> str:
        return f"{self.value:.6g} +- {self.error:.2g}"


@dataclass(frozen=True)
class Uncertain:
    """Values of shape (k,) with a `bound` of shape (k,) and statistical `sources`."""

    values: Array
    bound: Array
    sources: dict[str, Array] = field(default_factory=dict)

    @classmethod
    def exact(cls, values: npt.ArrayLike) -> Uncertain:
        """Wrap plain numbers, with no error."""
        array = np.asarray(values, dtype=np.float64)
        return cls(array, np.zeros_like(array))

    @property
    def covariance(self) -> Array:
        """Statistical covariance, shape (k, k)."""
        k = self.values.size
        return sum((a.T @ a for a in self.sources.values()), np.zeros((k, k)))

    @property
    def stat(self) -> Array:
        """Standard error, shape (k,)."""
        return np.sqrt(sum(((a * a).sum(axis=0) for a in self.sources.values()), np.zeros_like(self.values)))

    def take(self, index: npt.ArrayLike) -> Uncertain:
        """Return the entries at `index` (repetitions allowed)."""
        i = np.asarray(index)
        return Uncertain(self.values[i], self.bound[i], {s: a[:, i] for s, a in self.sources.items()})

    def linear(self, matrix: Array) -> Uncertain:
        """Return matrix @ self, with errors, for a matrix of shape (j, k)."""
        sources = {s: a @ matrix.T for s, a in self.sources.items()}
        return Uncertain(matrix @ self.values, np.abs(matrix) @ self.bound, sources)

    def _combine(self, other: Uncertain, left: Array | float, right: Array | float) -> dict[str, Array]:
        """Return the sources of a function with derivatives `left` and `right`."""
        result = {s: a * left for s, a in self.sources.items()}
        for s, a in other.sources.items():
            if s in result and len(a) != len(result[s]):
                raise InputError(
                    f"the source {s!r} has {len(result[s])} rows in one quantity and {len(a)} in the other: "
                    "quantities of one run must keep the same experiments; give different runs different names"
                )
            term = a * right
            result[s] = result[s] + term if s in result else term
        return result

    def __add__(self, other: Uncertain) -> Uncertain:
        return Uncertain(self.values + other.values, self.bound + other.bound, self._combine(other, 1.0, 1.0))

    def __sub__(self, other: Uncertain) -> Uncertain:
        return Uncertain(self.values - other.values, self.bound + other.bound, self._combine(other, 1.0, -1.0))

    def __mul__(self, other: Uncertain | float) -> Uncertain:
        if not isinstance(other, Uncertain):
            return self.scaled(float(other))
        a, b = self.values, other.values
        bound = np.abs(a) * other.bound + np.abs(b) * self.bound + self.bound * other.bound
        return Uncertain(a * b, bound, self._combine(other, b, a))

    __rmul__ = __mul__

    def __truediv__(self, other: Uncertain) -> Uncertain:
        a, b = self.values, other.values
        # An interval that reaches zero has no bounded quotient: say infinity rather than something finite.
        room = np.abs(b) - other.bound
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            quotient = a / b
            bound = np.where(room > 0, (self.bound + np.abs(quotient) * other.bound) / room, np.inf)
            sources = self._combine(other, 1 / b, -quotient / b)
        return Uncertain(quotient, bound, sources)

    def scaled(self, factor: float) -> Uncertain:
        """Return factor * self."""
        return Uncertain(
            factor * self.values, abs(factor) * self.bound, {s: factor * a for s, a in self.sources.items()}
        )


def sum_of_products(terms: list[tuple[float, list[Uncertain]]], like: Callable[[], Uncertain]) -> Uncertain:
    """Return the sum over terms of coefficient times the product of factors; `like()` is the zero."""
    total = like()
    for coefficient, factors in terms:
        product = factors[0].scaled(coefficient)
        for factor in factors[1:]:
            product = product * factor
        total = total + product
    return total
