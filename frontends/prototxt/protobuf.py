"""Typed messages to protobuf messages and back."""

from __future__ import annotations

from typing import Any

from google.protobuf.message import Message as ProtobufMessage

from frontends.schema.pool import NESTED, caffe_pb2
from frontends.schema.types import EnumType
from frontends.schema.values import ValueMistake
from ir.errors import RoasteryError
from ir.location import Location

from .message import Message


def to_protobuf(message: Message) -> Any:
    """The protobuf message with the same content.

    Fields and enum values of forks have no number and are left out.

    Raises:
        RoasteryError: Caffe's schema has no such message, or a string is not UTF-8.
    """
    name = message.message_type.name
    if not message.message_type.native:
        raise RoasteryError(f"{name} is not one of Caffe's messages and has no binary form")
    result = getattr(caffe_pb2(), name)()
    _fill(result, message)
    return result


def _fill(target: Any, message: Message) -> None:
    kind = message.message_type
    for name in message.fields_set():
        field = message.field(name)
        place = message.location_of(name)
        if field.number is None:
            continue
        value = message[name]
        resolved = kind.resolve(field)
        try:
            if resolved is None:
                if field.repeated:
                    getattr(target, name).extend(value)
                else:
                    setattr(target, name, value)
            elif isinstance(resolved, EnumType):
                names = value if field.repeated else [value]
                known = [resolved.numbers[item] for item in names if item in resolved.numbers]
                if field.repeated:
                    getattr(target, name).extend(known)
                elif known:
                    setattr(target, name, known[0])
            elif field.repeated:
                for item in value:
                    _fill(getattr(target, name).add(), item)
            else:
                getattr(target, name).SetInParent()
                _fill(getattr(target, name), value)
        except (UnicodeEncodeError, ValueError):
            raise RoasteryError(
                f"`{name}` is not valid UTF-8, which text in a binary file must be",
                location=place,
                hint="rename it; snapshot_format: HDF5 takes layer names of any bytes",
            ) from None


def from_protobuf(source: ProtobufMessage, location: Location | None = None) -> Message:
    """The typed message with the content of a protobuf message.

    Args:
        source: of any class whose name is that of a message of the schema.
        location: the place that every field of the result carries.

    Raises:
        RoasteryError: the schema lacks the message, a field or an enum value.
    """
    place = location or Location()
    result = Message(source.DESCRIPTOR.name.replace(NESTED, "."), place)
    for descriptor, value in source.ListFields():
        field = result.message_type.fields.get(descriptor.name)
        if field is None:
            name = f"{source.DESCRIPTOR.name}.{descriptor.name}"
            raise RoasteryError(f"the schema has no field {name}", location=location)
        resolved = result.message_type.resolve(field)
        for item in value if field.repeated else (value,):
            if isinstance(resolved, EnumType):
                # The class may be of a dialect, which has values that Caffe lacks.
                kind = descriptor.enum_type
                named = kind.values_by_number.get(item) if kind is not None else None
                item = named.name if named is not None else resolved.name_of(item)
                if item is None or item not in resolved.names():
                    raise RoasteryError(f"`{field.name}` has no value {value}", location=location)
            elif resolved is not None:
                item = from_protobuf(item, location)
            try:
                if field.repeated:
                    result.add(field.name, item, place)
                else:
                    result.set(field.name, item, place)
            except ValueMistake as mistake:
                raise RoasteryError(str(mistake), location=location) from None
    return result
