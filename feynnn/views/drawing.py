"""Draw one diagram or a set of them: the public `draw`, and the gallery that a notebook shows for a set."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Literal, get_args

from ..diagrams.diagram import Diagram
from ..diagrams.diagram_set import DiagramSet
from ..errors import InputError
from ..points import whole
from . import svg, tikz
from .curves import Drawing
from .geometry import arrange

Format = Literal["svg", "tikz"]

#: Space for a caption under a drawing, for a line of small print, and between drawings, in units of a line.
CAPTION, PRINT, GAP = 0.5, 0.34, 0.2
#: Size of small print in pixels, and about the width of its letters.
SMALL, LETTER = 11.0, 5.4


class Picture(str):
    """The text of a drawing (SVG or TikZ); a notebook shows SVG as the picture."""

    __slots__ = ()

    def _repr_svg_(self) -> str | None:
        return str(self) if self.startswith("<svg") else None


def draw(obj: Diagram | DiagramSet, *, format: Format = "svg", columns: int = 4, limit: int = 60) -> Picture:
    """Draw a diagram, or a set of diagrams as a grid with each one's coefficient under it.

    Parameters
    ----------
    obj : Diagram or DiagramSet
    format : {"svg", "tikz"}
        SVG takes the colour of the text around it; TikZ needs nothing but the package tikz.
    columns : int
        Number of drawings in a row.
    limit : int
        Number of diagrams drawn; the picture says how many more there are.

    Returns
    -------
    Picture
        A string, equal for equal diagrams, that shows itself in a notebook.

    Raises
    ------
    InputError
        For an unknown format, another object, or a limit or number of columns below 1.

    Examples
    --------
    >>> import feynnn as fn
    >>> ds = fn.generate(fn.Theory.parse("lam*f**4"), n=4, order=1)
    >>> fn.draw(ds[0], format="tikz").splitlines()[-1]
    '\\\\end{tikzpicture}'
    """
    if format not in get_args(Format):
        raise InputError(f"format must be one of {', '.join(map(repr, get_args(Format)))}, got {format!r}")
    in_row, most = whole(columns, "columns", least=1), whole(limit, "limit", least=1)
    if isinstance(obj, Diagram):
        return Picture(svg.diagram_svg(obj) if format == "svg" else tikz.diagram_tikz(obj))
    if not isinstance(obj, DiagramSet):
        raise InputError(f"draw takes a Diagram or a DiagramSet, got {obj!r}")
    shown = list(obj[:most])
    return Picture((grid_svg if format == "svg" else _tikz_grid)(obj, shown, in_row))


def gallery_html(ds: DiagramSet, *, limit: int = 60) -> str:
    """Return a set of diagrams as self-contained HTML: drawings with captions that wrap with the page."""
    figures = [
        f'<figure style="margin:4px;text-align:center" title="{escape(repr(d))}">'
        f'{svg.diagram_svg(d, show_legend=False)}<figcaption style="font-size:90%">{_html(svg.caption(d))}'
        "</figcaption></figure>"
        for d in ds[:limit]
    ]
    note = _remark(ds, len(figures))
    return "\n".join(
        [
            f'<div class="feynnn-gallery"><p>{escape(repr(ds))}</p>',
            '<div style="display:flex;flex-wrap:wrap;align-items:center;gap:8px">',
            *figures,
            "</div>",
            *([f"<p>{_html_legend(ds)}</p>"] if figures and _legend(ds) else []),
            *([f"<p>{escape(note)}</p>"] if note else []),
            "</div>",
        ]
    )


class _Grid:
    """Corners of drawings in rows, aligned at the middle of their frames; y downwards from the top."""

    def __init__(self, drawings: Sequence[Drawing], columns: int, print_size: tuple[float, float] = (0.0, 0.0)) -> None:
        wide = max([print_size[0], *(g.size[0] for g in drawings)]) + GAP
        self.corners: list[tuple[float, float]] = []
        self.captions: list[tuple[float, float]] = []
        y = 0.0
        for start in range(0, len(drawings), columns):
            row = drawings[start : start + columns]
            above = max(g.size[1] - g.centre[1] for g in row)
            below = max(g.centre[1] for g in row)
            for k, g in enumerate(row):
                middle = (k + 0.5) * wide
                self.corners.append((middle - g.size[0] / 2, y + above - (g.size[1] - g.centre[1])))
                self.captions.append((middle, y + above + below + 0.6 * CAPTION))
            y += above + below + CAPTION + print_size[1] + GAP
        self.size = (wide * min(columns, len(drawings)), y)


def _remark(ds: DiagramSet, shown: int) -> str:
    """Return what a picture of `shown` diagrams leaves out, in words."""
    if not len(ds):
        return "no diagrams"
    return f"… and {len(ds) - shown} more" if len(ds) > shown else ""


def _legend(ds: DiagramSet) -> list[tuple[int, str]]:
    """Return the couplings to explain: those that occur, if the theory has several."""
    names = [(k, c) for k, c in enumerate(ds.theory.couplings) if ds.order[c]]
    return names if len(ds.theory.couplings) > 1 else []


def grid_svg(
    ds: DiagramSet,
    shown: Sequence[Diagram],
    columns: int,
    *,
    small_print: Sequence[Sequence[str]] = (),
    paper: bool = False,
) -> str:
    """Return diagrams of a set as a grid with captions.

    Parameters
    ----------
    ds : DiagramSet
        The whole set, for the title, the legend and the number of what is left out.
    shown : sequence of Diagram
    columns : int
    small_print : sequence, optional
        For each diagram lines of text under its caption.
    paper : bool
        Black on white wherever it is shown, else in the colour of the text around it.
    """
    drawings = [arrange(d) for d in shown]
    lines = [line for words in small_print for line in words]
    most = max((len(words) for words in small_print), default=0)
    grid = _Grid(drawings, columns, (max(map(len, lines), default=0) * LETTER / svg.UNIT, most * PRINT))
    body: list[str] = []
    for k, (d, g, (x, y), (u, v)) in enumerate(zip(shown, drawings, grid.corners, grid.captions, strict=True)):
        body.append("<g>")
        body.append(f"<title>{escape(repr(d))}</title>")
        body += svg.paint(d, g, (x * svg.UNIT, y * svg.UNIT))
        body.append(svg.text(svg.caption(d), (u * svg.UNIT, v * svg.UNIT), size=14.0))
        for m, line in enumerate(small_print[k] if small_print else (), start=1):
            body.append(svg.text([(line, "")], (u * svg.UNIT, (v + m * PRINT) * svg.UNIT), size=SMALL))
        body.append("</g>")
    wide, high = grid.size[0] * svg.UNIT, grid.size[1] * svg.UNIT
    names, note = _legend(ds) if shown else [], _remark(ds, len(shown))
    wide = max(wide, 140.0, svg.legend_width(names))
    if names:
        body += svg.legend(names, (wide / 2, high + 10.0))
        high += 28.0
    if note:
        body.append(svg.text([(note, "")], (wide / 2, high + 16.0)))
        high += 28.0
    return svg.document(body, (wide, high), repr(ds), paper=paper)


def _tikz_grid(ds: DiagramSet, shown: Sequence[Diagram], columns: int) -> str:
    drawings = [arrange(d) for d in shown]
    grid = _Grid(drawings, columns)
    body: list[str] = []
    for d, g, (x, y), (u, v) in zip(shown, drawings, grid.corners, grid.captions, strict=True):
        body.append(f"  % {d!r}")
        body += tikz.paint(d, g, (x, -y - g.size[1]))
        body.append(tikz.label(tikz.caption(d), (u, -v)))
    note, low = _remark(ds, len(shown)).replace("…", r"\dots{}"), -grid.size[1]
    if shown and _legend(ds):
        names = [rf"{{\color{{feynnn{k}}}$\bullet$}} ${tikz.symbol(c)}$" for k, c in _legend(ds)]
        body.append(tikz.label(r"\quad ".join(names), (grid.size[0] / 2, low - 0.1)))
        low -= 0.5
    if note:
        body.append(tikz.label(note, (grid.size[0] / 2, low - 0.1)))
    couplings = {node.coupling for g in drawings for node in g.nodes if node.coupling is not None}
    return tikz.environment(body, couplings, repr(ds))


def _html(pieces: svg.Text) -> str:
    tags = {"i": "i", "sub": "sub", "sup": "sup"}
    return "".join(f"<{tags[s]}>{escape(w)}</{tags[s]}>" if s in tags else escape(w) for w, s in pieces)


def _html_legend(ds: DiagramSet) -> str:
    return " ".join(f'<span style="color:{svg.colour(k)}">●</span> {_html(svg.symbol(c))}' for k, c in _legend(ds))
