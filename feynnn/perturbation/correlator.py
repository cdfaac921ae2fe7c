"""Correlator: an n-point function of a theory, defined once, indexed by orders, evaluated at any inputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from ..combinatorics import Indices, multiset_rank, multisets
from ..diagrams.diagram_set import DiagramSet
from ..diagrams.generation import Kind, check_request, generate
from ..errors import InputError
from ..npoint import NPoint
from ..points import Array, as_points, whole
from ..theory.action import Order, Theory
from ..theory.kernels import Kernel, Lattice
from ..uncertain import Uncertain
from .assembly import topologies_sum, vacuum_free, with_vacuum
from .contractions import Product, Shape, products_of
from .integration import Integrator
from .quadrature import Cutoff, as_cutoff

if TYPE_CHECKING:
    import sympy

    from .approximants import Degree
    from .formulas import Formula
    from .planning import Plan
    from .resummation import Method


class Series(Mapping[tuple[int, ...], NPoint]):
    """The coefficients of a perturbation series, an `NPoint` for each order.

    ``s[{"lam": 1}]`` or ``s[1, 0]`` is the coefficient of lam, ``s[{}]`` the free part; ``s.sum(couplings)`` adds the
    series up.
    """

    def __init__(self, theory: Theory, coefficients: dict[tuple[int, ...], NPoint]) -> None:
        self.theory, self._coefficients = theory, coefficients

    def __getitem__(self, order: Order) -> NPoint:
        key = self.theory.order(order)
        if key not in self._coefficients:
            raise InputError(f"the series was computed to the orders {sorted(self._coefficients)}, not {key}")
        return self._coefficients[key]

    def __contains__(self, order: object) -> bool:
        try:
            return self.theory.order(cast(Order, order)) in self._coefficients
        except InputError:
            return False

    def __iter__(self) -> Iterator[tuple[int, ...]]:
        return iter(self._coefficients)

    def __len__(self) -> int:
        return len(self._coefficients)

    def sum(self, couplings: Mapping[str, float]) -> NPoint:
        """Return the sum over orders at the couplings' values; bounds add linearly."""
        values = self.theory.values(couplings)
        total: NPoint | None = None
        for order, coefficient in self._coefficients.items():
            term = coefficient * float(np.prod([g**k for g, k in zip(values, order, strict=True)]))
            total = term if total is None else total + term
        assert total is not None
        return total

    def resum(
        self,
        couplings: Mapping[str, float],
        *,
        method: Method = "pade",
        degree: Degree | None = None,
    ) -> NPoint:
        """Return the value of a divergent series at the couplings, from an approximant instead of the sum.

        All couplings are scaled together: the series in t for the couplings t * g, at t = 1, as far as every order
        with the same number of vertices was computed (``max_order`` a whole number).

        Parameters
        ----------
        couplings : mapping
            Values of the couplings.
        method : {"pade", "borel-pade"}
            A Pade approximant of the series, or of its Borel transform.
        degree : (int, int), optional
            Degrees [L/M] above and below, of the series after its leading power is taken out (and in t^p if only
            every p-th order has diagrams); by default the nearest to the diagonal of the highest order that has no
            pole.

        Returns
        -------
        NPoint
            Its `bound` is no bound but an estimate: the coefficients' bounds propagated to first order, plus the
            distance to the neighbouring approximants. `origin` names method, degree and order.

        Raises
        ------
        InputError
            If the series is too short.
        ComputationError
            If the approximant does not exist or has a pole where it is needed: a series that is not Borel summable
            is refused, not given a principal value.

        Examples
        --------
        >>> import feynnn as fn
        >>> site = fn.kernels.Lattice([[1.0]])
        >>> G2 = fn.Correlator(fn.Theory.parse("lam*f**4"), 2, kernel=site)
        >>> s = G2.series([0.0], max_order=4)
        >>> print(s.sum({"lam": 0.01}).estimate(0, 0), s.resum({"lam": 0.01}).estimate(0, 0), sep=", ")  # 0.906537
        0.911926 +- 4.2e-15, 0.906677 +- 0.00099
        """
        from .resummation import resum_series

        return resum_series(self.theory, self._coefficients, couplings, method=method, degree=degree)

    def __str__(self) -> str:
        return "\n\n".join(str(p) for p in self.values())

    def __repr__(self) -> str:
        names = ["*".join(f"{c}^{k}" if k > 1 else c for c, k in zip(self.theory.couplings, o, strict=True) if k) or "1"
                 for o in self]  # fmt: skip
        return f"Series({', '.join(names)})"


class Correlator:
    """The n-point function of a theory in perturbation theory.

    Parameters
    ----------
    theory : Theory
        Action and propagator scheme.
    n : int
        Number of points; 0 for log(Z/Z_0) (kind "connected").
    kernel : Kernel
        Propagator of lines between external points.
    vertex_kernel : Kernel, optional
        Propagator of lines with an end on a vertex; `kernel` by default. The slides use ``K.without_bias()``.
    cutoff : Cutoff, optional
        Box of each vertex; none for a `Lattice`.
    kind : {"vacuum-free", "connected", "1PI", "all"}
        The full function, the connected one, ...
    per_volume : bool
        For n = 0 and a translation-invariant kernel: fix one vertex at the origin, the connected vacuum diagrams per
        unit volume.

    Examples
    --------
    >>> import feynnn as fn
    >>> K = fn.kernels.Gauss()
    >>> theory = fn.Theory.parse("lam*f**4", propagator="exact")
    >>> G4 = fn.Correlator(theory, 4, kernel=K, vertex_kernel=K.without_bias(), cutoff=fn.Cutoff(), kind="connected")
    >>> round(G4.series([0.0], max_order=1)[{"lam": 1}].at(0, 0, 0, 0), 6)
    -30.079539
    """

    def __init__(
        self,
        theory: Theory,
        n: int,
        *,
        kernel: Kernel,
        vertex_kernel: Kernel | None = None,
        cutoff: Cutoff | None = None,
        kind: Kind = "vacuum-free",
        per_volume: bool = False,
    ) -> None:
        self.theory, self.n, self.kind = theory, whole(n, "n"), kind
        check_request(theory, n, kind)
        self.kernel = _as_kernel(kernel, "kernel")
        self.vertex_kernel = self.kernel if vertex_kernel is None else _as_kernel(vertex_kernel, "vertex_kernel")
        if self.kernel.d_in != self.vertex_kernel.d_in:
            raise InputError(
                f"kernel has d_in = {self.kernel.d_in}, vertex_kernel d_in = {self.vertex_kernel.d_in}; they must agree"
            )
        if isinstance(self.kernel, Lattice) != isinstance(self.vertex_kernel, Lattice):
            raise InputError("kernel and vertex_kernel must both be lattices, or neither")
        self.cutoff = as_cutoff(cutoff)
        self.per_volume = per_volume
        if per_volume and (n != 0 or kind != "connected" or not self.vertex_kernel.translation_invariant):
            raise InputError(
                "per_volume fixes one vertex of connected vacuum diagrams: it needs n=0, kind='connected' and a "
                f"translation-invariant kernel, got n={n}, kind={kind!r}, {self.vertex_kernel!r}"
            )
        if per_volume and any(i.has_profile or len(i.degree) > 1 for i in theory.interactions):
            raise InputError(
                "per_volume needs interactions that are the same everywhere and at one point each: log Z is not "
                f"proportional to the volume for {theory}; use a finite cutoff and per_volume=False"
            )
        self._diagrams: dict[tuple[int, ...], DiagramSet] = {}
        #: Products of the topologies, by number of points and order: what planning leaves behind.
        self._products: dict[tuple[int, tuple[int, ...]], list[Product]] = {}
        self._levels: dict[tuple[Shape, float], int] = {}

    def diagrams(self, order: Order) -> DiagramSet:
        """Return the diagrams at an exact order."""
        key = self.theory.order(order)
        if key not in self._diagrams:
            self._diagrams[key] = generate(self.theory, self.n, order=key, kind=self.kind)
        return self._diagrams[key]

    def expression(self, max_order: Order = 1) -> sympy.Expr:
        """Return the expansion to a cumulative order as sympy; K_v is the vertex kernel where it differs."""
        import sympy

        from .expressions import expression

        name = "K" if self.vertex_kernel == self.kernel else "K_v"
        terms = [expression(self.diagrams(o), vertex_kernel=name) for o in self.theory.orders_up_to(max_order)]
        return sympy.Add(*terms)

    def formula(self, max_order: Order = 1) -> Formula:
        """Return the expansion grouped by topology, as the slides write it."""
        from .formulas import formula

        return formula(self.theory, self.n, max_order=max_order, kind=self.kind)

    def series(
        self, x: npt.ArrayLike | None = None, *, max_order: Order = 1, rtol: float = 1e-10, atol: float = 0.0
    ) -> Series:
        """Return the coefficients of the series at the inputs, all multisets at once.

        Parameters
        ----------
        x : array_like, shape (m, d_in)
            Inputs; none for n = 0.
        max_order : int or dict
            Cumulative order.
        rtol, atol : float
            Each integral's bound is at most rtol times the integral of its absolute integrand, plus atol.

        Returns
        -------
        Series
            `NPoint`s of kind "computed" whose bound adds the integrals' bounds linearly. In four dimensions and more
            kernels that do not factorise take quasi-random points: ask for rtol of about 1e-3; the bound is then one of
            3 standard errors, and `origin` says so.

        Raises
        ------
        DivergenceError, ComputationError
            If an integral does not exist, or the accuracy cannot be reached.
        """
        points = self._points(x)
        tool = Integrator(
            {"K": self.kernel, "K_v": self.vertex_kernel},
            points,
            self.cutoff,
            rtol=rtol,
            atol=atol,
            pinned=self.per_volume,
            levels=self._levels,
        )
        rows = multisets(len(points), self.n)
        pieces = _Pieces(self, tool)
        result = {}
        for order in self.theory.orders_up_to(max_order):
            total = pieces.coefficient(self.n, order, rows)
            result[order] = NPoint(
                total.values,
                n=self.n,
                n_inputs=len(points),
                connected=self.kind != "vacuum-free" and self.kind != "all",
                kind="computed",
                bound=total.bound,
                points=points,
                origin=f"order {dict(zip(self.theory.couplings, order, strict=True))}"
                + (", random points, bound at 3 standard errors" if tool.is_random else ""),
            )
        return Series(self.theory, result)

    def plan(self, x: npt.ArrayLike | None = None, *, max_order: Order = 1, nodes: int | None = None) -> Plan:
        """Return what `series` would take at the inputs, nothing evaluated: print it.

        Parameters
        ----------
        x : array_like, shape (m, d_in)
            Inputs; none for n = 0.
        max_order : int or dict
            Cumulative order.
        nodes : int, optional
            Plan refinement up to the first mesh of this many nodes, not as far as the limits allow.

        Returns
        -------
        Plan
            For each topology its rule, meshes, multiplications, memory and steps, and what would be refused.

        Examples
        --------
        >>> import feynnn as fn
        >>> G2 = fn.Correlator(fn.Theory.parse("lam*f**4"), 2, kernel=fn.kernels.Erf(), cutoff=fn.Cutoff(10.0))
        >>> G2.plan([0.0, 0.5], max_order=2).refusals
        ()
        """
        from .planning import plan_correlator

        return plan_correlator(self, x, max_order=max_order, nodes=nodes)

    def evaluate(
        self,
        x: npt.ArrayLike,
        couplings: Mapping[str, float],
        *,
        max_order: Order = 1,
        rtol: float = 1e-10,
        atol: float = 0.0,
    ) -> NPoint:
        """Return the n-point function at the inputs for given couplings, to a cumulative order."""
        self.theory.values(couplings)
        result = self.series(x, max_order=max_order, rtol=rtol, atol=atol).sum(couplings)
        result.origin = f"perturbation theory, order {max_order}"
        return result

    def _points(self, x: npt.ArrayLike | None) -> Array:
        if x is None:
            if self.n:
                raise InputError(f"a {self.n}-point function needs inputs x of shape (m, {self.kernel.d_in})")
            return np.zeros((0, self.kernel.d_in))
        return as_points(x, self.kernel.d_in)

    def __repr__(self) -> str:
        parts: dict[str, Any] = {"kernel": self.kernel}
        if self.vertex_kernel != self.kernel:
            parts["vertex_kernel"] = self.vertex_kernel
        parts |= {"cutoff": self.cutoff, "kind": self.kind}
        inside = ", ".join(f"{k}={v!r}" for k, v in parts.items())
        return f"Correlator({self.theory!r}, {self.n}, {inside})"


class _Pieces:
    """The coefficients of one series: connected functions of ever fewer points, each computed once."""

    def __init__(self, correlator: Correlator, tool: Integrator) -> None:
        self.theory, self.kind, self.tool = correlator.theory, correlator.kind, tool
        self._products = correlator._products
        self._known: dict[tuple[int, tuple[int, ...]], Uncertain] = {}

    def coefficient(self, n: int, order: tuple[int, ...], rows: Indices) -> Uncertain:
        """Return the coefficient of an order at rows of input numbers, shape (k, n) -> k values."""
        if self.kind == "vacuum-free":
            return self._vacuum_free(n, order, rows)
        if self.kind == "all":
            return with_vacuum(self._vacuum_free, self._connected, n, order, rows)
        return self._connected(n, order, rows)

    def _vacuum_free(self, n: int, order: tuple[int, ...], rows: Indices) -> Uncertain:
        return vacuum_free(self._connected, n, order, rows, is_even=self.theory.is_even)

    def _connected(self, n: int, order: tuple[int, ...], rows: Indices) -> Uncertain:
        m = len(self.tool.x)
        if (n, order) not in self._known:
            if (n, order) not in self._products:
                kind: Kind = "connected" if self.kind in ("all", "vacuum-free") else self.kind
                found = generate(self.theory, n, order=order, kind=kind, external="indistinguishable")
                self._products[n, order] = [term for d in found for term in products_of(d)]
            self._known[n, order] = topologies_sum(self._products[n, order], self.tool, multisets(m, n))
        if rows is multisets(m, n):
            return self._known[n, order]
        return self._known[n, order].take(multiset_rank(rows, m))


def _as_kernel(kernel: object, name: str) -> Kernel:
    if not isinstance(kernel, Kernel):
        raise InputError(f"{name} must be a kernel such as feynnn.kernels.Gauss(), got {kernel!r}")
    return kernel
