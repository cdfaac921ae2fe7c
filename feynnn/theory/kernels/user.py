"""Kernels of a user: a function or a formula, probed before it is trusted."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cached_property
from reprlib import repr as short
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import InputError
from ...points import Array, as_floats, positive, whole
from .base import Diagonal, Kernel
from .program import Program
from .symbolic import Names, adopt, agree, from_tree, per_coordinate, read_text, to_tree

if TYPE_CHECKING:
    import sympy


class _Probed(Kernel):
    """A kernel about which the user may say how it behaves; what is not said is found out at a few points."""

    def __init__(self, d_in: int, decay_length: float | None, probe_scale: float) -> None:
        super().__init__(d_in)
        self.decay_length = None if decay_length is None else positive(decay_length, "decay_length")
        self.probe_scale = positive(probe_scale, "probe_scale")

    def _probe(self, diagonal: Diagonal | None) -> None:
        """Refuse a kernel that is not symmetric, and set `diagonal`; comes last in the constructor."""
        scale = self.probe_scale
        probe = scale * np.random.default_rng(20080860).uniform(-1.5, 1.5, size=(7, self.d_in))
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

    def _call(self, x: Array, y: Array) -> Array:
        """Return the values as they come, shape (m, p) if the user's function is right."""
        raise AssertionError(f"{type(self).__name__} does not define _call")

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
        return f"its decay is not known (give decay_length= to {type(self).__name__})"

    def __repr__(self) -> str:
        how = " (probed)" if self.probed else ""
        return f"{type(self).__name__}({self._title()}, d_in={self.d_in}, diagonal={self.diagonal!r}{how})"

    def _title(self) -> str:
        """Return what stands for the kernel in its repr."""
        raise AssertionError(f"{type(self).__name__} does not define _title")

    def _parameters(self) -> dict[str, Any]:
        names = ("d_in", "diagonal", "decay_length", "probe_scale")
        return {name: getattr(self, name) for name in names}


class FromCallable(_Probed):
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
        super().__init__(d_in, decay_length, probe_scale)
        if not callable(function):
            raise InputError(f"FromCallable needs a function of two arrays of points, got {function!r}")
        self.function = function
        self._probe(diagonal)

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

    def _title(self) -> str:
        return str(getattr(self.function, "__name__", "function"))

    def __hash__(self) -> int:
        # a function need not be hashable
        return hash((FromCallable, *super()._parameters().values()))

    def _parameters(self) -> dict[str, Any]:
        return {"function": self.function, **super()._parameters()}


class FromExpression(_Probed):
    """A kernel given by a formula in the coordinates of x and y.

    Parameters
    ----------
    expression : sympy.Expr or str
        A formula in x, y, or x_1, ..., y_1, ... for d_in > 1, as ``K.expression`` gives it. A text may hold numbers,
        + - * / **, brackets, pi, sqrt, exp, log, erf, erfc, sin, cos, tan, their inverses and hyperbolic forms, sinc,
        atan2, besselk, Abs, Min and Max, and nothing of it is ever executed.
    d_in : int
        Input dimension.
    diagonal : {"smooth", "kink", "singular"}, optional
        Behaviour at coincident points; probed by one-sided differences when not given.
    decay_length : float, optional
        Distance over which the kernel falls by a factor e or faster; needed for an infinite cutoff.
    probe_scale : float
        Typical size of the inputs, where the formula is probed.
    **parameters : float or Fraction
        Values of the other symbols in the formula.

    Attributes
    ----------
    translation_invariant : bool
        Whether the formula depends on x - y only, judged by 40 digits at random points.

    Raises
    ------
    InputError
        If the formula holds something unknown, a coordinate beyond d_in or an imaginary number, or is not symmetric
        and finite at the points where it is probed. Positive definiteness is not checked.

    Notes
    -----
    Values are as accurate as the formula in double precision: the built-in kernels keep digits that their textbook
    formulas lose far from the origin. A product of formulas of one coordinate each (the exponential of a sum over
    coordinates) is integrated coordinate by coordinate.

    Examples
    --------
    >>> import feynnn as fn
    >>> K = fn.kernels.FromExpression("exp(-Abs(x - y)/l)", l=2.0, decay_length=2.0)
    >>> K
    FromExpression(exp(-Abs(x - y)/2), d_in=1, diagonal='kink' (probed))
    >>> K.translation_invariant
    True
    """

    name = "expression"

    def __init__(
        self,
        expression: sympy.Expr | str,
        d_in: int = 1,
        *,
        diagonal: Diagonal | None = None,
        decay_length: float | None = None,
        probe_scale: float = 1.0,
        **parameters: float | Fraction,
    ) -> None:
        super().__init__(d_in, decay_length, probe_scale)
        names = Names(self.d_in, parameters)
        self._formula = _formula(expression, names)
        unused = sorted(set(parameters) - names.used)
        if unused:
            raise InputError(f"the parameter {unused[0]!r} does not stand in the formula {self._title()}")
        points = names.coordinates
        self._program = Program(self._formula, points)
        self._check_symmetric(points)
        self._probe(diagonal)
        if self.probed and self.diagonal == "singular":
            self._check_quotient()
        self.translation_invariant = self._is_invariant(points)

    def _check_symmetric(self, points: list[sympy.Symbol]) -> None:
        swapped = dict(zip(points, points[self.d_in :] + points[: self.d_in], strict=True))
        if not agree(self._formula, self._formula.xreplace(swapped), points, self.probe_scale):
            raise InputError(f"the kernel {self._title()} is not symmetric in x and y")

    def _check_quotient(self) -> None:
        """Refuse a formula that is 0/0 at coincident points: it has a limit there that it does not say."""
        here = self.probe_scale * np.full((1, self.d_in), 0.4)
        if np.isnan(self._call(here, here)).any():
            raise InputError(
                f"the kernel {self._title()} is 0/0 or complex at coincident points; write it with its limit "
                "(sinc(u) for sin(u)/u), or pass diagonal='singular' if it has none"
            )

    def _is_invariant(self, points: list[sympy.Symbol]) -> bool:
        import sympy

        # a point that is moved with both ends
        shift = [sympy.Dummy(real=True) for _ in range(self.d_in)]
        moved = {s: s + shift[k % self.d_in] for k, s in enumerate(points)}
        return agree(self._formula, self._formula.xreplace(moved), [*points, *shift], self.probe_scale)

    def _call(self, x: Array, y: Array) -> Array:
        columns, rows = [x[:, k, None] for k in range(self.d_in)], [y[None, :, k] for k in range(self.d_in)]
        return np.array(np.broadcast_to(self._program([*columns, *rows]), (len(x), len(y))))

    def _coincident(self, x: Array) -> Array:
        columns = list(x.T)
        value = np.broadcast_to(self._program([*columns, *columns]), (len(x),))
        if not np.isfinite(value).all():
            at = x[int(np.argmin(np.isfinite(value)))].tolist()
            raise InputError(f"the kernel is not finite at x = y = {at}")
        return np.array(value)

    @property
    def expression(self) -> sympy.Expr:
        """Sympy form in the symbols x, y (x_1, ..., y_1, ... for d_in > 1), parameters put in."""
        return self._formula

    def axes(self) -> list[Kernel] | None:
        """Return one-dimensional kernels whose product over the coordinates is this kernel, or None."""
        return self._axes

    @cached_property
    def _axes(self) -> list[Kernel] | None:
        parts = per_coordinate(self._formula, self.d_in) if self.d_in > 1 else None
        try:
            return parts and [
                FromExpression(
                    part,
                    diagonal=None if self.probed else self.diagonal,
                    decay_length=self.decay_length,
                    probe_scale=self.probe_scale,
                )
                for part in parts
            ]
        except InputError:
            return None  # factors that are symmetric together only

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary from which `from_dict` rebuilds the kernel to the last bit."""
        options = self._parameters() | {"expression": to_tree(self._formula)}
        return options | {"diagonal": None if self.probed else self.diagonal}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> FromExpression:
        """Rebuild what `to_dict` wrote.

        Raises
        ------
        InputError
            If the dictionary is damaged or holds what may not stand in a formula.
        """
        options = dict(data)
        names = Names(whole(options.get("d_in", 1), "d_in", least=1), {})
        try:
            formula = from_tree(options.pop("expression", None), names)
        except RecursionError as error:
            raise InputError("a file holds a damaged formula: it is nested too deeply") from error
        return cls(formula, **options)

    def _title(self) -> str:
        return short(str(self._formula)) if len(str(self._formula)) > 60 else str(self._formula)

    def _parameters(self) -> dict[str, Any]:
        return {"expression": self._formula, **super()._parameters()}


def _formula(expression: object, names: Names) -> sympy.Expr:
    import sympy

    if isinstance(expression, str):
        return read_text(expression, names)
    if isinstance(expression, sympy.Expr):
        return adopt(expression, names)
    raise InputError(
        f"FromExpression needs a sympy expression or a text such as 'exp(-(x - y)**2)', got {expression!r}"
    )
