"""Kernel: a propagator K(x, y), with what the integrator must know about it."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from ...errors import InputError
from ...points import Array, as_points, positive, whole
from ._accurate import pair

if TYPE_CHECKING:
    import sympy

Diagonal = Literal["smooth", "kink", "singular"]

#: Entries evaluated at once.
_BLOCK = 16384


class Kernel:
    """A symmetric positive kernel K(x, y) on R^d_in, used as propagator.

    Calling it with points of shape (m, d_in) and (p, d_in) (or (m,) and (p,) for d_in = 1) returns (m, p).
    A new kernel is a subclass with `_matrix`, and the class attributes below where they differ.
    """

    #: Behaviour at coincident points: "smooth" enough for Gauss rules, a "kink" in the slope, or "singular".
    diagonal: Diagonal = "smooth"
    #: Whether K(x, y) is analytic in y on its own length: without kinks at x or 0, where meshes would have to break.
    analytic: bool = False
    #: Whether K(x, y) >= 0 everywhere.
    positive: bool = False
    #: Whether K(x, y) depends on x - y only.
    translation_invariant: bool = False
    #: Whether K depends on |x|^2, |y|^2 and x.y only and has its structure along rays from the origin.
    rotation_invariant: bool = False
    name: ClassVar[str] = "kernel"

    def __init__(self, d_in: int = 1) -> None:
        self.d_in = whole(d_in, "d_in", least=1)

    def __call__(self, x: npt.ArrayLike, y: npt.ArrayLike) -> Array:
        """Return K(x, y), shape (m, p)."""
        a = as_points(x, self.d_in, "x")
        b = a if y is x else as_points(y, self.d_in, "y")
        step = max(1, _BLOCK // len(b))
        if step >= len(a):
            return self._matrix(a, b)
        # in blocks of rows, so that the temporaries of the formulas stay in the cache
        out = np.empty((len(a), len(b)))
        for start in range(0, len(a), step):
            out[start : start + step] = self._matrix(a[start : start + step], b)
        return out

    def _matrix(self, x: Array, y: Array) -> Array:
        """Return K(x, y), shape (m, p), for checked points."""
        raise AssertionError(f"{type(self).__name__} does not define _matrix")

    def at_coincidence(self, x: npt.ArrayLike) -> Array:
        """Return K(x, x) for each point, shape (m,).

        Raises
        ------
        InputError
            If the kernel is singular at coincident points.
        """
        points = as_points(x, self.d_in)
        if self.diagonal == "singular":
            raise InputError(
                f"{self!r} is singular at coincident points, so a line from a point to itself has no value; "
                "use a normal-ordered theory (normal_ordered=True)"
            )
        return self._coincident(points)

    def _coincident(self, x: Array) -> Array:
        return np.array([self._matrix(p[None, :], p[None, :])[0, 0] for p in x])

    def without_bias(self) -> Kernel:
        """Return the kernel without the constant that the output bias adds; the kernel itself if it has none."""
        return self

    @property
    def homogeneous(self) -> int | None:
        """Degree k with K(s x, y) = s^k K(x, y) for s > 0, when the kernel is homogeneous."""
        return None

    @property
    def reach(self) -> float | None:
        """Distance |x - y| beyond which K(x, y) < 1e-17 K(x, x), or None if the kernel does not decay."""
        return None

    @property
    def length(self) -> float:
        """Scale over which the kernel varies; meshes are graded with it."""
        return 1.0

    @property
    def core(self) -> float:
        """Radius below which the structure along rays is rounded off: at |y| a cone has the width core/|y|."""
        return self.length

    def of_invariants(self, xx: Array, yy: Array, xy: Array, wedge: Array) -> Array:
        """Return K from |x|^2, |y|^2, x.y and |x ^ y|^2 (arrays that broadcast), for rotation-invariant kernels.

        The wedge is an argument of its own because |x|^2 |y|^2 - (x.y)^2 has no digits left where x and y are nearly
        parallel.
        """
        raise AssertionError(f"{type(self).__name__} does not define of_invariants")

    @property
    def growth(self) -> str:
        """Why a vertex integral over all space diverges, for the error message."""
        return "it does not decay at infinity"

    def axes(self) -> list[Kernel] | None:
        """Return one-dimensional kernels whose product over the coordinates is this kernel, or None."""
        return None

    @property
    def expression(self) -> sympy.Expr:
        """Sympy form in the symbols x, y (x_1, ..., y_1, ... for d_in > 1)."""
        raise InputError(f"{self!r} has no closed form to show")

    def __repr__(self) -> str:
        inside = ", ".join(f"{k}={v!r}" for k, v in self._parameters().items())
        return f"{type(self).__name__}({inside})"

    def _parameters(self) -> dict[str, Any]:
        return {"d_in": self.d_in}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Kernel) and type(self) is type(other) and self._parameters() == other._parameters()

    def __hash__(self) -> int:
        return hash((type(self), *self._parameters().values()))


def coordinates(d_in: int) -> tuple[list[sympy.Symbol], list[sympy.Symbol]]:
    """Return the symbols of the coordinates of x and y."""
    import sympy

    if d_in == 1:
        return [sympy.Symbol("x", real=True)], [sympy.Symbol("y", real=True)]
    names = [str(i + 1) for i in range(d_in)]
    return [sympy.Symbol("x_" + i, real=True) for i in names], [sympy.Symbol("y_" + i, real=True) for i in names]


def exact_number(value: float) -> sympy.Expr:
    """Return the shortest rational that prints as `value`."""
    import sympy

    return sympy.Rational(str(value)) if not float(value).is_integer() else sympy.Integer(int(value))


class NetworkKernel(Kernel):
    """Common part of the kernels of wide one-hidden-layer networks: sigma_b^2 plus sigma_w^2 times an activation part.

    Parameters
    ----------
    sigma_w, sigma_b : float
        Standard deviations of weights (scaled by sqrt(d_in) and sqrt(width)) and biases.
    d_in : int
        Input dimension.
    bias : bool
        Whether the constant sigma_b^2 of the output bias is added; ``without_bias()`` turns it off and leaves the
        bias of the hidden layer alone.
    """

    def __init__(self, sigma_w: float = 1.0, sigma_b: float = 1.0, d_in: int = 1, *, bias: bool = True) -> None:
        super().__init__(d_in)
        self.sigma_w = positive(sigma_w, "sigma_w")
        self.sigma_b = positive(sigma_b, "sigma_b", allow_zero=True)
        self.bias = bool(bias)
        #: sigma_w^2 / d_in as a pair (float, rounding error).
        self._scale = pair(Fraction(self.sigma_w) ** 2 / self.d_in)

    @property
    def constant(self) -> float:
        """The constant that the output bias adds."""
        return self.sigma_b**2 if self.bias else 0.0

    @property
    def scale(self) -> float:
        """Variance of one weight of the hidden layer: sigma_w^2 / d_in."""
        return self._scale[0]

    def without_bias(self) -> Kernel:
        """Return K - sigma_b^2 (the vertex kernel of the slides); the kernel itself if there is no bias to drop."""
        return self if not self.constant else type(self)(self.sigma_w, self.sigma_b, self.d_in, bias=False)

    @property
    def length(self) -> float:
        """Input at which the pre-activation's standard deviation is one."""
        return 1.0 / float(np.sqrt(self.scale))

    @property
    def growth(self) -> str:
        """Why a vertex integral over all space diverges."""
        if self.constant:
            return f"it tends to a constant of at least sigma_b^2 = {self.constant:g}"
        return self._tail()

    def _tail(self) -> str:
        return "it does not decay at infinity"

    def _parameters(self) -> dict[str, Any]:
        shown: dict[str, Any] = {"sigma_w": self.sigma_w, "sigma_b": self.sigma_b, "d_in": self.d_in}
        if not self.bias:
            shown["bias"] = False
        return shown
