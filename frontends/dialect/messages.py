"""Protobuf classes of the messages of one dialect."""

from __future__ import annotations

from functools import cache
from types import ModuleType

from frontends.schema.pool import CaffesNumbers, protobuf_module
from frontends.schema.registry import REGISTRY
from frontends.schema.types import EnumType, FieldType, MessageType

from .dialect import Dialect
from .known import find_dialect


class DialectNumbers(CaffesNumbers):
    """A dialect's numbers; Caffe's for what the fork left as it was."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._taken: dict[str, set[int]] = {}

    def of_field(self, kind: MessageType, field: FieldType) -> int | None:
        own = self._dialect.of(kind.name)
        number = own.get(field.written or field.name)
        if number is not None:
            return None if field.written else number
        if kind.name not in self._taken:
            self._taken[kind.name] = set(own.values())
        # A number that the fork gave away is not Caffe's field any more.
        return None if field.number in self._taken[kind.name] else field.number

    def kind_of(self, field: FieldType) -> str:
        return self._dialect.kinds.get((field.owner, field.name), field.kind)

    def of_values(self, enum_type: EnumType) -> dict[str, int]:
        own = self._dialect.of(enum_type.name)
        known = {name: own[name] for name in enum_type.names() if name in own}
        given = set(known.values())
        kept = {n: v for n, v in enum_type.numbers.items() if n not in own and v not in given}
        # Protobuf's default is the value that stands first.
        ordered = sorted({**kept, **known}.items(), key=lambda item: item[0] != enum_type.first())
        return dict(ordered)


@cache
def _classes(name: str) -> ModuleType:
    dialect = find_dialect(name)
    numbers = DialectNumbers(dialect)
    kinds = [
        kind
        for kind in REGISTRY.messages.values()
        if kind.native or (not kind.free and dialect.of(kind.name))
    ]
    return protobuf_module(kinds, numbers)


def dialect_pb2(dialect: Dialect) -> ModuleType:
    """As :func:`frontends.schema.pool.caffe_pb2`, of a fork."""
    return _classes(dialect.name)
