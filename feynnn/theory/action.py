"""Theory: the action's interactions and the propagator scheme."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from reprlib import repr as short
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from ..errors import InputError
from ..points import Array, as_floats, as_points, real, whole
from .interaction import Interaction, Profile, profile_text
from .parsing import POINTS, Monomial, parse_terms

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
        if isinstance(interactions, str | Interaction) or not isinstance(interactions, Iterable):
            raise InputError(
                f"a theory takes a list of interactions, got {short(interactions)}; Theory.parse reads text"
            )
        self.interactions = tuple(interactions)
        if not self.interactions:
            raise InputError("a theory needs at least one interaction")
        for i in self.interactions:
            if not isinstance(i, Interaction):
                raise InputError(f"expected an Interaction, got {short(i)}")
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
        # hashing fractions takes longer than looking a remembered set up
        self._hash = hash((self.interactions, self.propagator, self.normal_ordered))

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
        for term in parse_terms(text):
            if not term:
                raise InputError(f"a term of the action {short(text)} is zero; leave it out")
            earlier = set(legs)
            for monomial, c in term.items():
                name, degree, powers = _read_term(monomial, c)
                if name in earlier or legs.setdefault(name, degree) != degree:
                    raise InputError(
                        f"the coupling {name!r} names two terms; give each term a name of its own, "
                        f"or write one weight such as {name}*(1 + y**2)*f**4"
                    )
                profiles.setdefault(name, {})[powers] = c
        terms = [Interaction(degree, name, profile=profiles[name]) for name, degree in legs.items()]
        return cls(terms, propagator=propagator, normal_ordered=normal_ordered)

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
        if isinstance(order, tuple):
            if len(order) != len(self.couplings):
                raise InputError(f"the order {order!r} must have one entry for each of {', '.join(self.couplings)}")
            return tuple(whole(k, "order") for k in order)
        if isinstance(order, Mapping):
            unknown = set(order) - set(self.couplings)
            if unknown:
                raise InputError(
                    f"unknown coupling {min(map(str, unknown))!r}; this theory has {', '.join(self.couplings)}"
                )
            return tuple(whole(order.get(c, 0), f"order[{c!r}]") for c in self.couplings)
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
        if not isinstance(couplings, Mapping):
            raise InputError(f"couplings must be a dict such as {{{self.couplings[0]!r}: 0.1}}, got {short(couplings)}")
        unknown = set(couplings) - set(self.couplings)
        if unknown:
            raise InputError(
                f"unknown coupling {min(map(str, unknown))!r}; this theory has {', '.join(self.couplings)}"
            )
        numbers = tuple(real(couplings.get(c, 0.0), f"the coupling {c!r}") for c in self.couplings)
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
            If shapes do not fit, or the kernel matrix is singular or infinite at these inputs.
        """
        points = as_points(x, kernel.d_in)
        f = as_floats(values, "values")
        m = len(points)
        if f.shape[-1:] != (m,) or not np.isfinite(f).all():
            raise InputError(f"values must be finite with last axis {m} (one for each input), got shape {f.shape}")
        w = np.ones(m) if weights is None else as_floats(weights, "weights")
        if w.shape not in ((), (m,)) or not np.isfinite(w).all():
            raise InputError(f"weights must be {m} finite numbers (one for each input), got shape {w.shape}")
        variance = kernel.at_coincidence(points)
        if not (variance > 0).all():
            raise InputError(
                f"the kernel is {variance.min():g} at the input {points[int(variance.argmin())].tolist()}: the field "
                "has no density there; leave out this input"
            )
        # of the correlations, so that inputs of very different variance do not look singular
        size = np.sqrt(variance)
        eigenvalues, vectors = np.linalg.eigh(kernel(points, points) / size / size[:, None])
        if eigenvalues[0] <= eigenvalues[-1] * m * np.finfo(float).eps:
            raise InputError(
                f"the kernel matrix is singular at these {m} inputs (smallest eigenvalue {eigenvalues[0]:.2g} of "
                f"largest {eigenvalues[-1]:.2g}): the field is a linear combination there; leave out inputs"
            )
        total = 0.5 * (((f / size) @ vectors) ** 2 / eigenvalues).sum(axis=-1)
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
        return self._hash

    def __repr__(self) -> str:
        extra = f", propagator={self.propagator!r}" if self.propagator != "free" else ""
        extra += ", normal_ordered=True" if self.normal_ordered else ""
        return f"Theory({str(self)!r}{extra})"

    def __str__(self) -> str:
        return " + ".join(map(str, self.interactions)).replace("+ -", "- ")

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
        """Rebuild what `to_dict` wrote.

        Raises
        ------
        InputError
            If something is missing or is not what `to_dict` writes.
        """
        terms, propagator, normal_ordered = _entries(data, "theory", "interactions", "propagator", "normal_ordered")
        if not isinstance(terms, list | tuple):
            raise InputError(f"'interactions' of a theory must be a list, got {short(terms)}")
        if not isinstance(normal_ordered, bool):
            raise InputError(f"'normal_ordered' of a theory must be true or false, got {short(normal_ordered)}")
        parts = [_entries(t, "term of a theory", "degree", "coupling", "factor", "profile") for t in terms]
        return cls([Interaction(*p) for p in parts], propagator=propagator, normal_ordered=normal_ordered)


def _entries(record: Any, what: str, *names: str) -> list[Any]:
    """Return the entries of a record, or say in one sentence what it lacks."""
    if not isinstance(record, Mapping) or not set(names) <= set(record):
        raise InputError(f"the record of a {what} has {', '.join(map(repr, names))} (see to_dict), got {short(record)}")
    return [record[name] for name in names]


def _read_term(monomial: Monomial, c: Fraction) -> tuple[str, tuple[int, ...], tuple[int, ...]]:
    """Return the coupling, the degree and the powers of the weight of one term of an action."""
    powers = dict(monomial)
    shown = "*".join([str(c), *(f"{s}**{k}" if k > 1 else s for s, k in monomial)])
    names = [s for s in powers if not s.startswith("f(") and s not in POINTS]
    if len(names) != 1 or powers[names[0]] != 1:
        product = "*".join(f"{s}**{powers[s]}" if powers[s] > 1 else s for s in names)
        what = f"the couplings {product}" if names else "no coupling"
        raise InputError(f"each term needs exactly one named coupling, the term {shown} has {what}")
    fields = [p for p in POINTS if f"f({p})" in powers]
    if not fields:
        raise InputError(f"the term {shown} has no field; write for example {names[0]}*f**4")
    if fields != list(POINTS[: len(fields)]):
        raise InputError(f"the term {shown} must use the points {', '.join(POINTS[: len(fields)])} in order")
    if any(p in powers for p in POINTS[len(fields) :]):
        raise InputError(f"the term {shown} has a weight at a point without a field")
    return names[0], tuple(powers[f"f({p})"] for p in fields), tuple(powers.get(p, 0) for p in fields)
