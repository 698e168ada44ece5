"""A net run layer by layer: every named blob keeps its data and diff between calls.

The plan of ``roastery.caffe``, debug_info and layer callbacks. Semantics of diffs follow Caffe
(src/caffe/net.cpp): backward adds to parameter diffs and overwrites blob diffs; a loss top's diff
holds its loss weight.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from compiler.options import CompileOptions
from ir.graph import Graph, Value
from ir.program import RANDOM_STATE, NetProgram

from ..backends.backend import Backend, prepare
from ..data.source import DataSource
from ..machine.blas_threads import ONE_BLAS_THREAD
from ..memory.buffers import Buffer
from ..memory.store import Store
from .blobs import BlobBuffers, Changes
from .layer import RunningLayer
from .memory import NetMemory
from .shapes import GraphsByShape, LowerLayer


class LayerwiseNet:
    """Executes a :class:`NetProgram` one layer at a time.

    A layer's graphs are made and bound when it first runs, and again when its bottoms have other
    shapes by then: of a net input, of what the user reshaped, of what came out of the layers
    before. A layer that does not run is not looked at. An error of a layer leaves those before it
    at their new shapes, and the net usable.

    Args:
        feeds: by the layers' keys, for layers whose tops the runtime makes.
        lower_again: lowers a layer for other shapes; None: they are fixed.
        options: of whatever this net compiles.

    Attributes:
        program: the net as it was lowered first.
        blobs: in the order of the layers that make them; each object stays for the net's life.
        layers: in file order. by_shape: their graphs.
    """

    def __init__(
        self,
        program: NetProgram,
        backend: Backend,
        store: Store,
        feeds: Mapping[str, DataSource] | None = None,
        lower_again: LowerLayer | None = None,
        *,
        options: CompileOptions,
    ) -> None:
        self.program = program
        self.store = store
        self.feeds: Mapping[str, DataSource] = feeds or {}
        self.before_forward: list[Callable[[int], None]] = []
        self.after_forward: list[Callable[[int], None]] = []
        self.before_backward: list[Callable[[int], None]] = []
        self.after_backward: list[Callable[[int], None]] = []
        store.extend(program.variables.values())
        changes = Changes()
        self.blobs: dict[str, BlobBuffers] = {}
        for name, first in _first_versions(program):
            self.blobs[name] = BlobBuffers(Buffer(first.type), Buffer(first.type), changes)
        self._memory = NetMemory(backend, options, store, self.blobs, changes)
        self.by_shape = GraphsByShape(program, lower_again)
        self.layers = [
            RunningLayer(program, number, self._memory, self.by_shape, self.feeds.get(layer.key))
            for number, layer in enumerate(program.layers)
        ]
        self._random = store.data[RANDOM_STATE] if RANDOM_STATE in program.variables else None
        self._first_pass = True
        self._prepared = False  # whether the backend was shown all graphs

    @property
    def backend(self) -> Backend:
        return self._memory.backend

    @backend.setter
    def backend(self, backend: Backend) -> None:
        self._memory.backend = backend

    @property
    def options(self) -> CompileOptions:
        return self._memory.options

    def graphs(self) -> Iterator[Graph]:
        """The forward and backward graphs of the layers that run on the backend."""
        for layer in self.layers:
            graphs = layer.graphs
            if graphs.forward.nodes and not layer.shares:
                yield graphs.forward
            if graphs.backward is not None:
                yield graphs.backward

    def _prepare(self) -> None:
        if not self._prepared:
            self._prepared = True
            prepare(self.backend, self.graphs(), self.options)

    def rebind(self) -> None:
        """Let go of graphs that are bound to buffers which were replaced."""
        self._memory.changes.count += 1

    def reshape(self) -> None:
        """Carry the shapes of the inputs through the whole net. Caffe: Net::Reshape.

        Raises RoasteryError where a layer cannot take them; those before it have theirs by then.
        """
        for layer in self.layers:
            layer.reshape()

    # --- running ----------------------------------------------------------------------

    @ONE_BLAS_THREAD
    def forward(self, start: int = 0, end: int | None = None) -> float:
        """Run layers ``start`` to ``end`` (included); returns the weighted loss of these layers."""
        self._prepare()
        stop = len(self.layers) if end is None else end + 1
        if self._random is not None and start == 0:
            # Backward must see the number its forward saw, so the count moves before a pass.
            if not self._first_pass:
                self._random.array[1] += 1
            self._first_pass = False
        loss = 0.0
        for number in range(start, stop):
            for call in self.before_forward:
                call(number)
            loss += self.layers[number].forward()
            for call in self.after_forward:
                call(number)
        return loss

    @ONE_BLAS_THREAD
    def backward(self, start: int | None = None, end: int = 0) -> None:
        """Run backward from layer ``start`` (the last) down to ``end`` (included)."""
        self._prepare()
        first = len(self.layers) - 1 if start is None else start
        for number in range(first, end - 1, -1):
            for call in self.before_backward:
                call(number)
            if self.layers[number].info.needs_backward:
                self.layers[number].backward()
            for call in self.after_backward:
                call(number)

    def forward_loss(self) -> float:
        return self.forward()

    def forward_backward(self) -> float:
        loss = self.forward()
        self.backward()
        return loss

    def training_pass(self) -> Callable[[], float]:
        """As :meth:`forward_backward`, for the solver; the loss is there already."""
        loss = self.forward_backward()
        return lambda: loss

    def random_state(self) -> list[int]:
        """Seed and number of the next forward pass; empty for a net without random layers."""
        if self._random is None:
            return []
        seed, count = (int(v) for v in self._random.peek())
        return [seed, count if self._first_pass else count + 1]

    def restore_random(self, state: Sequence[int]) -> None:
        """Let the next forward pass draw what it would have drawn at :meth:`random_state`."""
        if self._random is not None and len(state) == 2:
            self._random.array[:] = state
            self._first_pass = True

    def output(self, blob: str) -> np.ndarray:
        return self.blobs[blob].data.array


def _first_versions(program: NetProgram) -> Iterator[tuple[str, Value]]:
    """Every blob with its first version, in the order of the layers."""
    seen: set[str] = set()
    for layer in program.layers:
        for name, value in zip(layer.tops, layer.top_values, strict=True):
            if name not in seen:
                seen.add(name)
                yield name, value
