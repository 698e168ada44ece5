"""What fills up blocks is written: arithmetic on whatever stood there before may be slow."""

from __future__ import annotations

import numpy as np
import pytest

from compiler.c.lower import lower_to_c
from compiler.kernel import Scratch
from compiler.options import CompileOptions
from ir.build import Builder
from ir.expr import arg
from ir.graph import Value
from ir.layout import Layout
from ir.types import TensorType
from tests.interpret.kernel_runner import fused
from tests.support import c_kernels
from tests.support.layouts import with_layouts
from tests.support.printed_launch import bind

pytestmark = c_kernels.needs_compiler
BLOCKS = Layout.of(range(4), [(1, 16)])
IMAGE = TensorType((2, 20, 5, 7))


def double(b: Builder, x: Value) -> Value:
    return b.map(arg(0) * 2.0, x)


def mean(b: Builder, x: Value) -> Value:
    return b.sum(x, (2, 3))


@pytest.mark.parametrize(("build", "before"), [(double, None), (double, BLOCKS), (mean, BLOCKS)])
def test_no_lane_keeps_what_was_there(build: object, before: Layout | None) -> None:
    schedule = "flat" if build is double else "reduce"
    node = with_layouts(fused(build, IMAGE, schedule=schedule), [before, BLOCKS])  # type: ignore[arg-type]
    launches = lower_to_c(node, CompileOptions(c_kernels.backend().target))
    launcher = c_kernels.launcher_of(launch.kernel for launch in launches)
    values = {v: np.full(v.type.memory_size, 0.5, np.float32) for v in node.inputs}
    values |= {v: np.full(v.type.memory_size, np.nan, np.float32) for v in node.outputs}

    def resolve(item: Value | Scratch) -> np.ndarray:
        assert isinstance(item, Value)
        return values[item]

    for launch in launches:
        bind(launcher, launch, resolve)()
    assert not np.isnan(values[node.outputs[0]]).any()
