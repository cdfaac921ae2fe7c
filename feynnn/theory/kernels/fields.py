"""Kernels of fields: the free scalar propagator, and any positive matrix on a finite lattice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ...errors import InputError
from ...points import Array, as_floats, as_points, positive
from ._accurate import decaying_exponential, distance
from .base import Diagonal, Kernel, coordinates, exact_number

if TYPE_CHECKING:
    import sympy


class FreeScalar(Kernel):
    """Propagator of S = (1/2) integral f (-laplacian + mass^2) f on R^d_in.

    exp(-m r)/(2m) in one dimension, K_0(m r)/(2 pi) in two, exp(-m r)/(4 pi r) in three, and
    (2 pi)^(-d/2) (m/r)^(d/2 - 1) K_(d/2 - 1)(m r) in general. It has a kink at coincident points in one dimension
    and is singular there above.

    Parameters
    ----------
    mass : float
        Positive mass; a massless field has no propagator in d_in <= 2 and an infinite range above.
    d_in : int
        Dimension.
    """

    name = "free-scalar"
    positive = True
    translation_invariant = True

    def __init__(self, mass: float = 1.0, d_in: int = 1) -> None:
        super().__init__(d_in)
        self.mass = positive(mass, "mass")
        self.diagonal: Diagonal = "kink" if d_in == 1 else "singular"

    def _matrix(self, x: Array, y: Array) -> Array:
        from scipy.special import kve

        m, d = self.mass, self.d_in
        r, low = distance(x, y)
        decay = decaying_exponential((m, 0.0), (r, low))
        if d == 1:
            return decay / (2 * m)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            if d == 3:
                return decay / (4 * np.pi * r)
            nu = d / 2 - 1
            value = (2 * np.pi) ** (-d / 2) * (m / r) ** nu * kve(nu, m * r) * decay
        # far out, where the exponential is zero already, the Bessel function of scipy is not a number
        return np.where(r == 0, np.inf, np.where(decay == 0, 0.0, value))

    def _coincident(self, x: Array) -> Array:
        return np.full(len(x), 1 / (2 * self.mass))

    @property
    def length(self) -> float:
        """The Compton length 1/mass."""
        return 1.0 / self.mass

    @property
    def reach(self) -> float | None:
        """Distance beyond which K < 1e-17 of its size at distance 1/mass."""
        return float((np.log(1e17) + 1) / self.mass)

    @property
    def expression(self) -> sympy.Expr:
        """Sympy form in x, y."""
        import sympy

        xs, ys = coordinates(self.d_in)
        m, d = exact_number(self.mass), self.d_in
        r = sympy.Abs(xs[0] - ys[0]) if d == 1 else sympy.sqrt(sum((a - b) ** 2 for a, b in zip(xs, ys, strict=True)))
        if d == 1:
            return sympy.exp(-m * r) / (2 * m)
        if d == 3:
            return sympy.exp(-m * r) / (4 * sympy.pi * r)
        half = sympy.Rational(d, 2)
        return (2 * sympy.pi) ** (-half) * (m / r) ** (half - 1) * sympy.besselk(half - 1, m * r)

    def _parameters(self) -> dict[str, Any]:
        return {"mass": self.mass, "d_in": self.d_in}


class Lattice(Kernel):
    """A positive definite matrix as propagator on finitely many sites; integrals become weighted sums over the sites.

    Parameters
    ----------
    matrix : array_like, shape (s, s)
        Symmetric positive definite.
    sites : array_like, shape (s, d_in), optional
        Positions of the sites; 0, 1, ..., s-1 by default. Inputs must be sites.
    weights : array_like, shape (s,), optional
        Weight of each site in the sum that replaces the integral; 1 by default.

    Raises
    ------
    InputError
        If the matrix is not symmetric positive definite or shapes do not fit; on evaluation off the sites.
    """

    name = "lattice"

    def __init__(
        self, matrix: npt.ArrayLike, sites: npt.ArrayLike | None = None, weights: npt.ArrayLike | None = None
    ) -> None:
        k = as_floats(matrix, "a lattice kernel")
        if k.ndim != 2 or k.shape[0] != k.shape[1] or not len(k):
            raise InputError(f"a lattice kernel is a square matrix, got shape {k.shape}")
        if not np.isfinite(k).all() or not np.allclose(k, k.T, rtol=1e-12, atol=0):
            raise InputError("a lattice kernel must be finite and symmetric")
        smallest = float(np.linalg.eigvalsh(k)[0])
        if smallest <= 0:
            raise InputError(f"a lattice kernel must be positive definite, its smallest eigenvalue is {smallest:.3g}")
        positions = np.arange(len(k), dtype=np.float64)[:, None] if sites is None else as_floats(sites, "sites")
        super().__init__(positions.shape[1] if positions.ndim == 2 else 1)
        self.matrix = (k + k.T) / 2
        self.sites = as_points(positions, self.d_in, "sites")
        if len(self.sites) != len(k) or len(np.unique(self.sites, axis=0)) != len(k):
            raise InputError(f"a {len(k)} x {len(k)} kernel needs {len(k)} distinct sites, got {len(self.sites)}")
        w = np.ones(len(k)) if weights is None else as_floats(weights, "weights")
        if w.shape != (len(k),) or not np.isfinite(w).all():
            raise InputError(f"weights must be {len(k)} finite numbers, got shape {w.shape}")
        self.weights = w

    def site_numbers(self, x: Array) -> npt.NDArray[np.int64]:
        """Return the number of the site at each point of `x`."""
        same = (x[:, None, :] == self.sites[None, :, :]).all(axis=2)
        found = same.any(axis=1)
        if not found.all():
            raise InputError(f"inputs must be sites of the lattice, {x[int(np.argmin(found))].tolist()} is not")
        return np.asarray(same.argmax(axis=1))

    def _matrix(self, x: Array, y: Array) -> Array:
        return self.matrix[np.ix_(self.site_numbers(x), self.site_numbers(y))]

    def _coincident(self, x: Array) -> Array:
        return np.diag(self.matrix)[self.site_numbers(x)]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Lattice) and all(
            np.array_equal(getattr(self, a), getattr(other, a)) for a in ("matrix", "sites", "weights")
        )

    def __hash__(self) -> int:
        return hash((self.matrix.tobytes(), self.sites.tobytes(), self.weights.tobytes()))

    def __repr__(self) -> str:
        return f"Lattice({len(self.matrix)} sites)"
