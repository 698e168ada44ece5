"""Tools with Caffe's arguments on small inputs; other libraries read what they wrote."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import cv2
import lmdb
import numpy as np
import plyvel
import pytest

from frontends.schema.pool import caffe_pb2
from roastery.cli.main import main

ROOT = Path(__file__).parents[2]

NET = """
layer { name: "pictures" type: "Data" top: "data" top: "label"
  data_param { source: "db" batch_size: 2 backend: LMDB } }
layer { name: "pool" type: "Pooling" bottom: "data" top: "fc/pool"
  pooling_param { pool: AVE global_pooling: true } }
layer { name: "ip" type: "InnerProduct" bottom: "fc/pool" top: "ip"
  inner_product_param { num_output: 2 weight_filler { type: "constant" value: 0.5 } } }
layer { name: "quiet" type: "Silence" bottom: "label" }
"""


@pytest.fixture(autouse=True)
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    """Five pictures of 6 x 9 (BGR) in folder/, named in list.txt with labels 0 to 4."""
    monkeypatch.chdir(tmp_path)
    draw = np.random.default_rng(2)
    Path("folder").mkdir()
    found = [draw.integers(0, 256, (6, 9, 3)).astype(np.uint8) for _ in range(5)]
    for number, picture in enumerate(found):
        assert cv2.imwrite(f"folder/p {number}.png", picture)
    Path("list.txt").write_text("".join(f"p {n}.png {n}\n" for n in range(5)))
    return found


def lmdb_records(path: str) -> dict[bytes, bytes]:
    with lmdb.open(path, readonly=True, lock=False) as db, db.begin() as txn:
        return dict(txn.cursor())


def leveldb_records(path: str) -> dict[bytes, bytes]:
    with plyvel.DB(path) as db:
        return dict(db)


def datum(content: bytes):  # type: ignore[no-untyped-def]
    found = caffe_pb2().Datum()
    found.ParseFromString(content)
    return found


# --- convert_imageset -----------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ["--backend=leveldb"],
        ["-backend=leveldb"],
        ["--backend", "leveldb"],
        ["-backend", "leveldb"],
        ["-backend", "LEVELDB"],
    ],
    ids=" ".join,
)
def test_backend_spellings(words: list[str], pictures: list[np.ndarray]) -> None:
    assert main(["convert_imageset", *words, "folder/", "list.txt", "db"]) == 0
    records = leveldb_records("db")
    assert list(records) == [f"{n:08d}_p {n}.png".encode() for n in range(5)]
    first = datum(records[b"00000000_p 0.png"])
    assert (first.channels, first.height, first.width, first.label) == (3, 6, 9, 0)
    pixels = np.frombuffer(first.data, np.uint8).reshape(3, 6, 9)
    np.testing.assert_array_equal(pixels, pictures[0].transpose(2, 0, 1))


def test_gray_and_resized(pictures: list[np.ndarray]) -> None:
    flags = ["-gray", "-resize_width", "4", "-resize_height=3", "-check_size"]
    assert main(["convert_imageset", *flags, "folder/", "list.txt", "db"]) == 0
    found = datum(lmdb_records("db")[b"00000002_p 2.png"])
    assert (found.channels, found.height, found.width, found.label) == (1, 3, 4, 2)
    gray = cv2.resize(cv2.imread("folder/p 2.png", cv2.IMREAD_GRAYSCALE), (4, 3))
    np.testing.assert_array_equal(np.frombuffer(found.data, np.uint8).reshape(3, 4), gray)


@pytest.mark.parametrize("kind", ["png", "jpg"])
def test_encoded_and_resized(kind: str, pictures: list[np.ndarray]) -> None:
    flags = ["--encoded", f"--encode_type={kind}", "--resize_width=5", "--resize_height=4"]
    assert main(["convert_imageset", *flags, "folder/", "list.txt", "db"]) == 0
    found = datum(lmdb_records("db")[b"00000001_p 1.png"])
    assert found.encoded
    picture = cv2.imdecode(np.frombuffer(found.data, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (4, 5, 3)
    assert found.data[:4] == (b"\x89PNG" if kind == "png" else b"\xff\xd8\xff\xe0")
    if kind == "png":
        np.testing.assert_array_equal(picture, cv2.resize(pictures[1], (5, 4)))


def test_encoded_as_the_file_is() -> None:
    assert main(["convert_imageset", "--encoded", "folder/", "list.txt", "db"]) == 0
    found = datum(lmdb_records("db")[b"00000003_p 3.png"])
    assert found.data == Path("folder/p 3.png").read_bytes()


def test_shuffled_holds_each_once() -> None:
    assert main(["convert_imageset", "-shuffle", "folder/", "list.txt", "db"]) == 0
    records = lmdb_records("db")
    assert sorted(key[9:] for key in records) == [f"p {n}.png".encode() for n in range(5)]
    assert [datum(r).label for r in records.values()] != [0, 1, 2, 3, 4]


def test_check_size_names_the_picture(capfd: pytest.CaptureFixture[str]) -> None:
    cv2.imwrite("folder/p 3.png", np.zeros((6, 8, 3), np.uint8))
    assert main(["convert_imageset", "--check_size", "folder/", "list.txt", "db"]) == 1
    error = capfd.readouterr().err
    assert "p 3.png" in error and "Traceback" not in error
    assert not Path("db").exists()


# --- extract_features -----------------------------------------------------------------


@pytest.mark.parametrize("kind", ["lmdb", "leveldb"])
def test_extract_features(kind: str, pictures: list[np.ndarray]) -> None:
    assert main(["convert_imageset", "folder/", "list.txt", "db"]) == 0
    Path("net.prototxt").write_text(NET)
    weights = caffe_pb2().NetParameter()
    layer = weights.layer.add(name="ip", type="InnerProduct")
    values = np.arange(6, dtype=np.float32)
    layer.blobs.add(shape={"dim": [2, 3]}, data=values)
    layer.blobs.add(shape={"dim": [2]}, data=[1, 2])
    Path("net.caffemodel").write_bytes(weights.SerializeToString())
    words = ["net.caffemodel", "net.prototxt", "fc/pool,ip", "one,two", "3", kind, "CPU"]
    assert main(["extract_features", *words]) == 0
    read = lmdb_records if kind == "lmdb" else leveldb_records
    pooled, scores = read("one"), read("two")
    assert list(pooled) == list(scores) == [f"{n:010d}".encode() for n in range(6)]
    for number, (key, record) in enumerate(pooled.items()):
        means = pictures[number % 5].reshape(-1, 3).mean(0)
        np.testing.assert_allclose(datum(record).float_data, means, rtol=1e-5)
        wanted = values.reshape(2, 3) @ means + [1, 2]
        np.testing.assert_allclose(datum(scores[key]).float_data, wanted, rtol=1e-5)


# --- logs -------------------------------------------------------------------------------


def test_several_logs_over_seconds(data_dir: Path) -> None:
    logs = sorted(map(str, (data_dir / "logs").glob("*.log")))[:2]
    assert len(logs) == 2
    for axis in ("seconds", "iterations"):
        words = ["plot_log", *logs, f"--x={axis}", f"--output={axis}.png"]
        assert main(words) == 0
        picture = cv2.imread(f"{axis}.png")
        assert picture is not None and len(np.unique(picture.reshape(-1, 3), axis=0)) > 10


# --- on a terminal ------------------------------------------------------------------------


def test_progress_is_drawn_on_a_terminal() -> None:
    """The bar goes to a terminal only; the same command into a pipe is silent about it."""
    Path("long.txt").write_text("".join(f"p {n % 5}.png {n}\n" for n in range(3000)))
    command = [sys.executable, "-m", "roastery", "convert_imageset", "folder/", "long.txt"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm"}
    parent, child = pty.openpty()
    with subprocess.Popen([*command, "db1"], env=environment, stderr=child) as process:
        os.close(child)
        shown = b""
        while True:
            try:
                piece = os.read(parent, 4096)
            except OSError:  # the other end is closed
                break
            shown += piece
        os.close(parent)
    assert process.returncode == 0
    assert b"%" in shown and b"\r" in shown
    piped = subprocess.run([*command, "db2"], env=environment, capture_output=True, check=True)
    assert b"\r" not in piped.stderr
