"""A small grammar for actions and profiles; user text never reaches an evaluator.

    sum     := ["-"] product { ("+" | "-") product }
    product := power { ("*" | "/") power }
    power   := atom [ ("**" | "^") whole number ]
    atom    := number | name | "f(" point ")" | "(" sum ")" | ("+" | "-") power

The result is a polynomial with rational coefficients: a dictionary from monomials to Fractions, a monomial being a
sorted tuple of (symbol, power).
"""

from __future__ import annotations

import re
from fractions import Fraction
from reprlib import repr as short

from ..errors import InputError

Monomial = tuple[tuple[str, int], ...]
Polynomial = dict[Monomial, Fraction]

POINTS = ("y", "z", "w")
_TOKEN = re.compile(r"\s*(?:(\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)|([A-Za-z_]\w*)|(\*\*|[-+*/^()]))", re.ASCII)
_MAX_LENGTH = 10_000
_MAX_DIGITS = 300
_MAX_POWER = 64
_MAX_TERMS = 1000


def multiply(a: Polynomial, b: Polynomial) -> Polynomial:
    """Return the product of two polynomials."""
    result: Polynomial = {}
    for m1, c1 in a.items():
        for m2, c2 in b.items():
            powers = dict(m1)
            for symbol, p in m2:
                powers[symbol] = powers.get(symbol, 0) + p
            key = tuple(sorted(powers.items()))
            result[key] = result.get(key, Fraction(0)) + c1 * c2
    return {m: c for m, c in result.items() if c}


def add(a: Polynomial, b: Polynomial, sign: int = 1) -> Polynomial:
    """Return a + sign * b."""
    result = dict(a)
    for m, c in b.items():
        result[m] = result.get(m, Fraction(0)) + sign * c
    return {m: c for m, c in result.items() if c}


def parse_polynomial(text: str) -> Polynomial:
    """Parse `text` by the grammar above.

    Raises
    ------
    InputError
        With the position, if the text does not follow the grammar.
    """
    result: Polynomial = {}
    for term in parse_terms(text):
        result = add(result, term)
    return result


def parse_terms(text: str) -> list[Polynomial]:
    """Parse `text` and return the terms of its outermost sum one by one.

    Raises
    ------
    InputError
        With the position, if the text does not follow the grammar.
    """
    if not isinstance(text, str):
        raise InputError(f"expected text such as 'lam*f**4 + kap*f**6', got {short(text)}")
    return _Parser(text).parse()


class _Parser:
    def __init__(self, text: str) -> None:
        if len(text) > _MAX_LENGTH:
            raise InputError(f"cannot read the expression: it has {len(text)} characters, more than {_MAX_LENGTH}")
        self.text = text
        self.tokens: list[tuple[str, int]] = []
        position = 0
        while rest := text[position:].lstrip():
            match = _TOKEN.match(text, position)
            if match is None:
                raise self.error("unexpected character", len(text) - len(rest))
            self.tokens.append((match.group(match.lastindex or 0), match.start(match.lastindex or 0)))
            position = match.end()
        self.next = 0
        self.depth = 0

    def error(self, what: str, position: int) -> InputError:
        pointer = self.text[max(0, position - 40) : position] + " >>>" + self.text[position : position + 12]
        return InputError(f"cannot read the expression: {what} at column {position + 1}: {pointer!r}")

    def peek(self) -> str:
        return self.tokens[self.next][0] if self.next < len(self.tokens) else ""

    def here(self) -> int:
        return self.tokens[self.next][1] if self.next < len(self.tokens) else len(self.text)

    def take(self) -> str:
        token = self.peek()
        self.next += 1
        return token

    def parse(self) -> list[Polynomial]:
        if not self.tokens:
            raise InputError("cannot read the expression: it is empty; write for example 'lam*f**4'")
        result = self.terms()
        if self.peek():
            raise self.error(f"unexpected {self.peek()!r}", self.here())
        return result

    def terms(self) -> list[Polynomial]:
        result = [self.product()]
        while self.peek() in ("+", "-"):
            sign = 1 if self.take() == "+" else -1
            result.append(add({}, self.product(), sign))
        return result

    def sum(self) -> Polynomial:
        total: Polynomial = {}
        for term in self.terms():
            for monomial, c in term.items():
                total[monomial] = total.get(monomial, Fraction(0)) + c
        return self.checked({m: c for m, c in total.items() if c})

    def product(self) -> Polynomial:
        result = self.power()
        while self.peek() in ("*", "/"):
            if self.take() == "*":
                result = self.multiplied(result, self.power())
            else:
                where = self.here()
                divisor = self.power()
                if set(divisor) != {()}:
                    raise self.error("only division by a non-zero number is allowed", where)
                result = self.checked({m: c / divisor[()] for m, c in result.items()})
        return result

    def multiplied(self, a: Polynomial, b: Polynomial) -> Polynomial:
        if len(a) * len(b) > _MAX_TERMS:
            raise self.error(f"more than {_MAX_TERMS} terms when multiplied out", self.here())
        return self.checked(multiply(a, b))

    def checked(self, polynomial: Polynomial) -> Polynomial:
        """Return `polynomial` unless it has grown past what an action can mean."""
        if len(polynomial) > _MAX_TERMS:
            raise self.error(f"more than {_MAX_TERMS} terms", self.here())
        for monomial, c in polynomial.items():
            if any(p > _MAX_POWER for _, p in monomial):
                raise self.error(f"a power is larger than {_MAX_POWER}", self.here())
            if max(c.numerator.bit_length(), c.denominator.bit_length()) > 4 * _MAX_DIGITS:
                raise self.error(f"a number has more than {_MAX_DIGITS} digits", self.here())
        return polynomial

    def power(self) -> Polynomial:
        if self.peek() in ("+", "-"):
            sign = 1 if self.take() == "+" else -1
            self.nest()
            result = {m: sign * c for m, c in self.power().items()}
            self.depth -= 1
            return result
        base = self.atom()
        if self.peek() not in ("**", "^"):
            return base
        self.take()
        where = self.here()
        token = self.take()
        if not token.isdecimal() or len(token) > 9 or int(token) > _MAX_POWER:
            shown = short(token) if token else "nothing"
            raise self.error(f"the exponent must be a whole number up to {_MAX_POWER}, got {shown}", where)
        if int(token) == 0:
            raise self.error("a power of zero is refused: leave the factor out", where)
        result = base
        for _ in range(int(token) - 1):
            result = self.multiplied(result, base)
        return result

    def nest(self) -> None:
        self.depth += 1
        if self.depth > 50:
            raise self.error("nested too deeply", self.here())

    def atom(self) -> Polynomial:
        where = self.here()
        token = self.take()
        if token == "(":
            self.nest()
            inner = self.sum()
            self.depth -= 1
            if self.take() != ")":
                raise self.error("missing ')'", self.here())
            return inner
        if token and (token[0].isdigit() or token[0] == "."):
            exponent = re.split("[eE]", token)[-1] if re.search("[eE]", token) else "0"
            if len(token) > _MAX_DIGITS or abs(int(exponent)) > _MAX_DIGITS:
                raise self.error(f"a number has more than {_MAX_DIGITS} digits", where)
            value = Fraction(token)
            return {(): value} if value else {}
        if token == "f":
            return {((self.field(), 1),): Fraction(1)}
        if re.fullmatch(r"[A-Za-z_]\w*", token, re.ASCII):
            return {((token, 1),): Fraction(1)}
        raise self.error(f"expected a number or a name, got {token!r}" if token else "it ends too early", where)

    def field(self) -> str:
        if self.peek() != "(":
            return "f(y)"
        self.take()
        where = self.here()
        point = self.take()
        if point not in POINTS:
            raise self.error(f"the field's argument must be one of {', '.join(POINTS)}, got {point!r}", where)
        if self.take() != ")":
            raise self.error("missing ')'", self.here())
        return f"f({point})"
