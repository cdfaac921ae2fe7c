"""What the slides' study claims and whether its data bear it out: each verdict is computed from the numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..points import Array
from ..studies.hms import TUPLE_WIDTH, Coupling, Curve, FlowResult, NetworkResult, Study
from .html_parts import Html, join, measured, number, tag

Answer = Literal["yes", "partly", "no"]
NAMES = {"gauss": "Gauss-net", "erf": "Erf-net", "relu": "ReLU-net"}
#: An exact quantity below this is zero up to rounding.
ZERO = 1e-12


@dataclass(frozen=True)
class Verdict:
    """A claim, whether it holds, and the numbers that say so, one sentence for each network."""

    claim: Html
    answer: Answer
    short: str
    evidence: tuple[Html, ...]


def verdicts(study: Study) -> list[Verdict]:
    """Return the verdicts on the slides' claims, as far as the study has their data."""
    claims = (_two_point, _four_point, _six_point, _connected_six, _background, _heavy_tails, _constancy)
    found: list[Verdict | None] = [claim(study) for claim in (*claims, _prediction, _flow)]
    return [v for v in found if v is not None]


# --- numbers from curves ---------------------------------------------------------------------------------------------


def log_slope(x: Sequence[float], y: Sequence[float]) -> float:
    """Return the least-squares slope of log|y| against log x."""
    return float(np.polyfit(np.log(x), np.log(np.abs(y)), 1)[0])


def local_slope(x: Sequence[float], y: Sequence[float], k: int) -> float:
    """Return the slope of log|y| against log x between the points k and k + 1."""
    return float(np.log(abs(y[k + 1] / y[k])) / np.log(x[k + 1] / x[k]))


def two_powers(widths: Sequence[float], values: Sequence[float]) -> tuple[float, float, float]:
    """Return A and B of A/N + B/N^2 by least squares, and the largest relative residual."""
    n, y = np.array(widths, dtype=float), np.array(values)
    design = np.stack([1 / n, 1 / n**2], axis=1) / y[:, None]
    scale = np.abs(design).max(axis=0)
    (a, b), *_ = np.linalg.lstsq(design / scale, np.ones(len(n)), rcond=None)
    rest = design @ np.array([a, b] / scale) - 1
    return float(a / scale[0]), float(b / scale[1]), float(np.abs(rest).max())


def pulls(curve: Curve) -> Array:
    """Return (sampled - exact)/error at each width."""
    return np.asarray((np.array(curve.sampled) - np.array(curve.exact)) / np.array(curve.error))


def relative_spread(c: Coupling) -> float:
    """Return the spread of lam over the tuples relative to its mean; rounding counts as zero."""
    ratio = abs(c.spread / c.mean) if c.mean else float("inf")
    return 0.0 if ratio < ZERO else ratio


def at_tuple_width(r: NetworkResult) -> int | None:
    """Return the position of the width at which lam per tuple is kept."""
    return r.widths.index(TUPLE_WIDTH) if TUPLE_WIDTH in r.widths else None


def _each(study: Study, sentence: Callable[[NetworkResult], str | None]) -> tuple[Html, ...]:
    """Return a sentence for each network that has one."""
    words = [(name, sentence(r)) for name, r in study.networks.items()]
    return tuple(join([tag("b", NAMES[name]), ": ", _unbroken(text)]) for name, text in words if text)


def _unbroken(text: str) -> str:
    """Keep "N = 20" on one line."""
    return text.replace("N = ", "N\u00a0=\u00a0")


def _shown(slope: float, places: int = 3) -> str:
    return f"{slope:.{places}f}".replace("-", "−")


# --- the claims ------------------------------------------------------------------------------------------------------


def _two_point(study: Study) -> Verdict:
    curves = {name: r.deviation[2] for name, r in study.networks.items()}
    exact = max(max(map(abs, c.exact)) for c in curves.values())
    worst = max(float(np.abs(pulls(c)).max()) for c in curves.values())

    def sentence(r: NetworkResult) -> str:
        z = pulls(curves[r.name])
        k = int(np.abs(z).argmax())
        return (
            f"exact {'0' if exact < ZERO else number(max(map(abs, curves[r.name].exact)), 2)}; sampled, the largest of "
            f"{len(z)} deviations is {abs(z[k]):.1f} standard errors, at N = {r.widths[k]}."
        )

    claim, evidence = Html("ΔG⁽²⁾ = 0 at every width"), _each(study, sentence)
    if exact > ZERO:
        return Verdict(claim, "no", "fails", evidence)
    if worst > 5:
        return Verdict(claim, "partly", "holds exactly, but a sample disagrees", evidence)
    return Verdict(claim, "yes", "holds", evidence)


def _four_point(study: Study) -> Verdict:
    slopes = {name: log_slope(r.widths, r.deviation[4].exact) for name, r in study.networks.items()}

    def sentence(r: NetworkResult) -> str:
        c = r.deviation[4]
        level = c.exact[-1] * r.widths[-1]
        return f"log-log slope {_shown(slopes[r.name], 6)}; mean m₄ = {number(level, 5)}/N."

    holds = all(abs(s + 1) < 1e-6 for s in slopes.values())
    return Verdict(Html("ΔG⁽⁴⁾ ∝ 1/N"), "yes" if holds else "no", "holds" if holds else "fails", _each(study, sentence))


def _six_point(study: Study) -> Verdict:
    def sentence(r: NetworkResult) -> str:
        y = r.deviation[6].exact
        a, b, rest = two_powers(r.widths, y)
        first, last = local_slope(r.widths, y, 0), local_slope(r.widths, y, len(y) - 2)
        cross = abs(b / a)
        size = f"the second term is the larger below N = {number(cross, 3)}"
        if cross < r.widths[0]:
            size = f"the second term is at most {_percent(cross / r.widths[0])} of the first"
        fit = "" if rest < 1e-6 else f" (worst residual {number(rest, 2)})"
        return (
            f"mean m₆ = A/N + B/N² with A = {number(a, 4)}, B = {number(b, 4)}{fit}; {size}. "
            f"Log-log slope {_shown(log_slope(r.widths, y))} over all widths, "
            f"{_shown(first)} between {r.widths[0]} and {r.widths[1]}, {_shown(last)} between "
            f"{r.widths[-2]} and {r.widths[-1]}."
        )

    fits = [two_powers(r.widths, r.deviation[6].exact) for r in study.networks.values()]
    claim = Html("ΔG⁽⁶⁾ ∝ 1/N + 1/N² ∝ 1/N")
    if max(rest for _, _, rest in fits) > 1e-6:
        return Verdict(claim, "no", "fails", _each(study, sentence))
    if max(abs(b / a) for a, b, _ in fits) > 10:
        return Verdict(claim, "partly", "first step holds, second only at large N", _each(study, sentence))
    return Verdict(claim, "yes", "holds", _each(study, sentence))


def _connected_six(study: Study) -> Verdict:
    slopes = {name: log_slope(r.widths, r.connected[6].exact) for name, r in study.networks.items()}

    def sentence(r: NetworkResult) -> str:
        c = r.connected[6]
        seen = [w for w, v, e in zip(r.widths, c.sampled, c.error, strict=True) if abs(v) > 3 * e]
        seen = [w for w in seen if w not in c.unreliable]
        visible = f"sampled above three errors up to N = {max(seen)}" if seen else "not resolved by this sampling"
        if len(c.unreliable) == len(c.sampled):
            visible = "no sampled value is reliable"
        return f"log-log slope {_shown(slopes[r.name], 6)}; {visible}."

    holds = all(abs(s + 2) < 1e-6 for s in slopes.values())
    return Verdict(
        Html("connected G⁽⁶⁾ ∝ 1/N²"), "yes" if holds else "no", "holds" if holds else "fails", _each(study, sentence)
    )


def _background(study: Study) -> Verdict:
    def sentence(r: NetworkResult) -> str:
        words = []
        for n in (4, 6):
            c = r.deviation[n]
            above = [w for w, v, b in zip(r.widths, c.exact, c.background, strict=True) if abs(v) > b]
            words.append(f"m{'₄' if n == 4 else '₆'} " + (f"up to N = {max(above)}" if above else "at no width"))
        per = sorted({n // study.n_experiments for n in r.n_nets})
        size = f"{per[0]}" if len(per) == 1 else f"{per[0]} to {per[-1]}"
        return (
            f"the exact deviation exceeds the background for {words[0]}, {words[1]} ({size} networks per experiment)."
        )

    return Verdict(
        Html("the deviation stands out of the background, less so as N grows"),
        "partly",
        "depends on the sample, not on the networks alone",
        (
            *_each(study, sentence),
            Html("The background falls as one over the root of the networks per experiment (10⁵ on the slides)."),
        ),
    )


def _heavy_tails(study: Study) -> Verdict | None:
    def sentence(r: NetworkResult) -> str | None:
        bad = {n: np.isin(r.widths, r.deviation[n].unreliable) for n in (4, 6)}
        if not any(b.any() for b in bad.values()):
            return None
        z = np.concatenate([pulls(r.deviation[n])[b] for n, b in bad.items()])
        return (
            f"m₄ is unreliable at {bad[4].sum()}, m₆ at {bad[6].sum()} of {len(r.widths)} widths; {(z < -3).sum()} of "
            f"these {len(z)} values lie more than three of their own errors below the exact one, {(z > 3).sum()} above."
        )

    evidence = _each(study, sentence)
    if not evidence:
        return None
    return Verdict(
        Html("experiments measure G⁽⁴⁾ and G⁽⁶⁾ at these widths"),
        "partly",
        "not where the output’s distribution has heavy tails",
        evidence,
    )


def _constancy(study: Study) -> Verdict | None:
    here: list[float] = []
    one_sign: list[float] = []

    def sentence(r: NetworkResult) -> str | None:
        k = at_tuple_width(r)
        if k is None:
            return None
        c = r.lam_exact[k]
        here.append(relative_spread(c))
        words = (
            f"relative spread over tuples {_percent(here[-1])} on the slides’ inputs"
            f"{f', {c.flagged} of {c.tuples} tuples flagged' if c.flagged else ''}"
        )
        if r.lam_near_zero is not None:
            one_sign.append(relative_spread(r.lam_near_zero))
            words += f", {_percent(one_sign[-1])} on inputs of one sign"
            ratio = r.lam_near_zero.value / c.value
            if abs(ratio - 1) > 0.01:
                words += f"; least-squares λ differs between the two by a factor {number(ratio, 3)}"
        return words + f" (N = {TUPLE_WIDTH})."

    evidence = _each(study, sentence)
    if not evidence:
        return None
    everywhere = max([*here, *one_sign]) < 0.01
    return Verdict(
        Html("λ is constant (or nearly) over the inputs"),
        "yes" if everywhere else "partly" if one_sign and max(one_sign) < 0.01 else "no",
        "holds on these inputs" if everywhere else "holds on inputs of one sign, not on all of the slides’ inputs",
        evidence,
    )


def without_connected_six(r: NetworkResult) -> list[float]:
    """Return what the exact 4-point function gives of the 6-point function, all but its connected part, over all of it.

    A ratio of means over tuples.
    """
    pairs = zip(r.connected[6].exact, r.deviation[6].exact, strict=True)
    return [1 - c / (1 + m) for c, m in pairs]


def prediction_of_exact_lam(r: NetworkResult) -> list[float]:
    """Return the 6-point prediction with lam of the exact 4-point function, over the exact 6-point function.

    The prediction is linear in lam, so the one with the sampled lam gives it, without its noise.
    """
    kept = zip(r.prediction_gaussian, r.prediction_lam, r.lam_exact, r.lam_sampled, strict=True)
    return [free + (full - free) * e.value / s.value for free, full, e, s in kept]


def _prediction(study: Study) -> Verdict:
    shares: list[float] = []

    def sentence(r: NetworkResult) -> str:
        k = at_tuple_width(r) or 0
        free, best, exact = r.prediction_gaussian[k], without_connected_six(r)[k], prediction_of_exact_lam(r)[k]
        shares.append((exact - free) / (best - free) if best != free else 1.0)
        tail = "" if r.lam_sampled[k].reliable else ", heavy tails"
        return (
            f"at N = {r.widths[k]} the GP alone gives {number(free, 4)} of the exact G⁽⁶⁾, with λ of the exact G⁽⁴⁾ "
            f"{number(exact, 4)} (of the sampled {measured(r.prediction_lam[k], r.prediction_error[k])}{tail}), with "
            f"the whole G⁽⁴⁾ {number(best, 5)}: one λ carries {_percent(shares[-1])} of G⁽⁴⁾’s part."
        )

    evidence = _each(study, sentence)
    good = [s for s in shares if 0.8 < s < 1.2]
    answer: Answer = "yes" if len(good) == len(shares) else "partly" if good else "no"
    words = {"yes": "holds, up to the connected G⁽⁶⁾", "partly": "only where one λ fits G⁽⁴⁾", "no": "fails"}
    rest = Html("With the whole G⁽⁴⁾ only the connected G⁽⁶⁾ is missing, which no λ at first order gives.")
    return Verdict(Html("λ from G⁽⁴⁾ predicts G⁽⁶⁾"), answer, words[answer], (*evidence, rest))


def _flow(study: Study) -> Verdict | None:
    if not study.flows:
        return None

    def sentence(f: FlowResult) -> Html:
        where = join([tag("b", NAMES[f.network]), f", d = {f.d_in}: slope {slope_words(f)}"])
        if f.expected is not None:
            return join([where, f", expected −(d + 4) = {number(f.expected)}."])
        return join([where, f"; β/λ = {number(end_slope(f), 4)} at the largest cutoff."])

    known = [f for f in study.flows if f.expected is not None]
    holds = all(abs(f.slope - f.expected) < max(1e-6, 3 * f.slope_error) for f in known if f.expected is not None)
    return Verdict(
        Html("λ runs with the cutoff as a power, for ReLU-net Λ<sup>−(d+4)</sup>")
        if known
        else Html("λ runs as a power"),
        "yes" if holds else "no",
        "holds" if holds else "fails",
        tuple(map(sentence, study.flows)),
    )


def slope_words(f: FlowResult) -> str:
    """Return a flow's slope with its error, which for an exact power law is rounding."""
    if f.slope_error < 1e-9:
        return f"{number(round(f.slope, 9) + 0.0)} (to rounding)"
    return measured(f.slope, f.slope_error)


def end_slope(f: FlowResult) -> float:
    """Return d log|lam| / d log cutoff = beta/lam at the largest cutoff."""
    ratio = f.beta[-1] / f.lam[-1] if f.lam[-1] else float("nan")
    return 0.0 if abs(ratio) < ZERO else ratio


def _percent(ratio: float) -> str:
    return f"{number(100 * ratio, 2)}\u202f%" if ratio else "0"
