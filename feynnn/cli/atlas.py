"""``feynnn atlas build`` and ``feynnn atlas check``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from . import output as out

app = typer.Typer(help="The atlas of Feynman diagrams: a folder of pages, pictures and data.", no_args_is_help=True)

#: The repository's own atlas, when the command runs at its top.
FOLDER = "diagrams"
#: Most names that are listed.
LISTED = 20

Folder = Annotated[str, typer.Argument(help="The atlas's folder.")]


@app.command()
def build(folder: Folder = FOLDER) -> None:
    """Write the atlas: feynnn atlas build diagrams. Files that it did not make stay, and are named."""
    from ..views.atlas import build as build_atlas

    before = build_atlas(folder, progress=out.Progress())
    new, changed = len(before.missing), len(before.differing)
    _say(f"{folder}: {before.total} files, {new} new, {changed} changed, {before.total - new - changed} as they were")
    if before.stray:
        _say(f"not of the atlas, left alone: {_names(before.stray)}")


@app.command()
def check(
    folder: Folder = FOLDER,
    as_json: Annotated[bool, typer.Option("--json", help="Print the machine-readable result.")] = False,
) -> None:
    """Compare a folder with the atlas, made again in memory: feynnn atlas check diagrams.

    Exit code 1 if a file is missing, differs or is stray.
    """
    from ..storage import to_json
    from ..views.atlas import check as check_atlas

    found = check_atlas(folder, progress=out.Progress())
    if as_json:
        print(to_json(found.to_dict(), indent=1))
    elif found.is_same:
        print(f"{folder}: all {found.total} files are what feynnn makes")
    else:
        for what, names in (("missing", found.missing), ("differing", found.differing), ("stray", found.stray)):
            if names:
                print(f"{what} ({len(names)}): {_names(names)}")
    if not found.is_same:
        remedy = "feynnn atlas build makes missing and differing files again"
        _say(f"feynnn: {folder} is not the atlas; {remedy}" + ("; remove stray ones" if found.stray else ""))
        raise typer.Exit(1)


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more


def _say(words: str) -> None:
    print(words, file=sys.stderr)
