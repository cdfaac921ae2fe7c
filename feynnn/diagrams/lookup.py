"""Finding one diagram in a set of millions: a fingerprint of every row, exact comparison of the few that share it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .layout import Layout, Rows
from .pairs import upper_pairs
from .roots import mix, vertices_refined

Fingerprints = npt.NDArray[np.uint64]

#: Rows handled at once, which bounds the memory.
_CHUNK = 1 << 12
_ROUNDS = 3


def fingerprints(layout: Layout, rows: Rows, *, labelled: bool) -> Fingerprints:
    """Return a hash of each diagram, shape (k,), equal for diagrams that differ by the names of equal vertices.

    Different diagrams may share one: nodes are coloured by their neighbours a few times (1-dimensional
    Weisfeiler-Leman), which is quick and not complete. With `labelled` False the external points have no names.
    """
    if not len(rows):
        return np.zeros(0, dtype=np.uint64)
    n = layout.n_nodes
    i, j = upper_pairs(n)
    part = np.array(layout.part_of, dtype=np.int64)
    together = np.where(part[i] == part[j], 1 << 9, 0).astype(np.uint64)[:, None]
    kinds = np.array(layout.kinds(labelled=labelled), dtype=np.uint64)[:, None] << np.uint64(9)
    nodes = np.arange(n)
    found = []
    for start in range(0, len(rows), _CHUNK):
        lines = rows[start : start + _CHUNK].T.astype(np.uint64)
        pairs = np.zeros((n, n, lines.shape[1]), dtype=np.uint64)
        pairs[i, j] = pairs[j, i] = mix(lines[layout.column[i, j]] + together + np.uint64(1))
        own = mix(kinds + lines[layout.column[nodes, nodes]] + np.uint64(1))
        for _ in range(_ROUNDS):
            own = vertices_refined(pairs, own)
        found.append(mix(own).sum(axis=0, dtype=np.uint64))
    return np.concatenate(found)
