"""Places and curves: apart from each other, inside their box, symmetric where the diagram is, always the same."""

import os
import subprocess
import sys
from collections import Counter
from functools import cache
from itertools import combinations
from math import dist, pi

import numpy as np
import pytest

import feynnn as fn
from feynnn.views.curves import Array, Drawing, angle, arc, boxed, crossings, distances, loop, sample, tidy
from feynnn.views.geometry import arrange, judged, seated

PHI4 = fn.Theory.parse("lam*f**4")
MIXED = fn.Theory.parse("lam*f**4 + kap*f**6")
NONLOCAL = fn.Theory.parse("nl*f(y)**2*f(z)**2")
CUBIC = fn.Theory.parse("g*f**3")


def close(p: tuple[float, float], q: tuple[float, float]) -> bool:
    return dist(p, q) < 2e-3


@cache
def many() -> list[tuple[fn.Diagram, Drawing]]:
    """All of phi^4 up to third order (a third of it for n = 4), all mixed topologies at second order, and others."""
    chosen = [d for k in range(4) for d in fn.generate(PHI4, 0, order=k, kind="all")]
    chosen += [
        d for n in (2, 4) for k in range(4) for d in list(fn.generate(PHI4, n, order=k))[:: 3 if n + k == 7 else 1]
    ]
    for order in ({"lam": 2}, {"lam": 1, "kap": 1}, {"kap": 2}):
        ds = fn.generate(MIXED, 6, order=order)
        chosen += [*ds.topologies(), *list(ds)[::60]]
    chosen += [*fn.generate(NONLOCAL, 4, order=1, kind="all"), *fn.generate(CUBIC, 3, order=3, kind="all")]
    return [(d, arrange(d)) for d in chosen]


def check_distances(d: fn.Diagram, g: Drawing) -> None:
    """Nodes keep away from each other, and lines from the nodes that they do not join."""
    for a, b in combinations(g.nodes, 2):
        assert dist(a.at, b.at) > 0.35, (d, a.name, b.name)
    lines = [*g.curves, *g.connectors]
    apart = distances([node.at for node in g.nodes], [c.points for c in lines])
    for k, node in enumerate(g.nodes):
        for m, c in enumerate(lines):
            assert k in c.ends or apart[k, m] > 0.09, (d, node.name, c.ends)


def test_nodes_and_lines_stay_apart() -> None:
    for d, g in many():
        check_distances(d, g)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n", "order"), [(4, {"lam": 3}), (6, {"lam": 2}), (6, {"lam": 1, "kap": 1}), (6, {"kap": 2})], ids=str
)
def test_nodes_and_lines_stay_apart_in_every_labelling(n: int, order: dict[str, int]) -> None:
    for d in fn.generate(MIXED, n, order=order, kind="all" if n == 4 else "vacuum-free"):
        check_distances(d, arrange(d))


def test_everything_lies_in_the_box() -> None:
    for d, g in many():
        labels = [node.label for node in g.nodes if node.label is not None]
        for x, y in [*(node.at for node in g.nodes), *labels, *(p for c in g.curves for p in sample(c.points))]:
            assert 0.1 < x < g.size[0] - 0.1, d
            assert 0.1 < y < g.size[1] - 0.1, d


def test_there_is_a_curve_for_every_line_from_node_to_node() -> None:
    for d, g in many():
        assert Counter(tuple(sorted(c.ends)) for c in g.curves) == Counter(d.edges)
        assert len(g.connectors) == sum(len(nodes) - 1 for nodes in d.layout.points)
        for c in [*g.curves, *g.connectors]:
            assert len(c.points) == 2 or len(c.points) % 3 == 1
            assert close(c.points[0], g.nodes[c.ends[0]].at)
            assert close(c.points[-1], g.nodes[c.ends[1]].at)
        assert len({c.points for c in g.curves}) == len(g.curves), "two lines on top of each other"


def test_nodes_know_their_coupling_and_external_points_their_label() -> None:
    for d, g in many():
        assert [node.name for node in g.nodes] == list(d.names)
        for k, node in enumerate(g.nodes):
            if k < d.n:
                assert node.coupling is None
                assert node.label is not None
            else:
                vertex = d.layout.vertices[d.layout.part_of[k] - d.n]
                assert node.coupling is not None
                assert d.theory.couplings[node.coupling] == vertex.coupling
                assert node.label is None


def test_connected_tree_like_diagrams_have_no_crossings() -> None:
    for d, g in many():
        if d.is_connected and d.n == 2 and d.layout.n_nodes <= 4:
            assert crossings([c.points for c in g.curves]) == 0, d


def test_coordinates_are_rounded() -> None:
    for _, g in many()[:60]:
        for x, y in [*(node.at for node in g.nodes), *(p for c in g.curves for p in c.points), g.size, g.centre]:
            assert x == round(x, 3)
            assert y == round(y, 3)


# --- shapes that everybody knows --------------------------------------------------------------------------------------


def only(theory: fn.Theory, n: int, order: int, edges: list[tuple[int, int]]) -> Drawing:
    return arrange(fn.Diagram.from_edges(theory, n, order, edges))


def mirrored(g: Drawing, x: bool, y: bool) -> set[tuple[float, float]]:
    """The places of the nodes, reflected in the middle of the frame, in thousandths."""
    a, b = g.centre
    return {
        (round(1000 * (2 * a - p if x else p)), round(1000 * (2 * b - q if y else q)))
        for p, q in (node.at for node in g.nodes)
    }


def test_the_x_diagram_is_the_slides_one() -> None:
    g = only(PHI4, 4, 1, [(0, 4), (1, 4), (2, 4), (3, 4)])
    x1, x2, x3, x4, y = (node.at for node in g.nodes)
    assert x1[0] == x2[0] < y[0] < x3[0] == x4[0]
    assert x2[1] == x4[1] < y[1] < x1[1] == x3[1]
    assert y == g.centre
    assert mirrored(g, True, False) == mirrored(g, False, True) == mirrored(g, False, False)
    assert all(len(c.points) == 2 for c in g.curves)
    assert (tidy(2 * g.centre[0]), tidy(2 * g.centre[1])) == g.size


@pytest.mark.parametrize(
    ("edges", "parallel"), [([(0, 1), (2, 3)], True), ([(0, 2), (1, 3)], True), ([(0, 3), (1, 2)], False)]
)
def test_free_pairings_are_two_parallel_lines_or_a_cross(edges: list[tuple[int, int]], parallel: bool) -> None:
    g = only(PHI4, 4, 0, edges)
    (a, b), (c, d) = (curve.points for curve in g.curves)
    assert (close((b[0] - a[0], b[1] - a[1]), (d[0] - c[0], d[1] - c[1]))) is parallel
    assert crossings([curve.points for curve in g.curves]) == (0 if parallel else 1)


@pytest.mark.parametrize(
    ("edges", "x", "y"),
    [
        ([(0, 4), (1, 4), (4, 5), (4, 5), (2, 5), (3, 5)], True, True),  # s channel
        ([(0, 4), (2, 4), (4, 5), (4, 5), (1, 5), (3, 5)], True, True),  # t channel
        ([(0, 4), (3, 4), (4, 5), (4, 5), (1, 5), (2, 5)], False, True),  # u channel: legs cross on one side
    ],
)
def test_the_three_channels_are_symmetric(edges: list[tuple[int, int]], x: bool, y: bool) -> None:
    g = only(PHI4, 4, 2, edges)
    assert mirrored(g, x, False) == mirrored(g, False, y) == mirrored(g, False, False)
    a, b = g.nodes[4].at, g.nodes[5].at
    assert dist(a, b) > 0.7
    assert crossings([c.points for c in g.curves]) == (0 if x else 1)


def test_chains_of_a_two_point_function_lie_on_a_line() -> None:
    tadpole = only(PHI4, 2, 1, [(0, 2), (1, 2), (2, 2)])
    chain = only(PHI4, 2, 3, [(0, 2), (2, 2), (2, 3), (3, 3), (3, 4), (4, 4), (1, 4)])
    sunset = only(PHI4, 2, 2, [(0, 2), (2, 3), (2, 3), (2, 3), (1, 3)])
    for g in (tadpole, chain, sunset):
        assert {node.at[1] for node in g.nodes} == {g.centre[1]}
    for g in (tadpole, chain):
        assert all(p[1] >= g.centre[1] for c in g.curves for p in c.points), "loops stand on the line"


def test_what_hangs_on_a_vertex_leaves_its_line_straight() -> None:
    g = only(PHI4, 2, 2, [(0, 2), (1, 2), (2, 3), (2, 3), (3, 3)])
    assert g.nodes[0].at[1] == g.nodes[1].at[1] == g.nodes[2].at[1] < g.nodes[3].at[1]
    assert g.nodes[2].at[0] == g.nodes[3].at[0]


def test_two_loops_on_a_vertex_point_in_opposite_directions() -> None:
    g = only(fn.Theory.parse("kap*f**6"), 2, 1, [(0, 2), (1, 2), (2, 2), (2, 2)])
    loops = [c.points for c in g.curves if c.ends == (2, 2)]
    up, down = sorted((max(p, key=lambda q: abs(q[1] - g.centre[1]))[1] - g.centre[1] for p in loops), reverse=True)
    assert up == pytest.approx(-down)
    assert up > 0.4


def test_parallel_lines_are_symmetric_arcs() -> None:
    g = only(PHI4, 0, 2, [(0, 1)] * 4)
    middle = sorted(sample(c.points, 2)[1][1] - g.centre[1] for c in g.curves)
    assert middle == pytest.approx([-middle[3], -middle[2], middle[2], middle[3]], abs=2e-3)
    assert len(set(middle)) == 4


def test_a_bilocal_vertex_is_two_points_with_a_connector() -> None:
    g = only(NONLOCAL, 4, 1, [(0, 4), (1, 4), (2, 5), (3, 5)])
    assert [c.ends for c in g.connectors] == [(4, 5)]
    assert g.nodes[4].at[1] == g.nodes[5].at[1] == g.centre[1]
    assert g.nodes[4].coupling == g.nodes[5].coupling == 0


def test_vacuum_components_stand_to_the_right() -> None:
    d = next(d for d in fn.generate(PHI4, 2, order=1, kind="all") if not d.is_vacuum_free)
    g = arrange(d)
    label = g.nodes[1].label
    assert label is not None
    assert min(x for c in g.curves if c.ends == (2, 2) for x, _ in sample(c.points)) > label[0]


def test_no_nodes_at_all() -> None:
    g = boxed([], [], [])
    assert (len(g.nodes), len(g.curves), len(g.connectors)) == (0, 0, 0)
    assert g == only(PHI4, 0, 0, [])


@pytest.mark.parametrize("n", [1, 3, 5, 7, 8, 10])
def test_any_number_of_external_points(n: int) -> None:
    star = only(fn.Theory([fn.Interaction(n, "g")]), n, 1, [(k, n) for k in range(n)])
    assert all(dist(a.at, b.at) > 0.3 for a, b in combinations(star.nodes, 2))
    assert crossings([c.points for c in star.curves]) == 0


# --- curves -----------------------------------------------------------------------------------------------------------


def test_an_arc_is_round() -> None:
    points = sample(arc((-1.0, 0.0), (1.0, 0.0), pi / 2), 10)
    assert all(dist(p, (0.0, 0.0)) == pytest.approx(1.0, abs=0.02) for p in points)
    assert points[5][1] == pytest.approx(1.0, abs=1e-9)
    assert arc((0.0, 0.0), (1.0, 0.0), 0.0) == ((0.0, 0.0), (1.0, 0.0))


@pytest.mark.parametrize("room", [0.6, 1.5, pi, 2 * pi])
def test_a_loop_stays_in_its_room(room: float) -> None:
    points = sample(loop((0.0, 0.0), 0.0, room))
    assert points[0] == pytest.approx(points[-1])
    assert max(points)[0] == pytest.approx(0.54, abs=0.02)
    assert all(angle((0.0, 0.0), (1.0, 0.0), p) <= room / 2 + 1e-9 for p in points[1:-1])


# --- topologies, which stand for all their labellings ----------------------------------------------------------------


@cache
def topologies() -> list[tuple[fn.Diagram, Drawing]]:
    sets = [fn.generate(PHI4, n, order=k, external="indistinguishable") for n in (4, 6) for k in (1, 2, 3)]
    return [(d, arrange(d)) for ds in sets for d in ds]


def test_topologies_of_low_order_are_drawn_without_crossings() -> None:
    for d, g in topologies():
        check_distances(d, g)
        assert crossings([c.points for c in g.curves]) == 0, d


def test_the_components_of_a_topology_are_apart_one_below_the_other() -> None:
    for d, g in topologies():
        previous = float("inf")
        for nodes in d.components:
            ys = [y for c in g.curves if c.ends[0] in nodes for _, y in sample(c.points)]
            assert d.copies == 1 or previous - max(ys) > 0.4, d
            previous = min(ys)


def test_the_external_points_of_a_topology_keep_their_own_legs() -> None:
    # seated anew, every name still stands at the end of the leg that the diagram gives it
    for d, g in topologies():
        for k in range(d.n):
            (leg,) = [c for c in g.curves if k in c.ends]
            assert close(leg.points[0 if leg.ends[0] == k else -1], g.nodes[k].at)


def test_a_topology_keeps_its_labels_in_place_where_that_is_good() -> None:
    bubble = fn.Diagram.from_edges(PHI4, 4, 2, [(0, 4), (1, 4), (2, 5), (3, 5), (4, 5), (4, 5)])
    (topology,) = [d for d, _ in topologies() if d.edges == bubble.edges]
    assert topology.copies == 3
    assert arrange(topology) == arrange(bubble)


def test_three_pairs_around_a_triangle_sit_beside_each_other() -> None:
    (d,) = fn.generate(PHI4, 6, order=3, kind="1PI", external="indistinguishable")
    assert crossings([c.points for c in arrange(d).curves]) == 0
    labelled = fn.Diagram.from_edges(PHI4, 6, 3, d.edges)
    assert labelled.edges == d.edges
    assert crossings([c.points for c in arrange(labelled).curves]) > 0, "one labelled diagram has its points in place"


# --- the same every time ----------------------------------------------------------------------------------------------


def test_the_same_bytes_in_another_process() -> None:
    code = (
        "import feynnn as fn\n"
        "from feynnn.views.geometry import arrange\n"
        "ds = fn.generate(fn.Theory.parse('lam*f**4 + kap*f**6'), 4, order={'lam': 1, 'kap': 1})\n"
        "print([arrange(d) for d in ds[::9]])"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    ds = fn.generate(MIXED, 4, order={"lam": 1, "kap": 1})
    judged.cache_clear()
    seated.cache_clear()
    assert outputs == {f"{[arrange(d) for d in ds[::9]]}\n"}


def test_another_linear_algebra_library_draws_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    ds = list(fn.generate(PHI4, 4, order=2)) + list(fn.generate(CUBIC, 3, order=3))[::3]
    ds += [*fn.generate(PHI4, 6, order=2, external="indistinguishable")]
    before = [arrange(d) for d in ds]
    solve, rng = np.linalg.solve, np.random.default_rng(1)

    def noisy(a: Array, b: Array) -> Array:
        return np.asarray(solve(a, b) * (1.0 + 2e-15 * rng.standard_normal(b.shape)))

    monkeypatch.setattr(np.linalg, "solve", noisy)
    judged.cache_clear()
    seated.cache_clear()
    assert [arrange(d) for d in ds] == before


def test_noise_in_the_last_bits_does_not_change_the_rounding() -> None:
    for k in range(-40, 40):
        value = (k + 0.5) / 1000
        assert tidy(value + 1e-15) == tidy(value - 1e-15) == tidy(value)
        assert tidy(-value) == -tidy(value)
    assert str(tidy(-1e-12)) == "0.0"
