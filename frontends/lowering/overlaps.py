"""How much boxes overlap, and what moves one onto another; in pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ir import expr as e
from ir.build import Builder
from ir.expr import Expr
from ir.graph import Value
from ir.ops.reduction import ArgExtreme


@dataclass(frozen=True)
class Overlaps:
    """Of boxes with others.

    Attributes:
        each: f32[K, G], the area that two have in common over that of both together.
        largest: f32[K, 1], of a box with any of the others. other: i32[K], which that is, the
            first of several.
    """

    each: Value
    largest: Value
    other: Value


def box_overlaps(b: Builder, boxes: Value, others: Value) -> Overlaps:
    """Of ``boxes`` [K, 4 or more] with ``others`` [G, 4 or more], x1, y1, x2, y2, whose last pixel
    belongs to them. rbgirshick/py-faster-rcnn: lib/utils/bbox.pyx."""
    count = boxes.shape[0]
    down = [b.slice(boxes, 1, i, i + 1) for i in range(4)]
    across = [b.transpose(b.slice(others, 1, i, i + 1), (1, 0)) for i in range(4)]
    box, other = [e.arg(i) for i in range(4)], [e.arg(4 + i) for i in range(4)]
    width = e.minimum(box[2], other[2]) - e.maximum(box[0], other[0]) + 1.0
    height = e.minimum(box[3], other[3]) - e.maximum(box[1], other[1]) + 1.0
    common = width * height
    both = _area(box) + _area(other) - common
    met = (width > 0.0) & (height > 0.0)
    each = b.map(e.where(met, common / both, 0.0), *down, *across)
    first = b.reshape(b.emit(ArgExtreme("max", 1, "first"), each), (count,))
    return Overlaps(each, b.reduce("max", each, (1,)), first)


def _area(box: Sequence[Expr]) -> Expr:
    return (box[2] - box[0] + 1.0) * (box[3] - box[1] + 1.0)


def moves(b: Builder, boxes: Value, onto: Value) -> Value:
    """What moves boxes [K, 4] onto others: shifts in widths and heights, and logarithms of how
    much larger, f32[K, 4]. rbgirshick/py-faster-rcnn: lib/fast_rcnn/bbox_transform.py."""
    parts = [b.slice(value, 1, i, i + 1) for value in (boxes, onto) for i in range(4)]
    box, other = [e.arg(i) for i in range(4)], [e.arg(4 + i) for i in range(4)]
    shifts: list[Expr] = []
    scales: list[Expr] = []
    for i in range(2):
        extent, wanted = box[i + 2] - box[i] + 1.0, other[i + 2] - other[i] + 1.0
        shift = (other[i] + 0.5 * wanted) - (box[i] + 0.5 * extent)
        shifts.append(shift / extent)
        scales.append(e.log(wanted / extent))
    return b.concat(b.maps([*shifts, *scales], *parts), 1)
