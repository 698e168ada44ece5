"""What layers of forks about images refuse: see :mod:`tests.layers.test_layer_errors`."""

from __future__ import annotations

import pytest

from tests.support.refusals import check_refusal

IMAGE = {"x": (2, 3, 8, 8)}

CASES = [
    (
        "BN",
        "bn_param { scale_filler { } momentum: 0.9 }",
        IMAGE,
        "`scale_filler` is a field of SegNet's BN layer, `momentum` of PSPNet's",
        "scale_filler",
    ),
    ("BN", "bn_param { var_eps: 1 }", IMAGE, "BN of an older happynear", "var_eps: 1"),
    ("BN", "", {"x": (4,)}, "BN takes 2 to 4 axes", 'bottom: "x"'),
    ("BN", "bn_param { momentum: 1.5 }", IMAGE, "momentum is 1.5", "momentum: 1.5"),
    ("Reorg", "", IMAGE, "stride is missing", "layer"),
    ("Reorg", "reorg_param { stride: 2 }", IMAGE, "3 channels do not divide", "stride: 2"),
    (
        "Reorg",
        "reorg_param { stride: 2 }",
        {"x": (1, 4, 5, 4)},
        "an image of 5x4 does not divide by 2",
        "stride: 2",
    ),
    ("CropCenter", "", IMAGE, "0 crop_size for a bottom of 4 axes", "layer"),
    (
        "CropCenter",
        "crop_center_param { crop_size: 0 crop_size: 4 }",
        {"x": (2, 8)},
        "4 off both ends leave nothing of the 8 elements of axis 1",
        "crop_size: 4",
    ),
    ("Local", "local_param { num_output: 2 }", IMAGE, "kernel_size is missing or 0", "local"),
    (
        "Local",
        "local_param { num_output: 2 kernel_size: 9 }",
        IMAGE,
        "kernel_size 9 is larger than the image of 8x8",
        "kernel_size: 9",
    ),
    (
        "ReLU6",
        "relu6_param { } relu_param { }",
        IMAGE,
        "both relu_param and relu6_param are given",
        "relu6_param",
    ),
    (
        "Upsample",
        "upsample_param { upsample_h: 3 upsample_w: 3 }",
        IMAGE,
        "`upsample_h` is for an Upsample layer with a mask",
        "upsample_h: 3",
    ),
    (
        "Upsample",
        "upsample_param { upsample_h: 3 }",
        {"x": (1, 2, 3, 3), "m": (1, 2, 3, 3)},
        "upsample_h is given without upsample_w",
        "upsample_h: 3",
    ),
    (
        "Upsample",
        "upsample_param { scale: 3 pad_out_w: true }",
        {"x": (1, 2, 3, 3), "m": (1, 2, 3, 3)},
        "pad_out_w is for a scale of 2",
        "pad_out_w: true",
    ),
    ("Upsample", "upsample_param { scale: 0.5 }", IMAGE, "scale 0.5 is not a", "scale: 0.5"),
    (
        "SmoothL1Loss",
        "",
        {"a": (2, 3), "b": (2, 3), "w": (2, 3)},
        "SmoothL1Loss takes 2 or 4 bottoms, 3 are given",
        'bottom: "w"',
    ),
    (
        "SoftmaxWithLoss",
        "loss_param { weight_by_label_freqs: true class_weighting: 1 class_weighting: 2 }",
        {"x": (2, 3), "t": (2,)},
        "2 class_weighting for 3 classes",
        "class_weighting: 1",
    ),
    (
        "SegAccuracy",
        "",
        {"x": (2, 3, 4, 5), "t": (2, 1, 5, 4)},
        "one label per pixel of 'x', is expected",
        'bottom: "t"',
    ),
    (
        "BoxAnnotatorOHEM",
        'top: "weights" box_annotator_ohem_param { roi_per_img: 0 }',
        {"r": (9, 5), "l": (9, 1), "t": (9, 1), "w": (9, 8)},
        "roi_per_img is 0",
        "roi_per_img: 0",
    ),
    (
        "BoxAnnotatorOHEM",
        'top: "weights" box_annotator_ohem_param { roi_per_img: 3 }',
        {"r": (9, 5), "l": (9, 1), "t": (8, 1), "w": (9, 8)},
        "'t' has shape [8, 1]",
        'bottom: "t"',
    ),
    ("DenseCRF", "", IMAGE, "DenseCRF layers are refused", 'type: "DenseCRF"'),
    ("DomainTransform", "", IMAGE, "recursive filter is not supported", "type"),
]


@pytest.mark.parametrize(
    ("kind", "body", "inputs", "message", "place"),
    CASES,
    ids=[f"{c[0]}-{i}" for i, c in enumerate(CASES)],
)
def test_refusal(
    kind: str, body: str, inputs: dict[str, tuple[int, ...]], message: str, place: str
) -> None:
    check_refusal(kind, body, inputs, message, place)
