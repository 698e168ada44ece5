"""Datum, the record of Caffe's image databases: bytes to numpy views and back.

Fields (Caffe: src/caffe/proto/caffe.proto): channels 1, height 2, width 3, data 4,
label 5, float_data 6 (not packed, although packed is read too), encoded 7; seg_label 8 is
MobileNet-YOLO's (eric612/MobileNet-YOLO).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from roastery.wire.encoding import (
    BYTES,
    FIXED32,
    VARINT,
    WireError,
    bytes_field,
    packed_array,
    read_varint,
    signed32,
    varint_field,
)

_FLOAT_TAG = 6 << 3 | FIXED32


@dataclass(slots=True)
class Datum:
    """One picture or array, (channels, height, width), with its label.

    ``data`` holds uint8 pixels, channel-major, or with ``encoded`` the bytes of an
    image file; ``float_data`` is read when ``data`` is empty. ``encoded`` None is not
    written at all, which reads back as False: Caffe's tools differ in this. ``seg_label``: the
    bytes of an image file with a label of each pixel.
    """

    channels: int = 0
    height: int = 0
    width: int = 0
    data: bytes | memoryview = b""
    label: int = 0
    float_data: np.ndarray | None = None
    encoded: bool | None = None
    seg_label: bytes | memoryview = b""

    def array(self) -> np.ndarray:
        """The values as a (channels, height, width) view, uint8 or float32.

        Raises WireError when there are fewer or more values than the sizes say.
        """
        if self.encoded:
            raise WireError("the record holds an image file; decode it first")
        values = np.frombuffer(self.data, np.uint8) if len(self.data) else self.float_data
        shape = (self.channels, self.height, self.width)
        if min(shape) < 1:
            raise WireError(f"the record says it is {_times(shape)} values")
        if values is None or values.size != shape[0] * shape[1] * shape[2]:
            count = 0 if values is None else values.size
            raise WireError(f"the record says it is {_times(shape)} values and holds {count}")
        return values.reshape(shape)


def _times(shape: tuple[int, ...]) -> str:
    return "x".join(str(size) for size in shape)


def parse_datum(record: bytes | memoryview) -> Datum:
    """Read a record; data and floats stay views into it. Raises WireError."""
    view = memoryview(record)
    size = len(view)
    datum = Datum()
    floats: list[np.ndarray] = []
    position = 0
    while position < size:
        tag = view[position]
        if tag < 0x80:
            position += 1
        else:
            tag, position = read_varint(view, position)
        number, kind = tag >> 3, tag & 7
        if kind == VARINT:
            if position < size and view[position] < 0x80:
                value = view[position]
                position += 1
            else:
                value, position = read_varint(view, position)
            if number == 1:
                datum.channels = signed32(value)
            elif number == 2:
                datum.height = signed32(value)
            elif number == 3:
                datum.width = signed32(value)
            elif number == 5:
                datum.label = signed32(value)
            elif number == 7:
                datum.encoded = value != 0
            continue
        if kind == BYTES:
            length, position = read_varint(view, position)
        elif tag == _FLOAT_TAG:
            block = _float_run(view, position - 1)
            floats.append(block)
            position += 5 * len(block) - 1
            continue
        elif kind in (1, FIXED32):
            length = 8 if kind == 1 else 4
        else:
            raise WireError(f"wire type {kind} does not belong in a Datum")
        if length > size - position:
            raise WireError(
                f"field {number} says it has {length} bytes, {size - position} are left"
            )
        if kind == BYTES:
            if number == 4:
                datum.data = view[position : position + length]
            elif number == 8:
                datum.seg_label = view[position : position + length]
            elif number == 6:
                floats.append(packed_array(view[position : position + length], "<f4"))
        position += length
    if floats:
        datum.float_data = floats[0] if len(floats) == 1 else np.concatenate(floats)
    return datum


def _float_run(view: memoryview, start: int) -> np.ndarray:
    """The floats of consecutive unpacked float_data fields, each a tag and four bytes."""
    count = (len(view) - start) // 5
    if count < 1:
        raise WireError("the record ends inside a float")
    tagged = np.frombuffer(view, np.uint8, count * 5, start).reshape(count, 5)
    other = np.flatnonzero(tagged[:, 0] != _FLOAT_TAG)
    if other.size:
        if not other[0]:
            raise WireError("a float's tag is longer than it must be")
        tagged = tagged[: other[0]]
    return np.ascontiguousarray(tagged[:, 1:]).view("<f4").reshape(-1)


def serialize_datum(datum: Datum) -> bytes:
    """The bytes that Caffe's own tools would write for the same record.

    An image file has no sizes in its record, unless it has some here (SSD's records have).
    """
    parts = []
    if not datum.encoded or datum.channels:
        parts += [
            varint_field(1, datum.channels),
            varint_field(2, datum.height),
            varint_field(3, datum.width),
        ]
    if len(datum.data):
        parts.append(bytes_field(4, datum.data))
    parts.append(varint_field(5, datum.label))
    if datum.float_data is not None:
        tagged = np.empty((datum.float_data.size, 5), np.uint8)
        tagged[:, 0] = _FLOAT_TAG
        tagged[:, 1:] = datum.float_data.astype("<f4").reshape(-1, 1).view(np.uint8)
        parts.append(tagged.tobytes())
    if datum.encoded is not None:
        parts.append(varint_field(7, datum.encoded))
    if len(datum.seg_label):
        parts.append(bytes_field(8, datum.seg_label))
    return b"".join(parts)
