"""Divisions of tiles of indices by sizes.

What divides is known before a launch, but not to the assembler, whose division of any two numbers
takes some twenty instructions. So kernels are given the reciprocals of sizes, too, as whole
numbers: see :func:`.helpers.quotient`. A position is never negative; what lies outside of an image
may be, and no one reads there.
"""

from __future__ import annotations

from compiler.kernels.expressions import SCALAR, KernelArgument, axes_of
from compiler.kernels.monomial import Amount, Monomial
from ir.expr import Expr
from ir.size import larger
from ir.types import I32

RECIPROCALS = {"floordiv": "quotient", "mod": "remainder"}
"""Helpers, by what they are for."""
_ALL = 2**32


def divisor_of(value: Expr) -> KernelArgument | None:
    """The size by which a division divides a tile of indices, where it is an argument."""
    if value.op not in RECIPROCALS or value.dtype.is_float or not axes_of(value.args[0]):
        return None
    divisor = value.args[1].value if value.args[1].op == "ref" else None
    if not isinstance(divisor, KernelArgument) or divisor.kind != "size" or divisor.divisible:
        return None
    return divisor


def reciprocal_of(divisor: KernelArgument) -> KernelArgument:
    """The argument that goes with a size: as a number of 32 bits with a sign, which only that of 1
    sets."""
    assert isinstance(divisor.given, Monomial), "a size is one"
    size = larger(divisor.given.size, 1)
    value = (_ALL - 1) // size - _ALL * (1 // size)
    hint = f"{divisor.hint}_reciprocal" if divisor.hint else ""
    return KernelArgument("r", hint, I32, SCALAR, "size", Monomial.of(Amount(0, value)))
