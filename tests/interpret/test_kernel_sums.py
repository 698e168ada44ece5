"""Sums over what a product makes, by its own kernel: over rows, with masked and whole tiles."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest
from kernel_runner import check, fused, random_inputs, scheduled

from compiler.kernel import Config, Scratch
from compiler.kernels.choice import Choice
from ir import expr as e
from ir.build import Builder
from ir.graph import Node, Value
from ir.layout import Layout, channels_last
from ir.op import Op
from ir.ops.convolution import Conv, ConvInputGrad
from ir.ops.matmul import MatMul
from ir.types import F16, F32, TensorType

SAME = ((1, 1), (1, 1), (1, 1))  # stride, pad, dilation
ONE = Conv((1, 1), (0, 0), (1, 1))
LAST = channels_last(4)


def image(*shape: int, layout: Layout | None = LAST) -> TensorType:
    return TensorType(shape, layout=layout)


def summed(op: Op, *operands: TensorType, fixed: bool = False) -> Node:
    """A product, and over its rows: sums, deviations, and sums of it times another tensor.

    ``fixed``: all sizes are numbers.
    """

    def build(b: Builder, *xs: Value) -> list[Value]:
        *factors, shift, image = xs
        y = b.emit(op, *factors)
        z = b.map(e.where(e.arg(1) > 0.0, e.arg(0), 0.0), y, image)
        z = b.map(e.arg(0) + e.arg(1), z, shift)
        axes = [axis for axis in range(y.type.rank) if axis != 1]
        total = b.sum(z, axes)
        found = [z, b.map(e.arg(0) * 0.5 + e.arg(1), total, shift)]
        found.append(b.sum(b.map(e.arg(0) * (e.arg(1) - e.arg(2)), z, image, shift), axes))
        return [*found, b.reduce("deviations", z, axes)]

    b = Builder("result")
    result = b.emit(op, *(b.input(f"x{i}", t) for i, t in enumerate(operands))).type
    result = dataclasses.replace(result, layout=operands[0].layout)
    channels = TensorType(tuple(d if axis == 1 else 1 for axis, d in enumerate(result.shape)))
    numbers = range(len(operands) + 2) if fixed else (1, len(operands))
    return fused(build, *operands, channels, result, schedule="contract", variables=numbers)


CASES: dict[str, Node] = {
    "conv": summed(Conv(*SAME), image(3, 32, 7, 7), image(36, 32, 3, 3)),
    "conv, row-major": summed(
        Conv(*SAME), image(2, 2, 9, 9, layout=None), image(36, 2, 3, 3, layout=None)
    ),
    "conv of one pixel": summed(
        Conv((1, 1), (0, 0), (1, 1)), image(3, 64, 7, 5), image(64, 64, 1, 1)
    ),
    "conv_input_grad": summed(
        ConvInputGrad(*SAME, spatial=(7, 7)),
        image(3, 32, 7, 7),
        image(32, 64, 3, 3, layout=Layout.of((1, 2, 3, 0))),
    ),
    "conv of lines that tiles fill up": summed(
        Conv(*SAME),
        image(2, 4, 3, 40, layout=None),
        image(36, 4, 3, 3, layout=None),
        fixed=True,
    ),
    "conv of whole lines": summed(
        Conv(*SAME), image(2, 32, 3, 64), image(36, 32, 3, 3), fixed=True
    ),
    "matmul": summed(MatMul(False, True), TensorType((130, 80)), TensorType((36, 80))),
}
ELSEWHERE: dict[str, Node] = {
    "conv in groups": summed(Conv(*SAME, 2), image(3, 8, 6, 6), image(36, 4, 3, 3)),
    "depthwise conv": summed(Conv(*SAME, 8), image(3, 8, 6, 6), image(8, 1, 3, 3)),
    "conv_input_grad in phases": summed(
        ConvInputGrad((2, 2), (1, 1), (1, 1), spatial=(12, 12)),
        image(2, 8, 6, 6),
        image(8, 5, 3, 3),
    ),
}


def ways(node: Node) -> list[Choice]:
    """Every tile that holds the whole depth, every way to fold, and one split."""
    choices = scheduled(node).choices
    found: dict[Config | None, Choice] = {}
    for choice in choices:
        if choice.splits > 1:
            found.setdefault(None, dataclasses.replace(choice, splits=2))
        elif choice.second not in [other.second for other in found.values()]:
            found[choice.config] = choice
        else:
            found.setdefault(choice.config, choice)
    return list(found.values())


@pytest.mark.parametrize("name", CASES)
def test_every_tile(name: str) -> None:
    """Whole, the product's kernel and one that folds; with a split depth the result is read."""
    node = CASES[name]
    for choice in ways(node):
        launches = check(node, tolerance=1e-4, choice=choice)
        entries = [launch.kernel.entry for launch in launches]
        if choice.splits == 1:
            assert entries[1:] == ["reduce_fold"]
            assert sum(isinstance(w, Scratch) for w in launches[0].outputs) == 4
        else:
            assert entries[1] == "sum_partials" and entries[2].startswith("reduce_")


@pytest.mark.parametrize("name", ELSEWHERE)
def test_other_products_are_read_back(name: str) -> None:
    launches = check(ELSEWHERE[name], tolerance=1e-4)
    assert launches[1].kernel.entry.startswith("reduce_")


@pytest.mark.parametrize(("middle", "spread"), [(1e4, 1.0), (-3e5, 2.0), (0.0, 1e-6)])
def test_deviations_are_exact_far_from_zero(middle: float, spread: float) -> None:
    """The products are small numbers, the shift is large: nothing but it is rounded."""

    def build(b: Builder, x: Value, w: Value, shift: Value) -> list[Value]:
        y = b.map(e.arg(0) + e.arg(1), b.emit(ONE, x, w), shift)
        return [y, b.sum(y, (0, 2, 3)), b.reduce("deviations", y, (0, 2, 3))]

    weights = image(5, 4, 1, 1, layout=None)
    node = fused(
        build, image(7, 4, 13, 13), weights, TensorType((1, 5, 1, 1)), schedule="contract",
        variables=(1, 2),
    )  # fmt: skip
    x, w, shift = random_inputs(node)
    w[:] = np.eye(5, 4, dtype=np.float32)[:, :, None, None]
    x = (np.round(x * 64) / 64 * spread).astype(np.float32)  # sums with the shift are exact
    shift[:] = middle
    check(node, [x, w, shift], tolerance=2e-6)


def test_halves_are_summed_as_they_are_stored() -> None:
    def build(b: Builder, x: Value, w: Value) -> list[Value]:
        y = b.cast(b.emit(Conv(*SAME), x, w), F16)
        wide = b.cast(y, F32)
        axes = (0, 2, 3)
        return [y, b.sum(wide, axes), b.reduce("deviations", wide, axes)]

    types: Sequence[TensorType] = (image(3, 32, 8, 8), image(40, 32, 3, 3))
    half = [dataclasses.replace(t, dtype=F16) for t in types]
    node = fused(build, *half, schedule="contract", variables=(1,))
    for choice in scheduled(node).choices[:3]:
        check(node, tolerance=2e-3, choice=choice)
