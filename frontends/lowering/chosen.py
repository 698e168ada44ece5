"""A number of a short list, chosen by an index, in an expression."""

from __future__ import annotations

from collections.abc import Sequence

from ir import expr as e
from ir.expr import Expr, Operand


def chosen(index: Expr, numbers: Sequence[Operand]) -> Expr:
    """``numbers[index]``; the first or the last one beyond the ends.

    Comparisons halve the list, so that it may be long; where all numbers are equal there is none.
    """
    return _between(index, [e.as_expr(number) for number in numbers], 0)


def _between(index: Expr, numbers: Sequence[Expr], first: int) -> Expr:
    if all(number is numbers[0] for number in numbers):
        return numbers[0]
    middle = len(numbers) // 2
    low = _between(index, numbers[:middle], first)
    high = _between(index, numbers[middle:], first + middle)
    return e.where(index < first + middle, low, high)
