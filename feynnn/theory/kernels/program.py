"""Formulas compiled to numpy: a list of array operations made from a sympy expression, without generated code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, reduce
from typing import TYPE_CHECKING

import numpy as np

from ...points import Array

if TYPE_CHECKING:
    import sympy

#: How far asin and acos may be from [-1, 1], and a root from positive, and count as rounding.
_ROUNDING = 1e-12
_Step = Callable[[list[Array]], Array]


class Program:
    """A formula compiled to numpy: equal parts are computed once, arguments broadcast.

    Parameters
    ----------
    expr : sympy.Expr
        A formula, as `read_text`, `adopt` and `from_tree` return it.
    symbols : sequence of sympy.Symbol
        The arguments of a call, in this order.
    """

    def __init__(self, expr: sympy.Expr, symbols: Sequence[sympy.Symbol]) -> None:
        import sympy

        self._steps: list[_Step] = []
        self._slot: dict[sympy.Expr, int] = {s: k for k, s in enumerate(symbols)}
        self._first = len(symbols)
        self._functions = _functions()
        # sympy writes sqrt(1 - u^2) for sin(acos(u)); beside acos(u) both must see the same rounding of u, or their
        # sum, as in the ReLU kernel, loses half the digits where u is near 1
        self._angles = {sympy.sqrt(1 - a.args[0] ** 2): (np.cos, a) for a in expr.atoms(sympy.asin)}
        self._angles |= {sympy.sqrt(1 - a.args[0] ** 2): (np.sin, a) for a in expr.atoms(sympy.acos)}
        self._result = self._compile(expr)

    def __call__(self, arguments: Sequence[Array]) -> Array:
        """Return the value, not a number where the formula is not real."""
        values = list(arguments)
        with np.errstate(all="ignore"):
            for step in self._steps:
                values.append(np.asarray(step(values)))
        return values[self._result]

    def _compile(self, node: sympy.Expr) -> int:
        if node not in self._slot:
            step = self._step(node)
            self._slot[node] = self._first + len(self._steps)
            self._steps.append(step)
        return self._slot[node]

    def _step(self, node: sympy.Expr) -> _Step:
        if not node.args:
            constant = np.asarray(int(node.p) / int(node.q) if node.is_Rational else float(node))
            return lambda _: constant
        if node in self._angles:
            function, inverse = self._angles[node]
            angle = self._compile(inverse)
            return lambda v: function(v[angle])
        if node.is_Add:
            terms = [self._compile(a) for a in node.args]
            return lambda v: reduce(np.add, (v[k] for k in terms))
        if node.is_Mul:
            return self._product(node)
        if node.is_Pow:
            return self._power(node)
        args = [self._compile(a) for a in node.args]
        named = self._functions[type(node).__name__]
        return lambda v: named(*(v[k] for k in args))

    def _product(self, node: sympy.Expr) -> _Step:
        """Return one quotient of two products: fewer roundings than a product of reciprocals."""
        below = [a for a in node.args if a.is_Pow and a.exp.is_Rational and a.exp < 0]
        top = [self._compile(a) for a in node.args if a not in below]
        bottom = [self._compile(a.base**-a.exp) for a in below]

        def quotient(v: list[Array]) -> Array:
            numerator = reduce(np.multiply, (v[k] for k in top)) if top else np.ones(())
            return numerator / reduce(np.multiply, (v[k] for k in bottom)) if bottom else numerator

        return quotient

    def _power(self, node: sympy.Expr) -> _Step:
        base, exponent = node.args
        if not exponent.is_Rational:
            b, e = self._compile(base), self._compile(exponent)
            return lambda v: np.power(v[b], v[e])
        if exponent < 0:
            inverse = self._compile(base**-exponent)
            return lambda v: 1 / v[inverse]
        if exponent.is_Integer:
            b, n = self._compile(base), int(exponent)
            return lambda v: v[b] ** n
        if exponent.q != 2:
            b, p = self._compile(base), int(exponent.p) / int(exponent.q)
            return lambda v: v[b] ** p
        terms = [self._compile(a) for a in (base.args if base.is_Add else [base])]
        n = int(exponent.p)
        return lambda v: _root([v[k] for k in terms]) ** n


def _root(terms: list[Array]) -> Array:
    """Return the square root of a sum; one that is negative by no more than rounding counts as zero."""
    total = np.asarray(reduce(np.add, terms))
    small = _ROUNDING * reduce(np.add, (np.abs(t) for t in terms))
    return np.sqrt(np.where((total < 0) & (total >= -small) & (len(terms) > 1), 0.0, total))


def _clamped(function: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """Return asin or acos that takes an argument beyond 1 by no more than rounding for 1."""
    return lambda u: function(np.where(np.abs(u) <= 1 + _ROUNDING, np.clip(u, -1.0, 1.0), u))


@cache
def _functions() -> dict[str, Callable[..., Array]]:
    from scipy import special

    same = ("cos", "cosh", "exp", "log", "sin", "sinh", "tan", "tanh")
    table: dict[str, Callable[..., Array]] = {name: getattr(np, name) for name in same}
    return table | {
        "Abs": np.abs,
        "Max": lambda *args: reduce(np.maximum, args),
        "Min": lambda *args: reduce(np.minimum, args),
        "acos": _clamped(np.arccos),
        "asin": _clamped(np.arcsin),
        "atan": np.arctan,
        "atan2": np.arctan2,
        "besselk": special.kv,
        "erf": special.erf,
        "erfc": special.erfc,
        "sinc": lambda u: np.sinc(u / np.pi),
    }
