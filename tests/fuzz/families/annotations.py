"""Pictures with boxes: records, the layer that reads them, and the files that say what is there."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from random import Random

import numpy as np

from frontends.label_map import read_label_map, read_pixel_classes
from roastery.wire.encoding import WireError
from runtime.data.annotated_datum import AnnotatedDatum, parse_annotated, serialize_annotated
from runtime.data.annotations.coco_json import parse_coco
from runtime.data.annotations.found import boxes_of
from runtime.data.annotations.text_lines import parse_lines
from runtime.data.annotations.voc_xml import parse_voc
from runtime.data.augment.settings import EmitConfig, ExpandConfig, ResizeConfig
from runtime.data.boxes.boxes import ObjectBoxes
from runtime.data.boxes.sampling import BatchSamplerConfig, ConstraintConfig, SamplerConfig
from runtime.data.config import TransformConfig
from runtime.data.database_writer import new_database
from runtime.data.datum import Datum
from runtime.data.image_codec import encode_image
from runtime.data.opening import open_source
from runtime.data.sources.annotated_data import AnnotatedDataConfig

from .. import mutate_wire
from ..inputs import Sample, from_folder, one_file
from ..targets import Target, register
from .places import DATA

FOLDER = DATA / "annotated"
_MASK = encode_image(np.eye(4, dtype=np.uint8), "png")
LABELS = {"cat": 1, "dog": 2, "cup": 3, "1": 1}


def _record(i: int) -> bytes:
    corners = np.array([[0.1, 0.1, 0.5, 0.6], [0.2, 0.3, 0.9, 1.0]], np.float32)[: i % 3]
    count = len(corners)
    boxes = ObjectBoxes(
        corners,
        np.arange(1, count + 1, dtype=np.int32),
        np.zeros(count, np.int32),
        np.zeros(count, np.bool_),
        np.full(count, np.nan, np.float32),
    )
    datum = Datum(3, 4, 4, bytes(range(48)), -1, encoded=False, seg_label=_MASK)
    return serialize_annotated(AnnotatedDatum(datum, 0, boxes))


def _records(room: Path) -> list[Sample]:
    return [one_file("record", _record(i)) for i in range(3)]


def _read_record(path: Path) -> object:
    record = parse_annotated(path.read_bytes())
    record.boxes.areas()
    return None if record.datum.encoded else record.datum.array().sum()


def _database(rng: Random | None, room: Path) -> Sample:
    folder = room / "annotated"
    shutil.rmtree(folder, ignore_errors=True)
    with new_database(folder, "leveldb") as writer:
        for i in range(4):
            record = _record(i)
            if rng is not None and rng.random() < 0.7:
                record = mutate_wire.mutate(record, rng)
            writer.put(b"%05d" % i, record)
    made = from_folder(folder, "db")
    return Sample({f"db/{key}": value for key, value in made.files.items()}, "db")


def _odd_database(rng: Random, room: Path) -> Sample:
    """A right database of wrong records."""
    return _database(rng, room)


def _lmdb(room: Path) -> list[Sample]:
    made = from_folder(FOLDER / "lmdb_png", "db")
    return [Sample({f"db/{key}": value for key, value in made.files.items()}, "db")]


def _batches(path: Path) -> object:
    """With every step that looks at boxes."""
    config = AnnotatedDataConfig(
        source=path.name,
        batch_size=2,
        backend="LEVELDB",
        transform=TransformConfig(
            mirror=True,
            crop_size=3,
            resize_param=ResizeConfig(height=4, width=5),
            expand_param=ExpandConfig(max_expand_ratio=2),
            emit_constraint=EmitConfig(emit_type="MIN_OVERLAP", emit_overlap=0.1),
        ),
        batch_sampler=(
            BatchSamplerConfig(
                sampler=SamplerConfig(min_scale=0.5),
                sample_constraint=ConstraintConfig(min_jaccard_overlap=0.1),
                max_trials=5,
            ),
        ),
    )
    return _read(config, path)


def _masked_batches(path: Path) -> object:
    """As MobileNet-YOLO's nets ask for them."""
    config = AnnotatedDataConfig(
        source=path.name,
        batch_size=2,
        backend="LEVELDB",
        tops=("data", "label", "masks"),
        yolo_data_type=1,
        seg_scales=1,
        transform=TransformConfig(mirror=True, resize_param=ResizeConfig(height=4, width=5)),
    )
    return _read(config, path)


def _grid_batches(path: Path) -> object:
    """As Synopsys' nets ask for them."""
    resize = ResizeConfig(height=32, width=32)
    config = AnnotatedDataConfig(
        source=path.name,
        batch_size=2,
        backend="LEVELDB",
        side=(1,),
        transform=TransformConfig(caffe_yolo=True, resize_param=resize),
    )
    return _read(config, path)


def _read(config: AnnotatedDataConfig, path: Path) -> None:
    source = open_source(config, "TRAIN", 1, path.parent)
    try:
        for _ in range(2):
            source.shapes()
            source.next()
    finally:
        source.close()


def _xml(room: Path) -> list[Sample]:
    return [one_file("a.xml", (FOLDER / "images" / f"a{i}.xml").read_bytes()) for i in range(6)]


def _read_xml(path: Path) -> object:
    return len(boxes_of(parse_voc(path.read_bytes(), path), 30, 40, LABELS))


def _json(room: Path) -> list[Sample]:
    things = [
        {"category_id": "1", "bbox": [1, 2.5, 3, 4], "iscrowd": 1},
        {"category_id": 1, "bbox": [0, 0, 40, 30]},
    ]
    image = {"height": 30, "width": 40}
    return [
        one_file("a.json", json.dumps({"image": image, "annotation": things[:i]})) for i in range(3)
    ]


def _read_json(path: Path) -> object:
    return len(boxes_of(parse_coco(path.read_bytes(), path), 30, 40, LABELS))


def _lines(room: Path) -> list[Sample]:
    return [one_file("a.txt", "1 2 3 4 5\n2 0.5 0 10 30\n")]


def _read_lines(path: Path) -> object:
    return len(boxes_of(parse_lines(path.read_bytes(), path), 30, 40, {}))


def _label_map(room: Path) -> list[Sample]:
    return [one_file("labelmap.prototxt", (FOLDER / "labelmap.prototxt").read_bytes())]


def _read_label_map(path: Path) -> object:
    found = read_label_map(path)
    return len(found.labels()), len(found.display_names())


def _pixel_map(room: Path) -> list[Sample]:
    items = [f'item {{ name: "n{i}" label: {i} label_id: {i // 2} r: 9 }}\n' for i in range(5)]
    return [one_file("labelmap.prototxt", "".join(items))]


def _read_pixel_classes(path: Path) -> object:
    return len(read_pixel_classes(path, None))


register(Target("AnnotatedDatum", _records, _read_record, "wire", clean=(WireError,)))
register(
    Target(
        "LMDB (AnnotatedData layer)",
        _lmdb,
        _batches,
        "bytes",
        leaves=("db/lock.mdb",),
    )
)
register(
    Target(
        "LevelDB (AnnotatedData layer)",
        lambda room: [_database(None, room)],
        _batches,
        "bytes",
        odd=_odd_database,
    )
)
for _name, _reader in (("masks", _masked_batches), ("grids", _grid_batches)):
    register(
        Target(
            f"LevelDB (AnnotatedData layer with {_name})",
            lambda room: [_database(None, room)],
            _reader,
            "bytes",
            odd=_odd_database,
        )
    )
register(Target("annotations in XML", _xml, _read_xml, "text"))
register(Target("annotations in JSON", _json, _read_json, "json"))
register(Target("annotations in lines", _lines, _read_lines, "text"))
register(Target("label map of pixels", _pixel_map, _read_pixel_classes, "text"))
register(Target("label map", _label_map, _read_label_map, "text"))
