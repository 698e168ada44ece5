"""Places of positions that are known apart: windows that walk along rows, blocks of channels."""

from __future__ import annotations

import numpy as np
import pytest

from compiler.c.lanes import lanes_of
from compiler.c.lower import lower_to_c
from compiler.options import CompileOptions
from ir.graph import Node
from ir.layout import Layout
from ir.ops.convolution import Conv, ConvInputGrad, ConvWeightGrad
from ir.types import TensorType
from runtime.machine.processor import cpu_target
from tests.interpret import kernel_runner
from tests.interpret.kernel_runner import compare, random_inputs, run_launches, single
from tests.support.c_kernels import launcher_of, needs_compiler
from tests.support.guarded_memory import guarded
from tests.support.layouts import with_layouts

pytestmark = needs_compiler
TARGET = cpu_target()
LANES = lanes_of(TARGET)
BLOCKS, WEIGHTS = (Layout.of(range(4), [(axis, LANES)]) for axis in (1, 0))
CHANNELS = LANES + 4

# sides of the image, window, stride, pad, dilation
CASES = [
    ((14, 14), 3, 1, 1, 1),
    ((5, 28), 3, 1, 1, 1),
    ((9, 31), 3, 1, 1, 1),
    ((15, 29), 3, 2, 1, 1),
    ((16, 30), 3, 2, 0, 1),
    ((12, 13), 5, 1, 2, 1),
    ((12, 30), 5, 3, 2, 1),
    ((9, 17), 3, 1, 2, 2),
    ((9, 33), 2, 2, 0, 1),
    ((3, 3), 3, 1, 1, 1),
]


def depthwise(sides: tuple[int, int], window: int, *numbers: int, gradient: bool) -> Node:
    stride, pad, dilation = ((n, n) for n in numbers)
    op = Conv(stride, pad, dilation, CHANNELS)
    x, w = TensorType((2, CHANNELS, *sides)), TensorType((CHANNELS, 1, window, window))
    if not gradient:
        return with_layouts(single(op, x, w), [BLOCKS, WEIGHTS, BLOCKS])
    (y,) = op.infer([x, w])
    back = ConvInputGrad(stride, pad, dilation, CHANNELS, spatial=sides)
    return with_layouts(single(back, y, w), [BLOCKS, WEIGHTS, BLOCKS])


@pytest.mark.parametrize("gradient", [False, True], ids=["forward", "gradient"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_border(
    case: tuple[tuple[int, int], int, int, int, int],
    gradient: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared(depthwise(*case, gradient=gradient), monkeypatch)


def compared(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the reference; nothing may be touched around any tensor."""
    launches = lower_to_c(node, CompileOptions(target=TARGET))
    launcher = launcher_of((launch.kernel for launch in launches), threads=3)
    arrays = random_inputs(node)
    padded = kernel_runner.padded
    monkeypatch.setattr(kernel_runner, "padded", lambda *given: guarded(padded(*given)))
    got = run_launches(launches, node, arrays, by=launcher)
    compare(node, got, arrays, tolerance=1e-5, context=launches[0].kernel.source)


def test_conditions_only_where_the_image_may_end() -> None:
    """A row that tiles fill: of three lines of taps, two columns each may be outside."""
    (launch,) = lower_to_c(
        depthwise((14, 14), 3, 1, 1, 1, gradient=False), CompileOptions(target=TARGET)
    )
    assert launch.kernel.source.count("found_f32") == 6
    assert np.prod(launch.grid) < 2 * 2 * 14  # a program has several rows


def test_positions_in_a_block_are_found_together() -> None:
    """Of a gradient of weights: what compilers know to lie side by side takes one register."""
    image = TensorType((2, 2 * LANES, 9, 9))
    node = single(ConvWeightGrad((1, 1), (1, 1), (1, 1), 1, window=(3, 3)), image, image)
    node = with_layouts(node, [BLOCKS, BLOCKS, Layout.of(range(4), [(1, LANES), (0, LANES)])])
    first, *_ = lower_to_c(node, CompileOptions(target=TARGET))
    assert first.config["U"] > 1 and LANES % first.config["U"] == 0
    assert first.kernel.source.count(f"% {LANES}") == 1


@pytest.mark.parametrize("sides", [(9, 16), (8, 33), (5, 3)], ids=str)
@pytest.mark.parametrize("gradient", [False, True], ids=["forward", "gradient"])
@pytest.mark.parametrize(("stride", "pad"), [(1, 2), (2, 3), (1, 0)])
def test_borders_of_rows_of_pixels(
    sides: tuple[int, int],
    gradient: bool,
    stride: int,
    pad: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of images of few channels, read as they lie in files: conditions where windows may leave."""
    kind = (stride, stride), (pad, pad), (1, 1), 1
    x, w = TensorType((2, 3, *sides)), TensorType((2 * LANES, 3, 3, 3))
    weights = Layout.of(range(4), [(0, LANES)])
    node = with_layouts(single(Conv(*kind), x, w), [None, weights, BLOCKS])
    if gradient:
        (y,) = Conv(*kind).infer([x, w])
        back = ConvWeightGrad(*kind, window=(3, 3))
        node = with_layouts(single(back, x, y), [None, BLOCKS, weights])
    compared(node, monkeypatch)
