"""rpn.anchor_target_layer: anchors to learn from, and what they should become."""

from __future__ import annotations

from collections.abc import Sequence

from ir import expr as e
from ir.graph import Value
from ir.types import I32

from ..anchors import anchors_at
from ..built_in_python import built_in
from ..chosen import chosen
from ..context import LayerContext
from ..found_rows import picked
from ..overlaps import Overlaps, box_overlaps, moves
from ..rpn_inputs import image_size, map_size, objects_of
from ..rpn_settings import RpnSettings, rpn_settings
from ..sampling import drawn_at_random, marked

_OBJECT, _NONE, _UNUSED = 1.0, 0.0, -1.0

_NOWHERE = -1.0
"""The overlap of an anchor that reaches out of the image: less than any."""


@built_in("rpn.anchor_target_layer", "AnchorTargetLayer", (3, 4), (1, 4), "py-faster-rcnn")
def lower_anchor_target(ctx: LayerContext) -> Sequence[Value]:
    """Labels (1, 1, A * H, W): 1 an object, 0 none, -1 not to be learned from; moves (1, 4A, H, W)
    onto the object that an anchor overlaps most, and two weights of each.

    Bottoms: a map of one image, its objects (G, 5: x1, y1, x2, y2, class), its size (1, 3), and
    the image, which is not read. Objects are those that an anchor overlaps by
    rpn_positive_overlap, or by more than any other one; of each kind some at random.
    rbgirshick/py-faster-rcnn: lib/rpn/anchor_target_layer.py.
    """
    b, s = ctx.b, rpn_settings(ctx, "feat_stride")
    anchors = s.anchors()
    rows, columns = map_size(ctx)
    count = rows * columns * len(anchors)
    objects, height, width = objects_of(ctx, 1), *image_size(ctx, 2)
    edges = anchors_at(anchors, e.index(0), e.index(1), e.index(2), s.feat_stride)
    shape = (rows, columns, len(anchors), 1)
    boxes = b.reshape(b.concat([b.map(edge, shape=shape) for edge in edges], 3), (count, 4))
    inside = _inside(ctx, s.allowed_border, boxes, height, width)
    found = box_overlaps(b, boxes, objects)
    labels = _sampled(ctx, s, _labels(ctx, s, inside, found))
    onto = picked(b, b.slice(objects, 1, 0, 4), found.other)
    targets = b.map(e.where(e.arg(1) > 0.5, e.arg(0), 0.0), moves(b, boxes, onto), inside)
    column = b.reshape(labels, (count, 1))
    weight = chosen(e.index(1), list(s.rpn_bbox_inside_weights))
    within = b.map(e.where(e.equal(e.arg(0), _OBJECT), weight, 0.0), column, shape=(count, 4))
    outside = b.broadcast(_outside_weights(ctx, s, column), (count, 4))
    by_anchor = b.transpose(b.reshape(labels, (rows, columns, len(anchors))), (2, 0, 1))
    tops = [b.reshape(by_anchor, (1, 1, len(anchors) * rows, columns))]
    for value in (targets, within, outside):
        laid = b.transpose(b.reshape(value, (rows, columns, 4 * len(anchors))), (2, 0, 1))
        tops.append(b.reshape(laid, (1, 4 * len(anchors), rows, columns)))
    return tops


def _inside(ctx: LayerContext, border: float, boxes: Value, height: Value, width: Value) -> Value:
    """f32[K, 1]: 1 for a box in the image, which may reach out by a border; else 0."""
    b = ctx.b
    x1, y1, x2, y2 = (e.arg(i) for i in range(4))
    fits = (x1 >= -border) & (y1 >= -border)
    fits = fits & (x2 < e.arg(5) + border) & (y2 < e.arg(4) + border)
    edges = [b.slice(boxes, 1, i, i + 1) for i in range(4)]
    return b.map(e.where(fits, 1.0, 0.0), *edges, height, width)


def _labels(ctx: LayerContext, s: RpnSettings, inside: Value, found: Overlaps) -> Value:
    """f32[K], of all anchors that tell something."""
    b = ctx.b
    each = b.map(e.where(e.arg(1) > 0.5, e.arg(0), _NOWHERE), found.each, inside)
    best = b.reduce("max", each, (0,))
    is_best = (e.arg(2) > 0.5) & e.equal(e.arg(0), e.arg(1))
    bests = b.reduce("max", b.map(e.where(is_best, 1.0, 0.0), each, best, inside), (1,))
    largest = e.arg(0)
    few = largest < e.const(s.rpn_negative_overlap)
    enough = (largest >= e.const(s.rpn_positive_overlap)) | (e.arg(1) > 0.5)
    if s.rpn_clobber_positives:
        label = e.where(few, _NONE, e.where(enough, _OBJECT, _UNUSED))
    else:
        label = e.where(enough, _OBJECT, e.where(few, _NONE, _UNUSED))
    made = b.map(e.where(e.arg(2) > 0.5, label, _UNUSED), found.largest, bests, inside)
    return b.reshape(made, inside.shape[:1])


def _sampled(ctx: LayerContext, s: RpnSettings, labels: Value) -> Value:
    """At most rpn_batchsize of them, and of objects at most their fraction."""
    b = ctx.b
    most = int(s.rpn_fg_fraction * s.rpn_batchsize)
    objects, others = (
        drawn_at_random(ctx, b.map(e.where(e.equal(e.arg(0), label), 1.0, 0.0), labels), count)
        for label, count in ((_OBJECT, max(most, 1)), (_NONE, s.rpn_batchsize))
    )
    number = b.map(e.minimum(e.arg(0, I32), most), objects.counts)
    rest = b.map(e.minimum(e.arg(0, I32), s.rpn_batchsize - e.arg(1, I32)), others.counts, number)
    (count,) = labels.shape
    flags = [marked(ctx, each, n, count) for each, n in ((objects, number), (others, rest))]
    taken = e.where(e.arg(0) > 0.5, _OBJECT, e.where(e.arg(1) > 0.5, _NONE, _UNUSED))
    return b.map(taken, *flags)


def _outside_weights(ctx: LayerContext, s: RpnSettings, labels: Value) -> Value:
    """f32[K, 1]: equal ones that sum up to 1, or rpn_positive_weight of that for objects."""
    b = ctx.b
    is_object, is_none = (e.where(e.equal(e.arg(0), v), 1.0, 0.0) for v in (_OBJECT, _NONE))
    objects, others = (b.sum(v, (0,)) for v in b.maps([is_object, is_none], labels))
    share = s.rpn_positive_weight
    if share < 0.0:
        both = 1.0 / (e.arg(1) + e.arg(2))
        weights = both, both
    else:
        weights = share / e.arg(1), (1.0 - share) / e.arg(2)
    other = e.where(e.equal(e.arg(0), _NONE), weights[1], 0.0)
    each = e.where(e.equal(e.arg(0), _OBJECT), weights[0], other)
    return b.map(each, labels, objects, others)
