"""The axes of a product in the order in which memory has them.

Tiles are read by 16 bytes where neighbours of a tile are neighbours in memory: so the innermost
axis of the depth is the one along which operands lie side by side, and that of the columns the one
along which results do.

before: ``rows (256), columns (n, 14, 14), depth (256, 3, 3)``    (3 x 3, channels last)
after:  ``rows (n, 14, 14), columns (256), depth (3, 3, 256)``

Where the innermost axis is a few channels they and the taps beside each other are one axis: what a
row of the window covers lies side by side.

before: ``depth (7, 7, 4)``
after:  ``depth (7, 28)``
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ir.graph import Node, Value

from ..emitter import Access, Emitter
from ..index import ZERO, linearize
from ..monomial import product
from ..products import Found, Places, Product, Side, SideName, Sizes
from .registers.form import LoopAxis, extents_of, strides_along
from .tap_words import MOST_BITS

STEP = 32
"""Of a loop along the depth: channels that fill them are not put together with others."""
TURNED: dict[SideName, SideName] = {"rows": "columns", "columns": "rows", "depth": "depth"}
Strides = Mapping[LoopAxis, tuple[int | None, ...]]
_FAR = 1 << 62
"""Further than any stride that is a number."""


def strides_of(emitter: Emitter, anchor: Node, view: Product) -> Strides:
    """Of left, right and result in memory along each axis."""
    result = _written(emitter, anchor)
    return {axis: strides_along(emitter, result, view, axis) for axis in extents_of(view)}


def arranged(emitter: Emitter, view: Product, strides: Strides) -> Product:
    """The same product, in which the last axes of the columns and of the depth are those along
    which memory has elements side by side."""

    def order(kind: str, sizes: Sizes, side: int) -> list[int]:
        def far(number: int) -> int:
            found = strides[LoopAxis(kind, number)][side]  # type: ignore[arg-type]
            return _FAR if found is None else abs(found)

        return sorted(range(len(sizes)), key=far, reverse=True)

    columns, depth = order("columns", view.columns, 1), order("depth", view.depth, 0)
    view = _permuted(view, columns, depth)

    # Of the weights' gradient the depth counts positions of images; else the columns do.
    taps: SideName = "columns" if view.images is None else "depth"
    sizes, axes = (view.columns, columns) if view.images is None else (view.depth, depth)
    sides = (1,) if view.images is None else (0, 1)
    if (inner := Side(sizes).inner) is not None:

        def side_by_side(last: int, stride: int) -> bool:
            found = strides[LoopAxis(taps, axes[last])]
            return all(found[side] == stride for side in sides)

        if side_by_side(inner, 1):
            view = replace(view, dense=view.dense | {taps})
            if (short := _short(sizes)) and side_by_side(inner - 1, short):
                view = _joined(emitter, view, taps)
    if _beside(strides, "rows", view.rows) and not _beside(strides, "columns", view.columns):
        view = _turned(view)
    return view


def _short(sizes: Sizes) -> int:
    """Of the last axis, if it fills steps badly, and is not alone; else 0."""
    if len(sizes) < 2 or None in (counts := [size.constant for size in sizes]):
        return 0
    *outer, beside, last = (count or 0 for count in counts)
    steps = math.prod(outer) * -(-beside * last // STEP)
    return last if last % STEP and last < 2 * STEP and beside > 1 and steps <= MOST_BITS else 0


def along_depth(emitter: Emitter, anchor: Node, view: Product) -> bool:
    """Whether elements of both operands lie side by side along the last axis of the depth."""
    last = max((i for i, size in enumerate(view.depth) if size.constant != 1), default=0)
    left, right, _ = strides_along(emitter, anchor.output, view, LoopAxis("depth", last))
    return left == right == 1


def _written(emitter: Emitter, anchor: Node) -> Value:
    """What the group writes of each element of the product, which may lie elsewhere in memory."""
    written = (port.value for port in emitter.body.outputs)
    return next((v for v in written if v.shape == anchor.output.shape), anchor.output)


def _beside(strides: Strides, kind: str, sizes: Sizes) -> bool:
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


def _joined(emitter: Emitter, view: Product, kind: SideName) -> Product:
    """With the last two axes of the columns, or of the depth, as one."""
    (left, read_left), (right, read_right), result = view.left, view.right, view.result
    sizes = getattr(view, kind)[-2:]

    def apart(places: Places) -> Places:
        return [*places[:-1], *emitter.split(places[-1], sizes)]

    def column(places: Places) -> Places:
        return apart(places) if kind == "columns" else places

    def depth(places: Places) -> Places:
        return apart(places) if kind == "depth" else places

    def find(at: Access) -> Found:
        row, found, which = view.find(at)
        if kind == "columns":
            found = [*found[:-2], linearize(found[-2:], sizes)]
        return row, found, which

    joined = (*getattr(view, kind)[:-2], product(sizes))
    return replace(
        view,
        columns=joined if kind == "columns" else view.columns,
        depth=joined if kind == "depth" else view.depth,
        left=(left, lambda row, deep, which: read_left(row, depth(deep), which)),
        right=(right, lambda deep, at, which: read_right(depth(deep), column(at), which)),
        result=lambda row, at, which: result(row, column(at), which),
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
        dense=frozenset(TURNED[kind] for kind in view.dense),
        left=(right, lambda row, depth, which: read_right(depth, row, which)),
        right=(left, lambda depth, column, which: read_left(column, depth, which)),
        result=lambda row, column, which: result(column, row, which),
        find=find,
    )
