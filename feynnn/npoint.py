"""NPoint: the one type of every n-point function, whoever computed it.

A symmetric n-point function of m inputs is stored on the C(m+n-1, n) multisets of inputs in lexicographic order; a
function that is not symmetric (one labelled diagram, a user's expression) on all m^n ordered tuples.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from math import factorial
from reprlib import repr as short
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from .combinatorics import Indices, Partition, multiset_rank, multisets, set_partitions
from .errors import InputError
from .points import Array, as_floats, real, whole
from .uncertain import Estimate, Uncertain, sum_of_products

if TYPE_CHECKING:
    from .theory.kernels import Kernel

Kind = Literal["exact", "computed", "sampled"]
_ORDER: tuple[Kind, ...] = ("exact", "computed", "sampled")
#: Begins the name of a source that is not the rows of a run.
_INDEPENDENT = "independent:"


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
        If the shapes do not fit or an error is negative.
    """

    #: numpy leaves ``number * p`` and ``array * p`` to this class.
    __array_ufunc__ = None

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
        v = as_floats(values, "values")
        n, n_inputs = whole(n, "n"), whole(n_inputs, "n_inputs", least=1 if n else 0)
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
            r = as_floats(rows, "rows")
            if r.ndim != 2 or r.shape[1] != v.size or r.shape[0] < 2:
                raise InputError(f"rows must have shape (n_experiments >= 2, {v.size}), got {r.shape}")
            sources[source or uuid.uuid4().hex] = (r - r.mean(axis=0)) / np.sqrt(r.shape[0] * (r.shape[0] - 1.0))
        elif stat is not None:
            sources[_INDEPENDENT + (source or uuid.uuid4().hex)] = np.diag(_errors(stat, "stat", v.size))
        b = np.zeros_like(v) if bound is None else _errors(bound, "bound", v.size)
        if kind is not None and kind not in _ORDER:
            raise InputError(f"kind must be 'exact', 'computed' or 'sampled', got {kind!r}")
        self.data = Uncertain(v, b, sources)
        self.n, self.n_inputs, self.connected, self.symmetric = n, n_inputs, bool(connected), bool(symmetric)
        self.kind: Kind = kind or ("sampled" if sources else "computed" if b.any() else "exact")
        self.points: Array | None = None if points is None else _points(points, n_inputs)
        self.origin = origin

    @classmethod
    def from_uncertain(
        cls,
        data: Uncertain,
        *,
        n: int,
        n_inputs: int,
        points: Array | None = None,
        connected: bool = False,
        symmetric: bool = True,
        kind: Kind | None = None,
        origin: str = "",
    ) -> NPoint:
        """Return the n-point function with values and errors `data`, correlation kept."""
        p = cls(
            data.values,
            n=n,
            n_inputs=n_inputs,
            connected=connected,
            symmetric=symmetric,
            kind=kind or ("sampled" if data.sources else "computed"),
            bound=data.bound,
            points=points,
            origin=origin,
        )
        p.data = data
        return p

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
        ((name, a),) = self.data.sources.items()
        if name.startswith(_INDEPENDENT):
            return None
        return np.asarray(self.values + a * np.sqrt(a.shape[0] * (a.shape[0] - 1.0)))

    def position(self, *inputs: int) -> int:
        """Return the position of the value at the inputs numbered `inputs`."""
        row = np.array([whole(i, "input number") for i in inputs], dtype=np.int64)
        return int(self.rank(row[None, :])[0])

    def at(self, *inputs: int) -> float:
        """Return the value at the inputs numbered `inputs`, in any order for a symmetric function."""
        return float(self.values[self.position(*inputs)])

    def estimate(self, *inputs: int) -> Estimate:
        """Return the value at the inputs numbered `inputs` with its error."""
        i = self.position(*inputs)
        return Estimate(float(self.values[i]), float(self.error[i]))

    def mean(self) -> Estimate:
        """Return the mean over all stored tuples with its error, correlations included."""
        average = self.data.linear(np.full((1, len(self)), 1 / len(self)))
        return Estimate(float(average.values[0]), float(average.stat[0] + average.bound[0]))

    def rank(self, tuples: npt.ArrayLike) -> Indices:
        """Return the positions of rows of input numbers, shape (..., n), in `values`."""
        rows = np.asarray(tuples)
        good = rows.ndim > 0 and rows.shape[-1] == self.n and (rows.dtype.kind in "iu" or not rows.size)
        if not good or (rows.size and (rows.min() < 0 or rows.max() >= self.n_inputs)):
            raise InputError(f"expected {self.n} input numbers, each in 0..{self.n_inputs - 1}, got {rows.tolist()}")
        rows = rows.astype(np.int64)
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

    def _check(self, other: object, *, same: bool = False) -> NPoint:
        if not isinstance(other, NPoint):
            raise InputError(f"an n-point function adds to n-point functions only, got {short(other)}")
        mine, theirs = (self.n, self.n_inputs, self.symmetric), (other.n, other.n_inputs, other.symmetric)
        if mine != theirs:
            raise InputError(f"(n, inputs, symmetric) differ: {mine} and {theirs}")
        if self.points is not None and other.points is not None and not np.array_equal(self.points, other.points):
            raise InputError("the two n-point functions belong to different inputs")
        if same and self.connected != other.connected and self.n > 2:
            raise InputError("one function is connected, the other full: use to_connected(kernel) or to_full(kernel)")
        return other

    def __add__(self, other: NPoint) -> NPoint:
        q = self._check(other, same=True)
        return self._like(self.data + q.data, q)

    def __sub__(self, other: NPoint) -> NPoint:
        q = self._check(other, same=True)
        return self._like(self.data - q.data, q)

    def __mul__(self, factor: NPoint | float) -> NPoint:
        if isinstance(factor, NPoint):
            return self._like(self.data * self._check(factor).data, factor)
        return self._like(self.data.scaled(real(factor, "factor")))

    __rmul__ = __mul__

    def __neg__(self) -> NPoint:
        return self * -1.0

    def __truediv__(self, other: NPoint | float) -> NPoint:
        if isinstance(other, NPoint):
            return self._like(self.data / self._check(other).data, other)
        number = real(other, "divisor")
        if number == 0:
            raise InputError("an n-point function was divided by zero")
        return self._like(self.data.scaled(1.0 / number))

    # --- moments and cumulants -----------------------------------------------------------------------------------

    def to_full(self, kernel: Kernel | NPoint | None = None, *, lower: NPoint | Iterable[NPoint] = ()) -> NPoint:
        """Return the full function: the sum over set partitions of products of connected functions.

        Parameters
        ----------
        kernel : Kernel or NPoint, optional
            The exact 2-point function; a kernel is evaluated at `points`.
        lower : iterable of NPoint
            Connected functions with fewer points (n = 6 needs the 4-point function).
            Odd ones that are not given count as zero.

        Raises
        ------
        InputError
            If a function is missing, of the wrong class or of other inputs.
        """
        if not self.connected:
            return self
        return self._convert(kernel, lower, connected=False)

    def to_connected(self, kernel: Kernel | NPoint | None = None, *, lower: NPoint | Iterable[NPoint] = ()) -> NPoint:
        """Return the connected function: the Moebius inverse of `to_full`; `lower` are *full* functions.

        A kernel stands for the connected 2-point function.
        """
        if self.connected:
            return self
        return self._convert(kernel, lower, connected=True)

    def _convert(self, kernel: Kernel | NPoint | None, lower: NPoint | Iterable[NPoint], *, connected: bool) -> NPoint:
        if not self.symmetric:
            raise InputError("only symmetric n-point functions convert between full and connected")
        if self.n == 0:
            raise InputError("the 0-point functions Z and log Z are not converted: take the logarithm of the values")
        parts = {self.n: self}
        functions = [lower] if isinstance(lower, NPoint) else list(lower)
        for p in as_npoints(functions) if functions else ():
            self._check_lower(p)
            if p.n < self.n and p.connected is connected and p.n > 2:
                word = "full" if connected else "connected"
                raise InputError(f"lower must hold {word} functions, got a {p.n}-point function that is not")
            if p.n < self.n:
                parts.setdefault(p.n, p)
        if self.n > 2 and 2 not in parts and (self.n > 3 or 1 in parts):
            parts[2] = self._two_point(kernel)
        if 1 in parts and 2 in parts and self.n > 2 and parts[2].connected is connected:
            # the two kinds of 2-point function differ by the product of the fields' means
            parts[2] = parts[2]._convert(None, [parts[1]], connected=not connected)
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

    def _check_lower(self, p: NPoint) -> None:
        if p.n_inputs != self.n_inputs:
            raise InputError(f"a lower function has {p.n_inputs} inputs, this one {self.n_inputs}")
        if p.points is not None and self.points is not None and not np.array_equal(p.points, self.points):
            raise InputError(f"the {p.n}-point function belongs to other inputs than this {self.n}-point function")

    def _factors(self, partition: Partition, parts: dict[int, NPoint]) -> list[Uncertain] | None:
        if any(len(block) % 2 and len(block) not in parts for block in partition):
            return None
        factors = []
        for block in partition:
            part = parts.get(len(block))
            if part is None:
                raise InputError(
                    f"the {self.n}-point function needs the {len(block)}-point function too: pass it in lower=[...]"
                )
            factors.append(part.data.take(part.rank(self.indices[:, list(block)])))
        return factors

    def _two_point(self, kernel: Kernel | NPoint | None) -> NPoint:
        if isinstance(kernel, NPoint):
            if kernel.n != 2:
                raise InputError(f"kernel must be a kernel or a 2-point function, got a {kernel.n}-point function")
            self._check_lower(kernel)
            return kernel
        if kernel is None:
            raise InputError("pass the kernel (or a 2-point function): connected and full functions differ by it")
        if self.points is None:
            raise InputError("this function carries no points: pass a 2-point NPoint instead of a kernel")
        return gaussian(kernel, self.points, 2, connected=True)

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
        sources = {str(s): as_floats(a, f"source {s!r}") for s, a in data["sources"].items()}
        for s, a in sources.items():
            if a.ndim != 2 or a.shape[1] != len(p):
                raise InputError(f"source {s!r} must have shape (r, {len(p)}), got {a.shape}")
        p.data = Uncertain(p.values, p.bound, sources)
        return p


def _errors(values: npt.ArrayLike, name: str, k: int) -> Array:
    """Return errors as an array of shape (k,), from such an array or one number."""
    errors = as_floats(values, name)
    if errors.shape not in ((), (k,)):
        raise InputError(f"{name} must be a number or have shape ({k},), got shape {errors.shape}")
    if not (errors >= 0).all():
        raise InputError(f"{name} must not be negative, got {errors.min():g}")
    return np.full(k, errors) if errors.ndim == 0 else errors


def _points(values: npt.ArrayLike, n_inputs: int) -> Array:
    points = as_floats(values, "points")
    points = points[:, None] if points.ndim == 1 else points
    if points.ndim != 2 or len(points) != n_inputs:
        raise InputError(f"points must have shape ({n_inputs}, d_in), got shape {points.shape}")
    return points


def ordered_tuples(m: int, n: int) -> Indices:
    """Return all m^n ordered tuples of range(m), shape (m^n, n), the last index fastest."""
    return np.indices((m,) * n, dtype=np.int64).reshape(n, m**n).T.copy()


def gaussian(kernel: Kernel, points: Array, n: int, *, connected: bool = False) -> NPoint:
    """Return the n-point function of the Gaussian process: the Wick sum over pairings of `kernel`.

    The first point pairs with each other one, and the rest is the function of n - 2 points: no sum over (n-1)!!
    pairings. The only error is rounding, stated as a bound of a few ulp.
    """
    matrix = kernel(points, points)
    m = len(points)
    values, size = np.ones(1), np.ones(1)
    for k in range(2, n + 1, 2):
        index = multisets(m, k)
        rest = [multiset_rank(np.delete(index, [0, j], axis=1), m) for j in range(1, k)]
        line = [matrix[index[:, 0], index[:, j]] for j in range(1, k)]
        values = np.asarray(sum(a * values[r] for a, r in zip(line, rest, strict=True)))
        size = np.asarray(sum(np.abs(a) * size[r] for a, r in zip(line, rest, strict=True)))
    if n % 2 or (connected and n != 2):
        values = size = np.zeros(len(multisets(m, n)))
    bound = size * np.finfo(float).eps * 4 * max(n, 1)
    return NPoint(
        values, n=n, n_inputs=m, connected=connected, kind="exact", bound=bound, points=points, origin="Gaussian"
    )


def as_npoints(data: NPoint | Iterable[NPoint]) -> list[NPoint]:
    """Return `data` as a list of n-point functions."""
    if not isinstance(data, NPoint | Iterable):
        raise InputError(f"expected n-point functions (NPoint), got {short(data)}")
    items = [data] if isinstance(data, NPoint) else list(data)
    for p in items:
        if not isinstance(p, NPoint):
            raise InputError(f"expected n-point functions (NPoint), got {short(p)}")
    if not items:
        raise InputError("expected at least one n-point function, got none")
    return items
