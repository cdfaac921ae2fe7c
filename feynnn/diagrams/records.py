"""Diagrams as plain records for JSON: lines as written, exact weights beside them, all of it checked when read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import factorial
from reprlib import repr as short
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError
from ..points import whole
from ..theory.action import Theory
from ..theory.parsing import POINTS
from .canonical import canonical_form, canonical_forms
from .layout import Layout, Rows, as_keys

if TYPE_CHECKING:
    from .diagram import Diagram


@dataclass(frozen=True)
class Lines:
    """What records of one layout say: a row, its stabiliser and its copies for each of k diagrams.

    Attributes
    ----------
    theory, layout
        What the lines belong to.
    rows : numpy.ndarray of int8, shape (k, pairs)
        Lines as written, whether or not their form is canonical.
    forms : numpy.ndarray of int8, shape (k, pairs)
        Their canonical forms.
    topologies : numpy.ndarray of int8, shape (k, pairs), or None
        Canonical forms without labels, if the records say that diagrams may stand for several.
    stabilisers, copies : numpy.ndarray of int64, shape (k,)
    """

    theory: Theory
    layout: Layout
    rows: Rows
    forms: Rows
    topologies: Rows | None
    stabilisers: npt.NDArray[np.int64]
    copies: npt.NDArray[np.int64]

    @property
    def is_canonical(self) -> bool:
        """Whether all rows are written in canonical form."""
        return np.array_equal(self.forms, self.rows)


def head_of(theory: Theory, layout: Layout) -> dict[str, Any]:
    """Return what the diagrams of one layout share; `nodes` says in words which node is which."""
    order = {c: sum(v.coupling == c for v in layout.vertices) for c in theory.couplings}
    return {"theory": theory.to_dict(), "n": layout.n, "order": order, "nodes": _nodes(layout)}


def _nodes(layout: Layout) -> list[str]:
    nodes = list(layout.names[: layout.n])
    for points, v in zip(layout.points, layout.vertices, strict=True):
        places = [f" at {p}" if len(points) > 1 else "" for p in POINTS]
        nodes += [f"{layout.names[node]}: {v.coupling}{place}" for node, place in zip(points, places, strict=False)]
    return nodes


def record_of(d: Diagram) -> dict[str, Any]:
    """Return a diagram's lines and exact weights."""
    return {
        "edges": [list(e) for e in d.edges],
        "symmetry_factor": d.symmetry_factor,
        "multiplicity": d.multiplicity,
        "copies": d.copies,
    }


def read(head: Mapping[str, Any], records: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Lines:
    """Read what `head_of` and `record_of` wrote; `names` of the records are for messages.

    Raises
    ------
    InputError
        If something is missing or does not fit; the message names the diagram and the line.
    """
    theory = Theory.from_dict(field(head, "theory"))
    layout = Layout.of(theory, field(head, "n"), theory.order(field(head, "order")))
    most = min(factorial(layout.n), np.iinfo(np.int64).max)
    rows = np.zeros((len(records), len(layout.pairs)), dtype=np.int8)
    copies = np.ones(len(records), dtype=np.int64)
    for k, (record, name) in enumerate(zip(records, names, strict=True)):
        try:
            rows[k] = layout.row_of(field(record, "edges"))
            copies[k] = number = min(whole(field(record, "copies"), "copies", least=1), most + 1)
        except InputError as error:
            raise InputError(f"{name}{error}") from error
        if number > most:
            raise InputError(f"{name}copies={record['copies']}, but {layout.n} points have {most} labellings")
    # after the lines, whose messages are closer to the damage
    if head.get("nodes", nodes := _nodes(layout)) != nodes:
        raise InputError(f"theory, n and order give the nodes {nodes}, the file says {short(head['nodes'])}")
    forms, stabilisers = canonical_forms(layout, rows)
    topologies = None
    if head.get("external") == "indistinguishable" or (copies > 1).any():
        topologies = np.empty_like(rows)
        for k, (fixed, number) in enumerate(zip(stabilisers.tolist(), copies.tolist(), strict=True)):
            topologies[k], size = canonical_form(layout, rows[k], labelled=False)
            # a filter may have left fewer
            if number > (labellings := factorial(layout.n) * fixed // size):
                raise InputError(f"{names[k]}copies={number}, but its external points have {labellings} labellings")
    return Lines(theory, layout, rows, forms, topologies, stabilisers, copies)


def check_set(found: Lines, kind: object, external: object, names: Sequence[str]) -> None:
    """Raise InputError if diagrams cannot be a set: an unknown kind, a diagram twice, copies of labelled ones."""
    from .generation import EXTERNAL, KINDS

    if kind not in KINDS:
        raise InputError(f"'kind' must be one of {', '.join(map(repr, KINDS))}, got {short(kind)}")
    if external not in EXTERNAL:
        raise InputError(f"'external' must be {' or '.join(map(repr, EXTERNAL))}, got {short(external)}")
    if external == "labelled":
        for k in np.flatnonzero(found.copies > 1).tolist():
            raise InputError(
                f"{names[k]}copies={found.copies[k]}, but with labelled external points a diagram stands for itself "
                "only: copies=1, or external='indistinguishable'"
            )
    forms = found.forms if external == "labelled" or found.topologies is None else found.topologies
    _, first, inverse = np.unique(as_keys(forms), return_index=True, return_inverse=True)
    original = first[inverse]
    for k in np.flatnonzero(original != np.arange(len(forms))).tolist():
        raise InputError(f"{names[k]}it is the same as diagram {original[k]}; leave out one of them")


def check(what: Diagram, record: Mapping[str, Any], name: str) -> None:
    """Raise InputError if a record states other weights than its lines have."""
    for key in ("symmetry_factor", "multiplicity"):
        right = getattr(what, key)
        if record.get(key, right) != right:
            words = key.replace("_", " ")
            raise InputError(f"{name}{what!r} has {words} {right}, the file says {short(record[key])}")


def field(record: Any, key: str) -> Any:
    """Return one entry of a record.

    Raises
    ------
    InputError
        If it is missing, or the record is not a dictionary.
    """
    if not isinstance(record, Mapping):
        raise InputError(f"a record is a dictionary with {key!r}, got {short(record)}")
    if key not in record:
        raise InputError(f"the record has no {key!r}, only {', '.join(map(repr, record)) or 'nothing'}")
    return record[key]
