"""Products that share nothing between their results, as plain loops or as sums of terms.

With one channel per group (depthwise convolutions) there is nothing for a tile to share, and the
work is bound by memory. Where the depth is a window, a flat kernel loops over the taps; where it is
the images and positions, the terms are reduced.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ir.expr import Expr
from ir.graph import Graph, Node, Value
from ir.op import Op, Property
from ir.ops.movement import Reshape
from ir.ops.reduction import Reduce
from ir.types import TensorType

from ..emitter import Access, Emitter, rule
from ..index import ZERO, Affine
from ..loops import loops
from ..products import Product, product_of
from ..task import Scheduled, Task
from .flat import schedule_flat
from .reduce import schedule_reduce


def schedule_terms(task: Task, anchor: Node, view: Product) -> Scheduled:
    """Of a thin product."""
    if anchor.op.images[-1]:
        return schedule_flat(task)
    return schedule_reduce(replace(task, body=_as_reduction(task.body, anchor, view)))


@rule(Property.CONTRACTION)
def emit_contraction(emitter: Emitter, node: Node, number: int, at: Access) -> Expr:
    """An element by a loop over the depth."""
    view = product_of(emitter, node)
    places = view.find(at)
    total = emitter.accumulator(node)
    counts = [extent.constant or 0 for extent in view.depth]
    with loops(emitter.builder, counts) as steps:
        depth = [steps.get(axis, ZERO) for axis in range(len(counts))]
        emitter.builder.increase(total, _term(emitter, view, places, depth, at))
    return total


def _term(
    emitter: Emitter,
    view: Product,
    places: tuple[Sequence[Affine], ...],
    depth: Sequence[Affine],
    at: Access,
) -> Expr:
    """A product of an element of the left and one of the right matrix."""
    row, column, which = places
    (left, read_left), (right, read_right) = view.left, view.right
    a = emitter.emit_guarded(left, read_left(row, depth, which).under(at.guard))
    b = emitter.emit_guarded(right, read_right(depth, column, which).under(at.guard))
    return a * b


@dataclass(frozen=True)
class Terms(Op):
    """The operands of a contraction -> the terms whose sum over the depth is its result.

    Result axes: the first of the depth, those of the contraction's result, the rest of the depth.
    It lives only in this folder, between a rewrite and the kernel.
    """

    of: Op
    depth: tuple[int, ...]
    name = "terms"

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        (result,) = self.of.infer(inputs)
        return (TensorType((self.depth[0], *result.shape, *self.depth[1:]), result.dtype),)

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        raise NotImplementedError("terms are summed as they are made")


@rule(Terms)
def emit_terms(emitter: Emitter, node: Node, number: int, at: Access) -> Expr:
    op = node.op
    assert isinstance(op, Terms)
    (kind,) = op.of.infer([v.type for v in node.inputs])
    contraction = replace(node, op=op.of, outputs=(Value("result", kind),))
    last = 1 + kind.rank
    depth = (at.coordinates[0], *at.coordinates[last:])
    view = product_of(emitter, contraction)
    places = view.find(Access(at.coordinates[1:last], at.extents[1:last], at.guard))
    return emitter.builder.let(_term(emitter, view, places, depth, at))


def _as_reduction(body: Graph, anchor: Node, view: Product) -> Graph:
    """The body with its contraction written as a sum of :class:`Terms`."""
    op = Terms(anchor.op, tuple(extent.size for extent in view.depth))
    (kind,) = op.infer([v.type for v in anchor.inputs])
    terms = Value("terms", kind)
    total = Reduce("sum", (0, *range(1 + anchor.output.type.rank, kind.rank)))
    (summed,) = total.infer([kind])
    value = Value(f"{anchor.output.name}_sum", summed)
    nodes = [
        replace(anchor, op=op, outputs=(terms,)),
        replace(anchor, op=total, inputs=(terms,), outputs=(value,)),
        replace(anchor, op=Reshape(anchor.output.shape), inputs=(value,)),
    ]
    where = body.nodes.index(anchor)
    return replace(body, nodes=(*body.nodes[:where], *nodes, *body.nodes[where + 1 :]))
