"""The checkpoint: what is written is read, and nothing else is."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from feynnn.errors import InputError
from feynnn.sampling.store import Store

HEADER = {"seed": 1, "network": {"width": 5}, "points": [[0.1], [0.30000000000000004]]}
SHAPE = (4, 3)


def written(path: Path) -> Store:
    store = Store(path, HEADER, SHAPE)
    store.put(2, np.array([0.1, 1e-300, -5.0]))
    store.write()
    return store


def test_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    first = written(path)
    again = Store(str(path), HEADER, SHAPE)
    np.testing.assert_array_equal(again.rows, first.rows)
    assert again.done.tolist() == [False, False, True, False]
    # the temporary file is gone
    assert [p.name for p in tmp_path.iterdir()] == ["run.npz"]


def test_any_name_will_do(tmp_path: Path) -> None:
    written(tmp_path / "checkpoint")
    assert Store(tmp_path / "checkpoint", HEADER, SHAPE).done.sum() == 1


def test_a_new_file_is_not_made_before_the_first_write(tmp_path: Path) -> None:
    store = Store(tmp_path / "run.npz", HEADER, SHAPE)
    assert not store.done.any()
    assert not store.path.exists()


def test_writes_are_rare(tmp_path: Path) -> None:
    store = Store(tmp_path / "run.npz", HEADER, SHAPE)
    store.put(0, np.zeros(3))
    assert not store.path.exists()
    eager = Store(tmp_path / "eager.npz", HEADER, SHAPE, interval=0.0)
    eager.put(0, np.zeros(3))
    assert eager.path.exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seed": 2}, "seed is 1 there and 2 here"),
        ({"network": {"width": 6}}, "network is"),
        ({"points": [[0.1], [0.3]]}, "points is"),
        ({"seed": 2, "network": {}}, r"network is .* \(and seed\)"),
        ({"new": 1}, "new is None there and 1 here"),
    ],
)
def test_another_run_is_refused(tmp_path: Path, change: dict[str, object], words: str) -> None:
    written(tmp_path / "run.npz")
    with pytest.raises(InputError, match=f"holds another run: .*{words}"):
        Store(tmp_path / "run.npz", {**HEADER, **change}, SHAPE)


def truncate(content: bytes) -> bytes:
    return content[: len(content) // 2]


def flip(content: bytes) -> bytes:
    at = content.index(np.float64(-5.0).tobytes())
    return content[: at + 3] + bytes([content[at + 3] ^ 1]) + content[at + 4 :]


@pytest.mark.parametrize("damage", [truncate, flip, lambda content: b"", lambda content: b"hello " * 100])
def test_damage_is_noticed(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "run.npz"
    written(path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError, match=r"run.npz' is not a readable checkpoint; delete it or restore a copy"):
        Store(path, HEADER, SHAPE)


def test_random_damage_is_noticed(tmp_path: Path) -> None:
    """Flipped bits either do not matter or are an InputError: never other numbers, never another exception."""
    path = tmp_path / "run.npz"
    good = written(path)
    content = path.read_bytes()
    rng = np.random.default_rng(3)
    refused = 0
    for _ in range(300):
        broken = bytearray(content)
        for at in rng.integers(len(content), size=2):
            broken[at] ^= 1 << int(rng.integers(8))
        path.write_bytes(bytes(broken))
        try:
            read = Store(path, HEADER, SHAPE)
        except InputError:
            refused += 1
            continue
        np.testing.assert_array_equal(read.rows, good.rows)
        np.testing.assert_array_equal(read.done, good.done)
    assert refused > 200


def test_consistent_file_with_a_wrong_checksum_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    written(path)
    with np.load(path, allow_pickle=False) as data:
        content = dict(data)
    content["rows"][0, 0] = 1.0
    with path.open("wb") as file:
        np.savez(file, **content)
    with pytest.raises(InputError, match="its checksum does not fit"):
        Store(path, HEADER, SHAPE)


def test_places_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist; make it first"):
        Store(tmp_path / "no" / "run.npz", HEADER, SHAPE)
    with pytest.raises(InputError, match="is a directory"):
        Store(tmp_path, HEADER, SHAPE)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run.npz"
    store = written(path)
    content = path.read_bytes()

    def fail(*args: object, **keywords: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(np, "savez", fail)
    with pytest.raises(OSError, match="disk full"):
        store.write()
    assert path.read_bytes() == content
    assert [p.name for p in tmp_path.iterdir()] == ["run.npz"]
