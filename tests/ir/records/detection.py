"""Detections told right or wrong; what YOLO's losses want of cells."""

from dataclasses import replace

import numpy as np

from ir.op import Op
from ir.ops.cell_evaluation import EvaluateCells
from ir.ops.detectnet import DetectNet
from ir.ops.evaluation import EvaluateDetections
from ir.ops.grid_deltas import GridDeltas
from ir.ops.yolo_deltas import YoloDeltas
from ir.types import I32
from tests.support.op_cases import ErrorCase, Input, OpCase, f32, i32


def _boxes(rng: np.random.Generator, count: int) -> np.ndarray:
    """Whole numbers of eighths: many are equal, some have no area."""
    corner = rng.integers(-1, 6, (count, 2))
    return np.concatenate([corner, corner + rng.integers(0, 5, (count, 2))], axis=1) / 8.0


def found(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Rows of three images and three labels; the last is of none."""
    count = shape[0]
    rows = np.zeros(shape)
    rows[:, 0], rows[:, 1] = rng.integers(0, 3, count), rng.integers(1, 4, count)
    rows[:, 2] = rng.integers(0, 9, count) / 8.0
    rows[:, 3:] = _boxes(rng, count)
    rows[-1, :] = -1
    return rows


def truth(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Two of the images have boxes, of two of the labels."""
    count = shape[0]
    rows = np.zeros(shape)
    rows[:, 0], rows[:, 1] = rng.integers(0, 2, count), rng.integers(1, 3, count)
    rows[:, 3:7] = _boxes(rng, count)
    rows[:, 7] = rng.integers(0, 2, count)
    return rows


def evaluated(label: str, op: EvaluateDetections, *, sized: bool = False) -> OpCase:
    more: tuple[Input, ...] = ()
    if sized:
        sizes = Input((2, 2), lambda rng, shape: np.array([[40, 60], [33, 20]]), I32)
        more = (sizes, Input((1,), lambda rng, shape: np.array([1]), I32))
    return OpCase(label, op, (Input((23, 7), found), Input((9, 8), truth), *more))


def cells(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.uniform(0.1, 0.9, shape)


def boxes(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """(class, x, y, width, height): the first two in the same cell."""
    rows = np.concatenate(
        [rng.integers(0, 3, (shape[0], 1)), rng.uniform(0.05, 0.9, (shape[0], 4))], axis=1
    )
    rows[1, 1:3] = rows[0, 1:3]
    rows[1, 3:] = rows[0, 3:] * 1.02
    return rows


def grid(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Seven numbers of 4x4 cells; some boxes are in other cells than their own."""
    rows = np.zeros((shape[0], 7, 16))
    rows[:, 1] = rng.random((shape[0], 16)) < 0.3
    rows[:, 2] = rng.integers(0, 4, (shape[0], 16))
    rows[:, 3:] = rng.uniform(0.05, 1.05, (shape[0], 4, 16))
    return rows.reshape(shape)


def trained(label: str, op: Op, anchors: int) -> OpCase:
    image = Input((6,), lambda rng, shape: np.array([0, 0, 1, -1, 1, 7]), I32)
    told = Input((2, anchors, 8, 4, 5), cells)
    return OpCase(label, op, (told, Input((6, 5), boxes), image, image))


def labelled(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Labels of pictures 8 high and 12 wide, with none to all of the boxes that they have room
    for; two of three classes count."""
    images, rows, _ = shape
    labels = np.zeros(shape)
    labels[:, :, :2] = rng.integers(-2, 7, (images, rows, 2))
    labels[:, :, 2:4] = rng.integers(1, 9, (images, rows, 2))
    labels[:, :, 5] = rng.integers(1, 4, (images, rows))
    labels[:, 0, 0], labels[:, 0, 1] = np.arange(images) % rows, 16
    return labels


def scenes(label: str, op: DetectNet, *more: Input) -> OpCase:
    pictures = Input((4, 3, 8, 12), lambda rng, shape: rng.uniform(0, 255, shape))
    return OpCase(label, op, (pictures, Input((4, 4, 16), labelled), *more))


DRAWN = Input((4, 12), lambda rng, shape: rng.uniform(0, 1, shape))
SCENES = DetectNet((16, 24), 4, 0.5, "GRIDBOX_MIN", 6, True, True, (1, 3), (1, 0))
YOLO = YoloDeltas(
    anchors=(10.0, 14.0, 23.0, 27.0, 80.0, 70.0),
    mask=(2, 1),
    classes=3,
    pixels=16.0,
    threshold=0.3,
    near=0.4,
    kind="MSE",
    scales=(1.0, 1.0, 5.0, 0.25),
    most=0.5,
)
GRID = GridDeltas(
    anchors=(0.7, 0.9, 2.4, 2.6, 1.5, 3.0),
    mask=(2, 1),
    classes=3,
    pixels=1.0,
    near=0.3,
    scales=(5.0, 1.0, 1.5, 0.5),
)
EVALUATION = EvaluateDetections(4, 0, 0.5)
IN_CELLS = EvaluateCells((1.0, 2.0, 1.5, 0.75), 0.3, 0.6)

CASES = [
    scenes("scenes", SCENES),
    scenes(
        "scenes_less_a_mean",
        replace(SCENES, gridbox="GRIDBOX_MAX", normalized=False, cropped=False, mean=(9.0,)),
    ),
    scenes("scenes_less_a_picture", SCENES, Input((3, 5, 7))),
    scenes(
        "scenes_at_random",
        replace(
            SCENES,
            augmentation=(0.5, 4.0, 2.0, 0.5, 0.75, 1.5, 0.5, 0.5, 9.0, 0.5, 30.0, 0.5, 0.5),
            mean=(7.0, 8.0, 9.0),
        ),
        DRAWN,
    ),
    evaluated("shares", EVALUATION),
    evaluated("without_difficult", replace(EVALUATION, difficult=False, background=-1)),
    evaluated("sizes", EVALUATION, sized=True),
    evaluated("warped", replace(EVALUATION, mode="WARP", resized=(30, 30, 0, 0)), sized=True),
    evaluated(
        "padded",
        replace(EVALUATION, mode="FIT_LARGE_SIZE_AND_PAD", resized=(30, 30, 0, 0)),
        sized=True,
    ),
    evaluated(
        "fitted", replace(EVALUATION, mode="FIT_SMALL_SIZE", resized=(30, 30, 25, 22)), sized=True
    ),
    *(
        OpCase(
            f"in_cells_{score.lower()}",
            replace(IN_CELLS, score=score),
            (Input((2, 3, 3, 2, 8)), Input((9, 8), truth)),
        )
        for score in ("OBJ", "PROB", "MULTIPLY")
    ),
    *(
        OpCase(
            label,
            op,
            (
                Input((2, 2, 8, 4, 4), cells),
                Input((2, 112), grid),
                Input((1,), lambda rng, shape, early=early: np.array([early]), I32),
            ),
        )
        for label, op, early in (
            ("grid_plain", GRID, 0),
            ("grid_early", replace(GRID, rescore=True), 1),
            ("grid_apart", replace(GRID, apart=True, all_background=True, sure=0.2), 0),
            ("grid_image", replace(GRID, image=(5, 6), sure=0.4), 0),
        )
    ),
    *(
        trained(kind.lower(), replace(YOLO, kind=kind, smoothing=0.1), 2)
        for kind in ("MSE", "IOU", "GIOU", "DIOU", "CIOU")
    ),
    trained("focal", replace(YOLO, focal=True, accumulate=False, kind="DIOU", near=1.0), 2),
]

CELLS = f32(2, 2, 8, 4, 5)

SCENE = f32(4, 3, 8, 12)

ERRORS = [
    ErrorCase(SCENES, (f32(4, 1, 8, 12), f32(4, 4, 16)), "are no pictures"),
    ErrorCase(SCENES, (SCENE, f32(4, 4, 15)), "boxes are rows of 16"),
    ErrorCase(SCENES, (SCENE, f32(3, 4, 16)), "with"),
    ErrorCase(replace(SCENES, stride=64), (SCENE, f32(4, 4, 16)), "stride 64"),
    ErrorCase(replace(SCENES, gridbox="MIN"), (SCENE, f32(4, 4, 16)), "unknown 'MIN'"),
    ErrorCase(replace(SCENES, maps=(1,)), (SCENE, f32(4, 4, 16)), "a map for each class"),
    ErrorCase(replace(SCENES, maps=(1, -1)), (SCENE, f32(4, 4, 16)), "a number from 0"),
    ErrorCase(replace(SCENES, mean=(1.0, 2.0)), (SCENE, f32(4, 4, 16)), "2 mean values"),
    ErrorCase(SCENES, (SCENE, f32(4, 4, 16), f32(1, 5, 7)), "is no mean picture"),
    ErrorCase(SCENES, (SCENE, f32(4, 4, 16), f32(3, 5, 7), f32(3, 5, 7)), "4 operands"),
    ErrorCase(replace(SCENES, augmentation=(1.0,)), (SCENE, f32(4, 4, 16)), "1 settings"),
    ErrorCase(
        replace(SCENES, augmentation=(0.0,) * 13), (SCENE, f32(4, 4, 16)), "draws are missing"
    ),
    ErrorCase(
        replace(SCENES, augmentation=(0.0,) * 13),
        (SCENE, f32(4, 4, 16), f32(4, 11)),
        "f32[4,11] for",
    ),
    ErrorCase(EVALUATION, (f32(3, 6), f32(2, 8)), "rows of 7"),
    ErrorCase(EVALUATION, (f32(3, 7), f32(2, 7)), "truth is rows of 8"),
    ErrorCase(replace(EVALUATION, mode="FIT"), (f32(3, 7), f32(2, 8)), "unknown mode"),
    ErrorCase(EVALUATION, (f32(3, 7), f32(2, 8), i32(2, 3), i32(1)), "sizes are rows of 2"),
    ErrorCase(IN_CELLS, (f32(2, 3, 3, 2, 5), f32(2, 8)), "cells are"),
    ErrorCase(IN_CELLS, (f32(2, 3, 3, 2, 8), f32(2, 7)), "truth is rows of 8"),
    ErrorCase(IN_CELLS, (f32(2, 3, 3, 3, 8), f32(2, 8)), "4 biases for 3 boxes"),
    ErrorCase(replace(IN_CELLS, score="SUM"), (f32(2, 3, 3, 2, 8), f32(2, 8)), "unknown score"),
    ErrorCase(YOLO, (f32(2, 3, 8, 4, 5), f32(2, 5), i32(2), i32(2)), "2 anchors and 3 classes"),
    ErrorCase(YOLO, (CELLS, f32(2, 4), i32(2), i32(2)), "truth is rows of 5"),
    ErrorCase(GRID, (f32(2, 2, 8, 4, 4), f32(2, 96), i32(1)), "for"),
    ErrorCase(GRID, (f32(2, 3, 8, 4, 4), f32(2, 112), i32(1)), "2 anchors and 3 classes"),
    ErrorCase(GRID, (f32(2, 2, 8, 4, 4), f32(2, 112), i32(2)), "early is i32[1]"),
    ErrorCase(replace(GRID, mask=(3, 1)), (f32(2, 2, 8, 4, 4), f32(2, 112), i32(1)), "mask (3, 1)"),
    ErrorCase(replace(YOLO, kind="L1"), (CELLS, f32(2, 5), i32(2), i32(2)), "unknown kind"),
    ErrorCase(replace(YOLO, mask=(3, 1)), (CELLS, f32(2, 5), i32(2), i32(2)), "mask (3, 1)"),
]
