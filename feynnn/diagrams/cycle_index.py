"""Burnside's lemma for diagrams: orbits of the pairings of all legs under permutations of legs and vertices.

A permutation with c_l cycles of length l on the legs fixes prod_l F(l, c_l) pairings, so the number of orbits is the
mean of prod_l x_l^c_l, each x_l with moments F(l, c).  The cycle index of all sets of equal vertices is
exp(sum_k t^k p_k[V] / k), V that of one vertex: a product of exponentials of monomials, and x_l can be averaged over
as soon as every monomial whose longest cycle is l, or longer, has been multiplied in.

A vertex of many legs has too many cycle types for that, but then there are few vertices: diagrams are multigraphs with
given degrees, and only permutations of the vertices are left to average over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from functools import cache, lru_cache
from itertools import product
from math import comb, factorial, gcd

from ..combinatorics import double_factorial
from ..errors import ComputationError, InputError
from ..theory.interaction import Interaction

Orders = tuple[int, ...]
#: A cycle type: sorted pairs (length, number of cycles).
CycleType = tuple[tuple[int, int], ...]
CycleIndex = dict[CycleType, Fraction]
#: A vertex: its classes of interchangeable points, as (legs of each, number of points).
Points = tuple[tuple[int, int], ...]
#: For each order, by the number of fixed legs: sums over permutations of the pairings fixed on all other legs.
Sums = Mapping[Orders, Mapping[int, int]]

#: A cycle of equal points: legs that are left on each, length, and whether a point may have self-loops.
Node = tuple[int, int, bool]

#: The vertex that an external point is when its label does not count.
EXTERNAL_POINT: Points = ((1, 1),)
#: Bits for the exponent of each x_l in a monomial packed into one int.
BITS = 16
#: Legs of a vertex from which on multigraphs are counted instead of permutations of legs.
MANY_LEGS = 11
#: Terms added up, of either route, after which a number is given up: half a minute to a minute.
MOST_TERMS = 30_000_000


def points_of(interaction: Interaction) -> Points:
    """Return the classes of interchangeable points of a vertex."""
    return tuple((interaction.degree[c[0]], len(c)) for c in interaction.point_classes())


def orbits_of_pairings(
    vertices: Sequence[Points], top: Orders, external: Iterable[int], *, self_loops: bool = True
) -> dict[tuple[int, Orders], int]:
    """Return the numbers of diagrams with labelled external points, at all orders at once.

    Parameters
    ----------
    vertices : sequence of Points
        Classes of equal vertices.
    top : tuple of int
        Largest number of vertices of each class.
    external : iterable of int
        Numbers of external points.
    self_loops : bool
        False leaves out diagrams with a line from a point to itself.

    Returns
    -------
    dict
        Numbers keyed by (number of external points, order), zeros left out.

    Raises
    ------
    InputError
        If that takes more than MOST_TERMS terms.
    """
    numbers = list(external)
    has_many_legs = any(_n_legs(v) >= MANY_LEGS for v in vertices)
    if has_many_legs:
        sums = _multigraphs(tuple(vertices), top, max(numbers), self_loops)
    else:
        sums = _sums(tuple(vertices), top, self_loops)
    found: dict[tuple[int, Orders], int] = {}
    for n in numbers:
        for order, by_points in sums.items():
            group = 1
            for v, m in zip(vertices, order, strict=True):
                group *= factorial(m) * (_exchanges(v) if has_many_legs else _group_order(v)) ** m
            if has_many_legs:
                # the external points that no vertex takes pair among themselves
                total = sum(c * comb(n, k) * _fixed_pairings(1, n - k) for k, c in by_points.items())
            else:
                total = sum(c * _fixed_pairings(1, k + n) for k, c in by_points.items())
            if total % group:
                raise ComputationError(f"{Fraction(total, group)} orbits: the number should be whole")
            if total:
                found[n, order] = total // group
    return found


@cache
def _fixed_pairings(length: int, k: int) -> int:
    """Return the number of pairings fixed by a permutation with k cycles of one length.

    Two cycles pair in `length` ways; one of even length pairs with itself in one way, half a turn.
    """
    total = 0
    for pairs in range(k // 2 + 1):
        alone = k - 2 * pairs
        if alone and length % 2:
            continue
        total += comb(k, alone) * double_factorial(2 * pairs - 1) * length**pairs
    return total


@lru_cache(maxsize=32)
def _sums(vertices: tuple[Points, ...], top: Orders, self_loops: bool) -> Sums:
    """Return, times the order of the group, the mean over all x_l but x_1."""
    buckets: dict[int, list[tuple[int, int, int, int]]] = {}
    for i, v in enumerate(vertices):
        size = _group_order(v)
        for cycles, z in _vertex_index(v, self_loops=self_loops).items():
            number = (z * size).numerator
            for k in range(1, top[i] + 1):
                longest = max((k * length for length, _ in cycles), default=1)
                monomial = sum(c << BITS * (k * length - 1) for length, c in cycles)
                buckets.setdefault(longest, []).append((i, k, monomial, number * size ** (k - 1)))
    state: dict[Orders, dict[int, int]] = {a: {} for a in product(*(range(m + 1) for m in top))}
    state[(0,) * len(top)][0] = 1
    terms = 0
    for longest in sorted(buckets, reverse=True):
        for i, k, monomial, number in buckets[longest]:
            terms += _times_exponential(state, i, k, monomial, number)
            _check_terms(terms, top)
        if longest > 1:
            state = {a: _mean(p, longest) for a, p in state.items()}
    return state


def _times_exponential(state: dict[Orders, dict[int, int]], i: int, k: int, monomial: int, number: int) -> int:
    """Multiply by exp(number t_i^k monomial / k), coefficients of t^a held times a!; return the number of terms."""
    terms = 0
    for a in sorted(state, reverse=True):  # an order takes from lower ones, which must still be the old ones
        target = state[a]
        ways = 1
        for j in range(1, a[i] // k + 1):
            left = a[i] - j * k
            # choose the j-th cycle of k equal vertices
            ways = ways * number * (factorial(left + k) // (factorial(left) * k))
            c = ways // factorial(j)
            source = state[*a[:i], left, *a[i + 1 :]]
            terms += len(source)
            for p, value in source.items():
                key = p + j * monomial
                target[key] = target.get(key, 0) + c * value
    return terms


def _check_terms(terms: int, top: Orders) -> None:
    if terms > MOST_TERMS:
        raise InputError(
            f"the number of diagrams with {' + '.join(map(str, top))} vertices takes more than {MOST_TERMS} terms; "
            "lower the order, the degree or n"
        )


def _mean(polynomial: dict[int, int], length: int) -> dict[int, int]:
    """Return the mean over x_length, the last variable left."""
    shift = BITS * (length - 1)
    result: dict[int, int] = {}
    for p, c in polynomial.items():
        power = p >> shift
        fixed = _fixed_pairings(length, power)
        if fixed:
            key = p - (power << shift)
            result[key] = result.get(key, 0) + c * fixed
    return result


def _group_order(points: Points) -> int:
    """Return the order of a vertex's own symmetry group."""
    g = _exchanges(points)
    for legs, number in points:
        g *= factorial(legs) ** number
    return g


def _exchanges(points: Points) -> int:
    """Return the number of permutations of a vertex's interchangeable points."""
    g = 1
    for _, number in points:
        g *= factorial(number)
    return g


def _n_legs(points: Points) -> int:
    return sum(legs * number for legs, number in points)


@cache
def _permutations(m: int) -> dict[CycleType, int]:
    """Return how many permutations of m things have each cycle type: m! / prod_l l^c_l c_l!."""
    types: list[tuple[int, CycleType]] = [(m, ())]
    for length in range(m, 0, -1):
        types = [
            (left - c * length, ((length, c), *t) if c else t) for left, t in types for c in range(left // length + 1)
        ]
    result: dict[CycleType, int] = {}
    for left, t in types:
        if not left:
            centralizer = 1
            for length, c in t:
                centralizer *= length**c * factorial(c)
            result[t] = factorial(m) // centralizer
    return result


@cache
def _vertex_index(points: Points, *, self_loops: bool = True) -> CycleIndex:
    """Return the cycle index of a vertex's own symmetry, acting on its legs.

    Without self-loops a point of d legs is one of all points with d legs minus one with d - 2: the points with d legs
    and at least one self-loop are those of d - 2 legs with any number, and cycle indices of sets follow differences.
    """
    index: CycleIndex = {(): Fraction(1)}
    for legs, number in points:
        point = _symmetric(legs)
        if not self_loops and legs >= 2:
            for t, c in _symmetric(legs - 2).items():
                point[t] = point.get(t, Fraction(0)) - c
        index = _times(index, _sets(number, point))
    return index


def _symmetric(m: int) -> CycleIndex:
    """Return the cycle index of the symmetric group."""
    return {t: Fraction(c, factorial(m)) for t, c in _permutations(m).items()}


def _times(a: CycleIndex, b: CycleIndex) -> CycleIndex:
    result: CycleIndex = {}
    for t1, c1 in a.items():
        for t2, c2 in b.items():
            merged = dict(t1)
            for length, k in t2:
                merged[length] = merged.get(length, 0) + k
            key = tuple(sorted(merged.items()))
            result[key] = result.get(key, Fraction(0)) + c1 * c2
    return result


def _sets(m: int, index: CycleIndex) -> CycleIndex:
    """Return the cycle index of m interchangeable copies: Z_m = (1/m) sum_k p_k(Z) Z_(m-k)."""
    levels: list[CycleIndex] = [{(): Fraction(1)}]
    for size in range(1, m + 1):
        level: CycleIndex = {}
        for k in range(1, size + 1):
            stretched = {tuple((k * length, c) for length, c in t): w for t, w in index.items()}
            for t, w in _times(stretched, levels[size - k]).items():
                level[t] = level.get(t, Fraction(0)) + w / size
        levels.append(level)
    return levels[m]


@lru_cache(maxsize=32)
def _multigraphs(vertices: tuple[Points, ...], top: Orders, most: int, self_loops: bool) -> Sums:
    """Return, summed over permutations of vertices and their points, the multigraphs that they leave as they are.

    They are held by the number of external points, at most `most`, that end in vertices.
    """
    result: dict[Orders, dict[int, int]] = {}
    terms = 0
    for order in product(*(range(m + 1) for m in top)):
        types: dict[tuple[Node, ...], int] = {(): 1}
        for v, m in zip(vertices, order, strict=True):
            merged: dict[tuple[Node, ...], int] = {}
            for nodes, ways in types.items():
                for more, c in _nodes(v, m, self_loops).items():
                    key = tuple(sorted(nodes + more))
                    merged[key] = merged.get(key, 0) + ways * c
            types = merged
        result[order] = {}
        for nodes, ways in types.items():
            # state: external points taken so far, and what is left of the points; equal ones need not be told apart
            state: dict[tuple[int, tuple[Node, ...]], int] = {(0, nodes): ways}
            for _ in nodes:
                larger: dict[tuple[int, tuple[Node, ...]], int] = {}
                for (taken, left), c in state.items():
                    terms += _connect(larger, taken, left, c, most)
                    _check_terms(terms, top)
                state = larger
            for (taken, _), c in state.items():
                result[order][taken] = result[order].get(taken, 0) + c
    return result


def _nodes(points: Points, m: int, self_loops: bool) -> dict[tuple[Node, ...], int]:
    """Return the permutations of m equal vertices and their points, by the cycles of points."""
    if points == EXTERNAL_POINT:
        # m points of one leg each are one point of m legs
        return {((m, 1, True),): factorial(m)}
    result: dict[tuple[Node, ...], int] = {}
    for cycles, number in _permutations(m).items():
        types: dict[tuple[Node, ...], int] = {(): number}
        for k in (k for k, c in cycles for _ in range(c)):
            for legs, copies in points:
                # going round the cycle may permute a vertex's points, in any of copies!^(k - 1) ways
                same = factorial(copies) ** (k - 1)
                types = {
                    nodes + tuple((legs, k * length, self_loops) for length, c in t for _ in range(c)): ways * w * same
                    for nodes, ways in types.items()
                    for t, w in _permutations(copies).items()
                }
        for nodes, ways in types.items():
            key = tuple(sorted(nodes))
            result[key] = result.get(key, 0) + ways
    return result


def _connect(
    result: dict[tuple[int, tuple[Node, ...]], int], taken: int, nodes: tuple[Node, ...], ways: int, most: int
) -> int:
    """Add to `result` all that the legs of the first cycle of points can do; return the number of terms.

    Lines between cycles of lengths k and j come in orbits of lcm(k, j) lines, gcd(k, j) orbits apart.
    """
    (legs, k, has_loops), *others = nodes
    partial: dict[tuple[int, tuple[Node, ...]], int] = {(legs, ()): ways}
    terms = 0
    for legs_there, j, loops_there in others:
        orbits = gcd(k, j)
        here, there = j // orbits, k // orbits
        longer: dict[tuple[int, tuple[Node, ...]], int] = {}
        for (left, done), c in partial.items():
            for q in range(min(left // here, legs_there // there) + 1):
                key = (left - q * here, (*done, (legs_there - q * there, j, loops_there)))
                longer[key] = longer.get(key, 0) + c * comb(q + orbits - 1, q)
        partial = longer
        terms += len(partial)
    for (left, done), c in partial.items():
        # only a vertex that stays where it is can have external points
        for more in range(min(left, most - taken) + 1 if k == 1 else 1):
            alone = _within(left - more, k, has_loops)
            if alone:
                state = (taken + more, tuple(sorted(done)))
                result[state] = result.get(state, 0) + c * alone * comb(taken + more, more)
                terms += 1
    return terms


@cache
def _within(legs: int, k: int, has_loops: bool) -> int:
    """Return in how many ways a cycle of k points, with `legs` legs each, is connected within itself.

    Lines to the point opposite take one leg of each point, lines to any other neighbours and self-loops two.
    """
    kinds = (k - 1) // 2 + has_loops
    opposite = range(legs + 1) if k % 2 == 0 else (0,)
    pairs = ((legs - q) // 2 for q in opposite if (legs - q) % 2 == 0)
    return sum(comb(p + kinds - 1, p) if p else 1 for p in pairs)
