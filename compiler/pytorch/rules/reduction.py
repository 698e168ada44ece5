"""Reductions over whole axes."""

from __future__ import annotations

from ir.graph import Node
from ir.op import DEVIATIONS
from ir.ops.reduction import ArgExtreme, Reduce

from ..printing.body import Body
from ..printing.expressions import TORCH_TYPES
from ..printing.layout import calls
from ..printing.registry import op_rule


@op_rule(Reduce)
def write_reduce(op: Reduce, node: Node, body: Body) -> None:
    (value,) = node.inputs
    x = body.operand(value)
    if not op.axes:
        body.bind(node.output, f"{x} * 0.0" if op.kind == DEVIATIONS else x)
        return
    axes = ", ".join(map(str, op.axes))
    axes = f"({axes},)" if len(op.axes) == 1 else f"({axes})"
    if op.kind == "max":
        body.use("maximum")
        body.bind(node.output, calls("Maximum.apply", x, axes))
    elif op.kind == "min":
        body.use("maximum")
        body.bind(node.output, calls("-Maximum.apply", f"-{x}", axes))
    elif op.kind == "sum":
        dtype = node.output.type.dtype
        kind = [] if dtype.is_float else [f"dtype={TORCH_TYPES[dtype]}"]
        body.bind(node.output, calls(f"{x}.sum", axes, "keepdim=True", *kind))
    elif op.kind == "prod":
        for axis in op.axes[:-1]:
            x = body.let(f"{x}.prod({axis}, keepdim=True)")
        body.bind(node.output, f"{x}.prod({op.axes[-1]}, keepdim=True)")
    else:
        away = body.let(f"{x} - {x}.mean({axes}, keepdim=True)")
        body.bind(node.output, f"({away} * {away}).sum({axes}, keepdim=True)")


@op_rule(ArgExtreme)
def write_arg_extreme(op: ArgExtreme, node: Node, body: Body) -> None:
    x, find = body.operand(node.inputs[0]), f"torch.arg{op.kind}"
    if op.tie == "first":
        body.bind(node.output, f"{find}({x}, {op.axis}, keepdim=True).int()")
        return
    body.use("last_extreme")
    body.bind(node.output, f"last_extreme({find}, {x}, {op.axis}).int()")
