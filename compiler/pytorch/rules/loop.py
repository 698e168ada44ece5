"""Loops over the steps of a sequence."""

from __future__ import annotations

from ir.graph import Node
from ir.ops.loop import StepLoop

from ..printing.body import Body
from ..printing.layout import calls
from ..printing.nodes import write_nodes
from ..printing.registry import op_rule


@op_rule(StepLoop)
def write_loop(op: StepLoop, node: Node, body: Body) -> None:
    """``step``, a function, and the loop that calls it."""
    operands = [body.operand(v) for v in node.inputs]
    sliced, fixed = operands[: op.sliced], operands[op.sliced + op.carried :]
    start = operands[op.sliced : op.sliced + op.carried]
    step = body.names.fresh("step")
    inner = body.inner()
    for port in op.body.inputs:
        inner.of[port.value] = inner.names.fresh(port.name)
    write_nodes(op.body.nodes, inner)
    parameters = [inner.of[port.value] for port in op.body.inputs]
    inner.give([inner.operand(port.value) for port in op.body.outputs])
    if body.lines:
        body.lines.append("")
    body.line(calls(f"def {step}", *parameters), behind=":")
    body.lines += [*inner.lines, ""]
    at = body.names.fresh("at")
    carried = []
    for value, name in zip(node.inputs[op.sliced :], start, strict=False):
        like = f".to({body.device_of}.dtype)" if value in body.tables and body.device_of else ""
        carried.append(body.let(f"{name}{like}", "state"))
    stacks = [body.let("[]", "steps") for _ in op.body.outputs[op.carried :]]
    order = f"range({op.steps - 1}, -1, -1)" if op.backwards else f"range({op.steps})"
    body.line(f"for {at} in {order}:")
    given = [*(f"{name}[{at}]" for name in sliced), *carried, *fixed]
    parts = [body.names.fresh("part") for _ in stacks]
    body.line(calls(step, *given), f"{', '.join([*carried, *parts])} = ", deeper=4)
    for stack, part in zip(stacks, parts, strict=True):
        body.line(f"{stack}.append({part})", deeper=4)
    for value, name in zip(node.outputs, carried, strict=False):
        body.of[value] = name
    for value, stack in zip(node.outputs[op.carried :], stacks, strict=True):
        whole = f"{stack}[::-1]" if op.backwards else stack
        body.bind(value, f"torch.stack({whole})")
