"""Formulas in the coordinates of two points: read by a whitelist, kept as JSON, compared.

A formula is a sympy expression made of numbers, coordinates, sums, products, powers and the functions below. No text
reaches an evaluator: Python's parser gives a syntax tree, of which only known nodes are turned into sympy.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from reprlib import repr as short
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import InputError
from ...points import real
from .base import coordinates, exact_number
from .program import Program

if TYPE_CHECKING:
    import sympy

#: Functions of sympy that may stand in a formula, and how many arguments they take (None: one or more).
FUNCTIONS: dict[str, int | None] = {
    **dict.fromkeys(("Abs", "acos", "asin", "atan", "cos", "cosh", "erf", "erfc", "exp", "log"), 1),
    **dict.fromkeys(("sin", "sinc", "sinh", "tan", "tanh"), 1),
    **dict.fromkeys(("atan2", "besselk"), 2),
    **dict.fromkeys(("Max", "Min"), None),
}
#: Digits with which two formulas are compared, and what counts as equal: half of them, for roots near zero.
_DIGITS = 40
_SAME = 1e-18
_MAX_LENGTH = 10_000
_MAX_DEPTH = 50
_MAX_POWER = 64
_MAX_BITS = 1000
_KNOWN = f"known are + - * / **, sqrt, pi, {', '.join(FUNCTIONS)}"


class Names:
    """What names mean in a formula: the coordinates of two points, pi, and parameters with values.

    Raises
    ------
    InputError
        If a parameter has the name of something else, or is not a finite number.
    """

    def __init__(self, d_in: int, parameters: Mapping[str, float | Fraction]) -> None:
        import sympy

        xs, ys = coordinates(d_in)
        self.d_in, self.coordinates = d_in, [*xs, *ys]
        self.parameters: dict[str, sympy.Expr] = {}
        self.fixed: dict[str, sympy.Expr] = {s.name: s for s in self.coordinates} | {"pi": sympy.pi}
        for name, value in parameters.items():
            if name in self.fixed or name in FUNCTIONS or name == "sqrt":
                raise InputError(
                    f"the parameter {name!r} has the name of a coordinate, function or constant; rename it"
                )
            self.parameters[name] = _number(value, f"the parameter {name!r}")
        self.used: set[str] = set()

    def __getitem__(self, name: str) -> sympy.Expr:
        if name in self.parameters:
            self.used.add(name)
            return self.parameters[name]
        if name not in self.fixed:
            shown = f"the coordinates for d_in = {self.d_in} are {', '.join(s.name for s in self.coordinates)}"
            if re.fullmatch(r"[xy](_\d+)?", name):
                raise InputError(f"{name} is not a coordinate here: {shown}; pass the d_in that is meant")
            raise InputError(
                f"the formula holds the unknown symbol {name!r}: {shown}; pass the value of a parameter by its name, "
                f"{name}=1.0"
            )
        return self.fixed[name]


def _number(value: object, name: str) -> sympy.Expr:
    import sympy

    if isinstance(value, int | Fraction) and not isinstance(value, bool):
        return _within(sympy.Rational(value.numerator, value.denominator))
    number = real(value, name)
    if not np.isfinite(number):
        raise InputError(f"{name} must be finite, got {value!r}")
    return exact_number(number)


def _within(node: sympy.Expr) -> sympy.Expr:
    """Return a node unless it is a number that no float holds (and that sympy would compute with for ever)."""
    if node.is_Rational and max(int(node.p).bit_length(), int(node.q).bit_length()) > _MAX_BITS:
        raise InputError(f"a number in the formula is too large or has too many digits: {short(str(node))}")
    if node.is_number and not node.is_Rational:
        with np.errstate(all="ignore"):
            value = float(Program(node, [])([]))
        if not np.isfinite(value):
            raise InputError(f"{node} in the formula is not a finite real number")
    return node


def _apply(name: str, args: Sequence[sympy.Expr]) -> sympy.Expr:
    """Return a sum, product, power or function of `args`; the one place where formulas are put together."""
    import sympy

    if name == "Pow" and len(args) == 2 and args[1].is_Rational and abs(args[1]) > _MAX_POWER:
        raise InputError(f"a power in the formula is larger than {_MAX_POWER}: {short(str(args[1]))}")
    if name == "Pow" and len(args) == 2 and args[0].is_zero and args[1].is_negative:
        raise InputError("the formula divides by zero")
    known = {"Add": None, "Mul": None, "Pow": 2, **FUNCTIONS}
    if name not in known:
        raise InputError(f"{name} cannot stand in a formula; {_KNOWN}; or use FromCallable")
    if not args or len(args) != (known[name] or len(args)):
        raise InputError(f"{name} takes {known[name] or 'some'} argument(s) in a formula, got {len(args)}")
    if name == "besselk" and not args[0].is_Rational:
        raise InputError(f"the order of besselk must be a number, got {args[0]}")
    return _within(getattr(sympy, name)(*args))


# --- text ---------------------------------------------------------------------------------------------------------


def read_text(text: str, names: Names) -> sympy.Expr:
    """Return the formula that a text such as ``"exp(-(x - y)**2/2)"`` stands for.

    Raises
    ------
    InputError
        If the text holds anything but numbers, known names, + - * / **, brackets and calls of known functions.
    """
    if len(text) > _MAX_LENGTH:
        raise InputError(f"cannot read the formula: it has {len(text)} characters, more than {_MAX_LENGTH}")
    try:
        return _read(ast.parse(text.strip(), mode="eval").body, names, 0)
    except (SyntaxError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        reason = error.msg if isinstance(error, SyntaxError) else str(error)
        raise InputError(f"cannot read the formula {short(text)}: {reason}") from error
    except (RecursionError, MemoryError) as error:
        raise InputError(f"cannot read the formula {short(text)}: it is nested too deeply") from error


def _read(node: ast.expr, names: Names, depth: int) -> sympy.Expr:
    import sympy

    depth += 1
    if depth > _MAX_DEPTH:
        raise _refusal(node, "it is nested too deeply")
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        return _apply("Add", _chain(node, names, depth, (ast.Add, ast.Sub)))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div):
        return _apply("Mul", _chain(node, names, depth, (ast.Mult, ast.Div)))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        return _apply("Pow", [_read(node.left, names, depth), _read(node.right, names, depth)])
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        inner = _read(node.operand, names, depth)
        return _apply("Mul", [sympy.Integer(-1), inner]) if isinstance(node.op, ast.USub) else inner
    if isinstance(node, ast.Name):
        if node.id in FUNCTIONS or node.id == "sqrt":
            raise _refusal(node, f"the function {node.id} needs its argument: {node.id}(...)")
        return names[node.id]
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return _number(node.value, "a number in the formula")
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        name = node.func.id
        if name != "sqrt" and name not in FUNCTIONS:
            raise _refusal(node, f"the function {name!r} is not known; {_KNOWN}")
        args = [_read(a, names, depth) for a in node.args]
        if name == "sqrt":
            return _apply("Pow", [*args, sympy.Rational(1, 2)])
        return _apply(name, args)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitXor):
        raise _refusal(node, "write ** for a power")
    raise _refusal(node, f"it may not stand in a formula; {_KNOWN}")


def _chain(node: ast.expr, names: Names, depth: int, ops: tuple[type[ast.operator], ...]) -> list[sympy.Expr]:
    """Return the terms of a sum (or factors of a product), which may be long, without recursion."""
    import sympy

    parts = []
    while isinstance(node, ast.BinOp) and isinstance(node.op, ops):
        part = _read(node.right, names, depth)
        if isinstance(node.op, ast.Sub):
            part = _apply("Mul", [sympy.Integer(-1), part])
        elif isinstance(node.op, ast.Div):
            part = _apply("Pow", [part, sympy.Integer(-1)])
        parts.append(part)
        node = node.left
    parts.append(_read(node, names, depth))
    return parts[::-1]


def _refusal(node: ast.expr, why: str) -> InputError:
    return InputError(f"cannot read {short(ast.unparse(node))} at column {node.col_offset + 1}: {why}")


# --- sympy and JSON -----------------------------------------------------------------------------------------------


def adopt(expr: sympy.Expr, names: Names) -> sympy.Expr:
    """Return a user's sympy expression with the symbols of `names`, floats as rationals, after checking every node.

    Raises
    ------
    InputError
        Naming what may not stand in a formula.
    """
    import sympy

    done: dict[sympy.Basic, sympy.Expr] = {}
    for node in sympy.postorder_traversal(expr):
        if node in done:
            continue
        if isinstance(node, sympy.Symbol):
            done[node] = names[node.name]
        elif node in (sympy.oo, -sympy.oo, sympy.zoo, sympy.nan):
            raise InputError(f"the kernel {short(str(expr))} holds the infinite or undefined number {node}")
        elif node.has(sympy.I):
            raise InputError(f"the kernel {short(str(expr))} is complex: it holds {node}; a kernel is real")
        elif isinstance(node, sympy.Float):
            done[node] = _number(float(node), "a number in the formula")
        elif node.is_Rational or node in (sympy.pi, sympy.E):
            done[node] = _within(node)
        else:
            done[node] = _apply(type(node).__name__, [done[a] for a in node.args])
    return done[expr]


def to_tree(expr: sympy.Expr) -> Any:
    """Return a formula as nested lists of names and numbers, ready for JSON."""
    import sympy

    if expr.is_Rational:
        return [int(expr.p), int(expr.q)]
    if expr == sympy.E:
        return ["exp", [1, 1]]
    if not expr.args:
        return str(expr)
    return [type(expr).__name__, *(to_tree(a) for a in expr.args)]


def from_tree(tree: Any, names: Names) -> sympy.Expr:
    """Return the formula that `to_tree` wrote.

    Raises
    ------
    InputError
        If the tree holds anything that `to_tree` does not write.
    """
    if isinstance(tree, str):
        return names[tree]
    if isinstance(tree, list) and tree and isinstance(tree[0], str):
        return _apply(tree[0], [from_tree(part, names) for part in tree[1:]])
    if isinstance(tree, list) and [type(part) for part in tree] == [int, int] and tree[1] > 0:
        return _number(Fraction(tree[0], tree[1]), "a number in the formula")
    raise InputError(f"a file holds a damaged formula: {short(tree)}")


# --- what an integrator must know ---------------------------------------------------------------------------------


def agree(a: sympy.Expr, b: sympy.Expr, symbols: Sequence[sympy.Symbol], scale: float) -> bool:
    """Return whether two formulas are equal, judged by 40 digits at points of size 0.01 to 100 times `scale`."""
    import sympy

    if a == b:
        return True
    rng = np.random.default_rng(20080860)
    for size in (0.01, 0.1, 0.5, 1.0, 2.0, 10.0, 100.0):
        at = {s: sympy.Float(float(v), _DIGITS) for s, v in zip(symbols, rng.uniform(-1, 1, len(symbols)), strict=True)}
        at = {s: v * size * scale for s, v in at.items()}
        left, right = (sympy.N(e.xreplace(at), _DIGITS) for e in (a, b))
        gap, size = sympy.N(sympy.Abs(left - right), _DIGITS), sympy.N(sympy.Abs(left), _DIGITS)
        if not (left == right or (gap.is_finite and size.is_finite and gap <= _SAME * size)):
            return False
    return True


def per_coordinate(expr: sympy.Expr, d_in: int) -> list[sympy.Expr] | None:
    """Return one-dimensional formulas in x, y whose product over the coordinates is `expr`, or None."""
    import sympy

    xs, ys = coordinates(d_in)
    (x,), (y,) = coordinates(1)
    number = {s: k for pair in (xs, ys) for k, s in enumerate(pair)}
    result = [sympy.Integer(1)] * d_in
    for factor in sympy.Mul.make_args(expr):
        pieces = [factor]
        if isinstance(factor, sympy.exp):
            # only sums are taken apart: (x - y)^2 stays a square, which does not cancel
            pieces = [sympy.exp(t) for t in sympy.Add.make_args(sympy.expand_mul(factor.args[0], deep=False))]
        for piece in pieces:
            found = {number[s] for s in piece.free_symbols}
            if len(found) > 1:
                return None
            k = found.pop() if found else 0
            result[k] *= piece.xreplace({xs[k]: x, ys[k]: y})
    return result
