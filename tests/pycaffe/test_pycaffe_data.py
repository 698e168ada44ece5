"""Data layers under caffe.Net: MemoryData from arrays, constant tops, labels that are wrong."""

from __future__ import annotations

import numpy as np
import pytest

import roastery.caffe as caffe
from ir.errors import RoasteryError

MEMORY = """
layer { name: "data" type: "MemoryData" top: "data" top: "label"
  memory_data_param { batch_size: 2 channels: 1 height: 2 width: 3 } }
layer { name: "twice" type: "Power" bottom: "data" top: "twice" power_param { scale: 2 } }
"""


def test_memory_data_reads_the_arrays_it_was_given(make_net) -> None:
    net = make_net(MEMORY)
    data = np.arange(24, dtype=np.float32).reshape(4, 1, 2, 3)
    labels = np.arange(4, dtype=np.float32)
    net.set_input_arrays(data, labels)
    for begin in (0, 2, 0):
        out = net.forward()
        np.testing.assert_array_equal(out["twice"], 2 * data[begin : begin + 2])
        np.testing.assert_array_equal(np.ravel(out["label"]), labels[begin : begin + 2])
    data[2:] = -1  # not a copy
    assert (net.forward()["twice"] == -2).all()
    net.set_input_arrays(data[:2].copy(), labels[:2].reshape(2, 1, 1, 1))
    np.testing.assert_array_equal(net.forward()["twice"], 2 * data[:2])


@pytest.mark.parametrize(
    ("data", "labels", "said"),
    [
        (np.zeros((2, 1, 2, 3)), np.zeros(2, np.float32), "float64"),
        (np.zeros((2, 1, 3, 2), np.float32).swapaxes(2, 3), np.zeros(2, np.float32), "contiguous"),
        (np.zeros((2, 2, 2, 3), np.float32), np.zeros(2, np.float32), "shape"),
        (np.zeros((3, 1, 2, 3), np.float32), np.zeros(3, np.float32), "multiple of the batch"),
        (np.zeros((2, 1, 2, 3), np.float32), np.zeros(4, np.float32), "2 rows .* 4 labels"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(make_net, data, labels, said: str) -> None:
    with pytest.raises(RoasteryError, match=said):
        make_net(MEMORY).set_input_arrays(data, labels)


def test_only_memory_data_takes_arrays(make_net) -> None:
    net = make_net('layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 1 } } }')
    with pytest.raises(RoasteryError, match="first layer is MemoryData; this one's is Input"):
        net.set_input_arrays(np.zeros((1, 1, 1, 1), np.float32), np.zeros(1, np.float32))


def test_what_is_written_into_a_constant_top_stays(make_net) -> None:
    net = make_net(
        """
    layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 1 } } }
    layer { name: "data" type: "DummyData" top: "noise" top: "label"
      dummy_data_param { shape { dim: 3 } shape { dim: 3 }
        data_filler { type: "gaussian" } data_filler { type: "constant" value: 4 } } }
    """
    )
    net.forward()
    assert (net.blobs["label"].data == 4).all()
    noise = net.blobs["noise"].data.copy()
    net.blobs["label"].data[...] = [7, 8, 9]
    net.blobs["noise"].data[...] = 0
    net.forward()
    np.testing.assert_array_equal(net.blobs["label"].data, [7, 8, 9])
    net.blobs["x"].reshape(2)  # which is no concern of the data layer's
    net.forward()
    np.testing.assert_array_equal(net.blobs["label"].data, [7, 8, 9])
    assert net.blobs["noise"].data.all() and not (net.blobs["noise"].data == noise).any()


def test_dummy_data_keeps_shapes_that_its_tops_are_given(make_net) -> None:
    """Caffe's layer fills constant tops when it is made, and never reshapes a top."""
    net = make_net(
        """
    layer { name: "data" type: "DummyData" top: "noise" top: "x"
      dummy_data_param { shape { dim: 3 } shape { dim: 3 }
        data_filler { type: "gaussian" } data_filler { type: "constant" value: 4 } } }
    layer { name: "twice" type: "Power" bottom: "x" top: "twice" power_param { scale: 2 } }
    layer { name: "same" type: "Power" bottom: "noise" top: "same" }
    """
    )
    assert (net.blobs["x"].data == 4).all() and not net.blobs["noise"].data.any()
    net.blobs["x"].data[...] = [7, 8, 9]  # before the first pass
    np.testing.assert_array_equal(net.forward()["twice"], [14, 16, 18])
    net.blobs["x"].reshape(2, 20)
    net.blobs["x"].data[...] = 5
    net.blobs["noise"].reshape(4)
    for _ in range(2):
        out = net.forward()
        np.testing.assert_array_equal(out["twice"], np.full((2, 20), 10))
        assert out["same"].shape == (4,) and out["same"].all()
    net.blobs["x"].reshape(1)
    np.testing.assert_array_equal(net.forward()["twice"], [10])


def test_a_label_that_no_class_has_is_refused(make_net) -> None:
    net = make_net(
        """
    layer { name: "data" type: "DummyData" top: "x" top: "label"
      dummy_data_param { shape { dim: 2 dim: 3 } shape { dim: 2 }
        data_filler { type: "constant" } data_filler { type: "constant" value: 3 } } }
    layer { name: "loss" type: "SoftmaxWithLoss" bottom: "x" bottom: "label" top: "loss" }
    """
    )
    with pytest.raises(RoasteryError, match=r"label 3 .* 3 class"):
        net.forward()


def test_a_seed_makes_nets_equal(make_net) -> None:
    text = """
    layer { name: "data" type: "DummyData" top: "x"
      dummy_data_param { shape { dim: 4 dim: 8 } data_filler { type: "gaussian" } } }
    layer { name: "ip" type: "InnerProduct" bottom: "x" top: "y"
      inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
    layer { name: "drop" type: "Dropout" bottom: "y" top: "y" }
    """

    def run() -> np.ndarray:
        caffe.set_random_seed(11)
        net = make_net(text, caffe.TRAIN)
        return np.stack([net.forward()["y"].copy() for _ in range(3)])

    first = run()
    np.testing.assert_array_equal(first, run())
    assert not np.array_equal(first[0], first[1])
