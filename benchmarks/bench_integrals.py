"""Integrals of diagrams against what a user would otherwise use, in one process on one core.

    make bench    (or, with the bench extra installed and one BLAS thread, python benchmarks/bench_integrals.py)

Seconds of processor time. Ours is the best of several `Correlator.series` on a correlator already built, for all tuples
of inputs at rtol 1e-10, unless the row says otherwise. Peers get one tuple at a time and an integrand of plain floats;
a few tuples are timed and scaled to all. The last column says what was timed and how far the values are apart.
"""

from __future__ import annotations

import math
import time
import tracemalloc
from collections.abc import Callable, Sequence
from math import acos, asin, cos, exp, pi, prod, sin, sqrt

import numpy as np
from bench_path import row
from scipy.integrate import dblquad, quad, tplquad

import feynnn as fn
from feynnn.perturbation.contractions import MeshTable, Shape, evaluate, plan
from feynnn.perturbation.integration import Integrator
from feynnn.perturbation.quadrature import Mesh
from feynnn.studies import hms

Line = Callable[[Sequence[float], Sequence[float]], float]
QUARTIC = fn.Theory.parse("lam*f**4", propagator="exact")
BOTH = fn.Theory.parse("lam*f**4 + kap*f**6", propagator="exact")
CUTOFFS = {"gauss": 10.0, "erf": 100.0, "relu": 100.0}


def cpu(call: Callable[[], object]) -> float:
    """Return the processor time of one call."""
    start = time.process_time()
    call()
    return time.process_time() - start


def best(call: Callable[[], object], seconds: float = 1.0) -> float:
    """Return the shortest processor time of repeated calls, after one to warm up."""
    call()
    times = [cpu(call)]
    while sum(times) < seconds and len(times) < 50:
        times.append(cpu(call))
    return min(times)


# --- kernels without the output bias, sigma_w = 1, in plain floats ----------------------------------------------------


def gauss_line(x: Sequence[float], y: Sequence[float]) -> float:
    """Gauss kernel."""
    return exp(-sum((a - b) ** 2 for a, b in zip(x, y, strict=True)) / (2 * len(x)))


def erf_line(x: Sequence[float], y: Sequence[float]) -> float:
    """Erf kernel, sigma_b = 1."""
    d = len(x)
    cxy, cxx, cyy = (1 + sum(a * b for a, b in zip(u, v, strict=True)) / d for u, v in ((x, y), (x, x), (y, y)))
    return 2 / pi * asin(2 * cxy / sqrt((1 + 2 * cxx) * (1 + 2 * cyy)))


def relu_line(x: Sequence[float], y: Sequence[float]) -> float:
    """ReLU kernel, sigma_b = 0, by the formula for any dimension."""
    d = len(x)
    cxy, cxx, cyy = (sum(a * b for a, b in zip(u, v, strict=True)) / d for u, v in ((x, y), (x, x), (y, y)))
    size = sqrt(cxx * cyy)
    if size == 0:
        return 0.0
    t = acos(max(-1.0, min(1.0, cxy / size)))
    return size * (sin(t) + (pi - t) * cos(t)) / (2 * pi)


LINES: dict[str, Line] = {"gauss": gauss_line, "erf": erf_line, "relu": relu_line}


def star(line: Line, points: list[list[float]], cutoff: float, loops: int = 0) -> float:
    """Integral of a vertex with legs and self-loops over the box, by nested adaptive quadrature."""

    def integrand(*y: float) -> float:
        return prod(line(x, y) for x in points) * line(y, y) ** loops

    d = len(points[0])
    if d == 1:
        found = quad(integrand, -cutoff, cutoff, points=[0.0], epsabs=0, epsrel=1e-10, limit=500)
    elif d == 2:
        found = dblquad(integrand, -cutoff, cutoff, -cutoff, cutoff, epsabs=0, epsrel=1e-10)
    else:
        found = tplquad(integrand, *[-cutoff, cutoff] * 3, epsabs=0, epsrel=1e-6)
    return float(found[0])


def peer(value: Callable[[list[int]], float], ours: fn.NPoint, n_timed: int) -> tuple[float, float]:
    """Return the peer's time for all tuples, from a few, and the largest relative difference to ours."""
    few = ours.indices[:: math.ceil(len(ours) / n_timed)].tolist()
    start = time.process_time()
    theirs = [value(r) for r in few]
    seconds = (time.process_time() - start) / len(few) * len(ours)
    return seconds, max(abs(t / ours.at(*r) - 1) for t, r in zip(theirs, few, strict=True))


# --- sections ---------------------------------------------------------------------------------------------------------


def correlator(name: str, theory: fn.Theory, n: int, d_in: int = 1) -> fn.Correlator:
    """Return the slides' correlator of a network, connected, in the exact scheme."""
    kernel = hms.network(name, 20, d_in).kernel()
    cutoff = fn.Cutoff(CUTOFFS[name])
    return fn.Correlator(theory, n, kernel=kernel, vertex_kernel=kernel.without_bias(), cutoff=cutoff, kind="connected")


def fourth_order() -> None:
    """G4 to lam^4 with generation and lowering. What the first call adds is memory that the system hands out."""
    x = hms.inputs("gauss")
    for note in ("first call of the process", "second correlator"):
        start = time.process_time()
        series = correlator("gauss", QUARTIC, 4).series(x, max_order=4)
        seconds = time.process_time() - start
        p = series[{"lam": 4}]
        reached = float((p.bound / np.abs(p.values)).max())
        row("G4 to lam^4, 126 tuples, gauss, cutoff 10, new", seconds, None, f"{note}; bound {reached:.0e}")


def one_vertex() -> None:
    """All 126 one-vertex 4-point integrals of six inputs."""
    rng = np.random.default_rng(0)
    for name, d_in, n_timed in (("gauss", 1, 8), ("erf", 1, 8), ("relu", 1, 8), ("erf", 2, 2), ("gauss", 3, 1)):
        x = hms.inputs(name) if d_in == 1 else rng.uniform(-1, 1, size=(6, d_in))
        g4 = correlator(name, QUARTIC, 4, d_in)
        ours = best(lambda g4=g4, x=x: g4.series(x))
        values = g4.series(x)[{"lam": 1}]

        def one(r: list[int], name: str = name, x: np.ndarray = x) -> float:
            return -24 * star(LINES[name], [x[i].tolist() for i in r], CUTOFFS[name])

        theirs, apart = peer(one, values, n_timed)
        rule = {1: "quad", 2: "dblquad", 3: "tplquad at 1e-6"}[d_in]
        title = f"126 integrals, {name}, d = {d_in}, cutoff {CUTOFFS[name]:g}"
        row(title, ours, theirs, f"{rule}, {n_timed} timed; differ by {apart:.0e}")


def sextic() -> None:
    """The kap diagrams of G4 (126) and G6 (462) together."""
    for name in CUTOFFS:
        x = hms.inputs(name)
        pair = [correlator(name, BOTH, n) for n in (4, 6)]
        ours = best(lambda pair=pair, x=x: [g.series(x, max_order={"kap": 1}) for g in pair])
        theirs, apart = 0.0, 0.0
        for g, coefficient, loops in zip(pair, (-360, -720), (1, 0), strict=True):

            def one(r: list[int], name: str = name, x: np.ndarray = x, c: int = coefficient, k: int = loops) -> float:
                return c * star(LINES[name], [x[i].tolist() for i in r], CUTOFFS[name], k)

            seconds, difference = peer(one, g.series(x, max_order={"kap": 1})[{"kap": 1}], 6)
            theirs, apart = theirs + seconds, max(apart, difference)
        row(f"kap: 126 of G4 and 462 of G6, {name}", ours, theirs, f"quad, 6 timed of each; differ by {apart:.0e}")


def tetrahedron() -> Shape:
    """Return the lam^4 diagram K4: four vertices joined by six lines, one leg at each."""
    leg = (("K", 1),)
    lines = tuple((a, b, "K", 1) for a in range(4) for b in range(a + 1, 4))
    return Shape((leg,) * 4, ((),) * 4, (0,) * 4, lines)


def tetrahedron_exact(points: np.ndarray) -> float:
    """Return K4 over all space: a Gaussian integral with quadratic form 5 delta_ij - 1."""
    form = 5 * np.eye(4) - np.ones((4, 4))
    square = points @ np.linalg.solve(form, points) - points @ points
    return float((2 * np.pi) ** 2 / sqrt(np.linalg.det(form)) * exp(square / 2))


def four_vertices() -> None:
    """K4 for all tuples of six inputs against vegas at 1e-4, one tuple timed and scaled to the 126 that differ."""
    x = hms.inputs("gauss")
    kernel = hms.network("gauss", 20).kernel().without_bias()
    tuple_ = (0, 2, 3, 5)
    exact = tetrahedron_exact(x[list(tuple_), 0])
    theirs, note = vegas_at(1e-4, x[list(tuple_), 0], exact)
    for rtol in (1e-4, 1e-8, 1e-10):

        def ours(rtol: float = rtol) -> np.ndarray:
            tool = Integrator({"K": kernel}, x, fn.Cutoff(10.0), rtol=rtol)
            return tool.shape_value(tetrahedron()).values.reshape((6,) * 4)

        seconds, off = best(ours), abs(ours()[tuple_] / exact - 1)
        row(f"K4 (lam^4), 126 tuples, gauss, rtol {rtol:.0e}", seconds, theirs, f"off by {off:.0e}; {note}")


def vegas_at(rtol: float, points: np.ndarray, exact: float) -> tuple[float | None, str]:
    """Return vegas's time for 126 tuples, from one, and what it found."""
    try:
        import gvar
        import vegas
    except ImportError:
        return None, "vegas is not installed (bench extra)"

    @vegas.batchintegrand  # type: ignore[untyped-decorator]
    def integrand(y: np.ndarray) -> np.ndarray:
        exponent = ((y - points) ** 2).sum(axis=1)
        for a in range(4):
            for b in range(a):
                exponent += (y[:, a] - y[:, b]) ** 2
        return np.asarray(np.exp(-exponent / 2))

    gvar.ranseed(0)
    start = time.process_time()
    rule = vegas.Integrator([[-10.0, 10.0]] * 4)
    rule(integrand, nitn=10, neval=20_000)  # adapts
    n = 200_000
    found = rule(integrand, nitn=10, neval=n)
    while found.sdev > rtol * abs(found.mean):
        n *= 2
        found = rule(integrand, nitn=10, neval=n)
    seconds = 126 * (time.process_time() - start)
    off = abs(found.mean / exact - 1)
    return seconds, f"vegas, 1 timed, +- {found.sdev / found.mean:.0e}, off by {off:.0e}"


def costs() -> None:
    """One evaluation of a shape against vertices, nodes and inputs: the plan's numbers beside what was measured."""
    leg = (("K", 1),)
    shapes = {
        "star, 4 legs": Shape(((("K", 4),),), ((),), (0,), ()),
        "bubble 2+2": Shape(((("K", 2),),) * 2, ((),) * 2, (0,) * 2, ((0, 1, "K", 2),)),
        "triangle 2+1+1": Shape(
            ((("K", 2),), leg, leg), ((),) * 3, (0,) * 3, ((0, 1, "K", 1), (0, 2, "K", 1), (1, 2, "K", 2))
        ),
        "K4": tetrahedron(),
    }
    kernel = hms.network("erf", 20).kernel().without_bias()
    print(f"\n{'shape':<16}{'inputs':>7}{'nodes':>7}{'flops':>10}{'plan (MB)':>11}{'peak (MB)':>11}{'seconds':>10}")
    for name, shape in shapes.items():
        for m, size in ((1, 100), (6, 100), (6, 200)) if name == "K4" else ((1, 200), (6, 200), (6, 800), (12, 800)):
            nodes, weights = np.polynomial.legendre.leggauss(size)
            grid = Mesh(5 * nodes[:, None], 5 * weights)
            x = np.linspace(-1, 1, m)[:, None]

            def call(shape: Shape = shape, x: np.ndarray = x, grid: Mesh = grid) -> None:
                evaluate(shape, MeshTable({"K": kernel}, x, grid))

            cost, seconds = plan(shape, m, size), best(call, 0.2)
            tracemalloc.start()
            call()
            peak = tracemalloc.get_traced_memory()[1] / 1e6
            tracemalloc.stop()
            print(
                f"{name:<16}{m:>7}{size:>7}{cost.flops:>10.1e}{cost.entries * 8e-6:>11.3g}{peak:>11.3g}{seconds:>10.2g}"
            )


if __name__ == "__main__":
    print(f"{'work':<52} {'feynnn (s)':>12} {'peer (s)':>12} {'ratio':>10}  peer")
    fourth_order()
    one_vertex()
    sextic()
    four_vertices()
    costs()
