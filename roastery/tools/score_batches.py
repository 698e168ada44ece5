"""Scores of a net over some batches. Caffe: tools/caffe.cpp, test."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from runtime.logging import CaffeLog
from runtime.solver.means import OutputMean
from runtime.solver.nets import RunnableNet, net_outputs

from .confusion import Confusion
from .scores import Score


def score_batches(
    net: RunnableNet,
    iterations: int,
    log: CaffeLog,
    scores: Mapping[str, Score],
    confusion: Confusion | None = None,
) -> None:
    """Run some batches and tell the net's outputs, of each and on average.

    Args:
        scores: of outputs that have no mean.
        confusion: counts what it is taken for, of outputs that are not told.
    """
    sums: list[tuple[str, OutputMean, float]] = []
    loss = np.float32(0)
    hidden = confusion.scored.outputs if confusion is not None else ()
    for batch in range(iterations):
        loss += np.float32(net.forward_loss())
        outputs = []
        if confusion is not None:
            confusion.add(net)
        for output in net_outputs(net, hidden):
            if output.name in scores:
                scores[output.name].add(np.asarray(output.values, np.float32))
            else:
                outputs.append(output)
        for index, output in enumerate(outputs):
            for value in np.asarray(output.values, np.float32):
                log.batch_output(batch, output.name, value)
            if batch == 0:
                sums.append((output.name, OutputMean(), output.loss_weight))
            sums[index][1].add(output.values)
    log.mean_loss(loss / np.float32(iterations))
    for name, mean, weight in sums:
        for value in np.asarray(mean.values, np.float32):
            log.mean_output(name, value, weight)
    for output in net_outputs(net, hidden):
        if output.name in scores:
            scores[output.name].tell(log, output.name)
