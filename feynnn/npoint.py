"""NPoint: the one type of every n-point function, whoever computed it.

A symmetric n-point function of m inputs is stored on the C(m+n-1, n) multisets of inputs in lexicographic order; a
function that is not symmetric (one labelled diagram, a user's expression) on all m^n ordered tuples.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from math import factorial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from .combinatorics import Indices, Partition, multiset_rank, multisets, set_partitions
from .errors import InputError
from .points import Array
from .uncertain import Uncertain, sum_of_products

if TYPE_CHECKING:
    from .theory.kernels import Kernel

Kind = Literal["exact", "computed", "sampled"]
_ORDER: tuple[Kind, ...] = ("exact", "computed", "sampled")


class NPoint:
    """An n-point function of m inputs with its errors.

    Parameters
    ----------
    values : array_like, shape (k,)
        Values on ``multisets(m, n)``, or on all m^n ordered tuples if not `symmetric`.
    n, n_inputs : int
        Number of points and of inputs m.
    connected : bool
        Whether this is the connected function (cumulant) or the full one (moment).
    symmetric : bool
        Whether the function is symmetric in its arguments.
    kind : {"exact", "computed", "sampled"}
        What `error` means: rounding, a bound from the quadrature, a standard error.
    bound : array_like, shape (k,), optional
        Bound on the systematic error of each value.
    rows : array_like, shape (n_experiments, k), optional
        Independent experiments whose mean is `values`; they carry the standard errors and their correlation.
    stat : array_like, shape (k,), optional
        Standard errors of independent entries, when there are no rows.
    points : array_like, shape (m, d_in), optional
        The inputs.
    origin : str
        Where the numbers come from, for tables and provenance.
    source : str, optional
        Name of the run behind `rows`; functions with the same source are correlated row by row.

    Raises
    ------
    InputError
        If the shapes do not fit.
    """

    def __init__(
        self,
        values: npt.ArrayLike,
        *,
        n: int,
        n_inputs: int,
        connected: bool = False,
        symmetric: bool = True,
        kind: Kind | None = None,
        bound: npt.ArrayLike | None = None,
        rows: npt.ArrayLike | None = None,
        stat: npt.ArrayLike | None = None,
        points: npt.ArrayLike | None = None,
        origin: str = "",
        source: str | None = None,
    ) -> None:
        v = np.array(values, dtype=np.float64)
        self.indices: Indices = multisets(n_inputs, n) if symmetric else ordered_tuples(n_inputs, n)
        if v.shape != (len(self.indices),):
            raise InputError(
                f"a {'symmetric ' if symmetric else ''}{n}-point function of {n_inputs} inputs has "
                f"{len(self.indices)} values, got shape {v.shape}"
            )
        if rows is not None and stat is not None:
            raise InputError("give rows or stat, not both: rows already carry the standard errors")
        sources: dict[str, Array] = {}
        if rows is not None:
            r = np.asarray(rows, dtype=np.float64)
            if r.ndim != 2 or r.shape[1] != v.size or r.shape[0] < 2:
                raise InputError(f"rows must have shape (n_experiments >= 2, {v.size}), got {r.shape}")
            sources[source or uuid.uuid4().hex] = (r - r.mean(axis=0)) / np.sqrt(r.shape[0] * (r.shape[0] - 1.0))
        elif stat is not None:
            sources[source or uuid.uuid4().hex] = np.diag(np.broadcast_to(np.asarray(stat, dtype=np.float64), v.shape))
        b = np.zeros_like(v) if bound is None else np.broadcast_to(np.asarray(bound, dtype=np.float64), v.shape).copy()
        self.data = Uncertain(v, b, sources)
        self.n, self.n_inputs, self.connected, self.symmetric = n, n_inputs, connected, symmetric
        self.kind: Kind = kind or ("sampled" if sources else "computed" if b.any() else "exact")
        self.points: Array | None = None if points is None else np.asarray(points, dtype=np.float64)
        self.origin = origin

    # --- reading -------------------------------------------------------------------------------------------------

    @property
    def values(self) -> Array:
        """Values, shape (k,)."""
        return self.data.values

    @property
    def stat(self) -> Array:
        """Standard errors, shape (k,); zero for computed and exact functions."""
        return self.data.stat

    @property
    def bound(self) -> Array:
        """Bounds on the systematic error, shape (k,)."""
        return self.data.bound

    @property
    def error(self) -> Array:
        """Standard error plus bound, shape (k,)."""
        return self.stat + self.bound

    @property
    def covariance(self) -> Array:
        """Covariance of the standard errors, shape (k, k), made on demand."""
        return self.data.covariance

    @property
    def rows(self) -> Array | None:
        """Rows of the experiments, shape (n_experiments, k), whose mean is `values`; None unless from one run.

        For functions that are not linear in the measured moments these are the linearised rows.
        """
        if len(self.data.sources) != 1:
            return None
        (a,) = self.data.sources.values()
        return np.asarray(self.values + a * np.sqrt(a.shape[0] * (a.shape[0] - 1.0)))

    def position(self, *inputs: int) -> int:
        """Return the position of the value at the inputs numbered `inputs`."""
        i = np.array(inputs, dtype=np.int64)
        if i.shape != (self.n,) or (self.n and (i.min() < 0 or i.max() >= self.n_inputs)):
            raise InputError(f"at() needs {self.n} input numbers in 0..{self.n_inputs - 1}, got {inputs}")
        return int(self.rank(i[None, :])[0])

    def at(self, *inputs: int) -> float:
        """Return the value at the inputs numbered `inputs`, in any order for a symmetric function."""
        return float(self.values[self.position(*inputs)])

    def rank(self, tuples: npt.ArrayLike) -> Indices:
        """Return the positions of rows of input numbers, shape (r, n), in `values`."""
        rows = np.asarray(tuples, dtype=np.int64)
        if self.symmetric:
            return multiset_rank(rows, self.n_inputs)
        powers = self.n_inputs ** np.arange(self.n - 1, -1, -1, dtype=np.int64)
        return rows @ powers

    def full(self) -> Array:
        """Return the values as an array of shape (m,) * n."""
        shape = (self.n_inputs,) * self.n
        if not self.symmetric:
            return self.values.reshape(shape)
        grid = np.stack(np.meshgrid(*[np.arange(self.n_inputs)] * self.n, indexing="ij"), axis=-1) if self.n else None
        return self.values[self.rank(grid)] if grid is not None else self.values.reshape(())

    # --- arithmetic ----------------------------------------------------------------------------------------------

    def _like(self, data: Uncertain, *others: NPoint, connected: bool | None = None, origin: str = "") -> NPoint:
        result = NPoint.__new__(NPoint)
        result.data, result.indices = data, self.indices
        result.n, result.n_inputs, result.symmetric = self.n, self.n_inputs, self.symmetric
        result.connected = self.connected if connected is None else connected
        result.kind = max([self.kind, *(o.kind for o in others)], key=_ORDER.index)
        result.points, result.origin = self.points, origin or self.origin
        return result

    def _check(self, other: object) -> NPoint:
        if not isinstance(other, NPoint):
            raise InputError(f"n-point functions combine with n-point functions and numbers, got {other!r}")
        mine, theirs = (self.n, self.n_inputs, self.symmetric), (other.n, other.n_inputs, other.symmetric)
        if mine != theirs:
            raise InputError(f"(n, inputs, symmetric) differ: {mine} and {theirs}")
        if self.points is not None and other.points is not None and not np.array_equal(self.points, other.points):
            raise InputError("the two n-point functions belong to different inputs")
        return other

    def __add__(self, other: NPoint) -> NPoint:
        q = self._check(other)
        return self._like(self.data + q.data, q)

    def __sub__(self, other: NPoint) -> NPoint:
        q = self._check(other)
        return self._like(self.data - q.data, q)

    def __mul__(self, factor: NPoint | float) -> NPoint:
        if isinstance(factor, NPoint):
            return self._like(self.data * self._check(factor).data, factor)
        return self._like(self.data.scaled(float(factor)))

    __rmul__ = __mul__

    def __neg__(self) -> NPoint:
        return self * -1.0

    def __truediv__(self, other: NPoint | float) -> NPoint:
        if isinstance(other, NPoint):
            return self._like(self.data / self._check(other).data, other)
        return self._like(self.data.scaled(1.0 / float(other)))

    # --- moments and cumulants -----------------------------------------------------------------------------------

    def to_full(self, kernel: Kernel | NPoint | None = None, *, lower: Iterable[NPoint] = ()) -> NPoint:
        """Return the full function: the sum over set partitions of products of connected functions.

        Parameters
        ----------
        kernel : Kernel or NPoint, optional
            The exact 2-point function; a kernel is evaluated at `points`.
        lower : iterable of NPoint
            Connected functions with fewer points (n = 6 needs the 4-point function).
            Odd ones that are not given count as zero.
        """
        if self.connected is False:
            return self
        return self._convert(kernel, lower, connected=False)

    def to_connected(self, kernel: Kernel | NPoint | None = None, *, lower: Iterable[NPoint] = ()) -> NPoint:
        """Return the connected function: the Moebius inverse of `to_full`; `lower` are *full* functions."""
        if self.connected:
            return self
        return self._convert(kernel, lower, connected=True)

    def _convert(self, kernel: Kernel | NPoint | None, lower: Iterable[NPoint], *, connected: bool) -> NPoint:
        if not self.symmetric:
            raise InputError("only symmetric n-point functions convert between full and connected")
        parts = {self.n: self}
        for p in lower:
            if p.n < self.n and p.connected is connected and p.n != 2:
                word = "full" if connected else "connected"
                raise InputError(f"lower must hold {word} functions, got a {p.n}-point function that is not")
            if p.n_inputs != self.n_inputs:
                raise InputError(f"lower has {p.n_inputs} inputs, this function {self.n_inputs}")
            parts.setdefault(p.n, p)
        if self.n > 2 and 2 not in parts:
            parts[2] = self._two_point(kernel)
        odd = any(n % 2 for n in parts)
        terms: list[tuple[float, list[Uncertain]]] = []
        for partition in set_partitions(self.n, even=not odd):
            sign = (-1) ** (len(partition) - 1) * factorial(len(partition) - 1) if connected else 1
            factors = self._factors(partition, parts)
            if factors is not None:
                terms.append((float(sign), factors))
        others = [p for n, p in parts.items() if n != self.n]
        data = sum_of_products(terms, lambda: Uncertain.exact(np.zeros_like(self.values)))
        return self._like(data, *others, connected=connected)

    def _factors(self, partition: Partition, parts: dict[int, NPoint]) -> list[Uncertain] | None:
        factors = []
        for block in partition:
            part = parts.get(len(block))
            if part is None and len(block) % 2:
                return None
            if part is None:
                raise InputError(
                    f"the {self.n}-point function needs the {len(block)}-point function too: pass it in lower=[...]"
                )
            factors.append(part.data.take(part.rank(self.indices[:, list(block)])))
        return factors

    def _two_point(self, kernel: Kernel | NPoint | None) -> NPoint:
        if isinstance(kernel, NPoint):
            return kernel
        if kernel is None:
            raise InputError("pass the kernel (or a 2-point function): connected and full functions differ by it")
        if self.points is None:
            raise InputError("this function carries no points: pass a 2-point NPoint instead of a kernel")
        return gaussian(kernel, self.points, 2)

    # --- showing and storing -------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.values)

    def __repr__(self) -> str:
        name = f"{self.n}-point {'connected' if self.connected else 'full'}"
        label = f", {self.origin}" if self.origin else ""
        return f"NPoint({name}, {self.n_inputs} inputs, {len(self)} values, {self.kind}{label})"

    def __str__(self) -> str:
        width = max(8, 3 * self.n)
        lines = [repr(self), f"{'inputs':<{width}}  {'value':>16}  {'error':>9}"]
        error = self.error
        shown = range(len(self)) if len(self) <= 24 else [*range(20), *range(len(self) - 3, len(self))]
        last = -1
        for i in shown:
            if i != last + 1:
                lines.append(f"{'...':<{width}}")
            last = i
            key = ",".join(map(str, self.indices[i]))
            lines.append(f"{key:<{width}}  {self.values[i]:>16.9g}  {error[i]:>9.2g}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        error = self.error
        head = "<tr><th>inputs</th><th>value</th><th>error</th></tr>"
        keys = [",".join(map(str, row)) for row in self.indices[:24]]
        body = "".join(
            f"<tr><td>{key}</td><td>{value:.9g}</td><td>{e:.2g}</td></tr>"
            for key, value, e in zip(keys, self.values[:24], error[:24], strict=True)
        )
        more = "" if len(self) <= 24 else f"<caption>first 24 of {len(self)}</caption>"
        return f"<table>{more}{head}{body}</table>"

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary that keeps every digit and the correlation of errors."""
        return {
            "n": self.n,
            "n_inputs": self.n_inputs,
            "connected": self.connected,
            "symmetric": self.symmetric,
            "kind": self.kind,
            "values": self.values.tolist(),
            "bound": self.bound.tolist(),
            "sources": {s: a.tolist() for s, a in self.data.sources.items()},
            "points": None if self.points is None else self.points.tolist(),
            "origin": self.origin,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> NPoint:
        """Rebuild what `to_dict` wrote."""
        keys = ("n", "n_inputs", "connected", "symmetric", "kind", "bound", "points", "origin")
        p = cls(data["values"], **{k: data[k] for k in keys})
        p.data = Uncertain(p.values, p.bound, {s: np.array(a, dtype=float) for s, a in data["sources"].items()})
        return p


def ordered_tuples(m: int, n: int) -> Indices:
    """Return all m^n ordered tuples of range(m), shape (m^n, n), the last index fastest."""
    return np.indices((m,) * n, dtype=np.int64).reshape(n, m**n).T.copy()


def gaussian(kernel: Kernel, points: Array, n: int, *, connected: bool = False) -> NPoint:
    """Return the n-point function of the Gaussian process: the Wick sum over pairings of `kernel`.

    Its only error is rounding, stated as a bound of a few ulp.
    """
    matrix = kernel(points, points)
    m = len(points)
    index = multisets(m, n)
    values = np.zeros(len(index))
    if n % 2 == 0 and (not connected or n == 2):
        for partition in set_partitions(n, even=True):
            if all(len(b) == 2 for b in partition):
                values += np.prod([matrix[index[:, a], index[:, b]] for a, b in partition], axis=0) if n else 1.0
    bound = np.abs(values) * np.finfo(float).eps * 4 * max(n, 1)
    return NPoint(
        values, n=n, n_inputs=m, connected=connected, kind="exact", bound=bound, points=points, origin="Gaussian"
    )


def as_npoints(data: NPoint | Sequence[NPoint]) -> list[NPoint]:
    """Return `data` as a list of n-point functions."""
    items = [data] if isinstance(data, NPoint) else list(data)
    for p in items:
        if not isinstance(p, NPoint):
            raise InputError(f"expected n-point functions (NPoint), got {p!r}")
    if not items:
        raise InputError("expected at least one n-point function, got none")
    return items
