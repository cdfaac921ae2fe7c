"""Burnside's lemma against listing the permutations."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from itertools import permutations, product

import pytest
from diagram_oracles import brute_force, pairings, vertices_of

from feynnn import Interaction, Theory
from feynnn.diagrams import cycle_index
from feynnn.diagrams.cycle_index import (
    EXTERNAL_POINT,
    Orders,
    Points,
    _fixed_pairings,
    _group_order,
    _multigraphs,
    _permutations,
    _sets,
    _sums,
    _symmetric,
    _vertex_index,
    orbits_of_pairings,
    points_of,
)
from feynnn.errors import ComputationError, InputError


def cycle_type(permutation: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    left, lengths = set(range(len(permutation))), Counter[int]()
    while left:
        start = here = min(left)
        length = 0
        while True:
            left.discard(here)
            here, length = permutation[here], length + 1
            if here == start:
                break
        lengths[length] += 1
    return tuple(sorted(lengths.items()))


def listed(group: list[tuple[int, ...]]) -> dict[tuple[tuple[int, int], ...], Fraction]:
    return {t: Fraction(k, len(group)) for t, k in Counter(map(cycle_type, group)).items()}


def wreath_product(m: int, inner: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    size = len(inner[0])
    return [
        tuple(outer[block] * size + parts[block][k] for block in range(m) for k in range(size))
        for outer in permutations(range(m))
        for parts in product(inner, repeat=m)
    ]


def local(degree: int) -> Points:
    return points_of(Interaction(degree, "a"))


def numbers(vertices: list[Points], orders: list[Orders], n: int = 0) -> list[int]:
    top = tuple(map(max, zip(*orders, strict=True)))
    found = orbits_of_pairings(vertices, top, [n])
    return [found.get((n, a), 0) for a in orders]


SYMMETRIC = {k: list(permutations(range(k))) for k in range(1, 7)}


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5, 6])
def test_symmetric_group(k: int) -> None:
    assert _symmetric(k) == _sets(k, _symmetric(1)) == listed(SYMMETRIC[k])


def test_numbers_of_permutations() -> None:
    for m in (0, 1, 12, 30):
        types = _permutations(m)
        assert sum(types.values()) == math.factorial(m)
        assert all(sum(length * c for length, c in t) == m for t in types)
    # partitions of 30
    assert len(_permutations(30)) == 5604


@pytest.mark.parametrize(("m", "k"), [(2, 2), (2, 3), (3, 2), (2, 4), (4, 2), (3, 3)])
def test_wreath_product(m: int, k: int) -> None:
    assert _sets(m, listed(SYMMETRIC[k])) == listed(wreath_product(m, SYMMETRIC[k]))


@pytest.mark.parametrize(
    ("interaction", "group"),
    [
        (Interaction(4, "a"), SYMMETRIC[4]),
        (Interaction((2, 2), "a"), wreath_product(2, SYMMETRIC[2])),
        (Interaction((2, 2, 2), "a"), wreath_product(3, SYMMETRIC[2])),
        (
            Interaction((2, 2), "a", profile="y**2"),
            [(*p, *(2 + k for k in q)) for p in SYMMETRIC[2] for q in SYMMETRIC[2]],
        ),
        (Interaction((1, 3), "a"), [(0, *(1 + k for k in p)) for p in SYMMETRIC[3]]),
        (Interaction((1, 1), "a"), SYMMETRIC[2]),
    ],
    ids=str,
)
def test_vertex_symmetry(interaction: Interaction, group: list[tuple[int, ...]]) -> None:
    points = points_of(interaction)
    assert len(group) == interaction.symmetry == _group_order(points)
    assert _vertex_index(points) == listed(group)


@pytest.mark.parametrize("order", [(3,), (5,)])
def test_sums_over_the_group_by_fixed_legs(order: Orders) -> None:
    """The same sums from the whole cycle index of equal vertices."""
    (m,) = order
    size = math.factorial(m) * 2**m
    expected: Counter[int] = Counter()
    for cycles, weight in _sets(m, _vertex_index(local(2))).items():
        fixed = math.prod(_fixed_pairings(length, k) for length, k in cycles if length > 1)
        expected[dict(cycles).get(1, 0)] += int(size * weight * fixed)
    assert {k: c for k, c in _sums((local(2),), order, True)[order].items() if c} == {
        k: c for k, c in expected.items() if c
    }


@pytest.mark.parametrize(
    ("length", "k"), [(1, 4), (1, 3), (2, 1), (2, 2), (2, 3), (3, 1), (3, 2), (4, 2), (5, 1), (1, 0)]
)
def test_fixed_pairings(length: int, k: int) -> None:
    """Pairings of length * k points that a permutation with k cycles of one length leaves as they are."""
    points = length * k
    image = [p // length * length + (p + 1) % length for p in range(points)]
    every = [frozenset(frozenset(pair) for pair in p) for p in pairings(range(points))]
    fixed = sum(p == frozenset(frozenset(image[x] for x in pair) for pair in p) for p in every)
    assert _fixed_pairings(length, k) == fixed


@pytest.mark.parametrize(
    ("theory", "n", "order"),
    [
        (Theory.parse("lam*f**4"), 0, (0,)),
        (Theory.parse("lam*f**4"), 4, (0,)),
        (Theory.parse("lam*f**4"), 2, (2,)),
        (Theory.parse("lam*f**4"), 3, (1,)),
        (Theory.parse("lam*f**4 + kap*f**6"), 0, (1, 1)),
        (Theory.parse("g*f**3 + lam*f**4"), 2, (2, 0)),
        (Theory.parse("s*f + m*f**2"), 2, (2, 3)),
        (Theory.parse("s*f + v*f**5"), 0, (2, 2)),
        (Theory([Interaction((2, 2), "b"), Interaction((1, 3), "c")]), 2, (1, 1)),
        (Theory([Interaction((2, 2), "b")]), 0, (3,)),
        (Theory([Interaction((1, 1), "b")]), 2, (3,)),
        (Theory([Interaction((2, 2, 2), "h")]), 2, (1,)),
        (Theory([Interaction(4, "a"), Interaction(4, "b")]), 2, (1, 1)),
    ],
    ids=str,
)
def test_orbits_are_the_diagrams_of_brute_force(theory: Theory, n: int, order: Orders) -> None:
    every = [graph for graph, _ in brute_force(n, vertices_of(theory, order))]
    # the label of an integrated point is its vertex, its class and its number of self-loops
    words = [[str(data["label"]).split() for _, data in graph.nodes(data=True)] for graph in every]
    loopless = [w for w in words if all(len(label) < 3 or label[2] == "0" for label in w)]
    points = [points_of(i) for i in theory.interactions]
    assert orbits_of_pairings(points, order, [n]).get((n, order), 0) == len(every)
    assert orbits_of_pairings(points, order, [n], self_loops=False).get((n, order), 0) == len(loopless)


def test_free_pairings() -> None:
    found = orbits_of_pairings([], (), range(7))
    assert found == {(0, ()): 1, (2, ()): 1, (4, ()): 3, (6, ()): 15}


def test_regular_multigraphs() -> None:
    """Vacuum diagrams of f^2, f^3 and f^4: multigraphs with loops, all degrees 2, 3 or 4 (f^2: rings).

    OEIS A000041, A129427 and A129429.
    """
    assert numbers([local(2)], [(m,) for m in range(9)]) == [1, 1, 2, 3, 5, 7, 11, 15, 22]
    assert numbers([local(4)], [(m,) for m in range(1, 7)]) == [1, 3, 7, 20, 56, 187]
    assert numbers([local(3)], [(m,) for m in (2, 4, 6, 8)]) == [2, 8, 31, 140]


def loopless_matrices(degrees: tuple[int, ...]) -> Iterator[tuple[tuple[int, int, int], ...]]:
    """Lines (i, j, how many) of every multigraph on labelled nodes with these degrees, without loops."""
    if not any(degrees):
        yield ()
        return
    i = next(k for k, d in enumerate(degrees) if d)
    rest = range(i + 1, len(degrees))
    for lines in product(*(range(min(degrees[i], degrees[j]) + 1) for j in rest)):
        if sum(lines) == degrees[i]:
            left = list(degrees)
            left[i] = 0
            for j, k in zip(rest, lines, strict=True):
                left[j] -= k
            here = tuple((i, j, k) for j, k in zip(rest, lines, strict=True) if k)
            for more in loopless_matrices(tuple(left)):
                yield here + more


@pytest.mark.parametrize(("degree", "m"), [(2, 1), (2, 5), (3, 2), (3, 4), (4, 1), (4, 3), (4, 4), (4, 5), (6, 4)])
def test_regular_loopless_multigraphs(degree: int, m: int) -> None:
    def renamed(lines: tuple[tuple[int, int, int], ...], p: tuple[int, ...]) -> list[tuple[int, int, int]]:
        return sorted((min(p[i], p[j]), max(p[i], p[j]), k) for i, j, k in lines)

    seen: set[tuple[tuple[int, int, int], ...]] = set()
    expected = 0
    for lines in loopless_matrices((degree,) * m):
        if lines not in seen:
            expected += 1
            seen |= {tuple(renamed(lines, p)) for p in permutations(range(m))}
    found = orbits_of_pairings([local(degree)], (m,), [0], self_loops=False)
    assert found.get((0, (m,)), 0) == expected


def test_external_points_without_labels() -> None:
    """One diagram of free lines; a star with any legs; as a class of its own, whose order is their number."""
    found = orbits_of_pairings([EXTERNAL_POINT, local(4)], (8, 1), [0])
    # with one vertex: 0, 1, 2 self-loops and any number of free lines
    assert [found.get((0, (n, 1)), 0) for n in range(9)] == [1, 0, 2, 0, 3, 0, 3, 0, 3]
    assert [found.get((0, (n, 0)), 0) for n in range(9)] == [1, 0] * 4 + [1]


def test_a_number_that_is_not_whole_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounding it down would hide a bug."""
    _sums.cache_clear()
    monkeypatch.setattr(cycle_index, "_fixed_pairings", lambda length, k: 2 if (length, k) == (1, 4) else 1)
    with pytest.raises(ComputationError, match="25/24 orbits: the number should be whole"):
        orbits_of_pairings([local(4)], (1,), [0])
    _sums.cache_clear()


@pytest.mark.parametrize("self_loops", [True, False])
@pytest.mark.parametrize(
    ("vertices", "top", "external"),
    [
        ([local(4)], (6,), 5),
        ([local(2)], (6,), 3),
        ([local(3), local(4)], (3, 2), 4),
        ([((2, 2),), local(4)], (2, 2), 4),
        ([((1, 1), (3, 1)), ((2, 3),), local(3)], (2, 1, 2), 3),
        ([((1, 2),), local(3)], (3, 2), 3),
        ([((2, 4),)], (2,), 2),
        ([EXTERNAL_POINT, local(4), ((2, 2),)], (5, 2, 1), 0),
        ([EXTERNAL_POINT, local(1), local(3)], (3, 2, 2), 2),
    ],
    ids=str,
)
def test_multigraphs_are_orbits_of_pairings(
    vertices: list[Points], top: Orders, external: int, self_loops: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two routes to the same numbers: permutations of legs, or of vertices with legs already exchanged."""
    numbers = range(external + 1)
    expected = orbits_of_pairings(vertices, top, numbers, self_loops=self_loops)
    monkeypatch.setattr(cycle_index, "MANY_LEGS", 0)
    assert orbits_of_pairings(vertices, top, numbers, self_loops=self_loops) == expected


@pytest.mark.parametrize("degree", [12, 40, 64])
def test_few_vertices_with_many_legs(degree: int) -> None:
    """One vertex: k of n points end in it, and what is left makes self-loops.  Two: lines between them and self-loops,
    three: also whether a multigraph on three nodes is its own image."""
    one = orbits_of_pairings([local(degree)], (1,), range(degree + 1))
    for n in range(0, degree + 1, 2):
        free = [math.comb(n, k) * math.prod(range(1, n - k, 2)) for k in range(0, n + 1, 2)]
        assert one[n, (1,)] == sum(free)
    found = orbits_of_pairings([local(degree)], (3,), [0])
    assert found[0, (2,)] == degree // 2 + 1
    lines = product(range(degree + 1), repeat=3)
    fitting = ((a, b, c) for a, b, c in lines if not any((degree - x) % 2 or x > degree for x in (a + b, b + c, a + c)))
    assert found[0, (3,)] == len({tuple(sorted(abc)) for abc in fitting})
    loopless = orbits_of_pairings([local(degree)], (3,), [0], self_loops=False)
    assert loopless == {(0, (0,)): 1, (0, (2,)): 1, (0, (3,)): 1}


@pytest.mark.parametrize("degree", [4, 12])
def test_too_many_terms_are_refused(degree: int, monkeypatch: pytest.MonkeyPatch) -> None:
    _sums.cache_clear()
    _multigraphs.cache_clear()
    monkeypatch.setattr(cycle_index, "MOST_TERMS", 20)
    with pytest.raises(InputError, match=r"with 5 vertices takes more than 20 terms; lower the order, the degree or n"):
        orbits_of_pairings([local(degree)], (5,), [0])
