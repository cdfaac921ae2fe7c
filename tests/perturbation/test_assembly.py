"""One evaluation for each topology against the sum over labelled diagrams, one by one."""

from __future__ import annotations

import numpy as np
import pytest

from feynnn import Correlator, Cutoff, Theory, generate
from feynnn.combinatorics import multisets
from feynnn.diagrams.generation import Kind
from feynnn.perturbation.assembly import topologies_sum
from feynnn.perturbation.contractions import products_of
from feynnn.perturbation.integration import Integrator
from feynnn.theory.kernels import Gauss, Kernel, Lattice
from feynnn.uncertain import Uncertain

SITES = Lattice(
    np.array([[1.0, 0.4, 0.2], [0.4, 1.5, 0.3], [0.2, 0.3, 0.8]]), np.array([0.2, 0.7, 1.3]), weights=[0.5, 0.3, 0.4]
)
CASES: list[tuple[str, int, tuple[int, ...], Kind]] = [
    *(("lam*f**4", n, (order,), "connected") for n in (0, 2, 4) for order in (1, 2, 3)),
    ("lam*f**4 + kap*f**6", 6, (1, 1), "connected"),
    ("g*f**3", 3, (3,), "connected"),
    ("g*f**3 + lam*f**4", 1, (1, 1), "connected"),
    ("lam*f**4", 4, (2,), "1PI"),
    ("lam*f**4", 4, (2,), "amputated"),
    ("lam*f**4", 4, (3,), "2PI"),
    ("lam*f**4", 2, (0,), "connected"),
    ("b*f(y)**2*f(z)**2", 4, (1,), "connected"),
    ("b*f(y)**2*f(z)**2 + lam*f**4", 4, (1, 1), "connected"),
    ("lam*(1 + 2*y**2)*f**4", 4, (2,), "connected"),
]
FULL: list[tuple[str, int, tuple[int, ...], Kind]] = [
    ("lam*f**4", 4, (2,), "vacuum-free"),
    ("lam*f**4", 6, (1,), "vacuum-free"),
    ("lam*f**4", 3, (1,), "vacuum-free"),
    ("lam*f**4 + kap*f**6", 4, (1, 1), "vacuum-free"),
    ("g*f**3", 3, (3,), "vacuum-free"),
    ("g*f**3", 2, (2,), "vacuum-free"),
    ("g*f**3", 2, (2,), "all"),
    ("lam*f**4", 4, (2,), "all"),
    ("lam*f**4", 0, (3,), "all"),
    ("lam*f**4", 0, (0,), "all"),
    ("lam*f**4", 0, (2,), "vacuum-free"),
    ("g*f**3 + lam*f**4", 2, (2, 1), "all"),
]


def one_by_one(theory: Theory, n: int, order: tuple[int, ...], kind: Kind, tool: Integrator) -> Uncertain:
    rows = multisets(len(tool.x), n)
    total = Uncertain.exact(np.zeros(len(rows)))
    for d in generate(theory, n, order=order, kind=kind):
        for term in products_of(d):
            total = total + tool.product(term, rows)
    return total


def tool_of(kernel: Kernel, cutoff: Cutoff | None, x: np.ndarray) -> Integrator:
    return Integrator({"K": kernel, "K_v": kernel}, x, cutoff)


@pytest.mark.parametrize(("text", "n", "order", "kind"), CASES)
def test_topologies_sum_to_the_labelled_diagrams(text: str, n: int, order: tuple[int, ...], kind: Kind) -> None:
    theory = Theory.parse(text)
    x = np.array([[0.2], [0.7], [1.3]])
    tool = tool_of(SITES, None, x)
    found = generate(theory, n, order=order, kind=kind, external="indistinguishable")
    mine = topologies_sum([p for d in found for p in products_of(d)], tool, multisets(3, n))
    labelled = one_by_one(theory, n, order, kind, tool)
    scale = np.abs(labelled.values).max(initial=1e-300)
    np.testing.assert_allclose(mine.values, labelled.values, rtol=1e-12, atol=1e-13 * scale)
    assert (np.abs(mine.values - labelled.values) <= mine.bound + labelled.bound + 1e-15 * scale).all()


@pytest.mark.parametrize(
    ("text", "n", "order", "kind", "scheme"),
    [
        (*case, scheme)
        for case in FULL
        for scheme in ("free", "exact")
        if scheme == "free" or (case[1] and case[3] != "all")  # where the exact scheme is defined
    ],
)
def test_full_functions_come_from_connected_ones(
    text: str, n: int, order: tuple[int, ...], kind: Kind, scheme: str
) -> None:
    theory = Theory.parse(text, propagator=scheme)  # type: ignore[arg-type]
    x = np.array([[0.2], [1.3]])
    g = Correlator(theory, n, kernel=SITES, kind=kind)
    series = g.series(x if n else None, max_order=dict(zip(theory.couplings, order, strict=True)))
    labelled = one_by_one(theory, n, order, kind, tool_of(SITES, None, x))
    scale = np.abs(labelled.values).max(initial=1e-300)
    np.testing.assert_allclose(series[order].values, labelled.values, rtol=1e-12, atol=1e-13 * scale)


def test_the_two_kernels_keep_their_lines() -> None:
    """Free lines carry the kernel with its bias, lines at a vertex the one without."""
    theory, x = Theory.parse("lam*f**4"), np.array([[0.0], [0.4], [1.0]])
    kernel = Gauss()
    g = Correlator(theory, 4, kernel=kernel, vertex_kernel=kernel.without_bias(), cutoff=Cutoff(3.0))
    tool = Integrator({"K": kernel, "K_v": kernel.without_bias()}, x, Cutoff(3.0))
    labelled = one_by_one(theory, 4, (2,), "vacuum-free", tool)
    mine = g.series(x, max_order=2)[2]
    np.testing.assert_allclose(mine.values, labelled.values, rtol=1e-10)
    assert (np.abs(mine.values - labelled.values) <= mine.bound + labelled.bound).all()
