"""One network of the slides' study as a section of its page: figures beside tables, sampled beside exact."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from ..studies.hms import TUPLE_WIDTH, Coupling, Curve, NetworkResult, Study
from . import plots
from .hms_verdicts import NAMES, at_tuple_width, prediction_of_exact_lam, relative_spread, without_connected_six
from .html_parts import Html, figure, join, measured, number, paragraphs, table, tag

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def network_section(r: NetworkResult, study: Study) -> Html:
    """Return what the study found for one network."""
    name = NAMES[r.name]
    parts = [
        tag("h2", name, id=r.name),
        tag("h3", "Deviation from the Gaussian process"),
        _deviation_figure(r),
        _deviation_table(r, study),
        tag("h3", "The coupling λ"),
        _coupling_figure(r),
        _coupling_table(r),
    ]
    if r.lam_near_zero is not None:
        parts.append(paragraphs(_one_sign(r.lam_near_zero)))
    parts += [tag("h3", "Connected functions and the 6-point function"), _six_point_figure(r), _six_point_table(r)]
    return join(parts, "\n")


def _svg(draw: Callable[[Axes], object], title: str) -> str:
    fig, (ax,) = plots.new_figure()
    draw(ax)
    return plots.figure_svg(fig, title=title)


def _deviation_figure(r: NetworkResult) -> Html:
    name = NAMES[r.name]
    pictures = [
        _svg(partial(plots.deviation, widths=r.widths, curve=curve, n=n), f"{name}: deviation m{n} against width")
        for n, curve in sorted(r.deviation.items())
    ]
    caption = (
        f"{name}. Mean deviation m₂, m₄, m₆ against width. Line: exact; points: sampled, with standard errors; bars "
        "that reach the lower edge are compatible with zero. Hollow: heavy-tailed, the bar is too small."
    )
    return figure(pictures, caption)


def _coupling_figure(r: NetworkResult) -> Html:
    name = NAMES[r.name]
    pictures = [
        _svg(
            lambda ax: plots.coupling_by_width(ax, r.widths, r.lam_exact, r.lam_sampled),
            f"{name}: matched coupling against width",
        )
    ]
    k = at_tuple_width(r)
    if k is not None and r.tuples:
        values = (r.per_tuple_exact, r.per_tuple_sampled, r.per_tuple_error, r.per_tuple_flagged)
        fitted, reliable = r.lam_exact[k].value, r.lam_sampled[k].reliable
        pictures.append(
            _svg(
                lambda ax: plots.coupling_by_tuple(ax, *values, fitted=fitted, reliable=reliable),
                f"{name}: coupling for each tuple of inputs",
            )
        )
    caption = (
        f"{name}. λ by least squares against width, and λ of each tuple of inputs at N = {TUPLE_WIDTH}; the tuples of "
        "one sample are correlated, so that all points may be off together."
    )
    return figure(pictures, caption)


def _six_point_figure(r: NetworkResult) -> Html:
    name = NAMES[r.name]
    unreliable = [w for w, c in zip(r.widths, r.lam_sampled, strict=True) if not c.reliable]
    values = (r.prediction_gaussian, r.prediction_lam, r.prediction_error)
    lines = {"exact": prediction_of_exact_lam(r), "best": without_connected_six(r)}
    pictures = [
        _svg(lambda ax: plots.connected(ax, r.widths, r.connected), f"{name}: connected functions against width"),
        _svg(
            lambda ax: plots.prediction(ax, r.widths, *values, **lines, unreliable=unreliable),
            f"{name}: predicted over exact 6-point function against width",
        ),
    ]
    caption = (
        f"{name}. Mean connected functions over those of the Gaussian process, with powers of N (dotted); and the "
        "6-point function from the Gaussian process alone, with the matched λ, and with the whole exact G⁽⁴⁾ (all but "
        "the connected G⁽⁶⁾; ratio of means), over the exact one. Where one λ fits G⁽⁴⁾ the last two lines coincide."
    )
    return figure(pictures, caption)


def _pairs(curve: Curve, widths: list[int]) -> Iterator[tuple[str, str]]:
    """Give the exact and the sampled value at each width."""
    for w, exact, value, error in zip(widths, curve.exact, curve.sampled, curve.error, strict=True):
        mark = " †" if w in curve.unreliable else ""
        yield ("0" if abs(exact) < 1e-12 else number(exact, 5)), measured(value, error) + mark


def _deviation_table(r: NetworkResult, study: Study) -> Html:
    rows: list[list[str]] = [[str(w), str(n)] for w, n in zip(r.widths, r.n_nets, strict=True)]
    for n, c in sorted(r.deviation.items()):
        for k, (exact, sampled) in enumerate(_pairs(c, r.widths)):
            rows[k] += [*([] if n == 2 else [exact]), sampled, measured(c.background[k], c.background_error[k])]
    head = ["N", "networks", "m₂ sampled", "background"]
    head += [f"{m} {what}".replace(f"{m} b", "b") for m in ("m₄", "m₆") for what in ("exact", "sampled", "background")]
    caption = (
        f"{NAMES[r.name]}: mean deviation against width N, {study.n_experiments} experiments (m₂ is exactly 0). "
        "The mean connected G⁽⁴⁾ over G⁽⁴⁾ of the GP equals m₄."
    )
    return table(caption, head, rows)


def _six_point_table(r: NetworkResult) -> Html:
    six = list(_pairs(r.connected[6], r.widths))
    predicted = [
        measured(v, e) + ("" if c.reliable else " †")
        for v, e, c in zip(r.prediction_lam, r.prediction_error, r.lam_sampled, strict=True)
    ]
    rows = [
        (str(w), *pair, number(g, 4), p, number(e, 5), number(b, 6))
        for w, pair, g, p, e, b in zip(
            r.widths,
            six,
            r.prediction_gaussian,
            predicted,
            prediction_of_exact_lam(r),
            without_connected_six(r),
            strict=True,
        )
    ]
    head = ("N", "connected exact", "sampled", "GP", "GP + λ sampled", "GP + λ exact", "GP + whole G⁽⁴⁾")
    caption = (
        f"{NAMES[r.name]}: the 6-point function. Mean connected G⁽⁶⁾ over G⁽⁶⁾ of the GP; and the prediction over the "
        "exact G⁽⁶⁾ (1 is perfect): from the Gaussian process alone, with λ matched to the sampled and to the exact "
        "G⁽⁴⁾, and with the whole exact G⁽⁴⁾."
    )
    return table(caption, head, rows)


def _coupling_table(r: NetworkResult) -> Html:
    rows = []
    for w, e, s in zip(r.widths, r.lam_exact, r.lam_sampled, strict=True):
        mark = "" if s.reliable else " †"
        off = f"{(s.value - e.value) / s.error:+.1f}".replace("-", "−") if s.error else "—"
        rows.append(
            (
                str(w),
                number(e.value, 5),
                measured(s.value, s.error) + mark,
                off,
                number(e.mean, 5),
                number(e.spread if relative_spread(e) else 0.0, 2),
                measured(s.mean, s.mean_error) + mark,
                f"{e.flagged} of {e.tuples}",
            )
        )
    head = ("N", "λ exact", "λ sampled", "off by (σ)", "mean exact", "spread", "mean sampled", "flagged")
    caption = (
        f"{NAMES[r.name]}: λ at cutoff Λ = {number(r.cutoff)}. First by least squares over all tuples, from the exact "
        "and from the sampled G⁽⁴⁾; then mean and spread of λ of each tuple, without flagged tuples (integral near 0)."
    )
    return table(caption, head, rows)


def _one_sign(c: Coupling) -> str:
    spread = relative_spread(c)
    return (
        f"On the inputs of one sign, with which the paper’s Table 5 tests constancy (N = {TUPLE_WIDTH}): "
        f"λ = {number(c.value, 5)}, relative spread over tuples {number(spread, 2) if spread else '0 (rounding)'}."
    )
