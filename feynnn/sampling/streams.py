"""Random streams with keys: every chunk of networks has its own, whoever draws it and when."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np

from ..errors import InputError
from ..points import whole


def run_key(identity: dict[str, Any]) -> str:
    """Return 32 hexadecimal digits that name a run: a hash of all that decides its networks except the seed."""
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def stream(seed: int, key: str, experiment: int, chunk: int) -> np.random.Generator:
    """Return the generator of one chunk of one experiment.

    It is SFC64 seeded by ``SeedSequence(seed, spawn_key=(*key, experiment, chunk))``: bits do not depend on workers,
    their order or interruptions. The key of the run, in four words, keeps runs of different networks or sizes
    independent although they have the same seed; without it width 5 and width 10 would share their neurons.

    Parameters
    ----------
    seed : int
        Seed of the run, not negative.
    key : str
        What `run_key` returned.
    experiment, chunk : int
        Numbers of the experiment and of the chunk in it.

    Raises
    ------
    InputError
        If the seed is negative or not whole.
    """
    words = [int(key[i : i + 8], 16) for i in range(0, 32, 8)]
    sequence = np.random.SeedSequence(whole(seed, "seed"), spawn_key=(*words, experiment, chunk))
    return np.random.Generator(np.random.SFC64(sequence))


def experiment_size(n_nets: int, n_experiments: int) -> int:
    """Return the networks per experiment.

    Raises
    ------
    InputError
        If there are fewer than two experiments or `n_nets` is not a positive multiple of their number.
    """
    total, experiments = whole(n_nets, "n_nets", least=1), whole(n_experiments, "n_experiments", least=2)
    if total % experiments:
        below, above = total // experiments * experiments, (total // experiments + 1) * experiments
        near = f"{below} or {above}" if below else f"{above}"
        raise InputError(f"n_nets must be a multiple of n_experiments={experiments}, got {total}; take {near}")
    return total // experiments
