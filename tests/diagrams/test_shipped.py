"""The tables in the package: equal to made ones, found out when damaged, and not needed for anything."""

from __future__ import annotations

import shutil
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import networkx
import numpy as np
import pytest

from feynnn import Theory, generate
from feynnn.diagrams import generation, shipped
from feynnn.diagrams.generation import KINDS
from feynnn.diagrams.pairs import upper_pairs
from feynnn.diagrams.tables import Pattern, Table, table
from feynnn.errors import ComputationError

PHI4 = Theory.parse("lam*f**4")
SIZES = range(2, 9)


@pytest.fixture(scope="module")
def patterns() -> dict[int, list[Pattern]]:
    """What should be shipped; listing it takes seconds."""
    return shipped._patterns()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the shipped files, which the package reads instead of its own."""
    shutil.copytree(shipped.DATA, tmp_path, dirs_exist_ok=True)
    monkeypatch.setattr(shipped, "DATA", tmp_path)
    _forget()
    yield tmp_path
    monkeypatch.undo()
    _forget()


def _forget() -> None:
    shipped.clear()
    generation._request.cache_clear()


@pytest.mark.parametrize("n", SIZES)
def test_shipped_tables_are_the_made_ones(
    n: int, patterns: dict[int, list[Pattern]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipped, "_patterns", lambda: patterns)
    assert patterns[n]
    assert shipped.check(n) == []


def test_the_folder_has_these_files_and_no_others(patterns: dict[int, list[Pattern]]) -> None:
    assert set(patterns) == set(SIZES)
    assert {p.name for p in shipped.DATA.iterdir()} == {f"skeletons-{n}.zlib" for n in SIZES}
    # small enough to ship
    assert sum(p.stat().st_size for p in shipped.DATA.iterdir()) < 1_000_000


# --- damage ----------------------------------------------------------------------------------------------------------

#: Groups, sizes, numbers without bridges and stabilisers of a file, and its lines.
Words = np.ndarray[tuple[int], np.dtype[np.uint32]]
Change = Callable[[list[Words], bytearray], None]


def rewrite(path: Path, change: Change) -> None:
    """Let `change` alter the groups, sizes, numbers and stabilisers, and the lines."""
    words = zlib.decompress(path.read_bytes())
    lengths = np.frombuffer(words, "<u4", 4).tolist()
    arrays, at = [], 16
    for k in lengths:
        arrays.append(np.frombuffer(words, "<u4", k, at).astype(np.uint32))
        at += 4 * k
    lines = bytearray(words[at:])
    change(arrays, lines)
    head = np.array([len(a) for a in arrays], "<u4").tobytes() + b"".join(a.astype("<u4").tobytes() for a in arrays)
    path.write_bytes(zlib.compress(head + bytes(lines)))


def test_rewriting_nothing_changes_nothing(
    folder: Path, patterns: dict[int, list[Pattern]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipped, "_patterns", lambda: patterns)
    rewrite(folder / "skeletons-4.zlib", lambda arrays, lines: None)
    assert shipped.check(4) == []


def _stabiliser(arrays: list[Words], lines: bytearray) -> None:
    arrays[3][-1] *= 2


def _bridges(arrays: list[Words], lines: bytearray) -> None:
    arrays[2][-1] += 1


def _line(arrays: list[Words], lines: bytearray) -> None:
    lines[0] ^= 1


def _swap(arrays: list[Words], lines: bytearray) -> None:
    """Take a pattern's degree for another."""
    arrays[0][1] += 1


@pytest.mark.parametrize("n", [3, 5])
@pytest.mark.parametrize("change", [_stabiliser, _bridges, _line, _swap])
def test_damage_is_found(
    n: int,
    change: Change,
    folder: Path,
    patterns: dict[int, list[Pattern]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shipped, "_patterns", lambda: patterns)
    rewrite(folder / f"skeletons-{n}.zlib", change)
    found = shipped.check(n)
    # a pattern that is taken for another is missing itself
    assert len(found) == (2 if change is _swap else 1)


def test_missing_and_superfluous_tables_are_found(
    folder: Path, patterns: dict[int, list[Pattern]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipped, "_patterns", lambda: {**patterns, 4: patterns[4][1:]})
    assert shipped.check(4) == patterns[4][:1]
    (folder / "skeletons-5.zlib").unlink()
    assert shipped.check(5) == patterns[5]


def test_broken_bytes_are_not_read(folder: Path) -> None:
    path = folder / "skeletons-4.zlib"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 16
    path.write_bytes(bytes(content))
    with pytest.raises(ComputationError, match=r"skeletons-4\.zlib .* is damaged; install feynnn anew"):
        generate(PHI4, 4, order=4, kind="connected")


def test_the_certificate_finds_a_wrong_table(folder: Path) -> None:
    """Whatever a file holds, the number and weight of a small set are compared with `count`."""

    def double(arrays: list[Words], lines: bytearray) -> None:
        arrays[3] *= 2

    rewrite(folder / "skeletons-5.zlib", double)
    with pytest.raises(ComputationError, match="should have weight"):
        generate(PHI4, 4, order=5, kind="connected")


# --- tables in use ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "n", "order"),
    [
        ("lam*f**4", 4, (3,)),
        pytest.param("lam*f**4", 4, (5,), marks=pytest.mark.slow),
        ("lam*f**4", 0, (6,)),
        ("g*f**3", 3, (5,)),
        ("lam*f**4 + kap*f**6", 2, (1, 2)),
        pytest.param("lam*f**4", 2, (6,), marks=pytest.mark.slow),
    ],
)
def test_nothing_depends_on_the_files(text: str, n: int, order: tuple[int, ...], folder: Path) -> None:
    theory = Theory.parse(text)
    kinds = [kind for kind in KINDS if n or kind != "amputated"]
    with_files = [generate(theory, n, order=order, kind=kind) for kind in kinds]
    for path in folder.iterdir():
        path.unlink()
    _forget()
    for kind, ds in zip(kinds, with_files, strict=True):
        again = generate(theory, n, order=order, kind=kind)
        assert len(again) == len(ds)
        assert {d.key: d.symmetry_factor for d in again} == {d.key: d.symmetry_factor for d in ds}


def test_files_are_read_and_forgotten(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pattern = ((4, 4),)
    assert len(shipped.connected(pattern)) == len(shipped._made(pattern).graphs)

    def never(_: Pattern) -> shipped.Shipped:
        raise AssertionError("a table was made that is shipped")

    shipped.clear()
    assert table.cache_info().currsize == 0
    monkeypatch.setattr(shipped, "_made", never)
    assert len(shipped.connected(pattern)) > 0
    for path in folder.iterdir():
        path.unlink()
    assert len(shipped.bridgeless(pattern)) > 0, "read once"
    shipped.clear()
    with pytest.raises(AssertionError, match="was made"):
        shipped.connected(pattern)


def graphs_of(found: Table) -> list[networkx.MultiGraph[int]]:
    result = []
    i, j = upper_pairs(found.n)
    for column in found.lines.T.tolist():
        g: networkx.MultiGraph[int] = networkx.MultiGraph()
        g.add_nodes_from(range(found.n))
        g.add_edges_from((a, b) for a, b, k in zip(i.tolist(), j.tolist(), column, strict=True) for _ in range(k))
        result.append(g)
    return result


@pytest.mark.parametrize(
    "pattern",
    [
        ((3, 4),),
        ((3, 6),),
        ((4, 4),),
        ((4, 5),),
        ((1, 1), (3, 1), (4, 3)),
        ((2, 1), (4, 4)),
        ((5, 4),),
        ((2, 2), (5, 2)),
        ((1, 2), (2, 2), (3, 2)),
    ],
)
def test_connected_and_irreducible_tables(pattern: Pattern) -> None:
    """The connected graphs of a table, those without bridges, and those that no two lines cut apart."""
    everything = graphs_of(table(pattern))
    joined = [g for g in everything if networkx.is_connected(g)]
    sizes = [edge_connectivity(g) for g in joined]
    assert len(shipped.connected(pattern)) == len(joined)
    assert all(networkx.is_connected(g) for g in graphs_of(shipped.connected(pattern)))
    for made, least in ((shipped.bridgeless(pattern), 2), (shipped.two_particle_irreducible(pattern), 3)):
        assert len(made) == sum(size >= least for size in sizes)
        assert all(edge_connectivity(g) >= least for g in graphs_of(made))
        assert len(made.stabilisers) == len(made)


def edge_connectivity(g: networkx.MultiGraph[int]) -> int:
    """The smallest number of lines that cut the graph apart, by maximal flows."""
    simple: networkx.Graph[int] = networkx.Graph()
    for a, b in g.edges():
        simple.add_edge(a, b, weight=g.number_of_edges(a, b))
    size, _ = networkx.stoer_wagner(simple)
    return int(size)


@pytest.mark.slow
def test_building_gives_the_shipped_files(tmp_path: Path) -> None:
    shipped.build(tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {p.name for p in shipped.DATA.iterdir()}
    for path in tmp_path.iterdir():
        # zlib's own output may differ between its versions
        assert zlib.decompress(path.read_bytes()) == zlib.decompress((shipped.DATA / path.name).read_bytes())
