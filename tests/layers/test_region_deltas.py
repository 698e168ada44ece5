"""What RegionLoss wants of cells, against a loop over boxes as darknet has it."""

from __future__ import annotations

import numpy as np
import pytest

from frontends.lowering.grid_truth import GridTruth
from frontends.lowering.region_deltas import RegionRule, region_deltas
from ir.build import Builder
from ir.graph import Role
from ir.interpret import run_graph
from ir.ops.centred_boxes import iou
from ir.ops.grid_cells import cell_of
from ir.types import I32, TensorType

IMAGES, ANCHORS, CLASSES, HEIGHT, WIDTH = 2, 2, 3, 4, 5
SHAPE = (IMAGES, ANCHORS, 5 + CLASSES, HEIGHT, WIDTH)
RULE = RegionRule((0.7, 0.9, 2.4, 2.6), 0.2, (5.0, 1.0, 1.5, 0.5), True, True, False)
RULES = {
    "plain": RULE,
    "by_prediction": RegionRule(
        (0.7, 0.9, 2.4, 2.6), 0.1, (1.0, 0.5, 1.0, 2.0), False, False, False
    ),
    "bounded": RegionRule((0.7, 0.9, 2.4, 2.6), 0.3, (5.0, 1.0, 1.5, 0.5), True, True, True),
    "small_boxes": RegionRule((2.4, 2.6, 0.7, 0.9), 0.2, (5.0, 1.0, 1.5, 0.5), True, False, False),
}


def sigmoid(x: np.ndarray) -> np.ndarray:
    made: np.ndarray = 1 / (1 + np.exp(-x))
    return made


class Darknet:
    """Trains cells row by row."""

    def __init__(self, rule: RegionRule, told: np.ndarray) -> None:
        self.rule, self.told = rule, told
        self.anchors = np.array(rule.anchors).reshape(-1, 2)
        sizes = self.anchors.reshape(-1, 2, 1, 1)
        self.boxes = np.stack(
            [
                (np.arange(WIDTH) + sigmoid(told[:, :, 0])) / WIDTH,
                (np.arange(HEIGHT)[:, np.newaxis] + sigmoid(told[:, :, 1])) / HEIGHT,
                np.exp(told[:, :, 2]) * sizes[:, 0] / WIDTH,
                np.exp(told[:, :, 3]) * sizes[:, 1] / HEIGHT,
            ]
        )

    def deltas(self, truth: np.ndarray, seen: np.ndarray, assigned: np.ndarray) -> np.ndarray:
        told = self.told
        made, best = np.zeros_like(told), np.zeros((IMAGES, ANCHORS, HEIGHT, WIDTH))
        for row, image in zip(truth, seen, strict=True):
            if 0 <= image < IMAGES:
                alike = iou(self.boxes[:, image], row[1:].reshape(4, 1, 1, 1))
                np.fmax(best[image], alike, out=best[image])
        there = told[:, :, 4]
        background = self.rule.scales[1] * there * (1 - there) * there
        made[:, :, 4] = np.where(best > self.rule.threshold, 0, background)
        for row, image in zip(truth, assigned, strict=True):
            if 0 <= image < IMAGES:
                self.train(int(image), row, made[image])
        return made

    def train(self, image: int, row: np.ndarray, made: np.ndarray) -> None:
        where = cell_of(row[1:], HEIGHT, WIDTH)
        if where is None:
            return
        column, line, y, x = where
        rule, grid = self.rule, np.array([WIDTH, HEIGHT])
        sizes = self.anchors / grid if rule.by_anchor else self.boxes[2:, image, :, y, x].T
        at_zero = np.concatenate([np.zeros_like(sizes), sizes], axis=1).T
        alike = iou(at_zero, np.array([0, 0, row[3], row[4]])[:, np.newaxis])
        if not np.nanmax(alike, initial=0) > 0:
            return
        anchor = int(np.nanargmax(alike))
        cell, delta = self.told[image, anchor, :, y, x], made[anchor, :, y, x]
        objects, _, classes, scale = rule.scales
        overlap = iou(self.boxes[:, image, anchor, y, x], row[1:])
        if not rule.rescore and not rule.bounded:
            scale *= 2 - row[3] * row[4]
        centre = sigmoid(cell[:2])
        away = np.array(
            [
                *(row[1:3] * grid - [column, line] - centre),
                *(np.log(row[3:] * grid / self.anchors[anchor]) - cell[2:4]),
            ]
        )
        if rule.bounded:
            away = np.clip(away, -1, 1)
        away[:2] *= centre * (1 - centre)
        delta[:4] = -scale * away
        there = cell[4]
        lacks = (overlap if rule.rescore else 1) - there
        if rule.bounded:
            lacks = 2 * (1 - there) ** 3
        delta[4] = -objects * lacks * there * (1 - there)
        delta[5:] = classes * (cell[5:] - (np.arange(CLASSES) == row[0]))


def computed(
    rule: RegionRule,
    told: np.ndarray,
    truth: np.ndarray,
    seen: np.ndarray,
    assigned: np.ndarray,
    by_image: bool,
) -> np.ndarray:
    b = Builder()
    inputs = [b.input("told", TensorType(told.shape), Role.DATA)]
    inputs.append(b.input("truth", TensorType(truth.shape), Role.DATA))
    for name in ("seen", "assigned"):
        inputs.append(b.input(name, TensorType((len(truth),), I32), Role.DATA))
    groups = (IMAGES, len(truth) // IMAGES) if by_image else (1, len(truth))
    rows = GridTruth(*inputs[1:], groups, by_image=by_image)
    b.output("deltas", region_deltas(b, inputs[0], rows, rule))
    (made,) = run_graph(b.finish(), [told, truth, seen, assigned])
    return made


@pytest.mark.parametrize("by_image", [False, True])
@pytest.mark.parametrize("name", RULES)
def test_boxes_train_cells(name: str, by_image: bool) -> None:
    rng = np.random.default_rng(7)
    told = rng.standard_normal(SHAPE)
    told[:, :, 4:] = rng.uniform(0.1, 0.9, told[:, :, 4:].shape)
    rows = 24
    truth = np.column_stack([rng.integers(0, CLASSES + 1, rows), rng.uniform(-0.1, 1.1, (rows, 4))])
    truth[3, 1:3] = truth[2, 1:3]  # in one cell
    truth[4] = truth[2]
    truth[4, 0] = 1
    truth[5:7, 3:] = 0.0, -0.3  # of no area
    image = np.repeat(np.arange(IMAGES), rows // IMAGES)
    seen, assigned = (np.where(rng.random(rows) < 0.2, -1, image) for _ in range(2))
    assigned[:5] = 0
    if not by_image:
        order = rng.permutation(rows)
        truth, seen, assigned = truth[order], seen[order], assigned[order]
        assigned[-1], seen[-1] = 7, 7
    expected = Darknet(RULES[name], told).deltas(truth, seen, assigned)
    assert (np.abs(expected).sum((2, 3, 4)) > 0).all()
    found = computed(
        RULES[name], told, truth, seen.astype(np.int32), assigned.astype(np.int32), by_image
    )
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)


def test_what_is_no_number_trains_nothing() -> None:
    told = np.full(SHAPE, 0.5)
    truth = np.array([[0, np.nan, 0.5, 0.2, 0.2], [np.nan, 0.5, 0.5, 0.2, 0.2], [1, 1e30, 0, 1, 1]])
    image = np.array([0, 1, 1], np.int32)
    found = computed(RULE, told, truth, image, image, False)
    assert np.isfinite(found).all()
    assert (found[0, :, :4] == 0).all()
    assert (found[1, :, 5:] >= 0).all() and (found[1, :, 5:] > 0).any()  # a class of none
