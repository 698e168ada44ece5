"""Whole nets as ONNX models: the measured ones with fewer channels, on small pictures."""

from __future__ import annotations

import re

import numpy as np
import pytest
from onnx import TensorProto

from roastery.api.export_onnx import OnnxRequest
from tests.support.known_nets import KNOWN_NETS, small_text
from tests.support.layer_cases import LayerCase
from tests.support.onnx_run import OnnxRun


def small(name: str) -> LayerCase:
    fills = {}
    if name == "captioner":
        fills = {
            "words": lambda rng: rng.integers(0, 50, (20, 1)),
            "cont": lambda rng: (np.arange(20) > 0).reshape(20, 1),
        }
    return LayerCase("Net", name, small_text(name), inputs=fills)


@pytest.mark.parametrize("name", KNOWN_NETS)
def test_nets(name: str) -> None:
    """At the number of images that it was exported with, and at another."""
    dynamic = "batch" if name != "captioner" else ""
    run = OnnxRun(small(name), OnnxRequest(dynamic=dynamic), tame=True)
    assert not run.compare()
    for array in run.outputs().values():
        assert np.isfinite(array).all() and np.unique(array).size > 5
    if dynamic:
        shapes = {n: (5, *run.values[n].shape[1:]) for n in run.program.inputs}
        assert not run.compare(run.program.at(shapes))


def test_sequences_of_several() -> None:
    """Of which the batch is no first axis."""
    text = re.sub(r"dim: 1 \}", "dim: 5 }", small("captioner").prototxt)
    text = text.replace("dim: 1 dim: 1000", "dim: 5 dim: 1000")
    case = LayerCase("Net", "captions of five", text, inputs={})
    assert not OnnxRun(case, OnnxRequest(), tame=True).compare()


@pytest.mark.parametrize("name", ["googlenet", "ssd"])
def test_fixed_sizes(name: str) -> None:
    assert not OnnxRun(small(name), OnnxRequest(), tame=True).compare()


@pytest.mark.parametrize("name", [name for name in KNOWN_NETS if name != "ssd"])
def test_half(name: str) -> None:
    """Weights are float16, inputs and outputs float32; results are what 11 bits make of them."""
    run = OnnxRun(small(name), OnnxRequest(half=True), tame=True)
    assert not run.compare(within=2e-2)
    graph = run.model.graph
    ports = (*graph.input, *graph.output)
    assert {port.type.tensor_type.elem_type for port in ports} == {TensorProto.FLOAT}
    weights = [t for t in graph.initializer if len(t.dims) > 1 and t.name in run.values]
    assert weights and {t.data_type for t in weights} == {TensorProto.FLOAT16}
