"""Loops: bodies of products, sums and maps, whose states change places."""

from __future__ import annotations

from ir import expr as e
from ir.build import Builder
from ir.graph import Value
from ir.ops.loop import StepLoop

from .growth import Growth, draws


@draws(StepLoop)
def draw_loop(g: Growth) -> None:
    steps = g.choice(2, 3, 1, 4)
    rows, columns = g.choice(g.batch, g.extent()), g.choice(3, 1, 5, 16, 20)
    shape = (rows, columns)
    body = _Body(g, steps, shape)
    states = [body.input(shape, stacked=False) for _ in range(g.choice(1, 1, 2, 0))]
    body.carried = len(states)
    body.fixed()
    made = [body.step() for _ in range(g.number(1, 3))]
    handed = [g.choice(*made, *made, *states, body.parts[0]) for _ in states]
    kept = [g.choice(*made, *states, body.parts[0], *handed) for _ in range(g.number(0, 3))]
    for number, value in enumerate([*handed, *kept] or made[-1:]):
        body.b.output(f"{number}", value)
    op = StepLoop(steps, len(body.parts), body.carried, body.b.finish(), g.flag())
    g.emit(op, *body.operands)


class _Body:
    """``parts``: what a step has of the sliced operands. ``operands``: of the loop."""

    def __init__(self, g: Growth, steps: int, shape: tuple[int, int]) -> None:
        self.g, self.steps, self.shape = g, steps, shape
        self.b = Builder("body")
        self.b.location = g.b.location
        self.operands: list[Value] = []
        self.carried = 0
        self.like: list[Value] = []  # values of the shape
        self.weights: list[Value] = []
        self.rows: list[Value] = []
        self.parts = [self.input(shape, stacked=True)]
        if g.flag():
            self.parts.append(self.input((shape[0], 1), stacked=True))
            self.rows.append(self.like.pop())

    def input(self, shape: tuple[int, ...], *, stacked: bool) -> Value:
        g = self.g
        whole = (self.steps, *shape) if stacked else shape
        operand = g.value(shape=whole)
        self.operands.append(operand if operand.type.layout is None else g.b.copy(operand))
        value = self.b.input(f"x{len(self.operands)}", self.operands[-1].type.logical)
        if stacked:
            self.b.inputs[-1].value.type = type(value.type)(shape)
        self.like.append(value)
        return value

    def fixed(self) -> None:
        """What is the same in every step: weights, and a value of the shape."""
        columns = self.shape[1]
        for shape, values in (((columns, columns), self.weights), (self.shape, self.like)):
            if self.g.flag():
                values.append(self.input(shape, stacked=False))
                self.like.remove(values[-1])
                self.like += [values[-1]] if values is self.like else []

    def step(self) -> Value:
        """A value of the shape, no element of which is large."""
        g, b = self.g, self.b
        a, c = g.choice(*self.like), g.choice(*self.like)
        kind = g.choice("map", "product", "sum", "slices")
        if kind == "product" and self.weights:
            a = b.matmul(a, g.choice(*self.weights), transpose_b=g.flag())
        elif kind == "sum":
            a = b.broadcast(b.sum(a, (1,)), self.shape)
        elif kind == "slices" and self.shape[1] > 1:
            at = g.number(1, self.shape[1] - 1)
            ends = b.slice(a, 1, at, self.shape[1]), b.slice(c, 1, 0, at)
            a = b.concat(ends, 1)
        row = [g.choice(*self.rows)] if self.rows and g.flag() else []
        factor = e.arg(2) if row else e.const(0.5)
        value = b.map(e.tanh(e.arg(0) * factor + e.arg(1)), a, c, *row)
        self.like.append(value)
        return value
