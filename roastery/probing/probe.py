"""Answers lowering's questions about data and host layers, with what the runtime knows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from frontends.caffemodel import read_blob
from frontends.lowering.foreign import refuse_foreign
from frontends.lowering.known_layers import find_layer
from frontends.lowering.probe import DataProbe, HostLayerProbe, OwnModule
from frontends.prototxt.message import Message
from runtime.data.config import Phase, SourceConfig
from runtime.data.hdf5_output_layer import HDF5OutputLayer
from runtime.data.opening import probe_shapes
from runtime.python.layer import PythonLayer, PythonLayerConfig
from runtime.python.modules import importable, why_unreadable

from ..reading.image_sizes import read_image_sizes
from ..startup import caffe_alias
from .data_config import source_config

Deployed = Callable[[Message, Sequence[tuple[int, ...]]], HostLayerProbe]
"""Makes what runs a net in another file, of a layer and the shapes of its bottoms."""


class RuntimeProbe:
    """Implements :class:`frontends.lowering.probe.Probe`.

    ``allow_python``: see :mod:`runtime.python.permission`.
    """

    def __init__(self, *, allow_python: bool = False, deployed: Deployed | None = None) -> None:
        self._allow_python = allow_python
        self._deployed = deployed
        self._host_layers: dict[str, HostLayerProbe] = {}
        self._data: dict[str, DataProbe] = {}

    def data(self, layer: Message, phase: str, key: str) -> DataProbe:
        # Once only: a net lowered for another shape holds its database open (LevelDB: locked).
        if key not in self._data:
            refuse_foreign(find_layer(layer.type, layer.location), layer)
            config = replace(source_config(layer), key=key)
            self._data[key] = self.probed(config, phase)
        return self._data[key]

    def probed(self, config: SourceConfig, phase: str) -> DataProbe:
        """Open what a data layer reads, as ``config`` describes it, and close it again."""
        return DataProbe(tuple(probe_shapes(config, cast(Phase, phase))), config)

    def host_layer(
        self, layer: Message, phase: str, bottoms: Sequence[tuple[int, ...]], key: str
    ) -> HostLayerProbe:
        if key not in self._host_layers:
            self._host_layers[key] = self._made(layer, phase, bottoms)
        return self._host_layers[key]

    def _made(
        self, layer: Message, phase: str, bottoms: Sequence[tuple[int, ...]]
    ) -> HostLayerProbe:
        kind = find_layer(layer.type, layer.location)
        if kind.user_code:
            config = _python(layer)
            return PythonLayer(config, phase, bottoms, caffe_alias.offer, self._allow_python)
        if kind.deployed and self._deployed is not None:
            return self._deployed(layer, bottoms)
        return _file_output(layer)

    def stand_in(
        self, layer: Message, tops: Sequence[tuple[int, ...]], key: str
    ) -> HostLayerProbe | None:
        return None

    def own_module(self, layer: Message) -> OwnModule | None:
        config = _python(layer)
        file = importable(config.module, config.module_place, self._allow_python)
        return None if file is None else OwnModule(file, why_unreadable(file))

    def python_layer(self, key: str) -> Any:
        """The user's object behind a Python layer; None for any other layer."""
        return getattr(self._host_layers.get(key), "instance", None)

    def blob_file(self, path: str, layer: Message, shape: tuple[int, ...]) -> Any:
        return read_blob(path)

    def image_sizes(self, path: str, layer: Message) -> np.ndarray:
        return read_image_sizes(path, replace(layer.location, layer=layer.name))


def _file_output(layer: Message) -> HDF5OutputLayer:
    param = layer.hdf5_output_param
    place = replace(param.location_of("file_name"), layer=layer.name)
    return HDF5OutputLayer(Path(param.file_name), place)


def _python(layer: Message) -> PythonLayerConfig:
    param = layer.python_param
    pairs = enumerate(zip(layer.bottom, layer.top, strict=False))
    return PythonLayerConfig(
        module=param.module,
        name=param.layer,
        param_str=param.param_str,
        tops=len(layer.top),
        in_place=tuple(i for i, (bottom, top) in pairs if bottom == top),
        place=replace(layer.location, layer=layer.name),
        module_place=replace(param.location_of("module"), layer=layer.name),
        name_place=replace(param.location_of("layer"), layer=layer.name),
        message=layer,
    )
