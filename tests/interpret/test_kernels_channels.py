"""Windows over images with the channels last, in tiles of positions and channels."""

from __future__ import annotations

import pytest
from kernel_runner import check, fused, lowered, random_inputs

from ir import expr as e
from ir.build import Builder
from ir.graph import Node, Value
from ir.layout import Layout, channels_last
from ir.ops.convolution import Conv, ConvInputGrad, ConvWeightGrad
from ir.ops.pointwise import Map
from ir.ops.window import WindowMax
from ir.types import BF16, F32, DType, TensorType

LAST = channels_last(4)


def image(*shape: int) -> TensorType:
    return TensorType(shape, layout=LAST)


def forward(channels: int, stride: int, each: int) -> Node:
    weights = TensorType((channels * each, 1, 3, 3), layout=Layout.of((1, 2, 3, 0)))
    op = Conv((stride, stride), (1, 1), (1, 1), group=channels)

    def build(b: Builder, x: Value, w: Value) -> Value:
        return b.emit(op, x, w, layout=LAST)

    return fused(build, image(2, channels, 6, 8), weights, schedule="contract")


def input_gradient(channels: int, stride: int, each: int) -> Node:
    op = ConvInputGrad((stride, stride), (1, 1), (1, 1), channels, (6, 8))

    def build(b: Builder, g: Value, w: Value) -> Value:
        return b.emit(op, g, w, layout=LAST)

    weights = TensorType((channels * each, 1, 3, 3), layout=Layout.of((1, 2, 3, 0)))
    return fused(
        build, image(2, channels * each, 6 // stride, 8 // stride), weights, schedule="contract"
    )


def weight_gradient(channels: int, stride: int, each: int) -> Node:
    op = ConvWeightGrad((stride, stride), (1, 1), (1, 1), channels, (3, 3))

    def build(b: Builder, x: Value, g: Value) -> Value:
        return b.emit(op, x, g)

    return fused(
        build,
        image(2, channels, 6, 8),
        image(2, channels * each, 6 // stride, 8 // stride),
        schedule="contract",
    )


@pytest.mark.parametrize(("channels", "stride", "each"), [(16, 1, 1), (24, 2, 1), (8, 1, 2)])
@pytest.mark.parametrize("make", [forward, input_gradient, weight_gradient])
def test_depthwise_convolutions(make: object, channels: int, stride: int, each: int) -> None:
    assert callable(make)
    node = make(channels, stride, each)
    name = "tap_sums" if make is weight_gradient else "flat_channels"
    assert lowered(node)[0].kernel.entry == name
    check(node, random_inputs(node, seed=channels))


def test_channels_that_fill_no_vector_are_in_blocks() -> None:
    node = forward(6, 1, 1)
    assert lowered(node)[0].kernel.entry == "flat"
    check(node)


def test_pooling() -> None:
    op = WindowMax((1, 1, 3, 3), (1, 1, 2, 2), (0, 0, 0, 0), (0, 0, 1, 1))

    def build(b: Builder, x: Value) -> list[Value]:
        return list(b.emit_all(op, x, layout=LAST))

    node = fused(build, image(2, 20, 6, 6))
    assert lowered(node)[0].kernel.entry == "flat_channels"
    check(node)


@pytest.mark.parametrize("dtype", [F32, BF16])
@pytest.mark.parametrize(
    ("rows", "channels"), [((2, 6, 8), 64), ((3, 5, 7), 48), ((1, 9, 33), 160)]
)
def test_values_of_channels(rows: tuple[int, int, int], channels: int, dtype: DType) -> None:
    """They are read once for all rows of a program; tiles end within the image, or with it."""
    batch, *sides = rows
    shape = TensorType((batch, channels, *sides), dtype, layout=LAST)
    channel = TensorType((1, channels, 1, 1))

    def build(b: Builder, x: Value, mean: Value, factor: Value, y: Value) -> list[Value]:
        wide = [e.to_float(e.arg(number, dtype)) for number in (0, 1)]
        moved = (wide[0] - e.arg(1)) * e.arg(2)
        z = b.emit(Map((moved,)), x, mean, factor, layout=LAST)
        both = e.maximum(e.arg(0) + wide[1], e.const(0.0))
        return [z, b.emit(Map((both,)), z, y, layout=LAST)]

    node = fused(build, shape, channel, channel, shape, variables=(1, 2))
    assert lowered(node)[0].kernel.entry == "channel_rows"
    check(node)
