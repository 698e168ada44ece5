"""The displayed loss: a mean over the last iterations. Caffe: solver.cpp, UpdateSmoothedLoss."""

from __future__ import annotations

import numpy as np


class SmoothedLoss:
    """Mean of the last ``window`` losses, in float32 as Caffe adds them up."""

    def __init__(self, window: int) -> None:
        self.window = window
        self.clear()

    def clear(self) -> None:
        self._losses: list[np.float32] = []
        self._count = 0
        self.value = np.float32(0.0)

    def update(self, loss: float) -> None:
        new = np.float32(loss)
        with np.errstate(all="ignore"):
            if len(self._losses) < self.window:
                size = len(self._losses)
                self._losses.append(new)
                self.value = np.float32((self.value * size + new) / (size + 1))
            else:
                place = self._count % self.window
                self.value = np.float32(
                    self.value + (new - self._losses[place]) / np.float32(self.window)
                )
                self._losses[place] = new
        self._count += 1
