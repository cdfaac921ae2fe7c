"""feynnn: Feynman diagrams, perturbative correlators and network ensembles for the NN-QFT correspondence.

The public names load on first use, so that ``import feynnn`` costs almost nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_WHERE = {
    "Correlator": "perturbation.correlator",
    "Cutoff": "perturbation.quadrature",
    "Diagram": "diagrams.diagram",
    "DiagramSet": "diagrams.diagram_set",
    "FeynnnError": "errors",
    "FeynnnWarning": "errors",
    "Interaction": "theory.interaction",
    "NPoint": "npoint",
    "Network": "networks.network",
    "Theory": "theory.action",
    "beta": "matching.running",
    "count": "diagrams.counting",
    "draw": "views.drawing",
    "exact": "networks.finite_width",
    "expression": "perturbation.expressions",
    "flow": "matching.running",
    "formula": "perturbation.formula",
    "generate": "diagrams.generation",
    "kernels": "theory",
    "load": "storage",
    "lower": "perturbation.lowering",
    "match": "matching.fitting",
    "ratio": "perturbation.expressions",
    "report": "views.report",
    "sample": "sampling.ensemble",
    "save": "storage",
}

__all__ = ["__version__", *sorted(_WHERE)]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'feynnn' has no attribute {name!r}")
    value = (
        getattr(import_module(f"feynnn.{_WHERE[name]}"), name)
        if name != "kernels"
        else import_module("feynnn.theory.kernels")
    )
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
