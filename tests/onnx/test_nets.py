"""Whole nets as ONNX models: the measured ones with fewer channels, on small pictures."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from onnx import TensorProto

from benchmarks.zoo import ZOO
from benchmarks.zoo.captioner import captioner
from benchmarks.zoo.fcn8s import fcn8s
from examples.ssd.make_net import deploy as ssd
from roastery.api.export_onnx import OnnxRequest
from tests.support.layer_cases import LayerCase
from tests.support.onnx_run import OnnxRun

#: The nets, and the edge of the pictures that they are given here.
NETS: dict[str, tuple[Callable[[], str], int]] = {
    "lenet": (lambda: ZOO["lenet"].text(1, deploy=True), 28),
    "caffenet": (lambda: ZOO["caffenet"].text(1, deploy=True), 67),
    "googlenet": (lambda: ZOO["googlenet"].text(1, deploy=True), 64),
    "resnet50": (lambda: ZOO["resnet50"].text(1, deploy=True), 64),
    "squeezenet": (lambda: ZOO["squeezenet"].text(1, deploy=True), 63),
    "mobilenet": (lambda: ZOO["mobilenet"].text(1, deploy=True), 64),
    "fcn8s": (lambda: fcn8s(1, deploy=True), 40),
    "captioner": (lambda: captioner(1, deploy=True), 0),
    "ssd": (ssd, 64),
}


def _fewer(match: re.Match[str]) -> str:
    """A multiple of 8 channels, or groups, is an eighth of them."""
    count = int(match[2])
    return f"{match[1]}: {count // 8 if count % 8 == 0 else count}"


def small(name: str) -> LayerCase:
    text, edge = NETS[name]
    made = text()
    if name not in ("ssd", "lenet"):
        made = re.sub(r"(num_output|group): (\d+)", _fewer, made)
    # Chance gives each class a fourth.
    made = re.sub(r"confidence_threshold: [0-9.]+", "confidence_threshold: 0.24", made)
    if edge:
        made = re.sub(r"dim: \d+ dim: \d+ \}", f"dim: {edge} dim: {edge} }}", made, count=1)
    fills = {}
    if name == "captioner":
        fills = {
            "words": lambda rng: rng.integers(0, 50, (20, 1)),
            "cont": lambda rng: (np.arange(20) > 0).reshape(20, 1),
        }
    return LayerCase("Net", name, made, inputs=fills)


@pytest.mark.parametrize("name", NETS)
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


@pytest.mark.parametrize("name", [name for name in NETS if name != "ssd"])
def test_half(name: str) -> None:
    """Weights are float16, inputs and outputs float32; results are what 11 bits make of them."""
    run = OnnxRun(small(name), OnnxRequest(half=True), tame=True)
    assert not run.compare(within=2e-2)
    graph = run.model.graph
    ports = (*graph.input, *graph.output)
    assert {port.type.tensor_type.elem_type for port in ports} == {TensorProto.FLOAT}
    weights = [t for t in graph.initializer if len(t.dims) > 1 and t.name in run.values]
    assert weights and {t.data_type for t in weights} == {TensorProto.FLOAT16}
