"""What layers that detect objects refuse: the message, and the field it points at."""

from __future__ import annotations

import pytest

from tests.support.refusals import check_refusal

Inputs = dict[str, tuple[int, ...]]

MAPS: Inputs = {"x": (2, 3, 4, 5), "data": (2, 3, 60, 90)}

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
        "max_size 4 is not more than min_size 4",
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
    ("PriorBox", "prior_box_param { min_size: 4 step: 0 }", MAPS, "step is 0", "step: 0"),
    (
        "PriorBox",
        "prior_box_param { min_size: 4 }",
        {"x": (2, 3, 0, 5), "data": (2, 3, 4, 4)},
        "'x' has shape [2, 3, 0, 5], which has no position",
        "bottom",
    ),
]


@pytest.mark.parametrize(
    ("kind", "body", "inputs", "message", "place"),
    CASES,
    ids=[f"{c[0]}-{i}" for i, c in enumerate(CASES)],
)
def test_refusal(kind: str, body: str, inputs: Inputs, message: str, place: str) -> None:
    check_refusal(kind, body, inputs, message, place)
