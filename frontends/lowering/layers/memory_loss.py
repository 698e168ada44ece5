"""MemoryLoss (MyCaffe): a loss that a program computes beside the net."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ir.graph import Value
from ir.ops.host import HostCall
from ir.types import TensorType

from ..context import LayerContext
from ..registry import layer


@layer(
    "MemoryLoss",
    param="loss_param",
    bottoms=(1, 2),
    loss=True,
    host=True,
    fork="MyCaffe",
    note="Its top is 0, and training stops where it would go backward: the loss, and the diffs of "
    "the bottoms, come from a program that calls the net. In Python give these diffs and go "
    'backward from the layers that made the bottoms: `net.backward(start="...")`.',
)
def lower_memory_loss(ctx: LayerContext) -> Value:
    """0. In MyCaffe a program's event says what the loss is when the layer runs.

    MyCaffe: MyCaffe/layers/MemoryLossLayer.cs.
    """
    if not ctx.train:
        return ctx.b.fill(0.0, ())
    error = ctx.error(
        f"the loss '{ctx.tops[0]}' comes from a program that calls the net: it cannot be trained "
        "without that",
        "type",
        f"in Python fill the diff of '{ctx.layer.bottom[0]}' and go backward from the layer that "
        "makes it: net.backward(start=...); or put a loss here that Roastery has",
    )

    def forward(inputs: Sequence[np.ndarray]) -> Sequence[np.ndarray]:
        return [np.zeros((), inputs[0].dtype)]

    def backward(wanted: Sequence[bool], arrays: Sequence[np.ndarray]) -> Sequence[np.ndarray]:
        raise error

    op = HostCall(ctx.name, (TensorType(()),), forward, backward)
    return ctx.b.emit(op, *ctx.bottoms)
