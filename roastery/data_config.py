"""Data layers' messages -> the runtime's plain configurations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from frontends.lowering.fillers import filler_spec
from frontends.prototxt.message import Message
from ir.errors import RoasteryError
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


def source_config(layer: Message) -> SourceConfig:
    """The configuration of a data layer.

    Raises RoasteryError for a layer type that reads no data.
    """
    try:
        make = _MAKERS[layer.type]
    except KeyError:
        raise RoasteryError(f"{layer.type} is no data layer", location=layer.location) from None
    config = make(layer)
    transform = _transform(layer) if layer.has("transform_param") else None
    return replace(
        config,
        tops=tuple(layer.top),
        layer=layer.name,
        location=layer.location,
        transform=transform,
    )


def _transform(layer: Message) -> TransformConfig:
    p = layer.transform_param
    return TransformConfig(
        scale=p.scale,
        mirror=p.mirror,
        crop_size=p.crop_size,
        mean_file=p.mean_file,
        mean_value=tuple(p.mean_value),
        force_color=p.force_color,
        force_gray=p.force_gray,
    )


def _data(layer: Message) -> SourceConfig:
    p = layer.data_param
    return DataConfig(
        source=p.source,
        batch_size=p.batch_size,
        backend=p.backend,
        rand_skip=p.rand_skip,
        prefetch=p.prefetch,
    )


def _image_data(layer: Message) -> SourceConfig:
    p = layer.image_data_param
    return ImageDataConfig(
        source=p.source,
        batch_size=p.batch_size,
        rand_skip=p.rand_skip,
        shuffle=p.shuffle,
        new_height=p.new_height,
        new_width=p.new_width,
        is_color=p.is_color,
        root_folder=p.root_folder,
        prefetch=layer.data_param.prefetch,
    )


def _hdf5_data(layer: Message) -> SourceConfig:
    p = layer.hdf5_data_param
    return HDF5DataConfig(source=p.source, batch_size=p.batch_size, shuffle=p.shuffle)


def _memory_data(layer: Message) -> SourceConfig:
    p = layer.memory_data_param
    return MemoryDataConfig(
        batch_size=p.batch_size, channels=p.channels, height=p.height, width=p.width
    )


def _window_data(layer: Message) -> SourceConfig:
    p = layer.window_data_param
    return WindowDataConfig(
        source=p.source,
        scale=p.scale,
        batch_size=p.batch_size,
        fg_threshold=p.fg_threshold,
        bg_threshold=p.bg_threshold,
        fg_fraction=p.fg_fraction,
        context_pad=p.context_pad,
        crop_mode=p.crop_mode,
        cache_images=p.cache_images,
        root_folder=p.root_folder,
        prefetch=layer.data_param.prefetch,
    )


def _dummy_data(layer: Message) -> SourceConfig:
    p = layer.dummy_data_param
    return DummyDataConfig(
        shapes=tuple(tuple(s.dim) for s in p.shape),
        num=tuple(p.num),
        channels=tuple(p.channels),
        height=tuple(p.height),
        width=tuple(p.width),
        fillers=tuple(_dummy_filler(filler_spec(f)) for f in p.data_filler),
    )


def _dummy_filler(spec: FillerSpec) -> DummyFiller:
    def values(shape: tuple[int, ...], seed: int) -> np.ndarray:
        return fill(spec, shape, np.random.Generator(np.random.Philox(seed)))

    return DummyFiller(fill=values, constant=spec.kind == "constant")


_MAKERS: dict[str, Callable[[Message], SourceConfig]] = {
    "Data": _data,
    "ImageData": _image_data,
    "HDF5Data": _hdf5_data,
    "MemoryData": _memory_data,
    "WindowData": _window_data,
    "DummyData": _dummy_data,
}
