"""Data layers' messages -> the runtime's plain configurations."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from frontends.lowering.fillers import filler_spec
from frontends.prototxt.message import Message
from ir.errors import RoasteryError
from ir.location import Location
from ir.program import FillerSpec
from runtime.data.config import (
    DataConfig,
    DummyDataConfig,
    DummyFiller,
    HDF5DataConfig,
    ImageDataConfig,
    MemoryDataConfig,
    SourceConfig,
    TransformConfig,
    WindowDataConfig,
)
from runtime.fillers import fill

_KINDS: dict[str, tuple[type[SourceConfig], str]] = {
    "Data": (DataConfig, "data_param"),
    "ImageData": (ImageDataConfig, "image_data_param"),
    "HDF5Data": (HDF5DataConfig, "hdf5_data_param"),
    "MemoryData": (MemoryDataConfig, "memory_data_param"),
    "WindowData": (WindowDataConfig, "window_data_param"),
    "DummyData": (DummyDataConfig, "dummy_data_param"),
}


def source_config(layer: Message) -> SourceConfig:
    """The configuration of a data layer.

    Raises RoasteryError for a layer type that reads no data.
    """
    try:
        kind, name = _KINDS[layer.type]
    except KeyError:
        raise RoasteryError(f"{layer.type} is no data layer", location=layer.location) from None
    parameters = getattr(layer, name)
    values = _of_equal_names(kind, parameters)
    if "prefetch" in kind.__dataclass_fields__:  # Caffe has it in data_param, for all that do
        values["prefetch"] = layer.data_param.prefetch
    if kind is DummyDataConfig:
        values["shapes"] = tuple(tuple(shape.dim) for shape in parameters.shape)
        values["fillers"] = tuple(_dummy_filler(filler_spec(f)) for f in parameters.data_filler)
    if layer.has("transform_param"):
        values["transform"] = TransformConfig(
            **_of_equal_names(TransformConfig, layer.transform_param)
        )
    return kind(
        **values,
        tops=tuple(layer.top),
        layer=layer.name,
        location=layer.location,
        places=_places(layer, name),
    )


def _places(layer: Message, own: str) -> dict[str, Location]:
    """Where each setting of a data layer stands: see `LayerConfig.places`."""
    found = {name: layer.location_of(name) for name in layer.fields_set()}
    for block in ("data_param", "transform_param", own):
        if layer.has(block):
            prefix = "transform_param." if block == "transform_param" else ""
            message = layer[block]
            found |= {prefix + name: message.location_of(name) for name in message.fields_set()}
    if own in found:
        found[""] = found[own]
    return found


def _of_equal_names(kind: type[SourceConfig | TransformConfig], message: Message) -> dict[str, Any]:
    """What a message says of a configuration's fields, which have Caffe's names."""
    values = {
        field.name: getattr(message, field.name)
        for field in fields(kind)
        if field.name in message.message_type.fields
    }
    return {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}


def _dummy_filler(spec: FillerSpec) -> DummyFiller:
    def values(shape: tuple[int, ...], seed: int) -> np.ndarray:
        return fill(spec, shape, np.random.Generator(np.random.Philox(seed)))

    return DummyFiller(fill=values, constant=spec.kind == "constant")
