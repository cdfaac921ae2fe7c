"""Finite-width networks: what they are, how they are drawn, and their exact n-point functions."""

from .activation import Activation, Erf, Gauss, ReLU
from .finite_width import exact
from .network import Network

__all__ = ["Activation", "Erf", "Gauss", "Network", "ReLU", "exact"]
