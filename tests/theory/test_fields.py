"""Kernels given as a matrix on lattice sites."""

from typing import Any

import numpy as np
import pytest

from feynnn.errors import InputError
from feynnn.theory.kernels import Lattice


def test_a_lattice_kernel_is_its_matrix() -> None:
    matrix = np.array([[2.0, 0.5, 0.1], [0.5, 1.0, 0.2], [0.1, 0.2, 3.0]])
    kernel = Lattice(matrix, [0.5, -1.0, 2.0], [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(kernel([2.0, 0.5], [-1.0, 2.0, 2.0]), [[0.2, 3.0, 3.0], [0.5, 0.1, 0.1]])
    np.testing.assert_array_equal(kernel.at_coincidence([2.0, 2.0, 0.5]), [3.0, 3.0, 2.0])
    assert kernel.weights.tolist() == [1.0, 2.0, 3.0]
    matrix[0, 0] = 7.0
    assert kernel([0.5], [0.5])[0, 0] == 2.0
    with pytest.raises(InputError, match=r"inputs must be sites of the lattice, \[0.6\] is not"):
        kernel([0.5, 0.6], [0.5])


def test_sites_in_two_dimensions_and_by_default() -> None:
    assert Lattice(np.eye(2)).sites.tolist() == [[0.0], [1.0]]
    kernel = Lattice(np.eye(2), [[0.0, 1.0], [1.0, 0.0]])
    assert kernel.d_in == 2
    assert kernel([[1.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]]).tolist() == [[1.0, 0.0]]
    assert kernel == Lattice(np.eye(2), [[0.0, 1.0], [1.0, 0.0]])
    assert hash(kernel) == hash(Lattice(np.eye(2), [[0.0, 1.0], [1.0, 0.0]]))
    assert kernel != Lattice(np.eye(2))


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ((np.zeros((2, 3)),), r"square matrix, got shape \(2, 3\)"),
        ((np.zeros((0, 0)),), "square matrix"),
        (([1.0, 2.0],), "square matrix"),
        (([[1.0], [1.0, 2.0]],), "a lattice kernel must be an array of real numbers"),
        (([[1.0, 0.1], [0.2, 1.0]],), "finite and symmetric"),
        (([[1.0, np.nan], [np.nan, 1.0]],), "finite and symmetric"),
        (([[1.0, 2.0], [2.0, 1.0]],), "positive definite, its smallest eigenvalue is -1"),
        ((np.ones((2, 2)) * 1j,), "real numbers"),
        ((np.eye(2), [0.0, 0.0]), "needs 2 distinct sites"),
        ((np.eye(2), [0.0, 1.0, 2.0]), "needs 2 distinct sites, got 3"),
        ((np.eye(2), [0.0, np.inf]), "sites must be finite"),
        ((np.eye(2), None, [1.0]), r"weights must be 2 finite numbers, got shape \(1,\)"),
        ((np.eye(2), None, [1.0, np.nan]), "weights must be 2 finite"),
    ],
)
def test_bad_lattices_are_refused(arguments: tuple[Any, ...], match: str) -> None:
    with pytest.raises(InputError, match=match):
        Lattice(*arguments)
