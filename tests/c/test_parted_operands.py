"""Convolutions and windows over channels that layers put together: nothing is copied."""

from __future__ import annotations

import numpy as np
import pytest

from compiler.options import CompileOptions
from ir.interpret import run_graph
from ir.ops.fusion import Fused
from ir.ops.movement import Concat
from runtime.memory.buffers import Buffer
from tests.support import c_kernels
from tests.support import sample_nets as nets
from tests.support.lowering import lowered

pytestmark = c_kernels.needs_compiler


def net(*parts: int) -> str:
    """Parts of so many channels, put together and read three times."""
    names = [f"part{i}" for i in range(len(parts))]
    text = nets.inputs(data=(2, 20, 9, 7))
    for name, channels in zip(names, parts, strict=True):
        text += nets.conv(name, "data", channels, 1) + nets.relu(name)
    text += nets.layer("cat", "Concat", " ".join(names))
    text += nets.conv("wide", "cat", 24, 3, "pad: 1 stride: 2") + nets.conv("point", "cat", 32, 1)
    text += nets.pool("most", "cat", "pool: MAX kernel_size: 3 stride: 2")
    text += nets.pool("again", "most", "pool: MAX kernel_size: 2 stride: 1")
    text += nets.pool("mean", "cat", "pool: AVE kernel_size: 2 stride: 1")
    return text + nets.conv("first", "again", 20, 1) + nets.conv("second", "mean", 20, 3)


@pytest.mark.parametrize(
    ("parts", "copied"), [((16, 32), False), ((32, 16, 48), False), ((16, 24), True)]
)
def test_parts_are_read_where_they_are(parts: tuple[int, ...], copied: bool) -> None:
    backend = c_kernels.backend()
    program = lowered(net(*parts), "TEST")
    graph, general = program.graph, program.general
    assert general is not None
    options = CompileOptions(backend.target)
    fused = backend.compiler(general.graph, options).graph
    groups = [n.op for n in fused.nodes if isinstance(n.op, Fused)]
    made = {p.value for g in groups for p in g.body.outputs}
    stored = [
        n for g in groups for n in g.body.nodes if isinstance(n.op, Concat) and n.output in made
    ]
    assert bool(stored) == copied
    rng = np.random.default_rng(2)
    arrays = [rng.standard_normal(p.value.shape).astype(np.float32) for p in graph.inputs]
    inputs = {p.key: Buffer(p.value.type) for p in graph.inputs}
    outputs = {p.key: Buffer(p.value.type) for p in graph.outputs}
    for port, array in zip(graph.inputs, arrays, strict=True):
        inputs[port.key].array[...] = array
    backend.bind(graph, inputs, outputs, options).run()
    wanted = run_graph(graph, [a.astype(np.float64) for a in arrays])
    for port, want in zip(graph.outputs, wanted, strict=True):
        found = outputs[port.key].array
        np.testing.assert_allclose(found, want, atol=1e-5 * np.abs(want).max(), err_msg=port.name)
