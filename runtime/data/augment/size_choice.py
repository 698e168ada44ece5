"""Several sizes for pictures, of which one is drawn for ten batches at a time.

eric612/MobileNet-YOLO: src/caffe/layers/annotated_data_layer.cpp, load_batch.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ir.philox import uniform

from ..draws import SIZE, Draws
from .settings import ResizeConfig

BATCHES_PER_SIZE = 10
_NEAR_ONE = 0.01


def sizes_mistake(sizes: Sequence[ResizeConfig]) -> str | None:
    """What is wrong with the probabilities of several sizes."""
    if len(sizes) < 2:
        return None
    for size in sizes:
        if not 0 <= size.prob <= 1:
            return f"prob is {size.prob:g}; from 0 to 1"
    total = sum(size.prob for size in sizes)
    if abs(total - 1) > _NEAR_ONE:
        return f"the prob of {len(sizes)} resize_param are {total:g} together; they must be 1"
    return None


def drawn_size(sizes: Sequence[ResizeConfig], draws: Draws, batch: int) -> ResizeConfig:
    """The size of the pictures of a batch."""
    if len(sizes) == 1:
        return sizes[0]
    ends = np.cumsum(np.array([size.prob for size in sizes], np.float32), dtype=np.float32)
    drawn = uniform(draws.lanes(SIZE, batch // BATCHES_PER_SIZE, 1))[0] * ends[-1]
    possible = [i for i, size in enumerate(sizes) if size.prob > 0]
    return sizes[min(int(np.searchsorted(ends, drawn, side="right")), possible[-1])]
