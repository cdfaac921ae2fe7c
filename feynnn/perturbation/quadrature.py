"""Cutoff and meshes: where the vertices of a diagram are integrated.

Three families, chosen by the kernel: panels of its own length for kernels that decay (or tend to a constant) away
from the inputs; panels graded by y = c sinh(t) about the origin for the rest; in two and three dimensions tensor
products of these, or pyramids over the faces of the box where the kernel has its structure along rays (pyramids.py).
Panels break at 0 and at the inputs' coordinates, where kernels have kinks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np

from ..errors import DivergenceError, InputError
from ..points import Array
from ..theory.kernels import Kernel, Lattice


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
        try:
            number = float(value)
        except (TypeError, ValueError) as error:
            raise InputError(f"a cutoff is a positive number, got {value!r}") from error
        if not number > 0:
            raise InputError(f"a cutoff is a positive number (or infinity), got {value!r}")
        object.__setattr__(self, "value", number)

    @property
    def is_finite(self) -> bool:
        """Whether the box is finite."""
        return math.isfinite(self.value)

    def __repr__(self) -> str:
        return f"Cutoff({self.value:g})"


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
    """Return sorted distinct `edges` with every panel split evenly until none is longer than `longest`."""
    edges = np.unique(edges)
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


def axis_edges(kernel: Kernel, cutoff: Cutoff, breaks: Array, n_vertices: int) -> tuple[Array, float | None]:
    """Return panel edges along one axis, and the scale c if they are edges in t with y = c sinh(t).

    Parameters
    ----------
    kernel : Kernel
    cutoff : Cutoff
    breaks : numpy.ndarray, shape (b,)
        Coordinates of the inputs; empty when there are none.
    n_vertices : int
        Number of integrated points: a chain of them reaches further.
    """
    size = cutoff.value
    local = kernel.reach if kernel.reach is not None else kernel.without_bias().reach
    inside = breaks[np.abs(breaks) < size]
    if local is None:
        scale = kernel.length
        edges = np.concatenate([[-size, 0.0, size], inside]) / scale
        return subdivide(np.arcsinh(edges), 2.5), scale
    if not len(breaks) and cutoff.is_finite:  # no inputs: the integrand does not decay, vertices may sit anywhere
        return subdivide(np.array([-size, 0.0, size]), 2 * kernel.length), None
    reach = local * math.sqrt(n_vertices)
    around = breaks if len(breaks) else np.zeros(1)
    low, high = max(-size, around.min() - reach), min(size, around.max() + reach)
    if low >= high:  # the box lies where the kernel has died out
        low, high = -size, size
    edges = subdivide(np.concatenate([[low, high], inside[(inside > low) & (inside < high)]]), 2 * kernel.length)
    if kernel.reach is None:  # a constant remains outside: one panel each side holds it exactly
        edges = np.unique(np.concatenate([edges, [-size, size]]))
    return edges, None


def axis_rule(kernel: Kernel, cutoff: Cutoff, breaks: Array, order: int, n_vertices: int) -> tuple[Array, Array]:
    """Return the one-dimensional rule along an axis, `order` nodes in each panel."""
    edges, scale = axis_edges(kernel, cutoff, breaks, n_vertices)
    t, w = panel_rule(edges, order)
    if scale is None:
        return t, w
    return scale * np.sinh(t), scale * np.cosh(t) * w


def tensor_mesh(kernel: Kernel, cutoff: Cutoff, x: Array, order: int, n_vertices: int) -> Mesh:
    """Return the tensor product of axis rules with breaks at the inputs' coordinates."""
    rules = [axis_rule(kernel, cutoff, x[:, k], order, n_vertices) for k in range(kernel.d_in)]
    grids = np.meshgrid(*(r[0] for r in rules), indexing="ij")
    weights = np.ones(())
    for _, w in rules:
        weights = np.multiply.outer(weights, w)
    return Mesh(np.stack([g.ravel() for g in grids], axis=1), weights.ravel())


def mesh_size(kernel: Kernel, cutoff: Cutoff, x: Array, order: int, n_vertices: int) -> int:
    """Return the number of nodes that `mesh` would make."""
    from .pyramids import pyramid_size

    if use_pyramids(kernel):
        return pyramid_size(kernel, cutoff, x, order)
    size = 1
    for k in range(kernel.d_in):
        size *= (len(axis_edges(kernel, cutoff, x[:, k], n_vertices)[0]) - 1) * order
    return size


def use_pyramids(kernel: Kernel) -> bool:
    """Whether the mesh is made of pyramids: structure along rays, in more than one dimension."""
    return kernel.rotation_invariant and kernel.d_in > 1


def mesh(kernel: Kernel, cutoff: Cutoff | None, x: Array, order: int, n_vertices: int = 1) -> Mesh:
    """Return the mesh of refinement `order` for integrating vertices with this kernel.

    Parameters
    ----------
    kernel : Kernel
        Vertex kernel.
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

    if isinstance(kernel, Lattice):
        return Mesh(kernel.sites, kernel.weights)
    assert cutoff is not None
    if use_pyramids(kernel):
        return pyramid_mesh(kernel, cutoff, x, order)
    return tensor_mesh(kernel, cutoff, x, order, n_vertices)
