"""Writing results: tables for people on standard output, JSON for programs, files between steps."""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import InputError


def show(obj: Any, *, as_json: bool, output: str | None = None) -> None:
    """Print `obj` (its table, or JSON), or save it to a file that the other commands read."""
    if output is not None:
        from ..storage import save

        save(obj, output)
        print(f"wrote {output}", file=sys.stderr)
        return
    if as_json:
        from ..storage import dumps

        print(dumps(obj))
    else:
        print(obj)


def show_record(record: dict[str, Any], table: object, *, as_json: bool, output: str | None = None) -> None:
    """Print a plain record as JSON or its table, or write the JSON to a file."""
    from ..storage import to_json

    if output is not None:
        write_text(output, to_json(record, indent=1) + "\n")
    elif as_json:
        print(to_json(record, indent=1))
    else:
        print(table)


def write_text(path: str | Path, text: str) -> None:
    """Write a file whole or not at all, and say so on standard error."""
    from ..storage import write_atomically

    write_atomically(Path(path), text)
    print(f"wrote {path}", file=sys.stderr)


def check_files(**paths: str | None) -> None:
    """Raise InputError unless every file can be written, before any work: options by name, None where not given."""
    given = {f"--{option}": path for option, path in paths.items() if path is not None}
    for option, path in given.items():
        where = f"{option}: cannot write {path!r}"
        if not path.strip() or "\0" in path:
            raise InputError(f"{where}: it is no file name")
        target = Path(path)
        try:
            if not target.parent.is_dir():
                raise InputError(f"{where}: there is no folder {str(target.parent)!r}; create it first")
            if target.is_dir():
                raise InputError(f"{where}: it is a folder; name a file in it")
        except OSError as error:
            raise InputError(f"{where}: {error.strerror}; choose another place") from None
        if not os.access(target.parent, os.W_OK):
            raise InputError(f"{where}: its folder may not be written to; choose another place")
    if len({os.path.realpath(path) for path in given.values()}) < len(given):
        raise InputError(f"{' and '.join(given)} name the same file; give each its own")


@contextmanager
def lines_to(path: str | None) -> Iterator[Callable[[str], object]]:
    """Give a function that writes text piece by piece: to standard output, or to a file that appears when complete."""
    if path is None:
        yield sys.stdout.write
        sys.stdout.flush()
        return
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}")
    try:
        with temporary.open("x", encoding="utf-8") as file:
            yield file.write
        temporary.replace(target)
    except OSError as error:
        raise InputError(f"cannot write {path!r}: {error.strerror}; choose another place") from error
    finally:
        temporary.unlink(missing_ok=True)
    print(f"wrote {path}", file=sys.stderr)


class Progress:
    """Counts steps on standard error: one line that is rewritten on a terminal, every fifth step elsewhere."""

    def __init__(self) -> None:
        self.terminal = sys.stderr.isatty()

    def __call__(self, what: str, done: int, total: int) -> None:
        """Show step `done` of `total`."""
        if self.terminal:
            end = "\n" if done == total else ""
            print(f"\r\033[K[{done}/{total}] {what}", end=end, file=sys.stderr, flush=True)
        elif done == total or done % 5 == 0:
            print(f"[{done}/{total}] {what}", file=sys.stderr, flush=True)


def check_workers(workers: int) -> None:
    """Raise InputError unless there is a worker."""
    if workers < 1:
        raise InputError(f"--workers must be at least 1, got {workers}")


@contextmanager
def pool(workers: int) -> Iterator[Executor | None]:
    """Give a pool of processes, each with one BLAS thread, or None for one worker.

    Raises
    ------
    InputError
        If `workers` is not positive.
    """
    check_workers(workers)
    if workers == 1:
        yield None
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    # read by the workers when they load numpy
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as executor:
        yield executor


def prepare_folder(path: Path) -> None:
    """Make an output folder before the work starts, so that an unwritable one is found at once.

    Raises
    ------
    InputError
        If it cannot be made or written to.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe = path / ".feynnn-probe"
        probe.write_text("")
        probe.unlink()
    except OSError as error:
        raise InputError(f"cannot write to {path}: {error.strerror}; choose another --output") from None
