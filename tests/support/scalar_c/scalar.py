"""A kernel whose tiles have one lane along every dimension, as a kernel of scalars.

before: ``offs = program * BLOCK + lane; total = across(load x + offs, mask m)``
after:  ``offs = program; total = where(m, x[offs], 0)``
"""

from __future__ import annotations

from compiler.kernels.expressions import Local, element, every, read
from compiler.kernels.liveness import live
from compiler.kernels.nodes import KernelBody, Kind, Loop, Statement, rewritten, walk_statements
from ir import expr as e
from ir.expr import Expr
from ir.types import I32


def scalar_body(kernel: KernelBody) -> list[Statement]:
    """Lanes are number 0 of theirs, constants what the configuration sets."""
    assert all(kernel.config[name] == 1 for name in kernel.tile), "a tile has several lanes"
    loops = (s for s in walk_statements(kernel.body) if isinstance(s, Loop))
    lanes = {loop.variable for loop in loops if loop.kind is Kind.VECTOR}
    return live(rewritten(kernel.body, lambda value: _scalar(value, kernel, lanes)))


def _scalar(value: Expr, kernel: KernelBody, lanes: set[Local]) -> Expr:
    """An expression whose operands are scalars already."""
    match value.op:
        case "ref" if value.value in lanes:
            return e.const(0)
        case "constant" if value.value != "programs":
            return e.const(kernel.config[value.value])
        case "across" | "any" | "spread" | "stop" | "grad_as":
            return value.args[0]
        case "as_i32" if not kernel.wide:
            return value.args[0]
        case "load" if mask := value.args[0].args[2:]:
            inside = read(element(value.args[0].args[0], value.args[0].args[1]))
            return e.where(every(mask), inside, e.const(value.value or 0, value.dtype))
        case "dot":
            a, b, total = value.args
            return total + a * b
        case "cdiv" if value.args[1].value == 1:
            return value.args[0]
        case "add" | "sub" | "mul" | "floordiv" | "mod" if value.dtype is I32:  # of indices
            return e.primitive(value.op, *value.args)
    return value
