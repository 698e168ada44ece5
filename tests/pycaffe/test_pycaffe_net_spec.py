"""NetSpec: names, parameters, and messages for what is wrong."""

from __future__ import annotations

import numpy as np
import pytest
from google.protobuf import text_format

import roastery.caffe as caffe
from ir.errors import RoasteryError
from roastery.caffe import layers as L
from roastery.caffe import params as P
from roastery.caffe.proto import caffe_pb2


def lenet(batch: int) -> caffe.NetSpec:
    n = caffe.NetSpec()
    n.data, n.label = L.DummyData(
        shape=[{"dim": [batch, 1, 28, 28]}, {"dim": [batch]}],
        transform_param={"scale": 1 / 255},
        ntop=2,
    )
    n.conv1 = L.Convolution(
        n.data, kernel_size=5, num_output=20, weight_filler={"type": "xavier"},
        param=[{"lr_mult": 1}, {"lr_mult": 2, "decay_mult": 0}],
    )  # fmt: skip
    n.pool1 = L.Pooling(n.conv1, kernel_size=2, stride=2, pool=P.Pooling.MAX)
    n.ip1 = L.InnerProduct(n.pool1, num_output=10)
    n.relu1 = L.ReLU(n.ip1, in_place=True)
    n.loss = L.SoftmaxWithLoss(n.relu1, n.label, loss_weight=2, include={"phase": caffe.TRAIN})
    return n


def test_the_message_says_what_was_written() -> None:
    net = lenet(3).to_proto()
    assert isinstance(net, caffe_pb2.NetParameter)
    data, conv, pool, ip, relu, loss = net.layer
    assert (data.name, list(data.top)) == ("data", ["data", "label"])
    assert [list(s.dim) for s in data.dummy_data_param.shape] == [[3, 1, 28, 28], [3]]
    assert data.transform_param.scale == np.float32(1 / 255)
    assert list(conv.convolution_param.kernel_size) == [5]
    assert conv.convolution_param.weight_filler.type == "xavier"
    assert [spec.lr_mult for spec in conv.param] == [1, 2]
    assert conv.param[1].decay_mult == 0
    assert pool.pooling_param.pool == caffe_pb2.PoolingParameter.MAX
    assert list(relu.bottom) == list(relu.top) == ["ip1"]
    assert relu.name == "relu1"
    assert list(loss.bottom) == ["ip1", "label"], "an in-place top has its bottom's name"
    assert list(loss.loss_weight) == [2]
    assert loss.include[0].phase == caffe.TRAIN
    assert ip.inner_product_param.num_output == 10
    again = text_format.Parse(str(net), caffe_pb2.NetParameter())
    assert again == net


def test_it_runs(make_net) -> None:
    net = make_net(str(lenet(2).to_proto()), caffe.TRAIN)
    assert [layer.type for layer in net.layers] == [
        "DummyData", "Convolution", "Pooling", "InnerProduct", "ReLU", "SoftmaxWithLoss",
    ]  # fmt: skip
    assert net.forward()["loss"] == pytest.approx(np.log(10), rel=1e-5)


def test_names_are_made_of_types_where_none_are_given() -> None:
    data = L.Input(shape={"dim": [1, 2]})
    ip = L.InnerProduct(data, num_output=2)
    top = L.Eltwise(L.ReLU(ip), L.ReLU(ip), operation=P.Eltwise.SUM)
    net = top.to_proto()
    assert [layer.name for layer in net.layer] == [
        "Input1", "InnerProduct1", "ReLU1", "ReLU2", "Eltwise1",
    ]  # fmt: skip
    assert list(net.layer[4].bottom) == ["ReLU1", "ReLU2"]
    assert caffe.to_proto(top, ip) == net


def test_a_layer_takes_its_own_name() -> None:
    n = caffe.NetSpec()
    n["a/b"] = L.Input(shape={"dim": 3}, name="input layer")
    net = n.to_proto()
    assert (net.layer[0].name, net.layer[0].top[0]) == ("input layer", "a/b")
    assert n["a/b"].fn.params["name"] == "input layer"
    assert "a/b" in n and "c" not in n


def test_layers_without_tops() -> None:
    n = caffe.NetSpec()
    n.data, n.more = L.DummyData(shape={"dim": 3}, ntop=2)
    n.quiet = L.Silence(n.data, n.more, ntop=0)
    net = n.to_proto()
    assert net.layer[1].name == "quiet"
    assert not net.layer[1].top
    assert caffe.Net(net, caffe.TEST).forward() == {}


def test_deconvolution_finds_its_parameters() -> None:
    data = L.Input(shape={"dim": [1, 2, 3, 3]})
    layer = L.Deconvolution(data, num_output=2, kernel_size=4, stride=2).to_proto().layer[1]
    assert layer.convolution_param.num_output == 2
    direct = L.Deconvolution(data, convolution_param={"num_output": 2, "kernel_size": 4})
    assert direct.to_proto().layer[1].convolution_param.num_output == 2


def test_mistakes_are_named() -> None:
    data = L.Input(shape={"dim": [1, 2]})
    with pytest.raises(RoasteryError, match="no parameter 'num_outputs'") as caught:
        L.InnerProduct(data, num_outputs=3).to_proto()
    assert "did you mean 'num_output'" in str(caught.value)
    with pytest.raises(RoasteryError, match="FillerParameter has no field 'typ'"):
        L.InnerProduct(data, num_output=3, weight_filler={"typ": "xavier"}).to_proto()
    tops = L.DummyData(ntop=2)
    with pytest.raises(TypeError, match=r"^Silence input 0 is not a Top \(type is <class 'tuple'>"):
        L.Silence(tops, ntop=0)
    n = caffe.NetSpec()
    n.both = tops
    with pytest.raises(RoasteryError, match="'both' is a tuple"):
        n.to_proto()
    with pytest.raises(AttributeError, match="no top 'nothing'"):
        _ = n.nothing
    with pytest.raises(AttributeError, match="no PollingParameter"):
        _ = P.Polling.MAX
