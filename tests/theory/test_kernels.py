"""Kernels against 100-digit arithmetic, against their definitions as expectations, and their promises."""

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mpf
from scipy.integrate import quad

from feynnn.errors import InputError
from feynnn.points import Array
from feynnn.theory.kernels import Erf, FreeScalar, FromCallable, Gauss, Kernel, Lattice, ReLU
from feynnn.theory.kernels.base import NetworkKernel

EXACT = 1e-14
NETWORKS: list[type[NetworkKernel]] = [Gauss, Erf, ReLU]
SIGMAS = [(1.0, 1.0), (1.0, 0.0), (1.3, 0.7), (0.9, 1e-3), (2.1, 30.0)]


# --- references -------------------------------------------------------------------------------------------------------


def inner(x: Array, y: Array) -> Any:
    return mpmath.fsum(mpf(float(a)) * mpf(float(b)) for a, b in zip(x, y, strict=True))


def square_distance(x: Array, y: Array) -> Any:
    return mpmath.fsum((mpf(float(a)) - mpf(float(b))) ** 2 for a, b in zip(x, y, strict=True))


def reference(kernel: Kernel, x: Array, y: Array) -> Any:
    """K(x, y) of the exact floats, by the textbook formulas; ReLU near antiparallel inputs loses 3/4 of the digits."""
    if isinstance(kernel, FreeScalar):
        m, r, half = mpf(kernel.mass), mpmath.sqrt(square_distance(x, y)), mpf(kernel.d_in) / 2
        if kernel.d_in == 1:
            return mpmath.exp(-m * r) / (2 * m)
        if kernel.d_in == 3:
            return mpmath.exp(-m * r) / (4 * mpmath.pi * r)
        return (2 * mpmath.pi) ** (-half) * (m / r) ** (half - 1) * mpmath.besselk(half - 1, m * r)
    assert isinstance(kernel, NetworkKernel)
    w2, b2 = mpf(kernel.sigma_w) ** 2, mpf(kernel.sigma_b) ** 2
    constant = b2 if kernel.bias else mpf(0)
    if isinstance(kernel, Gauss):
        return constant + w2 * mpmath.exp(-w2 * square_distance(x, y) / (2 * kernel.d_in))
    c, cx, cy = (b2 + w2 * inner(a, b) / kernel.d_in for a, b in ((x, y), (x, x), (y, y)))
    if isinstance(kernel, Erf):
        return constant + w2 * 2 / mpmath.pi * mpmath.asin(2 * c / mpmath.sqrt((1 + 2 * cx) * (1 + 2 * cy)))
    size = mpmath.sqrt(cx * cy)
    if size == 0:
        return constant
    t = mpmath.acos(min(max(c / size, mpf(-1)), mpf(1)))
    return constant + w2 / (2 * mpmath.pi) * size * (mpmath.sin(t) + (mpmath.pi - t) * mpmath.cos(t))


def worst(kernel: Kernel, x: Array, y: Array, *, pairs: bool = False) -> float:
    """Largest relative error over all x, y (or over matching rows)."""
    got = kernel(x, y)
    assert np.isfinite(got).all()
    result = 0.0
    # Bessel functions to 100 digits would be slow, and have nothing that cancels
    with mpmath.workdps(40 if isinstance(kernel, FreeScalar) else 100):
        for i, j in zip(range(len(x)), range(len(y)), strict=True) if pairs else np.ndindex(got.shape):
            want = reference(kernel, x[i], y[j])
            # an exact zero of ReLU comes out as what cancels of the digits
            floor = 0 if isinstance(kernel, FreeScalar) else mpf(10) ** (-2 * mpmath.mp.dps // 3)
            scale = max(abs(want), floor)
            result = max(result, float(abs(mpf(float(got[i, j])) - want) / scale))
    return result


# --- accuracy ---------------------------------------------------------------------------------------------------------


def nearly(vectors: Array, rng: np.random.Generator) -> Array:
    """The vectors, and neighbours of them and of their opposites at all small angles."""
    rows = []
    for v in vectors:
        for e in (0.0, 1e-15, 1e-12, 1e-8, 1e-4, 0.1):
            near = v * (1 + e * rng.uniform(-1, 1)) + e * rng.normal(size=v.shape)
            rows += [near, -near]
    return np.array(rows)


@pytest.mark.parametrize("kernel_class", [Erf, ReLU])
@pytest.mark.parametrize(("sigma_w", "sigma_b"), SIGMAS)
def test_near_parallel_and_antiparallel_inputs_in_one_dimension(
    kernel_class: type[NetworkKernel], sigma_w: float, sigma_b: float
) -> None:
    kernel = kernel_class(sigma_w, sigma_b).without_bias()
    sizes = np.array([1e-8, 0.01, 0.3, 7.0, 123.456, 1e5])
    offsets = np.array([0.0, 1e-15, 1e-9, 1e-3])
    x = (sizes[:, None] * (1 + offsets)).reshape(-1, 1)
    both = np.concatenate([x, -x])
    assert worst(kernel, both[::3], both[1::2]) < EXACT


@pytest.mark.parametrize("kernel_class", [Erf, ReLU])
@pytest.mark.parametrize(("sigma_w", "sigma_b"), SIGMAS[:3])
@pytest.mark.parametrize("d_in", [2, 3])
def test_near_parallel_and_antiparallel_vectors(
    kernel_class: type[NetworkKernel], sigma_w: float, sigma_b: float, d_in: int
) -> None:
    rng = np.random.default_rng(d_in)
    rows = nearly(rng.normal(size=(3, d_in)) * np.array([[1.0], [1e3], [1e-2]]), rng)
    assert worst(kernel_class(sigma_w, sigma_b, d_in).without_bias(), rows[::2], rows[1::3]) < EXACT


@pytest.mark.parametrize(("sigma_w", "sigma_b"), [(1.0, 1.0), (1.3, 0.7), (0.77, 3.3)])
@pytest.mark.parametrize("d_in", [1, 2, 3])
def test_cancelling_covariance(sigma_w: float, sigma_b: float, d_in: int) -> None:
    # x.y close to -d sigma_b^2 / sigma_w^2, where C_xy and with it the Erf kernel go through zero
    rng = np.random.default_rng(d_in)
    x = rng.normal(size=(30, d_in))
    ratio = -(sigma_b**2) * d_in / sigma_w**2 / (x**2).sum(axis=1) * (1 + 10.0 ** -rng.uniform(1, 17, size=30))
    y = x * ratio[:, None]
    for kernel_class in (Erf, ReLU):
        assert worst(kernel_class(sigma_w, sigma_b, d_in).without_bias(), x, y, pairs=True) < EXACT


@pytest.mark.parametrize("d_in", [1, 2, 3])
def test_large_arguments_of_erf(d_in: int) -> None:
    rng = np.random.default_rng(d_in)
    x = rng.normal(size=(8, d_in)) * 10.0 ** rng.uniform(3, 6, size=(8, 1))
    assert worst(Erf(1.3, 0.7, d_in).without_bias(), x, np.concatenate([x, -x])) < EXACT


def far_apart(d_in: int, scale: float, low: float, high: float, count: int) -> tuple[Array, Array]:
    """Pairs of points whose distance times `scale` lies between `low` and `high`."""
    rng = np.random.default_rng(d_in)
    x = rng.normal(size=(count, d_in)) * 10.0 ** rng.uniform(-2, 3, size=(count, 1))
    direction = rng.normal(size=(count, d_in))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    return x, x + direction * np.exp(rng.uniform(np.log(low), np.log(high), size=(count, 1))) / scale


@pytest.mark.parametrize("sigma_w", [1.0, 1.3, 0.77])
@pytest.mark.parametrize("d_in", [1, 2, 3])
def test_gauss_far_apart(sigma_w: float, d_in: int) -> None:
    # the exponent is r^2 / 2 with r from 1e-3 to 36: up to 650
    x, y = far_apart(d_in, sigma_w / np.sqrt(d_in), 1e-3, 36.0, 60)
    assert worst(Gauss(sigma_w, 0.0, d_in), x, y, pairs=True) < EXACT
    assert worst(Gauss(sigma_w, 0.5, d_in), x, y, pairs=True) < EXACT


@pytest.mark.parametrize("mass", [1.0, 0.37])
@pytest.mark.parametrize("d_in", [1, 2, 3, 4])
def test_the_free_scalar_near_and_far(mass: float, d_in: int) -> None:
    for low, high in ((1e-10, 1e-2), (1e-2, 30.0), (30.0, 650.0)):
        x, y = far_apart(d_in, mass, low, high, 6 if d_in % 2 == 0 else 30)
        assert worst(FreeScalar(mass, d_in), x, y, pairs=True) < EXACT


def test_beyond_the_range_of_floats_kernels_go_to_zero_quietly() -> None:
    for kernel in (Gauss(1.0, 0.0), FreeScalar(1.0), FreeScalar(1.0, 2), FreeScalar(1.0, 3)):
        far = np.zeros((2, kernel.d_in))
        far[0, 0], far[1, 0] = 1e4, 1e60
        assert (kernel(far, np.zeros((1, kernel.d_in))) == 0).all()


def test_coordinates_that_would_overflow_are_refused() -> None:
    assert np.isfinite(ReLU(1.0, 1.0, 2)([[1e70, -1e70]], [[-1e70, 1e70]])).all()
    with pytest.raises(InputError, match="rescale the inputs"):
        Erf()([1e80], [1.0])


# --- second routes ----------------------------------------------------------------------------------------------------


def expectation(function: Callable[[Array], Array], covariance: Array) -> float:
    """E[function(h1) function(h2)] for smooth functions of two correlated Gaussians, by Gauss-Hermite."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(50)
    root = np.linalg.cholesky(covariance)
    first = root[0, 0] * nodes[:, None] + 0 * nodes
    second = root[1, 0] * nodes[:, None] + root[1, 1] * nodes
    w = weights[:, None] * weights / (2 * np.pi)
    return float((w * function(first) * function(second)).sum())


X, Y = np.array([0.3, -0.2]), np.array([-0.5, 0.9])


def covariance(sigma_w: float, sigma_b: float) -> Array:
    a = np.stack([X, Y])
    return np.asarray(sigma_b**2 + sigma_w**2 * (a @ a.T) / 2)


def test_erf_kernel_is_the_expectation() -> None:
    special = np.vectorize(mpmath.erf, otypes=[float])
    want = 0.6**2 + 0.8**2 * expectation(special, covariance(0.8, 0.6))
    assert Erf(0.8, 0.6, 2)(X[None], Y[None])[0, 0] == pytest.approx(want, rel=1e-9)


def test_gauss_kernel_is_the_expectation() -> None:
    c = covariance(0.8, 0.6)
    want = 0.6**2 + 0.8**2 * expectation(np.exp, c) / np.exp(c[0, 0] + c[1, 1])
    assert Gauss(0.8, 0.6, 2)(X[None], Y[None])[0, 0] == pytest.approx(want, rel=1e-12)


def test_relu_kernel_is_the_expectation() -> None:
    # E[(a.u)_+ (b.u)_+] = (1/pi) times the integral of the same over the unit circle
    a, b = np.linalg.cholesky(covariance(0.8, 0.6))

    def on_the_circle(t: float) -> float:
        u = np.array([np.cos(t), np.sin(t)])
        return max(float(a @ u), 0.0) * max(float(b @ u), 0.0)

    kinks = [float(np.arctan2(s * v[0], -s * v[1])) for v in (a, b) for s in (1, -1)]
    integral, _ = quad(on_the_circle, -np.pi, np.pi, points=kinks, epsabs=1e-13)
    assert ReLU(0.8, 0.6, 2)(X[None], Y[None])[0, 0] == pytest.approx(0.36 + 0.64 * integral / np.pi, rel=1e-10)


@pytest.mark.parametrize("r", [0.1, 1.0, 3.0])
@pytest.mark.parametrize("d_in", [1, 2, 3, 5])
def test_the_free_scalar_is_its_proper_time_integral(d_in: int, r: float) -> None:
    def integrand(log_t: float) -> float:
        t = np.exp(log_t)
        return float(t * (4 * np.pi * t) ** (-d_in / 2) * np.exp(-r * r / (4 * t) - 1.7**2 * t))

    want, _ = quad(integrand, -12, 6, epsabs=1e-14, epsrel=1e-11, limit=200)
    x = np.zeros((1, d_in))
    y = np.full((1, d_in), r / np.sqrt(d_in))
    assert FreeScalar(1.7, d_in)(x, y)[0, 0] == pytest.approx(want, rel=1e-9)


def test_the_free_scalar_is_the_fourier_transform_of_its_momentum_form() -> None:
    m, r = 0.8, 1.3
    line, _ = quad(lambda p: 1 / (p * p + m * m), 0, np.inf, weight="cos", wvar=r)
    assert FreeScalar(m)([0.0], [r])[0, 0] == pytest.approx(line / np.pi, rel=1e-7)
    space, _ = quad(lambda p: p / (p * p + m * m), 0, np.inf, weight="sin", wvar=r)
    assert FreeScalar(m, 3)([[0.0, 0.0, 0.0]], [[0.0, r, 0.0]])[0, 0] == pytest.approx(
        space / (2 * np.pi**2 * r), rel=1e-7
    )


def test_known_values() -> None:
    assert FreeScalar(2.0)([0.0], [0.0])[0, 0] == 0.25
    # K_0(1) = 0.42102443824070833, Abramowitz and Stegun table 9.8
    assert FreeScalar(1.0, 2)([[0, 0]], [[0, 1]])[0, 0] == pytest.approx(0.42102443824070833 / (2 * np.pi), rel=1e-15)
    assert FreeScalar(1.0, 3)([[0, 0, 0]], [[0, 0, 1]])[0, 0] == pytest.approx(np.exp(-1) / (4 * np.pi), rel=1e-15)
    assert ReLU(1.0, 0.0)([0.2], [0.4])[0, 0] == pytest.approx(0.04, rel=1e-15)
    assert ReLU(1.0, 0.0)([0.2], [-0.4])[0, 0] == 0.0
    assert Gauss()([1.0], [1.0])[0, 0] == 2.0
    assert Erf(1.0, 0.0)([1e6], [-1e6])[0, 0] == pytest.approx(-1.0, rel=1e-6)


def test_a_singular_field_is_infinite_at_coincidence() -> None:
    x = np.array([[0.1, 0.2], [1.0, 0.0]])
    for kernel in (FreeScalar(1.0, 2), FreeScalar(1.0, 3), FreeScalar(1.0, 4)):
        points = np.concatenate([x, np.zeros((2, kernel.d_in - 2))], axis=1)
        matrix = kernel(points, points)
        assert np.isinf(np.diag(matrix)).all()
        assert np.isfinite(matrix[0, 1])
        with pytest.raises(InputError, match=r"FreeScalar\(mass=1.0, d_in=.\) is singular .*normal_ordered=True"):
            kernel.at_coincidence(points)


# --- promises every kernel makes --------------------------------------------------------------------------------------


def matern(x: Array, y: Array) -> Array:
    t = np.linalg.norm(x[:, None] - y[None], axis=2)
    return np.asarray((1 + t) * np.exp(-t))


def every_kernel(d_in: int) -> list[Kernel]:
    networks = [k(w, b, d_in) for k in NETWORKS for w, b in ((1.0, 1.0), (1.3, 0.0))]
    return [*networks, *[k.without_bias() for k in networks], FreeScalar(0.7, d_in), FromCallable(matern, d_in)]


def some_points(d_in: int, count: int) -> st.SearchStrategy[Array]:
    number = st.floats(-3, 3).map(lambda v: round(v, 3))
    rows = st.lists(st.tuples(*[number] * d_in), min_size=1, max_size=count, unique=True)
    return rows.map(lambda r: np.array(r, dtype=float))


@given(st.data(), st.integers(1, 3))
@settings(deadline=None, max_examples=15)
def test_symmetric_exactly_and_positive(data: st.DataObject, d_in: int) -> None:
    x, y = data.draw(some_points(d_in, 6)), data.draw(some_points(d_in, 4))
    for kernel in every_kernel(d_in):
        # the same operations on swapped arguments, so the same bits
        np.testing.assert_array_equal(kernel(x, y), kernel(y, x).T, err_msg=repr(kernel))
        if kernel.diagonal != "singular":
            spectrum = np.linalg.eigvalsh(kernel(x, x))
            assert spectrum[0] >= -1e-13 * max(spectrum[-1], 1e-300), kernel


@given(st.data(), st.integers(1, 3))
@settings(deadline=None, max_examples=15)
def test_at_coincidence_is_the_diagonal(data: st.DataObject, d_in: int) -> None:
    x = data.draw(some_points(d_in, 5))
    for kernel in every_kernel(d_in):
        if kernel.diagonal != "singular":
            got = kernel.at_coincidence(x)
            assert got.shape == (len(x),)
            np.testing.assert_allclose(got, np.diag(kernel(x, x)), rtol=2e-15, atol=0, err_msg=repr(kernel))


@pytest.mark.parametrize("d_in", [1, 2, 3])
def test_invariances_are_what_the_attributes_say(d_in: int) -> None:
    rng = np.random.default_rng(d_in)
    x, y = rng.normal(size=(3, d_in)), rng.normal(size=(4, d_in))
    turn = np.linalg.qr(rng.normal(size=(d_in, d_in)))[0]
    for kernel in every_kernel(d_in):
        matrix = kernel(x, y)
        moved, turned = kernel(x + 0.5, y + 0.5), kernel(x @ turn.T, y @ turn.T)
        if kernel.translation_invariant:
            np.testing.assert_allclose(moved, matrix, rtol=1e-12)
        elif not isinstance(kernel, FromCallable):
            assert np.abs(moved - matrix).max() > 1e-3
        if kernel.rotation_invariant:
            np.testing.assert_allclose(turned, matrix, rtol=1e-10, atol=1e-12)
        if kernel.homogeneous is not None:
            np.testing.assert_allclose(kernel(3 * x, y), 3**kernel.homogeneous * matrix, rtol=1e-12, atol=1e-14)
    assert ReLU(1.0, 0.0, d_in).homogeneous == 1
    assert ReLU(1.0, 1.0, d_in).homogeneous is None


@pytest.mark.parametrize("kernel_class", NETWORKS)
def test_without_bias_drops_the_constant_and_nothing_else(kernel_class: type[NetworkKernel]) -> None:
    x = np.array([-0.4, 0.3, 1.1])
    kernel = kernel_class(1.3, 0.7)
    vertex = kernel.without_bias()
    np.testing.assert_allclose(kernel(x, x) - vertex(x, x), 0.49, rtol=1e-13)
    np.testing.assert_allclose(kernel.at_coincidence(x) - vertex.at_coincidence(x), 0.49, rtol=1e-13)
    assert kernel != vertex
    assert vertex.without_bias() is vertex
    # nothing to drop: the same kernel, so that it is not shown as another one
    plain = kernel_class(1.3, 0.0)
    assert plain.without_bias() is plain
    # the hidden layer keeps its bias
    assert isinstance(vertex, NetworkKernel)
    assert vertex.sigma_b == 0.7
    if kernel_class is not Gauss:
        assert np.abs(vertex(x, x) - kernel_class(1.3, 0.0)(x, x)).max() > 0.01


def test_other_kernels_have_no_bias_to_drop() -> None:
    for kernel in (FreeScalar(), Lattice([[1.0]]), FromCallable(matern)):
        assert kernel.without_bias() is kernel


def test_reach_is_where_the_kernel_has_decayed() -> None:
    for kernel in (Gauss(1.3, 0.0), Gauss(1.0, 1.0, 3).without_bias(), FreeScalar(0.3)):
        assert kernel.reach is not None
        origin = np.zeros((1, kernel.d_in))
        there = np.zeros((2, kernel.d_in))
        there[:, 0] = kernel.reach, 0.9 * kernel.reach
        values = kernel(origin, there)[0] / kernel.at_coincidence(origin)[0]
        assert values[0] <= 1.0001e-17
        assert values[1] > 1e-17
    for endless in (Gauss(), Erf(1.0, 0.0), ReLU(1.0, 0.0), FromCallable(matern)):
        assert endless.reach is None
    assert FromCallable(matern, decay_length=2.0).reach == pytest.approx(2 * 17 * np.log(10))


def test_growth_says_why_an_integral_diverges() -> None:
    assert Gauss(1.0, 0.5).growth == "it tends to a constant of at least sigma_b^2 = 0.25"
    assert "constant that depends on the direction" in Erf(1.0, 1.0).without_bias().growth
    assert "linearly" in ReLU(1.0, 0.0).growth
    assert "decay_length=" in FromCallable(matern).growth


@pytest.mark.parametrize("d_in", [1, 2, 3])
def test_blocks_of_rows_make_no_difference(d_in: int) -> None:
    rng = np.random.default_rng(d_in)
    x, y = rng.normal(size=(50, d_in)), rng.normal(size=(700, d_in))
    for kernel in every_kernel(d_in):
        # 700 columns: blocks of 23 rows; vector instructions may treat the ends of a block by other code
        np.testing.assert_allclose(kernel(x, y), kernel._matrix(x, y), rtol=5e-16, atol=0, err_msg=repr(kernel))
    assert Gauss(1.0, 1.0, d_in)(x[:2], np.tile(y, (30, 1))).shape == (2, 21000)


@pytest.mark.parametrize("d_in", [1, 2, 3])
def test_the_expression_is_the_kernel(d_in: int) -> None:
    rng = np.random.default_rng(d_in)
    x, y = rng.normal(size=(1, d_in)), rng.normal(size=(1, d_in))
    names = [""] if d_in == 1 else [f"_{i + 1}" for i in range(d_in)]
    shown = [k(1.3, 0.7, d_in) for k in NETWORKS]
    for kernel in (*shown, *[k.without_bias() for k in shown], FreeScalar(0.7, d_in)):
        values = {}
        for letter, point in (("x", x), ("y", y)):
            for name, value in zip(names, point[0], strict=True):
                values[sympy.Symbol(letter + name, real=True)] = sympy.Rational(float(value))
        expression = kernel.expression
        assert expression.free_symbols == set(values), kernel
        number = float(sympy.N(expression.subs(values), 30))
        assert kernel(x, y)[0, 0] == pytest.approx(number, rel=2e-14), kernel


def test_kernels_without_closed_form_say_so() -> None:
    for kernel in (Lattice([[1.0]]), FromCallable(matern)):
        with pytest.raises(InputError, match="has no closed form to show"):
            _ = kernel.expression


@pytest.mark.parametrize("d_in", [1, 2, 3])
def test_the_axes_of_gauss_multiply_to_the_kernel(d_in: int) -> None:
    rng = np.random.default_rng(d_in)
    x, y = rng.normal(size=(5, d_in)), rng.normal(size=(6, d_in)) * 5
    kernel = Gauss(1.3, 0.7, d_in).without_bias()
    axes = kernel.axes()
    assert axes is not None
    assert len(axes) == d_in
    product = np.prod([axis(x[:, i], y[:, i]) for i, axis in enumerate(axes)], axis=0)
    np.testing.assert_allclose(product, kernel(x, y), rtol=2e-15)
    np.testing.assert_allclose(
        np.prod([axis.at_coincidence(x[:, i]) for i, axis in enumerate(axes)], axis=0),
        kernel.at_coincidence(x),
        rtol=2e-15,
    )
    assert axes[0].reach == pytest.approx(kernel.reach)
    assert Gauss(1.3, 0.7, d_in).axes() is None
    assert Erf(d_in=d_in).axes() is None


def test_repr_equality_and_hash() -> None:
    assert repr(Gauss()) == "Gauss(sigma_w=1.0, sigma_b=1.0, d_in=1)"
    assert repr(Erf(1, 2, 3).without_bias()) == "Erf(sigma_w=1.0, sigma_b=2.0, d_in=3, bias=False)"
    assert repr(FreeScalar(2, 3)) == "FreeScalar(mass=2.0, d_in=3)"
    assert repr(Lattice(np.eye(3))) == "Lattice(3 sites)"
    assert repr(FromCallable(matern)) == "FromCallable(matern, d_in=1, diagonal='smooth' (probed))"
    assert Gauss(1.0) == Gauss(1)
    assert hash(Gauss(1.0)) == hash(Gauss(1))
    assert len({Gauss(), Erf(), ReLU(), Gauss(2.0), Gauss(d_in=2), Gauss().without_bias(), FreeScalar()}) == 7
    given_kind, probed = FromCallable(matern, diagonal="smooth"), FromCallable(matern)
    assert given_kind == probed
    assert hash(given_kind) == hash(probed)
    assert FromCallable(matern) != FromCallable(lambda x, y: matern(x, y))


def any_type(value: object) -> Any:
    return value


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: Gauss(0.0), "sigma_w must be finite and > 0, got 0.0"),
        (lambda: Erf(-1.0), "sigma_w must be finite and > 0"),
        (lambda: ReLU(1.0, -0.1), "sigma_b must be finite and >= 0"),
        (lambda: Gauss(float("nan")), "sigma_w must be finite"),
        (lambda: Gauss(float("inf")), "sigma_w must be finite"),
        (lambda: Gauss(any_type("1")), "sigma_w must be a real number, got '1'"),
        (lambda: Gauss(1.0, 1.0, 0), "d_in must be at least 1"),
        (lambda: Gauss(1.0, 1.0, any_type(1.5)), "d_in must be a whole number"),
        (lambda: FreeScalar(0.0), "mass must be finite and > 0"),
        (lambda: FreeScalar(1.0, -1), "d_in must be at least 1"),
        (lambda: Gauss()([], [1.0]), "x must have shape"),
        (lambda: Gauss()([1.0], [np.nan]), "y must be finite"),
        (lambda: Gauss(d_in=2)([[1.0, 2.0]], [1.0, 2.0]), r"y must have shape \(m, 2\)"),
    ],
)
def test_bad_arguments_are_refused(make: Callable[[], object], match: str) -> None:
    with pytest.raises(InputError, match=match):
        make()
