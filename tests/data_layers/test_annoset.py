"""create_annoset against the databases that convert_annoset of SSD's branch wrote."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import lmdb
import numpy as np
import plyvel
import pytest
from google.protobuf import text_format
from hypothesis import given
from hypothesis import strategies as st
from recorded_cases import DATA

from frontends.label_map import read_label_map
from frontends.schema.pool import caffe_pb2
from ir.errors import RoasteryError
from roastery.cli.main import main
from runtime.data.annotated_datum import AnnotatedDatum, parse_annotated, serialize_annotated
from runtime.data.datum import Datum
from runtime.data.mean_file import read_mean
from runtime.data.tools.annoset import create_annoset

FOLDER = DATA / "annotated"
IMAGES = FOLDER / "images"
ROOT = Path(__file__).parents[2]
LABELS = read_label_map(FOLDER / "labelmap.prototxt").labels(strict=True)
PNG = {"encoded": True, "encode_type": "png"}
CONVERSIONS = {
    "lmdb_raw": {},
    "lmdb_gray": {"gray": True},
    "lmdb_png": PNG,
    "lmdb_jpg": {"encoded": True, "encode_type": "jpg"},
    "lmdb_smaller": {**PNG, "resize_height": 24, "resize_width": 36},
    "lmdb_sizes": PNG,
}


def records(path: Path) -> dict[bytes, bytes]:
    if (path / "data.mdb").exists():
        with lmdb.open(str(path), readonly=True, lock=False) as environment:
            with environment.begin() as transaction:
                return dict(transaction.cursor())
    database = plyvel.DB(str(path))
    try:
        return dict(database)
    finally:
        database.close()


def pixels_of(datum: Datum) -> np.ndarray:
    if not datum.encoded:
        return datum.array()
    return cv2.imdecode(np.frombuffer(datum.data, np.uint8), cv2.IMREAD_UNCHANGED)


def convert(target: Path, name: str = "list.txt", **options: object) -> dict[bytes, AnnotatedDatum]:
    create_annoset(
        f"{IMAGES}/",
        FOLDER / name,
        target,
        anno_type="detection",
        labels=LABELS,
        **options,  # type: ignore[arg-type]
    )
    return {key: parse_annotated(value) for key, value in records(target).items()}


@pytest.mark.parametrize("name", CONVERSIONS)
def test_databases_are_ssds(name: str, tmp_path: Path) -> None:
    listed = "list_sizes.txt" if name == "lmdb_sizes" else "list.txt"
    convert(tmp_path / "db", listed, **CONVERSIONS[name])
    found, recorded = records(tmp_path / "db"), records(FOLDER / name)
    assert list(found) == list(recorded)
    # Encoders of other versions of OpenCV write other bytes; files that are copied are the same.
    exact = name in ("lmdb_raw", "lmdb_gray", "lmdb_png", "lmdb_sizes")
    for key, value in recorded.items():
        if exact:
            assert found[key] == value
            continue
        mine, theirs = parse_annotated(found[key]), parse_annotated(value)
        assert (mine.type, mine.datum.label) == (theirs.type, theirs.datum.label)
        sizes = [(d.channels, d.height, d.width) for d in (mine.datum, theirs.datum)]
        assert sizes[0] == sizes[1]
        difference = pixels_of(mine.datum).astype(int) - pixels_of(theirs.datum)
        assert np.abs(difference).mean() < 1
        np.testing.assert_array_equal(mine.boxes.corners, theirs.boxes.corners)
        np.testing.assert_array_equal(mine.boxes.labels, theirs.boxes.labels)
        np.testing.assert_array_equal(mine.boxes.instances, theirs.boxes.instances)
        np.testing.assert_array_equal(mine.boxes.difficult, theirs.boxes.difficult)


def test_leveldb_and_random_order(tmp_path: Path) -> None:
    straight = convert(tmp_path / "a", backend="leveldb")
    assert {k: len(v.boxes) for k, v in straight.items()} == {
        k: len(parse_annotated(v).boxes) for k, v in records(FOLDER / "lmdb_raw").items()
    }
    shuffled = list(convert(tmp_path / "b", shuffle=True, seed=3))
    assert shuffled != list(straight)
    assert sorted(key[9:] for key in shuffled) == sorted(key[9:] for key in straight)


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ({"min_dim": 60}, (60, 80)),
        ({"max_dim": 20}, (15, 20)),
        ({"min_dim": 60, "max_dim": 50}, (38, 50)),
        ({"min_dim": 10, "max_dim": 100}, (30, 40)),
        ({"min_dim": 60, "resize_height": 7, "resize_width": 7}, (60, 80)),
    ],
)
def test_sides_have_bounds(options: dict[str, int], size: tuple[int, int], tmp_path: Path) -> None:
    first = next(iter(convert(tmp_path / "db", **options).values())).datum
    assert (first.height, first.width) == size
    pixels = cv2.imread(str(IMAGES / "a0.png"))
    factor = np.float32(size[1]) / np.float32(40)
    wanted = cv2.resize(pixels, None, fx=float(factor), fy=float(factor))
    np.testing.assert_array_equal(first.array(), wanted.transpose(2, 0, 1))


def write(folder: Path, **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "a.png").write_bytes((IMAGES / "a0.png").read_bytes())
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    return folder


def one(folder: Path, label_type: str, **options: object) -> AnnotatedDatum:
    listed = folder / "list.txt"
    listed.write_text(f"a.png a.{label_type}\n")
    create_annoset(
        str(folder), listed, folder / "db", anno_type="detection", label_type=label_type,
        labels=LABELS, **options,  # type: ignore[arg-type]
    )  # fmt: skip
    return parse_annotated(next(iter(records(folder / "db").values())))


def test_json_is_cocos(tmp_path: Path) -> None:
    text = json.dumps(
        {
            "image": {"height": 60, "width": 80, "file_name": "a.png"},
            "annotation": [
                {"category_id": 2, "bbox": [8, 6.5, 16, 12], "iscrowd": 0},
                {"category_id": "1", "bbox": [0, 0, 80, 60], "iscrowd": 1},
                {"category_id": 2, "bbox": [40, 30, 4, 3]},
            ],
        }
    )
    labels = {"1": 7, "2": 9}
    folder = write(tmp_path / "x", a_json=text)
    (folder / "list.txt").write_text("a.png a.json\n")
    create_annoset(
        str(folder), folder / "list.txt", folder / "db", anno_type="detection", label_type="json",
        labels=labels,
    )  # fmt: skip
    boxes = parse_annotated(next(iter(records(folder / "db").values()))).boxes
    assert boxes.labels.tolist() == [9, 9, 7]  # a group for each label
    assert boxes.instances.tolist() == [0, 1, 0]
    assert boxes.difficult.tolist() == [False, False, True]
    wanted = np.array(
        [[8, 6.5, 24, 18.5], [40, 30, 44, 33], [0, 0, 80, 60]], np.float32
    ) / np.array([80, 60, 80, 60], np.float32)
    np.testing.assert_array_equal(boxes.corners, wanted)


def test_lines_of_text(tmp_path: Path) -> None:
    record = one(write(tmp_path / "x", a_txt="3 4 3 20 15\n\n-1 0 0 40 30\n"), "txt")
    assert record.boxes.labels.tolist() == [3, -1] and not record.boxes.difficult.any()
    np.testing.assert_allclose(record.boxes.corners, [[0.1, 0.1, 0.5, 0.5], [0, 0, 1, 1]])


def test_boxes_are_of_the_size_that_annotations_tell(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    box = "<bndbox><ymin>30</ymin><xmin>8</xmin><xmax>90</xmax><ymax>6</ymax></bndbox>"
    text = f"<annotation><size><width>80</width></size><object>{box}<name> cat\n</name></object>"
    record = one(write(tmp_path / "x", a_xml=f"{text}</annotation>"), "xml")
    wanted = np.array([[8 / 80, 1, 90 / 80, 6 / 30]], np.float32)
    np.testing.assert_array_equal(record.boxes.corners, wanted)
    told = " ".join(caplog.messages)
    assert "inconsistent image width: 80, the picture has 40." in told
    assert "exceeds image boundary" in told and "irregular" in told


def test_a_class_for_each_picture(tmp_path: Path) -> None:
    folder = write(tmp_path / "x", list_txt="a.png 5\n")
    create_annoset(str(folder), folder / "list.txt", folder / "db")
    record = parse_annotated(next(iter(records(folder / "db").values())))
    assert (record.type, record.datum.label, len(record.boxes)) == (None, 5, 0)


def test_what_is_not_there_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = write(tmp_path / "x", list_txt="a.png gone.xml\ngone.png a.xml\n")
    done = create_annoset(str(folder), folder / "list.txt", folder / "db", anno_type="detection")
    assert (done.written, done.boxes, done.skipped) == (1, 0, ("gone.png",))
    assert f"there is no {folder}/gone.xml: a.png is stored without boxes" in caplog.messages
    assert "Failed to read gone.png" in caplog.messages


def test_one_size_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(RoasteryError, match=r"line 2\) is 42 x 29 x 3, but 'b0.png' is 28 x 33"):
        convert(tmp_path / "db", "list_sizes.txt", check_size=True)
    assert not (tmp_path / "db").exists()
    convert(tmp_path / "db", check_size=True)


def test_a_database_is_replaced_when_it_is_complete(tmp_path: Path) -> None:
    target = tmp_path / "db"
    convert(target)
    before = records(target)
    with pytest.raises(RoasteryError, match="exists already"):
        convert(target, gray=True)
    with pytest.raises(RoasteryError, match="is 42 x 29"):
        convert(target, "list_sizes.txt", check_size=True, redo=True)
    assert records(target) == before
    convert(target, gray=True, redo=True)
    assert records(target) == records(FOLDER / "lmdb_gray")
    assert [path.name for path in tmp_path.iterdir()] == ["db"]


def test_only_a_database_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "db").mkdir()
    (tmp_path / "db" / "thesis.tex").write_text("years of work")
    with pytest.raises(RoasteryError, match="is no database, and is not replaced"):
        convert(tmp_path / "db", redo=True)
    assert (tmp_path / "db" / "thesis.tex").exists()


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [
        "create_annoset", "--anno-type=detection", f"--label-map-file={FOLDER}/labelmap.prototxt",
        "--check-label", str(IMAGES), str(FOLDER / "list.txt"), str(tmp_path / "db"),
        str(tmp_path / "examples"),
    ]  # fmt: skip
    assert main(words) == 0
    assert records(tmp_path / "db") == records(FOLDER / "lmdb_raw")
    assert (tmp_path / "examples" / "db").resolve() == tmp_path / "db"
    assert "Processed 8 files." in capsys.readouterr().err
    assert main(["compute_image_mean", str(tmp_path / "db"), str(tmp_path / "mean")]) == 0
    pixels = [
        parse_annotated(value).datum.array() for value in records(FOLDER / "lmdb_raw").values()
    ]
    np.testing.assert_allclose(read_mean(tmp_path / "mean"), np.mean(pixels, axis=0), rtol=1e-6)
    assert main([words[0], words[1], *words[4:]]) == 1
    assert "no label map is given" in capsys.readouterr().err


def test_records_are_protobufs(tmp_path: Path) -> None:
    """SSD's own scripts read and write records and label maps with these classes."""
    pb = caffe_pb2()
    for value in records(FOLDER / "lmdb_raw").values():
        mine, theirs = parse_annotated(value), pb.AnnotatedDatum.FromString(value)
        assert theirs.SerializeToString() == value == serialize_annotated(mine)
        boxes = [
            (group.group_label, a.instance_id, a.bbox.xmin, a.bbox.ymin, a.bbox.xmax, a.bbox.ymax,
             a.bbox.difficult)
            for group in theirs.annotation_group
            for a in group.annotation
        ]  # fmt: skip
        assert len(boxes) == len(mine.boxes)
        for i, (label, instance, *corners, difficult) in enumerate(boxes):
            assert (label, instance) == (mine.boxes.labels[i], mine.boxes.instances[i])
            assert corners == mine.boxes.corners[i].tolist()
            assert difficult == mine.boxes.difficult[i]
    text = (FOLDER / "labelmap.prototxt").read_text()
    found = text_format.Merge(text, pb.LabelMap())
    assert {item.name: item.label for item in found.item} == LABELS


@given(st.data())
def test_any_record_is_read_as_protobuf_reads_it(data: st.DataObject) -> None:
    pb = caffe_pb2()
    number = st.integers(-(2**31), 2**31 - 1)
    real = st.floats(width=32, allow_nan=False)
    record = pb.AnnotatedDatum()
    record.datum.label = data.draw(number)
    for _ in range(data.draw(st.integers(0, 3))):
        group = record.annotation_group.add()
        if data.draw(st.booleans()):
            group.group_label = data.draw(number)
        for _ in range(data.draw(st.integers(0, 3))):
            one = group.annotation.add()
            one.instance_id = data.draw(number)
            for name in ("xmin", "ymin", "xmax", "ymax", "score", "size"):
                if data.draw(st.booleans()):
                    setattr(one.bbox, name, data.draw(real))
            one.bbox.difficult = data.draw(st.booleans())
            one.bbox.label = data.draw(number)
    boxes = parse_annotated(record.SerializeToString()).boxes
    theirs = [(g, a) for g in record.annotation_group for a in g.annotation]
    assert boxes.labels.tolist() == [group.group_label for group, _ in theirs]
    assert boxes.instances.tolist() == [a.instance_id for _, a in theirs]
    assert boxes.difficult.tolist() == [a.bbox.difficult for _, a in theirs]
    corners = [[a.bbox.xmin, a.bbox.ymin, a.bbox.xmax, a.bbox.ymax] for _, a in theirs]
    assert boxes.corners.tolist() == corners
    sizes = [a.bbox.size if a.bbox.HasField("size") else None for _, a in theirs]
    assert [None if np.isnan(size) else size for size in boxes.sizes.tolist()] == sizes


def test_ctrl_c_leaves_the_old_database(tmp_path: Path) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text("a0.png a0.xml\n" * 20_000)
    convert(tmp_path / "db")
    before = records(tmp_path / "db")
    words = [
        sys.executable, "-m", "roastery", "create_annoset", "--anno_type=detection", "--redo",
        f"--label_map_file={FOLDER}/labelmap.prototxt", f"{IMAGES}/", str(listed), "db",
    ]  # fmt: skip
    with subprocess.Popen(
        words, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if b"Processed" in line:
                break
        process.send_signal(signal.SIGINT)
        process.stderr.read()
    assert process.returncode == 128 + signal.SIGINT
    assert sorted(os.listdir(tmp_path)) == ["db", "list.txt"]
    assert records(tmp_path / "db") == before
