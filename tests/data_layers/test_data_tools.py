"""Converters and the mean tool; what they write is read back by other libraries."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import lmdb
import numpy as np
import plyvel
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from recorded_cases import DATA

from ir.errors import RoasteryError
from roastery.wire.blob_proto import encode_blob, parse_blob
from runtime.data.database_writer import new_database
from runtime.data.datum import Datum, parse_datum, serialize_datum
from runtime.data.image_codec import encode_image
from runtime.data.mean_file import read_mean
from runtime.data.tools.cifar import convert_cifar
from runtime.data.tools.image_mean import compute_image_mean
from runtime.data.tools.imageset import convert_imageset
from runtime.data.tools.mnist import convert_mnist
from runtime.data.tools.resize_and_crop import resize_and_crop

IMAGES = DATA / "databases" / "images"
LIST = DATA / "databases" / "list.txt"
RECORDS = json.loads((DATA / "databases" / "records.json").read_text())
ROOT = Path(__file__).parents[2]


def read_database(path: Path) -> list[tuple[bytes, bytes]]:
    """All records, through liblmdb or libleveldb."""
    if (path / "data.mdb").exists():
        with lmdb.open(str(path), readonly=True, lock=False) as environment:
            with environment.begin() as transaction:
                return list(transaction.cursor())
    database = plyvel.DB(str(path))
    try:
        return list(database)
    finally:
        database.close()


SIZE = {"resize_height": 24, "resize_width": 20}
CONVERSIONS = {
    "lmdb_raw": SIZE,
    "lmdb_png": {**SIZE, "encoded": True, "encode_type": "png"},
    "lmdb_gray": {**SIZE, "gray": True},
    "lmdb_files": {"encoded": True},
    "lmdb_gray_png": {**SIZE, "gray": True, "encode_type": "PNG"},
    "leveldb_raw": {**SIZE, "backend": "leveldb"},
}


@pytest.mark.parametrize("name", CONVERSIONS)
def test_imagesets_are_what_caffe_wrote(name: str, tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    result = convert_imageset(
        f"{IMAGES}/",
        LIST,
        tmp_path / name,
        progress=lambda done, total: calls.append((done, total)),
        **CONVERSIONS[name],
    )  # type: ignore[arg-type]
    assert (result.written, result.skipped) == (12, ())
    assert calls == [(i, 12) for i in range(1, 13)]
    found = read_database(tmp_path / name)
    assert [key.decode() for key, _ in found] == [record[0] for record in RECORDS[name]]
    recorded = read_database(
        DATA
        / "databases"
        / ("lmdb" + name.removeprefix("leveldb") if name.startswith("leveldb") else name)
    )
    for (_, mine), (_, theirs) in zip(found, recorded, strict=True):
        # JPEG decoders and PNG encoders differ between versions of OpenCV; pixels hardly do.
        left, right = parse_datum(mine), parse_datum(theirs)
        assert (left.label, left.encoded) == (right.label, right.encoded)
        difference = pixels_of(left).astype(int) - pixels_of(right)
        assert np.abs(difference).mean() < 1
        if name == "lmdb_files":
            assert mine == theirs


def pixels_of(datum: Datum) -> np.ndarray:
    if not datum.encoded:
        return datum.array()
    return cv2.imdecode(np.frombuffer(datum.data, np.uint8), cv2.IMREAD_UNCHANGED)


def write_list(folder: Path, lines: list[str]) -> Path:
    (folder / "list.txt").write_text("".join(f"{line}\n" for line in lines))
    return folder / "list.txt"


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """a.png 6x5 with known pixels, b.png 4x5, and c.png, which is none."""
    cv2.imwrite(str(tmp_path / "a.png"), np.arange(90, dtype=np.uint8).reshape(6, 5, 3))
    cv2.imwrite(str(tmp_path / "b.png"), np.full((4, 5, 3), 200, np.uint8))
    (tmp_path / "c.png").write_text("no picture")
    return tmp_path


@pytest.mark.parametrize("backend", ["lmdb", "leveldb"])
def test_pixels_are_channel_major(backend: str, pictures: Path) -> None:
    list_file = write_list(pictures, ["a.png 7", "b.png -1"])
    convert_imageset(str(pictures), list_file, pictures / "db", backend=backend)
    (key, value), (_, second) = read_database(pictures / "db")
    datum = parse_datum(value)
    assert key == b"00000000_a.png" and datum.label == 7
    wanted = np.arange(90, dtype=np.uint8).reshape(6, 5, 3).transpose(2, 0, 1)
    np.testing.assert_array_equal(datum.array(), wanted)
    assert parse_datum(second).label == -1


def test_unreadable_images_are_skipped(pictures: Path, caplog: pytest.LogCaptureFixture) -> None:
    list_file = write_list(pictures, ["a.png 1", "c.png 2", "gone.png 3", "b.png 4"])
    result = convert_imageset(f"{pictures}/", list_file, pictures / "db")
    assert result.written == 2 and result.skipped == ("c.png", "gone.png")
    assert [key for key, _ in read_database(pictures / "db")] == [
        b"00000000_a.png",
        b"00000003_b.png",
    ]
    assert sum("Could not open or find file" in text for text in caplog.messages) == 2


def many_kinds(folder: Path) -> dict[str, np.ndarray]:
    """Pictures of every kind, and what each is in gray."""
    rng = np.random.default_rng(3)
    color = rng.integers(0, 256, (6, 5, 3), np.uint8)
    kinds = {
        "color.png": color,
        "color.jpg": color,
        "color.bmp": color,
        "color.webp": color,
        "color.JPEG": color,
        "gray.png": color[..., 0],
        "gray.jpg": color[..., 0],
        "alpha.png": np.dstack([color, color[..., :1]]),
        "deep.png": color.astype(np.uint16) * 257,
        "deep_gray.png": color[..., 0].astype(np.uint16) * 257,
        "deep_alpha.tiff": np.dstack([color, color[..., :1]]).astype(np.uint16) * 257,
    }
    gray = {}
    for name, pixels in kinds.items():
        (folder / name).write_bytes(cv2.imencode(Path(name).suffix.lower(), pixels)[1].tobytes())
        gray[name] = cv2.imread(str(folder / name), cv2.IMREAD_GRAYSCALE)
    return gray


@pytest.mark.parametrize(
    "options",
    [{}, SIZE, {"encode_type": "png"}, {"encode_type": "jpg"}, {**SIZE, "encode_type": "JPEG"}],
)
def test_encoded_gray_pictures_have_one_channel(options: dict[str, object], tmp_path: Path) -> None:
    gray = many_kinds(tmp_path)
    list_file = write_list(tmp_path, [f"{name} {i}" for i, name in enumerate(gray)])
    convert_imageset(
        str(tmp_path),
        list_file,
        tmp_path / "db",
        gray=True,
        encoded=True,
        **options,  # type: ignore[arg-type]
    )
    found = read_database(tmp_path / "db")
    for (name, pixels), (key, value) in zip(gray.items(), found, strict=True):
        datum = parse_datum(value)
        assert datum.encoded and key.endswith(name.encode())
        stored = cv2.imdecode(np.frombuffer(datum.data, np.uint8), cv2.IMREAD_UNCHANGED)
        if "resize_width" in options:
            pixels = cv2.resize(pixels, (20, 24))
        assert (stored.shape, stored.dtype) == (pixels.shape, np.uint8)
        exact = bytes(datum.data[:2]) in (b"\x89P", b"BM")
        difference = np.abs(stored.astype(int) - pixels)
        assert difference.max() == 0 if exact else difference.mean() < 16
        if not options and name.startswith("gray"):
            assert datum.data == (tmp_path / name).read_bytes()


def test_encoded_color_pictures_are_what_training_can_decode(tmp_path: Path) -> None:
    names = list(many_kinds(tmp_path))
    list_file = write_list(tmp_path, [f"{name} 1" for name in names])
    convert_imageset(str(tmp_path), list_file, tmp_path / "db", encoded=True)
    for name, (_, value) in zip(names, read_database(tmp_path / "db"), strict=True):
        kept = parse_datum(value).data == (tmp_path / name).read_bytes()
        assert kept != name.startswith("deep"), name
        assert pixels_of(parse_datum(value)).dtype == np.uint8


def test_a_type_without_gray_pictures(pictures: Path) -> None:
    list_file = write_list(pictures, ["a.png 1"])
    with pytest.raises(RoasteryError, match="files hold no gray pictures of one channel"):
        convert_imageset(str(pictures), list_file, pictures / "db", gray=True, encode_type="webp")


def test_shuffling(pictures: Path) -> None:
    list_file = write_list(pictures, [f"a.png {i}" for i in range(50)])
    for name, seed in (("one", 1), ("again", 1), ("two", 2)):
        convert_imageset(f"{pictures}/", list_file, pictures / name, shuffle=True, seed=seed)
    orders = [
        [parse_datum(value).label for _, value in read_database(pictures / name)]
        for name in ("one", "again", "two")
    ]
    assert orders[0] == orders[1] != orders[2] and sorted(orders[2]) == list(range(50))


@pytest.mark.parametrize(
    ("lines", "options", "message"),
    [
        (None, {}, "there is no image list '.*'"),
        ([], {}, "is empty"),
        (["gone.png 1"], {}, "none of the 1 images of .* could be read; the first is '.*gone.png'"),
        (["a.png 1"], {"backend": "sqlite"}, "unknown database backend 'sqlite'"),
        (
            ["a.png 1", "b.png 1"],
            {"check_size": True},
            r"image 'b.png' \(.*, line 2\) is 4 x 5 x 3, but 'a.png' is 6 x 5 x 3",
        ),
        (["a.png 1", "b.png 1"], {"check_size": True, "encoded": True}, "'b.png' .* is 4 x 5 x 3"),
        (["a.png x"], {}, "label 'x' is not a whole number"),
        (["a.png 1", "b.png"], {}, "list.txt:2:1: the line has no label"),
        (["a.png 1"], {"encode_type": "wobble"}, "none of the 1 images"),
    ],
)
def test_failed_conversions_leave_nothing(
    lines: list[str] | None, options: dict[str, object], message: str, pictures: Path
) -> None:
    list_file = pictures / "list.txt" if lines is None else write_list(pictures, lines)
    before = sorted(os.listdir(pictures))
    with pytest.raises(RoasteryError, match=message):
        convert_imageset(f"{pictures}/", list_file, pictures / "db", **options)  # type: ignore[arg-type]
    assert sorted(os.listdir(pictures)) == before


def test_existing_targets_are_kept(pictures: Path) -> None:
    (pictures / "db").mkdir()
    (pictures / "db" / "keep.txt").write_text("x")
    list_file = write_list(pictures, ["a.png 1"])
    with pytest.raises(RoasteryError, match=r"'.*db' exists already"):
        convert_imageset(f"{pictures}/", list_file, pictures / "db")
    with pytest.raises(RoasteryError, match=r"there is no folder '.*nowhere'"):
        convert_imageset(f"{pictures}/", list_file, pictures / "nowhere" / "db")
    assert os.listdir(pictures / "db") == ["keep.txt"]


def test_size_check_passes_equal_sizes(pictures: Path) -> None:
    list_file = write_list(pictures, ["a.png 1", "b.png 2"])
    result = convert_imageset(f"{pictures}/", list_file, pictures / "db", check_size=True, **SIZE)
    assert result.written == 2


@pytest.mark.parametrize("backend", ["lmdb", "leveldb"])
def test_a_kill_leaves_no_half_database(backend: str, tmp_path: Path) -> None:
    program = (
        "import sys, time; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path\n"
        "from runtime.data.database_writer import new_database\n"
        "with new_database(Path(sys.argv[2]), sys.argv[3]) as writer:\n"
        "    for i in range(3000): writer.put(b'%08d' % i, bytes(100))\n"
        "    print('written', flush=True); time.sleep(60)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(ROOT), str(tmp_path / "db"), backend],
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None and process.stdout.readline() == b"written\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "db").exists()
    assert all(name.endswith(".partial") for name in os.listdir(tmp_path))


def test_maps_grow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.data.lmdb_writer._FIRST_MAP_BYTES", 1 << 16)
    with new_database(tmp_path / "db", "lmdb") as writer:
        for i in range(2500):
            writer.put(b"%05d" % i, bytes([i % 256]) * 1000)
    found = read_database(tmp_path / "db")
    assert found == [(b"%05d" % i, bytes([i % 256]) * 1000) for i in range(2500)]


def test_keys_too_long_for_lmdb(tmp_path: Path) -> None:
    with pytest.raises(RoasteryError, match=r"has 600 bytes; LMDB takes 1 to 511"):
        with new_database(tmp_path / "db", "lmdb") as writer:
            writer.put(b"k" * 600, b"")
    assert os.listdir(tmp_path) == []
    with new_database(tmp_path / "db", "leveldb") as writer:
        writer.put(b"k" * 600, b"v")
    assert read_database(tmp_path / "db") == [(b"k" * 600, b"v")]


def idx(magic: int, array: np.ndarray) -> bytes:
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return magic.to_bytes(4, "big") + sizes + array.tobytes()


DIGITS = np.random.default_rng(1).integers(0, 256, (30, 6, 5), dtype=np.uint8)
DIGIT_LABELS = np.arange(30, dtype=np.uint8) % 10


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("backend", ["lmdb", "leveldb"])
def test_mnist(compressed: bool, backend: str, tmp_path: Path) -> None:
    for name, content in (("i", idx(2051, DIGITS)), ("l", idx(2049, DIGIT_LABELS))):
        (tmp_path / name).write_bytes(gzip.compress(content) if compressed else content)
    assert convert_mnist(tmp_path / "i", tmp_path / "l", tmp_path / "db", backend) == 30
    found = read_database(tmp_path / "db")
    assert [key for key, _ in found] == [b"%08d" % i for i in range(30)]
    for i, (_, value) in enumerate(found):
        # Exactly the fields that Caffe's tool writes: sizes, data, label.
        assert value == b"\x08\1\x10\6\x18\5\x22\x1e" + DIGITS[i].tobytes() + b"\x28" + bytes(
            [i % 10]
        )


def test_real_mnist(tmp_path: Path) -> None:
    folder = ROOT.parent / "shared" / "real" / "mnist"
    images, labels = (folder / f"t10k-{name}-ubyte.gz" for name in ("images-idx3", "labels-idx1"))
    if not images.is_file():
        pytest.skip(f"the MNIST test images are not in {folder}")
    assert convert_mnist(images, labels, tmp_path / "db") == 10000
    found = read_database(tmp_path / "db")
    assert len(found) == 10000
    counts = np.bincount([parse_datum(value).label for _, value in found])
    assert counts.tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (None, idx(2049, DIGIT_LABELS), "there is no file '.*i'"),
        (idx(2049, DIGIT_LABELS), idx(2051, DIGITS), "begins with 2049, 2051 was expected"),
        (b"\0\0", idx(2049, DIGIT_LABELS), "2051 was expected"),
        (
            idx(2051, DIGITS)[:-1],
            idx(2049, DIGIT_LABELS),
            "says that 900 bytes follow, and it has 899",
        ),
        (idx(2051, DIGITS) + b"x", idx(2049, DIGIT_LABELS), "900 bytes follow, and it has 901"),
        (idx(2051, DIGITS), idx(2049, DIGIT_LABELS[:9]), "has 30 images and '.*' 9 labels"),
        (idx(2051, DIGITS[:0]), idx(2049, DIGIT_LABELS[:0]), "holds no images"),
        (gzip.compress(idx(2051, DIGITS))[:-40], idx(2049, DIGIT_LABELS), "cannot read"),
        (b"\x1f\x8bnonsense", idx(2049, DIGIT_LABELS), "cannot read"),
        (
            bytes.fromhex("00000803ffffffffffffffffffffffff"),
            idx(2049, DIGIT_LABELS),
            "and it has 0",
        ),
    ],
)
def test_bad_mnist(images: bytes | None, labels: bytes, message: str, tmp_path: Path) -> None:
    if images is not None:
        (tmp_path / "i").write_bytes(images)
    (tmp_path / "l").write_bytes(labels)
    with pytest.raises(RoasteryError, match=message):
        convert_mnist(tmp_path / "i", tmp_path / "l", tmp_path / "db")
    assert not (tmp_path / "db").exists()


def test_cifar(tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    batches = {
        f"data_batch_{i}": random.integers(0, 10, (4, 3073), dtype=np.uint8) for i in range(1, 6)
    } | {"test_batch": random.integers(0, 10, (3, 3073), dtype=np.uint8)}
    for name, records in batches.items():
        (tmp_path / f"{name}.bin").write_bytes(records.tobytes())
    (tmp_path / "out").mkdir()
    assert convert_cifar(tmp_path, tmp_path / "out", "lmdb") == (20, 3)
    train = read_database(tmp_path / "out" / "cifar10_train_lmdb")
    assert [key for key, _ in train] == [b"%05d" % i for i in range(20)]
    datum = parse_datum(train[6][1])
    assert datum.label == batches["data_batch_2"][2, 0] and datum.array().shape == (3, 32, 32)
    assert datum.array().tobytes() == batches["data_batch_2"][2, 1:].tobytes()
    assert len(read_database(tmp_path / "out" / "cifar10_test_lmdb")) == 3
    with pytest.raises(RoasteryError, match="cifar10_train_lmdb' exists already"):
        convert_cifar(tmp_path, tmp_path / "out", "lmdb")
    (tmp_path / "data_batch_3.bin").write_bytes(b"12345")
    with pytest.raises(RoasteryError, match=r"data_batch_3.bin' has 5 bytes; a multiple of 3073"):
        convert_cifar(tmp_path, tmp_path, "lmdb")
    (tmp_path / "data_batch_3.bin").unlink()
    with pytest.raises(RoasteryError, match=r"there is no file '.*data_batch_3.bin'"):
        convert_cifar(tmp_path, tmp_path, "leveldb")


def test_mean_is_caffes_file(tmp_path: Path) -> None:
    mean = compute_image_mean(DATA / "databases" / "lmdb_raw", tmp_path / "mean.binaryproto")
    recorded = (DATA / "databases" / "mean.binaryproto").read_bytes()
    assert (tmp_path / "mean.binaryproto").read_bytes() == recorded
    assert mean.count == 12
    assert [f"{value:.6g}" for value in mean.channels] == ["121.411", "124.711", "141.901"]
    np.testing.assert_array_equal(read_mean(tmp_path / "mean.binaryproto"), mean.image)


def test_mean_of_encoded_and_float_records(tmp_path: Path) -> None:
    encoded = compute_image_mean(DATA / "databases" / "lmdb_png")
    np.testing.assert_array_equal(
        encoded.image, compute_image_mean(DATA / "databases" / "lmdb_raw").image
    )
    values = np.random.default_rng(2).normal(size=(7, 2, 3, 4)).astype(np.float32)
    with new_database(tmp_path / "floats", "leveldb") as writer:
        for i, value in enumerate(values):
            writer.put(b"%d" % i, serialize_datum(Datum(2, 3, 4, float_data=value.reshape(-1))))
    mean = compute_image_mean(tmp_path / "floats", backend="leveldb")
    np.testing.assert_allclose(mean.image, values.mean(0), rtol=1e-6, atol=1e-7)


def test_mean_refusals(tmp_path: Path) -> None:
    with pytest.raises(RoasteryError, match=r"there is no database '.*gone'"):
        compute_image_mean(tmp_path / "gone", tmp_path / "m")
    with pytest.raises(RoasteryError, match=r"'00000001_img_01.png' .* is 3 x .*the first is"):
        compute_image_mean(DATA / "databases" / "lmdb_files", tmp_path / "m")
    with new_database(tmp_path / "empty", "lmdb"):
        pass
    with pytest.raises(RoasteryError, match="holds no records"):
        compute_image_mean(tmp_path / "empty", tmp_path / "m")
    assert not (tmp_path / "m").exists()


def test_blobs_agree_with_protobuf() -> None:
    file = descriptor_pb2.FileDescriptorProto(name="blob.proto", package="t")
    shape = file.message_type.add(name="Shape")
    dim = shape.field.add(name="dim", number=1, type=3, label=3)
    dim.options.packed = True
    blob = file.message_type.add(name="Blob")
    for number, name in enumerate(("num", "channels", "height", "width"), 1):
        blob.field.add(name=name, number=number, type=5, label=1)
    for number, name, kind in ((5, "data", 2), (8, "double_data", 1)):
        blob.field.add(name=name, number=number, type=kind, label=3).options.packed = True
    blob.field.add(name="shape", number=7, type=11, label=1, type_name=".t.Shape")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    Blob = message_factory.GetMessageClass(pool.FindMessageTypeByName("t.Blob"))
    values = np.arange(24, dtype=np.float32).reshape(1, 2, 3, 4)
    theirs = Blob.FromString(b"".join(encode_blob(values, legacy=True)))
    assert (theirs.num, theirs.channels, theirs.height, theirs.width) == (1, 2, 3, 4)
    np.testing.assert_array_equal(theirs.data, values.reshape(-1))
    modern = Blob(double_data=[1.5, 2.5, 3.5])
    modern.shape.dim.extend([3, 1])
    found = parse_blob(modern.SerializeToString())
    np.testing.assert_array_equal(found.data, [[1.5], [2.5], [3.5]])
    assert not found.legacy


def test_resize_and_crop(tmp_path: Path) -> None:
    source = tmp_path / "in"
    (source / "sub").mkdir(parents=True)
    wide = np.zeros((20, 60, 3), np.uint8)
    wide[:, 20:40] = 255
    cv2.imwrite(str(source / "wide.png"), wide)
    cv2.imwrite(str(source / "sub" / "tall.PNG"), np.full((50, 10, 3), 9, np.uint8))
    (source / "bad.jpg").write_text("no picture")
    (source / "notes.txt").write_text("not looked at")
    result = resize_and_crop(source, tmp_path / "out", 10)
    assert result.written == 2 and result.skipped == ("bad.jpg",)
    found = cv2.imread(str(tmp_path / "out" / "wide.png"))
    assert found.shape == (10, 10, 3) and found.min() == 255
    assert cv2.imread(str(tmp_path / "out" / "sub" / "tall.PNG")).shape == (10, 10, 3)
    assert resize_and_crop(source, tmp_path / "some", 4, ["wide.png"]).written == 1
    circle = tmp_path / "circle" / "wide.png"
    circle.parent.mkdir()
    circle.symlink_to("wide.png")
    assert resize_and_crop(source, circle.parent, 4, ["wide.png"]).written == 1
    for files, message in (
        (["bad.jpg"], "none of the 1"),
        (["../x.png"], "leads out"),
        ([], "holds no pictures"),
    ):
        with pytest.raises(RoasteryError, match=message):
            resize_and_crop(source, tmp_path / "out", 4, files)
    with pytest.raises(RoasteryError, match="there is no"):
        resize_and_crop(tmp_path / "gone", tmp_path / "out")
    with pytest.raises(RoasteryError, match="output_side_length is 0"):
        resize_and_crop(source, tmp_path / "out", 0)


def test_conversion_is_quick(pictures: Path) -> None:
    """Thousands of small records take seconds at most: commits are grouped."""
    list_file = write_list(pictures, ["a.png 1"] * 3000)
    started = time.perf_counter()
    assert convert_imageset(f"{pictures}/", list_file, pictures / "db").written == 3000
    assert time.perf_counter() - started < 20


FULL_DISK = """
import os, resource, sys
from pathlib import Path
from ir.errors import RoasteryError
from runtime.data.database_writer import new_database
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
try:
    with new_database(Path(sys.argv[1]), sys.argv[2]) as writer:
        for i in range(40):
            writer.put(b"%08d" % i, os.urandom(1 << 17))
except RoasteryError as error:
    print(error)
"""


@pytest.mark.parametrize("backend", ["lmdb", "leveldb"])
@pytest.mark.parametrize("limit", [0, 20_000, 1 << 20])
def test_a_full_disk_leaves_nothing_and_one_error(backend: str, limit: int, tmp_path: Path) -> None:
    """Files that may not grow beyond a size stand for a disk that is full."""
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path / "db"), backend, str(limit)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert f"cannot write '{tmp_path / 'db'}': " in done.stdout
    short_write = "Input/output error"  # liblmdb's word for what a full disk leaves
    assert "File too large" in done.stdout or short_write in done.stdout
    assert "is there room" in done.stdout or not limit
    assert os.listdir(tmp_path) == []


def test_the_mean_of_a_leveldb_needs_no_leveldb(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with new_database(tmp_path / "db", "leveldb") as writer:
        writer.put(b"a", serialize_datum(Datum(1, 1, 2, b"\x02\x04")))
    monkeypatch.setitem(sys.modules, "plyvel", None)
    assert compute_image_mean(tmp_path / "db", backend="leveldb").image.tolist() == [[[2, 4]]]


def test_pages_that_point_at_each_other(tmp_path: Path) -> None:
    """48 KiB whose tree would give records without end."""
    shutil.copytree(DATA / "databases" / "laughs", tmp_path / "db")
    with pytest.raises(RoasteryError, match=r"LMDB '.*db': page 3 is damaged"):
        compute_image_mean(tmp_path / "db")


def test_a_signal_does_not_wait_for_all_pictures(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (600, 800, 3), np.uint8)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "0.png").write_bytes(encode_image(pixels, "png"))
    for number in range(1, 2000):
        (tmp_path / "in" / f"{number}.png").symlink_to("0.png")
    words = ["resize_and_crop", "in", "out", "--output_side_length=500"]
    with subprocess.Popen(
        [sys.executable, "-m", "roastery", *words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.DEVNULL,
    ) as process:
        while not (tmp_path / "out").exists():
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
    assert process.returncode == 128 + signal.SIGTERM
    names = os.listdir(tmp_path / "out")
    assert len(names) < 1000
    assert not [name for name in names if name.endswith(".partial")]
