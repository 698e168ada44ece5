"""Ops with shapes from real nets, and what PyTorch calls them. Read by ``kernels.py``."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ir import expr as e
from ir.build import Builder
from ir.graph import Graph, Value
from ir.op import Op
from ir.ops.convolution import Conv, ConvInputGrad, ConvWeightGrad
from ir.ops.gather import Gather, ScatterAdd
from ir.ops.reduction import ArgExtreme
from ir.ops.sort import TopK
from ir.ops.window import WindowMax, WindowPick, WindowScatter, WindowSpread, WindowSum
from ir.types import F32, I32, TensorType

Shape = tuple[int, ...]
Build = Callable[..., Value | Sequence[Value]]
Torch = Callable[..., Any]


@dataclass(frozen=True)
class Case:
    """One op (or a group that becomes one kernel) at one shape.

    Attributes:
        op: its name in the IR. where: the net and layer that the shape comes from.
        below: by input, for integers: numbers from 0 to this.
        torch: the same in PyTorch, called with the module and the inputs; None: it has no such op.
        real: whether it is a shape of a real net (tiny ones are for the interpreter).
    """

    op: str
    where: str
    build: Build
    shapes: tuple[Shape, ...]
    flops: float
    torch: Torch | None = None
    below: tuple[int, ...] = ()
    real: bool = False

    def graph(self) -> Graph:
        b = Builder(self.op)
        kinds = [I32 if self._limit(i) else F32 for i in range(len(self.shapes))]
        values = [
            b.input(f"x{i}", TensorType(shape, kind))
            for i, (shape, kind) in enumerate(zip(self.shapes, kinds, strict=True))
        ]
        results = self.build(b, *values)
        for i, value in enumerate([results] if isinstance(results, Value) else results):
            b.output(f"y{i}", value)
        return b.finish()

    def inputs(self) -> list[np.ndarray]:
        random = np.random.default_rng(0)
        return [
            random.integers(0, self._limit(i), shape).astype(np.int32)
            if self._limit(i)
            else random.standard_normal(shape, dtype=np.float32)
            for i, shape in enumerate(self.shapes)
        ]

    def _limit(self, i: int) -> int:
        return self.below[i] if i < len(self.below) else 0


def _one(op: Op) -> Build:
    return lambda b, *x: b.emit_all(op, *x)


# --- contractions ---------------------------------------------------------------------------

Conv2d = tuple[str, Shape, int, int, int, int]  # where, input, outputs, window, stride, pad
CONVOLUTIONS: tuple[Conv2d, ...] = (
    ("tiny", (2, 3, 9, 7), 5, 3, 2, 1),
    ("LeNet conv2", (64, 20, 12, 12), 50, 5, 1, 0),
    ("AlexNet conv1", (32, 3, 227, 227), 96, 11, 4, 0),
    ("GoogLeNet 3b 3x3", (32, 128, 28, 28), 192, 3, 1, 1),
    ("GoogLeNet 4a 1x1", (32, 480, 14, 14), 192, 1, 1, 0),
    ("ResNet-50 res3 3x3", (32, 128, 28, 28), 128, 3, 1, 1),
    ("ResNet-50 res5 1x1", (32, 2048, 7, 7), 512, 1, 1, 0),
)


def _convolutions(case: Conv2d) -> list[Case]:
    where, x, outputs, window, stride, pad = case
    real = where != "tiny"
    over = {"stride": (stride,) * 2, "pad": (pad,) * 2, "dilation": (1, 1)}
    w = (outputs, x[1], window, window)
    y = (x[0], outputs, *((d + 2 * pad - window) // stride + 1 for d in x[2:]))
    flops = 2.0 * math.prod(y) * math.prod(w[1:])
    ends = {"stride": stride, "padding": pad}

    def forward(b: Builder, x: Value, w: Value, bias: Value) -> Value:
        out = b.emit(Conv(**over), x, w)
        return b.map(e.maximum(e.arg(0) + e.arg(1), 0.0), out, bias)

    return [
        Case("conv+bias+relu", where, forward, (x, w, (1, outputs, 1, 1)), flops,
             lambda torch, x, w, b: torch.relu(
                 torch.nn.functional.conv2d(x, w, b.flatten(), **ends)), real=real),
        Case("conv_input_grad", where, _one(ConvInputGrad(**over, spatial=x[2:])), (y, w), flops,
             lambda torch, dy, w: torch.nn.grad.conv2d_input(x, w, dy, **ends), real=real),
        Case("conv_weight_grad", where, _one(ConvWeightGrad(**over, window=w[2:])), (x, y), flops,
             lambda torch, x, dy: torch.nn.grad.conv2d_weight(x, w, dy, **ends), real=real),
    ]  # fmt: skip


def _matmuls() -> list[Case]:
    sizes = {
        "tiny": (5, 17, 7),
        "LeNet ip1": (64, 800, 500),
        "AlexNet fc6": (128, 9216, 4096),
        "GoogLeNet classifier": (32, 1024, 1000),
    }

    def dense(b: Builder, x: Value, w: Value, bias: Value) -> Value:
        return b.map(e.arg(0) + e.arg(1), b.matmul(x, w, transpose_b=True), bias)

    return [
        Case("matmul+bias", where, dense, ((m, k), (n, k), (1, n)), 2.0 * m * n * k,
             lambda torch, x, w, b: torch.nn.functional.linear(x, w, b.flatten()),
             real=where != "tiny")
        for where, (m, k, n) in sizes.items()
    ]  # fmt: skip


# --- windows --------------------------------------------------------------------------------


def _pooling(where: str, x: Shape, window: int, stride: int) -> list[Case]:
    """Windows that fit without padding."""
    real = where != "tiny"
    rest = [(d - window) // stride * stride + window - d for d in x[2:]]
    over = {
        "window": (1, 1, window, window),
        "stride": (1, 1, stride, stride),
        "low": (0, 0, 0, 0),
        "high": (0, 0, *rest),
    }
    y = (*x[:2], *((d - window) // stride + 1 for d in x[2:]))
    taps = float(math.prod(y) * window * window)

    def max_gradient(b: Builder, x: Value, dy: Value) -> Value:
        _, place = b.emit_all(WindowMax(**over), x)
        return b.emit(WindowScatter(**over, shape=x.shape), dy, place)

    def pick(b: Builder, x: Value) -> Value:
        _, place = b.emit_all(WindowMax(**over), x)
        return b.emit(WindowPick(**over), x, place)

    return [
        Case("window_max", where, _one(WindowMax(**over)), (x,), taps,
             lambda torch, x: torch.nn.functional.max_pool2d(
                 x, window, stride, return_indices=True), real=real),
        Case("window_scatter", where, max_gradient, (x, y), 2 * taps, real=real),
        Case("window_pick", where, pick, (x,), taps, real=real),
        Case("window_sum", where, _one(WindowSum(**over)), (x,), taps,
             lambda torch, x: torch.nn.functional.avg_pool2d(
                 x, window, stride, divisor_override=1), real=real),
        Case("window_spread", where, _one(WindowSpread(**over, shape=x)), (y,), taps, real=real),
    ]  # fmt: skip


def _lrn(where: str, x: Shape) -> Case:
    """Across five channels: AlexNet's and GoogLeNet's."""
    over = {"window": (1, 5, 1, 1), "stride": (1,) * 4, "low": (0, 2, 0, 0), "high": (0, 2, 0, 0)}

    def build(b: Builder, x: Value) -> Value:
        total = b.emit(WindowSum(**over), b.map(e.arg(0) * e.arg(0), x))
        scale = e.arg(1) * (1e-4 / 5) + 1.0
        return b.map(e.arg(0) * e.exp(e.log(scale) * -0.75), x, total)

    return Case("window_sum (LRN)", where, build, (x,), 12.0 * math.prod(x),
                lambda torch, x: torch.nn.functional.local_response_norm(x, 5, 1e-4),
                real=where != "tiny")  # fmt: skip


# --- pointwise, movement, reductions --------------------------------------------------------


def _pointwise(where: str, x: Shape) -> list[Case]:
    real = where != "tiny"
    count = float(math.prod(x))
    channel = (1, x[1], 1, 1)
    half = x[1] // 2

    def scale(b: Builder, x: Value, a: Value, c: Value) -> Value:
        return b.map(e.maximum(e.arg(0) * e.arg(1) + e.arg(2), 0.0), x, a, c)

    def momentum(b: Builder, w: Value, d: Value, h: Value) -> tuple[Value, ...]:
        step = e.arg(2) * 0.9 + (e.arg(1) + e.arg(0) * 0.0005) * 0.01
        return b.maps((e.arg(0) - step, step), w, d, h)

    return [
        Case("map (relu)", where, lambda b, x: b.map(e.maximum(e.arg(0), 0.0), x), (x,), count,
             lambda torch, x: torch.relu(x), real=real),
        Case("map (tanh)", where, lambda b, x: b.map(e.tanh(e.arg(0)), x), (x,), count,
             lambda torch, x: torch.tanh(x), real=real),
        Case("map (scale+bias+relu)", where, scale, (x, channel, channel), 3 * count,
             lambda torch, x, a, c: torch.relu(x * a + c), real=real),
        Case("map (SGD update)", where, momentum, (x, x, x), 6 * count, real=real),
        Case("reduce (channel sums)", where, lambda b, x: b.sum(x, [0, 2, 3]), (x,), count,
             lambda torch, x: x.sum((0, 2, 3)), real=real),
        Case("reduce (max of channels)", where, lambda b, x: b.reduce("max", x, [1]), (x,), count,
             lambda torch, x: x.amax(1), real=real),
        Case("transpose", where, lambda b, x: b.transpose(x, [0, 2, 3, 1]), (x,), 0.0,
             lambda torch, x: x.permute(0, 2, 3, 1).contiguous(), real=real),
        Case("slice", where, lambda b, x: b.slice(x, 1, 1, 1 + half), (x,), 0.0,
             lambda torch, x: x[:, 1 : 1 + half].contiguous(), real=real),
        Case("concat", where, lambda b, x, y: b.concat([x, y], 1), (x, x), 0.0,
             lambda torch, x, y: torch.cat([x, y], 1), real=real),
        Case("pad", where, lambda b, x: b.pad(x, (0, 0, 1, 1), (0, 0, 1, 1)), (x,), 0.0,
             lambda torch, x: torch.nn.functional.pad(x, (1, 1, 1, 1)), real=real),
    ]  # fmt: skip


def _softmax(b: Builder, x: Value) -> Value:
    shifted = b.map(e.exp(e.arg(0) - e.arg(1)), x, b.reduce("max", x, [1]))
    return b.map(e.arg(0) / e.arg(1), shifted, b.sum(shifted, [1]))


def _rows(where: str, rows: int, wide: int, picked: int) -> list[Case]:
    """Scores of classes, and rows of a table."""
    real = where != "tiny"
    x, table = (rows, wide), (picked, wide)
    count = float(rows * wide)
    return [
        Case("softmax", where, _softmax, (x,), 4 * count,
             lambda torch, x: torch.softmax(x, 1), real=real),
        Case("arg_extreme", where, _one(ArgExtreme("max", 1)), (x,), count,
             lambda torch, x: x.argmax(1), real=real),
        Case("top_k", where, _one(TopK(5)), (x,), count,
             lambda torch, x: torch.topk(x, 5), real=real),
        Case("gather", where, _one(Gather()), (table, (rows,)), 0.0,
             lambda torch, t, i: t[i], below=(0, picked), real=real),
        Case("scatter_add", where, _one(ScatterAdd(picked)), (x, (rows,)), count,
             lambda torch, x, i: torch.zeros(table, device=x.device).index_add_(0, i, x),
             below=(0, picked), real=real),
    ]  # fmt: skip


CASES: tuple[Case, ...] = (
    *(case for shape in CONVOLUTIONS for case in _convolutions(shape)),
    *_matmuls(),
    *_pooling("tiny", (2, 3, 9, 7), 3, 2),
    *_pooling("AlexNet pool1", (32, 96, 55, 55), 3, 2),
    *_pooling("LeNet pool1", (64, 20, 24, 24), 2, 2),
    _lrn("tiny", (2, 7, 3, 5)),
    _lrn("AlexNet norm1", (32, 96, 27, 27)),
    *_pointwise("tiny", (2, 6, 5, 3)),
    *_pointwise("ResNet-50 res2", (32, 256, 56, 56)),
    *_rows("tiny", 5, 11, 7),
    *_rows("1000 classes", 256, 1000, 512),
)
