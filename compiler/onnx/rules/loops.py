"""Graphs that run once for each step of a sequence."""

from __future__ import annotations

from collections.abc import Sequence

from ir.graph import Node
from ir.ops.loop import StepLoop

from ..nodes import emit_graph
from ..registry import expresses
from ..scans import Typed, scanned
from ..writer import Writer


@expresses(StepLoop)
def step_loop(writer: Writer, node: Node) -> list[str]:
    """Scan, whose states are what is carried; what is the same in every step is read outside."""
    op = node.op
    assert isinstance(op, StepLoop)
    operands = [Typed(writer.of(v), v.type.dtype) for v in node.inputs]
    own = [port.value for port in op.body.inputs]
    end = op.sliced + op.carried

    def step(
        inner: Writer, states: Sequence[str], parts: Sequence[str]
    ) -> tuple[list[Typed], list[Typed]]:
        outside = [typed.name for typed in operands[end:]]
        for value, name in zip(own, [*parts, *states, *outside], strict=True):
            inner.set_name(value, name)
        emit_graph(inner, op.body, {})
        made = [Typed(inner.of(p.value), p.value.type.dtype) for p in op.body.outputs]
        return made[: op.carried], made[op.carried :]

    states, sliced = operands[op.sliced : end], operands[: op.sliced]
    return scanned(writer, node.location, states, sliced, step, op.backwards)
