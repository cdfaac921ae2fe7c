"""Coupling names as people write them: lam -> λ or \\lambda, kap2 -> κ₂ or \\kappa_{2}."""

from __future__ import annotations

import re

#: Short ASCII names of Greek letters beside the full ones.
_SHORT = {"lam": "lambda", "kap": "kappa", "sig": "sigma", "eps": "epsilon", "gam": "gamma", "alp": "alpha"}
_LETTERS = {
    "alpha": "α",
    "beta": "β",
    "gamma": "γ",
    "delta": "δ",
    "epsilon": "ε",
    "zeta": "ζ",
    "eta": "η",
    "theta": "θ",
    "iota": "ι",
    "kappa": "κ",
    "lambda": "λ",
    "mu": "μ",
    "nu": "ν",
    "xi": "ξ",
    "rho": "ρ",
    "sigma": "σ",
    "tau": "τ",
    "phi": "φ",
    "chi": "χ",
    "psi": "ψ",
    "omega": "ω",
}
_SUBSCRIPT = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def _split(name: str) -> tuple[str, str]:
    """Return the Greek letter's full name ('' if none) and what follows it."""
    for word in sorted([*_SHORT, *_LETTERS], key=len, reverse=True):
        rest = name[len(word) :]
        if name.startswith(word) and re.fullmatch(r"_?(\d+|[A-Z]\w*|)", rest, re.ASCII):
            return _SHORT.get(word, word), rest.lstrip("_")
    return "", name


def unicode_name(name: str) -> str:
    """Return the coupling for plain text and SVG: λ, κ, λ₂, λ_NL."""
    letter, rest = _split(name)
    if not letter:
        return name
    if not rest:
        return _LETTERS[letter]
    return _LETTERS[letter] + (rest.translate(_SUBSCRIPT) if rest.isdecimal() else f"_{rest}")


def latex_name(name: str) -> str:
    """Return the coupling for LaTeX: \\lambda, \\kappa, \\lambda_{2}, \\lambda_{NL}."""
    letter, rest = _split(name)
    if letter:
        return f"\\{letter}" + (f"_{{{rest}}}" if rest else "")
    match = re.fullmatch(r"([A-Za-z])_?(\d+)", name, re.ASCII)
    if match:
        return f"{match.group(1)}_{{{match.group(2)}}}"
    return name if len(name) == 1 else "\\mathrm{" + name.replace("_", r"\_") + "}"
