"""What YOLOv2's RegionLoss wants of each cell, less what it has.

eric612/MobileNet-YOLO and intel/caffe: src/caffe/layers/region_loss_layer.cpp.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ir import expr as e
from ir.build import Builder
from ir.expr import Expr
from ir.graph import Value
from ir.ops.gather import Gather, ScatterLast
from ir.ops.grid_cells import FIELDS
from ir.ops.reduction import ArgExtreme
from ir.types import F32, I32

from .chosen import chosen
from .grid_truth import GridTruth

_FAR = 1e9
"""No cell is so far away."""


@dataclass(frozen=True)
class RegionRule:
    """How boxes train cells.

    Attributes:
        anchors: width and height of each, in cells.
        threshold: a cell whose box overlaps one of truth by more is no background.
        scales: of objects, of background, of classes, of boxes.
        by_anchor: anchors are compared with boxes, else what is predicted by them.
        rescore: objects should have as probability the overlap of what is predicted, else 1, and
            small boxes count more.
        bounded: as in intel/caffe: errors of boxes count as at most 1, and objects by the cube of
            what their probability lacks.
    """

    anchors: tuple[float, ...]
    threshold: float
    scales: tuple[float, float, float, float]
    by_anchor: bool
    rescore: bool
    bounded: bool

    def side(self, number: Expr, axis: int) -> Expr:
        """The width (axis 0) or height of an anchor."""
        return chosen(number, self.anchors[axis::2])


def region_deltas(b: Builder, told: Value, truth: GridTruth, rule: RegionRule) -> Value:
    """Deltas like told[N,A,5+C,H,W].

    Of each cell and anchor ``told`` has x, y before their sigmoids, logarithms of width and height
    relative to the anchor, the probability of an object, and those of C classes. Cells whose box
    overlaps one ``seen`` in their image are no background; boxes ``assigned`` to an image train the
    cell of their centre and the anchor most like them, the last one that does so.

    A delta is what a number is too large by, times a scale, and times the slope of the sigmoid
    where there is one: the gradient of RegionLoss.
    """
    images, anchors, fields, height, width = told.shape
    cells = height * width
    boxes = _boxes(b, told, rule)
    background = _background(b, told, boxes, truth, rule)
    rows = _Rows(b, told, boxes, truth, rule)
    table = b.reshape(b.transpose(told, (0, 1, 3, 4, 2)), (images * anchors * cells, fields))
    trained = rows.deltas(b, b.emit(Gather(), table, rows.place_in_batch(b)))
    last = b.reshape(rows.last(b), (images * anchors * cells,))
    taken = b.emit(Gather(), trained, b.map(e.to_int(e.arg(0)) - 1, last))
    taken = b.reshape(taken, (images, anchors, height, width, fields))
    hit = b.reshape(last, (images, anchors, 1, height, width))
    untrained = e.where(e.equal(e.index(2), FIELDS - 1), e.arg(2), 0.0)
    return b.map(
        e.where(e.arg(1) > 0.0, e.arg(0), untrained),
        b.transpose(taken, (0, 1, 4, 2, 3)),
        hit,
        background,
    )


def _likeness(box: Sequence[Expr], other: Sequence[Expr]) -> Expr:
    """Intersection over union of boxes by centre and size; NaN of two without area."""
    shared = [
        e.minimum(box[i] + box[i + 2] / 2.0, other[i] + other[i + 2] / 2.0)
        - e.maximum(box[i] - box[i + 2] / 2.0, other[i] - other[i + 2] / 2.0)
        for i in (0, 1)
    ]
    met = (shared[0] >= 0.0) & (shared[1] >= 0.0)
    common = e.where(met, shared[0] * shared[1], 0.0)
    return common / (box[2] * box[3] + other[2] * other[3] - common)


def _boxes(b: Builder, told: Value, rule: RegionRule) -> Sequence[Value]:
    """x, y, width and height of what is predicted, in shares of the image: [N,A,1,H,W]."""
    _, _, _, height, width = told.shape
    extents = [e.dyn(width, F32), e.dyn(height, F32)]
    places = [e.to_float(e.index(4)), e.to_float(e.index(3))]
    centres = [(places[i] + e.sigmoid(e.arg(i))) / extents[i] for i in (0, 1)]
    sizes = [e.exp(e.arg(2 + i)) * rule.side(e.index(1), i) / extents[i] for i in (0, 1)]
    return b.maps([*centres, *sizes], *(b.slice(told, 2, i, i + 1) for i in range(4)))


def _background(
    b: Builder, told: Value, boxes: Sequence[Value], truth: GridTruth, rule: RegionRule
) -> Value:
    """What objects are too large by in cells that have none: [N,A,1,H,W]."""
    images, anchors, _, height, width = told.shape
    many = anchors * height * width
    found = [b.reshape(box, (images, many, 1)) for box in boxes]
    groups, each = truth.groups
    known = [
        b.reshape(b.slice(truth.rows, 1, i, i + 1), (groups, 1, each)) for i in range(1, FIELDS)
    ]
    seen = b.reshape(truth.seen, (groups, 1, each))
    alike = _likeness([e.arg(i) for i in range(4)], [e.arg(4 + i) for i in range(4)])
    counts = e.equal(e.arg(8, I32), e.index(0)) & (alike > 0.0)
    likeness = b.map(e.where(counts, alike, 0.0), *found, *known, seen)
    best = b.reshape(b.reduce("max", likeness, (2,)), (images, anchors, 1, height, width))
    there = e.arg(0)
    too_much = rule.scales[1] * there * (1.0 - there) * there
    away = e.arg(1) <= e.const(rule.threshold)
    return b.map(e.where(away, too_much, 0.0), b.slice(told, 2, FIELDS - 1, FIELDS), best)


class _Rows:
    """Rows of truth, and the cell and the anchor that each of them trains.

    Attributes:
        inside: i32[T, 1], whether it trains one. image, column, line, cell, anchor: i32[T, 1].
    """

    def __init__(
        self, b: Builder, told: Value, boxes: Sequence[Value], truth: GridTruth, rule: RegionRule
    ) -> None:
        self.told, self.truth, self.rule = told, truth, rule
        self.count = truth.rows.shape[0]
        images, _, _, height, width = told.shape
        self.box = [b.slice(truth.rows, 1, i, i + 1) for i in range(FIELDS)]
        assigned = b.reshape(truth.assigned, (self.count, 1))
        x, y = e.arg(0) * e.dyn(width, F32), e.arg(1) * e.dyn(height, F32)
        # What is no number is in no cell; neither is what no whole number holds.
        near = (e.absolute(x) < _FAR) & (e.absolute(y) < _FAR)
        column, line = (e.to_int(e.where(near, value, 0.0)) for value in (x, y))
        cell = line * e.dyn(width) + column
        number = e.arg(2, I32)
        inside = near & (number >= 0) & (number < e.dyn(images))
        inside = inside & (cell >= 0) & (cell < e.dyn(height * width))
        self.image, self.column, self.line, self.cell, inside_ = b.maps(
            [e.where(inside, part, 0) for part in (number, column, line, cell)]
            + [e.where(inside, 1, 0)],
            self.box[1],
            self.box[2],
            assigned,
        )
        likeness = self._likeness_of_anchors(b, boxes)
        self.anchor = b.emit(ArgExtreme("max", 1, "first"), likeness)
        best = b.reduce("max", likeness, (1,))
        self.inside = b.map(e.where(e.arg(1) > 0.0, e.arg(0, I32), 0), inside_, best)

    def _likeness_of_anchors(self, b: Builder, boxes: Sequence[Value]) -> Value:
        """[T, A]: of boxes at one place."""
        images, anchors, _, height, width = self.told.shape
        sizes = [self.rule.side(e.index(1), i) for i in (0, 1)]
        sizes = [sizes[0] / e.dyn(width, F32), sizes[1] / e.dyn(height, F32)]
        values = self.box[3:]
        if not self.rule.by_anchor:
            predicted = b.transpose(b.concat(boxes[2:], 2), (0, 3, 4, 2, 1))
            table = b.reshape(predicted, (images * height * width, 2 * anchors))
            place = b.map(
                e.arg(0, I32) * e.dyn(height * width) + e.arg(1, I32), self.image, self.cell
            )
            mine = b.emit(Gather(), table, b.reshape(place, (self.count,)))
            values = [*values, *(b.slice(mine, 1, i * anchors, (i + 1) * anchors) for i in (0, 1))]
            sizes = [e.arg(2), e.arg(3)]
        zero = e.const(0.0)
        alike = _likeness([zero, zero, *sizes], [zero, zero, e.arg(0), e.arg(1)])
        shape = (self.count, anchors)
        return b.map(e.where(alike > 0.0, alike, 0.0), *values, shape=shape)

    def place_in_batch(self, b: Builder) -> Value:
        """i32[T]: of the cell and anchor among those of all images; -1: none."""
        _, anchors, _, height, width = self.told.shape
        image, anchor, cell = (e.arg(i, I32) for i in range(3))
        place = (image * anchors + anchor) * e.dyn(height * width) + cell
        place = e.where(e.equal(e.arg(3, I32), 1), place, -1)
        made = b.map(place, self.image, self.anchor, self.cell, self.inside)
        return b.reshape(made, (self.count,))

    def last(self, b: Builder) -> Value:
        """[groups, cells and anchors of their images]: 1 + the last row that trains one, or 0."""
        images, anchors, _, height, width = self.told.shape
        groups, each = self.truth.groups
        own = anchors * height * width  # of an image
        place = b.reshape(self.place_in_batch(b), (groups, each))
        if self.truth.by_image:
            first = e.index(0) * e.dyn(own)
            place = b.map(e.where(e.arg(0, I32) >= 0, e.arg(0, I32) - first, -1), place)
        numbers = b.map(
            e.to_float(e.index(0) * e.dyn(each) + e.index(1)) + 1.0, shape=(groups, each)
        )
        count = own if self.truth.by_image else images * own
        return b.emit(ScatterLast(count), numbers, place, b.fill(e.dyn(each), (groups,)))

    def deltas(self, b: Builder, cells: Value) -> Value:
        """Of each row, [T, 5+C], given what is told in its cell."""
        _, _, fields, height, width = self.told.shape
        rule = self.rule
        objects, _, classes, coordinates = rule.scales
        raw = [e.arg(i) for i in range(FIELDS)]
        truth = [e.arg(FIELDS + i) for i in range(4)]
        place = [e.arg(9, I32), e.arg(10, I32)]
        cell, anchor = e.arg(11, I32), e.arg(12, I32)
        extents = [e.dyn(width, F32), e.dyn(height, F32)]
        in_memory = [cell % e.dyn(width), cell // e.dyn(width)]
        centres = [e.sigmoid(raw[i]) for i in (0, 1)]
        box = [(e.to_float(in_memory[i]) + centres[i]) / extents[i] for i in (0, 1)]
        box += [e.exp(raw[2 + i]) * rule.side(anchor, i) / extents[i] for i in (0, 1)]
        scale: Expr = e.const(coordinates)
        if not rule.rescore and not rule.bounded:
            scale = coordinates * (2.0 - truth[2] * truth[3])
        away = [truth[i] * extents[i] - e.to_float(place[i]) - centres[i] for i in (0, 1)]
        away += [
            e.log(truth[2 + i] * extents[i] / rule.side(anchor, i)) - raw[2 + i] for i in (0, 1)
        ]
        if rule.bounded:
            away = [e.minimum(e.maximum(a, -1.0), 1.0) for a in away]
        slopes = [centre * (1.0 - centre) for centre in centres]
        away[:2] = [a * slope for a, slope in zip(away[:2], slopes, strict=True)]
        there = raw[4]
        if rule.bounded:
            lacks = 1.0 - there
            lacks = 2.0 * lacks * lacks * lacks
        else:
            lacks = (_likeness(box, truth) if rule.rescore else e.const(1.0)) - there
        made = [-(scale * a) for a in away] + [-(objects * lacks * there * (1.0 - there))]
        values = [b.slice(cells, 1, i, i + 1) for i in range(FIELDS)]
        values += [*self.box[1:], self.column, self.line, self.cell, self.anchor]
        numbers = b.maps(made, *values)
        label = e.to_int(e.where(e.absolute(e.arg(1)) < _FAR, e.arg(1), -1.0))
        wanted = e.where(e.equal(e.index(1), label), 1.0, 0.0)
        scores = b.map(
            classes * (e.arg(0) - wanted), b.slice(cells, 1, FIELDS, fields), self.box[0]
        )
        return b.concat([*numbers, scores], 1)
