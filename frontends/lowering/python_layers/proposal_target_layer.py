"""rpn.proposal_target_layer: the regions py-faster-rcnn learns from, with classes and moves."""

from __future__ import annotations

from collections.abc import Sequence

from ir import expr as e
from ir.graph import Value
from ir.size import larger
from ir.types import I32

from ..built_in_python import built_in
from ..chosen import chosen
from ..context import LayerContext
from ..found_rows import picked, picked_places, trimmed
from ..overlaps import Overlaps, box_overlaps, moves
from ..rpn_inputs import objects_of
from ..rpn_settings import RpnSettings, rpn_settings
from ..sampling import drawn_at_random


@built_in("rpn.proposal_target_layer", "ProposalTargetLayer", 2, (1, 5), "py-faster-rcnn")
def lower_proposal_target(ctx: LayerContext) -> Sequence[Value]:
    """Of regions (R, 5) and objects (G, 5: x1, y1, x2, y2, class), which are regions too, at most
    batch_size at random: regions (n, 5), classes (n), and moves onto the objects, (n, 4 *
    num_classes), with two weights of each.

    Those that overlap an object by fg_thresh have its class, at most fg_fraction of all; the
    others overlap by bg_thresh_lo to bg_thresh_hi and have class 0. A batch_size of -1 takes all.
    rbgirshick/py-faster-rcnn: lib/rpn/proposal_target_layer.py; ``agnostic``, with moves of two
    classes: daijifeng001/caffe-rfcn's py-R-FCN.
    """
    b, s = ctx.b, rpn_settings(ctx, "num_classes")
    objects = objects_of(ctx, 1)
    given = ctx.x.shape
    ctx.check(
        len(given) >= 2 and ctx.x.type.size == 5 * given[0],
        f"'{ctx.layer.bottom[0]}' has shape {list(given)}; rows of image, x1, y1, x2, y2 are "
        "expected",
        "bottom",
    )
    of_objects = b.pad(b.slice(objects, 1, 0, 4), (0, 1), (0, 0))
    regions = b.concat([b.reshape(ctx.x, (given[0], 5)), of_objects], 0)
    found = box_overlaps(b, b.slice(regions, 1, 1, 5), objects)
    rows, is_object, count = _sampled(ctx, s, found)
    taken = picked(b, regions, rows)
    onto = picked(b, objects, picked_places(b, found.other, rows))
    label = b.map(e.where(e.arg(1) > 0.5, e.arg(0), 0.0), b.slice(onto, 1, 4, 5), is_object)
    targets = moves(b, b.slice(taken, 1, 1, 5), b.slice(onto, 1, 0, 4))
    if s.bbox_normalize_targets_precomputed:
        means, stds = (
            chosen(e.index(1), list(numbers))
            for numbers in (s.bbox_normalize_means, s.bbox_normalize_stds)
        )
        targets = b.map((e.arg(0) - means) / stds, targets)
    classes = 2 if s.agnostic else s.num_classes
    shape = (rows.shape[0], classes, 4)
    own = e.minimum(e.arg(0), 1.0) if s.agnostic else e.arg(0)
    mine = (e.arg(0) > 0.0) & e.equal(own, e.to_float(e.index(1)))
    weight = chosen(e.index(2), list(s.bbox_inside_weights))
    column, row = b.reshape(label, (shape[0], 1, 1)), b.reshape(targets, (shape[0], 1, 4))
    spread = b.maps(
        [
            e.where(mine, e.arg(1), 0.0),
            e.where(mine, weight, 0.0),
            e.where(mine & (weight > 0.0), 1.0, 0.0),
        ],
        column,
        row,
        shape=shape,
    )
    wide = [b.reshape(value, (shape[0], 4 * classes)) for value in spread]
    tops = [taken, b.reshape(label, shape[:1]), *wide]
    return [trimmed(ctx, 0, top, count) for top in tops]


def _sampled(ctx: LayerContext, s: RpnSettings, found: Overlaps) -> tuple[Value, Value, Value]:
    """Rows i32[n], first those with objects; f32[n, 1], 1 for those; how many there are, i32[1]."""
    b = ctx.b
    length = found.largest.shape[0]
    width = s.batch_size if s.batch_size > 0 else length
    most = round(s.fg_fraction * width) if s.batch_size > 0 else length
    largest = e.arg(0)
    has_object = largest >= e.const(s.fg_thresh)
    has_none = (largest < e.const(s.bg_thresh_hi)) & (largest >= e.const(s.bg_thresh_lo))
    marks = b.maps([e.where(has_object, 1.0, 0.0), e.where(has_none, 1.0, 0.0)], found.largest)
    objects, others = (
        drawn_at_random(ctx, b.reshape(each, (length,)), count)
        for each, count in zip(marks, (larger(most, 1), width), strict=True)
    )
    number = b.map(e.minimum(e.arg(0, I32), e.dyn(most)), objects.counts)
    left = e.dyn(width) - e.arg(1, I32)
    rest = b.map(e.minimum(e.arg(0, I32), left), others.counts, number)
    # Row j is the j-th with an object, or behind those the next one without.
    first, second = (b.reshape(each.places, (each.places.shape[1],)) for each in (objects, others))
    is_first = b.map(e.where(e.index(0) < e.arg(0, I32), 1.0, 0.0), number, shape=(width,))
    at_first = b.map(e.minimum(e.index(0), e.dyn(first.shape[0] - 1)), shape=(width,))
    behind = e.maximum(e.index(0) - e.arg(0, I32), 0)
    at_second = b.map(e.minimum(behind, e.dyn(second.shape[0] - 1)), number, shape=(width,))
    rows = b.map(
        e.where(e.arg(0) > 0.5, e.arg(1, I32), e.arg(2, I32)),
        is_first,
        picked_places(b, first, at_first),
        picked_places(b, second, at_second),
    )
    count = b.map(e.arg(0, I32) + e.arg(1, I32), number, rest)
    return rows, b.reshape(is_first, (width, 1)), count
