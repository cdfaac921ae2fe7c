"""Integration to a requested accuracy: meshes are refined until two of them agree, and the difference is the error."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from itertools import pairwise

import numpy as np

from ..combinatorics import Indices, multiset_rank
from ..errors import ComputationError, DivergenceError, InputError
from ..points import Array, positive
from ..theory.kernels import Kernel, Lattice
from ..uncertain import Uncertain
from .contractions import MEMORY, Contraction, MeshTable, Product, Shape, evaluate, plan
from .quadrature import Cutoff, Mesh, boundary_mesh, even_mesh, mesh, mesh_size, require_convergent
from .random_rule import STUDENT, random_value
from .rays import RAY_ORDERS, evaluate_rays, ray_excess, ray_rule, use_rays

#: Nodes per panel of successive meshes, each about 1.5 times the one before.
ORDERS = (6, 9, 14, 21, 32, 48, 72, 108, 162)
#: Steps per panel of successive trapezoid rules, for kernels with a kink between vertices.
STEPS = (4, 6, 8, 12, 16, 24, 32, 48, 64)
#: Largest work of one evaluation: kernel values for two points and more, or node values of legs for one.
MAX_WORK = 3e8
#: Most multiplications of one evaluation; about a minute on one core.
MAX_FLOPS = 1e12
#: Most dimensions that meshes are made for; beyond, kernels that do not factorise take random points.
MAX_MESHED = 3
#: Kernel values are kept for the next shape on meshes of up to this number of nodes, and for this number of meshes.
MAX_KEPT_NODES = 1000
MAX_KEPT_TABLES = 8
_EPS = float(np.finfo(float).eps)
#: Relative accuracy of factors of a product whose absolute accuracy is asked.
_TIGHT = 1e-13
#: Integrals below this have lost digits to underflow; they count as converged.
_TINY = 1e-290


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
    levels : dict, optional
        Which refinement each shape needed in earlier calls with these kernels and this cutoff; brought up to date.
        Starting there saves the coarse meshes, and the accuracy is judged as before.
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
        levels: dict[tuple[Shape, float], int] | None = None,
    ) -> None:
        self.levels = {} if levels is None else levels
        self.kernels, self.x, self.cutoff = dict(kernels), x, cutoff
        self.rtol, self.atol = positive(rtol, "rtol", allow_zero=True), positive(atol, "atol", allow_zero=True)
        self.pinned = pinned
        self._lines: dict[str, Uncertain] = {}
        self._surface: dict[Shape, Uncertain] = {}
        self._done: dict[Shape, Uncertain] = {}
        #: Whether some integral was done by random points, so that its bound is a statistical one.
        self.is_random = False
        self._grids: dict[tuple[object, ...], Mesh] = {}
        self._tables: dict[tuple[int, bool], MeshTable] = {}

    def shape_value(self, shape: Shape) -> Uncertain:
        """Return the integral of a shape over all multisets of inputs at its leg groups, flattened, with its bound.

        Raises
        ------
        DivergenceError
            If the integral does not exist.
        ComputationError
            If the accuracy cannot be reached within memory and work; the message says what was reached.
        """
        if shape not in self._done:
            kernels = self._check(shape)
            axes = [k.axes() for k in kernels]
            if all(axes) and self.x.shape[1] > 1 and not any(shape.powers):
                self._done[shape] = self._by_axes(shape)
            else:
                self._done[shape] = self._refine(shape, kernels)
        return self._done[shape]

    def _check(self, shape: Shape) -> list[Kernel]:
        """Return the kernels of the integrand, after refusing what diverges."""
        # the volume of the box holds no kernel, yet needs to know where it is
        names = sorted(shape.kernels) or sorted(self.kernels)[:1]
        used = [self.kernels[name] for name in names]
        for name, kernel in zip(names, used, strict=True):
            require_convergent(kernel, self.cutoff, "vertex_kernel" if name == "K_v" else f"kernel[{name!r}]")
            if any(p % 2 for p in shape.powers) and kernel.d_in > 1:
                raise InputError("odd powers of y as weight exist in one dimension only; use even powers")
            if kernel.diagonal == "singular" and shape.n_lines:
                raise DivergenceError(
                    f"{kernel!r} is singular at coincident points and this diagram integrates over them; the mesh has "
                    "no rule for such singularities, use d_in = 1, a smooth kernel or a lattice"
                )
            if isinstance(kernel, Lattice) and not _same_sites(kernel, used[0]):
                raise InputError("the lattice kernels of one integral must have the same sites and weights")
        if not any(shape.legs) and self.cutoff is not None and not self.cutoff.is_finite and not self.pinned:
            raise DivergenceError(
                "a vacuum diagram over all space is proportional to its volume; use a finite cutoff, or per_volume=True"
            )
        return used

    def _by_axes(self, shape: Shape) -> Uncertain:
        """Return the product over coordinates of one-dimensional integrals, for kernels that factorise."""
        d = self.x.shape[1]
        # an absolute tolerance says nothing about the factors
        rtol = max(self.rtol, _TIGHT if self.atol else 0.0) / d
        total: Uncertain | None = None
        # the volume of the box holds no kernel, yet needs one along each axis
        names = sorted(shape.kernels) or sorted(self.kernels)[:1]
        for k in range(d):
            kernels = {name: (self.kernels[name].axes() or [])[k] for name in names}
            one = Integrator(kernels, self.x[:, [k]], self.cutoff, rtol=rtol, pinned=self.pinned)
            value = one.shape_value(shape)
            total = value if total is None else total * value
        assert total is not None
        return total

    def _refine(self, shape: Shape, kernels: list[Kernel]) -> Uncertain:
        if isinstance(kernels[0], Lattice):
            sites = mesh(kernels, None, self.x, 0)
            values = evaluate(shape, self._table(sites))
            size = evaluate(shape, self._table(sites, absolute=True))
            return Uncertain(values.ravel(), _rounding(shape, size.ravel(), self.x.shape[1]))
        assert self.cutoff is not None
        if self.x.shape[1] > MAX_MESHED and not self.pinned:
            values, error = random_value(shape, self.kernels, self.x, self.cutoff, self.rtol, self.atol)
            self.is_random = True
            return Uncertain(values.ravel(), STUDENT * error.ravel())
        breaks = self.x if any(shape.legs) else self.x[:0]
        kink = bool(shape.lines) and any(k.diagonal == "kink" for k in kernels)
        even = kink and breaks.shape[1] == 1
        history: list[Array] = []
        best = size = np.zeros(0)
        reached, stop = np.inf, ""
        rays = not self.pinned and use_rays(shape, kernels, self.cutoff)
        orders = STEPS if even else RAY_ORDERS[self.x.shape[1]] if rays else ORDERS
        # extrapolation needs every mesh; otherwise the last two are enough
        first = 0 if even else max(0, self.levels.get((shape, self.rtol), 0) - 1)
        positive = all(k.positive for k in kernels) and not any(p % 2 for p in shape.powers)
        for level, order in enumerate(orders[first:], start=first):
            if rays:
                rule = ray_rule(kernels, self.cutoff, breaks, order)
                stop = ray_excess(shape, rule, len(self.x))
                evaluation = partial(evaluate_rays, shape, rule, self.kernels, self.x)
            else:
                nodes = mesh_size(kernels, self.cutoff, breaks, order, shape.n_points)
                stop = self._too_much(shape, nodes)
                if not stop:
                    evaluation = partial(self._evaluate, shape, self._grid(shape, kernels, order, even=even))
            if stop:
                break
            history.append(evaluation(absolute=False).ravel())
            previous, best = best, _extrapolated(history) if even else history[-1]
            if len(history) == 1:
                size = best if positive else evaluation(absolute=True).ravel()
                continue
            error = np.abs(best - previous)
            if (error <= self.rtol * size + self.atol + _TINY).all():
                self.levels[shape, self.rtol] = level
                return Uncertain(best, self._bound(error, size) + _rounding(shape, size, self.x.shape[1]))
            with np.errstate(divide="ignore", invalid="ignore"):
                reached = float(np.nanmax(error / size))
        shown = " and ".join(map(repr, dict.fromkeys(kernels)))
        state = f"reached {reached:.1g}" if np.isfinite(reached) else "too few meshes fit to tell what was reached"
        why = " (it has a kink between vertices)" if kink else ""
        raise ComputationError(
            f"a {shape.n_points}-vertex integral of {shown} over {self.cutoff!r} did not meet rtol = {self.rtol:g}: "
            f"{state}{why}{stop}; ask for rtol above that, or a smaller cutoff"
        )

    def _bound(self, error: Array, size: Array) -> Array:
        """Return the bound from the differences of two meshes, for all multisets of inputs together.

        One difference may be small because it changes sign there, so each entry gets the largest relative difference
        of all, as far as the tolerance allows.
        """
        some = size > _TINY
        relative = float((error[some] / size[some]).max(initial=0.0))
        return np.maximum(error, np.minimum(relative * size, self.rtol * size + self.atol))

    def _too_much(self, shape: Shape, nodes: int) -> str:
        """Return why a mesh of this size is not tried, or nothing."""
        free = shape.n_points - self.pinned
        work = float(nodes) ** min(free, 2) if shape.n_points > 1 else 10.0 * nodes
        if work > MAX_WORK:
            return f", the next mesh has {nodes} nodes"
        for part in _without_first(shape) if self.pinned else [shape]:
            cost = plan(part, 1 if self.pinned else len(self.x), nodes)
            if cost.entries * 8 > MEMORY:
                return f", the next mesh of {nodes} nodes needs {cost.entries * 8 / 1e9:.1f} GB"
            if cost.flops > MAX_FLOPS:
                return f", the next mesh of {nodes} nodes needs {cost.flops:.0e} multiplications"
        return ""

    def _grid(self, shape: Shape, kernels: list[Kernel], order: int, *, even: bool) -> Mesh:
        """Return a mesh; shapes with the same kernels and number of points share theirs."""
        assert self.cutoff is not None
        key = (frozenset(shape.kernels), any(shape.legs), order, shape.n_points, even)
        if key not in self._grids:
            make = even_mesh if even else mesh
            breaks = self.x if any(shape.legs) else self.x[:0]
            self._grids[key] = make(kernels, self.cutoff, breaks, order, shape.n_points)
        return self._grids[key]

    def _table(self, grid: Mesh, *, absolute: bool = False) -> MeshTable:
        """Return the kernels' values on a mesh, those on the last small meshes kept."""
        key = (id(grid), absolute)
        if key in self._tables:
            return self._tables[key]
        if absolute:
            table = self._table(grid).without_signs()
        else:
            table = MeshTable(self.kernels, self.x, grid)
        if len(grid) <= MAX_KEPT_NODES:
            if len(self._tables) >= MAX_KEPT_TABLES:
                del self._tables[next(iter(self._tables))]
            self._tables[key] = table
        return table

    def _evaluate(self, shape: Shape, grid: Mesh, *, absolute: bool) -> Array:
        if not self.pinned:
            return evaluate(shape, self._table(grid, absolute=absolute))
        return _pinned(shape, self._table(grid, absolute=absolute))

    # --- products at index rows ------------------------------------------------------------------------------------

    def piece(self, c: Contraction, rows: Indices) -> Uncertain:
        """Return a contraction at rows of input numbers, shape (k, n) -> k values."""
        return self.shape_value(c.shape).take(self._position(c, rows))

    def _position(self, c: Contraction, rows: Indices) -> Indices:
        """Return where the values of a contraction at rows of input numbers stand among its shape's values."""
        m = len(self.x)
        position = np.zeros(len(rows), dtype=np.int64)
        counts = [k for at in c.shape.legs for _, k in at]
        for labels, k in zip(c.labels, counts, strict=True):
            n_sets = int(multiset_rank(np.full((1, k), m - 1), m)[0]) + 1
            position = position * n_sets + multiset_rank(rows[:, list(labels)], m)
        return position

    def product(self, term: Product, rows: Indices) -> Uncertain:
        """Return a product, without its couplings, at rows of input numbers."""
        total = Uncertain.exact(np.full(len(rows), float(term.coefficient)))
        for i, j, name in term.free:
            total = total * self._free(name).take(rows[:, i] * len(self.x) + rows[:, j])
        for piece in term.pieces:
            total = total * self.piece(piece, rows)
        return total

    def boundary(self, term: Product, rows: Indices) -> Uncertain:
        """Return the derivative by the cutoff of a product with one integrated point: the integral over the surface.

        Raises
        ------
        InputError
            If the product has several integrated points.
        """
        if len(term.pieces) != 1 or term.pieces[0].shape.n_points != 1:
            raise InputError("derivatives by the cutoff are available for one integrated point")
        (piece,) = term.pieces
        if piece.shape not in self._surface:
            self._surface[piece.shape] = self._surface_value(piece.shape)
        total = Uncertain.exact(np.full(len(rows), float(term.coefficient)))
        for i, j, name in term.free:
            total = total * self._free(name).take(rows[:, i] * len(self.x) + rows[:, j])
        return total * self._surface[piece.shape].take(self._position(piece, rows))

    def _surface_value(self, shape: Shape) -> Uncertain:
        kernels = self._check(shape)
        if self.cutoff is None or not self.cutoff.is_finite:
            raise InputError(f"the derivative by the cutoff needs a finite one, got {self.cutoff!r}")
        previous: Array | None = None
        for order in ORDERS:
            grid = boundary_mesh(kernels, self.cutoff, self.x, order)
            values = evaluate(shape, self._table(grid)).ravel()
            size = evaluate(shape, self._table(grid, absolute=True)).ravel()
            if previous is not None:
                error = np.abs(values - previous)
                if (error <= self.rtol * size + self.atol + _TINY).all() or self.x.shape[1] == 1:
                    return Uncertain(values, self._bound(error, size) + _rounding(shape, size, self.x.shape[1]))
            previous = values
        shown = " and ".join(map(repr, dict.fromkeys(kernels)))
        raise ComputationError(f"the surface integral of {shown} over {self.cutoff!r} did not meet {self.rtol:g}")

    def _free(self, name: str) -> Uncertain:
        if name not in self._lines:
            values = self.kernels[name](self.x, self.x).ravel()
            if not np.isfinite(values).all():
                raise DivergenceError(
                    f"{self.kernels[name]!r} is infinite at coincident inputs, and an n-point function at all "
                    "multisets of inputs holds such lines; use d_in = 1, a smooth kernel or a lattice"
                )
            self._lines[name] = Uncertain(values, 4 * _EPS * np.abs(values))
        return self._lines[name]


def _same_sites(a: Kernel, b: Kernel) -> bool:
    return (
        isinstance(a, Lattice)
        and isinstance(b, Lattice)
        and np.array_equal(a.sites, b.sites)
        and np.array_equal(a.weights, b.weights)
    )


def _extrapolated(history: list[Array]) -> Array:
    """Return the limit of trapezoid values at the first `STEPS`, by Richardson extrapolation in even powers."""
    step = 1.0 / np.array(STEPS[: len(history)]) ** 2
    row = list(history)
    for k in range(1, len(row)):
        row = [b + (b - a) * (step[i + k] / (step[i] - step[i + k])) for i, (a, b) in enumerate(pairwise(row))]
    return row[0]


def _rounding(shape: Shape, size: Array, d_in: int) -> Array:
    """Return the bound on rounding errors, for the integral `size` of the absolute integrand.

    A few ulp for each kernel; a node of a graded mesh is off by up to log(cutoff) ulp, which every power of y (of the
    measure, of kernels that grow, of weights) multiplies.
    """
    factors = shape.n_lines + shape.n_points * d_in + sum(shape.powers)
    return np.asarray(_EPS * (8 + 12 * factors) * size)


def _pinned(shape: Shape, table: MeshTable) -> Array:
    """Return the integral with the first point fixed at the origin (vacuum diagrams of invariant kernels)."""
    origin = np.zeros((1, table.mesh.nodes.shape[1]))
    at_origin = MeshTable(table.kernels, table.x, Mesh(origin, np.ones(1)), absolute=table.absolute).density(shape, 0)[
        0
    ]
    inner = MeshTable(table.kernels, origin, table.mesh, absolute=table.absolute)
    value = np.asarray(at_origin)
    for part in _without_first(shape):
        value = value * evaluate(part, inner).reshape(())
    return value.reshape(())


def _without_first(shape: Shape) -> list[Shape]:
    """Return the connected parts that are left when the first point is fixed and becomes an input of them."""
    rest = Shape(
        legs=tuple(
            tuple((name, k) for a, b, name, k in shape.lines if (a, b) == (0, p)) for p in range(1, shape.n_points)
        ),
        loops=shape.loops[1:],
        powers=shape.powers[1:],
        lines=tuple((a - 1, b - 1, name, k) for a, b, name, k in shape.lines if a > 0),
    )
    return _connected_parts(rest)


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
