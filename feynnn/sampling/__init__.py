"""Ensembles of sampled networks: streams, power sums, checkpoints, and the n-point functions that come out."""

from .ensemble import Ensemble, sample

__all__ = ["Ensemble", "sample"]
