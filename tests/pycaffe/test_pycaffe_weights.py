"""Parameters out of nets and into them."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

import roastery.caffe as caffe
from ir.errors import RoasteryError
from roastery.caffe.proto import caffe_pb2

NET = """
name: "n"
force_backward: true
layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }
layer { name: "a/1" type: "InnerProduct" bottom: "x" top: "y"
  param { name: "w" } param { lr_mult: 2 }
  inner_product_param { num_output: 3 weight_filler { type: "gaussian" std: 1 } } }
layer { name: "b" type: "InnerProduct" bottom: "y" top: "z" param { name: "w" }
  inner_product_param { num_output: 3 bias_term: false } }
"""


def equal_params(one: caffe.Net, other: caffe.Net) -> bool:
    return all(
        np.array_equal(a.data, b.data)
        for name in one.params
        for a, b in zip(one.params[name], other.params[name], strict=True)
    )


def test_save_writes_a_caffemodel_that_protobuf_reads(make_net, tmp_path: Path) -> None:
    net = make_net(NET)
    path = str(tmp_path / "w.caffemodel")
    net.save(path)
    saved = caffe_pb2.NetParameter()
    saved.ParseFromString(Path(path).read_bytes())
    assert saved.name == "n"
    assert [layer.name for layer in saved.layer] == ["in", "a/1", "b"]
    np.testing.assert_array_equal(
        caffe.io.blobproto_to_array(saved.layer[1].blobs[0]), net.params["a/1"][0].data
    )
    other = make_net(NET)
    assert not equal_params(net, other)
    other.copy_from(path)
    assert equal_params(net, other)


def test_save_hdf5_and_load_hdf5(make_net, tmp_path: Path) -> None:
    net = make_net(NET)
    path = str(tmp_path / "w.caffemodel.h5")
    net.save_hdf5(path)
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["data/a/1/0"], net.params["a/1"][0].data)
        assert "0" not in file["data/b"], "a shared parameter is stored with its owner"
    other = make_net(NET)
    other.load_hdf5(path)
    assert equal_params(net, other)


def test_parameters_shared_by_name_are_one(make_net) -> None:
    net = make_net(NET)
    net.params["a/1"][0].data[...] = 5
    assert (net.params["b"][0].data == 5).all()
    net.forward(x=np.ones((2, 3)))
    net.blobs["z"].diff[...] = 1
    net.backward()
    assert np.shares_memory(net.params["b"][0].diff, net.params["a/1"][0].diff)


def test_share_with_makes_data_one_and_keeps_diffs_apart(make_net) -> None:
    net, other = make_net(NET), make_net(NET)
    other.share_with(net)
    assert equal_params(net, other)
    net.params["a/1"][1].data[...] = 9
    assert (other.params["a/1"][1].data == 9).all()
    x = np.ones((2, 3))
    np.testing.assert_array_equal(net.forward(x=x)["z"], other.forward(x=x)["z"])
    other.params["a/1"][0].data[...] = 0
    assert (net.forward(x=x)["z"] == 0).all()
    other.blobs["z"].diff[...] = 1
    other.backward()
    assert other.params["a/1"][1].diff.shape == (3,)
    assert not net.params["a/1"][0].diff.any()
    net.blobs["x"].reshape(4, 3)
    assert net.forward()["z"].shape == (4, 3)


def test_sharing_different_shapes_is_refused(make_net) -> None:
    other = NET.replace("num_output: 3", "num_output: 4", 1).replace('param { name: "w" }', "")
    with pytest.raises(RoasteryError, match="layer 'a/1' has shape 4 x 3"):
        make_net(NET).share_with(make_net(other))


def test_net_surgery(make_net) -> None:
    full = make_net(
        """
    layer { name: "in" type: "Input" top: "x"
      input_param { shape { dim: 1 dim: 2 dim: 3 dim: 3 } } }
    layer { name: "fc" type: "InnerProduct" bottom: "x" top: "y"
      inner_product_param { num_output: 4 weight_filler { type: "xavier" } } }
    """
    )
    conv = make_net(
        """
    layer { name: "in" type: "Input" top: "x"
      input_param { shape { dim: 1 dim: 2 dim: 5 dim: 5 } } }
    layer { name: "fc-conv" type: "Convolution" bottom: "x" top: "y"
      convolution_param { num_output: 4 kernel_size: 3 } }
    """
    )
    conv.params["fc-conv"][0].data.flat = full.params["fc"][0].data.flat
    conv.params["fc-conv"][1].data[...] = full.params["fc"][1].data
    x = np.random.default_rng(0).standard_normal((1, 2, 5, 5))
    found = conv.forward(x=x)["y"]
    for i in range(3):
        for j in range(3):
            part = full.forward(x=x[:, :, i : i + 3, j : j + 3])["y"]
            np.testing.assert_allclose(found[0, :, i, j], part[0], rtol=1e-4, atol=1e-5)


def test_a_file_that_fits_no_layer_is_warned_about(make_net, tmp_path: Path, capfd) -> None:
    make_net(NET).save(str(tmp_path / "w.caffemodel"))
    other = make_net(NET.replace('"a/1"', '"c"').replace('"b"', '"d"'))
    other.copy_from(str(tmp_path / "w.caffemodel"))
    assert "no layer" in capfd.readouterr().err


def test_parameters_take_other_shapes_and_are_saved_so(make_net, tmp_path: Path) -> None:
    """Net surgery: the net itself cannot run until its parameter has its shape again."""
    net = make_net(NET)
    before = [blob.data.copy() for blob in net.params["a/1"]]
    bias = net.params["a/1"][1]
    bias.reshape(2)
    assert (bias.shape, bias.count, bias.data.shape, bias.diff.shape) == ((2,), 2, (2,), (2,))
    bias.data[...] = [4, 5]
    assert np.array_equal(net.layers[1].blobs[1].data, [4, 5])
    weights = net.params["b"][0]  # shared with "a/1"
    weights.reshape(3, 5)
    assert np.array_equal(net.params["a/1"][0].data.ravel()[:9], before[0].ravel())
    assert not weights.data.ravel()[9:].any()
    runs = [
        net.forward,
        net.backward,
        lambda: net.copy_from(path),
        lambda: net.share_with(net),
    ]
    path = str(tmp_path / "w.caffemodel")
    net.save(path)
    net.save_hdf5(f"{path}.h5")
    for run in runs:
        with pytest.raises(RoasteryError, match=r"layer 'a/1' was reshaped from \[3\] to \[2\]"):
            run()
    saved = caffe_pb2.NetParameter()
    saved.ParseFromString(Path(path).read_bytes())
    assert [list(blob.shape.dim) for blob in saved.layer[1].blobs] == [[3, 5], [2]]
    with h5py.File(f"{path}.h5") as file:
        assert np.array_equal(file["data/a/1/1"], [4, 5])
        assert file["data/a/1/0"].shape == (3, 5)
    bias.reshape(3)
    assert np.array_equal(bias.data, [4, 5, before[1][2]])
    weights.reshape(3, 3)
    assert np.array_equal(weights.data, before[0])
    net.forward()
    with pytest.raises(RoasteryError):
        bias.reshape(-1)


def test_a_solver_does_not_train_reshaped_parameters(tmp_path: Path) -> None:
    (tmp_path / "net.prototxt").write_text(
        'layer { name: "d" type: "DummyData" top: "x"'
        " dummy_data_param { shape { dim: 2 dim: 3 } } }"
        'layer { name: "ip" type: "InnerProduct" bottom: "x" top: "y"'
        " inner_product_param { num_output: 1 } }"
        'layer { name: "loss" type: "Reduction" bottom: "y" top: "loss" loss_weight: 1 }'
    )
    (tmp_path / "solver.prototxt").write_text(
        f'net: "{tmp_path}/net.prototxt" base_lr: 1 lr_policy: "fixed" max_iter: 2 '
        f'snapshot_prefix: "{tmp_path}/s"'
    )
    solver = caffe.get_solver(str(tmp_path / "solver.prototxt"))
    solver.net.params["ip"][0].reshape(1, 2)
    for run in (lambda: solver.step(1), solver.solve, solver.snapshot, solver.apply_update):
        with pytest.raises(RoasteryError, match="can only be saved so"):
            run()
    assert solver.iter == 0 and not list(tmp_path.glob("s_*"))
    solver.net.params["ip"][0].reshape(1, 3)
    solver.step(1)
