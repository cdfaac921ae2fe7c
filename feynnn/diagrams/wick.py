"""Brute force: every Wick contraction, one by one. The oracle for everything else, for small numbers of legs."""

from __future__ import annotations

from collections import Counter

from ..combinatorics import pairings
from ..errors import InputError
from ..theory.action import Order, Theory
from .diagram import Diagram
from .layout import Layout

#: More contractions than this are refused.
MAX_CONTRACTIONS = 700_000


def contractions(theory: Theory, n: int, *, order: Order) -> dict[Diagram, int]:
    """Return every diagram, vacuum components and all, with the number of Wick contractions that give it.

    Raises
    ------
    InputError
        If there are more than `MAX_CONTRACTIONS`.
    """
    exact = theory.order(order)
    layout = Layout.of(theory, n, exact)
    if layout.n_contractions > MAX_CONTRACTIONS:
        raise InputError(
            f"{sum(layout.degrees)} legs have {sum(layout.degrees) - 1}!! contractions, brute force stops at "
            f"{MAX_CONTRACTIONS}; use generate()"
        )
    node_of = [node for node, degree in enumerate(layout.degrees) for _ in range(degree)]
    found: Counter[tuple[tuple[int, int], ...]] = Counter()
    for pairing in pairings(range(len(node_of))):
        found[tuple(sorted((min(node_of[a], node_of[b]), max(node_of[a], node_of[b])) for a, b in pairing))] += 1
    result: dict[Diagram, int] = {}
    for edges, number in found.items():
        d = Diagram.from_edges(theory, n, exact, edges)
        result[d] = result.get(d, 0) + number
    return result
