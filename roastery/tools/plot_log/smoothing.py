"""Curves without their noise."""

from __future__ import annotations

import numpy as np


def smoothed(x: np.ndarray, y: np.ndarray, weight: float) -> np.ndarray:
    """Exponential means: each value weighs ``weight`` in the next, as in TensorBoard.

    The first values are as they are, not drawn to 0. NaN stays, and weighs nothing; a curve whose
    ``x`` goes back, as where a run was resumed, begins anew there.
    """
    result = np.full(len(y), np.nan)
    mean = total = 0.0
    last = -np.inf
    for number, (place, value) in enumerate(zip(x.tolist(), y.tolist(), strict=True)):
        if place < last:
            mean = total = 0.0
        last = place
        if value == value:
            mean = weight * mean + (1 - weight) * value
            total = weight * total + (1 - weight)
            result[number] = mean / total
    return result
