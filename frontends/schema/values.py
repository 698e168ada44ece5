"""Python values that a field may hold, checked and brought into one form.

Integers become ``int`` in the range of their kind, ``float`` fields are rounded to
float32 (Caffe stores them so), enums become the name of their value.
"""

from __future__ import annotations

import math
import numbers
import struct
from typing import Any

from .types import INTEGER_RANGES, EnumType, FieldType

_FLOAT32 = struct.Struct("<f")


class ValueMistake(ValueError):
    """A value that its field cannot hold; the text says what would be right."""


def round_to_float32(value: float) -> float:
    """The float32 nearest to ``value``; beyond its range infinity, as in protobuf."""
    try:
        return float(_FLOAT32.unpack(_FLOAT32.pack(value))[0])
    except OverflowError:
        return math.copysign(math.inf, value)


def check_integer(field: FieldType, value: int) -> int:
    """``value`` if it is in the range of the field's integer kind."""
    low, high = INTEGER_RANGES[field.kind]
    if not low <= value <= high:
        raise ValueMistake(f"{value} is out of range for `{field.name}` ({field.kind})")
    return value


def check_scalar(field: FieldType, value: Any) -> Any:
    """``value`` as the field stores it.

    Raises:
        ValueMistake: the field cannot hold it.
    """
    kind = field.kind
    if kind in INTEGER_RANGES:
        if isinstance(value, bool) or not isinstance(value, numbers.Integral):
            raise ValueMistake(f"`{field.name}` takes an integer, not {value!r}")
        return check_integer(field, int(value))
    if kind in ("float", "double"):
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            raise ValueMistake(f"`{field.name}` takes a number, not {value!r}")
        return round_to_float32(float(value)) if kind == "float" else float(value)
    if kind == "bool":
        if value in (0, 1) and isinstance(value, numbers.Integral | bool):
            return bool(value)
        raise ValueMistake(f"`{field.name}` takes true or false, not {value!r}")
    if kind == "string":
        if isinstance(value, bytes):
            return value.decode("utf-8", "surrogateescape")
        if isinstance(value, str):
            return str(value)
        raise ValueMistake(f"`{field.name}` takes a string, not {value!r}")
    if kind == "bytes":
        if isinstance(value, str):
            return value.encode("utf-8", "surrogateescape")
        if isinstance(value, bytes | bytearray | memoryview):
            return bytes(value)
        raise ValueMistake(f"`{field.name}` takes bytes, not {value!r}")
    return value


def check_enum(field: FieldType, target: EnumType, value: Any) -> str:
    """The name of the enum value that ``value`` (a name or a number) stands for."""
    if isinstance(value, str) and (value in target.numbers or value in target.foreign):
        return value
    if isinstance(value, numbers.Integral) and not isinstance(value, bool):
        name = target.name_of(int(value))
        if name is not None:
            return name
    known = ", ".join(target.names())
    raise ValueMistake(f"`{field.name}` has no value {value!r} (it takes {known})")
