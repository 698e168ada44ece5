"""Reverse-mode differentiation of graphs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ir.build import Builder
from ir.graph import Direction, Value
from ir.op import Adjoint


def backward(
    b: Builder, outputs: Mapping[Value, Value], wanted: Sequence[Value]
) -> dict[Value, Value]:
    """Append the nodes that compute the cotangents of ``wanted``.

    Args:
        outputs: value -> its cotangent.

    Returns the cotangent of every wanted value that has one.
    """
    nodes = list(b.nodes)
    needed = set(wanted)
    for node in nodes:
        if any(v in needed for v in node.inputs):
            needed.update(node.outputs)
    found: dict[Value, Value] = dict(outputs)
    for node in reversed(nodes):
        cotangents = tuple(found.get(v) for v in node.outputs)
        if all(g is None for g in cotangents):
            continue
        flows = tuple(v in needed and v.type.dtype.is_float for v in node.inputs)
        if not any(flows):
            continue
        with b.at(node.location, f"d_{node.outputs[0].name}", Direction.BACKWARD):
            parts = node.op.gradient(b, Adjoint(node.inputs, node.outputs, cotangents, flows))
            for value, part, flow in zip(node.inputs, parts, flows, strict=True):
                if part is None or not flow:
                    continue
                known = found.get(value)
                found[value] = part if known is None else b.add(known, part)
    return {v: found[v] for v in wanted if v in found}
