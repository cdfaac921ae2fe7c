"""The page of the slides' study: claims and verdicts, the expansion, and figures and tables for each network."""

from __future__ import annotations

from ..perturbation.formulas import formula
from ..studies.hms import TUPLE_WIDTH, FlowResult, Study
from ..theory.action import Theory
from . import plots
from .formulas import formula_html
from .hms_network import network_section
from .hms_verdicts import NAMES, end_slope, slope_words, verdicts
from .html_parts import Html, embedded_json, figure, items, join, number, page, paragraphs, table, tag

TITLE = "Neural networks and quantum field theory: the slides’ study"
_PAPER = "arXiv:2008.08601, doi 10.1088/2632-2153/abeca3"
#: Activation, kernel of the infinite-width limit; C is the pre-activations' covariance.
_NETWORKS = {
    "gauss": (
        "exp(<i>h</i>) / (exp 2<i>C</i>(<i>x</i>, <i>x</i>))<sup>½</sup>",
        "<i>σ</i><sub>b</sub>² + <i>σ</i><sub>W</sub>² exp(−<i>σ</i><sub>W</sub>² |<i>x</i> − <i>y</i>|² / 2<i>d</i>)",
    ),
    "erf": (
        "erf(<i>h</i>)",
        "<i>σ</i><sub>b</sub>² + <i>σ</i><sub>W</sub>² (2/π) arcsin( 2<i>C</i>(<i>x</i>, <i>y</i>) / "
        "((1 + 2<i>C</i>(<i>x</i>, <i>x</i>)) (1 + 2<i>C</i>(<i>y</i>, <i>y</i>)))<sup>½</sup> )",
    ),
    "relu": (
        "max(<i>h</i>, 0)",
        "<i>σ</i><sub>b</sub>² + <i>σ</i><sub>W</sub>² (1/2π) (<i>C</i>(<i>x</i>, <i>x</i>) "
        "<i>C</i>(<i>y</i>, <i>y</i>))<sup>½</sup> (sin <i>t</i> + (π − <i>t</i>) cos <i>t</i>), cos <i>t</i> = "
        "<i>C</i>(<i>x</i>, <i>y</i>) / (<i>C</i>(<i>x</i>, <i>x</i>) <i>C</i>(<i>y</i>, <i>y</i>))<sup>½</sup>",
    ),
}
_MEANINGS = {"yes": "✓", "partly": "◐", "no": "✗"}


def hms_page(study: Study) -> str:
    """Return the study as one self-contained HTML page, its data embedded as JSON (the element with id "data").

    Parameters
    ----------
    study : Study

    Returns
    -------
    str

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    with plots.style():
        sections = [
            _head(study),
            _verdict_section(study),
            _definitions(study),
            _expansion(),
            *(network_section(r, study) for r in study.networks.values()),
            _running(study.flows),
            _cautions(study),
            _provenance(study),
        ]
    return page(TITLE, join(sections, "\n"), data=embedded_json(study.to_dict()))


def _head(study: Study) -> Html:
    links = [("claims", "Claims and verdicts"), ("setting", "Setting"), ("expansion", "Expansion")]
    links += [(name, NAMES[name]) for name in study.networks]
    links += [("running", "Running coupling")] if study.flows else []
    links += [("cautions", "Signs and traps"), ("provenance", "Provenance")]
    contents = tag("nav", tag("ul", *(tag("li", tag("a", words, href=f"#{k}")) for k, words in links)))
    lead = (
        f"After J. Halverson, A. Maiti and K. Stoner, “Neural networks and quantum field theory” ({_PAPER}). "
        "Networks with one hidden layer of N neurons are a Gaussian process as N → ∞, a free field theory; at finite N "
        "they are an interacting one. The study measures how far they are from the Gaussian process, matches the "
        "coupling λ of the action’s f⁴ term to the 4-point function, predicts the 6-point function from it, and "
        "follows λ with the cutoff. Beside every sampled number stands the exact one, computed without sampling."
    )
    return join([tag("h1", TITLE), tag("p", lead), contents], "\n")


def _verdict_section(study: Study) -> Html:
    rows = []
    for v in verdicts(study):
        answer = tag("span", f"{_MEANINGS[v.answer]} {v.short}", class_=f"verdict {v.answer}")
        rows.append((v.claim, answer, join(tag("div", e) for e in v.evidence)))
    text = tag("p", "Every verdict is computed from this run’s data; slopes are those of the exact curves.")
    content = table("The slides’ claims against the data.", ("claim", "verdict", "evidence"), rows, kind="words claims")
    return join([tag("h2", "Claims and verdicts", id="claims"), text, content], "\n")


def _definitions(study: Study) -> Html:
    text = paragraphs(
        Html(
            "<span class='math'><i>f</i>(<i>x</i>) = <i>b</i><sub>1</sub> + ∑<sub>j</sub> <i>W</i><sub>1j</sub> "
            "<i>σ</i>(<i>h</i><sub>j</sub>), <i>h</i><sub>j</sub> = <i>W</i><sub>0j</sub>·<i>x</i> + "
            "<i>b</i><sub>0j</sub></span>, with independent centred normal parameters: variance "
            "<i>σ</i><sub>b</sub>² for the biases, <i>σ</i><sub>W</sub>²/<i>d</i> for <i>W</i><sub>0</sub>, "
            "<i>σ</i><sub>W</sub>²/<i>N</i> for <i>W</i><sub>1</sub>; <i>σ</i><sub>W</sub> = 1. The pre-activations’ "
            "covariance is <span class='math'><i>C</i>(<i>x</i>, <i>y</i>) = <i>σ</i><sub>b</sub>² + "
            "<i>σ</i><sub>W</sub>² <i>x</i>·<i>y</i>/<i>d</i></span>."
        )
    )
    rows = []
    for name, r in study.networks.items():
        activation, kernel = (tag("span", Html(s), class_="math") for s in _NETWORKS[name])
        points = ", ".join(
            "(" * (len(x) > 1) + ", ".join(number(c, 3) for c in x) + ")" * (len(x) > 1) for x in r.inputs
        )
        rows.append((NAMES[name], activation, kernel, number(r.sigma_b), points, number(r.cutoff)))
    head = ("network", Html("<i>σ</i>(<i>h</i>)"), Html("<i>K</i>(<i>x</i>, <i>y</i>)"), Html("<i>σ</i><sub>b</sub>"))
    content = table(
        "The networks. Λ is the cutoff at which λ is matched (inputs and vertices in the box [−Λ, Λ]).",
        (*head, "inputs, d = 1", "Λ"),
        rows,
        kind="words",
    )
    terms = items(
        Html("<b>Deviation</b> mₙ = (G⁽ⁿ⁾ − G⁽ⁿ⁾ of the GP) / G⁽ⁿ⁾ of the GP, averaged over the multisets of inputs."),
        Html(
            "<b>Background</b>: the standard deviation of mₙ over the experiments, averaged over the multisets; what "
            "one experiment cannot see."
        ),
        Html(
            "<b>Errors</b> are standard errors over the experiments, in units of the last digits: 1.23(45) is "
            "1.23 ± 0.45. Numbers without an error are exact to the digits shown. † marks samples whose error bar is "
            "unreliable: the distribution has heavy tails and the rare values that matter were not drawn."
        ),
    )
    return join([tag("h2", "Setting", id="setting"), text, content, terms], "\n")


def _expansion() -> Html:
    theory = Theory.parse("lam*f**4 + kap*f**6", propagator="exact")
    before = paragraphs(
        "The action adds ΔS = ∫ dᵈy [λ f(y)⁴ + κ f(y)⁶] to the Gaussian one. To first order, with the kernel as exact "
        "propagator (“no correction to the 2-pt function”: diagrams with a self-energy insertion are dropped, which "
        "assumes a mass counterterm):"
    )
    after = paragraphs(
        Html(
            "<i>K</i><sub>W</sub> = <i>K</i> − <i>σ</i><sub>b</sub>² on every line with an end on a vertex, <i>K</i> "
            "on lines between inputs. The fit keeps λ alone: per tuple λ = −ΔG⁽⁴⁾ / 24<i>I</i>, with <i>I</i> the "
            "integral of the four-legged star; over all tuples by least squares."
        )
    )
    pictures = [formula_html(formula(theory, n)) for n in (4, 6)]
    return join([tag("h2", "Expansion", id="expansion"), before, *pictures, after], "\n")


def _running(flows: list[FlowResult]) -> Html:
    if not flows:
        return Html("")
    fig, (ax,) = plots.new_figure(width=5.6, height=3.8)
    for k, f in enumerate(flows):
        label = f"{NAMES[f.network]}, d = {f.d_in}"
        plots.running(ax, f.cutoffs, f.lam, f.slope, label=label, error=f.error, series=k)
    picture = plots.figure_svg(fig, title="coupling against cutoff")
    rows = [
        (
            f"{NAMES[f.network]}, d = {f.d_in}",
            number(f.lam[0], 5),
            number(f.lam[-1], 5),
            slope_words(f),
            "—" if f.expected is None else number(f.expected),
            number(end_slope(f), 6),
            f"{f.r_squared:.6f}" if f.r_squared > 0 else "— (constant)",
        )
        for f in flows
    ]
    low, high = flows[0].cutoffs[0], flows[0].cutoffs[-1]
    head = ("", f"λ at Λ = {number(low)}", f"λ at Λ = {number(high)}", "slope", "expected", "β/λ at the last", "R²")
    caption = (
        f"λ from the exact G⁽⁴⁾ at N = {flows[0].width} for {len(flows[0].cutoffs)} cutoffs. Slope of log|λ| against "
        "log Λ over all cutoffs, its error from the scatter about the line; β/λ = d log|λ|/d log Λ at the largest "
        "cutoff, from the integral over the box’s surface."
    )
    text = paragraphs(
        Html(
            "G⁽⁴⁾ does not know the cutoff, so λ must run: dG⁽⁴⁾/d log Λ = 0 gives β(λ) = −λ d log <i>I</i>/d log Λ. "
            "The ReLU kernel without bias is homogeneous, <i>I</i> grows as Λ to the power d + 4 and the power law "
            "is exact. For Erf-net <i>K</i><sub>W</sub> tends to a constant in each direction: the slope reaches −d "
            "only at large Λ, and a straight line through all cutoffs is steeper. For Gauss-net <i>I</i> converges "
            "and λ stands still."
        )
    )
    numbers = table(caption, head, rows, kind="names")
    title = tag("h2", "Running coupling", id="running")
    return join([title, text, figure([picture], "Running of |λ| with the cutoff."), numbers], "\n")


#: Table 5 of the paper: width and lam_0 of the model with lam_0 alone, in the paper's sign.
_PUBLISHED = {"gauss": (1000, 0.0046), "erf": (5, 0.039), "relu": (20, 6.2e-11)}


def _published(study: Study) -> Html:
    found = [(name, r.lam_near_zero) for name, r in study.networks.items() if name in _PUBLISHED]
    rows = [
        (NAMES[name], str(_PUBLISHED[name][0]), number(_PUBLISHED[name][1]), number(-c.value * scale, 4))
        for name, c in found
        if c is not None
        for scale in [TUPLE_WIDTH / _PUBLISHED[name][0]]
    ]
    if not rows:
        return Html("")
    caption = (
        "λ₀ of the paper’s Table 5, fitted to 10⁷ sampled networks, and −λ of the exact G⁽⁴⁾ on the same inputs (of "
        f"one sign), here computed at N = {TUPLE_WIDTH} and scaled with 1/N, which is exact at first order."
    )
    return table(caption, ("network", "N", "λ₀ published", "−λ exact"), rows, kind="names")


def _cautions(study: Study) -> Html:
    sign = paragraphs(
        Html(
            "λ is the action’s: weight exp(−S), S = S of the GP + ∫ λ f⁴, so ΔG⁽⁴⁾ = −24 λ <i>I</i>. A network’s "
            "output is a mixture of Gaussians of different width, so ΔG⁽⁴⁾ ≥ 0 at coincident inputs and λ ≤ 0 there. "
            "Table 5 of the paper quotes the opposite sign (ΔG⁽⁴⁾ = + λ₀ …)."
        )
    )
    traps = items(
        "Gauss-net’s moments are dominated by networks that a sample does not hold: its 4- and 6-point estimates "
        "tend to fall short of the exact values, with error bars that do not show it. Trust the exact column.",
        "A power law read off a sampled curve is the sampling’s as much as the network’s: beyond the width where the "
        "deviation sinks below the background the points follow the noise.",
        "Where the integral changes sign over the tuples (Erf-net with inputs of both signs) λ per tuple has poles; "
        "its mean and spread mean nothing there, and the least-squares value is the coupling.",
        "ReLU-net without bias, d = 1, with positive inputs: every function is proportional to the product of the "
        "inputs, so any coupling, of any profile, fits exactly; the fit is no evidence for a constant λ.",
        "Gauss-net’s kernel is translation invariant, its connected 4-point function is not: the constancy of λ is "
        "seen for |x| ≤ 0.01, where nothing varies.",
        "The f⁶ coupling κ is left out, as on the slides, which call its term in G⁽⁴⁾ small; this study does not test "
        "that. Fitting κ needs the λ² exchange as well, which is of the same order 1/N².",
    )
    content = [tag("h2", "Signs and traps", id="cautions"), tag("h3", "Sign of λ"), sign, _published(study)]
    content += [tag("h3", "Traps"), traps]
    return join(content, "\n")


def _provenance(study: Study) -> Html:
    p = dict(study.provenance)
    command = p.pop("command", "")
    rows = [("scale", study.scale), ("seed", str(study.seed)), ("experiments", str(study.n_experiments))]
    rows += [(k, v) for k, v in p.items() if k != "seed"]
    parts = [
        tag("h2", "Provenance", id="provenance"),
        paragraphs("To reproduce this page bit for bit on the same versions, but for date and time:"),
        tag("pre", tag("code", command)),
        table("What made the numbers.", ("", ""), rows, kind="words"),
    ]
    notes = [f"{NAMES[name]}: {note}" for name, r in study.networks.items() for note in r.notes]
    if notes:
        parts.append(tag("details", tag("summary", f"{len(notes)} notes of the run"), items(*notes)))
    parts.append(
        paragraphs(
            Html(
                "All data of this page are embedded in it as JSON, in the element with the identifier "
                "<code>data</code>; a number that is not finite is written as an object with the key "
                "<code>float</code>."
            )
        )
    )
    return join(parts, "\n")
