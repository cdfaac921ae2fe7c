"""Pyramid meshes: the box as 2 d pyramids over its faces, for kernels with their structure along rays.

A point is y = rho e(face, t): the face's coordinate is +-rho, the others rho t_j with t in [-1, 1]^(d-1), so that the
boundary of the box is rho = cutoff and d^d y = rho^(d-1) d rho dt. Panels in t break at the directions of the inputs
and their opposites, where the ReLU kernel has kinks; rho = c sinh(tau), or plain rho for homogeneous kernels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..errors import InputError
from ..points import Array
from ..theory.kernels import Kernel
from .quadrature import Cutoff, Mesh, panel_rule, subdivide


def _check(x: Array) -> int:
    d = int(x.shape[1])
    if d > 3:
        raise InputError(
            f"integrals of this kernel are available for d_in = 1, 2, 3; in d_in = {d} use a kernel that factorises "
            "over the coordinates (Gauss without bias)"
        )
    return d


def _face_edges(x: Array, axis: int, side: int) -> list[Array]:
    """Return the panel edges of each of the d-1 coordinates of one face."""
    d = x.shape[1]
    others = [j for j in range(d) if j != axis]
    # the direction of an input or of its opposite meets this face or the opposite one
    ahead = x[x[:, axis] * side != 0]
    slopes = ahead[:, others] / ahead[:, [axis]] * side
    slopes = slopes[(np.abs(slopes) <= 1).all(axis=1)]
    return [subdivide(np.concatenate([[-1.0, 1.0], slopes[:, j]]), 1.0) for j in range(d - 1)]


def _radial_rule(kernels: Sequence[Kernel], cutoff: Cutoff, x: Array, order: int) -> tuple[Array, Array]:
    """Return nodes rho in [0, cutoff] and their weights, rho^(d-1) not included."""
    if all(k.homogeneous is not None for k in kernels):
        # the integrand is a polynomial in rho, of degree 9 for six legs in three dimensions
        return panel_rule(np.array([0.0, cutoff.value]), 5 + order // 2)
    breaks = np.abs(x).max(axis=1) if len(x) else np.zeros(0)
    breaks = breaks[(breaks < cutoff.value) & (breaks > 0)]
    length = min(k.length for k in kernels)
    edges = subdivide(np.arcsinh(np.concatenate([[0.0, cutoff.value], breaks]) / length), 2.5)
    tau, w = panel_rule(edges, order)
    return length * np.sinh(tau), length * np.cosh(tau) * w


def _face_rule(edges: list[Array], order: int) -> tuple[Array, Array]:
    """Return nodes of shape (T, d-1) and weights (T,) on one face."""
    rules = [panel_rule(e, order) for e in edges]
    grids = np.meshgrid(*(r[0] for r in rules), indexing="ij")
    weights = np.ones(())
    for _, w in rules:
        weights = np.multiply.outer(weights, w)
    return np.stack([g.ravel() for g in grids], axis=1), weights.ravel()


def _directions(x: Array, d: int, order: int) -> tuple[Array, Array]:
    """Return the points e(face, t) on the surface of the unit box, shape (T, d), and their weights."""
    nodes, weights = [], []
    for axis in range(d):
        for side in (1, -1):
            t, w = _face_rule(_face_edges(x, axis, side), order)
            e = np.insert(t, axis, float(side), axis=1)
            nodes.append(e)
            weights.append(w)
    return np.concatenate(nodes), np.concatenate(weights)


def pyramid_size(kernels: Sequence[Kernel], cutoff: Cutoff, x: Array, order: int) -> int:
    """Return the number of nodes of `pyramid_mesh`."""
    surface = 0
    for axis in range(_check(x)):
        for side in (1, -1):
            surface += math.prod((len(e) - 1) * order for e in _face_edges(x, axis, side))
    return surface * len(_radial_rule(kernels, cutoff, x, order)[0])


def pyramid_mesh(kernels: Sequence[Kernel], cutoff: Cutoff, x: Array, order: int) -> Mesh:
    """Return the pyramid mesh of refinement `order`."""
    d = _check(x)
    e, face_weights = _directions(x, d, order)
    rho, w = _radial_rule(kernels, cutoff, x, order)
    radial = rho ** (d - 1) * w
    nodes = rho[:, None, None] * e[None, :, :]
    return Mesh(nodes.reshape(-1, d), np.multiply.outer(radial, face_weights).ravel())


def pyramid_boundary(cutoff: Cutoff, x: Array, order: int) -> Mesh:
    """Return a mesh on the surface of the box: the derivative of an integral over the box by the cutoff."""
    d = _check(x)
    e, w = _directions(x, d, order)
    return Mesh(cutoff.value * e, cutoff.value ** (d - 1) * w)
