"""Neuron moments of the ReLU-net: integrals over the cone where all pre-activations are positive.

M_n = E[prod (a_i . z)_+] only involves the space spanned by the a_i, of dimension r. The radius integrates to a
constant; what is left is prod a_i . u over the directions u of the cone {u: all a_i . u > 0}, in polar coordinates
about its centre c (PHYSICS section 3):

* r = 1: one direction.
* r = 2: an arc; the integrand is a trigonometric polynomial, for which Gauss-Legendre is exact to rounding.
* r = 3: a spherical polygon; the same along rays from c, and Gauss panels in the azimuth between the corners.

Factors are written a_i . u = |a_i| s_i sin(R_i - rho), with R_i the distance along the ray to the plane
a_i . u = 0: positive, and accurate to the very edge of the cone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations
from math import gamma, pi
from typing import NamedTuple

import numpy as np

from ..combinatorics import Indices, multisets
from ..errors import ComputationError, InputError
from ..points import Array
from ..uncertain import Uncertain
from .moments import EPS, NeuronMoments

MAX_RANK = 3
_ACCEPTED = 1e-8
#: Gauss nodes along a ray, and in one panel of the azimuth for the fine and the coarse rule.
_ALONG, _ANGLES = 26, (14, 10)
#: Unit vectors whose common positive cone is narrower than this count as having none.
_NO_CONE = 1e-14


class _Rule(NamedTuple):
    """Nodes on a cone: factors a_i.u/|a_i| (k, q), weights of a fine and a coarse rule (q,), relative rounding."""

    factors: Array
    weights: Array
    coarse: Array
    rounding: float


def relu_moments(vectors: Array, orders: Iterable[int]) -> NeuronMoments:
    """Return the moments of the ReLU-net on all multisets of inputs.

    Parameters
    ----------
    vectors : array, shape (m, d_in + 1)
        The vectors a_i of the pre-activations.
    orders : iterable of int
        The orders n.

    Raises
    ------
    InputError
        If some tuple of n inputs spans more than three directions.
    ComputationError
        If a spherical polygon is too thin for the quadrature.
    """
    norms = np.sqrt((vectors * vectors).sum(axis=1))
    units = vectors / np.where(norms > 0, norms, 1.0)[:, None]
    by_order, largest_rank = {}, 0
    tables = {n: multisets(len(vectors), n) for n in orders}
    values = {n: np.zeros(len(t)) for n, t in tables.items()}
    bounds = {n: np.zeros(len(t)) for n, t in tables.items()}
    cones: dict[tuple[int, ...], tuple[_Rule | None, int]] = {}
    for n, table in tables.items():
        size = norms[table].prod(axis=1)
        for support, rows in _by_support(table):
            if not norms[list(support)].all():
                continue
            if support not in cones:
                cones[support] = _cone(units[list(support)], support)
            rule, rank = cones[support]
            largest_rank = max(largest_rank, rank)
            scale = 2 ** (n / 2) * gamma((n + rank) / 2) / (2 * pi ** (rank / 2)) * size[rows]
            if rule is None:
                bounds[n][rows] = scale * (n * _NO_CONE)
                continue
            local = np.searchsorted(support, table[rows])
            product = np.ones((len(rows), rule.factors.shape[1]))
            for column in local.T:
                product *= rule.factors[column]
            fine, coarse = product @ rule.weights, product @ rule.coarse
            difference = np.abs(fine - coarse) if rank == MAX_RANK else np.zeros(len(rows))
            if (difference > _ACCEPTED * fine).any():
                raise ComputationError(
                    f"the cone of inputs {list(support)} of this ReLU-net is too thin for the quadrature: it reached "
                    f"{float((difference / fine).max()):.1e}, relative (wanted {_ACCEPTED:g}); use sample()"
                )
            values[n][rows] = scale * fine
            bounds[n][rows] = scale * (difference + fine * (n + 4) * rule.rounding)
        by_order[n] = Uncertain(values[n], bounds[n])
    return NeuronMoments(by_order, "computed" if largest_rank == MAX_RANK else "exact")


def _by_support(table: Indices) -> Iterator[tuple[tuple[int, ...], Indices]]:
    """Yield each set of distinct inputs with the rows of `table` that hold exactly these."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for position, row in enumerate(table.tolist()):
        groups.setdefault(tuple(dict.fromkeys(row)), []).append(position)
    for support, rows in groups.items():
        yield support, np.array(rows, dtype=np.int64)


def _cone(units: Array, support: tuple[int, ...]) -> tuple[_Rule | None, int]:
    """Return the rule for the cone of some unit vectors (None if there is no cone) and the dimension of their span."""
    _, size, axes = np.linalg.svd(units, full_matrices=False)
    rank = int((size > 1e-13 * size[0]).sum())
    if rank > MAX_RANK:
        raise InputError(
            f"exact() has ReLU moments in at most {MAX_RANK} independent directions, and the inputs {list(support)} "
            f"(with the bias) span {rank}; use sample(), or sigma_b=0, or a smaller d_in"
        )
    inside = units @ axes[:rank].T
    inside /= np.sqrt((inside * inside).sum(axis=1))[:, None]
    centre, margin = _centre(inside)
    if margin <= _NO_CONE:
        return None, rank
    rounding = 4 * EPS * (1 + 1 / margin)
    if rank == 1:
        one = np.ones(1)
        return _Rule(np.ones((len(units), 1)), one, one, 2 * EPS), rank
    if rank == 2:
        return _arc(inside, centre, rounding), rank
    return _polygon(inside, centre, rounding), rank


def _centre(units: Array) -> tuple[Array, float]:
    """Return the direction c with the largest min_i a_i . c, and that minimum.

    It points to the point of the convex hull nearest to the origin, which lies on a face of at most r of the vectors.
    """
    best, margin = units[0], -np.inf
    for k in range(1, units.shape[1] + 1):
        for face in combinations(range(len(units)), k):
            edges = units[list(face[1:])] - units[face[0]]
            foot = units[face[0]]
            if len(edges):
                foot = foot - np.linalg.lstsq(edges.T, foot, rcond=None)[0] @ edges
            length = float(np.sqrt(foot @ foot))
            if length < _NO_CONE:
                continue
            least = float((units @ foot).min()) / length
            if least > margin:
                best, margin = foot / length, least
    return best, margin


def _rays(units: Array, centre: Array, directions: Array) -> tuple[Array, Array]:
    """Return s_i and R_i, both (k, q), such that a_i . u = s_i sin(R_i - rho) on the rays from c in q `directions`."""
    along = (units @ centre)[:, None]
    across = units @ directions.T
    return np.hypot(along, across), np.arctan2(along, -across)


def _along_rays(units: Array, centre: Array, directions: Array, weights: Array, nodes: int) -> tuple[Array, Array]:
    """Return factors (k, q) and weights (q,) of Gauss rules along rays from the centre to the edge of the cone."""
    z, w = np.polynomial.legendre.leggauss(nodes)
    size, distance = _rays(units, centre, directions)
    edge = distance.min(axis=0)
    rho = 0.5 * edge[:, None] * (z + 1)
    factors = size[:, :, None] * np.sin(distance[:, :, None] - rho)
    measure = 0.5 * edge[:, None] * w * weights[:, None]
    if units.shape[1] == MAX_RANK:
        measure = measure * np.sin(rho)
    return factors.reshape(len(units), -1), measure.ravel()


def _arc(units: Array, centre: Array, rounding: float) -> _Rule:
    """Return the rule on an arc: two rays."""
    normal = np.array([-centre[1], centre[0]])
    factors, weights = _along_rays(units, centre, np.stack([normal, -normal]), np.ones(2), _ALONG)
    return _Rule(factors, weights, weights, rounding)


def _polygon(units: Array, centre: Array, rounding: float) -> _Rule:
    """Return the rule on a spherical polygon: rays in Gauss panels of the azimuth."""
    axes = np.linalg.svd(centre[None, :])[2][1:]
    breaks = _azimuths(units, centre, axes)
    parts = []
    for nodes in _ANGLES:
        z, w = np.polynomial.legendre.leggauss(nodes)
        half = 0.5 * np.diff(breaks)[:, None]
        angle = (breaks[:-1, None] + half * (z + 1)).ravel()
        directions = np.cos(angle)[:, None] * axes[0] + np.sin(angle)[:, None] * axes[1]
        parts.append(_along_rays(units, centre, directions, (half * w).ravel(), _ALONG))
    (fine, fine_weights), (coarse, coarse_weights) = parts
    return _Rule(
        np.concatenate([fine, coarse], axis=1),
        np.concatenate([fine_weights, np.zeros_like(coarse_weights)]),
        np.concatenate([np.zeros_like(fine_weights), coarse_weights]),
        rounding,
    )


def _azimuths(units: Array, centre: Array, axes: Array) -> Array:
    """Return breakpoints of the azimuth over one turn: corners of the polygon, and panels graded to its hard places.

    The edge of a_i is at cot R = b_i . e with b_i = -(the part of a_i across c) / (a_i . c): corners are where the two
    largest b_i . e are equal, and R is singular, in the complex plane, at a distance of 1/|b_i| from the directions
    perpendicular to b_i.
    """
    b = -(units @ axes.T) / (units @ centre)[:, None]
    size = np.hypot(b[:, 0], b[:, 1])
    slack = 1e-9 * (1 + size.max())
    angles: list[float] = []
    edges: set[int] = set()
    for i, j in combinations(range(len(b)), 2):
        d = b[i] - b[j]
        for corner in (np.arctan2(-d[0], d[1]), np.arctan2(d[0], -d[1])):
            height = b @ np.array([np.cos(corner), np.sin(corner)])
            if height[i] >= height.max() - slack:
                angles.append(float(corner))
                edges |= {i, j}
    for i in edges:
        offset = 1 / max(float(size[i]), 1.0)
        sides = [float(np.arctan2(b[i, 1], b[i, 0])) + side for side in (-pi / 2, pi / 2)]
        angles += sides
        while offset < 1.0:
            angles += [side + shift for side in sides for shift in (-offset, offset)]
            offset *= 3.0
    turn = np.mod(np.array(angles), 2 * pi)
    start = turn.min()
    full = np.concatenate([turn, start + np.linspace(0, 2 * pi, 9)])
    points = np.unique(full)
    apart = np.concatenate([[True], np.diff(points) > 1e-12])
    return np.asarray(points[apart])
