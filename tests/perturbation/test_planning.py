"""Plans beside what is really done: meshes, refusals and topologies are compared with those of a computation."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from math import inf
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from feynnn.diagrams.diagram import Diagram
from feynnn.diagrams.generation import Kind, generate
from feynnn.errors import ComputationError, DivergenceError, InputError
from feynnn.perturbation import assembly, contractions, integration, planning
from feynnn.perturbation.contractions import MeshTable, Shape, evaluate, products_of
from feynnn.perturbation.correlator import Correlator
from feynnn.perturbation.integration import ORDERS, Integrator
from feynnn.perturbation.lowering import lower
from feynnn.perturbation.planning import Plan
from feynnn.perturbation.quadrature import Cutoff
from feynnn.perturbation.rays import evaluate_rays
from feynnn.perturbation.rays_rule import RayRule
from feynnn.points import Array
from feynnn.theory import Theory
from feynnn.theory.kernels import Erf, FreeScalar, Gauss, Kernel, Lattice, ReLU
from feynnn.uncertain import Uncertain

PHI4 = Theory.parse("lam*f**4")
MIXED = Theory.parse("lam*f**4 + kap*f**6")
SITES = Lattice([[1.0, 0.25], [0.25, 0.5]])
LINE = np.array([[0.0], [0.5]])
PLANE = np.array([[0.1, 0.1], [1.0, 1.0]])


def topology(n: int, order: int, shape: str) -> Diagram:
    """The connected diagram of phi^4 with these lines, as plans write them."""
    for d in generate(PHI4, n, order={"lam": order}, kind="connected", external="indistinguishable"):
        if planning._topology(products_of(d)[0].pieces[0].shape) == shape:
            return d
    raise AssertionError(shape)


STAR = topology(4, 1, "x-y1:4")
EXCHANGE = topology(4, 2, "x-y1:2 x-y2:2 y1-y2:2")
CHAIN = topology(2, 3, "x-y1 x-y2 y1-y2 y1-y3:2 y2-y3:2")


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Numbers of nodes of the meshes that are evaluated, each once."""
    sizes: list[int] = []

    def note(size: int) -> None:
        if size not in sizes:
            sizes.append(size)

    def counted(shape: Shape, table: MeshTable) -> Array:
        note(len(table.mesh))
        return evaluate(shape, table)

    def counted_rays(shape: Shape, rule: RayRule, *rest: Any, **more: Any) -> Array:
        note(len(rule.mesh))
        return evaluate_rays(shape, rule, *rest, **more)

    monkeypatch.setattr(integration, "evaluate", counted)
    monkeypatch.setattr(integration, "evaluate_rays", counted_rays)
    return sizes


# --- meshes and refusals are those of the integrator ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("diagram", "kernel", "x", "cutoff", "limit", "value", "rule", "fitting"),
    [
        (STAR, Erf(bias=False), LINE, 5.0, "MAX_WORK", 2e3, "panels", "some"),
        (EXCHANGE, Erf(bias=False), LINE, 5.0, "MAX_WORK", 2e4, "panels", "some"),
        (EXCHANGE, Erf(bias=False), LINE, 5.0, "MAX_WORK", 2e2, "panels", "one"),
        (EXCHANGE, Erf(bias=False), LINE, 5.0, "MAX_WORK", 1e2, "panels", "none"),
        (EXCHANGE, Erf(bias=False), LINE, 5.0, "MAX_FLOPS", 1e5, "panels", "some"),
        (EXCHANGE, Erf(bias=False), LINE, 5.0, "MEMORY", 7e3, "panels", "some"),
        (CHAIN, Erf(bias=False), LINE, 5.0, "MAX_FLOPS", 1e7, "panels", "some"),
        (EXCHANGE, FreeScalar(), LINE, inf, "MAX_WORK", 1e6, "trapezoid", "some"),
        (EXCHANGE, Gauss(d_in=2), PLANE, 1.0, "MAX_WORK", 1e6, "panels", "some"),
        (EXCHANGE, Gauss(sigma_b=0, d_in=2), PLANE, inf, "MAX_WORK", 2e4, "panels, axis by axis", "some"),
        (STAR, Erf(d_in=2), PLANE, 2.0, "MAX_WORK", 1e5, "pyramids", "some"),
        (EXCHANGE, Erf(bias=False, d_in=2), PLANE, 5.0, "MAX_RAY_WORK", 1e8, "rays", "some"),
        (CHAIN, Erf(bias=False, d_in=2), PLANE, 5.0, "MAX_RAY_WORK", 2e7, "rays", "one"),
    ],
)
def test_meshes_and_refusals_are_those_of_the_integrator(
    monkeypatch: pytest.MonkeyPatch,
    used: list[int],
    diagram: Diagram,
    kernel: Kernel,
    x: Array,
    cutoff: float,
    limit: str,
    value: float,
    rule: str,
    fitting: str,
) -> None:
    """No accuracy is good enough, so that every mesh that fits is tried."""
    room = "rays" if limit == "MAX_RAY_WORK" else "integration"
    monkeypatch.setattr(f"feynnn.perturbation.{room}.{limit}", value)
    f = lower(diagram, kernel=kernel, cutoff=Cutoff(cutoff))
    (planned,) = f.plan(x).integrals
    assert used == []
    with pytest.raises(ComputationError) as refused:
        f(x, {"lam": 1.0}, rtol=0.0)
    assert planned.rule == rule
    assert ("none", "one", "some")[min(planned.meshes, 2)] == fitting
    assert planned.stop
    assert planned.stop in str(refused.value)
    assert planned.is_refused == (fitting != "some") == ("too few meshes fit" in str(refused.value))
    assert planned.meshes == len(used)
    assert [mesh.nodes for mesh in (planned.first, planned.finest) if mesh] == [*used[:1], *used[-1:]]


def test_one_point_fixed(monkeypatch: pytest.MonkeyPatch, used: list[int]) -> None:
    w = Correlator(PHI4, 0, kind="connected", kernel=Gauss(sigma_b=0), cutoff=Cutoff(), per_volume=True)
    monkeypatch.setattr(integration, "MAX_FLOPS", 1e4)
    plan = w.plan(max_order=3)
    first = next(i for i in plan.integrals if i.shape.n_points == 3)
    assert first.meshes == 1
    with pytest.raises(ComputationError) as refused:
        w.series(max_order=3)
    assert first.stop in str(refused.value)
    assert first.finest is not None
    assert first.finest.nodes in used
    assert any(first.topology in r and first.stop in r for r in plan.refusals)
    # the points that are left are numbered on from the fixed one
    assert first.steps[0].startswith("sum over y2, y3: ")


@pytest.mark.parametrize(("kernel", "order"), [(Erf(bias=False), 2), (ReLU(sigma_b=0), 1)])
def test_what_is_not_refused_runs_within_the_plan(monkeypatch: pytest.MonkeyPatch, kernel: Kernel, order: int) -> None:
    """Vacuum diagrams know nothing of the inputs, where the other meshes of a kernel with kinks break."""
    sizes: dict[Shape, list[int]] = {}

    def counted(shape: Shape, table: MeshTable) -> Array:
        sizes.setdefault(shape, []).append(len(table.mesh))
        return evaluate(shape, table)

    monkeypatch.setattr(integration, "evaluate", counted)
    g = Correlator(PHI4, 2, kind="all", kernel=kernel, cutoff=Cutoff(5.0))
    plan = g.plan([0.3, 0.5], max_order=order)
    assert plan.refusals == ()
    g.series([0.3, 0.5], max_order=order)
    assert set(sizes) == {i.shape for i in plan.integrals}
    for i in plan.integrals:
        assert i.first is not None
        assert i.finest is not None
        assert sizes[i.shape][0] == i.first.nodes
        assert max(sizes[i.shape]) <= i.finest.nodes


def test_axes_are_done_one_after_the_other() -> None:
    x = np.array([[0.0, 0.0], [1.0, 7.0]])
    (both,) = lower(EXCHANGE, kernel=Gauss(sigma_b=0, d_in=2), cutoff=Cutoff()).plan(x).integrals
    one = lower(EXCHANGE, kernel=(Gauss(sigma_b=0, d_in=2).axes() or [])[0], cutoff=Cutoff())
    (first,), (second,) = one.plan(x[:, 0]).integrals, one.plan(x[:, 1]).integrals
    assert (both.rule, both.meshes) == ("panels, axis by axis", first.meshes)
    for mesh, a, b in ((both.first, first.first, second.first), (both.finest, first.finest, second.finest)):
        assert mesh is not None
        assert a is not None
        assert b is not None
        assert a.nodes < b.nodes == mesh.nodes
        assert mesh.flops == (a.flops or 0) + (b.flops or 0)
        assert (mesh.memory, mesh.largest) == (b.memory, b.largest)


def test_a_lattice_has_one_mesh(monkeypatch: pytest.MonkeyPatch, used: list[int]) -> None:
    g = Correlator(PHI4, 2, kernel=SITES)
    plan = g.plan([0.0, 1.0], max_order=3)
    assert {(i.rule, i.meshes, i.stop) for i in plan.integrals} == {("sites", 1, "")}
    assert plan.refusals == ()
    g.series([0.0, 1.0], max_order=3)
    assert used == [2]
    monkeypatch.setattr(contractions, "MEMORY", 300.0)
    plan = g.plan([0.0, 1.0], max_order=3)
    with pytest.raises(ComputationError, match=r"over 3 points needs 0\.0 GB on 2 nodes"):
        g.series([0.0, 1.0], max_order=3)
    assert {i.shape.n_points for i in plan.integrals if i.is_refused} == {3}


def test_what_diverges_is_refused_in_the_same_words() -> None:
    for kernel, cutoff in ((Erf(), inf), (FreeScalar(d_in=2), 5.0)):
        g = Correlator(PHI4, 2, kind="connected", kernel=kernel, cutoff=Cutoff(cutoff))
        x = np.ones((1, kernel.d_in))
        plan = g.plan(x)
        with pytest.raises(DivergenceError) as refused:
            g.series(x)
        assert any(str(refused.value) in r for r in plan.refusals)
        assert plan.integrals[0].finest is None
    # the free line is infinite where the integrals are well
    x1, x2 = sympy.symbols("x1 x2")
    f = lower(sympy.Function("K")(x1, x2), kernel=FreeScalar(d_in=2), cutoff=Cutoff(5.0))
    assert f.plan([[0.0, 0.0]]).integrals == ()
    assert "infinite at coincident inputs" in f.plan([[0.0, 0.0]]).refusals[0]


def test_a_mesh_of_too_many_panels_is_refused() -> None:
    g = Correlator(PHI4, 1, kind="connected", kernel=Gauss(1e-6), cutoff=Cutoff(5.0))
    assert g.plan([0.0]).integrals == ()  # odd
    f = lower(STAR, kernel=Gauss(1e9, sigma_b=0.0), cutoff=Cutoff(1e9))
    x = [-1e8, 1e8]
    (planned,) = f.plan(x).integrals
    with pytest.raises(ComputationError) as refused:
        f(x, {"lam": 1.0})
    assert planned.is_refused
    assert planned.stop in str(refused.value)


def test_too_many_ways_to_deal_the_points_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assembly._deals.cache_clear()
    for module in (assembly, planning):
        monkeypatch.setattr(module, "MAX_DEALS", 5)
    g = Correlator(PHI4, 4, kind="connected", kernel=SITES)
    assert g.plan([0.0, 1.0], max_order=1).refusals == ()
    with pytest.raises(ComputationError, match="dealt to a diagram in 6 ways"):
        g.series([0.0, 1.0], max_order=2)
    assert any("dealt to a diagram in 6 ways" in r for r in g.plan([0.0, 1.0], max_order=2).refusals)


# --- topologies -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("theory", "n", "kind", "order"),
    [
        (PHI4, 2, "vacuum-free", 3),
        (PHI4, 4, "vacuum-free", 2),
        (PHI4, 2, "all", 2),
        (PHI4, 0, "connected", 3),
        (PHI4, 4, "1PI", 2),
        (MIXED, 4, "connected", {"lam": 1, "kap": 1}),
        (Theory.parse("g*f**3"), 3, "vacuum-free", 3),
        (Theory.parse("g*y**2*f**4"), 2, "connected", 2),
    ],
)
def test_a_plan_holds_exactly_the_topologies_that_a_series_evaluates(
    monkeypatch: pytest.MonkeyPatch, theory: Theory, n: int, kind: Kind, order: int | dict[str, int]
) -> None:
    g = Correlator(theory, n, kind=kind, kernel=SITES)
    x = [0.0, 1.0] if n else None
    plan = g.plan(x, max_order=order)
    asked: set[Shape] = set()
    value: Callable[[Integrator, Shape], Uncertain] = Integrator.shape_value

    def counted(self: Integrator, shape: Shape) -> Uncertain:
        asked.add(shape)
        return value(self, shape)

    monkeypatch.setattr(Integrator, "shape_value", counted)
    g.series(x, max_order=order)
    shapes = [i.shape for i in plan.integrals]
    assert len(shapes) == len(set(shapes))
    assert set(shapes) == asked


@pytest.mark.parametrize(("theory", "n"), [(PHI4, 4), (MIXED, 2), (Theory.parse("g*f**3"), 3)])
def test_labellings_are_those_of_the_labelled_diagrams(theory: Theory, n: int) -> None:
    plan = Correlator(theory, n, kind="connected", kernel=SITES).plan([0.0], max_order=2)
    found: Counter[tuple[tuple[tuple[str, int], ...], Shape]] = Counter()
    for order in theory.orders_up_to(2):
        for d in generate(theory, n, order=order, kind="connected"):
            for term in products_of(d):
                found.update((term.couplings, piece.shape) for piece in term.pieces)
    assert {(i.order, i.shape): i.labellings for i in plan.integrals} == dict(found)


def test_an_expression_is_planned_like_the_diagrams_it_came_from() -> None:
    g = Correlator(PHI4, 4, kind="connected", kernel=Erf(), vertex_kernel=Erf(bias=False), cutoff=Cutoff(5.0))
    f = lower(g.expression(2), kernel=g.kernel, vertex_kernel=g.vertex_kernel, cutoff=g.cutoff)
    mine = g.plan(LINE, max_order=2)
    theirs = f.plan(LINE)
    assert {i.topology: (i.labellings, i.finest) for i in mine.integrals} == {
        i.topology: (i.labellings, i.finest) for i in theirs.integrals
    }
    with pytest.raises(InputError, match="pass inputs x"):
        f.plan()


# --- costs ------------------------------------------------------------------------------------------------------------


def test_nothing_is_evaluated(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("evaluate", "evaluate_rays", "MeshTable", "mesh", "even_mesh"):
        monkeypatch.setattr(integration, name, None)
    for kernel in (Erf(bias=False), FreeScalar(), Gauss(sigma_b=0, d_in=3), Erf(bias=False, d_in=2)):
        g = Correlator(PHI4, 2, kernel=kernel, cutoff=Cutoff(5.0))
        assert g.plan(np.zeros((1, kernel.d_in)), max_order=2).refusals == ()


def test_multiplications_and_memory_by_hand() -> None:
    """One point: a matrix of the legs' halves. Two: the matrix times the columns of one, then the rows of the other."""
    f = lower([STAR, EXCHANGE], kernel=Erf(bias=False), cutoff=Cutoff(5.0))
    star, exchange = f.plan(LINE).integrals
    for mesh in (star.first, star.finest):
        assert mesh is not None
        assert mesh.flops == mesh.nodes * 3 * 3
        assert mesh.memory == mesh.largest == 8 * (2 * mesh.nodes + 3 * 3 + 5)
    for mesh in (exchange.first, exchange.finest):
        assert mesh is not None
        assert mesh.flops == mesh.nodes * 3 * (mesh.nodes + 3)
        assert mesh.memory == 8 * (2 * mesh.nodes + 2 * 3 * mesh.nodes + 9)
    assert exchange.steps == ("sum over y1, y2: (a y1) x (y1 y2) x (y2 b)",)


def test_steps_of_the_elimination_in_words() -> None:
    (planned,) = lower(CHAIN, kernel=Erf(bias=False), cutoff=Cutoff(5.0)).plan(LINE, nodes=200).integrals
    assert len(planned.steps) == 3
    assert sorted(step[: len("sum over y1")] for step in planned.steps) == [f"sum over y{k}" for k in (1, 2, 3)]
    # the point without legs joins two matrices, and what is left at the end are the two inputs
    assert planned.steps[-1].endswith(("-> (a b)", "-> (b a)"))
    assert any("(y1 y2)" in step or "(y2 y1)" in step for step in planned.steps)
    mesh = planned.finest
    assert mesh is not None
    assert mesh.largest is not None
    assert mesh.memory is not None
    assert 8 * mesh.nodes**2 <= mesh.largest < mesh.memory


@settings(max_examples=25, deadline=None)
@given(nodes=st.integers(1, 2000))
def test_refinement_is_planned_up_to_a_number_of_nodes(nodes: int) -> None:
    f = lower(EXCHANGE, kernel=Erf(bias=False), cutoff=Cutoff(5.0))
    (whole,), (part,) = f.plan(LINE).integrals, f.plan(LINE, nodes=nodes).integrals
    assert whole.meshes == len(ORDERS)
    assert whole.finest is not None
    assert part.finest is not None
    assert part.first == whole.first
    sizes = [whole.finest.nodes * order // ORDERS[-1] for order in ORDERS]
    assert part.finest.nodes == next((size for size in sizes if size >= nodes), sizes[-1])
    assert part.meshes == sizes.index(part.finest.nodes) + 1
    assert not part.is_refused


@pytest.mark.parametrize("nodes", [0, -1, 2.5, True])
def test_a_number_of_nodes_is_a_whole_number(nodes: Any) -> None:
    with pytest.raises(InputError, match="nodes must be"):
        Correlator(PHI4, 2, kernel=SITES).plan([0.0], nodes=nodes)


# --- how it looks -----------------------------------------------------------------------------------------------------


def test_table() -> None:
    plan = Correlator(PHI4, 2, kind="connected", kernel=Erf(), cutoff=Cutoff(10.0)).plan([0.0], nodes=30)
    assert repr(plan) == "Plan(1 integral at 1 input, at most 3.6e+01 multiplications and 304 B, nothing refused)"
    assert [line.split() for line in str(plan).splitlines()[1:]] == [
        ["order", "topology", "labellings", "rule", "meshes", "nodes", "multiplications", "memory", "largest"],
        ["lam", "x-y1:2", "y1-y1", "1", "panels", "2", "24..36", *["2.4e+01..3.6e+01"], "208", "B..304", "B",
         "208", "B..304", "B"],
    ]  # fmt: skip
    empty = Correlator(PHI4, 2, kernel=SITES).plan([0.0], max_order=0)
    assert (
        str(empty)
        == repr(empty)
        == "Plan(0 integrals at 1 input, at most 0.0e+00 multiplications and 0 B, " + ("nothing refused)")
    )


def test_the_table_tells_steps_reasons_and_what_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    g = Correlator(PHI4, 2, kind="connected", kernel=Erf(bias=False, d_in=2), cutoff=Cutoff(5.0))
    plan = g.plan(PLANE, max_order=2)
    assert [i.rule for i in plan.integrals if i.shape.n_points == 2] == ["rays"] * 3
    assert plan.flops > 1e6
    monkeypatch.setattr(integration, "MAX_WORK", 3e3)
    f = lower(CHAIN, kernel=Erf(bias=False), cutoff=Cutoff(5.0))
    lines = str(f.plan(LINE)).splitlines()
    assert sum(line.startswith("    sum over y") for line in lines) == 3
    assert lines[-1].startswith("    the next mesh has ")
    monkeypatch.setattr(integration, "MAX_WORK", 1e2)
    plan = f.plan(LINE)
    assert "1 refused" in repr(plan)
    (reason,) = plan.refusals
    assert str(plan).splitlines()[-1] == f"refused: {reason}"
    assert reason.endswith("nodes; use a smaller cutoff, fewer inputs or a lower order")


def test_kernels_are_named_where_they_differ() -> None:
    x1, y = sympy.symbols("x1 y")
    k, q = sympy.Function("K"), sympy.Function("Q")
    f = lower(
        sympy.Integral(y**2 * k(x1, y) ** 3 * q(y, y), (y, -sympy.oo, sympy.oo)),
        kernel={"K": Gauss(sigma_b=0), "Q": Gauss(sigma_w=2.0, sigma_b=0)},
        cutoff=Cutoff(),
    )
    (planned,) = f.plan([0.0]).integrals
    assert planned.topology == "x-y1[K]:3 y1-y1[Q] |y1|^2"
    assert planned.labellings == 1


def test_json() -> None:
    g = Correlator(MIXED, 2, kind="connected", kernel=Erf(), cutoff=Cutoff(inf))
    for plan in (g.plan(LINE), Correlator(PHI4, 2, kernel=SITES).plan([0.0], max_order=2)):
        assert isinstance(plan, Plan)
        data = json.loads(json.dumps(plan.to_dict(), allow_nan=False))
        assert data["refusals"] == list(plan.refusals)
        assert [i["topology"] for i in data["integrals"]] == [i.topology for i in plan.integrals]
        assert data["flops"] == sum(i["finest"]["flops"] for i in data["integrals"] if i["finest"])
        assert data["memory"] == max((i["finest"]["memory"] for i in data["integrals"] if i["finest"]), default=0)
        assert data["limits"]["memory"] == contractions.MEMORY
