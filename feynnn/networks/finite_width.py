"""Exact n-point functions of a network of finite width, without sampling (PHYSICS section 3).

f - b1 is a sum of N independent neurons, so the connected functions are N times one neuron's cumulants. The moments of
one neuron's term W1 phi follow from E[W1^2k] = (2k-1)!! sigma_w^2k / N^k and the moments of phi; cumulants and full
functions from the recursion over the block that holds the first point. For n = 4 and 6 this is

    G4c = (sigma_w^4/N)   [ 3 M4 - Sum_3 M2 M2 ]
    G6c = (sigma_w^6/N^2) [ 15 M6 - 3 Sum_15 M4 M2 + 2 Sum_15 M2 M2 M2 ].
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations

import numpy as np
import numpy.typing as npt

from ..combinatorics import Indices, double_factorial, multiset_rank, multisets
from ..errors import ComputationError, InputError
from ..npoint import Kind, NPoint, gaussian
from ..points import Array, as_points, whole
from ..theory.kernels.base import NetworkKernel
from ..uncertain import Uncertain
from .moments import EPS, NeuronMoments
from .network import Network

_LARGEST = 16
_EXACT: Kind = "exact"


def exact(network: Network, x: npt.ArrayLike, *, n: int = 4, connected: bool = False) -> NPoint:
    """Return the exact n-point function of a network ensemble at its finite width.

    Parameters
    ----------
    network : Network
        The ensemble; infinite width gives the Wick sum of the Gaussian process.
    x : array_like, shape (m, d_in)
        Inputs.
    n : int
        Number of points, even.
    connected : bool
        Whether to return the connected function (cumulant) instead of the full one (moment).

    Returns
    -------
    NPoint
        On the C(m+n-1, n) multisets of inputs. Kind "exact" with a rounding bound where the neuron moments have closed
        forms (Gauss; ReLU in up to two independent directions; n = 2; infinite width), else "computed" with a bound.

    Raises
    ------
    InputError
        If n is odd or the moments are out of reach of closed forms and quadrature (the message names the way out).
    ComputationError
        If the quadrature does not reach 1e-8 or numbers leave the range of float64.
    """
    if not isinstance(network, Network):
        raise InputError(f"exact() needs a Network, got {network!r}")
    points = as_points(x, network.d_in)
    if whole(n, "n", least=2) % 2:
        raise InputError(
            f"odd n asked of a network: its {n}-point function vanishes, because the output weights and bias are "
            "symmetric; ask for an even n"
        )
    if n > _LARGEST:
        raise InputError(f"exact() goes up to n={_LARGEST}, got n={n}: the number of terms grows as 2^n")
    width = "infinite width" if math.isinf(network.width) else f"width {network.width}"
    origin = f"{network.activation.name}, {width}, exact"
    if n == 2 or math.isinf(network.width):
        cumulants, kind = {2: gaussian(network.kernel(), points, 2).data}, _EXACT
    else:
        cumulants, kind = _connected_functions(network, points, n)
    if connected:
        data = cumulants.get(n, Uncertain.exact(np.zeros(math.comb(len(points) + n - 1, n))))
    else:
        data = _full_function(cumulants, len(points), n)
    if not (np.isfinite(data.values).all() and np.isfinite(data.bound).all()):
        raise ComputationError(
            f"the {n}-point function leaves the range of float64; use inputs nearer to 0 or a smaller n"
        )
    return NPoint(
        data.values,
        n=n,
        n_inputs=len(points),
        connected=connected,
        kind=kind,
        bound=data.bound,
        points=points,
        origin=origin,
    )


def _connected_functions(network: Network, points: Array, n: int) -> tuple[dict[int, Uncertain], Kind]:
    """Return the connected 2-, 4-, ..., n-point functions."""
    m = len(points)
    moments = network.activation.moments(network.vectors(points), range(2, n + 1, 2))
    two = _two_point(network, points, moments)
    # of one neuron's term, with its weight scaled to variance sigma_w^2
    neuron = {2: two}
    for k in range(4, n + 1, 2):
        neuron[k] = moments.by_order[k].scaled(double_factorial(k - 1) * network.sigma_w**k)
    cumulant: dict[int, Uncertain] = {}
    for k in sorted(neuron):
        index = multisets(m, k)
        terms = [(1.0, [neuron[k]])]
        for count, block, rest in _splits(k, m):
            factors = [_at(cumulant[len(block)], index, block, m), _at(neuron[len(rest)], index, rest, m)]
            terms.append((-count, factors))
        cumulant[k] = _sum(terms)
    result = {k: c.scaled(network.width ** (1 - k / 2)) for k, c in cumulant.items()}
    result[2] = gaussian(network.kernel(), points, 2).data
    return result, moments.kind


def _two_point(network: Network, points: Array, moments: NeuronMoments) -> Uncertain:
    """Return sigma_w^2 M_2 from the closed form of the kernel, once it agrees with the moments of the activation."""
    kernel = network.kernel()
    if isinstance(kernel, NetworkKernel):
        closed = gaussian(kernel.without_bias(), points, 2).data
    else:
        two, constant = gaussian(kernel, points, 2).data, network.sigma_b**2
        closed = Uncertain(two.values - constant, two.bound + 4 * EPS * constant)
    found = moments.by_order[2].scaled(network.sigma_w**2)
    size = np.abs(found.values).max()
    wrong = np.abs(found.values - closed.values) > found.bound + closed.bound + 1e-7 * size
    if wrong.any():
        i = int(wrong.argmax())
        raise InputError(
            f"kernel() and apply() of the activation {network.activation!r} disagree: sigma_w^2 E[sigma sigma] is "
            f"{found.values[i]:.9g} at inputs {multisets(len(points), 2)[i].tolist()}, the kernel without sigma_b^2 "
            f"says {closed.values[i]:.9g}; correct one of them"
        )
    return closed


def _full_function(cumulants: dict[int, Uncertain], m: int, n: int) -> Uncertain:
    """Return the full n-point function from the connected ones; those that are not given vanish."""
    full: dict[int, Uncertain] = {}
    for k in range(2, n + 1, 2):
        index = multisets(m, k)
        terms = [(1.0, [cumulants[k]])] if k in cumulants else []
        for count, block, rest in _splits(k, m):
            if len(block) not in cumulants:
                continue
            terms.append((count, [_at(cumulants[len(block)], index, block, m), _at(full[len(rest)], index, rest, m)]))
        full[k] = _sum(terms)
    return full[n]


def _splits(n: int, m: int) -> Iterator[tuple[float, tuple[int, ...], tuple[int, ...]]]:
    """Yield (count, block, rest) for blocks of range(n) of even size < n that hold 0; with one input, one per size."""
    for size in range(2, n, 2):
        if m == 1:
            yield float(math.comb(n - 1, size - 1)), tuple(range(size)), tuple(range(size, n))
            continue
        for others in combinations(range(1, n), size - 1):
            yield 1.0, (0, *others), tuple(i for i in range(1, n) if i not in others)


def _at(data: Uncertain, index: Indices, columns: tuple[int, ...], m: int) -> Uncertain:
    return data.take(multiset_rank(index[:, list(columns)], m))


def _sum(terms: list[tuple[float, list[Uncertain]]]) -> Uncertain:
    """Return the sum of products, with a bound that has the rounding of the sum: it goes with the sum of |terms|."""
    total = Uncertain.exact(np.zeros_like(terms[0][1][0].values))
    size = np.zeros_like(total.values)
    with np.errstate(over="ignore", invalid="ignore"):
        for coefficient, factors in terms:
            product = factors[0].scaled(coefficient)
            for factor in factors[1:]:
                product = product * factor
            size += np.abs(product.values)
            total = total + product
        return Uncertain(total.values, total.bound + (len(terms) + 4) * EPS * size)
