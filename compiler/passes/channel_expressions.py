"""Expressions over the values of a graph, and what of them is the same in a channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ir import expr as e
from ir.expr import Expr
from ir.expr_exchange import substitute
from ir.graph import Graph, Node, Value
from ir.size import Size
from ir.types import F32

from .maps import definition, make_map
from .rewrite import Context

DEEPEST = 8  # maps that are looked through
_PRODUCTS = {"mul", "div", "neg"}


class ChannelExpressions:
    """Expressions over several nodes count values of the graph by ``values``."""

    def __init__(self, graph: Graph) -> None:
        self.known = Context(graph)
        self.values: list[Value] = []
        self._numbers: dict[Value, int] = {}

    def split(
        self,
        expr: Expr,
        axes: Sequence[int],
        terms: list[Expr],
        factors: list[Expr],
        depth: int,
    ) -> None:
        """Take a product apart, of which maps may have computed parts."""
        if self.is_kept(expr, axes):
            factors.append(expr)
        elif expr.op == "mul":
            for part in expr.args:
                self.split(part, axes, terms, factors, depth)
        elif expr.op == "neg":
            factors.append(e.const(-1.0))
            self.split(expr.args[0], axes, terms, factors, depth)
        elif expr.op == "div" and self.is_kept(expr.args[1], axes):
            factors.append(1.0 / expr.args[1])
            self.split(expr.args[0], axes, terms, factors, depth)
        elif expr.op == "arg" and depth and (inside := self.computed(expr)) is not None:
            self.split(inside, axes, terms, factors, depth - 1)
        else:
            terms.append(expr)

    def is_kept(self, expr: Expr, axes: Sequence[int]) -> bool:
        """Whether it is the same along all of some axes."""
        leaves = [leaf for leaf in e.walk(expr) if not leaf.args]
        if any(leaf.op not in ("arg", "const", "dyn") for leaf in leaves):
            return False
        shapes = (self.values[int(x.value or 0)].shape for x in leaves if x.op == "arg")
        return all(is_one(shape[axis]) for shape in shapes for axis in axes)

    def computed(self, arg: Expr) -> Expr | None:
        """The product that a value was computed as."""
        value = self.values[int(arg.value or 0)]
        expr, node = definition(value, self.known)
        if expr is None or node is None or expr.op not in _PRODUCTS or value.type.dtype is not F32:
            return None
        shapes = {v.shape for v in node.inputs if v.type.size == value.type.size}
        return self.over(expr, node) if shapes == {value.shape} else None

    def arg(self, value: Value) -> Expr:
        if value not in self._numbers:
            self._numbers[value] = len(self.values)
            self.values.append(value)
        return e.arg(self._numbers[value], value.type.dtype)

    def over(self, expr: Expr, node: Node) -> Expr:
        return substitute(expr, {i: self.arg(node.inputs[i]) for i in e.arguments(expr)})

    def inputs(self, expr: Expr) -> list[Value]:
        return [self.values[number] for number in e.arguments(expr)]

    def mapped(self, expr: Expr, result: Value, like: Node) -> Node:
        used = e.arguments(expr)
        inputs = self.inputs(expr)
        local = substitute(
            expr, {old: e.arg(new, x.dtype) for new, (old, x) in enumerate(used.items())}
        )
        op = make_map([local], inputs, result.shape)
        return replace(like, op=op, inputs=tuple(inputs), outputs=(result,))


def product_expr(factors: Sequence[Expr]) -> Expr:
    total = factors[0]
    for factor in factors[1:]:
        total = total * factor
    return total


def is_one(extent: int) -> bool:
    return not isinstance(extent, Size) and extent == 1
