"""Products of a few functions over all multisets, and how two half-multisets give moments of twice the size.

With P_k the products of k functions at B nodes (or networks), shape (C(m+k-1, k), B), every moment of 2k functions is
an entry of P_k diag(w) P_k^T: the sorted multiset is cut in the middle.
"""

from __future__ import annotations

from functools import lru_cache
from math import comb

import numpy as np

from ..combinatorics import Indices, multiset_rank, multisets
from ..points import Array


@lru_cache(maxsize=64)
def halves(m: int, n: int) -> tuple[Indices, Indices]:
    """Return the ranks of the first and the last n/2 inputs of each row of ``multisets(m, n)``, for even n."""
    rows = multisets(m, n)
    return multiset_rank(rows[:, : n // 2], m), multiset_rank(rows[:, n // 2 :], m)


def first_at_least(m: int, k: int, a: int) -> int:
    """Return the position in ``multisets(m, k)`` of the first row whose smallest input is `a` or more."""
    return comb(m + k - 1, k) - comb(m - a + k - 1, k)


class MultisetProducts:
    """Buffers for the products of 1 .. `k_max` out of `m` functions at up to `columns` nodes."""

    def __init__(self, m: int, k_max: int, columns: int) -> None:
        self.m = m
        self._buffers = [np.empty((comb(m + k - 1, k), columns)) for k in range(2, k_max + 1)]

    def fill(self, functions: Array) -> list[Array]:
        """Return [P_1, ..., P_k_max], shapes (C(m+k-1, k), B), for `functions` of shape (m, B).

        The arrays are views of the buffers, valid until the next call.
        """
        levels = [functions]
        for k, buffer in enumerate(self._buffers, start=2):
            product = buffer[:, : functions.shape[1]]
            lower = levels[-1]
            row = 0
            for a in range(self.m):
                block = lower[first_at_least(self.m, k - 1, a) :]
                np.multiply(functions[a], block, out=product[row : row + len(block)])
                row += len(block)
            levels.append(product)
        return levels
