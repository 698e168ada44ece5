"""What databases, lists and HDF5 files can have wrong, and what the person is told."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import cv2
import h5py
import lmdb
import numpy as np
import plyvel
import pytest

from ir.errors import RoasteryError
from ir.location import Location
from runtime.data.config import SourceConfig, TransformConfig
from runtime.data.database_writer import new_database
from runtime.data.datum import Datum, serialize_datum
from runtime.data.opening import open_source
from runtime.data.sources.data import DataConfig
from runtime.data.sources.dummy_data import DummyDataConfig, DummyFiller
from runtime.data.sources.hdf5_data import HDF5DataConfig
from runtime.data.sources.image_data import ImageDataConfig
from runtime.data.sources.memory_data import MemoryDataConfig

PLACE = Location("net.prototxt", 7, 3)


def write_database(path: Path, records: dict[bytes, bytes], backend: str = "lmdb") -> None:
    with new_database(path, backend) as writer:
        for key, value in records.items():
            writer.put(key, value)


def picture(channels: int = 3, height: int = 6, width: int = 7, label: int = 1) -> bytes:
    size = channels * height * width
    return serialize_datum(Datum(channels, height, width, bytes(size), label))


def fails(config: SourceConfig, root: Path, message: str, batches: int = 0) -> str:
    """Assert that opening (or reading that many batches) is refused; the whole text."""
    with pytest.raises(RoasteryError, match=message) as caught:
        source = open_source(config, "TRAIN", 1, root)
        try:
            for _ in range(batches):
                source.next()
            pytest.fail("nothing was refused") if not batches else source.next()
        finally:
            source.close()
    return str(caught.value)


def data(batch_size: int = 2, **more: object) -> DataConfig:
    return DataConfig(source="db", batch_size=batch_size, layer="in", location=PLACE, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("backend", ["LMDB", "LEVELDB"])
def test_missing_database(backend: str, tmp_path: Path) -> None:
    text = fails(data(backend=backend), tmp_path, "there is no database")
    assert "net.prototxt:7:3 (layer 'in')" in text
    assert not (tmp_path / "db").exists()


def test_folder_without_a_database(tmp_path: Path) -> None:
    (tmp_path / "db").mkdir()
    fails(data(), tmp_path, "holds no database: neither data.mdb")


def test_garbage(tmp_path: Path) -> None:
    (tmp_path / "db").mkdir()
    (tmp_path / "db" / "data.mdb").write_bytes(bytes(range(256)) * 40)
    fails(data(backend="LMDB"), tmp_path, "does not begin as an LMDB file does")


def test_truncated(tmp_path: Path) -> None:
    write_database(tmp_path / "db", {b"%03d" % i: picture() for i in range(40)})
    file = tmp_path / "db" / "data.mdb"
    file.write_bytes(file.read_bytes()[:9000])
    fails(data(backend="LMDB"), tmp_path, "the file is cut off: it has 9000 bytes")


def test_truncated_while_it_is_read(tmp_path: Path) -> None:
    write_database(tmp_path / "db", {b"%03d" % i: picture(height=40) for i in range(40)})
    source = open_source(data(), "TRAIN", 1, tmp_path)
    source.next()
    with open(tmp_path / "db" / "data.mdb", "r+b") as file:
        file.truncate(8192)
    with pytest.raises(RoasteryError, match="cut off"):
        for _ in range(20):
            source.next()
    source.close()


@pytest.mark.parametrize("backend", ["lmdb", "leveldb"])
def test_empty_database(backend: str, tmp_path: Path) -> None:
    write_database(tmp_path / "db", {}, backend)
    fails(data(), tmp_path, "holds no records")


@pytest.mark.parametrize("batch_size", [0, -3])
def test_batch_size(batch_size: int, tmp_path: Path) -> None:
    text = fails(data(batch_size), tmp_path, f"batch_size is {batch_size}")
    assert "data_param { batch_size: N }" in text


def test_other_backend_just_works(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_database(tmp_path / "db", {b"a": picture()})
    write_database(tmp_path / "level", {b"a": picture()}, "leveldb")
    with caplog.at_level("INFO", "roastery.data"):
        open_source(data(), "TEST", 1, tmp_path).close()
        open_source(
            DataConfig(source="level", batch_size=1, backend="LMDB"), "TEST", 1, tmp_path
        ).close()
        open_source(DataConfig(source="level", batch_size=1), "TEST", 1, tmp_path).close()
    notes = [text for text in caplog.messages if "holds" in text]
    assert len(notes) == 2
    assert "holds an LMDB, not a LevelDB" in notes[0]
    assert "holds a LevelDB, not an LMDB" in notes[1]


def test_lmdb_in_a_single_file(tmp_path: Path) -> None:
    environment = lmdb.open(str(tmp_path / "db"), subdir=False)
    with environment.begin(write=True) as transaction:
        transaction.put(b"a", picture(label=8))
    environment.close()
    source = open_source(data(1), "TEST", 1, tmp_path)
    assert source.next().arrays[1].tolist() == [8]


def test_a_leveldb_is_read_by_several_and_beside_leveldb_itself(tmp_path: Path) -> None:
    write_database(tmp_path / "db", {b"a": picture(label=8)}, "leveldb")
    with plyvel.DB(str(tmp_path / "db")):
        readers = [open_source(data(), "TEST", 1, tmp_path) for _ in range(3)]
        assert [reader.next().arrays[1][0] for reader in readers] == [8, 8, 8]
        for reader in readers:
            reader.close()


def test_a_leveldb_that_is_being_written(tmp_path: Path) -> None:
    with plyvel.DB(str(tmp_path / "db"), create_if_missing=True) as writer:
        writer.put(b"a", picture())
        (log,) = (tmp_path / "db").glob("*.log")
        with open(log, "ab") as file:
            file.write(b"half")
        text = fails(data(), tmp_path, r"LevelDB '.*db': 000003.log is cut off")
        assert f"process {os.getpid()} has it open and may be writing to it" in text
    assert "copy it again" in fails(data(), tmp_path, r"LevelDB '.*db': 000003.log is cut off")


def test_reading_a_leveldb_needs_no_leveldb_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_database(tmp_path / "db", {b"a": picture(label=8)}, "leveldb")
    monkeypatch.setitem(sys.modules, "plyvel", None)
    (tmp_path / "db" / "LOCK").unlink()
    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "db").iterdir()}
    (tmp_path / "db").chmod(0o500)
    source = open_source(data(), "TEST", 1, tmp_path)
    assert source.next().arrays[1].tolist() == [8, 8]
    source.close()
    (tmp_path / "db").chmod(0o700)
    assert before == {file: file.stat().st_mtime_ns for file in (tmp_path / "db").iterdir()}


def test_damaged_leveldb(tmp_path: Path) -> None:
    write_database(tmp_path / "db", {b"%03d" % i: picture() for i in range(50)}, "leveldb")
    (tmp_path / "db" / "CURRENT").write_text("MANIFEST-009999\n")
    fails(data(), tmp_path, "cannot read the LevelDB '.*db': CURRENT names MANIFEST-009999, which")
    (tmp_path / "db" / "CURRENT").unlink()
    fails(data(), tmp_path, "holds no database")


def test_a_record_damaged_while_it_is_read(tmp_path: Path) -> None:
    with plyvel.DB(str(tmp_path / "db"), create_if_missing=True) as writer:
        for i in range(50):
            writer.put(b"%03d" % i, picture(height=40))
    source = open_source(data(), "TEST", 1, tmp_path)
    source.next()
    (log,) = (tmp_path / "db").glob("*.log")
    content = bytearray(log.read_bytes())
    content[len(content) // 2] ^= 1
    log.write_bytes(content)
    with pytest.raises(
        RoasteryError, match=r"LevelDB '.*db': .*\.log is damaged at byte"
    ) as caught:
        for _ in range(30):
            source.next()
    assert "net.prototxt:7:3 (layer 'in')" in str(caught.value)
    source.close()


def test_plyvel_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "plyvel", None)
    with pytest.raises(RoasteryError, match="writing LevelDB needs the package plyvel") as caught:
        write_database(tmp_path / "db", {b"a": picture()}, "leveldb")
    assert "pip install roastery[leveldb]" in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_opencv_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_database(tmp_path / "db", {b"a": serialize_datum(Datum(data=b"x", encoded=True))})
    monkeypatch.setitem(sys.modules, "cv2", None)
    assert "pip install roastery[images]" in fails(data(), tmp_path, "opencv-python-headless")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (b"\xff\xff garbage", "record 'a' of database '.*db' is not a Datum"),
        (b"", "cannot be used: the record says it is 0x0x0"),
        (serialize_datum(Datum(3, 4, 5, b"12")), "3x4x5 values and holds 2"),
        (serialize_datum(Datum(data=b"nonsense", encoded=True)), "not a picture that OpenCV"),
        (serialize_datum(Datum(encoded=True)), "it is empty"),
        (
            serialize_datum(
                Datum(
                    data=cv2.imencode(".png", np.zeros((2, 2), np.uint16))[1].tobytes(),
                    encoded=True,
                )
            ),
            "8 bits per channel",
        ),
    ],
)
def test_bad_records(value: bytes, message: str, tmp_path: Path) -> None:
    write_database(tmp_path / "db", {b"a": value})
    fails(data(), tmp_path, message)


def test_records_of_two_sizes(tmp_path: Path) -> None:
    write_database(tmp_path / "db", {b"a": picture(), b"b": picture(height=9)})
    text = fails(data(), tmp_path, "record 'b' is 3 x 9 x 7 .* record 'a' .* is 3 x 6 x 7", 1)
    assert "crop_size" in text
    cropped = data(transform=TransformConfig(crop_size=5))
    source = open_source(cropped, "TRAIN", 1, tmp_path)
    assert source.next().arrays[0].shape == (2, 3, 5, 5)
    single = open_source(data(1), "TRAIN", 1, tmp_path)
    assert [single.next().arrays[0].shape[2] for _ in range(3)] == [6, 9, 6]


@pytest.mark.parametrize(
    ("transform", "message"),
    [
        (TransformConfig(crop_size=15), "crop_size is 15, but record 'a' is 6 high and 7 wide"),
        (TransformConfig(mean_value=(1, 2)), "2 mean_value given, but record 'a' has 3 channels"),
    ],
)
def test_transforms_are_checked_before_training(
    transform: TransformConfig, message: str, tmp_path: Path
) -> None:
    write_database(tmp_path / "db", {b"a": picture()})
    fails(data(transform=transform), tmp_path, message)


def test_top_counts(tmp_path: Path) -> None:
    fails(data(tops=("a", "b", "c")), tmp_path, "Data has 3 tops, 1 or 2 expected")
    fails(ImageDataConfig(tops=("a",)), tmp_path, "ImageData has 1 tops, 2 expected")


def image_data(**more: object) -> ImageDataConfig:
    return ImageDataConfig(source="list.txt", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "there is no image list '.*list.txt'"),
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("gone.png 1\n", r"there is no image 'gone.png' .*list.txt, line 1"),
        ("\n\nnot_a_picture.txt 1\n", r"cannot decode image .*line 3\): it is not a picture"),
        ("a.png one\n", "list.txt:1:7: label 'one' is not a whole number"),
        ("a.png 99999999999\n", "label '99999999999' is not a whole number"),
        ("a.png 2147483648\n", "label '2147483648' is not a whole number of 32 bits"),
        ("a.png 1.0\n", "label '1.0' is not a whole number"),
        ("a.png 1_0\n", "label '1_0' is not a whole number"),
        ("a.png \u0663\n", "label '\u0663' is not a whole number"),
        (f"a.png {'9' * 9000}\n", "label '9{40}' is not a whole number"),
        ("a.png 1\n\nb.png\n", "list.txt:3:1: the line has no label"),
        ("a.png \n", "list.txt:1:1: the line has no label"),
        ("a b.png\n", "list.txt:1:3: label 'b.png' is not a whole number"),
        ("a.png\t1\n", "no label(.|\n)*a tab does not part them"),
        (" 1\n", "list.txt:1:1: the line names no image"),
    ],
)
def test_image_lists(text: str | None, message: str, tmp_path: Path) -> None:
    (tmp_path / "not_a_picture.txt").write_text("hello")
    if text is not None:
        (tmp_path / "list.txt").write_text(text)
    with pytest.raises(RoasteryError) as caught:
        open_source(image_data(), "TRAIN", 1, tmp_path)
    import re

    assert re.search(message, str(caught.value))


def test_image_parameters(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("a.png 1\nb.png 2\n")
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((4, 5, 3), np.uint8))
    cv2.imwrite(str(tmp_path / "b.png"), np.zeros((4, 6, 3), np.uint8))
    fails(image_data(new_height=4), tmp_path, "new_height is 4 and new_width is 0")
    fails(image_data(batch_size=0), tmp_path, "batch_size is 0")
    fails(image_data(batch_size=2), tmp_path, "'b.png' .* is 4 high and 6 wide, but image 'a", 1)
    fails(image_data(rand_skip=1 << 30), tmp_path, "but the list has 2 images")
    skips = {
        int(open_source(image_data(rand_skip=2), "TRAIN", seed, tmp_path).next().arrays[1][0])
        for seed in range(12)
    }
    assert skips == {1, 2}


def hdf5(**more: object) -> HDF5DataConfig:
    options = {"source": "list.txt", "batch_size": 2, "tops": ("data", "label"), **more}
    return HDF5DataConfig(**options)  # type: ignore[arg-type]


@pytest.fixture
def hdf5_files(tmp_path: Path) -> Path:
    (tmp_path / "list.txt").write_text("a.h5\n")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["data"] = np.zeros((5, 3))
        file["label"] = np.zeros(5)
        file["short"] = np.zeros(4)
        file["words"] = np.array([b"x"] * 5)
        file["number"] = 3.0
        file["none"] = np.zeros((0, 3))
        file.create_dataset("huge", shape=(10**12, 3), dtype="f4", chunks=(1000, 3))
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file["data"] = np.zeros((5, 4))
        file["label"] = np.zeros(5)
    return tmp_path


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (hdf5(transform=TransformConfig(scale=2)), "HDF5Data does not transform data"),
        (hdf5(batch_size=0), "batch_size is 0"),
        (hdf5(source="nowhere.txt"), "there is no list of HDF5 files"),
        (hdf5(source="a.h5"), "is an HDF5 file itself"),
        (hdf5(tops=("data", "target")), "no data set 'target' .it has .*'data'"),
        (hdf5(tops=("data", "short")), "differ in their number of rows: 'data' 5, 'short' 4"),
        (hdf5(tops=("words",)), "numbers were expected"),
        (hdf5(tops=("number",)), "is a single number"),
        (hdf5(tops=("none",)), "have no rows"),
        (
            hdf5(tops=("huge",)),
            "cannot read HDF5 file 'a.h5': .*claims .1000000000000, 3. values, 12",
        ),
    ],
)
def test_hdf5_refusals(config: HDF5DataConfig, message: str, hdf5_files: Path) -> None:
    fails(config, hdf5_files, message)


@pytest.mark.parametrize(
    ("files", "message", "batches"),
    [
        ("", "lists no HDF5 file", 0),
        ("gone.h5", "there is no HDF5 file 'gone.h5', named in 'list.txt'", 0),
        ("list.txt", "cannot read HDF5 file 'list.txt'", 0),
        ("a.h5\nb.h5", r"a row of 'data' has shape \(4,\) in 'b.h5', but \(3,\) in 'a.h5'", 2),
    ],
)
def test_hdf5_lists(files: str, message: str, batches: int, hdf5_files: Path) -> None:
    (hdf5_files / "list.txt").write_text(files)
    fails(hdf5(), hdf5_files, message, batches)


def test_memory_refusals(tmp_path: Path) -> None:
    fails(MemoryDataConfig(batch_size=2, channels=3, height=0, width=4), tmp_path, "height is 0")
    config = MemoryDataConfig(batch_size=2, channels=1, height=2, width=2)
    fails(config, tmp_path, "was given no data", 1)
    source = open_source(config, "TEST", 1, tmp_path)
    for shape, count, message in [
        ((3, 1, 2, 2), 3, "multiple of the batch size 2"),
        ((0, 1, 2, 2), 0, "multiple"),
        ((2, 2, 2), 2, "expected"),
        ((2, 1, 2, 3), 2, "expected"),
        ((2, 1, 2, 2), 3, "3 labels"),
    ]:
        with pytest.raises(RoasteryError, match=message):
            source.reset(np.zeros(shape), np.zeros(count))  # type: ignore[attr-defined]


def test_dummy_refusals(tmp_path: Path) -> None:
    filler = DummyFiller(fill=lambda shape, seed: np.zeros(shape))
    shape = ((2,),)
    tops = ("a", "b", "c")
    fails(
        DummyDataConfig(tops=tops, shape=shape, data_filler=(filler,) * 2),
        tmp_path,
        "2 data_filler given for 3 tops",
    )
    fails(DummyDataConfig(tops=tops, shape=shape * 2), tmp_path, "2 shape given for 3 tops")
    fails(DummyDataConfig(tops=tops), tmp_path, "0 shape given for 3 tops")
    fails(DummyDataConfig(tops=tops, shape=shape, num=(1,)), tmp_path, "both shape and")
    fails(
        DummyDataConfig(tops=tops, num=(1,), channels=(1,), height=(1,)),
        tmp_path,
        "0 width given for 3 tops",
    )
