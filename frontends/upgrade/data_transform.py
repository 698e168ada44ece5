"""Transformations that V1 data layers hold themselves, moved to `transform_param`."""

from __future__ import annotations

from frontends.prototxt.message import Message
from frontends.prototxt.note import Note

_PARAMETERS = {
    "DATA": "data_param",
    "IMAGE_DATA": "image_data_param",
    "WINDOW_DATA": "window_data_param",
}
_FIELDS = ("scale", "mean_file", "crop_size", "mirror")


def is_needed(net: Message) -> bool:
    """Whether a V1 data layer still holds a transformation."""
    return any(
        layer[parameter].has(field)
        for layer in net.layers
        if (parameter := _PARAMETERS.get(layer.type))
        for field in _FIELDS
    )


def upgrade(net: Message, notes: list[Note]) -> Message:
    """Move the transformations of every V1 data layer."""
    first = None
    for layer in net.layers:
        name = _PARAMETERS.get(layer.type)
        if name is None:
            continue
        # Both messages are present afterwards even if nothing moves, as in Caffe.
        parameter = layer.mutable(name)
        transform = layer.mutable("transform_param")
        for field in _FIELDS:
            if parameter.has(field):
                first = first or parameter.location_of(field)
                transform.copy_field(parameter, field)
                parameter.clear(field)
    notes.append(Note("transformations of data layers were moved to transform_param", first))
    return net
