"""Layers of one's own: ``@roastery.layer("Wobble", fields={"strength": 1.0})``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from frontends.lowering import registry
from frontends.lowering.context import LayerContext
from frontends.lowering.known_layers import layer_types
from frontends.schema.registry import REGISTRY, declare_message, extend_message
from frontends.schema.types import EnumType, FieldType, enum, optional, repeated, required
from ir import expr
from ir.build import expand
from ir.errors import RoasteryError
from ir.graph import Value

__all__ = ["Filler", "LayerContext", "LayerFunction", "Value", "expand", "expr", "layer"]

LayerFunction = Callable[[LayerContext], Value | Sequence[Value]]

Filler = type("Filler", (), {"__doc__": "Declares a field that holds a filler, in `fields`."})

_KINDS: dict[type, str] = {bool: "bool", int: "int64", float: "float", str: "string"}

_own: set[str] = set()  # layer types that came through this module


def layer(
    name: str,
    *,
    param: str = "",
    fields: Mapping[str, Any] | None = None,
    bottoms: int | tuple[int, int | None] = 1,
    tops: int | tuple[int, int | None] = 1,
    loss: bool = False,
    no_gradient_to: Sequence[int] = (),
    in_place: bool = False,
    replace: bool = False,
) -> Callable[[LayerFunction], LayerFunction]:
    """Register the decorated function as the lowering of ``type: "name"``.

    The function gets a :class:`LayerContext` and returns the top, or a sequence of tops. What it
    builds from ops has gradients, is fused and runs on every executor.

    Args:
        param: name of the layer's block in prototxt (default: ``wobble_param`` for "Wobble").
        fields: what may stand in the block, read as ``ctx.param.<field>``. The value is a default
            (``1.0``, ``3``, ``True``, ``"text"``), a type where the field must be given
            (``float``), a list of a type for a repeated field (``[int]``), a tuple of names for
            an enum (the first is the default), or ``roastery.Filler``. None, with ``param``: the
            block may hold anything; without: the layer has no block.
        bottoms, tops: how many, or (smallest, largest); None for any number.
        loss: has loss_weight 1, and makes a top where none is named.
        no_gradient_to: bottoms that get no diff (labels).
        in_place: the top may have the bottom's name.
        replace: take the place of a layer that Roastery has.

    Raises RoasteryError for a name that Roastery has, unless ``replace``.
    """
    known = layer_types()
    if name in known and name not in _own and not replace:
        raise RoasteryError(
            f"Roastery has a layer type '{name}'",
            hint="take another name, or pass replace=True",
        )
    if fields is not None:
        param = param or f"{_snake(name)}_param"
        _declare(param, fields)
    elif param and param not in REGISTRY.message("LayerParameter").fields:
        block = declare_message(_message_name(param), free=True)
        extend_message("LayerParameter", optional(block.name, param))
    _own.add(name)
    return registry.layer(
        name,
        param=param,
        bottoms=bottoms,
        tops=tops,
        loss=loss,
        no_gradient_to=tuple(no_gradient_to),
        in_place=in_place,
        fork="your own",
    )


def _declare(param: str, fields: Mapping[str, Any]) -> None:
    """Declare the block and its fields; declaring it again (in a notebook) replaces them."""
    name = _message_name(param)
    present = REGISTRY.messages.get(name)
    if present is not None and present.native:
        raise RoasteryError(f"`{param}` holds Caffe's {name}", hint="take another name for `param`")
    if present is not None:
        present.fields.clear()
        present.enums.clear()
    members: list[FieldType | EnumType] = []
    for field, value in fields.items():
        members += _members(field, value)
    declare_message(name, *members)
    extend_message("LayerParameter", optional(name, param))


def _members(field: str, value: Any) -> list[FieldType | EnumType]:
    if value is Filler:
        return [optional("FillerParameter", field)]
    if isinstance(value, type) and value in _KINDS:
        return [required(_KINDS[value], field)]
    if type(value) in _KINDS:
        return [optional(_KINDS[type(value)], field, default=value)]
    if isinstance(value, list) and len(value) == 1 and value[0] in _KINDS:
        return [repeated(_KINDS[value[0]], field)]
    if isinstance(value, tuple) and value and all(isinstance(v, str) for v in value):
        kind = _camel(field)
        numbers = {v: number for number, v in enumerate(value)}
        return [enum(kind, **numbers), optional(kind, field, default=value[0])]
    raise RoasteryError(
        f"field `{field}` cannot be declared by {value!r}",
        hint="give a default, a type, a list of one type, a tuple of names, or roastery.Filler",
    )


def _message_name(param: str) -> str:
    return f"{_camel(param.removesuffix('_param'))}Parameter"


def _camel(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
