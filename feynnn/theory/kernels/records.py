"""Kernels as plain dictionaries, for files."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import InputError
from .base import Kernel, NetworkKernel
from .fields import FreeScalar, Lattice
from .network import Erf, Gauss, ReLU
from .user import FromExpression

_CLASSES: dict[str, type[Kernel]] = {k.__name__: k for k in (Gauss, Erf, ReLU, FreeScalar, FromExpression, Lattice)}


def kernel_to_dict(kernel: Kernel) -> dict[str, Any]:
    """Return a JSON-ready dictionary.

    Raises
    ------
    InputError
        For kernels that are code (FromCallable), which no file holds.
    """
    name = type(kernel).__name__
    if _CLASSES.get(name) is not type(kernel):
        raise InputError(f"{kernel!r} is given by code and cannot be saved; save the data it was used on instead")
    if isinstance(kernel, NetworkKernel):
        return {
            "type": name,
            "sigma_w": kernel.sigma_w,
            "sigma_b": kernel.sigma_b,
            "d_in": kernel.d_in,
            "bias": kernel.bias,
        }
    if isinstance(kernel, FromExpression):
        return {"type": name, **kernel.to_dict()}
    if isinstance(kernel, FreeScalar):
        return {"type": name, "mass": kernel.mass, "d_in": kernel.d_in}
    assert isinstance(kernel, Lattice)
    arrays = {key: np.asarray(getattr(kernel, key)).tolist() for key in ("matrix", "sites", "weights")}
    return {"type": name, **arrays}


def kernel_from_dict(data: dict[str, Any]) -> Kernel:
    """Rebuild what `kernel_to_dict` wrote.

    Raises
    ------
    InputError
        For an unknown type.
    """
    options = {k: v for k, v in data.items() if k != "type"}
    name = data.get("type")
    if name not in _CLASSES:
        raise InputError(f"a file holds a kernel of the unknown type {name!r}; known are {', '.join(_CLASSES)}")
    if name == "FromExpression":
        return FromExpression.from_dict(options)
    return _CLASSES[name](**options)
