"""Burnside's lemma against listing the permutations."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction
from itertools import permutations, product

import pytest
from diagram_oracles import brute_force, pairings, vertices_of

from feynnn import Interaction, Theory
from feynnn.diagrams.cycle_index import _fixed_pairings, _vertex_index, _wreath, orbits_of_pairings


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


SYMMETRIC = {k: list(permutations(range(k))) for k in range(1, 7)}


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5, 6])
def test_symmetric_group(k: int) -> None:
    assert _wreath(k, {((1, 1),): Fraction(1)}) == listed(SYMMETRIC[k])


@pytest.mark.parametrize(("m", "k"), [(2, 2), (2, 3), (3, 2), (2, 4), (4, 2), (3, 3)])
def test_wreath_product(m: int, k: int) -> None:
    assert _wreath(m, listed(SYMMETRIC[k])) == listed(wreath_product(m, SYMMETRIC[k]))


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
    assert len(group) == interaction.symmetry
    assert _vertex_index(interaction) == listed(group)


def test_cycle_indices_are_probabilities() -> None:
    for m in range(8):
        index = _wreath(m, _vertex_index(Interaction(4, "a")))
        assert sum(index.values()) == 1
        assert all(sum(length * k for length, k in t) == 4 * m for t in index)
        # the identity has weight 1 / (m! 24^m)
        assert index[((1, 4 * m),) if m else ()] == Fraction(1, math.factorial(m) * 24**m)


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
        (Theory([Interaction((2, 2), "b"), Interaction((1, 3), "c")]), 2, (1, 1)),
        (Theory([Interaction((1, 1), "b")]), 2, (3,)),
        (Theory([Interaction((2, 2, 2), "h")]), 2, (1,)),
        (Theory([Interaction(4, "a"), Interaction(4, "b")]), 2, (1, 1)),
    ],
    ids=str,
)
def test_orbits_are_the_diagrams_of_brute_force(theory: Theory, n: int, order: tuple[int, ...]) -> None:
    vertices = list(zip(theory.interactions, order, strict=True))
    assert orbits_of_pairings(n, vertices) == len(brute_force(n, vertices_of(theory, order)))


def test_free_pairings() -> None:
    assert [orbits_of_pairings(n, []) for n in range(7)] == [1, 0, 1, 0, 3, 0, 15]


def test_regular_multigraphs() -> None:
    """Vacuum diagrams of f^2, f^3 and f^4: multigraphs with loops, all degrees 2, 3 or 4 (f^2: rings).

    OEIS A000041, A129427 and A129429.
    """
    assert [orbits_of_pairings(0, [(Interaction(2, "a"), m)]) for m in range(9)] == [1, 1, 2, 3, 5, 7, 11, 15, 22]
    assert [orbits_of_pairings(0, [(Interaction(4, "a"), m)]) for m in range(1, 7)] == [1, 3, 7, 20, 56, 187]
    assert [orbits_of_pairings(0, [(Interaction(3, "a"), m)]) for m in (2, 4, 6, 8)] == [2, 8, 31, 140]
