"""Plain data as JSON and back, by the types of its fields. What is read is of unknown origin.

A class may have a form of its own: methods ``json`` and ``from_json``. A number that follows from
sizes is written as the text of its form.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import types
import typing
from collections.abc import Mapping
from typing import Any

from ir.size import Real, Size, parse_size, size_text, value_of
from ir.types import TensorType

LARGEST = 1 << 62
"""Integers stay below, and so do the bytes of a tensor."""
_MOST_AXES = 32
MOST_FORMS = 1 << 16
"""Characters of different forms in one file, which take long to read. Those of GoogLeNet, of any
batch and image size, have 9,000."""


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
    return _Reader(sizes or {}).value(kind, data, where)


def shortened(data: Any) -> str:
    """Data as messages show it."""
    text = repr(data)
    return text if len(text) <= 60 else f"{text[:57]}..."


class _Reader:
    def __init__(self, sizes: Mapping[str, int]) -> None:
        self._sizes = sizes
        self._forms: dict[str, float] = {}
        self._types: dict[str, TensorType] = {}
        self._room = MOST_FORMS

    def value(self, kind: Any, data: Any, where: str) -> Any:
        if kind is int and data.__class__ is int:
            return self._integer(data, where)
        choices = _choices(kind)
        if isinstance(data, str) and self._sizes and (int in choices or float in choices):
            return self._form(data, float in choices, where)
        for choice in choices:
            if _has_form(choice, data):
                return self._read(choice, data, where)
        expected = " or ".join(getattr(choice, "__name__", str(choice)) for choice in choices)
        raise ValueError(f"{where} must be {expected}, it is {shortened(data)}")

    def _read(self, kind: Any, data: Any, where: str) -> Any:
        """A value of a type whose form data has."""
        way, items = _way(kind)
        if way is _Way.TYPE:
            return self._tensor_type(data, where)
        if way is _Way.ENUM:
            try:
                return kind(data)
            except ValueError:
                raise ValueError(f"{where}: {shortened(data)} is no {kind.__name__}") from None
        if way is _Way.OWN:
            return kind.from_json(data)
        if way is _Way.DATA:
            _, known = _fields(kind)
            return kind(**{n: self.value(known[n], d, f"{where}: {n}") for n, d in data.items()})
        if isinstance(data, dict) and items and items[1] is not Any:
            return {n: self.value(items[1], d, f"{where} {n!a:.60}") for n, d in data.items()}
        if isinstance(data, list):
            kinds = items[:1] * len(data) if items[-1] is Ellipsis else items
            each = enumerate(zip(kinds, data, strict=True))
            return tuple([self.value(k, d, f"{where} {number}") for number, (k, d) in each])
        if kind is int:
            return self._integer(data, where)
        return data

    def _form(self, text: str, real: bool, where: str) -> float:
        """A number that follows from sizes."""
        if text not in self._forms:
            self._charge(text)
            self._forms[text] = parse_size(text, self._sizes)
        number = self._forms[text]
        if isinstance(number, int | Size):
            return self._integer(number, where)
        if not real:
            raise ValueError(f"{where} is no integer: {shortened(text)}")
        return number

    def _integer(self, number: int, where: str) -> int:
        if not -LARGEST <= value_of(number) <= LARGEST:
            raise ValueError(f"{where} is too large: {shortened(number)}")
        return number

    def _tensor_type(self, text: str, where: str) -> TensorType:
        if text not in self._types:
            if any(map(str.isalpha, text.partition("[")[2])):
                self._charge(text)
            self._types[text] = _parsed_type(text, self._sizes, where)
        return self._types[text]

    def _charge(self, text: str) -> None:
        self._room -= len(text)
        if self._room < 0:
            raise ValueError(f"its sizes take more than {MOST_FORMS} characters")


def _parsed_type(text: str, sizes: Mapping[str, int], where: str) -> TensorType:
    try:
        type = TensorType.parse(text, sizes)
    except ValueError:
        raise ValueError(f"{where}: {shortened(text)} is no type of a tensor") from None
    if type.rank > _MOST_AXES or value_of(type.nbytes) > LARGEST:
        raise ValueError(f"{where}: {shortened(text)} is too large")
    return type


class _Way(enum.Enum):
    """How values of a type are written."""

    TYPE = enum.auto()
    ENUM = enum.auto()
    OWN = enum.auto()
    DATA = enum.auto()
    TUPLE = enum.auto()
    PLAIN = enum.auto()


def _has_form(kind: Any, data: Any) -> bool:
    """Whether data may be of a type, as far as one level tells."""
    way, items = _way(kind)
    if way is _Way.TYPE or way is _Way.ENUM:
        return isinstance(data, str)
    if way is _Way.OWN:
        return isinstance(data, dict)
    if way is _Way.DATA:
        needed, known = _fields(kind)
        return isinstance(data, dict) and needed <= data.keys() <= known.keys()
    if way is _Way.TUPLE:
        return isinstance(data, list) and (items[-1] is Ellipsis or len(items) == len(data))
    return type(data) is (typing.get_origin(kind) or kind)


@functools.cache
def _choices(kind: Any) -> tuple[Any, ...]:
    return typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)


@functools.cache
def _way(kind: Any) -> tuple[_Way, tuple[Any, ...]]:
    """With the types of what it holds."""
    items = typing.get_args(kind)
    if kind is TensorType:
        return _Way.TYPE, items
    if isinstance(kind, enum.EnumMeta):
        return _Way.ENUM, items
    if hasattr(kind, "from_json"):
        return _Way.OWN, items
    if dataclasses.is_dataclass(kind):
        return _Way.DATA, items
    return _Way.TUPLE if typing.get_origin(kind) is tuple else _Way.PLAIN, items


@functools.cache
def _fields(kind: Any) -> tuple[frozenset[str], dict[str, Any]]:
    """The fields of a dataclass that must be there, and the types of all that may."""
    hints = typing.get_type_hints(kind)
    fields = [field for field in dataclasses.fields(kind) if field.compare]
    missing = dataclasses.MISSING
    needed = frozenset(
        f.name for f in fields if f.default is missing and f.default_factory is missing
    )
    return needed, {field.name: hints[field.name] for field in fields}
