"""Cutoff and meshes: where the vertices of a diagram are integrated.

Three families, chosen by the kernel: panels of its own length for kernels that decay (or tend to a constant) away
from the inputs; panels graded by y = c sinh(t) about the origin for the rest; in two and three dimensions tensor
products of these, or pyramids over the faces of the box where the kernel has its structure along rays (pyramids.py).
Panels break at 0 and at the inputs' coordinates, where kernels have kinks. Analytic kernels that decay within the box
need no panels: equal steps are better.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np

from ..errors import ComputationError, DivergenceError, InputError
from ..points import Array, real
from ..theory.kernels import Kernel, Lattice

#: Most panels along one axis.
MAX_PANELS = 2_000_000
#: Step of the equidistant rule times the order of refinement, in lengths of the kernel.
_EVEN_STEP = 2.7


@dataclass(frozen=True)
class Cutoff:
    """The box [-value, value]^d_in over which each vertex is integrated; ``math.inf`` for all space.

    Raises
    ------
    InputError
        If the value is not positive.
    """

    value: float

    def __init__(self, value: float = math.inf) -> None:
        number = real(value, "a cutoff")
        if not number > 0:
            raise InputError(f"a cutoff is a positive number (or infinity), got {value!r}")
        object.__setattr__(self, "value", number)

    @property
    def is_finite(self) -> bool:
        """Whether the box is finite."""
        return math.isfinite(self.value)

    def __repr__(self) -> str:
        return f"Cutoff({self.value:g})"


def as_cutoff(cutoff: object) -> Cutoff | None:
    """Return `cutoff` unless it is something else than a Cutoff or None."""
    if cutoff is not None and not isinstance(cutoff, Cutoff):
        raise InputError(f"cutoff must be a Cutoff, got {cutoff!r}; write Cutoff({cutoff!r})")
    return cutoff


@dataclass(frozen=True)
class Mesh:
    """Nodes of shape (M, d_in) and weights of shape (M,)."""

    nodes: Array
    weights: Array

    def __len__(self) -> int:
        return len(self.weights)


@lru_cache(maxsize=64)
def gauss_legendre(order: int) -> tuple[Array, Array]:
    """Return nodes and weights on [-1, 1]."""
    nodes, weights = np.polynomial.legendre.leggauss(order)
    return nodes, weights


def panel_rule(edges: Array, order: int) -> tuple[Array, Array]:
    """Return the composite Gauss-Legendre rule on panels between sorted `edges`."""
    nodes, weights = gauss_legendre(order)
    half = np.diff(edges)[:, None] / 2
    centre = (edges[1:] + edges[:-1])[:, None] / 2
    return (centre + half * nodes).ravel(), (half * weights).ravel()


def subdivide(edges: Array, longest: float) -> Array:
    """Return sorted distinct `edges` with every panel split evenly until none is longer than `longest`.

    Raises
    ------
    ComputationError
        If that takes more than `MAX_PANELS`.
    """
    edges = np.unique(edges)
    if (edges[-1] - edges[0]) / longest > MAX_PANELS:
        raise ComputationError(
            f"a mesh from {edges[0]:g} to {edges[-1]:g} in panels of {longest:g} is too large; the kernel is narrow "
            "for this region: use a smaller cutoff or inputs that are closer together"
        )
    # panels shorter than rounding hold nothing and would only breed nodes
    edges = edges[np.concatenate([[True], np.diff(edges) > 1e-13 * np.abs(edges).max(initial=1e-300)])]
    pieces = [np.linspace(a, b, int(np.ceil((b - a) / longest)) + 1)[:-1] for a, b in pairwise(edges)]
    return np.concatenate([*pieces, edges[-1:]])


def require_convergent(kernel: Kernel, cutoff: Cutoff | None, name: str = "vertex_kernel") -> None:
    """Raise DivergenceError unless a vertex integral with this kernel on its lines exists.

    A lattice needs no cutoff; everything else needs one, infinite only where the kernel decays.
    """
    if isinstance(kernel, Lattice):
        if cutoff is not None:
            raise InputError(f"a lattice sums over its sites and takes no cutoff, got {cutoff!r}; pass cutoff=None")
        return
    if cutoff is None:
        raise InputError("a vertex is integrated over a box: pass cutoff=Cutoff(5.0), or Cutoff(math.inf)")
    if not cutoff.is_finite and kernel.reach is None:
        bare = kernel.without_bias()
        remedy = (
            f"pass {name}=K.without_bias()"
            if bare != kernel and bare.reach is not None
            else "use a finite cutoff"
            if bare == kernel
            else f"use a finite cutoff (and {name}=K.without_bias())"
        )
        raise DivergenceError(f"the vertex integral over all space diverges for {kernel!r}: {kernel.growth}; {remedy}")


def axis_edges(kernels: Sequence[Kernel], cutoff: Cutoff, breaks: Array, n_vertices: int) -> tuple[Array, float | None]:
    """Return panel edges along one axis, and the scale c if they are edges in t with y = c sinh(t).

    Parameters
    ----------
    kernels : sequence of Kernel
        All kernels of the integrand.
    cutoff : Cutoff
    breaks : numpy.ndarray, shape (b,)
        Coordinates of the inputs; empty when there are none.
    n_vertices : int
        Number of integrated points: a chain of them reaches further.
    """
    return _axis_edges(tuple(kernels), cutoff, breaks.tobytes(), n_vertices)


@lru_cache(maxsize=512)
def _axis_edges(
    kernels: tuple[Kernel, ...], cutoff: Cutoff, coordinates: bytes, n_vertices: int
) -> tuple[Array, float | None]:
    """Return the edges; every refinement, and every call with the same inputs, asks for them again."""
    breaks = np.frombuffer(coordinates)
    size = cutoff.value
    reaches = [k.reach if k.reach is not None else k.without_bias().reach for k in kernels]
    local = [(k, r) for k, r in zip(kernels, reaches, strict=True) if r is not None]
    graded = [k for k, r in zip(kernels, reaches, strict=True) if r is None]
    inside = breaks[(np.abs(breaks) < size) & (not all(k.analytic for k in kernels))]
    edges = np.zeros(0)
    if local:
        # inputs outside the box count from its edge: what is dropped is small beside what is left
        around = np.clip(breaks, -size, size) if len(breaks) else np.zeros(1)
        reach = max(r for _, r in local) * math.sqrt(n_vertices)
        low, high = max(-size, around.min() - reach), min(size, around.max() + reach)
        anywhere = not len(breaks) or (n_vertices > 1 and any(k.reach is None for k in kernels))
        if anywhere and cutoff.is_finite:  # the integrand does not decay away from the inputs
            low, high = -size, size
        edges = np.concatenate([[low, high], inside[(inside > low) & (inside < high)]])
        if not len(breaks) and low < 0 < high:
            edges = np.append(edges, 0.0)
        edges = subdivide(edges, 2 * min(k.length for k, _ in local))
        if not graded and any(k.reach is None for k in kernels):
            # a constant remains outside: one panel each side holds it exactly
            edges = np.unique(np.concatenate([edges, [-size, size]]))
    if not graded:
        return edges, None
    scale = min(k.length for k in graded)
    edges = np.concatenate([[-size, 0.0, size], inside, edges]) / scale
    return subdivide(np.arcsinh(edges), 2.5), scale


def axis_rule(
    kernels: Sequence[Kernel], cutoff: Cutoff, breaks: Array, order: int, n_vertices: int
) -> tuple[Array, Array]:
    """Return the one-dimensional rule along an axis, `order` nodes in each panel."""
    edges, scale = axis_edges(kernels, cutoff, breaks, n_vertices)
    if steps := _even_steps(kernels, cutoff, edges, order):
        t, h = np.linspace(edges[0], edges[-1], steps + 1, retstep=True)
        return t, np.full(steps + 1, float(h))
    t, w = panel_rule(edges, order)
    if scale is None:
        return t, w
    return scale * np.sinh(t), scale * np.cosh(t) * w


def _even_steps(kernels: Sequence[Kernel], cutoff: Cutoff, edges: Array, order: int) -> int:
    """Return the steps of an equidistant rule, 0 where there is none.

    Where analytic kernels have decayed before the box ends, equal weights on equal steps converge faster than any
    power, with fewer nodes than panels (L. N. Trefethen, J. A. C. Weideman, SIAM Review 56 (2014) 385).
    """
    if not all(k.analytic and k.reach is not None for k in kernels):
        return 0
    if edges[0] <= -cutoff.value or edges[-1] >= cutoff.value:
        return 0
    return math.ceil(float(edges[-1] - edges[0]) * order / (_EVEN_STEP * min(k.length for k in kernels)))


def tensor_mesh(kernels: Sequence[Kernel], cutoff: Cutoff, x: Array, order: int, n_vertices: int) -> Mesh:
    """Return the tensor product of axis rules with breaks at the inputs' coordinates."""
    rules = [axis_rule(kernels, cutoff, x[:, k], order, n_vertices) for k in range(x.shape[1])]
    grids = np.meshgrid(*(r[0] for r in rules), indexing="ij")
    weights = np.ones(())
    for _, w in rules:
        weights = np.multiply.outer(weights, w)
    return Mesh(np.stack([g.ravel() for g in grids], axis=1), weights.ravel())


def mesh_size(kernels: Sequence[Kernel], cutoff: Cutoff, x: Array, order: int, n_vertices: int) -> int:
    """Return the number of nodes that `mesh` would make."""
    from .pyramids import pyramid_size

    if use_pyramids(kernels):
        return pyramid_size(kernels, cutoff, x, order)
    size = 1
    for k in range(x.shape[1]):
        edges, _ = axis_edges(kernels, cutoff, x[:, k], n_vertices)
        steps = _even_steps(kernels, cutoff, edges, order)
        size *= steps + 1 if steps else (len(edges) - 1) * order
    return size


def use_pyramids(kernels: Sequence[Kernel]) -> bool:
    """Whether the mesh is made of pyramids: structure along rays, in more than one dimension."""
    return all(k.rotation_invariant and k.d_in > 1 for k in kernels)


def mesh(kernels: Sequence[Kernel], cutoff: Cutoff | None, x: Array, order: int, n_vertices: int = 1) -> Mesh:
    """Return the mesh of refinement `order` for integrating vertices with these kernels.

    Parameters
    ----------
    kernels : sequence of Kernel
        All kernels of the integrand; lattices share their sites and weights.
    cutoff : Cutoff or None
        None for a lattice, whose mesh is its sites whatever the order.
    x : numpy.ndarray, shape (m, d_in)
        Inputs, where panels break; may be empty.
    order : int
        Nodes per panel.
    n_vertices : int
        Number of integrated points of the diagram.
    """
    from .pyramids import pyramid_mesh

    if isinstance(kernels[0], Lattice):
        return Mesh(kernels[0].sites, kernels[0].weights)
    assert cutoff is not None
    if use_pyramids(kernels):
        return pyramid_mesh(kernels, cutoff, x, order)
    return tensor_mesh(kernels, cutoff, x, order, n_vertices)


def even_mesh(kernels: Sequence[Kernel], cutoff: Cutoff, x: Array, steps: int, n_vertices: int) -> Mesh:
    """Return the trapezoid rule with `steps` equal steps in each panel of one dimension.

    For kernels with a kink at coincident points: vertices share the mesh, so that the kink of a line between two of
    them runs along grid points, and the error has even powers of the step only.
    """
    edges, scale = axis_edges(kernels, cutoff, x[:, 0], n_vertices)
    t = np.concatenate([*(np.linspace(a, b, steps + 1)[:-1] for a, b in pairwise(edges)), edges[-1:]])
    half = np.repeat(np.diff(edges) / (2 * steps), steps)
    w = np.concatenate([half, [0.0]]) + np.concatenate([[0.0], half])
    if scale is None:
        return Mesh(t[:, None], w)
    return Mesh(scale * np.sinh(t)[:, None], scale * np.cosh(t) * w)


def boundary_mesh(kernels: Sequence[Kernel], cutoff: Cutoff, x: Array, order: int) -> Mesh:
    """Return a mesh on the surface of the box; an integral over it is the derivative by the cutoff of the box's."""
    from .pyramids import pyramid_boundary

    if use_pyramids(kernels):
        return pyramid_boundary(cutoff, x, order)
    d = x.shape[1]
    rules = [axis_rule(kernels, cutoff, x[:, k], order, 1) for k in range(d)]
    nodes, weights = [], []
    for axis in range(d):
        others = [k for k in range(d) if k != axis]
        grids = np.meshgrid(*(rules[k][0] for k in others), indexing="ij")
        w = np.ones(())
        for k in others:
            w = np.multiply.outer(w, rules[k][1])
        flat = np.stack([g.ravel() for g in grids], axis=1) if others else np.zeros((1, 0))
        for side in (cutoff.value, -cutoff.value):
            nodes.append(np.insert(flat, axis, side, axis=1))
            weights.append(w.ravel())
    return Mesh(np.concatenate(nodes), np.concatenate(weights))
