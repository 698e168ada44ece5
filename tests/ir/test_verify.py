"""What the verifier refuses, and what it says."""

from __future__ import annotations

from dataclasses import replace

import pytest

import ir.ops  # noqa: F401
from ir.graph import Graph, Node, Port, Role, Value
from ir.ops.fusion import Fused
from ir.text import parse_graph
from ir.types import TensorType
from ir.verify import InvalidGraph, verify

GOOD = """graph net {
  input %x: f32[2,3] data
  input %bn/0: f32[2,3] state
  %a: f32[2,3] = map(%x) {exp(a0)}  # act net.prototxt:7
  %b: f32[2,3] = map(%a, %bn/0) {add(a0, a1)}  # bn net.prototxt:9
  output %b: f32[2,3] result "top"
  output %b: f32[2,3] state "bn/0"
}
"""


def refused(graph: Graph, *parts: str) -> None:
    with pytest.raises(InvalidGraph) as caught:
        verify(graph)
    for part in parts:
        assert part in str(caught.value)


def test_a_good_graph_passes() -> None:
    verify(parse_graph(GOOD))


def test_wrong_type_names_node_layer_and_line() -> None:
    graph = parse_graph(GOOD.replace("%a: f32[2,3]", "%a: f32[3,2]"))
    refused(graph, "declared as f32[3,2], but gives f32[2,3]", "net.prototxt:7", "'act'", "%a")


def test_type_rule_that_refuses() -> None:
    refused(parse_graph(GOOD.replace("%x: f32[2,3]", "%x: i32[2,3]")), "a0 is i32")


def test_read_before_definition() -> None:
    graph = parse_graph(GOOD)
    refused(replace(graph, nodes=graph.nodes[::-1]), "%a is read before it is defined", "'bn'")


def test_defined_twice() -> None:
    graph = parse_graph(GOOD)
    refused(replace(graph, nodes=(*graph.nodes, graph.nodes[0])), "%a is defined twice")


def test_names_are_unique() -> None:
    graph = parse_graph(GOOD)
    node = graph.nodes[1]
    twin = Node(node.op, node.inputs, (Value("a", TensorType((2, 3))),))
    refused(replace(graph, nodes=(*graph.nodes, twin)), "the name %a is taken")


def test_an_output_must_be_defined() -> None:
    graph = parse_graph(GOOD)
    lost = Port("lost", Value("lost", TensorType((1,))), Role.RESULT)
    refused(replace(graph, outputs=(lost,)), "output 'lost': %lost is not defined")


def test_ports_are_unique_per_role() -> None:
    graph = parse_graph(GOOD)
    refused(
        replace(graph, outputs=(*graph.outputs, graph.outputs[0])),
        "two result outputs are named 'top'",
    )


def test_a_state_that_is_written_must_be_an_input() -> None:
    text = GOOD.replace('state "bn/0"', 'state "bn/1"')
    refused(parse_graph(text), "'bn/1'", "no such variable")


def test_a_gradient_is_overwritten_where_it_is_no_input() -> None:
    verify(parse_graph(GOOD.replace('state "bn/0"', 'gradient "bn/1"')))


def test_a_written_variable_keeps_its_type() -> None:
    graph = parse_graph(GOOD.replace("%bn/0: f32[2,3]", "%bn/0: f32[1,3]"))
    refused(graph, "is f32[2,3], the variable is f32[1,3]")


def test_nested_graphs_are_verified() -> None:
    inner = parse_graph(GOOD.replace("%a: f32[2,3]", "%a: f32[3,2]"))
    inputs = tuple(p.value for p in inner.inputs)
    outputs = (Value("y", TensorType((2, 3))), Value("z", TensorType((2, 3))))
    node = Node(Fused("k", "flat", inner), inputs, outputs)
    refused(Graph("outer", inner.inputs, (node,), ()), "graph outer/net", "declared as f32[3,2]")
