"""One integral at given inputs: what the tests of the integrator ask for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from feynnn.perturbation.contractions import Contraction, contraction
from feynnn.perturbation.integration import Integrator
from feynnn.perturbation.quadrature import Cutoff
from feynnn.points import Array
from feynnn.theory.kernels import Kernel
from feynnn.uncertain import Uncertain

V = "K_v"


def star(legs: int, loops: int = 0, power: int = 0) -> Contraction:
    return contraction([0], [(k, 0, V) for k in range(legs)], [(0, 0, V)] * loops, {0: power})


def pair(left: int, right: int, lines: int) -> Contraction:
    legs = [(k, 0, V) for k in range(left)] + [(left + k, 1, V) for k in range(right)]
    return contraction([0, 1], legs, [(0, 1, V)] * lines, {})


def integrate(c: Contraction, kernel: Kernel, x: Array, cutoff: float, rtol: float = 1e-10) -> Uncertain:
    """The integral with label i at input i."""
    return Integrator({V: kernel}, x, Cutoff(cutoff), rtol=rtol).piece(c, np.arange(len(x))[None, :])


def close(p: Uncertain, exact: float) -> bool:
    """Within the bound; the reference is rounded too."""
    return bool(abs(p.values[0] - exact) <= p.bound[0] + 4e-16 * abs(exact))


def column(values: Sequence[float]) -> Array:
    return np.array(values, dtype=np.float64)[:, None]
