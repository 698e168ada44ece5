"""Nodes, and with them dumps and kernels, show the prototxt of the layer they came from."""

from __future__ import annotations

from compiler.options import CompileOptions
from compiler.pipeline import compile_graph
from compiler.triton.lower import lower_node
from tests.support.lowering import lowered

INPUT = 'layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }\n'
ONE_LINE = 'layer { name: "r" type: "ReLU" bottom: "x" top: "y" relu_param { negative_slope: 2 } }'
LINES = """layer {
  name: "r"
  type: "ReLU"
  bottom: "x"
  top: "y"
  relu_param { negative_slope: 2 }
}"""


def test_a_layer_over_several_lines_is_shown_whole() -> None:
    shown = {lowered(INPUT + text).graph.nodes[-1].location.text for text in (ONE_LINE, LINES)}
    assert shown == {ONE_LINE}


def test_a_kernel_quotes_its_layer() -> None:
    (launch,) = compile_graph(lowered(INPUT + LINES).graph, lower_node, CompileOptions()).launches
    assert "relu_param { negative_slope: 2 }" in launch.readable()
