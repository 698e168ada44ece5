"""What diffs hold, as tried on Caffe 1.0."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import roastery.caffe as caffe

NET = """
layer { name: "in" type: "Input" top: "x" top: "t"
  input_param { shape { dim: 2 dim: 3 } shape { dim: 2 dim: 2 } } }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "y"
  inner_product_param { num_output: 2 weight_filler { type: "gaussian" std: 1 } } }
layer { name: "loss" type: "EuclideanLoss" bottom: "y" bottom: "t" top: "loss" }
"""

IN_PLACE = """
force_backward: true
layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 dim: 2 } } }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "y"
  inner_product_param { num_output: 2 weight_filler { type: "constant" value: 1 } } }
layer { name: "relu" type: "ReLU" bottom: "y" top: "y" relu_param { negative_slope: 0.5 } }
"""


@pytest.fixture
def inputs() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "x": rng.standard_normal((2, 3), np.float32),
        "t": rng.standard_normal((2, 2), np.float32),
    }


def test_a_second_backward_doubles_parameter_diffs(make_net, inputs) -> None:
    net = make_net(NET, caffe.TRAIN)
    net.forward(**inputs)
    net.backward()
    weights, y = net.params["ip"][0], net.blobs["y"]
    once, blob_once = weights.diff.copy(), y.diff.copy()
    assert once.any()
    net.backward()
    np.testing.assert_allclose(weights.diff, 2 * once, rtol=1e-6)
    np.testing.assert_array_equal(y.diff, blob_once)
    net.clear_param_diffs()
    assert not weights.diff.any()
    np.testing.assert_array_equal(y.diff, blob_once)


def test_a_loss_starts_with_its_weight_and_an_edited_one_counts(make_net, inputs) -> None:
    net = make_net(NET.replace('top: "loss"', 'top: "loss" loss_weight: 3'), caffe.TRAIN)
    assert net.blobs["loss"].diff == 3
    net.forward(**inputs)
    net.backward()
    full = net.params["ip"][0].diff.copy()
    net.clear_param_diffs()
    net.blobs["loss"].diff[...] = 1
    net.backward()
    np.testing.assert_allclose(net.params["ip"][0].diff, full / 3, rtol=1e-6)


def test_without_a_loss_and_force_backward_diffs_stay_zero(make_net, inputs) -> None:
    text = NET[: NET.index('layer { name: "loss"')]
    net = make_net(text, caffe.TRAIN)
    net.forward(**inputs)
    net.blobs["y"].diff[...] = 1
    net.backward()
    assert not net.params["ip"][0].diff.any()
    assert not net.blobs["x"].diff.any()
    forced = make_net("force_backward: true" + text, caffe.TRAIN)
    forced.forward(**inputs)
    forced.blobs["y"].diff[...] = 1
    forced.backward()
    np.testing.assert_allclose(forced.params["ip"][0].diff, inputs["x"].sum(0)[None].repeat(2, 0))
    assert forced.blobs["x"].diff.any()


def test_an_in_place_blob_is_seeded_at_its_last_version_and_read_at_its_first(make_net) -> None:
    net = make_net(IN_PLACE, caffe.TRAIN)
    net.forward(x=np.array([[1, 2], [-3, -4]]))
    np.testing.assert_array_equal(net.blobs["y"].data, [[3, 3], [-3.5, -3.5]])
    net.blobs["y"].diff[...] = 1  # of what ReLU gave
    net.backward()
    np.testing.assert_array_equal(net.blobs["y"].diff, [[1, 1], [0.5, 0.5]])  # before ReLU
    np.testing.assert_array_equal(net.blobs["x"].diff, [[2, 2], [1, 1]])


def make_solver(folder: Path, kind: str = "SGD", extra: str = "") -> caffe.SGDSolver:
    (folder / "net.prototxt").write_text(NET)
    (folder / "solver.prototxt").write_text(
        f'net: "{folder}/net.prototxt" base_lr: 0.1 lr_policy: "fixed" max_iter: 100 '
        f'type: "{kind}" snapshot_after_train: false random_seed: 3 {extra}'
    )
    return caffe.get_solver(str(folder / "solver.prototxt"))


def test_after_a_step_diffs_hold_the_update_and_blobs_the_pass_before_it(
    tmp_path: Path, inputs
) -> None:
    solver = make_solver(tmp_path)
    net = solver.net
    for name, array in inputs.items():
        net.blobs[name].data[...] = array
    weights = net.params["ip"][0]
    before = weights.data.copy()
    y_before = inputs["x"] @ before.T
    solver.step(1)
    np.testing.assert_allclose(weights.data, before - weights.diff, rtol=1e-6)
    np.testing.assert_allclose(net.blobs["y"].data, y_before, rtol=1e-5)
    gradient = (y_before - inputs["t"]).T @ inputs["x"] / 2
    np.testing.assert_allclose(weights.diff, 0.1 * gradient, rtol=1e-5)


def test_apply_update_uses_edited_diffs(tmp_path: Path) -> None:
    solver = make_solver(tmp_path)
    weights = solver.net.params["ip"][0]
    weights.data[...] = 0
    weights.diff[...] = 1
    solver.apply_update()
    np.testing.assert_allclose(weights.data, -0.1, rtol=1e-6)


def test_edited_parameters_are_what_training_uses(tmp_path: Path, inputs) -> None:
    solver = make_solver(tmp_path)
    for name, array in inputs.items():
        solver.net.blobs[name].data[...] = array
    kept = solver.net.params["ip"][0].data
    kept[...] = 0
    solver.step(1)
    assert solver.net.blobs["loss"].data == pytest.approx((inputs["t"] ** 2).sum() / 4, rel=1e-5)
    assert kept.any(), "the view is live"
