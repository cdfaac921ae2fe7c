"""A diagnostic of heavy tails: when an error bar means nothing, it is better to say so.

Where the 2n-point function of one input is known exactly, the measured standard error is compared with the exact one:
a sample that missed the rare large values has an error bar far too small, or a mean that is off by many of them.
Where it is not known, the sign is one experiment that carries most of the variance, because its networks held a rare
large value.
"""

from __future__ import annotations

from math import sqrt

import numpy as np

from ..combinatorics import multiset_rank
from ..errors import FeynnnError
from ..networks.finite_width import exact
from ..networks.network import Network
from ..points import Array

#: Ratio of measured to exact standard error that is too small; share of one experiment's variance that is too much.
_RATIO, _SHARE = 1 / 3, 0.5
#: With few experiments both limits are moved until Gaussian rows pass them with this probability (per tuple).
_FALSE_ALARM = 1e-4
#: Probability that a Gaussian mean is further from the exact one than is tolerated: 4 standard errors for 40 rows.
_FAR = 3e-4


def heavy_tail(network: Network, points: Array, rows: Array, n: int, n_nets: int) -> str:
    """Return why the errors of a measured n-point function are unreliable, or an empty string.

    Parameters
    ----------
    network : Network
        What was sampled.
    points : array, shape (m, d_in)
        The inputs.
    rows : array, shape (n_experiments, k)
        The n-point function of each experiment.
    n : int
        Number of points.
    n_nets : int
        Networks in all experiments together.
    """
    # the input with the widest pre-activation has the heaviest tail
    widest = int((network.vectors(points) ** 2).sum(axis=1).argmax())
    known = exact_error(network, points[widest], n, n_nets)
    if known is not None:
        mean, true = known
        own = rows[:, multiset_rank([[widest] * n], len(points))[0]]
        measured = float(own.std(ddof=1)) / sqrt(len(rows))
        if measured < _least_ratio(len(rows)) * true:
            ratio = measured / true
            return f"the measured standard error is {ratio:.1g} times the exact one: rare large values were missed"
        # a small sample of a skewed law misses its mean by more than its own error bar, whatever the bar's size
        off = abs(float(own.mean()) - mean) / measured if measured else 0.0
        if off > _most_off(len(rows)):
            return f"the mean is {off:.1f} standard errors from the exact one: rare large values were missed"
        return ""
    part = dominated(rows)
    if part <= 0.5:
        return ""
    return f"for {100 * part:.0f} % of the tuples one of {len(rows)} experiments carries more than half of the variance"


def exact_error(network: Network, point: Array, n: int, n_nets: int) -> tuple[float, float] | None:
    """Return the exact mean of f(x)^n and its standard error over `n_nets` networks; None if they are not known.

    The error is sqrt((E f^2n - (E f^n)^2) / n_nets), x = `point` of shape (d_in,).
    """
    try:
        mean, square = (float(exact(network, point[None, :], n=k).values[0]) for k in (n, 2 * n))
    except FeynnnError:
        return None
    return mean, sqrt(max(square - mean * mean, 0.0) / n_nets)


def _most_off(experiments: int) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(experiments - 1, 1 - 0.5 * _FAR))


def _least_ratio(experiments: int) -> float:
    from scipy.special import gammaincinv

    # freedom * ratio^2 is chi-squared for Gaussian rows
    freedom = experiments - 1
    return min(_RATIO, float(np.sqrt(2 * gammaincinv(0.5 * freedom, _FALSE_ALARM) / freedom)))


def dominated(rows: Array) -> float:
    """Return the share of tuples whose variance over experiments is mostly that of one experiment.

    Parameters
    ----------
    rows : array, shape (n_experiments, k)
        Independent experiments.
    """
    from scipy.special import betainccinv

    experiments = len(rows)
    if experiments < 3:
        return 0.0
    squares = (rows - rows.mean(axis=0)) ** 2
    total = squares.sum(axis=0)
    share = np.divide(squares.max(axis=0), total, out=np.zeros_like(total), where=total > 0)
    # for Gaussian rows share * E/(E-1) of one experiment is Beta(1/2, (E-2)/2)
    rare = betainccinv(0.5, 0.5 * (experiments - 2), _FALSE_ALARM / experiments) * (experiments - 1) / experiments
    return float((share > max(_SHARE, rare)).mean())
