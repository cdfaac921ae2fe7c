"""Diagram: one Feynman diagram, its exact weights and the facts that a theorist asks for."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cached_property
from math import factorial
from typing import TYPE_CHECKING, Any

from ..points import whole
from ..theory.action import Order, Theory
from . import classes
from .layout import Layout, Rows, automorphisms, canonical

if TYPE_CHECKING:
    import networkx
    import sympy

Edge = tuple[int, int]


class Diagram:
    """A Feynman diagram of a theory, with labelled external points 0..n-1 and integrated points n, n+1, ...

    Made by ``generate`` or ``Diagram.from_edges``; equal diagrams (up to the names of equal vertices) compare equal.
    """

    def __init__(
        self,
        theory: Theory,
        layout: Layout,
        row: Rows,
        stabiliser: int,
        copies: int = 1,
        *,
        is_canonical: bool = True,
    ) -> None:
        self.theory = theory
        self.layout = layout
        self._row = row
        self._is_canonical = is_canonical
        self._stabiliser = stabiliser
        #: Number of labelled diagrams that this one stands for: 1, or more when external points are indistinguishable.
        self.copies = copies

    @classmethod
    def from_edges(cls, theory: Theory, n: int, order: Order, edges: Sequence[Edge]) -> Diagram:
        """Return the diagram with the given lines.

        Parameters
        ----------
        theory : Theory
        n : int
            Number of external points, nodes 0..n-1.
        order : dict or int
            Number of vertices of each coupling; their points are the nodes n, n+1, ... in the theory's order.
        edges : sequence of (int, int)
            Lines, repeated for parallel ones.

        Raises
        ------
        InputError
            If a node does not have its number of legs.
        """
        layout = Layout.of(theory, n, theory.order(order))
        rows, stabiliser = canonical(layout, layout.row_of(edges)[None, :])
        return cls(theory, layout, rows[0], int(stabiliser[0]))

    # --- graph -----------------------------------------------------------------------------------------------------

    @property
    def n(self) -> int:
        """Number of external points."""
        return self.layout.n

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        """Lines as pairs of nodes i <= j, repeated for parallel lines, i == j for a self-loop."""
        return tuple(pair for pair, k in zip(self.layout.pairs, self._row.tolist(), strict=True) for _ in range(int(k)))

    @cached_property
    def vertex_edges(self) -> tuple[Edge, ...]:
        """Lines when each vertex counts as one node, numbered after the external points."""
        part = self.layout.part_of
        return tuple((part[i], part[j]) for i, j in self.edges)

    @property
    def n_vertices(self) -> int:
        """Number of vertices."""
        return len(self.layout.vertices)

    @property
    def _n_parts(self) -> int:
        return self.n + self.n_vertices

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the nodes: x1, x2, ... and y (or y1, y2, ... if there are several integrated points)."""
        integrated = self.layout.n_nodes - self.n
        inner = ["y"] if integrated == 1 else [f"y{k + 1}" for k in range(integrated)]
        return (*(f"x{k + 1}" for k in range(self.n)), *inner)

    @property
    def order(self) -> dict[str, int]:
        """Number of vertices of each coupling."""
        return {c: sum(v.coupling == c for v in self.layout.vertices) for c in self.theory.couplings}

    @property
    def n_loops(self) -> int:
        """Number of independent loops, lines - nodes + components, with a vertex as one node."""
        return len(self.edges) - self._n_parts + len(self.components)

    @cached_property
    def components(self) -> tuple[tuple[int, ...], ...]:
        """Connected components, as tuples of nodes of `edges` (external points and integrated points)."""
        masks = classes.neighbours(self._n_parts, self.vertex_edges)
        part = self.layout.part_of
        return tuple(
            tuple(node for node in range(self.layout.n_nodes) if c >> part[node] & 1)
            for c in classes.components(masks, (1 << self._n_parts) - 1)
        )

    @property
    def is_connected(self) -> bool:
        """Whether the diagram is connected."""
        return classes.is_connected(self._n_parts, self.vertex_edges)

    @property
    def is_vacuum_free(self) -> bool:
        """Whether every component holds an external point."""
        return classes.is_vacuum_free(self.n, self._n_parts, self.vertex_edges)

    @property
    def is_1pi(self) -> bool:
        """Whether it is connected with no bridge once the external legs are removed; a free line is not."""
        return classes.is_1pi(self.n, self._n_parts, self.vertex_edges)

    @property
    def bridges(self) -> tuple[Edge, ...]:
        """Lines between vertices (as one node each, numbered after the external points) that disconnect when cut."""
        return tuple(classes.bridges(self.n, self._n_parts, self.vertex_edges))

    @property
    def has_self_loop(self) -> bool:
        """Whether some line goes from a point to itself."""
        return any(i == j for i, j in self.edges)

    @property
    def has_snail(self) -> bool:
        """Whether a part without external points hangs on one vertex (self-loops included)."""
        return classes.has_snail(self.n, self._n_parts, self.vertex_edges)

    @property
    def has_self_energy(self) -> bool:
        """Whether some set of vertices is joined to the rest by one or two line ends."""
        return classes.has_self_energy(self.n, self._n_parts, self.vertex_edges)

    # --- exact weights ---------------------------------------------------------------------------------------------

    @cached_property
    def symmetry_factor(self) -> int:
        """Order |Aut| of the automorphism group, external points fixed: the diagram comes with 1/|Aut|.

        It counts permutations of equal vertices and equal points, of parallel lines, and flips of self-loops.  When
        the diagram stands for several labelled ones, this is the symmetry factor of each.
        """
        return automorphisms(self.layout, self._row, self._stabiliser)

    @property
    def multiplicity(self) -> int:
        """Number of Wick contractions that give this diagram (all its labelled copies together)."""
        return self.copies * (self.layout.relabellings // self.symmetry_factor)

    @property
    def weight(self) -> Fraction:
        """copies / |Aut|."""
        return Fraction(self.copies, self.symmetry_factor)

    @property
    def coefficient(self) -> Fraction:
        """Rational coefficient in the expansion, sign and 1/m! included: -24 for the phi^4 vertex with four legs."""
        value = Fraction(self.multiplicity)
        for v in self.layout.vertices:
            value *= -v.factor
        for group in self.layout.classes:
            value /= factorial(len(group))
        return value

    # --- views (imported when used) --------------------------------------------------------------------------------

    def expression(self) -> sympy.Expr:
        """Return the diagram's term of the expansion as a sympy expression; see `feynnn.expression`."""
        from ..perturbation.expressions import expression

        return expression(self)

    def to_networkx(self) -> networkx.MultiGraph[str]:
        """Return a networkx multigraph: nodes x1.., y1.. with `kind`, `coupling`, `vertex`; one edge for each line."""
        import networkx

        graph: networkx.MultiGraph[str] = networkx.MultiGraph()
        for node, name in enumerate(self.names):
            if node < self.n:
                graph.add_node(name, kind="external")
            else:
                k = self.layout.part_of[node] - self.n
                graph.add_node(name, kind="vertex", coupling=self.layout.vertices[k].coupling, vertex=k)
        graph.add_edges_from((self.names[i], self.names[j]) for i, j in self.edges)
        return graph

    def to_latex(self) -> str:
        """Return the diagram's term as LaTeX: coefficient, couplings and the integral."""
        from ..perturbation.formulas import diagram_latex

        return diagram_latex(self)

    def to_svg(self) -> str:
        """Return a drawing as SVG."""
        from ..views.svg import diagram_svg

        return diagram_svg(self)

    def to_tikz(self) -> str:
        """Return a drawing as plain TikZ."""
        from ..views.tikz import diagram_tikz

        return diagram_tikz(self)

    def _repr_svg_(self) -> str:
        return self.to_svg()

    def _repr_latex_(self) -> str:
        return f"${self.to_latex()}$"

    # --- identity --------------------------------------------------------------------------------------------------

    @cached_property
    def key(self) -> tuple[object, ...]:
        """What two diagrams must share to be equal: external points, vertices and canonical lines."""
        row = self._row if self._is_canonical else canonical(self.layout, self._row[None, :])[0][0]
        return (self.n, self.layout.vertices, row.tobytes(), self.copies)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Diagram) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        lines = " ".join(f"{self.names[i]}-{self.names[j]}" for i, j in self.edges)
        order = ", ".join(f"{c}: {k}" for c, k in self.order.items() if k)
        copies = f", {self.copies} labellings" if self.copies > 1 else ""
        return f"Diagram({lines or 'empty'}; {order or 'free'}; multiplicity {self.multiplicity}{copies})"

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary."""
        return {
            "theory": self.theory.to_dict(),
            "n": self.n,
            "order": self.order,
            "edges": [list(e) for e in self.edges],
            "copies": self.copies,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Diagram:
        """Rebuild what `to_dict` wrote.

        Raises
        ------
        InputError
            If the lines do not fit the vertices.
        """
        theory = Theory.from_dict(data["theory"])
        d = cls.from_edges(theory, data["n"], data["order"], data["edges"])
        return cls(theory, d.layout, d._row, d._stabiliser, whole(data["copies"], "copies", least=1))
