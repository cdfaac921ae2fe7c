"""`draw` and the gallery of a set."""

from typing import Any
from xml.etree import ElementTree

import pytest

import feynnn as fn
from feynnn.views.drawing import Picture, gallery_html

PHI4 = fn.Theory.parse("lam*f**4")
MIXED = fn.Theory.parse("lam*f**4 + kap*f**6")
NS = {"s": "http://www.w3.org/2000/svg"}


def words(text: str) -> list[str]:
    return ["".join(e.itertext()) for e in ElementTree.fromstring(text).iterfind(".//s:text", NS)]


def test_one_diagram_is_drawn_as_by_its_own_methods() -> None:
    d = fn.generate(PHI4, 4, order=1)[0]
    assert fn.draw(d) == d.to_svg() == d._repr_svg_()
    assert fn.draw(d, format="tikz") == d.to_tikz()


def test_a_picture_is_text_that_shows_itself() -> None:
    d = fn.generate(PHI4, 4, order=1)[0]
    picture = fn.draw(d)
    assert isinstance(picture, Picture)
    assert picture._repr_svg_() == picture
    assert fn.draw(d, format="tikz")._repr_svg_() is None


def test_a_set_is_a_grid_with_captions() -> None:
    ds = fn.generate(PHI4, 4, order=1)
    text = fn.draw(ds)
    root = ElementTree.fromstring(text)
    assert root.findtext("s:title", namespaces=NS) == repr(ds)
    cells = root.findall("s:g/s:title", NS)
    assert [c.text for c in cells] == [repr(d) for d in ds]
    captions = [w for w in words(text) if "λ" in w]
    assert captions == ["−12\u2009λ"] * 6 + ["−24\u2009λ"]
    assert text == fn.draw(ds)


@pytest.mark.parametrize("columns", [1, 3, 10])
def test_the_grid_has_the_columns_asked_for_and_keeps_to_its_box(columns: int) -> None:
    ds = fn.generate(PHI4, 4, order=1)
    root = ElementTree.fromstring(fn.draw(ds, columns=columns))
    wide, high = map(float, root.get("viewBox", "").split()[2:])
    circles = [(float(c.get("cx", "nan")), float(c.get("cy", "nan"))) for c in root.iterfind(".//s:circle", NS)]
    assert all(0 < x < wide and 0 < y < high for x, y in circles)
    captions = [e for e in root.iterfind(".//s:text", NS) if "λ" in "".join(e.itertext())]
    assert len({e.get("x") for e in captions}) == min(columns, len(ds))
    assert len({e.get("y") for e in captions}) == -(-len(ds) // columns)


def test_neighbours_in_a_row_are_aligned() -> None:
    ds = fn.generate(PHI4, 2, order=2)
    root = ElementTree.fromstring(fn.draw(ds))
    heights = {c.get("cy") for c in root.iterfind(".//s:circle", NS) if c.get("r") == "2.5"}
    assert len(heights) == 1


def test_what_is_left_out_is_said() -> None:
    ds = fn.generate(PHI4, 4, order=2)
    assert words(fn.draw(ds, limit=3))[-1] == f"… and {len(ds) - 3} more"
    assert f"and {len(ds) - 3} more" in fn.draw(ds, limit=3, format="tikz")
    assert f"… and {len(ds) - 3} more" in gallery_html(ds, limit=3)
    assert "more" not in fn.draw(ds[:5])


@pytest.mark.parametrize("format", ["svg", "tikz"])
def test_an_empty_set_says_so(format: Any) -> None:
    ds = fn.generate(PHI4, 3, order=1)
    assert "no diagrams" in fn.draw(ds, format=format)
    assert "no diagrams" in ds._repr_html_()


def test_the_legend_of_a_set() -> None:
    ds = fn.generate(MIXED, 4, order={"lam": 1, "kap": 1}, kind="connected")[:2]
    assert words(fn.draw(ds))[-2:] == ["λ", "κ"]
    assert r"$\lambda$" in fn.draw(ds, format="tikz")
    assert "●" in gallery_html(ds)
    assert "●" not in gallery_html(fn.generate(PHI4, 4, order=1))


def test_the_gallery_is_well_formed_and_needs_nothing_else() -> None:
    ds = fn.generate(MIXED, 4, order={"lam": 1}, external="indistinguishable")
    text = ds._repr_html_()
    root = ElementTree.fromstring(text)
    assert len(root.findall(f".//{{{NS['s']}}}svg")) == len(ds)
    captions = ["".join(e.itertext()) for e in root.iter("figcaption")]
    assert captions == ["−72\u2009λ", "−24\u2009λ"]
    assert "http" not in text.replace(NS["s"], "")
    assert "<script" not in text


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda d, draw: draw(d, format="png"), ["format", "'svg', 'tikz'", "'png'"]),
        (lambda d, draw: draw(d, columns=0), ["columns", "at least 1", "0"]),
        (lambda d, draw: draw(d, limit=2.5), ["limit", "2.5"]),
        (lambda d, draw: draw("x1-x2"), ["Diagram or a DiagramSet", "'x1-x2'"]),
        (lambda d, draw: draw(None), ["Diagram or a DiagramSet", "None"]),
    ],
)
def test_wrong_arguments_are_named(call: Any, words: list[str]) -> None:
    with pytest.raises(fn.FeynnnError) as error:
        call(fn.generate(PHI4, 2, order=0)[0], fn.draw)
    assert all(word in str(error.value) for word in words)
