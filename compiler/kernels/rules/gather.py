"""Rows picked by number."""

from __future__ import annotations

from ir.graph import Node
from ir.ops.gather import Gather

from ..emitter import Access, Emission, Emitter, rule, zero
from ..index import Base, variable


@rule(Gather)
def emit_gather(emitter: Emitter, node: Node, op: Gather, number: int, at: Access) -> Emission:
    table, rows = node.inputs
    (row, column), (count, width) = at.coordinates, at.extents
    picked = yield rows, Access((row,), (count,), at.guard)
    index = variable(Base(picked))
    height = emitter.builder.extent(table.shape[0], "rows")
    conditions = emitter.inside(index, True, height)
    access = Access((index, column), (height, width), at.guard).guarded(*conditions)
    found = yield table, access
    return emitter.chosen(conditions, found, zero(table.type.dtype))
