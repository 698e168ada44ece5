"""A graph that runs once per step."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ir import expr as e
from ir.build import Builder
from ir.graph import Value
from ir.ops.loop import StepLoop
from tests.support.op_cases import ErrorCase, Input, OpCase, f32

Body = Callable[..., Sequence[Value]]


def loop(
    steps: int,
    types: Sequence[tuple[int, ...]],
    sliced: int,
    carried: int,
    body: Body,
    **more: bool,
) -> StepLoop:
    """``types``: what the body is given. ``body``: what it hands on, and what is stacked."""
    b = Builder("body")
    inputs = [b.input(f"x{i}", f32(*shape)) for i, shape in enumerate(types)]
    for number, value in enumerate(body(b, *inputs)):
        b.output(f"{number}", value)
    return StepLoop(steps, sliced, carried, b.finish(), **more)


def decayed(b: Builder, x: Value, total: Value, rate: Value) -> Sequence[Value]:
    total = b.map(e.arg(0) * e.arg(2) + e.arg(1), total, x, rate)
    return total, total


def recurrent(b: Builder, x: Value, h: Value, w: Value) -> Sequence[Value]:
    sums = b.add(b.matmul(h, w, transpose_b=True), x)
    h = b.map(e.tanh(e.arg(0)), sums)
    return h, h, sums


def unkept(b: Builder, x: Value, h: Value, w: Value) -> Sequence[Value]:
    """Nothing that backward needs is a result."""
    h = b.map(e.tanh(e.arg(0)), b.add(b.matmul(h, w), x))
    return (h,)


def every_side(b: Builder, x: Value, h: Value, w: Value, v: Value) -> Sequence[Value]:
    """Weights as either factor, turned or not, and twice."""
    left = b.matmul(w, h, transpose_a=True)  # [4, 3] of w [2, 4], h [2, 3]
    right = b.matmul(left, v)  # [4, 5] of v [3, 5]
    back = b.matmul(right, v, transpose_b=True)  # [4, 3]
    turned = b.matmul(h, w, transpose_a=True)  # [3, 4]
    terms = b.matmul(w, back), b.matmul(w, turned, transpose_b=True), x
    return b.map(e.tanh(e.arg(0) + e.arg(1) + e.arg(2)), *terms), right


def swapped(b: Builder, x: Value, one: Value, two: Value) -> Sequence[Value]:
    """States that change places, one of which is a result as it was, and twice."""
    return two, b.add(one, x), one, one


def apart(b: Builder, x: Value, y: Value) -> Sequence[Value]:
    """No state at all."""
    return (b.sum(b.map(e.arg(0) * e.arg(1), x, y), (0,)),)


CASES = [
    OpCase("decay", loop(4, [(3,), (3,), (3,)], 1, 1, decayed),
           (Input((4, 3)), Input((3,)), Input((3,))), (0, 1, 2)),
    OpCase("one_step", loop(1, [(3,), (3,), (3,)], 1, 1, decayed),
           (Input((1, 3)), Input((3,)), Input((3,))), (0, 1, 2)),
    OpCase("recurrent", loop(5, [(2, 3), (2, 3), (3, 3)], 1, 1, recurrent),
           (Input((5, 2, 3)), Input((2, 3)), Input((3, 3))), (0, 1, 2)),
    OpCase("backwards", loop(5, [(2, 16), (2, 16), (16, 16)], 1, 1, recurrent, backwards=True),
           (Input((5, 2, 16)), Input((2, 16)), Input((16, 16))), (0, 1, 2)),
    OpCase("unkept", loop(3, [(2, 3), (2, 3), (3, 3)], 1, 1, unkept),
           (Input((3, 2, 3)), Input((2, 3)), Input((3, 3))), (0, 1, 2)),
    OpCase("every_side", loop(3, [(2, 3), (2, 3), (2, 4), (3, 5)], 1, 1, every_side),
           (Input((3, 2, 3)), Input((2, 3)), Input((2, 4)), Input((3, 5))), (0, 1, 2, 3)),
    OpCase("swapped", loop(3, [(5,), (5,), (5,)], 1, 2, swapped),
           (Input((3, 5)), Input((5,)), Input((5,))), (0, 1, 2)),
    OpCase("stateless", loop(3, [(5, 2), (5, 2)], 1, 0, apart),
           (Input((3, 5, 2)), Input((5, 2))), (0, 1)),
]  # fmt: skip


def twice(b: Builder, x: Value, h: Value) -> Sequence[Value]:
    inner = loop(2, [(3,)], 0, 1, lambda b, h: [b.map(e.arg(0) * 2.0, h)])
    return (b.emit(inner, b.add(x, h)),)


_SUM = loop(4, [(3,), (3,), (3,)], 1, 1, decayed)
ERRORS = [
    ErrorCase(_SUM, (f32(5, 3), f32(3), f32(3)), "the loop takes"),
    ErrorCase(StepLoop(0, 1, 1, _SUM.body), (f32(0, 3), f32(3), f32(3)), "0 steps"),
    ErrorCase(StepLoop(1 << 40, 0, 1, _SUM.body), (f32(3), f32(3)), "1099511627776 steps"),
    ErrorCase(loop(4, [(3,), (3,)], 1, 1, twice), (f32(4, 3), f32(3)), "no place for loop"),
    ErrorCase(StepLoop(4, 3, 1, _SUM.body), (f32(4, 3),) * 3, "too few operands"),
    ErrorCase(loop(4, [(3, 1), (3, 1)], 1, 1, lambda b, x, h: [b.sum(x, (0,))]),
              (f32(4, 3, 1), f32(3, 1)), "must be handed on"),
]  # fmt: skip
