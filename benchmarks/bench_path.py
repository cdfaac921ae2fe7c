"""Speed of each stage of the path against what a user would otherwise use, in one process on one core.

    make bench    (which sets one BLAS thread)

The peer is one numpy network at a time. Every row is the best of several runs. Diagrams and integrals have tables of
their own, bench_diagrams.py and bench_integrals.py.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import numpy as np

import feynnn as fn
from feynnn.studies import hms


def best(call: Callable[[], object], seconds: float = 2.0) -> float:
    """Return the shortest time of repeated calls, after one to warm up."""
    call()
    times: list[float] = []
    while sum(times) < seconds and len(times) < 50:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def row(name: str, ours: float, theirs: float | None, note: str = "") -> None:
    """Print one line of the table."""
    ratio = f"{theirs / ours:>10.3g}" if theirs is not None else f"{'-':>10}"
    peer = f"{theirs:>12.3g}" if theirs is not None else f"{'-':>12}"
    print(f"{name:<52} {ours:>12.3g} {peer} {ratio}  {note}")


def networks() -> None:
    """Whole networks with all 2-, 4- and 6-point sums."""
    for width in (5, 100, 1000):
        net = hms.network("erf", width)
        x = hms.inputs("erf")
        total = max(2000, 400_000 // width)
        ours = best(lambda net=net, x=x, total=total: fn.sample(net, x, n_nets=total, n_experiments=2, seed=0)) / total

        def peer(net: fn.Network = net, x: np.ndarray = x) -> None:
            rng = np.random.default_rng(0)
            for _ in range(50):
                w0, b0 = rng.normal(size=net.width), rng.normal(size=net.width)
                w1, b1 = rng.normal(size=net.width) / math.sqrt(net.width), rng.normal()
                f = np.array([w1 @ np.vectorize(math.erf)(w0 * float(p) + b0) + b1 for p in x[:, 0]])
                f4 = np.multiply.outer(np.multiply.outer(f, f), np.multiply.outer(f, f))
                np.multiply.outer(f4, np.multiply.outer(f, f))

        row(f"one erf-net, width {width}, its 609 products", ours, best(peer, 1.0) / 50, "numpy, one net at a time")
    for d_in, n in ((1, 4), (1, 6), (2, 4)):
        net = hms.network("erf", 20, d_in)
        x = hms.inputs("erf", d_in)
        row(f"exact erf, d_in = {d_in}, n = {n}", best(lambda net=net, x=x, n=n: fn.exact(net, x, n=n)), None)


if __name__ == "__main__":
    print(f"{'work':<52} {'feynnn (s)':>12} {'peer (s)':>12} {'ratio':>10}  peer")
    networks()
