"""Layouts: in which order of memory each value lies, as the target wants it.

What wants an order are contractions over images (:attr:`ir.op.Op.images`); all else takes what it
is given and makes more of the same. What must be row-major is copied: ports, what runs on the host
or has a kernel of its own, and what is reshaped in a way that its order does not allow. A copy is a
map that changes nothing but the layout, so that fusion makes it a second store of the kernel that
computes the value, or none if nobody reads the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from compiler.image_layout import ROW_MAJOR, wanted_layout
from ir.graph import Graph, Node, Value
from ir.layout import Layout
from ir.op import Property
from ir.ops.fusion import Fused
from ir.types import TensorType
from ir.views import keeps_memory

from .context import UNBOUNDED, PassContext
from .copies import Copies, is_copy
from .padded_channels import pad_channels
from .parted_windows import part_windows
from .rewrite import Context


def choose_layouts(graph: Graph, context: PassContext = UNBOUNDED) -> Graph:
    """Lay images out as the target wants them. With a target that wants them row-major nothing
    changes.

    Before::

        input %x: f32[8,16,9,9] data
        input %w: f32[32,16,3,3] parameter
        %c: f32[8,32,7,7] = conv(%x, %w) ...
        %y: f32[8,32,7,7] = map(%c) {max(a0, 0.0)}
        output %y: f32[8,32,7,7] result

    After, for ``channels-last``::

        %x.copy: f32[8,16,9,9]{0,2,3,1} = map(%x) {a0}
        %w.copy: f32[32,16,3,3]{0,2,3,1} = map(%w) {a0}
        %c: f32[8,32,7,7]{0,2,3,1} = conv(%x.copy, %w.copy) ...
        %y: f32[8,32,7,7]{0,2,3,1} = map(%c) {max(a0, 0.0)}
        %y.copy: f32[8,32,7,7] = map(%y) {a0}
        output %y.copy: f32[8,32,7,7] result "y"
    """
    if context.options.target.layout == ROW_MAJOR:
        return graph
    graph = pad_channels(graph, context)
    return part_windows(_Layouts(graph, context).rebuilt(), context)


def lay_out_constants(graph: Graph, known: set[Value], context: PassContext) -> Graph:
    """Copy weights that are known before anything runs as :func:`choose_layouts` would: a graph
    that is frozen then holds them so."""
    name = context.options.target.layout
    copies = Copies(Context(graph))
    nodes: list[Node] = []
    for node in graph.nodes:
        inputs = list(node.inputs)
        if name != ROW_MAJOR and node.op.images and not known.issuperset(inputs):
            for i, value in enumerate(inputs):
                if value in known and value.type.layout is None and not node.op.images[i]:
                    inputs[i] = copies.of(value, _wanted(name, value.type, node, i), node)
                    nodes += copies.new()
        nodes.append(node if tuple(inputs) == node.inputs else replace(node, inputs=tuple(inputs)))
    return graph if len(nodes) == len(graph.nodes) else replace(graph, nodes=tuple(nodes))


class _Layouts:
    def __init__(self, graph: Graph, context: PassContext) -> None:
        self.graph = graph
        self.fuel = context.fuel
        self.name = context.options.target.layout
        self.read = {v for n in graph.nodes for v in n.inputs}
        self.copies = Copies(Context(graph))
        self.values = {p.value: p.value for p in graph.inputs}  # new values by the old ones

    def rebuilt(self) -> Graph:
        for node in self.graph.nodes:
            types = self._results(node)
            for value, type in zip(node.outputs, types, strict=True):
                self.values[value] = value if type == value.type else Value(value.name, type)
        wanted = {n: tuple(self._operands(n)) for n in self.graph.nodes}
        shown = {p.value: p.value.type.logical for p in self.graph.outputs}
        later: dict[Value, dict[TensorType, None]] = {}
        for value, type in (*(pair for n in wanted for pair in wanted[n]), *shown.items()):
            later.setdefault(value, {})[type] = None
        nodes: list[Node] = []
        for node in self.graph.nodes:
            # Of inputs where they are read first, of results where they are made.
            inputs = tuple(self.copies.of(self.values[v], t, node) for v, t in wanted[node])
            nodes += self.copies.new()
            made = tuple(self.values[v] for v in node.outputs)
            same = inputs == node.inputs and made == node.outputs
            nodes.append(node if same else replace(node, inputs=inputs, outputs=made))
            for value in node.outputs:
                for type in later.get(value, ()):
                    self.copies.of(self.values[value], type, node)
            nodes += self.copies.new()
        known = self.copies.known
        outputs = tuple(
            replace(p, value=known(self.values[p.value], shown[p.value]))
            for p in self.graph.outputs
        )
        return replace(self.graph, nodes=tuple(nodes), outputs=outputs)

    def _results(self, node: Node) -> Iterator[TensorType]:
        """How the results of a node lie in memory."""
        given = [self.values[v].type for v in node.inputs]
        for value in node.outputs:
            type = value.type
            if self._is_free(node, value):
                type = self._result(node, type, given)
            taken = type != value.type
            if taken and not self.fuel.take("layout: laid out the result of {}", node):
                type = value.type
            yield type

    def _is_free(self, node: Node, value: Value) -> bool:
        """Whether the pass may choose: not what was laid out or copied before, nor what goes to
        ports alone."""
        copied = is_copy(node) and node.inputs[0].type != value.type
        decided = copied or value.type.layout is not None
        return node.op.any_layout and not decided and value in self.read

    def _result(self, node: Node, type: TensorType, given: list[TensorType]) -> TensorType:
        op = node.op
        if op.properties & Property.VIEW:
            return op.viewed(given[0]) or type
        if op.images:
            wanted = _wanted(self.name, type, node, -1)
            # Diffs of weights are stored as parameters lie, which only blocks make slow.
            return wanted if op.images[-1] or _has_blocks(wanted) else type
        alike = (t.layout for t in given if t.layout is not None and t.rank == type.rank)
        return _plain(type, next(alike, None))

    def _operands(self, node: Node) -> Iterator[tuple[Value, TensorType]]:
        """What a node reads, and as which type."""
        op = node.op
        for i, value in enumerate(node.inputs):
            type = self.values[value].type
            if isinstance(op, Fused):
                type = op.body.inputs[i].value.type
            elif not op.any_layout:
                type = type.logical
            elif op.properties & Property.VIEW:
                made = self.values[node.outputs[0]].type
                view = op.viewed(type)
                type = type if view and keeps_memory(view, made) else value.type
            elif op.images:
                type = _wanted(self.name, type.logical, node, i)
            yield value, type


def _wanted(name: str, type: TensorType, node: Node, number: int) -> TensorType:
    """Of what a contraction over images reads or makes."""
    return _plain(type, wanted_layout(name, type, node.op.channels[number]))


def _has_blocks(type: TensorType) -> bool:
    return type.layout is not None and any(part.block for part in type.layout.parts)


def _plain(type: TensorType, layout: Layout | None) -> TensorType:
    """The type in a layout; row-major where that is the same in memory."""
    laid = replace(type, layout=layout)
    return type if keeps_memory(laid, type) else laid
