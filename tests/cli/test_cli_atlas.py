"""``feynnn atlas``: what it prints, and its exit codes."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("typer")

from feynnn import cli
from feynnn.views import atlas

SMALL = {"a/b.svg": "<svg/>\n", "README.md": "λ\n", "index.json": '{"format": "feynnn atlas"}\n'}
Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Call:
    """Run the command in an empty folder, with a small atlas in place of the real one."""
    monkeypatch.setattr(atlas, "atlas_files", lambda progress=None: iter(SMALL.items()))
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["feynnn", "atlas", *words])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        captured = capsys.readouterr()
        return int(stop.value.code or 0), captured.out, captured.err

    return run


def test_build_and_check_work_on_diagrams_by_default(call: Call, tmp_path: Path) -> None:
    assert call("build") == (0, "", "diagrams: 3 files, 3 new, 0 changed, 0 as they were\n")
    assert (tmp_path / "diagrams" / "README.md").read_text(encoding="utf-8") == "λ\n"
    assert call("check") == (0, "diagrams: all 3 files are what feynnn makes\n", "")


def test_differences_are_listed_with_exit_code_1(call: Call, tmp_path: Path) -> None:
    call("build", "there")
    (tmp_path / "there" / "README.md").unlink()
    (tmp_path / "there" / "a" / "b.svg").write_text("<svg></svg>\n")
    (tmp_path / "there" / "mine.txt").write_text("")
    code, out, err = call("check", "there")
    assert code == 1
    assert out.splitlines() == ["missing (1): README.md", "differing (1): a/b.svg", "stray (1): mine.txt"]
    assert "there is not the atlas" in err
    assert "feynnn atlas build" in err
    code, out, _ = call("check", "there", "--json")
    assert code == 1
    assert json.loads(out) == {
        "is_same": False, "total": 3, "missing": ["README.md"], "differing": ["a/b.svg"], "stray": ["mine.txt"],
    }  # fmt: skip


def test_stray_files_are_named_and_stay(call: Call, tmp_path: Path) -> None:
    call("build")
    for k in range(23):
        (tmp_path / "diagrams" / f"mine{k:02}.txt").write_text("")
    code, _, err = call("build")
    assert code == 0
    assert "left alone: mine00.txt, mine01.txt" in err
    assert "mine19.txt and 3 more" in err
    assert (tmp_path / "diagrams" / "mine22.txt").exists()


def test_json_of_an_atlas_that_is_the_same(call: Call) -> None:
    call("build")
    code, out, err = call("check", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out) == {"is_same": True, "total": 3, "missing": [], "differing": [], "stray": []}


def test_bad_input_is_exit_code_2(call: Call, tmp_path: Path) -> None:
    assert call("check", "nowhere")[0] == 2
    (tmp_path / "README.md").write_text("of somebody else")
    code, _, err = call("build", ".")
    assert code == 2
    assert "would be overwritten" in err
    assert (tmp_path / "README.md").read_text() == "of somebody else"
