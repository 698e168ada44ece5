"""Regions that may hold objects: anchors moved as a net says, the best of those apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ir import expr as e
from ir.graph import Value
from ir.ops.suppression import NonMaximum
from ir.size import smaller
from ir.types import I32

from .anchors import Anchor, anchors_at
from .context import LayerContext
from .found_rows import (
    ABSENT,
    MOST_PLACES,
    first_kept,
    grouped_rows,
    picked,
    picked_places,
    ranked,
    ranked_as_cpp,
)


@dataclass(frozen=True)
class ProposalSettings:
    """How proposals are made.

    Attributes:
        anchors: around each position.
        stride: how many pixels lie between positions.
        min_size: of the sides of a box, in pixels of the image before it was resized.
        before, after: how many are looked at, and kept at most; 0: all.
        threshold: of what overlaps a better one by more of the area of both, nothing is kept.
        keeps_small: boxes that are too small stay, with a score of 0, and equal scores are in the
            order of mini-caffe's own quicksort; else of equal scores the later one comes first.
    """

    anchors: Sequence[Anchor]
    stride: float
    min_size: float
    before: int
    after: int
    threshold: float
    keeps_small: bool = False


@dataclass(frozen=True)
class Proposals:
    """The best of each image first, as many rows as there could be.

    Attributes:
        regions: f32[R, 5]: image, x1, y1, x2, y2. scores: f32[R, 1].
        total: i32[1], how many of the rows there are.
    """

    regions: Value
    scores: Value
    total: Value


def lower_proposals(ctx: LayerContext, settings: ProposalSettings) -> Proposals:
    """From scores (N, 2A, H, W), of which the second half count, moves (N, 4A, H, W) and images'
    sizes (N, 3: height, width, how much larger than the file's) to regions.

    Several images are one after the other (the forks take one).
    rbgirshick/py-faster-rcnn: lib/rpn/proposal_layer.py,
    lib/fast_rcnn/bbox_transform.py.
    """
    b = ctx.b
    images, rows, columns = _checked_map(ctx, len(settings.anchors))
    count = rows * columns * len(settings.anchors)
    ctx.check(count <= MOST_PLACES, f"{count} anchors of an image are more than can be sorted")
    scores, boxes = _candidates(ctx, settings, images, rows, columns)
    before = smaller(settings.before, count) if settings.before > 0 else count
    after = smaller(settings.after, before) if settings.after > 0 else before
    flat_scores = b.reshape(scores, (images, count))
    if settings.keeps_small:
        best = ranked_as_cpp(b, flat_scores, before, pivot="first")
    else:
        best = ranked(b, flat_scores, before, later_first=True)
    row = b.map(e.index(0) * e.dyn(count) + e.arg(0, I32), best.places)
    sorted_boxes = picked(b, b.reshape(boxes, (images * count, 4)), row)
    flags, numbers = b.emit_all(
        NonMaximum(settings.threshold, most=max(settings.after, 0), pixel=1),
        sorted_boxes,
        best.counts,
    )
    found = grouped_rows(b, numbers, images * after)
    at = b.map(e.arg(0, I32) * e.dyn(after) + e.arg(1, I32), found.group, found.number)
    place = picked_places(b, b.reshape(first_kept(b, flags, after), (images * after,)), at)
    flat = b.map(e.arg(0, I32) * e.dyn(before) + e.arg(1, I32), found.group, place)
    column = (images * after, 1)
    regions = [
        b.reshape(b.map(e.to_float(e.arg(0, I32)), found.group), column),
        picked(b, b.reshape(sorted_boxes, (images * before, 4)), flat),
    ]
    scored = picked(b, b.reshape(best.scores, (images * before,)), flat)
    return Proposals(b.concat(regions, 1), b.reshape(scored, column), found.total)


def _checked_map(ctx: LayerContext, anchors: int) -> tuple[int, int, int]:
    """Images, rows and columns."""
    scores, moves, sizes = (v.shape for v in ctx.bottoms)
    names = ctx.layer.bottom
    for i, (shape, each, what) in enumerate(((scores, 2, "scores"), (moves, 4, "moves of boxes"))):
        ctx.check(
            len(shape) == 4 and shape[1] == each * anchors,
            f"'{names[i]}' has shape {list(shape)}; {each} {what} for each of {anchors} anchors "
            f"are expected: {each * anchors} channels of a map",
            "bottom",
            index=i,
        )
    ctx.check(
        scores[0] == moves[0] and scores[2:] == moves[2:],
        f"'{names[0]}' has shape {list(scores)}, '{names[1]}' {list(moves)}: one image and one "
        "map are expected",
        "bottom",
        index=1,
    )
    images, _, rows, columns = scores
    ctx.check(
        images > 0 and rows > 0 and columns > 0,
        f"'{names[0]}' has shape {list(scores)}: no position",
        "bottom",
    )
    ctx.check(
        len(sizes) >= 2 and sizes[0] == images and math.prod(sizes[1:]) >= 3,
        f"'{names[2]}' has shape {list(sizes)}; height, width and scale of {images} image(s) are "
        "expected",
        "bottom",
        index=2,
    )
    return images, rows, columns


def _candidates(
    ctx: LayerContext, settings: ProposalSettings, images: int, rows: int, columns: int
) -> tuple[Value, Value]:
    """Of every anchor the score [N, H, W, A], and where it was moved to [N, H, W, A, 4]."""
    b, anchors = ctx.b, settings.anchors
    count = len(anchors)
    scores, moves, sizes = ctx.bottoms
    order = (0, 2, 3, 1)
    objects = b.transpose(b.slice(scores, 1, count, 2 * count), order)
    apart = b.reshape(moves, (images, count, 4, rows * columns))
    moved = [
        b.transpose(b.reshape(b.slice(apart, 2, i, i + 1), (images, count, rows, columns)), order)
        for i in range(4)
    ]
    of_image = b.reshape(sizes, (images, math.prod(sizes.shape[1:])))
    height, width, scale = (
        b.reshape(b.slice(of_image, 1, i, i + 1), (images, 1, 1, 1)) for i in range(3)
    )
    x1, y1, x2, y2 = anchors_at(anchors, e.index(1), e.index(2), e.index(3), settings.stride)
    low: list[e.Expr] = []
    high: list[e.Expr] = []
    for i, (start, stop, size) in enumerate(((x1, x2, e.arg(6)), (y1, y2, e.arg(5)))):
        extent = stop - start + 1.0
        center = start + 0.5 * extent
        center = e.arg(1 + i) * extent + center
        half = 0.5 * (e.exp(e.arg(3 + i)) * extent)
        last = size - 1.0
        low.append(e.maximum(e.minimum(center - half, last), 0.0))
        high.append(e.maximum(e.minimum(center + half, last), 0.0))
    least = settings.min_size * e.arg(7)
    large = (high[0] - low[0] + 1.0 >= least) & (high[1] - low[1] + 1.0 >= least)
    score = e.where(large, e.arg(0), 0.0 if settings.keeps_small else ABSENT)
    made = b.maps([score, low[0], low[1], high[0], high[1]], objects, *moved, height, width, scale)
    edges = [b.reshape(v, (*v.shape, 1)) for v in made[1:]]
    return made[0], b.concat(edges, 4)
