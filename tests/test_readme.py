"""Every example in the README and in the pages of docs/ that are not executed when they are built.

A ``python`` block runs in a namespace of its own, and what it prints is the ``text`` block after it. The commands of
the ``console`` blocks of one page run one after the other in an empty folder. ``sh`` blocks are not run here: they
install things or take minutes. ``python tests/test_readme.py`` writes what is printed now into the pages.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import sys
import tempfile
import warnings
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import zip_longest
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = ("README.md", "docs/index.md", "docs/conventions.md", "docs/diagrams.md", "docs/errors.md", "docs/cli.md")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?")
#: Numbers agree to this fraction; bounds and rounding below `TINY` only have to be below it again.
RTOL, TINY = 1e-5, 1e-11


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text and where the text is in the page."""

    page: str
    language: str
    text: str
    start: int
    end: int

    @property
    def line(self) -> int:
        return (ROOT / self.page).read_text()[: self.start].count("\n")

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(page: str) -> list[Block]:
    text = (ROOT / page).read_text()
    return [Block(page, m[1], m[2], m.start(2), m.end(2)) for m in FENCE.finditer(text)]


def python_examples() -> list[tuple[Block, Block | None]]:
    """Return the python blocks with the text blocks that follow them."""
    found = []
    for page in PAGES:
        here = blocks(page)
        for block, after in zip_longest(here, here[1:]):
            if block.language == "python":
                found.append((block, after if after is not None and after.language == "text" else None))
    return found


def commands(block: Block) -> list[tuple[str, str]]:
    """Return the commands of a console block, each with the output shown for it."""
    joined = block.text.replace("\\\n", "")
    parts = re.split(r"^\$ (.*)\n", joined, flags=re.MULTILINE)
    assert parts[0] == "", f"{block}: output before the first command"
    return list(zip(parts[1::2], parts[2::2], strict=True))


def run_python(block: Block) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(block.text, str(block), "exec"), {"__name__": "__main__"})
    return out.getvalue()


def run_command(line: str) -> str:
    """Run a pipe of feynnn commands in this process, and return what it prints."""
    from feynnn.cli import main

    text = ""
    for command in line.split(" | "):
        words = shlex.split(command)
        assert words[0] == "feynnn", line
        out, stdin, argv = io.StringIO(), sys.stdin, sys.argv
        sys.stdin, sys.argv = io.StringIO(text), words
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()) as err:
                main()
        except SystemExit as end:
            assert end.code in (0, None), f"{command}: {err.getvalue()}"
        finally:
            sys.stdin, sys.argv = stdin, argv
        text = out.getvalue()
    return text


def same(shown: str, printed: str) -> bool:
    """Whether two outputs have the same words and, up to rounding, the same numbers."""
    a, b = ([" ".join(line.split()) for line in s.strip().splitlines()] for s in (shown, printed))
    if [NUMBER.sub("#", line) for line in a] != [NUMBER.sub("#", line) for line in b]:
        return False
    u, v = ([float(number) for line in lines for number in NUMBER.findall(line)] for lines in (a, b))
    return all(abs(p - q) <= RTOL * abs(p) or max(abs(p), abs(q)) < TINY for p, q in zip(u, v, strict=True))


@pytest.mark.parametrize(("block", "output"), python_examples(), ids=str)
def test_python(block: Block, output: Block | None) -> None:
    printed = run_python(block)
    shown = "" if output is None else output.text
    assert same(shown, printed), f"{block} prints\n{printed}"


@pytest.mark.skipif(find_spec("typer") is None, reason="the command line needs the extra app")
@pytest.mark.parametrize("page", PAGES)
def test_console(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for block in blocks(page):
        for line, shown in commands(block) if block.language == "console" else ():
            printed = run_command(line)
            assert same(shown, printed), f"{block}: {line} prints\n{printed}"


def test_every_page_has_examples() -> None:
    for page in PAGES:
        assert any(b.language in ("python", "console") for b in blocks(page)), page
    languages = {b.language for page in PAGES for b in blocks(page)}
    assert languages <= {"python", "text", "console", "sh", "bibtex"}, languages


def test_the_comparison_sees_a_difference() -> None:
    assert same("a  1.0000001 2e-13\n", "a 1 1e-13")
    for other in ("a 1.001 2e-13", "b 1 2e-13", "a 1", "a 1 2e-3", "a 1 2e-13\nmore"):
        assert not same("a 1 2e-13", other)


def rewrite(page: str) -> None:
    """Put what the examples print now into a page."""
    text, new = (ROOT / page).read_text(), []
    replaced: dict[Block, str] = {}
    for block, output in python_examples():
        if block.page == page and output is not None:
            replaced[output] = "".join(f"{line.rstrip()}\n" for line in run_python(block).splitlines())
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for block in blocks(page):
            if block.language == "console":
                shown = re.findall(r"^\$ (?:.*\\\n)*.*\n", block.text, flags=re.MULTILINE)
                printed = [run_command(line) for line, _ in commands(block)]
                lines = "".join(s + p for s, p in zip(shown, printed, strict=True)).splitlines()
                replaced[block] = "".join(f"{line.rstrip()}\n" for line in lines)
    at = 0
    for block in sorted(replaced, key=lambda b: b.start):
        new += [text[at : block.start], replaced[block]]
        at = block.end
    (ROOT / page).write_text("".join([*new, text[at:]]))


if __name__ == "__main__":
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    warnings.simplefilter("error")
    for name in sys.argv[1:] or PAGES:
        rewrite(name)
