"""BlobProto, the message in which Caffe's files hold arrays."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .encoding import (
    BYTES,
    FIXED32,
    FIXED64,
    WireError,
    packed_varints,
    signed64,
    varint,
    varint_field,
)
from .reader import DamagedMessage, Field, WireReader, prefixed

#: Caffe's limit for the axes of a blob.
MAX_AXES = 32
#: What an array may be of at most, its axes of 0 left out: numpy counts in bytes with a sign.
_MOST_ELEMENTS = (2**63 - 1) // 8

_LEGACY = {1: 0, 2: 1, 3: 2, 4: 3}  # num, channels, height, width
_DATA, _DIFF, _SHAPE, _DOUBLE_DATA, _DOUBLE_DIFF = 5, 6, 7, 8, 9
# NVCaffe stores raw bytes with a type: 10 and 12 for data, 11 and 13 for diffs.
_RAW_TYPES = {10: "data", 11: "diff"}
_RAW = {12: "data", 13: "diff"}
_RAW_DTYPES = {0: "<f8", 1: "<f4", 2: "<f2"}


@dataclass
class Blob:
    """One stored array.

    Args:
        data: float32, C-contiguous, in the blob's shape.
        legacy: the shape was given as num, channels, height and width (so it has 4 axes).
        diff: float32 in the same shape, if the file holds one.
    """

    data: np.ndarray
    legacy: bool = False
    diff: np.ndarray | None = None


def decode_blob(reader: WireReader, field: Field, *, lent: bool = False) -> Blob:
    """The array of a BlobProto that a field holds.

    Args:
        lent: leave numbers where they are, if they are float32 there: the array is a view of the
            reader's bytes, perhaps read-only and not aligned.

    Raises:
        DamagedMessage: the bytes are damaged, or shape and values do not fit together.
    """
    return _decode(reader.inside(field), field.position, lent)


def parse_blob(data: bytes | memoryview) -> Blob:
    """The array of a file that holds one BlobProto, as mean files do.

    Raises:
        DamagedMessage: as :func:`decode_blob`.
    """
    return _decode(WireReader(data).fields(), 0)


def _decode(fields: Iterator[Field], position: int, lent: bool = False) -> Blob:
    shape: list[int] | None = None
    legacy: dict[int, int] = {}
    chunks: dict[int, list[np.ndarray]] = {}
    raw: dict[str, memoryview] = {}
    raw_types: dict[str, int] = {}
    for field in fields:
        number, wire_type, value, place, _ = field
        if number in _LEGACY and isinstance(value, int):
            legacy[_LEGACY[number]] = signed64(value)
        elif number == _SHAPE and not isinstance(value, int):
            shape = (shape or []) + _dims(value, place)
        elif number in (_DATA, _DIFF) and wire_type in (BYTES, FIXED32):
            chunks.setdefault(number, []).append(_numbers(value, "<f4", position))
        elif number in (_DOUBLE_DATA, _DOUBLE_DIFF) and wire_type in (BYTES, FIXED64):
            chunks.setdefault(number, []).append(_numbers(value, "<f8", position))
        elif number in _RAW_TYPES and isinstance(value, int):
            raw_types[_RAW_TYPES[number]] = value
        elif number in _RAW and not isinstance(value, int):
            raw[_RAW[number]] = value
    for name, stored in raw.items():
        key = _DATA if name == "data" else _DIFF
        if stored.nbytes and key not in chunks:
            dtype = _RAW_DTYPES.get(raw_types.get(name, 1))
            if dtype is None:
                raise DamagedMessage(f"raw {name} of unknown type {raw_types[name]}", position)
            chunks[key] = [_numbers(stored, dtype, position)]
    values = _joined(chunks.get(_DOUBLE_DATA) or chunks.get(_DATA), lent)
    count = 0 if values is None else values.size
    is_legacy = bool(legacy) and shape is None
    if is_legacy:
        shape = [legacy.get(axis, 0) for axis in range(4)]
    elif shape is None:
        shape = [] if count == 1 else [count]
    if len(shape) > MAX_AXES or any(dim < 0 for dim in shape):
        raise DamagedMessage(f"{shape[: MAX_AXES + 1]} is not a shape", position)
    if values is None:
        if math.prod(shape) != 0:
            raise DamagedMessage(f"a blob of shape {shape} holds no values", position)
        values = np.zeros(0, np.float32)
    elif math.prod(shape) != count:
        raise DamagedMessage(f"a blob of shape {shape} holds {count} values", position)
    if math.prod(dim for dim in shape if dim) > _MOST_ELEMENTS:
        raise DamagedMessage(f"{shape} is not a shape", position)
    diff = _joined(chunks.get(_DOUBLE_DIFF) or chunks.get(_DIFF), lent)
    if diff is not None and diff.size != count:
        raise DamagedMessage(f"a blob of shape {shape} holds {diff.size} diffs", position)
    return Blob(values.reshape(shape), is_legacy, None if diff is None else diff.reshape(shape))


def _dims(shape: memoryview, position: int) -> list[int]:
    dims: list[int] = []
    for field in WireReader(shape).fields(offset=position):
        if field.number == 1:
            value = field.value
            if isinstance(value, int):
                dims.append(signed64(value))
            elif field.wire_type != BYTES:
                raise DamagedMessage("the sizes of a blob are no integers", field.position)
            elif len(value) > 10 * MAX_AXES:
                raise DamagedMessage(f"a blob has more than {MAX_AXES} axes", position)
            else:
                try:
                    dims += map(signed64, packed_varints(value))
                except WireError as error:
                    message = f"the shape of a blob cannot be read: {error}"
                    raise DamagedMessage(message, field.position) from None
        if len(dims) > MAX_AXES:
            raise DamagedMessage(f"a blob has more than {MAX_AXES} axes", position)
    return dims


def _numbers(value: int | memoryview, dtype: str, position: int) -> np.ndarray:
    size = np.dtype(dtype).itemsize
    if isinstance(value, int) or len(value) % size:
        raise DamagedMessage("a blob holds no whole number of values", position)
    return np.frombuffer(value, dtype)


def _joined(chunks: list[np.ndarray] | None, lent: bool) -> np.ndarray | None:
    """One float32 array, aligned and writable unless it is lent; None where there is none."""
    if not chunks:
        return None
    if lent and len(chunks) == 1 and chunks[0].dtype == np.float32:
        return chunks[0]
    with np.errstate(over="ignore"):  # a double beyond float32 becomes infinite, as in Caffe
        if len(chunks) == 1:
            return chunks[0].astype(np.float32)
        return np.concatenate(chunks).astype(np.float32, copy=False)


def encode_blob(
    data: np.ndarray, diff: np.ndarray | None = None, *, legacy: bool = False
) -> list[bytes | memoryview]:
    """The bytes of a BlobProto, in pieces (the numbers are not copied if they need not be).

    Args:
        data: any shape; stored as float32.
        diff: of the same shape.
        legacy: store the shape as num, channels, height and width (at most 4 axes).
    """
    pieces: list[bytes | memoryview] = []
    if legacy:
        dims = [1] * (4 - data.ndim) + list(data.shape)
        for number, dim in enumerate(dims, 1):
            pieces.append(varint_field(number, dim))
    for number, values in ((_DATA, data), (_DIFF, diff)):
        if values is not None and values.size:
            stored = np.ascontiguousarray(values, "<f4").reshape(-1)
            pieces += [prefixed(number, stored.nbytes), stored.data.cast("B")]
    if not legacy:
        dims_bytes = b"".join(varint(dim) for dim in data.shape)
        shape = prefixed(1, len(dims_bytes)) + dims_bytes if data.ndim else b""
        pieces += [prefixed(_SHAPE, len(shape)), shape]
    return pieces
