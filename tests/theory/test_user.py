"""FromCallable: what is found out about a user's function, and what is refused."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from feynnn.errors import InputError
from feynnn.points import Array
from feynnn.theory.kernels import Erf, FreeScalar, FromCallable


def matern(x: Array, y: Array) -> Array:
    t = np.linalg.norm(x[:, None] - y[None], axis=2)
    return np.asarray((1 + t) * np.exp(-t))


def radius(x: Array, y: Array) -> Array:
    return np.asarray(np.linalg.norm(x[:, None] - y[None], axis=2))


@pytest.mark.parametrize(
    ("function", "d_in", "diagonal"),
    [
        (lambda x, y: np.exp(-(radius(x, y) ** 2)), 1, "smooth"),
        (lambda x, y: np.exp(-(radius(x, y) ** 2)), 3, "smooth"),
        (lambda x, y: 1e-30 * np.exp(x @ y.T), 2, "smooth"),
        (lambda x, y: 1 + x @ y.T, 1, "smooth"),
        (matern, 1, "smooth"),
        (lambda x, y: np.exp(-radius(x, y)), 1, "kink"),
        (lambda x, y: 1e20 * np.exp(-radius(x, y)), 2, "kink"),
        (lambda x, y: np.minimum(np.abs(x), np.abs(y.T)), 1, "kink"),
        (lambda x, y: np.exp(-radius(x, y)) / radius(x, y), 3, "singular"),
        (lambda x, y: 1 / np.sqrt(radius(x, y)), 2, "singular"),
        (lambda x, y: -np.log(radius(x, y)), 2, "singular"),
        (lambda x, y: np.where(radius(x, y) == 0, 0, 1 / np.maximum(radius(x, y), 1e-300)), 2, "singular"),
        (FreeScalar(1.0)._matrix, 1, "kink"),
        (FreeScalar(1.0, 2)._matrix, 2, "singular"),
        (Erf(1.0, 1.0)._matrix, 1, "smooth"),
    ],
)
def test_the_diagonal_is_probed(function: Callable[[Array, Array], Array], d_in: int, diagonal: str) -> None:
    kernel = FromCallable(function, d_in)
    assert kernel.diagonal == diagonal
    assert kernel.probed
    assert f"diagonal={diagonal!r}" in repr(kernel)


def test_the_callers_word_overrides_the_probe() -> None:
    kernel = FromCallable(matern, diagonal="kink")
    assert (kernel.diagonal, kernel.probed) == ("kink", False)
    assert "probed" not in repr(kernel)


def test_values_are_the_functions() -> None:
    x, y = np.array([0.1, 0.2]), np.array([0.3, -0.4, 5.0])
    np.testing.assert_array_equal(FromCallable(matern)(x, y), matern(x[:, None], y[:, None]))
    integers = FromCallable(lambda a, b: np.ones((len(a), len(b)), dtype=int))
    assert integers(x, y).dtype == np.float64


def test_a_singular_function_is_infinite_at_coincidence_only() -> None:
    kernel = FromCallable(lambda x, y: 1 / radius(x, y), 3)
    points = np.eye(3)
    matrix = kernel(points, points)
    assert np.isinf(np.diag(matrix)).all()
    assert np.isfinite(matrix[0, 1])
    with pytest.raises(InputError, match="is singular at coincident points"):
        kernel.at_coincidence(points)


def holed(x: Array, y: Array) -> Array:
    with np.errstate(divide="ignore"):
        value = 1 / radius(x, y)
    value[(x[:, 0] > 5)[:, None] | (y[:, 0] > 5)] = np.nan
    return np.asarray(value)


def test_a_value_that_is_not_finite_elsewhere_is_found_behind_one_that_may_be() -> None:
    kernel = FromCallable(holed, 2)
    with pytest.raises(InputError, match=r"the kernel is nan at x = \[1.0, 0.0\], y = \[6.0, 0.0\]"):
        kernel([[1.0, 0.0], [6.0, 0.0]], [[1.0, 0.0], [6.0, 0.0]])


@pytest.mark.parametrize(
    ("function", "match"),
    [
        (lambda x, y: np.ones((len(y), len(x))), r"must return shape \(4, 3\) .* got \(3, 4\)"),
        (lambda x, y: np.ones(len(x)), r"must return shape \(4, 3\)"),
        (lambda x, y: np.ones((len(x), len(y), 1)), r"got \(4, 3, 1\)"),
        (lambda x, y: np.ones((4, 3)), r"must return shape \(3, 4\)"),
        (lambda x, y: 1.0, r"got \(\)"),
        (lambda x, y: np.exp(-(radius(x, y).squeeze() ** 2)), r"must return shape \(1, 1\)"),
        (lambda x, y: None, "what the kernel function returns must be"),
        (lambda x, y: "K", "what the kernel function returns must be"),
        (lambda x, y: matern(x, y) * 1j, "what the kernel function returns must be an array of real numbers"),
        (lambda x, y: np.full((len(x), len(y)), np.nan), "the kernel is nan at x = "),
        (lambda x, y: np.full((len(x), len(y)), np.inf), "the kernel is inf at x = "),
        (lambda x, y: x - y.T, r"not symmetric: K\(x, y\) = .* but K\(y, x\) = "),
        (lambda x, y: x * y.T**2, "not symmetric"),
        (lambda x, y: matern(x, y) * (1 + 1e-6 * x), "not symmetric"),
        (lambda x: x, "the kernel function failed for points of shapes .*: TypeError"),
        (lambda x, y: matern(x, y)[:2, :2][5], "the kernel function failed .*: IndexError"),
        (lambda x, y: float(x) - float(y), r"failed .* must return shape \(4, 3\): TypeError"),
        (3, "FromCallable needs a function of two arrays of points, got 3"),
    ],
)
def test_a_bad_function_is_refused_with_one_clear_error(function: Any, match: str) -> None:
    with pytest.raises(InputError, match=match):
        FromCallable(function)


def test_rounding_is_not_taken_for_asymmetry() -> None:
    # C goes through zero, so that K(x, y) and K(y, x) differ by rounding that is large beside the smallest value
    kernel = FromCallable(lambda x, y: (1e3 + x) @ (1e3 + y.T) - 1e6)
    assert kernel.diagonal == "smooth"


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"diagonal": "sharp"}, "diagonal must be 'smooth', 'kink' or 'singular', got 'sharp'"),
        ({"decay_length": -1.0}, "decay_length must be finite and > 0"),
        ({"decay_length": "far"}, "decay_length must be a real number"),
        ({"probe_scale": 0.0}, "probe_scale must be finite and > 0"),
        ({"d_in": 0}, "d_in must be at least 1"),
    ],
)
def test_bad_options_are_refused(options: dict[str, Any], match: str) -> None:
    with pytest.raises(InputError, match=match):
        FromCallable(matern, **options)
