"""Runs a fused graph inside its plan, with numpy: what a device does, step by step.

Every value lives in the bytes that the plan gives it. A plan that lets two live buffers
overlap, or overwrites a variable too early, gives other results than the interpreter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from compiler.kernel import Config, Kernel, Launch, Parameter
from compiler.kernel_nodes import kernel_nodes
from compiler.passes.places import with_places
from compiler.plan.aliasing import WITHOUT_KERNEL
from compiler.plan.from_graph import plan_graph
from compiler.plan.plan import Copy, HostStep, PartRef, Plan, Ref
from compiler.plan.sizes import plan_at
from ir.graph import Graph, Node
from ir.interpret import run_node
from ir.layout_numpy import array_of
from ir.ops.loop import StepLoop
from ir.types import TensorType
from roastery.bench.held import Held


def planned(graph: Graph) -> Plan:
    """A plan of one launch for each node that is neither a view nor on the host."""
    return plan_at(plan_graph(graph, {node: _launches(node) for node in kernel_nodes(graph)}), {})


def _launches(node: Node) -> list[Launch]:
    values = (*node.inputs, *node.outputs)
    parameters = tuple(Parameter(v.name, "pointer", v.type.dtype) for v in values)
    kernel = Kernel(node.op.name, "", parameters)
    label = node.outputs[0].name
    return [Launch(kernel, Config(()), values, (1, 1, 1), label, node.location, node.outputs)]


def _in_order(graph: Graph) -> Iterator[Node]:
    """The nodes that run, those of a loop as often as it turns."""
    for node in graph.nodes:
        if isinstance(node.op, StepLoop):
            for _ in node.op.order:
                yield from _in_order(node.op.body)
        elif not node.op.properties & WITHOUT_KERNEL:
            yield node


def run_planned(graph: Graph, plan: Plan, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Outputs of the graph. ``inputs`` (f32 and integers) are copied, not changed."""
    arena = np.full(plan.memory.nbytes, 0xFB, np.uint8)
    memory = {
        number: np.full(buffer.type.size, 77, buffer.type.dtype.numpy).view(np.uint8)
        for number, buffer in enumerate(plan.buffers)
        if number in plan.bound
    }
    for port, array in zip(plan.inputs, inputs, strict=True):
        type = plan.buffers[port.buffer].type
        memory[port.buffer] = np.array(array, type.dtype.numpy).reshape(-1).view(np.uint8)

    def elements(place: int | Ref | PartRef, type: TensorType) -> np.ndarray:
        number = place if isinstance(place, int) else place.buffer
        start = plan.memory.offsets[number]
        found = memory[number] if start is None else arena[start:]
        found = found[place.offset :] if isinstance(place, PartRef) else found
        return found[: type.nbytes].view(type.dtype.numpy)

    nodes = _in_order(with_places(graph))
    for step in plan.plain_steps:
        if isinstance(step, Copy):
            source, target = (
                elements(number, plan.buffers[step.target].type) for number in step.uses
            )
            target[...] = source
            continue
        node = next(nodes)
        values = (*node.inputs, *node.outputs)
        numbers = (
            step.uses
            if isinstance(step, HostStep)
            else [a for a in step.arguments if isinstance(a, Ref | PartRef)]
        )
        held = [Held(node, i) for i in range(len(values))]
        found = [elements(number, h.type) for number, h in zip(numbers, held, strict=True)]
        pairs = [*zip(held, found, strict=True)]
        given, made = pairs[: len(node.inputs)], pairs[len(node.inputs) :]
        results = run_node(node, [h.read(memory) for h, memory in given])
        for (h, target), result in zip(made, results, strict=True):
            h.write(target, np.asarray(result, h.type.dtype.numpy))
    outputs = [(p.buffer, plan.buffers[p.buffer].type) for p in plan.outputs]
    return [array_of(elements(number, type), type).copy() for number, type in outputs]
