"""FromCallable: a user's own function as kernel, probed before it is trusted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...errors import InputError
from ...points import Array, as_floats, positive
from .base import Diagonal, Kernel


class FromCallable(Kernel):
    """A kernel given by a function of two arrays of points.

    Parameters
    ----------
    function : callable
        Takes arrays of shape (m, d_in) and (p, d_in), returns (m, p).
    d_in : int
        Input dimension.
    diagonal : {"smooth", "kink", "singular"}, optional
        Behaviour at coincident points; probed by one-sided differences when not given.
    decay_length : float, optional
        Distance over which the kernel falls by a factor e or faster; needed for an infinite cutoff.
    probe_scale : float
        Typical size of the inputs, where the function is probed.

    Raises
    ------
    InputError
        If the function returns another shape, is not finite away from coincident points or not symmetric.
    """

    name = "callable"

    def __init__(
        self,
        function: Callable[[Array, Array], Array],
        d_in: int = 1,
        *,
        diagonal: Diagonal | None = None,
        decay_length: float | None = None,
        probe_scale: float = 1.0,
    ) -> None:
        super().__init__(d_in)
        if not callable(function):
            raise InputError(f"FromCallable needs a function of two arrays of points, got {function!r}")
        self.function = function
        self.decay_length = None if decay_length is None else positive(decay_length, "decay_length")
        rng = np.random.default_rng(20080860)
        self.probe_scale = scale = positive(probe_scale, "probe_scale")
        probe = scale * rng.uniform(-1.5, 1.5, size=(7, d_in))
        # different numbers of rows on the two sides, or a transposed result would pass
        matrix, transposed = self._matrix(probe[:4], probe[4:]), self._matrix(probe[4:], probe[:4])
        rounding = 1e-13 * float(np.abs(matrix).max())
        if not np.allclose(matrix, transposed.T, rtol=1e-9, atol=rounding):
            i, j = np.unravel_index(int(np.abs(matrix - transposed.T).argmax()), matrix.shape)
            raise InputError(
                f"the kernel is not symmetric: K(x, y) = {matrix[i, j]!r} but K(y, x) = {transposed[j, i]!r} at "
                f"x = {probe[i].tolist()}, y = {probe[4 + j].tolist()}"
            )
        if diagonal not in (None, "smooth", "kink", "singular"):
            raise InputError(f"diagonal must be 'smooth', 'kink' or 'singular', got {diagonal!r}")
        self.probed = diagonal is None
        self.diagonal = self._probe_diagonal(probe[0], scale) if diagonal is None else diagonal

    def _matrix(self, x: Array, y: Array) -> Array:
        value = self._call(x, y)
        if value.shape != (len(x), len(y)):
            raise InputError(
                f"the kernel function must return shape ({len(x)}, {len(y)}) for points of shapes {x.shape} and "
                f"{y.shape}, got {value.shape}"
            )
        for i, j in np.argwhere(~np.isfinite(value)):
            if self.diagonal != "singular" or not np.array_equal(x[i], y[j]):
                raise InputError(f"the kernel is {value[i, j]} at x = {x[i].tolist()}, y = {y[j].tolist()}")
            value[i, j] = np.inf
        return value

    def _call(self, x: Array, y: Array) -> Array:
        try:
            with np.errstate(all="ignore"):
                returned = self.function(x, y)
        except (ArithmeticError, AttributeError, IndexError, TypeError, ValueError) as error:
            raise InputError(
                f"the kernel function failed for points of shapes {x.shape} and {y.shape}, for which it must return "
                f"shape ({len(x)}, {len(y)}): {type(error).__name__}: {error}"
            ) from error
        return as_floats(returned, "what the kernel function returns")

    def _probe_diagonal(self, point: Array, scale: float) -> Diagonal:
        here = self._call(point[None, :], point[None, :])
        if here.shape != (1, 1):
            raise InputError(f"the kernel function must return shape (1, 1) for one point each, got {here.shape}")
        if not np.isfinite(here).all():
            return "singular"
        direction = np.ones(self.d_in) / np.sqrt(self.d_in)
        slopes, values = [], []
        for h in (1e-3 * scale, 1e-4 * scale):
            ahead = float(self._matrix((point + h * direction)[None, :], point[None, :])[0, 0])
            behind = float(self._matrix((point - h * direction)[None, :], point[None, :])[0, 0])
            slopes.append((ahead - 2 * float(here[0, 0]) + behind) / h)
            values.append(abs(ahead))
        if values[1] > 1.05 * values[0] and abs(slopes[1]) > 3 * abs(slopes[0]):
            return "singular"
        # the jump of the slope: it goes to zero like h where the kernel is smooth, and stays where there is a kink
        size = max(abs(float(here[0, 0])), 1e-300) / scale
        return "kink" if abs(slopes[1]) > 1e-5 * size and abs(slopes[1]) > 0.5 * abs(slopes[0]) else "smooth"

    @property
    def length(self) -> float:
        """The decay length if given, else the probe's scale."""
        return self.decay_length or self.probe_scale

    @property
    def reach(self) -> float | None:
        """Distance beyond which the kernel counts as zero: log(1e17) decay lengths."""
        return None if self.decay_length is None else float(self.decay_length * np.log(1e17))

    @property
    def growth(self) -> str:
        """Why an infinite cutoff is refused."""
        return "its decay is not known (give decay_length= to FromCallable)"

    def __repr__(self) -> str:
        name = getattr(self.function, "__name__", "function")
        how = " (probed)" if self.probed else ""
        return f"FromCallable({name}, d_in={self.d_in}, diagonal={self.diagonal!r}{how})"

    def __hash__(self) -> int:
        return hash((FromCallable, self.d_in, self.diagonal, self.decay_length))

    def _parameters(self) -> dict[str, Any]:
        return {
            "function": self.function,
            "d_in": self.d_in,
            "diagonal": self.diagonal,
            "decay_length": self.decay_length,
        }
