"""Plain data as JSON and back, by the types of its fields.

A class may have a form of its own: methods ``json`` and ``from_json``. A number that follows from
sizes is written as the text of its form.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping
from typing import Any

from ir.size import Real, Size, size_text
from ir.types import TensorType

from .reader import Reader, reader_of


def to_json(value: Any) -> Any:
    """Dataclasses as objects, without what takes no part in comparisons. Defaults are written, too:
    they may be others when it is read."""
    if isinstance(value, TensorType):
        return str(value)
    if isinstance(value, Size | Real):
        return size_text(value)
    if hasattr(value, "json"):
        return value.json()
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, tuple):
        return [to_json(item) for item in value]
    if isinstance(value, dict):
        return {name: to_json(item) for name, item in value.items()}
    if dataclasses.is_dataclass(value):
        return {
            field.name: to_json(getattr(value, field.name))
            for field in dataclasses.fields(value)
            if field.compare
        }
    return value


def from_json(kind: Any, data: Any, where: str, sizes: Mapping[str, int] | None = None) -> Any:
    """Inverse of :func:`to_json` for a value of a type.

    Args:
        sizes: those that forms may name; without them there are none.

    Raises ValueError, naming ``where``, for whatever is not of that type, and for numbers and
    tensors that are too large for any machine.
    """
    return reader_of(kind)(Reader(sizes or {}), data, where)
