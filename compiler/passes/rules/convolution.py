"""What simplify does with convolutions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ir.graph import Node
from ir.ops.convolution import Conv, ConvInputGrad, ConvWeightGrad
from ir.ops.window import WindowSpread, WindowSum

from ..rewrite import Context, Rewrite, simplifies


@simplifies(Conv, ConvWeightGrad)
def sample_image(node: Node, context: Context) -> Rewrite | None:
    """A 1 x 1 convolution with strides is one without, of the pixels that it reads.

    Several convolutions and their weights' gradients read the same ones, then from one place.

    Before::

        %y: f32[8,512,28,28] = conv(%x, %w) stride=(2,2) pad=(0,0) dilation=(1,1)

    After::

        %x.sampled: f32[8,256,28,28] = window_sum(%x) window=(1,1,1,1) stride=(1,1,2,2) ...
        %y: f32[8,512,28,28] = conv(%x.sampled, %w) stride=(1,1) ...
    """
    op = node.op
    assert isinstance(op, Conv | ConvWeightGrad)
    image, other = node.inputs
    window = other.shape[2:] if isinstance(op, Conv) else op.window
    if not _samples(op.stride, op.pad, window):
        return None
    result = node.output if isinstance(op, Conv) else other
    sample = WindowSum(**_sampling(image.shape, result.shape, op.stride))
    try:
        pixels = context.fresh(f"{image.name}.sampled", sample.infer([image.type])[0])
    except TypeError:
        return None  # of an extent that is not known it may not be said how many are left over
    dense = replace(op, stride=(1,) * len(op.stride))
    return Rewrite(
        (
            replace(node, op=sample, inputs=(image,), outputs=(pixels,)),
            replace(node, op=dense, inputs=(pixels, other)),
        )
    )


@simplifies(ConvInputGrad)
def spread_image(node: Node, context: Context) -> Rewrite | None:
    """The gradient of a 1 x 1 convolution with strides reaches only the pixels that were read.

    Before::

        %d: f32[8,256,56,56] = conv_input_grad(%g, %w) stride=(2,2) ... spatial=(56,56)

    After::

        %d.sampled: f32[8,256,28,28] = conv_input_grad(%g, %w) stride=(1,1) ... spatial=(28,28)
        %d: f32[8,256,56,56] = window_spread(%d.sampled) window=(1,1,1,1) stride=(1,1,2,2) ...
    """
    op = node.op
    assert isinstance(op, ConvInputGrad)
    gradient, weights = node.inputs
    if not _samples(op.stride, op.pad, weights.shape[2:]):
        return None
    dense = replace(op, stride=(1,) * len(op.stride), spatial=gradient.shape[2:])
    pixels = context.fresh(
        f"{node.output.name}.sampled", dense.infer([gradient.type, weights.type])[0]
    )
    shape = node.output.shape
    spread = WindowSpread(**_sampling(shape, gradient.shape, op.stride), shape=shape)
    try:
        spread.infer([pixels.type])
    except TypeError:
        return None
    return Rewrite(
        (
            replace(node, op=dense, outputs=(pixels,)),
            replace(node, op=spread, inputs=(pixels,)),
        )
    )


def _samples(stride: Sequence[int], pad: Sequence[int], window: Sequence[int]) -> bool:
    return {*pad, 0} == {0} and {*window, 1} == {1} and {*stride, 1} != {1}


def _sampling(
    image: Sequence[int], pixels: Sequence[int], stride: Sequence[int]
) -> dict[str, tuple[int, ...]]:
    """The windows of one element that stand at the pixels that a convolution reads."""
    strides = (1, 1, *stride)
    high = [
        (there - 1) * s + 1 - extent if axis > 1 else 0
        for axis, (extent, there, s) in enumerate(zip(image, pixels, strides, strict=True))
    ]
    ones, none = (1,) * len(strides), (0,) * len(strides)
    return {"window": ones, "stride": strides, "low": none, "high": tuple(high)}
