"""The page of the slides' study: its claims, pictures, numbers and embedded data."""

from __future__ import annotations

import json
import math
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from feynnn.studies.hms import Coupling, Curve, FlowResult, NetworkResult, Study
from feynnn.views import hms_verdicts
from feynnn.views.hms_report import hms_page

pytest.importorskip("matplotlib")

WIDTHS = [2, 20, 1000]
#: N times the connected 4-point, N^2 times the connected 6-point function over the Gaussian one.
CUMULANTS = {"gauss": (13.4, 20325.0), "relu": (5.0, 44.0)}


def curve(exact: list[float], error: float, *, unreliable: list[int] | None = None) -> Curve:
    return Curve(
        exact=exact,
        sampled=[v + error * z for v, z in zip(exact, (0.5, -1.0, 1.5), strict=True)],
        error=[error] * 3,
        background=[6 * error] * 3,
        background_error=[error / 2] * 3,
        unreliable=unreliable or [],
    )


def coupling(value: float, *, error: float = 0.0, spread: float = 0.0, reliable: bool = True) -> Coupling:
    return Coupling(value, error, value, error, spread, 0, 5, reliable=reliable)


def result(name: str) -> NetworkResult:
    a, b = CUMULANTS[name]
    heavy = WIDTHS if name == "gauss" else []
    four, six = [a / n for n in WIDTHS], [b / n**2 for n in WIDTHS]
    full = [3 * x + y for x, y in zip(four, six, strict=True)]
    lam = [-v / 50 for v in four]
    return NetworkResult(
        name,
        sigma_b=1.0 if name == "gauss" else 0.0,
        inputs=[[0.2], [0.4]],
        cutoff=math.inf if name == "gauss" else 100.0,
        widths=WIDTHS,
        n_nets=[4000, 4000, 400],
        deviation={2: curve([0.0] * 3, 0.01), 4: curve(four, 0.1, unreliable=heavy), 6: curve(full, 0.2)},
        connected={4: curve(four, 0.1, unreliable=heavy), 6: curve(six, 0.1, unreliable=heavy)},
        lam_exact=[coupling(v, spread=1e-17) for v in lam],
        lam_sampled=[coupling(v, error=0.002, reliable=not heavy) for v in lam],
        lam_near_zero=coupling(lam[1]),
        tuples=[[0, 0, 0, k] for k in range(5)],
        per_tuple_exact=[lam[1]] * 5,
        per_tuple_sampled=[lam[1] * (1 + 0.1 * k) for k in range(5)],
        per_tuple_error=[0.01] * 5,
        per_tuple_flagged=[False, False, True, False, False],
        prediction_gaussian=[1 / (1 + m) for m in full],
        prediction_lam=[(1 + 3 * x) / (1 + m) for x, m in zip(four, full, strict=True)],
        prediction_error=[0.01] * 3,
        notes=["a note with </script> & <b>markup</b>"],
    )


def flow(name: str, d_in: int, slope: float) -> FlowResult:
    cutoffs = [7.0, 100.0, 1e5]
    lam = [-2 * c**slope for c in cutoffs]
    beta = [slope * v for v in lam]
    expected = slope if name == "relu" else None
    return FlowResult(name, d_in, 20, "exact", cutoffs, lam, [0.0] * 3, beta, slope, 1e-16, 1.0, expected)


def study(*names: str) -> Study:
    return Study(
        scale="small",
        seed=1,
        n_experiments=40,
        networks={name: result(name) for name in names},
        flows=[flow("relu", d, -(d + 4.0)) for d in (1, 2)] if "relu" in names else [],
        provenance={"feynnn": "0", "command": "feynnn study hms --seed 1 <&>", "date": "2001-01-01", "seed": "1"},
    )


def study_from_dict(data: dict[str, Any]) -> Study:
    """Rebuild a study from its JSON, where the keys of `deviation` are text."""

    def finite(value: Any) -> Any:
        return float(value["float"]) if isinstance(value, dict) else value

    networks = {}
    for name, r in data["networks"].items():
        networks[name] = NetworkResult(
            **{
                **r,
                "cutoff": finite(r["cutoff"]),
                "deviation": {int(n): Curve(**c) for n, c in r["deviation"].items()},
                "connected": {int(n): Curve(**c) for n, c in r["connected"].items()},
                "lam_exact": [Coupling(**c) for c in r["lam_exact"]],
                "lam_sampled": [Coupling(**c) for c in r["lam_sampled"]],
                "lam_near_zero": None if r["lam_near_zero"] is None else Coupling(**r["lam_near_zero"]),
            }
        )
    return Study(**{**data, "networks": networks, "flows": [FlowResult(**f) for f in data["flows"]]})


class Reader(HTMLParser):
    """Keeps the words, headings, identifiers, links and the embedded data of a page; checks that elements nest."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.words: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.data = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append(tag)
        self.ids += [values["id"] or ""] if "id" in values else []
        self.links += [values["href"] or ""] if tag == "a" else []
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.data += data
        elif self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.words))


@pytest.fixture(scope="module")
def html() -> str:
    return hms_page(study("gauss", "relu"))


@pytest.fixture(scope="module")
def page(html: str) -> Reader:
    return Reader(html)


def test_the_page_has_its_sections_and_its_links_lead_somewhere(page: Reader) -> None:
    assert page.tags.count("h1") == page.tags.count("main") == 1
    assert {f"#{k}" for k in ("claims", "expansion", "gauss", "relu", "running", "provenance")} <= set(page.links)
    assert all(link[1:] in page.ids for link in page.links)
    assert len(page.ids) == len(set(page.ids))
    assert page.tags.count("caption") == page.tags.count("table")
    assert page.tags.count("figcaption") == page.tags.count("figure")


def test_nothing_is_loaded_and_no_script_runs(html: str, page: Reader) -> None:
    assert page.tags.count("script") == 1 and '<script type="application/json" id="data">' in html
    assert not re.search(r"https?://", html.replace("http://www.w3.org/2000/svg", ""))
    assert not {"link", "img", "iframe", "object", "embed"} & set(page.tags)
    assert not re.search(r"\son\w+=", html.partition("<script")[0])
    assert len(html.encode()) < 3_000_000


def test_both_formulas_are_drawn_as_on_the_slides(page: Reader) -> None:
    text = page.text.replace("\u2009", " ")
    assert re.search(r"G⁽⁴⁾\(x₁, x₂, x₃, x₄\) =3 .*− 24 λ.*− 360 κ", text)
    assert re.search(r"G⁽⁶⁾\(.*\) =15 .*− 360 λ.*− κ\[720 .*\+ 5400 .*\]", text)
    assert "− 24 λ ∑15 labellings K(x1, x2) ∫ ddy KW(x3, y)" in text
    # seven topologies, seven plots for each network, one for the flows
    assert page.tags.count("svg") == 7 + 2 * 7 + 1


def test_embedded_data_load_back(html: str, page: Reader) -> None:
    original = study("gauss", "relu")
    assert study_from_dict(json.loads(page.data)) == original
    assert html.count("</script>") == 1
    assert "a note with </script> & <b>markup</b>" in page.text


def test_numbers_carry_their_errors_and_unreliable_ones_a_mark(page: Reader) -> None:
    assert "2.55(10)" in page.text  # relu, m_4 at width 2: 2.5 + half an error
    assert "6.75(10) †" in page.text
    assert "feynnn study hms --seed 1 <&>" in page.text
    assert "−0.005" in page.text and "Table 5" in page.text


def test_a_page_of_one_network_is_reproducible_and_leaves_out_what_it_lacks() -> None:
    first, second = hms_page(study("gauss")), hms_page(study("gauss"))
    assert first == second
    assert 'id="relu"' not in first and 'id="running"' not in first


def test_verdicts_follow_from_the_data() -> None:
    by_claim = {str(v.claim): v for v in hms_verdicts.verdicts(study("gauss", "relu"))}
    assert by_claim["ΔG⁽²⁾ = 0 at every width"].answer == "yes"
    assert by_claim["ΔG⁽⁴⁾ ∝ 1/N"].answer == "yes"
    assert by_claim["connected G⁽⁶⁾ ∝ 1/N²"].answer == "yes"
    late = by_claim["ΔG⁽⁶⁾ ∝ 1/N + 1/N² ∝ 1/N"]
    assert late.answer == "partly" and "A = 40.2, B = 2.033×10⁴" in late.evidence[0] and "506" in late.evidence[0]
    assert by_claim["λ from G⁽⁴⁾ predicts G⁽⁶⁾"].answer == "yes"
    assert by_claim["λ is constant (or nearly) over the inputs"].answer == "yes"
    assert (
        "m₄ is unreliable at 3, m₆ at 0 of 3 widths"
        in by_claim["experiments measure G⁽⁴⁾ and G⁽⁶⁾ at these widths"].evidence[0]
    )
    assert [v.answer for k, v in by_claim.items() if k.startswith("λ runs")] == ["yes"]


def test_verdicts_turn_when_the_data_do() -> None:
    wrong = study("relu")
    r = wrong.networks["relu"]
    r.deviation[2].exact[1] = 0.3
    r.deviation[4].exact[2] *= 1.1
    r.connected[6].exact[2] *= 1.1
    r.deviation[6].exact[2] *= 1.1
    r.lam_exact[1].spread = 0.5 * abs(r.lam_exact[1].mean)
    r.prediction_lam = r.prediction_gaussian
    wrong.flows[0].slope = -4.9
    assert hms_verdicts.prediction_of_exact_lam(r) == r.prediction_gaussian
    answers = [v.answer for v in hms_verdicts.verdicts(wrong)]
    assert answers == ["no", "no", "no", "no", "partly", "partly", "no", "no"]


def test_noise_of_the_sample_does_not_decide_the_prediction() -> None:
    noisy = study("relu")
    r = noisy.networks["relu"]
    clean = hms_verdicts.prediction_of_exact_lam(r)
    for k, factor in enumerate((0.7, 1.4, -2.0)):
        free = r.prediction_gaussian[k]
        r.lam_sampled[k].value *= factor
        r.prediction_lam[k] = free + factor * (r.prediction_lam[k] - free)
    assert hms_verdicts.prediction_of_exact_lam(r) == pytest.approx(clean)
    by_claim = {str(v.claim): v.answer for v in hms_verdicts.verdicts(noisy)}
    assert by_claim["λ from G⁽⁴⁾ predicts G⁽⁶⁾"] == "yes"


def test_two_powers_are_found() -> None:
    a, b, rest = hms_verdicts.two_powers(WIDTHS, [3 / n - 7 / n**2 for n in WIDTHS])
    assert (a, b) == pytest.approx((3, -7), rel=1e-9) and rest < 1e-12
    assert hms_verdicts.two_powers(WIDTHS, [1.0, 1.0, 1.0])[2] > 0.1
    assert hms_verdicts.log_slope(WIDTHS, [n**-2.0 for n in WIDTHS]) == pytest.approx(-2)
