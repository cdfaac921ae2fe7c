"""The formulas of the slides as a page of the atlas: G4 and G6 at first order, drawn, in words and in TeX."""

from __future__ import annotations

from ..diagrams.diagram import Diagram
from ..perturbation.formulas import Formula, formula
from ..theory.action import Theory
from . import svg
from .atlas_sets import WHOLE, couplings_text, lines_text, tex_document
from .geometry import arrange

POINTS = (4, 6)
#: Size of letters, space between pieces, and above and below, in pixels.
SIZE, GAP, MARGIN = 20.0, 7.0, 12.0


def slides_files() -> dict[str, str]:
    """Return the page, its pictures and its TeX: text by path."""
    formulas = [formula(Theory.parse(WHOLE, propagator="exact"), n) for n in POINTS]
    files = {"slides.md": _page(formulas), "slides/formulas.tex": _tex(formulas)}
    return files | {f"slides/G{f.n}.svg": formula_svg(f) for f in formulas}


def formula_svg(f: Formula) -> str:
    """Return an expansion as the slides draw it: each term's coefficient and one drawing of its topology."""
    drawings = [arrange(t.diagram) for t in f.terms]
    high = max([g.size[1] * svg.UNIT for g in drawings], default=0.0) + 2 * MARGIN
    base = high / 2 + 0.3 * SIZE
    body: list[str] = []
    x = MARGIN

    def write(pieces: svg.Text, letters: float) -> None:
        nonlocal x
        body.append(svg.text(pieces, (x, base), size=SIZE, anchor="start"))
        x += 0.53 * SIZE * letters + GAP

    write([("G", "i"), (f"({f.n})", "sup"), (" =", "")], 5.0)
    for k, (t, g) in enumerate(zip(f.terms, drawings, strict=True)):
        couplings = svg.caption(t.diagram)[1:]
        sign = "− " if t.coefficient < 0 else "+ " if k else ""
        number = sign + str(abs(t.coefficient))
        write([(number + "\u2009", ""), *couplings], len(number) + sum(len(word) for word, _ in couplings))
        body += svg.paint(t.diagram, g, (x, (high - g.size[1] * svg.UNIT) / 2), labels=False)
        x += g.size[0] * svg.UNIT + GAP
    return svg.document(body, (x + MARGIN, high), f"The {f.n}-point function at first order", paper=True)


def _tex(formulas: list[Formula]) -> str:
    body = [r"\section*{The formulas of the slides}"]
    for f in formulas:
        body += [rf"\[{_array(f)}\]", r"\sbox0{$\displaystyle", f.to_latex("diagram") + "$}"]
        body += [r"\begin{center}\ifdim\wd0>\textwidth\resizebox{\textwidth}{!}{\usebox0}\else\usebox0\fi\end{center}"]
    return tex_document(body, f"G4 and G6 of {WHOLE} to first order, exact propagator")


def _array(f: Formula) -> str:
    """Return the formula as LaTeX, a term a line."""
    left = f.to_latex().partition(" = ")[0]
    signs = ["+" if k and t.coefficient > 0 else "" for k, t in enumerate(f.terms)]
    terms = [rf"\displaystyle {sign}{t.diagram.to_latex()}" for sign, t in zip(signs, f.terms, strict=True)]
    return "\\begin{array}{rl}\n" + left + " = & " + " \\\\[2ex]\n & ".join(terms) + "\n\\end{array}"


def _page(formulas: list[Formula]) -> str:
    lines = [
        "# The formulas of the slides",
        "",
        f"The 4- and 6-point functions of the action `{WHOLE}` to first order in each coupling, as on the slides about "
        "Halverson, Maiti and Stoner, *Neural networks and quantum field theory*.",
        "The propagator is the exact one: diagrams that correct the 2-point function are dropped "
        '(`propagator="exact"`).',
        "A picture stands for all labellings of its external points, and the number before it counts them all.",
        "Lines between external points carry K, lines with an end on a vertex K_W, which is K unless a "
        "`vertex_kernel` is given.",
        "All of this page is the output of `fn.formula`; TeX of both kinds, integrals and pictures, is in "
        "[slides/formulas.tex](slides/formulas.tex).",
    ]
    for f in formulas:
        lines += [
            "",
            f"## G{f.n}",
            "",
            f"![G{f.n} at first order, drawn](slides/G{f.n}.svg)",
            "",
            "```math",
            _array(f),
            "```",
            "",
            "| term | coefficient | labellings | each | lines of one labelling |",
            "|---|--:|--:|--:|---|",
        ]
        lines += [_row(t.diagram) for t in f.terms]
    lines += ["", "```python", "import feynnn as fn", ""]
    lines += [f'theory = fn.Theory.parse("{WHOLE}", propagator="exact")']
    lines += [f"print(fn.formula(theory, {f.n}))" for f in formulas]
    return "\n".join([*lines, "```", "", "[Back to the atlas](README.md)", ""])


def _row(d: Diagram) -> str:
    cells = [couplings_text(d.order) or "1", d.coefficient, d.copies, d.coefficient / d.copies]
    return f"| {' | '.join(str(c).replace('-', '−') for c in cells)} | `{lines_text(d)}` |"
