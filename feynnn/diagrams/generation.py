"""Generation by contracting one leg at a time, equal partial diagrams merged as they appear.

A partial diagram is a row of line numbers (see `Layout`). Its first free leg is contracted with every possible
partner; the number of equivalent partners multiplies the number of Wick contractions. Because each partial diagram
is brought to canonical form before the next step and the numbers are added, nothing is made twice, and each finished
diagram arrives with its multiplicity, which must equal m! g^m / |Aut| with |Aut| from the stabiliser, and all of them
add up to the number of contractions: every call checks both, so that nothing is missing or doubled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt

from ..errors import ComputationError, InputError
from ..points import whole
from ..theory.action import Order, Theory
from .diagram import Diagram
from .diagram_set import DiagramSet
from .layout import Layout, Rows, as_keys, automorphisms, canonical

Kind = Literal["all", "vacuum-free", "connected", "1PI"]
KINDS: tuple[Kind, ...] = ("all", "vacuum-free", "connected", "1PI")

#: Most bytes of the partial diagrams of one step, before equal ones are merged.
MAX_BYTES = 100_000_000


def generate(
    theory: Theory,
    n: int,
    *,
    order: Order,
    kind: Kind = "vacuum-free",
    self_loops: bool = True,
    snails: bool = True,
    self_energies: bool = True,
    loops: int | None = None,
    external: Literal["labelled", "indistinguishable"] = "labelled",
) -> DiagramSet:
    """Generate all Feynman diagrams of a theory at an exact order, each once.

    Parameters
    ----------
    theory : Theory
        Its `propagator` and `normal_ordered` apply: the exact scheme has no self-energy insertions, a
        normal-ordered theory no self-loops, whatever the filters say.
    n : int
        Number of external points.
    order : dict, tuple or int
        Exact number of vertices of each coupling; an int when there is one coupling.
    kind : {"vacuum-free", "all", "connected", "1PI"}
        Class of diagrams; the default is what G^(n) needs.
    self_loops, snails, self_energies : bool
        False removes diagrams with a line from a point to itself; with a part without external points behind one
        vertex (self-loops included); with a self-energy insertion.
    loops : int, optional
        Keep diagrams with this number of loops.
    external : {"labelled", "indistinguishable"}
        "indistinguishable" gives one representative for each topology, with its number of labelled copies.

    Returns
    -------
    DiagramSet
        Empty, without error, when the number of legs is odd.

    Raises
    ------
    InputError
        For an unknown kind, coupling or order, or where the exact scheme is not defined (n = 0 or kind "all").
    """
    check_request(theory, n, kind)
    if external not in ("labelled", "indistinguishable"):
        raise InputError(f"external must be 'labelled' or 'indistinguishable', got {external!r}")
    layout = Layout.of(theory, n, theory.order(order))
    loop_number = None if loops is None else whole(loops, "loops")
    found = contract_all(layout, self_loops=self_loops and not theory.normal_ordered)
    result = DiagramSet(theory, layout, *found, kind=kind)

    tests: list[Callable[[Diagram], bool]] = {
        "all": [],
        "vacuum-free": [lambda d: d.is_vacuum_free],
        "connected": [lambda d: d.is_connected],
        "1PI": [lambda d: d.is_1pi],
    }[kind]
    if theory.propagator == "exact" or not self_energies:
        tests.append(lambda d: not d.has_self_energy)
    if not snails:
        tests.append(lambda d: not d.has_snail)
    if loop_number is not None:
        tests.append(lambda d: d.n_loops == loop_number)
    if tests:
        result = result.filter(lambda d: all(test(d) for test in tests))
    return result.topologies() if external == "indistinguishable" else result


def check_request(theory: Theory, n: int, kind: str) -> None:
    """Raise InputError for an unknown kind, or one where the exact scheme is not defined."""
    if kind not in KINDS:
        raise InputError(f"kind must be one of {', '.join(map(repr, KINDS))}, got {kind!r}")
    if theory.propagator == "exact" and (whole(n, "n") == 0 or kind == "all"):
        raise InputError(
            f"propagator='exact' is defined for diagrams without vacuum components (got n={n}, kind={kind!r}): the "
            "counterterm contributes to log Z; use propagator='free'"
        )


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
    final, stabilisers = canonical(layout, rows)
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
    forms, _ = canonical(layout, np.concatenate(new_rows))
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
