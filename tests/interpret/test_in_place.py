"""Kernels whose results overwrite an operand, in every pair that the memory plan may choose.

Each kernel runs with several programs, whole and split: it computes the same as into a buffer of
its own, and no program reads what another one overwrites.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from kernel_runner import (
    NumberedWays,
    compare,
    fused,
    lowered,
    random_inputs,
    run_launches,
    scheduled,
)

from compiler.kernels.choice import Choice
from compiler.plan.aliasing import may_overwrite
from ir import expr as e
from ir.build import Builder
from ir.graph import Node, Value
from ir.ops.convolution import Conv
from ir.ops.matmul import MatMul
from runtime.interpret.launcher import KernelFailure

Shape = tuple[int, ...]


def pointwise() -> Node:
    """Two results: what the second needs of an operand is at hand when the first is stored."""

    def build(b: Builder, x: Value, y: Value) -> list[Value]:
        total = b.map(e.arg(0) + e.arg(1) * 2.0, x, y)
        return [total, b.map(e.arg(0) * e.arg(1), total, x)]

    return fused(build, (3, 500), (3, 500))


def seen_in_another_shape() -> Node:
    def build(b: Builder, x: Value, shift: Value) -> Value:
        return b.map(e.arg(0) + e.arg(1), b.reshape(x, (50, 30)), shift)

    return fused(build, (3, 500), (1, 30))


def transposed() -> Node:
    """One operand is read where the result is written, the other elsewhere."""

    def build(b: Builder, x: Value, y: Value) -> Value:
        return b.map(e.arg(0) - e.arg(1), x, b.transpose(y, (1, 0)))

    return fused(build, (40, 40), (40, 40))


def apart() -> Node:
    """The second result reads an operand that the first has not loaded."""

    def build(b: Builder, x: Value, y: Value) -> list[Value]:
        return [b.map(e.arg(0) * 2.0, y), b.map(e.arg(0) + e.arg(1), x, y)]

    return fused(build, (3, 500), (3, 500))


def in_two_shapes() -> Node:
    """The second result loads the operand again, by other coordinates."""

    def build(b: Builder, x: Value, shift: Value) -> list[Value]:
        return [
            b.map(e.arg(0) * 2.0, x),
            b.map(e.arg(0) + e.arg(1), b.reshape(x, (50, 30)), shift),
        ]

    return fused(build, (3, 500), (1, 30))


def compared() -> Node:
    """Elements of one byte lie where other programs read those of four."""

    def build(b: Builder, x: Value) -> list[Value]:
        return [b.map(e.arg(0) * 2.0, x), b.map(e.arg(0) > 0.0, x)]

    return fused(build, (3, 500))


def log_sum() -> Node:
    """A number for each row: fewer than what it is made of."""

    def build(b: Builder, x: Value) -> Value:
        most = b.reduce("max", x, (1,))
        power = b.map(e.exp(e.arg(0) - e.arg(1)), x, most)
        return b.map(e.log(e.arg(0)) + e.arg(1), b.sum(power, (1,)), most)

    return fused(build, (3, 300), schedule="row")


def softmax(shape: Shape) -> Node:
    def build(b: Builder, x: Value, scale: Value) -> list[Value]:
        most = b.reduce("max", x, (1,))
        power = b.map(e.exp(e.arg(0) - e.arg(1)), x, most)
        quotient = b.map(e.arg(0) / e.arg(1) * e.arg(2), power, b.sum(power, (1,)), scale)
        return [quotient, most]

    return fused(build, shape, shape, schedule="row")


def product() -> Node:
    """A residual sum behind it, and an operand that has the result's size."""

    def build(b: Builder, x: Value, w: Value, old: Value) -> Value:
        return b.map(e.arg(0) + e.arg(1) * 0.5, b.emit(MatMul(False, False), x, w), old)

    return fused(build, (40, 40), (40, 40), (40, 40), schedule="contract")


def convolution() -> Node:
    def build(b: Builder, x: Value, w: Value, skip: Value) -> list[Value]:
        y = b.emit(Conv((1, 1), (0, 0), (1, 1)), x, w)
        total = b.map(e.arg(0) + e.arg(1), y, skip)
        return [total, b.map(e.maximum(e.arg(0), 0.0), total)]

    return fused(build, (1, 36, 7, 7), (36, 36, 1, 1), (1, 36, 7, 7), schedule="contract")


def running(shape: Shape, axes: Shape) -> Node:
    """A sum that moves an average of its own size."""
    kept = tuple(1 if i in axes else d for i, d in enumerate(shape))

    def build(b: Builder, x: Value, old: Value) -> list[Value]:
        total = b.sum(x, axes)
        return [b.map(e.arg(0) * 0.9 + e.arg(1), old, total), total]

    return fused(build, shape, kept, schedule="reduce")


def summed(again: bool) -> Node:
    """A product plus a tensor, and the sum of its columns, which moves an average; ``again``: of
    what the tensor is multiplied with, too."""

    def build(b: Builder, x: Value, w: Value, more: Value, old: Value) -> list[Value]:
        y = b.map(e.arg(0) + e.arg(1), b.matmul(x, w), more)
        total = b.sum(b.map(e.arg(0) * e.arg(1), y, more) if again else y, (0,))
        return [y, b.map(e.arg(0) * 0.9 + e.arg(1), old, total)]

    shapes = (40, 24), (24, 36), (40, 36), (1, 36)
    return fused(build, *shapes, schedule="contract", variables=(1, 3))


CASES = {
    "pointwise": (pointwise(), "00 01 10 11"),
    "reshaped": (seen_in_another_shape(), "00"),
    "transposed": (transposed(), "00"),
    "apart": (apart(), "01 10 11"),
    "in two shapes": (in_two_shapes(), "01"),
    "compared": (compared(), "00"),
    "numbers of rows": (log_sum(), ""),
    "rows": (softmax((20, 20)), "00 10"),
    "columns": (softmax((1, 5, 520)), "00 10"),
    "product": (product(), "20"),
    "convolution": (convolution(), "20 21"),
    "product and its sums": (summed(False), "20 31"),
    "product and sums of both": (summed(True), "31"),
    "reduced rows": (running((65, 1030), (1,)), "10 11"),
    "reduced planes": (running((66, 5, 20), (0, 2)), "10 11"),
    "reduced columns": (running((70, 260), (0,)), "10 11"),
}
"""Nodes, and which pairs of operand and result, by number, share a buffer."""


def pairs_of(node: Node) -> list[tuple[int, int]]:
    return [
        (i, j)
        for i, operand in enumerate(node.inputs)
        for j, result in enumerate(node.outputs)
        if may_overwrite(node, operand, result)
    ]


def plans_of(node: Node) -> list[dict[Value, Value]]:
    """What a memory plan may choose: pairs that share no operand and no result, most at once."""
    pairs = pairs_of(node)
    found = [[pair] for pair in pairs]
    for plan in found:
        plan += [p for p in pairs if not any(p[0] == q[0] or p[1] == q[1] for q in plan)][:1]
    return [{node.outputs[j]: node.inputs[i] for i, j in plan} for plan in found]


@pytest.mark.parametrize("name", CASES)
def test_pairs(name: str) -> None:
    node, expected = CASES[name]
    assert " ".join(f"{i}{j}" for i, j in pairs_of(node)) == expected


def some_choices(ways: NumberedWays) -> list[Choice]:
    """The preferred one, whole and split, and the last, which walks through long rows."""
    split = [replace(c, splits=3) for c in ways.choices if c.splits > 1]
    whole = [c for c in ways.choices if c.splits == 1]
    return list(dict.fromkeys([whole[0], *(split[:1] or whole[-1:])]))


@pytest.mark.parametrize("name", CASES)
def test_results_over_operands(name: str) -> None:
    node, _ = CASES[name]
    inputs = random_inputs(node)
    ways = scheduled(node)
    for choice in some_choices(ways):
        launches = ways.launches(choice)
        assert any(math.prod(launch.grid) > 1 for launch in launches)
        own = run_launches(launches, node, inputs)
        compare(node, own, inputs, tolerance=1e-4)
        for over in plans_of(node):
            shared = run_launches(launches, node, inputs, over=over)
            for one, other in zip(shared, own, strict=True):
                np.testing.assert_array_equal(one, other)


def test_an_operand_that_is_read_elsewhere() -> None:
    node, _ = CASES["transposed"]
    _, y = node.inputs
    (result,) = node.outputs
    with pytest.raises(KernelFailure, match=r"that another .* at once"):
        run_launches(lowered(node), node, random_inputs(node), over={result: y})
