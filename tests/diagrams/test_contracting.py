"""Generation by contraction: vertices with several points, and checks that stop a wrong one."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from feynnn import DiagramSet, Interaction, Theory, generate
from feynnn.diagrams import contracting
from feynnn.diagrams.contracting import contract_all
from feynnn.diagrams.layout import Layout, Rows, by_permutations
from feynnn.errors import ComputationError, InputError

PHI4 = Theory.parse("lam*f**4")
BOTH = Theory.parse("lam*f**4 + kap*f**6")


def total(ds: DiagramSet) -> Fraction:
    return sum((d.coefficient for d in ds), Fraction(0))


# --- multi-point vertices --------------------------------------------------------------------------------------------


def test_the_bilocal_vertex_has_eight_for_each_channel() -> None:
    theory = Theory([Interaction((2, 2), "lamNL")])
    ds = generate(theory, 4, order=1, kind="connected")
    assert theory.interactions[0].symmetry == 8
    assert [d.multiplicity for d in ds] == [8, 8, 8]
    assert total(ds) == -24
    assert [t.copies for t in ds.topologies()] == [3]
    # two points: both legs at one point (and a loop at the other), or one at each
    assert sorted(d.multiplicity for d in generate(theory, 2, order=1)) == [4, 8]


def test_the_same_vertex_with_unequal_points() -> None:
    """Six labelled placements of four each: exchanging y and z is another diagram, the sum stays."""
    ds = generate(Theory([Interaction((2, 2), "b", profile="y**2")]), 4, order=1, kind="connected")
    assert [d.multiplicity for d in ds] == [4] * 6
    assert total(ds) == -24


def test_one_and_three_legs() -> None:
    ds = generate(Theory([Interaction((1, 3), "c")]), 4, order=1, kind="connected")
    assert [d.multiplicity for d in ds] == [6] * 4
    assert total(ds) == -24


def test_three_points_of_two_legs() -> None:
    ds = generate(Theory([Interaction((2, 2, 2), "h")]), 6, order=1, kind="connected")
    assert [d.multiplicity for d in ds] == [48] * 15
    assert total(ds) == -720


# --- checks and bounds -----------------------------------------------------------------------------------------------


def test_a_wrong_symmetry_would_be_seen() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Interaction, "symmetry", 23)
        with pytest.raises(ComputationError, match=r"contractions by counting, 23/\d+ by its symmetry"):
            contract_all(Layout.of(PHI4, 4, (1,)))
    with pytest.MonkeyPatch.context() as patch:
        # |Aut| is 8; a quotient rounded down would take 24 / 7 for the 3 contractions
        patch.setattr(contracting, "automorphisms", lambda *_: 7)
        with pytest.raises(ComputationError, match="3 contractions by counting, 24/7 by its symmetry"):
            contract_all(Layout.of(PHI4, 0, (1,)))


@pytest.mark.parametrize("self_loops", [False, True])
def test_a_lost_or_doubled_diagram_would_be_seen(self_loops: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    contract = contracting._contract_one

    def lossy(layout: Layout, *args: Any) -> Any:
        rows, numbers = contract(layout, *args)
        last = int(rows[0].sum()) * 2 == sum(layout.degrees)
        return (rows[:-1], numbers[:-1]) if last else (rows, numbers)

    def doubling(layout: Layout, *args: Any) -> Any:
        rows, numbers = contract(layout, *args)
        return np.concatenate([rows, rows[:1]]), np.concatenate([numbers, numbers[:1]])

    monkeypatch.setattr(contracting, "_contract_one", lossy)
    with pytest.raises(ComputationError, match="contractions in all, there are"):
        contract_all(Layout.of(PHI4, 4, (2,)), self_loops=self_loops)
    monkeypatch.setattr(contracting, "_contract_one", doubling)
    with pytest.raises(ComputationError, match="contractions"):
        contract_all(Layout.of(PHI4, 4, (2,)), self_loops=self_loops)


@pytest.mark.parametrize(
    ("order", "message"),
    [(8, "8 vertices have 40320 permutations"), (9, r"38 legs have 37!! contractions.*use count\(\)")],
)
def test_contraction_refuses_what_it_cannot_list(order: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        contract_all(Layout.of(PHI4, 2, (order,)))


def test_partial_diagrams_are_bounded_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contracting, "MAX_BYTES", 20_000)
    assert len(contract_all(Layout.of(PHI4, 4, (2,)))[0]) == len(generate(PHI4, 4, order=2, kind="all"))
    with pytest.raises(InputError, match=r"need more than 0.02 MB; lower it, or use count\(\)"):
        contract_all(Layout.of(PHI4, 4, (4,)))


def test_work_grows_with_the_answer_not_with_the_contractions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows brought to canonical form: a few for each diagram, not one for each of 34 459 425 contractions."""
    seen: list[int] = []

    def counted(layout: Layout, rows: Rows) -> tuple[Rows, npt.NDArray[np.int64]]:
        seen.append(len(rows))
        return by_permutations(layout, rows)

    monkeypatch.setattr(contracting, "by_permutations", counted)
    ds, _ = contract_all(Layout.of(BOTH, 4, (2, 1)))
    assert generate(BOTH, 4, order=(2, 1), kind="all").multiplicity == 34_459_425
    assert len(seen) == 10
    assert sum(seen) < 8 * len(ds)
