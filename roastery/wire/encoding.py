"""The pieces of protobuf's wire format; ``wire_reader`` reads whole messages.

Records of a database and weight files are read millions of times or hold millions of
floats; going through generated classes costs more than the work itself. Everything
here checks lengths before it slices, so that damaged bytes raise :class:`WireError`
and nothing else. Reference: protobuf's "Encoding" page.
"""

from __future__ import annotations

import numpy as np

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


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


def float_field(number: int, value: float) -> bytes:
    """A whole float field."""
    return varint(number << 3 | FIXED32) + np.float32(value).astype("<f4").tobytes()


def bytes_field(number: int, value: bytes | memoryview) -> bytes:
    """A whole string, bytes, message or packed field."""
    return b"".join((varint(number << 3 | BYTES), varint(len(value)), value))
