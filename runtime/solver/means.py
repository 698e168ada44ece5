"""Means of an output over the batches of a test. Caffe: Solver::Test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..distributed.ranks import Ranks
from ..logging.caffe_log import CaffeLog
from ..logging.solver_lines import NetOutput
from .nets import RunnableNet, net_outputs


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

    def join(self, other: OutputMean) -> None:
        """Take over the batches of another mean."""
        size = max(len(self._total), len(other._total))
        total, batches = (np.zeros((2, size), np.float32) for _ in range(2))
        for row, mean in enumerate((self, other)):
            total[row, : len(mean._total)] = mean._total
            batches[row, : len(mean._batches)] = mean._batches
        self._total, self._batches = total[0] + total[1], batches[0] + batches[1]

    @property
    def values(self) -> tuple[float, ...]:
        return tuple(float(v) for v in self._total / self._batches)


class MeanOutputs:
    """Collects the outputs of one test net over its batches."""

    def __init__(self, net: RunnableNet) -> None:
        self._net = net
        self._outputs: list[NetOutput] = []
        self._sums: list[OutputMean] = []

    def add(self) -> None:
        """What the last forward left."""
        self._outputs = net_outputs(self._net)
        self._sums = self._sums or [OutputMean() for _ in self._outputs]
        for mean, output in zip(self._sums, self._outputs, strict=True):
            mean.add(output.values)

    def gather(self, ranks: Ranks) -> None:
        """Have the batches of all ranks."""
        if ranks.count == 1:
            return
        tested = [each for each in ranks.gathered((self._outputs, self._sums)) if each[0]]
        if tested:
            self._outputs, self._sums = tested[0]
        for _, sums in tested[1:]:
            for mine, other in zip(self._sums, sums, strict=True):
                mine.join(other)

    def tell(self, log: CaffeLog) -> list[NetOutput]:
        """Log the means, and return them."""
        means = [
            replace(output, values=mean.values)
            for output, mean in zip(self._outputs, self._sums, strict=True)
        ]
        log.test_outputs(means)
        return means
