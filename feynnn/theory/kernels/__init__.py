"""Kernels: the propagators K(x, y)."""

from .base import Kernel
from .fields import FreeScalar, Lattice
from .network import Erf, Gauss, ReLU
from .user import FromCallable, FromExpression

__all__ = ["Erf", "FreeScalar", "FromCallable", "FromExpression", "Gauss", "Kernel", "Lattice", "ReLU"]
