"""report(): every kind of item, structure, escaping, nothing from elsewhere, nothing half-written."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import feynnn as fn
from feynnn.errors import InputError
from feynnn.npoint import NPoint
from feynnn.views import pages as module
from feynnn.views.html_parts import embedded_json, measured, number

LAM = fn.Theory.parse("lam*f**4", propagator="exact")
BOTH = fn.Theory.parse("lam*f**4 + kap*f**6", propagator="exact")
VOID = {"meta", "br", "hr", "img", "link", "input", "path", "circle", "use", "rect"}


class Page(HTMLParser):
    """Checks that elements nest, and keeps what a reader sees."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(k, v or "") for k, v in attrs]
        self.ids += [v or "" for k, v in attrs if k == "id"]
        if tag not in VOID or f"<{tag}" in ("<path", "<use", "<circle", "<rect"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if self.open and self.open[-1] == tag:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in ("style", "script"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.words))


def made(tmp_path: Path, *items: Any, title: str = "t") -> Page:
    path = fn.report(items, tmp_path / "r.html", title=title)
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"(?:src|href|url)\s*[=(]\s*[\"']?(?:https?:)?//", text)
    assert "@import" not in text and "<link" not in text
    page = Page(text)
    assert len(page.ids) == len(set(page.ids))
    return page


def g4() -> NPoint:
    return fn.exact(fn.Network("relu", width=20, d_in=1, sigma_w=1, sigma_b=0), [0.2, 0.4, 1.2], n=4)


RELU = fn.kernels.ReLU(sigma_w=1, sigma_b=0, d_in=1)


def test_text_becomes_headings_and_paragraphs_and_is_escaped(tmp_path: Path) -> None:
    page = made(tmp_path, "# A <b> & c\nfirst\n\nsecond <script>alert(1)</script>\n## Deeper", title="x < y & z")
    assert [t for t in page.tags if t in ("h1", "h2", "h3", "p", "script")] == ["h1", "h2", "p", "p", "h3"]
    assert "x < y & z" in page.text and "A <b> & c" in page.text and "<script>alert(1)</script>" in page.text


def test_the_page_is_complete_and_needs_nothing(tmp_path: Path) -> None:
    page = made(tmp_path, "hello")
    assert page.tags[0] == "html" and ("lang", "en") in page.attributes
    assert ("charset", "utf-8") in page.attributes and "title" in page.tags
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "prefers-color-scheme: dark" in text and "@media print" in text


def test_an_n_point_function_is_a_table_with_errors(tmp_path: Path) -> None:
    p = NPoint([1.2345, -2.5, 0.003], n=2, n_inputs=2, stat=[0.0012, 0.5, 0.0001], points=[0.5, -1.0], origin="<mine>")
    page = made(tmp_path, p)
    assert "1.2345(12)" in page.text and "−2.50(50)" in page.text and "0.00300(10)" in page.text
    assert "x₁ = 0.5, x₂ = −1" in page.text and "<mine>" in page.text and "standard errors" in page.text
    assert page.tags.count("caption") == page.tags.count("table") == 1


def test_long_tables_say_what_is_left_out(tmp_path: Path) -> None:
    x = np.linspace(0.1, 0.6, 6)
    page = made(tmp_path, fn.exact(fn.Network("erf", width=5), x, n=4))
    assert "The first 24 of 126 values." in page.text
    assert page.tags.count("tr") == 25


def test_diagrams_formulas_and_theories(tmp_path: Path) -> None:
    ds = fn.generate(BOTH, 4, order={"lam": 1}, kind="connected")
    page = made(tmp_path, BOTH, ds, ds[0], fn.formula(BOTH, 6))
    assert page.tags.count("svg") == 1 + 1 + 4
    for piece in ("15", "− 360", "− κ[", "720", "+ 5400", "]"):
        assert piece in page.text.replace("\u2009", ""), piece
    assert "− 24 λ ∑15 labellings K(x1, x2) ∫ ddy KW(x3, y)" in page.text.replace("\u2009", " ")
    assert "exact propagator" in page.text and "kap*f**6" in page.text


def test_a_formula_with_several_vertices_and_profiles(tmp_path: Path) -> None:
    theory = fn.Theory.parse("lam*y**2*f**4", propagator="exact", normal_ordered=True)
    text = made(tmp_path, fn.formula(theory, 4, max_order=2)).text
    assert "λ²" in text and "K" in text and "[y**2] at (y1)" in text
    nothing = fn.formula(fn.Theory.parse("lam*f**4"), 3)
    assert "G⁽³⁾(x₁, x₂, x₃) =0" in made(tmp_path, nothing).text


def test_matches(tmp_path: Path) -> None:
    options: dict[str, Any] = {"kernel": RELU, "cutoff": fn.Cutoff(100.0)}
    single = made(tmp_path, fn.match(g4(), LAM, **options)).text
    assert "−6.25×10⁻¹¹" in single and "0 tuples flagged" in single
    several = fn.match(g4(), fn.Theory.parse("lam0*f**4 + lam2*y**2*f**4", propagator="exact"), **options)
    assert "Not identifiable" in made(tmp_path, several).text


def test_a_flow_is_a_plot_and_a_table(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    f = fn.flow(g4(), LAM, kernel=RELU, cutoffs=[7, 20, 100])
    page = made(tmp_path, f, f)
    assert page.tags.count("svg") == 2 and "slope −5" in page.text and "−6.25×10⁻¹¹" in page.text


def test_ensembles_show_deviation_background_and_heavy_tails(tmp_path: Path) -> None:
    erf = fn.sample(fn.Network("erf", width=3), [0.3, 0.9], n_nets=2000, n_experiments=10, seed=1)
    page = made(tmp_path, erf)
    assert "2000 networks in 10 experiments" in page.text and page.tags.count("table") == 3
    gauss = fn.sample(fn.Network("gauss", width=2), [0.0], n_nets=2000, n_experiments=10, seed=1)
    assert "Read with care" in made(tmp_path, gauss).text


def test_own_figures_keep_their_paper(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    fig = Figure()
    fig.subplots().set_title("mine & <yours>")
    page = made(tmp_path, fig, fig, [fig])
    assert page.tags.count("svg") == 3 and page.text.count("mine & <yours>") == 3
    assert ("class", "panel own") in page.attributes


def test_one_item_needs_no_list_and_pages_are_reproducible(tmp_path: Path) -> None:
    ds = fn.generate(LAM, 4, order=1)
    first = fn.report(ds, tmp_path / "a.html").read_bytes()
    assert first == fn.report([ds], tmp_path / "b.html").read_bytes()
    assert fn.report("hello", str(tmp_path / "c.html")) == tmp_path / "c.html"


@pytest.mark.parametrize("item", [3, None, {"a": 1}, np.zeros(3), object])
def test_other_items_are_named_before_anything_is_written(item: object, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"a report cannot show .* of type {type(item).__name__}"):
        fn.report(["text", item], tmp_path / "r.html")
    assert list(tmp_path.iterdir()) == []


def test_a_bad_path_is_found_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("rendered")

    monkeypatch.setitem(module._RENDERERS, str, never)
    with pytest.raises(InputError, match=r"no_such.*make the folder or choose another place"):
        fn.report(["x"], tmp_path / "no_such" / "r.html")
    with pytest.raises(InputError, match="it is a folder"):
        fn.report(["x"], tmp_path)
    with pytest.raises(InputError, match=r"the order is report\(items, path\)"):
        fn.report("r.html", ["x"])  # type: ignore[arg-type]
    with pytest.raises(InputError, match="file name"):
        fn.report(["x"], " ")
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_the_old_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = fn.report("old", tmp_path / "r.html")
    before = path.read_bytes()

    def breaks(*_: object) -> None:
        raise RuntimeError("half-way")

    monkeypatch.setitem(module._RENDERERS, fn.Theory, breaks)
    with pytest.raises(RuntimeError, match="half-way"):
        fn.report(["new", LAM], path)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (1.2344e-5, 5.6e-7, "1.234(56)×10⁻⁵"),
        (0.0096, 0.00031, "0.00960(31)"),
        (26.03, 21.6, "26(22)"),
        (15731.0, 15500.0, "(1.6 ± 1.6)×10⁴"),
        (0.3, 1.24, "0.3 ± 1.2"),
        (9.996, 0.0996, "10.00(10)"),
        (-1e-9, 0.5, "0.00(50)"),
        (0.0, 0.0, "0"),
        (2.5, 1e-12, "2.5"),
        (1.0, float("inf"), "1 ± ∞"),
        (float("nan"), 1.0, "— ± 1"),
    ],
)
def test_numbers_with_errors(value: float, error: float, text: str) -> None:
    assert measured(value, error) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (-6.25e-11, "−6.25×10⁻¹¹"), (123456.0, "123456"), (1e7, "1×10⁷"), (0.001, "0.001"), (99.99999, "100")],
)
def test_numbers(value: float, text: str) -> None:
    assert number(value) == text


def test_embedded_data_cannot_leave_its_element() -> None:
    block = embedded_json({"a": "</script><b>&", "x": [float("inf"), 1.5]})
    assert block.count("<") == 2 and "&" not in block
    assert '{"float": "inf"}' in block
