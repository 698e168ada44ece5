"""Which blocks of memory the register schedule knows: those of layouts that targets want."""

from __future__ import annotations

from collections.abc import Sequence

from ir.graph import Graph
from ir.op import Channels
from ir.types import TensorType

from ..contract import anchor_of


def lies_for_registers(body: Graph) -> bool:
    """Whether all that a contraction reads and writes has blocks of one size, if any: of channels
    alone where it goes over images, and none that two groups share."""
    anchor = anchor_of(body)
    ports = {port.value for port in (*body.inputs, *body.outputs)}
    sizes = {
        part.block
        for value in ports
        if value.type.layout
        for part in value.type.layout.parts
        if part.block
    }
    if len(sizes) > 1:
        return False
    channels = dict(zip((*anchor.inputs, anchor.output), anchor.op.channels, strict=False))
    return all(
        _fits_blocks(value.type, axes) for value, axes in channels.items() if value.type.layout
    )


def _fits_blocks(type: TensorType, channels: Sequence[Channels]) -> bool:
    assert type.layout is not None, "it has one"
    groups = {c.axis: c.groups for c in channels}
    for axis, block in type.layout.parts:
        if not block:
            continue
        if axis not in groups:
            return False
        extent = type.shape[axis] // groups[axis]
        if groups[axis] > 1 and extent != 1 and extent % block:
            return False
    return True
