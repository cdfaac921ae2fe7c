"""Diagram generation against feyngraph, in one process on one core.

    make bench    (or, with the bench extra installed, python benchmarks/bench_diagrams.py [--small])

Columns, in milliseconds of processor time: the first call after `from feynnn import generate` in a fresh interpreter;
with cold tables (nothing kept from other calls; the tables that the package ships are read again); warm, the best of
several calls (sets of up to five vertices are remembered); feyngraph, its best. Ratios are feyngraph's time over ours.
Memory is the growth of a fresh interpreter's peak, in megabytes, modules included. All arrays are written out, and the
certificate is off.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np


class Case(NamedTuple):
    """A set of diagrams, and what feyngraph has to be asked for it."""

    action: str
    n: int
    order: tuple[int, ...]
    kind: str
    degrees: tuple[int, ...]

    @property
    def name(self) -> str:
        """The set in words."""
        return f"{self.kind} {self.n}-point {self.action}, order {','.join(map(str, self.order))}"


PHI4 = "lam*f**4"
CASES = [
    *(Case(PHI4, 4, (k,), "connected", (4,)) for k in range(1, 9)),
    *(Case(PHI4, 4, (k,), "1PI", (4,)) for k in (2, 5, 7)),
    *(Case(PHI4, 2, (k,), "connected", (4,)) for k in (1, 3, 6)),
    *(Case("kap*f**6", 6, (k,), "connected", (6,)) for k in (1, 2, 3, 4)),
    Case("lam*f**4 + kap*f**6", 6, (1, 1), "connected", (4, 6)),
    Case("lam*f**4 + kap*f**6", 6, (2, 2), "connected", (4, 6)),
    *(Case("g*f**3", 3, (k,), "connected", (3,)) for k in (1, 3, 5, 7)),
]


def ours(case: Case) -> Callable[[], object]:
    """Return our call."""
    import feynnn as fn

    theory = fn.Theory.parse(case.action)
    return lambda: fn.generate(theory, case.n, order=case.order, kind=case.kind, certify=False)  # type: ignore[arg-type]


def theirs(case: Case) -> Callable[[], object]:
    """Return feyngraph's call; it takes the number of loops, and the vertices as a selection."""
    from feyngraph.topology import TopologyGenerator, TopologyModel, TopologySelector

    legs = sum(d * m for d, m in zip(case.degrees, case.order, strict=True))
    loops = (legs - case.n) // 2 - sum(case.order) + 1
    selector = TopologySelector()
    if len(case.degrees) > 1:
        selector.select_node_partition(list(zip(case.degrees, case.order, strict=True)))
    if case.kind == "1PI":
        selector.select_opi_components(1)
    return lambda: TopologyGenerator(case.n, loops, TopologyModel(list(case.degrees)), selector).generate()


def clock(call: Callable[[], object]) -> tuple[float, object]:
    """Return the processor time of a call in milliseconds, and its result."""
    start = time.process_time()
    result = call()
    return 1e3 * (time.process_time() - start), result


def best(call: Callable[[], object], seconds: float = 0.5) -> float:
    """Return the shortest of several calls."""
    times = [clock(call)[0]]
    while sum(times) < 1e3 * seconds and len(times) < 20:
        times.append(clock(call)[0])
    return min(times)


def first(number: int) -> tuple[float, float]:
    """Return time and memory of the first call in a fresh interpreter."""
    child = subprocess.run(
        [sys.executable, __file__, "--first", str(number)], check=True, capture_output=True, text=True
    )
    spent, memory = child.stdout.split()
    return float(spent), float(memory)


def main() -> None:
    """Print the table."""
    from feynnn.diagrams import generation

    try:
        import feyngraph  # noqa: F401

        has_peer = True
    except ImportError:
        has_peer = False
        print("feyngraph is not installed (pip install 'feynnn[bench]'): its columns stay empty")
    print(
        f"{'set':<46}{'diagrams':>9}{'first':>9}{'cold':>9}{'warm':>9}{'feyngraph':>11}{'cold x':>8}{'warm x':>9}"
        f"{'MB':>7}"
    )
    for number, case in enumerate(CASES):
        if "--small" in sys.argv and sum(case.order) > 6:
            continue
        fresh, memory = first(number)
        call = ours(case)
        cold = []
        for _ in range(3):
            generation.forget()
            spent, result = clock(call)
            cold.append(spent)
        found = len(result)  # type: ignore[arg-type]
        warm = best(call)
        peer, ratios = "", ""
        if has_peer:
            other = theirs(case)
            spent, result = clock(other)
            assert len(result) == found, (case, len(result), found)  # type: ignore[arg-type]
            del result
            spent = min(spent, best(other)) if spent < 500 else spent
            peer, ratios = f"{spent:.3g}", f"{spent / min(cold):>8.3g}{spent / warm:>9.3g}"
        print(
            f"{case.name:<46}{found:>9}{fresh:>9.3g}{min(cold):>9.3g}{warm:>9.3g}{peer:>11}{ratios:>17}{memory:>7.0f}",
            flush=True,
        )


def peak() -> float:
    """Return the peak memory of this process in megabytes."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]


def child(case: Case) -> None:
    """Print time and memory of the first call."""
    np.zeros(1).sum()
    before = peak()
    import feynnn as fn

    assert fn.generate  # its modules are loaded by `from feynnn import generate`
    spent, _ = clock(ours(case))
    print(spent, peak() - before)


if __name__ == "__main__":
    if "--first" in sys.argv:
        child(CASES[int(sys.argv[-1])])
    else:
        main()
