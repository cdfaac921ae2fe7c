"""Running the experiments of an ensemble, on any executor, with a checkpoint and progress.

One task is one experiment; its row is written once, at its place. Nothing depends on who ran it or when.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, as_completed
from dataclasses import dataclass

from ..errors import ComputationError, InputError
from ..networks.drawing import DrawPlan, OutputSource
from ..points import Array
from .power_sums import PowerSums
from .store import Mask, Store
from .streams import stream

#: Called with the experiments done and their number.
Progress = Callable[[int, int], object]


@dataclass(frozen=True)
class Job:
    """What a worker needs: small, and the same for every experiment of the run."""

    plan: DrawPlan
    seed: int
    key: str
    n_nets: int
    orders: tuple[int, ...]


def run_experiment(job: Job, experiment: int) -> Array:
    """Return one experiment's means of products of outputs, for all multisets of all orders.

    Memory is that of one chunk of networks, whatever their number.
    """
    source = OutputSource(job.plan)
    sums = PowerSums(len(job.plan.factor), job.orders)
    for chunk, start in enumerate(range(0, job.n_nets, job.plan.chunk)):
        random = stream(job.seed, job.key, experiment, chunk)
        sums.add(source.draw(random, min(job.plan.chunk, job.n_nets - start)))
    return sums.means()


def run_all(
    job: Job, rows: Array, done: Mask, *, executor: Executor | None, store: Store | None, tell: Progress
) -> None:
    """Run the experiments that are not done and fill in their rows.

    Parameters
    ----------
    job : Job
        What to run.
    rows : array, shape (n_experiments, k)
        Filled in place.
    done : array of bool, shape (n_experiments,)
        Experiments that need not run; updated in place.
    executor : concurrent.futures.Executor or None
        Where to run; None runs here.
    store : Store or None
        Keeps finished experiments; written at the end, and when the run is interrupted or fails.
    tell : callable
        Called with (done, total).

    Raises
    ------
    ComputationError
        If the workers of the executor die.
    """

    def keep(experiment: int, row: Array) -> None:
        rows[experiment], done[experiment] = row, True
        if store is not None:
            store.put(experiment, row)
        tell(int(done.sum()), len(done))

    missing = [int(e) for e in (~done).nonzero()[0]]
    try:
        if executor is None:
            for experiment in missing:
                keep(experiment, run_experiment(job, experiment))
        else:
            _run_on(executor, job, missing, keep)
    except BrokenExecutor as error:
        hint = (
            "; run the same call again to go on from the store" if store is not None else "; store= keeps what is done"
        )
        raise ComputationError(
            f"a worker of the executor died (out of memory?) after {done.sum()} experiments{hint}"
        ) from error
    finally:
        # also when interrupted: what is finished is worth keeping
        if store is not None and missing:
            store.write()


def _run_on(executor: Executor, job: Job, missing: list[int], keep: Callable[[int, Array], None]) -> None:
    futures: dict[Future[Array], int] = {executor.submit(run_experiment, job, e): e for e in missing}
    kept: set[Future[Array]] = set()
    try:
        for future in as_completed(futures):
            row = future.result()
            kept.add(future)
            keep(futures[future], row)
    except BaseException:
        for future in futures:
            future.cancel()
        for future, experiment in futures.items():
            if future not in kept and future.done() and not future.cancelled() and future.exception() is None:
                keep(experiment, future.result())
        raise


def progress_teller(progress: bool | Progress) -> Progress:
    """Return the function that reports progress: none, a line on standard error, or the caller's own.

    Raises
    ------
    InputError
        If `progress` is neither a bool nor callable.
    """
    if progress is False:
        return lambda done, total: None
    if progress is True:
        return _tell_stderr
    if callable(progress):
        return progress
    raise InputError(f"progress must be True, False or a function of (done, total), got {progress!r}")


def _tell_stderr(done: int, total: int) -> None:
    end = "\n" if done == total else ""
    sys.stderr.write(f"\rsampling: {100 * done // total:3d} % ({done}/{total} experiments){end}")
    sys.stderr.flush()
