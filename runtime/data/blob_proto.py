"""BlobProto, the message of mean images: read any form, write the legacy 4-D one.

Fields (Caffe: src/caffe/proto/caffe.proto): num 1, channels 2, height 3, width 4,
data 5, shape 7 { dim 1 }, double_data 8.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from ir.atomic_file import atomic_path
from ir.errors import RoasteryError
from ir.location import Location
from ir.wire import (
    BYTES,
    FIXED32,
    FIXED64,
    WireError,
    bytes_field,
    fields,
    packed_array,
    packed_varints,
    signed32,
    signed64,
    varint_field,
)


def parse_blob(data: bytes) -> np.ndarray:
    """A BlobProto's values as a float32 array of its shape. Raises WireError."""
    legacy = [0, 0, 0, 0]
    dims: list[int] | None = None
    chunks: list[np.ndarray] = []
    for number, kind, value in fields(data):
        if isinstance(value, int):
            if 1 <= number <= 4:
                legacy[number - 1] = signed32(value)
        elif number == 5 and kind in (BYTES, FIXED32):
            chunks.append(packed_array(value, "<f4"))
        elif number == 8 and kind in (BYTES, FIXED64):
            chunks.append(packed_array(value, "<f8"))
        elif number == 7 and kind == BYTES:
            dims = _parse_shape(value)
    shape = legacy if dims is None else dims
    values = np.concatenate(chunks) if chunks else np.empty(0, np.float32)
    if min(shape, default=1) < 0 or values.size != math.prod(shape):
        raise WireError(f"its shape is {shape} and it holds {values.size} values")
    return np.ascontiguousarray(values, np.float32).reshape(shape)


def _parse_shape(data: memoryview) -> list[int]:
    dims: list[int] = []
    for number, _, value in fields(data):
        if number == 1:
            values = [value] if isinstance(value, int) else packed_varints(value)
            dims.extend(signed64(size) for size in values)
    return dims


def serialize_blob(values: np.ndarray) -> bytes:
    """The bytes of a legacy BlobProto of a (num, channels, height, width) array."""
    header = b"".join(varint_field(i + 1, size) for i, size in enumerate(values.shape))
    return header + bytes_field(5, np.ascontiguousarray(values, "<f4").tobytes())


def read_mean(path: Path, place: Location | None = None) -> np.ndarray:
    """A mean image file as float32 (channels, height, width)."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise RoasteryError(
            f"mean file '{path}' does not exist",
            location=place,
            hint="compute-image-mean makes one from a database",
        ) from None
    except OSError as error:
        raise RoasteryError(
            f"cannot read the mean file '{path}': {error.strerror}", location=place
        ) from error
    try:
        blob = parse_blob(data)
    except WireError as error:
        raise RoasteryError(
            f"'{path}' is not a mean file: {error}",
            location=place,
            hint="a mean file is a BlobProto (.binaryproto), as compute-image-mean writes it",
        ) from error
    while blob.ndim > 3 and blob.shape[0] == 1:
        blob = blob[0]
    if blob.ndim != 3 or not blob.size:
        raise RoasteryError(
            f"mean file '{path}' has shape {_shape_text(blob.shape)}; "
            "(channels, height, width) was expected",
            location=place,
        )
    return blob


def write_mean(path: Path, mean: np.ndarray) -> None:
    """Write a (channels, height, width) mean image, whole or not at all."""
    with atomic_path(path) as temporary:
        Path(temporary).write_bytes(serialize_blob(mean[np.newaxis]))


def _shape_text(shape: tuple[int, ...]) -> str:
    return " x ".join(str(size) for size in shape)
