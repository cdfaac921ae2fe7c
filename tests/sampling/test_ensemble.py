"""sample(): agreement with exact functions, bitwise equality of all ways to run, errors, backgrounds, heavy tails."""

import json
import math
import os
import subprocess
import sys
import tracemalloc
import warnings
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import feynnn as fn
from feynnn.combinatorics import multisets
from feynnn.errors import ComputationError, FeynnnWarning, InputError
from feynnn.networks.drawing import OutputSource
from feynnn.npoint import gaussian
from feynnn.sampling import Ensemble, experiments
from feynnn.sampling.power_sums import layout
from feynnn.sampling.spread import mean_spread
from feynnn.sampling.streams import stream
from feynnn.sampling.tails import dominated, exact_error

Array = npt.NDArray[np.float64]
INPUTS = {"gauss": [-0.01, 0.002, 0.01], "erf": [-1.0, -0.2, 0.6], "relu": [0.2, 0.8, 1.2]}
NET = fn.Network("erf", width=4)
X = [-0.8, 0.1, 0.7]
SMALL: dict[str, Any] = {"n_nets": 9000, "n_experiments": 6, "seed": 5}


@pytest.fixture(scope="module")
def run() -> Ensemble:
    return fn.sample(NET, X, **SMALL)


# --- the numbers ---------------------------------------------------------------------------------------------------


def test_rows_are_means_over_networks(run: Ensemble) -> None:
    """The outputs of one experiment, drawn again from their streams (4096 + ... networks each) and multiplied out."""
    big = fn.sample(NET, X, n_nets=10000, n_experiments=2, seed=5)
    source = OutputSource(NET.draw_plan(np.array(X)[:, None]))
    for ensemble, size in ((run, 1500), (big, 5000)):
        chunks = [min(4096, size - start) for start in range(0, size, 4096)]
        f = np.concatenate([source.draw(stream(5, ensemble.key, 1, i), k).copy() for i, k in enumerate(chunks)], axis=1)
        for n, place in layout(3, (2, 4, 6)).items():
            expected = f[multisets(3, n)].prod(axis=1).mean(axis=1)
            np.testing.assert_allclose(ensemble.rows[1, place], expected, rtol=1e-12)


@pytest.mark.parametrize("name", sorted(INPUTS))
@pytest.mark.parametrize("width", [3, 200, math.inf])
def test_sampled_functions_agree_with_exact_ones(name: str, width: float) -> None:
    """5 standard errors, about 1e2 correlated numbers in 9 cases: false alarms in 1e-4 of seeds.

    Rows of Gauss-nets are far from normal at n = 4, and hopeless at n = 6.
    """
    net = fn.Network(name, width=width, sigma_b=0.0 if name == "relu" else 1.0)
    x = INPUTS[name]
    orders = (2,) if name == "gauss" and width == 3 else (2, 4) if name == "gauss" else (2, 4, 6)
    r = fn.sample(net, x, n_nets=200000 if width != 200 else 40000, n_experiments=50, seed=2, orders=orders)
    for n in orders:
        with warnings.catch_warnings():
            if name == "gauss" and n == 4:
                warnings.simplefilter("ignore", FeynnnWarning)
            for connected in (False, True):
                p, q = r.estimate(n, connected=connected), fn.exact(net, x, n=n, connected=connected)
                assert p.connected is connected
                assert p.kind == "sampled"
                assert (np.abs(p.values - q.values) < 5 * p.stat + q.bound).all()


def test_standard_errors_are_right(run: Ensemble) -> None:
    """Against the exact standard error of E f^4; 100 rows know theirs to 7 percent, and 5 of these are allowed."""
    r = fn.sample(NET, X, n_nets=40000, seed=6)
    for n in (2, 4):
        p = r.estimate(n)
        for i, x in enumerate(X):
            known = exact_error(NET, np.array([x]), n, 40000)
            assert known is not None
            mean, true = known
            assert mean == pytest.approx(fn.exact(NET, [x], n=n).values[0], rel=1e-12)
            assert p.stat[p.position(*[i] * n)] == pytest.approx(true, rel=0.35)


def test_pulls() -> None:
    """Mean square of 40 independent pulls of m_4: chi-squared, 5 standard deviations are 5 sqrt(2/40)."""
    exact = fn.exact(NET, [0.3], n=4)
    pulls = []
    for seed in range(40):
        r = fn.sample(NET, [0.3], n_nets=2000, n_experiments=50, seed=seed, orders=(4,))
        with warnings.catch_warnings():  # f^4 is skewed: one of these means is far out, and says so
            warnings.simplefilter("ignore", FeynnnWarning)
            p = r.estimate(4)
        pulls.append((p.values[0] - exact.values[0]) / p.stat[0])
    assert abs(np.mean(np.square(pulls)) - 1) < 5 * math.sqrt(2 / 40)
    assert abs(np.mean(pulls)) < 5 / math.sqrt(40)


def test_functions_of_one_run_are_correlated(run: Ensemble) -> None:
    full, connected = run.estimate(4), run.estimate(4, connected=True)
    k = NET.kernel()
    # G4 - G4c is the exact Wick sum: no statistical error is left
    difference = full.data - connected.data
    wick = gaussian(k, np.array(X)[:, None], 4)
    assert (difference.stat < 1e-12 * full.stat).all()
    np.testing.assert_allclose(difference.values, wick.values, rtol=1e-13)
    assert full.rows is not None
    np.testing.assert_allclose(full.rows, run.rows[:, layout(3, (2, 4, 6))[4]], rtol=1e-12)
    np.testing.assert_allclose(full.covariance, np.cov(full.rows, rowvar=False) / 6, rtol=1e-9, atol=1e-18)
    # the six-point one is linear in the rows of two orders
    six = run.estimate(6, connected=True)
    assert six.rows is not None
    four_rows, six_rows = (run.rows[:, layout(3, (2, 4, 6))[n]] for n in (4, 6))
    by_hand = []
    for g4, g6 in zip(four_rows, six_rows, strict=True):
        p4 = fn.NPoint(g4, n=4, n_inputs=3, points=run.points)
        p6 = fn.NPoint(g6, n=6, n_inputs=3, points=run.points)
        by_hand.append(p6.to_connected(k, lower=[p4]).values)
    np.testing.assert_allclose(six.rows, by_hand, rtol=1e-9, atol=1e-9)
    # another seed is another source
    other = fn.sample(NET, X, **{**SMALL, "seed": 6}).estimate(4)
    assert ((full - other).stat > 0.5 * full.stat).all()


def test_runs_with_one_seed_are_independent() -> None:
    """Widths 3 and 6 do not share neurons: correlation of 200 experiments is below 5/sqrt(200)."""
    rows = [
        fn.sample(fn.Network("erf", width=w), [0.5], n_nets=20000, n_experiments=200, orders=(2,)).rows[:, 0]
        for w in (3, 6)
    ]
    correlation = np.asarray(np.corrcoef(rows))[0, 1]
    assert abs(correlation) < 5 / math.sqrt(200)


def test_deviation_and_background(run: Ensemble) -> None:
    points = np.array(X)[:, None]
    for n in (2, 4, 6):
        free = gaussian(NET.kernel(), points, n).values
        m = run.rows[:, layout(3, (2, 4, 6))[n]] / free - 1
        deviation = run.deviation(n)
        np.testing.assert_allclose(deviation.values, m.mean(axis=0), rtol=1e-9, atol=1e-14)
        np.testing.assert_allclose(deviation.stat, m.std(axis=0, ddof=1) / math.sqrt(6), rtol=1e-9)
        background = run.background(n)
        assert background.value == pytest.approx(m.std(axis=0, ddof=1).mean(), rel=1e-9)
        # the jackknife written out
        left_out = [np.delete(m, i, axis=0).std(axis=0, ddof=1).mean() for i in range(6)]
        spread = math.sqrt(5 / 6 * np.square(np.array(left_out) - np.mean(left_out)).sum())
        assert background.error == pytest.approx(spread, rel=1e-6)


def test_background_of_independent_rows() -> None:
    """One column of normal rows: the error of a standard deviation is sigma/sqrt(2(e-1)), within a factor of 1.5."""
    rows = np.random.default_rng(7).normal(size=(200, 1)) * 3.0
    value, error = mean_spread(rows)
    assert abs(value - 3.0) < 5 * error
    assert error == pytest.approx(3.0 / math.sqrt(2 * 199), rel=0.5)
    assert mean_spread(np.array([[1.0], [3.0]])) == pytest.approx((math.sqrt(2), 1.0))


def test_background_falls_as_the_square_root() -> None:
    few = fn.sample(NET, X, n_nets=20000, n_experiments=50).background(4)
    many = fn.sample(NET, X, n_nets=320000, n_experiments=50).background(4)
    # errors of some 10 percent; 5 of them
    assert few.value / many.value == pytest.approx(
        4.0, abs=5 * 4.0 * math.hypot(few.error / few.value, many.error / many.value)
    )


# --- all ways to run give the same bits ----------------------------------------------------------------------------


def test_executors_give_the_same_bits(run: Ensemble) -> None:
    with ThreadPoolExecutor(3) as threads:
        np.testing.assert_array_equal(fn.sample(NET, X, **SMALL, executor=threads).rows, run.rows)
    with ProcessPoolExecutor(2) as processes:
        np.testing.assert_array_equal(fn.sample(NET, X, **SMALL, executor=processes).rows, run.rows)


def test_orders_do_not_change_the_networks(run: Ensemble) -> None:
    only = fn.sample(NET, X, **SMALL, orders=[4])
    np.testing.assert_array_equal(only.rows, run.rows[:, layout(3, (2, 4, 6))[4]])


def test_blas_threads_do_not_matter() -> None:
    program = (
        "import feynnn as fn, hashlib; net = fn.Network('erf', width=6); x = [-1, -.5, .1, .4, .8, 1.1]; "
        "r = fn.sample(net, x, n_nets=40000, n_experiments=2); print(hashlib.sha256(r.rows.tobytes()).hexdigest())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "OPENBLAS_NUM_THREADS": threads, "MKL_NUM_THREADS": threads},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "2")
    }
    assert len(found) == 1


class _Interrupting:
    """Progress that interrupts the run after some experiments."""

    def __init__(self, after: int) -> None:
        self.after, self.seen = after, 0

    def __call__(self, done: int, total: int) -> None:
        self.seen = done
        if done == self.after:
            raise KeyboardInterrupt


@pytest.mark.parametrize("threads", [0, 2])
def test_an_interrupted_run_goes_on(run: Ensemble, tmp_path: Path, threads: int) -> None:
    store = tmp_path / "run.npz"
    pool = ThreadPoolExecutor(threads) if threads else None
    with pytest.raises(KeyboardInterrupt):
        fn.sample(NET, X, **SMALL, store=store, executor=pool, progress=_Interrupting(2))
    if pool is not None:
        pool.shutdown()
    seen: list[tuple[int, int]] = []
    again = fn.sample(NET, X, **SMALL, store=store, progress=lambda done, total: seen.append((done, total)))
    np.testing.assert_array_equal(again.rows, run.rows)
    # at least the two finished experiments were not run again
    assert seen[-1] == (6, 6)
    assert len(seen) <= 4
    third = fn.sample(NET, X, **SMALL, store=store, progress=lambda done, total: seen.append((done, total)))
    np.testing.assert_array_equal(third.rows, run.rows)
    assert seen[-1] == (6, 6)
    assert len(seen) <= 4


def test_a_store_of_another_run_is_refused(tmp_path: Path) -> None:
    store = tmp_path / "run.npz"
    fn.sample(NET, X, **SMALL, store=store)
    for name, other in (
        ("seed", {"seed": 6}),
        ("n_nets", {"n_nets": 12000}),
        ("n_experiments", {"n_experiments": 3}),
        ("orders", {"orders": (2, 4)}),
    ):
        with pytest.raises(InputError, match=f"holds another run: {name} is"):
            fn.sample(NET, X, **{**SMALL, **other}, store=store)
    with pytest.raises(InputError, match="holds another run: network is"):
        fn.sample(fn.Network("erf", width=5), X, **SMALL, store=store)
    with pytest.raises(InputError, match="holds another run: points is"):
        fn.sample(NET, [-0.8, 0.1, 0.70001], **SMALL, store=store)


class _Dying(Executor):
    """An executor whose workers die after the first task."""

    def __init__(self) -> None:
        self.tasks = 0

    def submit(self, function: Any, /, *arguments: Any, **keywords: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.tasks += 1
        if self.tasks == 1:
            future.set_result(function(*arguments, **keywords))
        else:
            future.set_exception(BrokenProcessPool("killed"))
        return future


def test_dead_workers(run: Ensemble, tmp_path: Path) -> None:
    with pytest.raises(ComputationError, match=r"a worker of the executor died.*store= keeps what is done"):
        fn.sample(NET, X, **SMALL, executor=_Dying())
    store = tmp_path / "run.npz"
    with pytest.raises(ComputationError, match="run the same call again"):
        fn.sample(NET, X, **SMALL, executor=_Dying(), store=store)
    assert store.exists()
    np.testing.assert_array_equal(fn.sample(NET, X, **SMALL, store=store).rows, run.rows)


def test_progress_line(capsys: pytest.CaptureFixture[str]) -> None:
    fn.sample(NET, X, n_nets=40, n_experiments=4, progress=True)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.endswith("\rsampling: 100 % (4/4 experiments)\n")
    assert "\rsampling:  25 % (1/4 experiments)\r" in shown.err


def test_memory_does_not_grow_with_the_number_of_networks() -> None:
    net = fn.Network("erf", width=30)
    fn.sample(net, X, n_nets=200, n_experiments=2)
    peaks = []
    for n_nets in (10000, 80000):
        tracemalloc.start()
        fn.sample(net, X, n_nets=n_nets, n_experiments=2)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.05 * peaks[0]
    assert peaks[1] < 32e6


# --- heavy tails ---------------------------------------------------------------------------------------------------


def test_heavy_tails_are_told() -> None:
    """Gauss-net: E f^12 ~ e^60 is missed by any sample. Erf-net: nothing to tell."""
    gauss = fn.sample(fn.Network("gauss", width=100), INPUTS["gauss"], n_nets=20000, n_experiments=20, seed=1)
    for call in (gauss.estimate, gauss.deviation, gauss.background):
        with pytest.warns(
            FeynnnWarning, match=r"the 6-point function is heavy-tailed: .*; its error bar is unreliable, use exact"
        ):
            call(6)
    with pytest.warns(FeynnnWarning, match="heavy-tailed"):
        gauss.estimate(6, connected=True)
    gauss.estimate(2)
    # warnings are errors here
    erf = fn.sample(fn.Network("erf", width=100), INPUTS["erf"], n_nets=20000, n_experiments=20, seed=1)
    for n in (2, 4, 6):
        erf.estimate(n)
        erf.background(n)
    str(gauss)


def test_domination_by_one_experiment() -> None:
    """The sign without exact moments; normal rows show it in 1e-4 of tuples at most, whatever their number."""
    rng = np.random.default_rng(9)
    for e in (2, 3, 5, 20, 100):
        assert dominated(rng.normal(size=(e, 20000))) < 1e-3
    rows = rng.normal(size=(100, 50))
    rows[17, :30] += 40.0
    assert dominated(rows) == 0.6
    assert dominated(np.ones((10, 3))) == 0.0


def test_a_mean_far_from_the_exact_one_is_reported() -> None:
    """At width 1000 the error bar of this run is only 2.4 times too small, and its mean is 4.2 of them off."""
    x = [-0.01, -0.006, -0.002, 0.002, 0.006, 0.01]
    r = fn.sample(fn.Network("gauss", width=1000), x, n_nets=10000, n_experiments=40, seed=1, orders=(4,))
    with pytest.warns(FeynnnWarning, match="standard errors from the exact one"):
        r.estimate(4)


def test_unknown_moments_fall_back_on_domination(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("feynnn.sampling.tails.exact_error", lambda *args: None)
    gauss = fn.sample(fn.Network("gauss", width=3), INPUTS["gauss"], n_nets=20000, n_experiments=20, seed=4)
    with pytest.warns(FeynnnWarning, match="one of 20 experiments carries more than half of the variance"):
        gauss.estimate(6)
    assert exact_error(fn.Network("erf", width=3), np.array([1e7]), 4, 100) is None


# --- arguments, showing, storing -----------------------------------------------------------------------------------


def test_bad_arguments() -> None:
    bad: list[tuple[dict[str, Any], str]] = [
        ({"estimator": "neuron"}, "no estimator is called 'neuron'; there is: 'network'"),
        ({"n_nets": 1001, "n_experiments": 10}, "n_nets must be a multiple"),
        ({"n_nets": 10, "n_experiments": 1}, "n_experiments must be at least 2"),
        ({"orders": (2, 3)}, "orders must be even"),
        ({"seed": -1}, "seed"),
        ({"seed": 1.5}, "seed"),
        ({"executor": 4}, r"executor must be a concurrent.futures.Executor or None, got 4"),
        ({"progress": "yes"}, "progress must be True, False or a function"),
        ({"orders": (2, 40), "n_experiments": 100}, "GB; take fewer inputs"),
    ]
    for arguments, words in bad:
        with pytest.raises(InputError, match=words):
            fn.sample(NET, np.linspace(-1, 1, 9), **{"n_nets": 1000, **arguments})
    wrong: Any = "erf"
    with pytest.raises(InputError, match="needs a Network"):
        fn.sample(wrong, X)
    with pytest.raises(InputError, match="shape"):
        fn.sample(NET, [[0.1, 0.2]], n_nets=1000)


def test_what_was_not_measured(run: Ensemble) -> None:
    with pytest.raises(
        InputError, match=r"the 8-point function was not measured; run sample\(..., orders=\(2, 4, 6, 8\)\)"
    ):
        run.estimate(8)
    with pytest.raises(InputError, match="odd n=3 asked of a network"):
        run.estimate(3)
    six = fn.sample(NET, X, **SMALL, orders=(6,))
    with pytest.raises(InputError, match="the 4-point function was not measured"):
        six.estimate(6, connected=True)
    assert six.estimate(6).n == 6


def test_deviation_where_the_gaussian_part_vanishes() -> None:
    """x = 0 without bias: f = 0; x and y orthogonal without bias: K = 0."""
    zero = fn.sample(fn.Network("erf", width=3, sigma_b=0.0), [0.0, 0.5], n_nets=100, n_experiments=2)
    with pytest.raises(InputError, match=r"m_4 .* at 4 tuples, the first is inputs \[0, 0, 0, 0\]"):
        zero.deviation(4)
    orthogonal = fn.sample(
        fn.Network("erf", width=3, d_in=2, sigma_b=0.0), [[1, 2], [-2, 1]], n_nets=100, n_experiments=2
    )
    with pytest.raises(InputError, match=r"at 1 tuples, the first is inputs \[0, 1\]"):
        orthogonal.background(2)
    assert "G_GP = 0" in str(orthogonal)


def test_showing(run: Ensemble) -> None:
    assert repr(run) == (
        "Ensemble(Network('erf', width=4, d_in=1, sigma_w=1.0, sigma_b=1.0), 3 inputs, 9000 networks in 6 experiments, "
        "orders (2, 4, 6), seed 5)"
    )
    table = str(run).splitlines()
    assert len(table) == 5
    assert table[3].split()[:2] == ["4", "15"]
    assert run.estimate(4).origin == "erf, width 4, 9000 networks"


def test_dictionaries_keep_every_digit(run: Ensemble, tmp_path: Path) -> None:
    again = Ensemble.from_dict(json.loads(json.dumps(run.to_dict())))
    np.testing.assert_array_equal(again.rows, run.rows)
    assert repr(again) == repr(run)
    # the same source, so the difference has no error
    assert not (again.estimate(4) - run.estimate(4)).stat.any()
    fn.save(run, tmp_path / "run.json")
    np.testing.assert_array_equal(fn.load(tmp_path / "run.json").rows, run.rows)
    infinite = fn.sample(fn.Network("erf", width=math.inf), X, n_nets=100, n_experiments=2)
    assert Ensemble.from_dict(json.loads(json.dumps(infinite.to_dict()))).network.width == math.inf
    with pytest.raises(InputError, match="rows must have shape"):
        Ensemble(NET, X, n_nets=9000, seed=5, orders=(2, 4), rows=run.rows)


def test_equal_inputs_are_the_same_run() -> None:
    a = fn.sample(NET, [0.0, 0.5], n_nets=100, n_experiments=2)
    b = fn.sample(NET, np.array([[-0.0], [0.5]]), n_nets=100, n_experiments=2)
    np.testing.assert_array_equal(a.rows, b.rows)
    assert a.key == b.key


def test_work_is_one_task_per_experiment(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    original = experiments.run_experiment

    def counted(job: experiments.Job, experiment: int) -> Array:
        calls.append(experiment)
        return original(job, experiment)

    monkeypatch.setattr(experiments, "run_experiment", counted)
    fn.sample(NET, X, **SMALL)
    assert calls == list(range(6))
