"""Kernels that are made for all sizes: what happens to be so at hand is taken for nothing."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from compiler.options import CompileOptions
from compiler.pipeline import GraphCompiler
from compiler.plan.sizes import plan_at
from compiler.triton.lower import lower_node
from ir.graph_sizes import graph_at
from ir.interpret import run_graph
from ir.text import parse_graph
from runtime.backends.host_graph import HostGraph
from runtime.cpu.backend import CpuBackend
from runtime.interpret.backend import InterpretBackend
from runtime.interpret.launcher import InterpretLauncher
from runtime.memory.buffers import Buffer
from tests.support.c_kernels import backends

PADDED = """
graph padded {
  size N = 2
  input %x: f32[N,2] data
  input %few: f32[2,2] data
  %pad: f32[N,2] = pad(%few) low=(0,0) high=([N - 2],0)
  %y: f32[N,2] = map(%x, %pad) {add(a0, a1)}
  output %y: f32[N,2] result
}
"""
CUT = """
graph cut {
  size N = 2
  input %x: f32[N,2] data
  %y: f32[2,2] = pad(%x) low=([2 - N],0) high=(0,0)
  output %y: f32[2,2] result
}
"""
PIECES = """
graph pieces {
  size N = 2
  input %a: f32[1,2] data
  input %b: f32[1,2] data
  %p: f32[N,2] = pad(%a) low=(0,0) high=([N - 1],0)
  %q: f32[N,2] = pad(%b) low=(1,0) high=([N - 2],0)
  %y: f32[N,2] = map(%p, %q) {add(a0, a1)}
  output %y: f32[N,2] result
}
"""
PLAIN = "stride=(1,1) pad=(0,0) dilation=(1,1)"
CHANNELS = f"""
graph channels {{
  size C = 4
  input %x: f32[2,C,3,3] data
  input %dy: f32[2,6,3,3] data
  %dw: f32[6,C // 2,1,1] = conv_weight_grad(%x, %dy) {PLAIN} group=2 window=(1,1)
  output %dw: f32[6,C // 2,1,1] result
}}
"""
PIXELS = f"""
graph pixels {{
  size N = 4
  size H = 5
  input %x: f32[N,3,H,6] data
  input %dy: f32[N,5,H - 2,4] data
  %dw: f32[5,3,3,3] = conv_weight_grad(%x, %dy) {PLAIN} group=1 window=(3,3)
  output %dw: f32[5,3,3,3] result
}}
"""
BEFORE = "low=(0,0,[2 * ((H + 1) // 2) - H],0) high=(0,0,1,0)"  # none where H is even
WINDOWS = f"""
graph windows {{
  size H = 6
  input %x: f32[2,3,H,4] data
  input %g: f32[2,3,(H + 1) // 2,4] data
  %y: f32[2,3,(H + 1) // 2,4] = window_sum(%x) window=(1,1,3,1) stride=(1,1,2,1) {BEFORE}
  %m: f32[2,3,(H + 1) // 2,4], %p: i32[2,3,(H + 1) // 2,4] = window_max(%x) window=(1,1,3,1) stride=(1,1,2,1) {BEFORE} spatial_rank=2
  %dx: f32[2,3,H,4] = window_spread(%g) window=(1,1,3,1) stride=(1,1,2,1) {BEFORE} shape=(2,3,[H],4)
  output %y: f32[2,3,(H + 1) // 2,4] result
  output %m: f32[2,3,(H + 1) // 2,4] result
  output %p: i32[2,3,(H + 1) // 2,4] result
  output %dx: f32[2,3,H,4] result
}}
"""  # noqa: E501
NO_IMAGES = """
graph empty {
  input %x: f32[0,3,20] data
  input %dy: f32[0,6,7] data
  %dw: f32[6,1,2] = conv_weight_grad(%x, %dy) stride=(3) pad=(1) dilation=(2) group=3 window=(2)
  output %dw: f32[6,1,2] result
}
"""


@pytest.mark.parametrize("backend", [InterpretBackend(), *backends()], ids=lambda b: b.name)
@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        (PADDED, [{"N": 2}, {"N": 20}]),
        (CUT, [{"N": 2}, {"N": 7}]),
        (PIECES, [{"N": 2}, {"N": 20}]),
        (CHANNELS, [{"C": 4}, {"C": 2}, {"C": 40}]),
        (PIXELS, [{"N": 4, "H": 5}, {"N": 1, "H": 3}, {"N": 16, "H": 18}, {"N": 40, "H": 9}]),
        (WINDOWS, [{"H": 6}, {"H": 7}, {"H": 1}, {"H": 20}]),
        (NO_IMAGES, [{}]),
    ],
    ids=["padded", "cut", "pieces", "channels", "pixels", "windows", "no images"],
)
def test_a_graph(
    text: str, sizes: list[Mapping[str, int]], backend: InterpretBackend | CpuBackend
) -> None:
    general = parse_graph(text)
    for values in sizes:
        graph = graph_at(general, values)
        rng = np.random.default_rng(1)
        arrays = [rng.integers(-4, 5, p.value.shape).astype(np.float32) for p in graph.inputs]
        inputs = {p.key: Buffer(p.value.type) for p in graph.inputs}
        outputs = {p.key: Buffer(p.value.type) for p in graph.outputs}
        for port, array in zip(graph.inputs, arrays, strict=True):
            inputs[port.key].flat[...] = np.nan  # also what stands behind it
            inputs[port.key].array[...] = array
        backend.bind(general, inputs, outputs, CompileOptions(), values).run()
        for port, want in zip(graph.outputs, run_graph(graph, arrays), strict=True):
            found = outputs[port.key].array
            np.testing.assert_allclose(found, want, rtol=1e-5, atol=1e-6, err_msg=str(values))


@pytest.mark.parametrize("values", [{"N": 1, "H": 3}, {"N": 9, "H": 8}], ids=str)
def test_parts_of_a_depth_at_sizes_that_leave_some_empty(values: Mapping[str, int]) -> None:
    """What is left of a depth behind its whole steps is added once."""
    compiler = GraphCompiler(parse_graph(PIXELS), lower_node, CompileOptions())
    compiled = compiler.at({"N": 400, "H": 18})
    assert max(launch.grid[1] for launch in compiled.launches) > 1, "the depth is split"
    plan = plan_at(compiled.general, values)
    rng = np.random.default_rng(1)
    inputs = {port.key: Buffer(plan.buffers[port.buffer].type) for port in plan.inputs}
    outputs = {port.key: Buffer(plan.buffers[port.buffer].type) for port in plan.outputs}
    for buffer in inputs.values():
        buffer.flat[...] = np.nan
        buffer.array[...] = rng.integers(-4, 5, buffer.type.shape)
    HostGraph(plan, {}, InterpretLauncher(), inputs, outputs).run()
    graph = graph_at(parse_graph(PIXELS), values)
    want = run_graph(graph, [inputs[port.key].array for port in graph.inputs])
    for port, array in zip(graph.outputs, want, strict=True):
        np.testing.assert_array_equal(outputs[port.key].array, array)
