"""Two-vertex diagrams of rotation-invariant kernels: digits against time, for all tuples of four inputs.

    OPENBLAS_NUM_THREADS=1 python benchmarks/bench_rays.py

Each row is one kernel, dimension and cutoff: leg sets 1+3, 2+2, 3+3 with one, two and three lines between the vertices,
all together, from cold caches. The error is the largest relative bound; the peer is the product mesh of equal time.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from feynnn.errors import ComputationError
from feynnn.perturbation import rays_matrix
from feynnn.perturbation.contractions import MeshTable, Shape, evaluate
from feynnn.perturbation.integration import Integrator
from feynnn.perturbation.quadrature import Cutoff, mesh
from feynnn.points import Array
from feynnn.theory.kernels import Erf, Kernel, ReLU

INPUTS = {
    ("erf", 2): [[-1, -1], [-1, 1], [1, -1], [1, 1]],
    ("relu", 2): [[0.5, 0.5], [0.5, 1], [1, 0.5], [1, 1]],
    ("erf", 3): [[-1, -1, -1], [1, 1, -1], [-1, 1, 1], [1, -1, 1]],
    ("relu", 3): [[0.2, 0.2, 0.2], [1, 1, 0.2], [0.2, 1, 1], [1, 0.2, 1]],
}
LEGS = ((1, 3), (2, 2), (3, 3))


def shape(left: int, right: int, lines: int) -> Shape:
    """Two vertices with legs, joined by lines."""
    return Shape(((("K", left),), (("K", right),)), ((), ()), (0, 0), ((0, 1, "K", lines),))


def together(kernel: Kernel, x: Array, size: float, rtol: float) -> tuple[float, str]:
    """Return the time for all leg sets and numbers of lines, and what was reached."""
    rays_matrix._cache.clear()
    tool = Integrator({"K": kernel}, x, Cutoff(size), rtol=rtol)
    start = time.perf_counter()
    try:
        for lines in (1, 2, 3):
            for legs in LEGS:
                tool.shape_value(shape(*legs, lines))
    except ComputationError as error:
        return time.perf_counter() - start, str(error).split(": ")[1].split(";")[0][:40]
    return time.perf_counter() - start, "met"


def product_mesh(kernel: Kernel, x: Array, size: float, seconds: float) -> str:
    """Return the step of the last product meshes for one shape that take no longer than `seconds`."""
    previous, shown = np.zeros(1), "-"
    for order in (3, 4, 6, 9):
        grid = mesh([kernel], Cutoff(size), x, order)
        if len(grid) > 12000:
            break
        start = time.perf_counter()
        value = evaluate(shape(2, 2, 2), MeshTable({"K": kernel}, x, grid))
        if order > 3:
            shown = f"{np.abs(value - previous).max() / np.abs(value).max():.0e}"
        previous = value
        if time.perf_counter() - start > seconds:
            break
    return shown


def main(report: Callable[[str], None] = print) -> None:
    """Print the table."""
    report(f"{'kernel':<10}{'d':>2}{'cutoff':>8}{'rtol':>8}{'seconds':>9}  reached   product mesh")
    for (name, d), points in INPUTS.items():
        biases = (1.0,) if name == "erf" else (1.0, 0.0)
        for bias in biases:
            kernel: Kernel = (Erf if name == "erf" else ReLU)(sigma_b=bias, d_in=d, bias=False)
            for size in (5.0, 100.0):
                for rtol in (1e-6, 1e-8, 1e-10) if d == 2 else (1e-6, 1e-8):
                    seconds, reached = together(kernel, np.array(points, dtype=float), size, rtol)
                    peer = product_mesh(kernel, np.array(points, dtype=float), size, seconds) if d == 2 else "-"
                    report(f"{name:<6}{bias:<4}{d:>2}{size:>8g}{rtol:>8.0e}{seconds:>9.3f}  {reached:<9} {peer}")


if __name__ == "__main__":
    main()
