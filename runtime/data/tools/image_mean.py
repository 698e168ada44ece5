"""The mean picture of a database. Caffe: tools/compute_image_mean.cpp."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ir.errors import RoasteryError
from ir.types import shape_text
from roastery.files.missing import missing
from roastery.wire.encoding import WireError

from ..annotated_datum import parse_any_datum
from ..backends import known_backend
from ..database import Record, open_database
from ..database_error import DatabaseError
from ..image_codec import ImageError, channel_major, decode_image
from ..mean_file import write_mean
from ..notes import NoteKind, Notes, to_logger
from .progress import Progress, silent

_ORIGIN = "compute_image_mean.cpp"
_STARTING = NoteKind(_ORIGIN, "Starting iteration")
_PROCESSED = NoteKind(_ORIGIN, "Processed {count} files.")
_WRITING = NoteKind(_ORIGIN, "Write to {path}")
_CHANNELS = NoteKind(_ORIGIN, "Number of channels: {count}")
_MEAN = NoteKind(_ORIGIN, "mean_value channel [{index}]: {mean:.6g}")


@dataclass(frozen=True, slots=True)
class ImageMean:
    """Mean over ``count`` pictures: float32 (channels, height, width), and per channel."""

    image: np.ndarray
    channels: tuple[float, ...]
    count: int


def compute_image_mean(
    database: str | os.PathLike[str],
    output: str | os.PathLike[str] | None = None,
    backend: str = "lmdb",
    progress: Progress = silent,
    notes: Notes = to_logger,
) -> ImageMean:
    """The mean of all records, with or without boxes; written as a BlobProto to ``output`` unless
    that is None.

    Sums are float64, so that more than 65,000 pictures, where Caffe's float32 sums stop
    being exact, are averaged truly; below that the file is the same byte for byte.
    Raises RoasteryError for a database that cannot be read or pictures of several sizes.
    """
    kind = known_backend(backend)
    path = Path(database)
    if output is not None and not Path(output).absolute().parent.is_dir():
        raise missing("folder", Path(output).absolute().parent)
    source = open_database(path, kind.upper(), None, notes=notes)
    total: np.ndarray | None = None
    count = 0
    try:
        notes(_STARTING())
        for record in source.records():
            values = _values(record, path)
            if total is None:
                total = np.zeros(values.shape, np.float64)
            elif values.shape != total.shape:
                raise RoasteryError(
                    f"record '{_key(record)}' of '{path}' is {shape_text(values.shape)}, the first "
                    f"is {shape_text(total.shape)} (channels x height x width)",
                    hint="a mean image needs pictures of one size: convert them with "
                    "--resize_height and --resize_width",
                )
            total += values
            count += 1
            progress(count, 0)
            if count % 10000 == 0:
                notes(_PROCESSED(count=count))
    finally:
        source.close()
    if total is None:
        raise RoasteryError(f"database '{path}' holds no records")
    if count % 10000:
        notes(_PROCESSED(count=count))
    image = (total / count).astype(np.float32)
    if output is not None:
        notes(_WRITING(path=output))
        write_mean(Path(output), image)
    channels = tuple(float(mean) for mean in image.mean(axis=(1, 2), dtype=np.float64))
    notes(_CHANNELS(count=len(channels)))
    for index, mean in enumerate(channels):
        notes(_MEAN(index=index, mean=mean))
    return ImageMean(image, channels, count)


def _values(record: Record, path: Path) -> np.ndarray:
    try:
        datum = parse_any_datum(record.read())
        if datum.encoded:
            return channel_major(decode_image(datum.data, "native"))
        return datum.array()
    except (WireError, ImageError, DatabaseError, OSError) as error:
        raise RoasteryError(
            f"record '{_key(record)}' of '{path}' cannot be used: {error}"
        ) from error


def _key(record: Record) -> str:
    return record.key.decode("utf-8", "backslashreplace")
