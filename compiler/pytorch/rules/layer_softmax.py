"""Softmax."""

from __future__ import annotations

from ir.ops.reduction import Reduce

from ..printing.registry import LayerView, TorchModule, layer_rule


@layer_rule("Softmax")
def softmax(layer: LayerView) -> TorchModule | None:
    if layer.ops != ["reduce", "map", "reduce", "map"]:
        return None
    op = layer.nodes[0].op
    assert isinstance(op, Reduce)
    return TorchModule(f"nn.Softmax({op.axes[0]})") if len(op.axes) == 1 else None
