"""InnerProduct."""

from __future__ import annotations

from ir.ops.matmul import MatMul

from ..printing.matching import adds_bias, call_with
from ..printing.registry import LayerView, TorchModule, layer_rule


@layer_rule("InnerProduct")
def inner_product(layer: LayerView) -> TorchModule | None:
    """``nn.Linear`` of what stands from an axis on, flattened; not with transposed weights."""
    first, *rest = layer.views() or (None,)
    if first is None or not isinstance(first.op, MatMul) or first.op.transpose_a:
        return None
    if not first.op.transpose_b or len(rest) > 1 or len(layer.variables) != 1 + len(rest):
        return None
    if rest and not adds_bias(layer, rest[0]):
        return None
    x, top = layer.info.bottom_values[0].type, layer.info.top_values[0].type
    axis = top.rank - 1
    if not 1 <= axis < x.rank or x.shape[:axis] != top.shape[:axis]:
        return None
    outputs, inputs = (int(d) for d in layer.variables[0].type.shape)
    text = call_with("nn.Linear", str(inputs), str(outputs), bias=(bool(rest), True))
    before = f".flatten({axis})" if axis < x.rank - 1 else ""
    return TorchModule(text, ("weight", "bias")[: 1 + len(rest)], before=before)
