"""Nets that take other sizes: by hand, by what data layers read, by what depends on data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ir.errors import RoasteryError

CONV = """
force_backward: true
layer { name: "in" type: "Input" top: "data" input_param { shape { dim: 1 dim: 1 dim: 4 dim: 4 } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 2 kernel_size: 3 weight_filler { type: "constant" value: 1 } } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "pool" type: "Pooling" bottom: "conv" top: "pool"
  pooling_param { pool: MAX global_pooling: true } }
layer { name: "a" type: "Power" bottom: "pool" top: "a" power_param { scale: 2 } }
layer { name: "b" type: "Power" bottom: "pool" top: "b" power_param { scale: 3 } }
"""


class Counting:
    """A backend that counts what it binds."""

    def __init__(self, backend) -> None:
        self._backend = backend
        self.name = backend.name
        self.bound: list[str] = []

    def bind(self, graph, inputs, outputs, options, values=None):
        self.bound.append(graph.name)
        return self._backend.bind(graph, inputs, outputs, options, values)


def test_a_reshaped_input_is_followed_by_forward(make_net) -> None:
    net = make_net(CONV)
    blob = net.blobs["conv"]
    net.blobs["data"].reshape(2, 1, 6, 5)
    assert net.blobs["data"].shape == (2, 1, 6, 5)
    net.blobs["data"].data[...] = 1
    out = net.forward()
    assert net.blobs["conv"] is blob
    assert blob.shape == (2, 2, 4, 3)
    assert (blob.data == 9).all()
    assert (out["a"] == 18).all() and (out["b"] == 27).all()
    net.blobs["a"].diff[...] = 1
    net.backward()
    assert net.blobs["data"].diff.shape == (2, 1, 6, 5)
    assert net.blobs["data"].diff.sum() == 2 * 2 * 9 * 2


def test_reshape_alone_sets_every_shape(make_net) -> None:
    net = make_net(CONV)
    net.blobs["data"].reshape(3, 1, 7, 7)
    assert net.blobs["conv"].shape == (1, 2, 2, 2)
    net.reshape()
    assert net.blobs["conv"].shape == (3, 2, 5, 5)
    assert net.blobs["pool_pool_0_split_0"].shape == (3, 2, 1, 1)


def test_memory_stays_where_it_suffices(make_net) -> None:
    net = make_net(CONV)
    blob = net.blobs["data"]
    blob.data[...] = np.arange(16).reshape(1, 1, 4, 4)
    kept = blob.data
    blob.reshape(1, 1, 2, 4)
    np.testing.assert_array_equal(blob.data.ravel(), np.arange(8))
    blob.data[...] = 5
    assert (kept.ravel()[:8] == 5).all(), "a view into the same memory"
    blob.reshape(1, 1, 4, 4)
    np.testing.assert_array_equal(blob.data.ravel()[8:], np.arange(8, 16))


def test_there_and_back_gives_the_same_again(make_net) -> None:
    net = make_net(CONV)
    x = np.random.default_rng(0).standard_normal((1, 1, 4, 4))
    first = {name: array.copy() for name, array in net.forward(data=x).items()}
    net.blobs["data"].reshape(1, 1, 40, 30)
    net.forward()
    net.blobs["data"].reshape(1, 1, 4, 4)
    again = net.forward(data=x)
    for name, array in first.items():
        np.testing.assert_array_equal(again[name], array)
    # Even where nothing ran in between, and another memory block came back.
    net.blobs["data"].reshape(9, 1, 90, 90)
    net.blobs["data"].reshape(1, 1, 4, 4)
    np.testing.assert_array_equal(net.forward(data=x)["a"], first["a"])


def test_a_layer_whose_shapes_stay_is_not_bound_again(make_net) -> None:
    net = make_net(CONV)
    counting = Counting(net.runnable.backend)
    net.runnable.context.backend = counting
    net.forward()
    assert counting.bound == ["conv", "relu", "pool", "a", "b"]
    counting.bound.clear()
    net.blobs["data"].reshape(1, 1, 8, 8)
    net.forward()
    assert counting.bound == ["conv", "relu", "pool"]  # pooled to one pixel again
    counting.bound.clear()
    net.forward()
    assert counting.bound == []


def test_a_size_that_was_seen_before_is_not_lowered_again(make_net) -> None:
    net = make_net(CONV)
    context = net.runnable.context
    lowered: list[tuple[int, int]] = []
    inner = context.lower_again
    layers = net.runnable.program.layers

    def counted(first, last, sizes, **options):
        if layers[first].bottoms:
            lowered.append((first, sizes[layers[first].bottoms[0]][-1]))
        return inner(first, last, sizes, **options)

    context.lower_again = counted
    for size in (5, 6, 5, 6, 4):
        net.blobs["data"].reshape(1, 1, size, size)
        net.forward()
    # conv, relu and pool; the rest has the pooled pixel as before.
    assert lowered == [(1, 5), (2, 3), (3, 3), (1, 6), (2, 4), (3, 4)]


def test_layers_that_cannot_take_a_size_leave_the_net_usable(make_net) -> None:
    net = make_net(
        """
    layer { name: "in" type: "Input" top: "data" input_param { shape { dim: 2 dim: 3 } } }
    layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
      inner_product_param { num_output: 4 } }
    """
    )
    net.blobs["data"].reshape(2, 5)
    with pytest.raises(RoasteryError, match=r"blob 0 of layer 'ip' has shape \[4, 3\].*\[4, 5\]"):
        net.forward()
    net.blobs["data"].reshape(6, 3)
    assert net.forward()["ip"].shape == (6, 4)


def test_bad_shapes_are_refused(make_net) -> None:
    net = make_net(CONV)
    with pytest.raises(RoasteryError, match="cannot have shape"):
        net.blobs["data"].reshape(1, -1, 4, 4)
    with pytest.raises(RoasteryError, match="cannot have shape"):
        net.blobs["data"].reshape(*[1] * 33)
    with pytest.raises(RoasteryError, match="cannot have shape"):
        net.params["conv"][0].reshape(1, -1, 3, 3)


def test_an_inner_blob_gets_its_own_shape_back(make_net) -> None:
    net = make_net(CONV)
    net.forward(data=np.ones((1, 1, 4, 4)))
    net.blobs["conv"].reshape(1, 1, 1, 1)
    assert (net.forward()["a"] == 18).all()
    assert net.blobs["conv"].shape == (1, 2, 2, 2)


def test_recurrent_state_starts_anew_for_another_batch_size(make_net) -> None:
    net = make_net(
        """
    layer { name: "in" type: "Input" top: "x" top: "cont"
      input_param { shape { dim: 2 dim: 3 dim: 4 } shape { dim: 2 dim: 3 } } }
    layer { name: "lstm" type: "LSTM" bottom: "x" bottom: "cont" top: "h"
      recurrent_param { num_output: 5 weight_filler { type: "uniform" min: -1 max: 1 } } }
    """
    )
    net.blobs["x"].data[...] = 1
    net.blobs["cont"].data[...] = 1
    first = net.forward()["h"].copy()
    second = net.forward()["h"].copy()
    assert not np.allclose(first, second), "the state is carried on"
    net.blobs["x"].reshape(2, 2, 4)
    net.blobs["cont"].reshape(2, 2)
    net.blobs["x"].data[...] = 1
    net.blobs["cont"].data[...] = 1
    np.testing.assert_allclose(net.forward()["h"], first[:, :2], rtol=1e-5)


FILTER = """
layer { name: "in" type: "Input" top: "x" top: "s"
  input_param { shape { dim: 4 dim: 2 } shape { dim: 4 } } }
layer { name: "f" type: "Filter" bottom: "x" bottom: "s" top: "y" }
layer { name: "p" type: "Power" bottom: "y" top: "z" power_param { scale: 2 } }
"""


def test_a_size_that_depends_on_data_is_followed_through_the_net(make_net) -> None:
    net = make_net(FILTER)
    x = np.arange(8, dtype=np.float32).reshape(4, 2)
    for selector in ([1, 0, 0, 1], [1, 1, 1, 1], [0, 0, 1, 0], [1, 0, 1, 1]):
        out = net.forward(x=x, s=np.array(selector))
        np.testing.assert_array_equal(out["z"], 2 * x[np.array(selector) == 1])


def test_pictures_of_several_sizes_reshape_the_net(make_net, tmp_path: Path) -> None:
    cv2 = pytest.importorskip("cv2")
    rng = np.random.default_rng(0)
    sizes = [(5, 7), (9, 6), (5, 7), (4, 4)]
    lines = []
    for i, size in enumerate(sizes):
        cv2.imwrite(str(tmp_path / f"{i}.png"), rng.integers(0, 255, (*size, 3), np.uint8))
        lines.append(f"{tmp_path}/{i}.png {i}\n")
    (tmp_path / "list.txt").write_text("".join(lines))
    net = make_net(
        f"""
    layer {{ name: "data" type: "ImageData" top: "data" top: "label"
      image_data_param {{ source: "{tmp_path}/list.txt" batch_size: 1 }} }}
    layer {{ name: "conv" type: "Convolution" bottom: "data" top: "conv"
      convolution_param {{ num_output: 2 kernel_size: 3 }} }}
    """
    )
    for i in range(6):
        net.forward()
        height, width = sizes[i % 4]
        assert net.blobs["data"].shape == (1, 3, height, width)
        assert net.blobs["conv"].shape == (1, 2, height - 2, width - 2)
        assert net.blobs["label"].data == i % 4
        picture = cv2.imread(str(tmp_path / f"{i % 4}.png"))
        np.testing.assert_array_equal(net.blobs["data"].data[0], picture.transpose(2, 0, 1))


def test_a_blob_of_another_shape_between_layers(make_net) -> None:
    """One that the net's inputs can give (2 or 7 rows), and one that they cannot (a single row)."""
    net = make_net(CONV.replace("global_pooling: true", "kernel_size: 2 stride: 2"))
    x = np.random.default_rng(0).standard_normal((3, 2, 9, 8)).astype(np.float32)
    for rows, batch in ((7, 3), (2, 1), (1, 3), (9, 2), (4, 1)):
        net.blobs["conv"].reshape(batch, 2, rows, 8)
        net.blobs["conv"].data[...] = part = x[:batch, :, :rows]
        net.forward(start="relu")
        above = np.maximum(part, 0)
        high = -(-max(rows - 2, 0) // 2) + 1
        found = net.blobs["pool"].data
        assert found.shape == (batch, 2, high, 4)
        for i in range(high):
            for j in range(4):
                window = above[:, :, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
                np.testing.assert_array_equal(found[:, :, i, j], window.max((2, 3)))
        np.testing.assert_array_equal(net.blobs["b"].data, 3 * found)
    # From the inputs everything is as in a net that never had others.
    net.blobs["data"].reshape(2, 1, 5, 7)
    net.blobs["data"].data[...] = 1
    assert (net.forward()["a"] == 18).all() and net.blobs["a"].shape == (2, 2, 2, 3)


def test_a_net_of_fixed_sizes_says_so(make_net) -> None:
    net = make_net(CONV)
    net.runnable.context.lower_again = None
    net.blobs["data"].reshape(1, 1, 5, 5)
    with pytest.raises(RoasteryError, match="fixed shapes"):
        net.forward()
