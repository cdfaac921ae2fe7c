"""Structure of a diagram without its external legs: 1PI parts, cut vertices, power counting, subdivergences.

A vertex is one node, numbered after the external points as in `Diagram.vertex_edges`; internal lines are those between
vertices, self-loops included.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import TYPE_CHECKING

from ..errors import InputError
from ..points import whole
from . import classes

if TYPE_CHECKING:
    from .diagram import Diagram

#: Most vertices of a 1PI part whose subsets are listed.
MAX_VERTICES = 20
#: Most sets of lines that are tried as subdivergences.
MAX_LINE_SETS = 100_000


@dataclass(frozen=True)
class Subgraph:
    """A one-particle irreducible subgraph: some internal lines of a diagram and the vertices that they touch.

    Attributes
    ----------
    vertices : tuple of int
        Its vertices, numbered as in `Diagram.vertex_edges`.
    lines : tuple of int
        Places of its lines in `Diagram.edges`; parallel lines are different lines.
    n_loops : int
        Number of independent loops, at least one.
    n_legs : int
        Number of line ends at its vertices that do not belong to its lines.
    degree : int
        Superficial degree of divergence.
    """

    vertices: tuple[int, ...]
    lines: tuple[int, ...]
    n_loops: int
    n_legs: int
    degree: int


def one_pi_parts(d: Diagram) -> tuple[tuple[int, ...], ...]:
    """Return the parts that remain when every bridge is cut and the external legs are removed.

    Returns
    -------
    tuple of tuple of int
        The vertices of each part, numbered as in `Diagram.vertex_edges`; a vertex in no loop is a part by itself.

    Examples
    --------
    >>> import feynnn as fn
    >>> theory = fn.Theory.parse("g*f**3 + lam*f**4")
    >>> lines = [(0, 2), (2, 3), (2, 3), (3, 4), (4, 4), (1, 4)]
    >>> fn.Diagram.from_edges(theory, 2, {"g": 2, "lam": 1}, lines).one_pi_parts
    ((2, 3), (4,))
    """
    cut = set(d.bridges)
    masks = classes.neighbours(d.n + d.n_vertices, [e for e in d.vertex_edges if e not in cut])
    return tuple(_nodes(part) for part in classes.components(masks, _vertices(d)))


def cut_vertices(d: Diagram) -> tuple[int, ...]:
    """Return the vertices whose removal disconnects the other vertices of their component.

    External legs are removed first: they would make every vertex that carries one a cut vertex. A self-loop does not
    make its vertex one.

    Returns
    -------
    tuple of int
        Numbered as in `Diagram.vertex_edges`.

    Examples
    --------
    >>> import feynnn as fn
    >>> theory = fn.Theory.parse("g*f**3 + lam*f**4")
    >>> lines = [(0, 2), (2, 4), (2, 4), (4, 3), (4, 3), (1, 3)]
    >>> fn.Diagram.from_edges(theory, 2, {"g": 2, "lam": 1}, lines).cut_vertices
    (4,)
    """
    masks = classes.neighbours(d.n + d.n_vertices, d.vertex_edges)
    return tuple(
        v
        for component in classes.components(masks, _vertices(d))
        for v in _nodes(component)
        if len(classes.components(masks, component & ~(1 << v))) > 1
    )


def superficial_degree(d: Diagram, dimension: int) -> int:
    """Return D L - 2 I for L loops and I internal lines: scalar propagators 1/(p^2 + m^2), no momenta at vertices.

    A diagram of several components has the sum of their degrees. Profiles do not count: a smooth weight on a vertex
    leaves the divergence at coincident points as it is.

    Raises
    ------
    InputError
        If the dimension is not a whole number >= 0, or a vertex has several integrated points.

    Examples
    --------
    >>> import feynnn as fn
    >>> d = fn.Diagram.from_edges(fn.Theory.parse("lam*f**4"), 2, 2, [(0, 2), (2, 3), (2, 3), (2, 3), (1, 3)])
    >>> d.superficial_degree(4)
    2
    """
    dim = whole(dimension, "dimension")
    require_local(d, "power counting")
    return dim * d.n_loops - 2 * len(internal_lines(d))


def subdivergences(d: Diagram, dimension: int) -> tuple[Subgraph, ...]:
    """Return the proper 1PI subgraphs of superficial degree >= 0, the elements of the forests of renormalisation.

    A subgraph is a set of internal lines, not necessarily all those between its vertices, that is connected, has a
    loop and no bridge; proper: not all internal lines of the diagram. Of k parallel lines every choice counts.
    Profiles do not count, see `superficial_degree`.

    Returns
    -------
    tuple of Subgraph
        Ordered by number of loops, then by lines.

    Raises
    ------
    InputError
        If the dimension is not a whole number >= 0, a vertex has several integrated points, a 1PI part has more than
        `MAX_VERTICES` vertices, or there are more than `MAX_LINE_SETS` sets of lines to try.

    Examples
    --------
    >>> import feynnn as fn
    >>> d = fn.Diagram.from_edges(fn.Theory.parse("lam*f**4"), 2, 2, [(0, 2), (2, 3), (2, 3), (2, 3), (1, 3)])
    >>> [(g.lines, g.degree) for g in d.subdivergences(4)]
    [((2, 3), 0), ((2, 4), 0), ((3, 4), 0)]
    """
    dim = whole(dimension, "dimension")
    require_local(d, "power counting")
    everything = internal_lines(d)
    tried, candidates = 0, []
    for part in one_pi_parts(d):
        for vertices, lines in _induced(d, part, dim):
            sizes = [
                k
                for k in range(len(vertices), len(lines) + 1)
                if _degree(dim, len(vertices), k) >= 0 and k < len(everything)
            ]
            tried += sum(comb(len(lines), k) for k in sizes)
            if tried > MAX_LINE_SETS:
                raise InputError(
                    f"this diagram has more than {MAX_LINE_SETS} sets of lines that may be subdivergences in {dim} "
                    "dimensions; ask for a smaller diagram, or in fewer dimensions"
                )
            candidates += [(vertices, lines, k) for k in sizes]
    found = [subgraph for candidate in candidates for subgraph in _irreducible(d, *candidate, dim)]
    return tuple(sorted(found, key=lambda g: (g.n_loops, g.lines)))


def internal_lines(d: Diagram) -> tuple[int, ...]:
    """Return the places in `Diagram.edges` of the lines between vertices, self-loops included."""
    return tuple(k for k, (i, _) in enumerate(d.edges) if i >= d.n)


def spanning_tree(d: Diagram) -> dict[int, int | None]:
    """Return for each vertex, breadth first, the place in `Diagram.edges` of the line to its parent.

    None at the root of a component: the vertex of its last external point, or its first vertex if it has none. Lines
    are taken in the order of `Diagram.edges`; vertices have one point each.
    """
    tree: dict[int, int | None] = {}
    for nodes in d.components:
        legs = [j for i, j in d.edges if i in nodes and i < d.n <= j]
        roots = [legs[-1]] if legs else [v for v in nodes if v >= d.n][:1]
        tree |= dict.fromkeys(roots)
        for v in (queue := roots):
            for e in internal_lines(d):
                i, j = d.edges[e]
                if v in (i, j) and i + j - v not in tree:
                    tree[i + j - v] = e
                    queue.append(i + j - v)
    return tree


def require_local(d: Diagram, what: str) -> None:
    """Refuse vertices with several integrated points: momentum is conserved at each point, not at the vertex."""
    for v in d.layout.vertices:
        if len(v.degree) > 1:
            raise InputError(
                f"{what} needs vertices of one point each, but {v.coupling!r} has {len(v.degree)} integrated points; "
                "use a theory of local vertices"
            )


def require_momentum_space(d: Diagram, what: str) -> None:
    """Refuse also profiles: a vertex with a weight that depends on its point does not conserve momentum."""
    require_local(d, what)
    for v in d.layout.vertices:
        if v.has_profile:
            raise InputError(
                f"{what} needs vertices that conserve momentum, but {v.coupling!r} has a profile; "
                "use an interaction without profile, or expression() in position space"
            )


def _degree(dimension: int, n_vertices: int, n_lines: int) -> int:
    """Return the superficial degree D L - 2 I of a connected graph."""
    return dimension * (n_lines - n_vertices + 1) - 2 * n_lines


def _induced(d: Diagram, part: tuple[int, ...], dimension: int) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Yield the sets of vertices of a 1PI part with all lines between them, where these can hold a subdivergence.

    Without bridges there are at least as many lines as vertices, and up from two dimensions all lines together have
    the largest degree; below two dimensions nothing diverges.
    """
    if len(part) > MAX_VERTICES:
        raise InputError(
            f"a 1PI part of this diagram has {len(part)} vertices, which are 2**{len(part)} sets to look through; "
            f"subdivergences are found up to {MAX_VERTICES}"
        )
    lines = [e for e in internal_lines(d) if set(d.edges[e]) <= set(part)]
    touched = [0]  # by each subset of the part, the lines as a bit mask
    for v in part:
        at_v = sum(1 << e for e in lines if v in d.edges[e])
        touched += [mask | at_v for mask in touched]
    last = len(touched) - 1
    for subset in range(1, last + 1):
        inside = touched[subset] & ~touched[last ^ subset]
        n_vertices, n_lines = subset.bit_count(), inside.bit_count()
        if n_lines >= n_vertices and _degree(dimension, n_vertices, n_lines) >= 0:
            yield tuple(part[k] for k in _nodes(subset)), _nodes(inside)


def _irreducible(
    d: Diagram, vertices: tuple[int, ...], lines: tuple[int, ...], size: int, dimension: int
) -> Iterator[Subgraph]:
    """Yield the 1PI subgraphs on all the vertices with `size` of the lines."""
    place = {v: p for p, v in enumerate(vertices)}
    n_legs = sum(d.layout.degrees[v] for v in vertices) - 2 * size
    n_loops, degree = size - len(vertices) + 1, _degree(dimension, len(vertices), size)
    for chosen in combinations(lines, size):
        if classes.is_1pi(0, len(vertices), [(place[d.edges[e][0]], place[d.edges[e][1]]) for e in chosen]):
            yield Subgraph(vertices, chosen, n_loops, n_legs, degree)


def _vertices(d: Diagram) -> int:
    """Return the bit mask of all vertices."""
    return (1 << (d.n + d.n_vertices)) - (1 << d.n)


def _nodes(mask: int) -> tuple[int, ...]:
    """Return the places of the ones in a bit mask."""
    return tuple(k for k in range(mask.bit_length()) if mask >> k & 1)
