"""Formulas: one term for each topology, with the slides' coefficients, as text and LaTeX."""

import shutil
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import sympy

from feynnn.diagrams.generation import generate
from feynnn.errors import InputError
from feynnn.perturbation.expressions import expression
from feynnn.perturbation.formulas import Formula, diagram_latex, formula
from feynnn.theory import Theory

FREE = Theory.parse("lam*f**4 + kap*f**6")
EXACT = Theory.parse("lam*f**4 + kap*f**6", propagator="exact")


def star(legs: str, extra: str = "") -> str:
    return r"\int\! d^{d}y\, " + " ".join(f"K_W(x_{{{i}}}, y)" for i in legs) + extra


# --- coefficients -----------------------------------------------------------------------------------------------------


def test_coefficients_of_the_slides() -> None:
    four, six = formula(EXACT, 4), formula(EXACT, 6)
    orders: list[Any] = [{}, {"lam": 1}, {"kap": 1}]
    assert [four.coefficients(o) for o in orders] == [[3], [-24], [-360]]
    assert [six.coefficients(o) for o in orders] == [[15], [-360], [-720, -5400]]
    assert [t.diagram.copies for t in six.terms] == [15, 15, 1, 15]
    assert [t.order for t in six.terms] == [(0, 0), (1, 0), (0, 1), (0, 1)]
    assert four.coefficients((1, 0)) == [Fraction(-24)]
    assert four.coefficients({"lam": 2}) == []


def test_coefficients_of_the_free_scheme() -> None:
    """The table of the notes: self-energy insertions and all."""
    assert formula(FREE, 2).coefficients({"lam": 1}) == [-12]
    assert formula(FREE, 2).coefficients({"kap": 1}) == [-90]
    assert formula(FREE, 4).coefficients({"lam": 1}) == [-24, -72]
    assert formula(FREE, 4).coefficients({"kap": 1}) == [-360, -540]
    assert formula(FREE, 6).coefficients({"lam": 1}) == [-360, -540]
    assert formula(FREE, 6).coefficients({"kap": 1}) == [-720, -5400, -4050]
    assert formula(FREE, 4, kind="connected").coefficients({"kap": 1}) == [-360]


@pytest.mark.parametrize("theory", [FREE, EXACT, Theory.parse("g*f**3 + lam/24*y**2*f**4")])
@pytest.mark.parametrize("n", [2, 3, 4])
def test_topologies_add_up_to_all_labelled_diagrams(theory: Theory, n: int) -> None:
    f = formula(theory, n, max_order=2)
    for order in theory.orders_up_to(2):
        labelled = [d.coefficient for d in generate(theory, n, order=order)]
        assert sum(f.coefficients(order)) == sum(labelled)


def test_the_expression_has_one_representative_for_each_topology() -> None:
    f = formula(EXACT, 6)
    assert f.expression() == expression([t.diagram for t in f.terms])
    assert f.expression().coeff(sympy.Symbol("lam")).args[0] == -360
    assert formula(EXACT, 3).expression() == 0


# --- text -------------------------------------------------------------------------------------------------------------


def test_what_a_formula_prints() -> None:
    assert str(formula(EXACT, 6)) == (
        "G^(6) [vacuum-free] =\n"
        "    15 K(x1, x2)*K(x3, x4)*K(x5, x6)   [15 labellings]\n"
        "  - 360 λ K(x1, x2)*Integral(K(x3, y)*K(x4, y)*K(x5, y)*K(x6, y), (y, -Lambda, Lambda))   [15 labellings]\n"
        "  - 720 κ Integral(K(x1, y)*K(x2, y)*K(x3, y)*K(x4, y)*K(x5, y)*K(x6, y), (y, -Lambda, Lambda))\n"
        "  - 5400 κ K(x1, x2)*Integral(K(x3, y)*K(x4, y)*K(x5, y)*K(x6, y)*K(y, y), (y, -Lambda, Lambda))"
        "   [15 labellings]"
    )
    assert repr(formula(EXACT, 6)) == "Formula(G^(6), vacuum-free, 4 topologies)"
    assert str(formula(EXACT, 3)) == "G^(3) = 0"
    assert "1/2 λ Integral" in str(formula(Theory.parse("lam/24*f**4"), 2))


# --- LaTeX ------------------------------------------------------------------------------------------------------------


def test_the_two_formulas_of_the_slides() -> None:
    assert formula(EXACT, 4).to_latex() == (
        r"G^{(4)}(x_{1}, x_{2}, x_{3}, x_{4}) = 3\, K(x_{1}, x_{2}) K(x_{3}, x_{4})"
        rf" - 24\, \lambda {star('1234')} - 360\, \kappa {star('1234', ' K_W(y, y)')}"
    )
    assert formula(EXACT, 6).to_latex() == (
        r"G^{(6)}(x_{1}, x_{2}, x_{3}, x_{4}, x_{5}, x_{6}) = 15\, K(x_{1}, x_{2}) K(x_{3}, x_{4}) K(x_{5}, x_{6})"
        rf" - 360\, \lambda K(x_{{1}}, x_{{2}}) {star('3456')}"
        rf" - \kappa \left[ 720\, {star('123456')} + 5400\, K(x_{{1}}, x_{{2}}) {star('3456', ' K_W(y, y)')} \right]"
    )


@pytest.mark.parametrize(
    ("theory", "n", "options", "expected"),
    [
        ("lam*f**4", 4, {"kind": "connected"}, r"G^{(4)}_{\mathrm{connected}}(x_{1}, x_{2}, x_{3}, x_{4}) = -24\, "),
        ("lam*f**4", 4, {"kind": "1PI"}, r"G^{(4)}_{\mathrm{1PI}}(x_{1}, x_{2}, x_{3}, x_{4}) = -24\, \lambda"),
        ("lam*f**4", 3, {}, r"G^{(3)}(x_{1}, x_{2}, x_{3}) = 0"),
        ("lam*f**4", 0, {"kind": "connected"}, r"\log (Z / Z_0) = -3\, \lambda \int\! d^{d}y\, K_W^{2}(y, y)"),
        ("lam*f**4", 0, {"kind": "all"}, r"Z / Z_0 = 1 - 3\, \lambda \int\! d^{d}y\, K_W^{2}(y, y)"),
        ("lam/24*f**4", 4, {"kind": "connected"}, r" = -\lambda \int\! d^{d}y\, K_W(x_{1}, y)"),
        ("-lam/24*f**4", 4, {"kind": "connected"}, r" = \lambda \int\! d^{d}y\, K_W(x_{1}, y)"),
        ("lam/24*f**4", 2, {"kind": "connected"}, r" = K(x_{1}, x_{2}) - \frac{1}{2}\, \lambda \int"),
        ("lam2*(1 - 6*y**2)*f**4", 4, {"kind": "connected"}, r"-24\, \lambda_{2} \int\! d^{d}y\, (1 - 6 |y|^{2}) K_W"),
        ("lam2*y**2*f**4", 4, {"kind": "connected"}, r"-24\, \lambda_{2} \int\! d^{d}y\, |y|^{2} K_W(x_{1}, y)"),
        ("a*(y - y**3)*f**4", 4, {"kind": "connected"}, r"-24\, a \int\! d^{d}y\, (y - y^{3}) K_W(x_{1}, y)"),
    ],
)
def test_latex_of_other_theories(theory: str, n: int, options: dict[str, Any], expected: str) -> None:
    assert expected in formula(Theory.parse(theory), n, **options).to_latex()


def test_topologies_of_one_order_share_couplings_and_sign() -> None:
    text = formula(Theory.parse("lam*f**4"), 0, max_order=2, kind="connected").to_latex()
    assert r"+ \lambda^{2} \left[ 36\, \int\! d^{d}y_{1}\, \int\! d^{d}y_{2}\, K_W(y_{1}, y_{1}) K_W^{2}" in text
    assert text.endswith(r"+ 12\, \int\! d^{d}y_{1}\, \int\! d^{d}y_{2}\, K_W^{4}(y_{1}, y_{2}) \right]")
    mixed = formula(Theory.parse("g*f**3 + lam*f**4"), 2, max_order={"g": 2}, kind="connected").to_latex()
    assert r"+ g^{2} \left[ 18\, \int" in mixed


def test_latex_of_one_diagram() -> None:
    (d,) = generate(EXACT, 4, order={"lam": 1})
    assert diagram_latex(d) == d.to_latex() == rf"-24\, \lambda {star('1234')}"
    (free,) = generate(EXACT, 2, order={})
    assert free.to_latex() == "K(x_{1}, x_{2})"
    (empty,) = generate(FREE, 0, order={})
    assert empty.to_latex() == "1"


def test_diagrams_stand_in_the_formula_as_pictures() -> None:
    f = formula(EXACT, 4)
    text = f.to_latex(style="diagram")
    assert text.count(r"\begin{tikzpicture}") == 3
    assert r" - 24\, \lambda \vcenter{\hbox{" in text
    assert f._repr_latex_() == rf"$\displaystyle {f.to_latex()}$"
    with pytest.raises(InputError, match="style must be 'integral' or 'diagram', got 'picture'"):
        f.to_latex(style="picture")  # type: ignore[arg-type]


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
def test_latex_compiles(tmp_path: Path) -> None:
    other = Theory.parse("lam_2/24*(1 - 6*y**2)*f**4 + lamNL*f(y)**2*f(z)**2 + yuk*f**3")
    formulas: list[Formula] = [formula(EXACT, 4), formula(EXACT, 6), formula(other, 2, max_order=2)]
    bodies = [f.to_latex() for f in formulas] + [formula(EXACT, 4).to_latex(style="diagram")]
    source = tmp_path / "formula.tex"
    source.write_text(
        "\\documentclass{article}\\usepackage{amsmath,tikz}\\begin{document}\n"
        + "\n".join(f"\\[ {body} \\]" for body in bodies)
        + "\n\\end{document}\n",
        encoding="ascii",
    )
    done = subprocess.run(
        ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", source.name],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    if "tikz.sty' not found" in done.stdout:
        pytest.skip("needs tikz")
    assert done.returncode == 0, done.stdout[-2000:]
