"""RegionLoss, Yolov3, YoloV2Loss, YoloV3Loss, EvalDetection and DetectionEvaluate."""

from __future__ import annotations

import numpy as np

from tests.support.detection_data import boxes, truth
from tests.support.layer_cases import LayerCase, net_text


def _centred(rng: np.random.Generator) -> np.ndarray:
    """Labels (2, 40): two boxes in the first image, one in the second."""
    labels = np.zeros((2, 8, 5))
    for image, count in ((0, 2), (1, 1)):
        corners = boxes(rng, count)
        labels[image, :count, 0] = rng.integers(0, 3, count)
        labels[image, :count, 1:3] = (corners[:, :2] + corners[:, 2:]) / 2
        labels[image, :count, 3:] = corners[:, 2:] - corners[:, :2]
    return labels.reshape(2, 40)


def _rows(rng: np.random.Generator) -> np.ndarray:
    return truth(rng, [0, 1, 1, -1, 0], 4)


def _found(rng: np.random.Generator) -> np.ndarray:
    rows = np.zeros((9, 7))
    rows[:, 0], rows[:, 1] = rng.integers(0, 2, 9), rng.integers(1, 4, 9)
    rows[:, 2], rows[:, 3:] = rng.random(9), boxes(rng, 9)
    return rows[np.newaxis, np.newaxis]


ANCHORS = " ".join(f"biases: {a}" for a in (0.7, 0.9, 2.4, 2.6))
PIXELS = " ".join(f"biases: {a}" for a in (10, 14, 37, 58, 81, 82)) + " mask: 1 mask: 2"


def _region(name: str, param: str, *, rows: bool = False) -> LayerCase:
    text = (
        'layer { name: "l" type: "RegionLoss" bottom: "x" bottom: "t" top: "loss" '
        f"region_loss_param {{ num: 2 num_class: 3 side: 4 {ANCHORS} {param} }} }}"
    )
    return LayerCase(
        "RegionLoss",
        f"region_loss_{name}",
        net_text(text, x=(2, 16, 4, 4), t=(1, 1, 5, 8) if rows else (2, 40)),
        inputs={"t": _rows if rows else _centred},
        checks_gradient=False,  # it is what the squares are of
    )


def _yolo(name: str, param: str) -> LayerCase:
    text = (
        'layer { name: "l" type: "Yolov3" bottom: "x" bottom: "t" top: "loss" '
        f"yolov3_param {{ num: 2 num_class: 3 {PIXELS} {param} }} }}"
    )
    return LayerCase(
        "Yolov3",
        f"yolov3_{name}",
        net_text(text, x=(2, 16, 4, 5), t=(2, 40)),
        inputs={"t": _centred},
        checks_gradient=False,
    )


def _cells(rng: np.random.Generator) -> np.ndarray:
    """Labels of 4x4 cells of two images."""
    rows = np.zeros((2, 7 * 16))
    for row in rows:
        for cell in rng.permutation(16)[:3]:
            row[16 + cell], row[32 + cell] = 1, rng.integers(0, 3)
            centre = (np.array([cell % 4, cell // 4]) + rng.uniform(0.1, 0.9, 2)) / 4
            row[48 + 4 * cell : 52 + 4 * cell] = [*centre, *rng.uniform(0.1, 0.9, 2)]
    return rows


def _grid(kind: str, name: str, param: str) -> LayerCase:
    text = (
        f'layer {{ name: "l" type: "{kind}" bottom: "x" bottom: "t" top: "loss" '
        f"{name}_param {{ num_object: 2 num_classes: 3 {param} }} }}"
    )
    return LayerCase(
        kind,
        name,
        net_text(text, x=(2, 16, 4, 4), t=(2, 112)),
        inputs={"t": _cells},
        checks_gradient=False,  # it is what the squares are of
    )


FIXES = {
    "RegionLoss": "reads rows of five numbers, or of eight",
}

CASES = [
    _region("plain", ""),
    _region("by_prediction", "bias_match: 0 rescore: 0 thresh: 0.4"),
    _region("rows", "object_scale: 5", rows=True),
    _grid("YoloV2Loss", "yolo_v2_loss", "anchors: 0.7 anchors: 0.9 anchors: 2.4 anchors: 2.6"),
    _grid(
        "YoloV3Loss",
        "yolo_v3_loss",
        "anchors: 10 anchors: 14 anchors: 24 anchors: 20 anchors: 9 anchors: 30 total_object: 3 "
        "mask: 0 mask: 1 truth_thresh: 0.3",
    ),
    _yolo("plain", ""),
    _yolo("giou", "iou_loss: GIOU use_logic_gradient: true label_smooth_eps: 0"),
    _yolo("focal", "use_focal_loss: true iou_thresh: 0.3 use_logic_gradient: true"),
    LayerCase(
        "EvalDetection",
        "eval_detection",
        net_text(
            'layer { name: "l" type: "EvalDetection" bottom: "x" bottom: "t" top: "y" '
            f"eval_detection_param {{ side: 4 num_class: 3 num_object: 2 nms: 0.4 {ANCHORS} }} }}",
            x=(2, 16, 4, 4),
            t=(1, 1, 5, 8),
        ),
        inputs={"t": _rows},
        checks_gradient=False,
    ),
    LayerCase(
        "DetectionEvaluate",
        "detection_evaluate",
        net_text(
            'layer { name: "l" type: "DetectionEvaluate" bottom: "x" bottom: "t" top: "y" '
            "detection_evaluate_param { num_classes: 4 } }",
            x=(1, 1, 9, 7),
            t=(1, 1, 5, 8),
        ),
        inputs={"x": _found, "t": _rows},
        checks_gradient=False,
    ),
]
