"""The nodes that a diagram connects: external points, then the integrated points of its vertices."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import permutations, product
from math import comb, factorial
from reprlib import repr as short

import numpy as np
import numpy.typing as npt

from ..combinatorics import double_factorial
from ..errors import InputError
from ..points import whole
from ..theory.action import Theory
from ..theory.interaction import Interaction

Rows = npt.NDArray[np.int8]

#: Largest group of vertex permutations that is listed one by one.
MAX_GROUP = 20_160
#: Most legs of one diagram, external points included; above what any route below can handle.
MAX_LEGS = 1_000


@dataclass(frozen=True)
class Layout:
    """External points 0..n-1 with one leg each, then the points of each vertex with the legs of the interaction.

    A diagram on it is a row: the number of lines between nodes i <= j for every pair, in the order of `pairs`.
    Vertices of one interaction stand together, in the theory's order.
    """

    n: int
    vertices: tuple[Interaction, ...]

    @classmethod
    def of(cls, theory: Theory, n: int, order: tuple[int, ...]) -> Layout:
        """Return the layout for an exact order of each coupling.

        Raises
        ------
        InputError
            If there are more than `MAX_LEGS` legs.
        """
        number = whole(n, "n")
        legs = number + sum(i.n_legs * m for i, m in zip(theory.interactions, order, strict=True))
        if legs > MAX_LEGS:
            raise InputError(
                f"{legs} legs, more than the {MAX_LEGS} that a diagram may have here; lower n or the order"
            )
        return cls(number, tuple(i for i, m in zip(theory.interactions, order, strict=True) for _ in range(m)))

    @cached_property
    def points(self) -> tuple[tuple[int, ...], ...]:
        """The nodes of each vertex."""
        result, node = [], self.n
        for v in self.vertices:
            result.append(tuple(range(node, node + len(v.degree))))
            node += len(v.degree)
        return tuple(result)

    @cached_property
    def degrees(self) -> tuple[int, ...]:
        """Number of legs of each node."""
        return (1,) * self.n + tuple(d for v in self.vertices for d in v.degree)

    @cached_property
    def part_of(self) -> tuple[int, ...]:
        """For each node its number when a vertex counts as one node: externals first, then the vertices."""
        return tuple(range(self.n)) + tuple(self.n + k for k, nodes in enumerate(self.points) for _ in nodes)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the nodes: x1, x2, ... and y (or y1, y2, ... if there are several integrated points)."""
        integrated = self.n_nodes - self.n
        inner = ["y"] if integrated == 1 else [f"y{k + 1}" for k in range(integrated)]
        return (*(f"x{k + 1}" for k in range(self.n)), *inner)

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return len(self.degrees)

    @cached_property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """Pairs of nodes i <= j, the columns of a row."""
        return tuple((i, j) for i in range(self.n_nodes) for j in range(i, self.n_nodes))

    @cached_property
    def pair_arrays(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """First and second nodes of `pairs`, as arrays."""
        first, second = np.triu_indices(self.n_nodes)
        return first, second

    @cached_property
    def column(self) -> npt.NDArray[np.int64]:
        """Column of the pair (i, j), in either order, shape (n_nodes, n_nodes)."""
        table = np.zeros((self.n_nodes, self.n_nodes), dtype=np.int64)
        first, second = self.pair_arrays
        table[first, second] = table[second, first] = np.arange(len(first))
        return table

    @cached_property
    def vertex_columns(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Columns of the pairs of points i < j, of a point with itself, and of (external point, point)."""
        i, j = np.triu_indices(self.n_nodes - self.n, 1)
        points = np.arange(self.n, self.n_nodes)
        labels = np.arange(self.n)[:, None]
        return self.column[self.n + i, self.n + j], self.column[points, points], self.column[labels, points]

    @cached_property
    def classes(self) -> tuple[tuple[int, ...], ...]:
        """Classes of equal vertices, as numbers of vertices."""
        groups: dict[Interaction, list[int]] = {}
        for k, v in enumerate(self.vertices):
            groups.setdefault(v, []).append(k)
        return tuple(tuple(g) for g in groups.values())

    def kinds(self, *, labelled: bool) -> list[int]:
        """Return a number for each node, the same for nodes that a permutation may exchange.

        Those are equal points of equal vertices; with `labelled` False also external points.
        """
        numbers = list(range(self.n)) if labelled else [0] * self.n
        numbers += [0] * (self.n_nodes - self.n)
        for c, group in enumerate(self.classes):
            for k, equal in enumerate(self.vertices[group[0]].point_classes()):
                for v in group:
                    for place in equal:
                        numbers[self.points[v][place]] = self.n + self.n_nodes * c + k
        return numbers

    @property
    def n_contractions(self) -> int:
        """Number of ways to pair all legs: (n + sum of degrees - 1)!!, zero if their number is odd."""
        legs = sum(self.degrees)
        return double_factorial(legs - 1) if legs % 2 == 0 else 0

    @property
    def n_loopless_contractions(self) -> int:
        """The same without lines from a point to itself: choose k such lines at each point, with sign (-1)^k."""
        signed = {0: 1}
        for d in self.degrees:
            new: dict[int, int] = {}
            for legs, c in signed.items():
                for k in range(d // 2 + 1):
                    new[legs + d - 2 * k] = new.get(legs + d - 2 * k, 0) + (-1) ** k * c * (
                        comb(d, 2 * k) * double_factorial(2 * k - 1)
                    )
            signed = new
        return sum(c * double_factorial(legs - 1) for legs, c in signed.items() if legs % 2 == 0)

    @property
    def relabellings(self) -> int:
        """Product over vertex types of m! g^m, the order of the group that permutes legs and vertices."""
        size = 1
        for group in self.classes:
            size *= factorial(len(group)) * self.vertices[group[0]].symmetry ** len(group)
        return size

    @cached_property
    def group_order(self) -> int:
        """Number of permutations of equal vertices and of equal points inside vertices."""
        size = 1
        for group in self.classes:
            exchanges = [len(c) for c in self.vertices[group[0]].point_classes()]
            inside = np.prod([factorial(c) for c in exchanges], dtype=object)
            size *= factorial(len(group)) * int(inside) ** len(group)
        return size

    def permutations(self) -> Iterator[tuple[int, ...]]:
        """Yield the node permutations that exchange equal vertices and equal points of a vertex.

        Raises
        ------
        InputError
            If there are more than `MAX_GROUP`.
        """
        if self.group_order > MAX_GROUP:
            raise InputError(
                f"{len(self.vertices)} vertices have {self.group_order} permutations, more than the {MAX_GROUP} that "
                "this generator lists; lower the order (count() gives numbers without generating)"
            )
        inside = [self._inside(k) for k in range(len(self.vertices))]
        for outer in product(*(permutations(group) for group in self.classes)):
            image = list(range(len(self.vertices)))
            for group, target in zip(self.classes, outer, strict=True):
                for a, b in zip(group, target, strict=True):
                    image[a] = b
            for choice in product(*inside):
                nodes = list(range(self.n_nodes))
                for a, shuffle in enumerate(choice):
                    for here, there in zip(self.points[a], shuffle, strict=True):
                        nodes[here] = self.points[image[a]][there]
                yield tuple(nodes)

    def _inside(self, vertex: int) -> list[tuple[int, ...]]:
        """Return the permutations of a vertex's points that leave the vertex the same."""
        classes = self.vertices[vertex].point_classes()
        result = []
        for choice in product(*(permutations(c) for c in classes)):
            shuffle = list(range(len(self.points[vertex])))
            for c, target in zip(classes, choice, strict=True):
                for a, b in zip(c, target, strict=True):
                    shuffle[a] = b
            result.append(tuple(shuffle))
        return result

    @cached_property
    def column_maps(self) -> npt.NDArray[np.int64]:
        """For each permutation the columns that it reads: permuted row = row[map]; shape (group order, pairs)."""
        first, second = self.pair_arrays
        maps = [self.column[np.array(p)[first], np.array(p)[second]] for p in self.permutations()]
        return np.array(maps, dtype=np.int64).reshape(len(maps), len(self.pairs))

    def row_of(self, edges: Sequence[tuple[int, int]]) -> Rows:
        """Return the row of a list of lines between nodes.

        Raises
        ------
        InputError
            If a line leaves the nodes, a node does not have its number of legs, or there are more parallel lines
            than a row holds; the message names the lines.
        """
        if not isinstance(edges, Iterable) or isinstance(edges, str | Mapping):
            raise InputError(f"edges must be a list of pairs of node numbers, got {short(edges)}")
        lines = [0] * len(self.pairs)
        ends: list[list[int]] = [[] for _ in range(self.n_nodes)]
        given = list(edges)
        for k, edge in enumerate(given):
            if not isinstance(edge, tuple | list) or len(edge) != 2:
                raise InputError(f"edges[{k}]: a line is a pair of node numbers, got {short(edge)}")
            i, j = (whole(node, f"edges[{k}]: a node") for node in edge)
            if i >= self.n_nodes or j >= self.n_nodes:
                raise InputError(f"edges[{k}]: the line {(i, j)} leaves the nodes 0..{self.n_nodes - 1}")
            lines[self.column[i, j]] += 1
            for node in (i, j):
                ends[node].append(k)
        for node, (have, need) in enumerate(zip(ends, self.degrees, strict=True)):
            if len(have) != need:
                shown = [f"edges[{k}] = {tuple(given[k])}" for k in dict.fromkeys(have)]
                which = ": " + ", ".join(shown[:8] + ["..."] * (len(shown) > 8)) if have else ""
                raise InputError(f"node {node} must have {need} line ends, it has {len(have)}{which}")
        top = max(lines, default=0)
        if top > np.iinfo(np.int8).max:
            pair = self.pairs[lines.index(top)]
            raise InputError(f"{pair} has {top} parallel lines, more than the {np.iinfo(np.int8).max} that are stored")
        return np.array(lines, dtype=np.int8)


def as_keys(rows: Rows) -> npt.NDArray[np.bytes_]:
    """Return each row as one byte string, so that rows compare and sort as a whole."""
    block = np.ascontiguousarray(rows)
    if not block.shape[1]:
        return np.zeros(len(block), dtype="S1")
    return block.view(f"S{block.shape[1]}")[:, 0]


def by_permutations(layout: Layout, rows: Rows) -> tuple[Rows, npt.NDArray[np.int64]]:
    """Return the lexicographically largest image of each row under the layout's group, and its stabiliser's order.

    Exact at any size, because every permutation is tried; shapes (k, pairs) and (k,).
    """
    if not len(rows) or rows.shape[1] == 0:
        return rows, np.ones(len(rows), dtype=np.int64)
    best, keys = rows.copy(), as_keys(rows)
    stabiliser = np.zeros(len(rows), dtype=np.int64)
    own = keys.copy()
    best_keys = keys.copy()
    for columns in layout.column_maps:
        image = rows[:, columns]
        image_keys = as_keys(image)
        stabiliser += image_keys == own
        better = image_keys > best_keys
        best[better] = image[better]
        best_keys[better] = image_keys[better]
    return best, stabiliser


def automorphisms(layout: Layout, row: Rows, stabiliser: int) -> int:
    """Return |Aut|: the stabiliser times k! for k parallel lines and 2^l for l self-loops."""
    size = stabiliser
    for (i, j), k in zip(layout.pairs, row.tolist(), strict=True):
        if k > 1 or (k and i == j):
            size *= factorial(k) << (k if i == j else 0)
    return size
