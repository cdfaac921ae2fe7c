"""Sphinx configuration: MyST pages, one notebook executed at build time, formulas as MathML; needs no network."""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path
from typing import Any

from docutils.nodes import SkipNode  # type: ignore[import-untyped,import-not-found,unused-ignore]
from latex2mathml.converter import convert  # type: ignore[import-not-found,unused-ignore]

import feynnn

#: Classes that calls return and nobody constructs: their signatures are no use to a reader.
_RESULTS = {
    "Beta", "Certificate", "Comparison", "Count", "Diagram", "DiagramSet", "Ensemble", "Flow", "Formula", "Lowered",
    "Match", "Ratio", "Routing", "Series", "Subgraph", "Symanzik",
}  # fmt: skip
#: Stands for a colon and a space while napoleon reads a docstring; a character for private use.
_COLON = "\ue000"

# The kernel of the notebook: nobody's own settings of IPython, and no remarks about sockets on the console.
_PROFILE = Path(__file__).parent / "_build" / "ipython" / "profile_default"
_PROFILE.mkdir(parents=True, exist_ok=True)
(_PROFILE / "ipython_kernel_config.py").write_text("c.IPKernelApp.log_level = 'ERROR'\n", encoding="utf-8")
os.environ["IPYTHONDIR"] = str(_PROFILE.parent)
logging.getLogger("traitlets").setLevel(logging.WARNING)

project = "feynnn"
author = copyright = "The feynnn developers"
version = release = feynnn.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build", "jupyter_execute"]

myst_enable_extensions = ["amsmath", "deflist", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 120
nb_merge_streams = True

autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_default_options = {"exclude-members": "to_dict, from_dict"}
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False

# attributes of one name in several classes, which their lists of attributes would link to
suppress_warnings = ["ref.python"]

html_theme = "furo"
html_title = f"feynnn {version}"
html_static_path = ["_static"]
html_css_files = ["feynnn.css"]
html_copy_source = False
html_math_renderer = "mathml"
templates_path: list[str] = []


def _mathml(latex: str, display: str) -> str:
    """Return MathML with upright Greek capitals, as LaTeX sets them."""
    return re.sub(
        r"<mi>(&#x0*39[1-9A-F];|&#x0*3A[0-9];)</mi>",
        r'<mi mathvariant="normal">\1</mi>',
        convert(latex, display=display),
    )


def _inline_math(self: Any, node: Any) -> None:
    self.body.append(_mathml(node.astext(), "inline"))
    raise SkipNode


def _display_math(self: Any, node: Any) -> None:
    self.body.append(f'<div class="math">{_mathml(node.astext(), "block")}</div>\n')
    raise SkipNode


def _plain_prose(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Let docstrings be read as they are meant: names in backticks become links or code, |x| and f**4 plain text."""

    def marked(match: re.Match[str]) -> str:
        word = match[1].removeprefix("feynnn.")
        return f":py:obj:`~feynnn.{word}`\\ " if word in feynnn.__all__ else f"``{match[1]}``\\ "

    def shared(match: re.Match[str]) -> str:
        return "".join(f"{word}\n{match[2].rstrip()}\n" for word in match[1].split(", "))

    # examples come last in a docstring, and are code already
    prose, arrows, examples = "\n".join(lines).partition(">>>")
    # attributes that share a description
    prose = re.sub(r"^(\w+(?:, \w+)+)\n((?: .*\n?)+)", shared, prose, flags=re.MULTILINE)
    pieces = re.split(r"(``.*?``)", prose, flags=re.DOTALL)
    pieces[1::2] = [f"``{p.strip('` ')}``" for p in pieces[1::2]]
    for i in range(0, len(pieces), 2):
        pieces[i] = re.sub(r"(?<!\\)(\||\*(?! ))", r"\\\1", re.sub(r"`([^`\n]+)`", marked, pieces[i]))
    lines[:] = "".join([*pieces, arrows, examples]).split("\n")
    if what in ("attribute", "property"):
        # napoleon would read "word: text" as a type and its description
        lines[:] = [line.replace(": ", _COLON) for line in lines]


def _colons_back(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    lines[:] = [line.replace(_COLON, ": ") for line in lines]


def _no_signature(
    app: Any, what: str, name: str, obj: Any, options: Any, signature: str | None, returned: str | None
) -> tuple[str, None] | None:
    return ("", None) if what == "class" and name.rpartition(".")[2] in _RESULTS else None


def setup(app: Any) -> dict[str, bool]:
    app.add_html_math_renderer("mathml", (_inline_math, None), (_display_math, None))
    # before napoleon, which writes markup of its own
    app.connect("autodoc-process-docstring", _plain_prose, priority=100)
    app.connect("autodoc-process-signature", _no_signature)
    app.connect("autodoc-process-docstring", _colons_back, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
