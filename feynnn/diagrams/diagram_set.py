"""DiagramSet: all diagrams of one kind at one order, stored as arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from math import factorial
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from ..errors import InputError
from ..points import whole
from ..theory.action import Theory
from .diagram import Diagram
from .layout import Layout, Rows, as_keys, canonical


class DiagramSet(Sequence[Diagram]):
    """The diagrams of a theory with n external points at an exact order; a sequence of `Diagram`.

    Attributes
    ----------
    theory, n, kind
        What was asked.
    order : dict
        Number of vertices of each coupling.
    rows : numpy.ndarray of int8, shape (k, pairs)
        Lines between each pair of nodes, see `Layout`.
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
        is_canonical: bool = True,
    ) -> None:
        self.theory, self.layout, self.kind = theory, layout, kind
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
            return self._select(np.arange(len(self))[index])
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
        return isinstance(diagram, Diagram) and diagram.layout == self.layout and any(diagram == d for d in self)

    def _select(self, index: npt.NDArray[np.int64]) -> DiagramSet:
        return DiagramSet(
            self.theory,
            self.layout,
            self.rows[index],
            self._stabilisers[index],
            kind=self.kind,
            copies=self._copies[index],
            is_canonical=self._is_canonical,
        )

    def filter(self, keep: Callable[[Diagram], bool]) -> DiagramSet:
        """Return the diagrams for which `keep` is true, in the same order."""
        return self._select(np.array([i for i, d in enumerate(self) if keep(d)], dtype=np.int64))

    def freeze(self) -> None:
        """Make the arrays read-only, so that a remembered set stays what it is."""
        for array in (self.rows, self._stabilisers, self._copies):
            array.setflags(write=False)

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
        values, inverse = np.unique(sizes, return_inverse=True)
        counts = np.zeros(len(values), dtype=np.int64)
        np.add.at(counts, inverse, self._copies)
        return list(zip(values.tolist(), counts.tolist(), strict=True))

    def topologies(self) -> DiagramSet:
        """Return one representative for each class of diagrams that differ by the labels of external points.

        Each stands for all its labelled `copies`; multiplicities add up. This is external="indistinguishable".
        """
        if not len(self):
            return self
        columns, n = self.layout.column, self.n
        inner = Layout(0, self.layout.vertices)
        # lines between vertices are all that is left of a diagram without labels: the legs at each point follow
        pairs = np.array([(i + n, j + n) for i, j in inner.pairs], dtype=np.int64).reshape(-1, 2)
        forms, _ = canonical(inner, self.rows[:, columns[pairs[:, 0], pairs[:, 1]]])
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
            is_canonical=self._is_canonical,
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

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary."""
        return {
            "theory": self.theory.to_dict(),
            "n": self.n,
            "order": self.order,
            "kind": self.kind,
            "diagrams": [
                {
                    "edges": [list(e) for e in d.edges],
                    "symmetry_factor": d.symmetry_factor,
                    "multiplicity": d.multiplicity,
                    "copies": d.copies,
                }
                for d in self
            ],
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> DiagramSet:
        """Rebuild what `to_dict` wrote, checking the stated symmetry factors.

        Raises
        ------
        InputError
            If a diagram's lines do not fit, or its symmetry factor is wrong.
        """
        theory = Theory.from_dict(data["theory"])
        layout = Layout.of(theory, data["n"], theory.order(data["order"]))
        stored = data["diagrams"]
        rows = np.array([layout.row_of(d["edges"]) for d in stored], dtype=np.int8)
        rows, stabilisers = canonical(layout, rows.reshape(len(stored), len(layout.pairs)))
        copies = np.array([whole(d["copies"], "copies", least=1) for d in stored], dtype=np.int64)
        result = cls(theory, layout, rows, stabilisers, kind=data["kind"], copies=copies)
        for d, s in zip(result, stored, strict=True):
            if d.symmetry_factor != s["symmetry_factor"]:
                raise InputError(f"{d!r} has symmetry factor {d.symmetry_factor}, the file says {s['symmetry_factor']}")
        return result
