"""Summing a product of arrays over shared indices, one index after the other, each as a matrix product.

To sum over an index, the factors that carry it are divided into two groups; each group is multiplied out, and the sum
is a matrix product of the two, in a batch over indices that both groups carry. Order and division are chosen greedily
by counted work, so that the cost is the number of nodes to the power treewidth + 1 in matrix products.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from math import prod

import numpy as np

from ..points import Array

Index = int
#: Time of one multiplication of arrays in units of one multiplication within a matrix product.
_ELEMENTWISE = 8.0
#: Up to this number of factors all divisions into two groups are compared.
_ALL_DIVISIONS = 10


@dataclass(frozen=True)
class Step:
    """The sum over one index.

    Attributes
    ----------
    index : int
        The index that is summed over.
    left, right : tuple of int
        Numbers of the factors of the two groups; results of steps count on from the factors.
    batch, rows, columns : tuple of int
        Indices of both groups, of the left one only, of the right one only.
    flops, entries : float
        Multiplications, and array entries held for it.
    """

    index: Index
    left: tuple[int, ...]
    right: tuple[int, ...]
    batch: tuple[Index, ...]
    rows: tuple[Index, ...]
    columns: tuple[Index, ...]
    flops: float
    entries: float

    @property
    def result(self) -> tuple[Index, ...]:
        """Indices of the result."""
        return self.batch + self.rows + self.columns


def eliminate(
    factors: Sequence[tuple[Index, ...]], summed: Sequence[Index], sizes: Mapping[Index, int]
) -> tuple[Step, ...]:
    """Return the steps that sum a product of factors, given by their indices, over some of the indices."""
    alive = dict(enumerate(factors))
    left = list(summed)
    steps: list[Step] = []
    while left:
        step = min((_step(index, alive, sizes) for index in left), key=lambda s: (s.flops, s.index))
        left.remove(step.index)
        for k in step.left + step.right:
            del alive[k]
        alive[len(factors) + len(steps)] = step.result
        steps.append(step)
    return tuple(steps)


def _step(index: Index, alive: Mapping[int, tuple[Index, ...]], sizes: Mapping[Index, int]) -> Step:
    """Return the cheapest way to sum over an index."""
    mine = [k for k, indices in alive.items() if index in indices]
    best: Step | None = None
    # beyond some factors only single ones are split off: all divisions would be exponentially many
    masks = range(1 << (len(mine) - 1)) if len(mine) <= _ALL_DIVISIONS else [0, *(1 << k for k in range(len(mine)))]
    for mask in masks:
        right = tuple(k for i, k in enumerate(mine) if mask >> i & 1)
        left = tuple(k for k in mine if k not in right)
        one, two = (_union(alive[k] for k in group) for group in (left, right))
        batch = tuple(i for i in one if i in two and i != index)
        rows = tuple(i for i in one if i not in two and i != index)
        columns = tuple(i for i in two if i not in one and i != index)

        def size(indices: Sequence[Index]) -> float:
            return prod(float(sizes[i]) for i in indices)

        made = [size(_union(alive[k] for k in group)) for group in (left, right) if len(group) > 1]
        result = size(batch + rows + columns)
        flops = result * sizes[index] + _ELEMENTWISE * sum(made)
        step = Step(index, left, right, batch, rows, columns, flops, sum(made) + result)
        if best is None or (step.flops, step.entries) < (best.flops, best.entries):
            best = step
    assert best is not None
    return best


def _union(groups: Iterable[tuple[Index, ...]]) -> tuple[Index, ...]:
    return tuple(dict.fromkeys(i for group in groups for i in group))


def contract(
    factors: Sequence[tuple[tuple[Index, ...], Array]], steps: Sequence[Step], output: Sequence[Index]
) -> Array:
    """Return the sum of the product of factors along the steps of `eliminate`, with the axes of `output`."""
    alive = dict(enumerate(factors))
    sizes = {i: n for indices, array in factors for i, n in zip(indices, array.shape, strict=True)}
    for number, step in enumerate(steps, start=len(factors)):
        left = _product([alive.pop(k) for k in step.left], (*step.batch, *step.rows, step.index))
        shape = [sizes[i] for i in step.result]
        if step.right:
            right = _product([alive.pop(k) for k in step.right], (*step.batch, step.index, *step.columns))
            n_batch = len(step.batch)
            one = left.reshape(*left.shape[:n_batch], -1, left.shape[-1])
            two = right.reshape(*right.shape[: n_batch + 1], -1)
            alive[number] = step.result, (one @ two).reshape(shape)
        else:
            alive[number] = step.result, left.sum(axis=-1)
    return _product(list(alive.values()), tuple(output))


def _product(factors: list[tuple[tuple[Index, ...], Array]], order: tuple[Index, ...]) -> Array:
    """Return the product of arrays with axes in a given order; every index of `order` must occur."""
    return reduce(np.multiply, [_aligned(indices, array, order) for indices, array in factors])


def _aligned(indices: tuple[Index, ...], array: Array, order: tuple[Index, ...]) -> Array:
    moved = array.transpose([indices.index(i) for i in order if i in indices])
    shape = iter(moved.shape)
    return moved.reshape([next(shape) if i in indices else 1 for i in order])
