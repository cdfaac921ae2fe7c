"""The checkpoint of a run: one .npz file, replaced atomically, checked on reading, without pickle."""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError
from ..points import Array

FORMAT = 1
Mask = npt.NDArray[np.bool_]


class Store:
    """Finished experiments of one run, kept in a file.

    Parameters
    ----------
    path : path-like
        The file; made if it does not exist, continued if it holds the same run.
    header : dict
        Parameters of the run, JSON-ready.
    shape : tuple of int
        (n_experiments, numbers per experiment).
    interval : float
        Least number of seconds between two writes while the run goes on.

    Raises
    ------
    InputError
        If the file is damaged, holds another run, or its directory does not exist.
    """

    def __init__(
        self, path: str | os.PathLike[str], header: dict[str, Any], shape: tuple[int, int], *, interval: float = 5.0
    ) -> None:
        self.path = Path(path)
        self.header = json.loads(json.dumps({"format": FORMAT, **header}))
        self._interval, self._written = interval, time.monotonic()
        if not self.path.parent.is_dir():
            raise InputError(f"store: the directory {str(self.path.parent)!r} does not exist; make it first")
        if self.path.is_dir():
            raise InputError(f"store: {str(self.path)!r} is a directory; give the name of a file in it")
        self.rows: Array = np.zeros(shape)
        self.done: Mask = np.zeros(shape[0], dtype=np.bool_)
        if self.path.exists():
            self._read(shape)

    def _read(self, shape: tuple[int, int]) -> None:
        try:
            with self.path.open("rb") as file, np.load(file, allow_pickle=False) as data:
                header_text, checksum = str(data["header"]), str(data["checksum"])
                rows, done = data["rows"], data["done"]
            header = json.loads(header_text)
        except Exception as error:
            # a damaged zip file or array header can raise nearly anything
            raise InputError(f"{self._damaged()} ({type(error).__name__}: {error})") from error
        if rows.dtype != np.float64 or done.dtype != np.bool_ or _checksum(header_text, rows, done) != checksum:
            raise InputError(f"{self._damaged()} (its checksum does not fit)")
        names = sorted({*header, *self.header})
        differing = [k for k in names if header.get(k) != self.header.get(k)]
        if differing:
            k = differing[0]
            more = f" (and {', '.join(differing[1:])})" if len(differing) > 1 else ""
            raise InputError(
                f"store: {str(self.path)!r} holds another run: {k} is {header.get(k)!r} there and "
                f"{self.header.get(k)!r} here{more}; give this run its own file, or the same parameters"
            )
        if rows.shape != shape or done.shape != shape[:1]:
            raise InputError(f"{self._damaged()} (its rows have shape {rows.shape}, not {shape})")
        self.rows, self.done = rows, done

    def _damaged(self) -> str:
        return f"store: {str(self.path)!r} is not a readable checkpoint; delete it or restore a copy, then run again"

    def put(self, experiment: int, row: Array) -> None:
        """Keep the row of a finished experiment; write the file if the last time is long enough ago."""
        self.rows[experiment], self.done[experiment] = row, True
        if time.monotonic() - self._written >= self._interval:
            self.write()

    def write(self) -> None:
        """Write the file now: a temporary file in the same directory takes its place."""
        text = json.dumps(self.header, sort_keys=True)
        temporary = self.path.with_name(f"{self.path.name}.{os.getpid()}.tmp")
        try:
            with temporary.open("wb") as file:
                np.savez(
                    file,
                    header=np.array(text),
                    checksum=np.array(_checksum(text, self.rows, self.done)),
                    rows=self.rows,
                    done=self.done,
                )
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        self._written = time.monotonic()


def _checksum(header: str, rows: Array, done: Mask) -> str:
    digest = hashlib.sha256(header.encode())
    digest.update(np.ascontiguousarray(rows).tobytes())
    digest.update(np.ascontiguousarray(done).tobytes())
    return digest.hexdigest()
