"""Convolutions and transposed convolutions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from ir.graph import Node
from ir.ops.convolution import Conv, ConvInputGrad

from ..rule import Constants, seen_rule
from ..seen import Seen, all_seen, seen_folded, seen_spread, seen_windowed
from ..traced_axis import TracedFactor, traced


@seen_rule(Conv)
def see_convolved(op: Conv, node: Node, operands: Sequence[Seen], known: Constants) -> Seen:
    shape = node.outputs[0].shape
    if operands[1].depends:
        return all_seen(operands, shape)
    seen = _mixed(operands[0], shape[1])
    for i, (reach, stride, pad) in enumerate(_windows(op, node), start=2):
        seen = seen_windowed(seen, i, shape[i], pad, Fraction(stride), reach)
    return seen


@seen_rule(ConvInputGrad)
def see_spread(op: ConvInputGrad, node: Node, operands: Sequence[Seen], known: Constants) -> Seen:
    shape = node.outputs[0].shape
    if operands[1].depends:
        return all_seen(operands, shape)
    seen = _mixed(operands[0], shape[1])
    for i, (reach, stride, pad) in enumerate(_windows(op, node), start=2):
        seen = seen_spread(seen, i, shape[i], pad, reach, stride)
    return seen


def _windows(op: Conv | ConvInputGrad, node: Node) -> Iterator[tuple[int, int, int]]:
    """Along each axis of the image: from a window's first element to its last, stride, padding."""
    sides = zip(node.inputs[1].shape[2:], op.stride, op.pad, op.dilation, strict=True)
    for kernel, stride, pad, dilation in sides:
        yield dilation * (kernel - 1), stride, pad


def _mixed(seen: Seen, channels: int) -> Seen:
    """With all channels read at once, into which a layer may have put positions."""
    if traced([seen.axes[1]]):
        seen = seen_folded(seen, [1])
    return seen.with_axis(1, (TracedFactor(channels),))
