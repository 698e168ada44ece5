"""Means of an output over the batches of a test. Caffe: Solver::Test."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


class OutputMean:
    """The mean of each value of one output, in float32 as Caffe adds them up.

    An output may have another number of values in each batch (scores of a picture of any size);
    the mean of a value is then over the batches that had it.
    """

    def __init__(self) -> None:
        self._total = np.zeros(0, np.float32)
        self._batches = np.zeros(0, np.float32)

    def add(self, values: Sequence[float]) -> None:
        """The values of one more batch."""
        came = np.asarray(values, np.float32)
        known = min(len(came), len(self._total))
        self._total[:known] += came[:known]
        self._batches[:known] += 1
        more = came[known:]
        self._total = np.concatenate([self._total, more])
        self._batches = np.concatenate([self._batches, np.ones_like(more)])

    @property
    def values(self) -> tuple[float, ...]:
        return tuple(float(v) for v in self._total / self._batches)
