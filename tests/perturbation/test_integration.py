"""Integrals against closed forms, determinants and plain quadrature; bounds that hold."""

from collections.abc import Callable
from itertools import pairwise
from math import inf
from typing import Any

import mpmath
import numpy as np
import pytest
from perturbation_oracles import (
    erf_kernel,
    free_chain,
    gauss_kernel,
    gauss_star_in_box,
    gaussian_diagram,
    gaussian_integral,
    relu_kernel,
    relu_star,
)
from scipy.integrate import dblquad, nquad, quad
from single_integrals import V, close, column, integrate, pair, star

from feynnn.diagrams.generation import generate
from feynnn.errors import InputError
from feynnn.perturbation.contractions import Contraction, contraction, products_of
from feynnn.perturbation.integration import Integrator
from feynnn.perturbation.quadrature import Cutoff
from feynnn.points import Array
from feynnn.theory import Theory
from feynnn.theory.kernels import Erf, FreeScalar, FromCallable, Gauss, Kernel, ReLU

TWO = Theory.parse("lam*f**4 + kap*f**6")


# --- Gauss: closed forms ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("d_in", [1, 2, 3])
@pytest.mark.parametrize("cutoff", [1e-3, 0.5, 2.0, 30.0, inf])
@pytest.mark.parametrize("legs", [1, 2, 4, 6])
def test_one_gauss_vertex(d_in: int, cutoff: float, legs: int) -> None:
    x = np.random.default_rng(legs).normal(size=(legs, d_in))
    k = Gauss(sigma_w=1.4, sigma_b=0, d_in=d_in)
    p = integrate(star(legs), k, x, cutoff)
    assert close(p, gauss_star_in_box(x, cutoff, sigma_w=1.4))
    assert p.bound[0] <= 2e-10 * p.values[0]


def test_four_gauss_legs_by_the_formula_of_the_notes() -> None:
    """sigma^8 (pi/2a)^(d/2) exp(-(a/2)(sum |x|^2 - |sum x|^2 / 4)), a = sigma^2 / d."""
    for d in (1, 2, 3):
        x = np.random.default_rng(d).uniform(-1, 1, size=(4, d))
        a = 1.2**2 / d
        exponent = (x**2).sum() - (x.sum(axis=0) ** 2).sum() / 4
        exact = 1.2**8 * (np.pi / (2 * a)) ** (d / 2) * np.exp(-a / 2 * exponent)
        assert close(integrate(star(4), Gauss(sigma_w=1.2, sigma_b=0, d_in=d), x, inf), exact)


@pytest.mark.parametrize("d_in", [1, 2, 3])
@pytest.mark.parametrize(("n", "order"), [(2, {"lam": 2}), (4, {"lam": 2}), (4, {"lam": 1, "kap": 1}), (2, {"kap": 2})])
def test_every_gauss_diagram_of_second_order_is_a_determinant(d_in: int, n: int, order: dict[str, int]) -> None:
    x = np.random.default_rng(n).normal(size=(n, d_in))
    k = Gauss(sigma_w=1.3, d_in=d_in)
    tool = Integrator({"K": k, V: k.without_bias()}, x, Cutoff())
    diagrams = generate(TWO, n, order=order, kind="connected")
    assert len(diagrams) >= 3
    for d in diagrams:
        (term,) = products_of(d)
        p = tool.product(term, np.arange(n)[None, :])
        exact = float(d.coefficient) * gaussian_diagram(d, x, sigma_w=1.3, sigma_b=1.0)
        assert close(p, exact), d
        assert p.bound[0] <= 4e-10 * abs(exact)


@pytest.mark.parametrize("cutoff", [0.7, 3.0, 40.0])
@pytest.mark.parametrize("legs", [2, 4])
def test_a_bias_left_in_multiplies_out(cutoff: float, legs: int) -> None:
    """prod (b + g_i) = sum over subsets of b^(rest) times a star without bias."""
    for d in (1, 2):
        x = np.random.default_rng(d).uniform(-1, 1, size=(legs, d))
        exact = 0.0
        for subset in range(1 << legs):
            inside = [i for i in range(legs) if subset >> i & 1]
            volume = (2 * cutoff) ** d
            exact += 0.49 ** (legs - len(inside)) * (gauss_star_in_box(x[inside], cutoff) if inside else volume)
        k = Gauss(sigma_b=0.7, d_in=d)
        p = integrate(star(legs), k, x, cutoff, rtol=1e-9)
        assert close(p, exact)
        # a self-loop is the constant K(y, y)
        assert close(integrate(star(legs, loops=2), k, x, cutoff, rtol=1e-9), exact * 1.49**2)


def test_a_bias_on_a_line_between_vertices() -> None:
    """Both vertices may sit anywhere in the box; b + g for each of four kernels multiplies out."""
    x, b, size = column([0.0, 0.8]), 0.25, 12.0
    k = Gauss(sigma_b=0.5)
    p = integrate(pair(1, 1, 1), k, x, size)
    t, w = np.polynomial.legendre.leggauss(200)
    y, wy = size * t, size * w
    matrix = b + gauss_kernel(y[:, None], y[:, None])
    left, right = (b + gauss_kernel(x[[i]], y[:, None])[0] for i in (0, 1))
    assert close(p, float((left * wy) @ matrix @ (right * wy)))


@pytest.mark.parametrize("power", [1, 2, 3, 4])
def test_weights_are_moments(power: int) -> None:
    x = column([0.3, -0.8])
    mean, a = -0.25, 2.0
    raw = [1.0, mean, mean**2 + 1 / a, mean**3 + 3 * mean / a, mean**4 + 6 * mean**2 / a + 3 / a**2]
    exact = gaussian_integral(2, 1, [(0, 2), (1, 2)], x) * raw[power]
    assert close(integrate(star(2, power=power), Gauss(sigma_b=0), x, inf), exact)


def test_a_weight_couples_the_coordinates() -> None:
    """|y|^2 is a sum over coordinates, so that the product over them does not apply."""
    x = np.array([[0.3, -0.8]])
    k = Gauss(sigma_b=0, d_in=2)
    exact = gaussian_integral(1, 1, [(0, 1)], x) * (4.0 + float((x**2).sum()))
    assert close(integrate(star(1, power=2), k, x, inf), exact)
    with pytest.raises(InputError, match="odd powers of y as weight exist in one dimension only"):
        integrate(star(1, power=3), k, x, inf)


@pytest.mark.parametrize("place", [9.0, 30.0, 100.0])
def test_an_input_far_outside_the_box(place: float) -> None:
    """The kernel is tiny in the whole box, yet the integral is accurate to its own size."""
    p = integrate(star(2), Gauss(sigma_b=0), column([place, place]), 1.0)
    exact = mpmath.quad(lambda y: mpmath.exp(-((place - y) ** 2)), [-1, 0, 0.5, 0.9, 1])
    assert p.values[0] == pytest.approx(float(exact), rel=1e-9)
    q = integrate(star(2), FreeScalar(), column([place, place]), 1.0)
    assert q.values[0] == pytest.approx(np.exp(-2 * place) * np.sinh(2) / 4, rel=1e-9)


def test_an_integral_that_underflows_does_not_spoil_the_others() -> None:
    """exp(-2 * 19^2) is a denormal number with a few digits left, which no refinement makes better."""
    x = column([0.0, 19.0])
    tool = Integrator({V: Gauss(sigma_b=0)}, x, Cutoff(0.01))
    p = tool.piece(pair(2, 2, 2), np.array([[0, 0, 0, 0], [1, 1, 1, 1]]))
    assert p.values[0] == pytest.approx(4e-4, rel=1e-3)
    assert p.bound[0] <= 1e-9 * p.values[0]
    assert 0 < p.values[1] < 1e-290


def test_inputs_far_apart() -> None:
    x = column([0.0, 15.0])
    assert close(integrate(star(2), Gauss(sigma_b=0), x, inf), gaussian_integral(2, 1, [(0, 2), (1, 2)], x))
    assert close(integrate(star(2), FreeScalar(), x, inf), 0.25 * (15 + 1) * np.exp(-15.0))


# --- several kernels in one integral ----------------------------------------------------------------------------------


@pytest.mark.parametrize("widths", [(0.3, 3.0), (3.0, 0.3), (1.0, 12.0)])
def test_two_gauss_kernels_of_different_width(widths: tuple[float, float]) -> None:
    """The wide one decides how far to go, the narrow one how fine."""
    a, b = widths
    x = column([0.4, -0.3])
    kernels: dict[str, Kernel] = {"A": Gauss(sigma_w=a, sigma_b=0), "B": Gauss(sigma_w=b, sigma_b=0)}
    c = contraction([0, 1], [(0, 0, "A"), (1, 1, "B")], [(0, 1, "A"), (0, 1, "B")], {})
    p = Integrator(kernels, x, Cutoff(), rtol=1e-8).piece(c, np.array([[0, 1]]))
    assert close(p, gaussian_integral(2, 2, [(0, 2), (1, 3), (2, 3), (2, 3)], x, [a, b, a, b]))
    far = contraction([0, 1], [(0, 0, "A"), (1, 1, "A")], [(0, 1, "B")], {})
    p = Integrator(kernels, x, Cutoff(), rtol=1e-8).piece(far, np.array([[0, 1]]))
    assert close(p, gaussian_integral(2, 2, [(0, 2), (1, 3), (2, 3)], x, [a, a, b]))


@pytest.mark.parametrize("narrow", [1.0, 20.0, 1000.0])
def test_a_narrow_kernel_beside_one_that_does_not_decay(narrow: float) -> None:
    x = column([0.4, -2.0])
    kernels: dict[str, Kernel] = {"A": Erf(bias=False), "B": Gauss(sigma_w=narrow, sigma_b=0)}
    c = contraction([0], [(0, 0, "A"), (1, 0, "B")], [], {})
    p = Integrator(kernels, x, Cutoff(100.0)).piece(c, np.array([[0, 1]]))
    t = np.linspace(-9, 9, 2001)
    density = [erf_kernel([0.4], [-2.0 + u / narrow]) for u in t]
    exact = narrow**2 * np.sum(np.array(density) * np.exp(-t * t / 2)) * (t[1] - t[0]) / narrow
    assert p.values[0] == pytest.approx(exact, rel=1e-9)


# --- ReLU and Erf against closed forms and plain quadrature -----------------------------------------------------------


@pytest.mark.parametrize("cutoff", [1e-3, 1.0, 5.0, 1e3, 1e5])
def test_relu_without_biases_in_one_dimension(cutoff: float) -> None:
    """Four legs: prod(x) L^5 / 80, whatever the signs are as long as they agree."""
    k = ReLU(sigma_b=0)
    for x in (column([0.2, 0.4, 1.2, 3.0]), column([-0.2, -0.4, -1.2, -3.0])):
        p = integrate(star(4), k, x, cutoff)
        exact = float(np.prod(x)) * cutoff**5 / 80
        assert close(p, exact)
        assert exact == pytest.approx(relu_star(x, cutoff))
    mixed = integrate(star(4), k, column([0.2, -0.4, 1.2, 3.0]), cutoff)
    assert (mixed.values[0], mixed.bound[0]) == (0.0, 0.0)
    # a self-loop is y^2 / 2
    assert close(integrate(star(2, loops=1), k, column([0.2, 0.4]), cutoff), 0.2 * 0.4 * cutoff**5 / 40)


PLAIN: list[tuple[str, type[Erf] | type[ReLU], Callable[..., float]]] = [
    ("erf", Erf, erf_kernel),
    ("relu", ReLU, relu_kernel),
]


@pytest.mark.parametrize(("name", "kind", "plain"), PLAIN, ids=["erf", "relu"])
@pytest.mark.parametrize("cutoff", [0.5, 5.0, 1e3])
@pytest.mark.parametrize("legs", [1, 4])
def test_one_vertex_in_one_dimension(
    name: str, kind: type[Erf] | type[ReLU], plain: Callable[..., float], cutoff: float, legs: int
) -> None:
    x = np.random.default_rng(legs).uniform(-2, 2, size=(legs, 1))
    breaks = np.sort(np.concatenate([[-cutoff, 0, cutoff], *(s * 3.0 ** np.arange(-1, 7) for s in (1, -1)), x[:, 0]]))
    breaks = breaks[np.abs(breaks) <= cutoff]
    exact = sum(
        quad(lambda y: np.prod([plain(u, [y]) for u in x]), a, b, epsabs=0, epsrel=1e-13)[0]
        for a, b in pairwise(breaks)
    )
    p = integrate(star(legs), kind(bias=False), x, cutoff)
    assert abs(p.values[0] - exact) <= p.bound[0] + 1e-13 * abs(exact)


@pytest.mark.parametrize(("name", "kind", "plain"), PLAIN, ids=["erf", "relu"])
@pytest.mark.parametrize("cutoff", [0.8, 3.0])
def test_one_vertex_in_two_dimensions(
    name: str, kind: type[Erf] | type[ReLU], plain: Callable[..., float], cutoff: float
) -> None:
    x = np.array([[0.7, -0.4], [1.1, 0.6]])
    exact, error = dblquad(
        lambda b, a: plain(x[0], (a, b)) * plain(x[1], (a, b)), -cutoff, cutoff, -cutoff, cutoff, epsabs=0, epsrel=1e-8
    )
    p = integrate(star(2), kind(d_in=2, bias=False), x, cutoff, rtol=1e-9)
    assert abs(p.values[0] - exact) <= p.bound[0] + error


@pytest.mark.parametrize(("name", "kind", "plain"), PLAIN, ids=["erf", "relu"])
def test_two_vertices_in_one_dimension(name: str, kind: type[Erf] | type[ReLU], plain: Callable[..., float]) -> None:
    x, size = (0.6, -0.9), 2.0

    def integrand(z: float, y: float) -> float:
        return plain([x[0]], [y]) ** 2 * plain([y], [z]) ** 2 * plain([z], [x[1]])

    exact, error = nquad(
        integrand,
        [(-size, size), (-size, size)],
        opts=[lambda y: {"points": sorted({0.0, x[1], y}), "epsrel": 1e-9}, {"points": [0.0, x[0]], "epsrel": 1e-9}],
    )
    legs = [(0, 0, V), (1, 0, V), (2, 1, V)]
    c = contraction([0, 1], legs, [(0, 1, V)] * 2, {})
    tool = Integrator({V: kind(bias=False)}, column(x), Cutoff(size), rtol=1e-9)
    p = tool.piece(c, np.array([[0, 0, 1]]))
    assert abs(p.values[0] - exact) <= p.bound[0] + 1e-8 * abs(exact) + error * 1e-3


ANCHORS = np.array([28.598668680883, 0.79208085323533])
SQUARE = np.array([(-1, -1), (-1, 1), (1, -1), (1, 1)], dtype=np.float64)


@pytest.mark.parametrize("rtol", [1e-4, 1e-8])
def test_anchors_of_two_erf_vertices_in_the_plane(rtol: float) -> None:
    tool = Integrator({V: Erf(d_in=2, bias=False)}, SQUARE, Cutoff(5.0), rtol=rtol)
    p = tool.piece(pair(2, 2, 2), np.array([[0, 0, 0, 0], [0, 1, 2, 3]]))
    assert (np.abs(p.values - ANCHORS) <= p.bound + 1e-13 * ANCHORS).all()
    np.testing.assert_allclose(p.values, ANCHORS, rtol=1e-9 if rtol == 1e-8 else rtol)
    assert (p.bound <= 100 * rtol * ANCHORS).all()


# --- kinks between vertices -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cutoff", [40.0, inf])
@pytest.mark.parametrize("t", [0.0, 0.37, 4.2])
def test_two_vertices_with_a_kink_between_them(cutoff: float, t: float) -> None:
    """K^2 of mass 1 is K of mass 2, so that legs and bubble in twos are the same chain."""
    x = column([0.0, t])
    for rtol in (1e-3, 1e-6, 1e-8):
        p = integrate(pair(1, 1, 1), FreeScalar(), x, cutoff, rtol=rtol)
        assert close(p, free_chain(t, 1.0))
        assert p.bound[0] <= 30 * rtol * p.values[0]
    tool = Integrator({V: FreeScalar()}, x, Cutoff(cutoff), rtol=1e-8)
    assert close(tool.piece(pair(2, 2, 2), np.array([[0, 0, 1, 1]])), free_chain(t, 2.0))


def test_a_kink_of_a_user_s_kernel_is_handled_like_the_library_s() -> None:
    user = FromCallable(lambda x, y: np.exp(-abs(x - y.T)) / 2, decay_length=1.0)
    assert user.diagonal == "kink"
    assert close(integrate(pair(1, 1, 1), user, column([0.0, 1.3]), inf, rtol=1e-8), free_chain(1.3, 1.0))
    boxed = FromCallable(lambda x, y: np.exp(-abs(x - y.T)) / 2)
    p = integrate(pair(1, 1, 1), boxed, column([0.0, 1.3]), 40.0, rtol=1e-6)
    assert close(p, free_chain(1.3, 1.0))


def test_three_vertices_with_kinks() -> None:
    """A chain of four propagators: the third derivative of 1/(p^2 + m^2) by m^2."""
    x = column([0.0, 0.9])
    legs = [(0, 0, V), (1, 2, V)]
    c = contraction([0, 1, 2], legs, [(0, 1, V), (1, 2, V)], {})
    exact = quad(lambda p: np.cos(0.9 * p) / (p * p + 1) ** 4 / np.pi, 0, 60, epsabs=1e-15, epsrel=1e-13, limit=500)[0]
    assert integrate(c, FreeScalar(), x, inf, rtol=1e-8).values[0] == pytest.approx(exact, rel=1e-8)


# --- honesty ----------------------------------------------------------------------------------------------------------


def honest_cases() -> list[tuple[Contraction, Kernel, Array, float, float]]:
    rng = np.random.default_rng(2008)
    cases: list[tuple[Contraction, Kernel, Array, float, float]] = []
    for d in (1, 2, 3):
        for legs in (1, 4):
            for cutoff in (0.5, 4.0, inf):
                x, s = rng.normal(size=(legs, d)), float(rng.uniform(0.6, 2.0))
                exact = gauss_star_in_box(x, cutoff, sigma_w=s)
                cases.append((star(legs), Gauss(sigma_w=s, sigma_b=0, d_in=d), x, cutoff, exact))
    for left, right, lines in ((1, 1, 3), (2, 2, 2), (3, 1, 1)):
        x = rng.normal(size=(left + right, 2))
        edges = [(i, left + right + (i >= left)) for i in range(left + right)]
        edges += [(left + right, left + right + 1)] * lines
        exact = gaussian_integral(left + right, 2, edges, x)
        cases.append((pair(left, right, lines), Gauss(sigma_b=0, d_in=2), x, inf, exact))
    for legs in (1, 2, 5):
        for cutoff in (0.3, 20.0, 1e4):
            x = rng.uniform(0.1, 2.0, size=(legs, 1))
            cases.append((star(legs), ReLU(sigma_b=0), x, cutoff, relu_star(x, cutoff)))
    mpmath.mp.dps = 20
    for kind, plain in ((Erf, mp_erf), (ReLU, mp_relu)):
        for cutoff in (0.7, 30.0):
            x = rng.uniform(-2, 2, size=(3, 1))
            points = sorted({-cutoff, cutoff, 0.0, *(float(u) for u in x[:, 0] if abs(u) < cutoff)})
            points = sorted({*points, *(s * b for s in (1, -1) for b in (3.0, 10.0) if b < cutoff)})
            exact = float(mpmath.quad(lambda y, x=x, f=plain: mpmath.fprod(f(u, y) for u in x[:, 0]), points))
            cases.append((star(3), kind(bias=False), x, cutoff, exact))
    cases += [(pair(1, 1, 1), FreeScalar(), column([0.0, t]), inf, free_chain(t, 1.0)) for t in (0.0, 0.4, 1.1, 3.0)]
    return cases


def mp_erf(x: float, y: Any) -> Any:
    return 2 / mpmath.pi * mpmath.asin(2 * (1 + x * y) / mpmath.sqrt((3 + 2 * mpmath.mpf(x) ** 2) * (3 + 2 * y * y)))


def mp_relu(x: float, y: Any) -> Any:
    size = mpmath.sqrt((1 + mpmath.mpf(x) ** 2) * (1 + y * y))
    t = mpmath.acos(min(mpmath.mpf(1), (1 + x * y) / size))
    return size / (2 * mpmath.pi) * (mpmath.sin(t) + (mpmath.pi - t) * mpmath.cos(t))


def test_bounds_hold_for_at_least_99_in_100() -> None:
    """More than 150 integrals of known value; none failed when this was written."""
    tried = failed = 0
    for c, kernel, x, cutoff, exact in honest_cases():
        for rtol in (1e-3, 1e-5, 1e-7, 1e-9):
            p = integrate(c, kernel, x, cutoff, rtol=rtol)
            tried += 1
            failed += not close(p, exact)
            # and they are not empty promises
            assert p.bound[0] <= 5 * rtol * abs(exact) + 1e-13 * abs(exact), (c, kernel, rtol)
    assert tried >= 150
    assert failed <= tried // 100
