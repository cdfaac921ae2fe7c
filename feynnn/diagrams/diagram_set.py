"""DiagramSet: all diagrams of one kind at one order, stored as arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import factorial
from reprlib import repr as short
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from ..errors import InputError
from ..theory.action import Theory
from . import records
from .canonical import canonical_forms
from .diagram import Diagram
from .layout import Layout, Rows, as_keys
from .lookup import Fingerprints, fingerprints


@dataclass(frozen=True)
class Certificate:
    """What a set was compared with: `count`, which generates nothing.

    Attributes
    ----------
    number, weight : bool
        Whether the number of diagrams and the sum of 1/|Aut| were found to agree.
    note : str
        Why something was not compared.
    """

    number: bool
    weight: bool
    note: str = ""

    def __str__(self) -> str:
        agreed = " and ".join(word for word in ("number", "weight") if getattr(self, word))
        words = f"{agreed} agree{'' if ' ' in agreed else 's'} with count()" if agreed else "not compared with count()"
        return words + (f": {self.note}" if self.note else "")


NOT_COMPARED = Certificate(number=False, weight=False)


class DiagramSet(Sequence[Diagram]):
    """The diagrams of a theory with n external points at an exact order; a sequence of `Diagram`.

    Attributes
    ----------
    theory, n, kind
        What was asked.
    order : dict
        Number of vertices of each coupling.
    external : {"labelled", "indistinguishable"}
        Whether each diagram stands for itself or for all its labellings.
    rows : numpy.ndarray of int8, shape (k, pairs)
        Lines between each pair of nodes, see `Layout`.
    certificate : Certificate
        What the set was compared with.
    reason : str or None
        Why the set is empty.
    """

    def __init__(
        self,
        theory: Theory,
        layout: Layout,
        rows: Rows,
        stabilisers: npt.NDArray[np.int64],
        *,
        kind: str,
        copies: npt.NDArray[np.int64] | None = None,
        external: str = "labelled",
        is_canonical: bool = True,
        reason: str | None = None,
    ) -> None:
        self.theory, self.layout, self.kind, self.external = theory, layout, kind, external
        self.certificate = NOT_COMPARED
        self.reason = None if len(rows) else reason
        self.rows, self._stabilisers, self._is_canonical = rows, stabilisers, is_canonical
        self._copies = np.ones(len(rows), dtype=np.int64) if copies is None else copies

    @property
    def n(self) -> int:
        """Number of external points."""
        return self.layout.n

    @property
    def order(self) -> dict[str, int]:
        """Number of vertices of each coupling."""
        return {c: sum(v.coupling == c for v in self.layout.vertices) for c in self.theory.couplings}

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> Diagram: ...
    @overload
    def __getitem__(self, index: slice) -> DiagramSet: ...

    def __getitem__(self, index: int | slice) -> Diagram | DiagramSet:
        if isinstance(index, slice):
            return self._select(np.arange(len(self))[index], "an empty slice")
        if not -len(self) <= index < len(self):
            raise IndexError(f"this set has {len(self)} diagrams, no number {index}")
        return Diagram(
            self.theory,
            self.layout,
            self.rows[index],
            int(self._stabilisers[index]),
            int(self._copies[index]),
            is_canonical=self._is_canonical,
        )

    def __iter__(self) -> Iterator[Diagram]:
        return (self[i] for i in range(len(self)))

    def __contains__(self, diagram: object) -> bool:
        return self._find(diagram) is not None

    def index(self, diagram: object, start: int = 0, stop: int | None = None) -> int:
        """Return the place of a diagram, also of one that was drawn elsewhere, with vertices named otherwise.

        In a set whose external points are indistinguishable the labels of the diagram do not matter.

        Raises
        ------
        ValueError
            If it is not in the set.
        """
        place = self._find(diagram)
        if place is None or place not in range(len(self))[start:stop]:
            raise ValueError(f"{diagram!r} is not in {self!r}")
        return place

    def _find(self, diagram: object) -> int | None:
        if not isinstance(diagram, Diagram) or diagram.layout != self.layout:
            return None
        labelled = self.external == "labelled"
        wanted = fingerprints(self.layout, diagram.row[None, :], labelled=labelled)
        for place in np.flatnonzero(self._fingerprints == wanted).tolist():
            if self[place] == diagram if labelled else self[place].topology_key == diagram.topology_key:
                return int(place)
        return None

    @cached_property
    def _fingerprints(self) -> Fingerprints:
        return fingerprints(self.layout, self.rows, labelled=self.external == "labelled")

    def _select(self, index: npt.NDArray[np.int64], reason: str) -> DiagramSet:
        return DiagramSet(
            self.theory,
            self.layout,
            self.rows[index],
            self._stabilisers[index],
            kind=self.kind,
            copies=self._copies[index],
            external=self.external,
            is_canonical=self._is_canonical,
            reason=self.reason or reason,
        )

    def filter(self, keep: Callable[[Diagram], bool]) -> DiagramSet:
        """Return the diagrams for which `keep` is true, in the same order."""
        kept = np.array([i for i, d in enumerate(self) if keep(d)], dtype=np.int64)
        return self._select(kept, "the filter leaves none")

    def freeze(self) -> None:
        """Make the arrays read-only, so that a remembered set stays what it is."""
        for array in (self.rows, self._stabilisers, self._copies):
            array.setflags(write=False)

    def twin(self) -> DiagramSet:
        """Return another set with the same arrays."""
        other = DiagramSet.__new__(DiagramSet)
        other.__dict__.update(self.__dict__)
        return other

    @property
    def weight(self) -> Fraction:
        """Exact sum of 1/|Aut| (over labelled diagrams)."""
        return sum((Fraction(k, size) for size, k in self._sizes()), Fraction(0))

    @property
    def multiplicity(self) -> int:
        """Total number of Wick contractions."""
        return sum(k * (self.layout.relabellings // size) for size, k in self._sizes())

    def _sizes(self) -> list[tuple[int, int]]:
        """Return the values of |Aut| and how many labelled diagrams have each."""
        sizes, logs = self._stabilisers.copy(), np.log(self._stabilisers.astype(float))
        for column, (i, j) in enumerate(self.layout.pairs):
            lines = self.rows[:, column]
            top = int(lines.max(initial=0))
            if top > 1 or (top and i == j):
                factors = [factorial(k) << (k if i == j else 0) for k in range(top + 1)]
                logs += np.log(np.array(factors, dtype=float))[lines]
                if logs.max() > 43.0:  # beyond 64 bits: one by one
                    return [(d.symmetry_factor, d.copies) for d in self]
                sizes *= np.array(factors, dtype=np.int64)[lines]
        if self._copies.sum(dtype=float) > 9e18:
            return [(d.symmetry_factor, d.copies) for d in self]
        values, inverse = np.unique(sizes, return_inverse=True)
        counts = np.zeros(len(values), dtype=np.int64)
        np.add.at(counts, inverse, self._copies)
        return list(zip(values.tolist(), counts.tolist(), strict=True))

    def topologies(self) -> DiagramSet:
        """Return one representative for each class of diagrams that differ by the labels of external points.

        Each stands for all its labelled `copies`; multiplicities add up. This is external="indistinguishable".
        """
        if self.external != "labelled":
            return self
        columns, n = self.layout.column, self.n
        inner = Layout(0, self.layout.vertices)
        # lines between vertices are all that is left of a diagram without labels: the legs at each point follow
        pairs = np.array([(i + n, j + n) for i, j in inner.pairs], dtype=np.int64).reshape(-1, 2)
        forms, _ = canonical_forms(inner, self.rows[:, columns[pairs[:, 0], pairs[:, 1]]])
        _, first, inverse = np.unique(as_keys(forms), return_index=True, return_inverse=True)
        copies = np.bincount(inverse, weights=self._copies).astype(np.int64)
        by_appearance = np.argsort(first)
        chosen = first[by_appearance]
        return DiagramSet(
            self.theory,
            self.layout,
            self.rows[chosen],
            self._stabilisers[chosen],
            kind=self.kind,
            copies=copies[by_appearance],
            external="indistinguishable",
            is_canonical=self._is_canonical,
            reason=self.reason,
        )

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, DiagramSet)
            and self.layout == other.layout
            and np.array_equal(self.rows, other.rows)
            and np.array_equal(self._copies, other._copies)
        )

    def __hash__(self) -> int:
        return hash((self.layout, self.rows.tobytes()))

    def __repr__(self) -> str:
        order = ", ".join(f"{c}: {k}" for c, k in self.order.items() if k) or "free"
        return (
            f"DiagramSet({len(self)} {self.kind} diagrams, n={self.n}, {order}, "
            f"weight {self.weight}, multiplicity {self.multiplicity})"
        )

    def __str__(self) -> str:
        lines = [repr(self), f"{'no.':>4}  {'1/|Aut|':>9}  {'mult.':>8}  loops  lines"]
        for i, d in enumerate(self[:60]):
            text = " ".join(f"{d.names[a]}-{d.names[b]}" for a, b in d.edges)
            lines.append(f"{i:>4}  {'1/' + str(d.symmetry_factor):>9}  {d.multiplicity:>8}  {d.n_loops:>5}  {text}")
        if len(self) > 60:
            lines.append(f"... and {len(self) - 60} more")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from ..views.drawing import gallery_html

        return gallery_html(self)

    def to_dot(self) -> str:
        """Return a graph for Graphviz with one cluster for each diagram; see `feynnn.views.exports.dot_text`."""
        from ..views.exports import dot_text

        return dot_text(self)

    def to_form(self, *, vertex_kernel: str = "K") -> str:
        """Return the integrand of the sum as a program for FORM; see `feynnn.views.exports.form_text`."""
        from ..views.exports import form_text

        return form_text(self, vertex_kernel=vertex_kernel)

    def to_mathematica(self, *, vertex_kernel: str = "K") -> str:
        """Return the sum in the Wolfram language; see `feynnn.views.exports.mathematica_text`."""
        from ..views.exports import mathematica_text

        return mathematica_text(self, vertex_kernel=vertex_kernel)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary: theory, nodes, and lines and exact weights of each diagram in order."""
        return {
            **records.head_of(self.theory, self.layout),
            "kind": self.kind,
            "external": self.external,
            "reason": self.reason,
            "weight": str(self.weight),
            "multiplicity": self.multiplicity,
            "diagrams": [records.record_of(d) for d in self],
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> DiagramSet:
        """Rebuild what `to_dict` wrote, in the same order and with the lines as written.

        Raises
        ------
        InputError
            If something is missing, a line does not fit (the message names the diagram and the line), a diagram
            occurs twice or has more copies than labellings, or a stated weight of a diagram or of the set is wrong.
        """
        stored = records.field(data, "diagrams")
        if not isinstance(stored, list):
            raise InputError(f"'diagrams' must be a list, got {short(stored)}")
        names = [f"diagram {k}: " for k in range(len(stored))]
        found = records.read(data, stored, names)
        kind, reason = records.field(data, "kind"), data.get("reason")
        external = data.get("external", "labelled" if (found.copies == 1).all() else "indistinguishable")
        if not isinstance(reason, str | None):
            raise InputError(f"'reason' must be text, got {short(reason)}")
        records.check_set(found, kind, external, names)
        result = cls(
            found.theory,
            found.layout,
            found.rows,
            found.stabilisers,
            kind=kind,
            copies=found.copies,
            external=external,
            is_canonical=found.is_canonical,
            reason=reason,
        )
        for d, record, name in zip(result, stored, names, strict=True):
            records.check(d, record, name)
        for key, right in (("weight", str(result.weight)), ("multiplicity", result.multiplicity)):
            if data.get(key, right) != right:
                raise InputError(f"the diagrams have {key} {right} in all, the file says {short(data[key])}")
        return result
