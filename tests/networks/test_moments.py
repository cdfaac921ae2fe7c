"""Neuron moments: closed forms, identities and other quadratures, each moment by a second route."""

import itertools
import math
from typing import Any

import mpmath
import numpy as np
import numpy.typing as npt
import pytest

from feynnn.combinatorics import double_factorial, multiset_rank, multisets, pairings
from feynnn.errors import ComputationError, InputError
from feynnn.networks import Erf, Network, trapezoid
from feynnn.networks.cones import relu_moments
from feynnn.networks.moments import gauss_moments
from feynnn.networks.products import MultisetProducts, halves
from feynnn.networks.trapezoid import independent_directions, trapezoid_moments
from feynnn.theory import kernels

Array = npt.NDArray[np.float64]


def wick(vectors: Array) -> float:
    """E of the product of the a_i . z, each vector once."""
    c = vectors @ vectors.T
    return float(sum(math.prod(c[a, b] for a, b in p) for p in pairings(range(len(c)))))


def hermite(vectors: Array, indices: tuple[int, ...], degree: int = 120) -> float:
    """E of a product of erf(a_i . z) by Gauss-Hermite in two dimensions: another rule than the one tested."""
    z, w = np.polynomial.hermite_e.hermegauss(degree)
    a = independent_directions(vectors)
    h = a[:, 0, None, None] * z[:, None] + a[:, 1, None, None] * z
    product = np.prod([Erf().apply(h[i], np.ones(1)) for i in indices], axis=0)
    return float(w @ product @ w) / (2 * math.pi)


# --- products of functions on multisets ----------------------------------------------------------------------------


@pytest.mark.parametrize(("m", "k"), [(1, 1), (1, 4), (3, 2), (4, 3), (6, 3)])
def test_products_on_multisets(m: int, k: int) -> None:
    f = np.random.default_rng(1).normal(size=(m, 5))
    products = MultisetProducts(m, k, 7)
    for level, p in enumerate(products.fill(f), start=1):
        np.testing.assert_allclose(p, f[multisets(m, level)].prod(axis=1), rtol=1e-14)
    np.testing.assert_allclose(products.fill(f[:, :2])[-1], f[multisets(m, k), :2].prod(axis=1), rtol=1e-14)


def test_halves_of_multisets() -> None:
    left, right = halves(4, 6)
    half = multisets(4, 3)
    np.testing.assert_array_equal(np.concatenate([half[left], half[right]], axis=1), multisets(4, 6))


# --- Gauss ---------------------------------------------------------------------------------------------------------


def test_gauss_moments_are_the_gaussian_integral() -> None:
    """E exp(sum h_i - C_ii) by Gauss-Hermite."""
    vectors = np.array([[0.5, 0.3], [0.5, -0.4], [0.5, 0.9]])
    found = gauss_moments(vectors, [1, 2, 3, 4])
    assert found.kind == "exact"
    z, w = np.polynomial.hermite_e.hermegauss(80)
    h = vectors[:, 0, None, None] * z[:, None] + vectors[:, 1, None, None] * z
    phi = np.exp(h - (vectors**2).sum(axis=1)[:, None, None])
    for n, data in found.by_order.items():
        expected = [w @ phi[row].prod(axis=0) @ w / (2 * math.pi) for row in multisets(3, n)]
        np.testing.assert_allclose(data.values, expected, rtol=1e-12)


def test_gauss_bound_holds_and_overflow_is_told() -> None:
    vectors = Network("gauss", width=1, d_in=3).vectors([[2.0, 1.0, -3.0], [0.1, 5.0, 0.7]])
    data = gauss_moments(vectors, [6]).by_order[6]
    with mpmath.workdps(50):
        # what the vectors stand for: the weight is sqrt(1/3) exactly
        points = [[2, 1, -3], [mpmath.mpf(0.1), 5, mpmath.mpf(0.7)]]
        c = [[1 + sum(p * q for p, q in zip(a, b, strict=True)) / mpmath.mpf(3) for b in points] for a in points]
        for row, value, bound in zip(multisets(2, 6), data.values, data.bound, strict=True):
            exponent = sum(c[i][j] for i in row for j in row) / 2 - sum(c[i][i] for i in row)
            assert abs(mpmath.mpf(float(value)) - mpmath.exp(exponent)) < float(bound) < 1e-11 * value
    with pytest.raises(ComputationError, match="beyond float64; use inputs nearer to 0"):
        gauss_moments(np.array([[1.0, 20.0]]), [6])


# --- ReLU ----------------------------------------------------------------------------------------------------------


def test_relu_on_a_line() -> None:
    """d_in = 1, sb = 0: M_n = ((n-1)!!/2) sW^n prod|x_i| on one side of 0, else 0."""
    x = np.array([0.2, 1.5, -0.7, 0.0])
    vectors = Network("relu", width=1, sigma_w=1.3, sigma_b=0.0).vectors(x)
    found = relu_moments(vectors, [2, 4, 6])
    assert found.kind == "exact"
    for n, data in found.by_order.items():
        rows = x[multisets(4, n)]
        one_side = (rows > 0).all(axis=1) | (rows < 0).all(axis=1)
        expected = np.where(one_side, double_factorial(n - 1) / 2 * 1.3**n * np.abs(rows.prod(axis=1)), 0.0)
        np.testing.assert_allclose(data.values, expected, rtol=1e-14)
        assert (np.abs(data.values - expected) <= data.bound).all()


def test_relu_of_orthogonal_inputs_factorises() -> None:
    """E (z)_+^k = 2^(k/2 - 1) Gamma((k+1)/2) / sqrt(pi), for one, two and three orthogonal vectors of any length."""
    vectors = np.diag([1.0, 1e-5, 300.0])
    for n in (2, 3, 4, 5, 6):
        data = relu_moments(vectors, [n]).by_order[n]
        expected = [
            math.prod(
                vectors[i, i] ** k * 2 ** (k / 2 - 1) * math.gamma((k + 1) / 2) / math.sqrt(math.pi)
                for i in range(3)
                if (k := int((row == i).sum()))
            )
            for row in multisets(3, n)
        ]
        np.testing.assert_allclose(data.values, expected, rtol=2e-14)
        assert (np.abs(data.values - expected) <= data.bound).all()


def test_relu_of_all_signs_is_the_wick_sum() -> None:
    """a.z = (a.z)_+ - (-a.z)_+: the signed sum of moments over all signs is Gaussian. Thin cones too."""
    cases = ((1, 5, ""), (2, 4, "opposite"), (2, 4, "flat"), (3, 4, ""), (3, 4, "opposite"), (3, 3, "flat"))
    for rank, n, shape in cases:
        vectors = np.random.default_rng(2).normal(size=(n, rank))
        if shape == "flat":
            vectors[:, -1] *= 1e-6
        if shape == "opposite":
            vectors[2] = -vectors[0] + 1e-3 * vectors[2]
        place = int(multiset_rank([range(n)], n)[0])
        total = size = bound = 0.0
        for signs in itertools.product((1.0, -1.0), repeat=n):
            data = relu_moments(np.array(signs)[:, None] * vectors, [n]).by_order[n]
            total += math.prod(signs) * data.values[place]
            size += data.values[place]
            bound += data.bound[place]
        expected = wick(vectors) if n % 2 == 0 else 0.0
        assert abs(total - expected) < min(bound + 1e-14 * size, 1e-11 * size)


@pytest.mark.parametrize("gap", [1.0, 1e-2, 1e-5, 1e-9])
def test_thin_cones_keep_their_digits(gap: float) -> None:
    """Nearly opposite inputs: M_2 is the kernel, accurate there by its own series."""
    x = np.array([[math.cos(0.3), math.sin(0.3)], [-math.cos(0.3 + gap), -math.sin(0.3 + gap)]])
    vectors = Network("relu", width=1, d_in=2, sigma_b=0.0).vectors(x)
    data = relu_moments(vectors, [2]).by_order[2]
    expected = kernels.ReLU(sigma_b=0.0, d_in=2)(x[:1], x[1:])[0, 0]
    assert data.values[1] == pytest.approx(expected, rel=1e-13 + 1e-15 / gap)
    assert abs(data.values[1] - expected) <= data.bound[1] + 1e-13 * expected


def test_relu_in_three_directions_by_nested_quadrature() -> None:
    """The third direction by hand: given z1, z2 the mean over z3 of a cubic spline has a closed form here."""
    vectors = np.array([[1.0, 0.0, 0.0], [0.6, 0.8, 0.0], [0.3, -0.2, 0.9], [0.3, -0.2, 0.9]])
    z, w = np.polynomial.legendre.leggauss(160)
    # (a_3 . z)_+^2 given z1, z2: E (mu + s z3)_+^2 = (mu^2 + s^2) Phi(mu/s) + mu s phi(mu/s)
    z1 = 0.5 * 9 * (z + 1)
    low = -0.75 * z1  # 0.6 z1 + 0.8 z2 > 0
    z2 = low[:, None] + 0.5 * (9 - low[:, None]) * (z + 1)
    weight = 0.5 * 9 * w[:, None] * 0.5 * (9 - low[:, None]) * w
    mu, s = 0.3 * z1[:, None] - 0.2 * z2, 0.9
    phi = np.exp(-0.5 * (mu / s) ** 2) / math.sqrt(2 * math.pi)
    from scipy.special import ndtr

    inner = (mu * mu + s * s) * ndtr(mu / s) + mu * s * phi
    normal = np.exp(-0.5 * (z1[:, None] ** 2 + z2**2)) / (2 * math.pi)
    expected = float((weight * normal * z1[:, None] * (0.6 * z1[:, None] + 0.8 * z2) * inner).sum())
    found = relu_moments(vectors, [4])
    assert found.kind == "computed"
    assert found.by_order[4].values[int(multiset_rank([range(4)], 4)[0])] == pytest.approx(expected, rel=1e-12)


def test_relu_in_four_directions_is_refused() -> None:
    with pytest.raises(InputError, match=r"inputs \[0, 1, 2, 3\].*span 4; use sample\(\)"):
        relu_moments(np.eye(4), [4])
    # two of the inputs at a time are fine
    np.testing.assert_allclose(relu_moments(np.eye(4), [2]).by_order[2].values[[0, 1]], [0.5, 0.5 / math.pi])


# --- Erf and other smooth activations ------------------------------------------------------------------------------


def erf_moments(x: npt.ArrayLike, order: int, **keywords: Any) -> tuple[Array, Array]:
    net = Network("erf", width=1, **keywords)
    data = Erf().moments(net.vectors(x), [order]).by_order[order]
    return data.values, data.bound


def test_erf_moments_against_mpmath() -> None:
    """One input: E erf(sqrt(C) z)^n in one dimension, to 25 digits."""
    values4, bounds4 = erf_moments([0.7], 4)
    values6, bounds6 = erf_moments([0.7], 6)
    with mpmath.workdps(25):
        width = mpmath.sqrt(1 + mpmath.mpf(0.7) ** 2)

        def moment(n: int) -> mpmath.mpf:
            weight = mpmath.sqrt(2 / mpmath.pi)
            return mpmath.quad(lambda z: weight * mpmath.erf(width * z) ** n * mpmath.exp(-z * z / 2), [0, 1, 2, 4, 12])

        for n, value, bound in ((4, values4[0], bounds4[0]), (6, values6[0], bounds6[0])):
            assert abs(float(mpmath.mpf(float(value)) - moment(n))) < min(float(bound), 1e-14)


@pytest.mark.parametrize("sigma_b", [0.0, 1.0])
def test_erf_moments_in_two_directions(sigma_b: float) -> None:
    x = np.array([[-0.5, 0.2], [0.3, 0.1], [0.4, -0.6]]) if sigma_b == 0 else np.array([-0.5, 0.2, 0.6])
    net = Network("erf", width=1, d_in=x.ndim, sigma_b=sigma_b, sigma_w=0.9)
    data = Erf().moments(net.vectors(x), [4]).by_order[4]
    for row in ((0, 0, 0, 0), (0, 0, 1, 2), (0, 1, 1, 2), (2, 2, 1, 1)):
        place = int(multiset_rank([row], 3)[0])
        assert data.values[place] == pytest.approx(hermite(net.vectors(x), row), abs=1e-13)
        assert data.bound[place] < 1e-12


@pytest.mark.parametrize(("d_in", "m"), [(1, 6), (2, 4), (3, 3), (10, 3)])
def test_erf_two_point_moment_is_the_kernel(d_in: int, m: int) -> None:
    x = np.random.default_rng(3).uniform(-1, 1, size=(m, d_in))
    values, bound = erf_moments(x, 2, d_in=d_in)
    kernel = kernels.Erf(d_in=d_in).without_bias()(x, x)
    index = multisets(m, 2)
    expected = kernel[index[:, 0], index[:, 1]]
    assert (np.abs(values - expected) <= bound).all()
    np.testing.assert_allclose(values, expected, rtol=0, atol=1e-13)


def test_the_bound_of_the_trapezoid_rule_is_honest(monkeypatch: pytest.MonkeyPatch) -> None:
    """With coarse rules the bound is an error of truncation, and covers it."""
    x = np.array([-1.0, 0.1, 0.8])
    vectors = Network("erf", width=1).vectors(x)
    best = Erf().moments(vectors, [4, 6])
    for exponents in ((1.0, 1.3), (2.0, 2.5), (4.0, 5.0)):
        monkeypatch.setattr(trapezoid, "_EXPONENTS", exponents)
        monkeypatch.setattr(trapezoid, "_ACCEPTED", 1.0)
        rough = Erf().moments(vectors, [4, 6])
        for n in (4, 6):
            error = np.abs(rough.by_order[n].values - best.by_order[n].values)
            assert (error <= rough.by_order[n].bound).all()
            assert error.max() > 1e-9


def test_large_and_small_inputs() -> None:
    """Moments of tiny inputs are tiny without bias, and keep their relative accuracy; large inputs make signs."""
    tiny, bound = erf_moments([1e-7, -2e-7], 4, sigma_b=0.0)
    linear = (4 / math.pi) ** 2 * 3 * 1e-28 * np.array([1, -2, 4, -8, 16])
    np.testing.assert_allclose(tiny, linear, rtol=1e-11)
    assert (bound < 2e-10 * np.abs(tiny)).all()
    large, _ = erf_moments([100.0, -100.0], 4, sigma_b=0.0)
    # E erf(s z)^4 = 1 - O(1/s)
    assert 0.98 < large[0] < 1.0
    assert large[1] == pytest.approx(-large[0], rel=1e-12)
    zero, _ = erf_moments([0.0], 4, sigma_b=0.0)
    assert zero[0] == 0.0


def test_beyond_the_trapezoid_rule() -> None:
    with pytest.raises(ComputationError, match=r"reached a relative accuracy of .* only \(wanted 1e-08\)"):
        erf_moments([1e5, 3.0], 4)
    # both rules see a sign only: E erf^4 = 1, although it is 1 - 1e-7
    with pytest.raises(ComputationError, match="reached a relative accuracy"):
        erf_moments([1e7], 4)
    x = np.random.default_rng(4).normal(size=(6, 5))
    with pytest.raises(InputError, match=r"span 6. Ask for at most 4 inputs at a time, or use sample\(\)"):
        erf_moments(x, 4, d_in=5)


def test_a_step_is_refused_not_integrated() -> None:
    """A discontinuous sigma without moments of its own: the rule notices."""
    with pytest.raises(ComputationError, match="reached a relative accuracy"):
        trapezoid_moments(lambda h, v: np.where(h > 0.3, 1.0, 0.0), np.array([[1.0, 0.2], [1.0, 0.9]]), [4])


def test_rank_is_decided_on_directions() -> None:
    """Inputs of very different size are not one direction; equal directions are."""
    assert independent_directions(np.array([[1.0, 0.0], [0.0, 1e-12]])).shape == (2, 2)
    assert independent_directions(np.array([[1.0, 2.0], [-1e-3, -2e-3]])).shape == (2, 1)
    assert independent_directions(np.zeros((2, 3))).shape == (2, 0)
    a = np.random.default_rng(5).normal(size=(4, 7))
    b = independent_directions(a)
    np.testing.assert_allclose(b @ b.T, a @ a.T, rtol=1e-12)
