"""Plain data as JSON and back, by the types of its fields. What is read is of unknown origin.

A class may have a form of its own: methods ``json`` and ``from_json``.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import types
import typing
from typing import Any

from ir.types import TensorType

LARGEST = 1 << 62
"""Integers stay below, and so do the bytes of a tensor."""
_MOST_AXES = 32


def to_json(value: Any) -> Any:
    """Dataclasses as objects, without what is at its default or takes no part in comparisons."""
    if isinstance(value, TensorType):
        return str(value)
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
            if field.compare and getattr(value, field.name) != field.default
        }
    return value


def from_json(kind: Any, data: Any, where: str) -> Any:
    """Inverse of :func:`to_json` for a value of a type.

    Raises ValueError, naming ``where``, for whatever is not of that type, and for numbers and
    tensors that are too large for any machine.
    """
    choices = typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    for choice in choices:
        if _has_form(choice, data):
            return _read(choice, data, where)
    expected = " or ".join(getattr(choice, "__name__", str(choice)) for choice in choices)
    raise ValueError(f"{where} must be {expected}, it is {shortened(data)}")


def shortened(data: Any) -> str:
    """Data as messages show it."""
    text = repr(data)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _has_form(kind: Any, data: Any) -> bool:
    """Whether data may be of a type, as far as one level tells."""
    if kind is TensorType or isinstance(kind, enum.EnumMeta):
        return isinstance(data, str)
    if hasattr(kind, "from_json"):
        return isinstance(data, dict)
    if _is_data(kind):
        needed, known = _fields(kind)
        return isinstance(data, dict) and needed <= data.keys() <= known.keys()
    if typing.get_origin(kind) is tuple:
        items = typing.get_args(kind)
        return isinstance(data, list) and (items[-1] is Ellipsis or len(items) == len(data))
    return type(data) is (typing.get_origin(kind) or kind)


def _read(kind: Any, data: Any, where: str) -> Any:
    """A value of a type whose form data has."""
    if kind is TensorType:
        return _tensor_type(data, where)
    if isinstance(kind, enum.EnumMeta):
        try:
            return kind(data)
        except ValueError:
            raise ValueError(f"{where}: {shortened(data)} is no {kind.__name__}") from None
    if hasattr(kind, "from_json"):
        return kind.from_json(data)
    if _is_data(kind):
        _, known = _fields(kind)
        return kind(**{n: from_json(known[n], d, f"{where}: {n}") for n, d in data.items()})
    items = typing.get_args(kind)
    if isinstance(data, dict) and items and items[1] is not Any:
        return {name: from_json(items[1], d, f"{where} {name!a:.60}") for name, d in data.items()}
    if isinstance(data, list):
        kinds = items[:1] * len(data) if items[-1] is Ellipsis else items
        each = enumerate(zip(kinds, data, strict=True))
        return tuple(from_json(k, d, f"{where} {number}") for number, (k, d) in each)
    if kind is int and not -LARGEST <= data <= LARGEST:
        raise ValueError(f"{where} is too large: {shortened(data)}")
    return data


def _tensor_type(text: str, where: str) -> TensorType:
    try:
        type = TensorType.parse(text)
    except ValueError:
        raise ValueError(f"{where}: {shortened(text)} is no type of a tensor") from None
    if type.rank > _MOST_AXES or type.nbytes > LARGEST:
        raise ValueError(f"{where}: {shortened(text)} is too large")
    return type


def _is_data(kind: Any) -> bool:
    return dataclasses.is_dataclass(kind)


@functools.cache
def _fields(kind: Any) -> tuple[frozenset[str], dict[str, Any]]:
    """The fields of a dataclass that must be there, and the types of all that may."""
    hints = typing.get_type_hints(kind)
    fields = [field for field in dataclasses.fields(kind) if field.compare]
    needed = frozenset(f.name for f in fields if f.default is dataclasses.MISSING)
    return needed, {field.name: hints[field.name] for field in fields}
