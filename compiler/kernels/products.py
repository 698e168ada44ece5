"""Contractions seen as matrix products: what rows, columns and depth mean to every op.

A :class:`Product` is ``count`` independent products of (rows, depth) by (depth, columns).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from compiler.kernel import Config
from ir.graph import Node, Value
from ir.op import Op

from .emitter import Access, Emitter
from .index import Base
from .size import Size

Read = Callable[[Base, Base, Base], Access]  # (row or depth, depth or column, product)


@dataclass(frozen=True, slots=True)
class Product:
    count: Size
    rows: Size
    columns: Size
    depth: Size
    left: tuple[Value, Read]  # read at (row, depth, product)
    right: tuple[Value, Read]  # read at (depth, column, product)
    result: Read  # access to the result at (row, column, product)
    strided: bool = False  # index arithmetic takes registers that large tiles lack

    def programs(self, tile: Config) -> int:
        """Tiles in all products."""
        down, across = -(-self.rows.value // tile["M"]), -(-self.columns.value // tile["N"])
        return self.count.value * down * across

    def steps(self, tile: Config) -> int:
        """Along the depth."""
        return -(-self.depth.value // tile["K"])


View = Callable[[Emitter, Node], Product]
VIEWS: dict[type[Op], View] = {}


def view(op: type[Op]) -> Callable[[View], View]:
    """Decorator: register how an op is a matrix product."""

    def add(function: View) -> View:
        VIEWS[op] = function
        return function

    return add


def product_of(emitter: Emitter, node: Node) -> Product:
    """A contraction as a matrix product."""
    found = VIEWS.get(type(node.op))
    if found is None:
        raise NotImplementedError(f"nothing says how op {node.op.name!r} is a matrix product")
    return found(emitter, node)
