"""Rows that are sorted, and boxes that are suppressed, in buffers between pages that nobody may
touch: whatever reads or writes around one ends the process. They hold NaN first."""

from __future__ import annotations

import numpy as np
import pytest

from compiler.c.lower import lower_to_c
from compiler.kernel import Scratch
from compiler.options import CompileOptions
from compiler.plan.arena import aligned
from ir.graph import Node, Value
from ir.ops.sort import TopK
from ir.ops.suppression import NonMaximum
from ir.types import I32, TensorType
from tests.interpret.kernel_runner import single
from tests.support import c_kernels
from tests.support.c_kernels import needs_compiler
from tests.support.guarded_memory import guarded
from tests.support.overlapping_boxes import whole
from tests.support.printed_launch import bind


def check(node: Node, *inputs: np.ndarray) -> None:
    launches = lower_to_c(node, CompileOptions(target=c_kernels.machine()))
    launcher = c_kernels.launcher_of([launch.kernel for launch in launches], 2)
    memory: dict[Value | Scratch, np.ndarray] = {}

    def resolve(buffer: Value | Scratch) -> np.ndarray:
        if buffer not in memory:
            nbytes = buffer.nbytes if isinstance(buffer, Scratch) else buffer.type.nbytes
            memory[buffer] = guarded(np.full(aligned(nbytes), 0xFF, np.uint8))
        return memory[buffer]

    for value, array in zip(node.inputs, inputs, strict=True):
        resolve(value)[: array.nbytes] = array.reshape(-1).view(np.uint8)
    for launch in launches:
        bind(launcher, launch, resolve)()
    wanted = node.op.body.nodes[0].op.reference(inputs, [])
    for value, want in zip(node.outputs, wanted, strict=True):
        found = memory[value][: want.nbytes].view(want.dtype).reshape(want.shape)
        np.testing.assert_array_equal(found, want)


@needs_compiler
@pytest.mark.parametrize("tie", ["first", "last"])
@pytest.mark.parametrize(
    ("rows", "length", "k"), [(3, 64, 32), (2, 129, 65), (1, 1024, 1024), (67, 96, 50), (1, 16, 1)]
)
def test_rows(rows: int, length: int, k: int, tie: str) -> None:
    x = np.random.default_rng(1).integers(0, 30, (rows, length))
    check(single(TopK(k, tie), x.shape), x.astype(np.float32))
    check(single(TopK(k, tie), TensorType(x.shape, I32)), x.astype(np.int32))


@needs_compiler
@pytest.mark.parametrize("op", [NonMaximum(0.3), NonMaximum(0.9, eta=0.9, most=9)], ids=str)
@pytest.mark.parametrize(("rows", "length"), [(1, 1), (3, 64), (66, 17), (1, 512)])
def test_boxes(op: NonMaximum, rows: int, length: int) -> None:
    node = single(op, (rows, length, 4), TensorType((rows,), I32))
    counts = np.full(rows, length, np.int32)
    check(node, whole(np.random.default_rng(1), rows, length), counts)
