"""Products that share nothing between their results, as plain loops or as sums of terms.

With one channel per group (depthwise convolutions) there is nothing for a tile to share, and the
work is bound by memory. Where the depth is a window, a flat kernel loops over the taps; where it is
the images and positions, each tap is summed up (:mod:`.tap_sums`), or the terms are reduced.
"""

from __future__ import annotations

from dataclasses import replace

from ir.expr import Expr
from ir.graph import Node, Value
from ir.op import Op, Property
from ir.ops.movement import Reshape
from ir.ops.reduction import Reduce
from ir.types import TensorType

from ..emitter import Access, Emitter, rule
from ..index import ZERO
from ..loops import loops
from ..products import Product, product_of, term_of
from ..task import Scheduled, Task
from .flat import schedule_flat
from .reduce import schedule_reduce
from .tap_sums import schedule_tap_sums


def schedule_terms(task: Task, anchor: Node, view: Product) -> Scheduled:
    """Of a thin product."""
    if anchor.op.images[-1]:
        return schedule_flat(task)
    found = schedule_tap_sums(task, anchor)
    return found or schedule_reduce(_as_reduction(task, anchor, view))


@rule(Property.CONTRACTION)
def emit_contraction(emitter: Emitter, node: Node, op: Op, number: int, at: Access) -> Expr:
    """An element by a loop over the depth."""
    view = product_of(emitter, node)
    places = view.find(at)
    total = emitter.accumulator(node)
    counts = [extent.constant or 0 for extent in view.depth]
    with loops(emitter.builder, counts) as steps:
        depth = [steps.get(axis, ZERO) for axis in range(len(counts))]
        emitter.builder.increase(total, term_of(emitter, view, places, depth, at))
    return total


def _as_reduction(task: Task, anchor: Node, view: Product) -> Task:
    """The task with its contraction written as a sum over a tensor of terms.

    Axes of the terms: the first of the depth, those of the contraction's result, the rest of the
    depth.
    """
    result, depth = anchor.output, [extent.size for extent in view.depth]
    last = 1 + result.type.rank

    def term(emitter: Emitter, at: Access) -> Expr:
        own = product_of(emitter, anchor)
        places = own.find(Access(at.coordinates[1:last], at.extents[1:last], at.guard))
        steps = (at.coordinates[0], *at.coordinates[last:])
        return emitter.builder.let(term_of(emitter, own, places, steps, at))

    terms = Value("terms", TensorType((depth[0], *result.shape, *depth[1:]), result.type.dtype))
    total = Reduce("sum", (0, *range(last, terms.type.rank)))
    (summed,) = total.infer([terms.type])
    value = Value(f"{result.name}_sum", summed)
    nodes = [
        replace(anchor, op=total, inputs=(terms,), outputs=(value,)),
        replace(anchor, op=Reshape(result.shape), inputs=(value,)),
    ]
    body, where = task.body, task.body.nodes.index(anchor)
    body = replace(body, nodes=(*body.nodes[:where], *nodes, *body.nodes[where + 1 :]))
    return replace(task, body=body, given={terms: term})
