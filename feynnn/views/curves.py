"""What the writers of diagrams share: a drawing made of nodes and curves, and the geometry of curves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import atan2, cos, hypot, pi, sin

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Point = tuple[float, float]
Link = tuple[int, int]
Links = tuple[Link, ...]
Path = tuple[Point, ...]

#: White space around a drawing.
MARGIN = 0.15


@dataclass(frozen=True)
class Node:
    """A drawn point: its name, its place, the number of its coupling (None: external), where its label goes."""

    name: str
    at: Point
    coupling: int | None = None
    label: Point | None = None


@dataclass(frozen=True)
class Curve:
    """A line between two nodes: two points if straight, else the 3m + 1 control points of m cubic Bezier pieces."""

    ends: Link
    points: Path


@dataclass(frozen=True)
class Drawing:
    """Nodes, lines and connectors (between the points of one vertex), x to the right and y upwards.

    Everything lies in the box from (0, 0) to `size`; `centre` is the middle of the frame. A line between two
    vertices has natural length 1.
    """

    nodes: tuple[Node, ...]
    curves: tuple[Curve, ...]
    connectors: tuple[Curve, ...]
    size: Point
    centre: Point


def tidy(value: float) -> float:
    """Round to 3 digits, the same on every platform: noise in the last bits is cut off before ties are broken."""
    return round(round(value, 9), 3) + 0.0


def as_path(points: Array) -> Path:
    """Return an array of shape (k, 2) as a tuple of points."""
    return tuple((float(x), float(y)) for x, y in points)


def arc(p: Point, q: Point, bend: float) -> Path:
    """Return a circular arc from p to q that leaves p turned left by `bend` radians, as one cubic; straight for 0."""
    if abs(bend) < 1e-9:
        return (p, q)
    x, y = q[0] - p[0], q[1] - p[1]
    reach = 1.0 / (3.0 * cos(bend / 2) ** 2)
    c, s = reach * cos(bend), reach * sin(bend)
    return (p, (p[0] + c * x - s * y, p[1] + c * y + s * x), (q[0] - c * x - s * y, q[1] - c * y + s * x), q)


def loop(p: Point, direction: float, room: float, size: float = 1.0) -> Path:
    """Return a loop at p that points in `direction` and fits in an angle of `room` radians."""
    if room > 0.8 * pi:  # a circle, tangent to the line through p
        k = 0.5523
        shape = [(0.0, 0.0), (k, 0.0), (1.0, 1 - k), (1.0, 1.0), (1.0, 1 + k), (k, 2.0), (0.0, 2.0)]
        shape += [(-a, b) for a, b in reversed(shape[:-1])]
        shape = [(0.27 * a, 0.27 * b) for a, b in shape]
    else:
        half = min(0.42 * room, 0.29 * pi)
        length = 0.54 / (0.75 * cos(half))
        shape = [
            (0.0, 0.0),
            (length * sin(half), length * cos(half)),
            (-length * sin(half), length * cos(half)),
            (0.0, 0.0),
        ]
    c, s = size * cos(direction), size * sin(direction)
    return tuple((p[0] + b * c + a * s, p[1] + b * s - a * c) for a, b in shape)


def sample(path: Path, pieces: int = 6) -> list[Point]:
    """Return points along a path."""
    if len(path) == 2:
        return list(path)
    points = [path[0]]
    for k in range(0, len(path) - 1, 3):
        (a, b), (c, d), (e, f), (g, h) = path[k : k + 4]
        for t in range(1, pieces + 1):
            v, w = t / pieces, 1 - t / pieces
            q = (w * w * w, 3 * w * w * v, 3 * w * v * v, v * v * v)
            points.append((q[0] * a + q[1] * c + q[2] * e + q[3] * g, q[0] * b + q[1] * d + q[2] * f + q[3] * h))
    return points


def split(path: Path, t: float) -> tuple[Path, Path]:
    """Cut a straight line or a cubic at the parameter t (de Casteljau)."""
    left, right, rest = [path[0]], [path[-1]], list(path)
    while len(rest) > 1:
        rest = [((1 - t) * a[0] + t * b[0], (1 - t) * a[1] + t * b[1]) for a, b in pairwise(rest)]
        left.append(rest[0])
        right.append(rest[-1])
    return tuple(left), tuple(right[::-1])


@lru_cache(maxsize=8192)
def _pieces(path: Path) -> Array:
    return np.array([(*a, *b) for a, b in pairwise(sample(path))])


def segments(paths: Sequence[Path]) -> tuple[Array, npt.NDArray[np.int64]]:
    """Return the paths as straight pieces, shape (k, 4), and the path that each piece is of."""
    pieces = [_pieces(path) for path in paths]
    owner = np.repeat(np.arange(len(pieces)), [len(p) for p in pieces])
    return np.concatenate([np.zeros((0, 4)), *pieces]), owner


def distances(points: Sequence[Point], paths: Sequence[Path]) -> Array:
    """Return the distance of each point from each path, shape (points, paths)."""
    pieces, owner = segments(paths)
    if not len(pieces) or not len(points):
        return np.full((len(points), len(paths)), np.inf)
    p, a, along = np.array(points)[:, None], pieces[:, :2], pieces[:, 2:] - pieces[:, :2]
    t = np.clip(((p - a) * along).sum(axis=2) / np.maximum((along**2).sum(axis=1), 1e-12), 0.0, 1.0)
    apart = np.sqrt(((p - a - t[..., None] * along) ** 2).sum(axis=2))
    nearest = np.minimum.reduceat(apart, np.searchsorted(owner, np.arange(len(paths))), axis=1)
    return np.asarray(np.round(nearest, 6))


def string(path: Path, beads: int, others: Sequence[Path], room: float) -> list[Path]:
    """Cut a path at its beads: evenly, or on one side if they come closer than `room` to a line that crosses."""
    if not beads:
        return [path]
    best: tuple[float, list[Path]] | None = None
    for low, high in ((0.0, 1.0), (0.0, 0.66), (0.34, 1.0), (0.0, 0.5), (0.5, 1.0)):
        pieces, rest, done = [], path, 0.0
        for k in range(beads):
            t = low + (high - low) * (k + 1) / (beads + 1)
            piece, rest = split(rest, (t - done) / (1 - done))
            pieces.append(piece)
            done = t
        clear = float(distances([piece[-1] for piece in pieces], others).min(initial=1.0))
        if best is None or min(clear, room) > best[0] + 1e-3:
            best = (min(clear, room), [*pieces, rest])
        if clear >= room:
            break
    assert best is not None
    return best[1]


def leaving(node: int, links: Sequence[Link], paths: Sequence[Path]) -> list[float]:
    """Return the angles at which lines other than loops leave a node."""
    angles = []
    for (i, j), path in zip(links, paths, strict=True):
        if i != j and path and node in (i, j):
            a, b = path[:2] if i == node else path[:-3:-1]
            angles.append(round(atan2(b[1] - a[1], b[0] - a[0]), 6))
    return angles


def angle(corner: Point, first: Point, second: Point) -> float:
    """Return the angle at a corner between the directions to two points."""
    (x, y), (u, v), (p, q) = corner, first, second
    return abs(atan2((u - x) * (q - y) - (v - y) * (p - x), (u - x) * (p - x) + (v - y) * (q - y)))


def preference(p: Sequence[float], direction: float) -> tuple[float, float]:
    """Return what to prefer between equal directions at p: outwards, then up."""
    return (round(p[0] * cos(direction) + p[1] * sin(direction), 1), round(sin(direction), 3))


def gaps(angles: Sequence[float]) -> list[tuple[float, float]]:
    """Return the gaps between directions, as (start, width); two equal directions have none between them."""
    ranked = sorted(angles)
    wrapped = ranked[1:] + [a + 2 * pi for a in ranked[:1]]
    return [(a, b - a) for a, b in zip(ranked, wrapped, strict=True)]


def tip(path: Path) -> list[Point]:
    """Return points on the far half of a loop."""
    points = sample(path)
    return points[len(points) // 4 : -(len(points) // 4)]


def crossings(paths: Sequence[Path]) -> int:
    """Count the crossings of lines, their ends apart."""
    pieces, owner = segments(paths)
    if not len(pieces):
        return 0
    first = np.append(True, owner[1:] != owner[:-1])
    last = np.append(first[1:], True)
    along = pieces[:, 2:] - pieces[:, :2]
    start = pieces[:, :2] + 0.02 * first[:, None] * along
    end = pieces[:, 2:] - 0.02 * last[:, None] * along

    def turn(p: Array, q: Array, r: Array) -> Array:
        return np.asarray((q - p)[..., 0] * (r - p)[..., 1] - (q - p)[..., 1] * (r - p)[..., 0])

    a, b, c, d = start[:, None], end[:, None], start[None], end[None]
    hit = (turn(a, b, c) * turn(a, b, d) < -1e-9) & (turn(c, d, a) * turn(c, d, b) < -1e-9)
    return int((hit & (owner[:, None] < owner)).sum())


def boxed(nodes: Sequence[Node], curves: Sequence[Curve], connectors: Sequence[Curve]) -> Drawing:
    """Return a drawing moved into the box that it needs and rounded; the origin becomes its centre.

    External points get labels, opposite to their leg.
    """
    labels: dict[int, Point] = {}
    for c in curves:
        for node, (p, q) in zip(c.ends, (c.points[:2], c.points[:-3:-1]), strict=True):
            if nodes[node].coupling is None:
                r = 0.28 / (hypot(q[0] - p[0], q[1] - p[1]) or 1.0)
                labels[node] = (p[0] - r * (q[0] - p[0]), p[1] - r * (q[1] - p[1]))
    needed = [(*node.at, 0.08) for node in nodes] + [(x, y, 0.18) for x, y in labels.values()]
    needed += [(x, y, 0.03) for c in (*curves, *connectors) for x, y in sample(c.points)]
    low = [tidy(min((p[k] - p[2] for p in needed), default=0.0) - MARGIN) for k in range(2)]
    high = [tidy(max((p[k] + p[2] for p in needed), default=0.0) + MARGIN) for k in range(2)]

    def move(p: Point) -> Point:  # rounded before it is moved: mirror images stay mirror images
        return (tidy(tidy(p[0]) - low[0]), tidy(tidy(p[1]) - low[1]))

    return Drawing(
        tuple(
            Node(v.name, move(v.at), v.coupling, move(labels[k]) if k in labels else None) for k, v in enumerate(nodes)
        ),
        tuple(Curve(c.ends, tuple(map(move, c.points))) for c in curves),
        tuple(Curve(c.ends, tuple(map(move, c.points))) for c in connectors),
        (tidy(high[0] - low[0]), tidy(high[1] - low[1])),
        move((0.0, 0.0)),
    )
