"""What is asked: the action and its kernels."""

from .action import Theory
from .interaction import Interaction

__all__ = ["Interaction", "Theory"]
