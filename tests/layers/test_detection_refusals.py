"""What layers that detect objects refuse: the message, and the field it points at."""

from __future__ import annotations

import pytest

from tests.support.refusals import check_refusal

Inputs = dict[str, tuple[int, ...]]

MAPS: Inputs = {"x": (2, 3, 4, 5), "data": (2, 3, 60, 90)}
DETECTED: Inputs = {"loc": (2, 28), "conf": (2, 21), "prior": (1, 2, 28)}
PROPOSED: Inputs = {"cls": (1, 2, 4, 5), "box": (1, 4, 4, 5), "info": (1, 3)}
YOLO: Inputs = {"x": (1, 14, 3, 3)}
_ANCHORS = "num_classes: 2 num_box: 2 biases: 1 biases: 2 biases: 3 biases: 4 "
_YOLO = "yolo_detection_output_param { " + _ANCHORS
_YOLOV3 = "yolov3_detection_output_param { mask_group_num: 1 " + _ANCHORS
_CLASSES = "detection_output_param { num_classes: 3 "

# layer type, its parameters, inputs, the message (part), the text at the place it points to
CASES: list[tuple[str, str, Inputs, str, str]] = [
    ("PriorBox", "", MAPS, "prior_box_param has no `min_size`", "layer"),
    (
        "PriorBox",
        "prior_box_param { min_size: 4 min_size: 0 }",
        MAPS,
        "min_size is 0",
        "min_size: 0",
    ),
    (
        "PriorBox",
        "prior_box_param { min_size: 4 min_size: 5 max_size: 9 }",
        MAPS,
        "2 min_size and 1 max_size values",
        "max_size: 9",
    ),
    (
        "PriorBox",
        "prior_box_param { min_size: 4 max_size: 4 }",
        MAPS,
        "max_size 4 is not more than min_size 4, or no size",
        "max_size: 4",
    ),
    (
        "PriorBox",
        "prior_box_param { min_size: 4 aspect_ratio: -2 }",
        MAPS,
        "aspect_ratio is -2",
        "aspect_ratio: -2",
    ),
    (
        "PriorBox",
        "prior_box_param { min_size: 4 variance: 0.1 variance: 0.2 }",
        MAPS,
        "2 variance values",
        "variance: 0.1",
    ),
    (
        "PriorBox",
        "prior_box_param { min_size: 4 img_size: 4 img_h: 5 img_w: 5 }",
        MAPS,
        "`img_size` and `img_h` are both given",
        "img_size: 4",
    ),
    (
        "PriorBox",
        "prior_box_param { min_size: 4 img_h: 5 }",
        MAPS,
        "`img_h` is given without `img_w`",
        "img_h: 5",
    ),
    (
        "PriorBox",
        "prior_box_param { box_width: 4 box_width: 5 box_height: 4 }",
        MAPS,
        "2 box_width and 1 box_height values",
        "box_height: 4",
    ),
    (
        "PriorBox",
        "prior_box_param { box_width: 0 box_height: 4 }",
        MAPS,
        "box_width is 0",
        "box_width: 0",
    ),
    (
        "PriorBox",
        "prior_box_param { min_size: 32 min_size: 64 faceboxes: true }",
        MAPS,
        "a position has 20 boxes of these sizes, and room for 2",
        "faceboxes: true",
    ),
    ("PriorBox", "prior_box_param { min_size: 4 step: 0 }", MAPS, "step is 0", "step: 0"),
    (
        "PriorBox",
        "prior_box_param { min_size: 4 }",
        {"x": (2, 3, 0, 5), "data": (2, 3, 4, 4)},
        "'x' has shape [2, 3, 0, 5], which has no position",
        "bottom",
    ),
    ("DetectionOutput", "", DETECTED, "detection_output_param has no `num_classes`", "layer"),
    (
        "DetectionOutput",
        "detection_output_param { num_classes: 4 }",
        DETECTED,
        "'conf' has shape [2, 21]: 21 scores an image; 7 priors and 4 classes need 28",
        'bottom: "conf"',
    ),
    (
        "DetectionOutput",
        _CLASSES + "share_location: false }",
        DETECTED,
        "28 offsets of boxes an image; 7 priors and 3 classes need 84",
        'bottom: "loc"',
    ),
    (
        "DetectionOutput",
        _CLASSES + "}",
        DETECTED | {"conf": (3, 21)},
        "'loc' has 2 images, 'conf' has 3",
        'bottom: "conf"',
    ),
    (
        "DetectionOutput",
        _CLASSES + "}",
        DETECTED | {"prior": (1, 1, 28)},
        "'prior' has shape [1, 1, 28]; (1, 2, 4 * priors) is expected",
        'bottom: "prior"',
    ),
    (
        "DetectionOutput",
        _CLASSES + "nms_param { nms_threshold: -1 } }",
        DETECTED,
        "nms_threshold is -1",
        "nms_param",
    ),
    ("DetectionOutput", _CLASSES + "nms_param { eta: 0 } }", DETECTED, "eta is 0", "nms_param"),
    (
        "Proposal",
        "proposal_param { ratio: 1 scale: 8 scale: 16 }",
        PROPOSED,
        "'cls' has shape [1, 2, 4, 5]; 2 scores for each of 2 anchors are expected: 4 channels",
        'bottom: "cls"',
    ),
    (
        "Proposal",
        "proposal_param { ratio: 1 scale: 8 }",
        PROPOSED | {"box": (1, 4, 4, 6)},
        "one image and one map are expected",
        'bottom: "box"',
    ),
    (
        "Proposal",
        "proposal_param { ratio: 1 scale: 8 }",
        PROPOSED | {"info": (1, 2)},
        "'info' has shape [1, 2]; height, width and scale",
        'bottom: "info"',
    ),
    ("Proposal", "proposal_param { ratio: 1 }", PROPOSED, "has no `scale`", "proposal_param"),
    ("Proposal", "proposal_param { ratio: 0 scale: 1 }", PROPOSED, "ratio is 0", "ratio: 0"),
    (
        "Proposal",
        "proposal_param { ratio: 1 scale: 8 post_nms_topn: 0 }",
        PROPOSED,
        "post_nms_topn is 0",
        "post_nms_topn: 0",
    ),
    (
        "Proposal",
        "proposal_param { scale: 8 max_rois: 5 }",
        PROPOSED,
        "`max_rois` and `scale` are fields of two different layers",
        "max_rois: 5",
    ),
    ("YoloDetectionOutput", "", YOLO, "yolo_detection_output_param has no `num_classes`", "layer"),
    (
        "YoloDetectionOutput",
        "yolo_detection_output_param { num_classes: 2 num_box: 2 biases: 1 }",
        YOLO,
        "1 biases for 2 boxes",
        "biases: 1",
    ),
    ("YoloDetectionOutput", _YOLO + "coords: 5 }", YOLO, "coords is 5", "coords: 5"),
    (
        "YoloDetectionOutput",
        _YOLO + "}",
        {"x": (1, 15, 3, 3)},
        "2 boxes of 7 numbers need 14 channels of a map",
        "bottom",
    ),
    (
        "Yolov3DetectionOutput",
        _YOLOV3 + "anchors_scale: 8 mask: 0 mask: 2 }",
        YOLO,
        "mask 2 is not among the 2 anchors of biases",
        "mask: 2",
    ),
    (
        "Yolov3DetectionOutput",
        _YOLOV3 + "anchors_scale: 8 mask: 0 }",
        YOLO,
        "1 mask values for 1 map(s) of 2 boxes",
        "mask: 0",
    ),
    (
        "Yolov3DetectionOutput",
        _YOLOV3 + "mask: 0 mask: 1 }",
        YOLO,
        "0 anchors_scale values for 1 map(s)",
        "yolov3",
    ),
    (
        "Yolov3DetectionOutput",
        "yolov3_detection_output_param { num_classes: 2 }",
        YOLO,
        "1 bottom(s), mask_group_num is 2",
        "yolov3",
    ),
]


@pytest.mark.parametrize(
    ("kind", "body", "inputs", "message", "place"),
    CASES,
    ids=[f"{c[0]}-{i}" for i, c in enumerate(CASES)],
)
def test_refusal(kind: str, body: str, inputs: Inputs, message: str, place: str) -> None:
    check_refusal(kind, body, inputs, message, place)
