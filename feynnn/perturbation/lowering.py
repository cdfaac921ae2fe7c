"""Lowering: sympy expressions and diagrams become index equations, evaluated at all tuples of inputs at once.

An expression is a sum of products of kernels K(a, b), numbers, couplings, powers of integrated points (weights) and
box integrals of such sums; nested and powers of integrals are fine.  What is not of this form is refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import sympy

from ..diagrams.diagram import Diagram
from ..diagrams.diagram_set import DiagramSet
from ..errors import InputError
from ..npoint import NPoint, ordered_tuples
from ..points import Array, as_points, real
from ..theory.kernels import Kernel, Lattice
from ..uncertain import Uncertain
from .contractions import Product, connected_pieces, products_of
from .correlator import _as_kernel
from .expressions import LAMBDA
from .integration import Integrator
from .quadrature import Cutoff, as_cutoff

if TYPE_CHECKING:
    from .planning import Plan

#: Most terms of an expression that is multiplied out.
MAX_TERMS = 100_000
#: Largest power of a factor.
MAX_POWER = 1000


@dataclass(frozen=True)
class _Term:
    """A product with its points still symbols."""

    coefficient: float
    couplings: tuple[tuple[str, int], ...] = ()
    lines: tuple[tuple[sympy.Symbol, sympy.Symbol, str], ...] = ()
    weights: tuple[tuple[sympy.Symbol, int], ...] = ()
    integrated: tuple[sympy.Symbol, ...] = ()

    def __mul__(self, other: _Term) -> _Term:
        powers = dict(self.couplings)
        for name, k in other.couplings:
            powers[name] = powers.get(name, 0) + k
        return _Term(
            self.coefficient * other.coefficient,
            tuple(sorted(powers.items())),
            self.lines + other.lines,
            self.weights + other.weights,
            self.integrated + other.integrated,
        )


class Lowered:
    """A compiled expression; call it with inputs.

    Attributes
    ----------
    n : int
        Number of external points.
    external : tuple of str
        Their names, in the order of the result's indices.
    couplings : tuple of str
        Couplings whose values a call needs.
    """

    def __init__(
        self, products: list[Product], external: tuple[str, ...], kernels: dict[str, Kernel], cutoff: Cutoff | None
    ) -> None:
        self.products, self.external, self.kernels, self.cutoff = products, external, kernels, cutoff
        self.n = len(external)
        self.couplings = tuple(sorted({name for p in products for name, _ in p.couplings}))

    def __call__(
        self,
        x: npt.ArrayLike | None = None,
        couplings: Mapping[str, float] | None = None,
        *,
        rtol: float = 1e-10,
        atol: float = 0.0,
    ) -> NPoint:
        """Return the value at all m^n ordered tuples of inputs.

        Parameters
        ----------
        x : array_like, shape (m, d_in)
            Inputs; none when there are no external points.
        couplings : mapping, optional
            Values of the couplings that stand in the expression.
        rtol, atol : float
            Each integral's bound is at most rtol times the integral of its absolute integrand, plus atol.

        Returns
        -------
        NPoint
            Not symmetric, over the ordered tuples, of kind "computed".
        """
        given = self._values({} if couplings is None else couplings)
        points = self._points(x)
        tool = Integrator(self.kernels, points, self.cutoff, rtol=rtol, atol=atol)
        rows = ordered_tuples(len(points), self.n)
        total = Uncertain.exact(np.zeros(len(rows)))
        for term in self.products:
            value = float(np.prod([given[name] ** k for name, k in term.couplings]))
            total = total + tool.product(term, rows).scaled(value)
        return NPoint(
            total.values,
            n=self.n,
            n_inputs=len(points),
            symmetric=False,
            kind="computed",
            bound=total.bound,
            points=points,
            origin="expression",
        )

    def plan(self, x: npt.ArrayLike | None = None, *, nodes: int | None = None) -> Plan:
        """Return what a call with these inputs would take, nothing evaluated: print it.

        Parameters
        ----------
        x : array_like, shape (m, d_in)
            Inputs; none when there are no external points.
        nodes : int, optional
            Plan refinement up to the first mesh of this many nodes, not as far as the limits allow.
        """
        from .planning import plan_lowered

        return plan_lowered(self, x, nodes=nodes)

    def _points(self, x: npt.ArrayLike | None) -> Array:
        d_in = next(iter(self.kernels.values())).d_in
        if x is None and self.n:
            raise InputError(f"the expression has the external points {', '.join(self.external)}: pass inputs x")
        return np.zeros((0, d_in)) if x is None or self.n == 0 else as_points(x, d_in)

    def _values(self, couplings: Mapping[str, float]) -> dict[str, float]:
        if not isinstance(couplings, Mapping):
            raise InputError(f"couplings must be a dict such as {{'lam': 0.1}}, got {couplings!r}")
        missing = set(self.couplings) - set(couplings)
        if missing:
            raise InputError(f"the expression holds the coupling {min(missing)!r}; pass its value in couplings={{...}}")
        values = {name: real(couplings[name], f"the coupling {name!r}") for name in self.couplings}
        for name, v in values.items():
            if not np.isfinite(v):
                raise InputError(f"the coupling {name!r} must be finite, got {v!r}")
        return values

    def __repr__(self) -> str:
        return f"Lowered({len(self.products)} terms in {', '.join(self.external) or 'no external points'})"


def lower(
    obj: sympy.Expr | Diagram | DiagramSet | Iterable[Diagram],
    *,
    kernel: Kernel | Mapping[str, Kernel],
    vertex_kernel: Kernel | None = None,
    cutoff: Cutoff | None = None,
) -> Lowered:
    """Compile an expression or diagrams for evaluation.

    Parameters
    ----------
    obj : sympy.Expr, Diagram or DiagramSet
        Sums of products of ``K(x1, y)``, weights ``y**2`` and ``Integral(..., (y, -Lambda, Lambda))``.
    kernel : Kernel, or mapping from function names to kernels
        What K stands for on lines between external points (and everywhere, if there is no `vertex_kernel`).
    vertex_kernel : Kernel, optional
        What K stands for on lines with an end on an integrated point, and what K_v stands for.
    cutoff : Cutoff, optional
        The box of each integral; none for a lattice.

    Returns
    -------
    Lowered
        A callable of the inputs.

    Raises
    ------
    InputError
        Naming the subexpression that is not of this form.

    Examples
    --------
    >>> import feynnn as fn, sympy
    >>> K, x1, y = sympy.Function("K"), *sympy.symbols("x1 y")
    >>> f = fn.lower(
    ...     sympy.Integral(K(x1, y) ** 2, (y, -sympy.oo, sympy.oo)),
    ...     kernel=fn.kernels.Gauss(sigma_b=0),
    ...     cutoff=fn.Cutoff(),
    ... )
    >>> round(f([0.3]).at(0), 12)  # sqrt(pi)
    1.772453850906
    """
    if isinstance(kernel, Mapping):
        if vertex_kernel is not None:
            raise InputError("give either a mapping of kernels by name or vertex_kernel, not both")
        kernels = {str(name): _as_kernel(k, f"kernel[{name!r}]") for name, k in kernel.items()}
        split = False
    else:
        free = _as_kernel(kernel, "kernel")
        kernels = {"K": free, "K_v": free if vertex_kernel is None else _as_kernel(vertex_kernel, "vertex_kernel")}
        split = True
    if not kernels or len({k.d_in for k in kernels.values()}) != 1:
        raise InputError(f"the kernels must have one d_in, got {kernels}")
    if len({isinstance(k, Lattice) for k in kernels.values()}) != 1:
        raise InputError(f"the kernels must all be lattices, or none of them, got {kernels}")
    box = as_cutoff(cutoff)
    if isinstance(obj, sympy.Basic):
        return _lower_expression(obj, kernels, box, split=split)
    diagrams = [obj] if isinstance(obj, Diagram) else list(obj) if isinstance(obj, Iterable) else []
    if not diagrams or not all(isinstance(d, Diagram) for d in diagrams):
        raise InputError(f"lower() takes a sympy expression or diagrams, got {obj!r}")
    if not split:
        raise InputError("diagrams have the kernels K and K_v: pass kernel= and vertex_kernel=")
    n = diagrams[0].n
    if any(d.n != n for d in diagrams):
        raise InputError("the diagrams have different numbers of external points")
    products = [p for d in diagrams for p in products_of(d)]
    return Lowered(products, tuple(f"x{k + 1}" for k in range(n)), kernels, box)


def _lower_expression(expr: sympy.Expr, kernels: dict[str, Kernel], cutoff: Cutoff | None, *, split: bool) -> Lowered:
    terms = _terms(expr, {}, kernels, cutoff)
    integrated = {s for t in terms for s in t.integrated}
    ends = {s for t in terms for a, b, _ in t.lines for s in (a, b)} - integrated
    external = sorted(ends, key=lambda s: [int(p) if p.isdigit() else p for p in re.split(r"(\d+)", s.name)])
    label = {s: k for k, s in enumerate(external)}
    couplings = {name for t in terms for name, _ in t.couplings}
    points = [s.name for s in external]
    for name in points:
        if name in couplings:
            raise InputError(f"the external point {name} also stands outside a kernel")
        if points.count(name) > 1:
            raise InputError(f"two symbols named {name} with different assumptions are external points; use one")
    for s in sorted(integrated, key=str):
        if s.name in couplings:
            raise InputError(f"the point {s.name} stands outside the integral over it")
        if s.name in points:
            raise InputError(f"the point {s.name} is integrated over in one place and external in another; rename one")
    if LAMBDA.name in couplings:
        raise InputError("Lambda is the cutoff and may stand in the limits of integrals only")
    products = [_product(t, label, split=split) for t in terms]
    return Lowered(products, tuple(s.name for s in external), kernels, cutoff)


def _terms(
    expr: sympy.Expr, bound: dict[sympy.Symbol, sympy.Symbol], kernels: Mapping[str, Kernel], cutoff: Cutoff | None
) -> list[_Term]:
    """Return an expression multiplied out; `bound` maps integration variables to their own fresh symbols."""
    if isinstance(expr, sympy.Add):
        return [t for a in expr.args for t in _terms(a, bound, kernels, cutoff)]
    if isinstance(expr, sympy.Mul):
        result = [_Term(1.0)]
        for a in expr.args:
            result = _expand(result, _terms(a, bound, kernels, cutoff))
        return result
    if isinstance(expr, sympy.Pow) and not expr.exp.is_number:
        raise InputError(f"cannot lower {expr}: the exponent must be a number")
    # an integral of a number is the volume of a box in d_in dimensions, not what sympy would make of it
    if expr.is_number and not expr.has(sympy.Integral):
        value = complex(expr)
        if value.imag or not np.isfinite(value.real):
            raise InputError(f"cannot lower the coefficient {expr}: it must be real and finite")
        return [_Term(value.real)]
    if isinstance(expr, sympy.Pow):
        if not (expr.exp.is_Integer and 0 < expr.exp <= MAX_POWER):
            raise InputError(f"cannot lower {expr}: only positive whole powers up to {MAX_POWER} are allowed")
        result = [_Term(1.0)]
        for _ in range(int(expr.exp)):
            # once for each factor, so that a power of an integral has points of its own in each
            result = _expand(result, _terms(expr.base, bound, kernels, cutoff))
        return result
    if isinstance(expr, sympy.Integral):
        inside = dict(bound)
        fresh = []
        for limit in expr.limits:
            _check_limits(expr, limit, cutoff)
            inside[limit[0]] = sympy.Dummy(limit[0].name)
            fresh.append(inside[limit[0]])
        measure = _Term(1.0, integrated=tuple(fresh))
        return [measure * t for t in _terms(expr.function, inside, kernels, cutoff)]
    if isinstance(expr, sympy.Symbol):
        if expr in bound:
            return [_Term(1.0, weights=((bound[expr], 1),))]
        return [_Term(1.0, couplings=((expr.name, 1),))]
    if isinstance(expr, sympy.core.function.AppliedUndef):
        name = expr.func.__name__
        if name not in kernels:
            raise InputError(f"cannot lower {expr}: no kernel is named {name!r} (there is {', '.join(kernels)})")
        if len(expr.args) != 2 or not all(isinstance(a, sympy.Symbol) for a in expr.args):
            raise InputError(f"cannot lower {expr}: a kernel takes two points, each one symbol")
        a, b = (bound.get(s, s) for s in expr.args)
        return [_Term(1.0, lines=((a, b, name),))]
    raise InputError(f"cannot lower {expr}: it is not a sum of products of kernels, weights and box integrals")


def _expand(left: list[_Term], right: list[_Term]) -> list[_Term]:
    if len(left) * len(right) > MAX_TERMS:
        raise InputError(f"cannot lower the expression: it has more than {MAX_TERMS} terms when multiplied out")
    return [a * b for a in left for b in right]


def _check_limits(integral: sympy.Expr, limit: sympy.Tuple, cutoff: Cutoff | None) -> None:
    """Accept a bare variable, (-Lambda, Lambda), or limits that say the same as the cutoff."""
    if len(limit) == 1 or (len(limit) == 3 and limit[1] == -LAMBDA and limit[2] == LAMBDA):
        return
    if len(limit) == 3 and limit[1] == -limit[2]:
        top = limit[2]
        if isinstance(top, sympy.Symbol) and top.name == "Lambda":
            return
        if cutoff is not None and top.is_number and float(top) == cutoff.value:
            return
    raise InputError(
        f"cannot lower {integral}: its limits {limit} are not the box of {cutoff!r}; write (y, -Lambda, Lambda)"
    )


def _product(term: _Term, label: dict[sympy.Symbol, int], *, split: bool) -> Product:
    number = {s: k for k, s in enumerate(term.integrated)}
    powers: dict[int, int] = {}
    for s, k in term.weights:
        powers[number[s]] = powers.get(number[s], 0) + k
    free, legs, lines = [], [], []
    for a, b, name in term.lines:
        ends = [s in number for s in (a, b)]
        kernel = "K_v" if split and any(ends) else name
        if not any(ends):
            free.append((label[a], label[b], kernel))
        elif all(ends):
            lines.append((number[a], number[b], kernel))
        else:
            outside, inside = (b, a) if ends[0] else (a, b)
            legs.append((label[outside], number[inside], kernel))
    pieces = connected_pieces(number.values(), legs, lines, powers)
    return Product(term.coefficient, term.couplings, tuple(free), pieces)
