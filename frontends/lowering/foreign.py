"""Refuse what only a fork of Caffe understands and would change the result.

Fields and values of forks parse, so that a net can be read, drawn and upgraded. A layer that
would silently compute something else is an error where it is lowered.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from frontends.prototxt.message import Message
from frontends.schema.types import EnumType, MessageType
from ir.errors import RoasteryError

from .layer_type import LayerType

_BY_ALL = ("freeze_learning",)
"""Fields of forks that every layer honours: MyCaffe's flag that parameters do not learn."""


def refuse_foreign(kind: LayerType, layer: Message) -> None:
    """Check a layer, its parameters, and the messages below them (fillers).

    A data layer is checked when it is about to read: a net is known without its data.

    Raises RoasteryError for a field of a fork that the layer does not honour and that is not
    set to its default, and for such a value of an enum.
    """
    for name in layer.foreign_fields():
        field = layer.message_type.fields[name]
        # Other layers' parameters (permute_param) are not this layer's concern, as in Caffe.
        if not isinstance(layer.message_type.resolve(field), MessageType):
            _check_field(kind, layer, name, layer.name)
    for message in _concerned(kind, layer):
        for name in message.foreign_fields():
            _check_field(kind, message, name, layer.name)
        _check_values(kind, message, layer.name)


def _concerned(kind: LayerType, layer: Message) -> Iterator[Message]:
    """The messages that the layer reads, and all below them."""
    for name in (kind.param, *kind.also, "param"):
        if name and layer.has(name):
            value = layer[name]
            for message in value if isinstance(value, list) else [value]:
                yield from message.walk()


def _check_field(kind: LayerType, message: Message, name: str, layer: str) -> None:
    default = message.message_type.fields[name].default
    if (
        name in kind.fork_fields
        or name in _BY_ALL
        or (default is not None and message[name] == default)
    ):
        return
    raise RoasteryError(
        f"`{name}` is a field of another fork's {kind.name} layer, which computes something else",
        location=replace(message.location_of(name), layer=layer),
        hint="remove it if the net does not need it; Roastery's layer does not have it",
    )


def _check_values(kind: LayerType, message: Message, layer: str) -> None:
    for name in message.fields_set():
        field = message.message_type.fields.get(name)
        if field is None or field.repeated or name in kind.fork_fields:
            continue  # a block of the user's may hold anything
        target = message.message_type.resolve(field)
        value = message[name]
        if isinstance(target, EnumType) and target.foreign.get(value) is False:
            known = ", ".join(target.numbers)
            raise RoasteryError(
                f"`{name}: {value}` is another fork's",
                location=replace(message.location_of(name), layer=layer),
                hint=f"the {kind.name} layer here takes {known}",
            )
