"""generate(): all Feynman diagrams of a theory at an exact order, each once.

Vertices with one point go through tables of skeletons (skeletons.py), without isomorphism tests; vertices with several
points through merged contractions (contracting.py). Small sets are checked against `count`, which generates nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import copy
from functools import lru_cache
from typing import Literal, cast

import numpy as np

from ..combinatorics import Indices
from ..errors import ComputationError, InputError
from ..points import whole
from ..theory.action import Order, Theory
from .contracting import contract_all
from .diagram import Diagram
from .diagram_set import DiagramSet
from .layout import Layout, Rows, as_keys, canonical
from .roots import EXACT
from .skeletons import Selection, blocks

Kind = Literal["all", "vacuum-free", "connected", "1PI"]
KINDS: tuple[Kind, ...] = ("all", "vacuum-free", "connected", "1PI")

#: Most bytes of one set held as a whole.
MAX_BYTES = 500_000_000
#: Sets up to this number of diagrams times vertex permutations are brought to canonical form and order.
MAX_CANONICAL = 1_000_000
#: Sets up to this number of vertices are compared with `count`.
MAX_CERTIFIED = 4


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
    wanted = _selection(theory, kind, self_loops, snails, self_energies, loops)
    layout = Layout.of(theory, n, theory.order(order))
    if len(layout.vertices) <= MAX_CERTIFIED:
        result = copy(_remembered(theory, layout, wanted))
    else:
        result = _collected(theory, layout, wanted)
    return result.topologies() if external == "indistinguishable" else result


def stream(
    theory: Theory,
    n: int,
    *,
    order: Order,
    kind: Kind = "vacuum-free",
    self_loops: bool = True,
    snails: bool = True,
    self_energies: bool = True,
    loops: int | None = None,
) -> Iterator[DiagramSet]:
    """Generate the same diagrams as `generate` in blocks, for sets larger than memory.

    Parameters
    ----------
    theory, n, order, kind, self_loops, snails, self_energies, loops
        As in `generate`.

    Yields
    ------
    DiagramSet
        Blocks of some tens of megabytes.
    """
    check_request(theory, n, kind)
    wanted = _selection(theory, kind, self_loops, snails, self_energies, loops)
    layout = Layout.of(theory, n, theory.order(order))
    if not _is_local(layout):
        yield _contracted(theory, layout, wanted)
        return
    _require_exact(layout)
    for rows, stabilisers in blocks(layout, wanted):
        yield DiagramSet(theory, layout, rows, stabilisers, kind=kind, is_canonical=False)


def _selection(
    theory: Theory, kind: Kind, self_loops: bool, snails: bool, self_energies: bool, loops: int | None
) -> Selection:
    return Selection(
        kind=kind,
        self_loops=self_loops and not theory.normal_ordered,
        snails=snails,
        self_energies=self_energies and theory.propagator != "exact",
        loops=None if loops is None else whole(loops, "loops"),
    )


def _is_local(layout: Layout) -> bool:
    return all(len(v.degree) == 1 for v in layout.vertices)


def _require_exact(layout: Layout) -> None:
    if len(layout.vertices) > EXACT:
        raise InputError(
            f"{len(layout.vertices)} vertices: this generator is exact to {EXACT}; lower the order, or use count()"
        )


@lru_cache(maxsize=64)
def _remembered(theory: Theory, layout: Layout, wanted: Selection) -> DiagramSet:
    """Return a small set; those asked for last are kept, and cannot be written to."""
    found = _collected(theory, layout, wanted)
    found.freeze()
    return found


def _collected(theory: Theory, layout: Layout, wanted: Selection) -> DiagramSet:
    """Return the whole set."""
    if not _is_local(layout):
        return _contracted(theory, layout, wanted)
    _require_exact(layout)
    parts: list[tuple[Rows, Indices]] = []
    size = 0
    for rows, stabilisers in blocks(layout, wanted):
        size += rows.nbytes
        if size > MAX_BYTES:
            raise InputError(
                f"this set needs more than {MAX_BYTES / 1e9:g} GB; lower the order, take its blocks one after the "
                "other from feynnn.diagrams.generation.stream(), or use count()"
            )
        parts.append((rows, stabilisers))
    if not parts:
        parts.append((np.zeros((0, len(layout.pairs)), dtype=np.int8), np.ones(0, dtype=np.int64)))
    rows = np.concatenate([r for r, _ in parts])
    stabilisers = np.concatenate([s for _, s in parts])
    small = len(rows) * layout.group_order <= MAX_CANONICAL
    if small:
        # largest first: diagrams with lines between early nodes lead the list
        rows, again = canonical(layout, rows)
        if not np.array_equal(again, stabilisers):
            raise ComputationError("two routes to the stabilisers of the diagrams disagree")
        if rows.shape[1]:
            ranked = np.argsort(as_keys(rows), kind="stable")[::-1]
            rows, stabilisers = rows[ranked], stabilisers[ranked]
    result = DiagramSet(theory, layout, rows, stabilisers, kind=wanted.kind, is_canonical=small)
    _certify(result, wanted)
    return result


def _certify(found: DiagramSet, wanted: Selection) -> None:
    """Compare a set with what `count` knows without generating, where that is quick."""
    plain = Selection(wanted.kind, self_loops=wanted.self_loops)
    if wanted != plain or len(found.layout.vertices) > MAX_CERTIFIED:
        return
    from .counting import count

    theory = Theory(found.theory.interactions, normal_ordered=not wanted.self_loops)
    expected = count(theory, found.n, order=found.order, kind=cast(Kind, wanted.kind))
    if found.weight != expected.weight or (expected.number is not None and len(found) != expected.number):
        raise ComputationError(
            f"{found!r} should have weight {expected.weight} and {expected.number} diagrams; please report this"
        )


def _contracted(theory: Theory, layout: Layout, wanted: Selection) -> DiagramSet:
    """Return the set by contraction and filters on single diagrams, for vertices with several points."""
    rows, stabilisers = contract_all(layout, self_loops=wanted.self_loops)
    tests: list[Callable[[Diagram], bool]] = {
        "all": [],
        "vacuum-free": [lambda d: d.is_vacuum_free],
        "connected": [lambda d: d.is_connected],
        "1PI": [lambda d: d.is_1pi],
    }[wanted.kind]
    if not wanted.self_energies:
        tests.append(lambda d: not d.has_self_energy)
    if not wanted.snails:
        tests.append(lambda d: not d.has_snail)
    if wanted.loops is not None:
        tests.append(lambda d: d.n_loops == wanted.loops)
    return DiagramSet(theory, layout, rows, stabilisers, kind=wanted.kind).filter(lambda d: all(t(d) for t in tests))


def check_request(theory: Theory, n: int, kind: str) -> None:
    """Raise InputError for an unknown kind, or one where the exact scheme is not defined."""
    if not isinstance(theory, Theory):
        raise InputError(f"expected a Theory, got {theory!r}; write Theory.parse({theory!r})")
    if kind not in KINDS:
        raise InputError(f"kind must be one of {', '.join(map(repr, KINDS))}, got {kind!r}")
    if theory.propagator == "exact" and (whole(n, "n") == 0 or kind == "all"):
        raise InputError(
            f"propagator='exact' is defined for diagrams without vacuum components (got n={n}, kind={kind!r}): the "
            "counterterm contributes to log Z; use propagator='free'"
        )
