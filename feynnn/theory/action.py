"""Theory: the action's interactions and the propagator scheme."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from ..errors import InputError
from ..points import Array, as_points, whole
from .interaction import Interaction, Profile, profile_text
from .parsing import POINTS, parse_polynomial

if TYPE_CHECKING:
    from .kernels import Kernel

Scheme = Literal["free", "exact"]
Order = Mapping[str, int] | int | tuple[int, ...]


class Theory:
    """A scalar theory: weight exp(-S), S = S_Gaussian + the sum of `interactions`.

    Parameters
    ----------
    interactions : iterable of Interaction
        Terms of the action, with distinct coupling names.
    propagator : {"free", "exact"}
        "free": the kernel is the Gaussian part's propagator and every diagram counts.  "exact": the kernel is the
        full 2-point function, so self-energy insertions and one-point tadpoles are dropped (a mass counterterm).
    normal_ordered : bool
        Drop every line from a point to itself.

    Raises
    ------
    InputError
        For repeated names, an empty action, or an f or f^2 term in the exact scheme (it is the counterterm).
    """

    def __init__(
        self,
        interactions: Iterable[Interaction],
        *,
        propagator: Scheme = "free",
        normal_ordered: bool = False,
    ) -> None:
        self.interactions = tuple(interactions)
        if not self.interactions:
            raise InputError("a theory needs at least one interaction")
        for i in self.interactions:
            if not isinstance(i, Interaction):
                raise InputError(f"expected an Interaction, got {i!r}")
        self.couplings: tuple[str, ...] = tuple(i.coupling for i in self.interactions)
        for name in self.couplings:
            if self.couplings.count(name) > 1:
                raise InputError(f"the coupling {name!r} names two terms; give each term a name of its own")
        if propagator not in ("free", "exact"):
            raise InputError(f"propagator must be 'free' or 'exact', got {propagator!r}")
        if propagator == "exact":
            for i in self.interactions:
                if i.n_legs <= 2:
                    raise InputError(
                        f"the term {i} is itself the counterterm that propagator='exact' stands for; "
                        "drop it or use propagator='free'"
                    )
        self.propagator: Scheme = propagator
        self.normal_ordered = bool(normal_ordered)

    @classmethod
    def parse(cls, text: str, *, propagator: Scheme = "free", normal_ordered: bool = False) -> Theory:
        """Read an action such as ``"lam*f**4 + kap/720*f**6 + lamNL*f(y)**2*f(z)**2"``.

        A weight is a polynomial in y with ``y**2`` meaning ``|y|^2``: ``"lam2*y**2*f**4"``.

        Raises
        ------
        InputError
            If the text does not follow the grammar, a term has no coupling or no field, or a name has two terms.
        """
        legs: dict[str, tuple[int, ...]] = {}
        profiles: dict[str, Profile] = {}
        for monomial, c in parse_polynomial(text).items():
            powers = dict(monomial)
            shown = "*".join([str(c), *(f"{s}**{k}" if k > 1 else s for s, k in monomial)])
            names = [s for s in powers if not s.startswith("f(") and s not in POINTS]
            if len(names) != 1 or powers[names[0]] != 1:
                what = "no coupling" if not names else f"the couplings {'*'.join(names)}"
                raise InputError(f"each term needs exactly one named coupling, the term {shown} has {what}")
            fields = [p for p in POINTS if f"f({p})" in powers]
            if not fields:
                raise InputError(f"the term {shown} has no field; write for example {names[0]}*f**4")
            if fields != list(POINTS[: len(fields)]):
                raise InputError(f"the term {shown} must use the points {', '.join(POINTS[: len(fields)])} in order")
            if any(p in powers for p in POINTS[len(fields) :]):
                raise InputError(f"the term {shown} has a weight at a point without a field")
            degree = tuple(powers[f"f({p})"] for p in fields)
            if legs.setdefault(names[0], degree) != degree:
                raise InputError(f"the coupling {names[0]!r} names two terms; give each term a name of its own")
            profiles.setdefault(names[0], {})[tuple(powers.get(p, 0) for p in fields)] = c
        return cls(
            [Interaction(degree, name, **_split_factor(profiles[name])) for name, degree in legs.items()],
            propagator=propagator,
            normal_ordered=normal_ordered,
        )

    @property
    def is_even(self) -> bool:
        """Whether the action is even in the field, so that odd n-point functions vanish."""
        return all(i.n_legs % 2 == 0 for i in self.interactions)

    def order(self, order: Order) -> tuple[int, ...]:
        """Return an exact order as a tuple over `couplings`; missing couplings count as 0.

        Raises
        ------
        InputError
            For an unknown coupling, a negative order, or an int when there are several couplings.
        """
        if isinstance(order, Mapping):
            unknown = set(order) - set(self.couplings)
            if unknown:
                raise InputError(
                    f"unknown coupling {min(map(str, unknown))!r}; this theory has {', '.join(self.couplings)}"
                )
            return tuple(whole(order.get(c, 0), f"order[{c!r}]") for c in self.couplings)
        if isinstance(order, tuple):
            if len(order) != len(self.couplings):
                raise InputError(f"the order {order!r} must have one entry for each of {', '.join(self.couplings)}")
            return tuple(whole(k, "order") for k in order)
        number = whole(order, "order")
        if len(self.couplings) != 1:
            raise InputError(
                f"order={order!r} is ambiguous for the couplings {', '.join(self.couplings)}; "
                f"give a dict such as {{{self.couplings[0]!r}: {number}}}"
            )
        return (number,)

    def orders_up_to(self, max_order: Order) -> list[tuple[int, ...]]:
        """Return all orders up to a cumulative `max_order`: an int bounds the vertices, a dict each coupling."""
        if isinstance(max_order, Mapping | tuple):
            bounds = self.order(max_order)
            total = sum(bounds)
        else:
            total = whole(max_order, "max_order")
            bounds = (total,) * len(self.couplings)
        every = np.indices([b + 1 for b in bounds]).reshape(len(bounds), -1).T
        orders = [tuple(int(k) for k in row) for row in every if row.sum() <= total]
        return sorted(orders, key=lambda o: (sum(o), [-k for k in o]))

    def values(self, couplings: Mapping[str, float]) -> tuple[float, ...]:
        """Return the couplings' values in the theory's order; a missing one counts as 0."""
        unknown = set(couplings) - set(self.couplings)
        if unknown:
            raise InputError(
                f"unknown coupling {min(map(str, unknown))!r}; this theory has {', '.join(self.couplings)}"
            )
        numbers = tuple(float(couplings.get(c, 0.0)) for c in self.couplings)
        for name, v in zip(self.couplings, numbers, strict=True):
            if not np.isfinite(v):
                raise InputError(f"the coupling {name!r} must be finite, got {v!r}")
        return numbers

    def action(
        self,
        values: npt.ArrayLike,
        x: npt.ArrayLike,
        *,
        kernel: Kernel,
        couplings: Mapping[str, float] | None = None,
        weights: npt.ArrayLike | None = None,
    ) -> Array:
        """Return the action of field `values` on the finite set of inputs `x`: minus the log-likelihood.

        S = (1/2) f Xi f + sum_i w_i lam f_i^4 + ..., with Xi the inverse of the kernel matrix; the constant
        (1/2) log det(2 pi K) is left out.

        Parameters
        ----------
        values : array_like, shape (m,) or (..., m)
            Field values at the inputs.
        x : array_like, shape (m, d_in)
            Inputs.
        kernel : Kernel
            Propagator; its matrix at `x` must be positive definite.
        couplings : mapping, optional
            Values of the couplings; a missing one counts as 0, so that None gives the free action.
        weights : array_like, shape (m,), optional
            Quadrature weights of the inputs in the interactions; 1 by default.

        Returns
        -------
        numpy.ndarray, shape (...)

        Raises
        ------
        InputError
            If shapes do not fit, or the kernel matrix is singular at these inputs.
        """
        points = as_points(x, kernel.d_in)
        f = np.asarray(values, dtype=np.float64)
        m = len(points)
        if f.shape[-1:] != (m,) or not np.isfinite(f).all():
            raise InputError(f"values must be finite with last axis {m} (one for each input), got shape {f.shape}")
        w = np.broadcast_to(np.asarray(1.0 if weights is None else weights, dtype=np.float64), (m,))
        matrix = kernel(points, points)
        eigenvalues, vectors = np.linalg.eigh(matrix)
        if eigenvalues[0] <= eigenvalues[-1] * m * np.finfo(float).eps:
            raise InputError(
                f"the kernel matrix is singular at these {m} inputs (smallest eigenvalue {eigenvalues[0]:.2g} of "
                f"largest {eigenvalues[-1]:.2g}): the field is a linear combination there; leave out inputs"
            )
        total = 0.5 * ((f @ vectors) ** 2 / eigenvalues).sum(axis=-1)
        square = (points**2).sum(axis=1)
        for interaction, g in zip(self.interactions, self.values(couplings or {}), strict=True):
            n_points = len(interaction.degree)
            axes = [(None,) * p + (slice(None),) + (None,) * (n_points - p - 1) for p in range(n_points)]
            density = interaction.weight([square[a] for a in axes], [points[a] for a in axes])
            operands: list[Any] = [np.broadcast_to(density, (m,) * n_points), list(range(n_points))]
            for p, degree in enumerate(interaction.degree):
                operands += [w * f**degree, [..., p]]
            term = np.einsum(*operands, [...])
            total = total + g * float(interaction.factor) * term
        return np.asarray(total)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Theory) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash((self.interactions, self.propagator, self.normal_ordered))

    def __repr__(self) -> str:
        extra = f", propagator={self.propagator!r}" if self.propagator != "free" else ""
        extra += ", normal_ordered=True" if self.normal_ordered else ""
        return f"Theory({str(self)!r}{extra})"

    def __str__(self) -> str:
        return " + ".join(map(str, self.interactions))

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary."""
        terms = [
            {
                "degree": list(i.degree),
                "coupling": i.coupling,
                "factor": str(i.factor),
                "profile": profile_text(i.profile) if i.has_profile else None,
            }
            for i in self.interactions
        ]
        return {"interactions": terms, "propagator": self.propagator, "normal_ordered": self.normal_ordered}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Theory:
        """Rebuild what `to_dict` wrote."""
        terms = [Interaction(t["degree"], t["coupling"], t["factor"], t["profile"]) for t in data["interactions"]]
        return cls(terms, propagator=data["propagator"], normal_ordered=data["normal_ordered"])


def _split_factor(profile: Profile) -> dict[str, Any]:
    """Split a single-monomial profile into a rational factor and a monic weight."""
    if len(profile) == 1:
        ((powers, c),) = profile.items()
        return {"factor": c, "profile": {powers: Fraction(1)}}
    return {"profile": profile}
