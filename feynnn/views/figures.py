"""Figures of matplotlib as pictures for a page: a style that reads in light and dark, and compact inline SVG."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, Any

from ..errors import missing_extra

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Stands for the colour of the text around a picture; `figure_svg` writes currentColor.
INK = "#010203"
#: Middle tone of grids and guides.
GREY = "#8a8a8a"
#: Where DejaVu, whose measures the layout uses, is missing: narrower fonts.
FONT = "'DejaVu Sans', Verdana, sans-serif"

# Any: matplotlib's own type for it lists every setting
_RC: Any = {
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GREY,
    "grid.alpha": 0.28,
    "grid.linewidth": 0.6,
    "axes.linewidth": 0.8,
    "axes.titlesize": 10,
    "axes.labelsize": 9.5,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "legend.handlelength": 2.0,
    "legend.columnspacing": 1.4,
    "legend.borderaxespad": 0.2,
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "mathtext.fontset": "dejavusans",
    "lines.linewidth": 1.4,
    "lines.markersize": 4.5,
    "errorbar.capsize": 2,
}


@contextmanager
def style() -> Iterator[None]:
    """Give matplotlib this module's style inside a with block.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    try:
        from matplotlib import rc_context
    except ImportError:
        raise missing_extra("matplotlib", "app") from None
    with rc_context(_RC):
        yield


def new_figure(panels: int = 1, *, width: float = 4.3, height: float = 3.1) -> tuple[Figure, list[Axes]]:
    """Return a figure with panels side by side, each of this size in inches; no window is opened, no state kept."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise missing_extra("matplotlib", "app") from None
    fig = Figure(figsize=(panels * width, height), layout="constrained")
    return fig, list(fig.subplots(1, panels, squeeze=False)[0])


def figure_svg(fig: Figure, *, title: str = "", name: str = "") -> str:
    """Return a figure as SVG to be placed in a page.

    Text stays text, the same figure gives the same bytes, and identifiers carry a prefix, so that several pictures in
    one page do not meet.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
    title : str
        What a screen reader says.
    name : str
        Makes the identifiers unique when a page shows one figure twice.
    """
    from matplotlib import rc_context

    buffer = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "feynnn"}):
        fig.savefig(buffer, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r' xmlns:xlink="[^"]*"| version="[^"]*"', "", text).replace("xlink:href", "href")
    # a style sheet in a picture would be the whole page's
    text = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", text, flags=re.DOTALL)
    text = text.replace("<svg ", '<svg style="stroke-linejoin: round; stroke-linecap: butt" ', 1)
    text = re.sub(r"\s*\n\s*", "\n", re.sub(r' transform="rotate\(-?0 [^"]*"', "", text))
    text = re.sub(r'(?<= )(?:d|x|y|transform|points)="[^"]*"', lambda m: _rounded(m[0]), text)
    text = text.replace("'DejaVu Sans'", FONT)
    text = text.replace(INK, "currentColor")
    prefix = "p" + hashlib.sha256((name + title + text).encode()).hexdigest()[:8] + "-"
    used = set(re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', text))
    keep = {a or b for a, b in used}
    text = re.sub(r' id="([^"]*)"', lambda m: f' id="{prefix}{m[1]}"' if m[1] in keep else "", text)
    text = re.sub(r'(url\(#|href="#)', rf"\g<1>{prefix}", text)
    return text.replace(">", f' role="img">\n<title>{escape(title)}</title>' if title else ">", 1).strip() + "\n"


def _rounded(attribute: str) -> str:
    """Round the lengths in an attribute to hundredths of a point, on one line."""
    attribute = attribute.replace("\n", " ").replace(' "', '"')
    return re.sub(r"-?\d+\.\d{3,}", lambda m: f"{float(m[0]):.2f}".rstrip("0").rstrip("."), attribute)
