"""Everything that is known about one diagram, as a record for programs and as lines for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..errors import InputError

if TYPE_CHECKING:
    from ..diagrams.diagram import Diagram

#: Longest formula and list that a card prints; the record has them whole.
MAX_TEXT, MAX_LIST = 400, 12


def card_of(d: Diagram, dimension: int | None) -> dict[str, Any]:
    """Return the facts about a diagram; a fact that does not exist is null, and `notes` says why.

    Lines are pairs of nodes and vertices are nodes, numbered as in `Diagram.edges` and `Diagram.vertex_edges`.
    """
    from ..diagrams.diagram import Diagram

    notes: dict[str, str] = {}

    def known(name: str, value: Callable[[], Any]) -> Any:
        try:
            return value()
        except InputError as error:
            notes[name] = str(error)
            return None

    has = {"self-loop": d.has_self_loop, "snail": d.has_snail, "self-energy": d.has_self_energy}
    is_a = {"vacuum-free": d.is_vacuum_free, "connected": d.is_connected, "1PI": d.is_1pi}
    if d.n >= 2:
        is_a["amputated"] = d.is_amputated
    is_a["2PI"] = d.is_2pi
    facts = {
        "diagram": d.to_dict(),
        "key": [list(e) for e in Diagram.from_edges(d.theory, d.n, d.order, d.edges).edges],
        "coefficient": str(d.coefficient),
        "loops": d.n_loops,
        "is": is_a,
        "has": has,
        "components": [list(nodes) for nodes in d.components],
        "bridges": [list(e) for e in d.bridges],
        "one_pi_parts": [list(part) for part in d.one_pi_parts],
        "cut_vertices": list(d.cut_vertices),
    }
    if dimension is not None:
        facts["dimension"] = dimension
        facts["superficial_degree"] = known("superficial degree", lambda: d.superficial_degree(dimension))
        facts["subdivergences"] = known("subdivergences", lambda: _subdivergences(d, dimension))
    facts["symanzik"] = known("Symanzik", lambda: _symanzik(d))
    facts["momentum"] = known("momentum space", lambda: str(d.momentum_expression()))
    facts["position"] = known("position space", lambda: str(d.expression()))
    return {**facts, "notes": notes}


def card_text(d: Diagram, card: dict[str, Any], place: str) -> str:
    """Return a card as lines of text."""
    names = _vertex_names(d)
    rows = [
        ("place", place),
        ("lines", _lines(d, d.edges)),
        ("key", _lines(d, card["key"])),
        ("symmetry factor", f"{d.symmetry_factor}" + (f" (each of {d.copies} labellings)" if d.copies > 1 else "")),
        ("multiplicity", str(d.multiplicity)),
        ("coefficient", card["coefficient"]),
        ("loops", str(d.n_loops)),
        ("is", ", ".join(name for name, yes in card["is"].items() if yes) or "-"),
        ("has", ", ".join(name for name, yes in card["has"].items() if yes) or "-"),
        ("bridges", " ".join(f"{names[i]}-{names[j]}" for i, j in card["bridges"]) or "-"),
        ("1PI parts", " ".join(_set(names, part) for part in card["one_pi_parts"]) or "-"),
        ("cut vertices", " ".join(names[v] for v in card["cut_vertices"]) or "-"),
    ]
    if card.get("superficial_degree") is not None:
        rows.append((f"degree in D={card['dimension']}", str(card["superficial_degree"])))
    if card.get("subdivergences") is not None:
        many = Counter(f"{_lines(d, g['lines'])} (degree {g['degree']})" for g in card["subdivergences"])
        found = [text if k == 1 else f"{k} times {text}" for text, k in many.items()]
        more = [f"and {len(found) - MAX_LIST} more"] if len(found) > MAX_LIST else []
        rows.append(("subdivergences", "; ".join(found[:MAX_LIST] + more) or "-"))
    if card["symanzik"] is not None:
        rows += [(f"Symanzik {name}", _short(card["symanzik"][name])) for name in ("U", "F0")]
    rows += [(f"{name} space", _short(card[name])) for name in ("momentum", "position") if card[name] is not None]
    rows += [(name, f"none: {why}") for name, why in card["notes"].items()]
    return "\n".join(f"{name:<16} {value}" for name, value in rows)


def _lines(d: Diagram, edges: Any) -> str:
    return " ".join(f"{d.names[i]}-{d.names[j]}" for i, j in edges) or "-"


def _set(names: list[str], nodes: list[int]) -> str:
    return "{" + ", ".join(names[v] for v in nodes) + "}"


def _short(text: str) -> str:
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]} ... ({len(text)} characters; --json prints all)"


def _vertex_names(d: Diagram) -> list[str]:
    """Return the names of the nodes of `vertex_edges`: of a vertex with several points, all of them."""
    inner = ["+".join(d.names[p] for p in points) for points in d.layout.points]
    return [*d.names[: d.n], *inner]


def _subdivergences(d: Diagram, dimension: int) -> list[dict[str, Any]]:
    return [
        {"lines": [list(d.edges[e]) for e in g.lines], "loops": g.n_loops, "legs": g.n_legs, "degree": g.degree}
        for g in d.subdivergences(dimension)
    ]


def _symanzik(d: Diagram) -> dict[str, Any]:
    result = d.symanzik()
    return {
        "U": str(result.U),
        "F0": str(result.F0),
        "lines": [list(e) for e in result.lines],
        "invariants": {str(s): list(points) for s, points in result.invariants.items()},
    }
