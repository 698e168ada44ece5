"""What layers of detection nets refuse: the message, and the field it points at."""

from __future__ import annotations

import pytest

from ir.errors import RoasteryError
from roastery.reading import nets
from tests.support.layer_cases import net_text
from tests.support.lowering import program_of
from tests.support.refusals import check_refusal

FOUR = "biases: 1 biases: 2 biases: 3 biases: 4 "
CELLS = {"x": (2, 16, 4, 4), "t": (2, 40)}
FOUND = {"d": (1, 1, 3, 7), "t": (1, 1, 4, 8)}
PRIORS = {"loc": (2, 12), "conf": (2, 12), "prior": (1, 2, 12), "gt": (1, 1, 5, 8)}

# layer type, its parameters, inputs, the message (part), the text at the place it points to
CASES = [
    (
        "MultiBoxLoss",
        "multibox_loss_param { neg_overlap: 0.5 }",
        PRIORS,
        "num_classes is missing",
        "multibox_loss_param",
    ),
    (
        "MultiBoxLoss",
        "multibox_loss_param { num_classes: 4 background_label_id: 4 }",
        PRIORS,
        "background_label_id is 4 of 4 classes",
        "background_label_id: 4",
    ),
    (
        "MultiBoxLoss",
        "multibox_loss_param { num_classes: 4 do_neg_mining: false }",
        PRIORS,
        "do_neg_mining is false and mining_type MAX_NEGATIVE",
        "do_neg_mining: false",
    ),
    (
        "MultiBoxLoss",
        "multibox_loss_param { num_classes: 4 share_location: false }",
        PRIORS,
        "mining_type is MAX_NEGATIVE where share_location is false",
        "multibox_loss_param",
    ),
    (
        "MultiBoxLoss",
        "multibox_loss_param { num_classes: 4 mining_type: HARD_EXAMPLE sample_size: 0 }",
        PRIORS,
        "sample_size is 0",
        "sample_size: 0",
    ),
    (
        "MultiBoxLoss",
        "multibox_loss_param { num_classes: 4 map_object_to_agnostic: true }",
        PRIORS,
        "num_classes is 4 with map_object_to_agnostic",
        "num_classes: 4",
    ),
    (
        "MultiBoxLoss",
        "multibox_loss_param { num_classes: 3 }",
        PRIORS,
        "'conf' has shape [2, 12]; for 3 priors 9 scores an image",
        'bottom: "conf"',
    ),
    (
        "MultiBoxLoss",
        "multibox_loss_param { num_classes: 4 }",
        PRIORS | {"loc": (2, 9)},
        "'loc' has shape [2, 9]; for 3 priors 12 offsets an image",
        'bottom: "loc"',
    ),
    (
        "MultiBoxLoss",
        "multibox_loss_param { num_classes: 4 }",
        PRIORS | {"prior": (2, 12)},
        "(1, 2, P * 4) is expected",
        'bottom: "prior"',
    ),
    (
        "MultiBoxLoss",
        "multibox_loss_param { num_classes: 4 }",
        PRIORS | {"gt": (1, 1, 5, 7)},
        "(1, 1, G, 8) is expected",
        'bottom: "gt"',
    ),
    (
        "RegionLoss",
        "region_loss_param { num: 2 num_class: 3 coords: 5 " + FOUR + "}",
        CELLS,
        "coords is 5",
        "coords: 5",
    ),
    (
        "RegionLoss",
        "region_loss_param { num: 2 num_class: 3 biases: 1 }",
        CELLS,
        "there are 1 biases for 2 anchors",
        "biases: 1",
    ),
    (
        "RegionLoss",
        "region_loss_param { num: 2 num_class: 4 " + FOUR + "}",
        CELLS,
        "(N, 18, H, W) is expected",
        'bottom: "x"',
    ),
    (
        "RegionLoss",
        "region_loss_param { num: 2 num_class: 3 " + FOUR + "}",
        CELLS | {"t": (2, 41)},
        "rows of 5 numbers for 2 images",
        'bottom: "t"',
    ),
    (
        "RegionLoss",
        "region_loss_param { num: 2 num_class: 3 " + FOUR + "}",
        CELLS | {"t": (1, 1, 3, 8)},
        "side is 13, and 'x' has 4x4 cells",
        "region_loss_param",
    ),
    (
        "RegionLoss",
        'region_loss_param { num: 2 num_class: 3 side: 4 softmax_tree: "t" ' + FOUR + "}",
        CELLS | {"t": (1, 1, 3, 8)},
        "softmax_tree is given",
        'softmax_tree: "t"',
    ),
    (
        "Yolov3",
        "yolov3_param { num: 2 num_class: 3 mask: 0 " + FOUR + "}",
        CELLS,
        "mask names [0] for 2 of 2 anchors",
        "mask: 0",
    ),
    (
        "Yolov3",
        "yolov3_param { num: 2 num_class: 3 mask: 0 mask: 2 " + FOUR + "}",
        CELLS,
        "mask names [0, 2] for 2 of 2 anchors",
        "mask: 0",
    ),
    (
        "Yolov3",
        "yolov3_param { num: 2 num_class: 3 biases: 1 }",
        CELLS,
        "there are 1 biases",
        "biases: 1",
    ),
    (
        "Yolov3",
        "yolov3_param { num: 2 num_class: 4 mask: 0 mask: 1 " + FOUR + "}",
        CELLS,
        "(N, 18, H, W) is expected",
        'bottom: "x"',
    ),
    (
        "DetectionEvaluate",
        "detection_evaluate_param { overlap_threshold: 0.5 }",
        FOUND,
        "num_classes is missing",
        "detection_evaluate_param",
    ),
    (
        "DetectionEvaluate",
        "detection_evaluate_param { num_classes: 4000000000 }",
        FOUND,
        "num_classes is 4000000000",
        "num_classes: 4000000000",
    ),
    (
        "DetectionEvaluate",
        "detection_evaluate_param { num_classes: 3 overlap_threshold: 0 }",
        FOUND,
        "overlap_threshold is 0",
        "overlap_threshold: 0",
    ),
    (
        "DetectionEvaluate",
        "detection_evaluate_param { num_classes: 3 }",
        FOUND | {"d": (3, 7)},
        "(1, 1, D, 7) is expected",
        'bottom: "d"',
    ),
]


@pytest.mark.parametrize(("kind", "body", "inputs", "message", "place"), CASES)
def test_refusal(
    kind: str, body: str, inputs: dict[str, tuple[int, ...]], message: str, place: str
) -> None:
    check_refusal(kind, body, inputs, message, place)


def test_a_label_of_any_data_is_read_as_far_as_it_is_high() -> None:
    """As SSD's branch does, and nets for measuring count on: DummyData of one shape for all."""
    text = net_text(
        'layer { name: "l" type: "MultiBoxLoss" bottom: "loc" bottom: "conf" bottom: "prior" '
        'bottom: "gt" top: "loss" multibox_loss_param { num_classes: 4 } }',
        **(PRIORS | {"gt": (2, 3, 5, 5)}),
    )
    program = program_of(nets.net_from_text(text), "TRAIN")
    assert any("its first 5 x 8 values are read as boxes" in note for note in program.notes)


OHEM = """layer { name: "d" type: "Input" top: "t" top: "w" input_param { shape { %s } } }
layer { name: "p" type: "Input" top: "p" input_param { shape { dim: 3 dim: 8 dim: 1 dim: 1 } } }
layer { name: "l" type: "SmoothL1LossOHEM" bottom: "p" bottom: "t" bottom: "w" top: "loss" }
layer { name: "m" type: "SmoothL1LossOHEM" bottom: "p" bottom: "t" bottom: "w" top: "other" }
"""


def test_targets_of_each_class_where_one_box_is_predicted() -> None:
    """The error names blobs as the net does, not as the copies for each of its readers."""
    with pytest.raises(RoasteryError) as caught:
        program_of(nets.net_from_text(OHEM % "dim: 3 dim: 84"), "TRAIN")
    assert caught.value.message == "'p' has shape [3, 8, 1, 1] and 't' [3, 84]"
    assert "--shape t=3,8" in (caught.value.hint or "")
    program_of(nets.net_from_text(OHEM % "dim: 3 dim: 8"), "TRAIN")
