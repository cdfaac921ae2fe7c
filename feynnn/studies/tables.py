"""The study in a few lines of text."""

from __future__ import annotations

from .hms import TUPLE_WIDTH, Study


def summary(study: Study) -> str:
    """Return the study's main numbers as a table for a terminal."""
    lines = []
    for name, r in study.networks.items():
        lines.append(f"{name}-net, sigma_b = {r.sigma_b:g}, lam matched at cutoff {r.cutoff:g}")
        lines.append(
            f"  {'width':>5} {'networks':>9}  {'m_4 exact':>10} {'m_4 sampled':>20}  "
            f"{'lam exact':>11} {'lam sampled':>23}  {'pred./G6':>9}"
        )
        for i, width in enumerate(r.widths):
            d, e, s = r.deviation[4], r.lam_exact[i], r.lam_sampled[i]
            lines.append(
                f"  {width:>5} {r.n_nets[i]:>9}  {d.exact[i]:>10.3e} {d.sampled[i]:>10.3e} +-{d.error[i]:>7.1e}  "
                f"{e.value:>11.4e} {s.value:>11.4e} +- {s.error:>7.1e}  {r.prediction_lam[i]:>9.4f}"
            )
        lam = r.lam_exact[r.widths.index(TUPLE_WIDTH)]
        lines.append(
            f"  width {TUPLE_WIDTH}: lam per tuple {lam.mean:.4e}, spread {lam.spread:.1e}, "
            f"{lam.flagged} of {lam.tuples} tuples flagged"
        )
        if r.lam_near_zero is not None:
            z = r.lam_near_zero
            lines.append(
                f"  inputs of one sign: lam {z.value:.4e}, per tuple {z.mean:.4e}, relative spread "
                f"{abs(z.spread / z.mean):.1e}"
            )
        lines += [f"  note: {note}" for note in r.notes]
    for f in study.flows:
        expected = f", expected {f.expected:g}" if f.expected is not None else ""
        lines.append(
            f"flow {f.network} d = {f.d_in}: slope {f.slope:.6f} +- {f.slope_error:.1e}{expected}, "
            f"R^2 {f.r_squared:.6f}"
        )
    return "\n".join(lines)
