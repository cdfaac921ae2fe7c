"""TikZ: plain commands, and a TeX that accepts them."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import feynnn as fn
from feynnn.views import tikz
from feynnn.views.geometry import arrange
from feynnn.views.tikz import diagram_tikz

PHI4 = fn.Theory.parse("lam*f**4")
MIXED = fn.Theory.parse("lam*f**4 + kap*f**6")
NAMED = fn.Theory.parse("lam0*f**4 + lamNL*f(y)**2*f(z)**2 + nl_2*f**6")


def test_the_line_between_two_points() -> None:
    assert diagram_tikz(fn.Diagram.from_edges(PHI4, 2, 0, [(0, 1)])).splitlines() == [
        "% Diagram(x1-x2; free; multiplicity 1)",
        r"\begin{tikzpicture}[x=1cm, y=1cm, line width=0.7pt, line cap=round, font=\small]",
        r"  \draw (0.61, 0.33) -- (2.81, 0.33);",
        r"  \fill (0.61, 0.33) circle[radius=0.05];",
        r"  \node[inner sep=0pt] at (0.33, 0.33) {$x_{1}$};",
        r"  \fill (2.81, 0.33) circle[radius=0.05];",
        r"  \node[inner sep=0pt] at (3.09, 0.33) {$x_{2}$};",
        r"\end{tikzpicture}",
    ]


def test_commands_and_colours() -> None:
    for d in fn.generate(MIXED, 4, order={"lam": 1, "kap": 1})[::5]:
        text = diagram_tikz(d)
        assert text.count(r"\draw ") == len(d.edges)
        assert re.findall(r"\\definecolor\{(\w+)\}\{HTML\}\{(\w+)\}", text) == [
            ("feynnn0", "0072B2"),
            ("feynnn1", "D55E00"),
        ]
        assert text.count("circle[radius=0.09]") == 2
        numbers = re.findall(r"-?\d+\.\d+", text)
        assert all(len(number.partition(".")[2]) <= 3 for number in numbers)
        assert text == diagram_tikz(d)


def test_the_numbers_are_those_of_the_geometry() -> None:
    d = fn.generate(PHI4, 4, order=2, kind="connected")[2]
    for node in arrange(d).nodes:
        assert f"({node.at[0]:g}, {node.at[1]:g}) circle" in diagram_tikz(d)


@pytest.mark.parametrize(
    ("name", "tex"),
    [
        ("lam", r"\lambda"),
        ("kap", r"\kappa"),
        ("lam0", r"\lambda_{0}"),
        ("lamNL", r"\lambda_{\mathrm{NL}}"),
        ("eps", r"\varepsilon"),
        ("g3", "g_{3}"),
        ("nl", r"\mathit{nl}"),
        ("a_b", r"\mathit{a\_b}"),
        ("lamA_b", r"\lambda_{\mathrm{A\_b}}"),
    ],
)
def test_names_of_couplings(name: str, tex: str) -> None:
    assert tikz.symbol(name) == tex


def test_captions() -> None:
    def of(text: str, n: int, edges: list[tuple[int, int]], order: int = 1) -> str:
        return tikz.caption(fn.Diagram.from_edges(fn.Theory.parse(text), n, order, edges))

    star = [(0, 4), (1, 4), (2, 4), (3, 4)]
    assert of("lam*f**4", 4, star) == r"$-24\,\lambda$"
    assert of("lam/24*f**4", 4, star) == r"$-\lambda$"
    assert of("lam/24*f**4", 2, [(0, 2), (1, 2), (2, 2)]) == r"$-\frac{1}{2}\,\lambda$"
    assert of("lam*f**4", 2, [(0, 1)], 0) == "$1$"
    assert of("lam*f**4", 0, [(0, 1)] * 4, 2) == r"$12\,\lambda^{2}$"


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
def test_tex_accepts_it(tmp_path: Path) -> None:
    sets = [
        fn.generate(MIXED, 4, order={"kap": 1}),
        fn.generate(NAMED, 4, order={"lamNL": 1}),
        fn.generate(NAMED, 2, order={"nl_2": 1}),
        fn.generate(PHI4, 3, order=1),
        fn.generate(PHI4, 0, order=0, kind="all"),
    ]
    body = "\n\n".join(fn.draw(ds, format="tikz", limit=6) for ds in sets)
    source = "\\documentclass{article}\n\\usepackage{tikz}\n\\begin{document}\n" + body + "\\end{document}\n"
    (tmp_path / "picture.tex").write_text(source, encoding="ascii")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "picture.tex"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    if "not found" in done.stdout and "tikz.sty" in done.stdout:
        pytest.skip("needs TikZ")
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "picture.pdf").exists()
