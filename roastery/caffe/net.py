"""``caffe.Net``: a net run layer by layer, with all its blobs in reach."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from frontends.prototxt import Message
from ir.errors import RoasteryError
from ir.program import NetProgram
from runtime.data.config import Phase
from runtime.data.source import DataSource, open_source
from runtime.layerwise import LayerwiseNet
from runtime.store import Store

from .. import nets, weights
from ..devices import open_backend
from ..probe import RuntimeProbe
from . import modes
from .blob import Blob


class Net:
    """pycaffe's Net. Caffe: python/caffe/pycaffe.py, python/caffe/_caffe.cpp.

    Args:
        network_file: a prototxt, or a NetParameter message.
        phase: ``caffe.TRAIN`` or ``caffe.TEST``.
        weights: a .caffemodel or .caffemodel.h5 file.
    """

    def __init__(
        self,
        network_file: str | os.PathLike[str] | Message,
        phase: Any = None,
        *legacy: Any,
        level: int = 0,
        stages: Sequence[str] | None = None,
        weights: str | os.PathLike[str] | None = None,
        device: str | None = None,
        share: Store | None = None,
    ) -> None:
        if legacy:  # the old form: Net(prototxt, weights, phase)
            weights, phase = phase, legacy[0]
        if phase not in modes.PHASES:
            raise RoasteryError(f"phase is {phase!r}", hint="caffe.TRAIN or caffe.TEST")
        self._message = nets.read_net(network_file)
        self._phase = modes.PHASES[phase]
        self._level, self._stages = level, tuple(stages or ())
        self._probe = RuntimeProbe()
        self._backend = open_backend(device or modes.device())
        self._feeds: dict[str, DataSource] = {}
        program = self._lower({})
        seed = share.seed if share is not None else modes.next_seed()
        self._store = share if share is not None else Store(program.cells, seed)
        self._open_feeds(program)
        self._net = LayerwiseNet(program, self._backend, self._store, self._feeds)
        self._make_views()
        if weights is not None:
            self.copy_from(weights)

    def _lower(self, shapes: Mapping[str, Sequence[int]]) -> NetProgram:
        return nets.lower(
            self._message,
            self._phase,
            level=self._level,
            stages=self._stages,
            shapes=shapes,
            probe=self._probe,
        )

    def _open_feeds(self, program: NetProgram) -> None:
        for layer in program.layers:
            if layer.source is not None and layer.name not in self._feeds:
                phase: Phase = "TRAIN" if self._phase == "TRAIN" else "TEST"
                self._feeds[layer.name] = open_source(layer.source, phase, self._store.seed)

    def _make_views(self) -> None:
        program = self._net.program
        self.blobs: OrderedDict[str, Blob] = OrderedDict(
            (name, Blob(b.data, b.diff)) for name, b in self._net.blobs.items()
        )
        self.params: OrderedDict[str, list[Blob]] = OrderedDict(
            (layer.name, [Blob(self._store.data[c], self._store.diff[c]) for c in layer.cells])
            for layer in program.layers
            if layer.cells
        )
        self.inputs = list(program.inputs)
        self.outputs = list(program.outputs)

    # --- running ----------------------------------------------------------------------

    def forward(
        self,
        blobs: Sequence[str] | None = None,
        start: str | None = None,
        end: str | None = None,
        **kwargs: np.ndarray,
    ) -> dict[str, np.ndarray]:
        """Run the layers from ``start`` to ``end``; inputs by name set the input blobs first.

        Returns the net's outputs (or the tops of ``end``), and ``blobs``, as views.
        """
        if kwargs:
            if set(kwargs) != set(self.inputs):
                raise ValueError(
                    f"the net's inputs are {sorted(self.inputs)}; given {sorted(kwargs)}"
                )
            for name, array in kwargs.items():
                if array.shape[0] != self.blobs[name].shape[0]:
                    raise ValueError(
                        f"input '{name}' has batch size {array.shape[0]}, the net "
                        f"{self.blobs[name].shape[0]}: reshape the blob first"
                    )
                self.blobs[name].data[...] = array
        self._follow_shapes()
        names = self._layer_names
        first = names.index(start) if start is not None else 0
        last = names.index(end) if end is not None else len(names) - 1
        self._net.forward(first, last)
        outputs = (
            list(self._net.program.layers[last].tops) if end is not None else list(self.outputs)
        )
        return {name: self.blobs[name].data for name in [*outputs, *(blobs or ())]}

    def backward(
        self,
        diffs: Sequence[str] | None = None,
        start: str | None = None,
        end: str | None = None,
        **kwargs: np.ndarray,
    ) -> dict[str, np.ndarray]:
        """Run backward from ``start`` down to ``end``; diffs of outputs by name are set first."""
        for name, array in kwargs.items():
            self.blobs[name].diff[...] = array
        names = self._layer_names
        first = names.index(start) if start is not None else len(names) - 1
        last = names.index(end) if end is not None else 0
        self._net.backward(first, last)
        wanted = (
            list(self._net.program.layers[last].bottoms) if end is not None else list(self.inputs)
        )
        return {name: self.blobs[name].diff for name in [*wanted, *(diffs or ())]}

    @property
    def _layer_names(self) -> list[str]:
        return [layer.name for layer in self._net.program.layers]

    def reshape(self) -> None:
        """Carry new shapes of the inputs through the net."""
        self._follow_shapes()

    def _follow_shapes(self) -> None:
        current = {name: self.blobs[name].shape for name in self.inputs}
        old = self._net.blobs
        if all(old[name].data.type.shape == shape for name, shape in current.items()):
            return
        program = self._lower(current)
        for name in current:
            data, diff = self.blobs[name].buffers
            old[name].data, old[name].diff = data, diff
        self._net = LayerwiseNet(program, self._backend, self._store, self._feeds, reuse=old)
        for name, b in self._net.blobs.items():
            self.blobs[name].attach(b.data, b.diff)

    # --- weights ----------------------------------------------------------------------

    def copy_from(self, path: str | os.PathLike[str]) -> None:
        """Copy weights of layers with the same names from a file."""
        weights.load_weights(path, self._net.program, self._store)

    def clear_param_diffs(self) -> None:
        self._store.clear_diffs()
