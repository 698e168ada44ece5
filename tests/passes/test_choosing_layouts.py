"""Which layouts the pass gives to images and to weights."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from compiler.architecture import Architecture
from compiler.c.lanes import with_layout
from compiler.options import CompileOptions
from compiler.passes.fuse import fuse
from compiler.pipeline import run_passes, verify_each
from compiler.target import Target, typical
from ir.build import Builder
from ir.expr import arg
from ir.graph import Graph, Node
from ir.interpret import run_graph
from ir.op import Op
from ir.ops.convolution import Conv, ConvInputGrad, ConvWeightGrad
from ir.ops.fusion import Fused
from ir.types import TensorType

AVX_512 = with_layout(Target("cpu", vector=64))
SIMPLE: dict[str, Any] = {"stride": (1, 1), "pad": (1, 1), "dilation": (1, 1)}


def after(op: Op, *shapes: tuple[int, ...], target: Target = AVX_512) -> Graph:
    """A graph of one op after the pass."""
    b = Builder("g")
    values = [b.input(f"in{i}", TensorType(shape)) for i, shape in enumerate(shapes)]
    result = b.emit(op, *values)
    b.output("out", b.map(arg(0) + 1.0, result))
    options = CompileOptions(target, passes=("layout",))
    return run_passes(b.finish(), options, [verify_each])


def laid(op: Op, *shapes: tuple[int, ...], target: Target = AVX_512) -> list[str]:
    """Layouts of an op's operands and of its result."""
    (node,) = (n for n in after(op, *shapes, target=target).nodes if n.op.name == op.name)
    return [str(v.type.layout or "") for v in (*node.inputs, *node.outputs)]


IMAGE = "{0,1,2,3,1:16}"


@pytest.mark.parametrize(
    ("inputs", "outputs", "group", "wanted"),
    [
        (32, 64, 1, [IMAGE, "{0,1,2,3,1:16,0:16}", IMAGE]),
        (3, 64, 1, ["", "{0,1,2,3,0:16}", IMAGE]),  # a net's first layer
        (64, 3, 1, [IMAGE, "{0,1,2,3,1:16}", ""]),
        (96, 128, 2, [IMAGE, "{0,1,2,3,1:16,0:16}", IMAGE]),
        (96, 128, 4, ["", "{0,1,2,3,1:16,0:16}", IMAGE]),  # 24 cross a block
        (64, 64, 64, [IMAGE, "{0,1,2,3,0:16}", IMAGE]),
        (8, 20, 1, [IMAGE, "{0,1,2,3,1:16,0:16}", IMAGE]),  # filled up
        (8, 8, 8, [IMAGE, "{0,1,2,3,0:16}", IMAGE]),
        (7, 7, 7, ["", "", ""]),  # too little
    ],
)
def test_channels_lie_in_blocks(inputs: int, outputs: int, group: int, wanted: list[str]) -> None:
    op = Conv(**SIMPLE, group=group)
    x, w = (2, inputs, 9, 9), (outputs, inputs // group, 3, 3)
    assert laid(op, x, w) == wanted
    back = ConvInputGrad(**SIMPLE, group=group, spatial=(9, 9))
    dx, dw, dy = wanted
    swapped = {"{0,1,2,3,1:16,0:16}": "{1,0,2,3,0:16,1:16}", "": ""}
    found = laid(back, (2, outputs, 9, 9), w)
    assert (found[0], found[2]) == (dy, dx)
    assert found[1] == swapped.get(dw, dw.replace("0,1,", "1,0,"))


def test_weight_gradients_are_made_in_blocks_and_copied() -> None:
    """By another kernel: to store them as parameters lie costs a line of the cache for each."""
    op = ConvWeightGrad(**SIMPLE, window=(3, 3))
    shapes = (2, 32, 9, 9), (2, 64, 9, 9)
    assert laid(op, *shapes) == [IMAGE, IMAGE, "{0,1,2,3,1:16,0:16}"]
    groups = [n.op for n in fuse(after(op, *shapes)).nodes if isinstance(n.op, Fused)]
    assert [op.schedule for op in groups if op.body.outputs[0].value.shape[2:] == (3, 3)] == [
        "contract",
        "flat",
    ]
    last = replace(AVX_512, layout="channels-last")
    assert laid(op, *shapes, target=last)[-1] == ""


@pytest.mark.parametrize("vector", [16, 32, 64])
def test_blocks_are_vectors(vector: int) -> None:
    target = with_layout(Target("cpu", vector=vector))
    image = IMAGE.replace("16", str(vector // 4))
    assert laid(Conv(**SIMPLE), (2, 32, 9, 9), (64, 32, 3, 3), target=target)[::2] == [image] * 2


def test_an_image_in_blocks_is_copied_where_groups_cross_them() -> None:
    b = Builder("g")
    x, w, thin = (b.input(n, TensorType(s)) for n, s in (
        ("x", (2, 32, 9, 9)), ("w", (96, 32, 3, 3)), ("thin", (96, 24, 3, 3)),
    ))  # fmt: skip
    first = b.emit(Conv(**SIMPLE), x, w)
    b.output("out", b.map(arg(0) + 1.0, b.emit(Conv(**SIMPLE, group=4), first, thin)))
    graph = run_passes(b.finish(), CompileOptions(AVX_512, passes=("layout",)), [verify_each])
    second: Node = [n for n in graph.nodes if n.op.name == "conv"][1]
    assert str(graph.producers[second.inputs[0]].inputs[0].type.layout) == IMAGE
    assert second.inputs[0].type.layout is None


def test_row_major_is_left_alone() -> None:
    target = replace(AVX_512, layout="row-major")
    assert laid(Conv(**SIMPLE), (2, 32, 9, 9), (64, 32, 3, 3), target=target) == ["", "", ""]


@pytest.mark.parametrize(
    ("channels", "window", "precision", "padded"),
    [
        (3, 7, "float32", 4),
        (2, 3, "tf32", 4),
        (3, 3, "bfloat16", 8),
        (4, 3, "float32", 0),  # as many as an access moves
        (3, 1, "float32", 0),  # nothing lies beside a tap
        (1, 5, "float32", 0),
    ],
)
def test_images_of_few_channels_get_more_on_gpus(
    channels: int, window: int, precision: str, padded: int
) -> None:
    """Then what a row of the window covers is read by 16 bytes. Results stay what they are."""
    b = Builder("g")
    x = b.input("x", TensorType((2, channels, 9, 9)))
    w = b.input("w", TensorType((5, channels, window, window)))
    kind: dict[str, Any] = {"stride": (2, 2), "pad": (1, 1), "dilation": (1, 1)}
    y = b.emit(Conv(**kind), x, w)
    b.output("y", b.map(arg(0) + 1.0, y))
    gradient = b.emit(ConvWeightGrad(**kind, window=(window, window)), x, y)
    b.output("dw", b.map(arg(0) * 2.0, gradient))
    graph = b.finish()
    options = CompileOptions(typical(Architecture(90)), precision, passes=("layout",))
    laid_out = run_passes(graph, options, [verify_each])
    pads = [n for n in laid_out.nodes if n.op.name == "pad"]
    assert [n.output.shape[1] for n in pads] == [padded] * len(pads)
    assert len(pads) == (2 if padded else 0)  # of the image, which both read, and the weights
    generator = np.random.default_rng(1)
    given = [generator.standard_normal(v.shape).astype(np.float32) for v in (x, w)]
    for before, after in zip(run_graph(graph, given), run_graph(laid_out, given), strict=True):
        np.testing.assert_allclose(after, before, rtol=1e-5, atol=1e-5)
