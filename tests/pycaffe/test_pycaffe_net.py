"""caffe.Net: how it is made, what it shows, and running parts of it."""

from __future__ import annotations

import gc
import weakref
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

import roastery.caffe as caffe
from ir.errors import RoasteryError

NET = """
name: "small"
layer { name: "in" type: "Input" top: "data" top: "label"
  input_param { shape { dim: 4 dim: 3 } shape { dim: 4 } } }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
  inner_product_param { num_output: 5 weight_filler { type: "xavier" } } }
layer { name: "relu" type: "ReLU" bottom: "ip" top: "ip" }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss"
  loss_weight: 2 }
layer { name: "acc" type: "Accuracy" bottom: "ip" bottom: "label" top: "acc"
  include { phase: TEST } }
"""

CHAIN = """
force_backward: true
layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }
layer { name: "twice" type: "Power" bottom: "x" top: "y" power_param { scale: 2 } }
layer { name: "plus" type: "Power" bottom: "y" top: "z" power_param { shift: 1 } }
layer { name: "square" type: "Power" bottom: "z" top: "w" power_param { power: 2 } }
"""

X = np.array([[1, 2, 3], [4, 5, 6]], np.float32)


# --- making one ---------------------------------------------------------------------------


def test_weights_can_be_named_or_given_in_the_old_order(make_net, tmp_path: Path) -> None:
    net = make_net(NET)
    net.params["ip"][1].data[...] = [1, 2, 3, 4, 5]
    weights, model = str(tmp_path / "w.caffemodel"), str(tmp_path / "net1.prototxt")
    net.save(weights)
    for other in (
        caffe.Net(model, caffe.TEST, weights=weights),
        caffe.Net(model, weights, caffe.TEST),
        caffe.Net(network_file=model, phase=caffe.TEST, weights=Path(weights)),
    ):
        np.testing.assert_array_equal(other.params["ip"][1].data, [1, 2, 3, 4, 5])
        np.testing.assert_array_equal(other.params["ip"][0].data, net.params["ip"][0].data)


def test_levels_and_stages_choose_layers(make_net) -> None:
    text = """
    layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 1 } } }
    layer { name: "a" type: "Power" bottom: "x" top: "a" include { min_level: 1 } }
    layer { name: "b" type: "Power" bottom: "x" top: "b" include { stage: "deploy" } }
    layer { name: "c" type: "Power" bottom: "x" top: "c" include { phase: TRAIN } }
    layer { name: "d" type: "Power" bottom: "x" top: "d" }
    """
    assert make_net(text).outputs == ["d"]
    assert make_net(text, level=1).outputs == ["a", "d"]
    assert make_net(text, stages=["deploy"]).outputs == ["b", "d"]
    assert make_net(text, caffe.TRAIN).outputs == ["c", "d"]


def test_a_net_can_be_made_of_a_message() -> None:
    spec = caffe.NetSpec()
    spec.x = caffe.layers.Input(shape={"dim": [2, 3]})
    spec.y = caffe.layers.Power(spec.x, scale=3)
    net = caffe.Net(spec.to_proto(), caffe.TEST)
    np.testing.assert_array_equal(net.forward(x=X)["y"], 3 * X)


def test_missing_files_are_runtime_errors_that_name_the_file(make_net, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"no net file 'nowhere\.prototxt'"):
        caffe.Net("nowhere.prototxt", caffe.TEST)
    make_net(NET)
    with pytest.raises(RuntimeError, match=r"no weights file 'gone\.caffemodel'"):
        caffe.Net(str(tmp_path / "net1.prototxt"), caffe.TEST, weights="gone.caffemodel")


def test_a_phase_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(RoasteryError, match=r"caffe\.TRAIN or caffe\.TEST"):
        caffe.Net("net.prototxt", 7)


# --- what it shows ------------------------------------------------------------------------


def test_names(make_net) -> None:
    net = make_net(NET)
    assert net.inputs == ["data", "label"]
    assert net.outputs == ["acc", "loss"]
    assert net._layer_names == [
        "in", "label_in_1_split", "ip", "relu", "ip_relu_0_split", "loss", "acc",
    ]  # fmt: skip
    assert net.top_names["in"] == ["data", "label"]
    assert net.bottom_names == OrderedDict(
        [
            ("in", []),
            ("label_in_1_split", ["label"]),
            ("ip", ["data"]),
            ("relu", ["ip"]),
            ("ip_relu_0_split", ["ip"]),
            ("loss", ["ip_relu_0_split_0", "label_in_1_split_0"]),
            ("acc", ["ip_relu_0_split_1", "label_in_1_split_1"]),
        ]
    )
    assert list(net.blobs)[:4] == ["data", "label", "label_in_1_split_0", "label_in_1_split_1"]
    assert net.blob_loss_weights["loss"] == 2
    assert net.blob_loss_weights["acc"] == 0
    assert list(net.blob_loss_weights) == list(net.blobs)


def test_numbers(make_net) -> None:
    net = make_net(NET)
    names = net._blob_names
    assert names == list(net.blobs) and net._blobs == list(net.blobs.values())
    assert [names[k] for k in net._inputs] == net.inputs
    assert [names[k] for k in net._outputs] == net.outputs
    for number, layer in enumerate(net._layer_names):
        assert [names[k] for k in net._top_ids(number)] == net.top_names[layer]
        assert [names[k] for k in net._bottom_ids(number)] == net.bottom_names[layer]
    assert net._blob_loss_weights == list(net.blob_loss_weights.values())


def test_layers(make_net) -> None:
    net = make_net(NET)
    assert [layer.type for layer in net.layers] == [
        "Input", "Split", "InnerProduct", "ReLU", "Split", "SoftmaxWithLoss", "Accuracy",
    ]  # fmt: skip
    assert list(net.layer_dict) == net._layer_names
    assert net.layer_dict["ip"] is net.layers[2]
    weights, bias = net.layers[2].blobs
    assert weights.shape == (5, 3)
    bias.data[...] = 7
    assert (net.params["ip"][1].data == 7).all()
    assert list(net.params) == ["ip"]


def test_blobs_have_legacy_extents(make_net) -> None:
    net = make_net(NET)
    blob = net.blobs["data"]
    assert (blob.num, blob.channels, blob.height, blob.width, blob.count) == (4, 3, 1, 1, 12)
    assert list(blob.shape) == [4, 3]
    assert blob.data.dtype == np.float32
    with pytest.raises(AttributeError):
        blob.data = np.zeros((4, 3))
    deep = make_net(
        'layer { name: "in" type: "Input" top: "x" '
        "input_param { shape { dim: 1 dim: 1 dim: 1 dim: 1 dim: 1 } } }"
    )
    with pytest.raises(RoasteryError, match="no num, channels, height and width"):
        _ = deep.blobs["x"].num


def test_memory_outlives_the_net(make_net) -> None:
    net = make_net(NET)
    blobs, params = list(net.blobs.values()), net.params["ip"]
    net.blobs["data"].data[...] = 3
    gone = weakref.ref(net)
    del net
    gc.collect()
    assert gone() is None
    assert sum(float(b.data.sum() + b.diff.sum()) for b in blobs[:1]) == 36
    assert params[0].data.shape == (5, 3)


def test_a_net_is_freed_at_once_so_that_its_data_files_are(make_net) -> None:
    gc.disable()
    try:
        net = make_net(NET)
        net.forward(data=np.ones((4, 3)), label=np.zeros(4))
        gone = weakref.ref(net.runnable)
        del net
        assert gone() is None
    finally:
        gc.enable()


# --- running ------------------------------------------------------------------------------


def test_forward_gives_outputs_and_asked_blobs_as_views(make_net) -> None:
    net = make_net(CHAIN)
    out = net.forward(blobs=["y"], x=X)
    assert set(out) == {"w", "y"}
    np.testing.assert_array_equal(out["y"], 2 * X)
    np.testing.assert_array_equal(out["w"], (2 * X + 1) ** 2)
    assert np.shares_memory(out["w"], net.blobs["w"].data)
    view = net.blobs["w"].data
    net.forward(x=np.zeros((2, 3)))
    assert (view == 1).all(), "a kept view is live"


def test_a_part_of_the_net_runs_on_edited_blobs(make_net) -> None:
    net = make_net(CHAIN)
    net.forward(x=X)
    net.blobs["y"].data[...] = 10
    out = net.forward(start="plus", end="plus")
    assert list(out) == ["z"]
    assert (net.blobs["z"].data == 11).all()
    np.testing.assert_array_equal(net.blobs["w"].data, (2 * X + 1) ** 2)
    assert (net.forward(start="square")["w"] == 121).all()
    assert (net.blobs["x"].data == X).all()


def test_backward_takes_diffs_of_outputs_and_runs_in_parts(make_net) -> None:
    net = make_net(CHAIN)
    net.forward(x=X)
    seed = np.arange(6, dtype=np.float32).reshape(2, 3)
    found = net.backward(diffs=["z"], w=seed)
    assert set(found) == {"x", "z"}
    np.testing.assert_allclose(found["z"], 2 * (2 * X + 1) * seed)
    np.testing.assert_allclose(found["x"], 2 * found["z"])
    net.blobs["z"].diff[...] = 1
    found = net.backward(start="plus", end="twice")
    assert list(found) == ["x"]
    assert (found["x"] == 2).all()


def test_numbered_passes_give_the_loss(make_net) -> None:
    net = make_net(NET, caffe.TRAIN)
    net.blobs["data"].data[...] = 0
    net.params["ip"][1].data[...] = 1
    loss = net._forward(0, len(net.layers) - 1)
    assert loss == pytest.approx(2 * np.log(5), rel=1e-5)
    net._backward(len(net.layers) - 1, 0)
    assert net.params["ip"][1].diff.any()


def test_callbacks_are_told_layer_numbers_in_order(make_net) -> None:
    net = make_net(CHAIN)
    calls: list[tuple[str, int]] = []
    for name in ("before_forward", "after_forward", "before_backward", "after_backward"):
        getattr(net, name)(lambda number, name=name: calls.append((name, number)))
    net.forward(start="plus", end="square", x=X)
    net.backward(start="square", end="plus")
    assert calls == [
        ("before_forward", 2), ("after_forward", 2), ("before_forward", 3), ("after_forward", 3),
        ("before_backward", 3), ("after_backward", 3),
        ("before_backward", 2), ("after_backward", 2),
    ]  # fmt: skip


def test_wrong_inputs_are_told(make_net) -> None:
    net = make_net(NET)
    with pytest.raises(RoasteryError, match=r"inputs are \['data', 'label'\]; given \['data'\]"):
        net.forward(data=X)
    good = {"data": np.ones((4, 3)), "label": np.zeros(4)}
    with pytest.raises(RoasteryError, match="batch"):
        net.forward(**{**good, "data": np.ones((5, 3))})
    with pytest.raises(RoasteryError, match=r"shape \[4, 3\], the array \[4, 7\]"):
        net.forward(**{**good, "data": np.ones((4, 7))})
    with pytest.raises(RoasteryError, match="did you mean 'relu'"):
        net.forward(end="rellu", **good)
    with pytest.raises(RoasteryError, match="did you mean 'label'"):
        net.forward(blobs=["labl"], **good)
    with pytest.raises(RoasteryError, match="outputs"):
        net.backward(acc=np.zeros(()))


# --- many batches -------------------------------------------------------------------------


def test_forward_all_fills_the_last_batch_and_cuts_it_off(make_net) -> None:
    net = make_net(CHAIN)
    rows = np.arange(15, dtype=np.float32).reshape(5, 3)
    out = net.forward_all(blobs=["y"], x=rows)
    np.testing.assert_array_equal(out["w"], (2 * rows + 1) ** 2)
    np.testing.assert_array_equal(out["y"], 2 * rows)
    assert not np.shares_memory(out["w"], net.blobs["w"].data)


def test_forward_all_keeps_one_value_per_batch_of_a_loss(make_net) -> None:
    net = make_net(NET)
    out = net.forward_all(data=np.zeros((6, 3)), label=np.zeros(6))
    np.testing.assert_allclose(out["loss"], [np.log(5)] * 2, rtol=1e-5)


def test_forward_backward_all(make_net) -> None:
    net = make_net(CHAIN)
    rows = np.arange(9, dtype=np.float32).reshape(3, 3)
    outs, diffs = net.forward_backward_all(diffs=["y"], x=rows, w=np.ones((3, 3)))
    np.testing.assert_allclose(outs["w"], (2 * rows + 1) ** 2)
    np.testing.assert_allclose(diffs["y"], 2 * (2 * rows + 1))
    np.testing.assert_allclose(diffs["x"], 4 * (2 * rows + 1))


def test_arrays_of_different_lengths_are_refused(make_net) -> None:
    with pytest.raises(RoasteryError, match="different numbers of rows"):
        make_net(NET).forward_all(data=np.zeros((6, 3)), label=np.zeros(5))
