"""Every set of few legs against its Wick contractions, made one by one; classes by cutting lines with networkx."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import permutations, product
from math import factorial
from typing import Any

import pytest
from diagram_oracles import IN_KIND, Facts, brute_force, graph_of, same, vertices_of

from feynnn import Diagram, Interaction, Theory, generate
from feynnn.diagrams.generation import KINDS
from feynnn.diagrams.wick import contractions

#: Theories, and the most legs to contract: 11!! = 10395 contractions for 12, 13!! = 135135 for 14.
THEORIES: dict[str, tuple[Theory, int]] = {
    "quartic": (Theory.parse("lam*f**4"), 14),
    "cubic": (Theory.parse("g*f**3"), 14),
    "quintic": (Theory.parse("q*f**5"), 12),
    "cubic and quartic": (Theory.parse("g*f**3 + lam*f**4"), 12),
    "quartic and sextic": (Theory.parse("lam*f**4 + kap*f**6"), 12),
    "linear, quadratic, cubic": (Theory.parse("s*f + m*f**2 + g*f**3"), 8),
    "two couplings of one degree": (Theory.parse("a*f**4 + b*y**2*f**4"), 12),
    "bilocal": (Theory([Interaction((2, 2), "b")]), 12),
    "unequal points": (Theory([Interaction((1, 3), "c")]), 10),
    "points told apart by a weight": (Theory([Interaction((2, 2), "b", profile="y**2")]), 10),
    "three points": (Theory([Interaction((2, 1, 1), "h")]), 10),
    "bilocal and cubic": (Theory([Interaction((2, 2), "b"), Interaction(3, "g")]), 11),
}


def cases() -> Iterator[tuple[str, int, tuple[int, ...]]]:
    """All cases of few enough legs."""
    for name, (theory, most) in THEORIES.items():
        for n in range(5):
            tops = [range((most - n) // i.n_legs + 1) for i in theory.interactions]
            for order in product(*tops):
                legs = legs_of((name, n, order))
                if legs <= most and legs % 2 == 0:
                    yield name, n, order


def marked(*, least: int = 0) -> list[Any]:
    """The cases with `least` external points or more; those with most legs are slow."""
    return [
        pytest.param(*case, marks=pytest.mark.slow if is_slow(case) else (), id=str(case))
        for case in cases()
        if case[1] >= least
    ]


def legs_of(case: tuple[str, int, tuple[int, ...]]) -> int:
    name, n, order = case
    return n + sum(m * i.n_legs for m, i in zip(order, THEORIES[name][0].interactions, strict=True))


def is_slow(case: tuple[str, int, tuple[int, ...]]) -> bool:
    """More than 10 legs, or 8 where a vertex has several points."""
    several = any(len(i.degree) > 1 for i in THEORIES[case[0]][0].interactions)
    return legs_of(case) > (8 if several else 10)


@cache
def contracted(name: str, n: int, order: tuple[int, ...]) -> dict[Diagram, tuple[int, Facts]]:
    """Every diagram, its number of contractions, and its facts."""
    found = contractions(THEORIES[name][0], n, order=order)
    return {d: (number, Facts.of(d)) for d, number in found.items()}


def relabelled(d: Diagram, labels: tuple[int, ...]) -> Diagram:
    names = [*labels, *range(d.n, d.layout.n_nodes)]
    return Diagram.from_edges(d.theory, d.n, tuple(d.order.values()), [(names[i], names[j]) for i, j in d.edges])


@pytest.mark.parametrize(("name", "n", "order"), marked())
def test_every_kind_and_filter(name: str, n: int, order: tuple[int, ...]) -> None:
    theory, every = THEORIES[name][0], contracted(name, n, order)
    for kind in KINDS:
        if kind == "amputated" and n < 2:
            continue
        chosen = {d: number for d, (number, f) in every.items() if IN_KIND[kind](f)}
        ds = generate(theory, n, order=order, kind=kind, certify=False)
        assert {d: d.multiplicity for d in ds} == chosen, kind
        assert len(ds) == len(chosen), kind
        filtered = {
            "self_loops": {d for d in chosen if not d.has_self_loop},
            "snails": {d for d in chosen if not every[d][1].snail},
            "self_energies": {d for d in chosen if not every[d][1].self_energy},
        }
        for option, kept in filtered.items():
            found = generate(theory, n, order=order, kind=kind, certify=False, **{option: False})  # type: ignore[arg-type]
            assert set(found) == kept, (kind, option)
            assert len(found) == len(kept), (kind, option)
        for loops in {f.n_loops for _, f in every.values()}:
            kept = {d for d in chosen if every[d][1].n_loops == loops}
            assert set(generate(theory, n, order=order, kind=kind, loops=loops, certify=False)) == kept, (kind, loops)


@pytest.mark.parametrize(("name", "n", "order"), marked(least=2))
def test_indistinguishable_points_are_orbits_of_labels(name: str, n: int, order: tuple[int, ...]) -> None:
    """Relabel each diagram in all ways: the set has one of each orbit, which stands for all of it."""
    theory, every = THEORIES[name][0], contracted(name, n, order)
    orbit_of: dict[Diagram, frozenset[Diagram]] = {}
    for d in every:
        if d not in orbit_of:
            orbit = frozenset(relabelled(d, labels) for labels in permutations(range(n)))
            assert factorial(n) % len(orbit) == 0
            orbit_of |= dict.fromkeys(orbit, orbit)
    for kind in KINDS:
        expected = {orbit_of[d] for d, (_, f) in every.items() if IN_KIND[kind](f)}
        ds = generate(theory, n, order=order, kind=kind, external="indistinguishable", certify=False)
        found = [orbit_of[relabelled(t, tuple(range(n)))] for t in ds]
        assert len(found) == len(set(found)), kind
        assert set(found) == expected, kind
        for t, orbit in zip(ds, found, strict=True):
            assert t.copies == len(orbit), kind
            assert t.multiplicity == sum(every[d][0] for d in orbit), kind


def test_two_ways_to_find_insertions_agree() -> None:
    """Cutting one or two lines, and looking through sets of vertices with one or two line ends."""
    found = [
        f
        for name, n, order in cases()
        if legs_of((name, n, order)) <= 10
        for _, f in contracted(name, n, order).values()
    ]
    assert len(found) > 1000
    assert all(f.self_energy == f.insertion for f in found)
    assert 100 < sum(f.insertion for f in found) < len(found) - 100


# --- equal diagrams by networkx --------------------------------------------------------------------------------------

PHI4 = Theory.parse("lam*f**4")
BOTH = Theory.parse("lam*f**4 + kap*f**6")
ODD = Theory.parse("g*f**3 + lam*f**4")
LOW = Theory.parse("s*f + m*f**2 + g*f**3")
BILOCAL = Theory([Interaction((2, 2), "b"), Interaction(4, "lam")])
POINTS = Theory([Interaction((1, 3), "c"), Interaction((2, 2, 2), "h"), Interaction(3, "g")])
TWINS = Theory([Interaction(4, "lam0", "1/24"), Interaction(4, "lam2", -2, profile="y**2")])


@pytest.mark.parametrize(
    ("theory", "n", "order"),
    [
        (PHI4, 0, (2,)),
        (PHI4, 2, (2,)),
        (PHI4, 4, (1,)),
        (BOTH, 2, (1, 1)),
        (ODD, 1, (1, 1)),
        (ODD, 2, (2, 0)),
        (Theory.parse("g*f**3"), 0, (4,)),
        (LOW, 2, (1, 1, 1)),
        (LOW, 0, (2, 2, 0)),
        (BILOCAL, 2, (1, 1)),
        (BILOCAL, 4, (1, 0)),
        (BILOCAL, 0, (2, 0)),
        (POINTS, 2, (1, 0, 0)),
        (POINTS, 0, (2, 0, 0)),
        (POINTS, 2, (0, 1, 0)),
        (POINTS, 1, (1, 0, 1)),
        (TWINS, 2, (1, 1)),
    ],
    ids=str,
)
def test_every_pairing_of_legs_is_in_exactly_one_diagram(theory: Theory, n: int, order: tuple[int, ...]) -> None:
    """All pairings one by one, equal diagrams by networkx: the same classes, each with the same number."""
    vertices = vertices_of(theory, order)
    expected = brute_force(n, vertices)
    ds = generate(theory, n, order=order, kind="all")
    assert sorted(d.multiplicity for d in ds) == sorted(number for _, number in expected)
    left = list(expected)
    for d in ds:
        graph = graph_of(d, vertices)
        (match,) = [k for k, (other, _) in enumerate(left) if same(graph, other)]
        assert left.pop(match)[1] == d.multiplicity
    assert not left


def test_points_told_apart_by_their_profile() -> None:
    theory = Theory([Interaction((2, 2), "b", profile="y**2")])
    ds = generate(theory, 2, order=1, kind="all")
    expected = brute_force(2, [("b", [(2, "y"), (2, "z")])])
    assert sorted(d.multiplicity for d in ds) == sorted(number for _, number in expected)
    assert len(ds) == 6
    # two equal points would merge the ends
    assert len(generate(Theory([Interaction((2, 2), "b")]), 2, order=1, kind="all")) == 4
    two = generate(theory, 0, order=2, kind="all")
    assert len(two) == len(brute_force(0, [("b", [(2, "y"), (2, "z")])] * 2))


@pytest.mark.parametrize(
    ("theory", "n", "order"),
    [
        (PHI4, 6, (2,)),
        (BOTH, 4, (1, 1)),
        (ODD, 3, (3, 1)),
        (POINTS, 2, (1, 1, 2)),
        (LOW, 3, (2, 2, 3)),
        (TWINS, 0, (2, 2)),
    ],
    ids=str,
)
def test_sum_rule(theory: Theory, n: int, order: tuple[int, ...]) -> None:
    """(n + sum of degrees - 1)!! contractions in all."""
    legs = n + sum(i.n_legs * m for i, m in zip(theory.interactions, order, strict=True))
    product = 1
    for k in range(1, legs, 2):
        product *= k
    ds = generate(theory, n, order=order, kind="all")
    assert legs % 2 == 0
    assert ds.multiplicity == product
    assert len(set(ds)) == len(ds)
