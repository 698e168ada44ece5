"""Maps: every primitive, broadcasting, several results, leaves without inputs."""

from ir import expr as e
from ir.ops.pointwise import Map
from ir.types import BOOL, DType
from tests.support.op_cases import ErrorCase, Input, OpCase, f32, i32, positive, whole

A, B, C = e.arg(0), e.arg(1), e.arg(2)
SMOOTH = {
    "add": A + B,
    "sub": A - B,
    "mul": A * B,
    "div": A / B,
    "max": e.maximum(A, B),
    "min": e.minimum(A, B),
    "pow": e.power(A, B),
}
ONE = {
    "neg": -A,
    "abs": e.absolute(A),
    "exp": e.exp(A),
    "log": e.log(A),
    "log1p": e.unary("log1p", A),
    "expm1": e.unary("expm1", A),
    "sqrt": e.sqrt(A),
    "tanh": e.tanh(A),
    "sigmoid": e.sigmoid(A),
    "pow_const": e.power(A, 2.5),
    "square": A * A,
}
FLAT = {
    "floor": e.unary("floor", A),
    "lt": e.to_float(A < 1.0),
    "le": e.to_float(A <= 1.0),
    "gt": e.to_float(A > 1.0),
    "ge": e.to_float(A >= 1.0),
    "eq": e.to_float(e.equal(A, A)),
    "ne": e.to_float(e.not_equal(A, 1.0)),
    "not": e.to_float(~(A > 1.0)),
    "and": e.to_float((A > 0.7) & (A < 1.5)),
    "or": e.to_float((A < 0.7) | (A > 1.5)),
    "to_int": e.to_int(A * 10.0),
    "stop": e.stop(A),
}
N = e.arg(0, DType.I32)
S = e.arg(0, DType.U32)

CASES = [
    *(
        OpCase(n, Map((x,)), (Input((3, 4), positive), Input((3, 4), positive)), (0, 1))
        for n, x in SMOOTH.items()
    ),
    *(OpCase(n, Map((x,)), (Input((3, 4), positive),), (0,)) for n, x in ONE.items()),
    *(OpCase(n, Map((x,)), (Input((3, 4), positive),)) for n, x in FLAT.items()),
    OpCase(
        "where", Map((e.where(A > B, A * C, B),)), tuple(Input((3, 4)) for _ in range(3)), (0, 1, 2)
    ),
    # A comparison has no derivative: the value's is that of the surrogate, here the value itself.
    OpCase("grad_as", Map((e.primitive("grad_as", e.exp(A), e.exp(A)),)), (Input((3, 4)),), (0,)),
    OpCase(
        "broadcast",
        Map((A * B + C,)),
        (Input((2, 3, 4)), Input((1, 3, 1)), Input((2, 1, 1))),
        (0, 1, 2),
    ),
    OpCase("wider", Map((A * B,), (2, 3, 4)), (Input((2, 3, 1)), Input((1, 1, 1))), (0, 1)),
    OpCase("several", Map((A * B, e.exp(A))), (Input((3, 4)), Input((3, 4))), (0, 1)),
    OpCase("integers", Map((N * 3 + 1, N // 2, N % 3)), (Input((3, 4), whole(0, 9), DType.I32),)),
    OpCase("to_float", Map((e.to_float(N),)), (Input((5,), whole(-4, 9), DType.I32),)),
    OpCase("fill", Map((e.const(2.5),), (2, 3)), ()),
    OpCase("shape", Map((e.dyn(64.0),), (2,)), ()),
    OpCase("places", Map((e.index(0) * 10 + e.index(1), e.linear()), (3, 4)), ()),
    OpCase("truth", Map((e.where(e.arg(0, BOOL), 1.0, 2.0),)), (Input((4,), whole(0, 2), BOOL),)),
    OpCase(
        "rand",
        Map((e.rand(S, e.linear(), 7, 0),), (3, 5)),
        (Input((1, 1), whole(0, 99), DType.U32),),
    ),
]

ERRORS = [
    ErrorCase(Map((A + B,)), (f32(2, 3), f32(2, 4)), "shapes do not broadcast"),
    ErrorCase(Map((A + B,)), (f32(2, 3), f32(3)), "inputs have ranks"),
    ErrorCase(Map((A,), (2, 4)), (f32(2, 3),), "does not broadcast to (2, 4)"),
    ErrorCase(Map((A,)), (i32(3),), "a0 is i32, the expression takes f32"),
    ErrorCase(Map((B,)), (f32(3),), "a1 is read, but there are 1 inputs"),
    ErrorCase(Map((e.const(1.0),)), (), "a map without inputs needs a shape"),
]
