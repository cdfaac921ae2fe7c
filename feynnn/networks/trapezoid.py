"""Neuron moments of a smooth activation: the trapezoid rule in the independent standard normals behind the inputs.

The rule converges spectrally. For factors that grow no faster than exp((a.y)^2) in the imaginary direction, as erf
does, a step h along an axis where the largest component of the a_i is s leaves a relative error of
exp(-2 pi^2 / (h^2 (1 + 2 n s^2))), so each axis has its own step. The results of two exponents are compared, and their
difference is the bound: an upper one, because it is the error of the coarser rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import exp, gamma, log, pi, prod, sqrt

import numpy as np

from ..combinatorics import double_factorial, multisets
from ..errors import ComputationError, InputError
from ..points import Array
from ..uncertain import Uncertain
from .moments import EPS, NeuronMoments
from .products import MultisetProducts, halves

#: sigma(h) for pre-activations (m, k) and their variances (m, 1).
Apply = Callable[[Array, Array], Array]

#: Most independent directions; the number of nodes grows as the power of it.
MAX_RANK = 4
#: Exponents 2 pi^2 / (h^2 (1 + 2 n s^2)) tried in turn; 31 costs too much to start with in four dimensions.
_EXPONENTS = (31.0, 40.0, 60.0, 100.0, 180.0, 320.0, 600.0)
_EXPONENTS_4D = (22.0, 28.0, 40.0, 60.0)
_WANTED = 1e-10
_ACCEPTED = 1e-8
_MAX_NODES = 3e7
#: Nodes of the plane that is kept in memory, and values (products times nodes) treated at once.
_MAX_PLANE = 3e6
_CHUNK = 1 << 20


def independent_directions(vectors: Array) -> Array:
    """Return the vectors in coordinates of the space they span, shape (m, r), widest axis first.

    The rank is decided on the unit vectors, so that it does not depend on the size of the inputs.
    """
    norms = np.sqrt((vectors * vectors).sum(axis=1))
    units = vectors[norms > 0] / norms[norms > 0, None]
    if not len(units):
        return np.zeros((len(vectors), 0))
    _, size, axes = np.linalg.svd(units, full_matrices=False)
    inside = vectors @ axes[size > 1e-13 * size[0]].T
    return np.asarray(inside @ np.linalg.svd(inside, full_matrices=False)[2].T)


def trapezoid_moments(apply: Apply, vectors: Array, orders: Sequence[int], *, odd: bool = False) -> NeuronMoments:
    """Return the neuron moments of even `orders` of a smooth activation.

    Parameters
    ----------
    apply : callable
        sigma(h) for pre-activations of shape (m, k) and variances of shape (m, 1).
    vectors : array, shape (m, d_in + 1)
        The vectors a_i of the pre-activations.
    orders : sequence of int
        Even orders.
    odd : bool
        Whether sigma is odd, which halves the nodes.

    Raises
    ------
    InputError
        If the inputs span more than four directions.
    ComputationError
        If the rule does not reach a relative accuracy of 1e-8 within its limit of nodes.
    """
    a = independent_directions(vectors)
    rank = a.shape[1]
    if rank > MAX_RANK:
        raise InputError(
            f"exact() integrates over at most {MAX_RANK} independent directions; these {len(a)} inputs "
            f"(with the bias) span {rank}. Ask for at most {MAX_RANK} inputs at a time, or use sample()"
        )
    variance = (vectors * vectors).sum(axis=1)[:, None]
    reach = _reach(max(orders), rank)
    spread = np.abs(a).max(axis=0, initial=0.0)
    unit_steps = pi * np.sqrt(2 / (1 + 2 * max(orders) * spread**2))
    exponents = _exponents(unit_steps, reach, odd=odd)
    fine: dict[int, Array] = {}
    reached = np.inf
    for exponent in exponents:
        coarse, fine = fine, _grams(apply, a, variance, orders, _Grid(unit_steps / sqrt(exponent), reach, odd=odd))
        if coarse:
            # rules that are both too coarse to see a narrow step agree, hence the error expected of the finer one
            reached = max(exp(-exponent), *(_difference(fine[n], coarse[n]) for n in orders))
        if reached < _WANTED:
            break
    if not reached < _ACCEPTED:
        raise ComputationError(
            f"the trapezoid rule for neuron moments reached a relative accuracy of {reached:.1e} only (wanted "
            f"{_ACCEPTED:g}) with at most {_MAX_NODES:.0e} nodes; use inputs nearer to 0, fewer inputs, or sample()"
        )
    # every product of n factors has some n roundings, their weighted sum a few more
    relative = reached + 16 * max(orders) * EPS
    m = len(a)
    result = {n: Uncertain(fine[n][halves(m, n)], relative * _scale(fine[n])[halves(m, n)]) for n in orders}
    return NeuronMoments(result, "computed")


def _scale(gram: Array) -> Array:
    """Return the natural size of each entry of P diag(w) P^T: its Cauchy-Schwarz bound."""
    diagonal = np.sqrt(np.diag(gram))
    return diagonal[:, None] * diagonal[None, :]


def _difference(fine: Array, coarse: Array) -> float:
    """Return the largest difference of two Gram matrices against the natural size of the entry."""
    scale = _scale(fine)
    return float(np.divide(np.abs(fine - coarse), scale, out=np.zeros_like(scale), where=scale > 0).max())


def _reach(n: int, rank: int) -> float:
    """Return the radius beyond which n linear factors times the Gaussian weight are below 1e-16 of the moment."""
    t = 8.0
    while (n + max(rank - 2, 0)) * log(t) - 0.5 * t * t - log(double_factorial(n - 1)) > -38.0:
        t += 0.1
    return t


def _exponents(unit_steps: Array, reach: float, *, odd: bool) -> list[float]:
    """Return the exponents to try in turn, at least two, within the limits of nodes."""
    r = len(unit_steps)
    if r == 0:
        # every pre-activation is 0: nothing to integrate, nothing to refine
        return [_EXPONENTS[-1]] * 2
    # numbers of nodes at exponent 1: in the ball, and in the square of the last two axes
    ball = prod(2 * reach / h for h in unit_steps) * (sqrt(pi) / 2) ** r / gamma(r / 2 + 1) / (2 if odd else 1)
    plane = prod(2 * reach / h for h in unit_steps[-2:])
    most = min((_MAX_NODES / ball) ** (2 / r), (_MAX_PLANE / plane) ** (2 / min(r, 2)))
    wanted = [e for e in (_EXPONENTS if r < MAX_RANK else _EXPONENTS_4D) if e <= most]
    return wanted if len(wanted) > 1 else [most / 1.25, most]


class _Grid:
    """Nodes of the rule inside a ball: a plane of the last two axes sorted by radius, repeated along the others."""

    def __init__(self, steps: Array, reach: float, *, odd: bool) -> None:
        self.reach_squared = reach * reach
        self.axes = [_axis(h, reach, half=odd and j == 0) for j, h in enumerate(steps)]

    def lines(self) -> Iterator[tuple[Array, float, Array, Array]]:
        """Yield (outer point (r-2,), its weight, plane nodes (2, k), their weights (k,)) for all outer points."""
        outer, inner = self.axes[:-2], self.axes[-2:]
        nodes = np.stack([g.ravel() for g in np.meshgrid(*[z for z, _ in inner], indexing="ij")])
        weights = np.prod(np.meshgrid(*[w for _, w in inner], indexing="ij"), axis=0).ravel()
        radius = (nodes * nodes).sum(axis=0)
        order = np.argsort(radius, kind="stable")
        order = order[: np.searchsorted(radius[order], self.reach_squared)]
        nodes, weights, radius = nodes[:, order], weights[order], radius[order]
        shape = tuple(len(z) for z, _ in outer)
        for place in np.ndindex(shape):
            point = np.array([z[i] for (z, _), i in zip(outer, place, strict=True)])
            room = self.reach_squared - float(point @ point)
            count = int(np.searchsorted(radius, room)) if room > 0 else 0
            if count:
                weight = prod(float(w[i]) for (_, w), i in zip(outer, place, strict=True))
                yield point, weight, nodes[:, :count], weights[:count]


def _axis(step: float, reach: float, *, half: bool) -> tuple[Array, Array]:
    """Return nodes and weights of one standard normal; with `half` the positive ones of a symmetric pair."""
    count = int(reach / step) + 1
    z = np.asarray((np.arange(count) + 0.5) * step if half else np.arange(-count, count + 1) * step, dtype=np.float64)
    return z, np.exp(-0.5 * z * z) * (step / np.sqrt(2 * pi) * (2 if half else 1))


def _grams(apply: Apply, a: Array, variance: Array, orders: Sequence[int], grid: _Grid) -> dict[int, Array]:
    """Return for each order n the matrix of moments of the products of n/2 functions, by one pass over the nodes."""
    m = len(a)
    k_max = max(orders) // 2
    sizes = {n: len(multisets(m, n // 2)) for n in orders}
    grams = {n: np.zeros((s, s)) for n, s in sizes.items()}
    columns = max(256, _CHUNK // max(sizes.values()))
    products = MultisetProducts(m, k_max, columns)
    if a.shape[1] == 0:
        # no direction at all: every pre-activation is 0
        levels = products.fill(apply(np.zeros((m, 1)), variance))
        return {n: levels[n // 2 - 1] @ levels[n // 2 - 1].T for n in orders}
    for point, outer_weight, nodes, weights in grid.lines():
        shift = (a[:, : len(point)] @ point)[:, None]
        for start in range(0, nodes.shape[1], columns):
            part = slice(start, start + columns)
            levels = products.fill(apply(a[:, len(point) :] @ nodes[:, part] + shift, variance))
            root = np.sqrt(outer_weight * weights[part])
            for n in orders:
                scaled = levels[n // 2 - 1] * root
                grams[n] += scaled @ scaled.T
    return grams
