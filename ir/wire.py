"""The protobuf wire format: just enough to read and write messages without classes.

Records of a database and weight files are read millions of times or hold millions of
floats; going through generated classes costs more than the work itself. Everything
here checks lengths before it slices, so that damaged bytes raise :class:`WireError`
and nothing else. Reference: protobuf's "Encoding" page.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5

Value: TypeAlias = int | memoryview


class WireError(ValueError):
    """The bytes are not a protobuf message: cut off, damaged, or something else."""


def read_varint(data: memoryview, position: int) -> tuple[int, int]:
    """The unsigned value at ``position`` and the position after it."""
    value = 0
    shift = 0
    size = len(data)
    while True:
        if position >= size:
            raise WireError("the message ends inside a number")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, position
        shift += 7
        if shift > 63:
            raise WireError("a number is longer than 10 bytes")


def fields(data: bytes | memoryview) -> Iterator[tuple[int, int, Value]]:
    """Every field as (number, wire type, value), in the order of the bytes.

    Varints come as unsigned ints; fixed32, fixed64 and length-delimited fields as
    views into ``data``. Groups, which Caffe's messages never use, are refused.
    """
    view = memoryview(data)
    size = len(view)
    position = 0
    while position < size:
        tag, position = read_varint(view, position)
        number, kind = tag >> 3, tag & 7
        if not 0 < number < 1 << 29:
            raise WireError(f"field number {number} does not exist")
        if kind == VARINT:
            value, position = read_varint(view, position)
            yield number, kind, value
            continue
        if kind == BYTES:
            length, position = read_varint(view, position)
        elif kind == FIXED32:
            length = 4
        elif kind == FIXED64:
            length = 8
        else:
            raise WireError(f"wire type {kind} of field {number} is not used by Caffe's messages")
        if length > size - position:
            raise WireError(
                f"field {number} says it has {length} bytes, {size - position} are left"
            )
        yield number, kind, view[position : position + length]
        position += length


def signed32(value: int) -> int:
    """An int32 field from its varint, which may be sign-extended to 64 bits."""
    value &= 0xFFFFFFFF
    return value - (1 << 32) if value & 0x80000000 else value


def signed64(value: int) -> int:
    """An int64 field from its varint."""
    return value - (1 << 64) if value & (1 << 63) else value


def packed_varints(data: memoryview) -> list[int]:
    """Unsigned values of a packed varint field."""
    values = []
    position = 0
    while position < len(data):
        value, position = read_varint(data, position)
        values.append(value)
    return values


def packed_array(data: memoryview, dtype: str) -> np.ndarray:
    """A read-only view of a packed float ('<f4') or double ('<f8') field."""
    itemsize = np.dtype(dtype).itemsize
    if len(data) % itemsize:
        raise WireError(f"{len(data)} bytes are not a whole number of {itemsize}-byte floats")
    return np.frombuffer(data, dtype)


def varint(value: int) -> bytes:
    """The encoding of an int; negative ones take ten bytes, as int32 and int64 do."""
    if 0 <= value < 0x80:
        return bytes((value,))
    value &= 0xFFFFFFFFFFFFFFFF
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def varint_field(number: int, value: int) -> bytes:
    """A whole int32, int64, uint32, enum or bool field."""
    return varint(number << 3 | VARINT) + varint(value)


def bytes_field(number: int, value: bytes | memoryview) -> bytes:
    """A whole string, bytes, message or packed field."""
    return b"".join((varint(number << 3 | BYTES), varint(len(value)), value))
