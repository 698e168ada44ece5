"""A small net runs with its images in other orders of memory: all blobs and all diffs are right."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from compiler.options import CompileOptions
from compiler.partitions import by_layer
from compiler.passes.autodiff import differentiate
from compiler.passes.context import PassContext
from compiler.passes.freeze import freeze
from compiler.pipeline import run_passes, verify_each
from ir.graph import Graph, PortKey, Role
from ir.interpret import run_graph
from ir.program import NetProgram
from ir.text import parse_graph
from runtime.backends.backend import Backend
from runtime.backends.host_graph import HostGraph
from runtime.backends.reference import ReferenceBackend
from runtime.interpret.backend import InterpretBackend
from runtime.memory.buffers import Buffer
from runtime.memory.store import Store
from runtime.net import PartitionedNet
from tests.support.c_kernels import COMPILED, backends, needs_compiler
from tests.support.c_kernels import backend as backend_of
from tests.support.graphs import Drawn, examples, graphs, trained
from tests.support.graphs.rounding import SINGLE, TooLarge, expected
from tests.support.lowering import lowered

NET = """
name: "orders"
layer { name: "data" type: "Input" top: "data" top: "label"
  input_param { shape { dim: 2 dim: 3 dim: 5 dim: 7 } shape { dim: 2 } } }
layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1" convolution_param {
  num_output: 6 kernel_size: 3 pad: 1 weight_filler { type: "xavier" } } }
layer { name: "bn1" type: "BatchNorm" bottom: "conv1" top: "bn1" }
layer { name: "scale1" type: "Scale" bottom: "bn1" top: "scale1" scale_param { bias_term: true } }
layer { name: "relu1" type: "ReLU" bottom: "scale1" top: "scale1" }
layer { name: "pool1" type: "Pooling" bottom: "scale1" top: "pool1"
  pooling_param { pool: MAX kernel_size: 3 stride: 2 } }
layer { name: "left" type: "Convolution" bottom: "pool1" top: "left" convolution_param {
  num_output: 6 kernel_size: 1 weight_filler { type: "xavier" } } }
layer { name: "thin" type: "Convolution" bottom: "left" top: "thin" convolution_param {
  num_output: 6 group: 6 kernel_size: 3 pad: 1 weight_filler { type: "xavier" } } }
layer { name: "right" type: "Convolution" bottom: "pool1" top: "right" convolution_param {
  num_output: 4 kernel_size: 3 pad: 1 weight_filler { type: "xavier" } } }
layer { name: "concat" type: "Concat" bottom: "thin" bottom: "right" top: "concat" }
layer { name: "up" type: "Deconvolution" bottom: "concat" top: "up" convolution_param {
  num_output: 6 kernel_size: 2 stride: 2 weight_filler { type: "xavier" } } }
layer { name: "down" type: "Pooling" bottom: "up" top: "down"
  pooling_param { pool: AVE kernel_size: 2 stride: 2 } }
layer { name: "sum" type: "Eltwise" bottom: "down" bottom: "left" bottom: "pool1" top: "sum" }
layer { name: "norm" type: "LRN" bottom: "sum" top: "norm" lrn_param { local_size: 3 } }
layer { name: "drop" type: "Dropout" bottom: "norm" top: "norm" }
layer { name: "soft" type: "Softmax" bottom: "norm" top: "soft" }
layer { name: "both" type: "Eltwise" bottom: "soft" bottom: "norm" top: "both"
  eltwise_param { operation: PROD } }
layer { name: "ip" type: "InnerProduct" bottom: "both" top: "ip" inner_product_param {
  num_output: 5 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
"""
LAYOUTS = ("channels-last", "channels-by-4")

# Of vectors of 4 elements, each of which holds a block of channels.
NARROW = [backend_of("x86-64")] if COMPILED else []
BACKENDS = (InterpretBackend(), *backends(), *NARROW)


def options(layout: str, backend: Backend | type[Backend] = InterpretBackend) -> CompileOptions:
    return CompileOptions(replace(backend.target, layout=layout))


def whole(program: NetProgram) -> Graph:
    """Forward and backward, with every version of every blob and the diffs of all."""
    made = program.graph.producers
    versions = {
        f"{name}@{i}": value
        for name, values in program.blobs.items()
        for i, value in enumerate(values)
        if value.type.dtype.is_float
    }
    shown = {p.value for p in program.graph.outputs}
    extra = [
        replace(program.graph.outputs[0], name=name, value=v, role=Role.RESULT)
        for name, v in versions.items()
        if v in made and v not in shown
    ]
    graph = replace(program.graph, outputs=(*program.graph.outputs, *extra))
    learning = [v.name for v in program.variables.values() if v.learns]
    return differentiate(graph, parameters=learning, diffs=versions, seeds=program.loss_weights)


def arrays_of(graph: Graph) -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    arrays = []
    for port in graph.inputs:
        shape, dtype = port.value.shape, port.value.type.dtype
        if dtype.is_float:
            array = rng.integers(0, 5, shape) if port.name == "label" else rng.random(shape) - 0.3
        else:
            array = rng.integers(0, 9, shape)
        arrays.append(np.abs(array) if port.role is Role.STATE else array)
    return [a.astype(p.value.type.dtype.numpy) for p, a in zip(graph.inputs, arrays, strict=True)]


def run(
    graph: Graph, arrays: list[np.ndarray], backend: Backend, chosen: CompileOptions
) -> list[np.ndarray]:
    inputs = {p.key: Buffer(p.value.type) for p in graph.inputs}
    outputs = {}
    for port in graph.outputs:
        key = port.key
        variable = (
            inputs.get(PortKey(Role.PARAMETER, port.name)) if port.role is Role.STATE else None
        )
        outputs[key] = inputs.get(key) or variable or Buffer(port.value.type)
    for port, array in zip(graph.inputs, arrays, strict=True):
        inputs[port.key].array[...] = array
    bound = backend.bind(graph, inputs, outputs, chosen)
    if isinstance(bound, HostGraph):
        for number, offset in enumerate(bound.plan.memory.offsets):
            # What no step uses has no place, such as parts of an empty product's sums.
            if number not in bound.plan.bound and offset is not None:
                bound.memory(number)[...] = 0xFF  # NaN
    bound.run()
    return [outputs[p.key].array.copy() for p in graph.outputs]


def compare(graph: Graph, found: list[np.ndarray], arrays: list[np.ndarray]) -> None:
    wide = [a.astype(np.float64) if a.dtype == np.float32 else a for a in arrays]
    for port, have, want in zip(graph.outputs, found, run_graph(graph, wide), strict=True):
        # Sums that cancel, such as diffs of biases that BatchNorm takes away, are noise.
        scale = max(1e-3, float(np.abs(want).max()))
        np.testing.assert_allclose(have, want, atol=2e-5 * scale, rtol=0, err_msg=port.name)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("backend", BACKENDS, ids=lambda b: b.name)
def test_all_blobs_and_diffs_are_right(layout: str, backend: Backend) -> None:
    graph = whole(lowered(NET))
    arrays = arrays_of(graph)
    chosen = options(layout, backend)
    laid = run_passes(graph, chosen, [verify_each])
    images = [v for n in laid.nodes for v in n.outputs if v.type.layout is not None]
    assert len(images) > 10
    assert all(p.value.type.layout is None for p in (*laid.inputs, *laid.outputs))
    compare(graph, run(graph, arrays, backend, chosen), arrays)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_frozen_weights_are_laid_out_once(layout: str) -> None:
    chosen = options(layout)
    once, rest = freeze(lowered(NET, "TEST").graph, PassContext(chosen))
    packed = [n for n in once.nodes if n.op.name == "pack"]
    # Those of 1 x 1 are as they were; over few channels they are padded.
    assert len(packed) == (4 if layout == "channels-last" else 5)
    after = run_passes(rest, chosen, [verify_each])
    laid = {n.outputs[0].name for n in after.nodes if n.op.name == "unpack"}
    assert laid == {n.inputs[0].name for n in packed}
    weights = {n.inputs[1].name for n in rest.nodes if n.op.images}
    read = {v.name for n in after.nodes for v in n.inputs}
    assert laid <= weights <= read
    assert not any(f"{name}.copy" in read for name in weights)


def stored(program: NetProgram) -> Store:
    store = Store(program.variables, seed=1)
    rng = np.random.default_rng(2)
    for buffer in store.data.values():
        if buffer.type.dtype.is_float:
            buffer.array[...] += 0.1 * rng.random(buffer.type.shape)
    return store


def fed(program: NetProgram) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(4)
    label = rng.integers(0, 5, 2).astype(np.float32)
    return {"data": rng.random(program.blobs["data"][0].shape, np.float32) - 0.3, "label": label}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_frozen_net_computes_the_same(layout: str) -> None:
    program = lowered(NET, "TEST")
    found = []
    for backend, chosen in _executors(layout):
        net = PartitionedNet(program, backend, stored(program), options=chosen, freeze=True)
        net.inputs.take(fed(program))
        for _ in range(2):
            net.forward()
        found.append(net.output("loss").copy())
    np.testing.assert_allclose(*found, rtol=1e-5)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layer_by_layer_all_blobs_are_right(layout: str) -> None:
    program = lowered(NET, "TEST")
    found: list[dict[str, np.ndarray]] = []
    for backend, chosen in _executors(layout):
        net = PartitionedNet(
            program, backend, stored(program), partitioning=by_layer(program), options=chosen
        )
        for name, array in fed(program).items():
            net.blobs[name].data.array[...] = array
        net.forward()
        net.backward()
        values = {f"{n} data": b.data.array.copy() for n, b in net.blobs.items()}
        values |= {f"{n} diff": b.diff.array.copy() for n, b in net.blobs.items()}
        found.append(values | {n: b.array.copy() for n, b in net.store.diff.items()})
    for name, want in found[0].items():
        scale = max(1e-2, float(np.abs(want).max(initial=0.0)))
        np.testing.assert_allclose(found[1][name], want, atol=2e-5 * scale, rtol=0, err_msg=name)


KEPT_TWICE = """
graph g {
  input %table: i32[3,2] data
  input %rows: i32[3] data
  %g: i32[3,2] = gather(%table, %rows)
  %m: i32[3,2]{0,0:4,1} = map(%g) {a0:i32}
  %p: i32[8] = pack(%m) type=i32[3,2]{0,0:4,1}
  output %g: i32[3,2] result
  output %p: i32[8] result
}
"""


@pytest.mark.parametrize("backend", [InterpretBackend(), *backends()], ids=lambda b: b.name)
def test_what_fills_up_packed_blocks_is_zero(backend: Backend) -> None:
    graph = parse_graph(KEPT_TWICE)
    arrays = [np.arange(1, 7, dtype=np.int32).reshape(3, 2), np.array([2, 0, 1], np.int32)]
    found = run(graph, arrays, backend, CompileOptions())
    for array, want in zip(found, run_graph(graph, arrays), strict=True):
        np.testing.assert_array_equal(array, want)


def _executors(layout: str) -> list[tuple[Backend, CompileOptions]]:
    reference = ReferenceBackend()
    return [
        (reference, CompileOptions(reference.target, passes=())),
        (InterpretBackend(), options(layout)),
    ]


@examples(12)
@given(graphs(most=6), st.sampled_from((*LAYOUTS, "channels-by-2")))
def test_random_graphs(drawn: Drawn, layout: str) -> None:
    whole = trained(drawn)
    try:
        wanted = expected(whole.graph, whole.arrays(), SINGLE)
    except TooLarge:
        reject()
    backend = InterpretBackend()
    found = run(whole.graph, whole.arrays(double=False), backend, options(layout))
    wanted.check(found, [p.name for p in whole.graph.outputs])


@needs_compiler
@examples(6)
@given(graphs(most=6))
def test_random_graphs_in_vectors(drawn: Drawn) -> None:
    """Forward and backward, with channels in blocks that are vectors and filled up."""
    whole = trained(drawn)
    try:
        wanted = expected(whole.graph, whole.arrays(), SINGLE)
    except TooLarge:
        reject()
    (backend,) = NARROW
    chosen = CompileOptions(backend.target)
    found = run(whole.graph, whole.arrays(double=False), backend, chosen)
    wanted.check(found, [p.name for p in whole.graph.outputs])
