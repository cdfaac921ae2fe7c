"""Running couplings: the same match at many cutoffs, and beta functions from boundary integrals (PHYSICS section 6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..combinatorics import multisets
from ..diagrams.generation import generate
from ..errors import InputError
from ..npoint import NPoint
from ..perturbation.assembly import symmetric
from ..perturbation.contractions import products_of
from ..perturbation.integration import Integrator
from ..perturbation.quadrature import Cutoff, as_cutoff
from ..points import Array, as_points
from ..theory.action import Theory
from ..theory.kernels import Kernel
from ..uncertain import Uncertain
from .columns import fit_data, points_of
from .fitting import Match, match

if TYPE_CHECKING:
    import numpy.typing as npt
    import sympy


@dataclass(frozen=True)
class Flow:
    """A coupling at several cutoffs.

    Attributes
    ----------
    name : str
        The coupling.
    cutoffs : numpy.ndarray, shape (c,)
    matches : tuple of Match
        The fit at each cutoff.
    betas : numpy.ndarray, shape (c,)
        d coupling / d log cutoff of the least-squares value, from the integral over the box's surface.
    """

    name: str
    cutoffs: Array
    matches: tuple[Match, ...]
    betas: Array

    @property
    def couplings(self) -> dict[str, Array]:
        """Least-squares value at each cutoff, shape (c,)."""
        return {self.name: np.array([m.couplings[self.name] for m in self.matches])}

    @property
    def error(self) -> dict[str, Array]:
        """Error at each cutoff, shape (c,)."""
        return {self.name: np.array([m.error[self.name] for m in self.matches])}

    @property
    def per_tuple(self) -> dict[str, Array]:
        """Value from each tuple alone, shape (c, k)."""
        return {self.name: np.stack([m.per_tuple[self.name].values for m in self.matches])}

    @property
    def beta(self) -> dict[str, Array]:
        """Beta function d lam / d log cutoff at each cutoff, shape (c,)."""
        return {self.name: self.betas}

    def _line(self) -> tuple[float, float, float]:
        """Return slope, its standard error and R^2 of log|coupling| against log cutoff."""
        values = self.couplings[self.name]
        if not ((values > 0).all() or (values < 0).all()):
            return np.nan, np.nan, np.nan  # no power law: the coupling vanishes or changes sign
        u, v = np.log(self.cutoffs), np.log(np.abs(values))
        u = u - u.mean()
        v = v - v.mean()
        slope = float(u @ v / (u @ u))
        rest = float(((v - slope * u) ** 2).sum())
        error = float(np.sqrt(rest / (len(u) - 2) / (u @ u))) if len(u) > 2 else np.nan
        return slope, error, 1 - rest / float(v @ v) if v @ v else 1.0

    @property
    def slope(self) -> dict[str, float]:
        """Slope of log|coupling| against log cutoff, by least squares; NaN where the coupling changes sign."""
        return {self.name: self._line()[0]}

    @property
    def slope_error(self) -> dict[str, float]:
        """Standard error of the slope from the scatter about the line; NaN for two cutoffs.

        Data noise moves all cutoffs together and does not enter it. Where the line is curved it measures that.
        """
        return {self.name: self._line()[1]}

    @property
    def r_squared(self) -> dict[str, float]:
        """R^2 of the straight line in the logarithms."""
        return {self.name: self._line()[2]}

    def __repr__(self) -> str:
        return (
            f"Flow({self.name}, {len(self.cutoffs)} cutoffs {self.cutoffs[0]:g}..{self.cutoffs[-1]:g}, "
            f"slope {self.slope[self.name]:.6f} +- {self.slope_error[self.name]:.1g}, "
            f"R^2 {self.r_squared[self.name]:.6f})"
        )

    def __str__(self) -> str:
        lines = [repr(self), f"{'cutoff':>10}  {self.name:>14}  {'error':>8}  {'beta':>14}"]
        rows = zip(self.cutoffs, self.couplings[self.name], self.error[self.name], self.betas, strict=True)
        lines += [f"{L:>10g}  {g:>14.7g}  {e:>8.2g}  {b:>14.7g}" for L, g, e, b in rows]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary that keeps every digit."""
        return {
            # the data are the same at every cutoff
            "data": self.matches[0].data.to_dict(),
            "matches": [{k: v for k, v in m.to_dict().items() if k != "data"} for m in self.matches],
            "name": self.name,
            "cutoffs": self.cutoffs.tolist(),
            "couplings": self.couplings[self.name].tolist(),
            "error": self.error[self.name].tolist(),
            "per_tuple": self.per_tuple[self.name].tolist(),
            "beta": self.betas.tolist(),
            "slope": self.slope[self.name],
            "slope_error": self.slope_error[self.name],
            "r_squared": self.r_squared[self.name],
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Flow:
        """Rebuild what `to_dict` wrote."""
        matches = tuple(Match.from_dict(m | {"data": data["data"]}) for m in data["matches"])
        return cls(data["name"], np.array(data["cutoffs"], dtype=float), matches, np.array(data["beta"], dtype=float))


def flow(
    data: NPoint | Sequence[NPoint],
    theory: Theory,
    *,
    kernel: Kernel,
    vertex_kernel: Kernel | None = None,
    cutoffs: Sequence[float],
    rtol: float = 1e-8,
) -> Flow:
    """Match one coupling to a 4-point function at several cutoffs.

    Parameters
    ----------
    data : NPoint
        Full or connected 4-point function with its inputs.
    theory : Theory
        With a single coupling.
    kernel, vertex_kernel : Kernel
        As in `match`.
    cutoffs : sequence of float
        At least two, positive, finite and increasing.
    rtol : float
        Accuracy of the integrals.

    Returns
    -------
    Flow

    Raises
    ------
    InputError
        For several couplings or bad cutoffs.
    """
    single_coupling(theory)
    p = fit_data(data, kernel)
    if not isinstance(cutoffs, Iterable):
        raise InputError(f"cutoffs must be a sequence of numbers, got {cutoffs!r}")
    boxes = [c if isinstance(c, Cutoff) else Cutoff(c) for c in cutoffs]
    if len(boxes) < 2 or not all(b.is_finite for b in boxes):
        raise InputError(f"a flow needs at least two finite cutoffs, got {list(cutoffs)!r}")
    values = np.array([b.value for b in boxes])
    if not (np.diff(values) > 0).all():
        raise InputError(f"the cutoffs must increase, got {list(cutoffs)!r}")
    beta_of = beta(theory, kernel=kernel, vertex_kernel=vertex_kernel, n=4)
    matches, betas = [], []
    for box in boxes:
        m = match(p, theory, kernel=kernel, vertex_kernel=vertex_kernel, cutoff=box, rtol=rtol)
        matches.append(m)
        betas.append(_least_squares_beta(m, beta_of, rtol))
    return Flow(theory.couplings[0], values, tuple(matches), np.array(betas))


def _least_squares_beta(m: Match, beta_of: Beta, rtol: float) -> float:
    """Return d lam / d log cutoff of lam = sum w C G / sum w C^2, with G fixed and C running."""
    assert m.cutoff is not None
    column, slope = beta_of.integrals(points_of(m.data), m.cutoff, rtol=rtol)
    w = 1 / m.data.stat**2 if m.data.kind == "sampled" else np.ones(len(m.data))
    c, dc, g = column.values, slope.values, m.data.values
    norm = (w * c * c).sum()
    return float((w * dc * g).sum() / norm - 2 * (w * c * g).sum() * (w * c * dc).sum() / norm**2)


@dataclass(frozen=True)
class Beta:
    """The one-coupling beta function at first order: beta = -g d log I / d log cutoff, tuple by tuple.

    Call it with (x, cutoff, couplings) for an `NPoint` of its values; `expression` is its closed form.
    """

    theory: Theory
    n: int
    kernel: Kernel
    vertex_kernel: Kernel

    def integrals(self, x: npt.ArrayLike, cutoff: Cutoff, *, rtol: float = 1e-10) -> tuple[Uncertain, Uncertain]:
        """Return the first-order coefficient for each multiset of inputs, and its derivative by log cutoff."""
        points = as_points(x, self.kernel.d_in)
        box = as_cutoff(cutoff)
        if box is None or not box.is_finite:
            raise InputError("the beta function needs a finite cutoff")
        tool = Integrator({"K": self.kernel, "K_v": self.vertex_kernel}, points, cutoff, rtol=rtol)
        rows = multisets(len(points), self.n)
        value, slope = (Uncertain.exact(np.zeros(len(rows))) for _ in range(2))
        order = {self.theory.couplings[0]: 1}
        for d in generate(self.theory, self.n, order=order, kind="connected", external="indistinguishable"):
            for term in products_of(d):
                value = value + symmetric(term, rows, tool.product)
                slope = slope + symmetric(term, rows, tool.boundary).scaled(cutoff.value)
        return value, slope

    def __call__(
        self, x: npt.ArrayLike, cutoff: Cutoff, couplings: Mapping[str, float], *, rtol: float = 1e-10
    ) -> NPoint:
        """Return d g / d log cutoff at each multiset of inputs."""
        (g,) = self.theory.values(couplings)
        points = as_points(x, self.kernel.d_in)
        value, slope = self.integrals(points, cutoff, rtol=rtol)
        return NPoint.from_uncertain(
            (slope / value).scaled(-g),
            n=self.n,
            n_inputs=len(points),
            points=points,
            connected=True,
            kind="computed",
            origin=f"beta({self.theory.couplings[0]})",
        )

    @property
    def expression(self) -> sympy.Expr:
        """Closed form in sympy.

        A number times the coupling for homogeneous kernels; in one dimension the boundary terms over the integral.

        Raises
        ------
        InputError
            If there is no closed form.
        """
        import sympy

        interaction = self.theory.interactions[0]
        g = sympy.Symbol(interaction.coupling)
        degree, d = self.vertex_kernel.homogeneous, self.kernel.d_in
        if degree is not None and not interaction.has_profile and len(interaction.degree) == 1:
            # each leg scales like y^degree, each self-loop like y^(2 degree): n_legs ends in all
            return -(d + degree * interaction.n_legs) * g
        if d != 1 or len(interaction.degree) != 1:
            raise InputError(f"the beta function of {self.theory} with {self.vertex_kernel!r} has no closed form")
        kernel = sympy.Function("K" if self.vertex_kernel == self.kernel else "K_v")
        y, cut = sympy.Symbol("y"), sympy.Symbol("Lambda", positive=True)
        density = kernel(y, y) ** ((interaction.n_legs - self.n) // 2)
        for k in range(self.n):
            density *= kernel(sympy.Symbol(f"x{k + 1}"), y)
        if interaction.has_profile:
            density *= sum(sympy.Rational(c.numerator, c.denominator) * y ** p[0] for p, c in interaction.profile)
        faces = density.subs(y, cut) + density.subs(y, -cut)
        return -g * cut * faces / sympy.Integral(density, (y, -cut, cut))


def beta(theory: Theory, *, kernel: Kernel, vertex_kernel: Kernel | None = None, n: int = 4) -> Beta:
    """Return the beta function of a theory with one coupling from the n-point function at first order.

    Parameters
    ----------
    theory : Theory
        With a single coupling.
    kernel, vertex_kernel : Kernel
        As in `match`.
    n : int
        The n-point function that is kept fixed while the cutoff changes.

    Returns
    -------
    Beta
        Callable of (x, cutoff, couplings).
    """
    single_coupling(theory)
    if n % 2 or n < 4:
        raise InputError(f"the beta function follows an even n-point function with n >= 4, got n = {n}")
    interaction = theory.interactions[0]
    if interaction.n_legs < n or (interaction.n_legs > n and theory.normal_ordered) or interaction.n_legs % 2:
        raise InputError(f"the term {interaction} does not enter the connected {n}-point function at first order")
    return Beta(theory, n, kernel, kernel if vertex_kernel is None else vertex_kernel)


def single_coupling(theory: Theory) -> None:
    """Raise InputError unless the theory has one coupling."""
    if not isinstance(theory, Theory):
        raise InputError(f"expected a Theory, got {theory!r}; write Theory.parse({theory!r})")
    if len(theory.couplings) != 1:
        raise InputError(
            "the 4-point function alone fixes the running of one coupling, this theory has "
            f"{', '.join(theory.couplings)}"
        )
