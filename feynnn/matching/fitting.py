"""Matching: the couplings whose first-order 4-point function is closest to the measured or exact one.

At first order the connected 4-point function is linear in the couplings, so this is linear algebra: scaled columns, a
singular value decomposition, and errors by linear propagation of the data's own covariance (PHYSICS section 5).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import InputError
from ..npoint import NPoint
from ..perturbation.correlator import Correlator
from ..perturbation.quadrature import Cutoff
from ..points import Array, whole
from ..theory.action import Theory
from ..theory.kernels import Kernel
from ..theory.kernels.records import kernel_from_dict, kernel_to_dict
from ..uncertain import Estimate, Uncertain
from .columns import first_order, fit_data, points_of

#: Directions whose scaled singular value is below this fraction of the largest are not identifiable.
IDENTIFIABLE = 1e-6
#: A tuple is flagged when its integral is below this fraction of its Hoelder bound.
FLAG = 0.1


@dataclass(frozen=True)
class Match:
    """Couplings matched to a 4-point function.

    Attributes
    ----------
    theory : Theory
    names : tuple of str
        Couplings in the theory's order, the order of every array below.
    solution : Uncertain, shape (p,)
        Couplings with their errors; `couplings`, `error` and `covariance` read from it.
    singular_values : numpy.ndarray, shape (p,)
        Of the weighted matrix with columns scaled to unit length.
    identifiable : bool
        Whether every direction is determined. If not, the couplings are the minimum-norm solution (in scaled
        columns) and only combinations of them mean something.
    chi2, dof, p_value : float, int, float or None
        Of the residual. None for data that are not the rows of one run (exact data, or several runs combined), and
        where no direction of the residual carries noise (rank-one kernels).
    per_tuple : dict of str to NPoint
        For one coupling: its value from each tuple alone.
    flagged : numpy.ndarray of bool, shape (k,)
        Tuples whose integral is close to zero, where the value per tuple means nothing.
    """

    theory: Theory
    names: tuple[str, ...]
    solution: Uncertain
    singular_values: Array
    identifiable: bool
    chi2: float | None
    dof: int | None
    p_value: float | None
    per_tuple: dict[str, NPoint]
    flagged: np.ndarray[tuple[int], np.dtype[np.bool_]]
    data: NPoint
    kernel: Kernel
    vertex_kernel: Kernel
    cutoff: Cutoff | None
    rtol: float

    @property
    def couplings(self) -> dict[str, float]:
        """Least-squares values of the couplings."""
        return dict(zip(self.names, self.solution.values.tolist(), strict=True))

    @property
    def error(self) -> dict[str, float]:
        """Standard error (plus the quadrature's bound) of each coupling."""
        total = self.solution.stat + self.solution.bound
        return dict(zip(self.names, total.tolist(), strict=True))

    @property
    def covariance(self) -> Array:
        """Covariance of the couplings, shape (p, p)."""
        return self.solution.covariance

    def mean(self, name: str | None = None) -> Estimate:
        """Return the mean over unflagged tuples of the coupling per tuple, with its error.

        Parameters
        ----------
        name : str, optional
            The coupling; needed only to be explicit.
        """
        p = self._tuples(name)
        good = np.flatnonzero(~self.flagged)
        average = p.data.take(good).linear(np.full((1, len(good)), 1 / len(good)))
        return Estimate(float(average.values[0]), float(average.stat[0] + average.bound[0]))

    def spread(self, name: str | None = None) -> float:
        """Return the standard deviation over unflagged tuples of the coupling per tuple."""
        return float(self._tuples(name).values[~self.flagged].std())

    def _tuples(self, name: str | None) -> NPoint:
        if len(self.names) != 1:
            raise InputError(f"the couplings {', '.join(self.names)} have no value per tuple, only a single one has")
        if name is not None and name != self.names[0]:
            raise InputError(f"unknown coupling {name!r}; this match has {self.names[0]!r}")
        if self.flagged.all():
            raise InputError("every tuple is flagged: all integrals are close to zero")
        return self.per_tuple[self.names[0]]

    def predict(self, n: int) -> NPoint:
        """Return the full n-point function at first order in the matched couplings.

        The kernel is taken as the exact propagator, as the data's kernel is: for n = 6 and lam f^4 this is the Wick
        sum minus 24 lam times the sum over the 15 spectator pairs of I4 K.

        Parameters
        ----------
        n : int
            Number of points, even.
        """
        if whole(n, "n", least=2) % 2:
            raise InputError(f"odd n-point functions vanish, got n = {n}")
        theory = Theory(self.theory.interactions, propagator="exact", normal_ordered=self.theory.normal_ordered)
        correlator = Correlator(theory, n, kernel=self.kernel, vertex_kernel=self.vertex_kernel, cutoff=self.cutoff)
        series = correlator.series(points_of(self.data), max_order=1, rtol=self.rtol)
        result = series[{}]
        total = result.data
        for k, name in enumerate(self.names):
            column = series[{name: 1}].data
            total = total + column * self.solution.take(np.full(len(result), k))
        return NPoint.from_uncertain(
            total,
            n=n,
            n_inputs=result.n_inputs,
            points=result.points,
            kind=self.data.kind if self.data.kind == "sampled" else "computed",
            origin=f"prediction from G4 ({self.data.origin})",
        )

    def __repr__(self) -> str:
        values = ", ".join(f"{c} = {v:.6g} +- {self.error[c]:.2g}" for c, v in self.couplings.items())
        return f"Match({values}{'' if self.identifiable else '; not identifiable'})"

    def __str__(self) -> str:
        how = "weighted least squares" if self.data.kind == "sampled" else "plain least squares (data without noise)"
        lines = [f"{how}, {len(self.data)} tuples, {self.cutoff!r}, {self.data.origin}"]
        for c, v in self.couplings.items():
            lines.append(f"  {c:<8} {v:>14.8g} +- {self.error[c]:.2g}")
        if len(self.names) == 1:
            note = f" ({int(self.flagged.sum())} of {len(self.flagged)} tuples flagged)" if self.flagged.any() else ""
            lines.append(f"  mean over tuples {self.mean()}, spread {self.spread():.2g}{note}")
        lines.append("  singular values  " + " ".join(f"{s:.3g}" for s in self.singular_values))
        if not self.identifiable:
            lines.append("  not identifiable: only combinations of these couplings are fixed; minimum-norm solution")
        if self.chi2 is not None:
            lines.append(f"  chi2 {self.chi2:.4g} in {self.dof} directions, p = {self.p_value:.3g}")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary that keeps every digit and the correlation with the data."""
        return {
            "theory": self.theory.to_dict(),
            "kernel": kernel_to_dict(self.kernel),
            "vertex_kernel": kernel_to_dict(self.vertex_kernel),
            "cutoff": None if self.cutoff is None else self.cutoff.value,
            "rtol": self.rtol,
            "data": self.data.to_dict(),
            "sources": {s: a.tolist() for s, a in self.solution.sources.items()},
            "bound": self.solution.bound.tolist(),
            "couplings": self.couplings,
            "error": self.error,
            "covariance": self.covariance.tolist(),
            "singular_values": self.singular_values.tolist(),
            "identifiable": self.identifiable,
            "chi2": self.chi2,
            "dof": self.dof,
            "p_value": self.p_value,
            "per_tuple": {c: p.to_dict() for c, p in self.per_tuple.items()},
            "flagged": self.flagged.tolist(),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Match:
        """Rebuild what `to_dict` wrote."""
        theory = Theory.from_dict(data["theory"])
        values = np.array([data["couplings"][c] for c in theory.couplings])
        sources = {s: np.array(a, dtype=float) for s, a in data["sources"].items()}
        return cls(
            theory=theory,
            names=theory.couplings,
            solution=Uncertain(values, np.array(data["bound"], dtype=float), sources),
            singular_values=np.array(data["singular_values"], dtype=float),
            identifiable=data["identifiable"],
            chi2=data["chi2"],
            dof=data["dof"],
            p_value=data["p_value"],
            per_tuple={c: NPoint.from_dict(p) for c, p in data["per_tuple"].items()},
            flagged=np.array(data["flagged"], dtype=bool),
            data=NPoint.from_dict(data["data"]),
            kernel=kernel_from_dict(data["kernel"]),
            vertex_kernel=kernel_from_dict(data["vertex_kernel"]),
            cutoff=None if data["cutoff"] is None else Cutoff(data["cutoff"]),
            rtol=data["rtol"],
        )


def match(
    data: NPoint | Sequence[NPoint],
    theory: Theory,
    *,
    kernel: Kernel,
    vertex_kernel: Kernel | None = None,
    cutoff: Cutoff | None = None,
    rtol: float = 1e-10,
) -> Match:
    """Match the theory's couplings to a 4-point function at first order.

    Parameters
    ----------
    data : NPoint
        Full or connected 4-point function with its inputs (from `exact`, `Ensemble.estimate`, ...).
    theory : Theory
        Interactions whose couplings are wanted.
    kernel : Kernel
        The exact 2-point function; it is what full data lose to become connected.
    vertex_kernel : Kernel, optional
        Kernel on lines with an end on a vertex; `kernel` by default.
    cutoff : Cutoff
        Box of the vertices.
    rtol : float
        Accuracy of the integrals.

    Returns
    -------
    Match
        Plain least squares for data without noise; for sampled data each tuple is weighted by its standard error,
        and the errors of the couplings follow from the full covariance of the experiments.

    Raises
    ------
    InputError
        For odd n or n other than 4, couplings that do not enter, or data without inputs.
    """
    p = fit_data(data, kernel)
    columns = first_order(theory, p, kernel=kernel, vertex_kernel=vertex_kernel, cutoff=cutoff, rtol=rtol)
    design = np.stack([columns[c].values for c in theory.couplings], axis=1)
    bounds = np.stack([columns[c].bound for c in theory.couplings], axis=1)
    solver, singular = _solver(design, p)
    solution = p.data.linear(solver)
    # the columns' own error moves the solution by at most |solver| |dC| |g|
    extra = np.abs(solver) @ (bounds @ np.abs(solution.values))
    solution = Uncertain(solution.values, solution.bound + extra, solution.sources)
    chi2, dof, p_value = _goodness(p, design, solver)
    per_tuple: dict[str, NPoint] = {}
    flagged = np.zeros(len(p), dtype=bool)
    if len(columns) == 1:
        ((name, column),) = columns.items()
        per_tuple[name] = p / column
        per_tuple[name].origin = f"{name} for each tuple"
        flagged = small_integrals(column, positive=not theory.interactions[0].has_profile)
    return Match(
        theory=theory,
        names=theory.couplings,
        solution=solution,
        singular_values=singular,
        identifiable=bool(singular[-1] > IDENTIFIABLE * singular[0]),
        chi2=chi2,
        dof=dof,
        p_value=p_value,
        per_tuple=per_tuple,
        flagged=flagged,
        data=p,
        kernel=kernel,
        vertex_kernel=kernel if vertex_kernel is None else vertex_kernel,
        cutoff=cutoff,
        rtol=rtol,
    )


def small_integrals(column: NPoint, *, positive: bool = True) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which tuples have an integral close to zero, on the scale that Hoelder's inequality gives.

    |int prod K(x_i, y)| <= prod (int K(x_i, y)^4)^(1/4), with equality for equal inputs. That needs a positive weight;
    with another one the scale is the largest integral.
    """
    diagonal = np.abs([column.at(*[i] * column.n) for i in range(column.n_inputs)])
    scale = np.prod(diagonal[column.indices] ** (1 / column.n), axis=1)
    if not positive:
        scale = np.full(len(column), np.abs(column.values).max())
    flagged: np.ndarray[tuple[int], np.dtype[np.bool_]] = np.abs(column.values) < FLAG * scale
    return flagged


def _solver(design: Array, p: NPoint) -> tuple[Array, Array]:
    """Return the matrix that takes data to couplings, and the scaled singular values."""
    weights = np.ones(len(p))
    if p.kind == "sampled":
        stat = p.stat
        if not (stat > 0).all():
            raise InputError("sampled data have a tuple without noise; its weight would be infinite")
        weights = 1 / stat
    weighted = design * weights[:, None]
    lengths = np.sqrt((weighted**2).sum(axis=0))
    if not (lengths > 0).all():
        raise InputError("a coupling has zero coefficient for every tuple at these inputs; leave it out")
    u, s, vt = np.linalg.svd(weighted / lengths, full_matrices=False)
    keep = s > IDENTIFIABLE * s[0]
    inverse = (vt[keep].T / s[keep]) @ u[:, keep].T
    return inverse / lengths[:, None] * weights, s


def _goodness(p: NPoint, design: Array, solver: Array) -> tuple[float | None, int | None, float | None]:
    """Return chi2 of the residual with its number of directions and p-value.

    The covariance comes from n rows, so only the leading directions are used (a quarter of them at most), and the
    p-value is Hotelling's: T^2 (n - d) / (d (n - 1)) follows F(d, n - d).
    """
    rows = p.rows
    if p.kind != "sampled" or rows is None:
        return None, None, None
    from scipy.special import fdtrc

    project = np.eye(len(p)) - design @ solver
    scale = 1 / p.stat
    residual = scale * (project @ p.values)
    noise = (scale[:, None] * (project @ p.covariance @ project.T)) * scale
    values, vectors = np.linalg.eigh(noise)
    n = len(rows)
    room = min((n - 1) // 4, len(p) - design.shape[1])
    # in these units the data's own variances are 1: anything far below is rounding, not noise
    keep = np.flatnonzero(values > max(1e-8 * values[-1], 1e-10))[::-1][:room]
    if not len(keep):
        return None, None, None
    chi2 = float(((vectors[:, keep].T @ residual) ** 2 / values[keep]).sum())
    d = len(keep)
    return chi2, d, float(fdtrc(d, n - d, chi2 * (n - d) / (d * (n - 1))))
