"""Weights and mean files: Caffe's own read right, ours byte for byte like Caffe's."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from frontends.caffemodel import (
    is_hdf5,
    read_blob,
    read_net_and_weights,
    read_weights,
    write_weights,
    write_weights_hdf5,
)
from frontends.prototxt import parse_text
from frontends.schema.pool import caffe_pb2
from ir.errors import RoasteryError
from roastery.wire.blob_proto import encode_blob
from roastery.wire.encoding import bytes_field, varint_field
from runtime.data.mean_file import write_mean

RECORDS = Path(__file__).parents[1] / "data" / "caffemodel"
UPGRADES = Path(__file__).parents[1] / "data" / "upgrades" / "binary"


@pytest.fixture(scope="module")
def expected():
    return np.load(RECORDS / "expected.npz")


@pytest.mark.parametrize(
    ("file", "run"),
    [
        ("sgd_iter_5.caffemodel", "sgd"),
        ("adam_h5_iter_5.caffemodel.h5", "adam"),
        ("diff_iter_5.caffemodel", "diff"),
    ],
)
def test_reads_caffes_files(file, run, expected):
    layers = read_weights(RECORDS / file)
    found = {f"{w.name}.{i}": blob for w in layers for i, blob in enumerate(w.blobs)}
    prefix = f"{run}.iter5.param."
    wanted = {k.removeprefix(prefix): expected[k] for k in expected if k.startswith(prefix)}
    assert found.keys() == wanted.keys()
    for name, blob in found.items():
        assert blob.dtype == np.float32
        assert blob.flags.c_contiguous and blob.flags.writeable and blob.flags.aligned
        np.testing.assert_array_equal(blob, wanted[name])
    assert "ip" in [w.name for w in layers]
    assert not any(any(w.legacy) for w in layers)


def test_reads_diffs(expected):
    (weights,) = [w for w in read_weights(RECORDS / "diff_iter_5.caffemodel") if w.name == "ip"]
    np.testing.assert_array_equal(weights.diffs[0], expected["diff.iter5.diff.ip.0"])
    (weights,) = [w for w in read_weights(RECORDS / "sgd_iter_5.caffemodel") if w.name == "ip"]
    assert weights.type == "InnerProduct"
    assert weights.diffs == [None, None]


@pytest.mark.parametrize("file", ["sgd_iter_5.caffemodel", "diff_iter_5.caffemodel"])
def test_writes_caffes_bytes(file, tmp_path):
    net, weights = read_net_and_weights(RECORDS / file)
    assert net.name == "snapnet"
    assert not any(layer.has("blobs") for layer in net.layer)
    has_diffs = file.startswith("diff")
    target = tmp_path / "w.caffemodel"
    write_weights(
        target,
        net,
        {w.name: w.blobs for w in weights},
        {w.name: w.diffs for w in weights} if has_diffs else None,
    )
    assert target.read_bytes() == (RECORDS / file).read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["w.caffemodel"]


@pytest.mark.parametrize("version", ["v0", "v1"])
def test_reads_old_layers_and_shapes(version):
    values = np.load(UPGRADES / f"{version}_weights_upgraded.npz")
    layers = read_weights(UPGRADES / f"{version}_weights.caffemodel")
    count = 0
    for weights in layers:
        for index, blob in enumerate(weights.blobs):
            assert blob.ndim == 4
            assert weights.legacy[index]
            np.testing.assert_array_equal(
                blob.reshape(-1), values[f"{weights.name}.{index}"].reshape(-1)
            )
            count += 1
    assert count == len(values.files)


def net_file(path, *blobs):
    """A weights file with one layer whose BlobProtos are given as bytes."""
    layer = bytes_field(1, b"l") + b"".join(bytes_field(7, blob) for blob in blobs)
    path.write_bytes(bytes_field(1, b"net") + bytes_field(100, layer))
    return path


def shape(*dims):
    return bytes_field(7, b"".join(varint_field(1, dim) for dim in dims))


def test_reads_every_spelling_of_numbers(tmp_path):
    values = np.array([1.5, -2.0, 3.25, 0.0], "<f4")
    unpacked = b"".join(b"\x2d" + value.tobytes() for value in values)
    split = bytes_field(5, values[:1].tobytes()) + bytes_field(5, values[1:].tobytes())
    double = bytes_field(8, values.astype("<f8").tobytes())
    half = varint_field(10, 2) + bytes_field(12, values.astype("<f2").tobytes())
    single = varint_field(10, 1) + bytes_field(12, values.tobytes())
    packed = bytes_field(5, values.tobytes())
    blobs = (packed, unpacked, split, double, half, single)
    file = net_file(tmp_path / "w", *(each + shape(2, 2) for each in blobs))
    (weights,) = read_weights(file)
    assert len(weights.blobs) == len(blobs)
    for blob in weights.blobs:
        np.testing.assert_array_equal(blob, values.reshape(2, 2))


def test_many_unpacked_numbers_are_read_at_once(tmp_path):
    values = np.arange(300_000, dtype="<f4")
    rows = np.full((values.size, 5), 0x2D, np.uint8)
    rows[:, 1:] = values.view(np.uint8).reshape(-1, 4)
    (weights,) = read_weights(net_file(tmp_path / "w", rows.tobytes() + shape(values.size)))
    np.testing.assert_array_equal(weights.blobs[0], values)


def test_scalars_and_empty_blobs(tmp_path):
    one = bytes_field(5, np.float32(3).tobytes())
    file = net_file(tmp_path / "w", one + bytes_field(7, b""), one, shape(0, 3))
    (weights,) = read_weights(file)
    assert [blob.shape for blob in weights.blobs] == [(), (), (0, 3)]


def test_unknown_fields_do_no_harm(tmp_path):
    # 147 is a message in one fork and an enum in another.
    layer = bytes_field(1, b"l") + varint_field(147, 1) + bytes_field(147, b"\xff\xff")
    layer += bytes_field(7, bytes_field(5, np.float32(1).tobytes()) + shape(1))
    path = tmp_path / "w"
    path.write_bytes(bytes_field(1, b"net") + varint_field(11, 2) + bytes_field(100, layer))
    (weights,) = read_weights(path)
    assert weights.blobs[0].tolist() == [1.0]


def test_our_files_parse_as_protobuf(tmp_path):
    text = 'name: "n" layer { name: "a/b" type: "InnerProduct" bottom: "x" top: "y" \
            inner_product_param { num_output: 2 } phase: TRAIN }'
    net = parse_text(text, "NetParameter")
    blobs = {"a/b": [np.arange(6).reshape(2, 3), np.float64([0.5, 0.25])]}
    write_weights(tmp_path / "w", net, blobs)
    parsed = caffe_pb2().NetParameter.FromString((tmp_path / "w").read_bytes())
    (layer,) = parsed.layer
    assert (layer.name, layer.inner_product_param.num_output, layer.phase) == ("a/b", 2, 0)
    assert list(layer.blobs[0].shape.dim) == [2, 3]
    assert list(layer.blobs[0].data) == [0, 1, 2, 3, 4, 5]
    assert list(layer.blobs[1].data) == [0.5, 0.25]
    (weights,) = read_weights(tmp_path / "w")
    np.testing.assert_array_equal(weights.blobs[0], blobs["a/b"][0])


def test_hdf5_round_trip_with_slashes_and_shared_parameters(tmp_path):
    file = tmp_path / "w.caffemodel.h5"
    rng = np.random.default_rng(0)
    blobs = {
        "inception/1x1": [rng.normal(size=(2, 3)), rng.normal(size=2)],
        "inception": [rng.normal(size=4)],
        "shared": [None, rng.normal(size=1)],
        "relu": [],
    }
    write_weights_hdf5(file, blobs, {"inception": [np.ones(4)]})
    with h5py.File(file) as stored:
        assert stored["data/inception/1x1/0"].shape == (2, 3)
        assert stored["data/inception/1x1/0"].dtype == np.float32
        assert list(stored["data/shared"]) == ["1"]
    layers = {weights.name: weights for weights in read_weights(file)}
    assert layers.keys() == blobs.keys()
    np.testing.assert_array_equal(
        layers["inception/1x1"].blobs[0], np.float32(blobs["inception/1x1"][0])
    )
    assert len(layers["shared"].blobs) == 1
    assert layers["inception"].diffs[0].tolist() == [1, 1, 1, 1]


def test_kinds_are_recognised_by_content(tmp_path):
    for source in ("adam_h5_iter_5.caffemodel.h5", "sgd_iter_5.caffemodel"):
        misnamed = tmp_path / "w.caffemodel"
        misnamed.write_bytes((RECORDS / source).read_bytes())
        assert is_hdf5(misnamed) == source.endswith("h5")
        assert read_weights(misnamed)


def test_mean_files(tmp_path):
    mean = np.random.default_rng(0).normal(size=(1, 3, 4, 5)).astype(np.float32)
    write_mean(tmp_path / "m", mean[0])
    np.testing.assert_array_equal(read_blob(tmp_path / "m"), mean)
    parsed = caffe_pb2().BlobProto.FromString((tmp_path / "m").read_bytes())
    assert (parsed.num, parsed.channels, parsed.height, parsed.width) == (1, 3, 4, 5)
    assert not parsed.HasField("shape")
    (tmp_path / "m").write_bytes(b"".join(encode_blob(mean[0])))
    assert read_blob(tmp_path / "m").shape == (3, 4, 5)


def test_wrong_kinds_are_named(tmp_path):
    text = tmp_path / "net.prototxt"
    text.write_text('name: "n"\nlayer { name: "a" }\n' * 40)
    mean = tmp_path / "mean.binaryproto"
    write_mean(mean, np.ones((3, 2, 2), np.float32))
    pointer = tmp_path / "pointer"
    pointer.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    page = tmp_path / "page"
    page.write_text("<!DOCTYPE html><html>not found</html>")
    empty = tmp_path / "empty"
    empty.write_bytes(b"")
    nothing = tmp_path / "nothing"
    nothing.write_bytes(bytes_field(1, b"net\x01"))
    other = tmp_path / "other.h5"
    with h5py.File(other, "w") as stored:
        stored["x"] = 3
    cases = {
        text: "is a text file, not weights",
        mean: "is a mean file \\(binaryproto\\), not weights",
        pointer: "is a Git LFS pointer",
        page: "is a web page",
        empty: "is empty",
        nothing: "holds no layers",
        other: "has no group /data",
        tmp_path: "directory",
        tmp_path / "gone": "there is no file",
        RECORDS / "sgd_iter_5.solverstate": "is a solver state, not weights",
        RECORDS / "adam_h5_iter_5.solverstate.h5": "is a solver state, not weights",
        RECORDS / "expected.npz": "is not a weights file",
    }
    for path, message in cases.items():
        with pytest.raises(RoasteryError, match=message) as caught:
            read_weights(path)
        assert path.name in str(caught.value)
    with pytest.raises(RoasteryError, match="is not a mean file"):
        read_blob(RECORDS / "sgd_iter_5.caffemodel")
    with pytest.raises(RoasteryError, match="HDF5 file, not a mean file"):
        read_blob(other)
    with pytest.raises(RoasteryError, match="holds weights but no net"):
        read_net_and_weights(RECORDS / "adam_h5_iter_5.caffemodel.h5")


def test_writing_says_why_it_cannot(tmp_path):
    net = parse_text("", "NetParameter")
    with pytest.raises(RoasteryError, match="there is no folder"):
        write_weights(tmp_path / "gone" / "w", net, {})
    with pytest.raises(RoasteryError, match="there is no folder"):
        write_weights_hdf5(tmp_path / "gone" / "w.h5", {})
