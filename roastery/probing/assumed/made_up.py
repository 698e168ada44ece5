"""Values in place of data that is not there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from runtime.data.config import SourceConfig
from runtime.data.sources.dummy_data import DummyDataConfig, DummyFiller

from .shapes import Shape


def made_up(config: SourceConfig, shapes: Sequence[Shape]) -> DummyDataConfig:
    """A source of made-up values: even ones from 0 to 1 for the first top, class 0 for labels
    (no boxes, where they are boxes).

    Both are made once, so that making them is no part of what is timed.
    """
    first = DummyFiller(fill=_even, constant=True)
    value = config.made_up_label
    labels = DummyFiller(fill=lambda shape, seed: _constant(shape, value), constant=True)
    return DummyDataConfig(
        tops=config.tops,
        layer=config.layer,
        location=config.location,
        shape=tuple(shapes),
        data_filler=tuple(labels if i else first for i in range(len(shapes))),
    )


def _even(shape: Shape, seed: int) -> np.ndarray:
    return np.random.Generator(np.random.Philox(seed)).random(shape, np.float32)


def _constant(shape: Shape, value: float) -> np.ndarray:
    return np.full(shape, value, np.float32)
