"""The axes of a product in the order in which memory has them.

Tiles are read by 16 bytes where neighbours of a tile are neighbours in memory: so the innermost
axis of the depth is the one along which operands lie side by side, and that of the columns the one
along which results do.

before: ``rows (256), columns (n, 14, 14), depth (256, 3, 3)``    (3 x 3, channels last)
after:  ``rows (n, 14, 14), columns (256), depth (3, 3, 256)``
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ir.graph import Node

from ..emitter import Access, Emitter
from ..index import ZERO
from ..products import Found, Places, Product, Sizes
from .registers.form import LoopAxis, extents_of, strides_along

_FAR = 1 << 62
"""Further than any stride that is a number."""


def arranged(emitter: Emitter, anchor: Node, view: Product) -> Product:
    """The same product, in which the last axes of the columns and of the depth are those along
    which memory has elements side by side."""
    extents = extents_of(view)
    strides = {axis: strides_along(emitter, anchor, view, axis) for axis in extents}

    def order(kind: str, sizes: Sizes, side: int) -> list[int]:
        def stride(number: int) -> int:
            found = strides[LoopAxis(kind, number)][side]  # type: ignore[arg-type]
            return _FAR if found is None else abs(found)

        return sorted(range(len(sizes)), key=stride, reverse=True)

    view = _permuted(view, order("columns", view.columns, 1), order("depth", view.depth, 0))
    if _beside(strides, "rows", view.rows) and not _beside(strides, "columns", view.columns):
        view = _turned(view)
    return view


def along_depth(emitter: Emitter, anchor: Node, view: Product) -> bool:
    """Whether elements of both operands lie side by side along the last axis of the depth."""
    last = max((i for i, size in enumerate(view.depth) if size.constant != 1), default=0)
    left, right, _ = strides_along(emitter, anchor, view, LoopAxis("depth", last))
    return left == right == 1


def _beside(strides: dict[LoopAxis, tuple[int | None, ...]], kind: str, sizes: Sizes) -> bool:
    """Whether results lie side by side along an axis of a kind."""
    numbers = (i for i, size in enumerate(sizes) if size.constant != 1)
    return any(strides[LoopAxis(kind, i)][2] == 1 for i in numbers)  # type: ignore[arg-type]


def _permuted(view: Product, columns: Sequence[int], depth: Sequence[int]) -> Product:
    """With the axes in another order."""
    (left, read_left), (right, read_right), result = view.left, view.right, view.result

    def find(at: Access) -> Found:
        row, column, which = view.find(at)
        return row, [column[axis] for axis in columns], which

    return replace(
        view,
        columns=tuple(view.columns[axis] for axis in columns),
        depth=tuple(view.depth[axis] for axis in depth),
        left=(left, lambda row, deep, which: read_left(row, _back(deep, depth), which)),
        right=(
            right,
            lambda deep, column, which: read_right(
                _back(deep, depth), _back(column, columns), which
            ),
        ),
        result=lambda row, column, which: result(row, _back(column, columns), which),
        find=find,
    )


def _back(places: Places, order: Sequence[int]) -> Places:
    """What stands where before it was put in order."""
    found = [ZERO] * len(order)
    for place, axis in zip(places, order, strict=True):
        found[axis] = place
    return found


def _turned(view: Product) -> Product:
    """Rows are what columns were."""
    (left, read_left), (right, read_right), result = view.left, view.right, view.result

    def find(at: Access) -> Found:
        row, column, which = view.find(at)
        return column, row, which

    return replace(
        view,
        rows=view.columns,
        columns=view.rows,
        left=(right, lambda row, depth, which: read_right(depth, row, which)),
        right=(left, lambda depth, column, which: read_left(column, depth, which)),
        result=lambda row, column, which: result(column, row, which),
        find=find,
    )
