"""Boxes that the losses of YOLO are taught: two forms of labels.

MobileNet-YOLO's labels are rows of boxes of each image, (N, 300 * 5): class, centre, width and
height in shares of the image; the first that is 0 ends a row. intel/caffe's are SSD's ground truth
(1, 1, G, 8), whose class 0 is the background.
"""

from __future__ import annotations

from dataclasses import dataclass

from ir import expr as e
from ir.graph import Value
from ir.types import I32

from .context import LayerContext
from .ground_truth import BOX, LABEL, WIDTH, ground_truth

FIELDS = 5
"""Of a box: class, x, y, width, height."""


@dataclass(frozen=True)
class GridTruth:
    """Boxes of all images.

    Attributes:
        rows: (T, 5). seen: i32 (T,), the image in which a box is looked for, -1: in none.
        assigned: i32 (T,), likewise, that in which it trains a cell.
        groups: (P, M): rows are P times M. by_image: each M are those of an image.
    """

    rows: Value
    seen: Value
    assigned: Value
    groups: tuple[int, int]
    by_image: bool = False


def has_rows(value: Value) -> bool:
    """Whether a bottom is ground truth as SSD has it."""
    shape = value.shape
    return len(shape) == 4 and shape[1] == 1 and int(shape[3]) == WIDTH


def padded_truth(ctx: LayerContext, bottom: int, batch: int) -> GridTruth:
    """Labels (N, T * 5), with boxes until one is 0: x for what is seen, width for assigned."""
    b, value = ctx.b, ctx.bottoms[bottom]
    most = value.type.size // (batch * FIELDS) if batch else 0
    ctx.check(
        value.type.size == batch * most * FIELDS and (most > 0 or not batch),
        f"'{ctx.layer.bottom[bottom]}' has shape {list(value.shape)}; rows of 5 numbers for "
        f"{batch} images are expected",
        "bottom",
        "class, x, y, width, height of 300 boxes an image, the rest of them 0",
        index=bottom,
    )
    rows = b.reshape(value, (batch, most, FIELDS))
    images = []
    for field in (1, 3):
        mark = b.slice(rows, 2, field, field + 1)
        last = e.where(e.equal(e.arg(0), 0.0), e.index(1), e.dyn(most))
        end = b.reduce("min", b.map(last, mark), (1,))
        image = e.where(e.index(1) < e.arg(1, I32), e.index(0), -1)
        images.append(b.reshape(b.map(image, mark, end), (batch * most,)))
    seen, assigned = images
    rows = b.reshape(rows, (batch * most, FIELDS))
    return GridTruth(rows, seen, assigned, (batch, most), by_image=True)


def annotated_truth(ctx: LayerContext, bottom: int) -> GridTruth:
    """Ground truth of SSD: classes count from 1."""
    b, truth = ctx.b, ground_truth(ctx, bottom)
    label = truth.column(ctx, LABEL)
    low, high = (b.slice(truth.rows, 1, BOX + i, BOX + i + 2) for i in (0, 2))
    centre, size = b.maps([(e.arg(0) + e.arg(1)) / 2.0, e.arg(1) - e.arg(0)], low, high)
    rows = b.concat([b.map(e.arg(0) - 1.0, label), centre, size], 1)
    image = b.reshape(truth.items(ctx), (truth.count,))
    return GridTruth(rows, image, image, (1, truth.count))
