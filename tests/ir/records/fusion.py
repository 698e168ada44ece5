"""A nested graph as one op."""

from ir import expr as e
from ir.build import Builder
from ir.ops.fusion import Fused
from tests.support.op_cases import ErrorCase, Input, OpCase, f32


def body():
    b = Builder("square_sum")
    x = b.input("x", f32(3, 4))
    b.output("y", b.sum(b.map(e.arg(0) * e.arg(0), x), (1,)))
    return b.finish()


CASES = [OpCase("reduce", Fused("square_sum", "reduce", body()), (Input((3, 4)),))]

ERRORS = [ErrorCase(Fused("square_sum", "reduce", body()), (f32(3, 5),), "the body takes")]
