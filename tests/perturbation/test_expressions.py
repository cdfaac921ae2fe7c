"""Expressions: exact coefficients, vacuum cancellation, the zero-dimensional theory, LaTeX."""

import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import pytest
import sympy
from sympy import Function, Integral, Rational, Symbol

from feynnn.combinatorics import double_factorial
from feynnn.diagrams.generation import generate
from feynnn.errors import InputError
from feynnn.perturbation.expressions import LAMBDA, coefficient, expression, integral, ratio, to_latex
from feynnn.theory import Theory

FREE = Theory.parse("lam*f**4 + kap*f**6")
EXACT = Theory.parse("lam*f**4 + kap*f**6", propagator="exact")
LAM, KAP = Symbol("lam"), Symbol("kap")
K = Function("K")
X = [Symbol(f"x{k + 1}") for k in range(6)]
Y, Y1, Y2 = sympy.symbols("y y1 y2")


def box(integrand: sympy.Expr, *points: sympy.Symbol) -> sympy.Expr:
    return Integral(integrand, *[(y, -LAMBDA, LAMBDA) for y in points])


def star(*legs: int) -> sympy.Expr:
    return sympy.Mul(*(K(X[i], Y) for i in legs))


def one(expr: sympy.Expr) -> sympy.Expr:
    """Every kernel and every integral replaced by 1: the zero-dimensional theory."""
    inside = expr.replace(lambda e: isinstance(e, sympy.core.function.AppliedUndef), lambda _: sympy.Integer(1))
    return sympy.expand(inside.replace(lambda e: isinstance(e, Integral), lambda e: e.function))


def truncated(expr: sympy.Expr, order: int) -> sympy.Expr:
    """The terms of a polynomial in lam and kap of at most `order` vertices."""
    t = Symbol("t")
    poly = sympy.expand(expr.subs({LAM: t * LAM, KAP: t * KAP}, simultaneous=True))
    return sum((poly.coeff(t, k) for k in range(order + 1)), sympy.Integer(0))


# --- the slides' terms ------------------------------------------------------------------------------------------------


def test_the_four_point_function_of_the_slides() -> None:
    free = K(X[0], X[1]) * K(X[2], X[3]) + K(X[0], X[2]) * K(X[1], X[3]) + K(X[0], X[3]) * K(X[1], X[2])
    expected = free - 24 * LAM * box(star(0, 1, 2, 3), Y) - 360 * KAP * box(star(0, 1, 2, 3) * K(Y, Y), Y)
    assert ratio(EXACT, 4).series == expected


def test_the_six_point_function_of_the_slides() -> None:
    series = sympy.expand(ratio(EXACT, 6).series)
    pairs = [(i, j) for i in range(6) for j in range(i)]
    lam = sum(K(X[j], X[i]) * box(star(*(k for k in range(6) if k not in (i, j))), Y) for i, j in pairs)
    assert series.coeff(LAM) == sympy.expand(-24 * lam)
    loop = sum(K(X[j], X[i]) * box(star(*(k for k in range(6) if k not in (i, j))) * K(Y, Y), Y) for i, j in pairs)
    assert series.coeff(KAP) == sympy.expand(-720 * box(star(*range(6)), Y) - 360 * loop)
    assert one(series) == 15 - 360 * LAM - (720 + 5400) * KAP


def test_a_repeated_line_is_a_power_and_a_loop_keeps_its_point() -> None:
    (d,) = generate(Theory.parse("lam*f**4"), 4, order=2, kind="connected").filter(
        lambda d: (0, 4) in d.edges and (1, 4) in d.edges and not d.has_self_loop and not d.has_self_energy
    )
    bubble = K(X[0], Y1) * K(X[1], Y1) * K(X[2], Y2) * K(X[3], Y2) * K(Y1, Y2) ** 2
    assert expression(d) == d.expression() == 288 * LAM**2 * box(bubble, Y1, Y2)
    assert (coefficient(d), integral(d)) == (288 * LAM**2, box(bubble, Y1, Y2))
    (tadpole,) = generate(Theory.parse("lam*f**4"), 2, order=1)
    assert integral(tadpole, vertex_kernel="K_v").function.has(Function("K_v")(Y, Y))


def test_equal_components_have_equal_names() -> None:
    """Two tadpoles on two lines multiply to a product of integrals over one variable each."""
    d = next(d for d in generate(Theory.parse("lam*f**4"), 4, order=2) if len(d.components) == 2 and d.n_loops == 2)
    assert integral(d).free_symbols >= {LAMBDA, *X[:4]}
    (vacuum,) = (d for d in generate(Theory.parse("lam*f**4"), 0, order=2, kind="all") if len(d.components) == 2)
    assert expression(vacuum) == Rational(9, 2) * LAM**2 * box(K(Y, Y) ** 2, Y) ** 2


def test_factors_profiles_and_bilocal_vertices() -> None:
    def term(text: str, n: int = 4) -> sympy.Expr:
        return expression(generate(Theory.parse(text), n, order=1, kind="connected"))

    four = star(0, 1, 2, 3)
    assert term("lam/24*f**4") == -LAM * box(four, Y)
    assert term("lam/24*f**4", 2) == -LAM / 2 * box(star(0, 1) * K(Y, Y), Y)
    assert term("-lam*f**4") == 24 * LAM * box(four, Y)
    assert term("lam2*y**2*f**4") == -24 * Symbol("lam2") * box(Y**2 * four, Y)
    assert term("lam*(1/3 - 2*y**2)*f**4") == -8 * LAM * box((1 - 6 * Y**2) * four, Y)
    nl = Symbol("nl")
    channels = [(0, 1, 2, 3), (0, 2, 1, 3), (0, 3, 1, 2)]
    expected = sum(
        -8 * nl * box(K(X[a], Y1) * K(X[b], Y1) * K(X[c], Y2) * K(X[d], Y2), Y1, Y2) for a, b, c, d in channels
    )
    assert sympy.expand(term("nl*f(y)**2*f(z)**2") - expected) == 0
    weighted = term("nl*y**2*z*f(y)**2*f(z)**2")
    # six labelled diagrams of -4: the weight tells the two points apart
    assert len(weighted.args) == 6
    assert one(weighted) == -24 * nl * Y1**2 * Y2


def test_several_diagrams_add_and_nothing_is_zero() -> None:
    ds = generate(FREE, 4, order={"lam": 1})
    assert expression(ds) == expression(list(ds)) == expression(iter(ds)) == sum(expression(d) for d in ds)
    assert expression([]) == 0
    assert expression(generate(FREE, 4, order={})) == ratio(FREE, 4, max_order=0).series
    (empty,) = generate(FREE, 0, order={})
    assert expression(empty) == 1
    with pytest.raises(InputError, match="takes diagrams, got 1"):
        expression([1])  # type: ignore[list-item]


def test_a_diagram_that_stands_for_copies_counts_them() -> None:
    (d,) = generate(EXACT, 6, order={"lam": 1}, external="indistinguishable")
    assert d.copies == 15
    assert expression(d) == -360 * LAM * K(X[0], X[1]) * box(star(2, 3, 4, 5), Y)


# --- vacuum cancellation ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "order"), [(2, 1), (2, 2), (4, 1)])
def test_numerator_minus_series_times_denominator_vanishes(n: int, order: int) -> None:
    r = ratio(FREE, n, max_order=order)
    assert truncated(r.numerator - r.series * r.denominator, order) == 0
    assert truncated(r.numerator - r.series, order) != 0


def test_vacuum_components_cancel_from_four_points_at_second_order() -> None:
    r = ratio(Theory.parse("lam*f**4"), 4, max_order=2)
    assert truncated(r.numerator - r.series * r.denominator, 2) == 0


@pytest.mark.parametrize("theory", [Theory.parse("g*f**3"), Theory.parse("lam*y**2*f**4"), Theory.parse("g*f(y)*f(z)")])
def test_cancellation_in_other_theories(theory: Theory) -> None:
    r = ratio(theory, 2, max_order=2)
    c = Symbol(theory.couplings[0])
    rest = sympy.expand(r.numerator - r.series * r.denominator)
    assert all(rest.coeff(c, k) == 0 for k in range(3))


def test_a_ratio_shows_its_parts_and_follows_the_scheme_in_the_quotient_only() -> None:
    free, exact = ratio(FREE, 2), ratio(EXACT, 2)
    assert (free.numerator, free.denominator) == (exact.numerator, exact.denominator)
    assert exact.series == K(X[0], X[1])
    assert free.series != exact.series
    assert str(ratio(Theory.parse("lam*f**4"), 2)) == (
        "numerator:\n  -3*lam*K(x1, x2)*Integral(K(y, y)**2, (y, -Lambda, Lambda))"
        " - 12*lam*Integral(K(x1, y)*K(x2, y)*K(y, y), (y, -Lambda, Lambda)) + K(x1, x2)\n"
        "Z/Z_0:\n  -3*lam*Integral(K(y, y)**2, (y, -Lambda, Lambda)) + 1\n"
        "ratio:\n  -12*lam*Integral(K(x1, y)*K(x2, y)*K(y, y), (y, -Lambda, Lambda)) + K(x1, x2)"
    )
    ordered = ratio(Theory.parse("lam*f**4", normal_ordered=True), 2)
    assert (ordered.numerator, ordered.denominator) == (K(X[0], X[1]), 1)


# --- the zero-dimensional theory --------------------------------------------------------------------------------------


def zero_dimensional(n: int, order: int) -> sympy.Expr:
    """Series of integral f^n exp(-f^2/2 - lam f^4 - kap f^6) / Z from the moments (2k - 1)!!."""

    def moments(points: int) -> sympy.Expr:
        total = sympy.Integer(0)
        for a in range(order + 1):
            for b in range(order + 1 - a):
                size = double_factorial(points + 4 * a + 6 * b - 1)
                total += (-LAM) ** a * (-KAP) ** b * size / sympy.factorial(a) / sympy.factorial(b)
        return total

    z = moments(0) - 1
    return truncated(sympy.expand(moments(n) * sum((-z) ** k for k in range(order + 1))), order)


@pytest.mark.parametrize(("n", "order"), [(2, 0), (2, 1), (2, 2), (4, 1), (6, 1)])
def test_replacing_every_kernel_by_one(n: int, order: int) -> None:
    assert one(ratio(FREE, n, max_order=order).series) == zero_dimensional(n, order)


def test_totals_of_contractions_at_second_order() -> None:
    quartic = Theory.parse("lam*f**4")
    for n, total in ((2, 768), (4, 9504)):
        assert one(expression(generate(quartic, n, order=2))) == Rational(total, 2) * LAM**2
    assert zero_dimensional(6, 2).coeff(LAM, 2) == Fraction(128160, 2)


# --- LaTeX ------------------------------------------------------------------------------------------------------------


def test_latex_has_greek_couplings_and_the_vertex_kernel() -> None:
    ds = generate(Theory.parse("lam*f**4"), 2, order=1)
    assert to_latex(expression(ds, vertex_kernel="K_v")) == (
        r"- 12 \lambda \int\limits_{- \Lambda}^{\Lambda} K_W{\left(x_{1},y \right)} K_W{\left(x_{2},y \right)} "
        r"K_W{\left(y,y \right)}\, dy"
    )
    names = {"kap": r"\kappa", "lam2": r"\lambda_{2}", "lam_2": r"\lambda_{2}", "lamNL": r"\lambda_{NL}", "g": "g"}
    for name, latex in names.items():
        assert to_latex(3 * Symbol(name)) == f"3 {latex}"
    assert to_latex(Symbol("xi") * Symbol("yuk") * Symbol("x12")) == r"x_{12} \xi \mathrm{yuk}"


def test_latex_of_a_ratio() -> None:
    text = ratio(Theory.parse("g*f**3"), 1).to_latex()
    assert text == (
        r"G^{(1)}(x_{1}) = \frac{- 3 g \int\limits_{- \Lambda}^{\Lambda} K{\left(x_{1},y \right)} K{\left(y,y \right)}"
        r"\, dy}{1} = - 3 g \int\limits_{- \Lambda}^{\Lambda} K{\left(x_{1},y \right)} K{\left(y,y \right)}\, dy"
        r" + \cdots"
    )
    r = ratio(FREE, 4)
    assert r._repr_latex_() == f"${r.to_latex()}$"


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
def test_latex_compiles(tmp_path: Path) -> None:
    theory = Theory.parse("lam/24*f**4 + kap_2*(1 - 6*y**2)*f**6 + lamNL*y*z**2*f(y)**2*f(z)**2 + yuk*f**3")
    bodies = [ratio(theory, n).to_latex() for n in (1, 2)] + [ratio(FREE, 4).to_latex()]
    lines = "\n".join(f"\\[ {body} \\]" for body in bodies)
    source = tmp_path / "ratio.tex"
    source.write_text(
        "\\documentclass{article}\\usepackage{amsmath}\\begin{document}\n" + lines + "\n\\end{document}\n",
        encoding="ascii",
    )
    done = subprocess.run(
        ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", source.name],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "ratio.pdf").stat().st_size > 1000
