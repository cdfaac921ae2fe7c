"""Interaction: what may be a term of the action, its weight and its symmetry."""

from decimal import Decimal
from fractions import Fraction
from itertools import permutations
from math import factorial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feynnn.errors import InputError
from feynnn.theory import Interaction


def test_the_plain_term() -> None:
    i = Interaction(4, "lam")
    assert (i.degree, i.coupling, i.factor) == ((4,), "lam", Fraction(1))
    assert (i.n_legs, i.has_profile) == (4, False)
    assert i.symmetry == 24
    assert repr(i) == "Interaction('lam*f**4')"


@pytest.mark.parametrize("coupling", ["2", "-1", "1/24", "1.5", "2.", "+3"])
def test_a_number_is_no_coupling(coupling: str) -> None:
    with pytest.raises(InputError, match=f"a coupling needs a name, got the number {coupling!r}".replace("+", r"\+")):
        Interaction(4, coupling)


@pytest.mark.parametrize("coupling", ["", " lam", "lam ", "lam\n", "λ", "2lam", "la-m", "lam*2", "_a", None, 4, b"lam"])
def test_other_names_are_refused(coupling: Any) -> None:
    with pytest.raises(InputError, match="a coupling is an ASCII name such as 'lam'"):
        Interaction(4, coupling)


@pytest.mark.parametrize("coupling", ["f", "x", "y", "z", "w", "K", "K_v", "Lambda", "x1", "y12", "z0", "w1"])
def test_names_of_fields_points_and_kernels_are_taken(coupling: str) -> None:
    with pytest.raises(InputError, match=f"the name {coupling!r} is taken"):
        Interaction(4, coupling)


@pytest.mark.parametrize(
    ("degree", "match"),
    [
        (0, "degree must be at least 1, got 0"),
        (-4, "at least 1"),
        ((2, 0), "at least 1"),
        (4.0, "whole number, got 4.0"),
        (True, "whole number"),
        ("4", "whole number"),
        ((), "1 to 3 points"),
        ((1, 1, 1, 1), "1 to 3 points"),
    ],
)
def test_bad_degrees_are_refused(degree: Any, match: str) -> None:
    with pytest.raises(InputError, match=match):
        Interaction(degree, "lam")


@pytest.mark.parametrize("factor", [0.5, np.float64(0.5), np.float32(0.5), None, True, 1j, Decimal("0.5")])
def test_an_inexact_factor_is_refused(factor: Any) -> None:
    with pytest.raises(InputError, match="factor must be exact"):
        Interaction(4, "lam", factor)


@pytest.mark.parametrize(
    ("factor", "match"),
    [
        (0, "must not be zero"),
        ("0", "must not be zero"),
        ("1/0", "non-zero number"),
        ("a", "must be a rational number such as '1/24', got 'a'"),
        ("", "empty"),
        ("1e999999999", "more than 300 digits"),
        ("nan", "must be a rational number"),
    ],
)
def test_a_senseless_factor_is_refused(factor: Any, match: str) -> None:
    with pytest.raises(InputError, match=match):
        Interaction(4, "lam", factor)


@pytest.mark.parametrize("factor", ["1/24", Fraction(1, 24), " 1/24 ", "0.5/12"])
def test_factors_are_rational(factor: Any) -> None:
    assert Interaction(4, "lam", factor).factor == Fraction(1, 24)


def test_integers_of_numpy_become_plain_ones() -> None:
    numbers: Any = (np.int64(2), np.int32(2), np.int64(3))
    i = Interaction(numbers[:2], "lam", numbers[2])
    assert {type(legs) for legs in i.degree} == {int}
    assert type(i.factor.numerator) is int


@pytest.mark.parametrize(
    ("profile", "match"),
    [
        ("0", "must not be zero"),
        ("y - y", "must not be zero"),
        ("", "empty"),
        ("z**2", "may hold only y, got 'z'"),
        ("x**2", "may hold only y, got 'x'"),
        ("y**-2", "exponent"),
        ("1/y", "division"),
        ("f**2", "may hold only"),
        ({}, "must not be zero"),
        ({(0,): 0}, "must not be zero"),
        ({(1, 2): 1}, "one power for each of 1 points"),
        ({2: 1}, "one power for each of 1 points"),
        ({(-1,): 1}, "at least 0"),
        ({(2,): 0.5}, "must be exact"),
        (3, "profile must be text"),
    ],
)
def test_bad_profiles_are_refused(profile: Any, match: str) -> None:
    with pytest.raises(InputError, match=match):
        Interaction(4, "lam", profile=profile)


def test_equal_terms_compare_equal_however_they_are_written() -> None:
    a = Interaction(4, "lam", 2, "y**2")
    for b in (
        Interaction(4, "lam", profile="2*y**2"),
        Interaction(4, "lam", 4, "y**2/2"),
        Interaction([4], "lam", -1, {(2,): Fraction(-2), (0,): Fraction(0)}),
    ):
        assert a == b
        assert hash(a) == hash(b)
    assert a != Interaction(4, "lam", 2, "y**4")
    assert Interaction(4, "lam", profile="1") == Interaction(4, "lam")
    assert Interaction(4, "lam", "1/24", "1 + y**2").factor == Fraction(1, 24)


def test_weights_are_the_polynomial_in_every_dimension() -> None:
    rng = np.random.default_rng(1)
    for d in (1, 2, 3):
        y = rng.normal(size=(5, d))
        square = (y**2).sum(axis=1)
        i = Interaction(4, "lam", 3, "1 - y**2/2 + y**4")
        np.testing.assert_allclose(3 * (1 - square / 2 + square**2), float(i.factor) * i.weight([square], [y]))
    y = rng.normal(size=(5, 1))
    odd = Interaction(4, "lam", profile="y**3 - y")
    np.testing.assert_allclose(float(odd.factor) * odd.weight([y[:, 0] ** 2], [y]), y[:, 0] ** 3 - y[:, 0])


def test_weights_of_two_points_broadcast() -> None:
    i = Interaction((2, 2), "lam", profile="y**2*z + 2*z**2")
    y, z = np.array([[1.0], [2.0], [-3.0]]), np.array([[0.5], [-1.0]])
    got = i.weight([y[:, None, 0] ** 2, z[None, :, 0] ** 2], [y[:, None], z[None, :]])
    np.testing.assert_allclose(got, y**2 * z.T + 2 * z.T**2)


def test_odd_powers_need_one_dimension() -> None:
    with pytest.raises(InputError, match="odd power 3 of a point in 2 dimensions; use even powers"):
        Interaction(4, "lam", profile="y**3").weight([np.ones(2)], [np.ones((2, 2))])


@pytest.mark.parametrize(
    ("degree", "profile", "symmetry"),
    [
        ((4,), None, 24),
        ((2, 2), None, 8),
        ((2, 2), "y**2 + z**2", 8),
        ((2, 2), "y**2", 4),
        ((2, 2), "y*z", 8),
        ((2, 2), "y**2 - z**2", 4),
        ((3, 1), None, 6),
        ((1, 1, 1), None, 6),
        ((1, 1, 1), "y**2 + z**2", 2),
        ((2, 1, 2), None, 2 * 2 * 2),
        ((2, 1, 2), "y**2*w**2", 2 * 2 * 2),
    ],
)
def test_the_symmetry_of_a_vertex(degree: tuple[int, ...], profile: str | None, symmetry: int) -> None:
    assert Interaction(degree, "lam", profile=profile).symmetry == symmetry


@given(
    st.lists(st.integers(1, 2), min_size=1, max_size=3),
    st.dictionaries(st.tuples(*[st.integers(0, 1)] * 3), st.sampled_from([1, 2]), min_size=1, max_size=4),
)
@settings(deadline=None, max_examples=60)
def test_point_classes_are_the_exchanges_that_leave_the_term_alone(
    degree: list[int], profile: dict[tuple[int, ...], int]
) -> None:
    n = len(degree)
    weight: dict[tuple[int, ...], Fraction] = {}
    for powers, c in profile.items():
        weight[powers[:n]] = weight.get(powers[:n], Fraction(0)) + c
    i = Interaction(degree, "lam", profile=weight)
    assert sorted(p for c in i.point_classes() for p in c) == list(range(n))
    shown = dict(i.profile)
    exchanges = 0
    for order in permutations(range(n)):
        same_legs = all(degree[order[p]] == degree[p] for p in range(n))
        same_profile = all(shown.get(tuple(powers[order[p]] for p in range(n))) == c for powers, c in shown.items())
        exchanges += same_legs and same_profile
    product = 1
    for points in i.point_classes():
        product *= factorial(len(points))
    # a cyclic symmetry of three points without an exchange of two is not among the classes
    assert exchanges == product or (n == 3 and product == 1 and exchanges == 3)
