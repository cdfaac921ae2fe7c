"""Input points: one checked form, an array of shape (m, d_in) in float64."""

from __future__ import annotations

from reprlib import repr as short
from typing import SupportsFloat, SupportsIndex

import numpy as np
import numpy.typing as npt

from .errors import InputError

Array = npt.NDArray[np.float64]

#: Coordinates beyond this overflow when kernels square them twice.
_LARGEST = 1e70


def as_floats(values: npt.ArrayLike, name: str) -> Array:
    """Return a new float64 array; complex numbers, text and ragged lists are refused.

    Raises
    ------
    InputError
        If `values` is not an array of real numbers.
    """
    try:
        array = np.asarray(values)
        if array.dtype.kind == "O":
            array = np.array([real(v, name) for v in array.flat], dtype=np.float64).reshape(array.shape)
        if array.dtype.kind not in "biuf":
            raise TypeError(array.dtype)
        return np.array(array, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} must be an array of real numbers, got {short(values)}") from error


def as_points(x: npt.ArrayLike, d_in: int, name: str = "x") -> Array:
    """Return a copy of `x` as a float64 array of shape (m, d_in).

    Parameters
    ----------
    x : array_like
        Shape (m, d_in); (m,) is taken for d_in = 1.
    d_in : int
        Dimension of one input.

    Raises
    ------
    InputError
        If `x` is not numeric, has another shape, is empty or is not finite.
    """
    points = as_floats(x, name)
    if points.ndim == 1 and d_in == 1:
        points = points[:, None]
    if points.ndim != 2 or points.shape[1] != d_in or points.shape[0] == 0:
        hint = " (or (m,))" if d_in == 1 else f"; is d_in={d_in} what you meant?"
        raise InputError(f"{name} must have shape (m, {d_in}){hint}, got shape {points.shape}")
    if not np.isfinite(points).all():
        row = int(np.argmin(np.isfinite(points).all(axis=1)))
        raise InputError(f"{name} must be finite, got {points[row].tolist()} at row {row}")
    if abs(points).max() > _LARGEST:
        raise InputError(f"{name} must stay below {_LARGEST:g} in size, got {abs(points).max():g}; rescale the inputs")
    return points


def positive(value: float, name: str, *, allow_zero: bool = False) -> float:
    """Return `value` as a finite float that is positive (or zero, if allowed)."""
    number = real(value, name)
    if not np.isfinite(number) or number < 0 or (number == 0 and not allow_zero):
        bound = ">= 0" if allow_zero else "> 0"
        raise InputError(f"{name} must be finite and {bound}, got {value!r}")
    return number


def real(value: object, name: str) -> float:
    """Return `value` as a float; text, complex numbers, arrays and bools are refused."""
    try:
        if isinstance(value, np.ndarray) and value.ndim == 0:
            value = value[()]
        if isinstance(value, str | bytes | bool | np.bool_ | complex | np.complexfloating | np.ndarray):
            raise TypeError(type(value))
        if not isinstance(value, SupportsFloat | SupportsIndex):
            raise TypeError(type(value))
        return float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{name} must be a real number, got {short(value)}") from error


def whole(value: object, name: str, *, least: int = 0) -> int:
    """Return `value` as an int that is at least `least`; floats and bools are refused."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise InputError(f"{name} must be a whole number, got {value!r}")
    if value < least:
        raise InputError(f"{name} must be at least {least}, got {value!r}")
    return int(value)


def flag(value: object, name: str) -> bool:
    """Return `value` if it is True or False; numbers and text that only pass for one are refused."""
    if not isinstance(value, bool):
        raise InputError(f"{name} must be True or False, got {short(value)}")
    return value
