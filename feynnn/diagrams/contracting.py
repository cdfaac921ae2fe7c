"""Generation by contracting one leg at a time, equal partial diagrams merged as they appear.

For vertices with several points, and as a second route to everything small. A partial diagram is a row of line
numbers (see `Layout`). Its first free leg is contracted with every possible partner; the number of equivalent partners
multiplies the number of Wick contractions. Because each partial diagram is brought to canonical form before the next
step and the numbers are added, nothing is made twice, and each finished diagram arrives with its multiplicity, which
must equal m! g^m / |Aut| with |Aut| from the stabiliser, and all of them add up to the number of contractions: every
call checks both, so that nothing is missing or doubled.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..errors import ComputationError, InputError
from .layout import Layout, Rows, as_keys, automorphisms, by_permutations

#: Most bytes of the partial diagrams of one step, before equal ones are merged.
MAX_BYTES = 100_000_000


def contract_all(layout: Layout, *, self_loops: bool = True) -> tuple[Rows, npt.NDArray[np.int64]]:
    """Return all diagrams on a layout, vacuum components included: canonical rows and stabilisers' orders.

    Raises
    ------
    InputError
        If there are more contractions than 64-bit integers hold, or the partial diagrams need more than `MAX_BYTES`.
    ComputationError
        If the multiplicities contradict the symmetry factors or the sum rule (a bug, never seen).
    """
    if layout.n_contractions >= 2**63:
        raise InputError(
            f"{sum(layout.degrees)} legs have {sum(layout.degrees) - 1}!! contractions, more than this generator "
            "counts exactly; lower the order, or use count()"
        )
    degrees = np.array(layout.degrees, dtype=np.int64)
    rows = np.zeros((1, len(layout.pairs)), dtype=np.int8)
    numbers = np.ones(1, dtype=np.int64)
    if sum(layout.degrees) % 2:
        return rows[:0], numbers[:0]
    incidence = np.zeros((len(layout.pairs), layout.n_nodes), dtype=np.int64)
    for k, (i, j) in enumerate(layout.pairs):
        incidence[k, i] += 1
        incidence[k, j] += 1
    for _ in range(sum(layout.degrees) // 2):
        rows, numbers = _contract_one(layout, rows, numbers, degrees - rows @ incidence, self_loops)
    final, stabilisers = by_permutations(layout, rows)
    _check(layout, final, stabilisers, numbers)
    expected = layout.n_contractions if self_loops else layout.n_loopless_contractions
    if int(numbers.sum()) != expected:
        raise ComputationError(f"the diagrams have {numbers.sum()} contractions in all, there are {expected}")
    return final, stabilisers


def _contract_one(
    layout: Layout, rows: Rows, numbers: npt.NDArray[np.int64], free: npt.NDArray[np.int64], self_loops: bool
) -> tuple[Rows, npt.NDArray[np.int64]]:
    """Contract the first free leg of each partial diagram in all ways, and merge equal results."""
    first = (free > 0).argmax(axis=1)
    new_rows, new_numbers = [], []
    for partner in range(layout.n_nodes):
        ways = free[:, partner] - (first == partner)
        use = (ways > 0) & (first <= partner)
        if not self_loops:
            use &= first != partner
        if not use.any():
            continue
        block = rows[use]
        block[np.arange(len(block)), layout.column[first[use], partner]] += 1
        new_rows.append(block)
        if sum(part.nbytes for part in new_rows) > MAX_BYTES:
            raise InputError(
                f"the partial diagrams at this order need more than {MAX_BYTES / 1e6:g} MB; lower it, or use count()"
            )
        new_numbers.append(numbers[use] * ways[use])
    if not new_rows:
        return rows[:0], numbers[:0]
    forms, _ = by_permutations(layout, np.concatenate(new_rows))
    # largest first: diagrams with lines between early nodes lead the list
    _, index, inverse = np.unique(as_keys(forms), return_index=True, return_inverse=True)
    total = np.zeros(len(index), dtype=np.int64)
    np.add.at(total, inverse, np.concatenate(new_numbers))
    return forms[index[::-1]], total[::-1]


def _check(layout: Layout, rows: Rows, stabilisers: npt.NDArray[np.int64], numbers: npt.NDArray[np.int64]) -> None:
    """Compare the counted contractions with m! g^m / |Aut|, two independent ways to the multiplicity."""
    for row, s, number in zip(rows, stabilisers.tolist(), numbers.tolist(), strict=True):
        automorphic = automorphisms(layout, row, s)
        if number * automorphic != layout.relabellings:
            raise ComputationError(
                f"a diagram has {number} contractions by counting, {layout.relabellings}/{automorphic} by its symmetry"
            )
