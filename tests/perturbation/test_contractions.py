"""Contractions: normal forms, index equations against explicit sums, plans, memory."""

from fractions import Fraction
from itertools import permutations, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from perturbation_oracles import gaussian_diagram

from feynnn.combinatorics import multisets
from feynnn.diagrams.diagram import Diagram
from feynnn.diagrams.generation import generate
from feynnn.errors import ComputationError
from feynnn.perturbation import contractions as module
from feynnn.perturbation.contractions import (
    Contraction,
    MeshTable,
    Shape,
    connected_pieces,
    contraction,
    evaluate,
    plan,
    products_of,
)
from feynnn.perturbation.correlator import Correlator
from feynnn.perturbation.integration import Integrator
from feynnn.perturbation.quadrature import Cutoff, Mesh
from feynnn.points import Array
from feynnn.theory import Interaction, Theory
from feynnn.theory.kernels import Erf, Gauss, Kernel, Lattice, ReLU

PHI4 = Theory.parse("lam*f**4")
TWO = Theory.parse("lam*f**4 + kap*f**6")
EXACT = Theory.parse("lam*f**4 + kap*f**6", propagator="exact")
V = "K_v"
KERNELS: dict[str, Kernel] = {"A": Erf(), "B": Gauss(sigma_w=0.7)}

# --- normal form ------------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_the_names_of_points_and_lines_do_not_matter(data: st.DataObject) -> None:
    piece = data.draw(graphs())
    order = data.draw(st.permutations(range(piece["points"])))
    one = build(piece)
    other = contraction(
        [order[p] + 7 for p in range(piece["points"])],
        [(label, order[p] + 7, name) for label, p, name in reversed(piece["legs"])],
        [(order[b] + 7, order[a] + 7, name) for a, b, name in reversed(piece["lines"])],
        {order[p] + 7: k for p, k in piece["powers"].items()},
    )
    assert one.shape == other.shape
    # labels may differ by a symmetry of the shape, values may not
    x, table = small_table()
    value = evaluate(one.shape, table)
    assert at_labels(one, value, len(x)) == pytest.approx(at_labels(other, value, len(x)), rel=1e-12)


def test_relabelled_diagrams_share_their_shape() -> None:
    """One connected piece for every topology of the six-point function at first order in the exact scheme."""
    shapes = {p.shape for d in generate(EXACT, 6, order={"lam": 1}) for t in products_of(d) for p in t.pieces}
    assert len(shapes) == 1
    shapes = {p.shape for d in generate(EXACT, 6, order={"kap": 1}) for t in products_of(d) for p in t.pieces}
    assert len(shapes) == 2
    (exchange,) = {
        p.shape
        for d in generate(PHI4, 6, order=2, kind="connected", self_energies=False)
        for t in products_of(d)
        for p in t.pieces
    }
    assert exchange == Shape((((V, 3),), ((V, 3),)), ((), ()), (0, 0), ((0, 1, V, 1),))


def test_work_is_one_evaluation_for_each_topology(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Shape] = []

    def counted(shape: Shape, table: MeshTable) -> Array:
        calls.append(shape)
        return evaluate(shape, table)

    monkeypatch.setattr("feynnn.perturbation.integration.evaluate", counted)
    k = Gauss()
    g6 = Correlator(EXACT, 6, kernel=k, vertex_kernel=k.without_bias(), cutoff=Cutoff())
    series = g6.series([0.0, 0.1, 0.4])
    assert sum(len(g6.diagrams(o)) for o in series) == 15 + 15 + 16
    assert len(set(calls)) == 3
    # four meshes of each, the first one twice for the size of the absolute integrand
    assert len(calls) <= 3 * 5


def test_more_than_six_points_are_taken_as_they_come() -> None:
    chain = [(p, p + 1, V) for p in range(7)]
    c = contraction(list(range(8)), [(0, 0, V), (1, 7, V)], chain, {})
    assert c.shape.n_points == 8
    assert c.shape.n_lines == 9
    k = Gauss(sigma_b=0)
    x = np.array([[0.2], [0.9]])
    p = Integrator({V: k}, x, Cutoff(), rtol=1e-8).piece(c, np.array([[0, 1]]))
    assert p.values[0] == pytest.approx((2 * np.pi) ** 4 / 3 * np.exp(-(0.7**2) / 18), rel=1e-9)


# --- diagrams as products ---------------------------------------------------------------------------------------------


def test_a_diagram_is_coefficient_couplings_free_lines_and_pieces() -> None:
    (d,) = (d for d in generate(TWO, 4, order={"kap": 1}) if (0, 1) in d.edges and not d.is_connected)
    (term,) = products_of(d)
    assert (term.coefficient, term.couplings, term.free) == (Fraction(-90), (("kap", 1),), ((0, 1, "K"),))
    (piece,) = term.pieces
    assert piece == Contraction(Shape((((V, 2),),), (((V, 2),),), (0,), ()), ((2, 3),))
    assert piece.shape.n_lines == 4
    assert piece.shape.kernels == {V}
    (renamed,) = products_of(d, free="F", vertex="W")
    assert renamed.free == ((0, 1, "F"),)
    assert renamed.pieces[0].shape.kernels == {"W"}


def test_a_profile_that_is_a_sum_gives_several_products() -> None:
    theory = Theory.parse("lam*(1/3 - 2*y**2)*f**4")
    (d,) = generate(theory, 4, order=1, kind="connected")
    terms = products_of(d)
    assert {(t.coefficient, t.pieces[0].shape.powers) for t in terms} == {(Fraction(-8), (0,)), (Fraction(48), (2,))}


def test_points_of_one_vertex_without_a_line_are_pieces_of_their_own() -> None:
    theory = Theory([Interaction((2, 2), "nl", profile="y**2 + z**2")])
    both = [products_of(d) for d in generate(theory, 4, order=1, kind="connected")]
    assert len(both) == 3
    for terms in both:
        for t in terms:
            assert len(t.pieces) == 2
            assert sum(p.shape.powers[0] for p in t.pieces) == 2
    (joined,) = (d for d in generate(theory, 2, order=1, kind="connected") if not d.has_self_loop)
    assert [len(t.pieces) for t in products_of(joined)] == [1, 1]


@pytest.mark.parametrize(("n", "order", "d_in"), [(4, 3, 1), (4, 3, 2), (2, 3, 3), (2, 4, 1)])
def test_three_and_four_vertices_against_determinants(n: int, order: int, d_in: int) -> None:
    """Chains, triangles, boxes with one diagonal and the like."""
    k = Gauss(sigma_w=1.3, d_in=d_in)
    x = np.random.default_rng(order).normal(size=(n, d_in))
    tool = Integrator({"K": k, V: k.without_bias()}, x, Cutoff(), rtol=1e-5)
    diagrams = generate(
        PHI4, n, order=order, kind="1PI" if order == 4 else "connected", self_loops=False, external="indistinguishable"
    )
    assert len(diagrams) >= 2
    for d in diagrams:
        (term,) = products_of(d)
        p = tool.product(term, np.arange(n)[None, :])
        exact = float(d.coefficient) * gaussian_diagram(d, x, sigma_w=1.3, sigma_b=1.0)
        assert abs(p.values[0] - exact) <= p.bound[0] <= 4e-5 * abs(exact)


# --- index equations against explicit sums ----------------------------------------------------------------------------


@st.composite
def graphs(draw: st.DrawFn, max_points: int = 4) -> dict[str, Any]:
    """A connected piece with two kernels, coincident labels, parallel lines, loops and weights."""
    n = draw(st.integers(1, max_points))
    name = st.sampled_from(["A", "B"])
    lines = [(draw(st.integers(0, p - 1)), p, draw(name)) for p in range(1, n)]
    lines += [
        (draw(st.integers(0, n - 1)), draw(st.integers(0, n - 1)), draw(name)) for _ in range(draw(st.integers(0, 3)))
    ]
    n_legs = draw(st.integers(0, 4))
    legs = [(label, draw(st.integers(0, n - 1)), draw(name)) for label in range(n_legs)]
    powers = {p: draw(st.integers(0, 3)) for p in range(n) if draw(st.booleans())}
    return {"points": n, "legs": legs, "lines": lines, "powers": powers}


def build(piece: dict[str, Any]) -> Contraction:
    return contraction(list(range(piece["points"])), piece["legs"], piece["lines"], piece["powers"])


def small_table(*, absolute: bool = False, m: int = 2) -> tuple[Array, MeshTable]:
    x = np.array([[0.4], [-1.1], [0.9]])[:m]
    nodes = np.array([[-1.3], [-0.2], [0.8], [1.6]])
    return x, MeshTable(KERNELS, x, Mesh(nodes, np.array([0.5, -0.3, 0.7, 0.4])), absolute=absolute)


def at_labels(c: Contraction, value: Array, m: int) -> Array:
    """The value at every assignment of inputs to labels, shape (m,) * labels."""
    n = sum(len(group) for group in c.labels)
    result = np.zeros((m,) * n)
    counts = [k for at in c.shape.legs for _, k in at]
    for inputs in product(range(m), repeat=n):
        place = []
        for group, k in zip(c.labels, counts, strict=True):
            rows = multisets(m, k).tolist()
            place.append(rows.index(sorted(inputs[label] for label in group)))
        result[inputs] = value[tuple(place)]
    return result


def explicit(piece: dict[str, Any], table: MeshTable, x: Array) -> Array:
    """The sum over nodes for every assignment of inputs, one term at a time."""
    mesh, sign = table.mesh, np.abs if table.absolute else np.asarray
    n_legs = len(piece["legs"])
    inner = {name: sign(k(mesh.nodes, mesh.nodes)) for name, k in KERNELS.items()}
    outer = {name: sign(k(x, mesh.nodes)) for name, k in KERNELS.items()}
    result = np.zeros((len(x),) * n_legs)
    for nodes in product(range(len(mesh)), repeat=piece["points"]):
        term = 1.0
        for p, y in enumerate(nodes):
            term *= float(sign(mesh.weights[y])) * float(sign(mesh.nodes[y, 0])) ** piece["powers"].get(p, 0)
        for a, b, name in piece["lines"]:
            term *= inner[name][nodes[a], nodes[b]]
        for inputs in product(range(len(x)), repeat=n_legs):
            value = term
            for (_, p, name), i in zip(piece["legs"], inputs, strict=True):
                value *= outer[name][i, nodes[p]]
            result[inputs] += value
    return result


@settings(max_examples=80, deadline=None)
@given(graphs(), st.booleans())
def test_contractions_are_sums_over_nodes(piece: dict[str, Any], absolute: bool) -> None:
    c = build(piece)
    x, table = small_table(absolute=absolute)
    found = at_labels(c, evaluate(c.shape, table), len(x))
    expected = explicit(piece, table, x)
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-12 * np.abs(expected).max())


def test_diagonals_are_kernels_at_coincident_nodes() -> None:
    k = Lattice([[2.0, 0.5], [0.5, 1.0]], weights=[1.0, 3.0])
    c = contraction([0], [], [(0, 0, V)] * 3, {})
    table = MeshTable({V: k}, np.zeros((0, 1)), Mesh(k.sites, k.weights))
    assert evaluate(c.shape, table) == pytest.approx(1 * 2.0**3 + 3 * 1.0)


def test_blocks_of_a_large_mesh_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.linspace(-1, 1, 5)[:, None]
    nodes = np.linspace(-2, 2, 5_001)[:, None]
    table = MeshTable({V: Erf()}, x, Mesh(nodes, np.full(len(nodes), 1e-3)))
    star = contraction([0], [(label, 0, V) for label in range(8)], [], {}).shape
    value = evaluate(star, table)
    assert value.shape == (len(multisets(5, 8)),)
    rows = Erf()(x, nodes)
    for k in (0, 77, -1):
        expected = 1e-3 * np.prod(rows[multisets(5, 8)[k]], axis=0).sum()
        assert value[k] == pytest.approx(expected, rel=1e-12)


def test_disjoint_points_make_disjoint_pieces() -> None:
    pieces = connected_pieces([3, 5, 8, 9], [(0, 3, V), (1, 8, V)], [(3, 9, V), (5, 5, V)], {5: 2})
    assert [p.shape.n_points for p in pieces] == [2, 1, 1]
    assert [p.labels for p in pieces] == [((0,),), (), ((1,),)]
    assert pieces[1].shape.powers == (2,)


# --- plans and memory -------------------------------------------------------------------------------------------------


def shapes_of(theory: Theory, n: int, order: int) -> set[Shape]:
    return {p.shape for d in generate(theory, n, order=order, kind="connected") for p in products_of(d)[0].pieces}


def test_plans_do_not_contract_everything_at_once() -> None:
    """Treewidth 2 at third order: a matrix product at most, times the multisets of inputs at the legs."""
    m, size = 4, 300
    for shape in shapes_of(PHI4, 4, 3):
        cost = plan(shape, m, size)
        assert cost.flops <= 4 * size**3 + 2e3 * m**2 * size**2
        assert cost.entries < 1e7
    complete = contraction(list(range(4)), [], [(p, q, V) for p in range(4) for q in range(p)], {}).shape
    assert 300**4 <= plan(complete, 1, 300).flops <= 2 * 300**4


def test_plans_grow_as_the_mesh_says() -> None:
    star = contraction([0], [(label, 0, V) for label in range(4)], [], {}).shape
    assert plan(star, 6, 2000).flops == 2 * plan(star, 6, 1000).flops
    bubble = contraction([0, 1], [(0, 0, V), (1, 0, V), (2, 1, V), (3, 1, V)], [(0, 1, V)] * 2, {}).shape
    assert plan(bubble, 6, 2000).flops / plan(bubble, 6, 1000).flops == pytest.approx(4, rel=0.02)
    # the matrix of a pair is never stored
    assert plan(bubble, 6, 10_000).entries < 1e7


def test_what_does_not_fit_is_refused_with_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    triangle = contraction([0, 1, 2], [(0, 0, V), (1, 1, V), (2, 2, V)], [(0, 1, V), (1, 2, V), (0, 2, V)], {}).shape
    nodes = np.linspace(-1, 1, 500)[:, None]
    table = MeshTable({V: ReLU()}, np.zeros((2, 1)), Mesh(nodes, np.ones(500)))
    assert np.isfinite(evaluate(triangle, table)).all()
    monkeypatch.setattr(module, "MEMORY", 1e6)
    with pytest.raises(
        ComputationError, match=r"3 points needs 0\.0 GB on 500 nodes, more than the 0\.0 GB allowed; raise rtol"
    ):
        evaluate(triangle, table)
    monkeypatch.undo()
    # a hundred inputs with four legs on each of two points: 4e6 multisets each
    wide = contraction([0, 1], [(k, k // 4, V) for k in range(8)], [(0, 1, V)], {}).shape
    big = MeshTable({V: ReLU()}, np.zeros((100, 1)), Mesh(nodes, np.ones(500)))
    with pytest.raises(ComputationError, match="use fewer inputs"):
        evaluate(wide, big)


def test_parallel_groups_share_one_matrix() -> None:
    lines = [(p, q, V) for p in range(4) for q in range(p)]
    complete = contraction(list(range(4)), [(p, p, V) for p in range(4)], lines, {}).shape
    doubled = contraction(list(range(4)), [(p, p, V) for p in range(4)], [*lines, (0, 1, V)], {}).shape
    size = 400.0
    assert plan(doubled, 1, 400).entries - plan(complete, 1, 400).entries in (0.0, size**2)


def test_every_order_of_points_gives_one_form() -> None:
    legs = [(0, 0, V), (1, 1, V), (2, 2, V), (3, 2, V)]
    lines = [(0, 1, V), (1, 2, V), (0, 0, V)]
    forms = set()
    for order in permutations(range(3)):
        c = contraction(
            list(order), [(i, order[p], n) for i, p, n in legs], [(order[a], order[b], n) for a, b, n in lines], {}
        )
        forms.add((c.shape, c.labels))
    assert len(forms) == 1


def test_indistinguishable_diagrams_count_their_copies() -> None:
    (d,) = generate(EXACT, 6, order={"lam": 1}, external="indistinguishable")
    assert isinstance(d, Diagram)
    assert products_of(d)[0].coefficient == -360
