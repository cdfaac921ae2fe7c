"""Counting without generating: numbers by Burnside's lemma, weights from the zero-dimensional theory.

With every propagator set to 1 the sum of 1/|Aut| over all diagrams is a Gaussian moment; the number of diagrams is the
number of orbits of pairings under the permutations of legs and vertices.  Division by the vacuum diagrams, logarithm,
Legendre transform and counterterms (series.py) lead from there to every other class.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import comb, factorial, prod

from ..combinatorics import double_factorial
from ..errors import InputError
from ..points import flag, whole
from ..theory.action import Order, Theory
from ..theory.interaction import Interaction
from .cycle_index import EXTERNAL_POINT, orbits_of_pairings, points_of
from .generation import EXTERNAL, External, Kind, check_request
from .series import (
    Ring,
    Series,
    amputated,
    one_particle_irreducible,
    two_particle_irreducible,
    without_self_energies,
)

#: The vertices of an order: interactions and how many of each, none zero.
Vertices = tuple[tuple[Interaction, int], ...]

#: What is counted within a minute: legs of external points and vertices together (for transforms, and of vertices for
#: numbers of diagrams, fewer), terms of a series, and products of terms in a transform.
MOST_LEGS = 2048
MOST_LEGS_TRANSFORMED = 512
MOST_LEGS_NUMBERED = 256
MOST_TERMS = 10_000
MOST_PRODUCTS = 100_000_000


@dataclass(frozen=True)
class Count:
    """How many diagrams there are.

    Attributes
    ----------
    number : int or None
        Number of diagrams; None where no closed route is known, see `count`.
    weight : Fraction
        Sum of 1/|Aut| over labelled diagrams.
    multiplicity : int
        Number of Wick contractions.
    """

    number: int | None
    weight: Fraction
    multiplicity: int


def count(
    theory: Theory,
    n: int,
    *,
    order: Order,
    kind: Kind = "vacuum-free",
    self_loops: bool = True,
    self_energies: bool = True,
    external: External = "labelled",
) -> Count:
    """Count the diagrams of a theory at an exact order without generating them.

    Parameters
    ----------
    theory : Theory
        Its `propagator` and `normal_ordered` apply: the exact scheme has no self-energy insertions, a normal-ordered
        theory no self-loops, whatever the filters say.
    n : int
        Number of external points.
    order : dict, tuple or int
        Exact number of vertices of each coupling.
    kind : {"vacuum-free", "all", "connected", "1PI", "amputated", "2PI"}
        Class of diagrams, as in `generate`.
    self_loops, self_energies : bool
        False leaves out diagrams with a line from a point to itself; with a self-energy insertion.
    external : {"labelled", "indistinguishable"}
        "indistinguishable" counts topologies; weight and multiplicity stay sums over labelled diagrams.

    Returns
    -------
    Count

    Raises
    ------
    InputError
        For an unknown kind, coupling or order, for amputated diagrams with n < 2, where the exact scheme is not
        defined (n = 0 or kind "all" with propagator="exact"), or where counting would take minutes: beyond 2048 legs
        of points and vertices, 512 for 1PI and 2PI diagrams and without self-energies, 256 of vertices where `number`
        is known, and before that where series have very many terms.

    Notes
    -----
    `weight` and `multiplicity` are known for every kind and scheme.  `number` is

    ============================  ==================================  ==========================
    kind                          labelled                            indistinguishable (n >= 2)
    ============================  ==================================  ==========================
    all, vacuum-free, connected   known                               known
    amputated                     known                               None
    1PI                           known if every vertex of the order  None
                                  has an even number of legs
    2PI                           None                                None
    without self-energies         None                                None
    ============================  ==================================  ==========================

    with or without self-loops, and always known for free lines and where the weight is 0; ``len(generate(...))``
    gives the others.

    Examples
    --------
    >>> import feynnn as fn
    >>> fn.count(fn.Theory.parse("lam*f**4"), 4, order=2, kind="connected")
    Count(number=7, weight=Fraction(7, 2), multiplicity=4032)
    """
    check_request(theory, n, kind)
    if external not in EXTERNAL:
        raise InputError(f"external must be {' or '.join(map(repr, EXTERNAL))}, got {external!r}")
    n, has_loops, has_insertions = whole(n, "n"), flag(self_loops, "self_loops"), flag(self_energies, "self_energies")
    vertices = tuple((i, m) for i, m in zip(theory.interactions, theory.order(order), strict=True) if m)
    loops = has_loops and not theory.normal_ordered
    insertions = (has_insertions and theory.propagator != "exact") or not vertices
    is_numbered = insertions and kind != "2PI"
    _check_size(vertices, n, is_transformed=kind in ("1PI", "2PI") or not insertions, is_numbered=is_numbered)
    multiplicity = _contractions(vertices, n, kind, self_loops=loops, self_energies=insertions)
    symmetry = 1
    for i, m in vertices:
        symmetry *= factorial(m) * i.symmetry**m
    number: int | None = 0
    if multiplicity:
        labelled = external == "labelled" or n < 2
        number = _number(vertices, n, kind, self_loops=loops, labelled=labelled) if insertions else None
    return Count(number, Fraction(multiplicity, symmetry), multiplicity)


def _check_size(vertices: Vertices, n: int, *, is_transformed: bool, is_numbered: bool) -> None:
    """Refuse what would take minutes, before anything is held."""
    inner = sum(i.n_legs * m for i, m in vertices)
    what = " + ".join([f"n={n}", *(f"{m} * {i.n_legs}" for i, m in vertices)])
    most = MOST_LEGS_TRANSFORMED if is_transformed else MOST_LEGS
    if n + inner > most:
        raise InputError(f"{n + inner} legs ({what}), more than the {most} that count() takes; lower n or the order")
    if is_numbered and inner > MOST_LEGS_NUMBERED:
        raise InputError(
            f"{inner} legs of vertices ({what}), more than the {MOST_LEGS_NUMBERED} for which count() numbers "
            "diagrams; lower the order"
        )
    _check_terms((n + 1) * prod(m + 1 for _, m in vertices), n, vertices)


def _check_terms(terms: int, n: int, vertices: Vertices, transforms: int = 0) -> None:
    if terms > MOST_TERMS or terms**2 * transforms > MOST_PRODUCTS:
        order = " + ".join(str(m) for _, m in vertices)
        raise InputError(
            f"n={n} with {order} vertices needs series of {terms} terms, too many for count(); lower n or the order"
        )


def _contractions(vertices: Vertices, n: int, kind: Kind, *, self_loops: bool, self_energies: bool) -> int:
    """Return the number of Wick contractions of a class."""
    legs = tuple(i.n_legs for i, _ in vertices)
    order = tuple(m for _, m in vertices)
    size = sum(order)
    if (n + sum(d * m for d, m in zip(legs, order, strict=True))) % 2:
        return 0
    if not self_energies and kind == "2PI":
        # cutting two lines frees no set without external points, except all vertices at once
        if n in (1, 2):
            return 0
        self_energies = True
    if not self_energies and n == 0 and kind != "all":
        # an insertion in a vacuum diagram is a cut of one or two lines
        self_energies, kind = True, kind if kind == "vacuum-free" else "2PI"
    is_free = self_energies and kind in ("all", "vacuum-free", "connected")
    has_bubbles = kind == "2PI" or (kind == "all" and not self_energies)
    # dressing makes something else of a self-loop, so where there are none they are marked by a variable and kept
    marks = size if not self_loops and (has_bubbles or not self_energies) else 0
    # 2PI diagrams need the line in a mean field; tadpoles end in further external points, one order each at least
    top = n + 2 * has_bubbles
    if not is_free and any(d % 2 for d in legs):
        top += size
    ring = Ring(
        (top, *order, marks),
        (True,) * (1 + len(order)) + (False,),
        lambda a: sum(a[1:]) <= size and sum(a) <= n + size + has_bubbles,
    )
    _check_terms(len(ring.exponents), n, vertices, 0 if is_free else top + 1)
    everything = _moments(ring, vertices, self_loops=self_loops)
    at = ring.code((n, *order, 0))
    if kind == "all" and self_energies:
        return everything.get(at, 0)
    bubbles = ring.part(everything, 0)
    free = ring.over(everything, bubbles)
    if kind == "vacuum-free" and self_energies:
        return free.get(at, 0)
    connected = ring.log(free)
    everywhere = ring.plus(connected, ring.log(bubbles))
    if kind == "2PI":
        gamma = one_particle_irreducible(ring, everywhere, n + 2)
        return two_particle_irreducible(ring, gamma, n, legs).get(at, 0)
    if not self_energies:
        connected = without_self_energies(ring, connected, n, legs) if n else {}
        if kind == "all":
            gamma = one_particle_irreducible(ring, everywhere, 2)
            connected = ring.plus(connected, two_particle_irreducible(ring, gamma, 0, legs))
        if kind in ("all", "vacuum-free"):
            return ring.exp(connected).get(at, 0)
        everywhere = connected
    return _class_of(ring, everywhere, kind, n).get(at, 0)


def _class_of(ring: Ring, connected: Series, kind: Kind, n: int) -> Series:
    """Return a class of connected diagrams as a series with n external points."""
    if kind == "1PI":
        return one_particle_irreducible(ring, connected, n)
    if kind == "amputated":
        return ring.sum_of_parts({n: amputated(ring, connected, n)})
    return connected


def _moments(ring: Ring, vertices: Vertices, *, self_loops: bool) -> Series:
    """Return the contractions of all diagrams, self-loops marked by the last variable.

    A point with d legs is f^d; without self-loops it is the Hermite polynomial normal-ordered with respect to 1 - mark.
    """
    # coefficients of (mark - 1)^l f^(legs - 2 l), by l, for 0, 1, 2, ... equal vertices
    tables: list[list[list[int]]] = []
    for i, m in vertices:
        vertex = [1]
        for d in i.degree:
            top = 0 if self_loops else d // 2
            vertex = _product(
                vertex, [factorial(d) // (2**k * factorial(k) * factorial(d - 2 * k)) for k in range(top + 1)]
            )
        tables.append([[1]])
        for _ in range(m):
            tables[-1].append(_product(tables[-1][-1], vertex))
    subtracted: dict[tuple[int, ...], list[int]] = {}
    result: Series = {}
    for k, (n, *order, mark) in ring.exponents.items():
        a = tuple(order)
        if a not in subtracted:
            subtracted[a] = [1]
            for table, m in zip(tables, a, strict=True):
                subtracted[a] = _product(subtracted[a], table[m])
        legs = n + sum(i.n_legs * m for (i, _), m in zip(vertices, a, strict=True))
        if legs % 2 == 0:
            total = sum(
                (-1) ** (pairs + mark) * comb(pairs, mark) * c * double_factorial(legs - 2 * pairs - 1)
                for pairs, c in enumerate(subtracted[a])
            )
            if total:
                result[k] = total
    return result


def _product(a: list[int], b: list[int]) -> list[int]:
    result = [0] * (len(a) + len(b) - 1)
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            result[i + j] += x * y
    return result


def _number(vertices: Vertices, n: int, kind: Kind, *, self_loops: bool, labelled: bool) -> int | None:
    """Return the number of diagrams of a class, or None."""
    if kind == "2PI" or (kind in ("1PI", "amputated") and not labelled):
        return None
    if kind == "1PI" and any(i.n_legs % 2 for i, _ in vertices):
        # tadpoles that hang on a 1PI part are not told apart by external points
        return None
    points = [points_of(i) for i, _ in vertices]
    order = tuple(m for _, m in vertices)
    ring = Ring((n, *order, 0), (labelled,) + (False,) * (len(order) + 1))
    if labelled:
        found = orbits_of_pairings(points, order, range(n + 1), self_loops=self_loops)
        everything = {ring.code((k, *a, 0)): c for (k, a), c in found.items()}
    else:
        found = orbits_of_pairings([EXTERNAL_POINT, *points], (n, *order), [0], self_loops=self_loops)
        everything = {ring.code((*a, 0)): c for (_, a), c in found.items()}
    at = ring.code((n, *order, 0))
    if kind == "all":
        return everything.get(at, 0)
    bubbles = ring.part(everything, 0)
    free = ring.over(everything, bubbles)
    if kind == "vacuum-free":
        return free.get(at, 0)
    connected = ring.log(free) if labelled else ring.inverse_euler(free)
    connected = ring.plus(connected, ring.inverse_euler(bubbles))
    return _class_of(ring, connected, kind, n).get(at, 0)
