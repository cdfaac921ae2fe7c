"""Drawing network outputs at m inputs: only the inputs' pre-activations are drawn, from their joint Gaussian.

h = A z with A of rank at most min(m, d_in + 1) and z standard normal, so a neuron costs that many normals and one for
its output weight, whatever d_in is. Work goes in tiles that fit the cache, in an order that the plan alone fixes: the
same stream gives the same bits wherever it runs. There is no BLAS call here, whose bits could depend on its threads.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..points import Array

if TYPE_CHECKING:
    from .activation import Activation

#: Networks in one chunk (one stream) at most, and values f(x_i) in it.
_CHUNK_NETS, _CHUNK_VALUES = 4096, 1 << 21
#: Pre-activations in one tile, and neurons in it at most.
_TILE_VALUES, _TILE_NEURONS = 1 << 16, 1 << 15


@dataclass(frozen=True)
class DrawPlan:
    """What is needed to draw outputs at fixed inputs: small, and sent to workers.

    Parameters
    ----------
    activation : Activation
        The nonlinearity; not used at infinite width.
    factor : array, shape (m, r)
        A with A A^T the covariance of the pre-activations (at infinite width: of the outputs).
    variance : array, shape (m, 1)
        Variances of the pre-activations.
    width : float
        Neurons, or infinity.
    weight : float
        Standard deviation of the output weights, sigma_w / sqrt(width).
    bias : float
        Standard deviation of the output bias.
    """

    activation: Activation
    factor: Array
    variance: Array
    width: float
    weight: float
    bias: float

    @property
    def chunk(self) -> int:
        """Networks drawn from one stream."""
        return max(1, min(_CHUNK_NETS, _CHUNK_VALUES // len(self.factor)))


def finite_plan(activation: Activation, vectors: Array, width: int, sigma_w: float, sigma_b: float) -> DrawPlan:
    """Return the plan of a network of finite width with pre-activation vectors of shape (m, d_in + 1)."""
    variance = (vectors * vectors).sum(axis=1)[:, None]
    factor = vectors if sigma_b else vectors[:, 1:]
    if factor.shape[0] < factor.shape[1]:
        # fewer inputs than directions: rotate to a square triangle
        triangle: Array = np.linalg.qr(factor.T)[1]
        factor = triangle.T
    return DrawPlan(activation, np.ascontiguousarray(factor), variance, width, sigma_w / math.sqrt(width), sigma_b)


def gaussian_plan(activation: Activation, covariance: Array) -> DrawPlan:
    """Return the plan of the Gaussian process with this covariance matrix of the outputs, shape (m, m)."""
    size, axes = np.linalg.eigh(covariance)
    # coincident inputs make the matrix singular, and rounding may make an eigenvalue negative
    factor = np.ascontiguousarray(axes * np.sqrt(np.maximum(size, 0.0)))
    return DrawPlan(activation, factor, np.diag(covariance)[:, None].copy(), math.inf, 0.0, 0.0)


class OutputSource:
    """Draws outputs after a plan; owns the buffers, so each worker has its own."""

    def __init__(self, plan: DrawPlan) -> None:
        self.plan = plan
        m, r = plan.factor.shape
        self._outputs = np.empty((m, plan.chunk))
        if math.isinf(plan.width):
            return
        width = int(plan.width)
        neurons = max(1, min(_TILE_NEURONS, _TILE_VALUES // m))
        self._neurons = min(width, neurons)
        self._nets = min(plan.chunk, max(1, neurons // width))
        tile = self._neurons * self._nets
        self._normals = np.empty(r * tile)
        self._weights = np.empty(tile)
        self._hidden = np.empty(m * tile)

    def draw(self, stream: np.random.Generator, n_nets: int) -> Array:
        """Return outputs of `n_nets` networks (one chunk at most), shape (m, n_nets): a view until the next call."""
        plan = self.plan
        out = self._outputs[:, :n_nets]
        if math.isinf(plan.width):
            np.einsum("mr,rn->mn", plan.factor, stream.standard_normal((plan.factor.shape[1], n_nets)), out=out)
            return out
        width = int(plan.width)
        for start in range(0, n_nets, self._nets):
            nets = min(self._nets, n_nets - start)
            part = out[:, start : start + nets]
            part[...] = 0.0
            for first in range(0, width, self._neurons):
                part += self._tile(stream, nets, min(self._neurons, width - first))
        out *= plan.weight
        if plan.bias:
            out += plan.bias * stream.standard_normal(n_nets)
        return out

    def _tile(self, stream: np.random.Generator, nets: int, neurons: int) -> Array:
        """Return the sum over some neurons of weight times activation, for some networks, shape (m, nets)."""
        m, r = self.plan.factor.shape
        tile = nets * neurons
        normals = self._normals[: r * tile].reshape(r, tile)
        weights, hidden = self._weights[:tile], self._hidden[: m * tile].reshape(m, tile)
        stream.standard_normal(out=normals)
        stream.standard_normal(out=weights)
        np.einsum("mr,rk->mk", self.plan.factor, normals, out=hidden)
        self.plan.activation.apply_inplace(hidden, self.plan.variance)
        # the longer axis last, where the inner loop runs
        if nets >= neurons:
            shape = (neurons, nets)
            return np.asarray(np.einsum("mjn,jn->mn", hidden.reshape(m, *shape), weights.reshape(shape)))
        shape = (nets, neurons)
        return np.asarray(np.einsum("mnj,nj->mn", hidden.reshape(m, *shape), weights.reshape(shape)))
