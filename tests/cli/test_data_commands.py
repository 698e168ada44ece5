"""The data and upgrade commands on small inputs, read back by other libraries."""

from __future__ import annotations

import re
import struct
import sys
from pathlib import Path

import lmdb
import numpy as np
import pytest

from frontends.schema.pool import caffe_pb2
from roastery.cli.main import main
from roastery.cli.progress import progress_bar


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def records(path: str) -> dict[bytes, object]:
    """Records of an LMDB, parsed by protobuf's own classes."""
    with lmdb.open(path, readonly=True, lock=False) as env, env.begin() as reader:
        found = {}
        for key, value in reader.cursor():
            datum = caffe_pb2().Datum()
            datum.ParseFromString(value)
            found[key] = datum
        return found


def idx(pixels: np.ndarray, labels: np.ndarray) -> None:
    Path("images").write_bytes(struct.pack(">4i", 2051, *pixels.shape) + pixels.tobytes())
    Path("labels").write_bytes(struct.pack(">2i", 2049, len(labels)) + labels.tobytes())


@pytest.mark.parametrize("name", ["convert_mnist", "convert-mnist", "convert_mnist_data"])
def test_convert_mnist(name: str) -> None:
    pixels = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)
    idx(pixels, np.array([7, 0, 9], np.uint8))
    assert main([name, "images", "labels", "db"]) == 0
    found = records("db")
    assert list(found) == [b"00000000", b"00000001", b"00000002"]
    datum = found[b"00000002"]
    assert (datum.channels, datum.height, datum.width, datum.label) == (1, 4, 5, 9)  # type: ignore[attr-defined]
    assert datum.data == pixels[2].tobytes()  # type: ignore[attr-defined]
    assert main([name, "images", "labels", "db"]) == 1  # it exists


def test_convert_imageset_and_mean() -> None:
    cv2 = pytest.importorskip("cv2")
    random = np.random.default_rng(0)
    pictures = random.integers(0, 255, (4, 6, 7, 3)).astype(np.uint8)
    Path("pictures").mkdir()
    for i, picture in enumerate(pictures):
        cv2.imwrite(f"pictures/{i}.png", picture)
    lines = [f"{i}.png {i % 2}\n" for i in range(4)] + ["gone.png 1\n"]
    Path("list.txt").write_text("".join(lines))
    assert main(["convert_imageset", "-backend", "lmdb", "pictures/", "list.txt", "db"]) == 0
    found = records("db")
    assert list(found) == [b"%08d_%d.png" % (i, i) for i in range(4)]
    datum = found[b"00000001_1.png"]
    assert datum.data == pictures[1].transpose(2, 0, 1).tobytes()  # type: ignore[attr-defined]
    assert main(["compute_image_mean", "db", "mean.binaryproto"]) == 0
    mean = caffe_pb2().BlobProto()
    mean.ParseFromString(Path("mean.binaryproto").read_bytes())
    want = pictures.transpose(0, 3, 1, 2).mean(axis=0, dtype=np.float64)
    np.testing.assert_allclose(mean.data, want.ravel(), rtol=1e-6)


def test_convert_cifar() -> None:
    Path("in").mkdir()
    record = bytes([6]) + bytes(range(256)) * 12
    for name in [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]:
        Path(f"in/{name}.bin").write_bytes(record * 2)
    assert main(["convert_cifar_data", "in", ".", "lmdb"]) == 0
    train = records("cifar10_train_lmdb")
    assert len(train) == 10
    assert len(records("cifar10_test_lmdb")) == 2
    assert train[b"00009"].label == 6  # type: ignore[attr-defined]


def test_resize_and_crop(capsys: pytest.CaptureFixture[str]) -> None:
    cv2 = pytest.importorskip("cv2")
    Path("in").mkdir()
    cv2.imwrite("in/a.png", np.zeros((20, 30, 3), np.uint8))
    assert main(["resize_and_crop", "in", "out", "--output_side_length=8"]) == 0
    assert cv2.imread("out/a.png").shape == (8, 8, 3)
    assert "Wrote 1 pictures" in capsys.readouterr().out


def test_upgrade_net_text(data_dir: Path) -> None:
    source = next(iter(sorted((data_dir / "upgrades" / "in").glob("*.prototxt"))))
    assert main(["upgrade_net_proto_text", str(source), "new.prototxt"]) in (0, 1)
    assert "layer {" in Path("new.prototxt").read_text()


def test_upgrade_net_binary() -> None:
    net = caffe_pb2().NetParameter(name="old")
    layer = net.layers.add(name="ip", type=14)
    blob = layer.blobs.add(num=1, channels=1, height=2, width=3)
    blob.data.extend(range(6))
    Path("old.caffemodel").write_bytes(net.SerializeToString())
    assert main(["upgrade_net_proto_binary", "old.caffemodel", "new.caffemodel"]) == 0
    new = caffe_pb2().NetParameter()
    new.ParseFromString(Path("new.caffemodel").read_bytes())
    assert (new.layer[0].name, new.layer[0].type) == ("ip", "InnerProduct")
    assert list(new.layer[0].blobs[0].data) == list(range(6))
    assert not new.layers


def test_upgrade_solver(capsys: pytest.CaptureFixture[str]) -> None:
    Path("old.prototxt").write_text('net: "x" solver_type: ADAM')
    assert main(["upgrade_solver_proto_text", "old.prototxt", "new.prototxt"]) == 0
    assert Path("new.prototxt").read_text() == 'net: "x"\ntype: "Adam"\n'
    assert main(["upgrade_solver_proto_text", "new.prototxt", "same.prototxt"]) == 0
    assert "current format already" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["convert_mnist", "gone", "gone", "db"],
        ["convert_imageset", "x/", "gone.txt", "db"],
        ["compute_image_mean", "gone_lmdb", "mean"],
        ["upgrade_net_proto_text", "gone.prototxt", "new"],
        ["upgrade_net_proto_binary", "gone.caffemodel", "new"],
        ["upgrade_solver_proto_text", "gone.prototxt", "new"],
    ],
    ids=lambda words: words[0],
)
def test_missing_inputs_leave_nothing(
    words: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 1
    assert "gone" in capsys.readouterr().err
    assert not list(folder.iterdir())


class Terminal:
    """A stream that says it is a terminal."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return True


def test_progress_bar_draws_on_a_terminal_and_cleans_up(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    with progress_bar("images") as progress:
        progress(5, 10)
        progress(10, 10)
    assert "images: 100%|" in stream.text and "| 10/10 [" in stream.text
    assert re.search(r"\r +\r$", stream.text), "it is gone in the end"


def test_progress_bar_is_silent_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("images") as progress:
        progress(1, 2)
    assert capsys.readouterr().err == ""
