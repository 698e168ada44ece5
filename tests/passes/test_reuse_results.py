"""What backward may read of an activation's result instead of its operand, and what not."""

from __future__ import annotations

import numpy as np
import pytest

from compiler.passes.reuse_results import reuse_results
from ir.interpret import run_graph
from ir.text import parse_graph
from ir.verify import verify

RELU = "max(a0, 0.0)"
LEAKY = "where(gt(a0, 0.0), a0, mul(a0, 0.1))"


@pytest.mark.parametrize(
    ("activation", "reader", "reads"),
    [
        (RELU, "where(gt(a0, 0.0), a1, 0.0)", "y"),
        (RELU, "where(le(a0, 0.0), 0.0, a1)", "y"),
        (RELU, "where(ge(a0, 0.0), a1, 0.0)", "x"),
        (RELU, "where(lt(a0, 0.0), 0.0, a1)", "x"),
        (RELU, "where(gt(a0, 0.5), a1, 0.0)", "x"),
        (RELU, "mul(a0, a1)", "x"),
        (LEAKY, "where(gt(a0, 0.0), a1, mul(a1, 0.1))", "y"),
        (LEAKY.replace("0.1", "-0.1"), "where(gt(a0, 0.0), a1, mul(a1, -0.1))", "x"),
        (LEAKY.replace("mul(a0, 0.1)", "add(a0, 0.1)"), "where(gt(a0, 0.0), a1, 0.0)", "x"),
        (LEAKY.replace("a0, mul", "1.0, mul"), "where(gt(a0, 0.0), 0.0, a1)", "x"),
        ("tanh(a0)", "mul(a1, sub(1.0, mul(tanh(a0), tanh(a0))))", "y"),
        ("tanh(a0)", "mul(a1, tanh(mul(a0, 2.0)))", "x"),
        ("sigmoid(a0)", "mul(a1, add(sigmoid(a0), a0))", "x"),
    ],
)
def test_what_backward_reads(activation: str, reader: str, reads: str) -> None:
    graph = parse_graph(f"""graph net {{
      input %in: f32[7] data
      input %g: f32[7] seed "y"
      %x: f32[7] = map(%in) {{mul(a0, 2.0)}}
      %y: f32[7] = map(%x) {{{activation}}}
      output %y: f32[7] result
    backward:
      %d: f32[7] = map(%x, %g) {{{reader}}}
      output %d: f32[7] result "diff:x"
    }}""")
    after = reuse_results(graph)
    verify(after)
    assert after.nodes[-1].inputs[0].name == reads
    inputs = [np.array([-2.0, -0.2, -0.0, 0.0, 0.1, 0.25, 3.0]), np.arange(1.0, 8.0)]
    for one, other in zip(run_graph(after, inputs), run_graph(graph, inputs), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_result_of_another_shape_stands_for_nothing() -> None:
    graph = parse_graph("""graph net {
      input %in: f32[7,1] data
      input %g: f32[7,1] seed "y"
      %x: f32[7,1] = map(%in) {mul(a0, 2.0)}
      %y: f32[7,2] = map(%x) {exp(a0)} shape=(7,2)
      output %y: f32[7,2] result
    backward:
      %d: f32[7,1] = map(%x, %g) {mul(exp(a0), a1)}
      output %d: f32[7,1] result "diff:x"
    }""")
    assert reuse_results(graph) is graph
