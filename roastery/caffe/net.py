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
from runtime.layerwise import BlobBuffers, LayerwiseNet

from .. import nets
from ..building import BuiltNet, NetBuilder, shared_buffers
from ..devices import open_backend
from ..weights import load_weights, save_weights
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
    ) -> None:
        if legacy:  # the old form: Net(prototxt, weights, phase)
            weights, phase = phase, legacy[0]
        if phase not in modes.PHASES:
            raise RoasteryError(f"phase is {phase!r}", hint="caffe.TRAIN or caffe.TEST")
        message = nets.read_net(network_file)
        state = nets.flag_state(modes.PHASES[phase], level, tuple(stages or ()))
        builder = NetBuilder(open_backend(device or modes.device()), modes.net_log(), "layerwise")
        self._take(builder.build(message, state, modes.next_seed()))
        if weights is not None:
            self.copy_from(weights)

    @classmethod
    def of(cls, built: BuiltNet) -> Net:
        """A net that exists already: a solver's, which must be layerwise."""
        net = cls.__new__(cls)
        net._take(built)
        return net

    def _take(self, built: BuiltNet) -> None:
        if not isinstance(built.net, LayerwiseNet):
            raise TypeError("pycaffe's nets are layerwise")
        self._built = built
        self._net = built.net
        self._store = built.store
        self._make_views()

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

    @property
    def runnable(self) -> LayerwiseNet:
        """The net that runs, for the shapes as they are now."""
        self._follow_shapes()
        return self._net

    def reshape(self) -> None:
        """Carry new shapes of the inputs through the net."""
        self._follow_shapes()

    def _follow_shapes(self) -> None:
        current = {name: self.blobs[name].shape for name in self.inputs}
        old = self._net.blobs
        if all(old[name].data.type.shape == shape for name, shape in current.items()):
            return
        program = self._built.lower(current)
        for name in current:
            data, diff = self.blobs[name].buffers
            old[name].data, old[name].diff = data, diff
        self._rebind(program, old)
        for name, b in self._net.blobs.items():
            self.blobs[name].attach(b.data, b.diff)

    def _rebind(self, program: NetProgram, reuse: Mapping[str, BlobBuffers]) -> None:
        before = self._net
        self._net = LayerwiseNet(program, before.backend, self._store, before.feeds, reuse)
        self._net.restore_random(before.random_state())
        for name in ("before_forward", "after_forward", "before_backward", "after_backward"):
            setattr(self._net, name, getattr(before, name))
        self._built.net, self._built.program = self._net, program

    # --- weights ----------------------------------------------------------------------

    def copy_from(self, path: str | os.PathLike[str]) -> None:
        """Copy weights of layers with the same names from a file."""
        load_weights(path, self._net.program, self._store)

    def share_with(self, other: Net) -> None:
        """Use the parameters of another net, layer by layer by name."""
        shared, _ = shared_buffers(self._net.program, other._built)
        for name, buffer in shared.items():
            self._store.data[name] = buffer
        self._rebind(self._net.program, self._net.blobs)
        self._make_views()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a .caffemodel."""
        save_weights(path, self._built.message, self._net.program, self._store)

    def save_hdf5(self, path: str | os.PathLike[str]) -> None:
        """Write a .caffemodel.h5."""
        save_weights(path, self._built.message, self._net.program, self._store, "HDF5")

    def load_hdf5(self, path: str | os.PathLike[str]) -> None:
        """Read a .caffemodel.h5."""
        self.copy_from(path)

    def clear_param_diffs(self) -> None:
        self._store.clear_diffs()
