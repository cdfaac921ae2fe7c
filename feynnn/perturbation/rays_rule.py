"""Rules for two rotation-invariant points: pyramid nodes, the symmetries of the box, product integration.

A point is y = g rho (1, t), with g one of the 2 d symmetries of the box that permute coordinates cyclically and change
the sign: they carry the first face to every other exactly once. A kernel of two points far from the origin depends on
their directions alone, and has a cone of width core / |y| where these are parallel or antiparallel. For a node t1 the
integral over the other direction t2 is done by a rule graded towards that place, with the rest of the integrand
expanded in the Lagrange polynomials of the nodes. What that gives is a matrix that stands for K at the nodes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, permutations, product

import numpy as np

from ..combinatorics import Indices
from ..points import Array
from .quadrature import Mesh, gauss_legendre, panel_rule
from .rays_cells import cell_rule, graded

#: Width of the graded rule in widths of the narrowest cone.
_GRADING = 8.0


@dataclass(frozen=True)
class Symmetry:
    """Action of the symmetries g of the box, the inversion left out, on the nodes of one radius.

    Attributes
    ----------
    representatives : numpy.ndarray, shape (R,)
        Nodes of the first face that stand for all nodes.
    shares : numpy.ndarray, shape (R,)
        Weights such that the sum over all g and representatives a of share f(g a) is that of f over all nodes, up to
        the sign.
    place : numpy.ndarray, shape (G, d, T)
        Where g takes the node (shift, +, t): shift * T + t, the sign left out.
    sign : numpy.ndarray, shape (G, d, T)
        That sign.
    """

    representatives: Indices
    shares: Array
    place: Indices
    sign: Array


@dataclass(frozen=True)
class RayRule:
    """One refinement of the rule.

    Attributes
    ----------
    d_in : int
        Dimension, 2 or 3.
    size : float
        The cutoff.
    core : float
        Radius below which the kernels are rounded off; 0 for homogeneous kernels, whose radial integrals are closed:
        then there is one radial node, on the unit box, of weight one.
    edges : tuple of float
        Edges of the panels of each coordinate of t, symmetric about 0.
    n_rho, n_t, n_q : int
        Nodes of rho, nodes of t in each panel, and nodes of each piece of the product integration.
    n_around : int
        In three dimensions, nodes around the hard point.
    """

    d_in: int
    size: float
    core: float
    edges: tuple[float, ...]
    n_rho: int
    n_t: int
    n_q: int
    n_around: int = 0

    @cached_property
    def radial(self) -> tuple[Array, Array]:
        """Nodes rho and weights, rho^(d-1) included."""
        if not self.core:
            return np.ones(1), np.ones(1)
        top = math.asinh(self.size / self.core)
        tau, w = panel_rule(np.array([0.0, top]), self.n_rho)
        rho = self.core * np.sinh(tau)
        return rho, rho ** (self.d_in - 1) * self.core * np.cosh(tau) * w

    @cached_property
    def face(self) -> tuple[Array, Array]:
        """Nodes t of the first face, shape (T, d-1), and weights."""
        t, w = panel_rule(np.array(self.edges), self.n_t)
        t = (t - t[::-1]) / 2  # symmetric to the last bit
        if self.d_in == 2:
            return t[:, None], w
        first, second = np.meshgrid(t, t, indexing="ij")
        return np.stack([first.ravel(), second.ravel()], axis=1), np.multiply.outer(w, w).ravel()

    @cached_property
    def directions(self) -> Array:
        """Nodes (1, t) of the first face carried to all faces: shape (d, 2, T, d), axes cyclic shift and sign."""
        t, _ = self.face
        first = np.insert(t, 0, 1.0, axis=1)
        shifts = [np.roll(first, k, axis=1) for k in range(self.d_in)]
        return np.stack([np.stack([e, -e]) for e in shifts])

    @cached_property
    def mesh(self) -> Mesh:
        """All nodes and weights, axes (shift, sign, t, rho) flattened."""
        rho, radial = self.radial
        nodes = self.directions[:, :, :, None, :] * rho[:, None]
        weights = np.broadcast_to(np.multiply.outer(self.face[1], radial), nodes.shape[:-1])
        return Mesh(nodes.reshape(-1, self.d_in), weights.ravel())

    @cached_property
    def pairs(self) -> tuple[Indices, Indices]:
        """Pairs i <= j of radial nodes, ordered by i."""
        first, second = np.triu_indices(len(self.radial[0]))
        return first, second

    @cached_property
    def symmetry(self) -> Symmetry:
        """How the symmetries of the box, without the inversion, act on the nodes."""
        d, n = self.d_in, len(self.face[0])
        surface = self.directions.reshape(-1, d)
        order = np.lexsort(np.round(surface, 9).T)
        still = _stabiliser(d)
        images = np.empty((d, len(still), len(surface)), dtype=np.int64)
        for k, (h, matrix) in product(range(d), enumerate(still)):
            moved = np.roll(surface @ matrix.T, k, axis=1)
            images[k, h, np.lexsort(np.round(moved, 9).T)] = order
        orbits = images[0, :, :n]
        representatives, counts = np.unique(orbits.min(axis=0), return_counts=True)
        flat = images.reshape(-1, d, 2, n)[:, :, 0]
        shift, rest = np.divmod(flat, 2 * n)
        sign, t = np.divmod(rest, n)
        return Symmetry(representatives, counts / len(still), shift * n + t, 1.0 - 2.0 * sign)

    def product_rule(self, a: int, shift: int) -> tuple[Array, Array]:
        """Return nodes t2 and matrix B for node `a` of the first face and a face shifted by `shift`.

        Returns
        -------
        nodes : numpy.ndarray, shape (Q, d-1)
        matrix : numpy.ndarray, shape (T, Q)
            Integral of f(t2) ell_b(t2) over the face, divided by the weight of node b, as a sum over f(nodes).
        """
        t, weights = self.face
        # (1, t1) seen from the other face, scaled to its plane: there the two directions are parallel
        along = np.roll(np.insert(t[a], 0, 1.0), -shift)
        centre = along[1:] / (along[0] or 1e-300)
        width = _GRADING * self.core / self.size
        if self.d_in == 2:
            pieces = self._pieces(float(centre[0]), width)
            nodes = np.concatenate([q for q, _, _ in pieces])
            blocks = [self._lagrange(q, panel) * w for q, w, panel in pieces]
            return nodes[:, None], np.concatenate(blocks, axis=1) / weights[:, None]
        points, w, panels = cell_rule(self.edges, centre, width, self.n_q, self.n_around)
        side = (len(self.edges) - 1) * self.n_t
        u, v = (np.zeros((side, len(w))) for _ in range(2))
        for k in range(len(self.edges) - 1):
            for basis, axis in ((u, 0), (v, 1)):
                inside = panels[:, axis] == k
                basis[:, inside] = self._lagrange(points[inside, axis], k)
        matrix = (u[:, None, :] * v[None, :, :]).reshape(side * side, -1)
        return points, matrix * w / weights[:, None]

    def _pieces(self, centre: float, width: float) -> list[tuple[Array, Array, int]]:
        """Return (nodes, weights, panel) of each piece of a graded rule on one coordinate."""
        pieces = []
        for panel, (low, high) in enumerate(pairwise(self.edges)):
            near = min(max(centre, low), high)
            around = max(width, abs(near - centre)) if near != centre or width else 0.0
            for end in (low, high):
                if end != near:
                    q, w = graded(abs(end - near), around, self.n_q)
                    pieces.append((near + math.copysign(1.0, end - near) * q, w, panel))
        return pieces

    def _lagrange(self, points: Array, panel: int) -> Array:
        """Return the Lagrange polynomials of a panel's nodes at points in it; zero for those of other panels."""
        low, high = self.edges[panel], self.edges[panel + 1]
        basis = np.zeros(((len(self.edges) - 1) * self.n_t, len(points)))
        basis[panel * self.n_t : (panel + 1) * self.n_t] = lagrange((2 * points - low - high) / (high - low), self.n_t)
        return basis


def lagrange(points: Array, n: int) -> Array:
    """Return the Lagrange polynomials of the n Gauss-Legendre nodes at points in [-1, 1], shape (n, points)."""
    nodes, weights = gauss_legendre(n)
    # barycentric weights of Gauss-Legendre nodes, up to a common factor
    barycentric = np.sqrt((1 - nodes**2) * weights) * (-1.0) ** np.arange(n)
    away = points - nodes[:, None]
    terms = barycentric[:, None] / np.where(away == 0, 1e-200, away)
    return np.asarray(terms / terms.sum(axis=0))


def _stabiliser(d_in: int) -> list[Array]:
    """Return the signed permutations of the coordinates that keep the first."""
    result = []
    for order in permutations(range(1, d_in)):
        for signs in product((1.0, -1.0), repeat=d_in - 1):
            matrix = np.zeros((d_in, d_in))
            matrix[0, 0] = 1.0
            for row, (column, sign) in enumerate(zip(order, signs, strict=True), start=1):
                matrix[row, column] = sign
            result.append(matrix)
    return result
