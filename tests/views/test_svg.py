"""SVG: well-formed, readable on light and dark pages, nothing that a name could break."""

import re
from xml.etree import ElementTree

import pytest

import feynnn as fn
from feynnn.views import svg
from feynnn.views.svg import diagram_svg

PHI4 = fn.Theory.parse("lam*f**4")
MIXED = fn.Theory.parse("lam*f**4 + kap*f**6")
NAMED = fn.Theory.parse("lam0*f**4 + lamNL*f(y)**2*f(z)**2")
NS = {"s": "http://www.w3.org/2000/svg"}
X = fn.Diagram.from_edges(PHI4, 4, 1, [(0, 4), (1, 4), (2, 4), (3, 4)])


def parsed(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text)


def words(root: ElementTree.Element) -> list[str]:
    return ["".join(e.itertext()) for e in root.iterfind(".//s:text", NS)]


def test_the_x_diagram_piece_by_piece() -> None:
    root = parsed(diagram_svg(X))
    assert root.tag == f"{{{NS['s']}}}svg"
    assert root.get("role") == "img"
    title = root.find("s:title", NS)
    assert title is not None
    assert title.text == repr(X)
    paths = [p.get("d", "") for p in root.iterfind(".//s:path", NS)]
    assert len(paths) == 4
    assert all(re.fullmatch(r"M[\d.]+ [\d.]+L[\d.]+ [\d.]+", p) for p in paths)
    assert len({p.partition("L")[2] for p in paths}) == 1, "all lines end in the vertex"
    circles = root.findall("s:circle", NS)
    assert [c.get("fill") for c in circles] == ["currentColor"] * 4 + [svg.PALETTE[0]]
    assert circles[4].findtext("s:title", namespaces=NS) == "y: lam*f**4"
    assert words(root) == ["x1", "x2", "x3", "x4"]


def test_the_golden_line() -> None:
    d = fn.Diagram.from_edges(PHI4, 2, 0, [(0, 1)])
    font = "font-family=\"'Latin Modern Roman','STIX Two Text','Times New Roman',serif\""
    name = '<tspan font-style="italic">x</tspan><tspan dy="2.86" font-size="9.36">'
    style = f'y="18.52" {font} font-size="13" fill="currentColor" text-anchor="middle"'
    assert diagram_svg(d).splitlines() == [
        '<svg xmlns="http://www.w3.org/2000/svg" width="150.48" height="29.04" viewBox="0 0 150.48 29.04" role="img">',
        "<title>Diagram(x1-x2; free; multiplicity 1)</title>",
        '<g fill="none" stroke="currentColor" stroke-width="1.4" stroke-linecap="round">',
        '<path d="M26.84 14.52L123.64 14.52"/>',
        "</g>",
        '<circle cx="26.84" cy="14.52" r="2.5" fill="currentColor"><title>x1</title></circle>',
        f'<text x="14.52" {style}>{name}1</tspan></text>',
        '<circle cx="123.64" cy="14.52" r="2.5" fill="currentColor"><title>x2</title></circle>',
        f'<text x="135.96" {style}>{name}2</tspan></text>',
        "</svg>",
    ]


@pytest.mark.parametrize("theory", [PHI4, MIXED, NAMED], ids=str)
def test_every_picture_is_well_formed_and_inside_its_box(theory: fn.Theory) -> None:
    order = dict.fromkeys(theory.couplings, 1)
    for d in fn.generate(theory, 4, order=order)[::8]:
        root = parsed(diagram_svg(d))
        wide, high = map(float, root.get("viewBox", "").split()[2:])
        assert len(root.findall(".//s:g/s:path", NS)) == len(d.edges)
        for c in root.iterfind(".//s:circle", NS):
            r = float(c.get("r", "nan"))
            assert r <= float(c.get("cx", "nan")) <= wide - r
            assert r <= float(c.get("cy", "nan")) <= high - r
        assert "<script" not in diagram_svg(d)
        assert not any(e.get("id") for e in root.iter())


def test_lines_take_the_colour_of_the_text_and_vertices_that_of_their_coupling() -> None:
    d = fn.generate(MIXED, 4, order={"lam": 1, "kap": 1}, kind="connected")[0]
    root = parsed(diagram_svg(d))
    fills = {c.get("fill") for c in root.iterfind(".//s:circle", NS)}
    assert fills == {"currentColor", svg.PALETTE[0], svg.PALETTE[1]}
    assert "black" not in diagram_svg(d)
    assert len(set(svg.PALETTE)) == len(svg.PALETTE)
    assert svg.colour(len(svg.PALETTE)) == svg.PALETTE[0]


def test_a_connector_is_dotted_in_the_colour_of_its_coupling() -> None:
    d = next(d for d in fn.generate(NAMED, 4, order={"lamNL": 1}) if d.is_connected)
    dotted = [p for p in parsed(diagram_svg(d)).iterfind("s:path", NS) if p.get("stroke-dasharray")]
    assert [p.get("stroke") for p in dotted] == [svg.PALETTE[1]]


def test_labels_and_width() -> None:
    bare = parsed(diagram_svg(X, labels=False))
    assert words(bare) == []
    wide = parsed(diagram_svg(X, width=300))
    assert float(wide.get("width", "nan")) == 300.0
    assert wide.get("viewBox") == bare.get("viewBox")
    ratio = float(wide.get("height", "nan")) / 300.0
    assert ratio == pytest.approx(float(bare.get("height", "nan")) / float(bare.get("width", "nan")), rel=1e-3)


def test_the_legend_appears_when_there_is_a_choice_of_couplings() -> None:
    d = fn.generate(MIXED, 4, order={"kap": 1})[-1]
    assert words(parsed(diagram_svg(d)))[-1] == "κ"
    assert "κ" not in diagram_svg(d, show_legend=False)
    assert "λ" not in diagram_svg(d)
    assert "λ" not in diagram_svg(X)
    assert words(parsed(diagram_svg(X, show_legend=True)))[-1] == "λ"
    free = fn.generate(MIXED, 2, order={})[0]
    assert words(parsed(diagram_svg(free))) == ["x1", "x2"]


@pytest.mark.parametrize(
    ("name", "pieces"),
    [
        ("lam", [("λ", "i")]),
        ("kap", [("κ", "i")]),
        ("lambda", [("λ", "i")]),
        ("lam0", [("λ", "i"), ("0", "sub")]),
        ("lamNL", [("λ", "i"), ("NL", "sub")]),
        ("lam_4", [("λ", "i"), ("4", "sub")]),
        ("g3", [("g", "i"), ("3", "sub")]),
        ("nl", [("nl", "i")]),
        ("lamb", [("lamb", "i")]),
        ("NL", [("NL", "i")]),
        ("a_b", [("a_b", "i")]),
        ("g_", [("g_", "i")]),
    ],
)
def test_names_of_couplings(name: str, pieces: list[tuple[str, str]]) -> None:
    assert svg.symbol(name) == pieces


def test_captions() -> None:
    def words_of(d: fn.Diagram) -> str:
        return "".join(w for w, _ in svg.caption(d))

    assert words_of(X) == "−24\u2009λ"
    assert words_of(fn.generate(PHI4, 2, order=0)[0]) == "1"
    assert words_of(fn.generate(PHI4, 4, order=0, external="indistinguishable")[0]) == "3"
    quarter = fn.Diagram.from_edges(fn.Theory.parse("lam/24*f**4"), 4, 1, X.edges)
    assert words_of(quarter) == "−λ"
    half = fn.Diagram.from_edges(fn.Theory.parse("lam/24*f**4"), 2, 1, [(0, 2), (1, 2), (2, 2)])
    assert words_of(half) == "−1/2\u2009λ"
    second = fn.generate(PHI4, 4, order=2, kind="connected")[0]
    assert svg.caption(second)[1:] == [("λ", "i"), ("2", "sup")]


def test_text_is_escaped() -> None:
    nasty = '<b> & "quotes" </text>'
    line = parsed(svg.text([(nasty, ""), (nasty, "sub"), ("end", "")], (0.0, 0.0)))
    assert "".join(line.itertext()) == nasty + nasty + "end"
    document = parsed(svg.document([], (10.0, 10.0), nasty))
    assert document.findtext("s:title", namespaces=NS) == nasty


def test_lowered_text_comes_back_to_the_line() -> None:
    line = parsed(svg.text([("a", "sub"), ("b", "sup"), ("c", ""), ("d", "i")], (0.0, 0.0)))
    assert sum(float(t.get("dy", "0")) for t in line) == pytest.approx(0.0)
