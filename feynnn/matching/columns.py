"""What a fit compares: connected 4-point data, and the first-order coefficient of each coupling."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import InputError
from ..npoint import NPoint, as_npoints
from ..perturbation.correlator import Correlator
from ..perturbation.quadrature import Cutoff
from ..points import Array
from ..theory.action import Theory
from ..theory.kernels import Kernel


def fit_data(data: NPoint | Sequence[NPoint], kernel: Kernel) -> NPoint:
    """Return the connected 4-point function in `data`.

    Raises
    ------
    InputError
        Unless `data` is one symmetric 4-point function with its inputs.
    """
    items = as_npoints(data)
    for p in items:
        if p.n % 2:
            raise InputError(f"odd n-point functions vanish and fix no coupling, got n = {p.n}; match n = 4")
        if p.n != 4:
            raise InputError(
                f"couplings are matched to the 4-point function, got n = {p.n}; a 6-point function is what "
                "Match.predict(6) predicts"
            )
    if len(items) != 1:
        raise InputError(f"match one 4-point function at a time, got {len(items)}")
    p = items[0]
    if not p.symmetric:
        raise InputError("match needs a symmetric 4-point function (one value for each multiset of inputs)")
    points_of(p)
    if not np.isfinite(p.values).all():
        bad = p.indices[int(np.argmin(np.isfinite(p.values)))].tolist()
        raise InputError(f"the 4-point function is not finite at the inputs {bad}")
    return p.to_connected(kernel)


def points_of(p: NPoint) -> Array:
    """Return the inputs of an n-point function."""
    if p.points is None:
        raise InputError("the 4-point function carries no inputs; give them as NPoint(..., points=x)")
    return p.points


def first_order(
    theory: Theory,
    p: NPoint,
    *,
    kernel: Kernel,
    vertex_kernel: Kernel | None,
    cutoff: Cutoff | None,
    rtol: float,
) -> dict[str, NPoint]:
    """Return the coefficient of each coupling in the connected 4-point function at first order.

    Raises
    ------
    InputError
        If a coupling does not enter at first order.
    """
    correlator = Correlator(theory, p.n, kernel=kernel, vertex_kernel=vertex_kernel, cutoff=cutoff, kind="connected")
    for name in theory.couplings:
        if not len(correlator.diagrams({name: 1})):
            raise InputError(
                f"the coupling {name!r} does not enter the connected {p.n}-point function at first order; "
                "leave it out of the theory"
            )
    series = correlator.series(points_of(p), max_order=1, rtol=rtol)
    return {name: series[{name: 1}] for name in theory.couplings}
