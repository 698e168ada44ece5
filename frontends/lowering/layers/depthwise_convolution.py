"""DepthwiseConvolution and ConvolutionDepthwise (mobile nets): one filter per channel."""

from __future__ import annotations

from collections.abc import Sequence

from ir.graph import Value

from ..context import LayerContext
from ..registry import layer
from ..uneven_padding import PADDING_FIELDS
from .convolution import convolve


@layer(
    "DepthwiseConvolution",
    param="convolution_param",
    bottoms=(1, None),
    tops=(1, None),
    same_count=True,
    fork_fields=("dilation_h", "dilation_w", *PADDING_FIELDS),
    fork="mobile nets",
    coordinates="windows",
    note="Without `group` it is a plain Convolution, as in the fork on a CPU.",
)
def lower_depthwise_convolution(ctx: LayerContext) -> Sequence[Value]:
    """A Convolution with ``group`` groups, which is 1 if it is not given: so are its blobs shaped.

    yonghenglh6/DepthwiseConvolution, eric612/MobileNet-YOLO:
    src/caffe/layers/depthwise_conv_layer.cpp, which is BaseConvolutionLayer's.
    """
    return convolve(ctx, ctx.param.num_output, ctx.param.group)


@layer(
    "ConvolutionDepthwise",
    param="convolution_param",
    fork_fields=("dilation_h", "dilation_w", *PADDING_FIELDS),
    fork="mobile nets",
    coordinates="windows",
)
def lower_convolution_depthwise(ctx: LayerContext) -> Sequence[Value]:
    """One filter and one output per channel, whatever num_output and group say."""
    channels = ctx.x.shape[ctx.axis(ctx.param.axis)]
    return convolve(ctx, channels, channels)
