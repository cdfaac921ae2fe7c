"""Graphviz text: read back by a small parser, every line and point of the diagram compared."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import networkx as nx
import pytest
from export_cases import CASES, IDS, PHI4, WEIGHTED

import feynnn as fn
from feynnn.errors import InputError
from feynnn.views.exports import dot_text
from feynnn.views.svg import PALETTE

# --- DOT -------------------------------------------------------------------------------------------------------------

DOT = re.compile(r'\s*(?:"([^"\n]*)"|([A-Za-z_]\w*|-?\.?\d+(?:\.\d+)?)|(--|[{}\[\];,=]))')


@dataclass
class Dot:
    """A graph, or a cluster in one."""

    nodes: dict[str, dict[str, str]]
    edges: list[tuple[str, str, dict[str, str]]]
    attributes: dict[str, str]
    clusters: dict[str, Dot]


def read_dot(text: str) -> Dot:
    """Read the part of the DOT language that is used, strictly."""
    found: list[str] = []
    at = 0
    while text[at:].strip():
        match = DOT.match(text, at)
        assert match, text[at:]
        found.append(next(group for group in match.groups() if group is not None))
        at = match.end()
    stream = iter(found)
    assert [next(stream) for _ in range(3)] == ["graph", "feynnn", "{"]
    graph = _block(stream)
    assert list(stream) == []
    return graph


def _attributes(stream: Iterator[str]) -> dict[str, str]:
    """After `[`, to the `;` of the statement."""
    result = {}
    while True:
        key = next(stream)
        assert next(stream) == "="
        result[key] = next(stream)
        end = next(stream)
        if end == "]":
            assert next(stream) == ";"
            return result
        assert end == ","


def _block(stream: Iterator[str]) -> Dot:
    result = Dot({}, [], {}, {})
    for first in stream:
        if first == "}":
            return result
        if first == "subgraph":
            name = next(stream)
            assert next(stream) == "{"
            result.clusters[name] = _block(stream)
            continue
        operator = next(stream)
        if operator == "=":
            result.attributes[first] = next(stream)
            assert next(stream) == ";"
        elif operator == "--":
            other, end = next(stream), next(stream)
            result.edges.append((first, other, _attributes(stream) if end == "[" else {}))
            assert end in "[;"
        else:
            assert operator == "["
            assert first not in result.nodes
            result.nodes[first] = _attributes(stream)
    raise AssertionError("no closing brace")


def assert_drawn(drawn: Dot, d: fn.Diagram, prefix: str = "") -> None:
    """Lines, points and their colours, and which points belong together, are those of the networkx graph."""
    graph = d.to_networkx()
    assert {n.removeprefix(prefix) for n in drawn.nodes} - {"node"} == set(graph)
    lines = [(a, b) for a, b, marks in drawn.edges if marks.get("style") != "dotted"]
    assert Counter((a.removeprefix(prefix), b.removeprefix(prefix)) for a, b in lines) == Counter(graph.edges())
    dotted = nx.Graph((a, b) for a, b, marks in drawn.edges if marks.get("style") == "dotted")
    together = {frozenset(n.removeprefix(prefix) for n in part) for part in nx.connected_components(dotted)}
    vertices: dict[int, set[str]] = {}
    for name, marks in graph.nodes(data=True):
        shown = drawn.nodes[prefix + name]
        if marks["kind"] == "external":
            assert shown == {"shape": "plaintext", "label": name}
        else:
            assert shown["color"] == PALETTE[d.theory.couplings.index(marks["coupling"]) % len(PALETTE)]
            assert shown["tooltip"] == str(d.theory.interactions[d.theory.couplings.index(marks["coupling"])])
            vertices.setdefault(marks["vertex"], set()).add(name)
    assert together == {frozenset(points) for points in vertices.values() if len(points) > 1}


@pytest.mark.parametrize(("theory", "n", "order", "kind"), CASES, ids=IDS)
def test_dot_has_every_line_and_point(theory: fn.Theory, n: int, order: Any, kind: Any) -> None:
    ds = fn.generate(theory, n, order=order, kind=kind)
    for d in ds:
        drawn = read_dot(d.to_dot())
        assert_drawn(drawn, d)
        assert drawn.attributes["label"].split()[0] == str(d.coefficient)
        assert drawn.clusters == {}
    whole = read_dot(ds.to_dot())
    assert list(whole.clusters) == [f"cluster_{k}" for k in range(len(ds))]
    for k, d in enumerate(ds):
        assert_drawn(whole.clusters[f"cluster_{k}"], d, f"d{k}_")
        assert whole.clusters[f"cluster_{k}"].attributes["label"].startswith(f"{k}: {d.coefficient}")
    names = [name for part in whole.clusters.values() for name in part.nodes]
    assert len(names) == len(set(names))


def test_dot_of_many_couplings_repeats_colours_and_of_nothing_is_empty() -> None:
    theory = fn.Theory([fn.Interaction(2, f"m{k}") for k in range(8)])
    assert f'color="{PALETTE[1]}"' in fn.generate(theory, 2, order={"m7": 1})[0].to_dot()
    assert read_dot(fn.generate(PHI4, 3, order=1).to_dot()).clusters == {}
    with pytest.raises(InputError, match="only diagrams can be exported"):
        dot_text(["star"])  # type: ignore[list-item]


@pytest.mark.parametrize("program", ["dot", "neato", "fdp"])
def test_graphviz_draws_it(program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    for d in (*fn.generate(WEIGHTED, 2, order={"b": 1, "q": 1}, kind="all")[:3], *fn.generate(PHI4, 4, order=2)[:4]):
        done = subprocess.run([program, "-Tplain"], input=d.to_dot(), capture_output=True, text=True, check=True)
        assert done.stderr == ""
        shown = [line.split()[0] for line in done.stdout.splitlines()]
        assert shown.count("edge") == d.to_dot().count(" -- ")
