"""The pass that stores in 16 bits what kernels give to each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from compiler.precision import narrow_type
from ir import expr as e
from ir.graph import Direction, Graph, Node, Port, Role, Value
from ir.ops.fusion import Fused
from ir.ops.pointwise import Map
from ir.types import F16, F32, DType

from ...plan.aliasing import WITHOUT_KERNEL, parts_of_wholes
from ..context import UNBOUNDED, PassContext
from ..fusion.labels import KernelLabels
from .loss_scale import LOSS_SCALE
from .narrow_body import NarrowBody, with_dtype
from .storage import Storage, between_kernels, weights_alone

_HANDS_OUT_TWICE = ("flat", "contract", "row")
"""Schedules of groups that store a result of theirs in f32 and in 16 bits."""


def narrow_storage(graph: Graph, context: PassContext = UNBOUNDED) -> Graph:
    """Store in 16 bits what kernels give to each other, where the precision says so.

    On CPUs only weights have 16 bits: they are made f32 by who reads them.
    """
    options = context.options
    dtype = narrow_type(options.precision)
    if options.target.kind != "cuda":
        types = (port.value.type.dtype for port in graph.inputs)
        held = next((dtype for dtype in types if dtype.is_narrow), None)
        return graph if held is None else _Rewriting(graph, held, weights_alone(graph)).done()
    if dtype is None:
        return graph
    scaled = any(p.role is Role.HYPER and p.name == LOSS_SCALE for p in graph.inputs)

    def may(what: str, node: Node) -> bool:
        return context.fuel.take(f"precision: {what} of {{}} in {dtype}", node)

    storage = between_kernels(graph, may, diffs=dtype is not F16 or scaled)
    return _Rewriting(graph, dtype, storage).done()


class _Rewriting:
    def __init__(self, graph: Graph, dtype: DType, storage: Storage) -> None:
        self.graph, self.dtype, self.storage = graph, dtype, storage
        self.labels = KernelLabels(n.op.label for n in graph.nodes if isinstance(n.op, Fused))
        self.names = {v.name for v in graph.values()}
        self.parts = parts_of_wholes(graph)
        self.now: dict[Value, Value] = {}  # what is stored narrow, instead
        self.copies: dict[Value, Value] = {}  # what is stored narrow, too
        self.nodes: list[Node] = []

    def done(self) -> Graph:
        for node in self.graph.nodes:
            if node.op.properties & WITHOUT_KERNEL:
                self._view(node)
            elif isinstance(node.op, Fused):
                self._group(node, node.op)
            else:
                self.nodes.append(node)
        same = len(self.nodes) == len(self.graph.nodes) and all(
            a is b for a, b in zip(self.nodes, self.graph.nodes, strict=True)
        )
        return self.graph if same else replace(self.graph, nodes=tuple(self.nodes))

    def _view(self, node: Node) -> None:
        """A view, or a whole: all have the type of one buffer."""
        if node.inputs[0] not in self.now:
            self.nodes.append(node)
            return
        held = tuple(self.now[value] for value in node.inputs)
        made = self.now[node.output] = with_dtype(node.output, held[0].type.dtype)
        self.nodes.append(replace(node, inputs=held, outputs=(made,)))

    def _group(self, node: Node, op: Fused) -> None:
        storage = self.storage
        factors = storage.factors_of(node)
        multiplies = node in storage.multiplying
        inputs = {}
        for value, port in zip(node.inputs, op.body.inputs, strict=True):
            copied = multiplies and value in factors and value not in self.now
            inputs[port.value] = self._copy(value, node) if copied else self.now.get(value, value)
        ports = zip(node.outputs, op.body.outputs, strict=True)
        stored = [p.value for v, p in ports if op.schedule == "contract" and v in storage.narrow]
        body = NarrowBody(op.body, self.dtype, inputs, multiplies, stored)
        outputs: list[tuple[Value, Value]] = []
        for value, port in zip(node.outputs, op.body.outputs, strict=True):
            if value in storage.narrow:
                alike = None if value in self.parts else body.handed_on(port.value)
                self.now[value] = alike or with_dtype(value, self.dtype)
                if alike is None:
                    outputs.append((port.value, self.now[value]))
                continue
            twice = value in storage.factors and value.type.dtype is F32
            if twice and op.schedule in _HANDS_OUT_TWICE:
                alike = body.handed_on(port.value)
                self.copies[value] = alike or self._copied(value)
                if alike is None:
                    outputs.append((port.value, self.copies[value]))
                if value not in storage.needed_wide:
                    continue
            outputs.append((port.value, value))
        if not outputs:
            return  # it made f32 of what is there
        taken = tuple(dict.fromkeys(inputs.values()))
        graph = body.graph(taken, outputs)
        results = tuple(outer for _, outer in outputs)
        if not self._changed(node, op, taken, results, graph):
            self.nodes.append(node)
            return
        op = replace(op, body=graph)
        self.nodes.append(replace(node, op=op, inputs=taken, outputs=results))

    def _changed(
        self, node: Node, op: Fused, inputs: Sequence[Value], outputs: Sequence[Value], body: Graph
    ) -> bool:
        return inputs != node.inputs or outputs != node.outputs or body.nodes != op.body.nodes

    def _copied(self, value: Value) -> Value:
        name, count = f"{value.name}.{self.dtype}", 0
        while name in self.names:
            count += 1
            name = f"{value.name}.{self.dtype}.{count}"
        self.names.add(name)
        return with_dtype(value, self.dtype, name)

    def _copy(self, value: Value, reader: Node) -> Value:
        """A factor in 16 bits, once for all that read it."""
        if value not in self.copies:
            made = self.copies[value] = self._copied(value)
            rule = e.cast(e.arg(0), self.dtype)
            inner = Node(Map((rule,)), (value,), (made,), reader.location, Direction.FORWARD)
            maker = self.graph.producers.get(value)
            direction = Direction.FORWARD if maker is None else maker.direction
            inner = replace(inner, direction=direction)
            label = self.labels.named(f"cast_{value.name}")
            body = Graph(
                label,
                (Port(value.name, value, Role.DATA),),
                (inner,),
                (Port(made.name, made, Role.RESULT),),
            )
            self.nodes.append(replace(inner, op=Fused(label, "flat", body)))
        return self.copies[value]
