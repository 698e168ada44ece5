"""InnerDistance against plain loops, and how its centers move."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import roastery.caffe as caffe
from tests.support.layer_cases import LayerCase, net_text
from tests.support.layer_run import LayerRun


def run(body: str, **inputs: tuple[int, ...]) -> LayerRun:
    bottoms = " ".join(f'bottom: "{name}"' for name in inputs)
    layer = f'layer {{ name: "l" type: "InnerDistance" {bottoms} top: "y" {body} }}'
    return LayerRun(LayerCase("InnerDistance", f"distance {body}", net_text(layer, **inputs)))


def distances(rows: np.ndarray, centers: np.ndarray, kind: str) -> np.ndarray:
    difference = rows[:, np.newaxis] - centers
    return (np.abs(difference) if kind == "L1" else difference**2).sum(2)


@pytest.mark.parametrize("kind", ["L1", "L2"])
@pytest.mark.parametrize(("axis", "transpose"), [(1, "false"), (-1, "true"), (0, "false")])
def test_distances_to_learned_centers(kind: str, axis: int, transpose: str) -> None:
    body = f'num_output: 4 axis: {axis} distance_type: "{kind}" transpose: {transpose}'
    r = run(f"inner_distance_param {{ {body} }}", x=(3, 2, 5))
    lead = (3, 2, 5)[: axis % 3]
    width = 30 // int(np.prod(lead))
    assert r.values["l/0"].shape == ((width, 4) if transpose == "true" else (4, width))
    centers = r.values["l/0"].reshape(4, width)  # the fork's loops do not know of transpose
    expected = distances(r.values["x"].reshape(-1, width), centers, kind)
    np.testing.assert_allclose(r.forward()["y"], expected.reshape(*lead, 4))


@pytest.mark.parametrize("kind", ["L1", "L2"])
def test_labels_say_which_centers_move(kind: str) -> None:
    body = f'inner_distance_param {{ update_center_only: true distance_type: "{kind}" }}'
    r = run(body, x=(3, 5), w=(4, 5), t=(3,))
    r.values["t"] = labels = np.array([1.0, 3.0, 1.0])
    x, w = r.values["x"], r.values["w"]
    np.testing.assert_allclose(r.forward()["y"], distances(x, w, kind))
    seed = np.random.default_rng(0).standard_normal((3, 4))
    found = r.gradients({"y": seed})
    difference = x[:, np.newaxis] - w
    slope = seed[:, :, np.newaxis] * (np.sign(difference) if kind == "L1" else 2 * difference)
    np.testing.assert_allclose(found["x"], slope.sum(1))
    mine = labels[:, np.newaxis] == np.arange(4)
    np.testing.assert_allclose(found["w"], -(slope * mine[:, :, np.newaxis]).sum(0))


def test_centers_are_scaled_before_each_pass_and_stay_so(tmp_path: Path) -> None:
    net = tmp_path / "net.prototxt"
    net.write_text(
        """
        layer { name: "x" type: "DummyData" top: "x" dummy_data_param {
          shape { dim: 2 dim: 3 } data_filler { type: "constant" value: 0.5 } } }
        layer { name: "l" type: "InnerDistance" bottom: "x" top: "y" inner_distance_param {
          num_output: 2 normalize: true weight_filler { type: "gaussian" std: 3 } } }
        layer { name: "s" type: "Reduction" bottom: "y" top: "s" loss_weight: 1 }
        """
    )
    solver = tmp_path / "solver.prototxt"
    solver.write_text(
        f'train_net: "{net}" base_lr: 0.01 lr_policy: "fixed" max_iter: 3 display: 0 snapshot: 0 '
        f'snapshot_after_train: false snapshot_prefix: "{tmp_path}/s" type: "SGD"'
    )
    trained = caffe.get_solver(str(solver))
    centers = trained.net.params["l"][0].data.astype(np.float64)
    for _ in range(3):
        centers = centers / np.sqrt((centers**2).sum(1, keepdims=True) + 1e-6)
        centers -= 0.01 * 2 * 2 * (centers - 0.5)  # of both rows
        trained.step(1)
        np.testing.assert_allclose(trained.net.params["l"][0].data, centers, rtol=1e-5)
