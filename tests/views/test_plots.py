"""Plots: what is drawn, and inline SVG that is deterministic, safe in a page and small."""

from __future__ import annotations

import re
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from feynnn.errors import MissingExtraError
from feynnn.studies.hms import Coupling, Curve
from feynnn.views import figures, plots

if TYPE_CHECKING:
    from matplotlib.axes import Axes

pytest.importorskip("matplotlib")

WIDTHS = [2, 20, 1000]
CURVE = Curve(
    exact=[1.0, 0.1, 0.002],
    sampled=[1.1, 0.09, -0.01],
    error=[0.2, 0.02, 0.03],
    background=[0.5, 0.2, 0.3],
    background_error=[0.01, 0.01, 0.01],
    unreliable=[20],
)


def coupling(value: float, *, reliable: bool = True) -> Coupling:
    return Coupling(value, 0.1 * abs(value), value, 0.1, 0.0, 0, 3, reliable=reliable)


def picture(draw: Callable[[Axes], object], **options: str) -> str:
    with plots.style():
        fig, (ax,) = plots.new_figure()
        assert draw(ax) is ax
        return plots.figure_svg(fig, **options)


def heights(line: Any) -> list[float]:
    """Return the ordinates of a line that was drawn."""
    return [float(v) for v in np.asarray(line.get_ydata())]


def words(svg: str) -> str:
    return " | ".join(ET.fromstring(svg).itertext())


def test_deviation_has_the_exact_line_points_background_and_says_what_is_hollow() -> None:
    with plots.style():
        fig, (ax,) = plots.new_figure()
        plots.deviation(ax, WIDTHS, CURVE, 4)
        fig.canvas.draw()
    lines = {line.get_label(): line for line in ax.get_lines()}
    assert heights(lines["exact"]) == CURVE.exact
    assert heights(lines["background"]) == CURVE.background
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert ax.get_xlabel() == "width N"
    assert "m₄" in ax.get_ylabel()
    legend = ax.get_legend()
    assert legend is not None
    assert [t.get_text() for t in legend.get_texts()] == [
        "exact", "sampled ± error", "background", "value below 0", "heavy-tailed",
    ]  # fmt: skip
    drawn = {(float(np.asarray(c[0].get_xdata())[0]), c[0].get_fillstyle(), c[0].get_marker()) for c in ax.containers}
    assert drawn == {(2.0, "full", "o"), (20.0, "none", "o"), (1000.0, "full", "v")}
    low, high = ax.get_ylim()
    assert low > 0 and high > 1.1


def test_an_exact_zero_is_said_and_not_drawn_on_a_logarithmic_axis() -> None:
    curve = Curve([0.0, 1e-16, 0.0], [0.01, -0.02, 0.01], [0.01] * 3)
    assert "exact: 0 at every N" in words(picture(lambda ax: plots.deviation(ax, WIDTHS, curve, 2)))


def test_connected_functions_come_with_their_powers_of_the_width() -> None:
    six = Curve([1.0, 0.01, 4e-6], [1.0, 0.02, -0.01], [0.1, 0.1, 0.1])
    text = words(picture(lambda ax: plots.connected(ax, WIDTHS, {4: CURVE, 6: six})))
    assert "∝ N⁻¹" in text and "∝ N⁻²" in text and "G⁽⁶⁾ exact" in text


def test_a_negative_coupling_is_plotted_with_its_sign_in_the_label() -> None:
    exact = [coupling(-v) for v in (1.0, 0.1, 0.002)]
    sampled = [coupling(-1.1), coupling(-0.2, reliable=False), coupling(0.001)]
    text = words(picture(lambda ax: plots.coupling_by_width(ax, WIDTHS, exact, sampled)))
    assert "matched −λ" in text and "value below 0" in text and "heavy-tailed" in text


def test_wild_flagged_tuples_do_not_stretch_the_frame() -> None:
    exact, flagged = [-1.0, -1.1, 50.0, -0.9], [False, False, True, False]
    with plots.style():
        _, (ax,) = plots.new_figure()
        plots.coupling_by_tuple(ax, exact, [-1.2, -1.0, -70.0, -1.0], [0.1] * 4, flagged, fitted=-1.0)
    low, high = ax.get_ylim()
    assert -2 < low < -1.1 and -0.9 < high < 0
    assert "(1 outside the frame)" in ax.get_xlabel()
    assert [line.get_fillstyle() for line in ax.get_lines()].count("none") == 2


def test_small_values_per_tuple_carry_one_power_of_ten_in_the_label() -> None:
    small = [-6.25e-11] * 3
    text = words(picture(lambda ax: plots.coupling_by_tuple(ax, small, small, [1e-12] * 3, [False] * 3)))
    assert "λ of the tuple / 10⁻¹¹" in text
    assert "10⁻¹²" not in text


def test_running_draws_the_fitted_slope_and_quotes_it() -> None:
    cutoffs = np.array([1.0, 10.0, 100.0])
    with plots.style():
        _, (ax,) = plots.new_figure()
        plots.running(ax, cutoffs, -2 * cutoffs**-5, -5.0, label="ReLU")
    line = ax.get_lines()[0]
    assert heights(line) == pytest.approx(2 * cutoffs**-5)
    legend = ax.get_legend()
    assert legend is not None
    assert legend.get_texts()[0].get_text() == "ReLU: slope −5"


def test_prediction_stands_beside_the_exact_one() -> None:
    text = words(
        picture(
            lambda ax: plots.prediction(
                ax,
                WIDTHS,
                [0.1, 0.5, 0.9],
                [0.4, 0.8, 1.0],
                [0.1] * 3,
                exact=[0.4, 0.8, 0.9],
                best=[0.4, 0.9, 0.99],
                unreliable=[2],
            )
        )
    )
    assert all(
        w in text for w in ("exact G⁽⁶⁾", "GP alone", "GP + λ of sampled G⁽⁴⁾", "GP + whole G⁽⁴⁾", "heavy-tailed")
    )


def test_svg_is_deterministic_text_stays_text_and_colours_follow_the_page() -> None:
    first, second = (picture(lambda ax: plots.deviation(ax, WIDTHS, CURVE, 4), title="a < b") for _ in range(2))
    assert first == second
    assert first.startswith("<svg ") and "<title>a &lt; b</title>" in first
    assert "currentColor" in first and figures.INK not in first
    assert ">width N</text>" in first
    assert not re.search(r"<\?xml|<!DOCTYPE|<!--|<metadata|<style|<script|dc:date", first)
    assert not re.search(r"https?://", first.replace('xmlns="http://www.w3.org/2000/svg"', ""))
    assert len(first) < 40_000


def test_identifiers_of_two_pictures_do_not_meet_and_all_references_resolve() -> None:
    seen: set[str] = set()
    for n, name in ((4, ""), (6, ""), (4, "again")):
        svg = picture(lambda ax, n=n: plots.deviation(ax, WIDTHS, CURVE, n), name=name)  # type: ignore[misc]
        own = re.findall(r' id="([^"]+)"', svg)
        assert len(own) == len(set(own)) > 0
        assert set(re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', svg)) == {
            (i, "") if f"url(#{i})" in svg else ("", i) for i in own
        }
        assert not seen & set(own)
        seen |= set(own)


def test_the_style_ends_with_its_block() -> None:
    from matplotlib import rcParams

    before = dict(rcParams)
    with plots.style():
        assert rcParams["axes.spines.top"] is False
    assert dict(rcParams) == before


def test_without_matplotlib_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"matplotlib.*feynnn\[app\]"), plots.style():
        pass
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match="matplotlib"):
        plots.new_figure()
