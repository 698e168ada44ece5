"""A net planned for one image takes no kernel that it does not take for many, and vice versa."""

from __future__ import annotations

import pytest

from compiler.compiled import CompiledGraph
from compiler.options import CompileOptions
from examples.googlenet.make_net import googlenet
from roastery.inspection.compilation import compile_program
from roastery.reading import nets
from tests.support import program_kernels as kernels
from tests.support.lowering import program_of
from tests.support.sample_nets import lenet

ALEXNET = """name: "alexnet"
input: "data" input_shape { dim: BATCH dim: 3 dim: 67 dim: 67 } LABEL
layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
  convolution_param { num_output: 16 kernel_size: 11 stride: 4 } }
layer { name: "relu1" type: "ReLU" bottom: "conv1" top: "conv1" }
layer { name: "norm1" type: "LRN" bottom: "conv1" top: "norm1"
  lrn_param { local_size: 5 alpha: 0.0001 beta: 0.75 } }
layer { name: "pool1" type: "Pooling" bottom: "norm1" top: "pool1"
  pooling_param { pool: MAX kernel_size: 3 stride: 2 } }
layer { name: "conv2" type: "Convolution" bottom: "pool1" top: "conv2"
  convolution_param { num_output: 32 kernel_size: 5 pad: 2 group: 2 } }
layer { name: "relu2" type: "ReLU" bottom: "conv2" top: "conv2" }
layer { name: "fc6" type: "InnerProduct" bottom: "conv2" top: "fc6"
  inner_product_param { num_output: 128 } }
layer { name: "relu6" type: "ReLU" bottom: "fc6" top: "fc6" }
layer { name: "drop6" type: "Dropout" bottom: "fc6" top: "fc6" }
layer { name: "fc" type: "InnerProduct" bottom: "fc6" top: "fc"
  inner_product_param { num_output: 100 } }
END"""

RESNET = """name: "resnet"
input: "data" input_shape { dim: BATCH dim: 3 dim: 16 dim: 16 } LABEL
layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
  convolution_param { num_output: 16 kernel_size: 3 pad: 1 bias_term: false } }
layer { name: "bn1" type: "BatchNorm" bottom: "conv1" top: "conv1" }
layer { name: "scale1" type: "Scale" bottom: "conv1" top: "conv1" scale_param { bias_term: true } }
layer { name: "relu1" type: "ReLU" bottom: "conv1" top: "conv1" }
layer { name: "conv2" type: "Convolution" bottom: "conv1" top: "conv2"
  convolution_param { num_output: 16 kernel_size: 3 pad: 1 bias_term: false } }
layer { name: "bn2" type: "BatchNorm" bottom: "conv2" top: "conv2" }
layer { name: "scale2" type: "Scale" bottom: "conv2" top: "conv2" scale_param { bias_term: true } }
layer { name: "sum" type: "Eltwise" bottom: "conv1" bottom: "conv2" top: "sum" }
layer { name: "relu2" type: "ReLU" bottom: "sum" top: "sum" }
layer { name: "pool" type: "Pooling" bottom: "sum" top: "pool"
  pooling_param { pool: AVE global_pooling: true } }
layer { name: "fc" type: "InnerProduct" bottom: "pool" top: "fc"
  inner_product_param { num_output: 10 } }
END"""

SOFTMAX = 'layer { name: "prob" type: "Softmax" bottom: "fc" top: "prob" }'
LOSS = 'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "fc" bottom: "label" top: "loss" }'


def compiled(template: str, batch: int, phase: str) -> CompiledGraph:
    trains = phase == "TRAIN"
    label = f'input: "label" input_shape {{ dim: {batch} }}'
    text = (
        template.replace("BATCH", str(batch))
        .replace("LABEL", label if trains else "")
        .replace("END", LOSS if trains else SOFTMAX)
    )
    program = program_of(nets.net_from_text(text, "net.prototxt"), phase)
    # What backward computes again is decided for the sizes at hand: kernels follow from that.
    options = CompileOptions(recomputes=False)
    return compile_program(program, options, backward=trains).compiled


@pytest.mark.parametrize("phase", ["TEST", "TRAIN"])
@pytest.mark.parametrize("net", ["alexnet", "resnet", "lenet", "googlenet"])
def test_one_image_and_many(net: str, phase: str) -> None:
    if net in ("lenet", "googlenet"):
        make = lenet if net == "lenet" else googlenet
        one, many = (compiled(make(n), n, phase) for n in (1, 64))
    else:
        template = ALEXNET if net == "alexnet" else RESNET
        one, many = (compiled(template, n, phase) for n in (1, 8))
    first, second = kernels.texts([one]), kernels.texts([many])
    assert len(first.keys() & second.keys()) > 1
    assert kernels.unknown(second, first) == []
    assert kernels.unknown(first, second) == []


FILTERED = """
layer { name: "x" type: "Input" top: "x" top: "keep"
  input_param { shape { dim: 8 dim: 6 dim: 5 dim: 5 } shape { dim: 8 } } }
layer { name: "filter" type: "Filter" bottom: "x" bottom: "keep" top: "kept" }
layer { name: "scale" type: "Scale" bottom: "kept" top: "kept" scale_param { bias_term: true } }
layer { name: "fc" type: "InnerProduct" bottom: "kept" top: "fc"
  inner_product_param { num_output: 7 } }
layer { name: "prob" type: "Softmax" bottom: "fc" top: "prob" }"""


@pytest.mark.parametrize("phase", ["TEST", "TRAIN"])
def test_one_row_of_those_that_a_filter_lets_pass(phase: str) -> None:
    def sources(rows: int) -> set[str]:
        net = nets.net_from_text(FILTERED, "net.prototxt")
        program = program_of(net, phase, shapes={"filter/rows": (rows,)})
        return {
            kernel.source for kernel in compile_program(program, CompileOptions()).compiled.kernels
        }

    assert sources(1) == sources(3)
