"""DetectionOutput (SSD)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from frontends.schema.registry import extend_message, message_type
from frontends.schema.types import optional
from ir import expr as e
from ir.expr import Expr
from ir.graph import Value
from ir.ops.sort import TopK
from ir.ops.suppression import NonMaximum
from ir.size import smaller
from ir.types import I32

from ..context import LayerContext
from ..found_rows import (
    ABSENT,
    MOST_PLACES,
    Ranked,
    detections,
    first_kept,
    grouped_rows,
    picked,
    picked_places,
    ranked,
    ranked_as_cpp,
)
from ..registry import layer
from ..unjoined_detections import joined_detections

extend_message(
    "DetectionOutputParameter",
    optional("bool", "no_permute", default=False),
    optional("int32", "nbottom", default=6),
)


@dataclass(frozen=True)
class _Shape:
    """How many images, priors, classes, and classes that have boxes of their own (or 1)."""

    images: int
    priors: int
    classes: int
    boxed: int


@layer(
    "DetectionOutput",
    param="detection_output_param",
    message=message_type("DetectionOutputParameter"),
    bottoms=(3, None),
    no_gradient_to=tuple(range(64)),
    fork="SSD",
    fork_fields=("no_permute", "nbottom"),
    note="The number of rows depends on data: it is read back. `save_output_param` and "
    "`visualize` write no files and show no images, which a note says. With "
    "`no_permute` (Synopsys) the bottoms are the maps themselves.",
)
def lower_detection_output(ctx: LayerContext) -> Value:
    """Boxes of every class but the background, without those that overlap better ones.

    Bottoms: offsets of boxes (N, priors * L * 4), scores (N, priors * classes), priors
    (1, 2, priors * 4). Top: (1, 1, D, 7), rows (image, class, score, x1, y1, x2, y2) image by
    image, class by class, the best first; where nothing is found, a row of -1 for each image.
    SSD: src/caffe/layers/detection_output_layer.cpp, src/caffe/util/bbox_util.cpp.
    """
    p, b = ctx.param, ctx.b
    if p.no_permute and len(ctx.bottoms) > 4:
        ctx.bottoms = joined_detections(ctx)
    ctx.check(
        len(ctx.bottoms) <= 4,
        f"{len(ctx.bottoms)} bottoms are too many",
        "bottom",
        "offsets, scores, priors and perhaps the image; of maps alone with `no_permute: true`",
        4,
    )
    shape = _shape(ctx)
    _tell_what_is_not_written(ctx)
    nms = p.nms_param
    ctx.check(
        0 <= nms.nms_threshold < math.inf,
        f"nms_threshold is {nms.nms_threshold:g}",
        "nms_param",
        "it must be a number that is not negative",
    )
    ctx.check(0 < nms.eta <= 1, f"eta is {nms.eta:g}", "nms_param", "it must be in (0, 1]")
    top_k = nms.top_k if nms.has("top_k") else -1
    keep = p.keep_top_k
    if 0 in (top_k, keep, shape.priors, shape.images):
        return b.map(
            e.where(e.equal(e.index(3), 0), e.to_float(e.index(2)), -1.0),
            shape=(1, 1, shape.images, 7),
        )
    count = smaller(top_k, shape.priors) if top_k > 0 else shape.priors
    places = shape.classes * count  # of an image
    ctx.check(
        places <= MOST_PLACES,
        f"{shape.classes} classes of {count} boxes are more than can be sorted",
        "nms_param",
        "give nms_param a top_k",
    )
    most = keep if 0 < keep < places else places
    best = _best(ctx, shape, count)
    boxes = _boxes_of(ctx, shape, best.places)
    op = NonMaximum(nms.nms_threshold, nms.eta)
    flags, _ = b.emit_all(op, boxes, best.counts)
    chosen, counts = _chosen(ctx, shape, best.scores, flags, most)
    rows = grouped_rows(b, counts, shape.images * most)
    at = b.map(e.arg(0, I32) * e.dyn(most) + e.arg(1, I32), rows.group, rows.number)
    place = picked_places(b, b.reshape(chosen, (shape.images * most,)), at)
    flat = b.map(e.arg(0, I32) * e.dyn(places) + e.arg(1, I32), rows.group, place)
    column = (shape.images * most, 1)
    label = e.to_float(e.maximum(e.arg(0, I32), 0) // e.dyn(count))
    found = [
        b.reshape(b.map(e.to_float(e.arg(0, I32)), rows.group), column),
        b.reshape(b.map(label, place), column),
        b.reshape(picked(b, b.reshape(best.scores, (shape.images * places,)), flat), column),
        picked(b, b.reshape(boxes, (shape.images * places, 4)), flat),
    ]
    return detections(ctx, b.concat(found, 1), rows.total, shape.images)


def _chosen(
    ctx: LayerContext, shape: _Shape, scores: Value, flags: Value, most: int
) -> tuple[Value, Value]:
    """Places of what is kept of each image, i32[images, most], in the order of rows, and how many
    there are, i32[images].

    More than ``keep_top_k`` are sorted by score and cut off, in the order of std::sort where
    scores are equal; then classes are put together again.
    """
    b = ctx.b
    places = shape.classes * scores.shape[1]
    if most == places:
        kept = b.reshape(flags, (shape.images, places))
        numbers = b.sum(b.map(e.to_float(e.arg(0, I32)), kept), (1,))
        counts = b.map(e.to_int(e.arg(0)), b.reshape(numbers, (shape.images,)))
        return first_kept(b, kept, places), counts
    kept = b.map(e.where(e.equal(e.arg(1, I32), 1), e.arg(0), ABSENT), scores, flags)
    best = ranked_as_cpp(b, b.reshape(kept, (shape.images, places)), most, cut_only=True)
    by_class = -e.to_float(e.maximum(e.arg(1, I32), 0) // e.dyn(scores.shape[1]))
    key = b.map(e.where(e.arg(0) > ABSENT, by_class, ABSENT), best.scores, best.places)
    _, order = b.emit_all(TopK(most, "first"), key)
    at = b.map(e.index(0) * e.dyn(most) + e.arg(0, I32), order)
    return picked_places(b, b.reshape(best.places, (shape.images * most,)), at), best.counts


def _tell_what_is_not_written(ctx: LayerContext) -> None:
    """Files that SSD's layer would write."""
    p = ctx.param
    if p.save_output_param.output_directory:
        ctx.note(
            "`save_output_param` is not honoured: the detections are not written to "
            f"'{p.save_output_param.output_directory}'; they are the rows of "
            f"'{ctx.tops[0]}'",
            "save_output_param",
        )
    if p.visualize:
        ctx.note("`visualize` is not honoured: no boxes are drawn", "visualize")


def _shape(ctx: LayerContext) -> _Shape:
    """Checked."""
    p = ctx.param
    ctx.check(p.has("num_classes"), "detection_output_param has no `num_classes`", "num_classes")
    ctx.check(p.num_classes > 0, "num_classes is 0", "num_classes")
    loc, conf, prior = (v.shape for v in ctx.bottoms[:3])
    names = ctx.layer.bottom
    ctx.check(
        len(prior) >= 3
        and prior[0] >= 1
        and prior[1] == 2
        and prior[2] % 4 == 0
        and math.prod(prior[3:]) == 1,
        f"'{names[2]}' has shape {list(prior)}; (1, 2, 4 * priors) is expected: boxes and their "
        "variances",
        "bottom",
        "it is the top of a PriorBox layer, or of several, concatenated along axis 2",
        2,
    )
    priors = prior[2] // 4
    boxed = 1 if p.share_location else p.num_classes
    for i, (shape, per_prior, what) in enumerate(
        ((loc, boxed * 4, "offsets of boxes"), (conf, p.num_classes, "scores"))
    ):
        each = math.prod(shape[1:])
        ctx.check(
            len(shape) >= 2 and each == priors * per_prior,
            f"'{names[i]}' has shape {list(shape)}: {each} {what} an image; {priors} priors and "
            f"{p.num_classes} classes need {priors * per_prior}",
            "bottom",
            index=i,
        )
    ctx.check(
        loc[0] == conf[0],
        f"'{names[0]}' has {loc[0]} images, '{names[1]}' has {conf[0]}",
        "bottom",
        index=1,
    )
    return _Shape(loc[0], priors, p.num_classes, boxed)


def _best(ctx: LayerContext, shape: _Shape, count: int) -> Ranked:
    """The best of each class of each image: rows of ``count``, images outermost."""
    p, b = ctx.param, ctx.b
    scores = b.reshape(ctx.bottoms[1], (shape.images, shape.priors, shape.classes))
    least = p.confidence_threshold if p.has("confidence_threshold") else ABSENT
    counts = (e.arg(0) > max(least, ABSENT)) & e.not_equal(e.index(1), p.background_label_id)
    masked = b.map(e.where(counts, e.arg(0), ABSENT), b.transpose(scores, (0, 2, 1)))
    rows = b.reshape(masked, (shape.images * shape.classes, shape.priors))
    return ranked(b, rows, count)


def _boxes_of(ctx: LayerContext, shape: _Shape, places: Value) -> Value:
    """The boxes of what :func:`_best` found: [images * classes, count, 4]."""
    b = ctx.b
    count = places.shape[1]
    shaped = b.reshape(places, (shape.images, shape.classes, count))
    row = e.index(0) * e.dyn(shape.priors) + e.arg(0, I32)
    if shape.boxed > 1:
        row = row * shape.boxed + e.index(1)
    table = b.reshape(_decoded(ctx, shape), (shape.images * shape.priors * shape.boxed, 4))
    boxes = picked(b, table, b.map(row, shaped))
    return b.reshape(boxes, (shape.images * shape.classes, count, 4))


def _decoded(ctx: LayerContext, shape: _Shape) -> Value:
    """All boxes, x1, y1, x2, y2: [images, priors, boxed, 4]."""
    p, b = ctx.param, ctx.b
    offsets = b.reshape(ctx.bottoms[0], (shape.images, shape.priors, shape.boxed, 4))
    whole = ctx.bottoms[2]
    first = b.reshape(b.slice(whole, 0, 0, 1), (2, shape.priors, 1, 4))
    # Prior, variance, offset: of x1, y1, x2, y2 each.
    sources = [b.slice(first, 0, 0, 1), b.slice(first, 0, 1, 2), offsets]
    parts = [b.slice(source, 3, i, i + 1) for source in sources for i in range(4)]
    prior, variance, offset = ([e.arg(i + 4 * k) for i in range(4)] for k in range(3))
    if not p.variance_encoded_in_target:
        offset = [v * o for v, o in zip(variance, offset, strict=True)]
    edges = b.maps(_edges(p.code_type, prior, offset), *parts)
    return b.concat(edges, 3)


def _edges(code: str, prior: Sequence[Expr], offset: Sequence[Expr]) -> list[Expr]:
    """x1, y1, x2, y2 of a box, given those of the prior and what was predicted."""
    if code == "CORNER":
        return [edge + o for edge, o in zip(prior, offset, strict=True)]
    size = [prior[2] - prior[0], prior[3] - prior[1]]
    if code == "CORNER_SIZE":
        return [prior[i] + offset[i] * size[i % 2] for i in range(4)]
    low: list[Expr] = []
    high: list[Expr] = []
    for i in range(2):
        center = offset[i] * size[i] + (prior[i] + prior[i + 2]) / 2.0
        half = e.exp(offset[i + 2]) * size[i] / 2.0
        low.append(center - half)
        high.append(center + half)
    return [*low, *high]
