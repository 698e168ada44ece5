"""Runs a fused graph inside its memory plan, with numpy: what a device does, step by step.

Every value lives in the bytes that the plan gives it. A plan that lets two live buffers
overlap, or overwrites a variable too early, gives other results than the interpreter.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from compiler.plan.memory import InArena, MemoryPlan
from ir.graph import Graph, Role, Value
from ir.interpret import run_node
from ir.op import Property


def run_planned(graph: Graph, plan: MemoryPlan, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Outputs of the graph. ``inputs`` (f32 and integers) are copied, not changed."""
    arena = np.full(plan.peak, 0xFB, np.uint8)
    bound = {
        (p.name, p.role, False): np.array(a, p.value.type.dtype.numpy).reshape(-1)
        for p, a in zip(graph.inputs, inputs, strict=True)
    }
    variables = {(p.name, p.role) for p in graph.inputs}

    def port_buffer(name: str, role: Role, is_output: bool, value: Value) -> np.ndarray:
        if is_output and role in (Role.STATE, Role.GRADIENT):
            choices = (role, Role.PARAMETER) if role is Role.STATE else (role,)
            role = next(r for r in choices if (name, r) in variables)
            is_output = False
        key = (name, role, is_output)
        if key not in bound:
            bound[key] = np.full(value.type.size, 77, value.type.dtype.numpy)
        return bound[key]

    def buffer(value: Value) -> np.ndarray:
        place = plan.places[value]
        if isinstance(place, InArena):
            part = arena[place.offset : place.offset + value.type.nbytes]
            return part.view(value.type.dtype.numpy)
        flat = port_buffer(place.port.name, place.port.role, place.is_output, value)
        return flat.view(value.type.dtype.numpy)

    for node in graph.nodes:
        if node.op.properties & Property.VIEW:
            continue
        results = run_node(node, [buffer(v).reshape(v.shape) for v in node.inputs])
        for value, array in zip(node.outputs, results, strict=True):
            buffer(value)[...] = np.asarray(array, value.type.dtype.numpy).reshape(-1)
    for copy in plan.copies:
        port_buffer(copy.port.name, copy.port.role, True, copy.value)[...] = buffer(copy.value)
    return [
        port_buffer(p.name, p.role, True, p.value).reshape(p.value.shape).copy()
        for p in graph.outputs
    ]
