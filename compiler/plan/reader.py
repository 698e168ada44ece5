"""Values of data classes, read from JSON by the types of their fields. What is read is of unknown
origin: whatever is not of its type is an error that says where it stands."""

from __future__ import annotations

import dataclasses
import enum
import functools
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ir.size import Size, parse_size, value_of
from ir.types import TensorType

LARGEST = 1 << 62
"""Integers stay below, and so do the bytes of a tensor."""
_MOST_AXES = 32
MOST_FORMS = 1 << 16
"""Characters of different forms in one file, which take long to read. Those of GoogLeNet, of any
batch and image size, have 9,000."""


def shortened(data: Any) -> str:
    """Data as messages show it."""
    text = repr(data)
    return text if len(text) <= 60 else f"{text[:57]}..."


_Where = str | tuple["_Where", str]
"""Where something stands: in what, and where in it. Only messages put it together."""


def _said(where: _Where) -> str:
    parts = []
    while not isinstance(where, str):
        where, part = where
        parts.append(part)
    return "".join([where, *reversed(parts)])


class Reader:
    """What one file may hold at most, and what was read of it before.

    Args:
        sizes: those that forms may name; without them there are none.
    """

    def __init__(self, sizes: Mapping[str, int]) -> None:
        self.sizes = sizes
        self._forms: dict[str, float] = {}
        self._types: dict[str, TensorType] = {}
        self._room = MOST_FORMS

    def form(self, text: str, real: bool, where: _Where) -> float:
        """A number that follows from sizes."""
        if text not in self._forms:
            self._charge(text)
            self._forms[text] = parse_size(text, self.sizes)
        number = self._forms[text]
        if isinstance(number, int | Size):
            return self.integer(number, where)
        if not real:
            raise ValueError(f"{_said(where)} is no integer: {shortened(text)}")
        return number

    def integer(self, number: int, where: _Where) -> int:
        if not -LARGEST <= value_of(number) <= LARGEST:
            raise ValueError(f"{_said(where)} is too large: {shortened(number)}")
        return number

    def tensor_type(self, text: str, where: _Where) -> TensorType:
        if text not in self._types:
            if any(map(str.isalpha, text.partition("[")[2])):
                self._charge(text)
            self._types[text] = _parsed_type(text, self.sizes, where)
        return self._types[text]

    def _charge(self, text: str) -> None:
        self._room -= len(text)
        if self._room < 0:
            raise ValueError(f"its sizes take more than {MOST_FORMS} characters")


def _parsed_type(text: str, sizes: Mapping[str, int], where: _Where) -> TensorType:
    try:
        type = TensorType.parse(text, sizes)
    except ValueError:
        raise ValueError(f"{_said(where)}: {shortened(text)} is no type of a tensor") from None
    if type.rank > _MOST_AXES or value_of(type.nbytes) > LARGEST:
        raise ValueError(f"{_said(where)}: {shortened(text)} is too large")
    return type


_Read = Callable[[Reader, Any, _Where], Any]


@functools.cache
def reader_of(kind: Any) -> _Read:
    """Reads data as a value of a type; raises ValueError where it is none. Types are looked at
    once: plans have tens of thousands of values."""
    choices = typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    real = float in choices
    form = real or int in choices
    ways: list[_Way] = []

    def read(reader: Reader, data: Any, where: _Where) -> Any:
        if kind is int and data.__class__ is int:
            return reader.integer(data, where)
        if form and reader.sizes and isinstance(data, str):
            return reader.form(data, real, where)
        if not ways:  # now, as a type may hold values of itself
            ways.extend(map(_way, choices))
        for may_be, of_form in ways:
            if may_be(data):
                return of_form(reader, data, where)
        expected = " or ".join(getattr(choice, "__name__", str(choice)) for choice in choices)
        raise ValueError(f"{_said(where)} must be {expected}, it is {shortened(data)}")

    return read


class _Way(NamedTuple):
    """How values of a type are written: whether data may be one, as far as one level tells; how
    such data is read."""

    may_be: Callable[[Any], bool]
    read: _Read


def _way(kind: Any) -> _Way:
    items = typing.get_args(kind)
    if kind is TensorType:
        return _Way(_is_text, Reader.tensor_type)
    if isinstance(kind, enum.EnumMeta):
        return _Way(_is_text, functools.partial(_member, kind))
    if hasattr(kind, "from_json"):
        own = kind.from_json
        return _Way(_is_object, lambda reader, data, where: own(data))
    if dataclasses.is_dataclass(kind):
        return _data_way(kind)
    if typing.get_origin(kind) is tuple:
        return _many_way(items[0]) if items[-1] is Ellipsis else _tuple_way(items)
    plain = typing.get_origin(kind) or kind
    if plain is dict and items and items[1] is not Any:
        return _Way(_is_object, functools.partial(_named, reader_of(items[1])))
    if kind is int:
        return _Way(lambda data: type(data) is int, Reader.integer)
    return _Way(lambda data: type(data) is plain, lambda reader, data, where: data)


def _is_text(data: Any) -> bool:
    return isinstance(data, str)


def _is_object(data: Any) -> bool:
    return isinstance(data, dict)


def _member(kind: Any, reader: Reader, data: Any, where: _Where) -> Any:
    try:
        return kind(data)
    except ValueError:
        raise ValueError(f"{_said(where)}: {shortened(data)} is no {kind.__name__}") from None


def _named(item: _Read, reader: Reader, data: Any, where: _Where) -> Any:
    return {name: item(reader, d, (where, f" {name!a:.60}")) for name, d in data.items()}


def _many_way(kind: Any) -> _Way:
    """A tuple of any length."""
    item = reader_of(kind)

    def read(reader: Reader, data: Any, where: _Where) -> Any:
        return tuple([item(reader, d, (where, f" {n}")) for n, d in enumerate(data)])

    return _Way(lambda data: isinstance(data, list), read)


def _tuple_way(kinds: Sequence[Any]) -> _Way:
    items = [reader_of(kind) for kind in kinds]

    def read(reader: Reader, data: Any, where: _Where) -> Any:
        each = enumerate(zip(items, data, strict=True))
        return tuple([item(reader, d, (where, f" {n}")) for n, (item, d) in each])

    return _Way(lambda data: isinstance(data, list) and len(data) == len(items), read)


def _data_way(kind: Any) -> _Way:
    """A dataclass, by its fields."""
    hints = typing.get_type_hints(kind)
    fields = [field for field in dataclasses.fields(kind) if field.compare]
    missing = dataclasses.MISSING
    needed = {f.name for f in fields if f.default is missing and f.default_factory is missing}
    items = {field.name: (reader_of(hints[field.name]), f": {field.name}") for field in fields}

    def may_be(data: Any) -> bool:
        return isinstance(data, dict) and needed <= data.keys() <= items.keys()

    def read(reader: Reader, data: Any, where: _Where) -> Any:
        given = {}
        for name, d in data.items():
            item, place = items[name]
            given[name] = item(reader, d, (where, place))
        return kind(**given)

    return _Way(may_be, read)
