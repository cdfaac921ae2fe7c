"""Distinct power sums: sums over networks of f_i1 ... f_in on the multisets of inputs.

For 6 inputs and n = 2, 4, 6 these are 609 numbers. A sorted multiset is cut in the middle, (left, right) with
max(left) <= min(right): the pairs with max(left) = c form a block, and the blocks for all c hold every multiset once.
Each block is one small matrix product.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import comb

import numpy as np

from ..combinatorics import Indices, multiset_rank, multisets
from ..errors import InputError
from ..networks.products import MultisetProducts, first_at_least
from ..points import Array, whole

#: Largest rows * columns * networks of one matrix product. OpenBLAS runs such sizes in one thread, so that sums do not
#: depend on the number of its threads.
_SINGLE_THREAD = 1 << 18
#: Products held at once: 16 MB.
_BUFFER = 1 << 21


def checked_orders(orders: Sequence[int]) -> tuple[int, ...]:
    """Return the orders sorted, without repetition.

    Raises
    ------
    InputError
        If one is odd or not positive, or there is none.
    """
    result = tuple(sorted({whole(n, "orders", least=1) for n in orders}))
    odd = [n for n in result if n % 2]
    if odd or not result:
        raise InputError(
            f"orders must be even and positive, got {tuple(orders)}: odd n-point functions of a network vanish"
        )
    return result


def layout(m: int, orders: Sequence[int]) -> dict[int, slice]:
    """Return where each order's multisets lie in a row of power sums."""
    places, start = {}, 0
    for n in orders:
        stop = start + comb(m + n - 1, n)
        places[n] = slice(start, stop)
        start = stop
    return places


class PowerSums:
    """Accumulates sums over networks of products of outputs, on the multisets of `m` inputs of even sizes `orders`."""

    def __init__(self, m: int, orders: Sequence[int]) -> None:
        self._halves = [n // 2 for n in orders]
        rows = comb(m + max(self._halves) - 1, max(self._halves))
        self._columns = max(1, min(2048, _BUFFER // rows))
        self._products = MultisetProducts(m, max(self._halves), self._columns)
        self._places = layout(m, orders)
        self._blocks = {k: _blocks(m, k) for k in self._halves}
        self._sums = {k: [np.zeros(places.shape) for _, _, places in blocks] for k, blocks in self._blocks.items()}
        self.count = 0

    def add(self, outputs: Array) -> None:
        """Add networks with outputs of shape (m, n_nets)."""
        n_nets = outputs.shape[1]
        for start in range(0, n_nets, self._columns):
            levels = self._products.fill(outputs[:, start : start + self._columns])
            for k in self._halves:
                self._add_level(levels[k - 1], k)
        self.count += n_nets

    def _add_level(self, level: Array, k: int) -> None:
        for (left, first, _), total in zip(self._blocks[k], self._sums[k], strict=True):
            a, b = level[left], level[first:]
            step = max(1, _SINGLE_THREAD // total.size)
            for start in range(0, level.shape[1], step):
                part = slice(start, start + step)
                total += a[:, part] @ b[:, part].T

    def means(self) -> Array:
        """Return the means over the networks added, shape (sum of C(m+n-1, n),)."""
        result = np.empty(max(p.stop for p in self._places.values()))
        for k, blocks in self._blocks.items():
            order = result[self._places[2 * k]]
            for (_, _, places), total in zip(blocks, self._sums[k], strict=True):
                order[places] = total
        return result / self.count


def _blocks(m: int, k: int) -> list[tuple[Indices, int, Indices]]:
    """Return for each c the left halves with largest input c, the first right half with inputs >= c, their places."""
    halves = multisets(m, k)
    blocks = []
    for c in range(m):
        left = np.flatnonzero(halves[:, -1] == c)
        first = first_at_least(m, k, c)
        right = halves[first:]
        whole_rows = np.concatenate(
            [np.repeat(halves[left], len(right), axis=0), np.tile(right, (len(left), 1))], axis=1
        )
        places = multiset_rank(whole_rows, m).reshape(len(left), len(right))
        blocks.append((left, first, places))
    return blocks
