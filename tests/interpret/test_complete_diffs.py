"""A plan tells from which step on the diff of each parameter is complete."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from compiler.options import CompileOptions
from compiler.pipeline import compile_graph
from compiler.triton.lower import lower_node
from ir.graph import PortKey, Role
from runtime.backends.backend import output_buffers
from runtime.backends.host_graph import HostGraph
from runtime.interpret.launcher import InterpretLauncher
from runtime.memory.buffers import Buffer
from tests.support import sample_nets
from tests.support.program_kernels import training_graph
from tests.support.training_run import lowered

NETS = {
    "residual": sample_nets.residual(batch=2, side=4),
    "siamese": sample_nets.siamese(),  # a diff that two layers add to
}


@pytest.mark.parametrize("net", NETS)
def test_nothing_is_added_later(net: str, tmp_path: Path) -> None:
    graph = training_graph(lowered(NETS[net]))
    compiled = compile_graph(graph, lower_node, CompileOptions())
    inputs = {port.key: Buffer(port.value.type) for port in graph.inputs}
    outputs = output_buffers({port.key: port.value.type for port in graph.outputs}, inputs)
    launcher = InterpretLauncher(tmp_path, check=False)
    bound = HostGraph(compiled.plan, compiled.hosts, launcher, inputs, outputs)

    rng = np.random.default_rng(0)
    for buffer in inputs.values():
        shape, floats = buffer.type.shape, buffer.type.dtype.is_float
        buffer.array[...] = rng.random(shape) + 0.5 if floats else rng.integers(0, 2, shape)
    complete = compiled.plan.complete_after
    diffs = {name: outputs[PortKey(Role.GRADIENT, name)] for name in complete}
    assert len(set(complete.values())) > 1
    found: dict[str, list[np.ndarray]] = {name: [] for name in diffs}
    for number, step in enumerate(bound.steps):
        now = [name for name, last in complete.items() if last == number]
        for run in (lambda: None, step):
            run()
            for name in now:
                found[name].append(diffs[name].peek().copy())
    for name, (before, after) in found.items():
        assert not np.array_equal(before, after), name
        np.testing.assert_array_equal(diffs[name].peek(), after, name)
