"""A net run layer by layer: every named blob keeps its data and diff between calls.

The plan of ``roastery.caffe``, debug_info and layer callbacks. Semantics of diffs follow Caffe
(src/caffe/net.cpp): backward adds to parameter diffs and overwrites blob diffs; a loss top's diff
holds its loss weight.
"""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from compiler.layerwise import LayerGraphs, LayerGraphTable
from compiler.passes.autodiff import diff_port
from ir.errors import RoasteryError
from ir.graph import Graph, Role, Value
from ir.ops.dynamic import SizeChanged
from ir.program import RANDOM_CELL, LayerInfo, NetProgram
from ir.types import TensorType

from .backend import Backend, BoundGraph, port_key, prepare
from .buffers import Buffer
from .data.source import DataSource
from .store import Store

Shape = tuple[int, ...]
Relower = Callable[[Mapping[str, Shape]], NetProgram]

_KEPT_PROGRAMS = 8


@dataclass
class Changes:
    """How often blobs of a net were given another shape."""

    count: int = 0


@dataclass
class BlobBuffers:
    """Data and diff of one named blob. The object stays; its buffers change with its shape."""

    data: Buffer
    diff: Buffer
    changes: Changes = field(default_factory=Changes)

    def resize(self, shape: Shape) -> None:
        """Take another shape: in the same memory where it is large enough, else in new, zeroed.

        Caffe: Blob::Reshape.
        """
        type = TensorType(shape, self.data.type.dtype)
        if type == self.data.type:
            return
        self.changes.count += 1
        fits = type.size <= min(self.data.capacity, self.diff.capacity)
        self.data = self.data.view(type) if fits else Buffer(type)
        self.diff = self.diff.view(type) if fits else Buffer(type)


@dataclass
class _BoundLayer:
    """A layer's graphs with the buffers they are bound to; backward is bound when it first runs."""

    graphs: LayerGraphs
    forward: BoundGraph | None = None
    backward: BoundGraph | None = None
    uses: list[tuple[Role, str, Buffer]] = field(default_factory=list)


@dataclass
class _Feed:
    """A data layer's source, and what it gave last (not held: its memory may be used again)."""

    source: DataSource
    given: dict[str, tuple[weakref.ref[np.ndarray], Buffer]] = field(default_factory=dict)

    def fill(self, top: str, buffer: Buffer, array: np.ndarray) -> None:
        """Copy an array that is new. DummyData's constant tops are filled once, so that what a
        user wrote there stays, as in Caffe."""
        if top in self.given:
            before, filled = self.given[top]
            if filled is buffer and before() is array:
                return
        buffer.fill(array)
        self.given[top] = weakref.ref(array), buffer


class LayerwiseNet:
    """Executes a :class:`NetProgram` one layer at a time.

    Graphs are made and bound when a layer first runs. A blob that was given another shape (a net
    input; a batch of another size; a result whose size depends on data) is followed through the
    net by the next pass: layers whose shapes stay keep what they are bound to.

    Args:
        feeds: by the layers' keys, for layers whose tops the runtime makes.
        relower: makes the program for other sizes; None: they are fixed.

    Attributes:
        blobs: in the order of the layers that make them; each object stays for the net's life.
    """

    def __init__(
        self,
        program: NetProgram,
        backend: Backend,
        store: Store,
        feeds: Mapping[str, DataSource] | None = None,
        relower: Relower | None = None,
    ) -> None:
        self.backend = backend
        self.store = store
        self.feeds: Mapping[str, DataSource] = feeds or {}
        self.blobs: dict[str, BlobBuffers] = {}
        self.before_forward: list[Callable[[int], None]] = []
        self.after_forward: list[Callable[[int], None]] = []
        self.before_backward: list[Callable[[int], None]] = []
        self.after_backward: list[Callable[[int], None]] = []
        self._relower = relower
        self._changes = Changes()
        self._followed = 0  # as many changes have been carried through the net
        self._sources = {name: _Feed(source) for name, source in self.feeds.items()}
        self._fed: dict[str, Shape] = {}  # of data layers' tops, where they left the first shape
        self._found: dict[str, Shape] = {}  # that depend on data
        self._programs: OrderedDict[tuple[tuple[str, Shape], ...], NetProgram] = OrderedDict()
        self._bound: list[_BoundLayer | None] = [None] * len(program.layers)
        self._saved: list[dict[str, Buffer]] = [{} for _ in program.layers]
        self._take(program)
        self._programs[self._sizes()] = program
        self._first_pass = True
        self._prepared = False  # whether the backend was shown all graphs

    # --- shapes -----------------------------------------------------------------------

    def _take(self, program: NetProgram) -> None:
        """Run ``program`` from now on: the same layers at other shapes."""
        self.store.extend(program.cells.values())
        self.program = program
        self._graphs = LayerGraphTable(program)
        self._random = self.store.data[RANDOM_CELL] if RANDOM_CELL in program.cells else None
        seen: set[str] = set()
        for layer in program.layers:
            for i, (name, value) in enumerate(zip(layer.tops, layer.top_values, strict=True)):
                if name not in seen:  # else a further version, written in place
                    seen.add(name)
                    self._fit(layer, i, name, value.type)
        self.rebind()
        self._followed = self._changes.count

    def _fit(self, layer: LayerInfo, index: int, name: str, type: TensorType) -> None:
        blob = self.blobs.get(name)
        if blob is None:
            blob = BlobBuffers(Buffer(type), Buffer(type), self._changes)
            self.blobs[name] = blob
        elif blob.data.type != type:
            blob.resize(type.shape)
        elif layer.type != "Split":
            return
        if layer.type == "Split":
            source = self.blobs[layer.bottoms[0]].data
            if blob.data.memory is not source.memory or blob.data.type != type:
                blob.data = source.view(type)
        weight = layer.loss_weights[index]
        if weight:
            blob.diff.array[...] = weight

    def rebind(self) -> None:
        """Let go of graphs that are bound to buffers which were replaced."""
        for number, bound in enumerate(self._bound):
            if bound is None:
                continue
            if any(self._buffer(role, name) is not buffer for role, name, buffer in bound.uses):
                self._bound[number] = None

    def follow_shapes(self) -> None:
        """Carry new shapes of inputs through the net. Caffe: Net::Reshape.

        Raises RoasteryError, and leaves the net as it was, where a layer cannot take the shape.
        """
        if self._changes.count == self._followed:
            return
        program = self.program
        shapes = {name: self.blobs[name].data.type.shape for name in program.inputs}
        current = {name: program.blobs[name][0].type.shape for name in program.inputs}
        if shapes != current:
            self._found.clear()
            program = self._program_for(shapes)
        self._take(program)  # an inner blob's shape is for its layer to say

    def _sizes(self) -> tuple[tuple[str, Shape], ...]:
        inputs = {name: self.blobs[name].data.type.shape for name in self.program.inputs}
        return tuple(sorted({**inputs, **self._fed, **self._found}.items()))

    def _program_for(self, change: Mapping[str, Shape]) -> NetProgram:
        key = self._sizes()
        found = self._programs.get(key)
        if found is None:
            if self._relower is None:
                raise RoasteryError(f"this net has fixed shapes; given {dict(change)}")
            found = self._programs[key] = self._relower(dict(key))
        self._programs.move_to_end(key)
        while len(self._programs) > _KEPT_PROGRAMS:
            self._programs.popitem(last=False)
        return found

    # --- binding ----------------------------------------------------------------------

    def graphs(self) -> Iterator[Graph]:
        """The forward and backward graphs of the layers that run on the backend."""
        for number in range(len(self.program.layers)):
            graphs = self._graphs[number]
            if graphs.forward.nodes and graphs.layer.type != "Split":
                yield graphs.forward
            if graphs.backward is not None:
                yield graphs.backward

    def _layer(self, number: int) -> _BoundLayer:
        bound = self._bound[number]
        if bound is None:
            bound = self._bound[number] = self._bind(number)
        return bound

    def _bind(self, number: int) -> _BoundLayer:
        if not self._prepared:
            self._prepared = True
            prepare(self.backend, self.graphs())
        graphs = self._graphs[number]
        old, saved = self._saved[number], {}
        for port in graphs.forward.outputs:
            if port.role is Role.SAVED:
                kept = old.get(port.name)
                same = kept is not None and kept.type == port.value.type
                saved[port.name] = kept if kept is not None and same else Buffer(port.value.type)
        self._saved[number] = saved
        bound = _BoundLayer(graphs)
        if graphs.forward.nodes and graphs.layer.type != "Split":
            bound.forward = self._bind_graph(graphs.forward, saved, bound.uses)
        return bound

    def _bind_graph(
        self, graph: Graph, saved: Mapping[str, Buffer], uses: list[tuple[Role, str, Buffer]]
    ) -> BoundGraph:
        def buffer(role: Role, name: str, value: Value) -> Buffer:
            if role is Role.SAVED:
                return saved[name]
            found = self._buffer(role, name)
            uses.append((role, name, found))
            return found

        inputs = {port_key(p.role, p.name): buffer(p.role, p.name, p.value) for p in graph.inputs}
        outputs = {port_key(p.role, p.name): buffer(p.role, p.name, p.value) for p in graph.outputs}
        return self.backend.bind(graph, inputs, outputs)

    def _buffer(self, role: Role, name: str) -> Buffer:
        if role in (Role.PARAMETER, Role.STATE):
            return self.store.data[name]
        if role is Role.GRADIENT:
            return self.store.diff[name]
        if name.startswith(diff_port("")):
            return self.blobs[name.removeprefix(diff_port(""))].diff
        return self.blobs[name].data

    # --- running ----------------------------------------------------------------------

    def forward(self, start: int = 0, end: int | None = None) -> float:
        """Run layers ``start`` to ``end`` (included); returns the weighted loss of these layers."""
        self.follow_shapes()
        stop = len(self.program.layers) if end is None else end + 1
        if self._random is not None and start == 0:
            # Backward must see the number its forward saw, so the count moves before a pass.
            if not self._first_pass:
                self._random.array[1] += 1
            self._first_pass = False
        loss = 0.0
        for number in range(start, stop):
            for call in self.before_forward:
                call(number)
            loss += self._forward_layer(number)
            for call in self.after_forward:
                call(number)
        return loss

    def _forward_layer(self, number: int) -> float:
        layer = self.program.layers[number]
        feed = self._sources.get(layer.key)
        if feed is not None:
            self._feed(layer, feed)
        while True:
            bound = self._layer(number)
            if bound.forward is None:
                break
            try:
                bound.forward.run()
                break
            except SizeChanged as change:
                if self._relower is None:
                    raise
                self._found.update(change.shapes)
                self._take(self._program_for(change.shapes))
        return sum(
            weight * float(np.sum(self.blobs[name].data.peek()))
            for name, weight in zip(layer.tops, layer.loss_weights, strict=True)
            if weight
        )

    def _feed(self, layer: LayerInfo, feed: _Feed) -> None:
        arrays = feed.source.next().arrays
        came = {top: array.shape for top, array in zip(layer.tops, arrays, strict=True)}
        if any(self.blobs[top].data.type.shape != shape for top, shape in came.items()):
            self._fed.update(came)
            self._found.clear()
            self._take(self._program_for(came))
        for top, array in zip(layer.tops, arrays, strict=True):
            feed.fill(top, self.blobs[top].data, array)

    def backward(self, start: int | None = None, end: int = 0) -> None:
        """Run backward from layer ``start`` (the last) down to ``end`` (included)."""
        self.follow_shapes()
        first = len(self.program.layers) - 1 if start is None else start
        for number in range(first, end - 1, -1):
            for call in self.before_backward:
                call(number)
            if self.program.layers[number].needs_backward:
                self._backward_layer(number)
            for call in self.after_backward:
                call(number)

    def _backward_layer(self, number: int) -> None:
        bound = self._layer(number)
        graph = bound.graphs.backward
        if graph is None:
            return
        if bound.backward is None:
            bound.backward = self._bind_graph(graph, self._saved[number], bound.uses)
        bound.backward.run()

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
