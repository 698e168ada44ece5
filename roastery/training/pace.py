"""How many pictures an iteration takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runtime.solver.nets import RunnableNet
from runtime.solver.solver import Solver


def inputs_per_iteration(solver: Solver) -> int:
    """How many pictures, sentences or rows the train net sees until its parameters change; 0 where
    its inputs have no batch: the first extent of what the first layer without bottoms makes."""
    return batch_size(solver.train) * solver.config.iter_size


def batch_size(net: RunnableNet) -> int:
    """As the inputs are now."""
    blobs: Mapping[str, Any] = getattr(net, "blobs", {})
    for layer in net.program.layers:
        if layer.tops and not layer.bottoms:
            name = layer.tops[0]
            shape = blobs[name].data.type.shape if name in blobs else layer.top_values[0].shape
            return int(shape[0]) if shape else 0
    return 0
