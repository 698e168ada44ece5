"""ROIPooling against a plain loop; the rule that moves CenterLoss' centers; priors at any size."""

from __future__ import annotations

import math

import numpy as np
import pytest

from frontends.lowering.known_layers import load_layers
from frontends.lowering.net import lower_layers
from frontends.prototxt import parse_text
from ir.ops.region import RegionMax
from ir.text import format_graph
from ir.types import F32, TensorType
from tests.support.layer_cases import LayerCase, net_text
from tests.support.layer_run import LayerRun


def pooled(
    x: np.ndarray, regions: np.ndarray, rows: int, columns: int, scale: float
) -> tuple[np.ndarray, np.ndarray]:
    count, (_, channels, height, width) = len(regions), x.shape
    best = np.zeros((count, channels, rows, columns), x.dtype)
    place = np.full(best.shape, -1, np.int32)

    def away_from_zero(a: float) -> int:
        return int(math.copysign(math.floor(abs(a) + 0.5), a))

    for n, (image, *corners) in enumerate(regions):
        left, top, right, bottom = (away_from_zero(c * scale) for c in corners)
        cell_h = np.float32(max(bottom - top + 1, 1)) / np.float32(rows)
        cell_w = np.float32(max(right - left + 1, 1)) / np.float32(columns)
        for i, j in np.ndindex(rows, columns):
            h0, h1 = (
                min(max(int(e) + top, 0), height)
                for e in (np.floor(i * cell_h), np.ceil((i + 1) * cell_h))
            )
            w0, w1 = (
                min(max(int(e) + left, 0), width)
                for e in (np.floor(j * cell_w), np.ceil((j + 1) * cell_w))
            )
            for c in range(channels):
                part = x[int(image), c, h0:h1, w0:w1]
                if part.size:
                    h, w = np.unravel_index(np.argmax(part), part.shape)
                    best[n, c, i, j] = part[h, w]
                    place[n, c, i, j] = (h + h0) * width + w + w0
    return best, place


@pytest.mark.parametrize("grid", [(1, 1), (2, 3), (7, 5)])
def test_roi_pooling_equals_a_plain_loop(grid: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(-4, 5, (2, 3, 11, 13)).astype(np.float32)  # many equal elements
    corners = rng.uniform(-60, 250, (40, 4))
    corners[:30, 2:] = corners[:30, :2] + rng.uniform(0, 150, (30, 2))
    regions = np.column_stack([rng.integers(0, 2, 40), corners]).astype(np.float32)
    op = RegionMax(*grid, 0.0625)
    types = op.infer([TensorType(x.shape, F32), TensorType(regions.shape, F32)])
    best, place = op.reference([x, regions], types)
    expected = pooled(x, regions, *grid, 0.0625)
    np.testing.assert_array_equal(best, expected[0])
    np.testing.assert_array_equal(place, expected[1])
    assert (place == -1).any() and best.shape == (40, 3, *grid)


def test_regions_of_unknown_images_and_no_regions_at_all() -> None:
    x = np.ones((1, 2, 4, 4), np.float32)
    op = RegionMax(2, 2, 1.0)
    for rows, count in (([[5, 0, 0, 3, 3], [-1, 0, 0, 3, 3]], 2), ([], 0)):
        regions = np.asarray(rows, np.float32).reshape(count, 5)
        types = op.infer([TensorType(x.shape, F32), TensorType(regions.shape, F32)])
        best, place = op.reference([x, regions], types)
        assert best.shape == (count, 2, 2, 2)
        assert not best.any() and (place == -1).all()


@pytest.mark.parametrize("weight", [1.0, 0.008])
def test_centers_move_by_their_own_rule(weight: float) -> None:
    text = (
        'layer { name: "l" type: "CenterLoss" bottom: "x" bottom: "t" top: "loss" '
        f"loss_weight: {weight} center_loss_param {{ num_output: 4 }} }}"
    )
    run = LayerRun(LayerCase("", "net", net_text(text, x=(5, 3), t=(5,))))
    labels = np.array([0, 2, 2, 3, 2])
    run.values["t"] = labels.astype(np.float64)
    x, centers = run.values["x"], run.values["l/0"]
    distance = x - centers[labels]
    np.testing.assert_allclose(run.forward()["loss"], np.sum(distance**2) / 10)
    gradients = run.gradients({"loss": np.array(weight)})
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
