"""Quasi-Monte Carlo: integrals that no mesh reaches, with a statistical error.

All points of a shape together are one point of a box in n_points * d_in dimensions, sampled by Sobol' points that are
scrambled `REPLICATES` times; the spread of the replicates is the error. A chart, the best of a few in a trial run
whose points are not used again, stretches every coordinate about the inputs.

Sources: Owen, Annals of Statistics 25 (1997) 1541, for scrambling; L'Ecuyer, Nakayama, Owen and Tuffin, Winter
Simulation Conference 2023, for Student intervals from few replicates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import combinations
from math import comb, prod

import numpy as np

from ..errors import ComputationError, DivergenceError, InputError
from ..points import Array, positive, whole
from ..theory.kernels import Kernel, Lattice
from .contractions import MEMORY, MeshTable, Shape
from .quadrature import Cutoff, Mesh, require_convergent

#: Independent scramblings.
REPLICATES = 16
#: Standard errors in a bound: Student's factor for `REPLICATES` - 1 degrees of freedom at the level of 3 sigma.
STUDENT = 3.5864
#: Largest work of one integral: multiplications, and kernel values as `_KERNEL_WORK` each; about a minute on one core.
MAX_RANDOM_WORK = 1.5e10
_KERNEL_WORK = 50
#: Dimensions for which Sobol' numbers are tabulated.
_MAX_DIMENSION = 21201
#: Points of each replicate in a trial run, and at first in the real one.
_FIRST = 512
#: Best rate at which the error of scrambled nets falls, as a power of the number of points.
_BEST_RATE = 1.5
#: Binary digits of a coordinate: the centre of the last cell is still below one.
_BITS = 52
#: Points whose kernels are evaluated all with all, where only those of pairs are needed and there is no formula.
_PAIRED = 16
#: Entries of the arrays held at once, while they fit into the memory allowed.
_CHUNK = 4_000_000
#: Integrals below this have lost digits to underflow; they count as converged.
_TINY = 1e-290


def random_value(
    shape: Shape, kernels: Mapping[str, Kernel], x: Array, cutoff: Cutoff, rtol: float, atol: float = 0.0, seed: int = 0
) -> tuple[Array, Array]:
    """Return the integral for all multisets of inputs by quasi-Monte Carlo, and its standard errors.

    Parameters
    ----------
    shape : Shape
        Connected integral.
    kernels : mapping of name to Kernel
        All of one d_in, and finite at coincident points.
    x : numpy.ndarray, shape (m, d_in)
        Inputs.
    cutoff : Cutoff
        The box of every point; infinite only for kernels that decay.
    rtol, atol : float
        Points are doubled until the bound, `STUDENT` standard errors, is at most rtol * (integral of the absolute
        integrand) + atol for every multiset.
    seed : int
        Of the scramblings; the same seed gives the same digits.

    Returns
    -------
    values, standard_error : numpy.ndarray
        One axis for each leg group, in order of points, as `contractions.evaluate` returns them.

    Raises
    ------
    InputError, DivergenceError
        If the kernels, the cutoff or a number do not fit.
    ComputationError
        If the accuracy is out of reach of `MAX_RANDOM_WORK` or `MEMORY`; the message says what was reached.

    Notes
    -----
    The error is statistical: about 3 integrals in 1000 are off by more than `STUDENT` * standard_error. The errors of
    the values of one call are correlated, for all of them share the points.
    """
    rtol, atol = positive(rtol, "rtol", allow_zero=True), positive(atol, "atol", allow_zero=True)
    names = sorted(shape.kernels) or sorted(kernels)[:1]
    used = [kernels[name] for name in names]
    _check(shape, dict(zip(names, used, strict=True)), cutoff)
    trial, real = np.random.SeedSequence(whole(seed, "seed")).spawn(2)
    integrand = _Integrand(shape, kernels, x, used[0].d_in)
    charts = _charts(used, cutoff, x if any(shape.legs) else x[:0], shape.n_points)
    run = _Run(integrand, _best(integrand, charts, trial), real)
    run.extend(_FIRST)
    while True:
        error = run.standard_error
        goal = rtol * run.size + atol + _TINY
        if (STUDENT * error <= goal).all():
            return run.values.reshape(integrand.counts), error.reshape(integrand.counts)
        left = MAX_RANDOM_WORK / (integrand.work * REPLICATES * run.points)
        # what the best rate would not reach is not tried
        if left < 2 or (STUDENT * error > goal * left**_BEST_RATE).any():
            raise _unreached(shape, used, cutoff, rtol, run)
        run.extend(run.points)


def _check(shape: Shape, kernels: Mapping[str, Kernel], cutoff: Cutoff) -> None:
    """Refuse what has no box, no finite variance, or too many dimensions."""
    for name, kernel in kernels.items():
        if isinstance(kernel, Lattice):
            raise InputError(f"{name} is {kernel!r}: a lattice sums over its sites, and points are drawn from a box")
        require_convergent(kernel, cutoff, f"kernel[{name!r}]")
        if kernel.diagonal == "singular" and shape.n_lines:
            raise DivergenceError(
                f"{kernel!r} is singular at coincident points, where random points have no finite variance; use a "
                "smooth kernel or a lattice"
            )
        if shape.n_points * kernel.d_in > _MAX_DIMENSION:
            raise ComputationError(
                f"{shape.n_points} points in {kernel.d_in} dimensions have {shape.n_points * kernel.d_in} coordinates, "
                f"more than the {_MAX_DIMENSION} for which Sobol' numbers are known; lower the order"
            )
    if not cutoff.is_finite and not any(shape.legs):
        raise DivergenceError(
            "a vacuum diagram over all space is proportional to its volume; use a finite cutoff or per_volume=True"
        )


def _unreached(shape: Shape, used: Sequence[Kernel], cutoff: Cutoff, rtol: float, run: _Run) -> ComputationError:
    with np.errstate(divide="ignore", invalid="ignore"):
        reached = float(np.nanmax(STUDENT * run.standard_error / run.size))
    shown = " and ".join(map(repr, dict.fromkeys(used)))
    return ComputationError(
        f"a {shape.n_points}-vertex integral of {shown} over {cutoff!r} did not meet rtol = {rtol:g}: reached "
        f"{reached:.1g} with {REPLICATES * run.points} quasi-random points, and the work allowed does not hold as many "
        "as that takes; ask for rtol above that, or a smaller cutoff"
    )


# --- charts --------------------------------------------------------------------------------------------------------

_Function = Callable[[Array], Array]


@dataclass(frozen=True)
class _Profile:
    """A stretching z = g(t) of the line, its inverse and its derivative."""

    forward: _Function
    inverse: _Function
    slope: _Function


_UNIFORM = _Profile(lambda t: t, lambda z: z, np.ones_like)
#: Density 1 / sqrt(1 + z^2): from the length of the kernel to the size of the box.
_GRADED = _Profile(np.sinh, np.arcsinh, np.cosh)
#: Density of the logistic distribution, exp(-|z|) far out.
_LOCAL = _Profile(lambda t: 2 * np.arctanh(t), lambda z: np.tanh(z / 2), lambda t: 2 / (1 - t * t))


@dataclass(frozen=True)
class _Chart:
    """The map of [0, 1]^d to the box from `low` to `high`: y = centre + scale * g(t), t uniform, by coordinate."""

    profile: _Profile
    low: Array
    high: Array
    centre: Array
    scale: Array

    def __call__(self, u: Array) -> tuple[Array, Array]:
        """Return points and weights (the determinant of the map) at `u` of shape (..., d)."""
        first, last = (self.profile.inverse((edge - self.centre) / self.scale) for edge in (self.low, self.high))
        t = first + (last - first) * u
        if self.profile is _LOCAL:
            t = np.clip(t, -1 + 2.0**-53, 1 - 2.0**-53)
        y = np.clip(self.centre + self.scale * self.profile.forward(t), self.low, self.high)
        return y, (self.scale * self.profile.slope(t) * (last - first)).prod(axis=-1)


def _charts(kernels: Sequence[Kernel], cutoff: Cutoff, x: Array, n_points: int) -> list[_Chart]:
    """Return the charts to try: each has enough points everywhere that the variance is finite."""
    d, size = kernels[0].d_in, cutoff.value
    inputs = np.clip(x, -size, size) if len(x) else np.zeros((1, d))
    low, high = np.full(d, -size), np.full(d, size)
    reaches = [k.reach for k in kernels if k.reach is not None]
    local = len(x) > 0 and len(reaches) == len(kernels)
    reach = max(reaches, default=0.0)
    if local:
        # as on a mesh: what is left outside is below rounding
        margin = reach * np.sqrt(n_points)
        low, high = np.maximum(low, inputs.min(axis=0) - margin), np.minimum(high, inputs.max(axis=0) + margin)
    centre = np.zeros(d) if all(k.rotation_invariant for k in kernels) else inputs.mean(axis=0)
    spread = inputs.std(axis=0)
    length = min(k.length for k in kernels)
    charts = [
        _Chart(_UNIFORM, low, high, centre, np.ones(d)),
        _Chart(_GRADED, low, high, centre, np.hypot(length, spread)),
    ]
    if not local:
        return charts
    # a kernel exp(-r / l) has the reach log(1e17) l, and along a diagonal the logistic density falls sqrt(d) times
    # as fast as along an axis: the least scale keeps the variance finite up to d = 16
    unit = reach / np.log(1e17)
    return charts + [_Chart(_LOCAL, low, high, centre, np.hypot(k * unit, spread)) for k in (2, 4, 8)]


def _best(integrand: _Integrand, charts: list[_Chart], seed: np.random.SeedSequence) -> _Chart:
    """Return the chart with the least relative error in a trial run."""
    runs = [_Run(integrand, chart, s) for chart, s in zip(charts, seed.spawn(len(charts)), strict=True)]
    for run in runs:
        run.extend(_FIRST)
    seen = np.any([run.size > _TINY for run in runs], axis=0)
    scores = []
    for run in runs:
        # a chart that misses what another one sees is worst of all
        relative = np.divide(run.standard_error, run.size, out=np.full(run.size.shape, np.inf), where=run.size > _TINY)
        scores.append(relative[seen].max(initial=0.0))
    return charts[int(np.argmin(scores))]


# --- the integrand -------------------------------------------------------------------------------------------------


class _Integrand:
    """Sums of the integrand over points of the box, for all multisets of inputs.

    Attributes
    ----------
    counts : tuple of int
        Axes of the result.
    work : float
        Multiplications for one point, kernel values included.
    """

    def __init__(self, shape: Shape, kernels: Mapping[str, Kernel], x: Array, d_in: int) -> None:
        self.shape, self.kernels, self.x, self.d_in = shape, kernels, x, d_in
        self._bare = replace(shape, loops=((),) * shape.n_points)
        m = len(x)
        at = [[comb(m + k - 1, k) for _, k in groups] for groups in shape.legs]
        self.counts = tuple(c for groups in at for c in groups)
        vertices = [prod(groups) for groups in at]
        # the sum over points is a matrix product of the first few vertices and the rest
        self._cut = min(range(1, shape.n_points + 1), key=lambda c: prod(vertices[:c]) + prod(vertices[c:]))
        self.n_values = prod(vertices)
        halves = prod(vertices[: self._cut]) + prod(vertices[self._cut :])
        paired = [name for loops in shape.loops for name, _ in loops] + [name for _, _, name, _ in shape.lines]
        values = m * sum(len(legs) for legs in shape.legs)
        values += sum(1 if _has_formula(kernels[name]) else _PAIRED for name in paired)
        self.work = float(_KERNEL_WORK * values + 2 * self.n_values + 4 * (halves + sum(vertices)))
        held = 2 * halves + 2 * sum(vertices) + 2 * m * shape.n_points + 4 * d_in * shape.n_points
        kept = (REPLICATES + 8) * self.n_values
        need = kept + _PAIRED * held
        if need * 8 > MEMORY:
            raise ComputationError(
                f"an integral over {shape.n_points} points for {self.n_values} sets of inputs needs "
                f"{need * 8 / 1e9:.1f} GB, more than the {MEMORY / 1e9:.1f} GB allowed; use fewer inputs"
            )
        if self.work * REPLICATES * _FIRST > MAX_RANDOM_WORK:
            raise ComputationError(
                f"an integral over {shape.n_points} points for {self.n_values} sets of inputs takes {self.work:.0e} "
                "multiplications for each quasi-random point, too many for an error; use fewer inputs"
            )
        # powers of two, or the points of a chunk would not be balanced
        room = min(_CHUNK, MEMORY / 8 - kept) / held
        self.chunk = 1 << max(int(np.log2(room)), int(np.log2(_PAIRED)))

    def __call__(self, y: Array, weights: Array) -> tuple[Array, Array]:
        """Return sums of the integrand and of its absolute value over points of shape (b, n_points, d_in)."""
        shape = self.shape
        vertices = []
        for p in range(shape.n_points):
            values = MeshTable(self.kernels, self.x, Mesh(y[:, p], weights[:, p])).vertex(self._bare, p)
            for name, k in shape.loops[p]:
                values *= _paired(self.kernels[name], y[:, p], y[:, p]) ** k
            vertices.append(values.reshape(-1, len(y)))
        left, right = (_outer(part, len(y)) for part in (vertices[: self._cut], vertices[self._cut :]))
        for p, q, name, k in shape.lines:
            left = left * _paired(self.kernels[name], y[:, p], y[:, q]) ** k
        total = (left @ right.T).ravel()
        if min(left.min(), right.min()) >= 0:
            return total, total
        return total, (np.abs(left) @ np.abs(right).T).ravel()


def _outer(vertices: list[Array], size: int) -> Array:
    """Return products of entries of each vertex, shape (products, size)."""
    return reduce(lambda a, b: (a[:, None] * b).reshape(-1, size), vertices, np.ones((1, size)))


def _has_formula(kernel: Kernel) -> bool:
    return kernel.translation_invariant or _of_invariants(kernel)


def _of_invariants(kernel: Kernel) -> bool:
    return kernel.rotation_invariant and type(kernel).of_invariants is not Kernel.of_invariants


def _paired(kernel: Kernel, y: Array, z: Array) -> Array:
    """Return K(y_b, z_b) for each b, shape (b,)."""
    if kernel.translation_invariant:
        return kernel(y - z, np.zeros((1, kernel.d_in)))[:, 0]
    if _of_invariants(kernel):
        wedge = np.zeros(len(y))
        for i, j in combinations(range(kernel.d_in), 2):
            wedge += (y[:, i] * z[:, j] - y[:, j] * z[:, i]) ** 2
        return kernel.of_invariants((y * y).sum(axis=1), (z * z).sum(axis=1), (y * z).sum(axis=1), wedge)
    blocks = [slice(start, start + _PAIRED) for start in range(0, len(y), _PAIRED)]
    return np.concatenate([np.diagonal(kernel(y[part], z[part])) for part in blocks])


# --- replicates ----------------------------------------------------------------------------------------------------


class _Run:
    """Replicates of a chart's points, and the sums over them so far."""

    def __init__(self, integrand: _Integrand, chart: _Chart, seed: np.random.SeedSequence) -> None:
        # scipy.stats takes a second to load
        from scipy.stats.qmc import Sobol

        self._integrand, self._chart = integrand, chart
        self.points = 0
        dimension = integrand.shape.n_points * integrand.d_in
        self._engines = [Sobol(dimension, bits=_BITS, seed=np.random.default_rng(s)) for s in seed.spawn(REPLICATES)]
        self._sums = np.zeros((REPLICATES, integrand.n_values))
        self._size = np.zeros(integrand.n_values)

    def extend(self, points: int) -> None:
        """Add `points` (a power of two) to every replicate."""
        step = min(points, self._integrand.chunk)
        for engine, total in zip(self._engines, self._sums, strict=True):
            for _ in range(points // step):
                u = engine.random(step) + 2.0 ** -(_BITS + 1)
                y, weights = self._chart(u.reshape(step, -1, self._integrand.d_in))
                value, size = self._integrand(y, weights)
                total += value
                self._size += size
        self.points += points

    @property
    def values(self) -> Array:
        """Means over all points, flattened."""
        return np.asarray(self._sums.mean(axis=0) / self.points)

    @property
    def size(self) -> Array:
        """Integrals of the absolute integrand."""
        return self._size / (REPLICATES * self.points)

    @property
    def standard_error(self) -> Array:
        """Standard errors of `values`, from the spread of the replicates."""
        return np.asarray(self._sums.std(axis=0, ddof=1) / (self.points * np.sqrt(REPLICATES)))
