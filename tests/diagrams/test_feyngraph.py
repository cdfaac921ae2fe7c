"""Numbers of diagrams against feyngraph, a generator of topologies that shares nothing with this one.

Its `select_on_shell` is our "amputated", also where tadpoles hang on bridges; one 1PI component is our "1PI". Its
tadpoles are lines that carry no momentum, which our snails are not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from feynnn import Theory, generate
from feynnn.diagrams.generation import Kind

topology = pytest.importorskip("feyngraph.topology", reason="needs the bench extra: pip install 'feynnn[bench]'")

PHI4 = ("lam*f**4", (4,))
PHI3 = ("g*f**3", (3,))
PHI6 = ("kap*f**6", (6,))
MIXED = ("lam*f**4 + kap*f**6", (4, 6))
ODD = ("g*f**3 + lam*f**4", (3, 4))

Case = tuple[tuple[str, tuple[int, ...]], int, tuple[int, ...]]
CASES: list[Case] = [
    *[(PHI4, n, (order,)) for n, top in ((0, 6), (2, 6), (4, 6), (6, 4)) for order in range(1, top + 1)],
    *[(PHI3, n, (order,)) for n in range(6) for order in range(1, 8) if (n + order) % 2 == 0],
    *[(PHI6, n, (order,)) for n in (0, 2, 4, 6) for order in range(1, 4)],
    *[(MIXED, n, order) for n in (2, 4, 6) for order in ((1, 1), (2, 1), (1, 2))],
    # not (1, 1): feyngraph 0.1.0b4 finds one vacuum diagram; the 9!! - 3 * 5!! contractions need 720 / 48 and 720 / 32
    *[(MIXED, 0, order) for order in ((2, 1), (1, 2))],
    *[(ODD, n, order) for n in range(5) for order in ((1, 1), (2, 1), (1, 2), (3, 1)) if (n + order[0]) % 2 == 0],
]

#: Our class, our filter, and what feyngraph is asked for.
CLASSES: dict[str, tuple[Kind, bool, Callable[[Any], None]]] = {
    "connected": ("connected", True, lambda s: None),
    "1PI": ("1PI", True, lambda s: s.select_opi_components(1)),
    "amputated": ("amputated", True, lambda s: s.select_on_shell()),
    "without self-loops": ("connected", False, lambda s: s.select_self_loops(0)),
}


def n_loops(degrees: tuple[int, ...], n: int, order: tuple[int, ...]) -> int:
    """Loops of a connected diagram."""
    legs = sum(d * m for d, m in zip(degrees, order, strict=True))
    return (legs - n) // 2 - sum(order) + 1


def feyngraph(degrees: tuple[int, ...], n: int, order: tuple[int, ...], choose: Callable[[Any], None]) -> int:
    """Return feyngraph's number of topologies."""
    selector = topology.TopologySelector()
    selector.select_node_partition(list(zip(degrees, order, strict=True)))
    choose(selector)
    model = topology.TopologyModel(list(degrees))
    return len(topology.TopologyGenerator(n, n_loops(degrees, n, order), model, selector).generate())


@pytest.mark.parametrize(
    ("case", "name"),
    [(case, name) for case in CASES for name in CLASSES if case[1] >= 2 or name != "amputated"],
    ids=str,
)
def test_the_same_number_of_diagrams(case: Case, name: str) -> None:
    (text, degrees), n, order = case
    kind, self_loops, choose = CLASSES[name]
    ds = generate(Theory.parse(text), n, order=order, kind=kind, self_loops=self_loops, certify=False)
    # with fewer line ends than it takes to join all vertices there is nothing, and feyngraph takes no negative loops
    expected = feyngraph(degrees, n, order, choose) if n_loops(degrees, n, order) >= 0 else 0
    assert len(ds) == expected


@pytest.mark.slow
def test_the_same_number_at_seven_vertices() -> None:
    theory = Theory.parse("lam*f**4")
    for name, number in (("connected", 72314), ("1PI", 25722)):
        kind, _, choose = CLASSES[name]
        assert len(generate(theory, 4, order=7, kind=kind)) == feyngraph((4,), 4, (7,), choose) == number
