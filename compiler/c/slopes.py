"""How indices grow in a loop."""

from __future__ import annotations

from collections.abc import Mapping

from compiler.kernels.expressions import Local
from ir.expr import Expr


def slope(value: Expr, position: Local, known: Mapping[Local, Expr]) -> int | None:
    """By how much an index grows from turn to turn; None: nobody knows.

    Args:
        position: what the loop counts.
        known: the variables of its body. All others stay as they are.
    """
    if value.op == "ref":
        if value.value is position:
            return 1
        held = known.get(value.value)
        return 0 if held is None else slope(held, position, known)
    slopes = [slope(a, position, known) for a in value.args]
    if not any(slopes) and None not in slopes:
        return 0
    if None in slopes or value.op not in ("add", "sub", "mul"):
        return None
    a, b = (one or 0 for one in slopes)
    if value.op != "mul":
        return a + b if value.op == "add" else a - b
    numbers = [x.value if x.op == "const" else None for x in value.args]
    factor = numbers[1] if a else numbers[0]
    return None if factor is None or (a and b) else (a or b) * factor
