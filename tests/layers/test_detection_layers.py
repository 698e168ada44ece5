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
