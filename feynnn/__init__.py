"""feynnn: Feynman diagrams, perturbative correlators and network ensembles for the NN-QFT correspondence.

The public names load on first use, so that ``import feynnn`` costs almost nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .diagrams.counting import count as count
    from .diagrams.diagram import Diagram as Diagram
    from .diagrams.diagram_set import DiagramSet as DiagramSet
    from .diagrams.generation import generate as generate
    from .diagrams.generation import stream as stream
    from .errors import FeynnnError as FeynnnError
    from .errors import FeynnnWarning as FeynnnWarning
    from .matching.fitting import match as match
    from .matching.running import beta as beta
    from .matching.running import flow as flow
    from .networks.finite_width import exact as exact
    from .networks.network import Network as Network
    from .npoint import NPoint as NPoint
    from .perturbation.correlator import Correlator as Correlator
    from .perturbation.expressions import expression as expression
    from .perturbation.expressions import ratio as ratio
    from .perturbation.formulas import formula as formula
    from .perturbation.lowering import lower as lower
    from .perturbation.quadrature import Cutoff as Cutoff
    from .sampling.ensemble import sample as sample
    from .storage import load as load
    from .storage import save as save
    from .theory import kernels as kernels
    from .theory.action import Theory as Theory
    from .theory.interaction import Interaction as Interaction
    from .views.drawing import draw as draw
    from .views.pages import report as report

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
    "formula": "perturbation.formulas",
    "generate": "diagrams.generation",
    "kernels": "theory",
    "load": "storage",
    "lower": "perturbation.lowering",
    "match": "matching.fitting",
    "ratio": "perturbation.expressions",
    "report": "views.pages",
    "sample": "sampling.ensemble",
    "save": "storage",
    "stream": "diagrams.generation",
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
