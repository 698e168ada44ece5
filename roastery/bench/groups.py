"""The distinct fused groups of a net: what one device makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from compiler.c.lower import lower_to_c
from compiler.kernel_nodes import repeated_nodes
from compiler.options import CompileOptions
from compiler.partitions import in_one
from compiler.passes.context import PassContext
from compiler.passes.fuel import Fuel
from compiler.passes.fuse import fuse
from compiler.pipeline import GraphCompiler, run_keeping_ports
from compiler.traffic import bytes_read
from compiler.triton.lower import lower_node
from ir.graph import Direction, Graph, Node, Value
from ir.graph_sizes import graph_at
from ir.ops.fusion import Fused
from ir.program import NetProgram

When = Literal["once", "forward", "backward"]


@dataclass(frozen=True)
class KernelGroup:
    """A group, and how often it is in the net.

    Attributes:
        node: as the net has it, of sizes that may be symbols. at_hand: the same, of numbers.
        graph: the one of numbers.
        when: "once", where parameters are frozen; else in which pass.
    """

    node: Node
    at_hand: Node
    graph: Graph = field(repr=False)
    when: When
    count: int

    @property
    def label(self) -> str:
        op = self.node.op
        return op.label if isinstance(op, Fused) else op.name

    @property
    def multiply_adds(self) -> int:
        return self.at_hand.multiply_adds

    @property
    def nbytes(self) -> int:
        """What has to be read and written at least: each operand and each result once, of one that
        is only read by slices, these."""
        made = sum(value.type.nbytes for value in self.at_hand.outputs)
        return made + sum(bytes_read(self.at_hand, i) for i in range(len(self.at_hand.inputs)))


def groups_of(program: NetProgram, options: CompileOptions, *, backward: bool) -> list[KernelGroup]:
    """Those of the graph that `train` runs (``backward``), or `test`, in order; equal ones once.

    Equal are those that compute the same from the same types: they have one kernel.
    """
    found: dict[Any, KernelGroup] = {}
    for when, general, at_hand, graph, times in _nodes(program, options, backward):
        key = _meaning(at_hand)
        group = found.setdefault(key, KernelGroup(general, at_hand, graph, when, 0))
        found[key] = replace(group, count=group.count + times)
    return list(found.values())


def _fused(graph: Graph, options: CompileOptions, program: NetProgram) -> Graph:
    if options.memory_budget is None and options.target.kind == "cpu":
        return fuse(run_keeping_ports(graph, options), PassContext(options, Fuel(0)))
    lower = lower_to_c if options.target.kind == "cpu" else lower_node
    return GraphCompiler(graph, lower, options).at(program.values).graph


def _nodes(
    program: NetProgram, options: CompileOptions, backward: bool
) -> Iterator[tuple[When, Node, Node, Graph, int]]:
    once, graph = in_one(program, options, backward)
    for part_graph in (once, graph):
        fused = _fused(part_graph, options, program)
        numbers = graph_at(fused, program.values)
        each = zip(repeated_nodes(fused), repeated_nodes(numbers), strict=True)
        for (node, times), (at_hand, _) in each:
            ahead = node.direction is Direction.FORWARD
            when: When = "once" if part_graph is once else "forward" if ahead else "backward"
            yield when, node, at_hand, numbers, times


def _meaning(node: Node) -> Any:
    """Equal for nodes that compute the same, whatever their values are called."""
    op = node.op
    body = (_structure(op.body), op.tight, op.inside) if isinstance(op, Fused) else op
    return (body, *(value.type for value in (*node.inputs, *node.outputs)))


def _structure(graph: Graph) -> Any:
    numbers: dict[Value, int] = {}
    for value in graph.values():
        numbers[value] = len(numbers)
    return (
        tuple((node.op, *(numbers[v] for v in node.inputs)) for node in graph.nodes),
        tuple(value.type for value in numbers),
        tuple(numbers[port.value] for port in graph.outputs),
    )
