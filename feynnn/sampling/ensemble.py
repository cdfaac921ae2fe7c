"""sample(): draw an ensemble of whole networks, as the slides do, and Ensemble: the n-point functions it gives."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Any

import numpy as np
import numpy.typing as npt

from ..combinatorics import multisets
from ..errors import FeynnnWarning, InputError
from ..networks.network import Network
from ..npoint import NPoint, gaussian
from ..points import Array, as_points, whole
from ..uncertain import Estimate
from .experiments import Job, Progress, progress_teller, run_all
from .power_sums import checked_orders, layout
from .spread import mean_spread
from .store import Store
from .streams import experiment_size, run_key
from .tails import heavy_tail

ESTIMATORS = ("network",)
_MAX_ROWS_BYTES = 2e9


def sample(
    network: Network,
    x: npt.ArrayLike,
    *,
    n_nets: int = 10**6,
    seed: int = 0,
    n_experiments: int = 100,
    orders: Sequence[int] = (2, 4, 6),
    estimator: str = "network",
    executor: Executor | None = None,
    store: str | os.PathLike[str] | None = None,
    progress: bool | Progress = False,
) -> Ensemble:
    """Draw an ensemble of networks and measure its n-point functions.

    Parameters
    ----------
    network : Network
        The ensemble; infinite width draws the Gaussian process.
    x : array_like, shape (m, d_in)
        Inputs.
    n_nets : int
        Networks in total, a multiple of `n_experiments`. The slides take 10**7.
    seed : int
        Seed. Results are the same bits for the same arguments, whatever the executor.
    n_experiments : int
        Independent experiments, at least 2: errors and the background come from their spread.
    orders : sequence of int
        The even n whose n-point functions are measured.
    estimator : str
        "network": whole networks, as in the slides.
    executor : concurrent.futures.Executor, optional
        Runs the experiments: threads, processes, ``dask.distributed.Client.get_executor()``, ... None runs them here.
    store : path-like, optional
        A checkpoint: an interrupted call goes on where it was when it is made again.
    progress : bool or callable
        True writes a line to standard error; a function is called with (experiments done, their number).

    Returns
    -------
    Ensemble
        The measured moments; `Ensemble.estimate`, `Ensemble.deviation` and `Ensemble.background` read them.

    Raises
    ------
    InputError
        If an argument is out of range, or the store is damaged or holds another run.
    ComputationError
        If a worker dies.
    """
    if not isinstance(network, Network):
        raise InputError(f"sample() needs a Network, got {network!r}")
    if estimator not in ESTIMATORS:
        raise InputError(f"no estimator is called {estimator!r}; there is: {', '.join(map(repr, ESTIMATORS))}")
    if executor is not None and not isinstance(executor, Executor):
        raise InputError(f"executor must be a concurrent.futures.Executor or None, got {executor!r}")
    points = as_points(x, network.d_in) + 0.0  # no negative zeros: equal inputs are the same run
    measured = checked_orders(orders)
    per_experiment = experiment_size(n_nets, n_experiments)
    size = max(p.stop for p in layout(len(points), measured).values())
    if 8 * size * n_experiments > _MAX_ROWS_BYTES:
        raise InputError(
            f"{n_experiments} experiments of {size} numbers need {8e-9 * size * n_experiments:.1f} GB; "
            f"take fewer inputs than {len(points)}, smaller orders than {measured}, or fewer experiments"
        )
    tell = progress_teller(progress)
    result = Ensemble(
        network, points, n_nets=n_nets, seed=whole(seed, "seed"), orders=measured, rows=np.zeros((n_experiments, size))
    )
    job = Job(network.draw_plan(points), result.seed, result.key, per_experiment, measured)
    header = {**result.parameters(), "estimator": estimator}
    kept = None if store is None else Store(store, header, result.rows.shape)
    done = np.zeros(n_experiments, dtype=np.bool_) if kept is None else kept.done.copy()
    if kept is not None:
        result.rows[...] = kept.rows
    run_all(job, result.rows, done, executor=executor, store=kept, tell=tell)
    return result


class Ensemble:
    """A measured ensemble: for each experiment the means of products of outputs over its networks.

    Parameters
    ----------
    network : Network
        What was sampled.
    points : array_like, shape (m, d_in)
        The inputs.
    n_nets : int
        Networks in all experiments together.
    seed : int
        Seed of the run.
    orders : sequence of int
        The measured n.
    rows : array_like, shape (n_experiments, sum of C(m+n-1, n))
        Means per experiment, the orders side by side.

    Raises
    ------
    InputError
        If the shape of `rows` does not fit or a number is out of range.
    """

    def __init__(
        self,
        network: Network,
        points: npt.ArrayLike,
        *,
        n_nets: int,
        seed: int,
        orders: Sequence[int],
        rows: npt.ArrayLike,
    ) -> None:
        self.network = network
        self.points = as_points(points, network.d_in, "points")
        self.orders = checked_orders(orders)
        self.rows: Array = np.asarray(rows, dtype=np.float64)
        self._places = layout(len(self.points), self.orders)
        size = max(p.stop for p in self._places.values())
        if self.rows.ndim != 2 or self.rows.shape[1] != size:
            raise InputError(f"rows must have shape (n_experiments, {size}), got {self.rows.shape}")
        self.n_experiments = len(self.rows)
        self.n_nets = self.n_experiments * experiment_size(n_nets, self.n_experiments)
        self.seed = whole(seed, "seed")
        self._tails: dict[int, str] = {}

    def parameters(self) -> dict[str, Any]:
        """Return what decides the numbers of the run, JSON-ready."""
        return {**self._identity(), "seed": self.seed, "orders": list(self.orders)}

    def _identity(self) -> dict[str, Any]:
        return {
            "network": self.network.to_dict(),
            "points": self.points.tolist(),
            "n_nets": self.n_nets,
            "n_experiments": self.n_experiments,
        }

    @property
    def key(self) -> str:
        """Name of the run up to its seed: part of the keys of its random streams."""
        return run_key(self._identity())

    # --- n-point functions ---------------------------------------------------------------------------------------

    def estimate(self, n: int, connected: bool = False) -> NPoint:
        """Return the measured n-point function with its standard errors.

        Connected functions subtract the Gaussian part of the exact kernel, so that they are linear in the data:
        G4c = G4 - Sum_3 K K and G6c = G6 - Sum_15 G4c K - Sum_15 K K K. All functions of a run share their
        experiments, hence sums and ratios of them have correct errors.

        Parameters
        ----------
        n : int
            Number of points, one of `orders`.
        connected : bool
            Whether to return the connected function instead of the full one.

        Raises
        ------
        InputError
            If n was not measured (the message says how to get it).

        Warns
        -----
        FeynnnWarning
            If the distribution has heavy tails and the error bar is unreliable.
        """
        full = self._full(n)
        result = full
        if connected:
            lower = [self._full(k) for k in range(4, n, 2)]
            result = full.to_connected(gaussian(self.network.kernel(), self.points, 2), lower=lower)
        self._warn(n)
        return result

    def deviation(self, n: int) -> NPoint:
        """Return the deviation from the Gaussian process, m_n = (G - G_GP) / G_GP, with its standard errors.

        Parameters
        ----------
        n : int
            Number of points, one of `orders`.

        Raises
        ------
        InputError
            If n was not measured, or G_GP vanishes at some tuple.
        """
        result = self._deviation(n)
        self._warn(n)
        return result

    def background(self, n: int) -> Estimate:
        """Return the slides' background: the standard deviation of m_n over experiments, averaged over the tuples.

        A deviation m_n below it is not seen by one experiment of n_nets / n_experiments networks. Tuples are the
        multisets of inputs, each counted once. The error is the jackknife's over the experiments; with two of them,
        where there is none, the value over sqrt(2).

        Parameters
        ----------
        n : int
            Number of points, one of `orders`.

        Raises
        ------
        InputError
            If n was not measured, or G_GP vanishes at some tuple.
        """
        rows = self._deviation(n).rows
        if rows is None:
            raise AssertionError("a sampled function has rows")
        self._warn(n)
        return mean_spread(rows)

    def _full(self, n: int) -> NPoint:
        if whole(n, "n", least=1) % 2:
            raise InputError(
                f"odd n={n} asked of a network: its {n}-point function vanishes by symmetry; take an even n"
            )
        if n not in self._places:
            raise InputError(f"the {n}-point function was not measured; run sample(..., orders={(*self.orders, n)})")
        rows = self.rows[:, self._places[n]]
        return NPoint(
            rows.mean(axis=0),
            n=n,
            n_inputs=len(self.points),
            kind="sampled",
            rows=rows,
            points=self.points,
            origin=f"{self.network.activation.name}, width {self.network.width}, {self.n_nets} networks",
            source=f"sample-{self.key}-{self.seed}",
        )

    def _deviation(self, n: int) -> NPoint:
        full = self._full(n)
        free = gaussian(self.network.kernel(), self.points, n)
        spread = np.sqrt(gaussian(self.network.kernel(), self.points, 2).full().diagonal())
        zero = np.abs(free.values) <= 1e-13 * spread[free.indices].prod(axis=1)
        if zero.any():
            tuples = multisets(len(self.points), n)[zero]
            raise InputError(
                f"m_{n} = (G - G_GP)/G_GP has no value where G_GP = 0: at {len(tuples)} tuples, the first is inputs "
                f"{tuples[0].tolist()}; leave out such inputs, or use estimate({n}, connected=True)"
            )
        return (full - free) / free

    def _warn(self, n: int) -> None:
        """Warn of heavy tails, in the name of the caller's caller."""
        if n not in self._tails:
            rows = self.rows[:, self._places[n]]
            self._tails[n] = heavy_tail(self.network, self.points, rows, n, self.n_nets)
        if self._tails[n]:
            warnings.warn(
                f"the {n}-point function is heavy-tailed: {self._tails[n]}; its error bar is unreliable, "
                "use exact() or more networks",
                FeynnnWarning,
                stacklevel=3,
            )

    # --- showing and storing -------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        return (
            f"Ensemble({self.network!r}, {len(self.points)} inputs, {self.n_nets} networks in {self.n_experiments} "
            f"experiments, orders {self.orders}, seed {self.seed})"
        )

    def __str__(self) -> str:
        lines = [repr(self), f"{'n':>2}  {'values':>7}  {'mean m_n':>12}  {'background':>22}"]
        for n in self.orders:
            count = self._places[n].stop - self._places[n].start
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", FeynnnWarning)
                    mean, background = f"{self.deviation(n).values.mean():.4g}", str(self.background(n))
            except InputError:
                mean = background = "G_GP = 0"
            lines.append(f"{n:>2}  {count:>7}  {mean:>12}  {background:>22}")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary that keeps every digit."""
        return {**self.parameters(), "rows": self.rows.tolist()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Ensemble:
        """Rebuild what `to_dict` wrote."""
        return cls(
            Network.from_dict(data["network"]),
            data["points"],
            n_nets=data["n_nets"],
            seed=data["seed"],
            orders=data["orders"],
            rows=data["rows"],
        )
