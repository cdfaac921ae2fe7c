"""Network: one hidden layer with Gaussian weights, as an ensemble (PHYSICS section 1)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError
from ..points import Array, as_points, positive, whole
from ..theory.kernels import Kernel
from .activation import Activation
from .drawing import DrawPlan, OutputSource, finite_plan, gaussian_plan


class Network:
    """The ensemble f(x) = b1 + sum_j W1_j sigma(W0_j . x + b0_j) of networks with one hidden layer and one output.

    b0, b1 ~ N(0, sigma_b^2), W0 ~ N(0, sigma_w^2/d_in), W1 ~ N(0, sigma_w^2/width), all independent.

    Parameters
    ----------
    activation : str or Activation
        "gauss", "erf", "relu", the name of an activation of your own, or an instance.
    width : int or math.inf
        Neurons N of the hidden layer; infinite width is the Gaussian process.
    d_in : int
        Input dimension.
    sigma_w, sigma_b : float
        Standard deviations of weights (before the scaling with d_in and width) and biases. The slides use
        sigma_b = 0 for ReLU.

    Raises
    ------
    InputError
        If an argument is out of range or no activation has this name.
    """

    def __init__(
        self,
        activation: str | Activation,
        *,
        width: float,
        d_in: int = 1,
        sigma_w: float = 1.0,
        sigma_b: float = 1.0,
    ) -> None:
        if isinstance(activation, str):
            activation = Activation.from_name(activation)
        if not isinstance(activation, Activation):
            raise InputError(f"activation must be a name or an Activation such as Erf(), got {activation!r}")
        self.activation = activation
        self.width: float = math.inf if width == math.inf else whole(width, "width (or math.inf)", least=1)
        self.d_in = whole(d_in, "d_in", least=1)
        self.sigma_w = positive(sigma_w, "sigma_w")
        self.sigma_b = positive(sigma_b, "sigma_b", allow_zero=True)

    def kernel(self) -> Kernel:
        """Return the kernel K of the infinite-width limit: the exact 2-point function at every width."""
        return self.activation.kernel(self.sigma_w, self.sigma_b, self.d_in)

    def vectors(self, x: npt.ArrayLike) -> Array:
        """Return a_i = (sigma_b, sigma_w x_i / sqrt(d_in)), shape (m, d_in + 1): h(x_i) = a_i . z with z normal."""
        points = as_points(x, self.d_in)
        bias = np.full((len(points), 1), self.sigma_b)
        return np.concatenate([bias, points * (self.sigma_w / math.sqrt(self.d_in))], axis=1)

    def outputs(self, x: npt.ArrayLike, n_nets: int = 1000, seed: int = 0) -> Array:
        """Return the outputs of independent networks, shape (n_nets, m).

        Parameters
        ----------
        x : array_like, shape (m, d_in)
            Inputs.
        n_nets : int
            Networks to draw.
        seed : int
            Seed of the random numbers; the same call gives the same networks.

        Raises
        ------
        InputError
            If the inputs or numbers are out of range.
        """
        points = as_points(x, self.d_in)
        count, key = whole(n_nets, "n_nets", least=1), whole(seed, "seed")
        source = OutputSource(self.draw_plan(points))
        result = np.empty((count, len(points)))
        for chunk, start in enumerate(range(0, count, source.plan.chunk)):
            stream = np.random.Generator(np.random.SFC64(np.random.SeedSequence(key, spawn_key=(chunk,))))
            stop = min(count, start + source.plan.chunk)
            result[start:stop] = source.draw(stream, stop - start).T
        return result

    def draw_plan(self, points: Array) -> DrawPlan:
        """Return what a worker needs to draw outputs at checked `points` of shape (m, d_in)."""
        if math.isinf(self.width):
            return gaussian_plan(self.activation, self.kernel()(points, points))
        return finite_plan(self.activation, self.vectors(points), int(self.width), self.sigma_w, self.sigma_b)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary."""
        return {
            "activation": self.activation.name,
            "parameters": dict(self.activation.parameters),
            "width": "inf" if math.isinf(self.width) else int(self.width),
            "d_in": self.d_in,
            "sigma_w": self.sigma_w,
            "sigma_b": self.sigma_b,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Network:
        """Rebuild what `to_dict` wrote."""
        rest = dict(data)
        activation = Activation.from_name(rest.pop("activation"), **rest.pop("parameters"))
        width = rest.pop("width")
        return cls(activation, width=math.inf if width == "inf" else width, **rest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Network) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[Activation, float, int, float, float]:
        return self.activation, self.width, self.d_in, self.sigma_w, self.sigma_b

    def __repr__(self) -> str:
        name = repr(self.activation.name) if not self.activation.parameters else repr(self.activation)
        width = "math.inf" if math.isinf(self.width) else repr(self.width)
        return f"Network({name}, width={width}, d_in={self.d_in}, sigma_w={self.sigma_w!r}, sigma_b={self.sigma_b!r})"
