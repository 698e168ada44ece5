"""The random numbers that everything draws from."""

from __future__ import annotations

import numpy as np

from ir.philox import philox, philox_word


def test_first_word_is_the_published_one() -> None:
    """Random123's known answer for a counter and a key of zeros."""
    assert philox_word(0, 0, 0, 0) == int(philox(0, 0, 0, 0)) == 0x6627E8D5


def test_one_word_is_the_same_as_in_an_array() -> None:
    random = np.random.default_rng(0)
    counters = random.integers(-(1 << 40), 1 << 40, (100, 4))
    for seed in (0, 1, 0xFFFFFFFF):
        found = [philox_word(seed, *row) for row in counters]
        assert found == philox(seed, *counters.T).tolist()
