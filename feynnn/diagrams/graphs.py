"""Diagrams as networkx graphs, and graphs that people draw as diagrams."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable
from itertools import pairwise
from reprlib import repr as short
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from ..theory.action import Theory
from ..theory.interaction import Interaction
from .layout import Layout

if TYPE_CHECKING:
    import networkx

Node = Hashable
#: The points of one vertex, in the order of its interaction.
Points = tuple[Node, ...]


def graph_of(layout: Layout, names: Iterable[str], edges: Iterable[tuple[int, int]]) -> networkx.MultiGraph[str]:
    """Return lines between named nodes as a multigraph with all that `lines_of` needs to read it back."""
    import networkx

    graph: networkx.MultiGraph[str] = networkx.MultiGraph()
    name = tuple(names)
    for node in range(layout.n):
        graph.add_node(name[node], kind="external")
    for k, (points, v) in enumerate(zip(layout.points, layout.vertices, strict=True)):
        for p, node in enumerate(points):
            graph.add_node(name[node], kind="vertex", coupling=v.coupling, vertex=k, point=p)
    graph.add_edges_from((name[i], name[j]) for i, j in edges)
    return graph


def lines_of(theory: Theory, graph: networkx.Graph[Any]) -> tuple[int, dict[str, int], list[tuple[int, int]]]:
    """Return number of external points, order and lines of a graph; see `Diagram.from_networkx`.

    Raises
    ------
    InputError
        If the graph is no diagram of the theory; the message names the node.
    """
    import networkx

    if not isinstance(theory, Theory):
        raise InputError(f"expected a Theory, got {short(theory)}; the order is from_networkx(theory, graph)")
    if not isinstance(graph, networkx.Graph):
        raise InputError(f"expected a networkx Graph or MultiGraph, got {short(graph)}")
    if graph.is_directed():
        arrow = next(iter(graph.edges()), None)
        which = "" if arrow is None else f" (its first line is {arrow[0]!r} -> {arrow[1]!r})"
        raise InputError(f"the graph is directed{which}, lines of a scalar field are not; draw it as a MultiGraph")
    external: list[Node] = []
    vertices: dict[Hashable, list[Node]] = {}
    for node, data in graph.nodes(data=True):
        if _is_external(theory, node, data, graph.degree(node)):
            external.append(node)
        else:
            vertices.setdefault(_vertex_of(node, data), []).append(node)
    external = _by_label(external, graph)
    found: dict[str, list[Points]] = {c: [] for c in theory.couplings}
    for points in vertices.values():
        interaction = _interaction_of(theory, points, graph)
        found[interaction.coupling].append(_in_order(interaction, points, graph))
    ordered = [*external, *(p for many in found.values() for points in many for p in points)]
    number = {node: k for k, node in enumerate(ordered)}
    lines = [(number[a], number[b]) for a, b in graph.edges()]
    return len(external), {c: len(many) for c, many in found.items()}, lines


def _is_external(theory: Theory, node: Node, data: dict[str, Any], ends: int) -> bool:
    """Return whether a node is an external point, by its marks or by having one line end."""
    kind = data.get("kind")
    marked = next((key for key in ("coupling", "vertex", "point") if key in data), None)
    if kind not in (None, "external", "vertex"):
        raise InputError(f"the node {node!r} has kind={kind!r}; it is 'external' or 'vertex'")
    if kind == "external":
        if marked is not None:
            raise InputError(f"the node {node!r} is external but has {marked}={data[marked]!r}; drop one of the two")
        if ends != 1:
            raise InputError(f"the external point {node!r} must have 1 line end, it has {ends}")
        return True
    if kind == "vertex" or marked is not None:
        return False
    if not ends:
        raise InputError(f"the node {node!r} has no line; remove it")
    if ends > 1:
        return False
    source = next((i for i in theory.interactions if i.degree == (1,)), None)
    if source is not None:
        raise InputError(
            f"the node {node!r} has one line end: it may be an external point or the vertex of {source}; give it the "
            f"attribute kind='external', or coupling={source.coupling!r}"
        )
    return True


def _vertex_of(node: Node, data: dict[str, Any]) -> Hashable:
    """Return what the points of one vertex share: the attribute `vertex`, or the node itself."""
    if data.get("vertex") is None:
        return ("node", node)
    key = ("vertex", data["vertex"])
    try:
        hash(key)
    except TypeError as error:
        raise InputError(f"the node {node!r} has vertex={short(data['vertex'])}; use a number or a name") from error
    return key


def _by_label(external: list[Node], graph: networkx.Graph[Any]) -> list[Node]:
    """Return the external points as x1, x2, ...: by `label` if they have one, else by name, 2 before 10.

    A minus sign is text like any other: -1 stands before -2, by their digits.
    """
    labels = {node: graph.nodes[node].get("label") for node in external}
    with_label = [node for node in external if labels[node] is not None]
    if with_label and len(with_label) < len(external):
        bare = next(node for node in external if labels[node] is None)
        raise InputError(f"the external point {bare!r} has no label, {with_label[0]!r} has; label all or none")
    keys = {node: _natural(labels[node] if with_label else node) for node in external}
    ranked = sorted(external, key=keys.__getitem__)
    for a, b in pairwise(ranked):
        if keys[a] == keys[b]:
            raise InputError(
                f"the external points {a!r} and {b!r} have the same label {_label(labels[a], a)}, so their order is "
                "not known; give them the attribute label=1, 2, ..."
            )
    return ranked


def _label(label: object, node: Node) -> str:
    return repr(str(node if label is None else label))


def _natural(label: object) -> tuple[tuple[str, int, str], ...]:
    """Return a key that sorts x2 before x10: the text between numbers, and the numbers by length and digits."""
    try:
        pieces = re.split(r"([0-9]+)", str(label))
    except ValueError as error:  # Python does not write numbers of thousands of digits
        raise InputError(f"an external point has a name that cannot be written ({error}); use a shorter one") from None
    # numbers as text: there are limits to what int() reads
    numbers = [digits.lstrip("0") for digits in pieces[1::2]]
    keys = [*((len(digits), digits) for digits in numbers), (-1, "")]
    return tuple((text, *key) for text, key in zip(pieces[::2], keys, strict=True))


def _interaction_of(theory: Theory, points: list[Node], graph: networkx.Graph[Any]) -> Interaction:
    """Return the interaction of a vertex, from its coupling or from its number of line ends."""
    names = {node: graph.nodes[node].get("coupling") for node in points}
    given = [node for node in points if names[node] is not None]
    ends = tuple(graph.degree(node) for node in points)
    which = f"the vertex at {points[0]!r}" if len(points) == 1 else f"the vertex with the points {points!r}"
    size = f"{ends if len(ends) > 1 else ends[0]} line end{'' if ends == (1,) else 's'}"
    for node in given:
        if names[node] != names[given[0]]:
            raise InputError(
                f"{which} has two couplings, {names[given[0]]!r} at {given[0]!r} and {names[node]!r} at {node!r}"
            )
        if names[node] not in theory.couplings:
            raise InputError(
                f"the node {node!r} has the unknown coupling {names[node]!r}; this theory has "
                f"{', '.join(theory.couplings)}"
            )
    fitting = [i for i in theory.interactions if sorted(i.degree) == sorted(ends)]
    if given:
        interaction = theory.interactions[theory.couplings.index(str(names[given[0]]))]
        if interaction not in fitting:
            raise InputError(f"{which} has {size}, {interaction} needs {_needs(interaction)}{_hint(graph)}")
        return interaction
    if not fitting:
        terms = "; ".join(f"{i} needs {_needs(i)}" for i in theory.interactions)
        raise InputError(f"{which} has {size}, which no term has: {terms}{_hint(graph)}")
    if len(fitting) > 1:
        raise InputError(
            f"{which} has {size}, which fit {', '.join(map(str, fitting))}; give it the attribute coupling="
            f"{' or '.join(repr(i.coupling) for i in fitting)}"
        )
    return fitting[0]


def _needs(interaction: Interaction) -> str:
    if len(interaction.degree) == 1:
        return str(interaction.n_legs)
    return f"{interaction.degree} at points with one common attribute vertex"


def _hint(graph: networkx.Graph[Any]) -> str:
    """Return what often goes wrong in a graph that cannot have parallel lines."""
    return "" if graph.is_multigraph() else "; parallel lines need a MultiGraph"


def _in_order(interaction: Interaction, points: list[Node], graph: networkx.Graph[Any]) -> Points:
    """Return the points of a vertex in the order of its interaction: by `point`, or by their line ends."""
    degrees = interaction.degree
    place: dict[Node, Any] = {node: graph.nodes[node].get("point") for node in points}
    if any(p is not None for p in place.values()):
        for node, p in place.items():
            if isinstance(p, bool) or not isinstance(p, int) or not 0 <= p < len(degrees):
                raise InputError(
                    f"the node {node!r} has point={p!r}; the points of {interaction} are 0..{len(degrees) - 1}"
                )
            if graph.degree(node) != degrees[p]:
                raise InputError(
                    f"the node {node!r}, point {p} of {interaction}, must have {degrees[p]} line ends, it has "
                    f"{graph.degree(node)}"
                )
        ranked = sorted(points, key=place.__getitem__)
        for a, b in pairwise(ranked):
            if place[a] == place[b]:
                raise InputError(f"the nodes {a!r} and {b!r} are both point {place[a]} of one vertex of {interaction}")
        return tuple(ranked)
    interchangeable = {frozenset(c) for c in interaction.point_classes()}
    left, chosen = list(points), []
    for legs in degrees:
        alike = frozenset(q for q, k in enumerate(degrees) if k == legs)
        if alike not in interchangeable:
            raise InputError(
                f"the points {points!r} of {interaction} differ by its weight; give them the attribute point=0, 1, ..."
            )
        node = next(node for node in left if graph.degree(node) == legs)
        left.remove(node)
        chosen.append(node)
    return tuple(chosen)
