"""Interaction: one term of the action, a coupling times fields at one or more integrated points."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import factorial, gcd, lcm
from reprlib import repr as short

import numpy as np

from ..errors import InputError
from ..points import Array, whole
from .parsing import POINTS, Polynomial, parse_polynomial

#: Names that mean something else in an action.
RESERVED = frozenset({"f", "x", "K", "K_v", "Lambda", *POINTS})
#: A profile: coefficient of prod_p |point_p|^power_p, keyed by the powers.
Profile = dict[tuple[int, ...], Fraction]


@dataclass(frozen=True)
class Interaction:
    """One term ``coupling * factor * integral profile * f(y)**degree`` of the action.

    Parameters
    ----------
    degree : int or sequence of int
        Power of the field; several numbers for a vertex whose legs sit at several integrated points, such as
        (2, 2) for ``integral dy dz f(y)^2 f(z)^2``.
    coupling : str
        ASCII name of the coupling, unique in its theory.
    factor : int, Fraction or str
        Rational factor, 1/24 for ``lam/24 * f**4``.
    profile : str, optional
        Polynomial weight in y (and z, w for further points) with ``y**2`` meaning ``|y|^2``; odd powers make sense
        in one dimension only.

    Raises
    ------
    InputError
        If the degree is not positive, the name not usable or the profile not a polynomial in the points.

    Notes
    -----
    ``factor`` absorbs the common rational factor of the profile, so that equal terms compare equal: the profile's
    coefficients are whole numbers without a common divisor, the first one positive.
    """

    degree: tuple[int, ...]
    coupling: str
    factor: Fraction
    profile: tuple[tuple[tuple[int, ...], Fraction], ...]

    def __init__(
        self,
        degree: int | Sequence[int],
        coupling: str,
        factor: int | Fraction | str = 1,
        profile: str | Mapping[tuple[int, ...], Fraction] | None = None,
    ) -> None:
        powers = degree if isinstance(degree, list | tuple) else (degree,)
        legs = tuple(whole(p, "degree", least=1) for p in powers)
        if not 1 <= len(legs) <= len(POINTS):
            raise InputError(f"a vertex has 1 to {len(POINTS)} points, got degree={degree!r}")
        if isinstance(coupling, str) and re.fullmatch(r"[-+.\d/]+", coupling):
            raise InputError(f"a coupling needs a name, got the number {coupling!r}; write for example 'lam'")
        if not isinstance(coupling, str) or not re.fullmatch(r"[A-Za-z]\w*", coupling, re.ASCII):
            raise InputError(f"a coupling is an ASCII name such as 'lam', got {coupling!r}")
        if coupling in RESERVED or re.fullmatch(r"[xyzw]\d+", coupling):
            raise InputError(f"the name {coupling!r} is taken by the field, the points or the kernel; choose another")
        number = _rational(factor, "factor")
        if not number:
            raise InputError(f"factor must not be zero (interaction {coupling!r})")
        weight = sorted(_as_profile(profile, len(legs)).items())
        common = Fraction(gcd(*(c.numerator for _, c in weight)), lcm(*(c.denominator for _, c in weight)))
        common = -common if weight[0][1] < 0 else common
        object.__setattr__(self, "degree", legs)
        object.__setattr__(self, "coupling", coupling)
        object.__setattr__(self, "factor", number * common)
        object.__setattr__(self, "profile", tuple((powers, c / common) for powers, c in weight))

    @property
    def n_legs(self) -> int:
        """Total number of legs."""
        return sum(self.degree)

    @property
    def has_profile(self) -> bool:
        """Whether the vertex carries a weight other than 1."""
        return self.profile != (((0,) * len(self.degree), Fraction(1)),)

    def weight(self, squares: Sequence[Array], points: Sequence[Array]) -> Array:
        """Return the profile at `points` (each of shape (M, d)), given their squared norms (each (M,)).

        The arrays broadcast, so several points may live on different axes.
        """
        total: Array = np.zeros(())
        for powers, coefficient in self.profile:
            term: Array = np.asarray(float(coefficient))
            for power, square, point in zip(powers, squares, points, strict=True):
                if power % 2 and point.shape[-1] != 1:
                    raise InputError(
                        f"the profile of {self.coupling!r} has the odd power {power} of a point in "
                        f"{point.shape[-1]} dimensions; use even powers (y**2 is |y|^2)"
                    )
                if power:
                    term = term * (square ** (power // 2) * (point[..., 0] if power % 2 else 1.0))
            total = total + term
        return total

    def point_classes(self) -> tuple[tuple[int, ...], ...]:
        """Return the classes of interchangeable points: equal legs, and a profile symmetric under the exchange."""
        classes: list[list[int]] = []
        for p, legs in enumerate(self.degree):
            for c in classes:
                if self.degree[c[0]] == legs and self._symmetric(c[0], p):
                    c.append(p)
                    break
            else:
                classes.append([p])
        return tuple(tuple(c) for c in classes)

    def _symmetric(self, a: int, b: int) -> bool:
        def swap(powers: tuple[int, ...]) -> tuple[int, ...]:
            new = list(powers)
            new[a], new[b] = new[b], new[a]
            return tuple(new)

        profile = dict(self.profile)
        return all(profile.get(swap(p)) == c for p, c in profile.items())

    @property
    def symmetry(self) -> int:
        """The vertex's own symmetry g: prod(legs!) times the exchanges of equal points."""
        g = 1
        for legs in self.degree:
            g *= factorial(legs)
        for c in self.point_classes():
            g *= factorial(len(c))
        return g

    def __repr__(self) -> str:
        return f"Interaction({str(self)!r})"

    def __str__(self) -> str:
        local = len(self.degree) == 1
        fields = "*".join(
            ("f" if local else f"f({p})") + (f"**{legs}" if legs > 1 else "")
            for p, legs in zip(POINTS, self.degree, strict=False)
        )
        factor = "" if self.factor == 1 else "-" if self.factor == -1 else f"{self.factor}*"
        return f"{factor}{self.coupling}*{profile_text(self.profile, brackets=True)}{fields}"


def profile_text(profile: tuple[tuple[tuple[int, ...], Fraction], ...], *, brackets: bool = False) -> str:
    """Return the profile as text that the grammar reads; with `brackets`, as a factor ('' for 1)."""
    terms = []
    for powers, c in profile:
        symbols = [f"{p}**{k}" if k > 1 else p for p, k in zip(POINTS, powers, strict=False) if k]
        if symbols and abs(c) == 1:
            terms.append(("-" if c < 0 else "") + "*".join(symbols))
        else:
            terms.append("*".join([str(c), *symbols]))
    text = " + ".join(terms).replace("+ -", "- ")
    if not brackets:
        return text
    if text == "1":
        return ""
    return f"({text})*" if len(terms) > 1 else f"{text}*"


def _as_profile(profile: str | Mapping[tuple[int, ...], Fraction] | None, n_points: int) -> Profile:
    if profile is None:
        return {(0,) * n_points: Fraction(1)}
    if isinstance(profile, str):
        return profile_of(parse_polynomial(profile), n_points, profile)
    if not isinstance(profile, Mapping):
        raise InputError(f"profile must be text such as '1 + y**2', got {short(profile)}")
    result: Profile = {}
    for powers, c in profile.items():
        if not isinstance(powers, tuple) or len(powers) != n_points:
            raise InputError(f"each key of a profile has one power for each of {n_points} points, got {short(powers)}")
        coefficient = _rational(c, "a profile's coefficient")
        if coefficient:
            result[tuple(whole(p, "a profile's power") for p in powers)] = coefficient
    if not result:
        raise InputError("a profile must not be zero")
    return result


def _rational(value: object, name: str) -> Fraction:
    """Return an exact number; text is read by the grammar of actions."""
    if isinstance(value, str):
        number = parse_polynomial(value)
        if set(number) - {()}:
            raise InputError(f"{name} must be a rational number such as '1/24', got {value!r}")
        return number.get((), Fraction(0))
    if isinstance(value, np.integer):
        return Fraction(int(value))
    if isinstance(value, bool) or not isinstance(value, int | Fraction):
        raise InputError(f"{name} must be exact: an int, a Fraction or text such as '1/24', got {short(value)}")
    return Fraction(value)


def profile_of(polynomial: Polynomial, n_points: int, text: str) -> Profile:
    """Read a polynomial in the point names as a profile."""
    allowed = POINTS[:n_points]
    result: Profile = {}
    for monomial, c in polynomial.items():
        powers = dict(monomial)
        unknown = set(powers) - set(allowed)
        if unknown:
            raise InputError(f"profile {text!r} may hold only {', '.join(allowed)}, got {min(unknown)!r}")
        result[tuple(powers.get(p, 0) for p in allowed)] = c
    if not result:
        raise InputError(f"a profile must not be zero, got {text!r}")
    return result
