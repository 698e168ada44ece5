"""Convolutions whose groups are too thin for matrix tiles (depthwise ones): plain loops.

With one channel per group there is nothing to share between results, and the work is bound
by memory. Forward and input gradient are flat kernels that loop over the taps; the weight
gradient is a reduction over images and positions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ir.expr import Expr
from ir.graph import Graph, Node, Value
from ir.op import Op, leads_as_first
from ir.ops.convolution import Conv, ConvInputGrad, ConvWeightGrad
from ir.ops.movement import Reshape
from ir.ops.reduction import Reduce
from ir.types import TensorType

from ..emitter import Access, Emitter, rule
from ..index import ZERO, Affine, Base, variable
from ..schedules.flat import schedule_flat
from ..schedules.reduce import schedule_reduce
from ..schedules.untiled import untiled
from ..size import Size
from ..task import Scheduled, Task
from .convolution import Geometry, channel, geometry, x_access
from .window import taps


@untiled(Conv, ConvInputGrad)
def schedule_taps(task: Task, node: Node) -> Scheduled | None:
    assert isinstance(node.op, Conv | ConvInputGrad)
    thin = _is_thin(node.op.group, node.inputs[1].shape)
    return schedule_flat(task) if thin else None


@untiled(ConvWeightGrad)
def schedule_terms(task: Task, node: Node) -> Scheduled | None:
    assert isinstance(node.op, ConvWeightGrad)
    if not _is_thin(node.op.group, node.output.shape):
        return None
    weights = range(1, 1 + node.output.type.rank)  # their axes among those of the terms
    return schedule_reduce(replace(task, body=_as_reduction(task.body, node)), tuple(weights))


def _is_thin(group: int, weights: Sequence[int]) -> bool:
    """Whether a convolution has one channel per group on either side."""
    return group > 1 and min(weights[0] // group, weights[1]) == 1


def _add(emitter: Emitter, total: Expr, x: tuple[Value, Access], y: tuple[Value, Access]) -> None:
    """``total += x * y``, both 0 where their places do not exist."""
    left, right = (emitter.emit_guarded(value, access) for value, access in (x, y))
    emitter.builder.increase(total, left * right)


@rule(Conv)
def emit_conv(emitter: Emitter, node: Node, number: int, at: Access) -> Expr:
    op = node.op
    assert isinstance(op, Conv)
    x, w = node.inputs
    g = geometry(emitter, op, x.shape, w.shape, node.output.shape, y_access=at)
    image, channels, *position = at.coordinates
    group, _ = emitter.split(channels, (g.group, g.outputs))
    total = emitter.accumulator(node)
    with taps(emitter, (w.shape[1], *g.window)) as tap:
        inner, *numbers = (tap.get(a, ZERO) for a in range(1 + len(g.window)))
        source = x_access(emitter, g, image, channel(group, g.inputs, inner), position, numbers)
        source = replace(source, guard=at.guard).guarded(*source.guard)
        weights = Access((channels, inner, *numbers), g.w_extents(), at.guard)
        _add(emitter, total, (x, source), (w, weights))
    return total


@rule(ConvInputGrad)
def emit_conv_input_grad(emitter: Emitter, node: Node, number: int, at: Access) -> Expr:
    op = node.op
    assert isinstance(op, ConvInputGrad)
    dy, w = node.inputs
    g = geometry(emitter, op, node.output.shape, w.shape, dy.shape, x_access=at)
    image, channels, *position = at.coordinates
    group, inner = emitter.split(channels, (g.group, g.inputs))
    axes = range(len(g.window))
    sparse = [op.stride[a] > 1 and op.dilation[a] == 1 for a in axes]
    counts = [-(-g.window[a] // op.stride[a]) if sparse[a] else g.window[a] for a in axes]
    total = emitter.accumulator(node)
    with taps(emitter, (w.shape[0] // op.group, *counts)) as tap:
        outer = channel(group, g.outputs, tap.get(0, ZERO))
        spots: list[Affine] = []
        numbers: list[Affine] = []
        conditions: list[Expr] = []
        for a in axes:
            start = position[a].shifted(Size.of(op.pad[a]))
            spot, t, reach = _met(emitter, g, a, start, tap.get(1 + a, ZERO), sparse[a])
            spots.append(spot)
            numbers.append(t)
            conditions += reach
        source = Access((image, outer, *spots), g.y_extents(), at.guard).guarded(*conditions)
        weights = Access((outer, inner, *numbers), g.w_extents(), at.guard).guarded(*conditions)
        _add(emitter, total, (dy, source), (w, weights))
    return total


def _met(
    emitter: Emitter, g: Geometry, a: int, start: Affine, number: Affine, sparse: bool
) -> tuple[Affine, Affine, tuple[Expr, ...]]:
    """Along axis ``a``: the window met, its tap, and the conditions under which both exist.

    ``start`` is the element's place counted from the padded edge.
    """
    op = g.op
    if sparse:
        last = emitter.quotient(start, op.stride[a])
        spot = last.plus(number.scaled(Size.of(-1)))
        t = start.plus(spot.scaled(Size.of(-op.stride[a])))
        tap = variable(Base(emitter.builder.index(t)))
        reach = (
            *emitter.inside(spot, True, g.y[a]),
            *emitter.inside(tap, False, Size.of(g.window[a])),
        )
        return spot, tap, reach
    spot = start.plus(number.scaled(Size.of(-op.dilation[a])))
    conditions: list[Expr] = []
    if op.stride[a] > 1:
        meets, spot = emitter.meets(spot, op.stride[a])
        conditions.append(meets)
    conditions += emitter.inside(spot, True, g.y[a])
    return spot, number, tuple(conditions)


@dataclass(frozen=True)
class WeightTerms(Op):
    """(x, dy) -> the products whose sums over images and positions are the weight gradient.

    Result axes: image, output channel, input channel in its group, taps, positions. It lives
    only inside this backend, between a rewrite and the printer.
    """

    op: ConvWeightGrad
    name = "weight_terms"
    leads = leads_as_first

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        x, dy = inputs
        (w,) = self.op.infer(inputs)
        return (TensorType((x.shape[0], *w.shape, *dy.shape[2:]), x.dtype),)

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        raise NotImplementedError("weight terms are summed as they are made")


@rule(WeightTerms)
def emit_weight_terms(emitter: Emitter, node: Node, number: int, at: Access) -> Expr:
    terms = node.op
    assert isinstance(terms, WeightTerms)
    op = terms.op
    x, dy = node.inputs
    rank = len(op.window)
    image, channels, inner, *rest = at.coordinates
    shape = (dy.shape[1], x.shape[1] // op.group, *op.window)
    y_at = Access(
        (image, channels, *rest[rank:]),
        (at.extents[0], Size.of(dy.shape[1]), *at.extents[3 + rank :]),
        at.guard,
    )
    g = geometry(emitter, op, x.shape, shape, dy.shape, y_access=y_at)
    group, _ = emitter.split(channels, (g.group, g.outputs))
    source = x_access(emitter, g, image, channel(group, g.inputs, inner), rest[rank:], rest[:rank])
    source = replace(source, guard=at.guard).guarded(*source.guard)
    left = emitter.emit_guarded(x, source)
    return emitter.builder.let(left * emitter.emit(dy, y_at), "v")


def _as_reduction(body: Graph, anchor: Node) -> Graph:
    """The body with its thin weight gradient written as a sum of :class:`WeightTerms`."""
    assert isinstance(anchor.op, ConvWeightGrad)
    op = WeightTerms(anchor.op)
    (kind,) = op.infer([v.type for v in anchor.inputs])
    terms = Value("terms", kind)
    last = range(1 + anchor.output.type.rank, kind.rank)
    total = Reduce("sum", (0, *last))
    (summed,) = total.infer([kind])
    name = anchor.output.name
    value = Value(f"{name}_sum", summed)
    nodes = [
        replace(anchor, op=op, outputs=(terms,)),
        replace(anchor, op=total, inputs=(terms,), outputs=(value,)),
        replace(anchor, op=Reshape(anchor.output.shape), inputs=(value,)),
    ]
    where = body.nodes.index(anchor)
    return replace(body, nodes=(*body.nodes[:where], *nodes, *body.nodes[where + 1 :]))
