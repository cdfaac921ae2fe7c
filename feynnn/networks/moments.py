"""Neuron moments M_n(x_1, ..., x_n) = E[phi_1 ... phi_n], phi_i = sigma(h(x_i)), on all multisets of inputs.

The pre-activations are h(x_i) = a_i . z with z standard normal and a_i = (sigma_b, sigma_w x_i / sqrt(d_in)), so that
C_ij = a_i . a_j. Closed forms here (Gauss-net, PHYSICS section 3); cones.py and trapezoid.py have the others.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ..combinatorics import multisets
from ..errors import ComputationError
from ..npoint import Kind
from ..points import Array
from ..uncertain import Uncertain

EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class NeuronMoments:
    """Moments of one neuron: for each order n the values on ``multisets(m, n)``, and what their bounds mean."""

    by_order: dict[int, Uncertain]
    kind: Kind


def gauss_moments(vectors: Array, orders: Iterable[int]) -> NeuronMoments:
    """Return the moments of the Gauss-net, exp( (1/2) sum_ij C_ij - sum_i C_ii ).

    Parameters
    ----------
    vectors : array, shape (m, d_in + 1)
        The vectors a_i of the pre-activations.
    orders : iterable of int
        The orders n.

    Raises
    ------
    ComputationError
        If a moment overflows float64.
    """
    squares = (vectors * vectors).sum(axis=1)
    norms = np.sqrt(squares)
    by_order = {}
    for n in orders:
        index = multisets(len(vectors), n)
        total = np.zeros((len(index), vectors.shape[1]))
        for column in index.T:
            total += vectors[column]
        own = squares[index].sum(axis=1)
        exponent = 0.5 * (total * total).sum(axis=1) - own
        with np.errstate(over="ignore"):
            values = np.exp(exponent)
        if not np.isfinite(values).all():
            worst = int(exponent.argmax())
            raise ComputationError(
                f"the neuron moment of the Gauss-net at inputs {index[worst].tolist()} is exp({exponent[worst]:.4g}), "
                "beyond float64; use inputs nearer to 0, smaller sigma_b and sigma_w, or fewer points n"
            )
        # rounding of the exponent: every term enters with at most n + d_in + 4 roundings
        size = 0.5 * norms[index].sum(axis=1) ** 2 + own
        relative = (n + vectors.shape[1] + 4) * EPS * (size + 1.0)
        by_order[n] = Uncertain(values, values * relative)
    return NeuronMoments(by_order, "exact")
