"""The axes of a product in the order in which memory has them.

Tiles are read by 16 bytes where neighbours of a tile are neighbours in memory: so the innermost axis
of the depth is the one along which operands lie side by side, and that of the columns the one along
which results do.

before: ``rows (256), columns (n, 14, 14), depth (256, 3, 3)``    (3 x 3, channels last)
after:  ``rows (n, 14, 14), columns (256), depth (3, 3, 256)``
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ir.graph import Node

from ..emitter import Emitter
from ..index import ZERO
from ..products import Places, Product, Sizes
from .registers.form import LoopAxis, extents_of
from .registers.form import strides_along as strides_along

_FAR = 1 << 62
"""Further than any stride that is a number."""


def arranged(emitter: Emitter, anchor: Node, view: Product) -> Product:
    """The same product, in which the last axes of the columns and of the depth are those along which
    memory has elements side by side."""
    extents = extents_of(view)
    strides = {axis: strides_along(emitter, anchor, view, axis) for axis in extents}

    def order(kind: str, sizes: Sizes, side: int) -> list[int]:
        def stride(number: int) -> int:
            found = strides[LoopAxis(kind, number)][side]  # type: ignore[arg-type]
            return _FAR if found is None else abs(found)

        return sorted(range(len(sizes)), key=stride, reverse=True)

    view = _permuted(view, "depth", order("depth", view.depth, 0))
    if _beside(strides, "rows", view.rows) and not _beside(strides, "columns", view.columns):
        view = _turned(view)
    return view


def _beside(strides: dict[LoopAxis, tuple[int | None, ...]], kind: str, sizes: Sizes) -> bool:
    """Whether results lie side by side along an axis of a kind."""
    numbers = (i for i, size in enumerate(sizes) if size.constant != 1)
    return any(strides[LoopAxis(kind, i)][2] == 1 for i in numbers)  # type: ignore[arg-type]


def _permuted(view: Product, kind: str, order: Sequence[int]) -> Product:
    sizes: Sizes = view.depth
    if list(order) == list(range(len(sizes))):
        return view

    def back(places: Places) -> Places:
        found = [ZERO] * len(order)
        for place, axis in zip(places, order, strict=True):
            found[axis] = place
        return found

    (left, read_left), (right, read_right) = view.left, view.right
    return replace(
        view,
        depth=tuple(sizes[axis] for axis in order),
        left=(left, lambda row, depth, which: read_left(row, back(depth), which)),
        right=(right, lambda depth, column, which: read_right(back(depth), column, which)),
    )


def _turned(view: Product) -> Product:
    """Rows are what columns were."""
    (left, read_left), (right, read_right), result = view.left, view.right, view.result

    def find(at):  # type: ignore[no-untyped-def]
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
