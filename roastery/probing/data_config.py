"""Data layers' messages -> the runtime's plain configurations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from frontends.label_map import read_pixel_classes
from frontends.lowering.fillers import filler_spec
from frontends.lowering.known_layers import find_layer
from frontends.prototxt.message import Message
from ir.errors import RoasteryError
from ir.location import Location
from ir.program import FillerSpec
from runtime.data.augment.settings import Block
from runtime.data.config import SourceConfig, TransformConfig
from runtime.data.sources import source_kind
from runtime.data.sources.dummy_data import DummyFiller
from runtime.memory.fillers import fill


def source_config(layer: Message) -> SourceConfig:
    """The configuration of a data layer: its fields have the names of those of its messages.

    Raises RoasteryError for a layer type that reads no data.
    """
    registered = find_layer(layer.type, layer.location)
    kind = source_kind(layer.type, layer[registered.param].fields_set() if registered.param else ())
    if kind is None:
        raise RoasteryError(f"{layer.type} is no data layer", location=layer.location)
    blocks = {name: layer[name] for name in (registered.param, *registered.also)}
    transform = layer.transform_param if layer.has("transform_param") else None
    return kind(
        **{
            **_of_equal_names(kind, list(blocks.values())),
            **{field: getattr(blocks[name], field) for field, name in kind.from_block.items()},
        },
        tops=tuple(layer.top),
        layer=layer.name,
        location=layer.location,
        transform=TransformConfig(**_of_equal_names(TransformConfig, [transform]))
        if transform is not None
        else None,
        places=_places(layer, registered.param, registered.also),
        read_pixel_classes=read_pixel_classes,
    )


def _places(layer: Message, own: str, also: Sequence[str]) -> dict[str, Location]:
    """Where each setting of a data layer stands: see `SourceConfig.places`."""
    found = {name: layer.location_of(name) for name in layer.fields_set()}
    for block in ("data_param", "transform_param", *also, own):
        if layer.has(block):
            prefix = "transform_param." if block == "transform_param" else ""
            message = layer[block]
            found |= {prefix + name: message.location_of(name) for name in message.fields_set()}
    if own in found:
        found[""] = found[own]
    return found


def _of_equal_names(
    kind: type[SourceConfig | TransformConfig | Block], messages: Sequence[Message]
) -> dict[str, Any]:
    """What messages say of a configuration's fields: of each, the first that has such a field."""
    values = {}
    for field in fields(kind):
        for message in messages:
            if field.name in message.message_type.fields:
                if field.default is not None or message.has(field.name):
                    values[field.name] = _plain(getattr(message, field.name))
                break
    return values


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(map(_plain, value))
    if not isinstance(value, Message):
        return value
    name = value.message_type.name
    if name == "FillerParameter":
        return _dummy_filler(filler_spec(value))
    block = next((kind for kind in Block.__subclasses__() if kind.message == name), None)
    if block is not None:
        return block(**_of_equal_names(block, [value]))
    return tuple(value.dim)


def _dummy_filler(spec: FillerSpec) -> DummyFiller:
    def values(shape: tuple[int, ...], seed: int) -> np.ndarray:
        return fill(spec, shape, np.random.Generator(np.random.Philox(seed)))

    return DummyFiller(fill=values, constant=spec.kind == "constant")
