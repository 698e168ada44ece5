"""Rows added up where they belong: in their order, whoever does it, and each looked at once."""

from __future__ import annotations

import numpy as np

from compiler.c.lower import lower_to_c
from compiler.kernel import Launch
from compiler.options import CompileOptions
from ir.graph import Node
from ir.ops.gather import ScatterAdd
from ir.types import I32, TensorType
from tests.interpret.kernel_runner import random_inputs, run_launches, single
from tests.support import c_kernels
from tests.support.c_kernels import needs_compiler

COUNT, NUMBER, WIDTH = 50, 700, 37


def scatter() -> tuple[Node, list[Launch]]:
    node = single(ScatterAdd(COUNT), (NUMBER, WIDTH), TensorType((NUMBER,), I32))
    return node, lower_to_c(node, CompileOptions(target=c_kernels.machine()))


def test_numbers_are_counted_once() -> None:
    node, (order, sums) = scatter()
    assert order.grid == (1, 1, 1)
    assert node.inputs[1] in order.arguments and node.inputs[1] not in sums.arguments
    assert set(order.outputs) <= set(sums.arguments)


@needs_compiler
def test_sums_go_by_position_on_any_number_of_threads() -> None:
    node, launches = scatter()
    g, _ = random_inputs(node)
    # Some have many rows, some none; some rows belong nowhere.
    rows = (np.random.default_rng(3).geometric(0.15, NUMBER) - 3).astype(np.int32)
    wanted = np.zeros((COUNT, WIDTH), np.float32)
    for row, values in zip(rows, g, strict=True):
        if 0 <= row < COUNT:
            wanted[row] += values
    for threads in (1, 2, 5):
        launcher = c_kernels.launcher_of([x.kernel for x in launches], threads)
        (found,) = run_launches(launches, node, [g, rows], by=launcher)
        np.testing.assert_array_equal(found, wanted)
