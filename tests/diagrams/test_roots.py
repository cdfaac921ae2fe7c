"""Canonical roots and stabilisers against all permutations, and cells = orbits up to the stated size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import combinations, permutations, product
from typing import Any

import networkx
import numpy as np
import numpy.typing as npt
import pytest

from feynnn import Interaction, Theory
from feynnn.diagrams.canonical import canonical_form
from feynnn.diagrams.layout import Layout
from feynnn.diagrams.pairs import places, upper_pairs
from feynnn.diagrams.roots import EXACT, canonical_root, mix, stabiliser_orders
from feynnn.diagrams.tables import Pattern, table

Lines = npt.NDArray[np.int8]

# --- small patterns: everything by brute force -----------------------------------------------------------------------

PATTERNS: list[Pattern] = [
    ((2, 4),),
    ((2, 5),),
    ((3, 4),),
    ((4, 3),),
    ((4, 4),),
    ((4, 5),),
    ((2, 2), (3, 2)),
    ((1, 2), (4, 2)),
    ((2, 2), (2, 2)),
    ((2, 3), (4, 2)),
    ((1, 1), (3, 3)),
    ((6, 2), (4, 2)),
    ((2, 1), (2, 3)),
    ((1, 4), (4, 1)),
]


@cache
def multigraphs(pattern: Pattern) -> Lines:
    """All loopless multigraphs with these degrees and named vertices, shape (pairs, graphs)."""
    degrees = [d for d, k in pattern for _ in range(k)]
    found: list[list[int]] = []

    def extend(lines: list[int], left: list[int], pairs: list[tuple[int, int]]) -> None:
        if not pairs:
            if not any(left):
                found.append(lines)
            return
        (i, j), rest = pairs[0], pairs[1:]
        if any(left[v] for v in range(i)):
            return  # a vertex that no pair left can serve
        for k in range(min(left[i], left[j]) + 1):
            fewer = left.copy()
            fewer[i] -= k
            fewer[j] -= k
            extend([*lines, k], fewer, rest)

    n = len(degrees)
    extend([], degrees, list(combinations(range(n), 2)))
    return np.array(found, dtype=np.int8).reshape(-1, n * (n - 1) // 2).T


def colours_of(pattern: Pattern) -> npt.NDArray[np.int64]:
    return np.repeat(np.arange(len(pattern)), [k for _, k in pattern])


def group_of(colours: Sequence[int]) -> list[tuple[int, ...]]:
    """All permutations of equally coloured vertices."""
    cells = [[v for v, c in enumerate(colours) if c == colour] for colour in dict.fromkeys(colours)]
    result = []
    for choice in product(*(permutations(cell) for cell in cells)):
        image = list(range(len(colours)))
        for cell, target in zip(cells, choice, strict=True):
            for v, w in zip(cell, target, strict=True):
                image[v] = w
        result.append(tuple(image))
    return result


@pytest.mark.parametrize("pattern", PATTERNS, ids=str)
def test_stabilisers_of_all_multigraphs(pattern: Pattern) -> None:
    lines, colours = multigraphs(pattern), colours_of(pattern)
    n = len(colours)
    expected = np.zeros(lines.shape[1], dtype=np.int64)
    for p in group_of(colours.tolist()):
        expected += (lines[places(n, p)] == lines).all(axis=0)
    np.testing.assert_array_equal(stabiliser_orders(lines, colours), expected)
    # vertices that a finer colouring tells apart
    finer = np.arange(n) // 2 * 10 + colours
    expected = np.zeros(lines.shape[1], dtype=np.int64)
    for p in group_of(finer.tolist()):
        expected += (lines[places(n, p)] == lines).all(axis=0)
    np.testing.assert_array_equal(stabiliser_orders(lines, finer), expected)


@pytest.mark.parametrize("pattern", PATTERNS, ids=str)
def test_one_orbit_of_roots_is_kept_of_every_multigraph(pattern: Pattern) -> None:
    """Of all graphs that differ by names, those are kept whose root lies in one orbit, and its size is right."""
    lines, colours = multigraphs(pattern), colours_of(pattern)
    n, group = len(colours), group_of(colours.tolist())
    column = {lines[:, k].tobytes(): k for k in range(lines.shape[1])}
    for g, (_, size) in enumerate(pattern):
        first = sum(k for _, k in pattern[:g])
        keep, orbits = canonical_root(lines, colours, first, size)
        orbit_of = dict(zip(np.flatnonzero(keep).tolist(), orbits.tolist(), strict=True))
        done: set[int] = set()
        for k in range(lines.shape[1]):
            if k in done:
                continue
            # vertex p[first] of this graph becomes the root of its image
            roots: dict[int, set[int]] = {}
            images = [column[np.ascontiguousarray(lines[places(n, p), k]).tobytes()] for p in group]
            for p, image in zip(group, images, strict=True):
                roots.setdefault(p[first], set()).add(image)
            done.update(images)
            orbit = {v: {w for w in roots if roots[w] == roots[v]} for v in roots}
            kept = {v for v in roots if roots[v] <= orbit_of.keys()}
            assert kept
            assert kept == orbit[min(kept)], "more than one orbit of roots"
            assert not any(roots[v] & orbit_of.keys() for v in roots if v not in kept)
            assert {orbit_of[image] for v in kept for image in roots[v]} == {len(kept)}


@pytest.mark.parametrize("pattern", [((3, 8),), ((4, 6),)], ids=str)
def test_roots_do_not_depend_on_the_other_graphs(pattern: Pattern) -> None:
    """Large tables are refined in pieces, which hold different graphs."""
    n, found, colours = pattern[0][1], table(pattern), np.zeros(pattern[0][1], dtype=np.int64)
    rooted = np.concatenate([found.lines[places(n, (v, *(w for w in range(n) if w != v)))] for v in range(n)], axis=1)
    keep, orbits = canonical_root(rooted, colours, 0, n)
    alone = [canonical_root(rooted[:, k : k + 1], colours, 0, n) for k in range(rooted.shape[1])]
    assert keep.tolist() == [bool(kept[0]) for kept, _ in alone]
    assert orbits.tolist() == [int(orbit[0]) for kept, orbit in alone if kept[0]]
    np.testing.assert_array_equal(
        stabiliser_orders(rooted, colours),
        np.concatenate([stabiliser_orders(rooted[:, k : k + 1], colours) for k in range(rooted.shape[1])]),
    )


def test_no_graphs_and_no_vertices() -> None:
    none = np.zeros((6, 0), dtype=np.int8)
    keep, orbits = canonical_root(none, np.zeros(4, dtype=np.int64), 0, 4)
    assert keep.shape == orbits.shape == (0,)
    assert stabiliser_orders(none, np.zeros(4, dtype=np.int64)).shape == (0,)
    one = stabiliser_orders(np.zeros((0, 3), dtype=np.int8), np.zeros(1, dtype=np.int64))
    assert one.tolist() == [1, 1, 1]


def test_hashes_are_those_of_splitmix64() -> None:
    """Its first outputs for the seed 0, as in the reference program: the state grows by the golden ratio."""
    golden = 0x9E3779B97F4A7C15
    states = np.array([golden * k % 2**64 for k in (1, 2, 3)], dtype=np.uint64)
    assert [int(x) for x in mix(states)] == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]


# --- cells are orbits, up to the stated size -------------------------------------------------------------------------


def lines_of(graph: networkx.Graph[Any]) -> Lines:
    n = graph.number_of_nodes()
    graph = networkx.convert_node_labels_to_integers(graph)
    i, j = upper_pairs(n)
    return np.array([graph.number_of_edges(a, b) for a, b in zip(i.tolist(), j.tolist(), strict=True)], dtype=np.int8)


def exact_order(lines: Lines, n: int, root: int | None = None) -> int:
    """|Aut| by individualisation and refinement, with one vertex held fixed if asked."""
    i, j = upper_pairs(n)
    degrees = np.zeros(n, dtype=np.int64)
    np.add.at(degrees, i, lines)
    np.add.at(degrees, j, lines)
    # equal degrees are equal vertices, the root is a kind of its own
    order = sorted(range(n), key=lambda v: (v != root, degrees[v]))
    place = {v: k for k, v in enumerate(order)}
    vertices = tuple(Interaction(int(degrees[v]) or 1, f"g{'r' if v == root else 0}{degrees[v]}") for v in order)
    layout = Layout(0, vertices)
    row = np.zeros(len(layout.pairs), dtype=np.int8)
    for a, b, k in zip(i.tolist(), j.tolist(), lines.tolist(), strict=True):
        row[layout.column[place[a], place[b]]] = k
    return canonical_form(layout, row)[1]


def check(lines: Lines, n: int) -> None:
    """The roots kept among all vertices are one orbit, and the chain of stabilisers gives the whole group."""
    assert n <= EXACT
    whole = exact_order(lines, n)
    colours = np.zeros(n, dtype=np.int64)
    assert stabiliser_orders(lines[:, None], colours).tolist() == [whole]
    rooted = np.array([lines[places(n, (v, *(w for w in range(n) if w != v)))] for v in range(n)], dtype=np.int8).T
    keep, orbits = canonical_root(rooted, colours, 0, n)
    kept = np.flatnonzero(keep).tolist()
    assert orbits.tolist() == [len(kept)] * len(kept)
    # the kept roots are whole orbits, each as large as all of them: one orbit
    for v in {kept[0], kept[-1]}:
        assert exact_order(lines, n, root=v) * len(kept) == whole


Group = tuple[list[Any], Callable[[Any, Any], Any]]


def abelian(*sizes: int) -> Group:
    return list(product(*map(range, sizes))), lambda a, b: tuple(
        (x + y) % m for x, y, m in zip(a, b, sizes, strict=True)
    )


def twisted(m: int, square: int = 0) -> Group:
    """Rotations r^k and r^k s with s r = r^-1 s and s^2 = r^square: dihedral for 0, dicyclic for m / 2."""
    elements = [(k, e) for k in range(m) for e in range(2)]
    return elements, lambda a, b: (
        (a[0] + (-1) ** a[1] * b[0] + square * a[1] * b[1]) % m,
        (a[1] + b[1]) % 2,
    )


def alternating_4() -> Group:
    even = [p for p in permutations(range(4)) if sum(p[i] > p[j] for i, j in combinations(range(4), 2)) % 2 == 0]
    return even, lambda p, q: tuple(p[k] for k in q)


#: All groups of up to 13 elements whose Cayley graphs have 5 points or more.
GROUPS: dict[str, Group] = {
    **{f"Z{n}": abelian(n) for n in range(5, 14)},
    "S3": twisted(3),
    "Z2 x Z2 x Z2": abelian(2, 2, 2),
    "Z2 x Z4": abelian(2, 4),
    "D4": twisted(4),
    "Q8": twisted(4, 2),
    "Z3 x Z3": abelian(3, 3),
    "D5": twisted(5),
    "Z2 x Z6": abelian(2, 6),
    "D6": twisted(6),
    "A4": alternating_4(),
    "Dic3": twisted(6, 3),
}


def cayley_graphs(group: Group) -> Iterator[Lines]:
    """The graphs a - a s, for s in a set that holds the inverse of each of its elements."""
    elements, times = group
    (unit,) = [e for e in elements if all(times(e, a) == a for a in elements)]
    inverse = {a: b for a in elements for b in elements if times(a, b) == unit}
    steps = sorted({tuple(sorted({a, inverse[a]})) for a in elements if a != unit})
    i, j = upper_pairs(len(elements))
    between = [times(inverse[elements[a]], elements[b]) for a, b in zip(i.tolist(), j.tolist(), strict=True)]
    for size in range(1, len(steps) + 1):
        for chosen in combinations(steps, size):
            connection = {a for step in chosen for a in step}
            yield np.array([a in connection for a in between], dtype=np.int8)


@pytest.mark.parametrize(
    "name", [pytest.param(k, marks=pytest.mark.slow if len(g[0]) == 12 else (), id=k) for k, g in GROUPS.items()]
)
def test_vertex_transitive_graphs(name: str) -> None:
    """All Cayley graphs; up to 13 points only Petersen's and its complement are transitive and not among them."""
    for lines in cayley_graphs(GROUPS[name]):
        check(lines, len(GROUPS[name][0]))


def paley_9() -> networkx.Graph[int]:
    return networkx.line_graph(networkx.complete_bipartite_graph(3, 3))


GRAPHS: dict[str, networkx.Graph[int]] = {
    "Petersen": networkx.petersen_graph(),
    "complement of Petersen": networkx.complement(networkx.petersen_graph()),
    "Paley 9": paley_9(),
    "Paley 13": networkx.circulant_graph(13, [1, 3, 4]),
    "icosahedron": networkx.icosahedral_graph(),
    "complement of icosahedron": networkx.complement(networkx.icosahedral_graph()),
    "cuboctahedron": networkx.line_graph(networkx.cubical_graph()),
    "octahedron": networkx.octahedral_graph(),
    "cube": networkx.cubical_graph(),
    "truncated tetrahedron": networkx.truncated_tetrahedron_graph(),
    "Frucht": networkx.frucht_graph(),
    "Franklin": networkx.LCF_graph(12, [5, -5], 6),
    "Wagner": networkx.circulant_graph(8, [1, 4]),
    "Heawood without a point": networkx.heawood_graph().subgraph(range(13)),
    "K_6,6": networkx.complete_bipartite_graph(6, 6),
    "K_4,4,4": networkx.complete_multipartite_graph(4, 4, 4),
    "K_3,3,3,3": networkx.complete_multipartite_graph(3, 3, 3, 3),
    "K_2,2,2,2,2,2": networkx.complete_multipartite_graph(2, 2, 2, 2, 2, 2),
    "K_13": networkx.complete_graph(13),
    "rook 3x4": networkx.line_graph(networkx.complete_bipartite_graph(3, 4)),
    "crown of 6": networkx.complement(networkx.circular_ladder_graph(6)),
    "prism of 6": networkx.circular_ladder_graph(6),
    "Moebius ladder of 12": networkx.circulant_graph(12, [1, 6]),
    "two Petersen halves": networkx.disjoint_union(networkx.cycle_graph(5), networkx.cycle_graph(5)),
    "Petersen and a triangle": networkx.disjoint_union(networkx.petersen_graph(), networkx.cycle_graph(3)),
    "Paley 9 and K_4": networkx.disjoint_union(paley_9(), networkx.complete_graph(4)),
    "K_3,3 and the prism": networkx.disjoint_union(
        networkx.complete_bipartite_graph(3, 3), networkx.circular_ladder_graph(3)
    ),
    "four triangles": networkx.disjoint_union_all([networkx.cycle_graph(3)] * 4),
    "hexagons and triangles": networkx.disjoint_union_all([networkx.cycle_graph(6)] + [networkx.cycle_graph(3)] * 2),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_well_known_graphs(name: str) -> None:
    graph = GRAPHS[name]
    check(lines_of(graph), graph.number_of_nodes())


@pytest.mark.parametrize(
    ("degree", "n"),
    [
        *[(3, n) for n in (4, 6, 8, 10)],
        *[(4, n) for n in range(4, 10)],
        *[(5, n) for n in (4, 6)],
        *[(6, n) for n in range(4, 8)],
        *[pytest.param(*case, marks=pytest.mark.slow) for case in ((3, 12), (4, 10), (5, 8), (6, 8))],
    ],
)
def test_all_regular_multigraphs(degree: int, n: int) -> None:
    """The whole table: stabilisers as the recursion made them, by a chain, and by individualisation."""
    found = table(((degree, n),))
    colours = np.zeros(n, dtype=np.int64)
    np.testing.assert_array_equal(stabiliser_orders(found.lines, colours), found.stabilisers)
    layout = Layout.of(Theory([Interaction(degree, "g")]), 0, (n,))
    i, j = upper_pairs(n)
    rows = np.zeros((len(found), len(layout.pairs)), dtype=np.int8)
    rows[:, layout.column[i, j]] = found.lines.T
    exact = [canonical_form(layout, row) for row in rows]
    assert [order for _, order in exact] == found.stabilisers.tolist()
    assert len({form.tobytes() for form, _ in exact}) == len(found), "a graph twice"


@pytest.mark.parametrize(("degree", "n"), [(3, 10), (3, 12), (4, 11), (4, 13), (5, 12), (6, 13)])
def test_random_regular_graphs(degree: int, n: int) -> None:
    for seed in range(6):
        check(lines_of(networkx.random_regular_graph(degree, n, seed=seed)), n)
