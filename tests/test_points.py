"""Checked inputs: shapes, numbers, and messages that say what to change."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from feynnn.errors import (
    ComputationError,
    DivergenceError,
    FeynnnError,
    FeynnnWarning,
    InputError,
    MissingExtraError,
    missing_extra,
)
from feynnn.points import as_floats, as_points, positive, real, whole


def test_a_flat_list_is_a_column_in_one_dimension_only() -> None:
    np.testing.assert_array_equal(as_points([1, 2, 3], 1), [[1.0], [2.0], [3.0]])
    with pytest.raises(InputError, match=r"x must have shape \(m, 2\); is d_in=2 what you meant\?, got shape \(3,\)"):
        as_points([1, 2, 3], 2)


def test_points_are_copies() -> None:
    x = np.array([[0.1], [0.2]])
    points = as_points(x, 1)
    x[0] = 5.0
    assert points[0, 0] == 0.1
    flat = np.array([0.1, 0.2])
    as_points(flat, 1)[0] = 3.0
    assert flat[0] == 0.1


@pytest.mark.parametrize(
    ("x", "d_in", "match"),
    [
        ([], 1, "got shape"),
        (np.zeros((0, 2)), 2, r"got shape \(0, 2\)"),
        (np.zeros((2, 3)), 1, r"\(or \(m,\)\), got shape \(2, 3\)"),
        (np.zeros((2, 1)), 3, "is d_in=3 what you meant"),
        (np.zeros((2, 1, 1)), 1, "got shape"),
        (0.5, 1, r"got shape \(\)"),
        ([[0.0], [np.nan]], 1, r"finite, got \[nan\] at row 1"),
        ([[0.0, 1.0], [np.inf, 1.0]], 2, "at row 1"),
        (["0.1", "0.2"], 1, "real numbers"),
        ("0.1", 1, "real numbers"),
        ([None, 1.0], 1, "real number"),
        ([[1.0], [1.0, 2.0]], 1, "real numbers"),
        ([1j, 2.0], 1, "real numbers"),
        (np.array([1.0 + 0j]), 1, "real numbers"),
        ([{}], 1, "real number"),
        ([10**400], 1, "real number"),
        ([1e200], 1, r"below 1e\+70 in size, got 1e\+200"),
    ],
)
def test_bad_points_are_refused(x: Any, d_in: int, match: str) -> None:
    with pytest.raises(InputError, match=match):
        as_points(x, d_in)


def test_the_message_carries_the_argument_name_and_stays_short() -> None:
    with pytest.raises(InputError, match=r"^sites must be an array of real numbers") as caught:
        as_points(["a"] * 10_000, 1, "sites")
    assert len(str(caught.value)) < 200


def test_exact_numbers_and_integers_become_floats() -> None:
    mixed: Any = [Fraction(1, 2), 3, 10**20]
    array = as_floats(mixed, "values")
    assert array.dtype == np.float64
    assert array.tolist() == [0.5, 3.0, 1e20]
    assert as_floats(np.arange(3, dtype=np.int8), "values").tolist() == [0.0, 1.0, 2.0]


@pytest.mark.parametrize("value", ["1", b"1", None, 1j, np.complex128(1), True, np.True_, [1.0], np.ones(2), 10**400])
def test_real_refuses_what_is_not_a_number(value: object) -> None:
    with pytest.raises(InputError, match="sigma must be a real number"):
        real(value, "sigma")


@pytest.mark.parametrize("value", [2, 2.0, np.float32(2), np.int64(2), Fraction(2), np.array(2.0)])
def test_real_takes_every_kind_of_number(value: object) -> None:
    result = real(value, "sigma")
    assert type(result) is float
    assert result == 2.0


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_positive_refuses_what_is_not(value: float) -> None:
    with pytest.raises(InputError, match="mass must be finite and > 0"):
        positive(value, "mass")


def test_positive_may_allow_zero() -> None:
    assert positive(0, "sigma_b", allow_zero=True) == 0.0
    with pytest.raises(InputError, match=r"sigma_b must be finite and >= 0, got -0.1"):
        positive(-0.1, "sigma_b", allow_zero=True)


@pytest.mark.parametrize("value", [1.0, True, "1", None, np.float64(2)])
def test_whole_refuses_floats_and_bools(value: object) -> None:
    with pytest.raises(InputError, match="order must be a whole number"):
        whole(value, "order")


def test_whole_bounds_and_converts() -> None:
    assert type(whole(np.int64(3), "n")) is int
    with pytest.raises(InputError, match="n must be at least 2, got 1"):
        whole(1, "n", least=2)


def test_errors_can_be_caught_as_the_builtin_kind_or_all_at_once() -> None:
    for error, builtin in [
        (InputError, ValueError),
        (DivergenceError, ValueError),
        (ComputationError, RuntimeError),
        (MissingExtraError, ImportError),
    ]:
        assert issubclass(error, FeynnnError)
        assert issubclass(error, builtin)
    assert issubclass(FeynnnWarning, UserWarning)


def test_a_missing_extra_names_the_remedy() -> None:
    assert (
        str(missing_extra("rich", "app")) == "this needs the package 'rich'; install it with: pip install 'feynnn[app]'"
    )
