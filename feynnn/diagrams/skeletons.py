"""From tables of skeletons to diagrams: each configuration's skeletons, filtered before the labels are written.

Diagrams are written with their number last, shape (pairs, diagrams), into memory that the system hands out as zeros:
most pairs of nodes have no line, and their part of the array is never touched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import permutations, product
from math import factorial
from typing import NamedTuple

import numpy as np

from ..combinatorics import Indices
from ..errors import InputError
from . import masks
from .canonical import SMALL_GROUP
from .decorations import Configuration, Selection, configurations, labellings, n_labellings, slots_of
from .layout import Layout, Rows, as_keys, by_permutations
from .pairs import places
from .roots import stabiliser_orders
from .shipped import bridgeless, connected, two_particle_irreducible
from .tables import Lines, Pattern, Table, table

#: Most bytes of one block of diagrams.
BLOCK_BYTES = 1 << 26

#: What legs and loops do not change is decided once for each table.
_TABLES: dict[str, Callable[[Pattern], Table]] = {
    "connected": connected,
    "1PI": bridgeless,
    "2PI": two_particle_irreducible,
}


class Part(NamedTuple):
    """The skeletons of one configuration, and the number of ways to put labels on them."""

    configuration: Configuration
    lines: Lines  # between the pairs of vertices of `where`, shape (pairs, skeletons)
    where: Indices  # numbers of pairs of vertices
    stabilisers: Indices
    ways: int

    @property
    def graphs(self) -> int:
        """Number of skeletons."""
        return int(self.lines.shape[1])


#: Some labellings of a part (see `labellings`); None for representatives of topologies.
Piece = tuple[Part, Indices | None]


def blocks(layout: Layout, wanted: Selection) -> Iterator[tuple[Rows, Indices, Indices]]:
    """Yield blocks of diagrams: rows of the layout, shape (k, pairs), stabilisers' orders and copies, shape (k,).

    For vertices with one point each. Blocks have about `BLOCK_BYTES`, or are one labelling of one skeleton table.
    """
    room = max(1, BLOCK_BYTES // max(1, len(layout.pairs)))
    waiting: list[Piece] = []
    held = 0
    for part in _parts(layout, wanted):
        for piece in _pieces(layout, wanted, part, max(1, room // part.graphs)):
            size = _size(piece)
            if waiting and held + size > room:
                yield _assembled(layout, waiting)
                waiting, held = [], 0
            waiting.append(piece)
            held += size
    if waiting:
        yield _assembled(layout, waiting)


def collect(layout: Layout, wanted: Selection, max_bytes: int) -> tuple[Rows, Indices, Indices] | None:
    """Return all blocks as one, or None if the rows need more than `max_bytes`."""
    parts: list[Part] = []
    size = 0
    for part in _parts(layout, wanted):
        parts.append(part)
        size += part.ways * part.graphs
        if size * len(layout.pairs) > max_bytes:
            return None
    return _assembled(layout, [piece for part in parts for piece in _pieces(layout, wanted, part, BLOCK_BYTES)])


def _pieces(layout: Layout, wanted: Selection, part: Part, room: int) -> Iterator[Piece]:
    if not wanted.labelled:
        yield part, None
        return
    for owners in labellings(layout.n, slots_of(part.configuration), room):
        yield part, owners


def _size(piece: Piece) -> int:
    part, owners = piece
    return part.graphs * (1 if owners is None else len(owners))


def _assembled(layout: Layout, pieces: Sequence[Piece]) -> tuple[Rows, Indices, Indices]:
    """Return the diagrams of some pieces: rows, stabilisers' orders and copies."""
    size = sum(map(_size, pieces))
    out = np.zeros((len(layout.pairs), size), dtype=np.int8)
    orders, copies = np.empty(size, dtype=np.int64), np.ones(size, dtype=np.int64)
    at = 0
    for part, owners in pieces:
        here = slice(at, at + _size((part, owners)))
        if owners is None:
            out[:, here] = _representatives(layout, part).T
            orders[here], copies[here] = _labelled_orders(layout, part)
        else:
            _write(layout, part, owners, out[:, here])
            orders[here].reshape(len(owners), -1)[:] = part.stabilisers
        at = here.stop
    return out.T, orders, copies


def _parts(layout: Layout, wanted: Selection) -> Iterator[Part]:
    as_table = bool(layout.vertices) and wanted == Selection(wanted.kind, wanted.self_loops, labelled=wanted.labelled)
    as_table = as_table and wanted.kind in _TABLES
    for c in configurations(layout, wanted):
        lines, where, stabilisers = _skeletons(layout, c, wanted, as_table)
        if lines.shape[1]:
            ways = n_labellings(layout.n, slots_of(c)) if wanted.labelled else 1
            yield Part(c, lines, where, stabilisers, ways)


def _skeletons(layout: Layout, c: Configuration, wanted: Selection, as_table: bool) -> tuple[Lines, Indices, Indices]:
    """Return the wanted skeletons of a configuration, the pairs of vertices of their lines, and stabilisers.

    With `as_table` the table holds the wanted ones only.
    """
    n = len(layout.vertices)
    active = sorted((g[3], len(g[0]), g[0]) for g in c.groups if g[3])
    pattern = tuple(g[:2] for g in active)
    found = _TABLES.get(wanted.kind, connected if wanted.is_connected else table)(pattern)
    where = places(n, tuple(v for g in active for v in g[2]))
    stabilisers = found.stabilisers
    for g in c.groups:
        if g[3] == 0 and len(g[0]) > 1:
            stabilisers = stabilisers * factorial(len(g[0]))
    if as_table or not len(found):
        return found.lines, where, stabilisers
    lines = _spread(n, found.lines, where)
    keep = _selected(lines, layout, c, wanted)
    return found.lines[:, keep], where, stabilisers[keep]


def _spread(n: int, lines: Lines, where: Indices) -> Lines:
    """Return lines between all pairs of n vertices."""
    full = np.zeros((n * (n - 1) // 2, lines.shape[1]), dtype=np.int8)
    full[where] = lines
    return full


def _selected(lines: Lines, layout: Layout, c: Configuration, wanted: Selection) -> masks.Flags:
    """Return which skeletons are wanted."""
    n = len(layout.vertices)
    legs, loops, inner = [0] * n, [0] * n, [0] * n
    for vertices, k, own, residual in c.groups:
        for v in vertices:
            legs[v], loops[v], inner[v] = k, own, residual
    external = sum(1 << v for v, k in enumerate(legs) if k)
    keep = np.ones(lines.shape[1], dtype=np.bool_)
    if wanted.is_connected and not n:
        # the free line is the only connected diagram without vertices; the empty one is none
        keep[:] = c.free == 1 and layout.n == 2 and wanted.kind == "connected"
    elif wanted.is_connected:
        if wanted.kind == "amputated":
            keep &= ~masks.has_leg_correction(lines, n, legs)
    elif wanted.kind == "vacuum-free":
        keep &= masks.is_joined(lines, n, external)
    if not wanted.self_energies:
        keep &= ~masks.has_small_cut(lines, n, [k + own for k, own in zip(inner, legs, strict=True)])
    if not wanted.snails:
        keep &= ~masks.has_snail(lines, n, legs, loops)
    if wanted.loops is not None:
        n_lines = sum(layout.degrees) // 2
        parts = masks.number_of_components(lines, n) + c.free
        keep &= n_lines - (layout.n + n) + parts == wanted.loops
    return keep


def _labelled_orders(layout: Layout, part: Part) -> tuple[Indices, Indices]:
    """Return the stabilisers' orders once external points are labelled, and the number of different labellings."""
    c, stabilisers = part.configuration, part.stabilisers
    distinct = iter(range(len(layout.vertices), 2 * len(layout.vertices)))
    colours = np.zeros(len(layout.vertices), dtype=np.int64)
    for k, (vertices, legs, _, _) in enumerate(c.groups):
        for v in vertices:
            colours[v] = next(distinct) if legs else k
    orders, open_ = stabilisers.copy(), stabilisers > 1
    if any(legs and len(vertices) > 1 for vertices, legs, _, _ in c.groups):
        lines = _spread(len(colours), part.lines[:, open_], part.where)
        orders[open_] = stabiliser_orders(lines, colours)
    ways = factorial(layout.n) // (2**c.free * factorial(c.free))
    for legs, k in c.sizes:
        ways //= factorial(legs) ** k
    if ways >= 2**63:
        raise InputError(
            f"a topology with {layout.n} external points has up to {ways} labellings, more than 63 bits hold; lower n, "
            "or use count()"
        )
    return orders, ways // (stabilisers // orders)


def _representatives(layout: Layout, part: Part) -> Rows:
    """Return one labelled diagram for each skeleton: in small layouts the one whose canonical row is the largest.

    That one has its free lines first, then the vertices with most labels; only vertices with equally many compete.
    """
    c = part.configuration
    class_of = {v: k for k, group in enumerate(layout.classes) for v in group}
    carriers = [(class_of[v], -legs) for vertices, legs, _, _ in c.groups if legs for v in vertices]
    ties = [[k for k, own in enumerate(carriers) if own == kind] for kind in sorted(set(carriers))]
    small = layout.group_order <= SMALL_GROUP
    best: Rows | None = None
    for choice in product(*(permutations(tie) if small else [tuple(tie)] for tie in ties)):
        owners = [k for k in range(c.free) for _ in range(2)]
        owners += [c.free + k for tie in choice for k in tie for _ in range(-carriers[k][1])]
        out = np.zeros((len(layout.pairs), part.graphs), dtype=np.int8)
        _write(layout, part, np.array([owners], dtype=np.int64), out)
        rows: Rows = out.T
        if small:
            rows, _ = by_permutations(layout, rows)
            if best is not None:
                rows = np.where((as_keys(rows) > as_keys(best))[:, None], rows, best)
        best = rows
    assert best is not None
    return best


def _write(layout: Layout, part: Part, owners: Indices, out: Lines) -> None:
    """Write the diagrams of some labellings into zeros of shape (pairs, diagrams)."""
    c, n = part.configuration, layout.n
    between, own, to = layout.vertex_columns
    block = out.reshape(len(out), len(owners), part.graphs)  # a view: each row of `out` is contiguous
    block[between[part.where]] = part.lines[:, None, :]
    carriers: list[int] = [-1] * c.free
    for vertices, legs, loops, _ in c.groups:
        if loops:
            block[own[list(vertices)]] = loops
        if legs:
            carriers += vertices
    each = np.arange(len(owners))
    ends = np.array(carriers, dtype=np.int64)[owners]
    if c.free:
        at, label = np.nonzero(ends >= 0)
        block[to[label, ends[at, label]], at] = 1
        for line in range(c.free):
            mine = owners == line
            block[layout.column[mine.argmax(axis=1), n - 1 - mine[:, ::-1].argmax(axis=1)], each] = 1
    else:
        block[to[np.arange(n), ends], each[:, None]] = 1
