"""Matrices that stand for powers of rotation-invariant kernels at the nodes of a `RayRule`."""

from __future__ import annotations

from collections import OrderedDict
from itertools import combinations

import numpy as np

from ..points import Array
from ..theory.kernels import Kernel
from .contractions import MEMORY
from .rays_rule import RayRule

#: Kernels of parallel lines, with their number.
Group = tuple[tuple[Kernel, int], ...]

#: Powers of one kernel that are made together, of the same kernel values: a second-order calculation needs them all.
_TOGETHER = (1, 2, 3)
#: Bytes of matrices kept.
_KEPT = MEMORY // 4

_cache: OrderedDict[tuple[RayRule, Group, bool], RayMatrix] = OrderedDict()


class RayMatrix:
    """Product of the kernels of parallel lines between two points, integrated against Lagrange polynomials.

    Attributes
    ----------
    rule : RayRule
    values : numpy.ndarray, shape (2, d, R, rho, T, rho)
        Parts even and odd in the second point (twice them), for the shift of the second point's face, a representative
        node of the first face and its radius i, a node of the second face and its radius j. Zero for i > j and halved
        for i = j: the matrix is this plus its transpose.
    """

    def __init__(self, rule: RayRule, values: Array) -> None:
        self.rule, self.values = rule, values
        self.values.flags.writeable = False

    def contract(self, u: Array, v: Array) -> Array:
        """Return the sum over nodes u(y1) M(y1, y2) v(y2), for u of shape (p, N) and v (q, N): shape (p, q)."""
        half = self._triangle(u, v)
        return half + (half if v is u else self._triangle(v, u)).T

    def _triangle(self, u: Array, v: Array) -> Array:
        """Return `contract` with the stored half of the matrix, which meets the smaller of the two first."""
        d, n, t = self.rule.d_in, len(self.rule.radial[0]), len(self.rule.face[0])
        sym = self.rule.symmetry
        g = len(sym.place)
        first, second = sym.place[:, 0, sym.representatives], sym.place
        total = np.zeros((len(u), len(v)))
        for parity in (0, 1):
            a, b = (_part(f, d, t, n, parity) for f in (u, v))
            sign = sym.sign if parity else np.ones_like(sym.sign)
            left = a[:, first] * (sign[:, 0, sym.representatives] * sym.shares)[..., None]
            left = np.ascontiguousarray(left.swapaxes(0, 1)).reshape(g * len(u), -1)
            for k in range(d):
                right = np.ascontiguousarray((b[:, second[:, k]] * sign[:, k, :, None]).swapaxes(0, 1))
                right = right.reshape(g * len(v), -1)
                matrix = self.values[parity, k].reshape(left.shape[1], -1)
                if len(u) <= len(v):
                    x, y = (left @ matrix).reshape(g, len(u), -1), right.reshape(g, len(v), -1)
                else:
                    x, y = left.reshape(g, len(u), -1), (right @ matrix.T).reshape(g, len(v), -1)
                total += 0.5 * np.matmul(x, y.swapaxes(1, 2)).sum(axis=0)
        return total

    def full(self) -> Array:
        """Return the matrix over all nodes, shape (N, N)."""
        d, n, t = self.rule.d_in, len(self.rule.radial[0]), len(self.rule.face[0])
        sym = self.rule.symmetry
        total = np.zeros((d * t, 2, n, d * t, 2, n))
        same, opposite = 0.5 * (self.values[0] + self.values[1]), 0.5 * (self.values[0] - self.values[1])
        for g, k, s in np.ndindex(len(sym.place), d, 2):
            rows, row_sign = (f[g, 0, sym.representatives][:, None] for f in (sym.place, sym.sign < 0))
            columns, column_sign = (f[g, k][None, :] for f in (sym.place, sym.sign < 0))
            for values, turned in ((same, s), (opposite, 1 - s)):
                block = values[k].swapaxes(1, 2)
                total[rows, row_sign ^ s, :, columns, column_sign ^ turned] = block
        # axes (shift, t, sign) to (shift, sign, t)
        matrix = total.reshape(d, t, 2, n, d, t, 2, n).transpose(0, 2, 1, 3, 4, 6, 5, 7).reshape(2 * d * t * n, -1)
        return np.asarray(matrix + matrix.T)


def _part(f: Array, d: int, t: int, n: int, parity: int) -> Array:
    """Return the even (0) or odd (1) part of functions on the nodes, twice it, shape (p, d T, rho)."""
    at = f.reshape(len(f), d, 2, t, n)
    part = at[:, :, 0] - at[:, :, 1] if parity else at[:, :, 0] + at[:, :, 1]
    return np.ascontiguousarray(part).reshape(len(f), d * t, n)


def ray_matrix(rule: RayRule, group: Group, *, absolute: bool = False) -> RayMatrix:
    """Return the matrix of parallel lines, from the cache where it is there."""
    key = (rule, group, absolute)
    if key not in _cache:
        groups = [group]
        if len(group) == 1 and group[0][1] in _TOGETHER:
            groups = [((group[0][0], k),) for k in _TOGETHER]
        for g, values in zip(groups, _values(rule, groups, absolute=absolute), strict=True):
            _cache[rule, g, absolute] = RayMatrix(rule, values)
    _cache.move_to_end(key)
    found = _cache[key]
    while sum(m.values.nbytes for m in _cache.values()) > _KEPT and len(_cache) > 1:
        _cache.popitem(last=False)
    return found


def _values(rule: RayRule, groups: list[Group], *, absolute: bool) -> list[Array]:
    """Return the values of `RayMatrix` for groups of the same kernels, which are evaluated once."""
    d, rho = rule.d_in, rule.radial[0]
    t = rule.face[0]
    first, second = (rho[index] for index in rule.pairs)
    both = first * second
    representatives = rule.symmetry.representatives
    i, j = rule.pairs
    halved = np.where(i == j, 0.5, 1.0)
    result = [np.zeros((2, d, len(representatives), len(rho), len(t), len(rho))) for _ in groups]
    kernels = list(dict.fromkeys(kernel for g in groups for kernel, _ in g))
    for r, node in enumerate(representatives.tolist()):
        e = np.insert(t[node], 0, 1.0)
        xx = (e @ e) * first**2
        for shift in range(d):
            nodes, matrix = rule.product_rule(node, shift)
            e2 = np.roll(np.insert(nodes, 0, 1.0, axis=1), shift, axis=1)
            yy = np.multiply.outer((e2 * e2).sum(axis=1), second**2)
            xy = np.multiply.outer(e2 @ e, both)
            minors = sum((e[a] * e2[:, b] - e[b] * e2[:, a]) ** 2 for a, b in combinations(range(d), 2))
            wedge = np.multiply.outer(minors, both**2)
            same, opposite = (
                {kernel: kernel.of_invariants(xx, yy, sign * xy, wedge) for kernel in kernels} for sign in (1.0, -1.0)
            )
            if absolute:
                same, opposite = ({kernel: np.abs(f) for kernel, f in at.items()} for at in (same, opposite))
            for values, g in zip(result, groups, strict=True):
                p, q = _product(same, g), _product(opposite, g)
                values[0, shift, r][i, :, j] = (matrix @ (p + q) * halved).T
                values[1, shift, r][i, :, j] = (matrix @ (p - q) * halved).T
    return result


def _product(at: dict[Kernel, Array], group: Group) -> Array:
    """Return the product of powers of kernel values."""
    total: Array | None = None
    for kernel, k in group:
        for _ in range(k):
            total = at[kernel] if total is None else total * at[kernel]
    assert total is not None
    return total
