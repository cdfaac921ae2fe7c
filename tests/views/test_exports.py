"""Texts for other programs: read back by a small parser of their own and compared, term by term, with expression()."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import sympy
from export_cases import CASES, IDS, PHI4, RATIONAL, WEIGHTED
from hypothesis import given, settings
from hypothesis import strategies as st

import feynnn as fn
from feynnn.errors import InputError
from feynnn.views.exports import form_text, mathematica_text

# --- a reader of products and sums, for the syntax that both languages share -----------------------------------------

TOKEN = re.compile(r"\s*(?:(\d+)|([A-Za-z][A-Za-z0-9]*)|(.))", re.DOTALL)


@dataclass
class Reader:
    """Recursive descent over a whitelist of tokens; `call` makes what a head with arguments stands for."""

    tokens: list[str]
    brackets: str
    call: Callable[[Any, list[Any]], Any]

    def take(self, *expected: str) -> str:
        token = self.tokens.pop(0)
        assert not expected or token in expected, (token, expected)
        return token

    def whole(self) -> Any:
        value = self.sum()
        assert not self.tokens, self.tokens
        return value

    def sum(self) -> Any:
        sign = self.take("+", "-") if self.tokens[0] in "+-" else "+"
        value = self.product() if sign == "+" else -self.product()
        while self.tokens and self.tokens[0] in "+-":
            value = value + self.product() if self.take() == "+" else value - self.product()
        return value

    def product(self) -> Any:
        value = self.power()
        while self.tokens and self.tokens[0] in "*/":
            if self.take() == "*":
                value = value * self.power()
            else:
                value = value / sympy.Integer(self.take())
        return value

    def power(self) -> Any:
        value = self.atom()
        if self.tokens and self.tokens[0] == "^":
            self.take("^")
            value = value ** int(self.take())
        return value

    def atom(self) -> Any:
        token = self.take()
        if token == "(":
            value = self.sum()
            self.take(")")
            return value
        if token == "{":
            return tuple(self.arguments("}"))
        if token.isdecimal():
            return sympy.Integer(token)
        assert re.fullmatch(r"[A-Za-z][A-Za-z0-9]*", token), token
        value = token
        while self.tokens and self.tokens[0] == self.brackets[0]:
            self.take()
            value = self.call(value, self.arguments(self.brackets[1]))
        return sympy.Symbol(value) if isinstance(value, str) else value

    def arguments(self, end: str) -> list[Any]:
        found = [self.sum()]
        while self.take(",", end) == ",":
            found.append(self.sum())
        return found


def tokens(text: str) -> list[str]:
    return [number or name or other for number, name, other in TOKEN.findall(text.strip())]


def read_mathematica(text: str) -> Any:
    """The Wolfram expression as sympy, renamed couplings named as before."""
    comments = dict(re.findall(r"\(\* (\w+) is (\w+) \*\)\n", text))
    box = sympy.Symbol("Lambda", positive=True)

    def call(head: Any, arguments: list[Any]) -> Any:
        if head == "Inactive":
            assert [str(a) for a in arguments] == ["Integrate"]
            return arguments
        if isinstance(head, list):
            body, *limits = arguments
            assert all(limit[1:] == (-sympy.Symbol("Lambda"), sympy.Symbol("Lambda")) for limit in limits)
            return sympy.Integral(body, *((y, -box, box) for y, _, _ in limits))
        return sympy.Function(comments.get(head, head))(*arguments)

    found = Reader(tokens(re.sub(r"\(\*.*?\*\)\n", "", text)), "[]", call).whole()
    return found.subs({sympy.Symbol(new): sympy.Symbol(old) for new, old in comments.items()})


@dataclass
class Program:
    """What a FORM program declares and holds."""

    symbols: list[str]
    functions: list[str]
    name: str
    renamed: dict[str, str]
    value: Any


def read_form(text: str) -> Program:
    renamed = dict(re.findall(r"^\* (\w+) is (\w+)$", text, re.MULTILINE))
    statements = re.sub(r"^\*.*\n", "", text, flags=re.MULTILINE).split(";")
    assert statements.pop() == "\n.end\n"
    assert statements.pop().strip() == "Print +s"
    declared: dict[str, list[str]] = {"Symbols": [], "CFunctions": []}
    *declarations, definition = (s.strip() for s in statements)
    for line in declarations:
        kind, names = line.split(" ", 1)
        declared[kind] = names.split(",")
    match = re.fullmatch(r"Local (\w+) =\n(.*)", definition, re.DOTALL)
    assert match

    def call(head: Any, arguments: list[Any]) -> Any:
        assert f"{head}(symmetric)" in declared["CFunctions"]
        return sympy.Function(head)(*arguments)

    value = Reader(tokens(match[2]), "()", call).whole()
    assert {s.name for s in value.free_symbols} <= set(declared["Symbols"])
    return Program(declared["Symbols"], declared["CFunctions"], match[1], renamed, value)


# --- both against expression(), on a lattice of two sites where everything is a rational number ----------------------

SITES = (Fraction(2), Fraction(-3, 5))


def kernel(name: str, a: Fraction, b: Fraction) -> Fraction:
    """A symmetric function, another one for each name."""
    return (a + b) ** 2 + a * b * len(name) + Fraction(1, 7)


def evaluate(e: Any, at: dict[str, Fraction]) -> Fraction:
    """A sympy expression on the lattice: an integral is the sum over the sites."""
    if isinstance(e, sympy.Rational):
        return Fraction(int(e.p), int(e.q))
    if isinstance(e, sympy.Symbol):
        return at[e.name]
    if isinstance(e, sympy.Integral):
        names = [limit[0].name for limit in e.limits]
        values = (
            evaluate(e.function, at | dict(zip(names, s, strict=True))) for s in product(SITES, repeat=len(names))
        )
        return sum(values, Fraction(0))
    parts = [evaluate(a, at) for a in e.args]
    if isinstance(e, sympy.Add):
        return sum(parts, Fraction(0))
    if isinstance(e, sympy.Pow):
        return parts[0] ** int(parts[1])
    if isinstance(e, sympy.Mul):
        result = Fraction(1)
        for p in parts:
            result *= p
        return result
    assert isinstance(e, sympy.core.function.AppliedUndef)
    return kernel(e.func.__name__, *parts)


def evaluate_form(program: Program, at: dict[str, Fraction]) -> Fraction:
    """The integrand, each term summed over the points y that it contains."""
    total = Fraction(0)
    names = {new: at[old] for new, old in program.renamed.items() if old in at}
    for term in sympy.Add.make_args(program.value):
        inner = sorted(s.name for s in term.free_symbols if re.fullmatch(r"y\d*", s.name))
        for sites in product(SITES, repeat=len(inner)):
            total += evaluate(term, at | names | dict(zip(inner, sites, strict=True)))
    return total


def values(theory: fn.Theory, n: int) -> dict[str, Fraction]:
    couplings = {c: Fraction(k + 2, 2 * k + 3) for k, c in enumerate(theory.couplings)}
    return couplings | {f"x{k + 1}": SITES[(k + 1) // 2 % 2] for k in range(n)}


@pytest.mark.parametrize(("theory", "n", "order", "kind"), CASES, ids=IDS)
def test_mathematica_is_the_expression(theory: fn.Theory, n: int, order: Any, kind: Any) -> None:
    ds = fn.generate(theory, n, order=order, kind=kind)
    for d in ds:
        assert read_mathematica(d.to_mathematica()) == d.expression()
    assert read_mathematica(ds.to_mathematica()) == fn.expression(ds)


@pytest.mark.parametrize(("theory", "n", "order", "kind"), CASES, ids=IDS)
def test_form_is_the_expression(theory: fn.Theory, n: int, order: Any, kind: Any) -> None:
    at = values(theory, n)
    ds = fn.generate(theory, n, order=order, kind=kind)
    total = Fraction(0)
    for d in ds[:: max(1, len(ds) // 12)]:
        program = read_form(d.to_form())
        assert program.name == "D1"
        assert evaluate_form(program, at) == evaluate(d.expression(), at) != 0
        total += evaluate(d.expression(), at)
    whole = read_form(form_text(ds[:: max(1, len(ds) // 12)]))
    assert whole.name == "Dsum"
    assert evaluate_form(whole, at) == total


def test_form_of_a_connected_diagram_is_the_integrand_itself() -> None:
    for d in fn.generate(RATIONAL, 4, order=(1, 1), kind="connected"):
        integrand = d.expression().replace(sympy.Integral, lambda body, *limits: body)
        assert read_form(d.to_form()).value == integrand


@pytest.mark.parametrize("external", ["labelled", "indistinguishable"])
def test_a_set_is_the_sum_of_its_diagrams(external: Any) -> None:
    ds = fn.generate(PHI4, 4, order=2, external=external)
    assert read_mathematica(ds.to_mathematica()) == fn.expression(ds)
    assert read_form(ds.to_form()).value == sum(read_form(d.to_form()).value for d in ds)
    assert read_mathematica(mathematica_text([ds[0], ds[2]])) == fn.expression([ds[0], ds[2]])


def test_texts_of_one_diagram() -> None:
    # -(1/2) times -(-1/3), times 4! (2! 4!) / (3! 2) contractions
    d = fn.Diagram.from_edges(WEIGHTED, 2, {"lam_0": 1, "q": 1}, [(0, 2), (1, 4), (2, 4), (2, 4), (2, 4), (3, 3)])
    assert d.to_mathematica(vertex_kernel="K_v") == (
        "(* Kv is K_v *)\n(* lam0 is lam_0 *)\n"
        "-16*lam0*q*Inactive[Integrate][(1 - 6*y1^2)*(5*y3^2 - 3*y2 - 3*y2^2*y3)"
        "*Kv[x1, y1]*Kv[x2, y3]*Kv[y1, y3]^3*Kv[y2, y2], "
        "{y1, -Lambda, Lambda}, {y2, -Lambda, Lambda}, {y3, -Lambda, Lambda}]"
    )
    assert d.to_form(vertex_kernel="K_v") == (
        "* Kv is K_v\n* lam0 is lam_0\n"
        "* integrate each term over its y in [-Lambda,Lambda]^d; y^2 is |y|^2\n"
        "Symbols lam0,q,x1,x2,y1,y2,y3;\n"
        "CFunctions K(symmetric),Kv(symmetric);\n"
        "Local D1 =\n"
        "  -16*lam0*q*(1 - 6*y1^2)*(5*y3^2 - 3*y2 - 3*y2^2*y3)*Kv(x1,y1)*Kv(x2,y3)*Kv(y1,y3)^3*Kv(y2,y2)\n"
        "  ;\nPrint +s;\n.end\n"
    )


def test_equal_components_are_a_power() -> None:
    d = fn.Diagram.from_edges(PHI4, 0, 2, [(0, 0), (0, 0), (1, 1), (1, 1)])
    assert d.to_mathematica() == "9/2*lam^2*Inactive[Integrate][K[y, y]^2, {y, -Lambda, Lambda}]^2"
    assert "  +9/2*lam^2*K(y1,y1)^2*K(y2,y2)^2\n" in d.to_form()


def test_no_line_of_the_wolfram_text_ends_the_expression_early() -> None:
    lines = fn.generate(PHI4, 4, order=1).to_mathematica().splitlines()
    assert len(lines) == 7
    assert all(line.endswith(" -") for line in lines[:-1])
    assert not lines[-1].endswith("-")


def test_nothing_and_one() -> None:
    empty = fn.generate(PHI4, 3, order=1)
    assert empty.to_mathematica() == "0"
    assert read_form(empty.to_form()).value == 0
    one = fn.generate(PHI4, 0, order=0)[0]
    assert one.to_mathematica() == "1"
    assert one.to_form() == "Local D1 =\n  +1\n  ;\nPrint +s;\n.end\n"


# --- names -----------------------------------------------------------------------------------------------------------

AWKWARD = ["nl_2", "nl2", "n_l2", "y_1", "D1", "D_1", "Dsum", "K_", "Kv", "E", "gE", "E_", "I", "Pi", "x_2", "lam__"]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from(AWKWARD), unique=True, min_size=1, max_size=6), st.sampled_from(["K", "K_v", "K__"]))
def test_names_stay_apart_and_legal(couplings: list[str], vertex_kernel: str) -> None:
    theory = fn.Theory([fn.Interaction(4, c) for c in couplings])
    edges = [(0, 2), (1, 1 + len(couplings)), *((k, k) for k in range(2, 2 + len(couplings)))]
    edges += [(k, k + 1) for k in range(2, 1 + len(couplings))]
    d = fn.Diagram.from_edges(theory, 2, (1,) * len(couplings), edges)
    expected = fn.expression(d, vertex_kernel=vertex_kernel)
    program = read_form(d.to_form(vertex_kernel=vertex_kernel))
    names = [*program.symbols, *(f.removesuffix("(symmetric)") for f in program.functions), program.name]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9]*", name) for name in names)
    new = {old: n for n, old in program.renamed.items()}
    named = program.value.subs({sympy.Symbol(new[c]): sympy.Symbol(c) for c in couplings if c in new})
    named = named.replace(sympy.Function(new.get(vertex_kernel, vertex_kernel)), sympy.Function(vertex_kernel))
    assert named == expected.replace(sympy.Integral, lambda body, *limits: body)
    text = d.to_mathematica(vertex_kernel=vertex_kernel)
    assert "_" not in re.sub(r"\(\*.*?\*\)", "", text)
    assert read_mathematica(text) == expected
    used = {
        s.name for s in Reader(tokens(re.sub(r"\(\*.*?\*\)\n", "", text)), "[]", lambda h, a: a[0]).whole().free_symbols
    }
    assert all(name[0].islower() for name in used)  # capitals are the language's own: E, I, Pi


@pytest.mark.parametrize("name", ["D", "N", "E", "Print", "Integrate", "K__"])
def test_kernels_do_not_become_the_wolfram_language_s_own(name: str) -> None:
    d = fn.generate(PHI4, 2, order=1)[0]
    text = d.to_mathematica(vertex_kernel=name)
    new = "g" + name.replace("_", "")
    assert text.startswith(f"(* {new} is {name} *)\n") and f"{new}[x1, y]" in text
    assert read_mathematica(text) == fn.expression(d, vertex_kernel=name)
    kept = d.to_mathematica(vertex_kernel="kern")
    assert "(*" not in kept and "kern[x1, y]" in kept


@pytest.mark.parametrize("write", [form_text, mathematica_text])
def test_kernels_that_cannot_be_named(write: Callable[..., str]) -> None:
    d = fn.generate(PHI4, 2, order=1)[0]
    for bad, message in (
        ("K v", "must be an ASCII name"),
        ("", "must be"),
        ("lam", "already the name"),
        ("y1", "already"),
    ):
        with pytest.raises(InputError, match=message):
            write(d, vertex_kernel=bad)
    with pytest.raises(InputError, match="only diagrams can be exported, got 'star'"):
        write([d, "star"])


# --- the programs themselves, where they are installed ---------------------------------------------------------------


def test_form_runs_it(tmp_path: Path) -> None:
    form = shutil.which("form") or shutil.which("tform")
    if form is None:
        pytest.skip("FORM is not installed")
    for theory, n, order, kind in CASES:
        ds = fn.generate(theory, n, order=order, kind=kind)[:20]
        file = tmp_path / "d.frm"
        file.write_text(ds.to_form(), encoding="ascii")
        done = subprocess.run([form, "-q", str(file)], capture_output=True, text=True, check=True)
        printed = re.search(r"Dsum =\n(.*);", done.stdout, re.DOTALL)
        assert printed, done.stdout
        # FORM multiplies weights out, sorts terms and adds equal ones
        text = re.sub(r"\\\n\s*", "", printed[1])
        program = read_form(ds.to_form())
        value = Reader(tokens(text), "()", lambda head, args: sympy.Function(head)(*args)).whole()
        at = values(theory, n)
        assert evaluate_form(Program([], [], "", program.renamed, value), at) == evaluate(fn.expression(ds), at)
