"""How the lines of a diagram run between given places, and how good a picture they make."""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot, pi

from .curves import (
    Links,
    Path,
    angle,
    arc,
    crossings,
    distances,
    gaps,
    leaving,
    loop,
    preference,
    tip,
)  # fmt: skip
from .placement import APART, CLEAR, Wire, bundles

#: Outermost direction of parallel lines against the chord, in degrees, by their number.
BENDS = {2: 50, 3: 62, 4: 68, 5: 70}


def route(places: Path, wires: Sequence[Wire]) -> tuple[list[Path], int]:
    """Draw the wires: parallel ones as symmetric arcs, single ones straight if nothing is in the way (else bent).

    Returns the paths and the number of bent ones.
    """
    paths: list[Path] = [()] * len(wires)
    bent = 0
    parallel = bundles(wires)
    for (a, b), members in parallel.items():
        p, q = places[a], places[b]
        turn = (p[1] - q[1], q[0] - p[0])
        outwards = turn[0] * (p[0] + q[0]) + turn[1] * (p[1] + q[1])
        side = 1.0 if (outwards if abs(outwards) > 0.15 else turn[1] - 1e-3 * turn[0]) > 0 else -1.0
        if len(members) > 1:
            most = BENDS.get(len(members), 72) * pi / 180
            for (c, d), rivals in parallel.items():
                for end in {a, b} & {c, d} if (c, d) != (a, b) else ():
                    apart = angle(places[end], places[a + b - end], places[c + d - end])
                    most = min(most, max(apart * (0.43 if len(rivals) > 1 else 0.75), 0.25))
            bends = [most * (1 - 2 * k / (len(members) - 1)) for k in range(len(members))]
            bends.sort(key=lambda bend: (-abs(round(bend, 6)), -side * bend))  # beads come first, and go outside
            if wires[members[-1]].join:  # the connector takes the middle
                bends[:-1] = sorted(bends[:-1], key=lambda bend: -bend)
            for k, bend in zip(members, bends, strict=True):
                paths[k] = arc(p, q, bend)
            continue
        others = [r for k, r in enumerate(places) if k not in (a, b)]
        clearest = -1.0
        for k, bend in enumerate((0, 30, -30, 50, -50, 70, -70)):
            path = arc(p, q, side * bend * pi / 180)
            clear = float(distances(others, [path]).min(initial=1.0))
            if min(clear, 0.8 * CLEAR) > clearest + 1e-3:
                clearest, paths[members[0]], curved = clear, path, k > 0
            if clear >= 0.8 * CLEAR:
                break
        bent += curved
    return paths, bent


def loop_paths(node: int, number: int, places: Path, links: Links, paths: Sequence[Path]) -> list[Path]:
    """Share the loops of a node among the gaps between its lines: wide and empty ones first, then upwards."""
    if not number:
        return []
    p, free = places[node], gaps(leaving(node, links, paths))
    if not free:
        first = 0.5 * pi if number % 2 else 0.0
        return [loop(p, first + 2 * pi * k / number, 2 * pi / number) for k in range(number)]
    obstacles = [path for path in paths if path] + [(q, q) for k, q in enumerate(places) if k != node]

    def clear(path: Path) -> float:
        return float(distances(tip(path), obstacles).min(initial=1.0))

    def worth(start: float, width: float, taken: int) -> tuple[float, float, float]:
        direction, room = start + width / 2, width / (taken + 1)
        score = min(room, 0.9 * pi) * min(clear(loop(p, direction, room)), 0.15) ** 0.5
        return (round(score, 3), *preference(p, direction))

    taken = [0] * len(free)
    for _ in range(number):
        taken[max(range(len(free)), key=lambda g: worth(*free[g], taken[g]))] += 1
    drawn = []
    for (start, width), many in zip(free, taken, strict=True):
        for k in range(many):
            sizes = [loop(p, start + width * (k + 0.5) / many, width / many, size) for size in (1.0, 0.8, 0.6, 0.45)]
            drawn.append(next((path for path in sizes if clear(path) > 0.09), sizes[-1]))
    return drawn


def score(n: int, places: Path, links: Links, paths: Sequence[Path]) -> float:
    """Return how bad a picture is: crossings, nodes close to nodes and lines, narrow angles, uneven lengths."""
    bad = 1.0 * crossings(paths)
    near = distances(places, paths)
    for k, p in enumerate(places):
        for m, q in enumerate(places[:k]):
            bad += 8.0 * max(0.0, 1.0 - hypot(p[0] - q[0], p[1] - q[1]) / (APART if m < n else 1.2 * APART))
        close = [max(0.0, 1.0 - d / CLEAR) ** 1.5 for d, link in zip(near[k], links, strict=True) if k not in link]
        narrow = [max(0.0, 1.0 - width / 0.8) ** 2 for _, width in gaps(leaving(k, links, paths))]
        bad += 4.0 * sum(close) + sum(narrow)
    for (i, j), path in zip(links, paths, strict=True):
        if i == j:
            others = [o for o in paths if o is not path]
            bad += max(0.0, 1.0 - float(distances(tip(path), others).min(initial=1.0)) / 0.12)
        else:
            length = hypot(places[i][0] - places[j][0], places[i][1] - places[j][1])
            bad += (0.15 if i >= n else 0.05) * abs(length - 1.0)
    # of equal pictures: vacuum diagrams lie flat, parts that hang do so upwards, crossings are on the right
    top, bottom = max(y for _, y in places), min(y for _, y in places)
    return bad + 0.05 * (n == 0) * (top - bottom) - 0.01 * (top + bottom) - 0.002 * sum(x for x, _ in places)
