"""Layers that share a name, or have none: the k-th of a name is the k-th, everywhere."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

import roastery
import roastery.caffe as caffe
from frontends.caffemodel import read_weights, write_weights_hdf5
from ir.errors import RoasteryError
from roastery.api.exporting import export_net
from roastery.caffe.proto import caffe_pb2
from roastery.cli.main import main
from runtime.artifact import load

INPUT = 'layer { name: "in" type: "Input" top: "t0" input_param { shape { dim: 1 dim: 2 } } }\n'


def net_text(*names: str | None, outputs: int = 2) -> str:
    """InnerProduct layers in a row; None: the layer has no name."""
    return INPUT + "".join(
        f"layer {{ {'' if name is None else f'name: {quoted(name)}'} "
        f'type: "InnerProduct" bottom: "t{i}" top: "t{i + 1}" '
        f"inner_product_param {{ num_output: {outputs} }} }}\n"
        for i, name in enumerate(names)
    )


def quoted(name: str) -> str:
    data = name.encode("utf-8", "surrogateescape")
    return '"' + "".join(f"\\{byte:03o}" for byte in data) + '"'


@pytest.fixture(autouse=True)
def _reference(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ROASTERY_DEVICE", "reference")
    monkeypatch.chdir(tmp_path)


def make(text: str, *weights: str) -> caffe.Net:
    Path("net.prototxt").write_text(text)
    return caffe.Net("net.prototxt", *weights, caffe.TEST)


def numbered(text: str) -> caffe.Net:
    """A net whose layers hold 1, 2, 3 ..."""
    net = make(text)
    for number, layer in enumerate([x for x in net.layers if len(x.blobs)], 1):
        for blob in layer.blobs:
            blob.data[...] = number
    return net


def held(net: caffe.Net) -> list[list[float]]:
    return [[float(b.data.max()) for b in x.blobs] for x in net.layers if len(x.blobs)]


ODD = [
    ("ip", "ip", "ip"),
    (None, None),
    ("", "a"),
    ("a", "/a", "a/", "a//b", "a/b", "/", "//a"),
    (".", "..", "./a", "a/.", "a/..", "a"),
    ("a", "a/0", "a/1", "a/0/0", "a@2", "a"),
    ("a/0", "a"),
    ("conv1/7x7_s2", "conv1", "conv1/7x7_s2"),
    ("0", "1", "0/1"),
    ("with\0zero", "with"),
    ("café", "c%20", "a b\n"),
    ("/".join("x" * 40), "y"),
    ("data", "diff", "layer", "/data", "/data/a"),
    ("n" * 300, "n" * 300),
]


@pytest.mark.parametrize("names", ODD, ids=repr)
@pytest.mark.parametrize("method", ["save", "save_hdf5"])
def test_nothing_is_lost_in_files(names: tuple[str | None, ...], method: str) -> None:
    text = net_text(*names)
    net = numbered(text)
    getattr(net, method)("w")
    assert held(make(text, "w")) == [[float(n)] * 2 for n in range(1, len(names) + 1)]


def test_a_name_that_is_no_text_survives_hdf5() -> None:
    text = net_text("caf\udce9", "a/\udce9", "caf\udce9")
    numbered(text).save_hdf5("w")
    assert held(make(text, "w")) == [[1, 1], [2, 2], [3, 3]]


def test_caffe_reads_all_blobs_in_order() -> None:
    numbered(net_text("ip", "other", "ip")).save("w")
    saved = caffe_pb2.NetParameter.FromString(Path("w").read_bytes())
    assert [x.name for x in saved.layer] == ["in", "ip", "other", "ip"]
    assert [x.blobs[0].data[0] for x in saved.layer if x.blobs] == [1, 2, 3]


def test_ordinary_names_are_groups_as_caffe_makes_them() -> None:
    numbered(net_text("conv1/7x7", "conv1", "..", "ip", "ip")).save_hdf5("w")
    with h5py.File("w") as file:
        for number, path in enumerate(["conv1/7x7", "conv1", "..", "ip"], 1):
            assert file[f"data/{path}/0"][0, 0] == number
            assert not file[f"data/{path}"].attrs


def test_caffes_hdf5_files_with_such_names() -> None:
    """HDF5 drops the slash of ``b/``, and puts ``/a`` beside /data: Caffe finds neither again."""
    with h5py.File("w", "w") as file:
        data = file.create_group("data")
        for number, name in enumerate(("b/", "/a", "c//d", "%2Fe"), 1):
            data.require_group(name).create_dataset("0", data=np.full((2, 2), number, np.float32))
            data[name].create_dataset("1", data=np.full(2, number, np.float32))
    net = make(net_text("b/", "/a", "c//d", "%2Fe"), "w")
    assert held(net) == [[1, 1], [2, 2], [3, 3], [4, 4]]


def test_a_dot_is_no_missing_name() -> None:
    numbered(net_text("")).save_hdf5("w")
    first = held(make(net_text(".")))
    assert held(make(net_text("."), "w")) == first != [[1, 1]]


def test_a_damaged_name_is_refused() -> None:
    write_weights_hdf5("w", [("", [np.ones(1)])])
    for attribute in ("[", "[1]", '{"name": 3, "number": 1}', '{"name": "", "number": 0}'):
        with h5py.File("w", "r+") as file:
            (group,) = file["data"].values()
            group.attrs["layer"] = attribute
        with pytest.raises(RoasteryError, match="does not say which layer it is of"):
            read_weights("w")


def test_two_groups_of_one_layer_are_refused() -> None:
    write_weights_hdf5("w", [("a", [np.ones(1)]), ("a", [np.ones(1)])])
    with h5py.File("w", "r+") as file:
        file["data/a@2"].attrs["layer"] = '{"name": "a", "number": 1}'
    with pytest.raises(RoasteryError, match="holds layer 'a' twice"):
        read_weights("w")


def test_a_name_that_hdf5_cannot_hold_is_an_error() -> None:
    net = make(net_text("n" * 70_000))
    with pytest.raises(RoasteryError, match="cannot hold the name of layer 'nnn"):
        net.save_hdf5("w")
    assert not Path("w").exists()
    net.save("w")


@pytest.mark.parametrize("method", ["save", "save_hdf5"])
def test_layers_without_blobs_do_not_count_where_nets_differ(method: str) -> None:
    """The net that was trained has a data layer, or a ReLU, of the name; the other net has not."""
    relu = 'layer { name: "x" type: "ReLU" bottom: "t0" top: "t0" }\n'
    text = net_text("x", "x")
    trained = numbered(text.replace(INPUT, INPUT + relu))
    getattr(trained, method)("w")
    assert held(make(text, "w")) == [[1, 1], [2, 2]]
    getattr(numbered(text), method)("w")
    assert held(make(text.replace(INPUT, INPUT + relu), "w")) == [[1, 1], [2, 2]]


@pytest.mark.parametrize("method", ["save", "save_hdf5"])
def test_shared_parameters_of_one_name(method: str) -> None:
    text = net_text("ip", "ip", "ip").replace(
        "num_output: 2 } }", 'num_output: 2 } param { name: "w" } param { } }', 2
    )
    net = make(text)
    for number, layer in enumerate(net.layers[1:]):
        for k, blob in enumerate(layer.blobs):
            blob.data[...] = 10 * number + k
    wanted = held(net)
    assert wanted[0][0] == wanted[1][0], "the first two share their weights"
    getattr(net, method)("w")
    assert held(make(text, "w")) == wanted


def test_who_shares_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    text = (
        net_text("ip", "ip")
        .replace("} }\n", '} param { name: "w" } }\n')
        .replace('shape { dim: 1 dim: 2 } } param { name: "w" }', "shape { dim: 1 dim: 2 } }")
    )
    Path("net.prototxt").write_text(text)
    numbered(text).save("w")
    assert main(["test", "--model=net.prototxt", "--weights=w", "--iterations=1"]) == 0
    assert "Sharing parameters 'w' owned by layer 'ip', param index 0" in capfd.readouterr().err


@pytest.mark.parametrize("ending", ["", ".h5"])
def test_fewer_layers_in_the_file_or_in_the_net(
    ending: str, capfd: pytest.CaptureFixture[str]
) -> None:
    method = "save_hdf5" if ending else "save"
    getattr(numbered(net_text("ip", "ip")), method)("two")
    getattr(numbered(net_text("ip")), method)("one")
    capfd.readouterr()
    assert held(make(net_text("ip"), "two")) == [[1, 1]]
    assert "1 layer(s) of 'two' have weights that no layer of the net takes: 'ip'" in (
        capfd.readouterr().err
    )
    net = numbered(net_text("ip", "ip"))
    net.layers[1].blobs[0].data[...] = 7
    net.copy_from("one")
    assert held(net) == [[1, 1], [2, 2]]
    assert "2 layers of the net are called 'ip', and 'one' has weights for 1" in (
        capfd.readouterr().err
    )


def test_the_command_and_pycaffe_say_the_same(capfd: pytest.CaptureFixture[str]) -> None:
    text = net_text("ip", "ip")
    numbered(text).save("w")
    capfd.readouterr()
    make(text, "w")
    said = capfd.readouterr().err
    assert main(["test", "--model=net.prototxt", "--weights=w", "--iterations=1"]) == 0
    for lines in (said, capfd.readouterr().err):
        assert "net.prototxt:3:" in lines
        assert "the layer in line 2 has the same name" in lines


def test_names_in_pycaffe() -> None:
    net = numbered(net_text("ip", "ip", None))
    assert net._layer_names == ["in", "ip", "ip", ""]
    assert list(net.params) == ["ip", ""]
    assert net.params["ip"][0].data[0, 0] == 2, "the last of a name, as in pycaffe"
    assert net.layer_dict["ip"] is net.layers[2]
    assert list(net.forward(end="ip")) == ["t1"], "the first of a name, as in pycaffe"


def test_two_nets_share() -> None:
    text = net_text("ip", None, "ip", None)
    owner, other = numbered(text), make(text)
    other.share_with(owner)
    assert held(other) == [[1, 1], [2, 2], [3, 3], [4, 4]]
    owner.layers[3].blobs[0].data[...] = 9
    assert other.layers[3].blobs[0].data[0, 0] == 9


def test_all_parameters_of_an_executable(tmp_path: Path) -> None:
    text = net_text("ip", "ip", "ip@2")
    numbered(text).save("w")
    net = roastery.compile("net.prototxt", "w", device="reference")
    assert {name: values[0][0, 0] for name, values in net.parameters.items()} == {
        "ip": 1,
        "ip@3": 2,
        "ip@2": 3,
    }


def test_an_exported_net_has_all_weights() -> None:
    text = net_text("ip", "ip", None, None)
    net = numbered(text)
    net.save("w")
    export_net("net.prototxt", "w", "n.roast")
    x = np.ones((1, 2), np.float32)
    net.blobs["t0"].data[...] = x
    np.testing.assert_array_equal(load("n.roast", "cpu")(t0=x)["t4"], net.forward()["t4"])


def test_an_upgraded_file_keeps_all_weights() -> None:
    numbered(net_text("ip", "ip", "b")).save("w")
    assert main(["upgrade_net_proto_binary", "w", "new"]) == 0
    assert [x.blobs[0].max() for x in read_weights("new") if x.blobs] == [1, 2, 3]


SOLVER = """
net: "train.prototxt" base_lr: 0.1 lr_policy: "fixed" momentum: 0.9 max_iter: 4 random_seed: 3
test_iter: 1 test_interval: 2 snapshot_prefix: "s" snapshot_format: %s solver_mode: CPU display: 1
"""

TRAINED = """
layer { name: "same" type: "DummyData" top: "x" dummy_data_param { shape { dim: 4 dim: 3 }
  data_filler { type: "gaussian" } } }
layer { name: "same" type: "DummyData" top: "y" dummy_data_param { shape { dim: 4 dim: 2 }
  data_filler { type: "gaussian" } } }
layer { name: "same" type: "InnerProduct" bottom: "x" top: "a"
  inner_product_param { num_output: 5 weight_filler { type: "xavier" } } }
layer { type: "TanH" bottom: "a" top: "a" }
layer { type: "InnerProduct" bottom: "a" top: "b"
  inner_product_param { num_output: 4 weight_filler { type: "xavier" } } }
layer { name: "same" type: "InnerProduct" bottom: "b" top: "c"
  inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }
layer { name: "same" type: "EuclideanLoss" bottom: "c" bottom: "y" top: "loss" }
"""


@pytest.mark.parametrize("format", ["BINARYPROTO", "HDF5"])
def test_training_goes_on_as_if_nothing_had_happened(
    format: str, capfd: pytest.CaptureFixture[str]
) -> None:
    Path("train.prototxt").write_text(TRAINED)
    Path("solver.prototxt").write_text(SOLVER % format)
    ending = ".h5" if format == "HDF5" else ""
    assert main(["train", "--solver=solver.prototxt"]) == 0
    whole = read_weights(f"s_iter_4.caffemodel{ending}")
    log = capfd.readouterr().err
    Path("solver.prototxt").write_text(SOLVER.replace("max_iter: 4", "max_iter: 2") % format)
    assert main(["train", "--solver=solver.prototxt"]) == 0
    Path("solver.prototxt").write_text(SOLVER % format)
    state = f"--snapshot=s_iter_2.solverstate{ending}"
    assert main(["train", "--solver=solver.prototxt", state]) == 0
    resumed = read_weights(f"s_iter_4.caffemodel{ending}")
    assert sum(bool(x.blobs) for x in whole) == 3
    for one, other in zip(whole, resumed, strict=True):
        for mine, theirs in zip(one.blobs, other.blobs, strict=True):
            np.testing.assert_array_equal(mine, theirs)
    tested = [line.split("loss = ")[1] for line in log.splitlines() if "Test net output" in line]
    assert len(set(tested)) == len(tested) == 3, "the test net uses what was trained"


def test_the_api_and_export_tell(caplog: pytest.LogCaptureFixture) -> None:
    same = "the layer in line 2 has the same name"
    numbered(net_text("other")).save("w")
    make(net_text("ip", "ip"))
    roastery.compile("net.prototxt", "w", device="reference")
    assert same in caplog.text
    assert "every parameter keeps its initial value" in caplog.text
    caplog.clear()
    with pytest.raises(RoasteryError, match="has no weights for any layer") as caught:
        export_net("net.prototxt", "w", "n.roast")
    assert same in caplog.text
    assert caught.value.hint == "layers with weights are, in the net, 'ip'; in the file, 'other'"


def test_data_layers_of_one_name_draw_differently() -> None:
    layer = """layer { DummyData type: "DummyData" top: "%s"
      dummy_data_param { shape { dim: 99 } data_filler { type: "gaussian" } } }"""
    for name in ('name: "d"', ""):
        net = make((layer % "a" + layer % "b").replace("{ DummyData", f"{{ {name}"))
        net.forward()
        assert not np.array_equal(net.blobs["a"].data, net.blobs["b"].data)
