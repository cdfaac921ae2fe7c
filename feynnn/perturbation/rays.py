"""Diagrams of two and more vertices with rotation-invariant kernels, in two and three dimensions.

A product mesh converges as a low power of its size there: for large |y| the kernel of two vertices depends on their
directions alone, with cones of width 1 / |y| where these are parallel or antiparallel. The rule here integrates the
lines between vertices against the Lagrange polynomials of the nodes (product integration); see `rays_rule`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ..points import Array
from ..theory.kernels import Kernel
from .contractions import MEMORY, Cost, MeshTable, Shape, plan
from .quadrature import Cutoff
from .rays_matrix import Group, ray_matrix
from .rays_rule import RayRule

#: Nodes along a face in successive rules, by dimension; in three the work grows as the seventh power.
RAY_ORDERS = {2: (8, 11, 14, 17, 21, 26, 32, 40, 50, 62), 3: (6, 9, 12, 14, 16, 19, 22)}
#: Most multiplications and kernel values (as ten each) of one evaluation; about half a minute on one core.
MAX_RAY_WORK = 5e11
#: Inputs further out than this many radii of the core have narrow cones, and panels break at their directions.
_NARROW = 3.0
#: Most panels along one coordinate of a face in three dimensions; with more, kinks are left to refinement.
_MAX_PANELS = 4


def use_rays(shape: Shape, kernels: Sequence[Kernel], cutoff: Cutoff | None) -> bool:
    """Whether this rule applies: several vertices joined by lines, d_in = 2 or 3, kernels of |x|^2, |y|^2, x.y only."""
    return (
        shape.n_points > 1
        and bool(shape.lines)
        and cutoff is not None
        and cutoff.is_finite
        and all(
            k.rotation_invariant and k.d_in in (2, 3) and type(k).of_invariants is not Kernel.of_invariants
            for k in kernels
        )
    )


@lru_cache(maxsize=64)
def _rule(d_in: int, size: float, core: float, edges: tuple[float, ...], growth: float, order: int) -> RayRule:
    """Return the rule with its numbers of nodes balanced, so that the errors of its parts fall together."""
    # panels in logarithms of the radius and of the angle to a cone
    radial, cone = (math.asinh(size / core), math.asinh(size / core / 4)) if core else (0.0, 0.0)
    flat = d_in == 2
    return RayRule(
        d_in,
        size,
        core,
        edges,
        n_rho=math.ceil(order * (0.6 + ((0.07 if flat else 0.055) + 0.03 * growth) * radial)),
        n_t=order if len(edges) == 2 else math.ceil(0.7 * order),
        n_q=math.ceil(order * ((0.75 if flat else 0.95) + 0.16 * cone)),
        n_around=math.ceil(0.92 * order),
    )


def _growth(kernel: Kernel, size: float) -> float:
    """Return the power of |y| with which K(y, y) grows between the core and the cutoff."""
    if size <= kernel.core or not kernel.core:
        return 0.0
    low, high = (kernel.at_coincidence(np.full((1, kernel.d_in), r))[0] for r in (kernel.core, size))
    return max(0.0, math.log(high / low) / math.log(size / kernel.core)) if low > 0 else 0.0


def ray_rule(kernels: Sequence[Kernel], cutoff: Cutoff, x: Array, order: int) -> RayRule:
    """Return the rule of refinement `order`.

    Parameters
    ----------
    kernels : sequence of Kernel
        All kernels of the integrand.
    cutoff : Cutoff
        Finite.
    x : numpy.ndarray, shape (m, d_in)
        Inputs; the rule depends on those only whose kernels are narrow, so that others share it.
    order : int
        Nodes along a face.
    """
    closed = all(k.homogeneous is not None for k in kernels)
    core = 0.0 if closed else min(k.core for k in kernels if k.core)
    size = np.abs(x).max(axis=1, initial=0.0)
    narrow = (size > 0) & (size > _NARROW * min(k.core for k in kernels))
    breaks = np.unique(np.round(np.abs(x[narrow]) / size[narrow, None], 14))
    breaks = breaks[breaks < 1]
    edges = np.unique(np.concatenate([-breaks, breaks, [-1.0, 1.0]]))
    if x.shape[1] == 3 and len(edges) - 1 > _MAX_PANELS:
        edges = np.array([-1.0, 1.0])
    growth = round(max(_growth(k, cutoff.value) for k in kernels), 1)
    return _rule(x.shape[1], cutoff.value, core, tuple(edges.tolist()), growth, order)


def ray_cost(shape: Shape, rule: RayRule, m: int) -> tuple[int, Cost]:
    """Return the number of nodes, and work and memory of an evaluation for `m` inputs; kernel values count as ten."""
    d, panels = rule.d_in, len(rule.edges) - 1
    n, t = rule.n_rho if rule.core else 1, (panels * rule.n_t) ** (d - 1)
    rows, symmetries = (t / 2, 4) if d == 2 else (t / 8, 24)
    nodes = 2 * d * n * t
    cost = plan(shape, m, nodes)
    quadrature = (panels + 1) * rule.n_q if d == 2 else (panels**2 + 3) * rule.n_q * rule.n_around
    matrix = 2 * d * rows * n * t * n
    # powers of a kernel are made three at a time
    work = 3 * d * rows * n * n * quadrature * (t + 10)
    entries = 3 * matrix + cost.entries
    if shape.n_points == 2:
        counts = [math.prod(math.comb(m + k - 1, k) for _, k in at) for at in shape.legs]
        work += 2 * matrix * symmetries * min(counts)
        entries += 2 * symmetries * n * t * max(counts)
    else:
        work += cost.flops
        entries += float(nodes) ** 2
    return nodes, Cost(work, entries)


def ray_excess(shape: Shape, rule: RayRule, m: int) -> str:
    """Return why an evaluation for `m` inputs would be too large, or nothing."""
    nodes, cost = ray_cost(shape, rule, m)
    if cost.entries * 8 > MEMORY:
        return f", the next rule of {nodes} nodes needs {cost.entries * 8 / 1e9:.1f} GB"
    if cost.flops > MAX_RAY_WORK:
        return f", the next rule of {nodes} nodes needs {cost.flops:.0e} multiplications"
    return ""


def evaluate_rays(
    shape: Shape, rule: RayRule, kernels: Mapping[str, Kernel], x: Array, *, absolute: bool = False
) -> Array:
    """Return the integral for all multisets of inputs: one axis for each leg group, in order of points.

    Parameters
    ----------
    shape : Shape
        Two points or more, joined by lines.
    rule : RayRule
        From `ray_rule`.
    kernels : mapping of name to Kernel
        Rotation invariant.
    x : numpy.ndarray, shape (m, d_in)
        Inputs.
    absolute : bool
        Integrate the absolute value of the integrand instead.
    """
    table = MeshTable(kernels, x, rule.mesh, absolute=absolute)
    vertices = [table.vertex(shape, p) * _radial_factor(shape, rule, kernels, p) for p in range(shape.n_points)]
    groups: dict[tuple[int, int], list[tuple[Kernel, int]]] = {}
    for p, q, name, k in shape.lines:
        groups.setdefault((p, q), []).append((kernels[name], k))
    matrices = {ends: ray_matrix(rule, _normal(group), absolute=absolute) for ends, group in groups.items()}
    if shape.n_points == 2:
        first, second = (v.reshape(-1, v.shape[-1]) for v in vertices)
        if (shape.legs[0], shape.loops[0], shape.powers[0]) == (shape.legs[1], shape.loops[1], shape.powers[1]):
            second = first
        value = matrices[0, 1].contract(first, second)
        return value.reshape(vertices[0].shape[:-1] + vertices[1].shape[:-1])
    arguments: list[Any] = []
    output: list[int] = []
    for p, vertex in enumerate(vertices):
        own = [shape.n_points + len(output) + k for k in range(vertex.ndim - 1)]
        output += own
        arguments += [vertex, [*own, p]]
    full = {id(matrix): matrix.full() for matrix in matrices.values()}
    for ends, matrix in matrices.items():
        arguments += [full[id(matrix)], list(ends)]
    # without a limit of its own numpy forbids intermediates larger than the operands
    path = np.einsum_path(*arguments, output, optimize=("greedy", 2**60))[0]
    return np.asarray(np.einsum(*arguments, output, optimize=path))


def _normal(group: list[tuple[Kernel, int]]) -> Group:
    """Return the kernels of parallel lines with equal ones (of different names) put together."""
    number: dict[Kernel, int] = {}
    for kernel, k in group:
        number[kernel] = number.get(kernel, 0) + k
    return tuple(sorted(number.items(), key=lambda item: repr(item[0])))


def _radial_factor(shape: Shape, rule: RayRule, kernels: Mapping[str, Kernel], p: int) -> float:
    """Return the radial integral at a point of homogeneous kernels, of which the rule has the unit box only."""
    if rule.core:
        return 1.0
    ends = [(name, k) for name, k in shape.legs[p]] + [(name, 2 * k) for name, k in shape.loops[p]]
    ends += [(name, k) for a, b, name, k in shape.lines if p in (a, b)]
    degree = rule.d_in + shape.powers[p] + sum(k * (kernels[name].homogeneous or 0) for name, k in ends)
    return float(rule.size**degree / degree)
