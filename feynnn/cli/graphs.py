"""Graphs that people draw, read from JSON, and diagrams as such JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from reprlib import repr as short
from typing import TYPE_CHECKING, Any

from ..errors import InputError

if TYPE_CHECKING:
    import networkx

    from ..diagrams.diagram import Diagram

#: Most lines of a graph that is read.
MAX_LINES = 500

_FORMS = (
    'it is a list of lines such as [["x1", "a"], ["a", "a"], ["a", "x2"]], the node-link JSON of networkx, or a '
    "diagram saved by feynnn"
)


def graph_of(path: str) -> networkx.Graph[Any]:
    """Read a graph from a JSON file, or from standard input for ``-``.

    Raises
    ------
    InputError
        If there is no such file, or it holds no graph.
    """
    import networkx

    text = _text(path)
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"--graph: {path} is not valid JSON ({error}); {_FORMS}") from None
    if isinstance(data, dict) and data.get("format") == "feynnn":
        return _saved(text, path)
    record = data if isinstance(data, dict) else {"edges": data}
    nodes, edges = record.get("nodes", []), record.get("edges", record.get("links"))
    if not isinstance(nodes, list) or not isinstance(edges, list):
        raise InputError(f"--graph: {path} holds no list of lines; {_FORMS}")
    if len(edges) > MAX_LINES:
        raise InputError(f"--graph: {path} has {len(edges)} lines; graphs are read up to {MAX_LINES}")
    graph: networkx.Graph[Any] = networkx.MultiDiGraph() if record.get("directed") else networkx.MultiGraph()
    for node in nodes:
        marks = dict(node) if isinstance(node, dict) else {"id": node}
        graph.add_node(_name(marks.pop("id", None), path), **{str(key): value for key, value in marks.items()})
    for edge in edges:
        ends = [edge.get("source"), edge.get("target")] if isinstance(edge, dict) else edge
        if not isinstance(ends, list) or len(ends) != 2:
            raise InputError(f"--graph: {path} has the line {short(edge)}; a line is a pair of nodes")
        graph.add_edge(*(_name(end, path) for end in ends))
    return graph


def node_link(d: Diagram) -> dict[str, Any]:
    """Return a diagram as the node-link record that `graph_of` and networkx read."""
    graph = d.to_networkx()
    return {
        "directed": False,
        "multigraph": True,
        "graph": {},
        "nodes": [{**marks, "id": node} for node, marks in graph.nodes(data=True)],
        "edges": [{"source": a, "target": b, "key": key} for a, b, key in graph.edges(keys=True)],
    }


def _text(path: str) -> str:
    try:
        return sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"--graph: there is no file {path!r}") from None
    except (OSError, ValueError) as error:
        raise InputError(f"--graph: cannot read {path[:80]!r} as text: {error}") from None


def _saved(text: str, path: str) -> networkx.Graph[Any]:
    from ..diagrams.diagram import Diagram
    from ..storage import loads

    obj = loads(text, path)
    if not isinstance(obj, Diagram):
        raise InputError(f"--graph: {path} holds a {type(obj).__name__}, not a Diagram")
    return obj.to_networkx()


def _name(node: object, path: str) -> str | int:
    if isinstance(node, bool) or not isinstance(node, str | int):
        raise InputError(f"--graph: {path} has the node {short(node)}; nodes are names or whole numbers")
    return node
