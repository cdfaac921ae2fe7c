"""Where legs and self-loops sit: every decoration that occurs, each once; labellings by brute force."""

from __future__ import annotations

from collections import Counter
from itertools import permutations
from math import factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feynnn import Diagram, Theory
from feynnn.diagrams.decorations import Configuration, Selection, configurations, labellings, n_labellings, slots_of
from feynnn.diagrams.generation import KINDS
from feynnn.diagrams.layout import Layout
from feynnn.diagrams.wick import contractions

#: Kind of vertex (class, legs, loops) -> number, with the number of free lines.
Decoration = tuple[int, tuple[tuple[tuple[int, int, int], int], ...]]

CASES: list[tuple[str, int, tuple[int, ...]]] = [
    *[("l*f**4", n, (order,)) for n in (0, 2, 4) for order in range(3)],
    *[("g*f**3", n, (order,)) for n, order in ((0, 2), (0, 4), (1, 1), (1, 3), (2, 2), (3, 1), (3, 3), (4, 2))],
    ("l*f**4", 6, (1,)),
    ("k*f**6", 2, (1,)),
    ("k*f**6", 4, (1,)),
    ("a*f**4 + b*f**4", 2, (1, 1)),
    ("s*f + m*f**2 + g*f**3", 2, (1, 1, 1)),
    ("s*f + m*f**2 + g*f**3", 1, (2, 2, 1)),
    ("g*f**3 + l*f**4", 3, (1, 1)),
]


def decoration_of(d: Diagram) -> Decoration:
    class_of = {v: c for c, group in enumerate(d.layout.classes) for v in group}
    legs: Counter[int] = Counter(j for i, j in d.edges if i < d.n <= j)
    loops: Counter[int] = Counter(i for i, j in d.edges if i == j)
    kinds = Counter((class_of[v], legs[d.n + v], loops[d.n + v]) for v in range(d.n_vertices))
    return sum(j < d.n for _, j in d.edges), tuple(sorted(kinds.items()))


def decoration_from(layout: Layout, c: Configuration) -> Decoration:
    class_of = {v: k for k, group in enumerate(layout.classes) for v in group}
    kinds: Counter[tuple[int, int, int]] = Counter()
    for vertices, legs, loops, _ in c.groups:
        kinds += Counter((class_of[v], legs, loops) for v in vertices)
    return c.free, tuple(sorted(kinds.items()))


@pytest.mark.parametrize("labelled", [True, False])
@pytest.mark.parametrize(("text", "n", "order"), CASES)
def test_every_decoration_that_occurs_is_yielded_once(
    text: str, n: int, order: tuple[int, ...], labelled: bool
) -> None:
    theory = Theory.parse(text)
    layout = Layout.of(theory, n, order)
    every = contractions(theory, n, order=order)
    chosen = {
        "all": every,
        "vacuum-free": [d for d in every if d.is_vacuum_free],
        "connected": [d for d in every if d.is_connected],
        "1PI": [d for d in every if d.is_1pi],
    }
    for kind, diagrams in chosen.items():
        for self_loops in (True, False):
            wanted = Selection(kind, self_loops=self_loops, labelled=labelled)
            found = list(configurations(layout, wanted))
            given_out = [decoration_from(layout, c) for c in found]
            assert len(given_out) == len(set(given_out)), "a decoration twice"
            assert {decoration_of(d) for d in diagrams if self_loops or not d.has_self_loop} <= set(given_out)
            for c in found:
                check(layout, c, labelled=labelled, self_loops=self_loops)


def check(layout: Layout, c: Configuration, *, labelled: bool, self_loops: bool) -> None:
    """A configuration names every vertex once and uses up the legs."""
    assert sorted(v for vertices, *_ in c.groups for v in vertices) == list(range(len(layout.vertices)))
    assert sum(legs * len(vertices) for vertices, legs, _, _ in c.groups) == layout.n - 2 * c.free
    for vertices, legs, loops, residual in c.groups:
        for v in vertices:
            assert layout.vertices[v].n_legs == legs + 2 * loops + residual
        assert residual >= 0
        assert self_loops or not loops
        assert not (labelled and legs and len(vertices) > 1), "labels make vertices distinct"
    assert sum(legs * k for legs, k in c.sizes) == layout.n - 2 * c.free


def test_nothing_but_what_can_be_connected() -> None:
    """A connected diagram of several vertices has a line end left at each; a lone vertex need not."""
    layout = Layout.of(Theory.parse("l*f**4"), 4, (2,))
    for c in configurations(layout, Selection("connected")):
        assert c.free == 0
        assert all(residual for *_, residual in c.groups)
    alone = list(configurations(Layout.of(Theory.parse("l*f**4"), 4, (1,)), Selection("connected")))
    assert [c.groups for c in alone] == [(((0,), 4, 0, 0),)]


def test_what_a_selection_says() -> None:
    assert [kind for kind in KINDS if not Selection(kind).is_connected] == ["all", "vacuum-free"]
    assert Selection("all").external == "labelled"
    assert Selection("all", labelled=False).external == "indistinguishable"
    assert not Selection("all", self_loops=False, self_energies=False).has_filters
    assert Selection("all", snails=False).has_filters
    assert Selection("all", loops=0).has_filters


# --- labellings ------------------------------------------------------------------------------------------------------

SLOTS = st.lists(st.tuples(st.integers(1, 3), st.integers(0, 2)), max_size=4).map(
    # slots of one kind have one size and stand together
    lambda found: tuple(sorted((size, 10 * size + kind) for size, kind in found))
)


def brute_force(n: int, slots: tuple[tuple[int, int], ...]) -> set[tuple[tuple[int, tuple[int, ...]], ...]]:
    """All ways to fill the slots with labels; a way is the kinds of slots and the labels in them, without order."""
    found = set()
    for labels in permutations(range(n)):
        at, ways = 0, []
        for size, kind in slots:
            ways.append((kind, tuple(sorted(labels[at : at + size]))))
            at += size
        found.add(tuple(sorted(ways)))
    return found


@settings(max_examples=60, deadline=None)
@given(SLOTS)
def test_labellings_fill_the_slots_in_every_way_once(slots: tuple[tuple[int, int], ...]) -> None:
    n = sum(size for size, _ in slots)
    if n > 7:
        return
    found = np.concatenate(list(labellings(n, slots, room=10**6)))
    ways = [
        tuple(sorted((kind, tuple(np.flatnonzero(owners == k).tolist())) for k, (_, kind) in enumerate(slots)))
        for owners in found
    ]
    assert found.shape == (len(ways), n)
    assert len(ways) == len(set(ways))
    assert set(ways) == brute_force(n, slots)
    number = factorial(n)
    for size, k in Counter(slots).items():
        number //= factorial(size[0]) ** k * factorial(k)
    assert len(ways) == number == n_labellings(n, slots)
    blocks = list(labellings(n, slots, room=5))
    assert all(len(block) <= 5 * max(1, len(slots)) for block in blocks)
    assert {tuple(way) for block in blocks for way in block.tolist()} == {tuple(way) for way in found.tolist()}
    assert sum(map(len, blocks)) == number


def test_more_labellings_than_memory_come_in_blocks() -> None:
    """20 points in 10 pairs: 654729075 ways, of which some are looked at."""
    slots = ((2, 0),) * 10
    assert n_labellings(20, slots) == 654729075
    seen = 0
    for block in labellings(20, slots, room=10_000):
        assert block.nbytes < 5_000_000
        assert (np.sort(block, axis=1) == np.repeat(np.arange(10), 2)).all()
        seen += len(block)
        if seen > 200_000:
            break


def test_slots_of_a_configuration() -> None:
    """Free lines, then vertices with legs, those of one kind together; unlike kinds of one size stay apart."""
    layout = Layout.of(Theory.parse("a*f**4 + b*f**4"), 6, (2, 1))
    c = next(c for c in configurations(layout, Selection("all")) if c.free == 1 and c.sizes == ((1, 2), (2, 1)))
    slots = slots_of(c)
    assert slots[0] == (2, 0)
    assert [size for size, _ in slots] == [2, 1, 1, 2]
    assert slots[1] == slots[2]
    assert len({kind for _, kind in slots}) == 3
    assert next(labellings(6, slots, 1000)).shape == (factorial(6) // (2 * 2 * 2), 6)


def test_no_labels_and_no_slots() -> None:
    assert next(labellings(0, (), 1)).shape == (1, 0)
    (c,) = configurations(Layout.of(Theory.parse("l*f**4"), 0, (0,)), Selection("all"))
    assert c == Configuration(0, (), ())
    assert slots_of(c) == ()
