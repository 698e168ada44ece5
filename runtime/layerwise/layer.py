"""One layer of a net: reshaped, then run. Caffe: include/caffe/layer.hpp."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from compiler.layerwise import LayerGraphs
from compiler.passes.autodiff import diff_port
from ir.errors import RoasteryError
from ir.graph import Port, Role
from ir.op import Property
from ir.ops.dynamic import SizeChanged
from ir.program import LayerInfo, NetProgram
from ir.types import TensorType

from ..data.source import DataSource
from ..memory.buffers import Buffer
from .feed import Feed
from .memory import BoundLayer, NetMemory
from .shapes import GraphsByShape, LayerShapes, Shape, lowered_shapes


class RunningLayer:
    """A layer at the shapes that it was reshaped to last.

    Its forward begins with a reshape, so that it follows its bottoms, whoever gave them their
    shapes; where they are as they were that costs next to nothing. Its backward runs at the shapes
    of its last forward.
    """

    def __init__(
        self,
        program: NetProgram,
        number: int,
        memory: NetMemory,
        graphs: GraphsByShape,
        source: DataSource | None,
    ) -> None:
        self.info: LayerInfo = program.layers[number]
        self._number = number
        self._variables = program.variables
        self._memory = memory
        self._graphs = graphs
        self._feed = None if source is None else Feed(source, self.info.tops, memory.blobs)
        self.shares = _shares(program, self.info)
        self._shapes = lowered_shapes(self.info)
        self._found: dict[str, Shape] = {}  # sizes that depend on data
        self._now: LayerGraphs | None = None  # None: as the net was lowered, and not asked for yet
        self._forward: BoundLayer | None = None
        self._backward: BoundLayer | None = None
        self._saved: dict[str, Buffer] = {}
        self._weighted: dict[str, Buffer] = {}  # diffs that hold a loss weight
        self._followed = self._checked = -1  # as many changes has forward, has backward seen
        self._shape_tops([value.type for value in self.info.top_values])
        if self._feed is not None:
            self._feed.set_up()

    @property
    def sizes(self) -> dict[str, Shape]:
        """Shapes that its bottoms do not tell, as they are now, by the names lowering has."""
        return dict(self._shapes.sizes)

    # --- forward ----------------------------------------------------------------------

    def forward(self) -> float:
        """Reshape and run; returns the weighted loss of its tops."""
        if self._feed is not None:
            self._feed.take_batch()
        self._follow()
        while self._forward is not None:
            try:
                self._forward.graph.run()
                break
            except SizeChanged as change:
                if self._graphs.lower_again is None:
                    raise
                self._resize(change.shapes)
        blobs = self._memory.blobs
        return sum(
            weight * float(np.sum(blobs[name].data.peek()))
            for name, weight in zip(self.info.tops, self.info.loss_weights, strict=True)
            if weight
        )

    def _resize(self, sizes: dict[str, Shape]) -> None:
        """Take sizes that came out in a run."""
        known = {**dict(self._shapes.sizes), **sizes}
        blobs = self._memory.blobs
        self._found = {name: shape for name, shape in known.items() if name not in blobs}
        ordered = tuple((name, known[name]) for name in self.info.sizes if name in known)
        self._take(replace(self._shapes, sizes=ordered))
        self._bind_forward()

    # --- shapes -----------------------------------------------------------------------

    def reshape(self) -> None:
        """Give the tops their shapes without running. Caffe: Net::Reshape.

        Raises RoasteryError where the layer cannot take the shapes of its bottoms.
        """
        graphs = self.graphs
        if self._graphs.lower_again is None or not _has_effect(graphs):
            self._take(self._shapes_now())
            return
        graphs = self._graphs.reshaped(self._number, self._shapes_now().bottoms)
        self._take(lowered_shapes(graphs.layer), graphs)

    @property
    def graphs(self) -> LayerGraphs:
        """At the shapes of now."""
        if self._now is None:
            self._now = self._graphs.at(self._number, self._shapes)
        return self._now

    def _follow(self) -> None:
        if self._followed == self._memory.changes.count:
            return
        self._take(self._shapes_now())
        self._bind_forward()
        self._followed = self._memory.changes.count

    def _shapes_now(self) -> LayerShapes:
        blobs = self._memory.blobs
        bottoms = tuple(blobs[name].shape for name in self.info.bottoms)
        if bottoms != self._shapes.bottoms:
            self._found.clear()
        sizes = {name: blobs[name].shape for name in self.info.sizes if name in blobs} | self._found
        return LayerShapes(bottoms, tuple((n, sizes[n]) for n in self.info.sizes if n in sizes))

    def _take(self, shapes: LayerShapes, graphs: LayerGraphs | None = None) -> None:
        """Have other shapes from now on; the layer stays as it was where it cannot."""
        if graphs is None:
            graphs = (
                self.graphs if shapes == self._shapes else self._graphs.at(self._number, shapes)
            )
        self._memory.store.extend(
            replace(self._variables[port.name], type=port.value.type)
            for port in graphs.forward.inputs
            if port.role is Role.STATE
        )
        if graphs is not self._now:
            self._now, self._shapes = graphs, shapes
            self._forward = self._backward = None
        self._shape_tops([value.type for value in graphs.layer.top_values])

    def _shape_tops(self, types: list[TensorType]) -> None:
        blobs, info = self._memory.blobs, self.info
        for name, type, weight in zip(info.tops, types, info.loss_weights, strict=True):
            if self.shares:
                blobs[name].share(blobs[info.bottoms[0]], type.shape)
            else:
                blobs[name].resize(type.shape)
            if weight and self._weighted.get(name) is not blobs[name].diff:
                blobs[name].diff.array[...] = weight
                self._weighted[name] = blobs[name].diff

    def _bind_forward(self) -> None:
        graph = self.graphs.forward
        if self.shares or not graph.nodes:
            return
        if self._forward is None or self._memory.stale(self._forward):
            saved = [port for port in graph.outputs if port.role is Role.SAVED]
            self._saved = {port.name: self._saved_buffer(port) for port in saved}
            self._forward = self._memory.bind(graph, self._saved)
            self._backward = None

    def _saved_buffer(self, port: Port) -> Buffer:
        kept = self._saved.get(port.name)
        return (
            kept if kept is not None and kept.type == port.value.type else Buffer(port.value.type)
        )

    # --- backward ---------------------------------------------------------------------

    def backward(self) -> None:
        """Run backward at the shapes of the last forward.

        Raises RoasteryError where a blob has another shape by now.
        """
        graph = self.graphs.backward
        if graph is None:
            return
        if self._checked != self._memory.changes.count:
            self._check_shapes((*graph.inputs, *graph.outputs))
            if self._backward is not None and self._memory.stale(self._backward):
                self._backward = None
            self._checked = self._memory.changes.count
        if self._backward is None:
            saved = [port for port in graph.inputs if port.role is Role.SAVED]
            self._saved = {port.name: self._saved_buffer(port) for port in saved}
            self._backward = self._memory.bind(graph, self._saved)
        self._backward.graph.run()

    def _check_shapes(self, ports: tuple[Port, ...]) -> None:
        for port in ports:
            if port.role is Role.SAVED:
                continue
            have, want = self._memory.buffer(port).type.shape, port.value.shape
            if have != want:
                blob = port.name.removeprefix(diff_port(""))
                raise RoasteryError(
                    f"'{blob}' has shape {list(have)}; when layer '{self.info.name}' ran it "
                    f"was {list(want)}, so that it cannot run backward",
                    location=self.info.location,
                    hint="run forward through this layer first",
                )


def _has_effect(graphs: LayerGraphs) -> bool:
    """Whether the layer's shapes are for code of the user's to say."""
    return any(Property.EFFECT in node.op.properties for node in graphs.forward.nodes)


def _shares(program: NetProgram, layer: LayerInfo) -> bool:
    """Whether the tops are the bottom's data under other shapes, so that nothing has to run.

    Not where a later layer writes a top in place: that would overwrite what the bottom's layer
    left, which its backward may read.
    """
    if not layer.shares_data:
        return False
    written = any(len(program.blobs[name]) > 1 for name in layer.tops)
    return not written and program.blobs[layer.bottoms[0]][-1] is layer.bottom_values[0]
