"""Connected skeletons, those of common theories read from the package: small sets then cost no table building.

    python -m feynnn.diagrams.shipped build     makes the files of `DATA` anew
    python -m feynnn.diagrams.shipped check     compares them with tables made from nothing

A file holds the patterns with one number of vertices, compressed by zlib, as little-endian arrays one after the other:
the lengths of the next four; the pattern number, degree and size of each group; the number of graphs of each pattern,
and of those without bridges; the stabilisers; and the lines, as in `Table`.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..combinatorics import Indices
from ..errors import ComputationError
from . import masks
from .decorations import Selection, configurations
from .layout import Layout
from .tables import Pattern, Table, _group_splits, table

#: The folder of the shipped tables.
DATA = Path(__file__).parent / "data"
#: What is shipped: the connected diagrams of these actions, by number of external points and orders up to these.
SHIPPED: Sequence[tuple[str, Sequence[int], int]] = (
    ("g*f**3", (0, 1, 2, 3, 4), 8),
    ("lam*f**4", (0, 2, 4), 8),
    ("lam*f**4", (6,), 7),
    ("kap*f**6", (0, 2, 4, 6), 4),
    ("lam*f**4 + kap*f**6", (0, 2, 4, 6), 4),
)


class Shipped(NamedTuple):
    """The connected graphs of a pattern, those without bridges first."""

    graphs: Table
    n_bridgeless: int


def connected(pattern: Pattern) -> Table:
    """Return the connected graphs of a pattern, shipped or made."""
    return _connected(pattern).graphs


@lru_cache(maxsize=4096)
def bridgeless(pattern: Pattern) -> Table:
    """Return the connected graphs of a pattern that no line cuts apart."""
    graphs, number = _connected(pattern)
    return Table(graphs.n, graphs.lines[:, :number], graphs.stabilisers[:number])


@lru_cache(maxsize=4096)
def two_particle_irreducible(pattern: Pattern) -> Table:
    """Return the connected graphs of a pattern that no one or two lines cut apart."""
    found = bridgeless(pattern)
    ends = [degree for degree, size in pattern for _ in range(size)]
    return _some(found, ~masks.has_small_cut(found.lines, found.n, ends))


@lru_cache(maxsize=4096)
def _connected(pattern: Pattern) -> Shipped:
    shipped = _shipped(sum(size for _, size in pattern)).get(pattern)
    return _made(pattern) if shipped is None else shipped


def _made(pattern: Pattern) -> Shipped:
    found = table(pattern)
    found = _some(found, masks.is_joined(found.lines, found.n, 1))
    cut = masks.has_bridge(found.lines, found.n)
    return Shipped(_some(found, np.argsort(cut, kind="stable")), int(len(found) - cut.sum()))


def _some(found: Table, which: masks.Flags | Indices) -> Table:
    return Table(found.n, found.lines[:, which], found.stabilisers[which])


@lru_cache(maxsize=32)
def _shipped(n: int) -> dict[Pattern, Shipped]:
    """Return the shipped tables with n vertices."""
    path = DATA / f"skeletons-{n}.zlib"
    if not path.is_file():
        return {}
    try:
        words = zlib.decompress(path.read_bytes())
    except zlib.error as error:
        raise ComputationError(f"the table {path.name} of this installation is damaged; install feynnn anew") from error
    lengths = np.frombuffer(words, "<u4", 4).tolist()
    arrays, at = [], 16
    for length in lengths:
        arrays.append(np.frombuffer(words, "<u4", length, at))
        at += 4 * length
    groups, sizes, numbers, stabilisers = arrays
    lines = np.frombuffer(words, np.int8, -1, at)
    patterns: list[list[tuple[int, int]]] = [[] for _ in sizes]
    for k, degree, size in groups.reshape(-1, 3).tolist():
        patterns[k].append((degree, size))
    result: dict[Pattern, Shipped] = {}
    graph = 0
    pairs = n * (n - 1) // 2
    for pattern, number, whole in zip(patterns, sizes.tolist(), numbers.tolist(), strict=True):
        block = lines[pairs * graph : pairs * (graph + number)].reshape(pairs, number)
        found = Table(n, block, stabilisers[graph : graph + number].astype(np.int64))
        result[tuple(pattern)] = Shipped(found, whole)
        graph += number
    return result


def clear() -> None:
    """Forget all tables, for measurements with cold tables."""
    for cached in (table, _group_splits, _connected, _shipped, bridgeless, two_particle_irreducible):
        cached.cache_clear()


def _patterns() -> dict[int, list[Pattern]]:
    """Return the patterns to ship, by number of vertices."""
    from ..theory.action import Theory

    wanted = Selection("connected")
    found: set[Pattern] = set()
    for text, points, top in SHIPPED:
        theory = Theory.parse(text)
        for n in points:
            for order in theory.orders_up_to(top):
                for c in configurations(Layout.of(theory, n, theory.order(order)), wanted):
                    found.add(tuple(sorted((g[3], len(g[0])) for g in c.groups if g[3])))
    by_vertices: dict[int, list[Pattern]] = {}
    for pattern in sorted(found):
        if len(pattern) and len(_made(pattern).graphs):
            by_vertices.setdefault(sum(size for _, size in pattern), []).append(pattern)
    return by_vertices


def _sorted(pattern: Pattern) -> Shipped:
    """Return the table to ship, in lexicographic order, which does not depend on how it was made."""
    graphs, number = _made(pattern)
    cut = np.arange(len(graphs)) >= number
    order = np.lexsort([*graphs.lines[::-1], cut])
    return Shipped(_some(graphs, order), number)


def build(folder: Path = DATA) -> None:
    """Write the tables."""
    folder.mkdir(exist_ok=True)
    for n, patterns in _patterns().items():
        shipped = [_sorted(pattern) for pattern in patterns]
        tables = [t.graphs for t in shipped]
        arrays = [
            np.array([(k, *g) for k, pattern in enumerate(patterns) for g in pattern]).ravel(),
            np.array([len(t) for t in tables]),
            np.array([t.n_bridgeless for t in shipped]),
            np.concatenate([t.stabilisers for t in tables]),
        ]
        words = [np.array([len(a) for a in arrays]), *arrays]
        content = b"".join(a.astype("<u4").tobytes() for a in words) + b"".join(t.lines.tobytes() for t in tables)
        (folder / f"skeletons-{n}.zlib").write_bytes(zlib.compress(content, 9))


def check(n: int) -> list[Pattern]:
    """Return the patterns with n vertices whose shipped table is missing, superfluous or wrong."""
    expected, have = _patterns().get(n, []), _shipped(n)
    wrong = [pattern for pattern in have if pattern not in expected]
    for pattern in expected:
        made, shipped = _sorted(pattern), have.get(pattern)
        if shipped is None or not (
            made.n_bridgeless == shipped.n_bridgeless
            and np.array_equal(made.graphs.lines, shipped.graphs.lines)
            and np.array_equal(made.graphs.stabilisers, shipped.graphs.stabilisers)
        ):
            wrong.append(pattern)
    return wrong


if __name__ == "__main__":
    if sys.argv[1:] == ["build"]:
        build()
    elif sys.argv[1:] == ["check"]:
        bad = [pattern for n in _patterns() for pattern in check(n)]
        sys.exit(f"wrong tables: {bad}" if bad else 0)
    else:
        sys.exit(__doc__)
