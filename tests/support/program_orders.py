"""Orders of a launch's programs, besides the ascending one that the interpreter takes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from runtime.interpret.program_order import Order


def backwards(count: int) -> Sequence[int]:
    return range(count)[::-1]


def shuffled(count: int) -> Sequence[int]:
    """At random, but the same for the same number of programs."""
    return np.random.default_rng(count).permutation(count).tolist()


ORDERS: tuple[Order, ...] = (backwards, shuffled)
