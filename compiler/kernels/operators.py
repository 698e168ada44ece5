"""How a language's operators are written: its printer has a table of them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

from ir.expr import Expr

# How tightly an operator binds: what binds less than its place asks for stands in parentheses.
# 1 to 3 are comparisons and logic, whose order languages do not agree on.
ANY, SUM, PRODUCT, UNARY, ATOM = 0, 4, 5, 6, 7


@dataclass(frozen=True)
class Infix:
    """``chains``: it may stand on its own left side without parentheses."""

    symbol: str
    binding: int
    chains: bool = True

    @functools.cached_property
    def operands(self) -> tuple[int, int]:
        """How tightly they have to bind."""
        right = self.binding + 1
        return (self.binding if self.chains else right), right


@dataclass(frozen=True, slots=True)
class Prefix:
    """``operand``: how tightly that has to bind."""

    symbol: str
    operand: int = UNARY


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """Of the language's, or of a helper."""

    name: str
    is_helper: bool = False


Ask = Callable[[Expr, int], str]  # the text of an operand, as it may stand in its place
Spell = Callable[[Expr, Ask], tuple[str, int]]  # a text, and how tightly it binds
Spelling = Infix | Prefix | FunctionCall | Spell


def common_operators(comparison: int) -> dict[str, Infix]:
    """Those that languages write alike. ``comparison``: how tightly comparisons bind."""
    comparisons = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}
    return {
        "add": Infix("+", SUM),
        "sub": Infix("-", SUM),
        "mul": Infix("*", PRODUCT),
        "div": Infix("/", PRODUCT),
        **{op: Infix(symbol, comparison, chains=False) for op, symbol in comparisons.items()},
    }
