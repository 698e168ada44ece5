"""How many kernels well-known pieces of nets become: a loss of fusion shows here first."""

from __future__ import annotations

from collections import Counter

from compiler.options import CompileOptions
from compiler.passes.autodiff import differentiate, drop_stop_gradient
from compiler.pipeline import run_passes, verify_each
from frontends.lowering.net import lower_layers
from frontends.prototxt import parse_text
from ir.expr import walk
from ir.graph import Direction, Graph, Value
from ir.ops.fusion import Fused
from tests.support.kernel_rules import check_kernels

INPUT = """
layer { name: "data" type: "Input" top: "data" top: "label"
  input_param { shape { dim: 4 dim: 8 dim: 12 dim: 12 } shape { dim: 4 } } }
"""


def conv_bn_relu(name: str, bottom: str) -> str:
    return f"""
layer {{ name: "{name}" type: "Convolution" bottom: "{bottom}" top: "{name}"
  convolution_param {{ num_output: 8 kernel_size: 3 pad: 1 bias_term: false }} }}
layer {{ name: "{name}_bn" type: "BatchNorm" bottom: "{name}" top: "{name}" }}
layer {{ name: "{name}_scale" type: "Scale" bottom: "{name}" top: "{name}"
  scale_param {{ bias_term: true }} }}
layer {{ name: "{name}_relu" type: "ReLU" bottom: "{name}" top: "{name}" }}
"""


LOSS = """
layer { name: "ip" type: "InnerProduct" bottom: "BOTTOM" top: "ip"
  inner_product_param { num_output: 5 } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
"""


def fused(text: str, phase: str = "TRAIN") -> tuple[Graph, Counter[str]]:
    program = lower_layers(parse_text(text, "NetParameter", "net.prototxt"), phase).program
    if phase == "TRAIN":
        learning = [c.name for c in program.variables.values() if c.learns]
        graph = differentiate(program.graph, parameters=learning, seeds={"loss": 1.0})
    else:
        graph = drop_stop_gradient(program.graph)
    graph = run_passes(graph, CompileOptions(), [verify_each])
    check_kernels(graph)
    return graph, Counter(n.op.schedule for n in graph.nodes if isinstance(n.op, Fused))


def kernel(graph: Graph, value: str) -> tuple[Fused, tuple[Value, ...]]:
    """The kernel that makes a value, and what it writes."""
    for node in graph.nodes:
        if isinstance(node.op, Fused) and value in {v.name for v in node.outputs}:
            return node.op, node.outputs
    raise KeyError(value)


def test_each_batch_norm_adds_two_kernels_to_training() -> None:
    """Forward: normalise + scale + relu. Backward: one map.

    Mean and variance are found by the convolution before, the relu's backward and all four sums
    are in the tail of the gradient of the one above.
    """
    one = fused(INPUT + conv_bn_relu("a", "data") + LOSS.replace("BOTTOM", "a"))[1]
    two = fused(
        INPUT + conv_bn_relu("a", "data") + conv_bn_relu("b", "a") + LOSS.replace("BOTTOM", "b")
    )[1]
    # A convolution in training: forward, input and weight gradients, and its weights in two orders.
    assert two - one == Counter({"contract": 3, "flat": 4})


def test_no_element_costs_a_division() -> None:
    """BatchNorm's are done once for each channel, where its statistics are folded; and of backward
    there are two sums, of which all others are multiples."""
    graph, _ = fused(INPUT + conv_bn_relu("a", "data") + LOSS.replace("BOTTOM", "a"))
    groups = [n for n in graph.nodes if isinstance(n.op, Fused) and n.location.layer[:2] == "a_"]
    assert {n.direction for n in groups} == {Direction.FORWARD, Direction.BACKWARD}
    for node in graph.nodes:
        if isinstance(node.op, Fused):
            for inner in node.op.body.nodes:
                exprs = getattr(inner.op, "exprs", ())
                slow = [x.op for x in walk(*exprs) if x.op in ("div", "sqrt")]
                assert not slow or inner.outputs[0].type.size < 4 * 8 * 12 * 12
    (sums,) = [n for n in groups if any(x.op.fold for x in n.op.body.nodes)]
    assert sum(x.op.fold is not None for x in sums.op.body.nodes) == 2


def test_a_convolution_with_relu_is_one_kernel() -> None:
    text = (
        INPUT
        + """
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 8 kernel_size: 3 } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "silent" type: "Silence" bottom: "label" }
"""
    )
    # The image and the weights are copied with their channels last.
    assert fused(text, "TEST")[1] == Counter({"contract": 1, "flat": 2})


def test_norm_across_channels_squares_what_it_loads() -> None:
    text = (
        INPUT
        + """
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 8 kernel_size: 3 } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "norm" type: "LRN" bottom: "conv" top: "norm" }
layer { name: "silent" type: "Silence" bottom: "label" }
"""
    )
    graph, kinds = fused(text, "TEST")
    assert kinds == Counter({"contract": 1, "flat": 1 + 2})  # two copies, as above
    op, outputs = kernel(graph, "norm")
    assert [v.name for v in outputs] == ["norm"] and op.label == "norm"


def test_softmax_loss_reads_the_scores_twice() -> None:
    """Everything of one image; the sum over the batch. Then one for backward."""
    _, kinds = fused(INPUT + LOSS.replace("BOTTOM", "data"))
    assert kinds["row"] == 1
    assert kinds["reduce"] - 1 == 1  # one more for the bias of ip
    assert kinds["flat"] == 1
    # Forward and weight gradient, with the addition to the diff in its tail.
    assert kinds["contract"] == 2


def test_diffs_are_added_in_the_kernels_that_make_them() -> None:
    graph, _ = fused(INPUT + LOSS.replace("BOTTOM", "data"))
    for name in ("ip/0", "ip/1"):
        value = graph.output(name).value
        made = graph.producers[value]
        source = made.inputs[0] if not isinstance(made.op, Fused) else value
        assert kernel(graph, source.name)[0].schedule in ("contract", "reduce")
