"""Layers of forks: SmoothL1Loss, CenterLoss, PriorBox."""

from __future__ import annotations

import numpy as np

from tests.support.layer_cases import LayerCase, net_text


def _smooth(name: str, bottoms: str, param: str = "", **inputs: tuple[int, ...]) -> LayerCase:
    text = f'layer {{ name: "l" type: "SmoothL1Loss" {bottoms} top: "loss" {param} }}'
    return LayerCase("SmoothL1Loss", name, net_text(text, a=(3, 8, 1, 5), b=(3, 8, 1, 5), **inputs))


_WEIGHT = (3, 8, 1, 5)


def _priors(name: str, param: str) -> LayerCase:
    text = f'layer {{ name: "l" type: "PriorBox" bottom: "x" bottom: "data" top: "y" {param} }}'
    return LayerCase(
        "PriorBox",
        name,
        net_text(text, x=(2, 3, 4, 5), data=(2, 3, 61, 87)),
        checks_gradient=False,  # only shapes are read
    )


def _centers(name: str, body: str, parameters: str = "") -> LayerCase:
    layer = (
        'layer { name: "l" type: "CenterLoss" bottom: "x" bottom: "t" top: "loss" '
        f"center_loss_param {{ num_output: 4 {parameters} }} {body} }}"
    )
    return LayerCase(
        "CenterLoss",
        name,
        net_text(layer, x=(5, 3), t=(5,)),
        inputs={"t": lambda rng: np.array([0.0, 2, 2, 3, 2])},
        checks_gradient=False,  # centers move by a rule of their own
    )


def _scene_boxes(rng: np.random.Generator) -> np.ndarray:
    """Two pictures of 24 x 40 pixels with two boxes and one."""
    labels = np.zeros((2, 1, 3, 16))
    labels[:, 0, 0, :2] = [[2, 16], [1, 16]]
    labels[:, 0, 1:, :2] = rng.integers(0, 9, (2, 2, 2))
    labels[:, 0, 1:, 2:4] = rng.integers(8, 16, (2, 2, 2))
    labels[:, 0, 1:, 5] = 1
    return labels


def _scene(name: str, truth: str, more: str = "", phase: str = "TEST") -> LayerCase:
    text = (
        'layer { name: "l" type: "DetectNetTransformation" bottom: "x" bottom: "t" '
        'top: "y" top: "maps" detectnet_groundtruth_param { image_size_x: 40 image_size_y: 24 '
        f"stride: 8 {truth} }} {more} }}"
    )
    return LayerCase(
        "DetectNetTransformation",
        name,
        net_text(text, x=(2, 3, 24, 40), t=(2, 1, 3, 16)),
        phase=phase,
        inputs={"t": _scene_boxes},
        checks_gradient=False,  # nothing flows back
    )


CASES = [
    _scene("detectnet", "gridbox_type: GRIDBOX_MIN min_cvg_len: 6 obj_norm: true"),
    _scene(
        "detectnet_train",
        "object_class { src: 1 dst: 1 } crop_bboxes: false",
        "detectnet_augmentation_param { shift_x: 4 } transform_param { mean_value: 100 }",
        "TRAIN",
    ),
    _priors(
        "prior_box",
        "prior_box_param { min_size: 20.9 min_size: 30 max_size: 35.5 max_size: 41 "
        "aspect_ratio: 2 aspect_ratio: 3 variance: 0.1 variance: 0.1 variance: 0.2 variance: 0.3 }",
    ),
    _priors(
        "prior_box_clip",
        "prior_box_param { min_size: 9 aspect_ratio: 1 aspect_ratio: 3 flip: false clip: true "
        "img_h: 50 img_w: 70 step: 13 offset: 0.25 }",
    ),
    _priors(
        "prior_box_tensorflow",
        "prior_box_param { min_size: 60 min_size: 70 max_size: 80 max_size: 90 aspect_ratio: 2 "
        "tf: true yx_order: true }",
    ),
    _priors(
        "prior_box_keras",
        "prior_box_param { min_size: 9 max_size: 20 aspect_ratio: 2 aspect_ratio: 3 keras: true }",
    ),
    _priors(
        "prior_box_dense",
        "prior_box_param { min_size: 32 min_size: 64 min_size: 128 faceboxes: true }",
    ),
    _priors(
        "prior_box_given",
        "prior_box_param { box_width: 9.5 box_height: 20 box_width: 3 box_height: 2.5 }",
    ),
    _smooth("smooth_l1", 'bottom: "a" bottom: "b"'),
    _smooth(
        "smooth_l1_two_weights",
        'bottom: "a" bottom: "b" bottom: "w" bottom: "v"',
        "loss_weight: 1 smooth_l1_loss_param { sigma: 1.5 }",
        w=_WEIGHT,
        v=_WEIGHT,
    ),
    _centers("center_loss", "loss_weight: 0.5"),
    _centers("center_loss_weightless", ""),
    _centers("center_loss_l1", "loss_weight: 2", 'distance_type: "L1"'),
]


def _boxes(rng: np.random.Generator, count: int) -> np.ndarray:
    corner = rng.uniform(0, 0.6, (count, 2))
    return np.hstack([corner, corner + rng.uniform(0.1, 0.4, corner.shape)])


def _prior(rng: np.random.Generator) -> np.ndarray:
    return np.stack([_boxes(rng, 9).ravel(), np.tile([0.1, 0.1, 0.2, 0.2], 9)])[np.newaxis]


def _detected(name: str, param: str, boxed: int = 1, least: float = 0.0) -> LayerCase:
    text = (
        'layer { name: "l" type: "DetectionOutput" bottom: "loc" bottom: "conf" bottom: "prior" '
        f'top: "y" detection_output_param {{ num_classes: 4 {param} }} }}'
    )
    shape = (2, 36)
    return LayerCase(
        "DetectionOutput",
        name,
        net_text(text, loc=(2, 36 * boxed), conf=shape, prior=(1, 2, 36)),
        inputs={"prior": _prior, "conf": lambda rng: rng.uniform(least, 1.0, shape)},
        checks_gradient=False,  # none flows
    )


CASES += [
    _detected("detection_output", "code_type: CENTER_SIZE nms_param { top_k: 6 } keep_top_k: 7"),
    _detected("detection_output_all", "code_type: CORNER_SIZE"),
    _detected("detection_output_none", "confidence_threshold: 1.5"),
    _detected(
        "detection_output_by_class",
        "share_location: false background_label_id: -1 confidence_threshold: 0.4 "
        "variance_encoded_in_target: true nms_param { nms_threshold: 0.7 eta: 0.8 }",
        boxed=4,
    ),
]


def _proposed(name: str, param: str, tops: str, images: int = 1, anchors: int = 9) -> LayerCase:
    text = (
        'layer { name: "l" type: "Proposal" bottom: "cls" bottom: "box" bottom: "info" '
        f"{tops} proposal_param {{ {param} }} }}"
    )
    scores, moves = (images, 2 * anchors, 4, 5), (images, 4 * anchors, 4, 5)
    return LayerCase(
        "Proposal",
        name,
        net_text(text, cls=scores, box=moves, info=(images, 3)),
        inputs={
            "cls": lambda rng: rng.permutation(np.arange(np.prod(scores))).reshape(scores) / 1e3,
            "box": lambda rng: 0.2 * rng.standard_normal(moves),
            "info": lambda rng: np.tile([64.0, 80.0, 1.5], (images, 1)),
        },
        checks_gradient=False,  # none flows
    )


CASES += [
    _proposed(
        "proposal",
        "ratio: 0.5 ratio: 1 ratio: 2 scale: 2 scale: 3 scale: 4 pre_nms_topn: 90 post_nms_topn: 7",
        'top: "y" top: "s"',
    ),
    _proposed(
        "proposal_two_images",
        "ratio: 1 scale: 2 base_size: 8 feat_stride: 8 min_size: 9 nms_thresh: 0.5",
        'top: "y"',
        images=2,
        anchors=1,
    ),
    _proposed(
        "proposal_synopsys",
        "anchor_scale: 1 anchor_ratio: 3 max_rois: 11 rpn_min_size: 20 rpn_nms_thresh: 0.6",
        'top: "y" top: "s"',
        anchors=3,
    ),
]


def _yolo(kind: str, name: str, param: str, **maps: tuple[int, ...]) -> LayerCase:
    field = {"YoloDetectionOutput": "yolo", "Yolov3DetectionOutput": "yolov3"}[kind]
    bottoms = " ".join(f'bottom: "{m}"' for m in maps)
    text = (
        f'layer {{ name: "l" type: "{kind}" {bottoms} top: "y" '
        f"{field}_detection_output_param {{ {param} }} }}"
    )
    return LayerCase(kind, name, net_text(text, **maps), checks_gradient=False)


_ANCHORS = "biases: 10 biases: 14 biases: 23 biases: 27 biases: 37 biases: 58 biases: 81 biases: 82"

CASES += [
    _yolo(
        "YoloDetectionOutput",
        "yolo_detection_output",
        "num_classes: 3 num_box: 2 biases: 0.7 biases: 0.9 biases: 2.4 biases: 2.6 "
        "confidence_threshold: 0.2",
        x=(2, 16, 3, 3),
        z=(2, 16, 2, 2),
    ),
    _yolo(
        "Yolov3DetectionOutput",
        "yolov3_detection_output",
        f"num_classes: 2 num_box: 2 {_ANCHORS} mask: 2 mask: 3 mask: 0 mask: 1 anchors_scale: 32 "
        "anchors_scale: 16 confidence_threshold: 0.3",
        x=(1, 14, 2, 3),
        z=(1, 14, 4, 6),
    ),
    _yolo(
        "Yolov3DetectionOutput",
        "yolov3_detection_output_gaussian",
        f"num_classes: 1 num_box: 2 {_ANCHORS} mask: 1 mask: 2 anchors_scale: 16 mask_group_num: 1 "
        "gaussian_box: true confidence_threshold: 0.1 nms_threshold: 0.6",
        x=(2, 20, 3, 3),
    ),
]
