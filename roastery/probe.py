"""Answers lowering's questions about data and host layers, with what the runtime knows."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

from frontends.caffemodel import read_blob
from frontends.lowering.probe import DataProbe, HostLayerProbe
from frontends.lowering.registry import find_layer
from frontends.prototxt.message import Message
from runtime.data.config import Phase, SourceConfig
from runtime.data.source import probe_shapes
from runtime.hdf5_output_layer import HDF5OutputLayer
from runtime.python_layer import PythonLayer

from .data_config import source_config


class RuntimeProbe:
    """Implements :class:`frontends.lowering.probe.Probe`.

    ``allow_python``: see :mod:`roastery.python_permission`.
    """

    def __init__(self, *, allow_python: bool = False) -> None:
        self._allow_python = allow_python
        self._host_layers: dict[str, HostLayerProbe] = {}
        self._data: dict[str, DataProbe] = {}

    def data(self, layer: Message, phase: str, key: str) -> DataProbe:
        # Once only: a net lowered for another shape holds its database open (LevelDB: locked).
        if key not in self._data:
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
            self._host_layers[key] = (
                PythonLayer(layer, phase, bottoms, _offer_caffe, self._allow_python)
                if find_layer(layer.type, layer.location).user_code
                else HDF5OutputLayer(layer)
            )
        return self._host_layers[key]

    def python_layer(self, key: str) -> Any:
        """The user's object behind a Python layer; None for any other layer."""
        return getattr(self._host_layers.get(key), "instance", None)

    def blob_file(self, path: str, layer: Message, shape: tuple[int, ...]) -> Any:
        return read_blob(path)


def _offer_caffe() -> None:
    """Modules of Python layers begin with ``import caffe``: it means Roastery here."""
    importlib.import_module("roastery.caffe.alias").offer()
