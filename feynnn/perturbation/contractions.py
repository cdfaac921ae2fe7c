"""Contractions: connected pieces of diagrams as index equations, and their value on a mesh.

A diagram or expression becomes a sum of `Product`s: a coefficient, powers of couplings, lines between external points,
and `Contraction`s, one for each connected piece with integrated points. What two labelled diagrams of one topology
share is the `Shape`; it is evaluated once, for all multisets of inputs at each point's legs, and the labelled diagrams
only look values up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache, reduce
from itertools import permutations, product
from math import comb, prod

import numpy as np

from ..combinatorics import Indices, multiset_rank, multisets
from ..diagrams.diagram import Diagram
from ..errors import ComputationError
from ..points import Array
from ..theory.kernels import Kernel
from .elimination import Step, contract, eliminate
from .quadrature import Mesh

#: Memory that one evaluation may use for its largest arrays, in bytes.
MEMORY = 2 * 2**30
#: Points beyond which equal topologies are not searched by permuting them.
_MAX_PERMUTED = 6

Line = tuple[int, int, str, int]


@dataclass(frozen=True)
class Shape:
    """A connected integral with its external labels forgotten.

    Attributes
    ----------
    legs : tuple, one entry for each integrated point
        Groups (kernel name, number of legs) at the point.
    loops : tuple
        For each point its lines to itself: groups (kernel name, number).
    powers : tuple of int
        Power of |y| (of y in one dimension) that weights each point.
    lines : tuple of (p, q, kernel name, number)
        Parallel lines between points p < q.
    """

    legs: tuple[tuple[tuple[str, int], ...], ...]
    loops: tuple[tuple[tuple[str, int], ...], ...]
    powers: tuple[int, ...]
    lines: tuple[Line, ...]

    @property
    def n_points(self) -> int:
        """Number of integrated points."""
        return len(self.legs)

    @property
    def n_lines(self) -> int:
        """Number of kernels in the integrand."""
        groups = [k for at in (*self.legs, *self.loops) for _, k in at]
        return sum(groups) + sum(k for *_, k in self.lines)

    @property
    def kernels(self) -> set[str]:
        """Names of the kernels in the integrand."""
        return {name for at in (*self.legs, *self.loops) for name, _ in at} | {name for _, _, name, _ in self.lines}


@dataclass(frozen=True)
class Contraction:
    """A shape, and for each of its leg groups (in order of points) the external labels attached."""

    shape: Shape
    labels: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Product:
    """coefficient * couplings * free lines * contractions: one diagram, or one term of a user's expression."""

    coefficient: Fraction | float
    couplings: tuple[tuple[str, int], ...]
    free: tuple[tuple[int, int, str], ...]
    pieces: tuple[Contraction, ...]


def contraction(
    points: list[int],
    legs: list[tuple[int, int, str]],
    lines: list[tuple[int, int, str]],
    powers: Mapping[int, int],
) -> Contraction:
    """Return the contraction of one connected piece in its normal form.

    Parameters
    ----------
    points : list of int
        Integrated points, by any number.
    legs : list of (label, point, kernel name)
        Lines from external labels to points.
    lines : list of (point, point, kernel name)
        Lines between points, equal ones for loops.
    powers : mapping
        Weights of points that have one.
    """
    at: dict[int, dict[str, list[int]]] = {p: {} for p in points}
    for label, p, name in legs:
        at[p].setdefault(name, []).append(label)
    loops = {p: Counter(name for a, b, name in lines if a == b == p) for p in points}
    joined = Counter((min(a, b), max(a, b), name) for a, b, name in lines if a != b)

    def form(order: tuple[int, ...]) -> Shape:
        place = {p: k for k, p in enumerate(order)}
        return Shape(
            legs=tuple(tuple((n, len(at[p][n])) for n in sorted(at[p])) for p in order),
            loops=tuple(tuple(sorted(loops[p].items())) for p in order),
            powers=tuple(powers.get(p, 0) for p in order),
            lines=tuple(
                sorted((min(place[a], place[b]), max(place[a], place[b]), n, k) for (a, b, n), k in joined.items())
            ),
        )

    def rank(shape: Shape) -> tuple[object, ...]:
        return (shape.legs, shape.loops, shape.powers, shape.lines)

    orders = permutations(points) if len(points) <= _MAX_PERMUTED else iter([tuple(points)])
    best = max(orders, key=lambda o: rank(form(o)))
    labels = tuple(tuple(sorted(at[p][n])) for p in best for n in sorted(at[p]))
    return Contraction(form(best), labels)


def products_of(d: Diagram, *, free: str = "K", vertex: str = "K_v") -> list[Product]:
    """Return a diagram as products; a vertex weight that is a sum gives several."""
    result = []
    weighted = [
        [(c, dict(zip(points, powers, strict=True))) for powers, c in v.profile]
        for points, v in zip(d.layout.points, d.layout.vertices, strict=True)
    ]
    couplings = tuple((c, k) for c, k in d.order.items() if k)
    for choice in product(*weighted):
        coefficient = d.coefficient
        powers: dict[int, int] = {}
        for c, at in choice:
            coefficient *= c
            powers |= at
        free_lines = tuple((i, j, free) for i, j in d.edges if max(i, j) < d.n)
        legs = [(i, j, vertex) for i, j in d.edges if i < d.n <= j]
        lines = [(i, j, vertex) for i, j in d.edges if i >= d.n]
        pieces = connected_pieces(range(d.n, d.layout.n_nodes), legs, lines, powers)
        result.append(Product(coefficient, couplings, free_lines, pieces))
    return result


def connected_pieces(
    points: Iterable[int],
    legs: list[tuple[int, int, str]],
    lines: list[tuple[int, int, str]],
    powers: Mapping[int, int],
) -> tuple[Contraction, ...]:
    """Return one contraction for each set of points joined by lines; points of one vertex need not be joined."""
    pieces = []
    left = set(points)
    while left:
        part = {min(left)}
        while more := {q for a, b, _ in lines for p, q in ((a, b), (b, a)) if p in part and q not in part}:
            part |= more
        left -= part
        pieces.append(
            contraction(
                sorted(part),
                [leg for leg in legs if leg[1] in part],
                [line for line in lines if line[0] in part],
                {p: k for p, k in powers.items() if p in part},
            )
        )
    return tuple(pieces)


# --- evaluation on a mesh ----------------------------------------------------------------------------------------


class MeshTable:
    """Kernel values on one mesh, computed when first needed: rows K(x, y), diagonals K(y, y), matrices K(y, y')."""

    def __init__(self, kernels: Mapping[str, Kernel], x: Array, mesh: Mesh, *, absolute: bool = False) -> None:
        self.kernels, self.x, self.mesh, self.absolute = kernels, x, mesh, absolute
        #: The table whose values this one takes without their signs.
        self.plain: MeshTable | None = None
        self._rows: dict[str, Array] = {}
        self._diagonals: dict[str, Array] = {}
        self._matrices: dict[str, Array] = {}
        self._square = (mesh.nodes**2).sum(axis=1)

    def without_signs(self) -> MeshTable:
        """Return the table of absolute values, for which no kernel is evaluated again."""
        other = MeshTable(self.kernels, self.x, self.mesh, absolute=True)
        other.plain = self
        return other

    def _sign(self, values: Array) -> Array:
        return np.abs(values) if self.absolute else values

    def rows(self, name: str) -> Array:
        """K(x, y), shape (m, M)."""
        if name not in self._rows:
            found = self.plain.rows(name) if self.plain else self.kernels[name](self.x, self.mesh.nodes)
            self._rows[name] = self._sign(found)
        return self._rows[name]

    def diagonal(self, name: str) -> Array:
        """K(y, y), shape (M,)."""
        if name not in self._diagonals:
            found = self.plain.diagonal(name) if self.plain else self.kernels[name].at_coincidence(self.mesh.nodes)
            self._diagonals[name] = self._sign(found)
        return self._diagonals[name]

    def block(self, name: str, part: slice) -> Array:
        """K(y, y') for a slice of the first index."""
        return self._sign(self.kernels[name](self.mesh.nodes[part], self.mesh.nodes))

    def matrix(self, name: str) -> Array:
        """K(y, y'), shape (M, M)."""
        if name not in self._matrices:
            self._matrices[name] = self._sign(self.plain.matrix(name)) if self.plain else self.block(name, slice(None))
        return self._matrices[name]

    def density(self, shape: Shape, p: int) -> Array:
        """Weight, profile and loops at point p, shape (M,)."""
        value = self.mesh.weights
        power = shape.powers[p]
        if power:
            value = value * self._square ** (power // 2)
            if power % 2:
                value = value * self._sign(self.mesh.nodes[:, 0])
        for name, k in shape.loops[p]:
            value = value * self.diagonal(name) ** k
        return self._sign(value)

    def vertex(self, shape: Shape, p: int, part: slice = slice(None)) -> Array:
        """Legs at point p for all multisets of inputs, times the density: shape (multisets of each group..., M)."""
        return self.legs(shape, p, part) * self.density(shape, p)[part]

    def legs(self, shape: Shape, p: int, part: slice = slice(None)) -> Array:
        """Products of the kernels of the legs at point p, shape (multisets of each group..., M)."""
        result = np.ones(len(self.mesh.weights[part]))
        m = len(self.x)
        for name, k in shape.legs[p]:
            rows = self.rows(name)[:, part]
            index = multisets(m, k)
            block = rows[index[:, 0]]
            for leg in range(1, k):
                block *= rows[index[:, leg]]
            result = result[..., None, :] * block
        return result


@dataclass(frozen=True)
class Cost:
    """What one evaluation of a shape takes.

    Attributes
    ----------
    flops : float
        Multiplications, kernel values not counted.
    entries : float
        Entries of the arrays held at once, or of the largest intermediate if that is larger.
    steps : tuple of Step
        The sums over points, for three points or more.
    """

    flops: float
    entries: float
    steps: tuple[Step, ...] = ()


@lru_cache(maxsize=1024)
def plan(shape: Shape, m: int, size: int) -> Cost:
    """Return the cost of evaluating a shape for `m` inputs on a mesh of `size` nodes, nothing computed."""
    counts = [[comb(m + k - 1, k) for _, k in at] for at in shape.legs]
    rows = float(m) * size * len({name for at in shape.legs for name, _ in at})
    vertices = [float(prod(c)) * size for c in counts]
    if shape.n_points == 1:
        groups = [comb(m + h - 1, h) for _, k in shape.legs[0] for h in (k // 2, k - k // 2)]
        return Cost(float(size) * prod(groups), rows + prod(groups) + prod(counts[0]))
    if shape.n_points == 2 and shape.lines:
        first, second = vertices
        return Cost(first * second / size + second * size, rows + first + second + first * second / size**2)
    subscripts, output, _ = _equation(shape)
    sizes = dict(zip(output, [c for at in counts for c in at], strict=True)) | dict.fromkeys(range(len(counts)), size)
    steps = eliminate(subscripts, range(shape.n_points), sizes)
    matrices = len({tuple(group) for group in _parallel(shape.lines).values()}) + len(shape.kernels)
    held = rows + sum(vertices) + float(size) ** 2 * matrices
    # results of steps that wait for others stay in memory
    return Cost(sum(s.flops for s in steps), held + sum(s.entries for s in steps), steps)


def _equation(shape: Shape) -> tuple[list[tuple[int, ...]], list[int], list[list[tuple[str, int]]]]:
    """Return the index equation: subscripts of vertices and then of lines, of the result, and the lines' kernels."""
    subscripts: list[tuple[int, ...]] = []
    output: list[int] = []
    letter = shape.n_points
    for p, at in enumerate(shape.legs):
        own = list(range(letter, letter + len(at)))
        letter += len(own)
        output += own
        subscripts.append((*own, p))
    groups = _parallel(shape.lines)
    subscripts += list(groups)
    return subscripts, output, list(groups.values())


def evaluate(shape: Shape, table: MeshTable) -> Array:
    """Return the integral for all multisets of inputs: one axis for each leg group, in order of points.

    Raises
    ------
    ComputationError
        If an intermediate would exceed `MEMORY`; the message gives its size.
    """
    m = len(table.x)
    cost = plan(shape, m, len(table.mesh))
    if cost.entries * 8 > MEMORY:
        raise ComputationError(
            f"an integral over {shape.n_points} points needs {cost.entries * 8 / 1e9:.1f} GB on {len(table.mesh)} "
            f"nodes, more than the {MEMORY / 1e9:.1f} GB allowed; raise rtol, lower the order, or use fewer inputs"
        )
    if shape.n_points == 1:
        return _one_point(shape, table, [comb(m + k - 1, k) for _, k in shape.legs[0]])
    if shape.n_points == 2 and shape.lines:
        return _two_points(shape, table)
    return _network(shape, table, cost)


def _one_point(shape: Shape, table: MeshTable, counts: list[int]) -> Array:
    """Sum over one point's nodes in blocks; the legs split in two halves, so that the sum is a matrix product."""
    m, size = len(table.x), len(table.mesh)
    density = table.density(shape, 0)
    halves = tuple((name, k // 2, k - k // 2) for name, k in shape.legs[0])
    first = replace(shape, legs=(tuple((name, a) for name, a, _ in halves if a),))
    second = replace(shape, legs=(tuple((name, b) for name, _, b in halves if b),))
    left_size = prod(comb(m + a - 1, a) for _, a, _ in halves)
    right_size = prod(comb(m + b - 1, b) for *_, b in halves)
    block = max(1, 2_000_000 // max(1, left_size, right_size))
    product = np.zeros((left_size, right_size))
    for start in range(0, size, block):
        part = slice(start, start + block)
        left = table.legs(first, 0, part) * density[part]
        product += left.reshape(left_size, -1) @ table.legs(second, 0, part).reshape(right_size, -1).T
    where = _halved(m, tuple((a, b) for _, a, b in halves))
    return np.asarray(product.ravel()[where]).reshape(counts)


@lru_cache(maxsize=64)
def _halved(m: int, halves: tuple[tuple[int, int], ...]) -> Indices:
    """Return where each multiset stands in the product of halves: of k inputs the first a, and the b that remain."""
    sizes = [comb(m + h - 1, h) for h in (*(a for a, _ in halves), *(b for _, b in halves))]
    place = np.zeros((), dtype=np.int64)
    for axis, (a, b) in enumerate(halves):
        rows = multisets(m, a + b)
        left = multiset_rank(rows[:, :a], m) * prod(sizes[axis + 1 :])
        right = multiset_rank(rows[:, a:], m) * prod(sizes[len(halves) + axis + 1 :])
        place = place[..., None] + (left + right)
    return place


def _two_points(shape: Shape, table: MeshTable) -> Array:
    """Contract two points through their lines, the matrix in blocks of rows so that it is never stored."""
    size = len(table.mesh)
    first, second = table.vertex(shape, 0), table.vertex(shape, 1)
    right = second.reshape(-1, size)
    left = first.reshape(-1, size)
    total = np.zeros((len(left), len(right)))
    step = max(1, 8_000_000 // size)
    for start in range(0, size, step):
        part = slice(start, start + step)
        block = _line_block(shape.lines, table, part)
        total += left[:, part] @ (block @ right.T)
    return total.reshape(first.shape[:-1] + second.shape[:-1])


def _line_block(lines: tuple[Line, ...], table: MeshTable, part: slice) -> Array:
    block: Array | None = None
    for _, _, name, k in lines:
        factor = table.block(name, part) ** k
        block = factor if block is None else block * factor
    assert block is not None
    return block


def _network(shape: Shape, table: MeshTable, cost: Cost) -> Array:
    """Contract three or more points (or two without a line), one point after the other."""
    subscripts, output, groups = _equation(shape)
    operands = [table.vertex(shape, p) for p in range(shape.n_points)]
    matrices: dict[tuple[tuple[str, int], ...], Array] = {}
    for group in groups:
        key = tuple(group)
        if key not in matrices:
            matrices[key] = np.asarray(reduce(np.multiply, [_power(table.matrix(name), k) for name, k in group]))
        operands.append(matrices[key])
    return contract(list(zip(subscripts, operands, strict=True)), cost.steps, output)


def _power(matrix: Array, k: int) -> Array:
    return matrix if k == 1 else matrix**k


def _parallel(lines: tuple[Line, ...]) -> dict[tuple[int, int], list[tuple[str, int]]]:
    groups: dict[tuple[int, int], list[tuple[str, int]]] = {}
    for a, b, name, k in lines:
        groups.setdefault((a, b), []).append((name, k))
    return groups
