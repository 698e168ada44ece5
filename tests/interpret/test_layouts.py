"""A small net runs with its images in other orders of memory: all blobs and all diffs are right."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from compiler.options import CompileOptions
from compiler.passes.autodiff import differentiate
from compiler.pipeline import run_passes, verify_each
from ir.graph import Graph, Role
from ir.interpret import run_graph
from ir.ops.fusion import Fused
from ir.program import NetProgram
from runtime.interpret.backend import InterpretBackend
from runtime.memory.buffers import Buffer
from tests.support.training_run import lowered

NET = """
name: "orders"
layer { name: "data" type: "Input" top: "data" top: "label"
  input_param { shape { dim: 2 dim: 3 dim: 9 dim: 7 } shape { dim: 2 } } }
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


def options(layout: str) -> CompileOptions:
    return CompileOptions(replace(InterpretBackend.target, layout=layout))


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


def run(graph: Graph, arrays: list[np.ndarray], chosen: CompileOptions) -> list[np.ndarray]:
    inputs = {p.key: Buffer(p.value.type) for p in graph.inputs}
    outputs = {}
    for port in graph.outputs:
        key = port.key
        outputs[key] = inputs.get(key) or Buffer(port.value.type)
    for port, array in zip(graph.inputs, arrays, strict=True):
        inputs[port.key].array[...] = array
    InterpretBackend().bind(graph, inputs, outputs, chosen).run()
    return [outputs[p.key].array.copy() for p in graph.outputs]


def compare(graph: Graph, found: list[np.ndarray], arrays: list[np.ndarray]) -> None:
    wide = [a.astype(np.float64) if a.dtype == np.float32 else a for a in arrays]
    for port, have, want in zip(graph.outputs, found, run_graph(graph, wide), strict=True):
        scale = max(1e-6, float(np.abs(want).max()))
        np.testing.assert_allclose(have, want, atol=2e-5 * scale, rtol=0, err_msg=port.name)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_all_blobs_and_diffs_are_right(layout: str) -> None:
    graph = whole(lowered(NET))
    arrays = arrays_of(graph)
    chosen = options(layout)
    laid = run_passes(graph, chosen, [verify_each])
    groups = [n for n in laid.nodes if isinstance(n.op, Fused)]
    images = [v for n in groups for v in n.outputs if v.type.layout is not None]
    assert len(images) > 10
    assert all(p.value.type.layout is None for p in (*laid.inputs, *laid.outputs))
    compare(graph, run(graph, arrays, chosen), arrays)
