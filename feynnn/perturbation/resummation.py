"""Resummation of divergent series: Pade approximants and Borel-Pade sums, with the errors of the coefficients.

The Borel sum of sum c_k t^k at t = 1 is the integral of exp(-u) B(u) over u from 0 to infinity, with
B(u) = sum c_k u^k / k!, here with the Pade approximant of B in its place. (Zinn-Justin, Phys. Rep. 70, 109 (1981).)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import numpy.typing as npt

from ..errors import ComputationError, InputError
from ..npoint import NPoint
from ..points import Array, as_floats
from ..uncertain import Uncertain
from .approximants import Degree, as_degree, as_fraction, pade, polynomial, square

if TYPE_CHECKING:
    from ..theory.action import Theory

Method = Literal["pade", "borel-pade"]

#: A Pade approximant is used at t = 1 only if it has no pole from 0 to here.
_NEAR = Fraction(21, 20)
#: Accuracy of the Borel integral, relative to the integral of the absolute integrand.
_RTOL = 1e-12
_EPS = float(np.finfo(float).eps)


def resum(
    coefficients: Sequence[Uncertain | npt.ArrayLike], *, method: Method = "pade", degree: Degree | None = None
) -> tuple[Uncertain, str]:
    """Return the resummed value at t = 1 of series in t, and what was done in words.

    Parameters
    ----------
    coefficients : sequence of Uncertain or array_like, each of shape (k,)
        The coefficients of 1, t, t^2, ... of k series; numbers are one series, with no error.
    method : {"pade", "borel-pade"}
        The approximant of the series itself, or of its Borel transform.
    degree : (int, int), optional
        Degrees [L/M] above and below, for the series after its leading power is taken out, in powers of t^p if only
        every p-th order exists; by default the nearest to the diagonal of the highest order that has no pole.

    Returns
    -------
    Uncertain
        Its `bound` is an estimate: the coefficients' bounds propagated to first order, plus the largest distance to
        the neighbours [L-1/M], [L/M-1], [L-1/M+1] and [L+1/M-1] without poles.
    str
        Method, degree and order.

    Raises
    ------
    InputError
        If the series is too short for the degree.
    ComputationError
        If the approximant does not exist, has a pole where it is needed (from 0 to t = 1.05, or anywhere on the
        positive axis for a Borel integral), or no neighbour tells how good it is.

    Examples
    --------
    G2 of the theory f^2/2 + f^4/10 in zero dimensions is 0.6155...; its orders 1 - 1.2 + 4.8 - 29 + ... diverge:

    >>> import feynnn as fn
    >>> theory = fn.Theory.parse("lam*f**4")
    >>> g2 = [fn.count(theory, n=2, order=k).weight * 24**k * (-0.1) ** k for k in range(9)]
    >>> value, words = resum(g2, method="borel-pade")
    >>> round(float(value.values[0]), 4), words
    (0.6155, 'Borel-Pade [4/4] resummation of order 8, error estimated')
    """
    if not len(coefficients):
        raise InputError("a resummation needs the coefficients of a series, got none")
    items = [
        c if isinstance(c, Uncertain) else Uncertain.exact(np.atleast_1d(as_floats(c, "a coefficient")))
        for c in coefficients
    ]
    if len({c.values.shape for c in items}) != 1:
        raise InputError(f"the coefficients have different shapes: {sorted({c.values.shape for c in items})}")
    return _resum(_Ray.of(items), method, degree, [""] * items[0].values.size)


def resum_series(
    theory: Theory,
    coefficients: Mapping[tuple[int, ...], NPoint],
    couplings: Mapping[str, float],
    *,
    method: Method = "pade",
    degree: Degree | None = None,
) -> NPoint:
    """Return the resummed n-point function; see `Series.resum`."""
    values = theory.values(couplings)
    active = [k for k, g in enumerate(values) if g]
    along: list[NPoint] = []
    while orders := _orders(len(values), active, len(along)):
        if not all(order in coefficients for order in orders):
            break
        try:
            powers = [math.prod(g**k for g, k in zip(values, o, strict=True)) for o in orders]
        except OverflowError as error:
            raise InputError(f"the couplings {dict(couplings)} are too large to be raised to {orders[0]}") from error
        terms = [coefficients[o] * g for o, g in zip(orders, powers, strict=True)]
        along.append(reduce(lambda a, b: a + b, terms))
    if not active:
        return along[0]
    first = along[0]
    labels = [f" at the inputs {tuple(row)}" for row in first.indices.tolist()]
    data, words = _resum(_Ray.of([p.data for p in along]), method, degree, labels)
    return NPoint.from_uncertain(
        data,
        n=first.n,
        n_inputs=first.n_inputs,
        points=first.points,
        connected=first.connected,
        symmetric=first.symmetric,
        origin=words,
    )


def _orders(n: int, active: list[int], total: int) -> list[tuple[int, ...]]:
    """Return the orders with `total` vertices of the active couplings."""
    chosen = combinations_with_replacement(active, total)
    return [tuple(c.count(k) for k in range(n)) for c in chosen]


@dataclass(frozen=True)
class _Ray:
    """Series t^lead (c_0 + c_1 t^step + c_2 t^(2 step) + ...)."""

    lead: int
    step: int
    coefficients: list[Uncertain]

    @classmethod
    def of(cls, coefficients: Sequence[Uncertain]) -> _Ray:
        """Take the leading power out, and the orders that no diagram contributes to."""
        there = [k for k, c in enumerate(coefficients) if c.values.any() or c.bound.any()] or [0]
        step = math.gcd(*(k - there[0] for k in there)) or 1
        return cls(there[0], step, list(coefficients[there[0] :: step]))

    @property
    def order(self) -> int:
        """The highest power of t^step."""
        return len(self.coefficients) - 1

    def power(self, k: int) -> int:
        """Return the power of t that the coefficient number k stands before."""
        return self.lead + self.step * k


@dataclass(frozen=True)
class _Value:
    """A resummed number, its derivatives by the coefficients, and the error of the integral."""

    value: float
    slopes: Array
    error: float
    degree: Degree


def _resum(ray: _Ray, method: Method, degree: Degree | None, labels: list[str]) -> tuple[Uncertain, str]:
    if method not in get_args(Method):
        raise InputError(f"method must be 'pade' or 'borel-pade', got {method!r}")
    if ray.order < 1:
        raise InputError(
            "a resummation needs two orders that do not vanish; compute the series to a higher max_order (in all "
            "couplings together)"
        )
    one = _pade_value if method == "pade" else _borel_value
    entries = [[as_fraction(float(u.values[e])) for u in ray.coefficients] for e in range(len(labels))]
    (upper, lower), results = _choose(one, ray, entries, degree, labels)
    spread = [_spread(one, ray, *each) for each in zip(entries, results, labels, strict=True)]
    total = Uncertain.exact(np.zeros(len(labels)))
    for k, coefficient in enumerate(ray.coefficients):
        total = total + coefficient * Uncertain.exact([r.slopes[k] for r in results])
    values = np.array([r.value for r in results])
    bound = total.bound + spread + [r.error for r in results] + _EPS * np.abs(values)
    name = {"pade": "Pade", "borel-pade": "Borel-Pade"}[method]
    words = f"{name} [{upper}/{lower}] resummation of order {ray.power(ray.order)}, error estimated"
    return Uncertain(values, bound, total.sources), words


_Method = Callable[["_Ray", list[Fraction], Degree], _Value]


def _choose(
    one: _Method, ray: _Ray, entries: list[list[Fraction]], degree: Degree | None, labels: list[str]
) -> tuple[Degree, list[_Value]]:
    """Return the degree asked, or the one nearest to the diagonal that has no pole where it matters, and values."""
    n = ray.order
    if degree is None:
        lower = [m for m in (n // 2, n // 2 - 1, n // 2 + 1) if 1 <= m <= n]
        # coefficients of one sign mean a singularity on the positive axis (Pringsheim): its pole is not spurious
        if any(all(v >= 0 for v in c) or all(v <= 0 for v in c) for c in entries if any(c[1:])):
            lower = lower[:1]
        candidates = [(n - m, m) for m in lower]
    else:
        candidates = [as_degree(degree)]
        if not 0 < sum(candidates[0]) <= n:
            raise InputError(f"degree = {degree} needs L + M from 1 to {n}, the orders of the series beyond its first")
    refused: ComputationError | None = None
    for candidate in candidates:
        results: list[_Value] = []
        try:
            for c, label in zip(entries, labels, strict=True):
                try:
                    results.append(one(ray, c, candidate))
                except ComputationError as error:
                    raise ComputationError(f"{error}{label}") from error
            return candidate, results
        except ComputationError as error:
            refused = refused or error
    assert refused is not None
    raise refused


def _spread(one: _Method, ray: _Ray, c: list[Fraction], result: _Value, label: str) -> float:
    """Return the largest distance to the neighbours of an approximant that have no poles."""
    upper, lower = result.degree
    neighbours = [(upper - 1, lower), (upper, lower - 1), (upper - 1, lower + 1), (upper + 1, lower - 1)]
    found = []
    for neighbour in neighbours:
        if min(neighbour) >= 0:
            try:
                found.append(abs(one(ray, c, neighbour).value - result.value))
            except ComputationError:
                continue
    if not found:
        raise ComputationError(
            f"every neighbour of [{upper}/{lower}] has poles, so nothing tells how good it is; choose another degree"
            f"{label}"
        )
    return max(found)


def _pade_value(ray: _Ray, c: list[Fraction], degree: Degree) -> _Value:
    f = pade(c, degree)
    pole = f.pole(_NEAR)
    if pole is not None:
        raise ComputationError(
            f"the Pade approximant [{degree[0]}/{degree[1]}] has a pole at t = {pole ** (1 / ray.step):.4g}, on or "
            "near the way from t = 0 to the couplings at t = 1; choose another degree, or method='borel-pade'"
        )
    below = sum(f.denominator)
    double = square(f.denominator)
    slopes = np.zeros(len(c))
    for k in range(sum(degree) + 1):
        slopes[k] = float(sum(double[: sum(degree) - k + 1]) / below**2)
    return _Value(float(sum(f.numerator) / below), slopes, 0.0, degree)


def _borel_value(ray: _Ray, c: list[Fraction], degree: Degree) -> _Value:
    weights = [math.factorial(ray.power(k)) for k in range(len(c))]
    f = pade([v / w for v, w in zip(c, weights, strict=True)], degree)
    pole = f.pole()
    if pole is not None:
        raise ComputationError(
            f"the Borel transform's approximant [{degree[0]}/{degree[1]}] has a pole at u = "
            f"{pole ** (1 / ray.step):.4g}, where the Borel integral runs: the series is not Borel summable, or the "
            "pole is spurious; choose another degree, or method='pade'"
        )
    double = square(f.denominator)

    def integrand(u: Array) -> Array:
        w = u**ray.step
        q = polynomial(f.denominator, w)
        slopes = [
            w**k * polynomial(double[: sum(degree) - k + 1], w) / (q * q * weights[k]) for k in range(sum(degree) + 1)
        ]
        value = polynomial(f.numerator, w) / q
        # what is rounded: the terms of both polynomials, which may cancel
        terms = polynomial([abs(a) for a in f.numerator], w) + np.abs(value) * polynomial(
            [abs(a) for a in f.denominator], w
        )
        return np.asarray(u**ray.lead * np.array([value, terms / np.abs(q), *slopes]))

    values, error = _laplace(integrand)
    slopes = np.zeros(len(c))
    slopes[: sum(degree) + 1] = values[2:]
    return _Value(float(values[0]), slopes, error, degree)


def _laplace(function: Callable[[Array], Array]) -> tuple[Array, float]:
    """Return the integrals of exp(-u) times the rows of `function` from 0 to infinity, and the error of the first.

    The second row is what the first one's rounding errors are relative to.
    Double exponential rule u = exp(s - exp(-s)) (Takahasi and Mori 1974), whose nodes are dense in log u, so that it
    does not matter at which scale the approximant has its poles.
    """
    previous: Array | None = None
    for n in (128, 256, 512, 1024, 2048, 4096):
        s = np.linspace(-4.5, 6.7, n + 1)
        u = np.exp(s - np.exp(-s))
        weight = (s[1] - s[0]) * (1 + np.exp(-s)) * u * np.exp(-u)
        rows = function(u)
        values, size = rows @ weight, float(np.abs(rows[0]) @ weight)
        if previous is not None:
            error = abs(float(values[0] - previous[0]))
            if error <= _RTOL * size:
                return values, error + 4 * _EPS * float(values[1])
        previous = values
    raise ComputationError(
        f"the Borel integral did not converge to {_RTOL:g}: the approximant has a pole very near the positive axis; "
        "choose another degree"
    )
