"""Each layer is reshaped inside its own forward: Caffe's Layer::Forward and Net::Reshape."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import roastery.caffe as caffe
from ir.errors import RoasteryError

CLASSIFIER = """
force_backward: true
layer { name: "in" type: "Input" top: "data"
  input_param { shape { dim: 1 dim: 3 dim: 12 dim: 12 } } }
layer { name: "c" type: "Convolution" bottom: "data" top: "c"
  convolution_param { num_output: 4 kernel_size: 3 weight_filler { type: "xavier" } } }
layer { name: "r" type: "ReLU" bottom: "c" top: "c" }
layer { name: "p" type: "Pooling" bottom: "c" top: "p"
  pooling_param { pool: MAX kernel_size: 2 stride: 2 } }
layer { name: "drop" type: "Dropout" bottom: "p" top: "p" }
layer { name: "f" type: "InnerProduct" bottom: "p" top: "f"
  inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }
layer { name: "s" type: "Softmax" bottom: "f" top: "s" }
"""

ROWS = """
layer { name: "in" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 } } }
layer { name: "h" type: "InnerProduct" bottom: "data" top: "h"
  inner_product_param { num_output: 2 weight_filler { type: "constant" value: 1 } } }
layer { name: "n" type: "Power" bottom: "h" top: "h" power_param { shift: 1 } }
layer { name: "y" type: "Power" bottom: "h" top: "y" power_param { scale: 10 } }
layer { name: "z" type: "Flatten" bottom: "h" top: "z" }
layer { name: "w" type: "Reshape" bottom: "z" top: "w" reshape_param { shape { dim: -1 } } }
"""

MODULE = '''
import caffe
import numpy as np

calls = []

class Watched(caffe.Layer):
    """y = 2 x; notes what is called."""

    def setup(self, bottom, top):
        calls.append("setup")

    def reshape(self, bottom, top):
        calls.append("reshape")
        top[0].reshape(*bottom[0].data.shape)

    def forward(self, bottom, top):
        calls.append("forward")
        top[0].data[...] = 2 * bottom[0].data

    def backward(self, top, propagate_down, bottom):
        bottom[0].diff[...] = 2 * top[0].diff

class Sink(caffe.Layer):
    def setup(self, bottom, top):
        pass

    def reshape(self, bottom, top):
        calls.append("sink reshape")

    def forward(self, bottom, top):
        calls.append("sink forward")

class Images(caffe.Layer):
    """Pictures of changing sizes, known when they are read only."""

    def setup(self, bottom, top):
        self.n = 0
        top[0].reshape(1, 2, 4, 8)

    def reshape(self, bottom, top):
        pass

    def forward(self, bottom, top):
        self.n += 1
        shape = (1, 2, 4 + self.n % 3, 8 - self.n % 2)
        top[0].reshape(*shape)
        top[0].data[...] = np.random.RandomState(self.n).rand(*shape)

class Targets(caffe.Layer):
    """Labels in the size of the scores, given in forward only."""

    def setup(self, bottom, top):
        top[0].reshape(1, 1, 4, 8)

    def reshape(self, bottom, top):
        pass

    def forward(self, bottom, top):
        top[0].reshape(1, 1, *bottom[0].data.shape[2:])
        top[0].data[...] = bottom[0].data.argmax(axis=1)[:, None] % 2

class Fill(caffe.Layer):
    """Writes its top at whatever shape that has."""

    def setup(self, bottom, top):
        top[0].reshape(2, 2)

    def reshape(self, bottom, top):
        pass

    def forward(self, bottom, top):
        top[0].data[...] = 7
'''


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module of Python layers that is new in each test."""
    name = f"shaped_layers_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield name
    sys.modules.pop(name, None)


def python_layer(module: str, kind: str, blobs: str, name: str = "py") -> str:
    return (
        f'layer {{ name: "{name}" type: "Python" {blobs} '
        f'python_param {{ module: "{module}" layer: "{kind}" }} }}\n'
    )


def set_input(net: caffe.Net, *shape: int) -> np.ndarray:
    net.blobs["data"].reshape(*shape)
    values = np.random.default_rng(sum(shape)).standard_normal(shape)
    net.blobs["data"].data[...] = values
    return values.astype(np.float32)


# --- up to a layer -----------------------------------------------------------------------


def test_layers_after_the_end_are_not_looked_at(make_net) -> None:
    net = make_net(CLASSIFIER)
    for height, width in ((20, 16), (9, 40), (12, 12), (20, 16)):
        set_input(net, 1, 3, height, width)
        out = net.forward(end="p")["p"]
        assert net.blobs["c"].shape == (1, 4, height - 2, width - 2)
        assert out.shape == (1, 4, (height - 1) // 2, (width - 1) // 2)
        assert net.blobs["f"].shape == (1, 2)
        # As a net that has no later layers does it.
        short = make_net(CLASSIFIER[: CLASSIFIER.index('layer { name: "drop"')])
        short.params["c"][0].data[...] = net.params["c"][0].data
        set_input(short, 1, 3, height, width)
        np.testing.assert_array_equal(out, short.forward()["p"])
        for n in (net, short):
            n.blobs["p"].diff[...] = n.blobs["p"].data
        diff = net.backward(start="p")["data"]
        assert diff.shape == (1, 3, height, width)
        np.testing.assert_array_equal(diff, short.backward()["data"])


def test_a_layer_that_cannot_take_a_size_says_so_when_it_runs(make_net) -> None:
    net = make_net(CLASSIFIER)
    x = set_input(net, 1, 3, 12, 12)
    before = net.forward()["s"].copy()
    set_input(net, 1, 3, 20, 16)
    message = r"\(layer 'f'\): input size incompatible with inner product .*\[2, 100\].*\[2, 252\]"
    for _ in range(2):
        with pytest.raises(RoasteryError, match=message):
            net.forward()
        assert net.blobs["c"].shape == (1, 4, 18, 14)
        assert net.blobs["p"].shape == (1, 4, 9, 7) and net.blobs["p"].data.any()
        assert net.blobs["f"].shape == (1, 2)
    with pytest.raises(RoasteryError, match=message):
        net.reshape()
    net.blobs["data"].reshape(1, 3, 12, 12)
    np.testing.assert_array_equal(net.forward(data=x)["s"], before)
    net.backward()
    assert net.blobs["data"].diff.shape == (1, 3, 12, 12)


def test_channels_that_do_not_fit_the_weights_are_refused(make_net) -> None:
    net = make_net(CLASSIFIER)
    net.blobs["data"].reshape(1, 5, 12, 12)
    with pytest.raises(RoasteryError, match=r"incompatible with convolution parameters"):
        net.forward(end="c")


def test_a_python_layer_after_the_end_is_left_alone(make_net, module: str) -> None:
    net = make_net(
        'layer { name: "in" type: "Input" top: "data" input_param { shape { dim: 2 dim: 3 } } }'
        'layer { name: "a" type: "Power" bottom: "data" top: "a" power_param { scale: 3 } }'
        + python_layer(module, "Watched", 'bottom: "a" top: "y"')
        + python_layer(module, "Sink", 'bottom: "y"', "sink")
    )
    calls = sys.modules[module].calls
    assert calls == ["setup", "reshape", "sink reshape"]
    calls.clear()
    set_input(net, 4, 5)
    net.forward(end="a")
    assert net.blobs["a"].shape == (4, 5) and net.blobs["y"].shape == (2, 3)
    assert calls == []
    net.forward()
    net.forward()
    assert calls == ["reshape", "forward", "sink reshape", "sink forward"] * 2  # once a pass
    assert net.blobs["y"].shape == (4, 5)
    calls.clear()
    net.blobs["data"].reshape(1, 1)
    net.reshape()
    assert calls == ["reshape", "sink reshape"]
    assert net.blobs["y"].shape == (1, 1)


def test_a_file_after_the_end_is_not_written(make_net, tmp_path: Path) -> None:
    path = tmp_path / "out.h5"
    net = make_net(
        'layer { name: "in" type: "Input" top: "data" top: "label" '
        "input_param { shape { dim: 2 dim: 3 } shape { dim: 2 } } }"
        'layer { name: "a" type: "Power" bottom: "data" top: "a" }'
        'layer { name: "out" type: "HDF5Output" bottom: "a" bottom: "label" '
        f'hdf5_output_param {{ file_name: "{path}" }} }}'
    )
    set_input(net, 5, 3)
    net.forward(end="a")
    assert net.blobs["a"].shape == (5, 3)
    assert not path.exists()
    with pytest.raises(RoasteryError, match="differ in the number of rows"):
        net.forward()


# --- sizes that come out of forward ---------------------------------------------------------


def test_training_follows_layers_that_reshape_in_forward(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.prototxt").write_text(
        python_layer(module, "Images", 'top: "data"', "images")
        + 'layer { name: "c" type: "Convolution" bottom: "data" top: "score" '
        "convolution_param { num_output: 2 kernel_size: 1 "
        'weight_filler { type: "xavier" } } }'
        + python_layer(module, "Targets", 'bottom: "score" top: "label"', "targets")
        + 'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "score" bottom: "label" '
        'top: "loss" propagate_down: true propagate_down: false }'
    )
    (tmp_path / "s.prototxt").write_text(
        'train_net: "net.prototxt" base_lr: 0.5 lr_policy: "fixed" max_iter: 9 random_seed: 1'
    )
    solver = caffe.SGDSolver("s.prototxt")
    net = solver.net
    for n in range(1, 8):
        weights = net.params["c"][0].data.copy()
        solver.step(1)
        shape = (1, 2, 4 + n % 3, 8 - n % 2)
        assert net.blobs["data"].shape == shape
        assert net.blobs["label"].shape == (1, 1, *shape[2:])
        x = np.random.RandomState(n).rand(*shape).astype(np.float32)
        np.testing.assert_array_equal(net.blobs["data"].data, x)
        # The gradient of a softmax with the labels that Targets made.
        score = net.blobs["score"].data
        p = np.exp(score) / np.exp(score).sum(axis=1, keepdims=True)
        hot = np.eye(2)[net.blobs["label"].data[:, 0].astype(int)].transpose(0, 3, 1, 2)
        slope = np.einsum("nohw,nihw->oi", p - hot, x) / (shape[2] * shape[3])
        moved = weights - 0.5 * slope[:, :, None, None]
        np.testing.assert_allclose(net.params["c"][0].data, moved, rtol=1e-4, atol=1e-6)


def test_a_python_layer_sees_the_shape_that_the_user_gave_its_top(make_net, module: str) -> None:
    net = make_net(
        python_layer(module, "Fill", 'top: "x"')
        + 'layer { name: "p" type: "Power" bottom: "x" top: "y" power_param { scale: 2 } }'
    )
    for shape in ((2, 2), (3, 5), (1, 4), (3, 5)):
        net.blobs["x"].reshape(*shape)
        assert net.forward()["y"].shape == shape
        assert (net.blobs["y"].data == 14).all()


# --- from a layer ----------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [1, 3, 2, 50])
def test_the_shape_of_an_inner_blob_is_kept(make_net, rows: int) -> None:
    net = make_net(ROWS)
    net.forward(data=np.ones((1, 3)))
    net.blobs["h"].reshape(rows, 2)
    net.blobs["h"].data[...] = values = np.arange(2 * rows).reshape(rows, 2)
    # Split copies are layers of their own: from them on the new shape counts.
    out = net.forward(start="h_n_0_split")
    np.testing.assert_array_equal(out["y"], 10 * values)
    np.testing.assert_array_equal(net.blobs["z"].data, values)
    np.testing.assert_array_equal(out["w"], values.ravel())
    assert net.blobs["h"].shape == (rows, 2)
    # In place, too.
    net.blobs["h"].reshape(2, rows)
    net.blobs["h"].data[...] = 5
    np.testing.assert_array_equal(net.forward(start="n")["y"], np.full((2, rows), 60))
    assert net.blobs["h_n_0_split_1"].shape == (2, rows)
    # A whole pass puts the producer's shape back.
    np.testing.assert_array_equal(net.forward()["y"], [[40, 40]])
    assert net.blobs["h"].shape == (1, 2) and net.blobs["w"].shape == (2,)


def test_a_copy_of_a_split_has_a_shape_of_its_own(make_net) -> None:
    net = make_net(ROWS)
    net.forward(data=np.ones((1, 3)))
    net.blobs["h"].reshape(4, 2)
    assert net.forward(start="y")["y"].shape == (1, 2)  # the split did not run
    net.blobs["h_n_0_split_0"].reshape(5, 2)
    net.blobs["h_n_0_split_0"].data[...] = 1
    assert (net.forward(start="y", end="y")["y"] == np.full((5, 2), 10)).all()
    assert net.blobs["z"].shape == (1, 2)


def test_flatten_and_reshape_share_the_data_of_their_bottom(make_net) -> None:
    net = make_net(ROWS)
    net.forward(data=np.ones((1, 3)))
    net.blobs["h_n_0_split_1"].data[...] = [[8, 9]]  # what Flatten reads; it does not run
    np.testing.assert_array_equal(net.forward(start="w")["w"], [8, 9])
    net.blobs["w"].data[...] = [1, 2]
    np.testing.assert_array_equal(net.blobs["z"].data, [[1, 2]])
    np.testing.assert_array_equal(net.forward(start="y")["y"], [[10, 20]])


def test_a_blob_that_is_written_in_place_is_a_copy(make_net) -> None:
    net = make_net(
        """
    force_backward: true
    layer { name: "in" type: "Input" top: "data" input_param { shape { dim: 2 dim: 1 dim: 3 } } }
    layer { name: "s" type: "Sigmoid" bottom: "data" top: "s" }
    layer { name: "z" type: "Flatten" bottom: "s" top: "z" }
    layer { name: "p" type: "Power" bottom: "z" top: "z" power_param { scale: 10 } }
    """
    )
    x = np.linspace(-1, 1, 6).reshape(2, 1, 3)
    for shape in ((2, 1, 3), (1, 2, 3), (2, 1, 3)):
        net.blobs["data"].reshape(*shape)
        net.blobs["data"].data[...] = x.reshape(shape)
        sigmoid = 1 / (1 + np.exp(-x.reshape(shape)))
        np.testing.assert_allclose(net.forward()["z"].ravel(), 10 * sigmoid.ravel(), rtol=1e-5)
        np.testing.assert_allclose(net.blobs["s"].data, sigmoid, rtol=1e-5)
        net.blobs["z"].diff[...] = 1
        slope = 10 * sigmoid * (1 - sigmoid)
        np.testing.assert_allclose(net.backward()["data"], slope, rtol=1e-4)


def test_what_a_blob_held_comes_back_with_its_shape(make_net) -> None:
    blob = make_net(CLASSIFIER).blobs["data"]
    blob.data[...] = values = np.random.default_rng(0).random((1, 3, 12, 12))
    for shape in ((1, 3, 5, 5), (1, 1, 2, 2), (0,), (1, 3, 12, 12)):
        blob.reshape(*shape)
    np.testing.assert_array_equal(blob.data, values.astype(np.float32))


def test_backward_runs_at_the_shapes_of_forward(make_net) -> None:
    net = make_net(CLASSIFIER)
    set_input(net, 1, 3, 12, 12)
    net.forward()
    set_input(net, 1, 3, 20, 16)
    net.forward(end="p")
    with pytest.raises(RoasteryError, match=r"'p' has shape \[1, 4, 9, 7\]; when layer 'f'"):
        net.backward()
    net.blobs["p"].diff[...] = 1
    assert net.backward(start="p")["data"].shape == (1, 3, 20, 16)
    set_input(net, 1, 3, 12, 12)
    net.forward()
    net.backward()
    assert net.blobs["p"].diff.shape == (1, 4, 5, 5)


def test_shared_statistics_are_read_as_the_layer_before_left_them(make_net) -> None:
    shared = 'param { name: "m" } param { name: "v" } param { name: "f" }'
    net = make_net(
        'layer { name: "in" type: "Input" top: "data" input_param { shape { dim: 4 dim: 2 } } }'
        f'layer {{ name: "b1" type: "BatchNorm" bottom: "data" top: "b1" {shared} }}'
        f'layer {{ name: "b2" type: "BatchNorm" bottom: "b1" top: "b2" {shared} }}',
        caffe.TRAIN,
    )
    x = np.random.default_rng(0).random((4, 2)).astype(np.float32)
    net.forward(data=x)
    factor = net.params["b1"][2].data[0]
    assert factor == pytest.approx(1 * 0.999 + 1)
    np.testing.assert_allclose(net.params["b2"][0].data, 0.999 * x.mean(axis=0), atol=1e-5)
