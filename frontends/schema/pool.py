"""Real protobuf classes for messages, built from the schema.

They live in private descriptor pools, so that another ``caffe.proto`` in the same process does
no harm. Fork fields have no agreed numbers: Caffe's own classes lack them, those of a dialect
(:mod:`frontends.dialect.messages`) have its fork's.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from types import ModuleType
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from .registry import REGISTRY
from .types import INTEGER_RANGES, EnumType, FieldType, MessageType

_PACKAGE = "caffe"
_Proto = descriptor_pb2.FieldDescriptorProto
_SCALARS: dict[str, Any] = {
    "int32": _Proto.TYPE_INT32,
    "int64": _Proto.TYPE_INT64,
    "uint32": _Proto.TYPE_UINT32,
    "uint64": _Proto.TYPE_UINT64,
    "float": _Proto.TYPE_FLOAT,
    "double": _Proto.TYPE_DOUBLE,
    "bool": _Proto.TYPE_BOOL,
    "string": _Proto.TYPE_STRING,
    "bytes": _Proto.TYPE_BYTES,
}
_LABELS: dict[str, Any] = {
    "optional": _Proto.LABEL_OPTIONAL,
    "required": _Proto.LABEL_REQUIRED,
    "repeated": _Proto.LABEL_REPEATED,
}
#: Caffe's top-level enums; those of forks stay out.
_TOP_LEVEL_ENUMS = ("Phase",)
NESTED = "__"
"""Stands in a class's name for the dot in the name of a message inside another."""


@cache
def caffe_pb2() -> ModuleType:
    """A module like the ``caffe_pb2`` that protoc makes: message classes, enum values."""
    native = [kind for kind in REGISTRY.messages.values() if kind.native]
    module = protobuf_module(native, CaffesNumbers())
    module.__dict__.update({n: v for e in _TOP_LEVEL_ENUMS for n, v in _phase(e).items()})
    return module


def _phase(name: str) -> dict[str, int]:
    return REGISTRY.enums[name].numbers


class CaffesNumbers:
    """What number a field or a value of an enum has."""

    def of_field(self, kind: MessageType, field: FieldType) -> int | None:
        """None: the field has none, and is left out."""
        return field.number

    def kind_of(self, field: FieldType) -> str:
        """The kind of scalar that is written."""
        return field.kind

    def of_values(self, enum_type: EnumType) -> dict[str, int]:
        """The numbers of all values that have one."""
        return enum_type.numbers


def protobuf_module(kinds: Sequence[MessageType], numbers: CaffesNumbers) -> ModuleType:
    """Protobuf classes of ``kinds``, in a module; fields of other messages are left out."""
    pool = descriptor_pool.DescriptorPool()
    file = _Describer(kinds, numbers).file()
    described = pool.AddSerializedFile(file.SerializeToString())
    if described is None:  # the pure-Python pool returns nothing
        described = pool.FindFileByName("caffe.proto")
    module = ModuleType("caffe_pb2", "Protobuf classes of Caffe's messages.")
    module.__dict__["DESCRIPTOR"] = pool.FindFileByName("caffe.proto")
    for kind in kinds:
        descriptor = pool.FindMessageTypeByName(f"{_PACKAGE}.{_plain(kind.name)}")
        module.__dict__[_plain(kind.name)] = message_factory.GetMessageClass(descriptor)
    return module


def _plain(name: str) -> str:
    """A message's name as a class has it: that of one inside another stands alone here."""
    return name.replace(".", NESTED)


class _Describer:
    """Describes messages and the enums that their fields have, as one file."""

    def __init__(self, kinds: Sequence[MessageType], numbers: CaffesNumbers) -> None:
        self._kinds = {kind.name: kind for kind in kinds}
        self._numbers = numbers
        self._top_enums: set[str] = set()
        self._enums: dict[str, set[str]] = {kind.name: set() for kind in kinds}

    def file(self) -> descriptor_pb2.FileDescriptorProto:
        file = descriptor_pb2.FileDescriptorProto(
            name="caffe.proto", package=_PACKAGE, syntax="proto2"
        )
        described = {}
        for kind in self._kinds.values():
            described[kind.name] = file.message_type.add(name=_plain(kind.name))
            numbered = [
                (number, field)
                for field in kind
                if (number := self._numbers.of_field(kind, field)) is not None
                and self._is_known(kind, field)
            ]
            for number, field in sorted(numbered, key=lambda pair: pair[0]):
                self._describe_field(described[kind.name].field.add(), kind, field, number)
        for name in self._top_enums:
            if name in _TOP_LEVEL_ENUMS:
                self._describe_enum(file.enum_type.add(), name, REGISTRY.enums[name])
            else:  # in a message of its own, where its values meet no others
                wrapper = file.message_type.add(name=f"{name}{NESTED}")
                self._describe_enum(wrapper.enum_type.add(), name, REGISTRY.enums[name])
        for owner, names in self._enums.items():
            for name, enum_type in self._kinds[owner].enums.items():
                if name in names:
                    self._describe_enum(described[owner].enum_type.add(), name, enum_type)
        return file

    def _is_known(self, kind: MessageType, field: FieldType) -> bool:
        target = kind.resolve(field)
        if isinstance(target, MessageType):
            return target.name in self._kinds
        if isinstance(target, EnumType) and "." in target.name:
            return target.name.rpartition(".")[0] in self._kinds
        return field.kind != "any"

    def _describe_enum(
        self, described: descriptor_pb2.EnumDescriptorProto, name: str, enum_type: EnumType
    ) -> None:
        described.name = name
        seen: set[int] = set()
        for value, number in self._numbers.of_values(enum_type).items():
            described.value.add(name=value, number=number)
            if number in seen:
                described.options.allow_alias = True
            seen.add(number)

    def _describe_field(
        self,
        described: descriptor_pb2.FieldDescriptorProto,
        kind: MessageType,
        field: FieldType,
        number: int,
    ) -> None:
        described.name = field.written or field.name
        described.number = number
        described.label = _LABELS[field.label]
        if field.packed:
            described.options.packed = True
        target = kind.resolve(field)
        if target is None:
            described.type = _SCALARS[self._numbers.kind_of(field)]
        elif isinstance(target, MessageType):
            described.type = _Proto.TYPE_MESSAGE
            described.type_name = f".{_PACKAGE}.{_plain(target.name)}"
        else:
            described.type = _Proto.TYPE_ENUM
            described.type_name = f".{_PACKAGE}.{self._place_of(target)}"
        as_declared = self._numbers.kind_of(field) == field.kind
        if field.default is not None and as_declared and self._has_value(target, field.default):
            described.default_value = _default_text(field)

    def _has_value(self, target: EnumType | MessageType | None, value: object) -> bool:
        return not isinstance(target, EnumType) or value in self._numbers.of_values(target)

    def _place_of(self, enum_type: EnumType) -> str:
        owner, _, name = enum_type.name.rpartition(".")
        if owner:
            self._enums[owner].add(name)
            return f"{_plain(owner)}.{name}"
        self._top_enums.add(name)
        return name if name in _TOP_LEVEL_ENUMS else f"{name}{NESTED}.{name}"


def _default_text(field: FieldType) -> str:
    if field.kind == "bool":
        return "true" if field.default else "false"
    if field.kind in INTEGER_RANGES or field.kind in ("float", "double"):
        return repr(field.default)
    return str(field.default)
