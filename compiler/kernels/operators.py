"""How a language's operators are written: its printer has a table of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ir.expr import Expr

# How tightly an operator binds: what binds less than its place asks for stands in parentheses.
# 1 to 3 are comparisons and logic, whose order languages do not agree on.
ANY, SUM, PRODUCT, UNARY, ATOM = 0, 4, 5, 6, 7


class Printer(Protocol):
    """Asks for operands."""

    def expr(self, value: Expr, least: int = ANY) -> str: ...

    def operands(self, value: Expr) -> str: ...

    def helper(self, name: str) -> str: ...


Spell = Callable[[Expr, Printer], tuple[str, int]]
"""Gives a text, and how tightly it binds."""


def infix(symbol: str, binding: int, chains: bool = True) -> Spell:
    """``chains``: it may stand on its own left side without parentheses."""
    left, right = binding if chains else binding + 1, binding + 1

    def spell(value: Expr, printer: Printer) -> tuple[str, int]:
        a, b = value.args
        any_order = value.op == "add" and not value.dtype.is_float  # sums of integers
        texts = printer.expr(a, left), printer.expr(b, left if any_order else right)
        return f" {symbol} ".join(texts), binding

    return spell


def prefix(symbol: str, operand: int = UNARY) -> Spell:
    """``operand``: how tightly that has to bind."""
    return lambda value, printer: (f"{symbol}{printer.expr(value.args[0], operand)}", UNARY)


def call(name: str) -> Spell:
    """Of a function of the language."""
    return lambda value, printer: (f"{name}({printer.operands(value)})", ATOM)


def helper(name: str) -> Spell:
    """A call of a function that the language lacks."""
    return lambda value, printer: (f"{printer.helper(name)}({printer.operands(value)})", ATOM)


def common_operators(comparison: int) -> dict[str, Spell]:
    """Those that languages write alike. ``comparison``: how tightly comparisons bind."""
    comparisons = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}
    return {
        "add": infix("+", SUM),
        "sub": infix("-", SUM),
        "mul": infix("*", PRODUCT),
        "div": infix("/", PRODUCT),
        **{op: infix(symbol, comparison, chains=False) for op, symbol in comparisons.items()},
    }
