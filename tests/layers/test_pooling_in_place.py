"""Pooling that writes its top over its bottom, as RRC's nets do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import roastery
from ir.errors import RoasteryError
from roastery import caffe

NET = """layer {{ name: "x" type: "Input" top: "x" input_param {{
  shape {{ dim: 2 dim: 3 dim: 7 dim: 8 }} }} }}
layer {{ name: "c" type: "Convolution" bottom: "x" top: "c" convolution_param {{
  num_output: 4 kernel_size: 1 weight_filler {{ type: "xavier" }} }} }}
layer {{ name: "r" type: "ReLU" bottom: "c" top: "c" }}
layer {{ name: "p" type: "Pooling" bottom: "c" top: "{pooled}" pooling_param {{
  kernel_size: 3 stride: 2 {more} }} }}
layer {{ name: "d" type: "InnerProduct" bottom: "{pooled}" top: "d" inner_product_param {{
  num_output: 2 weight_filler {{ type: "xavier" }} }} }}
"""


def written(folder: Path, pooled: str, more: str = "") -> Path:
    path = folder / f"{pooled}.prototxt"
    path.write_text(NET.format(pooled=pooled, more=more))
    return path


@pytest.mark.parametrize("device", ["reference", "cpu"])
@pytest.mark.parametrize("more", ["", "pool: AVE"])
def test_later_layers_read_what_is_pooled(device: str, more: str, tmp_path: Path) -> None:
    apart = roastery.compile(written(tmp_path, "pooled", more), device=device, seed=1)
    over = roastery.compile(written(tmp_path, "c", more), device=device, seed=1)
    x = np.random.default_rng(0).normal(size=(2, 3, 7, 8)).astype(np.float32)
    np.testing.assert_array_equal(over(x=x)["d"], apart(x=x)["d"])


def test_its_gradient(tmp_path: Path) -> None:
    assert roastery.check_gradient(written(tmp_path, "c")).ok


def test_layer_by_layer(tmp_path: Path) -> None:
    net = caffe.Net(str(written(tmp_path, "c")), caffe.TEST)
    net.blobs["x"].data[...] = np.random.default_rng(0).normal(size=(2, 3, 7, 8))
    net.forward(end="r")
    before = net.blobs["c"].data.copy()
    assert before.shape == (2, 4, 7, 8)
    net.forward(start="p")
    assert net.blobs["c"].data.shape == (2, 4, 3, 4)
    assert net.blobs["c"].data[1, 2, 0, 1] == before[1, 2, :3, 2:5].max()
    net.forward(end="r")
    assert net.blobs["c"].data.shape == (2, 4, 7, 8)


def test_with_padding_windows_would_read_what_is_written(tmp_path: Path) -> None:
    with pytest.raises(RoasteryError, match="with padding a Pooling layer cannot write") as error:
        roastery.compile(written(tmp_path, "c", "pad: 1"), device="reference")
    assert error.value.location is not None and error.value.location.line == 6
