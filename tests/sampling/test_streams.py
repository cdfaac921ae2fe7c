"""Streams: their keys, and the size of experiments."""

import numpy as np
import pytest

from feynnn.errors import InputError
from feynnn.sampling.streams import experiment_size, run_key, stream

KEY = run_key({"width": 5, "points": [[0.1]]})


def test_the_stream_is_what_it_says() -> None:
    words = [int(KEY[i : i + 8], 16) for i in (0, 8, 16, 24)]
    sequence = np.random.SeedSequence(7, spawn_key=(*words, 3, 2))
    expected = np.random.Generator(np.random.SFC64(sequence)).standard_normal(5)
    np.testing.assert_array_equal(stream(7, KEY, 3, 2).standard_normal(5), expected)


def test_streams_differ() -> None:
    other = run_key({"width": 10, "points": [[0.1]]})
    keys = [(7, KEY, 0, 0), (7, KEY, 0, 1), (7, KEY, 1, 0), (8, KEY, 0, 0), (7, other, 0, 0)]
    first = {stream(*key).standard_normal() for key in keys}
    assert len(first) == len(keys)


def test_the_key_is_one_of_the_content() -> None:
    assert run_key({"points": [[0.1]], "width": 5}) == KEY
    assert len(KEY) == 32
    assert run_key({"points": [[np.nextafter(0.1, 1).item()]], "width": 5}) != KEY


def test_experiment_size() -> None:
    assert experiment_size(1000, 10) == 100
    for bad, words in (
        ((1001, 10), "multiple of n_experiments=10, got 1001; take 1000 or 1010"),
        ((5, 10), "got 5; take 10$"),
        ((0, 10), "n_nets must be at least 1"),
        ((10, 1), "n_experiments must be at least 2"),
    ):
        with pytest.raises(InputError, match=words):
            experiment_size(*bad)
    with pytest.raises(InputError, match="seed"):
        stream(-1, KEY, 0, 0)
