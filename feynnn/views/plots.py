"""Plots of n-point functions and couplings: each function draws one thing on the Axes it is given and returns them.

with style():
    fig, (left, right) = new_figure(2)
    deviation(left, widths, curve, 4)
    picture = figure_svg(fig)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..studies.hms import Coupling, Curve
from .figures import GREY, INK, figure_svg, new_figure, style
from .html_parts import lowered, number, raised

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..points import Array

__all__ = [
    "connected",
    "coupling_by_tuple",
    "coupling_by_width",
    "deviation",
    "figure_svg",
    "new_figure",
    "prediction",
    "running",
    "style",
]

#: Middle tones that read on white and on black, distinct for the colour-blind.
BLUE, ORANGE, GREEN, PURPLE = "#2a82c8", "#d9681d", "#1f9e77", "#a864b4"
#: Colour, marker and line of the k-th curve: in grey, marker and line tell them apart.
SERIES = ((BLUE, "o", "-"), (ORANGE, "s", "--"), (GREEN, "D", "-."), (PURPLE, "^", ":"), (GREY, "v", (0, (5, 1, 1, 1))))
#: Below this an exact deviation is zero up to rounding.
ZERO = 1e-12


# --- what is drawn ---------------------------------------------------------------------------------------------------


def deviation(ax: Axes, widths: Sequence[float], curve: Curve, n: int) -> Axes:
    """Draw |m_n|, the mean deviation from the Gaussian process, against width.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    widths : sequence of float
    curve : Curve
        Exact and sampled values, with the background as a dashed line and shade.
    n : int
        Number of points.
    """
    x = np.asarray(widths, dtype=float)
    _decades(ax, curve.exact, curve.background, sampled=curve)
    _width_axis(ax, x)
    if np.abs(curve.exact).max() < ZERO:
        ax.plot([], [], linestyle="none", label="exact: 0 at every N")
    else:
        ax.plot(x, np.abs(curve.exact), color=BLUE, label="exact")
    notes = _sampled(ax, x, curve, SERIES[0], "sampled ± error")
    if curve.background:
        ax.fill_between(x, ax.get_ylim()[0], curve.background, color=GREY, alpha=0.14, linewidth=0)
        ax.plot(x, curve.background, color=GREY, linestyle="--", label="background")
    ax.set_ylabel(f"|mean m{lowered(n)}|")
    return _legend(ax, notes)


def connected(ax: Axes, widths: Sequence[float], curves: Mapping[int, Curve]) -> Axes:
    """Draw the connected functions over the Gaussian ones against width, with the powers of N they should follow."""
    x = np.asarray(widths, dtype=float)
    _decades(ax, *(c.exact for c in curves.values()), sampled=[*curves.values()])
    _width_axis(ax, x)
    notes: set[str] = set()
    for (n, curve), look in zip(sorted(curves.items()), SERIES, strict=False):
        ax.plot(x, np.abs(curve.exact), color=look[0], linestyle=look[2], label=f"G⁽{raised(n)}⁾ exact")
        notes |= _sampled(ax, x, curve, look, f"G⁽{raised(n)}⁾ sampled")
        power = 1 - n // 2
        guide = 2.5 * abs(curve.exact[-1]) * (x / x[-1]) ** power
        ax.plot(x, guide, color=GREY, linestyle=(0, (1, 1.5 - power)), linewidth=1.4, label=f"∝ N{raised(power)}")
    ax.set_ylabel("|mean Gᶜ / Gᴳᴾ|")
    return _legend(ax, notes, columns=3)


def coupling_by_width(
    ax: Axes, widths: Sequence[float], exact: Sequence[Coupling], sampled: Sequence[Coupling]
) -> Axes:
    """Draw |lam| of the least-squares match against width, from exact and from sampled 4-point functions."""
    x = np.asarray(widths, dtype=float)
    # lam of the networks is negative: points on the other side of zero are the ones to mark
    sign = -1.0 if np.median([c.value for c in exact]) < 0 else 1.0
    curve = Curve(
        exact=[sign * c.value for c in exact],
        sampled=[sign * c.value for c in sampled],
        error=[c.error for c in sampled],
        unreliable=[int(w) for w, c in zip(widths, sampled, strict=True) if not c.reliable],
    )
    _decades(ax, curve.exact, sampled=curve)
    _width_axis(ax, x)
    ax.plot(x, np.abs(curve.exact), color=BLUE, label="exact G⁽⁴⁾")
    notes = _sampled(ax, x, curve, SERIES[0], "sampled G⁽⁴⁾ ± error")
    ax.set_ylabel("matched λ" if sign > 0 else "matched −λ")
    return _legend(ax, notes)


def coupling_by_tuple(
    ax: Axes,
    exact: Sequence[float],
    sampled: Sequence[float],
    error: Sequence[float],
    flagged: Sequence[bool],
    *,
    fitted: float | None = None,
    reliable: bool = True,
) -> Axes:
    """Draw lam of each tuple of inputs; flagged tuples, whose integral is close to zero, are hollow.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    exact, sampled, error : sequence of float
        Values per tuple, and the standard error of the sampled ones.
    flagged : sequence of bool
    fitted : float, optional
        The least-squares value, drawn as a line.
    reliable : bool
        Whether the sampled error bars can be trusted.
    """
    bad = np.array(flagged, dtype=bool)
    power = int(np.floor(np.log10(np.abs(exact)[~bad].max()))) if not bad.all() else 0
    power = 0 if -3 < power < 4 else power
    e, s, d = (np.array(v, dtype=float) / 10.0**power for v in (exact, sampled, error))
    line = None if fitted is None else fitted / 10.0**power
    k, good = np.arange(len(e)), ~bad
    words = "sampled" if reliable else "sampled (heavy-tailed)"
    look: dict[str, Any] = {"markersize": 2.6, "linestyle": "none"}
    ax.errorbar(k[good], s[good], d[good], color=ORANGE, marker="o", elinewidth=0.5, capsize=0, label=words, **look)
    ax.plot(k[good], e[good], color=BLUE, marker="D", label="exact", **look)
    if bad.any():
        look |= {"markersize": 4.5, "fillstyle": "none"}
        ax.plot(k[bad], s[bad], color=ORANGE, marker="o", **look)
        ax.plot(k[bad], e[bad], color=BLUE, marker="D", **look)
    if line is not None:
        ax.axhline(line, color=INK, linestyle="--", linewidth=1.0, label="least squares, exact")
    low, high = _frame(e[good], s[good], d[good], line)
    ax.set_ylim(low, high)
    outside = int(((e < low) | (e > high) | (s < low) | (s > high)).sum())
    ax.set_xlabel("tuple of inputs" + (f" ({outside} outside the frame)" if outside else ""))
    ax.set_ylabel("λ of the tuple" + (f" / 10{raised(power)}" if power else ""))
    ax.yaxis.set_major_formatter(_ticks)
    return _legend(ax, {"flagged"} if bad.any() else set())


def running(
    ax: Axes,
    cutoffs: Sequence[float] | Array,
    values: Sequence[float] | Array,
    slope: float,
    *,
    label: str = "",
    error: Sequence[float] | Array | None = None,
    series: int = 0,
) -> Axes:
    """Draw |lam| against the cutoff with the straight line of the fitted slope; may be called again on the same Axes.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    cutoffs, values : sequence of float
    slope : float
        Slope of log|lam| against log cutoff; the legend quotes it.
    label : str
        What runs.
    error : sequence of float, optional
    series : int
        Which colour, marker and line.
    """
    colour, marker, line = SERIES[series % len(SERIES)]
    x, y = np.asarray(cutoffs, dtype=float), np.abs(np.asarray(values, dtype=float))
    ax.set_xscale("log")
    ax.set_yscale("log")
    some = y > 0
    u, v = np.log(x[some]), np.log(y[some])
    words = (f"{label}: " if label else "") + f"slope {number(round(slope, 3) + 0.0)}"
    bars = None if error is None else np.asarray(error, dtype=float)[some]
    if len(u):
        fit = np.exp(v.mean() + slope * (u - u.mean()))
        ax.plot(x[some], fit, color=colour, linestyle=line, linewidth=1.0)
    ax.errorbar(x[some], y[some], bars, color=colour, marker=marker, linestyle="none", markersize=3.6, label=words)
    ax.set_xlabel("cutoff Λ")
    ax.set_ylabel("|λ|")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(_ticks)
    ax.minorticks_off()
    return _legend(ax, set())


def prediction(
    ax: Axes,
    widths: Sequence[float],
    gaussian: Sequence[float],
    predicted: Sequence[float],
    error: Sequence[float],
    *,
    exact: Sequence[float] = (),
    best: Sequence[float] = (),
    unreliable: Sequence[int] = (),
) -> Axes:
    """Draw the predicted 6-point function over the exact one against width; 1 is perfect.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    widths : sequence of float
    gaussian : sequence of float
        From the Gaussian process alone.
    predicted, error : sequence of float
        With lam of the sampled 4-point function.
    exact : sequence of float, optional
        With lam of the exact 4-point function.
    best : sequence of float, optional
        The most that the 4-point function can give: all but the connected 6-point function.
    unreliable : sequence of int, optional
        Widths whose error bar is too small.
    """
    x = np.asarray(widths, dtype=float)
    _width_axis(ax, x)
    ax.axhline(1.0, color=INK, linewidth=1.0, label="exact G⁽⁶⁾")
    ax.plot(x, gaussian, color=GREY, marker="s", linestyle="--", label="GP alone")
    if len(best):
        ax.plot(x, best, color=GREEN, linestyle="-.", linewidth=1.8, label="GP + whole G⁽⁴⁾")
    if len(exact):
        ax.plot(x, exact, color=BLUE, label="GP + λ of exact G⁽⁴⁾")
    curve = Curve(sampled=[*predicted], error=[*error], unreliable=[*unreliable])
    notes = _sampled(ax, x, curve, SERIES[0], "GP + λ of sampled G⁽⁴⁾", signed=True)
    shown = np.array([1.0, *gaussian, *predicted, *exact, *best])
    margin = 0.12 * (shown.max() - shown.min())
    ax.set_ylim(shown.min() - margin, shown.max() + margin)
    ax.yaxis.set_major_formatter(_ticks)
    ax.set_ylabel("mean prediction / exact G⁽⁶⁾")
    return _legend(ax, notes)


# --- pieces ----------------------------------------------------------------------------------------------------------


def _ticks(value: float, _: float | None = None) -> str:
    """Write a tick's number as text, not as a formula: 10⁻³."""
    words = number(value, 4)
    return words.removeprefix("1×") if words.startswith("1×10") else words


def _width_axis(ax: Axes, x: Array) -> None:
    ax.set_xscale("log")
    ax.set_xlabel("width N")
    ax.set_xlim(x.min() / 1.3, x.max() * 1.3)
    ax.xaxis.set_major_formatter(_ticks)


def _decades(ax: Axes, *values: Sequence[float], sampled: Curve | Sequence[Curve] = ()) -> None:
    """Give the y axis a logarithmic scale that holds the values.

    A sampled value that is far below its error, and bars that reach to zero, do not stretch the axis.
    """
    curves = [sampled] if isinstance(sampled, Curve) else sampled
    seen = [np.abs(v) for v in values]
    seen += [np.maximum(np.abs(c.sampled), 0.1 * np.array(c.error)) for c in curves]
    all_of = np.concatenate(seen)
    shown = all_of[np.isfinite(all_of) & (all_of > ZERO * np.nanmax(all_of, initial=0.0))]
    ax.set_yscale("log")
    if len(shown):
        ax.set_ylim(shown.min() / 2.5, shown.max() * 2.5)
    ax.yaxis.set_major_formatter(_ticks)
    ax.minorticks_off()


def _sampled(
    ax: Axes, x: Array, curve: Curve, look: tuple[str, str, Any], label: str, *, signed: bool = False
) -> set[str]:
    """Draw sampled points, hollow or pointing down where they need it; return what the legend has to explain."""
    y, e = np.array(curve.sampled, dtype=float), np.array(curve.error, dtype=float)
    bad = np.isin(x, curve.unreliable)
    negative = (y < 0) & (not signed)
    for hollow in (False, True):
        for down in (False, True):
            chosen = (bad == hollow) & (negative == down)
            if chosen.any():
                ax.errorbar(
                    x[chosen],
                    y[chosen] if signed else np.abs(y[chosen]),
                    e[chosen],
                    color=look[0],
                    marker="v" if down else look[1],
                    linestyle="none",
                    elinewidth=0.9,
                    fillstyle="none" if hollow else "full",
                )
    fill = "none" if bad.all() else "full"
    ax.plot([], [], color=look[0], marker=look[1], linestyle="none", fillstyle=fill, label=label)
    return {name for name, some in (("unreliable", bad.any()), ("negative", negative.any())) if some}


#: Markers that the legend explains: marker, fill, words.
_NOTES = {
    "unreliable": ("o", "none", "heavy-tailed"),
    "negative": ("v", "full", "value below 0"),
    "flagged": ("D", "none", "flagged: integral near 0"),
}


def _legend(ax: Axes, notes: set[str], *, columns: int = 2) -> Axes:
    """Put the legend above the axes, with notes on the markers."""
    from matplotlib.lines import Line2D

    handles, labels = ax.get_legend_handles_labels()
    for note in sorted(notes):
        marker, fill, words = _NOTES[note]
        look: dict[str, Any] = {"linestyle": "none", "fillstyle": fill}
        handles.append(Line2D([], [], color=GREY, marker=marker, **look))
        labels.append(words)
    ax.legend(handles, labels, loc="lower left", bbox_to_anchor=(-0.1, 1.0), ncols=columns)
    return ax


def _frame(exact: Array, sampled: Array, error: Array, line: float | None) -> tuple[float, float]:
    """Return a frame for the values per tuple that a few wild ones do not stretch."""
    values = [exact, np.array([] if line is None else [line])]
    if len(sampled):
        values += [np.quantile(sampled - error, [0.02, 0.98]), np.quantile(sampled + error, [0.02, 0.98])]
    shown = np.concatenate(values)
    low, high = (float(shown.min()), float(shown.max())) if len(shown) else (-1.0, 1.0)
    margin = 0.1 * (high - low) or 0.1 * abs(high) or 1.0
    return low - margin, high + margin
