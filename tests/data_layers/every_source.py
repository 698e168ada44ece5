"""One configured source of every kind, on data that it makes itself."""

from __future__ import annotations

from pathlib import Path

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
KINDS = (
    "lmdb",
    "lmdb_encoded",
    "leveldb",
    "lmdb_shuffled",
    "leveldb_shuffled",
    "lmdb_drawn",
    "pairs",
    "annotated",
    "annotated_encoded",
    "annotated_yolo",
    "annotated_grids",
    "lanes",
    "video",
    "clips",
    "images",
    "images_shuffled",
    "hdf5",
    "hdf5_shuffled",
    "memory",
    "windows",
    "dummy",
    "sparse",
    "pixel_labels",
    "pixel_labels_padded",
    "pixel_labels_scaled",
)


def make_data(folder: Path) -> Path:
    """Databases, pictures, HDF5 files and a window file."""
    random = np.random.default_rng(0)
    pictures = [random.integers(0, 256, (3, 12, 14), dtype=np.uint8) for _ in range(11)]
    files = [cv2.imencode(".png", picture.transpose(1, 2, 0))[1].tobytes() for picture in pictures]
    for name, backend in (("lmdb", "lmdb"), ("leveldb", "leveldb"), ("encoded", "lmdb")):
        with new_database(folder / name, backend) as writer:
            for i, (picture, data) in enumerate(zip(pictures, files, strict=True)):
                datum = (
                    Datum(data=data, label=i, encoded=True)
                    if name == "encoded"
                    else Datum(*picture.shape, picture.tobytes(), i)
                )
                writer.put(b"%05d" % i, serialize_datum(datum))
    for name in ("annotated", "annotated_encoded"):
        with new_database(folder / name, "lmdb") as writer:
            for i, (picture, data) in enumerate(zip(pictures, files, strict=True)):
                datum = (
                    Datum(3, 12, 14, data, -1, encoded=True, seg_label=files[-1 - i])
                    if name == "annotated_encoded"
                    else Datum(*picture.shape, picture.tobytes(), -1)
                )
                record = AnnotatedDatum(datum, 0, boxes_of(i))
                writer.put(b"%05d" % i, serialize_annotated(record))
    with new_database(folder / "lanes", "lmdb") as writer:
        for i, data in enumerate(files):
            lanes = random.random((i % 3, 4, 2)).tolist()
            writer.put(b"%05d" % i, lane_record(Datum(data=data, encoded=True), lanes))
    with new_database(folder / "sparse", "leveldb") as writer:
        for i in range(11):
            places = np.sort(random.choice(9, i % 4, replace=False))
            row = SparseDatum(9, places, random.normal(size=len(places)).astype(np.float32), i)
            writer.put(b"%05d" % i, serialize_sparse(row))
    make_video(folder / "video.avi")
    make_clips(folder / "clips", 11)
    for i, data in enumerate(files):
        (folder / f"{i}.png").write_bytes(data)
    for i, picture in enumerate(pictures):
        cv2.imwrite(str(folder / f"labels{i}.png"), picture[0])
    (folder / "pairs.txt").write_text("".join(f"{i}.png labels{10 - i}.png\n" for i in range(11)))
    (folder / "list.txt").write_text("".join(f"{i}.png {i}\n" for i in range(11)))
    rows = 0
    for name, count in (("a.h5", 5), ("b.h5", 3), ("c.h5", 4)):
        with h5py.File(folder / name, "w") as file:
            file["label"] = np.arange(rows, rows + count, dtype=np.float32)
            file["data"] = np.arange(rows, rows + count, dtype=np.float32)[:, None] * [1, 2]
        rows += count
    (folder / "files.txt").write_text("a.h5\nb.h5\nc.h5\n")
    (folder / "windows.txt").write_text(
        "".join(
            f"# {i}\n{i}.png\n3\n12\n14\n3\n{i + 1} 0.9 1 2 9 10\n0 0.1 3 3 13 11\n2 0.5 0 0 5 5\n"
            for i in range(4)
        )
    )
    return folder


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


def config_of(kind: str) -> SourceConfig:
    """Batches that do not divide the data, with everything random switched on."""
    match kind:
        case "lmdb" | "leveldb":
            return DataConfig(source=kind, batch_size=4, transform=RANDOM_TRANSFORM)
        case "lmdb_shuffled" | "leveldb_shuffled":
            source = kind.removesuffix("_shuffled")
            return DataConfig(source=source, batch_size=4, shuffle=True, transform=RANDOM_TRANSFORM)
        case "lmdb_drawn" | "pairs":
            return DataConfig(
                source="lmdb",
                batch_size=3,
                enable_random_selection=True,
                images_per_blob=2 if kind == "pairs" else 1,
                transform=RANDOM_TRANSFORM,
            )
        case "lmdb_encoded":
            return DataConfig(source="encoded", batch_size=4, transform=RANDOM_TRANSFORM)
        case "annotated" | "annotated_encoded":
            return AnnotatedDataConfig(
                source=kind,
                batch_size=4,
                backend="LMDB",
                transform=RANDOM_AUGMENTATION,
                batch_sampler=SAMPLERS,
            )
        case "annotated_yolo":
            return AnnotatedDataConfig(
                source="annotated_encoded",
                batch_size=4,
                backend="LMDB",
                tops=("data", "label", "masks"),
                yolo_data_type=1,
                seg_scales=2,
                transform=TransformConfig(
                    mirror=True,
                    resize_param=ResizeConfig(height=10, width=8, prob=0.5),
                    further_resize_param=(ResizeConfig(height=6, width=6, prob=0.5),),
                ),
            )
        case "annotated_grids":
            return AnnotatedDataConfig(
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
            )
        case "lanes":
            return LaneDataConfig(
                source="lanes",
                batch_size=4,
                backend="LMDB",
                tops=("data", "points", "mask"),
                yolo_data_type=1,
                seg_scales=2,
                transform=TransformConfig(
                    mirror=True, resize_param=ResizeConfig(height=10, width=8)
                ),
            )
        case "video":
            return VideoDataConfig(
                video_type="VIDEO",
                video_file="video.avi",
                batch_size=2,
                skip_frames=1,
                transform=RANDOM_TRANSFORM,
            )
        case "clips":
            return ClipDataConfig(
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
            )
        case "images" | "images_shuffled":
            return ImageDataConfig(
                source="list.txt",
                batch_size=4,
                transform=RANDOM_TRANSFORM,
                shuffle=kind == "images_shuffled",
                rand_skip=5,
            )
        case "hdf5" | "hdf5_shuffled":
            return HDF5DataConfig(source="files.txt", batch_size=5, shuffle=kind == "hdf5_shuffled")
        case "memory":
            return MemoryDataConfig(batch_size=2, channels=1, height=1, width=3)
        case "windows":
            return WindowDataConfig(
                source="windows.txt", batch_size=5, context_pad=1, transform=RANDOM_TRANSFORM
            )
        case "dummy":
            return DummyDataConfig(
                shape=((3, 2), (4,)),
                data_filler=(
                    DummyFiller(
                        fill=lambda shape, seed: np.random.default_rng(seed).normal(size=shape)
                    ),
                    DummyFiller(fill=lambda shape, seed: np.full(shape, seed % 97), constant=True),
                ),
            )
        case "sparse":
            return SparseDataConfig(source=kind, batch_size=4)
        case "pixel_labels":
            return DenseImageDataConfig(
                source="pairs.txt",
                batch_size=4,
                crop_height=7,
                crop_width=9,
                mirror=True,
                shuffle=True,
                rand_skip=5,
            )
        case "pixel_labels_padded":
            return ImageSegDataConfig(
                source="pairs.txt",
                batch_size=4,
                label_type="PIXEL",
                shuffle=True,
                rand_skip=5,
                tops=("data", "label", "size"),
                transform=TransformConfig(
                    mirror=True,
                    crop_height=13,
                    crop_width=11,
                    mean_value=(1.0, 2.0, 3.0),
                    scale_factors=(0.5, 1.0, 1.5),
                ),
            )
        case "pixel_labels_scaled":
            return SegDataConfig(
                source="pairs.txt",
                shuffle=True,
                balance=True,
                transform=TransformConfig(mirror=True, scale_ratios=(0.5, 1.5), stride=4),
            )
    raise AssertionError(kind)


def open_kind(kind: str, folder: Path, seed: int = 3) -> DataSource:
    source = open_source(config_of(kind), "TRAIN", seed, folder)
    if isinstance(source, MemorySource):
        source.reset(np.arange(18, dtype=np.float32).reshape(6, 1, 1, 3), np.arange(6))
    return source


def same(left: list[np.ndarray], right: list[np.ndarray]) -> bool:
    """Whether two batches are equal to the last bit."""
    return len(left) == len(right) and all(
        a.shape == b.shape and a.tobytes() == b.tobytes() for a, b in zip(left, right, strict=True)
    )
