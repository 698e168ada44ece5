"""Grids of cells laid on images."""

from __future__ import annotations

from ir.graph import Node
from ir.ops.region import RegionMax
from ir.ops.region_sum import RegionSum

from ..printing.body import Body
from ..printing.layout import calls
from ..printing.registry import op_rule


@op_rule(RegionMax)
def write_region_max(op: RegionMax, node: Node, body: Body) -> None:
    body.use("region_max")
    body.bind_parts(node.outputs, calls("region_max", *map(body.operand, node.inputs)))


@op_rule(RegionSum)
def write_region_sum(op: RegionSum, node: Node, body: Body) -> None:
    body.use("region_sum")
    more = ["by_cell=True"] if op.by_cell else []
    body.bind(node.output, calls("region_sum", *map(body.operand, node.inputs), *more))
