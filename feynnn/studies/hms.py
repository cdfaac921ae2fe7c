"""The slides' study: Halverson, Maiti, Stoner, "Neural networks and quantum field theory" (arXiv:2008.08601).

Three networks, ten widths: how far the n-point functions are from the Gaussian process, exact and sampled; the coupling
lam matched to the 4-point function; the 6-point function it predicts; its flow with the cutoff.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any, Literal, TypeVar

import numpy as np

from ..errors import FeynnnWarning, InputError
from ..matching.fitting import Match, match
from ..matching.running import flow
from ..networks.finite_width import exact
from ..networks.network import Network
from ..npoint import NPoint, gaussian
from ..perturbation.quadrature import Cutoff
from ..points import Array
from ..sampling.ensemble import sample
from ..theory.action import Theory
from ..theory.kernels import Kernel

NETWORKS = ("gauss", "erf", "relu")
WIDTHS = (2, 3, 4, 5, 10, 20, 50, 100, 500, 1000)
CUTOFFS = (7, 10, 15, 20, 30, 40, 50, 70, 100, 200, 500, 1e3, 2e3, 5e3, 7e3, 1e4, 2e4, 4e4, 6e4, 8e4, 1e5)
SIGMA_B = {"gauss": 1.0, "erf": 1.0, "relu": 0.0}
#: Cutoff of the matching: the integrals of the Gauss kernel converge, the others do not.
MATCHING_CUTOFF = {"gauss": np.inf, "erf": 100.0, "relu": 100.0}
_SIGNS = {
    1: [[-1.0], [-0.6], [-0.2], [0.2], [0.6], [1.0]],
    2: [[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]],
    3: [[-1.0, -1.0, -1.0], [1.0, 1.0, -1.0], [-1.0, 1.0, 1.0], [1.0, -1.0, 1.0]],
}
_POSITIVE = {
    1: [[0.2], [0.4], [0.6], [0.8], [1.0], [1.2]],
    2: [[0.5, 0.5], [0.5, 1.0], [1.0, 0.5], [1.0, 1.0]],
    3: [[0.2, 0.2, 0.2], [1.0, 1.0, 0.2], [0.2, 1.0, 1.0], [1.0, 0.2, 1.0]],
}
#: Width of the table of lam per tuple, and of the flow.
TUPLE_WIDTH = 20

Scale = Literal["small", "paper"]
Report = Callable[[str, int, int], None]
T = TypeVar("T")


def inputs(network: str, d_in: int = 1) -> Array:
    """Return the slides' inputs of a network, shape (m, d_in)."""
    _check(network)
    if d_in not in _SIGNS:
        raise InputError(f"the slides have inputs for d_in = 1, 2, 3, got {d_in!r}")
    if network == "relu":
        return np.array(_POSITIVE[d_in])
    return np.array(_SIGNS[d_in]) * (0.01 if network == "gauss" else 1.0)


def near_zero_inputs(network: str) -> Array:
    """Return the one-dimensional inputs of one sign on which the slides' Table 5 tests constancy."""
    _check(network)
    return np.array(_POSITIVE[1]) * (1.0 if network == "relu" else 0.01)


def network(name: str, width: float, d_in: int = 1) -> Network:
    """Return the slides' network: sigma_w = 1, sigma_b = 1 (0 for ReLU)."""
    _check(name)
    return Network(name, width=width, d_in=d_in, sigma_w=1.0, sigma_b=SIGMA_B[name])


def theory() -> Theory:
    """Return lam f^4 with the kernel as exact propagator ("no correction to the 2-pt function")."""
    return Theory.parse("lam*f**4", propagator="exact")


def _check(name: str) -> None:
    if name not in NETWORKS:
        raise InputError(f"the slides' networks are {', '.join(NETWORKS)}, got {name!r}")


@dataclass(frozen=True)
class Size:
    """How much is sampled: experiments, networks in each at small width, and neurons in each at large width."""

    n_experiments: int
    nets: int
    neurons: int

    def n_nets(self, width: int) -> int:
        """Return the total number of networks at a width, a multiple of the experiments."""
        return self.n_experiments * max(1, min(self.nets, self.neurons // width))


SIZES: dict[str, Size] = {
    "small": Size(n_experiments=40, nets=2_500, neurons=250_000),
    "paper": Size(n_experiments=100, nets=100_000, neurons=10**12),
}


@dataclass
class Curve:
    """A quantity against width: exact, sampled with errors, and where it applies the slides' background."""

    exact: list[float] = field(default_factory=list)
    sampled: list[float] = field(default_factory=list)
    error: list[float] = field(default_factory=list)
    background: list[float] = field(default_factory=list)
    background_error: list[float] = field(default_factory=list)
    unreliable: list[int] = field(default_factory=list)


@dataclass
class Coupling:
    """A matched coupling: least squares with error, and mean and spread over the tuples that are not flagged."""

    value: float
    error: float
    mean: float
    mean_error: float
    spread: float
    flagged: int
    tuples: int
    #: False where the data's error bar misses rare large values (heavy tails).
    reliable: bool = True

    @classmethod
    def of(cls, m: Match, *, reliable: bool = True) -> Coupling:
        """Read a match with one coupling."""
        name = m.names[0]
        mean = m.mean()
        return cls(
            value=m.couplings[name],
            error=m.error[name],
            mean=mean.value,
            mean_error=mean.error,
            spread=m.spread(),
            flagged=int(m.flagged.sum()),
            tuples=len(m.flagged),
            reliable=reliable,
        )


@dataclass
class NetworkResult:
    """Everything about one network at d_in = 1."""

    name: str
    sigma_b: float
    inputs: list[list[float]]
    cutoff: float
    widths: list[int] = field(default_factory=list)
    n_nets: list[int] = field(default_factory=list)
    #: Mean over tuples of m_n = (G - G_GP)/G_GP, by n.
    deviation: dict[int, Curve] = field(default_factory=lambda: {n: Curve() for n in (2, 4, 6)})
    #: Mean over tuples of the connected function over G_GP, by n.
    connected: dict[int, Curve] = field(default_factory=lambda: {n: Curve() for n in (4, 6)})
    lam_exact: list[Coupling] = field(default_factory=list)
    lam_sampled: list[Coupling] = field(default_factory=list)
    lam_near_zero: Coupling | None = None
    #: lam of each tuple at TUPLE_WIDTH.
    tuples: list[list[int]] = field(default_factory=list)
    per_tuple_exact: list[float] = field(default_factory=list)
    per_tuple_sampled: list[float] = field(default_factory=list)
    per_tuple_error: list[float] = field(default_factory=list)
    per_tuple_flagged: list[bool] = field(default_factory=list)
    #: Mean over tuples of G_GP/G6 and of (G_GP + lam)/G6, against the exact G6; 1 is a perfect prediction.
    prediction_gaussian: list[float] = field(default_factory=list)
    prediction_lam: list[float] = field(default_factory=list)
    prediction_error: list[float] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass
class FlowResult:
    """lam against the cutoff for one network and dimension."""

    network: str
    d_in: int
    width: int
    source: str
    cutoffs: list[float]
    lam: list[float]
    error: list[float]
    beta: list[float]
    slope: float
    slope_error: float
    r_squared: float
    expected: float | None


@dataclass
class Study:
    """The whole study, JSON-ready through `to_dict`."""

    scale: str
    seed: int
    n_experiments: int
    networks: dict[str, NetworkResult]
    flows: list[FlowResult]
    provenance: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Return plain dictionaries and lists, the numbers n of points as text."""
        record = asdict(self)
        for result in record["networks"].values():
            for curves in ("deviation", "connected"):
                result[curves] = {str(n): curve for n, curve in result[curves].items()}
        return record


def run(
    scale: Scale = "small",
    *,
    seed: int = 1,
    networks: Sequence[str] = NETWORKS,
    executor: Executor | None = None,
    progress: Report | None = None,
) -> Study:
    """Run the study.

    Parameters
    ----------
    scale : {"small", "paper"}
        "small" takes about a minute on two cores; "paper" is the slides' 100 experiments of 1e5 networks.
    seed : int
        Seed of every ensemble.
    networks : sequence of str
        Which of the three networks.
    executor : concurrent.futures.Executor, optional
        Where the ensembles are sampled; the numbers do not depend on it.
    progress : callable, optional
        Called with (what, done, total) before each step.

    Returns
    -------
    Study
    """
    check(scale, networks)
    start = time.perf_counter()
    size = SIZES[scale]
    dimensions = {name: (1, 2, 3) if name == "relu" else (1,) for name in networks}
    total = len(networks) * (len(WIDTHS) + 1) + sum(map(len, dimensions.values()))
    done = 0

    def step(what: str) -> None:
        nonlocal done
        if progress is not None:
            progress(what, done, total)
        done += 1

    results: dict[str, NetworkResult] = {}
    flows: list[FlowResult] = []
    for name in networks:
        result = NetworkResult(name, SIGMA_B[name], inputs(name).tolist(), MATCHING_CUTOFF[name])
        results[name] = result
        for width in WIDTHS:
            step(f"{name}, width {width}")
            _one_width(result, width, size, seed, executor)
        for n, curve in result.connected.items():
            if curve.unreliable:
                widths = ", ".join(map(str, curve.unreliable))
                result.notes.append(
                    f"sampled {n}-point functions have meaningless errors (heavy tails) at widths {widths}"
                )
        step(f"{name}, inputs of one sign")
        x = near_zero_inputs(name)
        net = network(name, TUPLE_WIDTH)
        result.lam_near_zero = Coupling.of(_match(exact(net, x, n=4), net.kernel(), name))
        for d_in in dimensions[name]:
            step(f"{name}, flow in d = {d_in}")
            flows.append(_flow(name, d_in))
    if progress is not None:
        progress("done", total, total)
    return Study(scale, seed, size.n_experiments, results, flows, _provenance(scale, seed, networks, start))


def check(scale: str, networks: Sequence[str]) -> None:
    """Raise InputError for an unknown scale or network."""
    if scale not in SIZES:
        raise InputError(f"scale must be one of {', '.join(map(repr, SIZES))}, got {scale!r}")
    for name in networks:
        _check(name)


def _match(p: NPoint, kernel: Kernel, name: str) -> Match:
    return match(p, theory(), kernel=kernel, vertex_kernel=kernel.without_bias(), cutoff=Cutoff(MATCHING_CUTOFF[name]))


def _one_width(result: NetworkResult, width: int, size: Size, seed: int, executor: Executor | None) -> None:
    name = result.name
    x = inputs(name)
    net = network(name, width)
    kernel = net.kernel()
    n_nets = size.n_nets(width)
    result.widths.append(width)
    result.n_nets.append(n_nets)
    run_of = sample(net, x, n_nets=n_nets, seed=seed, n_experiments=size.n_experiments, executor=executor)
    wick = {n: gaussian(kernel, x, n) for n in (2, 4, 6)}
    full = {n: exact(net, x, n=n) for n in (2, 4, 6)}
    for n in (2, 4, 6):
        curve = result.deviation[n]
        curve.exact.append(((full[n] - wick[n]) / wick[n]).mean().value)
        measured, trusted = _quietly(partial(run_of.deviation, n))
        _append(curve, measured, trusted, width)
        background, _ = _quietly(partial(run_of.background, n))
        curve.background.append(background.value)
        curve.background_error.append(background.error)
    for n in (4, 6):
        curve = result.connected[n]
        curve.exact.append((exact(net, x, n=n, connected=True) / wick[n]).mean().value)
        measured, trusted = _quietly(partial(run_of.estimate, n, connected=True))
        _append(curve, measured / wick[n], trusted, width)

    g4, trusted = _quietly(partial(run_of.estimate, 4))
    from_exact, from_sample = _match(full[4], kernel, name), _match(g4, kernel, name)
    result.lam_exact.append(Coupling.of(from_exact))
    result.lam_sampled.append(Coupling.of(from_sample, reliable=trusted))
    if width == TUPLE_WIDTH:
        result.tuples = from_exact.data.indices.tolist()
        result.per_tuple_exact = from_exact.per_tuple["lam"].values.tolist()
        result.per_tuple_sampled = from_sample.per_tuple["lam"].values.tolist()
        result.per_tuple_error = from_sample.per_tuple["lam"].error.tolist()
        result.per_tuple_flagged = from_exact.flagged.tolist()
    result.prediction_gaussian.append((wick[6] / full[6]).mean().value)
    ratio, error = (from_sample.predict(6) / full[6]).mean()
    result.prediction_lam.append(ratio)
    result.prediction_error.append(error)


def _quietly(estimate: Callable[[], T]) -> tuple[T, bool]:
    """Return an estimate and whether it came without a heavy-tail warning."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", FeynnnWarning)
        value = estimate()
    return value, not any(issubclass(w.category, FeynnnWarning) for w in caught)


def _append(curve: Curve, p: NPoint, trusted: bool, width: int) -> None:
    value, error = p.mean()
    curve.sampled.append(value)
    curve.error.append(error)
    if not trusted:
        curve.unreliable.append(width)


def _flow(name: str, d_in: int) -> FlowResult:
    net = network(name, TUPLE_WIDTH, d_in)
    kernel = net.kernel()
    p = exact(net, inputs(name, d_in), n=4)
    f = flow(
        p,
        theory(),
        kernel=kernel,
        vertex_kernel=kernel.without_bias(),
        cutoffs=CUTOFFS,
        rtol=1e-5 if d_in > 2 else 1e-8,
    )
    return FlowResult(
        network=name,
        d_in=d_in,
        width=TUPLE_WIDTH,
        source=p.kind,
        cutoffs=f.cutoffs.tolist(),
        lam=f.couplings["lam"].tolist(),
        error=f.error["lam"].tolist(),
        beta=f.beta["lam"].tolist(),
        slope=f.slope["lam"],
        slope_error=f.slope_error["lam"],
        r_squared=f.r_squared["lam"],
        expected=-(d_in + 4.0) if name == "relu" else None,
    )


def _provenance(scale: str, seed: int, networks: Sequence[str], start: float) -> dict[str, str]:
    import platform
    from importlib.metadata import version

    from .. import __version__

    chosen = "" if tuple(networks) == NETWORKS else "".join(f" --network {n}" for n in networks)
    return {
        "feynnn": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in ("numpy", "scipy", "sympy", "networkx")},
        "seed": str(seed),
        "command": f"feynnn study hms --scale {scale} --seed {seed}{chosen}",
        "seconds": f"{time.perf_counter() - start:.1f}",
        "date": time.strftime("%Y-%m-%d"),
    }
