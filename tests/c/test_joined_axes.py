"""Axes of contractions that memory holds as one are one loop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from compiler.c.heuristic import VectorHeuristic
from compiler.c.lower import lower_to_c
from compiler.kernels.products import product_of
from compiler.kernels.schedule import task_of
from compiler.kernels.schedules.contract import anchor_of
from compiler.kernels.schedules.joined import joined
from compiler.options import CompileOptions
from ir.graph import Node
from ir.layout import Layout
from ir.op import Op
from ir.ops.convolution import Conv, ConvInputGrad, ConvWeightGrad
from ir.size import value_of
from ir.types import TensorType
from runtime.machine.processor import cpu_target
from tests.interpret.kernel_runner import compare, random_inputs, run_launches, single
from tests.support.c_kernels import launcher_of, needs_compiler
from tests.support.layouts import with_layouts

POINT: dict[str, Any] = {"stride": (1, 1), "pad": (0, 0), "dilation": (1, 1)}
EVERY_OTHER = POINT | {"stride": (2, 2)}
BLOCKS = Layout.of(range(4), [(1, 16)])
OPTIONS = CompileOptions(cpu_target())


def node_of(op: Op, *shapes: tuple[int, ...], layout: Layout | None = BLOCKS) -> Node:
    node = single(op, *map(TensorType, shapes), schedule="contract")
    values = zip((*node.inputs, *node.outputs), op.images, strict=True)
    return with_layouts(node, [layout if image else None for _, image in values])


def axes(node: Node) -> Sequence[int]:
    """How many the columns and the depth have."""
    task = task_of(node, OPTIONS, VectorHeuristic(OPTIONS.target, 16), value_of)
    emitter, anchor = task.emitter(3), anchor_of(task.body)
    view = joined(emitter, anchor, product_of(emitter, anchor))
    return len(view.columns), len(view.depth)


@pytest.mark.parametrize("layout", [BLOCKS, None])
def test_rows_of_an_image_are_one(layout: Layout | None) -> None:
    x, w, y = (3, 32, 7, 5), (48, 32, 1, 1), (3, 48, 7, 5)
    assert axes(node_of(Conv(**POINT), x, w, layout=layout)) == (2, 3)
    assert axes(node_of(ConvInputGrad(**POINT, spatial=(7, 5)), y, w, layout=layout)) == (2, 3)
    assert axes(node_of(ConvWeightGrad(**POINT, window=(1, 1)), x, y, layout=layout)) == (3, 2)


def test_what_is_read_elsewhere_is_not() -> None:
    x = (3, 32, 7, 5)
    assert axes(node_of(Conv(**EVERY_OTHER), x, (48, 32, 1, 1))) == (3, 3)
    assert axes(node_of(Conv(**POINT), x, (48, 32, 3, 3))) == (3, 3)
    padded = Conv(**POINT | {"pad": (1, 0)})
    assert axes(node_of(padded, x, (48, 32, 1, 1))) == (3, 3)


def test_images_of_one_block_are_one_too() -> None:
    assert axes(node_of(Conv(**POINT), (3, 16, 7, 5), (16, 16, 1, 1))) == (1, 3)


@needs_compiler
@pytest.mark.parametrize("layout", [BLOCKS, None])
@pytest.mark.parametrize("channels", [20, 48])
def test_results_are_right(layout: Layout | None, channels: int) -> None:
    x, w, y = (2, 32, 7, 5), (channels, 32, 1, 1), (2, channels, 7, 5)
    for node in (
        node_of(Conv(**POINT), x, w, layout=layout),
        node_of(ConvInputGrad(**POINT, spatial=(7, 5)), y, w, layout=layout),
        node_of(ConvWeightGrad(**POINT, window=(1, 1)), x, y, layout=layout),
    ):
        launches, arrays = lower_to_c(node, OPTIONS), random_inputs(node)
        launcher = launcher_of(launch.kernel for launch in launches)
        compare(node, run_launches(launches, node, arrays, by=launcher), arrays, tolerance=1e-5)
