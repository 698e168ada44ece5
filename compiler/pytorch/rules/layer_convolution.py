"""Convolution and Deconvolution."""

from __future__ import annotations

from ir.ops.convolution import Conv, ConvInputGrad

from ..printing.matching import adds_bias, call_with, pair
from ..printing.registry import LayerView, TorchModule, layer_rule


@layer_rule("Convolution", "Deconvolution", "ConvolutionDepthwise", "DepthwiseConvolution")
def convolution(layer: LayerView) -> TorchModule | None:
    """``nn.Conv2d`` and its like: of one bottom, padded alike at both ends."""
    first, *rest = layer.views() or (None,)
    info = layer.info
    if first is None or len(info.bottom_values) != 1 or len(rest) > 1:
        return None
    op = first.op
    if not isinstance(op, Conv | ConvInputGrad) or (rest and not adds_bias(layer, rest[0])):
        return None
    x, weights = first.inputs
    rank = x.type.rank - 2
    fits = x is info.bottom_values[0] and weights.shape == layer.variables[0].type.shape
    if not fits or rank > 3 or len(layer.variables) != 1 + len(rest):
        return None
    if any(node.inputs[0] is x for node in layer.nodes if node is not first):
        return None
    k, c = int(weights.shape[0]), int(weights.shape[1]) * op.group
    spread = isinstance(op, ConvInputGrad)
    text = call_with(
        f"nn.Conv{'Transpose' if spread else ''}{rank}d",
        str(k if spread else c),
        str(c if spread else k),
        pair(weights.shape[2:]),
        stride=(pair(op.stride), "1"),
        padding=(pair(op.pad), "0"),
        groups=(op.group, 1),
        bias=(bool(rest), True),
        dilation=(pair(op.dilation), "1"),
    )
    return TorchModule(text, ("weight", "bias")[: 1 + len(rest)])
