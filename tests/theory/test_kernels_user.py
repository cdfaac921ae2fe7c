"""FromExpression: formulas against the built-in kernels and 40 digits, what is found out and what is refused."""

import json
import math
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

import feynnn as fn
from feynnn.errors import DivergenceError, InputError
from feynnn.points import Array
from feynnn.theory.kernels import Erf, FreeScalar, FromExpression, Gauss, Kernel, ReLU
from feynnn.theory.kernels.program import Program
from feynnn.theory.kernels.records import kernel_from_dict, kernel_to_dict

BUILT_IN = [
    kernel
    for d in (1, 2, 3)
    for kernel in (
        Gauss(d_in=d),
        Gauss(1.3, 0.0, d),
        Erf(d_in=d),
        Erf(0.7, 0.3, d),
        ReLU(d_in=d),
        ReLU(1.2, 0.1, d),
        ReLU(sigma_b=0, d_in=d),
        FreeScalar(0.7, d),
    )
]
X = sympy.Symbol("x")
Y = sympy.Symbol("y")


def near_and_far(d_in: int) -> tuple[Array, Array]:
    """Points and partners: others, equal, nearly equal, nearly parallel and antiparallel."""
    rng = np.random.default_rng(5)
    x = rng.uniform(-2, 2, (12, d_in))
    return x, np.concatenate([rng.uniform(-2, 2, (12, d_in)), x, x * (1 + 1e-7), x + 1e-4, 3 * x, -x, -x * (1 + 1e-9)])


@pytest.mark.parametrize("kernel", BUILT_IN, ids=repr)
def test_a_built_in_kernels_expression_is_the_kernel(kernel: Kernel) -> None:
    copy = FromExpression(kernel.expression, kernel.d_in)
    assert copy.diagonal == kernel.diagonal
    assert copy.translation_invariant == kernel.translation_invariant
    x, y = near_and_far(kernel.d_in)
    if kernel.diagonal == "singular":
        y = y + 5
        np.testing.assert_allclose(copy(x, y), kernel(x, y), rtol=3e-14)
        assert np.isinf(np.diag(copy(x, x))).all()
        return
    size = np.sqrt(np.outer(kernel.at_coincidence(x), kernel.at_coincidence(y)))
    assert (np.abs(copy(x, y) - kernel(x, y)) / size).max() < 2e-15
    np.testing.assert_allclose(copy.at_coincidence(x), kernel.at_coincidence(x), rtol=2e-15)


@pytest.mark.parametrize("kernel", BUILT_IN, ids=repr)
def test_text_sympy_and_file_give_the_same_bits(kernel: Kernel) -> None:
    copy = FromExpression(kernel.expression, kernel.d_in)
    data = json.loads(json.dumps(kernel_to_dict(copy)))
    read = kernel_from_dict(data)
    text = FromExpression(str(kernel.expression), kernel.d_in)
    assert read == copy == text
    assert hash(read) == hash(copy)
    assert repr(read) == repr(copy)
    x, y = near_and_far(kernel.d_in)
    y = y + 5 * (kernel.diagonal == "singular")
    np.testing.assert_array_equal(read(x, y), copy(x, y))
    np.testing.assert_array_equal(text(x, y), copy(x, y))


@pytest.mark.parametrize(
    ("kernel", "length", "cutoff"),
    [
        (Gauss(sigma_b=0), 1.0, math.inf),
        (Gauss(), None, 2.0),
        (FreeScalar(1.0), 1.0, math.inf),
        (FreeScalar(1.0), None, 2.0),
        (Erf(bias=False), None, 3.0),
        (ReLU(0.8, 0.4), None, 1.0),
    ],
    ids=repr,
)
def test_correlators_are_those_of_the_built_in_kernel(kernel: Kernel, length: float | None, cutoff: float) -> None:
    theory, x = fn.Theory.parse("lam*f**4", propagator="exact"), [0.1, 0.7]
    copy = FromExpression(kernel.expression, decay_length=length)
    series = [
        fn.Correlator(theory, 4, kernel=k, cutoff=fn.Cutoff(cutoff), kind="connected").series(x, max_order=2, rtol=1e-9)
        for k in (kernel, copy)
    ]
    for order in ((1,), (2,)):
        np.testing.assert_allclose(series[1][order].values, series[0][order].values, rtol=1e-8)


def test_a_product_is_integrated_coordinate_by_coordinate() -> None:
    theory, x = fn.Theory.parse("lam*f**4", propagator="exact"), [[0.1, 0.2, -0.3], [0.5, 0.0, 0.4]]
    gauss = Gauss(1.2, 0.0, 3)
    copy = FromExpression(gauss.expression, 3, decay_length=1.5)
    values = [
        fn.Correlator(theory, 4, kernel=k, cutoff=fn.Cutoff(), kind="connected").series(x, max_order=2)[{"lam": 2}]
        for k in (gauss, copy)
    ]
    np.testing.assert_allclose(values[1].values, values[0].values, rtol=1e-10)
    product = fn.kernels.FromExpression("3*exp(-Abs(x_1 - y_1) - (x_2 - y_2)**2/pi)*erf(1 + x_2*y_2)", 2)
    axes = product.axes()
    assert axes is not None
    assert [a.diagonal for a in axes] == ["kink", "smooth"]
    a, b = np.random.default_rng(1).normal(size=(2, 5, 2))
    parts = [axis(a[:, k], b[:, k]) for k, axis in enumerate(axes)]
    np.testing.assert_allclose(parts[0] * parts[1], product(a, b), rtol=1e-14)


@pytest.mark.parametrize(
    "text",
    [
        "1 + exp(-(x_1 - y_1)**2 - (x_2 - y_2)**2)",
        "exp(-sqrt((x_1 - y_1)**2 + (x_2 - y_2)**2))",
        "(x_1 - y_1)*(x_2 - y_2)",
        "x_1*y_2 + x_2*y_1",
    ],
)
def test_what_is_no_product_of_kernels_has_no_axes(text: str) -> None:
    assert FromExpression(text, 2).axes() is None


# --- the grammar ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("exp(-(x - y)**2/2)", lambda x, y: mpmath.exp(-((x - y) ** 2) / 2)),
        ("2 - -x*y/3 + +1", lambda x, y: 3 + x * y / 3),
        ("x*y/2/3*4", lambda x, y: x * y * 2 / 3),
        ("1 - x*y - x*y + x*y", lambda x, y: 1 - x * y),
        ("-(x*y)**2", lambda x, y: -((x * y) ** 2)),
        ("2**-(x*y)", lambda x, y: 2 ** (-x * y)),
        ("2**3**2*x*y", lambda x, y: 512 * x * y),
        ("(1 + x*x*y*y)**1.5", lambda x, y: (1 + (x * y) ** 2) ** 1.5),
        ("(1 + x*x*y*y)**(-1/3)", lambda x, y: mpmath.cbrt(1 + (x * y) ** 2) ** -1),
        ("1/sqrt(1 + (x - y)**2)", lambda x, y: 1 / mpmath.sqrt(1 + (x - y) ** 2)),
        ("Max(0, 1 - Abs(x - y)) + Min(x, y, 1)", lambda x, y: max(0, 1 - abs(x - y)) + min(x, y, 1)),
        ("atan2(x*y, 1) + atan(x*y) + acos(x*y/8) + asin(x*y/8)", lambda x, y: 2 * mpmath.atan(x * y) + mpmath.pi / 2),
        ("cosh(x*y) - sinh(x*y) + tanh(x + y)", lambda x, y: mpmath.exp(-x * y) + mpmath.tanh(x + y)),
        ("cos(x - y) + sin(x*y)", lambda x, y: mpmath.cos(x - y) + mpmath.sin(x * y)),
        ("tan(x*y/9)", lambda x, y: mpmath.tan(x * y / 9)),
        ("erf(x*y) + 2*erfc(x + y)", lambda x, y: mpmath.erf(x * y) + 2 * mpmath.erfc(x + y)),
        ("sinc(x - y) + log(1 + x*x + y*y)", lambda x, y: mpmath.sinc(x - y) + mpmath.log(1 + x * x + y * y)),
        ("besselk(1/2, 1 + Abs(x - y))", lambda x, y: mpmath.besselk(0.5, 1 + abs(x - y))),
        ("1e-3*x*y + 0.1", lambda x, y: x * y / 1000 + mpmath.mpf(1) / 10),
        ("pi", lambda x, y: mpmath.pi),
    ],
)  # fmt: skip
def test_formulas_mean_what_they_say(text: str, value: Any) -> None:
    kernel = FromExpression(text)
    x, y = np.array([0.3, -1.1, 2.0]), np.array([0.9, 1.7])
    with mpmath.workdps(40):
        expected = [[float(value(mpmath.mpf(a), mpmath.mpf(b))) for b in y] for a in x]
    np.testing.assert_allclose(kernel(x, y), expected, rtol=5e-15, atol=5e-16)


def test_parameters_are_put_in() -> None:
    kernel = FromExpression("a*exp(-(x - y)**2/l)", a=Fraction(1, 3), l=0.1)
    assert kernel.expression == sympy.exp(-10 * (sympy.Symbol("x", real=True) - sympy.Symbol("y", real=True)) ** 2) / 3
    a = sympy.Symbol("a", positive=True)
    assert FromExpression(a * X * Y, a=2) == FromExpression("2*x*y")
    assert FromExpression(0.1 * X * Y) == FromExpression("x*y/10")


@given(st.floats(0.1, 3), st.floats(-2, 2), st.floats(-2, 2))
@settings(max_examples=20, deadline=None)
def test_any_parameter_is_kept_to_its_last_digit(rate: float, x: float, y: float) -> None:
    kernel = FromExpression("exp(-r*Abs(x - y))", r=rate)
    assert kernel([x], [y])[0, 0] == pytest.approx(math.exp(-rate * abs(x - y)), rel=4e-16)


def test_rounding_is_not_taken_for_something_complex() -> None:
    # an expanded square is negative by rounding where it vanishes, and a cosine beyond 1
    points = np.linspace(-2, 2, 301)
    distance = FromExpression("exp(-sqrt(x**2 - 2*x*y + y**2))")
    np.testing.assert_allclose(distance(points, points), np.exp(-np.abs(points[:, None] - points)), atol=1e-7)
    angle = FromExpression("acos((x*y + 1)/(sqrt(1 + x**2)*sqrt(1 + y**2)))", diagonal="kink")
    assert np.isfinite(angle(points, points)).all()


@pytest.mark.parametrize(
    ("text", "diagonal", "invariant"),
    [
        ("exp(-(x**2 - 2*x*y + y**2))", "smooth", True),
        ("(1 + Abs(x - y))*exp(-Abs(x - y))", "smooth", True),
        ("exp(-Abs(x - y)) + 1e-13*x*y", "kink", False),
        ("Min(Abs(x), Abs(y))", "kink", False),
        ("-log(Abs(x - y))", "singular", True),
        ("cos(x)*cos(y) + sin(x)*sin(y)", "smooth", True),
        ("exp(x*y)", "smooth", False),
        ("3", "smooth", True),
    ],
)
def test_what_an_integrator_must_know_is_found_out(text: str, diagonal: str, invariant: bool) -> None:
    kernel = FromExpression(text)
    assert (kernel.diagonal, kernel.translation_invariant, kernel.probed) == (diagonal, invariant, True)
    given_by_user = FromExpression(text, diagonal="singular")
    assert (given_by_user.diagonal, given_by_user.probed) == ("singular", False)


def test_vacuum_diagrams_per_volume_need_the_invariance_that_was_found() -> None:
    theory = fn.Theory.parse("lam*f**4")
    oscillator = FromExpression("exp(-Abs(x - y))/2", decay_length=1.0)
    energy = fn.Correlator(theory, 0, kernel=oscillator, cutoff=fn.Cutoff(20), kind="connected", per_volume=True)
    series = energy.series(max_order=2, rtol=1e-8)
    assert -series[1].values[0] == pytest.approx(3 / 4, rel=1e-9)
    assert -series[2].values[0] == pytest.approx(-21 / 8, rel=1e-7)


def test_an_infinite_cutoff_needs_the_decay() -> None:
    kernel = FromExpression("exp(-(x - y)**2)")
    with pytest.raises(DivergenceError, match=r"give decay_length= to FromExpression"):
        fn.Correlator(fn.Theory.parse("lam*f**4"), 2, kernel=kernel, cutoff=fn.Cutoff()).series([0.0])


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "match"),
    [
        ("exp(-a*(x - y)**2)", r"unknown symbol 'a'.*pass the value of a parameter by its name, a=1.0"),
        ("x_1*y_1", r"y_1 is not a coordinate here: the coordinates for d_in = 1 are x, y"),
        (sympy.Symbol("x_2") * sympy.Symbol("y_2"), "x_2 is not a coordinate here"),
        ("x - y", r"x - y is not symmetric in x and y"),
        ("exp(-(x - y)**2) + 1e-15*x", "is not symmetric in x and y"),
        ("sqrt(x*y)", r"the kernel is nan at x = "),
        ("1/(x*x - x*x)", "divides by zero"),
        ("exp(1000)*x*y", r"exp\(1000\) in the formula is not a finite real number"),
        ("asin(2)*x*y", r"asin\(2\) in the formula is not a finite real number"),
        ("cosh(800*x*y)", "the kernel is inf at x = "),
        ("sin(x - y)/(x - y)", r"is 0/0 or complex at coincident points; write it with its limit \(sinc"),
        (sympy.I * X * Y, "is complex: it holds I; a kernel is real"),
        (sympy.sqrt(-2) * X * Y, "is complex"),
        (sympy.oo * X, "holds the infinite or undefined number oo"),
        (sympy.gamma(X * Y + 9), "gamma cannot stand in a formula; known are .* or use FromCallable"),
        (sympy.Piecewise((X * Y, X > 0), (0, True)), "cannot stand in a formula"),
        (sympy.Function("K")(X, Y), "K cannot stand in a formula"),
        (sympy.EulerGamma * X * Y, "EulerGamma cannot stand in a formula"),
        (X > Y, "FromExpression needs a sympy expression or a text"),
        (3, "FromExpression needs a sympy expression or a text .* got 3"),
        ("", "cannot read the formula ''"),
        ("exp(-(x - y)**2", r"cannot read the formula .* never closed"),
        ("x^2 + y^2", r"column 1: write \*\* for a power"),
        ("foo(x)", "the function 'foo' is not known; known are"),
        ("x*erf", "the function erf needs its argument"),
        ("erf(x, y)", "erf takes 1 argument"),
        ("exp(x=1)", "may not stand in a formula"),
        ("1j*x*y", "may not stand in a formula"),
        ("x < y", "may not stand in a formula"),
        ("'x'", "may not stand in a formula"),
        ("besselk(x, y)", "the order of besselk must be a number"),
        ("(x*y)**100", "a power in the formula is larger than 64"),
        ("9**9**9", "a power in the formula is larger than 64"),
        ("1e400*x*y", "must be finite, got inf"),
        ("(10**60)**60*x*y", "too large or has too many digits"),
        ("exp(exp(exp(exp(9))))", "not a finite real number"),
        ("sqrt(" * 60 + "x*y" + ")" * 60, "nested too deeply"),
        ("(" * 300 + "x*y" + ")" * 300, "cannot read the formula"),
        ("x*y + " * 2000 + "x*y", "more than 10000"),
    ],
)
def test_a_bad_formula_is_refused_with_one_clear_error(formula: Any, match: str) -> None:
    with pytest.raises(InputError, match=match):
        FromExpression(formula)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "().__class__.__bases__[0].__subclasses__()",
        "x.__class__",
        "[x for x in (1, 2)]",
        "(lambda: x)()",
        "exp(*[x])",
        "f'{x}'",
        "x if y else 1",
        "(x := y)",
        "open('f')",
        "eval('x')",
        "Symbol('x')",
        "Integer(1)",
    ],
)
def test_code_is_not_a_formula(text: str) -> None:
    with pytest.raises(InputError, match="cannot read"):
        FromExpression(text)


def test_long_sums_are_read() -> None:
    assert FromExpression("+".join(["x*y"] * 2000)) == FromExpression("2000*x*y")


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"a": 1.0}, r"the parameter 'a' does not stand in the formula x\*y"),
        ({"x": 1.0}, "the parameter 'x' has the name of a coordinate, function or constant"),
        ({"exp": 1.0}, "the parameter 'exp' has the name of"),
        ({"a": "1"}, "the parameter 'a' must be a real number"),
        ({"a": math.inf}, "the parameter 'a' must be finite"),
        ({"diagonal": "sharp"}, "diagonal must be"),
        ({"d_in": 0}, "d_in must be at least 1"),
        ({"decay_length": -1.0}, "decay_length must be finite and > 0"),
    ],
)
def test_bad_options_are_refused(options: dict[str, Any], match: str) -> None:
    with pytest.raises(InputError, match=match):
        FromExpression("x*y", **options)


@pytest.mark.parametrize(
    "tree",
    [
        None,
        [],
        "z",
        ["Symbol", "x"],
        ["system", "x"],
        ["Integral", "x", "y"],
        [1, 0],
        [1.5, 2],
        ["Pow", [9, 1], [999, 1]],
        ["Add", ["Mul"]],
        {"Add": []},
        ["Pow", "x", ["exp", [1000, 1]]],
    ],
)
def test_a_damaged_or_hostile_file_is_refused(tree: Any) -> None:
    data = {**kernel_to_dict(FromExpression("x*y")), "expression": tree}
    with pytest.raises(InputError):
        kernel_from_dict(data)


def test_a_file_nested_for_ever_is_refused() -> None:
    tree: Any = "x"
    for _ in range(100_000):
        tree = ["exp", tree]
    with pytest.raises(InputError, match="nested too deeply"):
        FromExpression.from_dict({"expression": tree})


def test_equal_parts_are_computed_once() -> None:
    x, y = sympy.symbols("x y", real=True)
    part = sympy.exp(-((x - y) ** 2))
    assert len(Program(part + sympy.sin(part), [x, y])._steps) == len(Program(part, [x, y])._steps) + 2
