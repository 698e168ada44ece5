"""Labels of SSD's nets: rows of 8 numbers, those of all images of a batch after each other.

A row is (item, group label, instance, x1, y1, x2, y2, difficult): the box of an object in image
``item``, in shares of its size. Where a batch has no box there is one row, whose item is -1.
Source: weiliu89/caffe, ssd: src/caffe/layers/annotated_data_layer.cpp.
"""

from __future__ import annotations

from dataclasses import dataclass

from ir import expr as e
from ir.graph import Value

from .context import LayerContext

WIDTH = 8
LABEL = 1
BOX = 3
DIFFICULT = 7


@dataclass(frozen=True)
class GroundTruth:
    """``rows`` (G, 8) and what they are columns of."""

    rows: Value

    @property
    def count(self) -> int:
        return self.rows.shape[0]

    def column(self, ctx: LayerContext, number: int) -> Value:
        """(G, 1)."""
        return ctx.b.slice(self.rows, 1, number, number + 1)

    def boxes(self, ctx: LayerContext) -> Value:
        """(G, 4)."""
        return ctx.b.slice(self.rows, 1, BOX, BOX + 4)

    def items(self, ctx: LayerContext, *, difficult: bool = True) -> Value:
        """Number of the image of each row, i32 (G, 1); -1 of one that does not count, as those of
        difficult objects unless they do."""
        columns = [self.column(ctx, 0), self.column(ctx, DIFFICULT)]
        item = e.to_int(e.arg(0))
        if not difficult:
            item = e.where(e.equal(e.arg(1), 0.0), item, -1)
        return ctx.b.map(item, *columns[: 1 if difficult else 2])


def ground_truth(ctx: LayerContext, bottom: int, *, any_data: bool = False) -> GroundTruth:
    """A bottom (1, 1, G, 8) as rows.

    With ``any_data`` that many rows of 8 are read of a bottom with four axes and more elements as
    the third axis has, as SSD's branch does: a net that is only timed may have any label.
    """
    b, value = ctx.b, ctx.bottoms[bottom]
    shape, name = value.shape, ctx.layer.bottom[bottom]
    rows = shape[2] if len(shape) > 2 else 0
    exact = len(shape) > 2 and value.type.size == rows * WIDTH
    larger = any_data and not exact and len(shape) == 4 and value.type.size > rows * WIDTH
    ctx.check(
        exact or larger,
        f"'{name}' has shape {list(shape)}; (1, 1, G, 8) is expected",
        "bottom",
        "a row per box: item, label, instance, xmin, ymin, xmax, ymax, difficult",
        index=bottom,
    )
    if larger:
        ctx.note(
            f"'{name}' has shape {list(shape)}, where (1, 1, G, 8) is expected: its first "
            f"{rows} x {WIDTH} values are read as boxes",
            "bottom",
        )
        value = b.slice(b.reshape(value, (value.type.size,)), 0, 0, rows * WIDTH)
    return GroundTruth(b.reshape(value, (rows, WIDTH)))
