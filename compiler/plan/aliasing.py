"""Which values share a buffer: views, and results that overwrite an operand."""

from __future__ import annotations

from ir.graph import Graph, Node, Value
from ir.op import Property
from ir.ops.fusion import Fused


def view_roots(graph: Graph) -> dict[Value, Value]:
    """For every view the value whose buffer it shows; other values stand for themselves."""
    roots: dict[Value, Value] = {}
    for port in graph.inputs:
        roots[port.value] = port.value
    for node in graph.nodes:
        source = node.inputs[0] if node.op.properties & Property.VIEW else None
        for value in node.outputs:
            roots[value] = value if source is None else roots[source]
    return roots


def may_overwrite(node: Node, operand: Value, result: Value) -> bool:
    """Whether the kernel of ``node`` may write ``result`` into the buffer of ``operand``.

    It may if every element it reads of the operand is one that the same program overwrites
    afterwards: it reads at the same flat position only, and results stored later do not need
    the operand, or have it at hand because this one (of the same shape) has loaded it.
    """
    op = node.op
    if not isinstance(op, Fused) or operand.type.nbytes != result.type.nbytes:
        return False
    if operand.type.dtype.itemsize != result.type.dtype.itemsize:
        return False
    results = [p.value for p in op.body.outputs]
    place = node.outputs.index(result)
    own = results[place]
    # A kernel of whole rows stores results of the rows' shape last, row by row.
    rows = op.schedule == "row"
    if rows and any(r is not own and r.type.size >= own.type.size for r in results):
        return False
    ports = [p.value for p, v in zip(op.body.inputs, node.inputs, strict=True) if v is operand]
    derived = set(ports)
    for inner in op.body.nodes:
        if not any(v in derived for v in inner.inputs):
            continue
        if rows and inner.op.properties & Property.REDUCTION:
            continue
        reads = [v for v in inner.inputs if v in derived]
        if not all(_at_one_place(inner, a, b) for a in reads for b in inner.outputs):
            return False
        derived.update(inner.outputs)
    if rows:
        return True
    if not any(v in derived for v in results[place + 1 :]):
        return True
    return own in derived and all(v.shape == own.shape for v in results)


def _at_one_place(node: Node, operand: Value, result: Value) -> bool:
    """Whether every element of a result reads the operand at its own place in memory only."""
    view = node.op.properties & Property.VIEW
    laid = operand.type.layout == result.type.layout or view
    return bool(laid) and node.op.may_alias(operand.shape, result.shape)
