"""Contractions seen as matrix products: what rows, columns and depth mean to every op.

A :class:`Product` is some independent products of (rows, depth) by (depth, columns). Each of these
may be several axes, as a convolution's columns are the images and their positions.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, NamedTuple

from compiler.kernel import Config
from ir.expr import Expr
from ir.graph import Node, Value
from ir.op import Op

from .emitter import Access, Emitter
from .index import Affine
from .monomial import Monomial, product

Places = Sequence[Affine]
Sizes = tuple[Monomial, ...]
SideName = Literal["rows", "columns", "depth"]
SIDES: tuple[SideName, ...] = ("rows", "columns", "depth")
Found = tuple[Places, Places, Places]  # row, column, product
Read = Callable[[Places, Places, Places], Access]
MOST_FILLED = 3
"""Times what a run is: so much may be multiplied in vain, before places within tiles are computed
one by one."""


class ProductShape(NamedTuple):
    """How many products there are, and of what matrices.

    Attributes:
        row_run: the rows that lie side by side, where a kernel's text knows how many; else 0.
            column_run, depth_run: likewise.
    """

    products: int
    rows: int
    columns: int
    depth: int
    row_run: int = 0
    column_run: int = 0
    depth_run: int = 0

    def at(self, number: Callable[[int], int]) -> ProductShape:
        """With the numbers that sizes are."""
        return ProductShape(*map(number, self))

    def programs(self, tile: Config) -> int:
        """Tiles in all products."""
        down = _tiles(self.rows, self.row_run, tile["M"])
        return self.products * down * _tiles(self.columns, self.column_run, tile["N"])

    def steps(self, tile: Config) -> int:
        """Along the depth."""
        return _tiles(self.depth, self.depth_run, tile["K"])


def _tiles(extent: int, run: int, length: int) -> int:
    """So long ones along a side."""
    if filled := filled_up(run, length):
        return extent // run * (filled // length)
    return -(-extent // length)


def filled_up(run: int, length: int) -> int | None:
    """What a run takes in whole tiles; None where that is too much: tiles end anywhere then."""
    filled = -(-run // length) * length
    return filled if run and filled <= MOST_FILLED * run else None


class Side(NamedTuple):
    """Axes of a product. ``dense``: operands lie side by side along the innermost."""

    sizes: Sizes
    dense: bool = False

    @property
    def inner(self) -> int | None:
        """The innermost axis: the last that has several places."""
        return max((i for i, size in enumerate(self.sizes) if size.constant != 1), default=None)

    @property
    def run(self) -> int | None:
        """How many places operands have side by side, where others follow elsewhere."""
        inner = self.inner
        alone = inner is None or all(size.constant == 1 for size in self.sizes[:inner])
        return None if inner is None or alone or not self.dense else self.sizes[inner].constant

    def filled(self, length: int) -> Sizes | None:
        """Sizes, with the innermost filled up to whole tiles; None where tiles may end anywhere."""
        inner = self.inner
        extent = None if inner is None else self.sizes[inner].constant
        if inner is None or extent is None:
            return None
        filled = extent if extent % length == 0 else filled_up(self.run or 0, length)
        if not filled:
            return None
        return (*self.sizes[:inner], Monomial.of(filled), *self.sizes[inner + 1 :])

    def positions(self, length: int) -> Monomial:
        """How many there are in tiles."""
        return product(self.filled(length) or self.sizes)


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
        dense: the sides along whose innermost axes operands lie side by side in memory.
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
    dense: frozenset[SideName] = frozenset()

    @functools.cached_property
    def sizes(self) -> ProductShape:
        """As types have them."""
        extents = self.count, self.rows, self.columns, self.depth
        runs = (self.side(kind).run or 0 for kind in SIDES)
        return ProductShape(*(product(sizes).size for sizes in extents), *runs)

    def side(self, kind: SideName) -> Side:
        sizes: Sizes = getattr(self, kind)
        return Side(sizes, kind in self.dense)


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


def term_of(emitter: Emitter, view: Product, places: Found, depth: Places, at: Access) -> Expr:
    """A product of an element of the left and one of the right matrix: one of those that the
    element ``at``, at ``places``, is the sum of."""
    row, column, which = places
    (left, read_left), (right, read_right) = view.left, view.right
    a = emitter.emit_guarded(left, read_left(row, depth, which).under(at.guard))
    b = emitter.emit_guarded(right, read_right(depth, column, which).under(at.guard))
    return a * b
