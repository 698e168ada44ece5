"""The table of what scalar expressions are made of."""

from __future__ import annotations

from dataclasses import dataclass

from .types import BF16, F16, F32


@dataclass(frozen=True, slots=True)
class Primitive:
    """One row of the table: how many operands, and the result's type.

    ``result`` is ``"same"`` (the operands' common type), ``"float"``, ``"bool"``,
    ``"int"``, or the float type that a cast makes; ``meaning`` is what documentation and error
    messages say.
    """

    name: str
    arity: int
    result: str
    meaning: str


PRIMITIVES: dict[str, Primitive] = {
    p.name: p
    for p in (
        Primitive("add", 2, "same", "a + b"),
        Primitive("sub", 2, "same", "a - b"),
        Primitive("mul", 2, "same", "a * b"),
        Primitive("div", 2, "float", "a / b"),
        Primitive("floordiv", 2, "same", "integer division; operands are not negative"),
        Primitive("mod", 2, "same", "integer remainder; operands are not negative"),
        Primitive("max", 2, "same", "larger of a and b; NaN if either is NaN"),
        Primitive("min", 2, "same", "smaller of a and b; NaN if either is NaN"),
        Primitive("pow", 2, "float", "a ** b"),
        Primitive("neg", 1, "same", "-a"),
        Primitive("abs", 1, "same", "|a|"),
        Primitive("exp", 1, "float", "e ** a"),
        Primitive("log", 1, "float", "natural logarithm"),
        Primitive("log1p", 1, "float", "log(1 + a), accurate near 0"),
        Primitive("expm1", 1, "float", "exp(a) - 1, accurate near 0"),
        Primitive("sqrt", 1, "float", "square root"),
        Primitive("tanh", 1, "float", "hyperbolic tangent"),
        Primitive("sigmoid", 1, "float", "1 / (1 + exp(-a))"),
        Primitive("floor", 1, "float", "largest whole number not above a"),
        Primitive("lt", 2, "bool", "a < b"),
        Primitive("le", 2, "bool", "a <= b"),
        Primitive("gt", 2, "bool", "a > b"),
        Primitive("ge", 2, "bool", "a >= b"),
        Primitive("eq", 2, "bool", "a == b"),
        Primitive("ne", 2, "bool", "a != b"),
        Primitive("and", 2, "bool", "both"),
        Primitive("or", 2, "bool", "either"),
        Primitive("not", 1, "bool", "negation"),
        Primitive("where", 3, "same", "b where a is true, c elsewhere"),
        Primitive("to_float", 1, "f32", "integer, bool or float of 16 bits to f32"),
        Primitive("to_f16", 1, "f16", "f32 to f16, to the nearest"),
        Primitive("to_bf16", 1, "bf16", "f32 to bf16, to the nearest"),
        Primitive("to_int", 1, "int", "float to i32, towards zero"),
        Primitive("rand", 4, "float", "Philox uniform in [0, 1) of (seed, c0, c1, c2)"),
        Primitive("stop", 1, "same", "a, with no derivative"),
        Primitive("grad_as", 2, "same", "a, with the derivative of b"),
    )
}

CASTS = {"f32": F32, "f16": F16, "bf16": BF16}
"""Of results that are a type: the type."""
