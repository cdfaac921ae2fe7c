"""Activations: the nonlinearity of the hidden layer, with all that the library must know about it.

A new network is one new subclass of `Activation` with a name, `apply` and `kernel`: it then has a `Network`, exact
finite-width functions (by quadrature, if it is smooth) and sampled ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from scipy.special import erf

from ..errors import InputError
from ..points import Array
from ..theory import kernels
from .cones import relu_moments
from .erf_table import erf_inplace
from .moments import NeuronMoments, gauss_moments
from .trapezoid import trapezoid_moments


class Activation:
    """A nonlinearity sigma(h) of the hidden layer, which may depend on the pre-activation's variance C_xx.

    Subclasses set `name` (by which ``Network(name, ...)`` finds them) and define `apply` and `kernel`. One with
    parameters takes them as keyword arguments and returns them in `parameters`.
    """

    name: ClassVar[str] = ""
    #: Whether sigma(-h) = -sigma(h): halves the nodes of the quadrature.
    odd: ClassVar[bool] = False
    _known: ClassVar[dict[str, type[Activation]]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        name = cls.__dict__.get("name")
        if not name:
            if cls.name:
                raise InputError(f"{cls.__qualname__} needs a name of its own: {cls.name!r} is its parent's")
            return
        old = Activation._known.get(name)
        # running the cell or module that defines a class again is fine; taking another class's name is not
        if old is not None and (old.__module__, old.__qualname__) != (cls.__module__, cls.__qualname__):
            raise InputError(f"the activation name {name!r} is taken by {old.__module__}.{old.__qualname__}")
        Activation._known[name] = cls

    @classmethod
    def from_name(cls, name: str, **parameters: float) -> Activation:
        """Return the activation called `name`.

        Raises
        ------
        InputError
            If no class of that name is defined, or it does not take these parameters.
        """
        found = Activation._known.get(name)
        if found is None:
            raise InputError(
                f"no activation is called {name!r}; there are {sorted(Activation._known)}, "
                "or pass an Activation of your own (import the module that defines it before loading results)"
            )
        try:
            return found(**parameters)
        except TypeError as error:
            raise InputError(f"activation {name!r} does not take the parameters {parameters}: {error}") from error

    @property
    def parameters(self) -> dict[str, float]:
        """The parameters that rebuild this activation; none unless a subclass has some."""
        return {}

    def apply(self, h: Array, variance: Array) -> Array:
        """Return sigma(h), shape (m, k), for pre-activations of shape (m, k) with variances C_xx of shape (m, 1)."""
        raise AssertionError(f"{type(self).__name__} does not define apply")

    def apply_inplace(self, h: Array, variance: Array) -> None:
        """Replace `h` by sigma(h); sampling calls this, so it is worth making fast (errors of 1e-13 do not matter)."""
        h[...] = self.apply(h, variance)

    def kernel(self, sigma_w: float, sigma_b: float, d_in: int) -> kernels.Kernel:
        """Return the kernel of the infinitely wide network, sigma_b^2 + sigma_w^2 E[sigma(h_x) sigma(h_y)]."""
        raise AssertionError(f"{type(self).__name__} does not define kernel")

    def moments(self, vectors: Array, orders: Sequence[int]) -> NeuronMoments:
        """Return the neuron moments of even `orders` for vectors a_i of shape (m, d_in + 1), C_ij = a_i . a_j."""
        return trapezoid_moments(self.apply, vectors, orders, odd=self.odd)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and isinstance(other, Activation) and self.parameters == other.parameters

    def __hash__(self) -> int:
        return hash((type(self), tuple(sorted(self.parameters.items()))))

    def __repr__(self) -> str:
        inside = ", ".join(f"{k}={v!r}" for k, v in self.parameters.items())
        return f"{type(self).__name__}({inside})"


class Gauss(Activation):
    """sigma = exp(h) / sqrt(exp(2 C_xx)) = exp(h - C_xx) with C_xx = sigma_b^2 + sigma_w^2 |x|^2 / d_in."""

    name = "gauss"

    def apply(self, h: Array, variance: Array) -> Array:
        """Return exp(h - C_xx)."""
        return np.asarray(np.exp(h - variance))

    def apply_inplace(self, h: Array, variance: Array) -> None:
        """Replace `h` by exp(h - C_xx)."""
        np.subtract(h, variance, out=h)
        np.exp(h, out=h)

    def kernel(self, sigma_w: float, sigma_b: float, d_in: int) -> kernels.Kernel:
        """Return the Gauss kernel."""
        return kernels.Gauss(sigma_w, sigma_b, d_in)

    def moments(self, vectors: Array, orders: Sequence[int]) -> NeuronMoments:
        """Return the closed form, any d_in."""
        return gauss_moments(vectors, orders)


class Erf(Activation):
    """sigma = erf(h)."""

    name = "erf"
    odd = True

    def apply(self, h: Array, variance: Array) -> Array:
        """Return erf(h)."""
        return np.asarray(erf(h))

    def apply_inplace(self, h: Array, variance: Array) -> None:
        """Replace `h` by erf(h), to 2e-14."""
        erf_inplace(h)

    def kernel(self, sigma_w: float, sigma_b: float, d_in: int) -> kernels.Kernel:
        """Return the Erf kernel."""
        return kernels.Erf(sigma_w, sigma_b, d_in)


class ReLU(Activation):
    """sigma = max(h, 0)."""

    name = "relu"

    def apply(self, h: Array, variance: Array) -> Array:
        """Return max(h, 0)."""
        return np.maximum(h, 0.0)

    def apply_inplace(self, h: Array, variance: Array) -> None:
        """Replace `h` by max(h, 0)."""
        np.maximum(h, 0.0, out=h)

    def kernel(self, sigma_w: float, sigma_b: float, d_in: int) -> kernels.Kernel:
        """Return the ReLU kernel."""
        return kernels.ReLU(sigma_w, sigma_b, d_in)

    def moments(self, vectors: Array, orders: Sequence[int]) -> NeuronMoments:
        """Return integrals over the cones where all h(x_i) > 0: up to three independent directions."""
        return relu_moments(vectors, orders)
