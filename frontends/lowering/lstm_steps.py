"""An LSTM: one step of it, and a loop over many."""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from dataclasses import dataclass

from ir import expr as e
from ir.build import Builder, expand
from ir.expr import Expr
from ir.graph import Value
from ir.loop_builder import LoopBuilder
from ir.ops.gradient import ClipDiff
from ir.ops.loop import StepLoop


def lstm_cell(
    b: Builder, gates: Sequence[Expr], operands: Sequence[Value], cell: Expr, cont: Expr
) -> tuple[Value, Value]:
    """From the gates' inputs (i, f, o, g) and the old cell to (c, h).

    ``cont`` is 0 where a sequence begins: nothing of the old cell stays. The new cell is a value of
    its own, so that backward computes its cotangent once, for all gates.
    """
    i, f, o = (e.sigmoid(gate) for gate in gates[:3])
    c = b.map(cont * f * cell + i * e.tanh(gates[3]), *operands)
    return c, b.map(o * e.tanh(e.arg(len(operands))), *operands, c)


def projected(b: Builder, x: Value, weights: Value, *biases: Value) -> Value:
    """What the input [T, N, ...] adds to the gates, [T, N, 4 H], by weights (4 H, I) and biases
    (4 H)."""
    steps, streams = x.shape[:2]
    width, inner = weights.shape
    product = b.matmul(b.reshape(x, (steps * streams, inner)), weights, transpose_b=True)
    total = functools.reduce(operator.add, (e.arg(i) for i in range(1 + len(biases))))
    biased = b.map(total, product, *(expand(b, bias, 2, 1) for bias in biases))
    return b.reshape(biased, (steps, streams, width))


@dataclass(frozen=True)
class LstmSteps:
    """The states after each step, [T, N, H], and after the last one, [N, H]."""

    h: Value
    c: Value
    last_h: Value
    last_c: Value


def lstm_steps(
    b: Builder,
    name: str,
    inputs: Value,
    recurrent: Value,
    start: tuple[Value, Value],
    marks: Value | None = None,
    *,
    gates: str = "ifog",
    limit: float = 0.0,
) -> LstmSteps:
    """A loop over the steps.

    Args:
        inputs: what the input adds to the gates, [T, N, 4 H]; ``gates``: in which order.
        recurrent: the weights of the old state, (4 H, H).
        start: h and c before the first step, [N, H].
        marks: [T, N, 1]; 0 where a sequence begins, to which no old state comes. None: none does.
        limit: each element of the gates' diff is brought into [-limit, limit], where above 0.
    """
    steps, width = inputs.shape[0], start[0].shape[1]
    loop = LoopBuilder(b, name, functools.partial(StepLoop, int(steps)))
    now = loop.part(inputs)
    mark = None if marks is None else loop.part(marks)
    h, c = map(loop.carry, start)
    step = loop.body
    old = step.matmul(h, loop.fixed(recurrent), transpose_b=True)
    # A mark scales rows, so it may be applied after the product with the weights.
    if mark is None:
        sums = step.map(e.arg(0) + e.arg(1), old, now)
    else:
        sums = step.map(e.arg(2) * e.arg(0) + e.arg(1), old, now, mark)
    limited = step.emit(ClipDiff(limit), sums) if limit > 0.0 else sums
    places = [gates.index(gate) for gate in "ifog"]
    parts = [step.slice(limited, 1, k * width, (k + 1) * width) for k in places]
    operands = [*parts, c] if mark is None else [*parts, c, mark]
    kept = e.const(1.0) if mark is None else e.arg(5)
    new_c, new_h = lstm_cell(step, [e.arg(k) for k in range(4)], operands, e.arg(4), kept)
    # All that backward reads is kept of all steps; what it does not read costs nothing.
    for carried, new in ((h, new_h), (c, new_c)):
        loop.hand_on(carried, new)
        loop.stack(new)
    loop.stack(sums)
    done = loop.finish()
    return LstmSteps(done.stacks[new_h], done.stacks[new_c], done.last[h], done.last[c])
