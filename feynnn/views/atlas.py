"""The atlas of Feynman diagrams: a folder of pages, pictures and data that one command builds and one checks."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..storage import StrPath, write_atomically
from .atlas_pages import overview, theory_page
from .atlas_sets import FOLDERS, all_sets, json_lines
from .atlas_slides import slides_files

FORMAT, VERSION = "feynnn atlas", 1
#: By this file, which is written first, a folder is known to be an atlas.
INDEX = "index.json"

#: Called as progress(what, done, total).
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Comparison:
    """How a folder differs from the atlas, as sorted paths inside the folder.

    Attributes
    ----------
    missing, differing, stray : tuple of str
        Files of the atlas that are not there; that hold something else; files that the atlas does not have.
    total : int
        Number of files of the atlas.
    """

    missing: tuple[str, ...]
    differing: tuple[str, ...]
    stray: tuple[str, ...]
    total: int

    @property
    def is_same(self) -> bool:
        """Whether nothing is missing, differing or stray."""
        return not (self.missing or self.differing or self.stray)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary."""
        lists = {name: list(getattr(self, name)) for name in ("missing", "differing", "stray")}
        return {"is_same": self.is_same, "total": self.total, **lists}


def atlas_files(progress: Progress | None = None) -> Iterator[tuple[str, str]]:
    """Yield every file of the atlas as (path inside its folder, text); nothing is read or written.

    Parameters
    ----------
    progress : callable, optional
        Called as progress(what, done, total) after each set.
    """
    sets = all_sets()
    for done, s in enumerate(sets, start=1):
        yield from s.files().items()
        if progress is not None:
            progress(f"{s.folder}/{s.name}", done, len(sets))
    for folder, action, _ in FOLDERS:
        yield f"{folder}/README.md", theory_page(folder, action, [s for s in sets if s.folder == folder])
    yield from slides_files().items()
    yield "README.md", overview(sets)
    yield INDEX, json_lines({"format": FORMAT, "version": VERSION, "sets": [s.record() for s in sets]}, 4)


def build(folder: StrPath, *, progress: Progress | None = None) -> Comparison:
    """Write the atlas into a folder, each file whole or not at all; files of other names are left alone.

    Parameters
    ----------
    folder : str or path-like
        An empty folder, one that does not exist yet, or an atlas, which is brought up to date.
    progress : callable, optional
        Called as progress(what, done, total) after each set.

    Returns
    -------
    Comparison
        What was there before: the missing and differing files have been written, stray ones stay.

    Raises
    ------
    InputError
        If the folder cannot be written to, or files that no atlas made would be overwritten.
    """
    root = _folder(folder)
    texts = dict(atlas_files(progress))
    before = _compare(root, texts)
    if before.differing and not _is_atlas(root):
        raise InputError(
            f"{str(folder)!r} is not an atlas, but holds {before.differing[0]!r}, which would be overwritten; name "
            "an empty folder"
        )
    for path in sorted((*before.missing, *before.differing), key=lambda p: (p != INDEX, p)):
        target = root / path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"cannot make {str(target.parent)!r}: {error.strerror}; choose another place") from error
        write_atomically(target, texts[path])
    return before


def check(folder: StrPath, *, progress: Progress | None = None) -> Comparison:
    """Compare a folder with the atlas, which is made again in memory, byte for byte.

    Parameters
    ----------
    folder : str or path-like
    progress : callable, optional
        Called as progress(what, done, total) after each set.

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        If there is no such folder, or it cannot be read.
    """
    root = _folder(folder)
    if not root.is_dir():
        raise InputError(f"there is no folder {str(folder)!r}; feynnn atlas build makes it")
    return _compare(root, dict(atlas_files(progress)))


def _folder(folder: StrPath) -> Path:
    if not isinstance(folder, str | os.PathLike) or not str(folder).strip() or "\0" in str(folder):
        raise InputError(f"folder must be the name of a folder, got {folder!r}")
    root = Path(folder)
    if root.exists() and not root.is_dir():
        raise InputError(f"{str(folder)!r} is a file; name a folder")
    return root


def _compare(root: Path, texts: dict[str, str]) -> Comparison:
    there = {p.relative_to(root).as_posix() for p in root.rglob("*") if not p.is_dir()}
    try:
        differing = [p for p in texts if p in there and (root / p).read_bytes() != texts[p].encode()]
    except OSError as error:
        raise InputError(f"cannot read {str(error.filename)!r}: {error.strerror}") from error
    missing, stray = texts.keys() - there, there - texts.keys()
    return Comparison(tuple(sorted(missing)), tuple(sorted(differing)), tuple(sorted(stray)), len(texts))


def _is_atlas(root: Path) -> bool:
    """Whether the folder's index says that it is an atlas."""
    try:
        index = json.loads((root / INDEX).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(index, dict) and index.get("format") == FORMAT
