"""Weights that never change, in 16 bits.

Before::

    %w: f32[64,64,3,3] = map(%conv/0, %scale) {mul(a0, a1)}      # depends on variables alone
    %c: f32[N,64,26,26] = conv(%x, %w) ...

After::

    %w: f32[64,64,3,3] = map(%conv/0, %scale) {mul(a0, a1)}
    %w.bf16: bf16[64,64,3,3] = map(%w) {to_bf16(a0)}
    %w.f32: f32[64,64,3,3] = map(%w.bf16) {to_float(a0:bf16)}
    %c: f32[N,64,26,26] = conv(%x, %w.f32) ...

What is computed once ends with the first cast. The other one stays with who reads it, where it
costs nothing: :func:`.narrow_storage` makes a factor of 16 bits of it.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace

from compiler.precision import narrow_type
from ir import expr as e
from ir.graph import Graph, Node, Value
from ir.op import Property
from ir.ops.pointwise import Map
from ir.size import value_of
from ir.types import F32, DType

from ..context import PassContext
from ..rewrite import Context
from .narrow_body import with_dtype


def narrow_constants(graph: Graph, known: Set[Value], context: PassContext) -> Graph:
    """Cast the factors of products that are ``known`` where the precision says so."""
    dtype, target = narrow_type(context.options.precision), context.options.target
    if dtype is None:
        return graph
    names = Context(graph)
    cast: dict[Value, Value] = {}
    nodes: list[Node] = []
    for node in graph.nodes:
        if node.op.properties & Property.CONTRACTION and known.isdisjoint(node.outputs):
            for value in node.inputs:
                fits = value in known and value.type.dtype is F32 and value not in cast
                fits = fits and (target.kind == "cuda" or _waits_for_memory(node, value))
                if fits and context.fuel.take(f"precision: {dtype} weights of {{}}", node):
                    cast[value] = _cast_twice(nodes, node, value, dtype, names)
            node = replace(node, inputs=tuple(cast.get(v, v) for v in node.inputs))
        nodes.append(node)
    return replace(graph, nodes=tuple(nodes)) if cast else graph


LARGE = 1 << 20  # bytes of weights that no cache near a core holds
FEW = 4  # rows that share what is read of a matrix


def _waits_for_memory(node: Node, weights: Value) -> bool:
    """Whether a CPU has nothing to do but to read weights: a matrix times a few vectors, as many as
    there were when the net was lowered."""
    if node.op.channels or weights is not node.inputs[1]:
        return False
    rows = value_of(node.multiply_adds) // max(1, value_of(weights.type.size))
    return value_of(weights.type.nbytes) >= LARGE and rows <= FEW


def _cast_twice(
    nodes: list[Node], reader: Node, value: Value, dtype: DType, names: Context
) -> Value:
    """There and back."""
    held = value
    for to in (dtype, F32):
        rule = e.cast(e.arg(0, held.type.dtype), to)
        made = with_dtype(value, to, names.fresh(f"{value.name}.{to}", value.type).name)
        nodes.append(replace(reader, op=Map((rule,)), inputs=(held,), outputs=(made,)))
        held = made
    return held
