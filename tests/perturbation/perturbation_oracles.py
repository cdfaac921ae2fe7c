"""Second routes to the numbers of perturbation theory, which share no code with the library's integrators."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from math import prod

import mpmath
import numpy as np

from feynnn.diagrams.diagram import Diagram
from feynnn.points import Array

# --- Gaussian kernels: determinants ----------------------------------------------------------------------------------


def gauss_kernel(x: Array, y: Array, sigma_w: float = 1.0, sigma_b: float = 0.0) -> Array:
    """K(x, y) of PHYSICS section 1 for points of shape (m, d) and (p, d)."""
    d = x.shape[1]
    square = ((x[:, None, :] - y[None, :, :]) ** 2).sum(axis=2)
    return np.asarray(sigma_b**2 + sigma_w**2 * np.exp(-(sigma_w**2) * square / (2 * d)))


def gaussian_integral(
    n: int, n_integrated: int, edges: Sequence[tuple[int, int]], x: Array, sigma_w: float | Sequence[float] = 1.0
) -> float:
    """Integral over all space of the product over edges of s^2 exp(-a |u_i - u_j|^2 / 2), a = s^2 / d, s = sigma_w.

    Nodes 0..n-1 sit at the rows of `x`, the following `n_integrated` are integrated: a determinant of the graph's
    Laplacian and a quadratic form, one for each coordinate.
    """
    d = x.shape[1]
    widths = [sigma_w] * len(edges) if isinstance(sigma_w, float | int) else list(sigma_w)
    laplacian = np.zeros((n + n_integrated,) * 2)
    for (i, j), s in zip(edges, widths, strict=True):
        for p, q, sign in ((i, i, 1), (j, j, 1), (i, j, -1), (j, i, -1)):
            laplacian[p, q] += sign * s**2 / d
    fixed, mixed, inner = laplacian[:n, :n], laplacian[n:, :n], laplacian[n:, n:]
    value = prod(s**2 for s in widths)
    for u in x.T:
        b = mixed @ u
        value *= np.sqrt((2 * np.pi) ** n_integrated / np.linalg.det(inner))
        value *= np.exp(0.5 * b @ np.linalg.solve(inner, b) - 0.5 * u @ fixed @ u)
    return float(value)


def gaussian_diagram(d: Diagram, x: Array, *, sigma_w: float = 1.0, sigma_b: float = 0.0) -> float:
    """A diagram without its coefficient, at infinite cutoff: bias on the lines between external points only."""
    inner = [(i, j) for i, j in d.edges if max(i, j) >= d.n]
    free = gauss_kernel(x, x, sigma_w, sigma_b)
    outside = prod(float(free[i, j]) for i, j in d.edges if max(i, j) < d.n)
    return outside * gaussian_integral(d.n, d.layout.n_nodes - d.n, inner, x, sigma_w)


def gauss_star_in_box(x: Array, size: float, *, sigma_w: float = 1.0) -> float:
    """Integral of prod_i K(x_i, y) over y in [-size, size]^d for the Gauss kernel without bias, any number of legs."""
    k, d = x.shape
    # the two error functions cancel where the box is small or far away
    with mpmath.workdps(60):
        a = mpmath.mpf(sigma_w) ** 2 / d
        value = mpmath.mpf(sigma_w) ** (2 * k)
        for axis in range(d):
            u = [mpmath.mpf(float(v)) for v in x[:, axis]]
            mean, c = sum(u) / k, mpmath.sqrt(a * k / 2)
            value *= mpmath.exp(-a / 2 * sum((v - mean) ** 2 for v in u)) * mpmath.sqrt(mpmath.pi / (2 * a * k))
            value *= mpmath.erf(c * (size - mean)) + mpmath.erf(c * (size + mean))
        return float(value)


# --- kernels by the textbook formulas, for plain quadrature ----------------------------------------------------------


def erf_kernel(x: Sequence[float], y: Sequence[float]) -> float:
    """Erf kernel with sigma_w = sigma_b = 1 without the bias, arcsine form."""
    d = len(x)
    cxy, cxx, cyy = (1 + sum(a * b for a, b in zip(u, v, strict=True)) / d for u, v in ((x, y), (x, x), (y, y)))
    return float(2 / np.pi * np.arcsin(2 * cxy / np.sqrt((1 + 2 * cxx) * (1 + 2 * cyy))))


def relu_kernel(x: Sequence[float], y: Sequence[float], bias: float = 1.0) -> float:
    """ReLU kernel with sigma_w = 1, sigma_b = bias without the output bias, arccosine form."""
    d = len(x)
    cxy, cxx, cyy = (bias**2 + sum(a * b for a, b in zip(u, v, strict=True)) / d for u, v in ((x, y), (x, x), (y, y)))
    size = np.sqrt(cxx * cyy)
    if size == 0:
        return 0.0
    t = np.arccos(np.clip(cxy / size, -1, 1))
    return float(size / (2 * np.pi) * (np.sin(t) + (np.pi - t) * np.cos(t)))


# --- finite lattices: the exact weight --------------------------------------------------------------------------------

Fields = Array
Action = Callable[[Fields], Array]


class LatticeTheory:
    """A field on a few sites with Gaussian covariance `matrix`, integrated by Gauss-Hermite quadrature.

    An interaction is a function of the fields, shape (s, N), without its coupling.  Every polynomial average is exact
    up to rounding, so the coefficients of a perturbation series are, too.
    """

    def __init__(self, matrix: Array, nodes: int = 40) -> None:
        self.matrix = matrix
        t, w = np.polynomial.hermite_e.hermegauss(nodes)
        s = len(matrix)
        grid = np.stack([g.ravel() for g in np.meshgrid(*[t] * s, indexing="ij")])
        self.fields = np.linalg.cholesky(matrix) @ grid
        weights = np.ones(())
        for _ in range(s):
            weights = np.multiply.outer(weights, w / w.sum())
        self.weights = weights.ravel()

    def average(self, values: Array) -> float:
        """Gaussian average of values on the grid."""
        return float(values @ self.weights)

    def exact(self, sites: Sequence[int], interactions: Sequence[Action], couplings: Sequence[float]) -> float:
        """<f_i f_j ...> in the interacting theory."""
        delta = sum(g * v(self.fields) for g, v in zip(couplings, interactions, strict=True))
        weight = np.exp(-np.asarray(delta))
        return self.average(np.prod(self.fields[list(sites)], axis=0) * weight) / self.average(weight)

    def series(self, sites: Sequence[int], interactions: Sequence[Action], top: int) -> dict[tuple[int, ...], float]:
        """Coefficients of <f_i f_j ...> up to `top` vertices in all."""
        orders = [o for o in product(range(top + 1), repeat=len(interactions)) if sum(o) <= top]
        values = [v(self.fields) for v in interactions]
        field = np.prod(self.fields[list(sites)], axis=0) if len(sites) else np.ones(len(self.weights))
        numerator, denominator = {}, {}
        for o in orders:
            term = np.ones(len(self.weights))
            for v, k in zip(values, o, strict=True):
                for i in range(k):
                    term = term * -v / (i + 1)
            numerator[o], denominator[o] = self.average(field * term), self.average(term)
        result: dict[tuple[int, ...], float] = {}
        for o in sorted(orders, key=sum):
            rest = 0.0
            for p, c in result.items():
                q = tuple(a - b for a, b in zip(o, p, strict=True))
                if min(q) >= 0:
                    rest += c * denominator[q]
            result[o] = numerator[o] - rest
        return result


# --- closed forms in one dimension ------------------------------------------------------------------------------------


def free_chain(t: float, mass: float) -> float:
    """Chain of three propagators exp(-m |t|): integral of K(0, y1) K(y1, y2) K(y2, t), each exp(-m r) / (2 m)."""
    return float(np.exp(-mass * t) * (3 + 3 * mass * t + mass**2 * t**2) / (16 * mass**5))


def relu_star(x: Array, size: float) -> float:
    """Integral over [-size, size] of prod_i K(x_i, y) for the ReLU kernel without biases: K = x y / 2 if x y > 0."""
    k = len(x)
    total = sum(size ** (k + 1) / (k + 1) * prod(max(s * u, 0.0) / 2 for u in x.ravel()) for s in (1, -1))
    return float(total)
