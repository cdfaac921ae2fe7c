"""Pieces of a self-contained HTML page: safe text, numbers with errors, tables, figures, the page and its style."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from ..storage import to_json

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
#: An error below this fraction of its value is rounding: the value stands alone.
_ROUNDING = 1e-8


class Html(str):
    """Text that is markup already; any other string is escaped where it enters a page."""

    __slots__ = ()


def html(text: object) -> Html:
    """Return `text` as markup: as it is when it is `Html`, escaped otherwise."""
    return text if isinstance(text, Html) else Html(escape(str(text)))


def join(parts: Iterable[object], between: str = "") -> Html:
    """Return the parts one after the other as markup."""
    return Html(between.join(html(p) for p in parts))


def tag(name: str, *content: object, **attributes: object) -> Html:
    """Return an element; an attribute's trailing underscore is dropped (class_), None leaves it out."""
    words = [f' {k.rstrip("_")}="{escape(str(v))}"' for k, v in attributes.items() if v is not None]
    return Html(f"<{name}{''.join(words)}>{join(content)}</{name}>")


# --- numbers ---------------------------------------------------------------------------------------------------------


def raised(k: int) -> str:
    """Return an integer in raised digits."""
    return str(k).translate(_RAISED)


def lowered(k: int) -> str:
    """Return an integer in lowered digits."""
    return str(k).translate(_LOWERED)


def number(value: float, digits: int = 6) -> str:
    """Return a number with at most `digits` significant digits, such as −1.25×10⁻⁵.

    >>> number(-0.00125), number(1.25e-5), number(float("inf"))
    ('−0.00125', '1.25×10⁻⁵', '∞')
    """
    if not math.isfinite(value):
        return "—" if math.isnan(value) else "∞" if value > 0 else "−∞"
    mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    power = int(exponent)
    if value == 0 or -4 < power < max(digits, 4):
        text, scale = f"{value:.{max(digits - 1 - power, 0)}f}", ""
    else:
        text, scale = mantissa, f"×10{raised(power)}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text.replace("-", "−") + scale


def measured(value: float, error: float, digits: int = 6) -> str:
    """Return a number with its error to two digits, such as 1.234(56)×10⁻⁵; alone where the error is rounding.

    >>> measured(1.2344e-5, 5.6e-7), measured(26.03, 21.6), measured(0.3, 1.24), measured(2.5, 0.0)
    ('1.234(56)×10⁻⁵', '26(22)', '0.3 ± 1.2', '2.5')
    """
    if not (math.isfinite(value) and math.isfinite(error)):
        return f"{number(value, digits)} ± {number(error, 2)}"
    if error <= _ROUNDING * abs(value):
        return number(value, digits)
    error = float(f"{error:.1e}")
    power = _power(max(abs(value), error))
    last = _power(error) - 1  # the place of the error's second digit
    if -4 < power < 4 and last <= 0:
        power = 0
    places = power - last
    v, e = f"{value / 10.0**power:.{places}f}", error / 10.0**power
    v = v.replace("-", "−" if float(v) else "")
    times = f"×10{raised(power)}" if power else ""
    if places == 0 or e < 1:
        return f"{v}({round(e * 10.0**places)}){times}"
    text = f"{v} ± {e:.{places}f}"
    return f"({text}){times}" if times else text


def _power(value: float) -> int:
    """Return the power of ten of a positive number."""
    return int(f"{value:e}".partition("e")[2])


# --- elements --------------------------------------------------------------------------------------------------------


def table(caption: object, head: Sequence[object], rows: Iterable[Sequence[object]], *, kind: str = "") -> Html:
    """Return a table with a caption; the first column names the row.

    Parameters
    ----------
    caption : str or Html
    head : sequence
        One cell for each column.
    rows : iterable of sequences
        Cells; plain strings are escaped.
    kind : str
        Classes of the style: "words" for sentences, set to the left, instead of numbers.
    """
    top = tag("tr", *(tag("th", cell, scope="col") for cell in head))
    body = [tag("tr", tag("th", row[0], scope="row"), *(tag("td", cell) for cell in row[1:])) for row in rows]
    content = tag("table", tag("caption", caption), tag("thead", top), tag("tbody", *body))
    return tag("div", content, class_=f"table {kind}".strip())


def figure(pictures: Sequence[str], caption: object) -> Html:
    """Return pictures (SVG markup) side by side, as many as fit, with a caption."""
    grid = tag("div", *(tag("div", Html(p), class_="panel") for p in pictures), class_="panels")
    return tag("figure", grid, tag("figcaption", caption))


def paragraphs(*texts: object) -> Html:
    """Return each text as a paragraph."""
    return join((tag("p", t) for t in texts), "\n")


def items(*texts: object) -> Html:
    """Return a list."""
    return tag("ul", *(tag("li", t) for t in texts))


def embedded_json(data: Any, name: str = "data") -> Html:
    """Return data as a JSON block that a program can read from the page.

    Nothing in it can end the block: <, > and & are written as escapes. A float that is not finite, which JSON does
    not know, is written as ``{"float": "inf"}``.
    """
    text = to_json(data)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Html(f'<script type="application/json" id="{escape(name)}">{text}</script>')


def page(title: str, body: str, *, data: Html | None = None) -> str:
    """Return a whole document: nothing is loaded from elsewhere, no script runs, light or dark as preferred."""
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            tag("title", title),
            f"<style>{_CSS}</style>",
            "</head>",
            "<body>",
            f"<main>\n{body}\n</main>",
            *([data] if data else []),
            "</body>",
            "</html>",
            "",
        ]
    )


_CSS = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1b1d21; --soft: #5b616b; --line: #d9dce1; --wash: #f5f6f8;
  --link: #0b62a8; --yes: #13794f; --partly: #8a5a00; --no: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --paper: #15171b; --ink: #e4e6ea; --soft: #a0a7b2; --line: #353a42;
  --wash: #1d2026; --link: #7bb8ee; --yes: #5cc795; --partly: #dcae55; --no: #f08a80; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif; }
main { max-width: 68rem; margin: 0 auto; padding: 1.5rem 1.25rem 4rem; }
p, ul, ol, dl { max-width: 46rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 1rem 0 .4rem; }
h2 { font-size: 1.35rem; margin: 2.8rem 0 .6rem; padding-top: .6rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.08rem; margin: 1.8rem 0 .4rem; }
a { color: var(--link); }
li { margin: .25rem 0; }
code, pre { font: .9em/1.5 ui-monospace, "DejaVu Sans Mono", Consolas, monospace; }
pre { background: var(--wash); padding: .6rem .8rem; overflow-x: auto; border-radius: 4px; }
.soft, figcaption, caption { color: var(--soft); }
nav ul { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; }
figure { margin: 1.2rem 0; }
figcaption { font-size: .9rem; max-width: 60rem; }
.panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(19rem, 100%), 1fr)); gap: 1rem; }
.panel svg { display: block; width: 100%; max-width: 30rem; height: auto; margin: 0 auto; }
.panel.own { background: #fff; color: #000; padding: .5rem; border-radius: 4px; }
.table { overflow-x: auto; margin: 1.2rem 0; }
table { border-collapse: collapse; font-size: .86rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding-bottom: .4rem; font-size: .9rem; max-width: 60rem; }
th, td { padding: .22rem .5rem; text-align: right; vertical-align: baseline; white-space: nowrap; }
th { font-weight: 600; }
thead th { border-bottom: 1.5px solid var(--soft); vertical-align: bottom; }
.names tbody th, .names thead th:first-child { text-align: left; }
tbody tr + tr > * { border-top: 1px solid var(--line); }
.words th, .words td { text-align: left; white-space: normal; vertical-align: top; padding: .5rem .7rem; }
.words table { min-width: 38rem; } .words thead th { white-space: nowrap; }
.claims th:first-child { width: 20%; } .claims td:last-child { width: 60%; }
.verdict { font-weight: 600; }
.yes { color: var(--yes); } .partly { color: var(--partly); } .no { color: var(--no); }
.formula { display: flex; flex-wrap: wrap; align-items: center; gap: .35rem .5rem; margin: 1rem 0; font-size: 1.1rem; }
.formula svg { display: block; }
.formula .term { display: inline-flex; align-items: center; gap: .35rem; white-space: nowrap; }
.formula .bracket { font-size: 2.6rem; font-weight: 200; line-height: 1; }
.math { font-family: "STIX Two Text", "STIX Two Math", Cambria, "Times New Roman", serif; font-size: 1.06em; }
.integrals { padding-left: 0; list-style: none; max-width: none; }
.integrals li { overflow-x: auto; }
@media print { body { font-size: 10pt; } main { max-width: none; padding: 0; } nav { display: none; }
  h2, h3 { break-after: avoid; } figure, tr { break-inside: avoid; } .table { overflow: visible; }
  .panels { grid-template-columns: repeat(2, 1fr); } .words table { min-width: 0; } table { font-size: .72rem; }
  :root { --paper: #fff; --ink: #000; --soft: #444; --line: #bbb; --wash: #f5f5f5; } }
"""
