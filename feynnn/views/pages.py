"""report(): results as one self-contained HTML page, in the order they are given."""

from __future__ import annotations

import os
import sys
import uuid
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from reprlib import repr as short
from typing import TYPE_CHECKING, Any

import numpy as np

from ..diagrams.diagram import Diagram
from ..diagrams.diagram_set import DiagramSet
from ..errors import FeynnnWarning, InputError
from ..matching.fitting import Match
from ..matching.running import Flow
from ..npoint import NPoint
from ..perturbation.formulas import Formula
from ..sampling.ensemble import Ensemble
from ..storage import write_atomically
from ..theory.action import Theory
from ..theory.names import unicode_name
from . import svg
from .drawing import gallery_html
from .formulas import formula_html
from .html_parts import Html, figure, html, join, lowered, measured, number, page, paragraphs, table, tag

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Values of an n-point function that a page shows.
SHOWN = 24


def report(items: Iterable[Any], path: str | os.PathLike[str], *, title: str = "feynnn report") -> Path:
    """Write one self-contained HTML page that shows the items in order.

    Parameters
    ----------
    items : iterable
        Text (a line that starts with ``# `` or ``## `` is a heading, an empty line ends a paragraph), NPoint,
        Diagram, DiagramSet, Formula, Match, Flow, Ensemble, Theory, matplotlib figures, or lists of these.
    path : str or path-like
        The file; its folder must exist. It is written whole or left as it was.
    title : str
        Title of the page.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    InputError
        If an item is of another type, or the file cannot be written; then nothing is.
    MissingExtraError
        If an item needs a plot and matplotlib is not installed.
    """
    entries = [(item, _renderer(item)) for item in _flat(items)]
    target = _writable(path)
    parts = [render(item, f"item{k}") for k, (item, render) in enumerate(entries)]
    write_atomically(target, page(title, join([tag("h1", title), *parts], "\n")))
    return target


def _flat(items: object) -> list[object]:
    if isinstance(items, str | DiagramSet) or not isinstance(items, Iterable):
        return [items]
    flat: list[object] = []
    for item in items:
        flat += _flat(item) if isinstance(item, list | tuple) else [item]
    return flat


def _renderer(item: object) -> Callable[[Any, str], Html]:
    for kind, render in _RENDERERS.items():
        if isinstance(item, kind):
            return render
    if "matplotlib" in sys.modules:
        from matplotlib.figure import Figure

        if isinstance(item, Figure):
            return _own_figure
    names = ", ".join(kind.__name__ for kind in _RENDERERS if kind is not str)
    raise InputError(
        f"a report cannot show {short(item)} of type {type(item).__name__}; it shows text, {names} and figures of "
        "matplotlib"
    )


def _writable(path: str | os.PathLike[str]) -> Path:
    """Return the path after an attempt to write beside it, so that a bad one is found before the work."""
    try:
        target = Path(path)
    except TypeError:
        raise InputError(f"path must be a file name, got {short(path)}; the order is report(items, path)") from None
    if not str(path).strip() or "\0" in str(path):
        raise InputError(f"path must be a file name, got {short(path)}")
    if target.is_dir():
        raise InputError(f"cannot write the report to {str(path)!r}: it is a folder; name a file in it")
    probe = target.parent / f".{target.name}.{uuid.uuid4().hex[:8]}"
    try:
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as error:
        raise InputError(
            f"cannot write the report to {str(path)!r}: {error.strerror}; make the folder or choose another place"
        ) from None
    return target


# --- one item --------------------------------------------------------------------------------------------------------


def _text(text: str, _: str = "") -> Html:
    parts: list[Html] = []
    for block in text.split("\n\n"):
        lines: list[str] = []
        for line in block.splitlines():
            marks = len(line) - len(line.lstrip("#"))
            if 0 < marks <= 3 and line[marks : marks + 1] == " ":
                parts += [tag("p", "\n".join(lines))] if lines else []
                lines = []
                parts.append(tag(f"h{marks + 1}", line[marks:].strip()))
            elif line.strip():
                lines.append(line)
        parts += [tag("p", "\n".join(lines))] if lines else []
    return join(parts, "\n")


_MEANING = {
    "sampled": "with standard errors in the last digits",
    "computed": "with bounds of the quadrature's error in the last digits",
    "exact": "exact up to rounding",
}


def _npoint(p: NPoint, _: str = "") -> Html:
    caption = (
        f"{'Connected' if p.connected else 'Full'} {p.n}-point function of {p.n_inputs} inputs, {_MEANING[p.kind]}"
    )
    caption += f": {p.origin}." if p.origin else "."
    if len(p) > SHOWN:
        caption += f" The first {SHOWN} of {len(p)} values."
    if p.points is not None and len(p.points) <= SHOWN:
        caption += " Inputs: " + ", ".join(f"x{lowered(i + 1)} = {_point(x)}" for i, x in enumerate(p.points)) + "."
    rows = [
        (" ".join(f"x{lowered(i + 1)}" for i in key) or "—", measured(v, e))
        for key, v, e in zip(
            p.indices[:SHOWN].tolist(), p.values[:SHOWN].tolist(), p.error[:SHOWN].tolist(), strict=True
        )
    ]
    return table(caption, ("inputs", "value"), rows)


def _point(x: np.ndarray[Any, Any]) -> str:
    coordinates = [number(float(c), 4) for c in x]
    return coordinates[0] if len(coordinates) == 1 else f"({', '.join(coordinates)})"


def _diagram(d: Diagram, _: str = "") -> Html:
    words = f"symmetry factor {d.symmetry_factor}, {d.multiplicity} contractions"
    return tag("figure", Html(svg.diagram_svg(d)), tag("figcaption", _pieces(svg.caption(d)), f": {words}."))


def _diagrams(ds: DiagramSet, _: str = "") -> Html:
    return Html(gallery_html(ds))


def _theory(theory: Theory, _: str = "") -> Html:
    scheme = (
        "The kernel is the exact propagator: self-energy insertions are dropped."
        if theory.propagator == "exact"
        else "The kernel is the free propagator: every diagram counts."
    )
    if theory.normal_ordered:
        scheme += " Normal ordered: no line from a point to itself."
    rows = [(unicode_name(i.coupling), str(i), "×".join(map(str, i.degree))) for i in theory.interactions]
    return table(f"Interactions of the action. {scheme}", ("coupling", "term", "fields"), rows)


def _match(m: Match, _: str = "") -> Html:
    noise = "weighted least squares" if m.data.kind == "sampled" else "least squares on data without noise"
    caption = (
        f"Couplings matched to a 4-point function by {noise}: {len(m.data)} tuples, {m.cutoff!r}, {m.data.origin}."
    )
    if not m.identifiable:
        caption += " Not identifiable: only combinations of these couplings are fixed; the minimum-norm solution."
    if len(m.names) == 1 and not m.flagged.all():
        mean = m.mean()
        caption += (
            f" Mean over tuples {measured(mean.value, mean.error)}, spread {number(m.spread(), 3)}, "
            f"{int(m.flagged.sum())} tuples flagged (integral near zero) and left out of both."
        )
    if m.chi2 is not None and m.p_value is not None:
        caption += f" χ² = {number(m.chi2, 4)} in {m.dof} directions, p = {number(m.p_value, 3)}."
    rows = [
        (unicode_name(c), measured(v, m.error[c]), number(s, 4))
        for (c, v), s in zip(m.couplings.items(), m.singular_values.tolist(), strict=True)
    ]
    return table(caption, ("coupling", "value", "singular value"), rows)


def _flow(f: Flow, name: str = "") -> Html:
    from .plots import figure_svg, new_figure, running, style

    label = unicode_name(f.name)
    slope = measured(f.slope[f.name], f.slope_error[f.name])
    with style():
        fig, (ax,) = new_figure()
        running(ax, f.cutoffs, f.couplings[f.name], f.slope[f.name], error=f.error[f.name]).set_ylabel(f"|{label}|")
        picture = figure_svg(fig, title=f"{label} against the cutoff", name=name)
    caption = f"Running of {label} with the cutoff; slope of log|{label}| against log Λ: {slope}."
    columns = (f.cutoffs, f.couplings[f.name], f.error[f.name], f.betas)
    rows = [
        (number(c), measured(g, e), number(b, 6)) for c, g, e, b in zip(*(c.tolist() for c in columns), strict=True)
    ]
    content = table(caption, ("cutoff Λ", label, f"β = d{label}/d log Λ"), rows)
    return join([figure([picture], caption), content], "\n")


def _ensemble(r: Ensemble, _: str = "") -> Html:
    rows, notes = [], []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", FeynnnWarning)
        for n in r.orders:
            try:
                m, b = r.deviation(n), r.background(n)
            except InputError:
                rows.append((str(n), "—", "G of the GP is 0", "—"))
                continue
            average = m.data.linear(np.full((1, len(m)), 1 / len(m)))
            mean = measured(float(average.values[0]), float(average.stat[0]))
            rows.append((str(n), str(len(m)), mean, measured(b.value, b.error)))
        estimates = [_npoint(r.estimate(n)) for n in r.orders if n in (2, 4)]
        notes += sorted({str(w.message) for w in caught if issubclass(w.category, FeynnnWarning)})
    caption = (
        f"{r.n_nets} networks in {r.n_experiments} experiments, seed {r.seed}: {r.network!r}. Deviation from the "
        "Gaussian process mₙ = (G − G_GP)/G_GP, mean over tuples with its standard error; background: its standard "
        "deviation over experiments, averaged over tuples."
    )
    summary = table(caption, ("n", "tuples", "mean mₙ", "background"), rows)
    return join([summary, *(paragraphs(f"Read with care: {note}.") for note in notes), *estimates], "\n")


def _own_figure(fig: Figure, name: str = "") -> Html:
    from .plots import figure_svg

    return tag("figure", tag("div", Html(figure_svg(fig, name=name)), class_="panel own"))


def _pieces(pieces: svg.Text) -> Html:
    return join(tag(s, w) if s else html(w) for w, s in pieces)


_RENDERERS: dict[type, Callable[[Any, str], Html]] = {
    str: _text,
    NPoint: _npoint,
    Diagram: _diagram,
    DiagramSet: _diagrams,
    Formula: formula_html,
    Match: _match,
    Flow: _flow,
    Ensemble: _ensemble,
    Theory: _theory,
}
