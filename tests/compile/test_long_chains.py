"""Nets far longer than Python's calls may nest, through every pass, printer and executor."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import roastery
import roastery.caffe as caffe
from compiler.options import CompileOptions
from ir.text import format_graph
from ir.text_reader import parse_graph
from roastery.caffe import layers as L
from roastery.caffe import net_spec
from roastery.inspection.compilation import compile_program
from roastery.reading import nets
from tests.support.lowering import program_of

HEAD = """
layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 dim: 4 dim: 3 dim: 3 } } }
layer { name: "first" type: "Convolution" bottom: "x" top: "t0"
  convolution_param { num_output: 4 kernel_size: 1 weight_filler { type: "xavier" } } }
"""
TAIL = 'layer { name: "loss" type: "Reduction" bottom: "t%d" top: "loss" loss_weight: 1 }\n'
LAYERS = {
    "power": 'type: "Power" bottom: "%s" top: "%s" power_param { scale: 1.001 shift: 0.01 }',
    "tanh": 'type: "TanH" bottom: "%s" top: "%s"',
    "dropout": 'type: "Dropout" bottom: "%s" top: "%s"',
    "sum": 'type: "Eltwise" bottom: "%s" bottom: "x" top: "%s"',
    "split": 'type: "Split" bottom: "%s" top: "%s"',
    "concat": 'type: "Concat" bottom: "%s" bottom: "x" top: "%s" concat_param { axis: 0 }',
    "crop": 'type: "Crop" bottom: "%s" bottom: "x" top: "%s" crop_param { axis: 2 }',
    "permute": 'type: "Permute" bottom: "%s" top: "%s" permute_param { order: 0 order: 1 order: 3 '
    "order: 2 }",
}


def chain(layer: str, count: int) -> str:
    body = [f'layer {{ name: "l{i}" {layer % (f"t{i}", f"t{i + 1}")} }}\n' for i in range(count)]
    return HEAD + "".join(body) + TAIL % count


def in_place(count: int) -> str:
    layer = 'type: "ReLU" bottom: "t0" top: "t0" relu_param { negative_slope: 0.5 }'
    body = [f'layer {{ name: "l{i}" {layer} }}\n' for i in range(count)]
    return HEAD + "".join(body) + TAIL % 0


def compiled(text: str) -> int:
    """The number of kernels of forward and backward."""
    program = program_of(nets.net_from_text(text), "TRAIN")
    return len(compile_program(program, CompileOptions()).compiled.launches)


@pytest.mark.parametrize("layer", LAYERS)
def test_a_chain_of_400_layers(layer: str) -> None:
    assert 0 < compiled(chain(LAYERS[layer], 400)) < 40


def test_two_kinds_in_turn() -> None:
    pair = [LAYERS["permute"], LAYERS["tanh"]]
    body = [f"layer {{ {pair[i % 2] % (f't{i}', f't{i + 1}')} }}\n" for i in range(400)]
    assert compiled(HEAD + "".join(body) + TAIL % 400) < 200


def test_400_layers_in_place() -> None:
    assert compiled(in_place(400)) < 40


def test_more_layers_than_calls_may_nest() -> None:
    assert compiled(chain(LAYERS["power"], sys.getrecursionlimit() + 100)) < 40


def test_a_blob_that_600_layers_read() -> None:
    text = HEAD + "".join(
        f'layer {{ name: "l{i}" type: "Power" bottom: "t0" top: "u{i}" '
        f"power_param {{ scale: {i + 1} }} }}\n"
        for i in range(600)
    )
    bottoms = " ".join(f'bottom: "u{i}"' for i in range(600))
    text += f'layer {{ name: "sum" type: "Eltwise" {bottoms} top: "t1" }}\n' + TAIL % 1
    assert compiled(text) > 0


def test_they_run_and_are_written(tmp_path) -> None:
    count = 450
    text = chain(LAYERS["power"], count).replace('"xavier"', '"constant" value: 0')
    path = tmp_path / "net.prototxt"
    path.write_text(text)
    net = roastery.compile(path, device="reference", phase="TRAIN")
    x = np.zeros((2, 4, 3, 3), np.float32)
    value = np.float32(0)
    for _ in range(count):
        value = np.float32(value * np.float32(1.001)) + np.float32(0.01)
    np.testing.assert_allclose(net(x=x)["loss"], value * x.size, rtol=1e-4)
    net.backward()
    np.testing.assert_allclose(
        net.parameter_diffs["first"][1], np.full(4, 18 * 1.001**count), rtol=1e-3
    )
    written = format_graph(net.program.graph)
    assert format_graph(parse_graph(written)) == written
    layerwise = caffe.Net(str(path), caffe.TRAIN, device="reference")
    layerwise.blobs["x"].data[...] = 0
    np.testing.assert_allclose(layerwise.forward()["loss"], value * x.size, rtol=1e-4)
    layerwise.backward()
    np.testing.assert_allclose(
        layerwise.params["first"][1].diff, net.parameter_diffs["first"][1], rtol=1e-4
    )


def test_a_net_spec_of_2000_layers() -> None:
    top = L.Input(input_param={"shape": {"dim": [1, 2]}})
    for _ in range(2000):
        top = L.ReLU(top)
    made = net_spec.to_proto(top)
    assert len(made.layer) == 2001
    assert [layer.bottom[0] for layer in made.layer[1:]] == [
        layer.top[0] for layer in made.layer[:-1]
    ]
