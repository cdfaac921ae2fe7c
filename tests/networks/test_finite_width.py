"""exact(): reference numbers, set partitions, generating functions, published ratios, honest bounds."""

import json
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest

import feynnn as fn
from feynnn.combinatorics import double_factorial, multisets, set_partitions
from feynnn.errors import ComputationError, InputError
from feynnn.networks import Network
from feynnn.npoint import gaussian

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "exact_correlators.json").read_text())["data"]
INPUTS = {
    "gauss": [-0.01, 0.004, 0.01],
    "erf": [-1.0, 0.2, 0.6],
    "relu": [0.2, -0.6, 1.0],
}


@pytest.mark.parametrize("case", sorted(REFERENCE))
def test_reference_correlators(case: str) -> None:
    r = REFERENCE[case]
    width = 7
    net = Network(r["net"], width=width, d_in=r["d_in"], sigma_w=r["sw"], sigma_b=r["sb"])
    for n, key in ((4, "N_G4c"), (6, "N2_G6c")):
        p = fn.exact(net, r["inputs"], n=n, connected=True)
        assert p.connected
        assert p.kind == ("computed" if r["net"] == "erf" else "exact")
        for inputs, value in r[key].items():
            place = p.position(*map(int, inputs.split(",")))
            expected = value / width ** (n // 2 - 1)
            assert p.values[place] == pytest.approx(expected, rel=1e-12)
            # the reference itself has some 15 digits
            assert abs(p.values[place] - expected) < p.bound[place] + 1e-13 * abs(expected)


@pytest.mark.parametrize("name", sorted(INPUTS))
@pytest.mark.parametrize("n", [4, 6, 8])
def test_set_partitions_give_the_same(name: str, n: int) -> None:
    """The sum over set partitions of PHYSICS section 3, written out, against the recursion."""
    width, x = 3, INPUTS[name]
    net = Network(name, width=width, sigma_w=0.9, sigma_b=0.4)
    moments = net.activation.moments(net.vectors(x), range(2, n + 1, 2)).by_order
    index = multisets(3, n)
    parts = {k: fn.exact(net, x, n=k, connected=True) for k in range(2, n + 1, 2)}
    total, size = np.zeros(len(index)), np.zeros(len(index))
    full = np.zeros(len(index))
    for partition in set_partitions(n, even=True):
        sign = (-1) ** (len(partition) - 1) * math.factorial(len(partition) - 1)
        term, connected_term = np.full(len(index), float(sign)), np.ones(len(index))
        for block in partition:
            k = len(block)
            rank = parts[k].rank(index[:, list(block)])
            term *= double_factorial(k - 1) * moments[k].values[rank]
            connected_term *= parts[k].values[rank]
        total += term
        size += np.abs(term)
        full += connected_term
    scale = width ** (1 - n / 2) * 0.9**n
    p = parts[n]
    assert (np.abs(p.values - scale * total) < 1e-13 * scale * size).all()
    q = fn.exact(net, x, n=n)
    np.testing.assert_allclose(q.values, full, rtol=1e-12)
    converted = p.to_full(net.kernel(), lower=list(parts.values())[1:-1])
    assert (np.abs(q.values - converted.values) <= q.bound + converted.bound + 1e-15 * np.abs(full)).all()


def test_cumulants_from_the_generating_function() -> None:
    """ReLU, sb = 0, x = 1: neuron moments (n-1)!!^2/2, cumulants from the logarithm of their series, in fractions."""
    top = 12
    moment = [Fraction(1)] + [Fraction(0)] * top
    for n in range(2, top + 1, 2):
        moment[n] = Fraction(double_factorial(n - 1) ** 2, 2)
    # kappa_n = mu_n - sum_k C(n-1, k-1) kappa_k mu_(n-k): the derivative of log E exp(t)
    kappa = [Fraction(0)] * (top + 1)
    for n in range(1, top + 1):
        kappa[n] = moment[n] - sum(math.comb(n - 1, k - 1) * kappa[k] * moment[n - k] for k in range(1, n))
    width = 5
    for n in range(4, top + 1, 2):
        p = fn.exact(Network("relu", width=width, sigma_b=0.0), [1.0], n=n, connected=True)
        expected = float(kappa[n] / width ** (n // 2 - 1))
        assert abs(p.values[0] - expected) <= p.bound[0]
        assert p.bound[0] < 1e-11 * abs(expected)


@pytest.mark.parametrize("width", [1, 2])
def test_full_functions_of_one_and_two_neurons(width: int) -> None:
    """Without output bias E f^n is a binomial sum of products of the neurons' moments."""
    x = 0.8
    for n in (4, 6, 8):
        p = fn.exact(Network("relu", width=width, sigma_b=0.0), [x], n=n)
        term = {k: double_factorial(k - 1) ** 2 / 2 * x**k / width ** (k / 2) for k in range(2, n + 1, 2)} | {0: 1.0}
        expected = term[n] if width == 1 else sum(math.comb(n, k) * term[k] * term[n - k] for k in range(0, n + 1, 2))
        assert p.values[0] == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("width", [2, 5, 1000])
def test_published_ratios_for_relu(width: int) -> None:
    """One hidden layer, sb = 0: E f^4/(3 G2^2) = 1 + 5/N and E f^6/(15 G2^3) = 1 + 15/N + 44/N^2, in any dimension."""
    net = Network("relu", width=width, d_in=3, sigma_w=1.7, sigma_b=0.0)
    x = [[0.2, -0.5, 1.1]]
    g2, g4, g6 = (fn.exact(net, x, n=n).values[0] for n in (2, 4, 6))
    assert g4 / (3 * g2**2) == pytest.approx(1 + 5 / width, rel=1e-13)
    assert g6 / (15 * g2**3) == pytest.approx(1 + 15 / width + 44 / width**2, rel=1e-13)


@pytest.mark.parametrize("name", sorted(INPUTS))
def test_infinite_width_and_the_two_point_function(name: str) -> None:
    x = INPUTS[name]
    limit = Network(name, width=math.inf)
    for n in (2, 4, 6):
        p = fn.exact(limit, x, n=n)
        np.testing.assert_allclose(p.values, gaussian(limit.kernel(), np.array(x)[:, None], n).values, rtol=1e-14)
        assert p.kind == "exact"
    assert not fn.exact(limit, x, n=4, connected=True).values.any()
    two = fn.exact(Network(name, width=3), x, n=2)
    np.testing.assert_array_equal(two.full(), limit.kernel()(x, x))
    assert two.kind == "exact"
    wide = fn.exact(Network(name, width=10**12), x, n=4)
    np.testing.assert_allclose(wide.values, fn.exact(limit, x, n=4).values, rtol=1e-9)


def test_what_the_result_says() -> None:
    p = fn.exact(fn.Network("erf", width=20), [0.1, 0.2])
    assert (p.n, p.n_inputs, p.connected, p.symmetric) == (4, 2, False, True)
    assert p.origin == "erf, width 20, exact"
    assert p.points is not None
    assert p.points.shape == (2, 1)
    assert p.rows is None
    assert fn.exact(fn.Network("erf", width=math.inf), [0.1]).origin == "erf, infinite width, exact"


@pytest.mark.parametrize("name", sorted(INPUTS))
def test_coincident_and_reordered_inputs(name: str) -> None:
    x = INPUTS[name]
    net = Network(name, width=4)
    p = fn.exact(net, x, n=4, connected=True)
    q = fn.exact(net, [x[2], x[0], x[1], x[0]], n=4, connected=True)
    order = np.array([2, 0, 1, 0])
    mapped = p.values[p.rank(order[q.indices])]
    assert (np.abs(q.values - mapped) <= q.bound + p.bound[p.rank(order[q.indices])]).all()


def test_bounds_cover_the_cancellation() -> None:
    """Gauss with 60 digits: terms exceed the connected function by far; the bound follows the terms."""
    x = [-0.9, 0.3, 1.2]
    net = Network("gauss", width=11, sigma_w=1.1, sigma_b=0.2)
    with mpmath.workdps(60):
        sw, sb = mpmath.mpf(1.1), mpmath.mpf(0.2)

        def c(i: int, j: int) -> mpmath.mpf:
            return sb**2 + sw**2 * mpmath.mpf(x[i]) * mpmath.mpf(x[j])

        def moment(block: list[int]) -> mpmath.mpf:
            return mpmath.exp(sum(c(i, j) for i in block for j in block) / 2 - sum(c(i, i) for i in block))

        for n in (4, 6):
            p = fn.exact(net, x, n=n, connected=True)
            for row, value, bound in zip(p.indices.tolist(), p.values, p.bound, strict=True):
                total = mpmath.mpf(0)
                for partition in set_partitions(n, even=True):
                    k = len(partition)
                    blocks = [[row[i] for i in b] for b in partition]
                    product = mpmath.fprod(double_factorial(len(b) - 1) * moment(b) for b in blocks)
                    total += (-1) ** (k - 1) * math.factorial(k - 1) * product
                total *= sw**n * mpmath.mpf(11) ** (1 - n // 2)
                assert abs(mpmath.mpf(float(value)) - total) <= float(bound)
                assert bound < 1e-11 * max(abs(value), 1e-3)


def test_three_dimensional_studies_have_exact_values() -> None:
    """The slides' sets in d = 3: ReLU spans three directions, Erf four."""
    relu = [(0.2, 0.2, 0.2), (1, 1, 0.2), (0.2, 1, 1), (1, 0.2, 1)]
    p = fn.exact(Network("relu", width=20, d_in=3, sigma_b=0.0), relu, n=6, connected=True)
    assert p.kind == "computed"
    assert (p.bound < 1e-12 * np.abs(p.values)).all()
    erf = [(-1, -1, -1), (1, 1, -1), (-1, 1, 1), (1, -1, 1)]
    q = fn.exact(Network("erf", width=5, d_in=3), erf, n=4, connected=True)
    # all four inputs are equivalent, and one input alone is one-dimensional
    one = fn.exact(Network("erf", width=5), [1.0], n=4, connected=True)
    np.testing.assert_allclose([q.at(i, i, i, i) for i in range(4)], one.values[0], rtol=1e-11)
    pairs = [q.at(i, i, j, j) for i in range(4) for j in range(i)]
    np.testing.assert_allclose(pairs, pairs[0], rtol=1e-11)


def test_bad_requests() -> None:
    name: Any = "erf"
    net = Network("erf", width=5)
    for n in (1, 3, 5):
        with pytest.raises(InputError, match=r"vanishes|at least 2"):
            fn.exact(net, [0.1], n=n)
    with pytest.raises(InputError, match="odd n asked of a network: its 5-point function vanishes"):
        fn.exact(net, [0.1], n=5)
    with pytest.raises(InputError, match="up to n=16"):
        fn.exact(net, [0.1], n=18)
    with pytest.raises(InputError, match="shape"):
        fn.exact(net, [[0.1, 0.2]], n=4)
    with pytest.raises(InputError, match="needs a Network, got 'erf'"):
        fn.exact(name, [0.1], n=4)
    with pytest.raises(InputError, match=r"use sample\(\)"):
        fn.exact(Network("relu", width=5, d_in=4), np.eye(4), n=4)
    with pytest.raises(ComputationError, match="use inputs nearer to 0"):
        fn.exact(Network("gauss", width=5), [9.0], n=8)
