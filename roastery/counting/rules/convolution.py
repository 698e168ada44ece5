"""Convolutions and transposed convolutions."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from ir.graph import Node
from ir.ops.convolution import Conv, ConvInputGrad

from ..rule import Constants, seen_rule
from ..seen import Seen, all_seen, seen_folded, seen_spread, seen_windowed
from ..traced_axis import TracedFactor, traced


@seen_rule(Conv)
def see_convolved(op: Conv, node: Node, operands: Sequence[Seen], known: Constants) -> Seen:
    shape, window = node.outputs[0].shape, node.inputs[1].shape[2:]
    if operands[1].depends:
        return all_seen(operands, shape)
    seen = _mixed(operands[0], shape[1])
    sides = zip(window, op.stride, op.pad, op.dilation, strict=True)
    for i, (k, s, p, d) in enumerate(sides, start=2):
        seen = seen_windowed(seen, i, shape[i], p, Fraction(s), d * (k - 1))
    return seen


@seen_rule(ConvInputGrad)
def see_spread(op: ConvInputGrad, node: Node, operands: Sequence[Seen], known: Constants) -> Seen:
    shape, window = node.outputs[0].shape, node.inputs[1].shape[2:]
    if operands[1].depends:
        return all_seen(operands, shape)
    seen = _mixed(operands[0], shape[1])
    sides = zip(window, op.stride, op.pad, op.dilation, strict=True)
    for i, (k, s, p, d) in enumerate(sides, start=2):
        seen = seen_spread(seen, i, shape[i], p, d * (k - 1), s)
    return seen


def _mixed(seen: Seen, channels: int) -> Seen:
    """With all channels read at once, into which a layer may have put positions."""
    if traced([seen.axes[1]]):
        seen = seen_folded(seen, [1])
    return seen.with_axis(1, (TracedFactor(channels),))
