"""Matching: exact inverses, pulls, identifiability, bad input."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import feynnn as fn
from feynnn.errors import DivergenceError, InputError
from feynnn.matching.fitting import small_integrals
from feynnn.npoint import NPoint, gaussian
from feynnn.uncertain import Uncertain

LAM = fn.Theory.parse("lam*f**4", propagator="exact")
X = [-0.7, 0.1, 0.4, 1.2]
K = fn.kernels.Gauss()
BARE = K.without_bias()


def first_order_data(couplings: dict[str, float], theory: fn.Theory, x: list[float] = X) -> NPoint:
    """The connected 4-point function that the couplings give at first order."""
    g4 = fn.Correlator(theory, 4, kernel=K, vertex_kernel=BARE, cutoff=fn.Cutoff(3.0), kind="connected")
    return g4.evaluate(x, couplings, max_order=1)


def test_the_couplings_that_made_the_data_come_back() -> None:
    theory = fn.Theory.parse("lam0*f**4 + lam2*y**2*f**4 + lamNL*f(y)**2*f(z)**2", propagator="exact")
    truth = {"lam0": 0.011, "lam2": -0.004, "lamNL": 0.002}
    m = fn.match(
        first_order_data(truth, theory), theory, kernel=K, vertex_kernel=BARE, cutoff=fn.Cutoff(3.0), rtol=1e-12
    )
    assert m.identifiable
    for name, value in truth.items():
        assert abs(m.couplings[name] - value) <= max(3 * m.error[name], 1e-10 * abs(value))
    assert m.chi2 is None and m.p_value is None


def test_full_and_connected_data_give_the_same_coupling() -> None:
    connected = first_order_data({"lam": 0.02}, LAM)
    full = connected.to_full(K)
    kw: dict[str, Any] = {"kernel": K, "vertex_kernel": BARE, "cutoff": fn.Cutoff(3.0)}
    a, b = fn.match(connected, LAM, **kw), fn.match(full, LAM, **kw)
    assert a.couplings["lam"] == pytest.approx(0.02, rel=1e-10)
    assert b.couplings["lam"] == pytest.approx(0.02, rel=1e-10)
    # the free scheme agrees at first order
    free = fn.match(full, fn.Theory.parse("lam*f**4"), **kw)
    assert free.couplings["lam"] == pytest.approx(0.02, rel=1e-10)


def test_the_coefficient_is_24_and_not_23() -> None:
    """lam = -G4c/(24 I4) with I4 in closed form (PHYSICS section 4)."""
    x = np.array(X)
    p = gaussian(K, x[:, None], 4, connected=True) + fn.NPoint(
        np.ones(35), n=4, n_inputs=4, connected=True, points=x[:, None]
    )
    m = fn.match(p, LAM, kernel=K, vertex_kernel=BARE, cutoff=fn.Cutoff(math.inf))
    for row, value in zip(p.indices, m.per_tuple["lam"].values, strict=True):
        points = x[row]
        i4 = math.sqrt(math.pi / 2) * math.exp(-0.5 * ((points**2).sum() - points.sum() ** 2 / 4))
        assert value == pytest.approx(-1 / (24 * i4), rel=1e-9)
        assert value != pytest.approx(-1 / (23 * i4), rel=1e-2)


@pytest.mark.parametrize(
    ("name", "cutoff"), [("gauss", math.inf), ("erf", 100.0), ("relu", 100.0)], ids=["gauss", "erf", "relu"]
)
def test_networks_have_negative_lam_falling_like_one_over_the_width(name: str, cutoff: float) -> None:
    x = [0.2, 0.4, 0.6, 0.8, 1.0, 1.2]
    values = []
    for width in (10, 1000):
        net = fn.Network(name, width=width, sigma_b=0.0 if name == "relu" else 1.0)
        k = net.kernel()
        m = fn.match(
            fn.exact(net, x, n=4), LAM, kernel=k, vertex_kernel=k.without_bias(), cutoff=fn.Cutoff(cutoff), rtol=1e-8
        )
        values.append(m.couplings["lam"])
    assert values[0] < 0
    assert values[0] / values[1] == pytest.approx(100, rel=1e-8)


def test_relu_at_one_dimension_is_constant_over_tuples_with_the_closed_form() -> None:
    """G4c = (sigma^4/N)(3 M4 - Sum M2 M2), I4 = prod(x) L^5/80: lam = -(3 - 3/4) 80/(24 N L^5)... checked exactly."""
    x = np.array([0.2, 0.5, 1.1])
    net = fn.Network("relu", width=7, sigma_b=0.0)
    m = fn.match(fn.exact(net, x, n=4), LAM, kernel=net.kernel(), cutoff=fn.Cutoff(10.0), rtol=1e-12)
    # M4 = (3/2) prod x, M2 = x x/2: 3 M4 - 3/4 = 9/2 - 3/4 = 15/4 in units of prod x
    expected = -(15 / 4) / 7 * 80 / (24 * 10.0**5)
    np.testing.assert_allclose(m.per_tuple["lam"].values, expected, rtol=1e-12)
    assert m.couplings["lam"] == pytest.approx(expected, rel=1e-12)
    assert m.spread() < 1e-12 * abs(expected)


def test_sampled_networks_agree_with_exact_and_the_error_is_honest() -> None:
    """Pulls of lam over 40 seeds: a standard deviation outside [0.65, 1.45] has probability below 1e-3."""
    x = [0.2, 0.6, 1.0]
    net = fn.Network("erf", width=5)
    kw: dict[str, Any] = {
        "kernel": net.kernel(),
        "vertex_kernel": net.kernel().without_bias(),
        "cutoff": fn.Cutoff(20.0),
        "rtol": 1e-6,
    }
    truth = fn.match(fn.exact(net, x, n=4), LAM, **kw)
    pulls = []
    for seed in range(40):
        r = fn.sample(net, x, n_nets=4000, n_experiments=40, seed=seed)
        m = fn.match(r.estimate(4), LAM, **kw)
        # weights come from the data, so compare with the exact data under the same weights
        same = Uncertain(truth.data.values, truth.data.bound)
        assert same.values.shape == m.data.values.shape
        pulls.append((m.couplings["lam"] - truth.couplings["lam"]) / m.error["lam"])
        assert m.chi2 is not None and m.p_value is not None and 0 <= m.p_value <= 1
    assert 0.65 < np.std(pulls) < 1.45
    assert abs(np.mean(pulls)) < 5 / math.sqrt(40)


def test_proportional_columns_are_reported_as_not_identifiable() -> None:
    """For a translation-invariant kernel lam and kap enter G4 in a fixed proportion (PHYSICS section 5)."""
    theory = fn.Theory.parse("lam*f**4 + kap*f**6", propagator="exact")
    data = first_order_data({"lam": 0.01}, LAM)
    m = fn.match(data, theory, kernel=K, vertex_kernel=BARE, cutoff=fn.Cutoff(3.0))
    assert not m.identifiable
    assert m.singular_values[1] < 1e-6 * m.singular_values[0]
    # the fixed combination is lam + 15 kap K(0,0), with K(0,0) = 1
    assert m.couplings["lam"] + 15 * m.couplings["kap"] == pytest.approx(0.01, rel=1e-8)
    assert "not identifiable" in str(m)


def test_tuples_with_integrals_near_zero_are_flagged() -> None:
    x = [-1.0, -0.6, -0.2, 0.2, 0.6, 1.0]
    net = fn.Network("erf", width=20)
    k = net.kernel()
    m = fn.match(
        fn.exact(net, x, n=4), LAM, kernel=k, vertex_kernel=k.without_bias(), cutoff=fn.Cutoff(100.0), rtol=1e-8
    )
    assert 0 < m.flagged.sum() < 20
    column = fn.Correlator(
        LAM, 4, kernel=k, vertex_kernel=k.without_bias(), cutoff=fn.Cutoff(100.0), kind="connected"
    ).series(x, max_order=1, rtol=1e-8)[{"lam": 1}]
    assert (small_integrals(column) == m.flagged).all()
    for row in column.indices[m.flagged]:
        assert abs(column.at(*row)) < 0.1 * np.prod([abs(column.at(*[i] * 4)) ** 0.25 for i in row])


def test_prediction_of_the_six_point_function_uses_every_spectator_pair() -> None:
    m = fn.match(
        first_order_data({"lam": 0.02}, LAM), LAM, kernel=K, vertex_kernel=BARE, cutoff=fn.Cutoff(3.0), rtol=1e-12
    )
    g6 = m.predict(6)
    c4 = m.data
    x = np.array(X)[:, None]
    matrix = K(x, x)
    for row in ((0, 0, 1, 2, 3, 3), (0, 1, 1, 2, 2, 3)):
        expected = gaussian(K, x, 6).at(*row)
        for a in range(6):
            for b in range(a + 1, 6):
                rest = [row[i] for i in range(6) if i not in (a, b)]
                expected += c4.at(*rest) * matrix[row[a], row[b]]
        assert g6.at(*row) == pytest.approx(expected, rel=1e-9)
    with pytest.raises(InputError, match="odd"):
        m.predict(5)


def test_prediction_is_correlated_with_the_run_it_came_from() -> None:
    x = [0.2, 0.6, 1.0]
    net = fn.Network("erf", width=5)
    r = fn.sample(net, x, n_nets=4000, n_experiments=40, seed=3)
    k = net.kernel()
    m = fn.match(r.estimate(4), LAM, kernel=k, vertex_kernel=k.without_bias(), cutoff=fn.Cutoff(20.0), rtol=1e-6)
    difference = r.estimate(6) - m.predict(6)
    assert set(difference.data.sources) == set(r.estimate(4).data.sources)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n": 3}, "odd"),
        ({"n": 6}, "4-point"),
        ({"n": 2}, "4-point"),
        ({"points": False}, "no inputs"),
        ({"theory": "kap*f**6"}, None),
        ({"theory": "g*f**3"}, "does not enter"),
        ({"normal": True, "theory": "lam*f**4 + kap*f**6"}, "does not enter"),
    ],
)
def test_bad_requests_are_refused(change: dict[str, object], message: str | None) -> None:
    n = change.get("n", 4)
    assert isinstance(n, int)
    count = len(fn.NPoint(np.zeros(math.comb(n + 1, n)), n=n, n_inputs=2).values)
    p = fn.NPoint(
        np.ones(count), n=n, n_inputs=2, connected=True, points=[[0.0], [1.0]] if change.get("points", True) else None
    )
    theory = fn.Theory.parse(
        str(change.get("theory", "lam*f**4")), propagator="exact", normal_ordered=bool(change.get("normal"))
    )

    def run() -> None:
        fn.match(p, theory, kernel=K, vertex_kernel=BARE, cutoff=fn.Cutoff(3.0))

    if message is None:
        run()
    else:
        with pytest.raises(InputError, match=message):
            run()


def test_divergent_integrals_are_refused_with_the_reason() -> None:
    p = fn.exact(fn.Network("erf", width=5), [0.2, 0.4], n=4)
    k = fn.kernels.Erf()
    with pytest.raises(DivergenceError, match="constant"):
        fn.match(p, LAM, kernel=k, vertex_kernel=k.without_bias(), cutoff=fn.Cutoff())


def test_a_match_is_saved_and_loaded_with_every_digit(tmp_path: object) -> None:
    from pathlib import Path

    path = Path(str(tmp_path)) / "match.json"
    r = fn.sample(fn.Network("erf", width=5), [0.2, 0.6], n_nets=4000, n_experiments=20, seed=0)
    k = fn.kernels.Erf()
    m = fn.match(r.estimate(4), LAM, kernel=k, vertex_kernel=k.without_bias(), cutoff=fn.Cutoff(20.0), rtol=1e-6)
    fn.save(m, path)
    back = fn.load(path)
    assert back.couplings == m.couplings and back.error == m.error
    assert str(back) == str(m)
    np.testing.assert_array_equal(back.predict(6).values, m.predict(6).values)
