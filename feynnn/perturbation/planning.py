"""Planning: what a series or an expression would cost, integral by integral, with nothing evaluated.

Meshes, costs and limits are those of `Integrator`: a plan goes up the same ladder of meshes and asks the same questions
at each, so that what it refuses is refused there too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..combinatorics import Indices
from ..diagrams.decorations import n_labellings
from ..diagrams.diagram_set import DiagramSet
from ..diagrams.generation import Kind, generate
from ..errors import ComputationError, DivergenceError
from ..points import whole
from ..theory.action import Order
from ..theory.kernels import Kernel, Lattice
from ..uncertain import Uncertain
from . import contractions, integration
from .assembly import MAX_DEALS
from .contractions import Contraction, Cost, Product, Shape, products_of
from .correlator import Correlator, _Pieces
from .integration import MAX_MESHED, ORDERS, STEPS, Integrator, _without_first
from .quadrature import mesh_size, use_pyramids
from .rays import RAY_ORDERS, ray_cost, ray_excess, ray_rule, use_rays

if TYPE_CHECKING:
    from .lowering import Lowered

Couplings = tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class MeshCost:
    """One evaluation of an integral on one mesh.

    Attributes
    ----------
    nodes : int
        Nodes of the mesh; of the largest one for integrals that are done axis by axis.
    flops : float
        Multiplications; kernel values are counted along rays only, where most work goes into the matrices.
    memory : float
        Bytes of the arrays held at once.
    largest : float
        Bytes of the largest step.
    """

    nodes: int
    flops: float
    memory: float
    largest: float


@dataclass(frozen=True)
class PlannedIntegral:
    """One topology: an integral for all multisets of inputs.

    Attributes
    ----------
    order : tuple of (coupling, power)
        The first order that holds it; later ones look it up.
    shape : Shape
        The integral.
    labellings : int
        Number of labelled diagrams of that order that look it up.
    rule : str
        Panels, trapezoid, pyramids, rays, sites, or random (points, in four dimensions and more).
    meshes : int
        Number of successive meshes that fit the limits; two at least are compared, unless the mesh is exact.
    first, finest : MeshCost or None
        Costs on the first of them and on the last.
    steps : tuple of str
        The sums on the finest mesh; letters are multisets of inputs.
    stop : str
        Why there is no finer mesh, empty if refinement just ends there.
    """

    order: Couplings
    shape: Shape
    labellings: int
    rule: str
    meshes: int
    first: MeshCost | None
    finest: MeshCost | None
    steps: tuple[str, ...]
    stop: str

    @property
    def topology(self) -> str:
        """The lines of the integral in words, x for any input."""
        return _topology(self.shape)

    @property
    def is_refused(self) -> bool:
        """Whether no accuracy can be reached: too few meshes fit, or the integral does not exist."""
        return bool(self.stop) and self.meshes < 2

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary."""
        return {
            "order": dict(self.order),
            "topology": self.topology,
            "points": self.shape.n_points,
            "labellings": self.labellings,
            "rule": self.rule,
            "meshes": self.meshes,
            "first": None if self.first is None else vars(self.first).copy(),
            "finest": None if self.finest is None else vars(self.finest).copy(),
            "steps": list(self.steps),
            "stop": self.stop,
            "refused": self.is_refused,
        }


@dataclass(frozen=True)
class Plan:
    """What a computation would take; print it.

    Attributes
    ----------
    integrals : tuple of PlannedIntegral
        Each topology once, by order.
    n_inputs : int
        Number of inputs.
    others : tuple of str
        What would be refused besides integrals: infinite lines between inputs, too many labellings.
    """

    integrals: tuple[PlannedIntegral, ...]
    n_inputs: int
    others: tuple[str, ...] = ()

    @property
    def flops(self) -> float:
        """Multiplications of one evaluation of every integral on its finest mesh."""
        return sum(i.finest.flops for i in self.integrals if i.finest)

    @property
    def memory(self) -> float:
        """Bytes of the largest evaluation; integrals are done one after the other."""
        return max((i.finest.memory for i in self.integrals if i.finest), default=0.0)

    @property
    def refusals(self) -> tuple[str, ...]:
        """What the computation would be refused for, whatever the accuracy asked; empty if it can run."""
        integrals = [
            f"{i.topology}: {i.stop}{'' if i.rule == '-' else '; use a smaller cutoff, fewer inputs or a lower order'}"
            for i in self.integrals
            if i.is_refused
        ]
        return (*integrals, *self.others)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary."""
        return {
            "n_inputs": self.n_inputs,
            "integrals": [i.to_dict() for i in self.integrals],
            "flops": self.flops,
            "memory": self.memory,
            "refusals": list(self.refusals),
            "limits": {
                "kernel_values": integration.MAX_WORK,
                "flops": integration.MAX_FLOPS,
                "memory": float(contractions.MEMORY),
            },
        }

    def __repr__(self) -> str:
        refused = f"{len(self.refusals)} refused" if self.refusals else "nothing refused"
        return (
            f"Plan({_several(len(self.integrals), 'integral')} at {_several(self.n_inputs, 'input')}, at most "
            f"{self.flops:.1e} multiplications and {_bytes(self.memory)}, {refused})"
        )

    def __str__(self) -> str:
        head = ["order", "topology", "labellings", "rule", "meshes", "nodes", "multiplications", "memory", "largest"]
        cells = [head, *(_cells(i) for i in self.integrals)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = [repr(self)]
        for k, row in enumerate(cells if self.integrals else []):
            lines.append("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip())
            if k:
                lines += [f"    {note}" for note in _notes(self.integrals[k - 1])]
        return "\n".join([*lines, *(f"refused: {r}" for r in self.refusals)])


def plan_correlator(
    correlator: Correlator, x: npt.ArrayLike | None, *, max_order: Order = 1, nodes: int | None = None
) -> Plan:
    """Return what `Correlator.series` would take; the parameters are those of `Correlator.plan`."""
    points = correlator._points(x)
    kernels = {"K": correlator.kernel, "K_v": correlator.vertex_kernel}
    tool = Integrator(kernels, points, correlator.cutoff, pinned=correlator.per_volume)
    needed = _Needed(correlator, tool)
    for order in correlator.theory.orders_up_to(max_order):
        needed.coefficient(correlator.n, order, np.zeros((0, correlator.n), dtype=np.int64))
    labellings: dict[Shape, dict[Couplings, int]] = {}
    terms: list[Product] = []
    others: dict[str, None] = {}
    for diagrams in needed.found.values():
        for d in diagrams:
            products = products_of(d)
            terms += products
            for shape in dict.fromkeys(piece.shape for term in products for piece in term.pieces):
                of = labellings.setdefault(shape, {})
                of[products[0].couplings] = of.get(products[0].couplings, 0) + d.copies
            slots = [len(group) for c in products[0].pieces for group in c.labels] + [2] * len(products[0].free)
            ways = n_labellings(d.n, tuple((size, k) for k, size in enumerate(slots)))
            if ways > MAX_DEALS:
                others[f"{d.n} points can be dealt to a diagram in {ways} ways, more than {MAX_DEALS}; lower n"] = None
    rows = [(shape, *next(iter(of.items()))) for shape, of in labellings.items()]
    return _plan(tool, rows, (*others, *_infinite_lines(tool, terms)), nodes)


def plan_lowered(lowered: Lowered, x: npt.ArrayLike | None, *, nodes: int | None = None) -> Plan:
    """Return what a call of `Lowered` would take; the parameters are those of `Lowered.plan`."""
    tool = Integrator(lowered.kernels, lowered._points(x), lowered.cutoff)
    found: dict[Shape, dict[Couplings, set[Contraction]]] = {}
    for term in lowered.products:
        for piece in term.pieces:
            found.setdefault(piece.shape, {}).setdefault(term.couplings, set()).add(piece)
    rows = [(shape, order, len(pieces)) for shape, of in found.items() for order, pieces in [next(iter(of.items()))]]
    return _plan(tool, rows, _infinite_lines(tool, lowered.products), nodes)


class _Needed(_Pieces):
    """Writes down which connected functions a series needs, instead of computing them."""

    def __init__(self, correlator: Correlator, tool: Integrator) -> None:
        super().__init__(correlator, tool)
        self.found: dict[tuple[int, tuple[int, ...]], DiagramSet] = {}

    def _connected(self, n: int, order: tuple[int, ...], rows: Indices) -> Uncertain:
        if (n, order) not in self.found:
            kind: Kind = "connected" if self.kind in ("all", "vacuum-free") else self.kind
            self.found[n, order] = generate(self.theory, n, order=order, kind=kind, external="indistinguishable")
        return Uncertain.exact(np.zeros(len(rows)))


def _infinite_lines(tool: Integrator, terms: Iterable[Product]) -> tuple[str, ...]:
    """Return why lines between inputs have no value, for kernels where that is so."""
    found = []
    for name in dict.fromkeys(name for term in terms for *_, name in term.free):
        try:
            tool._free(name)
        except DivergenceError as error:
            found.append(str(error))
    return tuple(found)


def _plan(
    tool: Integrator, rows: list[tuple[Shape, Couplings, int]], others: tuple[str, ...], nodes: int | None
) -> Plan:
    most = None if nodes is None else whole(nodes, "nodes", least=1)
    rows = sorted(rows, key=lambda row: sum(k for _, k in row[1]))
    planned = []
    for shape, order, labellings in rows:
        ladder = _ladder(tool, shape, most)
        planned.append(PlannedIntegral(order, shape, labellings, *ladder))
    return Plan(tuple(planned), len(tool.x), others)


class _Ladder(NamedTuple):
    """The fields of a PlannedIntegral that say how it is done."""

    rule: str
    meshes: int
    first: MeshCost | None
    finest: MeshCost | None
    steps: tuple[str, ...]
    stop: str


def _ladder(tool: Integrator, shape: Shape, most: int | None) -> _Ladder:
    """Return the meshes of `Integrator.shape_value`, up to the first of `most` nodes."""
    try:
        kernels = tool._check(shape)
        axes = [k.axes() or [] for k in kernels]
        if all(axes) and tool.x.shape[1] > 1 and not any(shape.powers):
            names = sorted(shape.kernels) or sorted(tool.kernels)[:1]
            return _by_axes(tool, shape, [dict(zip(names, one, strict=True)) for one in zip(*axes, strict=True)], most)
        return _meshes(tool, shape, kernels, most)
    except (ComputationError, DivergenceError) as error:
        return _Ladder("-", 0, None, None, (), str(error))


def _by_axes(tool: Integrator, shape: Shape, kernels: list[dict[str, Kernel]], most: int | None) -> _Ladder:
    """Return the ladder of a product of one-dimensional integrals: what they need together."""
    ladders = []
    for k, one in enumerate(kernels):
        axis = Integrator(one, tool.x[:, [k]], tool.cutoff, pinned=tool.pinned)
        ladders.append(_ladder(axis, shape, most))
    least = min(ladders, key=lambda ladder: ladder.meshes)
    if not least.meshes:
        return least
    largest = max(ladders, key=lambda ladder: ladder.finest.nodes if ladder.finest else 0)
    first, finest = (_together(ladder.first for ladder in ladders), _together(ladder.finest for ladder in ladders))
    return _Ladder(f"{least.rule}, axis by axis", least.meshes, first, finest, largest.steps, least.stop)


def _together(evaluations: Iterable[MeshCost | None]) -> MeshCost:
    """Return the costs of evaluations one after the other."""
    costs = [c for c in evaluations if c is not None]
    return MeshCost(
        max(c.nodes for c in costs),
        sum(c.flops for c in costs),
        max(c.memory for c in costs),
        max(c.largest for c in costs),
    )


def _meshes(tool: Integrator, shape: Shape, kernels: list[Kernel], most: int | None) -> _Ladder:
    if isinstance(kernels[0], Lattice):
        exact, sums = _cost(tool, shape, len(kernels[0].sites))
        if exact.memory > contractions.MEMORY:
            return _Ladder("sites", 0, None, None, (), f"{exact.nodes} sites need {exact.memory / 1e9:.1f} GB")
        return _Ladder("sites", 1, exact, exact, sums, "")
    if tool.x.shape[1] > MAX_MESHED and not tool.pinned:
        return _Ladder("random", 2, None, None, (), "random points, as many as the accuracy asks for")
    assert tool.cutoff is not None
    breaks = tool.x if any(shape.legs) else tool.x[:0]
    even = bool(shape.lines) and any(k.diagonal == "kink" for k in kernels) and breaks.shape[1] == 1
    rays = not tool.pinned and use_rays(shape, kernels, tool.cutoff)
    rule = "trapezoid" if even else "rays" if rays else "pyramids" if use_pyramids(kernels) else "panels"
    costs: list[MeshCost] = []
    steps: tuple[str, ...] = ()
    stop = ""
    if rays:
        steps = (f"sum over {', '.join(f'y{p + 1}' for p in range(shape.n_points))}: lines integrated along rays",)
    for order in STEPS if even else RAY_ORDERS[tool.x.shape[1]] if rays else ORDERS:
        if rays:
            one = ray_rule(kernels, tool.cutoff, breaks, order)
            stop = ray_excess(shape, one, len(tool.x))
        else:
            size = mesh_size(kernels, tool.cutoff, breaks, order, shape.n_points)
            stop = tool._too_much(shape, size)
        if stop:
            break
        if rays:
            size, whole_cost = ray_cost(shape, one, len(tool.x))
            cost = MeshCost(size, whole_cost.flops, 8 * whole_cost.entries, 8 * whole_cost.entries)
        else:
            # the trapezoid rule has a node at each end
            cost, steps = _cost(tool, shape, size + even)
        costs.append(cost)
        if most is not None and cost.nodes >= most:
            break
    first, finest = (costs[0], costs[-1]) if costs else (None, None)
    return _Ladder(rule, len(costs), first, finest, steps, stop.removeprefix(", "))


def _cost(tool: Integrator, shape: Shape, nodes: int) -> tuple[MeshCost, tuple[str, ...]]:
    """Return cost and steps on a mesh; with one point fixed, of the parts that are left."""
    parts, m = (_without_first(shape), 1) if tool.pinned else ([shape], len(tool.x))
    costs = [contractions.plan(part, m, nodes) for part in parts]
    steps: list[str] = []
    first = 2 if tool.pinned else 1
    for part, cost in zip(parts, costs, strict=True):
        steps += _steps(part, cost, first)
        first += part.n_points
    largest = max((max((s.entries for s in c.steps), default=c.entries) for c in costs), default=0.0)
    memory = max((c.entries for c in costs), default=0.0)
    return MeshCost(nodes, sum(c.flops for c in costs), 8 * memory, 8 * largest), tuple(steps)


# --- words ------------------------------------------------------------------------------------------------------------


def _steps(shape: Shape, cost: Cost, first: int) -> list[str]:
    """Return the sums over points in words, points numbered from `first` and leg groups lettered."""
    n = shape.n_points

    def words(indices: Iterable[int]) -> str:
        return f"({' '.join(f'y{i + first}' if i < n else _letter(i - n) for i in indices)})"

    if n == 1:
        return [f"sum over y{first}: legs in two halves" if any(shape.legs) else f"sum over y{first}"]
    if not cost.steps:
        middle = n + len(shape.legs[0])
        one, two = range(n, middle), range(middle, middle + len(shape.legs[1]))
        return [f"sum over y{first}, y{first + 1}: {words([*one, 0])} x {words([0, 1])} x {words([1, *two])}"]
    lines = []
    for s in cost.steps:
        right = f" x {words([*s.batch, s.index, *s.columns])}" if s.right else ""
        left = words([*s.batch, *s.rows, s.index])
        lines.append(f"sum over y{s.index + first}: {left}{right} -> {words(s.result)}")
    return lines


def _letter(k: int) -> str:
    return chr(ord("a") + k) if k < 20 else f"a{k}"


def _topology(shape: Shape) -> str:
    """Return the lines of a shape: x-y1:2 are two legs at y1, y1-y1 is a loop; kernels named where they differ."""
    several = len(shape.kernels) > 1
    found = [(f"x-y{p + 1}", name, k) for p, at in enumerate(shape.legs) for name, k in at]
    found += [(f"y{p + 1}-y{p + 1}", name, k) for p, at in enumerate(shape.loops) for name, k in at]
    found += [(f"y{p + 1}-y{q + 1}", name, k) for p, q, name, k in shape.lines]
    words = [f"{ends}{f'[{name}]' if several else ''}{f':{k}' if k > 1 else ''}" for ends, name, k in found]
    words += [f"|y{p + 1}|^{k}" for p, k in enumerate(shape.powers) if k]
    return " ".join(words) or "volume"


def _cells(i: PlannedIntegral) -> list[str]:
    """Return a row of the table, ranges from the first mesh to the finest."""
    order = " ".join(c if k == 1 else f"{c}^{k}" for c, k in i.order) or "1"
    cells = [order, i.topology, str(i.labellings), i.rule, str(i.meshes)]
    if i.first is None or i.finest is None:
        return [*cells, "-", "-", "-", "-"]
    a, b = i.first, i.finest
    pairs = [
        (str(a.nodes), str(b.nodes)),
        (_flops(a.flops), _flops(b.flops)),
        (_bytes(a.memory), _bytes(b.memory)),
        (_bytes(a.largest), _bytes(b.largest)),
    ]
    return [*cells, *(one if one == two else f"{one}..{two}" for one, two in pairs)]


def _notes(i: PlannedIntegral) -> list[str]:
    """Return what the table says below a row; sums over one point or two are always done in the same way."""
    steps = list(i.steps) if i.shape.n_points > 2 else []
    return [*steps, i.stop] if i.stop and not i.is_refused else steps


def _several(k: int, what: str) -> str:
    return f"{k} {what}{'' if k == 1 else 's'}"


def _flops(value: float | None) -> str:
    return "-" if value is None else f"{value:.1e}"


def _bytes(value: float | None) -> str:
    if value is None:
        return "-"
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.0f} B"
