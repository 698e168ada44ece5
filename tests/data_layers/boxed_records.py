"""Records with boxes, and AnnotatedData that reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from runtime.data.annotated.source import AnnotatedSource
from runtime.data.annotated_datum import AnnotatedDatum, serialize_annotated
from runtime.data.boxes.boxes import ObjectBoxes
from runtime.data.config import TransformConfig
from runtime.data.database_writer import new_database
from runtime.data.datum import Datum
from runtime.data.image_codec import encode_image
from runtime.data.opening import open_source
from runtime.data.sources.annotated_data import AnnotatedDataConfig


def boxes(*corners: tuple[float, float, float, float]) -> ObjectBoxes:
    count = len(corners)
    return ObjectBoxes(
        np.array(corners, np.float32).reshape(-1, 4),
        np.arange(1, count + 1, dtype=np.int32),
        np.zeros(count, np.int32),
        np.zeros(count, np.bool_),
        np.full(count, np.nan, np.float32),
    )


def opened(
    folder: Path,
    records: list[AnnotatedDatum],
    transform: TransformConfig | None = None,
    phase: str = "TRAIN",
    **settings: Any,
) -> AnnotatedSource:
    with new_database(folder / "db", "lmdb") as writer:
        for i, record in enumerate(records):
            writer.put(b"%08d" % i, serialize_annotated(record))
    config = AnnotatedDataConfig(
        **{"source": "db", "batch_size": 1, "backend": "LMDB", "transform": transform, **settings}
    )
    source = open_source(config, phase, 7, folder)  # type: ignore[arg-type]
    assert isinstance(source, AnnotatedSource)
    return source


def white_box(
    height: int, width: int, box: tuple[int, int, int, int], encoded: bool
) -> AnnotatedDatum:
    """A white box on a black picture; both as a record."""
    x1, y1, x2, y2 = box
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[y1:y2, x1:x2] = 255
    datum = (
        Datum(3, height, width, encode_image(pixels, "png"), -1, encoded=True)
        if encoded
        else Datum(3, height, width, pixels.transpose(2, 0, 1).tobytes(), -1)
    )
    return AnnotatedDatum(datum, 0, boxes((x1 / width, y1 / height, x2 / width, y2 / height)))
