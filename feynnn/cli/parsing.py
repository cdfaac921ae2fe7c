"""Reading what people type: orders, couplings, points, kernels, files; each mistake is one clear error."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InputError

if TYPE_CHECKING:
    from ..npoint import NPoint
    from ..points import Array
    from ..theory.kernels import Kernel

KERNELS = ("gauss", "erf", "relu", "free-scalar")


def order_of(text: str, option: str = "--order") -> int | dict[str, int]:
    """Read ``2`` or ``lam=2,kap=1``."""
    if text.strip().isdecimal():
        return int(text)
    try:
        pairs = [(name.strip(), int(value)) for name, value in (part.split("=") for part in text.split(","))]
    except ValueError:
        raise InputError(f"{option} is a number or a list such as lam=2,kap=1, got {text!r}") from None
    if len(dict(pairs)) < len(pairs):
        raise InputError(f"{option} names a coupling twice: {text!r}")
    return dict(pairs)


def couplings_of(items: list[str]) -> dict[str, float]:
    """Read repeated ``lam=0.01``."""
    result = {}
    for item in items:
        name, sign, value = item.partition("=")
        if name.strip() in result:
            raise InputError(f"--coupling names {name.strip()!r} twice")
        try:
            result[name.strip()] = float(value)
        except ValueError:
            sign = ""
        if not sign:
            raise InputError(f"--coupling is a list such as lam=0.01, got {item!r}")
    return result


def number_of(text: str, option: str) -> float:
    """Read a number, ``inf`` included."""
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{option} must be a number, got {text!r}") from None


def numbers_of(text: str, option: str) -> list[float]:
    """Read ``7,10,15``."""
    return [number_of(part, option) for part in text.split(",")]


def points_of(text: str) -> Array:
    """Read points: inline (``0.2,0.4`` or ``1,1;1,-1``), the name of a JSON or text file, or ``-`` for stdin."""
    import numpy as np

    try:
        rows = [[float(value) for value in row.split(",")] for row in text.split(";")]
    except ValueError:
        pass  # the name of a file
    else:
        return np.array(_rectangular(rows if len(rows) > 1 else [[value] for value in rows[0]]))
    try:
        content = sys.stdin.read() if text == "-" else Path(text).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(
            f"--points: there is no file {text!r}, and it is not a list of numbers such as 0.2,0.4"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"--points: cannot read {text[:80]!r} as text: {error}") from None
    try:
        data = json.loads(content)
    except json.JSONDecodeError:
        lines = [line.replace(",", " ").split() for line in content.splitlines() if line.strip()]
        data = [[number_of(v, "--points") for v in line] for line in lines if not line[0].startswith("#")]
    try:
        array = np.array(data, dtype=float)
    except (TypeError, ValueError):
        raise InputError(f"--points: {text} must hold a list of points, all of one dimension") from None
    return array[:, None] if array.ndim == 1 else array


def _rectangular(rows: list[list[float]]) -> list[list[float]]:
    if len({len(row) for row in rows}) != 1:
        raise InputError(f"--points: every point needs the same number of coordinates, got {rows}")
    return rows


def kernel_of(name: str, *, sigma_w: float, sigma_b: float, mass: float, d_in: int) -> Kernel:
    """Return a kernel by its name."""
    from ..theory import kernels

    if name == "free-scalar":
        return kernels.FreeScalar(mass, d_in)
    classes = {"gauss": kernels.Gauss, "erf": kernels.Erf, "relu": kernels.ReLU}
    if name not in classes:
        raise InputError(f"--kernel must be one of {', '.join(KERNELS)}, got {name!r}")
    return classes[name](sigma_w, sigma_b, d_in)


def width_of(text: str) -> float:
    """Read a width, ``inf`` for the Gaussian process."""
    if text == "inf":
        return math.inf
    if not text.isdecimal():
        raise InputError(f"--width must be a whole number or inf, got {text!r}")
    return int(text)


def npoint_of(path: str, n: int = 4) -> NPoint:
    """Load an n-point function, or take it from a stored ensemble."""
    from ..npoint import NPoint
    from ..sampling.ensemble import Ensemble
    from ..storage import load, loads

    obj: Any = loads(sys.stdin.read(), "standard input") if path == "-" else load(path)
    if isinstance(obj, Ensemble):
        return obj.estimate(n)
    if not isinstance(obj, NPoint):
        raise InputError(f"{path} holds a {type(obj).__name__}, not an n-point function or an ensemble")
    return obj
