"""Emission of movement ops: where a result element comes from."""

from __future__ import annotations

from ir import expr as e
from ir.expr import Expr
from ir.graph import Node
from ir.ops.movement import Concat, Pad, Reshape, Slice, Transpose
from ir.size import Size

from ..emitter import Access, Emission, Emitter, rule
from ..expressions import computed
from ..monomial import Monomial
from ..reshaping import reshaped


def _along(emitter: Emitter, extent: Monomial, size: int, hint: str) -> Monomial:
    """A place along an axis: a constant where the axis's extent is one."""
    builder = emitter.builder
    return builder.amount(size, hint) if extent.constant is None else builder.extent(size, hint)


@rule(Slice)
def emit_slice(emitter: Emitter, node: Node, op: Slice, number: int, at: Access) -> Emission:
    (x,) = node.inputs
    extent = emitter.builder.extent(x.shape[op.axis], "from")
    index = at.coordinates[op.axis]
    # Along the leading axis, and one that may change, the start is an argument even when it is 0:
    # the steps of a recurrent layer share one kernel.
    if op.axis == 0:
        index = index.shifted(emitter.builder.amount(op.start, "start"))
    else:
        index = index.shifted(_along(emitter, extent, op.start, "start"))
    return (yield x, at.moved(op.axis, index, extent))


@rule(Concat)
def emit_concat(emitter: Emitter, node: Node, op: Concat, number: int, at: Access) -> Emission:
    index = at.coordinates[op.axis]
    values: list[Expr] = []
    inside = []
    for k, x in enumerate(node.inputs):
        extent = emitter.builder.extent(x.shape[op.axis], f"part{k}")
        last = k == len(node.inputs) - 1
        low = k > 0
        conditions = emitter.inside(index, low, None if last else extent)
        access = at.moved(op.axis, index, extent).guarded(*conditions)
        values.append((yield x, access))
        inside.append(conditions[-1:] if not last else ())
        index = index.shifted(-extent)
    element = values[-1]
    for value, conditions in zip(reversed(values[:-1]), reversed(inside[:-1]), strict=True):
        element = emitter.chosen(conditions, value, element)
    return element


@rule(Pad)
def emit_pad(emitter: Emitter, node: Node, op: Pad, number: int, at: Access) -> Emission:
    (x,) = node.inputs
    access = at
    for axis, (low, high) in enumerate(zip(op.low, op.high, strict=True)):
        if not low and not high:
            continue
        extent = emitter.builder.extent(x.shape[axis], "from")
        moves = extent.constant is None
        index = at.coordinates[axis]
        index = index.shifted(-_along(emitter, extent, low, "low"))
        # There may be elements of a pad whose amount is a size: of any sign.
        below, above = (moves or isinstance(a, Size) or a > 0 for a in (low, high))
        conditions = emitter.inside(index, below, extent if above else None)
        access = access.moved(axis, index, extent).guarded(*conditions)
    value = yield x, access
    new = tuple(c for c in access.guard if c not in at.guard)
    return emitter.chosen(new, value, e.const(op.value, computed(x.type.dtype)))


@rule(Transpose)
def emit_transpose(
    emitter: Emitter, node: Node, op: Transpose, number: int, at: Access
) -> Emission:
    where = [op.order.index(i) for i in range(len(op.order))]
    access = Access(
        tuple(at.coordinates[i] for i in where), tuple(at.extents[i] for i in where), at.guard
    )
    return (yield node.inputs[0], access)


@rule(Reshape)
def emit_reshape(emitter: Emitter, node: Node, op: Reshape, number: int, at: Access) -> Emission:
    (x,) = node.inputs
    return (yield x, reshaped(emitter, at, node.outputs[0].shape, x.shape))
