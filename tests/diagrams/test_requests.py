"""What generate() makes of its arguments: refusals, reasons and certificates do not depend on earlier calls."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import pytest

from feynnn import Interaction, Theory, generate
from feynnn.diagrams import generation, roots
from feynnn.diagrams.generation import External, stream
from feynnn.diagrams.pairs import places
from feynnn.diagrams.tables import table
from feynnn.errors import InputError

PHI4 = Theory.parse("lam*f**4")
BILOCAL = Theory([Interaction((2, 2), "b")])
BOTH: tuple[External, ...] = ("labelled", "indistinguishable")


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    generation._request.cache_clear()
    yield
    generation._request.cache_clear()


def test_the_certificate_survives_another_bound_on_memory() -> None:
    assert generate(PHI4, 4, order=2).certificate.weight
    assert generate(PHI4, 4, order=2, max_bytes=10**6).certificate.weight
    assert generate(PHI4, 4, order=2).certificate.weight
    assert not generate(PHI4, 4, order=2, max_bytes=10**6, certify=False).certificate.weight


def test_dear_certificates_are_made_on_request_only() -> None:
    theory = Theory([Interaction(24, "g")])
    assert not generate(theory, 0, order=2).certificate.weight
    assert generate(theory, 0, order=2, certify=True).certificate.weight


@pytest.mark.parametrize("bad", [{"lam": True}, {"lam": 1.0}, (True,), (1.0,), {"lam": [1]}], ids=str)
def test_a_refusal_does_not_depend_on_earlier_calls(bad: Any) -> None:
    with pytest.raises(InputError):
        generate(PHI4, 4, order=bad)
    generate(PHI4, 4, order={"lam": 1})
    generate(PHI4, 4, order=(1,))
    with pytest.raises(InputError):
        generate(PHI4, 4, order=bad)


def test_sets_of_multi_point_vertices_obey_max_bytes() -> None:
    with pytest.raises(InputError, match=r"need more than max_bytes=100; take them block by block from stream\(\)"):
        generate(BILOCAL, 4, order=2, max_bytes=100)


@pytest.mark.parametrize("external", BOTH)
def test_reasons_of_empty_sets_of_multi_point_vertices(external: External) -> None:
    found = generate(BILOCAL, 6, order=1, kind="connected", external=external)
    assert found.reason == "no connected diagram has 6 external points and these 1 vertices"
    assert generate(BILOCAL, 2, order=1, loops=9, external=external).reason == "the filters leave none"
    assert generate(BILOCAL, 4, order=1, external=external).reason is None


def test_topologies_keep_the_reason() -> None:
    found = generate(PHI4, 3, order=1)
    assert found.reason == "7 legs in all: an odd number cannot be joined in pairs"
    assert found.topologies().reason == found.reason


@pytest.mark.parametrize("bad", ["no", [], None, 2], ids=str)
@pytest.mark.parametrize("name", ["self_loops", "snails", "self_energies"])
def test_options_that_are_no_truth_value(name: str, bad: Any) -> None:
    with pytest.raises(InputError, match=f"{name} must be True or False"):
        generate(PHI4, 4, order=1, **{name: bad})


@pytest.mark.parametrize("rounds", [(3, 3), (1, 1), (0, 0)])
def test_canonical_roots_do_not_depend_on_the_graphs_beside(
    monkeypatch: pytest.MonkeyPatch, rounds: tuple[int, int]
) -> None:
    """Chunks of a table hold different graphs: a graph's root must not depend on how long the others refine."""
    monkeypatch.setattr(roots, "_VERTEX_ROUNDS", rounds[0])
    monkeypatch.setattr(roots, "_PAIR_ROUNDS", rounds[1])
    n = 10
    lines = table(((3, n),)).lines
    rooted = np.concatenate([lines[places(n, (v, *(w for w in range(n) if w != v)))] for v in range(n)], axis=1)
    colours = np.zeros(n, dtype=np.int64)
    together, _ = roots.canonical_root(rooted, colours, 0, n)
    alone = [roots.canonical_root(rooted[:, [k]], colours, 0, n)[0][0] for k in range(rooted.shape[1])]
    np.testing.assert_array_equal(together, alone)


def test_sets_far_too_large_are_refused_before_any_work() -> None:
    """Order 12 has 82610706 diagrams with two points; twenty free points have 19!! pairings."""
    with pytest.raises(InputError, match=r"\(82610706 of 105 bytes each\) need more than max_bytes=500000000"):
        generate(PHI4, 2, order=12, kind="connected")
    with pytest.raises(InputError, match=r"\(654729075 of 210 bytes each\)"):
        generate(PHI4, 20, order=0)
    first = next(stream(PHI4, 20, order=0))
    assert len(first) > 0
    assert first.rows.nbytes < 1e8
    assert len({node for edge in first[0].edges for node in edge}) == 20


def test_degrees_and_numbers_that_no_row_holds() -> None:
    with pytest.raises(InputError, match=r"a point with 300 legs: this generator takes up to 127; use count\(\)"):
        generate(Theory([Interaction(300, "g")]), 0, order=1, kind="all")
    with pytest.raises(InputError, match="labellings, more than 63 bits hold"):
        generate(PHI4, 40, order=0, external="indistinguishable")
    (found,) = generate(PHI4, 20, order=0, external="indistinguishable")
    assert found.copies == 654729075


def test_many_legs_on_one_vertex() -> None:
    """A hundred legs: one star; the ways to choose vertices are not searched leg by leg."""
    (star,) = generate(Theory([Interaction(100, "g")]), 100, order=1, kind="connected", certify=False)
    assert star.symmetry_factor == 1
    assert star.edges == tuple((k, 100) for k in range(100))


def test_threads_all_get_a_certificate() -> None:
    for order in (1, 2, 3):
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(partial(generate, PHI4, order=order), [4] * 16))
        assert all(ds.certificate.weight and ds.certificate.number for ds in found)


def test_large_sets_are_not_kept() -> None:
    def again(n: int, order: int) -> tuple[int, bool]:
        one, two = (generate(PHI4, n, order=order, certify=False) for _ in range(2))
        return one.rows.nbytes, np.shares_memory(one.rows, two.rows)

    for n, order in ((4, 2), (6, 4), (6, 5)):
        size, kept = again(n, order)
        assert kept == (size <= generation.MAX_REMEMBERED_BYTES)
