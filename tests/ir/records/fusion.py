"""A nested graph as one op."""

from ir import expr as e
from ir.build import Builder
from ir.ops.fusion import Fused
from ir.ops.loop import StepLoop
from tests.support.op_cases import ErrorCase, Input, OpCase, f32


def body():
    b = Builder("square_sum")
    x = b.input("x", f32(3, 4))
    b.output("y", b.sum(b.map(e.arg(0) * e.arg(0), x), (1,)))
    return b.finish()


CASES = [OpCase("reduce", Fused("square_sum", "reduce", body()), (Input((3, 4)),))]


def looping():
    b = Builder("looping")
    step = Builder("step")
    step.output("x", step.map(e.arg(0) * 2.0, step.input("x", f32(3))))
    b.output("y", b.emit(StepLoop(2, 0, 1, step.finish()), b.input("x", f32(3))))
    return b.finish()


ERRORS = [
    ErrorCase(Fused("square_sum", "reduce", body()), (f32(3, 5),), "the body takes"),
    ErrorCase(Fused("looping", "flat", looping()), (f32(3),), "holds no loop"),
]
