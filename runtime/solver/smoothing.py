"""The displayed loss: a mean over the last iterations. Caffe: solver.cpp, UpdateSmoothedLoss."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ir.errors import RoasteryError


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

    def average(self, mean: Callable[[Sequence[float]], list[float]]) -> None:
        """Replace what is remembered by means over ranks; all of them remember as many losses."""
        numbers = [float(number) for number in (*self._losses, self.value)]
        *losses, value = map(np.float32, mean(numbers))
        self._losses, self.value = losses, value

    def position(self) -> dict[str, Any]:
        """For snapshots, as JSON."""
        return {
            "window": self.window,
            "losses": list(map(float, self._losses)),
            "count": self._count,
            "value": float(self.value),
        }

    def restore(self, saved: Mapping[str, Any]) -> bool:
        """Inverse of :meth:`position`; gives whether there was something of this window.

        Raises RoasteryError for what was not written by it.
        """
        if not saved or saved.get("window") != self.window:
            return False
        losses, count, value = (saved.get(name) for name in ("losses", "count", "value"))
        fits = (
            isinstance(losses, list)
            and all(type(loss) is float for loss in (*losses, value))
            and type(count) is int
            and len(losses) == min(count, self.window)
        )
        if not fits:
            raise RoasteryError(f"the saved losses are damaged: {dict(saved)!r:.80}")
        assert isinstance(losses, list) and isinstance(count, int)
        with np.errstate(all="ignore"):
            self._losses, self._count = list(map(np.float32, losses)), count
            self.value = np.float32(value)
        return True
