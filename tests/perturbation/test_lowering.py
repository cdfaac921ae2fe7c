"""lower(): sympy expressions and diagrams as numbers; what is refused, by name."""

import builtins
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from perturbation_oracles import gauss_star_in_box, gaussian_integral
from sympy import Function, Integral, Rational, Symbol, oo

from feynnn.diagrams.generation import generate
from feynnn.errors import DivergenceError, InputError
from feynnn.npoint import NPoint
from feynnn.perturbation.correlator import Correlator
from feynnn.perturbation.expressions import LAMBDA, expression
from feynnn.perturbation.lowering import Lowered, lower
from feynnn.perturbation.quadrature import Cutoff
from feynnn.points import Array
from feynnn.theory import Theory
from feynnn.theory.kernels import Erf, FreeScalar, Gauss, Kernel, Lattice, ReLU

K, KV, A, B = (Function(name) for name in ("K", "K_v", "A", "B"))
x1, x2, x3, x4, x10, y, z, w, lam, kap = sympy.symbols("x1 x2 x3 x4 x10 y z w lam kap")
GAUSS = Gauss(sigma_b=0)
X = np.array([0.3, -0.8])


def box(integrand: sympy.Expr, *points: sympy.Symbol) -> sympy.Expr:
    return Integral(integrand, *[(p, -LAMBDA, LAMBDA) for p in points])


def value(
    expr: sympy.Expr, *inputs: float, cutoff: float | None = np.inf, kernel: Any = GAUSS, **couplings: float
) -> float:
    """The expression with its external points at the inputs, in order."""
    f = lower(expr, kernel=kernel, cutoff=None if cutoff is None else Cutoff(cutoff))
    p = f(list(inputs) or None, couplings)
    found, bound = p.at(*range(f.n)), p.bound[p.position(*range(f.n))]
    assert bound <= 1e-8 * abs(found) + 1e-12
    return found


def gauss(*edges: tuple[int, int], n: int, inner: int, x: Array = X) -> float:
    return gaussian_integral(n, inner, edges, x[:n, None])


# --- the same number by three routes ----------------------------------------------------------------------------------

THEORIES = [
    Theory.parse("lam*f**4 + kap*f**6"),
    Theory.parse("lam*f**4", propagator="exact"),
    Theory.parse("g*f**3 + lam/24*(1 - y**2)*f**4"),
    Theory.parse("nl*y**2*f(y)**2*f(z)**2 + lam*f**4", normal_ordered=True),
]


@pytest.mark.parametrize("theory", THEORIES, ids=str)
@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_expression_diagrams_and_series_agree(theory: Theory, n: int) -> None:
    k = Gauss()
    kernels: dict[str, Any] = {"kernel": k, "vertex_kernel": k.without_bias(), "cutoff": Cutoff(3.0)}
    c = Correlator(theory, n, **kernels)
    g = {name: 0.01 * (i + 1) for i, name in enumerate(theory.couplings)}
    expected = c.series(X, max_order=1).sum(g)
    expr = c.expression(max_order=1)
    if not expr:
        assert not expected.values.any()
        return
    f = lower(expr, kernel=k, vertex_kernel=k.without_bias(), cutoff=Cutoff(3.0))
    p = f(X, g)
    rank = expected.rank(p.indices)
    assert f.n == n
    assert (np.abs(p.values - expected.values[rank]) <= p.bound + expected.bound[rank]).all()
    assert (p.kind, p.symmetric, p.origin) == ("computed", False, "expression")
    diagrams = [d for o in theory.orders_up_to(1) for d in c.diagrams(o)]
    q = lower(diagrams, **kernels)(X, g)
    np.testing.assert_allclose(q.values, p.values, rtol=1e-9, atol=1e-12)


def test_second_order_by_three_routes() -> None:
    theory = THEORIES[0]
    ds = generate(theory, 2, order={"lam": 1, "kap": 1})
    k = Erf(bias=False)
    p = lower(ds, kernel=k, cutoff=Cutoff(2.0))(X, {"lam": 1.0, "kap": 1.0}, rtol=1e-8)
    q = lower(expression(ds), kernel=k, cutoff=Cutoff(2.0))(X, {"lam": 1.0, "kap": 1.0}, rtol=1e-8)
    s = Correlator(theory, 2, kernel=k, cutoff=Cutoff(2.0)).series(X, max_order={"lam": 1, "kap": 1}, rtol=1e-8)
    np.testing.assert_allclose(p.values, q.values, rtol=1e-7)
    np.testing.assert_allclose(p.full(), s[1, 1].full(), rtol=1e-7)
    one = lower(ds[0], kernel=k, cutoff=Cutoff(2.0))
    assert (one.n, one.external, one.couplings) == (2, ("x1", "x2"), ("kap", "lam"))


def test_a_lattice_through_an_expression() -> None:
    k = Lattice([[1.0, 0.4], [0.4, 2.0]], sites=[0.5, 3.0], weights=[0.2, 0.7])
    f = lower(lam * box(y * K(x1, y) ** 2 * K(y, y), y), kernel=k)
    p = f([0.5, 3.0], {"lam": 2.0})
    assert p.at(0) == pytest.approx(2 * (0.2 * 0.5 * 1.0 * 1.0 + 0.7 * 3.0 * 0.16 * 2.0))
    assert p.at(1) == pytest.approx(2 * (0.2 * 0.5 * 0.16 * 1.0 + 0.7 * 3.0 * 4.0 * 2.0))


# --- what may be written ----------------------------------------------------------------------------------------------


def test_one_integral_and_its_closed_form() -> None:
    expected = gauss((0, 2), (1, 2), n=2, inner=1)
    assert value(box(K(x1, y) * K(x2, y), y), *X) == pytest.approx(expected, rel=1e-12)
    # arguments in either order, limits in several spellings
    assert value(box(K(y, x1) * K(x2, y), y), *X) == pytest.approx(expected, rel=1e-12)
    for limits in [(y,), (y, -oo, oo), (y, -Symbol("Lambda"), Symbol("Lambda")), (y, -LAMBDA, LAMBDA)]:
        assert value(Integral(K(x1, y) * K(x2, y), limits), *X) == pytest.approx(expected, rel=1e-12)
    inside = value(Integral(K(x1, y) * K(x2, y), (y, -2, 2)), *X, cutoff=2.0)
    assert inside == pytest.approx(gauss_star_in_box(X[:, None], 2.0), rel=1e-11)


def test_coefficients_are_any_real_numbers() -> None:
    base = value(K(x1, x2), *X)
    for number in (3, -Rational(1, 7), sympy.sqrt(2), sympy.pi, sympy.Float("0.25"), sympy.sin(1), 2**70):
        assert value(number * K(x1, x2), *X) == pytest.approx(float(number) * base)
    assert value(K(x1, x2) + 5, *X) == pytest.approx(base + 5)
    assert value(sympy.Integer(5)) == 5.0
    assert value(sympy.Integer(0)) == 0.0


def test_couplings_are_passed_by_name() -> None:
    expr = lam**2 * kap * K(x1, x2) - lam * K(x1, x1)
    f = lower(expr, kernel=GAUSS, cutoff=Cutoff())
    assert f.couplings == ("kap", "lam")
    p = f(X, {"lam": 3.0, "kap": 0.5, "unused": 1.0})
    assert p.at(0, 1) == pytest.approx(4.5 * float(np.exp(-(1.1**2) / 2)) - 3.0)
    with pytest.raises(InputError, match="holds the coupling 'kap'; pass its value in couplings="):
        f(X, {"lam": 3.0})
    with pytest.raises(InputError, match="holds the coupling 'kap'"):
        f(X)
    with pytest.raises(InputError, match="the coupling 'lam' must be a real number, got 'a'"):
        f(X, {"lam": "a", "kap": 1.0})  # type: ignore[dict-item]
    with pytest.raises(InputError, match="the coupling 'lam' must be finite, got nan"):
        f(X, {"lam": np.nan, "kap": 1.0})
    with pytest.raises(InputError, match="couplings must be a dict"):
        f(X, [1.0, 2.0])  # type: ignore[arg-type]


def test_powers_of_kernels_and_of_integrals() -> None:
    assert value(box(K(x1, y) ** 3 * K(x2, y), y), *X) == pytest.approx(
        gauss((0, 2), (0, 2), (0, 2), (1, 2), n=2, inner=1), rel=1e-12
    )
    one = gauss((0, 2), (1, 2), n=2, inner=1)
    assert value(box(K(x1, y) * K(x2, y), y) ** 3, *X) == pytest.approx(one**3, rel=1e-11)
    assert value((1 + box(K(x1, y) * K(x2, y), y)) ** 2, *X) == pytest.approx((1 + one) ** 2, rel=1e-11)
    assert value(K(x1, x2) ** 2, *X) == pytest.approx(float(np.exp(-(1.1**2))), rel=1e-12)


def test_sums_and_integrals_inside_an_integral() -> None:
    pair = gauss((0, 2), (1, 2), n=2, inner=1)
    square = gauss((0, 2), (0, 2), n=2, inner=1)
    expr = box((K(x1, y) + 2 * K(x2, y)) * (K(x1, y) - lam * K(x2, y)), y)
    other = gauss((1, 2), (1, 2), n=2, inner=1)
    assert value(expr, *X, lam=0.5) == pytest.approx(square + 1.5 * pair - other, rel=1e-11)
    chain = gauss((0, 2), (2, 3), (3, 1), n=2, inner=2)
    assert value(box(K(x1, y) * box(K(y, z) * K(z, x2), z), y), *X) == pytest.approx(chain, rel=1e-11)
    # the same name again inside, and one integral over both
    assert value(box(K(x1, y) * K(x2, y) * box(K(x1, y) * K(x2, y), y), y), *X) == pytest.approx(pair**2, rel=1e-11)
    assert value(box(K(x1, y) * K(y, z) * K(z, x2), y, z), *X) == pytest.approx(chain, rel=1e-11)
    deep = box(K(x1, y) * box(K(y, z) * box(K(z, w) ** 2 * K(w, x2), w), z), y)
    edges = [(0, 2), (2, 3), (3, 4), (3, 4), (4, 1)]
    assert value(deep, *X) == pytest.approx(gauss(*edges, n=2, inner=3), rel=1e-10)


def test_independent_points_under_one_integral_factorise() -> None:
    expr = box(K(x1, y) ** 2 * z**2 * K(x2, z) ** 2 * w**2, y, z, w)
    one, two = (gauss_star_in_box(np.full((2, 1), u), 2.0) for u in X)
    moment = box(z**2 * K(x1, z) ** 2, z)
    second = value(moment, X[1], cutoff=2.0)
    assert second < two
    assert value(expr, *X, cutoff=2.0) == pytest.approx(one * second * 16 / 3, rel=1e-10)


def test_weights_are_powers_of_the_integrated_point() -> None:
    a = 2 * np.sqrt(np.pi) / 2
    assert value(box(y * K(x1, y) ** 2, y), 0.3) == pytest.approx(0.3 * a, rel=1e-11)
    assert value(box(y**2 * K(x1, y) ** 2, y), 0.3) == pytest.approx((0.09 + 0.5) * a, rel=1e-11)
    assert value(box((1 - y) ** 2 * K(x1, y) ** 2, y), 0.3) == pytest.approx((0.49 + 0.5) * a, rel=1e-11)
    # the weight of an outer point inside an inner integral
    expr = box(K(x1, y) * box(y**2 * K(y, z) * K(z, x1), z), y)
    assert value(expr, 0.0) == pytest.approx(gauss((0, 1), (1, 2), (2, 0), n=1, inner=2, x=np.zeros(1)) * 2 / 3)


def test_integrals_without_kernels_are_volumes_in_d_dimensions() -> None:
    """sympy would integrate over one coordinate, and do it at once."""
    for k, d in ((GAUSS, 1), (Erf(d_in=2), 2), (ReLU(d_in=3), 3)):
        options: dict[str, Any] = {"kernel": k, "cutoff": Cutoff(2.0)}
        assert lower(box(sympy.Integer(1), y), **options)().at() == pytest.approx(4.0**d)
        assert lower(Integral(y**2, (y, -2, 2)), **options)().at() == pytest.approx(d * 16 / 3 * 4 ** (d - 1))
        assert lower(Integral(1, (y, -2, 2)) ** 2, **options)().at() == pytest.approx(16.0**d)
    with pytest.raises(DivergenceError, match="proportional to its volume"):
        lower(box(sympy.Integer(1), y), kernel=GAUSS, cutoff=Cutoff())()


def test_free_and_vertex_lines_take_their_kernels() -> None:
    k = Gauss()
    f = lower(K(x1, x2) * box(K(x1, y) * K(x2, y), y), kernel=k, vertex_kernel=k.without_bias(), cutoff=Cutoff())
    expected = (1 + np.exp(-(1.1**2) / 2)) * gauss((0, 2), (1, 2), n=2, inner=1)
    assert f(X).at(0, 1) == pytest.approx(expected, rel=1e-11)
    same = lower(K(x1, x2) * box(KV(x1, y) * K(x2, y), y), kernel=k, vertex_kernel=k.without_bias(), cutoff=Cutoff())
    assert same(X).at(0, 1) == pytest.approx(expected, rel=1e-11)
    explicit = lower(KV(x1, x2), kernel=k, vertex_kernel=k.without_bias())
    assert explicit(X).at(0, 1) == pytest.approx(np.exp(-(1.1**2) / 2), rel=1e-13)
    with pytest.raises(DivergenceError, match=r"pass vertex_kernel=K.without_bias"):
        lower(box(K(x1, y) ** 2, y), kernel=k, cutoff=Cutoff())(X)


def test_several_kernels_by_name() -> None:
    kernels: dict[str, Kernel] = {"A": Gauss(sigma_w=0.5, sigma_b=0), "B": Gauss(sigma_w=2.0, sigma_b=0)}
    f = lower(A(x1, x2) * box(A(x1, y) * B(y, z) ** 2 * B(z, x2), y, z), kernel=kernels, cutoff=Cutoff())
    edges = [(0, 2), (2, 3), (2, 3), (3, 1)]
    expected = gaussian_integral(2, 2, edges, X[:, None], [0.5, 2.0, 2.0, 2.0])
    free = 0.25 * np.exp(-0.25 * 1.1**2 / 2)
    assert f(X, rtol=1e-9).at(0, 1) == pytest.approx(free * expected, rel=1e-9)
    mixed = lower(box(A(x1, y) * B(x1, y), y), kernel={"A": ReLU(sigma_b=0), "B": FreeScalar()}, cutoff=Cutoff(40.0))
    # integral of x y / 2 exp(-|x - y|) / 2 over y > 0 is x (2 x + e^-x) / 4
    assert mixed([0.7]).at(0) == pytest.approx(0.7 * (1.4 + np.exp(-0.7)) / 4, rel=1e-9)


def test_external_points_are_ordered_as_people_count() -> None:
    f = lower(K(x10, x2) * K(x1, x1), kernel=GAUSS)
    assert f.external == ("x1", "x2", "x10")
    assert repr(f) == "Lowered(1 terms in x1, x2, x10)"
    assert repr(lower(sympy.Integer(2), kernel=GAUSS)) == "Lowered(1 terms in no external points)"
    p = f([0.0, 1.0])
    assert p.at(0, 0, 1) == p.at(1, 1, 0) == pytest.approx(np.exp(-0.5))
    assert p.at(0, 1, 1) == pytest.approx(1.0)
    letters = lower(K(Symbol("b"), Symbol("a")) * K(Symbol("u"), Symbol("u")), kernel=GAUSS)
    assert letters.external == ("a", "b", "u")


def test_all_ordered_tuples_with_coincident_points() -> None:
    f = lower(box(K(x1, y) ** 2 * K(x2, y), y), kernel=GAUSS, cutoff=Cutoff())
    p = f(X)
    assert isinstance(p, NPoint)
    assert (p.n, p.n_inputs, len(p), p.symmetric) == (2, 2, 4, False)
    for i in range(2):
        for j in range(2):
            expected = gauss((0, 2), (0, 2), (1, 2), n=2, inner=1, x=X[[i, j]])
            assert abs(p.at(i, j) - expected) <= p.bound[p.position(i, j)]
    assert p.at(0, 1) == pytest.approx(p.at(1, 0), rel=1e-13)  # a function of |x1 - x2|
    # the same point twice, a point in one term only
    same = f([0.3, 0.3])
    np.testing.assert_allclose(same.values, p.at(0, 0), rtol=1e-12)
    assert value(K(x1, x1) + K(x1, x2), *X) == pytest.approx(1 + np.exp(-(1.1**2) / 2))


def test_bounds_of_terms_add() -> None:
    expr = box(K(x1, y) ** 2, y)
    p = lower(expr, kernel=GAUSS, cutoff=Cutoff())(X)
    q = lower(5 * expr - 4 * box(K(x1, y) * K(x1, y) * K(x2, x2), y), kernel=GAUSS, cutoff=Cutoff())(X)
    np.testing.assert_allclose(q.values.reshape(2, 2)[:, 0], p.values, rtol=1e-12)
    assert (q.bound.reshape(2, 2)[:, 0] >= 8.9 * p.bound).all()


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_random_expressions_against_the_determinant(data: st.DataObject) -> None:
    """Chains and trees on up to three integrated points, with repeated external points and parallel lines."""
    inner = data.draw(st.integers(1, 3))
    nodes = [x1, x2, *(Symbol(f"y{k}") for k in range(inner))]
    edges = [
        (data.draw(st.integers(0, 1)) if k == 0 else data.draw(st.integers(0, k + 1)), k + 2) for k in range(inner)
    ]
    edges += [
        (data.draw(st.integers(0, inner + 1)), data.draw(st.integers(0, inner + 1)))
        for _ in range(data.draw(st.integers(0, 3)))
    ]
    flipped = [data.draw(st.booleans()) for _ in edges]
    product = sympy.Mul(
        *(K(nodes[b], nodes[a]) if f else K(nodes[a], nodes[b]) for (a, b), f in zip(edges, flipped, strict=True))
    )
    expr = box(product, *nodes[2:])
    f = lower(expr, kernel=GAUSS, cutoff=Cutoff())
    p = f(X, rtol=1e-9)
    here = [int(name[1:]) - 1 for name in f.external]
    inputs = tuple(here)
    expected = gaussian_integral(2, inner, edges, X[:, None])
    assert abs(p.at(*inputs) - expected) <= p.bound[p.position(*inputs)] + 1e-14 * expected


# --- what is refused --------------------------------------------------------------------------------------------------

REFUSED: list[tuple[Callable[[], Any], str]] = [
    (lambda: box(sympy.sin(y) * K(x1, y), y), r"cannot lower sin\(y\): it is not a sum of products of kernels"),
    (lambda: sympy.exp(-lam) * K(x1, x2), r"cannot lower exp\(-lam\)"),
    (lambda: abs(lam) * K(x1, x2), r"cannot lower Abs\(lam\)"),
    (lambda: K(x1, y, z), r"cannot lower K\(x1, y, z\): a kernel takes two points, each one symbol"),
    (lambda: K(x1), r"cannot lower K\(x1\): a kernel takes two points"),
    (lambda: K(x1, 2 * y), r"cannot lower K\(x1, 2\*y\): a kernel takes two points, each one symbol"),
    (lambda: K(x1, 1), r"cannot lower K\(x1, 1\): a kernel takes two points, each one symbol"),
    (lambda: Function("G")(x1, x2), r"no kernel is named 'G' \(there is K, K_v\)"),
    (lambda: box(K(x1, y) * Function("phi")(y), y), "no kernel is named 'phi'"),
    (lambda: 1 / K(x1, x2), r"cannot lower 1/K\(x1, x2\): only positive whole powers up to 1000 are allowed"),
    (lambda: sympy.sqrt(K(x1, x2)), "only positive whole powers up to 1000 are allowed"),
    (lambda: K(x1, x2) / lam, "cannot lower 1/lam: only positive whole powers up to 1000 are allowed"),
    (lambda: K(x1, x2) ** lam, r"cannot lower K\(x1, x2\)\*\*lam: the exponent must be a number"),
    (lambda: 2**lam * K(x1, x2), r"cannot lower 2\*\*lam: the exponent must be a number"),
    (lambda: K(x1, x2) ** 100_000, "only positive whole powers up to 1000 are allowed"),
    (lambda: (1 + K(x1, x2)) ** 900, "more than 100000 terms when multiplied out"),
    (lambda: oo * K(x1, x2), "cannot lower the coefficient oo: it must be real and finite"),
    (lambda: sympy.nan, "cannot lower the coefficient nan: it must be real and finite"),
    (lambda: sympy.zoo, "cannot lower the coefficient zoo: it must be real and finite"),
    (lambda: sympy.I * K(x1, x2), "cannot lower the coefficient I: it must be real and finite"),
    (lambda: x1 * K(x1, x2), "the external point x1 also stands outside a kernel"),
    (lambda: box(x1 * K(x1, y), y), "the external point x1 also stands outside a kernel"),
    (lambda: y * box(K(x1, y), y), "the point y stands outside the integral over it"),
    (lambda: K(x1, y) * box(K(x1, y), y), "the point y is integrated over in one place and external in another"),
    (lambda: K(x1, Symbol("x1", real=True)), "two symbols named x1 with different assumptions"),
    (lambda: LAMBDA * K(x1, x2), "Lambda is the cutoff and may stand in the limits of integrals only"),
    (lambda: Integral(K(x1, y), (y, 0, LAMBDA)), r"its limits \(y, 0, Lambda\) are not the box of Cutoff\(2\)"),
    (lambda: Integral(K(x1, y), (y, -3, 3)), r"its limits \(y, -3, 3\) are not the box of Cutoff\(2\); write"),
    (lambda: Integral(K(x1, y), (y, 2, -2)), "are not the box of"),
    (lambda: Integral(K(x1, y), (y, -oo, oo)), "are not the box of"),
    (lambda: Integral(K(x1, y), (y, LAMBDA, -LAMBDA)), "are not the box of"),
    (lambda: Integral(K(x1, y), (y, -z, z)), "are not the box of"),
    (lambda: Integral(K(x1, y), (y, 2)), "are not the box of"),
    (lambda: Integral(1, (y, 0, 1)), "are not the box of"),
    (lambda: sympy.Derivative(K(x1, x2), x1), "cannot lower Derivative"),
    (lambda: sympy.Eq(K(x1, x2), 1), "cannot lower Eq"),
    (lambda: sympy.Tuple(K(x1, x2)), "it is not a sum of products"),
    (lambda: sympy.Matrix([[K(x1, x2)]]), r"takes a sympy expression or diagrams|not a sum of products"),
    (lambda: "K(x1, x2)", "takes a sympy expression or diagrams, got 'K"),
    (lambda: 3, "takes a sympy expression or diagrams, got 3"),
    (lambda: None, "takes a sympy expression or diagrams, got None"),
    (list, r"takes a sympy expression or diagrams, got \[\]"),
    (lambda: [K(x1, x2)], "takes a sympy expression or diagrams"),
]


@pytest.mark.parametrize(("make", "message"), REFUSED, ids=range(len(REFUSED)))
def test_other_expressions_are_refused_by_name(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        lower(make(), kernel=GAUSS, cutoff=Cutoff(2.0))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kernel": {"K": GAUSS}, "vertex_kernel": GAUSS}, "either a mapping of kernels by name or vertex_kernel"),
        ({"kernel": {}}, "the kernels must have one d_in"),
        ({"kernel": {"K": GAUSS, "A": Gauss(d_in=2)}}, "the kernels must have one d_in"),
        ({"kernel": {"K": GAUSS, "A": Lattice([[1.0]])}}, "must all be lattices, or none of them"),
        ({"kernel": GAUSS, "vertex_kernel": Lattice([[1.0]])}, "must all be lattices, or none of them"),
        ({"kernel": {"K": "gauss"}}, r"kernel\['K'\] must be a kernel such as"),
        ({"kernel": np.exp}, "kernel must be a kernel such as"),
        ({"kernel": GAUSS, "cutoff": 5.0}, r"cutoff must be a Cutoff, got 5.0; write Cutoff\(5.0\)"),
        ({"kernel": GAUSS, "cutoff": np.inf}, r"cutoff must be a Cutoff, got inf; write Cutoff\(inf\)"),
    ],
)
def test_bad_kernels_and_cutoffs_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        lower(box(K(x1, y), y), **options)


def test_diagrams_need_their_two_kernels_and_one_number_of_points() -> None:
    theory = Theory.parse("lam*f**4")
    two, four = generate(theory, 2, order=1), generate(theory, 4, order=1)
    with pytest.raises(InputError, match="diagrams have the kernels K and K_v"):
        lower(two, kernel={"K": GAUSS, "K_v": GAUSS})
    with pytest.raises(InputError, match="different numbers of external points"):
        lower([*two, *four], kernel=GAUSS)


def test_calls_need_inputs() -> None:
    f = lower(K(x1, x2), kernel=GAUSS)
    with pytest.raises(InputError, match="has the external points x1, x2: pass inputs x"):
        f()
    with pytest.raises(InputError, match=r"x must have shape \(m, 1\)"):
        f(np.zeros((2, 3)))
    with pytest.raises(InputError, match="rtol must be finite and >= 0"):
        f(X, rtol=-1.0)
    with pytest.raises(InputError, match="pass cutoff=Cutoff"):
        lower(box(K(x1, y), y), kernel=GAUSS)(X)


def test_nothing_is_evaluated_as_code(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("evaluated")

    f: Lowered
    for name in ("eval", "exec", "compile"):
        monkeypatch.setattr(builtins, name, refuse)
    monkeypatch.setattr(sympy, "sympify", refuse)
    monkeypatch.setattr(sympy, "lambdify", refuse)
    f = lower(lam * box(y**2 * K(x1, y) ** 2, y), kernel=GAUSS, cutoff=Cutoff())
    found = f([0.0], {"lam": 2.0}).at(0)
    monkeypatch.undo()
    assert found == pytest.approx(np.sqrt(np.pi))
