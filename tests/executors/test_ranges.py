"""Sets of bytes as ranges."""

from __future__ import annotations

import itertools

import numpy as np

from runtime.memory.ranges import Ranges


def test_ranges_against_sets() -> None:
    rng = np.random.default_rng(0)
    ranges, model = Ranges(), set[int]()
    for _ in range(500):
        start, stop = sorted(int(n) for n in rng.integers(0, 40, 2))
        if rng.random() < 0.5:
            ranges.add(start, stop)
            model |= set(range(start, stop))
        else:
            ranges.remove(start, stop)
            model -= set(range(start, stop))
        assert {n for a, b in ranges for n in range(a, b)} == model
        listed = list(ranges)
        assert all(a < b for a, b in listed)
        assert all(b < c for (_, b), (c, _) in itertools.pairwise(listed))
        assert bool(ranges) == bool(model)
        inside = {n for a, b in ranges.inside(10, 30) for n in range(a, b)}
        assert inside == model & set(range(10, 30))
