"""Ops of detection nets that run on the host. Whole numbers of quarters, so that no comparison is
within rounding of turning out otherwise."""

from __future__ import annotations

import numpy as np

from ir.graph import Role
from ir.ops.cell_evaluation import EvaluateCells
from ir.ops.detectnet import DetectNet
from ir.ops.evaluation import EvaluateDetections
from ir.ops.grid_deltas import GridDeltas
from ir.ops.yolo_deltas import YoloDeltas
from ir.types import F32, I32

from .arrays import QUARTERS, Content, integers
from .growth import Growth, draws


@draws(EvaluateDetections)
def draw_evaluation(g: Growth) -> None:
    found = g.input((g.number(1, 5), 7), F32, QUARTERS, Role.DATA)
    truth = g.input((g.number(1, 4), 8), F32, QUARTERS, Role.DATA)
    g.emit(EvaluateDetections(3, -1, 0.31, difficult=g.choice(True, False)), found, truth)


@draws(EvaluateCells)
def draw_cell_evaluation(g: Growth) -> None:
    """Boxes in no image, and none suppressed or told of: what is compared has exponentials."""
    told = g.input((g.number(1, 2), 2, 2, 1, g.number(6, 8)), F32, QUARTERS, Role.DATA)
    truth = g.input((g.number(1, 4), 8), F32, QUARTERS, Role.DATA)
    g.emit(EvaluateCells((1.0, 2.0), 0.31, -1.0), told, truth)


@draws(GridDeltas)
def draw_grid_deltas(g: Growth) -> None:
    """Boxes beyond the image, and near nothing: what is compared is rounded by exponentials."""
    images, side = g.number(1, 2), g.number(1, 3)
    told = g.input((images, 2, 7, side, side), F32, QUARTERS, Role.DATA)
    labels = g.input((images, 7 * side * side), F32, integers(1, 2), Role.DATA)
    early = g.input((1,), I32, integers(0, 2), Role.DATA)
    op = GridDeltas((0.7, 0.9, 2.0, 3.0), (0, 1), 2, 1.0, 2.0, (1.0, 0.5, 1.0, 2.0))
    g.emit(op, told, labels, early)


@draws(YoloDeltas)
def draw_yolo_deltas(g: Growth) -> None:
    """Boxes in no image: what is compared is rounded by exponentials."""
    told = g.input((g.number(1, 2), 1, 7, 2, g.number(1, 3)), F32, QUARTERS, Role.DATA)
    truth = g.input((2, 5), F32, QUARTERS, Role.DATA)
    image = g.input((2,), I32, integers(-1, 0), Role.DATA)
    kind = g.choice("MSE", "GIOU")
    op = YoloDeltas(
        (9.0, 7.0), (0,), 2, 8.0, 0.37, 0.5, kind, scales=(1.0, 1.0, 2.0, 0.5), most=10.0
    )
    g.emit(op, told, truth, image, image)


@draws(DetectNet)
def draw_scenes(g: Growth) -> None:
    """Boxes in whole pixels of a size that stays."""
    images = g.number(1, 2)
    boxes = g.number(0, 3)

    def labels(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        made = rng.integers(0, 9, shape).astype(np.float32)
        made[:, 0, :2] = [boxes, 16]
        return made

    pictures = g.input((images, 3, 8, 8), F32, QUARTERS, Role.DATA)
    label = g.input((images, boxes + 1, 16), F32, Content(labels), Role.DATA)
    op = DetectNet((8, 8), 2, 0.5, "GRIDBOX_MIN", 4, True, True, (1, 2, 3), (0, 1, 0))
    g.emit(op, pictures, label)
