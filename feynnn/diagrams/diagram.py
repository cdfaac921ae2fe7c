"""Diagram: one Feynman diagram, its exact weights and the facts that a theorist asks for."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cached_property
from math import factorial
from typing import TYPE_CHECKING, Any

from ..theory.action import Order, Theory
from . import classes, records, structure
from .canonical import canonical_form
from .graphs import graph_of, lines_of
from .layout import Layout, Rows, automorphisms

if TYPE_CHECKING:
    import networkx
    import sympy

    from .momentum import Routing
    from .structure import Subgraph
    from .symanzik import Symanzik

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
        row, stabiliser = canonical_form(layout, layout.row_of(edges))
        return cls(theory, layout, row, stabiliser)

    @classmethod
    def from_networkx(cls, theory: Theory, graph: networkx.Graph[Any]) -> Diagram:
        """Return the diagram that a networkx graph draws.

        Parameters
        ----------
        theory : Theory
        graph : networkx.Graph or networkx.MultiGraph
            One edge for each line; parallel lines need a MultiGraph. A node with one line end is an external point,
            any other a vertex, unless its attribute `kind` is "external" or "vertex". External points are x1, x2, ...
            in the order of their attribute `label` (all or none have one), else of their names, x2 before x10.
            A vertex has the coupling of its attribute `coupling`; that may be left out where only one term of the
            theory has its number of legs. The points of one vertex with several points share the attribute
            `vertex`, and have `point` = 0, 1, ... if a weight tells equal ones apart.

        Returns
        -------
        Diagram
            One labelled diagram (its `copies` is 1); its order in the couplings is read off the graph.

        Raises
        ------
        InputError
            If the graph is directed, a node fits no term or several terms of the theory, or its marks contradict
            each other; the message names the node. Where the theory has a term with f^1, nodes with one line end
            must be marked.

        Examples
        --------
        >>> import networkx, feynnn as fn
        >>> tadpole = networkx.MultiGraph([("x1", "a"), ("x2", "a"), ("a", "a")])
        >>> fn.Diagram.from_networkx(fn.Theory.parse("lam*f**4"), tadpole)
        Diagram(x1-y x2-y y-y; lam: 1; multiplicity 12)
        """
        n, order, edges = lines_of(theory, graph)
        return cls.from_edges(theory, n, order, edges)

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

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the nodes: x1, x2, ... and y (or y1, y2, ... if there are several integrated points)."""
        return self.layout.names

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
    def is_amputated(self) -> bool:
        """Whether it is connected, has a vertex, and no bridge leaves exactly one external point on one side."""
        return classes.is_amputated(self.n, self._n_parts, self.vertex_edges)

    @property
    def is_2pi(self) -> bool:
        """Whether it is connected, has a vertex, and no one or two lines between vertices cut it apart."""
        return classes.is_2pi(self.n, self._n_parts, self.vertex_edges)

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

    @property
    def one_pi_parts(self) -> tuple[tuple[int, ...], ...]:
        """Parts (vertices as in `vertex_edges`) left when the external legs are removed and every bridge is cut."""
        return structure.one_pi_parts(self)

    @property
    def cut_vertices(self) -> tuple[int, ...]:
        """Vertices that disconnect the other vertices of their component when removed; external legs do not count."""
        return structure.cut_vertices(self)

    def superficial_degree(self, dimension: int) -> int:
        """Return D L - 2 I, for L loops and I lines between vertices in D dimensions; profiles do not count."""
        return structure.superficial_degree(self, dimension)

    def subdivergences(self, dimension: int) -> tuple[Subgraph, ...]:
        """Return the proper 1PI subgraphs, as sets of lines, whose superficial degree is zero or more."""
        return structure.subdivergences(self, dimension)

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

    def momentum_routing(self) -> Routing:
        """Return the momentum of each line as whole multiples of external momenta p_i and loop momenta k_l."""
        from .momentum import momentum_routing

        return momentum_routing(self)

    def momentum_expression(self, *, amputated: bool = False) -> sympy.Expr:
        """Return the diagram's term of the expansion as integrals over loop momenta of products of G(q).

        All external momenta flow in; (2 pi)^D delta(sum of them) for each component is left out, and with `amputated`
        the G(p_i) of the external legs too. See `feynnn.diagrams.momentum`.
        """
        from .momentum import momentum_expression

        return momentum_expression(self, amputated=amputated)

    def symanzik(self) -> Symanzik:
        """Return the Symanzik polynomials U and F of a connected diagram, Euclidean, external legs amputated."""
        from .symanzik import symanzik_polynomials

        return symanzik_polynomials(self)

    def to_networkx(self) -> networkx.MultiGraph[str]:
        """Return a networkx multigraph that `from_networkx` reads back: one edge for each line.

        Nodes are named x1, x2, ... with ``kind="external"`` and y1, y2, ... with ``kind="vertex"``, `coupling`,
        `vertex` (its number, shared by the points of one vertex) and `point` (its number in the vertex).
        """
        return graph_of(self.layout, self.names, self.edges)

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

    def to_dot(self) -> str:
        """Return a graph for Graphviz; see `feynnn.views.exports.dot_text`."""
        from ..views.exports import dot_text

        return dot_text(self)

    def to_form(self, *, vertex_kernel: str = "K") -> str:
        """Return the integrand as a program for FORM; see `feynnn.views.exports.form_text`."""
        from ..views.exports import form_text

        return form_text(self, vertex_kernel=vertex_kernel)

    def to_mathematica(self, *, vertex_kernel: str = "K") -> str:
        """Return the term in the Wolfram language; see `feynnn.views.exports.mathematica_text`."""
        from ..views.exports import mathematica_text

        return mathematica_text(self, vertex_kernel=vertex_kernel)

    def _repr_svg_(self) -> str:
        return self.to_svg()

    def _repr_latex_(self) -> str:
        return f"${self.to_latex()}$"

    # --- identity --------------------------------------------------------------------------------------------------

    @property
    def row(self) -> Rows:
        """Number of lines between each pair of nodes, shape (pairs,), in the order of `Layout.pairs`."""
        return self._row

    @cached_property
    def topology_key(self) -> tuple[object, ...]:
        """What two diagrams share that differ by the labels of their external points only."""
        return (self.n, self.layout.vertices, canonical_form(self.layout, self._row, labelled=False)[0].tobytes())

    @cached_property
    def key(self) -> tuple[object, ...]:
        """What two diagrams must share to be equal: external points, vertices, canonical lines, and `copies`.

        A diagram that stands for several labelled ones is equal only to one that stands for as many; `topology_key`
        compares without labels.
        """
        row = self._row if self._is_canonical else canonical_form(self.layout, self._row)[0]
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
        """Return a JSON-ready dictionary: theory, nodes, lines as pairs of nodes, and the exact weights."""
        return {**records.head_of(self.theory, self.layout), **records.record_of(self)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Diagram:
        """Rebuild what `to_dict` wrote, lines as written.

        Raises
        ------
        InputError
            If something is missing, a line does not fit (the message names it), or a stated weight is wrong.
        """
        found = records.read(data, [data], [""])
        d = cls(
            found.theory,
            found.layout,
            found.rows[0],
            int(found.stabilisers[0]),
            int(found.copies[0]),
            is_canonical=found.is_canonical,
        )
        records.check(d, data, "")
        return d
