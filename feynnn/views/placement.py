"""Where the integrated points of a diagram go: the lines' natural lengths balance, from many starts.

Every reflection of the frame that is a symmetry of the diagram gives starts that keep it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, permutations
from math import atan2, cos, pi, sin

import numpy as np
import numpy.typing as npt

from ..diagrams.classes import components, neighbours
from .curves import (
    Array,
    Link,
    Path,
    as_path,
    gaps,
    preference,
)  # fmt: skip

#: Nodes keep the first distance from each other, and try to keep the second from lines that pass.
APART, CLEAR = 0.45, 0.3
#: Reflections (signs of x and y) with the permutation of nodes that each one is.
Group = list[tuple[Array, npt.NDArray[np.int64]]]

#: What a picture gains by having a group of reflections of this order.
SYMMETRIC = {1: 0.0, 2: 0.3, 4: 0.5}
#: Reflections of the frame: left-right, up-down, and through the centre.
REFLECTIONS = ((-1.0, 1.0), (1.0, -1.0), (-1.0, -1.0))


@dataclass(frozen=True)
class Wire:
    """A line between two nodes of the core, with the number of beads on it; or a connector."""

    a: int
    b: int
    beads: int
    join: bool = False


def bundles(wires: Sequence[Wire]) -> dict[Link, list[int]]:
    """Return the wires between each pair of nodes, the connector last."""
    bundles: dict[Link, list[int]] = {}
    for k, w in enumerate(wires):
        bundles.setdefault((w.a, w.b), []).append(k)
    return bundles


def _distances(n: int, size: int, wires: Sequence[Wire]) -> Array:
    """Return the natural distances of the nodes: along shortest paths, room for the beads included."""
    distance = np.full((size, size), np.inf)
    np.fill_diagonal(distance, 0.0)
    for (a, b), members in bundles(wires).items():
        beads = max(wires[k].beads for k in members)
        length = 0.7 if wires[members[0]].join else 1.0 + beads * (1.0 if a < n else 0.45)
        distance[a, b] = distance[b, a] = length
    for k in range(size):
        distance = np.minimum(distance, distance[:, k : k + 1] + distance[k])
    return distance


def _frame(n: int, distance: Array) -> Array:
    """Return the places of the external points; it grows with the number of lines between them."""
    lengths = np.maximum(distance[:n, :n], 2.0)
    finite = np.where(np.isfinite(lengths), lengths, 2.0)
    half = n // 2
    if n % 2:
        angles = pi - 2 * pi * np.arange(n) / n
        radius = 0.55 * (finite.sum() - 2.0 * n) / (n * (n - 1)) if n > 1 else 1.0
        return np.asarray(radius * np.stack([np.cos(angles), np.sin(angles)], axis=1))
    if n == 0:
        return np.zeros((0, 2))
    lengths = np.where(np.eye(n, dtype=bool), 0.0, lengths)
    wide = 0.275 * _span(lengths[:half, half:])
    if half == 1:
        left = np.array([[-wide, 0.0]])
    elif half == 2:
        high = 0.225 * _span(lengths[0::2, 1::2]) - 0.14
        left = np.array([[-wide, high], [-wide, -high]])
    else:
        angles = np.linspace(0.7, -0.7, half) * pi / 2
        beside = np.concatenate([finite[:half, :half].diagonal(1), finite[half:, half:].diagonal(1)])
        high = (0.4 * half + 0.3 * (half - 1) * (beside.max() - 2.0)) / np.sin(angles[0])
        left = np.stack([-1.1 * wide * np.cos(0.85 * angles), high * np.sin(angles)], axis=1)
    return np.concatenate([left, left * [-1.0, 1.0]])


def _span(across: Array) -> float:
    """Return twice the number of lines for which two opposite sides of the frame need room."""
    facing, nearest = (d[np.isfinite(d)] for d in (across.diagonal(), across.min(axis=1)))
    return float(facing.max(initial=2.0) + (nearest.mean() if len(nearest) else 2.0))


def _mirrors(n: int, weight: npt.NDArray[np.int64], image: list[int]) -> list[list[int]]:
    """Return involutions of the nodes that keep all lines and act on the external points as `image` (at most 12)."""
    size = len(weight)
    found: list[list[int]] = []

    def extend(partner: dict[int, int]) -> None:
        if len(partner) == size:
            found.append([partner[k] for k in range(size)])
            return
        node = min(set(range(size)) - set(partner))
        for other in range(node, size):
            if len(found) == 12 or other in partner or (node < n) != (other < n) or (node < n and image[node] != other):
                continue
            new = partner | {node: other, other: node}
            if all(weight[a, b] == weight[new[a], new[b]] for a in (node, other) for b in new):
                extend(new)

    extend({})
    return found


def _symmetries(n: int, size: int, wires: Sequence[Wire], frame: Array) -> list[Group]:
    """Return groups of reflections of the frame with the permutations of nodes that they amount to, smallest first."""
    weight = np.zeros((size, size), dtype=np.int64)
    for w in wires:
        weight[w.a, w.b] += 1000 if w.join else 1  # beads may differ
        weight[w.b, w.a] = weight[w.a, w.b]
    identity = (np.ones(2), np.arange(size))
    groups: list[Group] = [[identity]]
    maps: dict[tuple[float, float], list[list[int]]] = {}
    for sign in REFLECTIONS:
        image = [next((k for k, q in enumerate(frame) if np.abs(p * sign - q).max() < 1e-6), -1) for p in frame]
        maps[sign] = [] if -1 in image else _mirrors(n, weight, image)
        groups += [[identity, (np.array(sign), np.array(s))] for s in maps[sign]]
    for s in maps[REFLECTIONS[0]][:4]:
        for t in maps[REFLECTIONS[1]][:4]:
            both = [s[k] for k in t]
            if both == [t[k] for k in s]:
                parts = zip(REFLECTIONS, (s, t, both), strict=True)
                groups.append([identity, *((np.array(sign), np.array(p)) for sign, p in parts)])
    return groups


def candidates(n: int, size: int, wires: Sequence[Wire]) -> list[tuple[Path, float]]:
    """Return candidates for the places of the core's nodes, each with a bonus for its symmetry."""
    distance = _distances(n, size, wires)
    frame = _frame(n, distance)
    inner = size - n
    if not inner:
        return [(as_path(frame), 0.0)]
    # starts: the integrated points around a circle or along a line, in several orders, about their neighbours' mean
    weight, _, loose = _springs(n, distance)
    weight[loose] = 0.0
    balance = np.diag(weight.sum(axis=1) + 0.02) - weight
    means = np.round(np.linalg.solve(balance[n:, n:], weight[n:, :n] @ frame), 6)
    starts = []
    for order in islice(permutations(range(inner)), 12):
        rank = np.argsort(order)
        angle = pi * (0.5 + (inner % 2 == 0) / inner) + 2 * pi * rank / inner
        ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        row = np.stack([2.0 * rank / max(inner - 1, 1) - 1.0, 0.02 * rank], axis=1)
        shapes = (row, ring, -row[:, ::-1]) if inner > 1 else (ring * 0.1,)
        starts += [np.concatenate([frame, means + (0.5 + 0.1 * inner) * shape]) for shape in shapes]
    pairs = [(p, g) for g in _symmetries(n, size, wires, frame) for p in starts[: 36 if len(g) == 1 else 6]]
    relaxed, strain = _relax(n, distance, np.array([p for p, _ in pairs]), [g for _, g in pairs], 15)
    kept: list[int] = []
    for k in np.argsort(np.round(strain - 0.05 * np.array([len(g) for _, g in pairs]), 6), kind="stable").tolist():
        if len(kept) < 6 and all(np.abs(relaxed[k] - relaxed[other]).max() > 0.05 for other in kept):
            kept.append(k)
    final, _ = _relax(n, distance, relaxed[kept], [pairs[k][1] for k in kept], 30, wires)
    parts = _hanging(n, size, wires)
    return [
        (as_path(_turned(n, p, wires, parts, choice)), -0.1 * choice or SYMMETRIC[len(pairs[k][1])])
        for p, k in zip(final, kept, strict=True)
        for choice in range(2 if parts else 1)
    ]


def _hanging(n: int, size: int, wires: Sequence[Wire]) -> list[tuple[int, list[int]]]:
    """Return the parts without external points behind one node, as (node, nodes of the part), largest first."""
    masks = neighbours(size, [(w.a, w.b) for w in wires])
    parts = [
        (v, [k for k in range(size) if c >> k & 1])
        for v in (range(size) if n else ())
        for c in components(masks, ((1 << size) - 1) & ~(1 << v))
        if c & masks[v] and not c & ((1 << n) - 1)
    ]
    return sorted(parts, key=lambda part: -len(part[1]))


def _turned(n: int, places: Array, wires: Sequence[Wire], parts: Sequence[tuple[int, list[int]]], choice: int) -> Array:
    """Turn what hangs on a node to where there is room: choice 0 is the first guess, 1 the second.

    On a vertex that is the middle of a gap between its other lines, the widest first; on an external point it is
    outwards, then inwards, and the other way round if there is only one external point.
    """
    places = places.copy()
    for v, nodes in parts:
        at = places[v].tolist()
        ends = {w.a + w.b - v for w in wires if v in (w.a, w.b)}
        if v < n:
            outwards = atan2(at[1], at[0])
            direction = outwards + pi * ((choice == 1) != (n == 1))
        else:
            free = gaps([round(atan2(*(places[k] - places[v])[::-1]), 6) for k in ends - set(nodes)])
            free.sort(key=lambda g: (-round(g[1], 2), *(-f for f in preference(at, g[0] + g[1] / 2))))
            direction = free[choice % len(free)][0] + free[choice % len(free)][1] / 2
        towards = np.mean([places[k] - places[v] for k in sorted(ends & set(nodes))], axis=0)
        turn = direction - atan2(towards[1], towards[0])
        c, s = cos(turn), sin(turn)
        places[nodes] = places[v] + (places[nodes] - places[v]) @ np.array([[c, s], [-s, c]])
    return places


def _springs(n: int, distance: Array) -> tuple[Array, Array, npt.NDArray[np.bool_]]:
    """Return strength and natural length for each pair, and which pairs are only kept apart.

    Lines between external points are elastic, so they stay straight. An external point acts on its own neighbour
    and on what it is not connected to: what hangs on a vertex does not push it off its line.
    """
    connected = np.isfinite(distance)
    near = distance < distance.min(axis=1, initial=np.inf, where=distance > 0)[:, None] + 1e-6
    outer = np.zeros_like(connected)
    outer[:n, n:] = True
    legs = outer & near & (connected[:, :n].sum(axis=1) > 1)[:, None]
    idle = outer & connected & ~near
    legs, idle = legs | legs.T, idle | idle.T
    length = np.where(connected, distance, 0.8)
    weight = np.asarray(np.where(distance < 1.05, 1.5, 1.0) / np.maximum(length, 0.7) ** 2)
    length, weight = np.where(legs, length - 0.6, length), np.where(legs, 0.3, np.where(idle, 0.0, weight))
    np.fill_diagonal(weight, 0.0)
    weight[:n, :n] = 0.0
    return weight, length, ~connected


def _relax(
    n: int, distance: Array, places: Array, groups: Sequence[Group], steps: int, wires: Sequence[Wire] = ()
) -> tuple[Array, Array]:
    """Move the integrated points towards their natural distances, each start within its symmetry group.

    Returns the places and the strain that is left: a step solves for the balance of all springs at once.
    """
    weight, length, loose = _springs(n, distance)
    signs = np.array([[sign for sign, _ in (g * 4)[:4]] for g in groups])[:, :, None, :]
    images = np.array([[image for _, image in (g * 4)[:4]] for g in groups])
    rows = np.arange(len(places))[:, None, None]
    frame = places[:, :n]
    places = (signs * places[rows, images]).mean(axis=1)
    hold = 0.02 * np.eye(len(distance))
    for step in range(steps + 1):
        difference = places[:, :, None] - places[:, None]
        apart = np.sqrt((difference**2).sum(axis=-1)) + 1e-6
        active = np.where(loose & (apart > length), 0.0, weight)
        if step == steps:
            break
        balance = (active.sum(axis=2)[..., None] + hold.sum(axis=0)) * np.eye(len(distance)) - active
        force = ((active * length / apart)[..., None] * difference).sum(axis=2) + 0.02 * places
        force = force[:, n:] - balance[:, n:, :n] @ frame
        new = np.concatenate([frame, np.linalg.solve(balance[:, n:, n:], force)], axis=1)
        if wires:
            new[:, n:] += _pushes(new, wires)[:, n:]
        new = np.round((signs * new[rows, images]).mean(axis=1), 6)
        if np.array_equal(new, places):
            break
        places = new
    return np.asarray(places), np.asarray((active * (apart - length) ** 2).sum(axis=(1, 2)))


def _pushes(places: Array, wires: Sequence[Wire]) -> Array:
    """Return moves that take nodes away from straight lines that pass too close."""
    single = [pair for pair, members in bundles(wires).items() if len(members) == 1]
    first, second = np.array(single, dtype=np.int64).reshape(-1, 2).T
    node = np.arange(places.shape[1])
    other = ((node != first[:, None]) & (node != second[:, None]))[..., None]
    start = places[:, first]
    along = places[:, second] - start
    square = (along**2).sum(axis=2) + 1e-9
    away = places[:, None] - start[:, :, None]
    t = np.clip((away * along[:, :, None]).sum(axis=3) / square[..., None], 0.0, 1.0)[..., None]
    gap = away - t * along[:, :, None]
    reach = np.sqrt((gap**2).sum(axis=3))[..., None]
    side = (np.stack([-along[..., 1], along[..., 0]], axis=2) / np.sqrt(square)[..., None])[:, :, None]
    amount = other * 0.5 * np.clip(CLEAR - reach, 0.0, None) * np.where(reach > 1e-3, gap / (reach + 1e-9), side)
    tails, heads = (node == first[:, None]).T * 1.0, (node == second[:, None]).T * 1.0
    recoil = tails @ (amount * (1 - t)).sum(axis=2) + heads @ (amount * t).sum(axis=2)
    return np.asarray(amount.sum(axis=1) - recoil)
