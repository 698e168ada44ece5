"""Coordinates through layers, checked against where a pixel really goes."""

from __future__ import annotations

import numpy as np
import pytest

import roastery.caffe as caffe
from ir.errors import RoasteryError
from roastery.caffe import coord_map as cm
from roastery.caffe import layers as L
from roastery.caffe import params as P


def spec(ks=3, stride=1, pad=0, pool=2, up=2, up_pad=0) -> caffe.NetSpec:
    n = caffe.NetSpec()
    n.data = L.Input(shape={"dim": [1, 1, 60, 60]})
    n.conv = L.Convolution(n.data, num_output=1, kernel_size=ks, stride=stride, pad=pad)
    n.pool = L.Pooling(n.conv, pool=P.Pooling.MAX, kernel_size=pool, stride=pool)
    n.deconv = L.Deconvolution(n.pool, num_output=1, kernel_size=2 * up, stride=up, pad=up_pad)
    return n


def test_known_maps() -> None:
    n = spec()
    axis, scale, shift = cm.coord_map_from_to(n.deconv, n.data)
    assert (axis, scale[0], shift[0]) == (1, 1, 0)
    n = spec(pool=4, up=4)
    assert cm.coord_map_from_to(n.deconv, n.data)[2][0] == -1
    n.relu = L.ReLU(n.deconv)
    assert cm.coord_map_from_to(n.relu, n.data)[2][0] == -1


@pytest.mark.parametrize("pad", [0, 3, 7])
def test_padding_shifts(pad: int) -> None:
    def shift(n: caffe.NetSpec) -> float:
        return float(cm.coord_map_from_to(n.deconv, n.data)[2][0])

    plain = shift(spec())
    assert shift(spec(pad=pad)) == plain - pad
    assert shift(spec(up_pad=pad)) == plain + pad
    assert shift(spec(pad=pad, up_pad=pad)) == plain


def test_a_crop_lines_up_what_it_cuts() -> None:
    """An upsampled picture, cropped to the data, has each pixel where the data has it."""
    n = spec(ks=1, pool=2, up=2, up_pad=0, pad=10)
    n.score = cm.crop(n.deconv, n.data)
    net = caffe.Net(n.to_proto(), caffe.TEST)
    net.params["conv"][0].data[...] = 1
    net.params["deconv"][0].data[...] = 0
    net.params["deconv"][0].data[..., 1:3, 1:3] = 1  # each pooled pixel fills its window
    x = np.zeros((1, 1, 60, 60))
    x[0, 0, 20:22, 40:42] = 1
    found = net.forward(data=x)["score"]
    np.testing.assert_array_equal(found, x)


def test_crop_layers_are_walked_through() -> None:
    n = spec()
    before = cm.coord_map_from_to(n.deconv, n.data)
    n.crop = L.Crop(n.deconv, n.data, axis=2, offset=5)
    after = cm.coord_map_from_to(n.crop, n.data)
    assert after[0] == before[0]
    assert after[2][0] == before[2][0] + 5


# Of python/caffe/coord_map.py, and those of forks that are like them.
KEPT = [
    "AbsVal",
    "BatchNorm",
    "Bias",
    "BNLL",
    "Clip",
    "Dropout",
    "Eltwise",
    "ELU",
    "Exp",
    "Log",
    "LRN",
    "MVN",
    "Power",
    "PReLU",
    "ReLU",
    "Scale",
    "Sigmoid",
    "Split",
    "Swish",
    "TanH",
    "Threshold",
    "ReLU6",
    "Normalize",
    "ShuffleChannel",
]


@pytest.mark.parametrize("type_name", KEPT)
def test_layers_that_leave_coordinates_where_they_are(type_name: str) -> None:
    n = spec()
    n.top = getattr(L, type_name)(n.deconv)
    before, after = (cm.coord_map_from_to(top, n.data) for top in (n.deconv, n.top))
    assert before == after


def test_convolutions_of_forks_map_as_convolutions() -> None:
    n = spec()
    for name in ("Convolution", "DepthwiseConvolution", "ConvolutionDepthwise"):
        layer = getattr(L, name)(n.deconv, num_output=1, kernel_size=5, stride=1, pad=1)
        assert cm.coord_map(layer.fn)[1:] == (1, -1)


@pytest.mark.parametrize("type_name", ["Softmax", "Concat", "InnerProduct", "Nobodys"])
def test_layers_without_such_a_map(type_name: str) -> None:
    n = spec()
    with pytest.raises(cm.UndefinedMapException, match=f"a {type_name} layer"):
        cm.coord_map(getattr(L, type_name)(n.deconv).fn)


def test_axes_may_differ() -> None:
    n = spec(ks=[3, 5], stride=[1, 2], pad=[0, 10])
    tall, wide = spec(ks=3), spec(ks=5, stride=2, pad=10)
    _, scale, shift = cm.coord_map_from_to(n.deconv, n.data)
    for index, other in enumerate((tall, wide)):
        _, one_scale, one_shift = cm.coord_map_from_to(other.deconv, other.data)
        assert (scale[index], shift[index]) == (one_scale[0], one_shift[0])


def test_what_cannot_be_cropped() -> None:
    n = spec()
    n.ip = L.InnerProduct(n.deconv, num_output=2)
    with pytest.raises(RuntimeError, match="not connected"):
        cm.coord_map_from_to(n.ip, n.data)
    n = spec(pool=3, up=2)
    with pytest.raises(AssertionError, match="different scales"):
        cm.crop(n.deconv, n.data)
    n = spec(up_pad=10)
    with pytest.raises(AssertionError, match="negative offset"):
        cm.crop(n.deconv, n.data)
    n = spec(ks=2)
    with pytest.raises(AssertionError, match="part of a pixel"):
        cm.crop(n.deconv, n.data)
    n.odd = L.Pooling(n.data, kernel_h=2, kernel_w=3)
    with pytest.raises(RoasteryError, match="kernel_h"):
        cm.coord_map_from_to(n.odd, n.data)
