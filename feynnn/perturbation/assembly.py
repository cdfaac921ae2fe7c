"""From topologies to n-point functions: one evaluation for each topology, all its labellings looked up.

A topology's integrals are known for all multisets of inputs at each of its leg groups, so that the sum over its
labelled diagrams is a mean over the ways to deal the n points to the groups. Functions with disconnected diagrams are
made from connected ones: sums over set partitions, and the exponential for vacuum components.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from itertools import product

import numpy as np

from ..combinatorics import Indices, set_partitions
from ..diagrams.decorations import labellings, n_labellings
from ..errors import ComputationError
from ..uncertain import Uncertain
from .contractions import Product
from .integration import Integrator

Orders = tuple[int, ...]
#: A coefficient of some function of k points, at an order and at rows of input numbers, shape (rows, k).
Coefficient = Callable[[int, Orders, Indices], Uncertain]

#: Most ways to deal the points to one diagram.
MAX_DEALS = 1_000_000
#: Look-ups done at once.
_CHUNK = 1 << 20


def topologies_sum(terms: Iterable[Product], tool: Integrator, rows: Indices) -> Uncertain:
    """Return the sum of the products of topologies (external="indistinguishable") at rows of input numbers."""
    total = Uncertain.exact(np.zeros(len(rows)))
    for term in terms:
        total = total + symmetric(term, rows, tool.product)
    return total


def symmetric(term: Product, rows: Indices, value: Callable[[Product, Indices], Uncertain]) -> Uncertain:
    """Return the mean of a product over all ways to deal the points to its leg groups and free lines.

    Parameters
    ----------
    term : Product
        With any labels; those it has do not matter.
    rows : numpy.ndarray, shape (k, n)
        Numbers of the inputs at the n points.
    value : callable
        Gives a product at rows, `Integrator.product` or `Integrator.boundary`.
    """
    n = rows.shape[1]
    groups = [labels for c in term.pieces for labels in c.labels] + [(i, j) for i, j, _ in term.free]
    deals = _deals(n, tuple(len(g) for g in groups))
    if len(deals) == 1:
        return value(term, rows)
    place = np.array([label for g in groups for label in g], dtype=np.int64)
    total: Uncertain | None = None
    step = max(1, _CHUNK // max(1, len(rows)))
    for start in range(0, len(deals), step):
        some = deals[start : start + step]
        dealt = np.empty((len(some), len(rows), n), dtype=np.int64)
        dealt[:, :, place] = rows[:, some].transpose(1, 0, 2)
        found = value(term, dealt.reshape(len(some) * len(rows), n))
        part = Uncertain(
            found.values.reshape(len(some), -1).sum(axis=0), found.bound.reshape(len(some), -1).sum(axis=0)
        )
        total = part if total is None else total + part
    assert total is not None
    return total.scaled(1 / len(deals))


@lru_cache(maxsize=128)
def _deals(n: int, sizes: tuple[int, ...]) -> Indices:
    """Return all ways to deal n points to groups: for each way the points of the first group, of the second, ..."""
    slots = tuple((size, k) for k, size in enumerate(sizes))
    ways = n_labellings(n, slots)
    if ways > MAX_DEALS:
        raise ComputationError(
            f"{n} points can be dealt to a diagram in {ways} ways, more than the {MAX_DEALS} looked up; lower n"
        )
    return np.concatenate([np.argsort(owners, axis=1, kind="stable") for owners in labellings(n, slots, MAX_DEALS)])


def vacuum_free(connected: Coefficient, n: int, order: Orders, rows: Indices, *, is_even: bool) -> Uncertain:
    """Return the coefficient of the full function: sums over set partitions of products of connected functions."""
    total = Uncertain.exact(np.zeros(len(rows)))
    for partition in set_partitions(n, even=is_even):
        parts = [rows[:, list(block)] for block in partition]
        for split in _splits(order, len(partition)):
            value = Uncertain.exact(np.ones(len(rows)))
            for part, share in zip(parts, split, strict=True):
                value = value * connected(part.shape[1], share, part)
            total = total + value
    return total if n else Uncertain.exact(np.full(len(rows), float(not any(order))))


def with_vacuum(function: Coefficient, vacuum: Coefficient, n: int, order: Orders, rows: Indices) -> Uncertain:
    """Return the coefficient with vacuum components: times Z = exp(sum of connected vacuum diagrams)."""
    none = np.zeros((1, 0), dtype=np.int64)

    @cache
    def z(a: Orders) -> Uncertain:
        lead = next((k for k, m in enumerate(a) if m), None)
        if lead is None:
            return Uncertain.exact(np.ones(1))
        total = Uncertain.exact(np.zeros(1))
        for b, rest in _splits(a, 2):
            if b[lead]:
                total = total + (vacuum(0, b, none) * z(rest)).scaled(b[lead] / a[lead])
        return total

    total = Uncertain.exact(np.zeros(len(rows)))
    for a, b in _splits(order, 2):
        total = total + function(n, a, rows) * z(b).take(np.zeros(len(rows), dtype=np.int64))
    return total


def _splits(order: Orders, parts: int) -> list[tuple[Orders, ...]]:
    """Return all ways to divide an order into a number of ordered parts."""
    each = [_compositions(k, parts) for k in order]
    return [tuple(zip(*choice, strict=True)) if order else ((),) * parts for choice in product(*each)]


@lru_cache(maxsize=256)
def _compositions(total: int, parts: int) -> tuple[tuple[int, ...], ...]:
    if parts == 0:
        return ((),) if total == 0 else ()
    return tuple((k, *rest) for k in range(total + 1) for rest in _compositions(total - k, parts - 1))
