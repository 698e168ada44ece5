"""Priors, ground truth and detections to test detection layers with."""

from __future__ import annotations

import numpy as np


def boxes(rng: np.random.Generator, count: int, least: float = 0.1) -> np.ndarray:
    """Within 0..1, none smaller than ``least``."""
    size = rng.uniform(least, 0.6, (count, 2))
    corner = rng.uniform(0.0, 1.0, (count, 2)) * (1.0 - size)
    return np.concatenate([corner, corner + size], axis=1)


def priors(rng: np.random.Generator, count: int, *, beyond: bool = False) -> np.ndarray:
    """(1, 2, count * 4): boxes and variances. ``beyond``: some leave the image."""
    found = boxes(rng, count)
    if beyond:
        found += rng.uniform(-0.15, 0.15, found.shape)
        found[:, 2:] = np.maximum(found[:, 2:], found[:, :2] + 0.1)
    variance = np.tile([0.1, 0.1, 0.2, 0.2], (count, 1)) * rng.uniform(0.8, 1.2, (count, 4))
    return np.stack([found.reshape(-1), variance.reshape(-1)])[np.newaxis]


def truth(
    rng: np.random.Generator, items: list[int], classes: int, near: np.ndarray | None = None
) -> np.ndarray:
    """(1, 1, G, 8): a row for each of ``items``, of class 1 to ``classes`` - 1.

    ``near``: boxes, of which half of the rows are moved copies.
    """
    count = len(items)
    rows = np.zeros((count, 8))
    rows[:, 0] = items
    rows[:, 1] = rng.integers(1, classes, count)
    rows[:, 3:7] = boxes(rng, count)
    if near is not None:
        moved = rng.random(count) < 0.5
        some = near[rng.integers(0, len(near), count)] + rng.uniform(-0.03, 0.03, (count, 4))
        rows[moved, 3:7] = some[moved]
    rows[:, 7] = rng.random(count) < 0.3
    return rows[np.newaxis, np.newaxis]
