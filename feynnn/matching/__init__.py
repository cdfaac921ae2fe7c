"""Couplings from correlators, predictions from couplings, and their flow with the cutoff."""
