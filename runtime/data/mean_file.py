"""Mean image files (.binaryproto): one BlobProto, written with its legacy four axes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ir.errors import RoasteryError
from ir.location import Location
from ir.types import shape_text
from roastery.files.atomic_file import atomic_write
from roastery.files.missing import cannot_read
from roastery.files.regular_file import read_regular
from roastery.wire.blob_proto import encode_blob, parse_blob
from roastery.wire.reader import DamagedMessage


def read_mean(path: Path, place: Location | None = None) -> np.ndarray:
    """A mean image file as float32 (channels, height, width)."""
    blob = read_mean_axes(path, place)
    while blob.ndim > 3 and blob.shape[0] == 1:
        blob = blob[0]
    if blob.ndim != 3 or not blob.size:
        raise RoasteryError(
            f"mean file '{path}' has shape {shape_text(blob.shape)}; "
            "(channels, height, width) was expected",
            location=place,
        )
    return blob


def read_mean_axes(path: Path, place: Location | None = None) -> np.ndarray:
    """A mean image file as float32, whatever axes it has."""
    try:
        data = read_regular(path, place)
    except OSError as error:
        hint = "compute_image_mean makes one from a database"
        raise cannot_read("mean file", path, error, place, hint) from error
    try:
        return parse_blob(data).data
    except DamagedMessage as error:
        raise RoasteryError(
            f"'{path}' is not a mean file: {error}",
            location=place,
            hint="a mean file is a BlobProto (.binaryproto), as compute_image_mean writes it",
        ) from error


def write_mean(path: Path, mean: np.ndarray) -> None:
    """Write a (channels, height, width) mean image, whole or not at all."""
    with atomic_write(path) as file:
        file.writelines(encode_blob(mean[np.newaxis], legacy=True))
