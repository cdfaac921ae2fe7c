"""The spread over experiments, averaged over tuples: the slides' background."""

from __future__ import annotations

from math import sqrt

import numpy as np

from ..points import Array
from ..uncertain import Estimate


def mean_spread(rows: Array) -> Estimate:
    """Return the standard deviation over the rows, averaged over the columns, with its jackknife error.

    With two rows, where there is no jackknife, the error is the value over sqrt(2).

    Parameters
    ----------
    rows : array, shape (n_experiments >= 2, k)
        Independent experiments.
    """
    e = len(rows)
    square = (rows - rows.mean(axis=0)) ** 2
    variance = square.sum(axis=0) / (e - 1)
    value = float(np.sqrt(variance).mean())
    if e == 2:
        return Estimate(value, value / sqrt(2))
    # the variance without row i, in closed form
    without = ((e - 1) * variance - square * e / (e - 1)) / (e - 2)
    replicas = np.sqrt(np.maximum(without, 0.0)).mean(axis=1)
    return Estimate(value, sqrt((e - 1) / e * float(((replicas - replicas.mean()) ** 2).sum())))
