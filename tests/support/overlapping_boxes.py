"""Boxes for non-maximum suppression: where a rounding decides, and what is hardly a box."""

from __future__ import annotations

import numpy as np

from ir.ops.suppression import NonMaximum

OPS = (
    NonMaximum(0.3),
    NonMaximum(0.5, touching=True),
    NonMaximum(1 / 3, most=7, pixel=1),
    NonMaximum(0.9, eta=0.8),
    NonMaximum(0.75, eta=0.9, most=5, pixel=1, touching=True),
    NonMaximum(-1.0),
    NonMaximum(0.0, touching=True),
    NonMaximum(1e-41),
)


def whole(rng: np.random.Generator, rows: int, length: int) -> np.ndarray:
    """Overlaps of which many are just what thresholds are; some boxes are empty, or there twice."""
    corner = rng.integers(0, 8, (rows, length, 2))
    extent = rng.integers(-1, 6, (rows, length, 2))
    return np.concatenate([corner, corner + extent], axis=-1).astype(np.float32) / 4


def anywhere(rng: np.random.Generator, rows: int, length: int) -> np.ndarray:
    corner = rng.random((rows, length, 2))
    extent = rng.random((rows, length, 2)) * 0.4
    return np.concatenate([corner, corner + extent], axis=-1).astype(np.float32)


def strange(rng: np.random.Generator, rows: int, length: int) -> np.ndarray:
    """Of sides that are infinite, or no numbers."""
    boxes = whole(rng, rows, length)
    for value in (np.nan, np.inf, -np.inf):
        boxes[rng.random(boxes.shape) < 0.1] = value
    return boxes


def close(rng: np.random.Generator, rows: int, length: int) -> np.ndarray:
    """Pairs whose overlaps differ from 1 / 3 and 0.3 by few roundings, if at all."""
    extent = rng.random((rows, length, 2)) + 0.5
    share = rng.choice([0.5, 6 / 13], (rows, length, 1))  # that neighbours have in common
    corner = rng.integers(0, 3, (rows, length, 1)) * extent[..., :1] * (1 - share)
    x = np.concatenate([corner, corner + extent[..., :1]], axis=-1)
    y = np.zeros((rows, length, 1)), extent[..., 1:]
    boxes = np.concatenate([x[..., :1], y[0], x[..., 1:], y[1]], axis=-1).astype(np.float32)
    return np.repeat(boxes[:, : -(-length // 3)], 3, axis=1)[:, :length] * rng.choice(
        np.array([1, 1 + 2**-23, 1 - 2**-24], np.float32), (rows, length, 4)
    )


KINDS = (whole, anywhere, strange, close)
