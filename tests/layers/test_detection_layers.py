"""The rule that moves CenterLoss' centers; priors at any size."""

from __future__ import annotations

import numpy as np
import pytest

from frontends.lowering.known_layers import load_layers
from frontends.lowering.net import lower_layers
from frontends.prototxt import parse_text
from ir.text import format_graph
from tests.support.layer_cases import LayerCase, net_text
from tests.support.layer_run import LayerRun


@pytest.mark.parametrize("weight", [1.0, 0.008, 0.0])
@pytest.mark.parametrize("kind", ["L1", "L2"])
def test_centers_move_by_their_own_rule(weight: float, kind: str) -> None:
    text = (
        'layer { name: "l" type: "CenterLoss" bottom: "x" bottom: "t" top: "loss" '
        f'loss_weight: {weight} center_loss_param {{ num_output: 4 distance_type: "{kind}" }} }}'
    )
    run = LayerRun(LayerCase("", "net", net_text(text, x=(5, 3), t=(5,))))
    labels = np.array([0, 2, 2, 3, 2])
    run.values["t"] = labels.astype(np.float64)
    x, centers = run.values["x"], run.values["l/0"]
    distance = x - centers[labels]
    loss = np.sum(distance**2) / 10 if kind == "L2" else np.sum(np.abs(distance)) / 5
    np.testing.assert_allclose(run.forward()["loss"], loss)
    gradients = run.gradients({"loss": np.array(weight)})
    distance = distance if kind == "L2" else np.sign(distance)
    np.testing.assert_allclose(gradients["x"], weight * distance / 5)
    expected = np.zeros_like(centers)
    for label in range(4):
        mine = distance[labels == label]
        expected[label] = -mine.sum(0) / (len(mine) + 1)
    np.testing.assert_allclose(gradients["l/0"], expected, atol=1e-12)


def _positioned(param: str) -> np.ndarray:
    """The boxes of the position at (30, 60) of an image of 100x200, in pixels: (boxes, 4)."""
    text = net_text(
        'layer { name: "l" type: "PriorBox" bottom: "x" bottom: "data" top: "y" '
        f"prior_box_param {{ {param} step_h: 60 step_w: 120 }} }}",
        x=(1, 3, 1, 1),
        data=(1, 3, 100, 200),
    )
    boxes = LayerRun(LayerCase("", "net", text)).forward()["y"][0, 0].reshape(-1, 4)
    return boxes * ([100, 200, 100, 200] if "yx_order" in param else [200, 100, 200, 100])


def _around(width: float, height: float, x: float = 60, y: float = 30) -> list[float]:
    return [x - width / 2, y - height / 2, x + width / 2, y + height / 2]


SIZES = "min_size: 16 max_size: 25 aspect_ratio: 4 aspect_ratio: 0.25 aspect_ratio: 9"
SQUARE, MEAN = _around(16, 16), _around(20, 20)
WIDE, HIGH, WIDER, HIGHER = (_around(16 * r, 16 / r) for r in (2, 1 / 2, 3, 1 / 3))


@pytest.mark.parametrize(
    ("param", "expected"),
    [
        ("", [SQUARE, MEAN, WIDE, HIGH, WIDER, HIGHER]),
        ("tf: true", [SQUARE, WIDE, HIGH, WIDER, HIGHER, MEAN]),
        ("keras: true", [MEAN, SQUARE, WIDE, HIGH, WIDER, HIGHER]),
        ("keras: true tf: true flip: false", [MEAN, SQUARE, WIDE, HIGH, WIDER]),
    ],
)
def test_forks_order_prior_boxes(param: str, expected: list[list[float]]) -> None:
    np.testing.assert_allclose(_positioned(f"{SIZES} {param}"), expected, atol=1e-4)
    swapped = np.array(expected)[:, [1, 0, 3, 2]]
    np.testing.assert_allclose(_positioned(f"{SIZES} {param} yx_order: true"), swapped, atol=1e-4)


def test_the_first_box_of_tensorflow_is_smaller() -> None:
    found = _positioned("min_size: 60 min_size: 59 aspect_ratio: 4 tf: true flip: false")
    wide, other = _around(120, 30), _around(59, 59)
    expected = [_around(60 - 20, 60 - 10), wide, other, _around(118, 29.5)]
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_small_boxes_of_faceboxes_lie_densely() -> None:
    found = _positioned("min_size: 32 min_size: 64 min_size: 128 faceboxes: true yx_order: true")
    found = found / [100, 200, 100, 200] * [200, 100, 200, 100]  # these come as x, y all the same
    expected = [
        _around(size - 1, size - 1, 60 + step * x, 30 + step * y)
        for size, step, places in ((32, 8, range(-2, 2)), (64, 16, (-1, 0)), (128, 0, (0,)))
        for y in places
        for x in places
    ]
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_widths_and_heights_may_be_given() -> None:
    found = _positioned("box_width: 9.5 box_width: 3 box_height: 20 box_height: 2.5 min_size: 7")
    np.testing.assert_allclose(found, [_around(9.5, 20), _around(3, 2.5)], atol=1e-4)


def test_prior_boxes_follow_the_size_of_the_image() -> None:
    text = net_text(
        'layer { name: "l" type: "PriorBox" bottom: "x" bottom: "data" top: "y" '
        "prior_box_param { min_size: 20 max_size: 35 aspect_ratio: 2 clip: true } }",
        x=(1, 3, 4, 5),
        data=(1, 3, 60, 90),
    )
    load_layers()
    net = parse_text(text, "NetParameter", "net.prototxt")
    program = lower_layers(net, "TEST").program
    for shapes in ({"x": (1, 3, 7, 2), "data": (1, 3, 91, 33)}, {"x": (1, 3, 9, 9)}):
        there = lower_layers(net, "TEST", shapes=shapes).program
        assert format_graph(program.at(shapes).graph) == format_graph(there.graph)
