"""Saving and loading: lossless, atomic, and clear about what is wrong with a file."""

import json
import os
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feynnn import storage
from feynnn.errors import FeynnnError, InputError
from feynnn.npoint import NPoint
from feynnn.storage import load, save
from feynnn.theory import Theory
from feynnn.theory.kernels import Gauss


def some_npoint() -> NPoint:
    rows = np.random.default_rng(1).normal(size=(5, 6))
    points = [0.1, 1 / 3, 1e-310]
    return NPoint(rows.mean(axis=0), n=2, n_inputs=3, rows=rows, points=points, origin="a 'run', ü", source="run")


def write(path: Path, **changes: Any) -> Path:
    content = {"format": "feynnn", "version": 1, "type": "Theory", "data": Theory.parse("lam*f**4").to_dict()}
    path.write_text(json.dumps(content | changes), encoding="utf-8")
    return path


def test_an_npoint_comes_back_with_every_digit(tmp_path: Path) -> None:
    p = some_npoint()
    save(p, tmp_path / "p.json")
    q = load(tmp_path / "p.json")
    assert isinstance(q, NPoint)
    assert repr(q) == repr(p)
    np.testing.assert_array_equal(q.values, p.values)
    np.testing.assert_array_equal(q.covariance, p.covariance)
    assert p.points is not None
    assert q.points is not None
    assert q.points.tobytes() == p.points.tobytes()
    # still the same run
    assert (p - q).stat.max() == 0.0


def test_a_theory_comes_back(tmp_path: Path) -> None:
    theory = Theory.parse("lam/24*f**4 + lamNL*(y**2 + z**2)*f(y)**2*f(z)**2", propagator="exact")
    save(theory, str(tmp_path / "t.json"))
    assert load(str(tmp_path / "t.json")) == theory


def test_the_file_is_plain_json(tmp_path: Path) -> None:
    theory = Theory.parse("lam*f**4")
    save(theory, tmp_path / "t.json")
    content = json.loads((tmp_path / "t.json").read_text(encoding="ascii"))
    assert content == {"format": "feynnn", "version": 1, "type": "Theory", "data": theory.to_dict()}


def test_lists_keep_order_and_types(tmp_path: Path) -> None:
    objects = [some_npoint(), Theory.parse("lam*f**4"), some_npoint()]
    save(objects, tmp_path / "l.json")
    back = load(tmp_path / "l.json")
    assert isinstance(back, list)
    assert [type(b) for b in back] == [NPoint, Theory, NPoint]
    assert back[1] == objects[1]
    save((), tmp_path / "l.json")
    assert load(tmp_path / "l.json") == []


@given(st.lists(st.floats(width=64), min_size=3, max_size=3))
@settings(deadline=None, max_examples=50)
def test_every_float_survives_finite_or_not(values: list[float]) -> None:
    p = NPoint(values, n=1, n_inputs=3)
    text = json.dumps(storage._encode(p.to_dict(), "NPoint"), allow_nan=False)
    back = NPoint.from_dict(json.loads(text, object_hook=storage._decode))
    np.testing.assert_array_equal(back.values, p.values)
    np.testing.assert_array_equal(np.signbit(back.values), np.signbit(p.values) & ~np.isnan(p.values))


def test_infinities_are_marked_since_json_has_none(tmp_path: Path) -> None:
    save(NPoint([np.inf, -np.inf, np.nan], n=1, n_inputs=3), tmp_path / "p.json")
    text = (tmp_path / "p.json").read_text(encoding="utf-8")
    assert '"values": [{"float": "inf"}, {"float": "-inf"}, {"float": "nan"}]' in text
    np.testing.assert_array_equal(load(tmp_path / "p.json").values, [np.inf, -np.inf, np.nan])


@pytest.mark.parametrize("name", sorted(storage._TYPES))
def test_every_type_in_the_table_can_be_saved(name: str) -> None:
    module, _, attribute = storage._TYPES[name].partition(":")
    found = getattr(import_module(module), attribute)
    assert found.__name__ == name
    assert found.__module__ == module
    assert callable(found.to_dict)
    assert callable(found.from_dict)


@pytest.mark.parametrize(
    ("obj", "match"),
    [
        ("p.json", "cannot save 'p.json' of type str; save takes Diagram, DiagramSet, "),
        (3, "cannot save 3 of type int"),
        (None, "cannot save None of type NoneType"),
        (np.ones(3), "cannot save an object of type ndarray"),
        (Gauss(), "cannot save an object of type Gauss"),
        ({"a": 1}, "cannot save an object of type dict"),
        ([some_npoint(), 3], "cannot save 3 of type int"),
        ([[some_npoint()]], "cannot save an object of type list"),
    ],
)
def test_other_objects_are_refused_and_nothing_is_written(tmp_path: Path, obj: object, match: str) -> None:
    with pytest.raises(InputError, match=match):
        save(obj, tmp_path / "p.json")
    assert list(tmp_path.iterdir()) == []


def test_a_namesake_or_a_child_is_not_the_type(tmp_path: Path) -> None:
    class Child(NPoint):
        pass

    namesake = type("NPoint", (), {"to_dict": dict})()
    for obj in (Child([1.0], n=1, n_inputs=1), namesake):
        with pytest.raises(InputError, match="cannot save an object of type"):
            save(obj, tmp_path / "p.json")


@pytest.mark.parametrize(
    ("value", "match"),
    [
        ({1: 2}, "cannot save here: its key 1 is not text"),
        ({"a": [0, {1, 2}]}, r"cannot save here\['a'\]\[1\]: \{1, 2\} of type set is not plain data"),
        ({"a": np.int64(3)}, "of type int64 is not plain data"),
        ({"a": np.ones(2)}, "of type ndarray is not plain data"),
        ({"float": "inf"}, "would be read as a number"),
        ({"a": 1j}, "of type complex is not plain data"),
    ],
)
def test_only_plain_data_are_written(value: object, match: str) -> None:
    with pytest.raises(InputError, match=match):
        storage._encode(value, "here")


def test_the_arguments_in_the_wrong_order(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot save '.*p.json' of type str"):
        save(str(tmp_path / "p.json"), some_npoint())  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"path must be a file name, got .*; the order is save\(obj, path\)"):
        save(some_npoint(), some_npoint())  # type: ignore[arg-type]


@pytest.mark.parametrize("path", ["", "  ", "a\0b"])
def test_an_empty_path_is_refused(path: str) -> None:
    for call in (lambda p: save(some_npoint(), p), load):
        with pytest.raises(InputError, match="path must be a file name"):
            call(path)


def test_places_that_cannot_be_written_name_the_remedy(tmp_path: Path) -> None:
    p = some_npoint()
    with pytest.raises(InputError, match=r"cannot write '.*p.json': there is no folder '.*none'; create it first"):
        save(p, tmp_path / "none" / "p.json")
    with pytest.raises(InputError, match="it is a folder; name a file in it"):
        save(p, tmp_path)
    (tmp_path / "file").write_text("kept", encoding="utf-8")
    with pytest.raises(InputError, match="there is no folder"):
        save(p, tmp_path / "file" / "p.json")
    with pytest.raises(InputError, match=r"File name too long; choose another place"):
        save(p, tmp_path / ("p" * 300))
    assert [f.name for f in tmp_path.iterdir()] == ["file"]
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(InputError, match="choose another place"):
        save(p, tmp_path / "loop")


@pytest.mark.parametrize("step", ["replace", "fsync"])
def test_a_failure_midway_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = tmp_path / "p.json"
    save(Theory.parse("lam*f**4"), path)

    def fail(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    if step == "fsync":
        monkeypatch.setattr(os, "fsync", fail)
    else:
        monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(InputError, match=r"cannot write '.*p.json': No space left on device; choose another place"):
        save(some_npoint(), path)
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == [path]
    assert load(path) == Theory.parse("lam*f**4")


def test_an_object_that_cannot_be_written_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "p.json"
    save(Theory.parse("lam*f**4"), path)
    monkeypatch.setattr(NPoint, "to_dict", lambda self: {"values": [1.0, object()]})
    with pytest.raises(InputError, match=r"cannot save NPoint\['values'\]\[1\]"):
        save(some_npoint(), path)
    assert load(path) == Theory.parse("lam*f**4")
    assert list(tmp_path.iterdir()) == [path]


def test_files_are_overwritten_and_links_followed(tmp_path: Path) -> None:
    path, link = tmp_path / "p.json", tmp_path / "link.json"
    save(some_npoint(), path)
    link.symlink_to(path)
    save(Theory.parse("kap*f**6"), link)
    assert link.is_symlink()
    assert load(path) == load(link) == Theory.parse("kap*f**6")


def test_the_file_has_ordinary_permissions(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("", encoding="utf-8")
    save(some_npoint(), tmp_path / "p.json")
    assert (tmp_path / "p.json").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save(Theory.parse("lam*f**4"), "t.json")
    assert load(Path("t.json")) == Theory.parse("lam*f**4")


# --- reading ----------------------------------------------------------------------------------------------------------


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no file '.*p.json'"):
        load(tmp_path / "p.json")
    with pytest.raises(InputError, match=r"cannot read '.*Is a directory"):
        load(tmp_path)


@pytest.mark.parametrize(
    "text",
    ["", "feynnn", "{", '{"format": "feynnn", ', "[1, 2", "[" * 100_000, '{"a": NaN}', '{"a": -Infinity}', "import os"],
)
def test_what_is_not_json(tmp_path: Path, text: str) -> None:
    (tmp_path / "p.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="is not a feynnn file, or a damaged one: it is not valid JSON"):
        load(tmp_path / "p.json")


def test_what_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "p.json").write_bytes(b"\x80\x04\x95\xff\xfe")
    with pytest.raises(InputError, match="is not a feynnn file: it is not text"):
        load(tmp_path / "p.json")


@pytest.mark.parametrize("text", ["3", "null", "[]", "{}", '"feynnn"', '{"format": "other"}', '{"float": "inf"}'])
def test_json_of_another_kind(tmp_path: Path, text: str) -> None:
    (tmp_path / "p.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="is JSON but not a feynnn file; load reads what save has written"):
        load(tmp_path / "p.json")


def test_a_newer_format_asks_for_an_upgrade(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"was written by a newer feynnn \(format 2\); upgrade"):
        load(write(tmp_path / "p.json", version=2))


@pytest.mark.parametrize("version", [0, -1, 1.0, "1", None, True, [1]])
def test_a_senseless_version_is_damage(tmp_path: Path, version: object) -> None:
    with pytest.raises(InputError, match="is damaged: its format is"):
        load(write(tmp_path / "p.json", version=version))


@pytest.mark.parametrize("name", ["Kernel", "os:system", "feynnn.npoint:NPoint", "", "npoint", "__import__"])
def test_unknown_types_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"holds an object of the unknown type .*; known are Diagram, "):
        load(write(tmp_path / "p.json", type=name))


@pytest.mark.parametrize(
    "changes",
    [
        {"type": None},
        {"type": 3},
        {"type": ["Theory"]},
        {"data": None},
        {"data": {}},
        {"data": []},
        {"data": {"interactions": [], "propagator": "free", "normal_ordered": False}},
        {"data": {"interactions": [{"degree": [4]}], "propagator": "free", "normal_ordered": False}},
        {"type": "NPoint"},
        {"type": "NPoint", "data": {"values": [1.0]}},
        {"type": "NPoint", "data": some_npoint().to_dict() | {"values": [1.0]}},
        {"type": "NPoint", "data": some_npoint().to_dict() | {"sources": {"a": "b"}}},
        {"type": "NPoint", "data": some_npoint().to_dict() | {"n": "2"}},
        {"type": "list", "data": [1]},
        {"type": "list", "data": [{"type": "list", "data": []}]},
        {"type": "list", "data": [{"type": "Theory"}]},
        {"type": "list", "data": {}},
    ],
    ids=str,
)
def test_damaged_files_are_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"is damaged|unknown type 'list'"):
        load(write(tmp_path / "p.json", **changes))


def test_the_public_names_are_these() -> None:
    import feynnn

    assert feynnn.save is save
    assert feynnn.load is load
    assert issubclass(InputError, FeynnnError)
