"""Saving and loading results: JSON text that keeps every digit and runs no code when read.

A file holds ``{"format": "feynnn", "version": 1, "type": ..., "data": ...}``; the data are what the object's `to_dict`
returns. JSON has no infinities, so a float that is not finite is written as ``{"float": "inf"}``.
"""

from __future__ import annotations

import json
import math
import os
import uuid
from importlib import import_module
from pathlib import Path
from reprlib import repr as short
from typing import Any, NoReturn, cast

from .errors import InputError

VERSION = 1

#: Where the classes are that can be saved; each has `to_dict` and the class method `from_dict`.
_TYPES = {
    "Diagram": "feynnn.diagrams.diagram:Diagram",
    "DiagramSet": "feynnn.diagrams.diagram_set:DiagramSet",
    "Ensemble": "feynnn.sampling.ensemble:Ensemble",
    "Flow": "feynnn.matching.running:Flow",
    "Match": "feynnn.matching.fitting:Match",
    "NPoint": "feynnn.npoint:NPoint",
    "Theory": "feynnn.theory.action:Theory",
}
_NOT_FINITE = ("inf", "-inf", "nan")

StrPath = str | os.PathLike[str]


def save(obj: object, path: StrPath) -> None:
    """Write `obj`, or a list of such objects, to the file `path`, which holds all of it or is left as it was.

    Parameters
    ----------
    obj : NPoint, Theory, Diagram, DiagramSet, Ensemble, Match, Flow, or a list of them
        What to save.
    path : str or path-like
        The file; its folder must exist.

    Raises
    ------
    InputError
        If the object is of another type, or the file cannot be written.
    """
    write_atomically(path, dumps(obj))


def dumps(obj: object) -> str:
    """Return the text that `save` writes."""
    if isinstance(obj, list | tuple):
        content: dict[str, Any] = {"type": "list", "data": [_pack(item) for item in obj]}
    else:
        content = _pack(obj)
    return json.dumps({"format": "feynnn", "version": VERSION, **content}, allow_nan=False)


def write_atomically(path: StrPath, text: str) -> None:
    """Write `text` to the file `path`, which holds all of it or is left as it was.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    name = _as_path(path)
    try:
        target = name.resolve()
        if not target.parent.is_dir():
            raise InputError(f"cannot write {str(path)!r}: there is no folder {str(target.parent)!r}; create it first")
        if target.is_dir():
            raise InputError(f"cannot write {str(path)!r}: it is a folder; name a file in it")
        _replace(target, text)
    except (OSError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError(f"cannot write {str(path)!r}: {reason}; choose another place") from error


def _replace(target: Path, text: str) -> None:
    """Write the whole of `text` beside `target`, then put it in its place."""
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}")
    try:
        with temporary.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def load(path: StrPath) -> Any:
    """Return what `save` wrote to the file `path`: an object, or a list of objects.

    Raises
    ------
    InputError
        If there is no such file, or it is not one of feynnn's, damaged, or written by a newer version.
    """
    source = _as_path(path)
    try:
        text = source.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise InputError(f"there is no file {str(path)!r}") from error
    except OSError as error:
        raise InputError(f"cannot read {str(path)!r}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{str(path)!r} is not a feynnn file: it is not text") from error
    return loads(text, str(path))


def loads(text: str, path: str = "the text") -> Any:
    """Return what `dumps` wrote; `path` names the source in messages."""
    try:
        content = json.loads(text, parse_constant=_refuse, object_hook=_decode)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path!r} is not a feynnn file, or a damaged one: it is not valid JSON") from error
    if not isinstance(content, dict) or content.get("format") != "feynnn":
        raise InputError(f"{path!r} is JSON but not a feynnn file; load reads what save has written")
    version = content.get("version")
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise InputError(f"{path!r} is damaged: its format is {short(version)}")
    if version > VERSION:
        raise InputError(f"{path!r} was written by a newer feynnn (format {version}); upgrade")
    return _unpack(content, path)


def _as_path(path: StrPath) -> Path:
    try:
        result = Path(path)
    except TypeError as error:
        raise InputError(f"path must be a file name, got {short(path)}; the order is save(obj, path)") from error
    if not str(path).strip() or "\0" in str(path):
        raise InputError(f"path must be a file name, got {short(path)}")
    return result


def _pack(obj: object) -> dict[str, Any]:
    name = type(obj).__name__
    if _TYPES.get(name) != f"{type(obj).__module__}:{name}":
        what = (
            f"{short(obj)} of type {name}" if isinstance(obj, str | int | float | None) else f"an object of type {name}"
        )
        raise InputError(f"cannot save {what}; save takes {', '.join(_TYPES)}, or a list of these")
    return {"type": name, "data": _encode(cast(Any, obj).to_dict(), name)}


def _unpack(content: object, path: str) -> Any:
    name = content.get("type") if isinstance(content, dict) else None
    if not isinstance(content, dict) or not isinstance(name, str) or "data" not in content:
        raise InputError(f"{path!r} is damaged: the type or the data of an object are missing")
    data = content["data"]
    if name == "list" and isinstance(data, list) and "format" in content:
        return [_unpack(item, path) for item in data]
    if name not in _TYPES:
        raise InputError(f"{path!r} holds an object of the unknown type {name!r}; known are {', '.join(_TYPES)}")
    module, _, attribute = _TYPES[name].partition(":")
    try:
        return getattr(import_module(module), attribute).from_dict(data)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{path!r} is damaged: its {name} cannot be read ({type(error).__name__}: {error})") from error


def to_json(record: Any, *, indent: int | None = None) -> str:
    """Return a plain record (dictionaries, lists, text, numbers) as valid JSON, floats that are not finite marked."""
    return json.dumps(_encode(record, "record"), allow_nan=False, indent=indent)


def _encode(value: Any, where: str) -> Any:
    """Return `value` with floats that are not finite marked; `where` names the place for messages."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {"float": repr(float(value))}
    if isinstance(value, list | tuple):
        return [_encode(v, f"{where}[{i}]") for i, v in enumerate(value)]
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise InputError(f"cannot save {where}: its key {short(key)} is not text")
        if set(value) == {"float"} and value["float"] in _NOT_FINITE:
            raise InputError(f"cannot save {where}: {value!r} would be read as a number")
        return {key: _encode(v, f"{where}[{key!r}]") for key, v in value.items()}
    raise InputError(f"cannot save {where}: {short(value)} of type {type(value).__name__} is not plain data")


def _decode(value: dict[str, Any]) -> Any:
    if len(value) == 1 and value.get("float") in _NOT_FINITE:
        return float(value["float"])
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not valid JSON")
