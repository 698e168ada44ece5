"""Emission of changes of layout: memory as a row of elements, and back."""

from __future__ import annotations

from dataclasses import replace

from ir.graph import Node
from ir.ops.layout import Pack, Unpack

from ..emitter import Access, Emission, Emitter, rule, zero


@rule(Pack)
def emit_pack(emitter: Emitter, node: Node, op: Pack, number: int, at: Access) -> Emission:
    (x,) = node.inputs
    extents = emitter.extents(x.shape)
    place = emitter.access_at(at.coordinates[0], extents, op.type)
    value = yield x, replace(place, guard=at.guard).guarded(*place.guard)
    return emitter.chosen(place.guard, value, zero(x.type.dtype))


@rule(Unpack)
def emit_unpack(emitter: Emitter, node: Node, op: Unpack, number: int, at: Access) -> Emission:
    (x,) = node.inputs
    place = emitter.address(at, op.type)
    return (yield x, Access((place,), emitter.extents(x.shape), at.guard))
