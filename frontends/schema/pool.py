"""Real protobuf classes for Caffe's own messages, built from the schema.

They live in a private descriptor pool, so that another ``caffe.proto`` in the same
process does no harm. Fork fields have no agreed numbers and are absent.
"""

from __future__ import annotations

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


@cache
def caffe_pb2() -> ModuleType:
    """A module like the ``caffe_pb2`` that protoc makes: message classes, enum values."""
    pool = descriptor_pool.DescriptorPool()
    described = pool.AddSerializedFile(_file().SerializeToString())
    if described is None:  # the pure-Python pool returns nothing
        described = pool.FindFileByName("caffe.proto")
    module = ModuleType("caffe_pb2", "Protobuf classes of Caffe's messages.")
    module.__dict__["DESCRIPTOR"] = pool.FindFileByName("caffe.proto")
    for kind in _native():
        descriptor = pool.FindMessageTypeByName(f"{_PACKAGE}.{kind.name}")
        module.__dict__[kind.name] = message_factory.GetMessageClass(descriptor)
    for name in _TOP_LEVEL_ENUMS:
        module.__dict__.update(REGISTRY.enums[name].numbers)
    return module


def _native() -> list[MessageType]:
    return [kind for kind in REGISTRY.messages.values() if kind.native]


def _file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="caffe.proto", package=_PACKAGE, syntax="proto2")
    for name in _TOP_LEVEL_ENUMS:
        _describe_enum(file.enum_type.add(), name, REGISTRY.enums[name])
    for kind in _native():
        described = file.message_type.add(name=kind.name)
        numbered = [field for field in kind if field.number is not None]
        used = set()
        for field in sorted(numbered, key=lambda field: field.number or 0):
            _describe_field(described.field.add(), kind, field)
            used.add(field.kind)
        for name, enum_type in kind.enums.items():
            if name in used:
                _describe_enum(described.enum_type.add(), name, enum_type)
    return file


def _describe_enum(
    described: descriptor_pb2.EnumDescriptorProto, name: str, enum_type: EnumType
) -> None:
    described.name = name
    for value, number in enum_type.numbers.items():
        described.value.add(name=value, number=number)


def _describe_field(
    described: descriptor_pb2.FieldDescriptorProto, kind: MessageType, field: FieldType
) -> None:
    described.name = field.name
    described.number = field.number or 0
    described.label = _LABELS[field.label]
    if field.packed:
        described.options.packed = True
    target = kind.resolve(field)
    if target is None:
        described.type = _SCALARS[field.kind]
    else:
        is_enum = isinstance(target, EnumType)
        described.type = _Proto.TYPE_ENUM if is_enum else _Proto.TYPE_MESSAGE
        described.type_name = f".{_PACKAGE}.{target.name}"
    if field.default is not None:
        described.default_value = _default_text(field)


def _default_text(field: FieldType) -> str:
    if field.kind == "bool":
        return "true" if field.default else "false"
    if field.kind in INTEGER_RANGES or field.kind in ("float", "double"):
        return repr(field.default)
    return str(field.default)
