"""Contractions seen as matrix products: what rows, columns and depth mean to every op.

A :class:`Product` is some independent products of (rows, depth) by (depth, columns). Each of these
may be several axes, as a convolution's columns are the images and their positions.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

from compiler.kernel import Config
from ir.graph import Node, Value
from ir.op import Op

from .emitter import Access, Emitter
from .index import Affine
from .monomial import Monomial, product

Places = Sequence[Affine]
Sizes = tuple[Monomial, ...]
Found = tuple[Places, Places, Places]  # row, column, product
Read = Callable[[Places, Places, Places], Access]


class ProductShape(NamedTuple):
    """How many products there are, and of what matrices."""

    products: int
    rows: int
    columns: int
    depth: int

    def at(self, number: Callable[[int], int]) -> ProductShape:
        """With the numbers that sizes are."""
        return ProductShape(*map(number, self))

    def programs(self, tile: Config) -> int:
        """Tiles in all products."""
        return self.products * -(-self.rows // tile["M"]) * -(-self.columns // tile["N"])

    def steps(self, tile: Config) -> int:
        """Along the depth."""
        return -(-self.depth // tile["K"])


@dataclass(frozen=True)
class Product:
    """Sizes of the axes, and what is read and written where.

    Attributes:
        left: an operand, read at (row, depth, product). right: at (depth, column, product).
        result: the access to the result at (row, column, product).
        find: the opposite: row, column and product of an element of the result.
        thin: too few rows or columns to share anything between them.
        strided: index arithmetic takes registers that large tiles lack.
        images: where the first axis of the columns counts images of the right operand, the part of
            them that is read; else None.
    """

    count: Sizes
    rows: Sizes
    columns: Sizes
    depth: Sizes
    left: tuple[Value, Read]
    right: tuple[Value, Read]
    result: Read
    find: Callable[[Access], Found]
    thin: bool = False
    strided: bool = False
    images: Fraction | None = None

    @functools.cached_property
    def sizes(self) -> ProductShape:
        """As types have them."""
        extents = self.count, self.rows, self.columns, self.depth
        return ProductShape(*(product(sizes).size for sizes in extents))


View = Callable[[Emitter, Node, Any], Product]
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
    return found(emitter, node, node.op)
