"""One configured source of every kind, on data that it makes itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np
from lane_records import lane_record

from runtime.data.annotated_datum import AnnotatedDatum, serialize_annotated
from runtime.data.augment.settings import (
    DistortConfig,
    EmitConfig,
    ExpandConfig,
    NoiseConfig,
    ResizeConfig,
    SaltPepperConfig,
)
from runtime.data.boxes.boxes import ObjectBoxes
from runtime.data.boxes.sampling import BatchSamplerConfig, ConstraintConfig, SamplerConfig
from runtime.data.config import SourceConfig, TransformConfig
from runtime.data.database_writer import new_database
from runtime.data.datum import Datum, serialize_datum
from runtime.data.opening import open_source
from runtime.data.source import DataSource
from runtime.data.sources.annotated_data import AnnotatedDataConfig
from runtime.data.sources.clip_data import ClipDataConfig
from runtime.data.sources.data import DataConfig
from runtime.data.sources.dense_image_data import DenseImageDataConfig
from runtime.data.sources.dummy_data import DummyDataConfig, DummyFiller
from runtime.data.sources.hdf5_data import HDF5DataConfig
from runtime.data.sources.image_data import ImageDataConfig
from runtime.data.sources.image_seg_data import ImageSegDataConfig
from runtime.data.sources.lane_data import LaneDataConfig
from runtime.data.sources.memory_data import MemoryDataConfig, MemorySource
from runtime.data.sources.seg_data import SegDataConfig
from runtime.data.sources.sparse_data import SparseDataConfig
from runtime.data.sources.video_data import VideoDataConfig
from runtime.data.sources.window_data import WindowDataConfig
from runtime.data.sparse_datum import SparseDatum, serialize_sparse

RANDOM_TRANSFORM = TransformConfig(mirror=True, crop_size=8, mean_value=(100.0,), scale=0.5)
RANDOM_AUGMENTATION = TransformConfig(
    mirror=True,
    crop_size=9,
    mean_value=(104.0, 117.0, 123.0),
    resize_param=ResizeConfig(height=10, width=11, interp_mode=("LINEAR", "AREA", "CUBIC")),
    noise_param=NoiseConfig(
        saltpepper=True, saltpepper_param=SaltPepperConfig(fraction=0.1, value=(255.0,))
    ),
    distort_param=DistortConfig(
        brightness_prob=0.5,
        brightness_delta=32,
        contrast_prob=0.5,
        contrast_lower=0.5,
        contrast_upper=1.5,
        hue_prob=0.5,
        hue_delta=18,
        saturation_prob=0.5,
        saturation_lower=0.5,
        saturation_upper=1.5,
        random_order_prob=0.5,
    ),
    expand_param=ExpandConfig(prob=0.5, max_expand_ratio=3),
    emit_constraint=EmitConfig(emit_type="CENTER"),
)
EXPOSURE = DistortConfig(
    hue_prob=0.1,
    saturation_lower=1,
    saturation_upper=1.5,
    exposure_lower=1,
    exposure_upper=1.5,
)
SAMPLERS = (
    BatchSamplerConfig(max_sample=1, max_trials=1),
    BatchSamplerConfig(
        sampler=SamplerConfig(
            min_scale=0.3, max_scale=1.0, min_aspect_ratio=0.5, max_aspect_ratio=2.0
        ),
        sample_constraint=ConstraintConfig(min_jaccard_overlap=0.2),
        max_sample=1,
        max_trials=50,
    ),
)
RANDOM: dict[str, Any] = {"batch_size": 4, "transform": RANDOM_TRANSFORM}
BOXES: dict[str, Any] = {"batch_size": 4, "backend": "LMDB"}
AUGMENTED: dict[str, Any] = {
    **BOXES,
    "transform": RANDOM_AUGMENTATION,
    "batch_sampler": SAMPLERS,
}
DRAWN: dict[str, Any] = {
    "source": "lmdb",
    "batch_size": 3,
    "enable_random_selection": True,
    "transform": RANDOM_TRANSFORM,
}
IMAGES = ImageDataConfig(source="list.txt", rand_skip=5, **RANDOM)
ROWS = HDF5DataConfig(source="files.txt", batch_size=5)
PAIRS: dict[str, Any] = {"source": "pairs.txt", "shuffle": True}

CONFIGS: dict[str, SourceConfig] = {
    "lmdb": DataConfig(source="lmdb", **RANDOM),
    "lmdb_encoded": DataConfig(source="encoded", **RANDOM),
    "leveldb": DataConfig(source="leveldb", **RANDOM),
    "lmdb_shuffled": DataConfig(source="lmdb", shuffle=True, **RANDOM),
    "leveldb_shuffled": DataConfig(source="leveldb", shuffle=True, **RANDOM),
    "lmdb_drawn": DataConfig(**DRAWN),
    "pairs": DataConfig(images_per_blob=2, **DRAWN),
    "annotated": AnnotatedDataConfig(source="annotated", **AUGMENTED),
    "annotated_encoded": AnnotatedDataConfig(source="annotated_encoded", **AUGMENTED),
    "annotated_yolo": AnnotatedDataConfig(
        source="annotated_encoded",
        tops=("data", "label", "masks"),
        yolo_data_type=1,
        seg_scales=2,
        transform=TransformConfig(
            mirror=True,
            resize_param=ResizeConfig(height=10, width=8, prob=0.5),
            further_resize_param=(ResizeConfig(height=6, width=6, prob=0.5),),
        ),
        **BOXES,
    ),
    "annotated_grids": AnnotatedDataConfig(
        source="annotated",
        batch_size=2,
        backend="LMDB",
        tops=("data", "coarse", "fine"),
        side=(2, 4),
        transform=TransformConfig(
            caffe_yolo=True,
            scale=1 / 255,
            resize_param=ResizeConfig(height=64, width=64),
            distort_param=EXPOSURE,
        ),
    ),
    "lanes": LaneDataConfig(
        source="lanes",
        tops=("data", "points", "mask"),
        yolo_data_type=1,
        seg_scales=2,
        transform=TransformConfig(mirror=True, resize_param=ResizeConfig(height=10, width=8)),
        **BOXES,
    ),
    "video": VideoDataConfig(
        video_type="VIDEO",
        video_file="video.avi",
        batch_size=2,
        skip_frames=1,
        transform=RANDOM_TRANSFORM,
    ),
    "clips": ClipDataConfig(
        source="clips.txt",
        batch_size=4,
        new_length=2,
        num_segments=2,
        name_pattern="flow_%c_%04d.png",
        shuffle=True,
        transform=TransformConfig(
            mirror=True,
            crop_size=9,
            multi_scale=True,
            fix_crop=True,
            is_flow=True,
            mean_value=(128.0, 127.0),
        ),
    ),
    "images": IMAGES,
    "images_shuffled": replace(IMAGES, shuffle=True),
    "hdf5": ROWS,
    "hdf5_shuffled": replace(ROWS, shuffle=True),
    "memory": MemoryDataConfig(batch_size=2, channels=1, height=1, width=3),
    "windows": WindowDataConfig(
        source="windows.txt", batch_size=5, context_pad=1, transform=RANDOM_TRANSFORM
    ),
    "dummy": DummyDataConfig(
        shape=((3, 2), (4,)),
        data_filler=(
            DummyFiller(fill=lambda shape, seed: np.random.default_rng(seed).normal(size=shape)),
            DummyFiller(fill=lambda shape, seed: np.full(shape, seed % 97), constant=True),
        ),
    ),
    "sparse": SparseDataConfig(source="sparse", batch_size=4),
    "pixel_labels": DenseImageDataConfig(
        batch_size=4, crop_height=7, crop_width=9, mirror=True, rand_skip=5, **PAIRS
    ),
    "pixel_labels_padded": ImageSegDataConfig(
        batch_size=4,
        label_type="PIXEL",
        rand_skip=5,
        tops=("data", "label", "size"),
        transform=TransformConfig(
            mirror=True,
            crop_height=13,
            crop_width=11,
            mean_value=(1.0, 2.0, 3.0),
            scale_factors=(0.5, 1.0, 1.5),
        ),
        **PAIRS,
    ),
    "pixel_labels_scaled": SegDataConfig(
        balance=True,
        transform=TransformConfig(mirror=True, scale_ratios=(0.5, 1.5), stride=4),
        **PAIRS,
    ),
}
"""Batches that do not divide the data, with everything random switched on."""

KINDS = tuple(CONFIGS)


def make_data(folder: Path) -> Path:
    """Databases, pictures, HDF5 files and a window file."""
    random = np.random.default_rng(0)
    pictures = [random.integers(0, 256, (3, 12, 14), dtype=np.uint8) for _ in range(11)]
    files = [cv2.imencode(".png", picture.transpose(1, 2, 0))[1].tobytes() for picture in pictures]
    raw = [Datum(*picture.shape, picture.tobytes(), i) for i, picture in enumerate(pictures)]
    encoded = [Datum(data=data, label=i, encoded=True) for i, data in enumerate(files)]
    write(folder / "lmdb", "lmdb", map(serialize_datum, raw))
    write(folder / "leveldb", "leveldb", map(serialize_datum, raw))
    write(folder / "encoded", "lmdb", map(serialize_datum, encoded))
    masked = [
        Datum(3, 12, 14, data, encoded=True, seg_label=mask)
        for data, mask in zip(files, files[::-1], strict=True)
    ]
    write(folder / "annotated", "lmdb", map(boxed, raw, range(11)))
    write(folder / "annotated_encoded", "lmdb", map(boxed, masked, range(11)))
    lanes = [random.random((i % 3, 4, 2)).tolist() for i in range(11)]
    write(folder / "lanes", "lmdb", map(lane_record, encoded, lanes))
    places = [np.sort(random.choice(9, i % 4, replace=False)) for i in range(11)]
    rows = [
        SparseDatum(9, place, random.normal(size=len(place)).astype(np.float32), i)
        for i, place in enumerate(places)
    ]
    write(folder / "sparse", "leveldb", map(serialize_sparse, rows))
    make_video(folder / "video.avi")
    make_clips(folder / "clips", 11)
    for i, data in enumerate(files):
        (folder / f"{i}.png").write_bytes(data)
    for i, picture in enumerate(pictures):
        cv2.imwrite(str(folder / f"labels{i}.png"), picture[0])
    (folder / "pairs.txt").write_text("".join(f"{i}.png labels{10 - i}.png\n" for i in range(11)))
    (folder / "list.txt").write_text("".join(f"{i}.png {i}\n" for i in range(11)))
    begin = 0
    for name, count in (("a.h5", 5), ("b.h5", 3), ("c.h5", 4)):
        with h5py.File(folder / name, "w") as file:
            file["label"] = np.arange(begin, begin + count, dtype=np.float32)
            file["data"] = np.arange(begin, begin + count, dtype=np.float32)[:, None] * [1, 2]
        begin += count
    (folder / "files.txt").write_text("a.h5\nb.h5\nc.h5\n")
    (folder / "windows.txt").write_text(
        "".join(
            f"# {i}\n{i}.png\n3\n12\n14\n3\n{i + 1} 0.9 1 2 9 10\n0 0.1 3 3 13 11\n2 0.5 0 0 5 5\n"
            for i in range(4)
        )
    )
    return folder


def write(path: Path, backend: str, records: Iterable[bytes]) -> None:
    """A database of records, which are numbered."""
    with new_database(path, backend) as writer:
        for i, record in enumerate(records):
            writer.put(b"%05d" % i, record)


def boxed(datum: Datum, record: int) -> bytes:
    """A record with boxes, and no label of its own."""
    return serialize_annotated(AnnotatedDatum(replace(datum, label=-1), 0, boxes_of(record)))


def make_video(path: Path, frames: int = 40) -> None:
    """A video of so many frames of noise, 14 pixels high and 18 wide."""
    random = np.random.default_rng(1)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, (18, 14))
    for _ in range(frames):
        writer.write(random.integers(0, 256, (14, 18, 3), dtype=np.uint8))
    writer.release()


def make_clips(folder: Path, count: int) -> None:
    """A folder of flow for each of ``count`` clips, of 2 and more frames, 12 pixels high and 14
    wide; the list is beside it."""
    random = np.random.default_rng(2)
    lines = []
    for i in range(count):
        clip = folder / str(i)
        clip.mkdir(parents=True)
        for frame in range(1, 3 + i):
            for letter in "xy":
                flow = random.integers(0, 256, (12, 14), dtype=np.uint8)
                cv2.imwrite(str(clip / f"flow_{letter}_{frame:04d}.png"), flow)
        lines.append(f"{folder.name}/{i} {2 + i} {i}\n")
    folder.with_suffix(".txt").write_text("".join(lines))


def boxes_of(record: int) -> ObjectBoxes:
    """None to three boxes for a record."""
    random = np.random.default_rng(record)
    count = record % 4
    near = random.uniform(0, 0.6, (count, 2))
    corners = np.hstack([near, near + random.uniform(0.2, 0.4, (count, 2))])
    return ObjectBoxes(
        corners.astype(np.float32),
        np.arange(1, count + 1, dtype=np.int32),
        np.zeros(count, np.int32),
        np.arange(count) % 2 == 1,
        np.full(count, np.nan, np.float32),
    )


def open_kind(kind: str, folder: Path, seed: int = 3) -> DataSource:
    source = open_source(CONFIGS[kind], "TRAIN", seed, folder)
    if isinstance(source, MemorySource):
        source.reset(np.arange(18, dtype=np.float32).reshape(6, 1, 1, 3), np.arange(6))
    return source


def same(left: list[np.ndarray], right: list[np.ndarray]) -> bool:
    """Whether two batches are equal to the last bit."""
    return len(left) == len(right) and all(
        a.shape == b.shape and a.tobytes() == b.tobytes() for a, b in zip(left, right, strict=True)
    )
