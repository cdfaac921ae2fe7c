"""Integration to a requested accuracy: meshes are refined until two of them agree, and the difference is the error."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..combinatorics import Indices, multiset_rank
from ..errors import ComputationError, DivergenceError, InputError
from ..points import Array
from ..theory.kernels import Kernel, Lattice
from ..uncertain import Uncertain
from .contraction import Contraction, MeshTable, Product, Shape, evaluate
from .quadrature import Cutoff, Mesh, mesh, mesh_size, require_convergent

#: Nodes per panel of successive meshes, each about 1.5 times the one before.
ORDERS = (6, 9, 14, 21, 32, 48)
#: Largest work of one evaluation: kernel values for two points and more, or node values of legs for one.
MAX_WORK = 3e8
_EPS = float(np.finfo(float).eps)


class Integrator:
    """Integrals of shapes at fixed inputs, kernels and cutoff; each shape is computed once.

    Parameters
    ----------
    kernels : mapping of name to Kernel
        "K" for free lines, "K_v" for lines with an end on a vertex, or any names of a user's expression.
    x : numpy.ndarray, shape (m, d_in)
        Inputs.
    cutoff : Cutoff or None
        None for lattices.
    rtol, atol : float
        The bound on each integral is at most rtol * (integral of the absolute integrand) + atol.
    pinned : bool
        Fix the first point of every integral at the origin (per_volume).
    """

    def __init__(
        self,
        kernels: Mapping[str, Kernel],
        x: Array,
        cutoff: Cutoff | None,
        *,
        rtol: float = 1e-10,
        atol: float = 0.0,
        pinned: bool = False,
    ) -> None:
        for name, value in (("rtol", rtol), ("atol", atol)):
            if not np.isfinite(value) or value < 0:
                raise InputError(f"{name} must be finite and >= 0, got {value!r}")
        self.kernels, self.x, self.cutoff, self.rtol, self.atol = dict(kernels), x, cutoff, rtol, atol
        self.pinned = pinned
        self._done: dict[tuple[Shape, tuple[str, ...]], Uncertain] = {}

    def shape_value(self, shape: Shape) -> Uncertain:
        """Return the integral of a shape over all multisets of inputs at its leg groups, flattened, with its bound.

        Raises
        ------
        DivergenceError
            If the integral does not exist.
        ComputationError
            If the accuracy cannot be reached within memory and work; the message says what was reached.
        """
        key = (shape, ())
        if key not in self._done:
            kernel = self._check(shape)
            axes = {name: self.kernels[name].axes() for name in shape.kernels}
            if all(axes.values()) and not any(shape.powers) and kernel.d_in > 1 and not self.pinned:
                self._done[key] = self._by_axes(shape, kernel.d_in)
            else:
                self._done[key] = self._refine(shape, kernel)
        return self._done[key]

    def _check(self, shape: Shape) -> Kernel:
        """Return the kernel that decides the mesh, after refusing what diverges."""
        used = [self.kernels[name] for name in sorted(shape.kernels)]
        for kernel in used:
            require_convergent(kernel, self.cutoff)
            if any(p % 2 for p in shape.powers) and kernel.d_in > 1:
                raise InputError("odd powers of y as weight exist in one dimension only; use even powers")
            if kernel.diagonal == "singular":
                raise DivergenceError(
                    f"{kernel!r} is singular at coincident points and this diagram integrates over them; the mesh has "
                    "no rule for such singularities, use d_in = 1, a smooth kernel or a lattice"
                )
        if not any(shape.legs) and self.cutoff is not None and not self.cutoff.is_finite and not self.pinned:
            raise DivergenceError(
                "a vacuum diagram over all space is proportional to its volume; use a finite cutoff, or per_volume=True"
            )
        # the widest kernel that does not decay decides, else the shortest length
        return min(used, key=lambda k: (k.reach is not None, k.length))

    def _by_axes(self, shape: Shape, d_in: int) -> Uncertain:
        """Return the product over coordinates of one-dimensional integrals, for kernels that factorise."""
        total: Uncertain | None = None
        for k in range(d_in):
            kernels = {name: (self.kernels[name].axes() or [])[k] for name in shape.kernels}
            one = Integrator(kernels, self.x[:, [k]], self.cutoff, rtol=self.rtol / d_in)
            value = one.shape_value(shape)
            total = value if total is None else total * value
        assert total is not None
        return total

    def _refine(self, shape: Shape, kernel: Kernel) -> Uncertain:
        if isinstance(kernel, Lattice):
            sites = mesh(kernel, None, self.x, 0)
            values = evaluate(shape, self._table(sites))
            return Uncertain(values.ravel(), self._rounding(shape, sites))
        assert self.cutoff is not None
        breaks = self.x if any(shape.legs) else self.x[:0]
        previous: Array | None = None
        size = np.zeros(0)
        reached = np.inf
        for order in ORDERS:
            nodes = mesh_size(kernel, self.cutoff, breaks, order, shape.n_points)
            work = float(nodes) ** min(shape.n_points - self.pinned, 2) if shape.n_points > 1 else 10.0 * nodes
            if work > MAX_WORK:
                break
            grid = mesh(kernel, self.cutoff, breaks, order, shape.n_points)
            values = self._evaluate(shape, grid, absolute=False).ravel()
            if previous is None:
                size = self._evaluate(shape, grid, absolute=True).ravel()
            else:
                error = np.abs(values - previous)
                if (error <= self.rtol * size + self.atol).all():
                    return Uncertain(values, error + _EPS * (8 + 4 * shape.n_lines) * size)
                with np.errstate(divide="ignore", invalid="ignore"):
                    reached = float(np.nanmax(error / size))
            previous = values
        why = " (it has a kink between vertices)" if kernel.diagonal == "kink" and shape.lines else ""
        state = f"reached {reached:.1g}" if np.isfinite(reached) else "even the second mesh is too large"
        raise ComputationError(
            f"a {shape.n_points}-vertex integral of {kernel!r} over {self.cutoff!r} did not meet rtol = {self.rtol:g}: "
            f"{state}{why}; ask for rtol above that, or a smaller cutoff"
        )

    def _table(self, grid: Mesh, *, absolute: bool = False) -> MeshTable:
        return MeshTable(self.kernels, self.x, grid, absolute=absolute)

    def _evaluate(self, shape: Shape, grid: Mesh, *, absolute: bool) -> Array:
        if not self.pinned:
            return evaluate(shape, self._table(grid, absolute=absolute))
        return _pinned(shape, self._table(grid, absolute=absolute))

    def _rounding(self, shape: Shape, grid: Mesh) -> Array:
        size = evaluate(shape, self._table(grid, absolute=True)).ravel()
        return np.asarray(_EPS * (8 + 4 * shape.n_lines) * size)

    # --- products at index rows ------------------------------------------------------------------------------------

    def piece(self, c: Contraction, rows: Indices) -> Uncertain:
        """Return a contraction at rows of input numbers, shape (k, n) -> k values."""
        value = self.shape_value(c.shape)
        m = len(self.x)
        position = np.zeros(len(rows), dtype=np.int64)
        counts = [k for at in c.shape.legs for _, k in at]
        for labels, k in zip(c.labels, counts, strict=True):
            n_sets = int(multiset_rank(np.full((1, k), m - 1), m)[0]) + 1
            position = position * n_sets + multiset_rank(rows[:, list(labels)], m)
        return value.take(position)

    def product(self, term: Product, rows: Indices) -> Uncertain:
        """Return a product, without its couplings, at rows of input numbers."""
        total = Uncertain.exact(np.full(len(rows), float(term.coefficient)))
        for i, j, name in term.free:
            total = total * self._free(name).take(rows[:, i] * len(self.x) + rows[:, j])
        for piece in term.pieces:
            total = total * self.piece(piece, rows)
        return total

    def _free(self, name: str) -> Uncertain:
        values = self.kernels[name](self.x, self.x).ravel()
        return Uncertain(values, 4 * _EPS * np.abs(values))


def _pinned(shape: Shape, table: MeshTable) -> Array:
    """Return the integral with the first point fixed at the origin (vacuum diagrams of invariant kernels)."""
    origin = np.zeros((1, table.mesh.nodes.shape[1]))
    at_origin = MeshTable(table.kernels, table.x, Mesh(origin, np.ones(1)), absolute=table.absolute).density(shape, 0)[
        0
    ]
    if shape.n_points == 1:
        return np.asarray(at_origin).reshape(())
    # lines to the fixed point become legs to an input at the origin; what is left is an ordinary shape
    rest = Shape(
        legs=tuple(
            tuple((name, k) for a, b, name, k in shape.lines if (a, b) == (0, p)) for p in range(1, shape.n_points)
        ),
        loops=shape.loops[1:],
        powers=shape.powers[1:],
        lines=tuple((a - 1, b - 1, name, k) for a, b, name, k in shape.lines if a > 0),
    )
    inner = MeshTable(table.kernels, origin, table.mesh, absolute=table.absolute)
    value = np.ones(())
    for part in _connected_parts(rest):
        value = value * evaluate(part, inner).reshape(())
    return np.asarray(at_origin * value)


def _connected_parts(shape: Shape) -> list[Shape]:
    """Split a shape whose points need not be joined by lines."""
    group = list(range(shape.n_points))
    for a, b, _, _ in shape.lines:
        old, new = group[b], group[a]
        group = [new if g == old else g for g in group]
    parts = []
    for g in sorted(set(group)):
        points = [p for p in range(shape.n_points) if group[p] == g]
        place = {p: k for k, p in enumerate(points)}
        parts.append(
            Shape(
                legs=tuple(shape.legs[p] for p in points),
                loops=tuple(shape.loops[p] for p in points),
                powers=tuple(shape.powers[p] for p in points),
                lines=tuple((place[a], place[b], n, k) for a, b, n, k in shape.lines if a in place),
            )
        )
    return parts
