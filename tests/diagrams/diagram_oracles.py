"""Second opinions on diagrams that use nothing of feynnn.diagrams.

* `ZeroDimensional`: the integral over one variable f, as a truncated power series in the couplings, in Fractions.
* `brute_force`: every pairing of the legs, equal diagrams recognised by networkx.
* `Facts`: connectivity, bridges, insertions and snails of a diagram by cutting lines and asking networkx.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from itertools import combinations, product

import networkx as nx

from feynnn import Diagram, Interaction, Theory

Orders = tuple[int, ...]
#: Polynomial in f: power -> coefficient, whole where possible because that is fast.
Polynomial = dict[int, int | Fraction]
#: Power series in the couplings.
Series = dict[Orders, Fraction]


def below(top: Orders) -> list[Orders]:
    """All orders up to `top`, low totals first."""
    return sorted(product(*(range(k + 1) for k in top)), key=sum)


def minus(a: Orders, b: Orders) -> Orders:
    return tuple(x - y for x, y in zip(a, b, strict=True))


def fits(a: Orders, b: Orders) -> bool:
    return all(x <= y for x, y in zip(a, b, strict=True))


@cache
def moment(n: int) -> int:
    """E[f^n] of a unit Gaussian."""
    return math.prod(range(1, n, 2)) if n % 2 == 0 else 0


def plain(c: Fraction) -> int | Fraction:
    return c.numerator if c.denominator == 1 else c


def hermite(d: int) -> Polynomial:
    """He_d by the three-term recursion."""
    last: Polynomial = {}
    here: Polynomial = {0: 1}
    for k in range(d):
        new = {p + 1: c for p, c in here.items()}
        for p, c in last.items():
            new[p] = new.get(p, 0) - k * c
        last, here = here, new
    return here


def multiply(a: Polynomial, b: Polynomial) -> Polynomial:
    result: Polynomial = {}
    for p, c in a.items():
        for q, d in b.items():
            result[p + q] = result.get(p + q, 0) + c * d
    return result


def potential(interaction: Interaction, *, normal_ordered: bool = False) -> Polynomial:
    """The interaction's polynomial in the one variable f, without its coupling."""
    result: Polynomial = {0: plain(interaction.factor)}
    for d in interaction.degree:
        result = multiply(result, hermite(d) if normal_ordered else {d: 1})
    return result


@dataclass
class ZeroDimensional:
    """Weight exp(-f^2/2 + sum over orders of g^order * terms[order](f)), all series cut at `top`.

    `tune` lists the powers of f whose coefficients are chosen, order by order, so that <f> = 0 (power 1) and
    <f^2> = 1 (power 2).
    """

    terms: dict[Orders, Polynomial]
    top: Orders
    tune: tuple[int, ...] = ()
    #: |a|! times the weight at order a.
    weight: dict[Orders, Polynomial] = field(default_factory=dict)

    def __post_init__(self) -> None:
        terms = {a: dict(p) for a, p in self.terms.items()}
        for a in below(self.top):
            weight = self.weight[a] = self._exponential(terms, a)
            if not any(a):
                continue
            size = math.factorial(sum(a))
            for power in self.tune:
                # lower orders are right, so <f> is its own moment and <f^2> that minus Z; to first order a term c f
                # shifts <f> by c, and c f^2 shifts <f^2> by 2 c
                excess = sum(c * (moment(p + power) - (power == 2) * moment(p)) for p, c in weight.items())
                shift = Fraction(-excess, power) / size
                extra = terms.setdefault(a, {})
                extra[power] = extra.get(power, 0) + plain(shift)
                weight[power] = weight.get(power, 0) + plain(shift * size)

    @classmethod
    def of(cls, theory: Theory, top: Orders) -> ZeroDimensional:
        """The theory with every propagator replaced by 1, counterterms tuned in the exact scheme."""
        units = [tuple(int(i == k) for i in range(len(top))) for k in range(len(top))]
        terms = {
            unit: {p: -c for p, c in potential(i, normal_ordered=theory.normal_ordered).items()}
            for unit, i in zip(units, theory.interactions, strict=True)
        }
        return cls(terms, top, (1, 2) if theory.propagator == "exact" else ())

    @classmethod
    def background(cls, theory: Theory, n: int, top: Orders) -> ZeroDimensional:
        """Fluctuations about a background phi, the first 'coupling', with a source that makes their mean vanish."""
        terms: dict[Orders, Polynomial] = {}
        for k, i in enumerate(theory.interactions):
            unit = tuple(int(j == k) for j in range(len(top)))
            for p, c in potential(i, normal_ordered=theory.normal_ordered).items():
                for a in range(min(p, n) + 1):
                    term = terms.setdefault((a, *unit), {})
                    term[p - a] = term.get(p - a, 0) - math.comb(p, a) * c
        return cls(terms, (n, *top), (1,))

    def _exponential(self, terms: dict[Orders, Polynomial], a: Orders) -> Polynomial:
        """|a|! times the coefficient E_a of exp, from |a| E_a = sum_b |b| P_b E_(a-b)."""
        total = sum(a)
        if not total:
            return {0: 1}
        result: Polynomial = {}
        for b, p in terms.items():
            if fits(b, a):
                factor = sum(b) * math.perm(total - 1, sum(b) - 1)
                for power, c in multiply(p, self.weight[minus(a, b)]).items():
                    result[power] = result.get(power, 0) + factor * c
        return result

    def _moments(self, n: int) -> Series:
        return {
            a: Fraction(sum(c * moment(p + n) for p, c in w.items())) / math.factorial(sum(a))
            for a, w in self.weight.items()
        }

    def unnormalised(self, n: int) -> Series:
        """Integral of f^n times the weight: all diagrams."""
        return self._moments(n)

    def full(self, n: int) -> Series:
        """<f^n>: vacuum-free diagrams."""
        z, numerator = self._moments(0), self._moments(n)
        result: Series = {}
        for b in below(self.top):
            known = sum((q * z[minus(b, c)] for c, q in result.items() if fits(c, b)), Fraction(0))
            result[b] = numerator[b] - known
        return result

    def connected(self, n: int) -> Series:
        """Cumulants; log Z for n = 0."""
        if n == 0:
            return self._log()
        moments = [self.full(k) for k in range(n + 1)]
        cumulants: list[Series] = [{}]
        for k in range(1, n + 1):
            here = dict(moments[k])
            for j in range(1, k):
                for a, c in cumulants[j].items():
                    for b, m in moments[k - j].items():
                        total = tuple(x + y for x, y in zip(a, b, strict=True))
                        if total in here:
                            here[total] -= math.comb(k - 1, j - 1) * c * m
            cumulants.append(here)
        return cumulants[n]

    def _log(self) -> Series:
        """|a| Z_a = sum_b |b| L_b Z_(a-b)."""
        z = self._moments(0)
        result: Series = {}
        for a in below(self.top):
            if not any(a):
                result[a] = Fraction(0)
                continue
            known = sum((sum(b) * c * z[minus(a, b)] for b, c in result.items() if fits(b, a)), Fraction(0))
            result[a] = z[a] - known / sum(a)
        return result


def irreducible(theory: Theory, n: int, top: Orders) -> Fraction:
    """Sum of the 1PI n-point coefficients at order `top`: the effective action is log Z of the fluctuations."""
    return ZeroDimensional.background(theory, n, top).connected(0)[(n, *top)] * math.factorial(n)


# --- brute force -----------------------------------------------------------------------------------------------------


def pairings(legs: Sequence[int]) -> Iterator[list[tuple[int, int]]]:
    """Every way to pair the legs."""
    if not legs:
        yield []
        return
    for k in range(1, len(legs)):
        for rest in pairings([*legs[1:k], *legs[k + 1 :]]):
            yield [(legs[0], legs[k]), *rest]


def brute_force(
    n: int, vertices: Sequence[tuple[str, Sequence[tuple[int, str]]]]
) -> list[tuple[nx.Graph[Hashable], int]]:
    """Pair all legs in all ways; return one graph for each diagram with its number of pairings.

    A vertex is a name and its points, each a number of legs and a label that interchangeable points share.
    """
    node_of: list[Hashable] = [("x", i) for i in range(n)]
    for v, (_, points) in enumerate(vertices):
        for p, (degree, _) in enumerate(points):
            node_of += [("v", v, p)] * degree
    seen: Counter[tuple[tuple[Hashable, Hashable], ...]] = Counter()
    for pairing in pairings(range(len(node_of))):
        seen[tuple(sorted((node_of[a], node_of[b]) for a, b in pairing))] += 1
    found: dict[str, list[tuple[nx.Graph[Hashable], int]]] = {}
    for lines, number in seen.items():
        graph = labelled_graph(n, vertices, lines)
        bucket = found.setdefault(nx.weisfeiler_lehman_graph_hash(graph, node_attr="label", edge_attr="lines"), [])
        for k, (other, count) in enumerate(bucket):
            if same(graph, other):
                bucket[k] = (other, count + number)
                break
        else:
            bucket.append((graph, number))
    return [entry for bucket in found.values() for entry in bucket]


def labelled_graph(
    n: int,
    vertices: Sequence[tuple[str, Sequence[tuple[int, str]]]],
    lines: Sequence[tuple[Hashable, Hashable]],
) -> nx.Graph[Hashable]:
    """Simple graph with all that tells diagrams apart: labels on nodes, numbers of lines on edges, a hub per vertex."""
    graph: nx.Graph[Hashable] = nx.Graph()
    loops = Counter(a for a, b in lines if a == b)
    for i in range(n):
        graph.add_node(("x", i), label=f"x{i}")
    for v, (name, points) in enumerate(vertices):
        graph.add_node(("hub", v), label=name)
        for p, (_, label) in enumerate(points):
            graph.add_node(("v", v, p), label=f"{name} {label} {loops[('v', v, p)]}")
            graph.add_edge(("hub", v), ("v", v, p), lines=0)
    for (a, b), k in Counter(frozenset(line) for line in lines if line[0] != line[1]).items():
        graph.add_edge(a, b, lines=k)
    return graph


def graph_of(d: Diagram, vertices: Sequence[tuple[str, Sequence[tuple[int, str]]]]) -> nx.Graph[Hashable]:
    """The same graph of a diagram whose points are numbered as the contract says: externals, then vertex by vertex."""
    nodes: list[Hashable] = [("x", i) for i in range(d.n)]
    nodes += [("v", v, p) for v, (_, points) in enumerate(vertices) for p in range(len(points))]
    return labelled_graph(d.n, vertices, [(nodes[i], nodes[j]) for i, j in d.edges])


def same(a: nx.Graph[Hashable], b: nx.Graph[Hashable]) -> bool:
    return nx.is_isomorphic(
        a,
        b,
        node_match=lambda p, q: bool(p["label"] == q["label"]),
        edge_match=lambda p, q: bool(p["lines"] == q["lines"]),
    )


def vertices_of(theory: Theory, order: Orders) -> list[tuple[str, list[tuple[int, str]]]]:
    """Vertices for `brute_force`, for interactions without profile: points with equal legs are interchangeable."""
    return [
        (i.coupling, [(d, str(d)) for d in i.degree])
        for i, m in zip(theory.interactions, order, strict=True)
        for _ in range(m)
    ]


# --- facts by cutting ------------------------------------------------------------------------------------------------


@dataclass
class Facts:
    """Graph facts with a vertex as one node, found by removing lines or nodes."""

    graph: nx.MultiGraph[Hashable]
    external: frozenset[Hashable]

    @classmethod
    def of(cls, d: Diagram) -> Facts:
        drawn = d.to_networkx()
        name: dict[str, Hashable] = {
            node: node if data["kind"] == "external" else ("vertex", data["vertex"])
            for node, data in drawn.nodes(data=True)
        }
        graph: nx.MultiGraph[Hashable] = nx.MultiGraph()
        graph.add_nodes_from(name.values())
        graph.add_edges_from((name[a], name[b]) for a, b in drawn.edges())
        return cls(graph, frozenset(node for node, data in drawn.nodes(data=True) if data["kind"] == "external"))

    @property
    def inner(self) -> nx.MultiGraph[Hashable]:
        return self.graph.subgraph(set(self.graph) - self.external).copy()

    @property
    def connected(self) -> bool:
        return len(self.graph) > 0 and nx.is_connected(self.graph)

    @property
    def vacuum_free(self) -> bool:
        return all(part & self.external for part in nx.connected_components(self.graph))

    @property
    def n_bridges(self) -> int:
        """Bridges of the diagram without external legs; a dummy node on each line makes the graph simple."""
        simple: nx.Graph[Hashable] = nx.Graph()
        simple.add_nodes_from(self.inner)
        for k, (a, b) in enumerate(self.inner.edges()):
            if a != b:
                nx.add_path(simple, [a, ("line", k), b])
        return sum(1 for _ in nx.bridges(simple)) // 2

    @property
    def one_particle_irreducible(self) -> bool:
        return self.connected and len(self.inner) > 0 and self.n_bridges == 0

    @property
    def amputated(self) -> bool:
        """Connected, with a vertex; no line between vertices whose removal leaves a part with one external point."""
        if not self.connected or not len(self.inner):
            return False
        for line in self.inner.edges(keys=True):
            left = self.graph.copy()
            left.remove_edge(*line)
            parts = list(nx.connected_components(left))
            if len(parts) == 2 and any(len(part & self.external) == 1 for part in parts):
                return False
        return True

    @property
    def two_particle_irreducible(self) -> bool:
        """Connected, with a vertex; the vertices hold together without any one or two of the lines between them."""
        if not self.connected or not len(self.inner):
            return False
        lines = list(self.inner.edges(keys=True))
        for size in range(3):
            for cut in combinations(lines, min(size, len(lines))):
                left = self.inner
                left.remove_edges_from(cut)
                if not nx.is_connected(left):
                    return False
        return True

    @property
    def n_loops(self) -> int:
        return self.graph.number_of_edges() - len(self.graph) + nx.number_connected_components(self.graph)

    @property
    def self_energy(self) -> bool:
        """Cut one or two lines: does a part without external points fall off that they alone held?"""
        lines = [(a, b, k) for a, b, k in self.graph.edges(keys=True) if a != b]
        for size in (1, 2):
            for cut in combinations(lines, size):
                left = self.graph.copy()
                left.remove_edges_from(cut)
                for part in nx.connected_components(left):
                    if not part & self.external and any((a in part) != (b in part) for a, b, _ in cut):
                        return True
        return False

    @property
    def insertion(self) -> bool:
        """`self_energy` by its definition: is there a set of vertices that one or two line ends leave?"""
        vertices = sorted(set(self.graph) - self.external, key=repr)
        for size in range(1, len(vertices) + 1):
            for inside in map(set, combinations(vertices, size)):
                if sum((a in inside) != (b in inside) for a, b in self.graph.edges()) in (1, 2):
                    return True
        return False

    @property
    def snail(self) -> bool:
        if nx.number_of_selfloops(self.graph):
            return True
        for part in nx.connected_components(self.graph):
            for node in part - self.external:
                rest = self.graph.subgraph(part - {node})
                if any(not piece & self.external for piece in nx.connected_components(rest)):
                    return True
        return False


#: The classes of `generate`, each decided by cutting.
IN_KIND: dict[str, Callable[[Facts], bool]] = {
    "all": lambda f: True,
    "vacuum-free": lambda f: f.vacuum_free,
    "connected": lambda f: f.connected,
    "amputated": lambda f: f.amputated,
    "1PI": lambda f: f.one_particle_irreducible,
    "2PI": lambda f: f.two_particle_irreducible,
}
