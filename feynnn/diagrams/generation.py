"""generate(): all Feynman diagrams of a theory at an exact order, each once.

Vertices with one point go through tables of skeletons (skeletons.py), without isomorphism tests; vertices with several
points through merged contractions (contracting.py). Small sets are checked against `count`, which generates nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

from ..errors import ComputationError, InputError
from ..points import flag, whole
from ..theory.action import Order, Theory
from . import decorations, pairs, shipped
from .canonical import SMALL_GROUP
from .contracting import contract_all
from .decorations import Selection
from .diagram import Diagram
from .diagram_set import NOT_COMPARED, Certificate, DiagramSet
from .layout import Layout, as_keys, by_permutations
from .roots import EXACT
from .skeletons import blocks, collect

if TYPE_CHECKING:
    from .counting import Count

Kind = Literal["all", "vacuum-free", "connected", "amputated", "1PI", "2PI"]
External = Literal["labelled", "indistinguishable"]
KINDS: tuple[Kind, ...] = ("all", "vacuum-free", "connected", "amputated", "1PI", "2PI")
EXTERNAL: tuple[External, ...] = ("labelled", "indistinguishable")

#: Most bytes of one set held as a whole.
MAX_BYTES = 500_000_000
#: Sets up to this number of diagrams times permutations of vertices are brought to canonical form and order.
MAX_CANONICAL = 10_000
#: Sets up to this number of vertices and of legs are compared with `count`, in some milliseconds.
MAX_CERTIFIED = 6
MAX_CERTIFIED_LEGS = 44
#: Sets up to this number of vertices and of bytes are kept for the next call.
MAX_REMEMBERED = 5
MAX_REMEMBERED_BYTES = 2_000_000
#: Most legs of one point of a vertex: a row holds up to 127 lines between two points.
MAX_DEGREE = 127


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
    external: External = "labelled",
    certify: bool | None = None,
    max_bytes: int = MAX_BYTES,
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
    kind : {"vacuum-free", "all", "connected", "amputated", "1PI", "2PI"}
        Class of diagrams; the default is what G^(n) needs. Below, a bridge is a line between two vertices that
        disconnects the diagram when cut, and a vertex with several points counts as one node.

        * "all": every Wick contraction, vacuum components included;
        * "vacuum-free": every component holds an external point;
        * "connected": one component;
        * "amputated": connected, with a vertex, and no bridge that leaves exactly one external point on one side, so
          that external legs carry no corrections (n >= 2);
        * "1PI": connected, with a vertex, and without bridges;
        * "2PI": connected, with a vertex, and no one or two lines between vertices cut it apart.
    self_loops, snails, self_energies : bool
        False removes diagrams with a line from a point to itself; with a part without external points behind one
        vertex (self-loops included); with a self-energy insertion, a set of vertices joined to the rest by one or
        two line ends.
    loops : int, optional
        Keep diagrams with this number of independent loops.
    external : {"labelled", "indistinguishable"}
        "indistinguishable" gives one representative for each topology, with its number of labelled copies.
    certify : bool, optional
        Whether to compare the set with `count`; by default sets of up to `MAX_CERTIFIED` vertices and
        `MAX_CERTIFIED_LEGS` legs are. The set's `certificate` says what was compared.
    max_bytes : int
        Sets that need more are refused; see `stream`.

    Returns
    -------
    DiagramSet
        Empty, without error, when the orders are impossible; its `reason` says why.

    Raises
    ------
    InputError
        For an unknown kind, coupling or order, where the exact scheme is not defined (n = 0 or kind "all"), or if
        the set needs more than `max_bytes`.
    ComputationError
        If the set and `count` disagree (a bug; please report it).

    Examples
    --------
    >>> import feynnn as fn
    >>> theory = fn.Theory.parse("lam*f**4")
    >>> fn.generate(theory, 4, order=2, kind="1PI")
    DiagramSet(3 1PI diagrams, n=4, lam: 2, weight 3/2, multiplicity 1728)
    """
    asked = _ask(theory, n, order, kind, self_loops, snails, self_energies, loops, external)
    if len(asked.layout.vertices) > MAX_REMEMBERED or max_bytes != MAX_BYTES:
        whole(max_bytes, "max_bytes", least=1)
        found = _collected(theory, asked.layout, asked.wanted, max_bytes)
        if asked.is_to_be_certified if certify is None else certify:
            found.certificate = _certificate(found, asked.wanted)
        return found
    kept = asked.found
    if kept is None:
        kept = _collected(theory, asked.layout, asked.wanted, max_bytes)
        kept.freeze()
    if kept.certificate is NOT_COMPARED and (asked.is_to_be_certified if certify is None else certify):
        kept.certificate = _certificate(kept, asked.wanted)
    if kept.rows.nbytes <= MAX_REMEMBERED_BYTES:
        asked.found = kept
    return kept.twin()


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
    external: External = "labelled",
) -> Iterator[DiagramSet]:
    """Generate the same diagrams as `generate` in blocks, for sets larger than memory.

    Parameters
    ----------
    theory, n, order, kind, self_loops, snails, self_energies, loops, external
        As in `generate`.

    Yields
    ------
    DiagramSet
        Blocks of some tens of megabytes. Vertices with several points give one block.

    Examples
    --------
    >>> import feynnn as fn
    >>> theory = fn.Theory.parse("lam*f**4")
    >>> sum(len(block) for block in fn.stream(theory, 4, order=6, kind="connected"))
    10441
    """
    asked = _ask(theory, n, order, kind, self_loops, snails, self_energies, loops, external)
    return _streamed(theory, asked.layout, asked.wanted)


class _Asked:
    """A request that was found to be in order, and its set if that is small."""

    def __init__(self, layout: Layout, wanted: Selection) -> None:
        self.layout, self.wanted = layout, wanted
        self.found: DiagramSet | None = None
        self.is_to_be_certified = len(layout.vertices) <= MAX_CERTIFIED and sum(layout.degrees) <= MAX_CERTIFIED_LEGS


def _ask(theory: Theory, n: int, order: Order, *options: Any) -> _Asked:
    """Return a request, one of the last ones if it was among them."""
    if type(order) is not int and isinstance(theory, Theory):
        order = theory.order(order)
    try:
        return _request(theory, n, order, *options)
    except TypeError:  # something cannot be hashed: the checks say what
        return _request.__wrapped__(theory, n, order, *options)


@lru_cache(maxsize=64, typed=True)
def _request(
    theory: Theory,
    n: int,
    order: Order,
    kind: Kind,
    self_loops: bool,
    snails: bool,
    self_energies: bool,
    loops: int | None,
    external: External,
) -> _Asked:
    """Check what is asked, before anything is generated; the last requests are kept with their small sets."""
    check_request(theory, n, kind)
    if external not in EXTERNAL:
        raise InputError(f"external must be {' or '.join(map(repr, EXTERNAL))}, got {external!r}")
    for name, value in (("self_loops", self_loops), ("snails", snails), ("self_energies", self_energies)):
        flag(value, name)
    layout = Layout.of(theory, n, theory.order(order))
    if max(layout.degrees, default=0) > MAX_DEGREE:
        raise InputError(
            f"a point with {max(layout.degrees)} legs: this generator takes up to {MAX_DEGREE}; use count()"
        )
    if _is_local(layout) and len(layout.vertices) > EXACT:
        raise InputError(
            f"{len(layout.vertices)} vertices: this generator is exact to {EXACT}; lower the order, or use count()"
        )
    wanted = Selection(
        kind=kind,
        self_loops=self_loops and not theory.normal_ordered,
        snails=snails,
        self_energies=self_energies and theory.propagator != "exact",
        loops=None if loops is None else whole(loops, "loops"),
        labelled=external == "labelled",
    )
    return _Asked(layout, wanted)


def _is_local(layout: Layout) -> bool:
    return all(len(v.degree) == 1 for v in layout.vertices)


def _streamed(theory: Theory, layout: Layout, wanted: Selection) -> Iterator[DiagramSet]:
    if not _is_local(layout):
        found = _contracted(theory, layout, wanted)
        if len(found):
            yield found
        return
    for rows, stabilisers, copies in blocks(layout, wanted):
        yield DiagramSet(
            theory,
            layout,
            rows,
            stabilisers,
            kind=wanted.kind,
            external=wanted.external,
            copies=copies,
            is_canonical=layout.group_order == 1,
        )


def _collected(theory: Theory, layout: Layout, wanted: Selection, max_bytes: int) -> DiagramSet:
    """Return the whole set."""
    if not _is_local(layout):
        found = _contracted(theory, layout, wanted)
        if found.rows.nbytes > max_bytes:
            raise _too_large(layout, wanted, max_bytes, len(found))
        return found
    # the weight of all diagrams, with room for those of high symmetry: only to spare small sets the count below;
    # what it lets through is refused by collect() before anything is written
    bound = Fraction(layout.n_contractions, layout.relabellings)
    if 30 * bound * len(layout.pairs) > max_bytes and not wanted.has_filters:
        expected = _counted(theory, layout, wanted)
        # the weight is a lower bound where the number is not known
        least = expected.number if expected.number is not None else int(expected.weight) if wanted.labelled else 0
        if least * len(layout.pairs) > max_bytes:
            raise _too_large(layout, wanted, max_bytes, expected.number)
    everything = collect(layout, wanted, max_bytes)
    if everything is None:
        number = None if wanted.has_filters else _counted(theory, layout, wanted).number
        raise _too_large(layout, wanted, max_bytes, number)
    rows, stabilisers, copies = everything
    small = layout.group_order <= SMALL_GROUP and len(rows) * layout.group_order <= MAX_CANONICAL
    if small and rows.size:
        # largest first: diagrams with lines between early nodes lead the list
        rows, again = by_permutations(layout, rows)
        if not np.array_equal(again, stabilisers):
            raise ComputationError("two routes to the stabilisers of the diagrams disagree")
        ranked = np.argsort(as_keys(rows), kind="stable")[::-1]
        rows, stabilisers, copies = rows[ranked], stabilisers[ranked], copies[ranked]
    return DiagramSet(
        theory,
        layout,
        rows,
        stabilisers,
        kind=wanted.kind,
        external=wanted.external,
        copies=copies,
        is_canonical=small,
        reason=None if len(rows) else _reason(layout, wanted),
    )


def _too_large(layout: Layout, wanted: Selection, max_bytes: int, number: int | None) -> InputError:
    """Return the refusal of a set, with its number of diagrams if that is known."""
    what = f"the {wanted.kind} diagrams at this order"
    if number is not None:
        what += f" ({number} of {len(layout.pairs)} bytes each)"
    return InputError(
        f"{what} need more than max_bytes={max_bytes}; take them block by block from stream(), raise max_bytes, lower "
        "the order, or use count()"
    )


def _reason(layout: Layout, wanted: Selection) -> str:
    """Return why a set is empty."""
    legs = sum(layout.degrees)
    if legs % 2:
        return f"{legs} legs in all: an odd number cannot be joined in pairs"
    if wanted.self_loops and wanted.self_energies and not wanted.has_filters:
        return f"no {wanted.kind} diagram has {layout.n} external points and these {len(layout.vertices)} vertices"
    return "the filters leave none"


def _certificate(found: DiagramSet, wanted: Selection) -> Certificate:
    """Compare a set with what `count` knows without generating."""
    if wanted.has_filters:
        return Certificate(number=False, weight=False, note="count() knows nothing of snails and numbers of loops")
    expected = _counted(found.theory, found.layout, wanted)
    if found.weight != expected.weight or (expected.number is not None and len(found) != expected.number):
        raise ComputationError(
            f"{found!r} should have weight {expected.weight} and {expected.number} diagrams; please report this"
        )
    return Certificate(number=expected.number is not None, weight=True)


def _counted(theory: Theory, layout: Layout, wanted: Selection) -> Count:
    from .counting import count

    return count(
        theory,
        layout.n,
        order={c: sum(v.coupling == c for v in layout.vertices) for c in theory.couplings},
        kind=cast(Kind, wanted.kind),
        self_loops=wanted.self_loops,
        self_energies=wanted.self_energies,
        external=cast(External, wanted.external),
    )


def _contracted(theory: Theory, layout: Layout, wanted: Selection) -> DiagramSet:
    """Return the set by contraction and filters on single diagrams, for vertices with several points."""
    rows, stabilisers = contract_all(layout, self_loops=wanted.self_loops)
    tests: list[Callable[[Diagram], bool]] = {
        "all": [],
        "vacuum-free": [lambda d: d.is_vacuum_free],
        "connected": [lambda d: d.is_connected],
        "amputated": [lambda d: d.is_amputated],
        "1PI": [lambda d: d.is_1pi],
        "2PI": [lambda d: d.is_2pi],
    }[wanted.kind]
    if not wanted.self_energies:
        tests.append(lambda d: not d.has_self_energy)
    if not wanted.snails:
        tests.append(lambda d: not d.has_snail)
    if wanted.loops is not None:
        tests.append(lambda d: d.n_loops == wanted.loops)
    found = DiagramSet(
        theory,
        layout,
        rows,
        stabilisers,
        kind=wanted.kind,
        is_canonical=layout.group_order <= SMALL_GROUP,
    )
    found = found.filter(lambda d: all(t(d) for t in tests))
    found = found if wanted.labelled else found.topologies()
    found.reason = None if len(found) else _reason(layout, wanted)
    return found


def forget() -> None:
    """Forget all tables and sets, for measurements of first calls."""
    shipped.clear()
    for cached in (_request, decorations._all_labellings, pairs.places, pairs.pair_columns, pairs.upper_pairs):
        cached.cache_clear()


def check_request(theory: object, n: int, kind: str) -> None:
    """Raise InputError for an unknown kind, or one where the exact scheme is not defined."""
    if not isinstance(theory, Theory):
        advice = f"; write Theory.parse({theory!r})" if isinstance(theory, str) else ""
        raise InputError(f"expected a Theory, got {theory!r}{advice}")
    if kind not in KINDS:
        raise InputError(f"kind must be one of {', '.join(map(repr, KINDS))}, got {kind!r}")
    if kind == "amputated" and whole(n, "n") < 2:
        raise InputError(f"kind='amputated' needs two external points or more, got n={n}; use kind='1PI'")
    if theory.propagator == "exact" and (whole(n, "n") == 0 or kind == "all"):
        raise InputError(
            f"propagator='exact' is defined for diagrams without vacuum components (got n={n}, kind={kind!r}): the "
            "counterterm contributes to log Z; use propagator='free'"
        )
