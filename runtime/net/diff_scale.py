"""The number that a net's diffs are multiplied with while they have 16 bits."""

from __future__ import annotations

import numpy as np

from compiler.passes.precision.loss_scale import LOSS_SCALE, LOSS_UNSCALE
from ir.types import TensorType

from ..memory.buffers import side_by_side


class DiffScale:
    """A power of two, in memory for graphs: with its inverse, so that nothing is rounded."""

    def __init__(self) -> None:
        names = LOSS_SCALE, LOSS_UNSCALE
        both = side_by_side([TensorType((1,))] * len(names))
        self.buffers = dict(zip(names, both, strict=True))
        self.value = 1.0

    @property
    def value(self) -> float:
        return float(self.buffers[LOSS_SCALE].peek()[0])

    @value.setter
    def value(self, scale: float) -> None:
        self.buffers[LOSS_SCALE].put(np.array([scale]))
        self.buffers[LOSS_UNSCALE].put(np.array([1.0 / scale]))
