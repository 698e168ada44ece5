"""Refuse what only a fork of Caffe understands and would change the result.

Fields and values of forks parse, so that a net can be read, drawn and upgraded. A layer that
would silently compute something else is an error where it is lowered.
"""

from __future__ import annotations

from dataclasses import replace

from frontends.prototxt.message import Message
from frontends.schema.types import EnumType
from ir.errors import RoasteryError

from .registry import LayerType


def refuse_foreign(kind: LayerType, layer: Message) -> None:
    """Check a layer's parameters, and its loss_param.

    Raises RoasteryError for a field of a fork that the layer does not honour and that is not
    set to its default, and for such a value of an enum.
    """
    for name in dict.fromkeys((kind.param, "loss_param")):
        if name and layer.has(name):
            _check(kind, layer[name], layer.name)


def _check(kind: LayerType, param: Message, layer: str) -> None:
    for name in param.foreign_fields():
        default = param.message_type.fields[name].default
        if name in kind.fork_fields or (default is not None and param[name] == default):
            continue
        raise RoasteryError(
            f"`{name}` is a field of another fork's {kind.name} layer, which computes something "
            "else",
            location=replace(param.location_of(name), layer=layer),
            hint="remove it if the net does not need it; Roastery's layer does not have it",
        )
    for field in param.message_type:
        name = field.name
        if field.repeated or not param.has(name) or name in kind.fork_fields:
            continue
        target = param.message_type.resolve(field)
        value = param[name]
        if isinstance(target, EnumType) and target.foreign.get(value) is False:
            known = ", ".join(target.numbers)
            raise RoasteryError(
                f"`{name}: {value}` is another fork's",
                location=replace(param.location_of(name), layer=layer),
                hint=f"the {kind.name} layer here takes {known}",
            )
