"""Product integration in the two coordinates of a face of the cube: triangles with their apex at the hard point."""

from __future__ import annotations

import math
from itertools import product

import numpy as np

from ..combinatorics import Indices
from ..points import Array
from .quadrature import panel_rule

#: Distance of the hard point, in units of the face's half side, from which a plain product rule is as good.
_FAR = 1.0


def cell_rule(
    edges: tuple[float, ...], centre: Array, width: float, n_radial: int, n_angular: int
) -> tuple[Array, Array, Indices]:
    """Return a rule on the face [-1, 1]^2 for functions with a cone of the given width at `centre`.

    Parameters
    ----------
    edges : tuple of float
        Edges of the panels along each coordinate; every cell of the product has its own rule.
    centre : numpy.ndarray, shape (2,)
        The hard point, on the face or outside it.
    width : float
        Width of the cone; 0 for one that is a power of the distance.
    n_radial, n_angular : int
        Nodes away from the hard point and around it, in each triangle.

    Returns
    -------
    points : numpy.ndarray, shape (Q, 2)
    weights : numpy.ndarray, shape (Q,)
    panels : numpy.ndarray, shape (Q, 2)
        Panel of each coordinate.
    """
    points, weights, panels = [], [], []
    for panel in product(range(len(edges) - 1), repeat=2):
        low, high = (np.array([edges[k + end] for k in panel]) for end in (0, 1))
        apex = np.clip(centre, low, high)
        away = float(np.hypot(*(centre - apex)))
        if away > _FAR:
            p, w = _product(low, high, n_angular)
        else:
            p, w = _triangles(low, high, apex, max(width, away), n_radial, n_angular)
        points.append(p)
        weights.append(w)
        panels.append(np.broadcast_to(panel, p.shape))
    return np.concatenate(points), np.concatenate(weights), np.concatenate(panels)


def graded(length: float, width: float, n: int) -> tuple[Array, Array]:
    """Return a rule on [0, length] graded towards 0 over the scale `width`; even for width 0."""
    if not width:
        return panel_rule(np.array([0.0, length]), n)
    tau, w = panel_rule(np.array([0.0, math.asinh(length / width)]), n)
    return width * np.sinh(tau), width * np.cosh(tau) * w


def _product(low: Array, high: Array, n: int) -> tuple[Array, Array]:
    """Return the product rule on a rectangle."""
    (u, a), (v, b) = (panel_rule(np.array(ends), n) for ends in zip(low, high, strict=True))
    return np.stack([np.repeat(u, n), np.tile(v, n)], axis=1), np.multiply.outer(a, b).ravel()


def _triangles(low: Array, high: Array, apex: Array, width: float, n: int, m: int) -> tuple[Array, Array]:
    """Return a rule on a rectangle cut into triangles from a point of it, graded away from that point."""
    points, weights = [], []
    for axis, side in product((0, 1), (low, high)):
        height = abs(side[axis] - apex[axis])
        if height < 1e-14:
            continue
        other = 1 - axis
        # along the side, graded around the foot of the apex
        ends = [math.asinh((e - apex[other]) / height) for e in (low[other], high[other])]
        # a flat triangle spans many scales of the angle, a wide one about two
        sigma, ws = panel_rule(np.array(ends), math.ceil(m * (0.7 + 0.07 * (ends[1] - ends[0]))))
        along = height * np.sinh(sigma)
        distance = height * np.cosh(sigma)
        # from the apex to the side, graded over the width
        if width:
            top = np.arcsinh(distance / width)
            tau, wt = panel_rule(np.array([0.0, 1.0]), n)
            r = np.sinh(np.multiply.outer(top, tau)) * (width / distance)[:, None]
            wr = np.cosh(np.multiply.outer(top, tau)) * wt * (top * width / distance)[:, None]
        else:
            one, wt = panel_rule(np.array([0.0, 1.0]), n)
            r, wr = np.tile(one, (len(ws), 1)), np.tile(wt, (len(ws), 1))
        p = np.empty((*r.shape, 2))
        p[..., axis] = apex[axis] + r * (side[axis] - apex[axis])
        p[..., other] = apex[other] + r * along[:, None]
        points.append(p.reshape(-1, 2))
        # dv = distance d sigma, and the triangle's area element is height r dr dv
        weights.append((wr * r * (height * distance * ws)[:, None]).ravel())
    return np.concatenate(points), np.concatenate(weights)
