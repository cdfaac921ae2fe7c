"""Flow and beta functions: slopes, boundary integrals against differences, bad input."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import sympy

import feynnn as fn
from feynnn.errors import InputError
from feynnn.studies import hms

LAM = fn.Theory.parse("lam*f**4", propagator="exact")


@pytest.mark.parametrize("d_in", [1, 2, pytest.param(3, marks=pytest.mark.slow)])
def test_relu_runs_with_the_exact_power(d_in: int) -> None:
    """K is homogeneous, so lam ~ Lambda^-(d_in + 4) (PHYSICS section 6)."""
    net = fn.Network("relu", width=20, d_in=d_in, sigma_b=0.0)
    x = hms.inputs("relu", d_in)
    f = fn.flow(
        fn.exact(net, x, n=4), LAM, kernel=net.kernel(), cutoffs=[7, 20, 100, 1e3, 1e5], rtol=1e-4 if d_in > 2 else 1e-8
    )
    assert f.slope["lam"] == pytest.approx(-(d_in + 4), abs=1e-10)
    assert f.r_squared["lam"] == pytest.approx(1, abs=1e-12)
    np.testing.assert_allclose(f.beta["lam"] / f.couplings["lam"], -(d_in + 4), rtol=1e-3 if d_in > 2 else 1e-9)
    assert f.per_tuple["lam"].shape == (5, 35 if d_in > 1 else 126)
    b = fn.beta(LAM, kernel=net.kernel())
    assert b.expression == -(d_in + 4) * sympy.Symbol("lam")


@pytest.mark.parametrize("name", ["gauss", "erf", "relu"])
@pytest.mark.parametrize("d_in", [1, 2])
def test_beta_from_the_boundary_is_the_difference_quotient(name: str, d_in: int) -> None:
    net = fn.Network(name, width=20, d_in=d_in)
    k = net.kernel()
    bare = k.without_bias()
    x = np.array([[0.2], [0.9]]) if d_in == 1 else np.array([[0.2, 0.4], [-0.3, 0.9]])
    cut, h = 1.7, 1e-4
    value = fn.beta(LAM, kernel=k, vertex_kernel=bare)(x, fn.Cutoff(cut), {"lam": 2.0}, rtol=1e-9)
    logs = []
    for sign in (1, -1):
        box = fn.Cutoff(cut * math.exp(sign * h))
        s = fn.Correlator(LAM, 4, kernel=k, vertex_kernel=bare, cutoff=box, kind="connected")
        logs.append(np.log(np.abs(s.series(x, max_order=1, rtol=1e-11)[{"lam": 1}].values)))
    np.testing.assert_allclose(value.values, -2.0 * (logs[0] - logs[1]) / (2 * h), rtol=1e-5, atol=1e-9)


def test_beta_of_the_least_squares_value_follows_the_flow() -> None:
    x = [-0.8, 0.1, 0.5]
    net = fn.Network("erf", width=20)
    k = net.kernel()
    h = 3e-4
    cuts = [5 * math.exp(-h), 5.0, 5 * math.exp(h)]
    f = fn.flow(fn.exact(net, x, n=4), LAM, kernel=k, vertex_kernel=k.without_bias(), cutoffs=cuts, rtol=1e-11)
    lam = f.couplings["lam"]
    assert f.beta["lam"][1] == pytest.approx((lam[2] - lam[0]) / (2 * h), rel=1e-5)


def test_gauss_converges_to_a_fixed_value() -> None:
    net = fn.Network("gauss", width=100)
    k = net.kernel()
    f = fn.flow(
        fn.exact(net, [-0.01, 0.002, 0.01], n=4), LAM, kernel=k, vertex_kernel=k.without_bias(), cutoffs=hms.CUTOFFS
    )
    assert np.ptp(f.couplings["lam"]) < 1e-12 * abs(f.couplings["lam"][0])
    assert abs(f.slope["lam"]) < 1e-12


def test_beta_expression_in_one_dimension_is_the_boundary_over_the_integral() -> None:
    k = fn.kernels.Erf()
    e = fn.beta(LAM, kernel=k, vertex_kernel=k.without_bias()).expression
    x, y, cut = sympy.symbols("x1 y"), sympy.Symbol("y"), sympy.Symbol("Lambda", positive=True)
    assert x[1] == y
    one = e.replace(lambda s: isinstance(s, sympy.core.function.AppliedUndef), lambda s: sympy.Integer(1)).doit()
    # with every K = 1 the integral is 2 Lambda: lam ~ 1/Lambda
    assert sympy.simplify(one + sympy.Symbol("lam")) == 0
    assert cut in e.free_symbols


@pytest.mark.parametrize(
    ("cutoffs", "message"),
    [([10.0], "two"), ([10.0, math.inf], "finite"), ([10.0, 7.0], "increase"), ([-1.0, 7.0], "positive")],
)
def test_bad_cutoffs_are_refused(cutoffs: list[float], message: str) -> None:
    p = fn.exact(fn.Network("erf", width=5), [0.2, 0.4], n=4)
    with pytest.raises(InputError, match=message):
        fn.flow(p, LAM, kernel=fn.kernels.Erf(), cutoffs=cutoffs)


def test_several_couplings_or_odd_n_are_refused() -> None:
    k = fn.kernels.Erf()
    p = fn.exact(fn.Network("erf", width=5), [0.2, 0.4], n=4)
    two = fn.Theory.parse("lam*f**4 + kap*f**6", propagator="exact")
    with pytest.raises(InputError, match="one coupling"):
        fn.flow(p, two, kernel=k, cutoffs=[1.0, 2.0])
    with pytest.raises(InputError, match="even"):
        fn.beta(LAM, kernel=k, n=3)
    with pytest.raises(InputError, match="does not enter"):
        fn.beta(LAM, kernel=k, n=6)
    with pytest.raises(InputError, match="finite"):
        fn.beta(LAM, kernel=k)([0.2], fn.Cutoff(), {"lam": 1.0})


def test_a_flow_is_saved_and_loaded(tmp_path: object) -> None:
    from pathlib import Path

    path = Path(str(tmp_path)) / "flow.json"
    k = fn.kernels.ReLU(sigma_b=0.0)
    f = fn.flow(fn.exact(fn.Network("relu", width=5, sigma_b=0.0), [0.2, 0.4], n=4), LAM, kernel=k, cutoffs=[1.0, 2.0])
    fn.save(f, path)
    assert str(fn.load(path)) == str(f)


def test_no_slope_is_invented() -> None:
    """Two cutoffs have no scatter, and a coupling that vanishes or changes sign is no power of the cutoff."""
    k = fn.kernels.ReLU(sigma_b=0.0)
    p = fn.exact(fn.Network("relu", width=5, sigma_b=0.0), [0.2, 0.4], n=4, connected=True)
    two = fn.flow(p, LAM, kernel=k, cutoffs=[1.0, 2.0])
    assert two.slope["lam"] == pytest.approx(-5) and math.isnan(two.slope_error["lam"])
    nothing = fn.flow(p * 0.0, LAM, kernel=k, cutoffs=[1.0, 2.0, 3.0])
    assert math.isnan(nothing.slope["lam"])


def test_arguments_of_the_wrong_kind_are_named() -> None:
    k = fn.kernels.Erf()
    p = fn.exact(fn.Network("erf", width=5), [0.2, 0.4], n=4)
    wrong: Any = "lam*f**4"
    with pytest.raises(InputError, match=r"write Theory.parse\('lam\*f\*\*4'\)"):
        fn.beta(wrong, kernel=k)
    with pytest.raises(InputError, match="Theory"):
        fn.match(p, wrong, kernel=k, cutoff=fn.Cutoff(5.0))
    number: Any = 7
    with pytest.raises(InputError, match="sequence"):
        fn.flow(p, LAM, kernel=k, cutoffs=number)
    with pytest.raises(InputError, match="Cutoff"):
        fn.beta(LAM, kernel=k)([0.2], number, {"lam": 1.0})
    broken = fn.NPoint(np.full(5, np.nan), n=4, n_inputs=2, points=[[0.2], [0.4]])
    with pytest.raises(InputError, match="not finite"):
        fn.match(broken, LAM, kernel=k, cutoff=fn.Cutoff(5.0))
