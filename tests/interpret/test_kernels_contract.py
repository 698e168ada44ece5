"""The contract schedule: matrix products, convolutions and their gradients."""

from __future__ import annotations

import pytest
from kernel_runner import check, fused, lowered, single

from compiler.options import CompileOptions
from compiler.triton.lower import lower_node
from ir import expr as e
from ir.build import Builder
from ir.graph import Node, Value
from ir.layout import Layout, channels_last
from ir.ops.convolution import Conv, ConvInputGrad, ConvWeightGrad
from ir.ops.matmul import MatMul
from ir.types import TensorType
from tests.support.kernel_rules import multiplies_plain_tf32

TOLERANCE = 1e-4
Shape = tuple[int, ...]


def matmul(batch: Shape, m: int, k: int, n: int, ta: bool, tb: bool) -> Node:
    a = (*batch, *((k, m) if ta else (m, k)))
    c = (*batch, *((n, k) if tb else (k, n)))
    return single(MatMul(ta, tb), a, c, schedule="contract")


@pytest.mark.parametrize("ta", [False, True])
@pytest.mark.parametrize("tb", [False, True])
@pytest.mark.parametrize(
    ("batch", "m", "k", "n"),
    [((), 5, 7, 9), ((3,), 17, 33, 40), ((2, 2), 1, 1, 1), ((), 33, 64, 2)],
)
def test_matrix_products(batch: Shape, m: int, k: int, n: int, ta: bool, tb: bool) -> None:
    (launch,) = check(matmul(batch, m, k, n, ta, tb), tolerance=TOLERANCE)
    assert not multiplies_plain_tf32(launch.kernel.source)


def test_long_products_are_split() -> None:
    def build(b, x, w, bias):  # type: ignore[no-untyped-def]
        y = b.matmul(x, w, transpose_b=True)
        return b.map(e.maximum(e.arg(0) + e.arg(1), 0.0), y, bias), y

    node = fused(build, (3, 2000), (40, 2000), (1, 40), schedule="contract")
    first, second = check(node, tolerance=TOLERANCE)
    assert first.grid[1] > 1
    assert first.outputs[0] in second.arguments


def test_products_without_depth_are_zero() -> None:
    check(matmul((), 3, 0, 4, False, True))


CONVOLUTIONS = [
    # x, w, stride, pad, dilation, group
    ((2, 3, 9, 8), (5, 3, 3, 3), (2, 2), (1, 1), (1, 1), 1),
    ((2, 3, 9, 8), (5, 3, 1, 1), (1, 1), (0, 0), (1, 1), 1),
    ((2, 3, 9, 8), (5, 3, 1, 1), (2, 2), (0, 0), (1, 1), 1),
    ((2, 3, 7, 7), (4, 3, 1, 1), (1, 1), (1, 1), (1, 1), 1),
    ((2, 4, 9, 8), (6, 2, 3, 2), (1, 2), (1, 0), (2, 1), 2),
    ((2, 4, 9, 8), (6, 2, 3, 3), (2, 3), (1, 2), (2, 1), 2),
    ((1, 3, 11, 10), (2, 3, 3, 2), (3, 2), (2, 1), (2, 2), 1),
    ((1, 2, 8, 8), (3, 2, 4, 4), (2, 2), (1, 1), (1, 1), 1),
    ((1, 1, 9, 9), (2, 1, 2, 2), (3, 4), (0, 0), (1, 1), 1),
    ((2, 4, 9), (6, 4, 5), (3,), (2,), (1,), 1),
    ((1, 2, 5, 6, 4), (3, 2, 2, 3, 2), (1, 2, 1), (1, 0, 1), (1, 1, 2), 1),
    ((1, 8, 6, 6), (40, 8, 3, 3), (1, 1), (1, 1), (1, 1), 1),
]


@pytest.mark.parametrize("case", CONVOLUTIONS, ids=str)
def test_convolutions(case) -> None:  # type: ignore[no-untyped-def]
    x, w, stride, pad, dilation, group = case

    def build(b, data, weights, bias):  # type: ignore[no-untyped-def]
        y = b.emit(Conv(stride, pad, dilation, group), data, weights)
        return b.map(e.maximum(e.arg(0) + e.arg(1), 0.0), y, bias)

    bias = (1, w[0], *(1 for _ in stride))
    (launch,) = check(fused(build, x, w, bias, schedule="contract"), tolerance=TOLERANCE)
    assert launch.kernel.source.count("    for ") == 1


@pytest.mark.parametrize("case", CONVOLUTIONS, ids=str)
def test_convolution_gradients(case) -> None:  # type: ignore[no-untyped-def]
    x, w, *kind = case
    y = Conv(*kind).outputs(x[2:], w[2:])
    dy = (x[0], w[0], *y)
    check(
        single(ConvInputGrad(*kind, spatial=x[2:]), dy, w, schedule="contract"), tolerance=TOLERANCE
    )
    check(
        single(ConvWeightGrad(*kind, window=w[2:]), x, dy, schedule="contract"), tolerance=TOLERANCE
    )


LAST = [
    # x, w, stride, pad, dilation, group
    ((2, 32, 6, 5), (8, 32, 3, 3), (1, 1), (1, 1), (1, 1), 1),  # whole steps in a tap
    ((1, 40, 5, 5), (6, 40, 3, 3), (1, 1), (1, 1), (1, 1), 1),  # the last is filled up
    ((1, 33, 5, 5), (35, 33, 2, 3), (1, 1), (1, 0), (1, 1), 1),
    ((1, 40, 5, 5), (36, 20, 3, 3), (1, 1), (1, 1), (1, 1), 2),
    ((2, 20, 6, 5), (8, 20, 3, 3), (1, 1), (1, 1), (1, 1), 1),  # channels and taps in one
    ((2, 4, 9, 9), (5, 4, 7, 7), (2, 2), (3, 3), (1, 1), 1),
    ((1, 5, 9, 9), (5, 5, 1, 5), (1, 3), (0, 3), (1, 1), 1),
    ((1, 20, 7, 7), (6, 20, 3, 3), (1, 1), (2, 2), (2, 2), 1),
    ((1, 20, 8, 8), (24, 20, 4, 4), (2, 2), (1, 1), (1, 1), 1),  # phases
    ((2, 4, 9, 8), (6, 4, 3, 3), (2, 3), (1, 2), (2, 1), 1),
    ((1, 16, 7, 7), (6, 16, 6, 6), (1, 1), (3, 3), (1, 1), 1),  # more taps than a word has bits
    ((1, 20, 5), (24, 20, 3), (1,), (1,), (1,), 1),
]


@pytest.mark.parametrize("case", LAST, ids=str)
def test_channels_last(case) -> None:  # type: ignore[no-untyped-def]
    """Forward and both gradients."""
    x, w, *kind = case
    y = Conv(*kind).outputs(x[2:], w[2:])
    rank = len(x)
    image, result = (TensorType(s, layout=channels_last(rank)) for s in (x, (x[0], w[0], *y)))
    weights = TensorType(w, layout=channels_last(rank))
    turned = TensorType(w, layout=Layout.of((1, *range(2, rank), 0)))
    for op, operands in (
        (Conv(*kind), (image, weights)),
        (ConvInputGrad(*kind, spatial=x[2:]), (result, turned)),
        (ConvWeightGrad(*kind, window=w[2:]), (image, result)),
    ):
        check(single(op, *operands, schedule="contract"), tolerance=TOLERANCE)


def test_a_factor_of_one_element_is_a_tile() -> None:
    """A phase has one position, whatever the sizes: they are numbers here."""

    def build(b, dy, weights):  # type: ignore[no-untyped-def]
        return b.emit(ConvInputGrad((2, 2), (1, 1), (1, 1), 1, spatial=(1, 2)), dy, weights)

    node = fused(build, (1, 1, 2, 2), (1, 3, 1, 1), schedule="contract", variables=(0,))
    check(node, tolerance=TOLERANCE)


def test_weight_gradients_are_split() -> None:
    op = ConvWeightGrad((1, 1), (1, 1), (1, 1), window=(3, 3))
    node = single(op, (3, 8, 20, 20), (3, 40, 20, 20), schedule="contract")
    first, _ = check(node, tolerance=TOLERANCE)
    assert first.grid[1] > 1


def test_deconvolution_with_epilogue() -> None:
    op = ConvInputGrad((2, 2), (1, 1), (1, 1), spatial=(8, 8))

    def build(b, y, weights, bias, skip):  # type: ignore[no-untyped-def]
        x = b.emit(op, y, weights)
        return b.map(e.arg(0) + e.arg(1) + e.arg(2), x, bias, skip), x

    node = fused(build, (2, 3, 4, 4), (3, 5, 4, 4), (1, 5, 1, 1), (2, 5, 8, 8), schedule="contract")
    check(node, tolerance=TOLERANCE)


def test_padding_stays_zero_behind_a_prologue() -> None:
    def build(b, x, w):  # type: ignore[no-untyped-def]
        y = b.map(e.arg(0) + 1.0, x)
        return b.emit(Conv((1, 1), (1, 1), (1, 1)), y, w)

    check(fused(build, (1, 2, 4, 4), (3, 2, 3, 3), schedule="contract"), tolerance=TOLERANCE)


def test_text_does_not_depend_on_batch_or_image() -> None:
    def texts(n: int, h: int) -> list[str]:
        x, w, y = (n, 4, h, h + 1), (6, 4, 3, 3), (n, 6, h, h + 1)
        kind = ((1, 1), (1, 1), (1, 1))

        def spread(b: Builder, y: Value, w: Value) -> Value:
            return b.emit(ConvInputGrad(*kind, spatial=y.shape[2:]), y, w)

        def dense(b: Builder, x: Value, w: Value) -> Value:
            return b.emit(MatMul(False, True), x, w)

        nodes = [
            single(Conv(*kind), x, w, schedule="contract"),
            fused(spread, y, w, schedule="contract", variables=(1,)),
            single(ConvWeightGrad(*kind, window=(3, 3)), x, y, schedule="contract"),
            fused(dense, (n, 12), (7, 12), schedule="contract", variables=(1,)),
            single(MatMul(True, False), (n, 12), (n, 7), schedule="contract"),
        ]
        return [lowered(node)[0].kernel.source for node in nodes]

    assert texts(2, 5) == texts(3, 9) == texts(1, 2)


def test_tf32_only_when_asked_for() -> None:
    node = matmul((), 4, 8, 4, False, False)
    multiplies = {"float32": "= dot_tf32x3(", "tf32": 'n="tf32"', "ieee": 'n="ieee"'}
    for precision in multiplies:
        (launch,) = lower_node(node, CompileOptions(precision=precision))
        _, _, body = launch.kernel.source.rpartition("@triton.jit")
        assert [p for p, text in multiplies.items() if text in body] == [precision]


THIN = [
    # x, w, stride, pad, dilation, group
    ((2, 4, 7, 6), (4, 1, 3, 3), (1, 1), (1, 1), (1, 1), 4),
    ((2, 4, 7, 6), (4, 1, 3, 2), (2, 3), (1, 1), (1, 1), 4),
    ((1, 3, 9, 8), (6, 1, 3, 3), (2, 1), (2, 2), (2, 2), 3),
    ((1, 4, 6, 6), (2, 2, 2, 2), (2, 2), (0, 0), (1, 1), 2),
    ((2, 3, 8), (3, 1, 5), (1,), (2,), (1,), 3),
    ((1, 2, 7, 7), (2, 1, 1, 1), (3, 3), (0, 0), (1, 1), 2),
]


@pytest.mark.parametrize("case", THIN, ids=str)
def test_depthwise_convolutions_need_no_dot(case) -> None:  # type: ignore[no-untyped-def]
    x, w, *kind = case
    y = Conv(*kind).outputs(x[2:], w[2:])
    dy = (x[0], w[0], *y)
    bias = (1, w[0], *(1 for _ in y))

    def forward(b, data, weights, bias):  # type: ignore[no-untyped-def]
        return b.map(e.arg(0) + e.arg(1), b.emit(Conv(*kind), data, weights), bias)

    def weight_grad(b, data, g, old):  # type: ignore[no-untyped-def]
        dw = b.emit(ConvWeightGrad(*kind, window=w[2:]), data, g)
        return b.map(e.arg(0) + e.arg(1), dw, old)

    nodes = [
        fused(forward, x, w, bias, schedule="contract"),
        single(ConvInputGrad(*kind, spatial=x[2:]), dy, w),
        fused(weight_grad, x, dy, w, schedule="contract"),
    ]
    for node in nodes:
        (launch,) = check(node, tolerance=TOLERANCE)
        assert "tl.dot" not in launch.kernel.source


def test_long_depthwise_weight_gradients_are_split() -> None:
    op = ConvWeightGrad((1, 1), (1, 1), (1, 1), 2, window=(1, 1))
    node = single(op, (80, 2, 15, 16), (80, 2, 17, 18))
    first, _ = check(node, tolerance=TOLERANCE)
    assert first.grid[1] > 1


def test_gradients_of_an_empty_batch_are_zero() -> None:
    op = ConvWeightGrad((1, 1), (1, 1), (1, 1), window=(3, 3))
    check(single(op, (0, 2, 5, 5), (0, 3, 5, 5)))
    thin = ConvWeightGrad((1, 1), (1, 1), (1, 1), 2, window=(3, 3))
    check(single(thin, (0, 2, 5, 5), (0, 2, 5, 5)))
    assert lowered(single(Conv((1, 1), (1, 1), (1, 1)), (0, 2, 5, 5), (3, 2, 3, 3))) == []


def test_a_tail_reads_a_step_of_a_sequence_and_a_gate_of_a_cell() -> None:
    """Slices are read where they lie; all steps share one text."""

    def step(t: int, n: int, k: int) -> Node:
        def build(b: Builder, x: Value, w: Value, sequence: Value, gates: Value) -> list[Value]:
            now = b.reshape(b.slice(sequence, 0, t, t + 1), (n, 24))
            gate = b.slice(gates, 1, 24, 48)
            product = b.emit(MatMul(False, True), x, w)
            total = b.map(e.arg(0) + e.arg(1), product, now)
            return [total, b.map(e.arg(0) * e.arg(1), total, gate)]

        return fused(build, (n, k), (24, k), (4, n, 24), (n, 72), schedule="contract")

    for t, n, k in ((0, 3, 40), (2, 40, 40), (3, 3, 2000)):  # the last is split
        check(step(t, n, k), tolerance=1e-4)
    texts = {lowered(step(t, n, 40))[0].kernel.source for t in range(4) for n in (3, 40)}
    assert len(texts) == 1


def test_operands_are_read_out_of_a_sequence() -> None:
    """A slice along the leading axis is an address: its start is an argument."""

    def product(t: int, n: int, k: int) -> Node:
        def build(b: Builder, sequence: Value, w: Value) -> Value:
            now = b.reshape(b.slice(sequence, 0, t, t + 1), (n, k))
            return b.emit(MatMul(False, True), now, w)

        return fused(build, (4, n, k), (24, k), schedule="contract", variables=(1,))

    def images(t: int) -> Node:
        def build(b: Builder, x: Value, w: Value) -> Value:
            return b.emit(Conv((1, 1), (1, 1), (1, 1)), b.slice(x, 0, t, t + 2), w)

        return fused(build, (5, 3, 6, 5), (4, 3, 3, 3), schedule="contract", variables=(1,))

    for t, n, k in ((0, 3, 40), (2, 40, 33), (3, 3, 2000)):
        check(product(t, n, k), tolerance=TOLERANCE)
    for make in (lambda t: product(t, 3, 40), images):
        assert len({lowered(make(t))[0].kernel.source for t in range(4)}) == 1
    for t in (0, 3):
        check(images(t), tolerance=TOLERANCE)
