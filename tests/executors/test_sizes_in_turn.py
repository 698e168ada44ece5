"""Sizes that take turns: the passes see each graph once, however often sizes come back."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

import roastery
import roastery.caffe as caffe
from compiler.kernel import Launch
from compiler.kernels.launch import Printed
from compiler.kernels.task import AsNumber
from compiler.options import CompileOptions
from compiler.passes.context import PassContext
from compiler.passes.registry import PASSES
from compiler.passes.simplify import simplify
from compiler.pipeline import KEPT, GraphCompiler
from compiler.triton.lower import lower_node
from ir.graph import Graph, Node
from ir.text import parse_graph
from roastery.devices.compile_options import CompileRequest, compile_options
from roastery.reading import nets
from runtime.backends.optimised import OptimisedBackend
from tests.support import program_kernels
from tests.support.lowering import inputs, program_of

NET = inputs(x=(1, 3), t=(1,)) + (
    'layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip" inner_product_param { '
    'num_output: 4 weight_filler { type: "xavier" } } }\n'
    'layer { name: "bn" type: "BatchNorm" bottom: "ip" top: "bn" }\n'
    'layer { name: "relu" type: "ReLU" bottom: "bn" top: "relu" }\n'
    'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "relu" bottom: "t" top: "loss" }\n'
)

Run = Callable[[int], None]


def fused(message: object) -> Run:
    net = roastery.compile(message, phase="TRAIN", device="cpu")

    def run(batch: int) -> None:
        net(x=np.ones((batch, 3)), t=np.zeros(batch))
        net.backward()

    return run


def layerwise(message: object) -> Run:
    net = caffe.Net(message, caffe.TRAIN, device="cpu")

    def run(batch: int) -> None:
        net.blobs["x"].reshape(batch, 3)
        net.blobs["t"].reshape(batch)
        net.forward()
        net.backward()

    return run


@pytest.mark.parametrize("plan", [fused, layerwise])
def test_all_sizes_are_optimised_once(
    plan: Callable[[object], Run], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ROASTERY_CACHE", str(tmp_path / "cache"))  # no plan of another run
    seen: list[Graph] = []

    def counted(graph: Graph, context: PassContext) -> Graph:
        seen.append(graph)
        return simplify(graph, context)

    monkeypatch.setitem(PASSES, "reuse_results", counted)
    run = plan(nets.net_from_text(NET))
    counts = []
    for batch in (2, 5, 2, 5, 2, 5, 7, 2):
        run(batch)
        counts.append(len(seen))
    each = counts[0]
    assert each and counts == [each] * 8


def test_the_sizes_that_were_used_last_stay_compiled() -> None:
    lowered: list[int] = []

    def lower(
        node: Node, options: CompileOptions, number: AsNumber, known: Printed
    ) -> Sequence[Launch]:
        lowered.append(number(node.outputs[0].shape[0]))
        return lower_node(node, options, number, known)

    graph = parse_graph("""graph g {
      size N = 4
      input %x: f32[N,8] data
      %y: f32[N,8] = map(%x) {exp(a0)}
      output %y: f32[N,8] result
    }""")
    compiler = GraphCompiler(graph, lower, CompileOptions())
    first = range(1, KEPT + 1)
    for batch in (*first, 1, KEPT + 1, 1, *first[2:], 2):
        assert compiler.at({"N": batch}).plan.buffers[0].type.shape[0] == batch
    assert lowered == [*first, KEPT + 1, 2]


def test_kernels_are_printed_once() -> None:
    program = program_kernels.general(program_of(nets.net_from_text(NET), "TRAIN"))
    graph = program_kernels.training_graph(program)
    compiler = GraphCompiler(graph, lower_node, CompileOptions())
    few, many = (compiler.at({"N": batch}) for batch in (2, 3))
    assert few.plan != many.plan
    assert all(a is b for a, b in zip(few.launches, many.launches, strict=True))


def test_what_is_kept_goes_with_the_graph() -> None:
    backend = OptimisedBackend()
    for text in (NET, inputs(x=(2,)) + 'layer { name: "r" type: "ReLU" bottom: "x" top: "r" }'):
        graph = program_of(nets.net_from_text(text), "TEST").graph
        options = compile_options(backend, CompileRequest(), print)
        first = backend._optimised(graph, options)
        assert backend._optimised(graph, options) is first
        again = backend._optimised(first, options)  # nothing is left to optimise
        assert backend._optimised(again, options) is again
        gone = weakref.ref(graph), weakref.ref(first)
        del graph, first, again
        gc.collect()
        assert gone[0]() is None and gone[1]() is None
