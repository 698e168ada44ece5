"""A net run layer by layer: every named blob keeps its data and diff between calls.

The plan of ``roastery.caffe``, debug_info and layer callbacks. Semantics of diffs follow Caffe
(src/caffe/net.cpp): backward adds to parameter diffs and overwrites blob diffs; a loss top's diff
holds its loss weight.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from compiler.layerwise import LayerGraphs, diff_port, layer_graphs
from ir.graph import Graph, Role, Value
from ir.program import RANDOM_CELL, LayerInfo, NetProgram
from ir.types import TensorType

from .backend import Backend, BoundGraph, port_key
from .buffers import Buffer
from .data.source import DataSource
from .store import Store


@dataclass
class BlobBuffers:
    """Data and diff of one named blob."""

    data: Buffer
    diff: Buffer


@dataclass
class BoundLayer:
    info: LayerInfo
    forward: BoundGraph | None
    backward: BoundGraph | None
    feed: DataSource | None = None
    saved: dict[str, Buffer] = field(default_factory=dict)


class LayerwiseNet:
    """Executes a :class:`NetProgram` one layer at a time.

    Args:
        feeds: by layer name, for layers whose tops the runtime makes.
        reuse: buffers of a net that this one replaces; equal shapes keep their memory.
    """

    def __init__(
        self,
        program: NetProgram,
        backend: Backend,
        store: Store,
        feeds: Mapping[str, DataSource] | None = None,
        reuse: Mapping[str, BlobBuffers] | None = None,
    ) -> None:
        self.program = program
        self.backend = backend
        self.store = store
        self.blobs: dict[str, BlobBuffers] = {}
        self.before_forward: list[Callable[[int], None]] = []
        self.after_forward: list[Callable[[int], None]] = []
        self.before_backward: list[Callable[[int], None]] = []
        self.after_backward: list[Callable[[int], None]] = []
        store.extend(program.cells.values())
        self._make_blobs(reuse or {})
        self.feeds: Mapping[str, DataSource] = feeds or {}
        self.layers = [
            self._bind(graphs, self.feeds.get(graphs.layer.name))
            for graphs in layer_graphs(program)
        ]
        uses_random = RANDOM_CELL in program.cells
        self._random = store.data[RANDOM_CELL] if uses_random else None
        self._first_pass = True

    def _make_blobs(self, reuse: Mapping[str, BlobBuffers]) -> None:
        for layer in self.program.layers:
            for i, (name, value) in enumerate(zip(layer.tops, layer.top_values, strict=True)):
                if name in self.blobs:
                    continue  # a further version, written in place
                old = reuse.get(name)
                if old is not None and old.data.type == value.type:
                    self.blobs[name] = old
                    continue
                if layer.type == "Split":
                    data = self.blobs[layer.bottoms[0]].data.view(value.type)
                else:
                    data = Buffer(value.type)
                self.blobs[name] = BlobBuffers(data, Buffer(value.type))
                weight = layer.loss_weights[i]
                if weight:
                    self.blobs[name].diff.array[...] = weight

    def _bind(self, graphs: LayerGraphs, feed: DataSource | None) -> BoundLayer:
        layer = graphs.layer
        saved = {
            p.name: Buffer(p.value.type) for p in graphs.forward.outputs if p.role is Role.SAVED
        }
        bound = BoundLayer(layer, None, None, feed, saved)
        if graphs.forward.nodes and layer.type != "Split":
            bound.forward = self._bind_graph(graphs.forward, saved)
        if graphs.backward is not None:
            bound.backward = self._bind_graph(graphs.backward, saved)
        return bound

    def _bind_graph(self, graph: Graph, saved: Mapping[str, Buffer]) -> BoundGraph:
        inputs = {
            port_key(p.role, p.name): self._buffer(p.role, p.name, p.value, saved)
            for p in graph.inputs
        }
        outputs = {
            port_key(p.role, p.name): self._buffer(p.role, p.name, p.value, saved)
            for p in graph.outputs
        }
        return self.backend.bind(graph, inputs, outputs)

    def _buffer(self, role: Role, name: str, value: Value, saved: Mapping[str, Buffer]) -> Buffer:
        if role is Role.SAVED:
            return saved[name]
        if role in (Role.PARAMETER, Role.STATE):
            return self.store.data[name]
        if role is Role.GRADIENT:
            return self.store.diff[name]
        if name.startswith(diff_port("")):
            return self.blobs[name.removeprefix(diff_port(""))].diff
        return self.blobs[name].data

    def forward(self, start: int = 0, end: int | None = None) -> float:
        """Run layers ``start`` to ``end`` (included); returns the weighted loss of these layers."""
        stop = len(self.layers) if end is None else end + 1
        if self._random is not None and start == 0:
            # Backward must see the number its forward saw, so the count moves before a pass.
            if not self._first_pass:
                self._random.array[1] += 1
            self._first_pass = False
        loss = 0.0
        for number in range(start, stop):
            layer = self.layers[number]
            for call in self.before_forward:
                call(number)
            if layer.feed is not None:
                for name, array in zip(layer.info.tops, layer.feed.next().arrays, strict=True):
                    self.blobs[name].data.array[...] = array
            if layer.forward is not None:
                layer.forward.run()
            for name, weight in zip(layer.info.tops, layer.info.loss_weights, strict=True):
                if weight:
                    loss += weight * float(np.sum(self.blobs[name].data.peek()))
            for call in self.after_forward:
                call(number)
        return loss

    def backward(self, start: int | None = None, end: int = 0) -> None:
        """Run backward from layer ``start`` (the last) down to ``end`` (included)."""
        first = len(self.layers) - 1 if start is None else start
        for number in range(first, end - 1, -1):
            layer = self.layers[number]
            for call in self.before_backward:
                call(number)
            if layer.backward is not None:
                layer.backward.run()
            for call in self.after_backward:
                call(number)

    def forward_loss(self) -> float:
        return self.forward()

    def forward_backward(self) -> float:
        loss = self.forward()
        self.backward()
        return loss

    def random_state(self) -> list[int]:
        """Seed and number of the next forward pass; empty for a net without random layers."""
        if self._random is None:
            return []
        seed, count = (int(v) for v in self._random.array)
        return [seed, count if self._first_pass else count + 1]

    def restore_random(self, state: Sequence[int]) -> None:
        """Let the next forward pass draw what it would have drawn at :meth:`random_state`."""
        if self._random is not None and len(state) == 2:
            self._random.array[:] = state
            self._first_pass = True

    def output(self, blob: str) -> np.ndarray:
        return self.blobs[blob].data.array

    def shapes(self) -> dict[str, TensorType]:
        return {name: b.data.type for name, b in self.blobs.items()}
