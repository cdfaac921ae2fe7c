"""Canonical form of one diagram at any size: individualisation and refinement, pruned by the automorphisms found.

A colouring of the nodes is refined until nodes of one colour have the same lines to every colour. Where colours are
still shared, one node of the first such cell is singled out, and so on down a tree whose leaves name every node. The
largest row among the leaves is the canonical one; leaves with equal rows differ by an automorphism, which cuts off
equivalent branches (B. D. McKay, "Practical graph isomorphism", 1981). Exact, whatever the number of vertices.
"""

from __future__ import annotations

from math import factorial

import numpy as np

from .layout import Layout, Rows, by_permutations

#: Up to this number of permutations of vertices all are tried at once, which is faster.
SMALL_GROUP = 24

Permutation = tuple[int, ...]


def canonical_form(layout: Layout, row: Rows, *, labelled: bool = True) -> tuple[Rows, int]:
    """Return the canonical row of a diagram and the number of node permutations that leave the diagram the same.

    Parameters
    ----------
    layout : Layout
    row : numpy.ndarray of int8, shape (pairs,)
    labelled : bool
        False lets the external points be exchanged as well.

    Returns
    -------
    row : numpy.ndarray of int8, shape (pairs,)
        The same for all diagrams that differ by the names of equal vertices (and of external points).
    stabiliser : int
        Permutations of equal vertices, of equal points of a vertex (and of external points).
    """
    order = layout.group_order * (1 if labelled else factorial(layout.n))
    if order == 1:
        return row, 1
    if labelled and order <= SMALL_GROUP:
        rows, stabilisers = by_permutations(layout, row[None, :])
        return rows[0], int(stabilisers[0])
    search = _Search(layout, row, labelled)
    return search.best, search.order


def canonical_forms(layout: Layout, rows: Rows) -> tuple[Rows, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Return `canonical_form` of every row, shapes (k, pairs) and (k,)."""
    if layout.group_order <= SMALL_GROUP:
        return by_permutations(layout, rows)
    found = [canonical_form(layout, row) for row in rows]
    forms = np.array([form for form, _ in found], dtype=np.int8).reshape(rows.shape)
    return forms, np.array([order for _, order in found], dtype=np.int64)


class _Search:
    """The tree of one diagram."""

    def __init__(self, layout: Layout, row: Rows, labelled: bool) -> None:
        self.layout, self.row, self.labelled = layout, row, labelled
        self.joined: list[list[tuple[int, int]]] = [[] for _ in range(layout.n_nodes)]
        first, second = layout.pair_arrays
        used = np.flatnonzero(row)
        for i, j, k in zip(first[used].tolist(), second[used].tolist(), row[used].tolist(), strict=True):
            self.joined[i].append((k, j))
            if i != j:
                self.joined[j].append((k, i))
        for points in layout.points:
            for p in points:  # 0 lines: points of one vertex belong together
                self.joined[p] += [(0, q) for q in points if q != p]
        self.generators: list[Permutation] = []
        self.order = 1
        self.first: tuple[tuple[int, ...], bytes, Permutation] | None = None
        self.best_leaf: tuple[tuple[int, ...], bytes, Permutation] | None = None
        self.best = row
        self._descend(self._refined(layout.kinds(labelled=labelled)), ())

    def _refined(self, colours: list[int]) -> list[int]:
        """Refine until stable; colours are ranks that do not depend on the names of nodes."""
        number = len(set(colours))
        while number < len(colours):
            signs = [
                (own, tuple(sorted((k, colours[j]) for k, j in joined)))
                for own, joined in zip(colours, self.joined, strict=True)
            ]
            ranks = {sign: rank for rank, sign in enumerate(sorted(set(signs)))}
            colours = [ranks[sign] for sign in signs]
            if len(ranks) == number:
                break
            number = len(ranks)
        return colours

    def _descend(self, colours: list[int], path: tuple[int, ...]) -> int:
        """Explore below a node of the tree; return the depth to go back to."""
        cell = self._cell(colours)
        if not cell:
            return self._leaf(colours, path)
        depth = len(path)
        done: list[int] = []
        for node in cell:
            if done and any(root in done for root in self._orbit(node, path)):
                continue
            chosen = [2 * c + 1 for c in colours]
            chosen[node] -= 1
            back = self._descend(self._refined(chosen), (*path, node))
            done.append(node)
            if back < depth:
                return back
        if self.first is not None and self.first[0][:depth] == path:
            self.order *= len(self._orbit(self.first[0][depth], path))
        return depth

    def _cell(self, colours: list[int]) -> list[int]:
        """Return the nodes of the smallest colour that several nodes share."""
        cells: dict[int, list[int]] = {}
        for node, c in enumerate(colours):
            cells.setdefault(c, []).append(node)
        shared = [c for c, nodes in cells.items() if len(nodes) > 1]
        return cells[min(shared)] if shared else []

    def _orbit(self, node: int, path: tuple[int, ...]) -> set[int]:
        """Return the orbit of a node under the automorphisms found so far that fix the path."""
        fixing = [g for g in self.generators if all(g[p] == p for p in path)]
        orbit, frontier = {node}, [node]
        while frontier:
            here = frontier.pop()
            for g in fixing:
                if g[here] not in orbit:
                    orbit.add(g[here])
                    frontier.append(g[here])
        return orbit

    def _leaf(self, colours: list[int], path: tuple[int, ...]) -> int:
        place = self._places(colours)
        where = np.empty(len(place), dtype=np.int64)
        where[list(place)] = np.arange(len(place))
        first, second = self.layout.pair_arrays
        row = self.row[self.layout.column[where[first], where[second]]]
        key = row.tobytes()
        leaf = (path, key, place)
        if self.first is None:
            self.first = self.best_leaf = leaf
            self.best = row
            return len(path)
        assert self.best_leaf is not None
        for known in (self.first, self.best_leaf):
            if known[1] == key:
                back = {p: node for node, p in enumerate(known[2])}
                self.generators.append(tuple(back[p] for p in place))
                return next(k for k, (a, b) in enumerate(zip(known[0], path, strict=False)) if a != b)
        if key > self.best_leaf[1]:
            self.best_leaf, self.best = leaf, row
        return len(path)

    def _places(self, colours: list[int]) -> Permutation:
        """Return where each node goes: equal vertices by their points' colours, equal points by theirs."""
        layout = self.layout
        place = list(range(layout.n_nodes))
        if not self.labelled:
            for rank, node in enumerate(sorted(range(layout.n), key=colours.__getitem__)):
                place[node] = rank
        for group in layout.classes:
            inside = layout.vertices[group[0]].point_classes()
            ranked = sorted(group, key=lambda v: min(colours[p] for p in layout.points[v]))
            for target, v in zip(group, ranked, strict=True):
                for equal in inside:
                    nodes = sorted((layout.points[v][k] for k in equal), key=colours.__getitem__)
                    for k, node in zip(equal, nodes, strict=True):
                        place[node] = layout.points[target][k]
        return tuple(place)
