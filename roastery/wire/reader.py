"""Protobuf's binary form, read so that errors can say where a file breaks.

Reading field by field keeps the numbers of a net as one stretch of bytes (a parsed
``repeated float`` costs time per element) and skips what it does not know, so that forks
that reuse field numbers do no harm.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from .encoding import BYTES, FIXED32, FIXED64, VARINT, WireError, read_varint, varint

#: No file of Caffe has so many fields (packed numbers count as one); hostile ones may.
MAX_FIELDS = 400_000


class DamagedMessage(WireError):
    """Bytes that are no message. ``position`` counts from the start of the file;
    ``truncated``: they end too early."""

    def __init__(self, message: str, position: int, *, truncated: bool = False) -> None:
        super().__init__(message)
        self.position = position
        self.truncated = truncated


class Field(NamedTuple):
    """One field of a message.

    ``value`` holds the integer of a VARINT field, the bytes of all others; the values of
    a run of fixed-size fields with one tag are joined. ``position`` is where in the file
    the field begins; ``raw`` are its bytes with key and length.
    """

    number: int
    wire_type: int
    value: int | memoryview
    position: int
    raw: memoryview


class WireReader:
    """Reads one file's messages, counting fields over all of them."""

    def __init__(self, data: bytes | memoryview) -> None:
        self.data = memoryview(data)
        self._fields_left = MAX_FIELDS

    def fields(self, message: memoryview | None = None, offset: int = 0) -> Iterator[Field]:
        """The fields of a message, in file order.

        Args:
            message: the bytes of an embedded message; the whole file if missing.
            offset: where in the file they begin, for errors.

        Raises:
            DamagedMessage: the bytes are not a message.
        """
        data = self.data if message is None else message
        position = 0
        end = len(data)
        while position < end:
            start = position
            tag, position = _varint(data, position, offset + start)
            number, wire_type = tag >> 3, tag & 7
            if number == 0 or number >= 1 << 29:
                raise DamagedMessage(f"there is no field number {number}", offset + start)
            self._fields_left -= 1
            if self._fields_left < 0:
                raise DamagedMessage(f"more than {MAX_FIELDS} fields", offset + start)
            value: int | memoryview
            if wire_type == VARINT:
                value, position = _varint(data, position, offset + start)
            elif wire_type == BYTES:
                length, position = _varint(data, position, offset + start)
                if length > end - position:
                    raise DamagedMessage(
                        f"field {number} needs {length} bytes, {end - position} are left",
                        offset + start,
                        truncated=True,
                    )
                value = data[position : position + length]
                position += length
            elif wire_type in (FIXED32, FIXED64):
                size = 4 if wire_type == FIXED32 else 8
                if end - position < size:
                    raise DamagedMessage(
                        "the last field is cut off", offset + start, truncated=True
                    )
                value, position = _fixed_run(data, start, position, size)
            else:
                raise DamagedMessage(f"there is no wire type {wire_type}", offset + start)
            yield Field(number, wire_type, value, offset + start, data[start:position])

    def inside(self, field: Field) -> Iterator[Field]:
        """The fields of the message that a BYTES field holds."""
        if isinstance(field.value, int) or field.wire_type != BYTES:
            raise DamagedMessage(f"field {field.number} is not a message", field.position)
        yield from self.fields(field.value, field.position)


def _varint(data: memoryview, position: int, place: int) -> tuple[int, int]:
    try:
        return read_varint(data, position)
    except WireError as error:
        cut_off = len(data) - position < 10
        raise DamagedMessage(str(error), place, truncated=cut_off) from None


def _fixed_run(data: memoryview, start: int, position: int, size: int) -> tuple[memoryview, int]:
    """The values of all fields with the same tag that follow each other (unpacked floats)."""
    tag = np.frombuffer(data[start:position], np.uint8)
    stride = len(tag) + size
    most = (len(data) - start) // stride
    count = 1
    step = 64
    while count < most:
        more = min(step, most - count)
        begin = start + count * stride
        rows = np.frombuffer(data[begin : begin + more * stride], np.uint8).reshape(more, stride)
        same = (rows[:, : len(tag)] == tag).all(axis=1)
        if not same.all():
            count += int(same.argmin())
            break
        count += more
        step *= 2
    if count == 1:
        return data[position : position + size], position + size
    rows = np.frombuffer(data[start : start + count * stride], np.uint8).reshape(count, stride)
    return memoryview(rows[:, len(tag) :].tobytes()), start + count * stride


def prefixed(number: int, length: int) -> bytes:
    """Key and length of a BYTES field; the bytes follow."""
    return varint(number << 3 | BYTES) + varint(length)
