"""Plans, and nets of several, tell from which step on the diff of each parameter is complete."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from compiler.options import CompileOptions
from compiler.partitions import Partitioning, by_layer, whole
from compiler.pipeline import compile_graph
from compiler.triton.lower import lower_node
from ir.graph import PortKey, Role
from ir.program import NetProgram
from roastery.reading.nets import net_from_text
from runtime.backends.backend import output_buffers
from runtime.backends.host_graph import HostGraph
from runtime.interpret.backend import InterpretBackend
from runtime.interpret.launcher import InterpretLauncher
from runtime.memory.buffers import Buffer
from runtime.memory.store import Store
from runtime.net import PartitionedNet
from runtime.net.complete import Complete
from tests.support import sample_nets
from tests.support.lowering import inputs, layers_of
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


SHARED = (
    inputs(x=(4, 3), s=(4,))
    + """
layer { name: "a" type: "InnerProduct" bottom: "x" top: "a" param { name: "w" } param { name: "b" }
  inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
layer { name: "p" type: "PReLU" bottom: "a" top: "a" param { name: "slope" } }
layer { name: "f" type: "Filter" bottom: "a" bottom: "s" top: "f" }
layer { name: "b" type: "InnerProduct" bottom: "f" top: "b" param { name: "w" }
  inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
layer { name: "q" type: "PReLU" bottom: "b" top: "b" param { name: "slope" } }
layer { name: "r" type: "PReLU" bottom: "b" top: "r" }
layer { name: "frozen" type: "InnerProduct" bottom: "r" top: "c"
  param { lr_mult: 0 } param { lr_mult: 0 }
  inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }
layer { name: "l" type: "Reduction" bottom: "c" top: "l" loss_weight: 1
  reduction_param { operation: SUMSQ } }
"""
)


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("cut", [whole, by_layer])
def test_partitions_that_share_a_parameter(
    cut: Callable[[NetProgram], Partitioning], shared: bool
) -> None:
    """Its diff is complete after the last of them to run, and not before."""
    text = SHARED if shared else re.sub(r'param \{ name: "\w+" \}', "", SHARED)
    layers = layers_of(net_from_text(text), "TRAIN")
    store = Store(layers.program.variables, seed=1)
    net = PartitionedNet(
        layers.program,
        InterpretBackend(),
        store,
        lower_again=layers.part,
        partitioning=cut(layers.program),
        options=CompileOptions(),
    )
    assert len(net.parts) > 2
    rows = np.random.default_rng(0).standard_normal((4, 3))
    net.inputs.put({"x": rows, "s": np.array([1, 0, 1, 1])})
    net.forward_backward()  # makes what runs
    complete = net.complete_after()
    learning = {name for name, v in net.program.variables.items() if v.learns}
    assert complete.keys() == learning
    assert len(learning) == (5 if shared else 7)

    changed: list[tuple[Complete, str]] = []
    store.clear_diffs()
    held = {name: diff.peek().copy() for name, diff in store.diff.items()}

    def look(place: Complete) -> None:
        for name, before in held.items():
            if not np.array_equal(before, store.diff[name].peek()):
                changed.append((place, name))
                held[name] = store.diff[name].peek().copy()

    for number, part, choose in net._writing(adding=False):
        graph = choose(part.graphs)
        if graph.outputs:
            bound = part._bound(graph).graph
            assert isinstance(bound, HostGraph)
            bound.steps = [
                watched(run, functools.partial(look, Complete(number, step)))
                for step, run in enumerate(bound.steps)
            ]
    net.forward_backward()
    assert {name: place for place, name in changed} == complete
    assert len({name for _, name in changed}) < len(changed) or not shared


def watched(run: Callable[[], None], look: Callable[[], object]) -> Callable[[], None]:
    def both() -> None:
        run()
        look()

    return both
