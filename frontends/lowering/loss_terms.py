"""What the loss layers share: labels beside scores, softmax, ignored positions, normalization."""

from __future__ import annotations

import math
from dataclasses import dataclass

from frontends.prototxt.message import Message
from ir import expr as e
from ir.expr import Expr
from ir.graph import Value
from ir.size import larger
from ir.types import F32

from .context import LayerContext

SMALLEST = 1.17549435e-38
"""FLT_MIN, below which SoftmaxWithLoss takes no logarithm: its loss ends at 87.3365."""

LOG_THRESHOLD = 1e-20
"""The same for InfogainLoss and MultinomialLogisticLoss (Caffe: loss_layer.hpp)."""


def check_equal_batches(ctx: LayerContext) -> None:
    """The first two bottoms agree in their first extent. Caffe: loss_layer.cpp, Reshape."""
    scores, labels = ctx.bottoms[0].shape, ctx.bottoms[1].shape
    ctx.check(
        bool(scores and labels) and scores[0] == labels[0],
        f"'{ctx.layer.bottom[0]}' has shape {list(scores)} and '{ctx.layer.bottom[1]}' "
        f"{list(labels)}: their first extents must be equal",
        "bottom",
        index=1,
    )


def check_row_labels(ctx: LayerContext, rows: int, bottom: int = 1) -> None:
    """A bottom has one label for each of the rows of the first one."""
    x, labels, names = ctx.x, ctx.bottoms[bottom], ctx.layer.bottom
    ctx.check(
        labels.type.size == rows,
        f"'{names[bottom]}' {list(labels.shape)} holds {labels.type.size} labels for {rows} rows "
        f"of '{names[0]}' {list(x.shape)}",
        "bottom",
        "there is one label per row",
        index=bottom,
    )


def labels_along(ctx: LayerContext, axis: int, ignored: int | None) -> Value:
    """The labels (bottom 1) in the shape of the scores (bottom 0), with extent 1 on ``axis``."""
    scores, labels = ctx.bottoms[:2]
    shape = (*scores.shape[:axis], 1, *scores.shape[axis + 1 :])
    ctx.check(
        labels.type.size == math.prod(shape),
        f"{labels.type.size} labels in '{ctx.layer.bottom[1]}' {list(labels.shape)} for "
        f"{math.prod(shape)} predictions in '{ctx.layer.bottom[0]}' {list(scores.shape)}, "
        f"classes on axis {axis}",
        "bottom",
        "there is one label per position, a whole number from 0 to the number of classes - 1",
        index=1,
    )
    ctx.takes_labels(scores.shape[axis], ignored, scores=axis)
    return ctx.b.reshape(labels, shape)


def class_rows(ctx: LayerContext) -> tuple[Value, Value]:
    """The scores as (batch, classes) and one label per row as (batch, 1)."""
    check_equal_batches(ctx)
    x, labels = ctx.bottoms[:2]
    batch = x.shape[0]
    check_row_labels(ctx, batch)
    width = x.type.size // batch if batch else 1
    ctx.takes_labels(width, scores=1)
    return ctx.b.reshape(x, (batch, width)), ctx.b.reshape(labels, (batch, 1))


def hits(label: Expr, axis: int) -> Expr:
    """Whether the element's coordinate on ``axis`` is the label."""
    return e.equal(e.index(axis), e.to_int(label))


def in_range(label: Expr, classes: int) -> Expr:
    """Whether a label names a class. The runtime refuses other labels where it sees them."""
    number = e.to_int(label)
    return (number >= 0) & (number < e.dyn(classes))


@dataclass(frozen=True)
class Softmax:
    """Pieces of a softmax along an axis: probability = exps / total = exp(x - top) / total."""

    top: Value
    exps: Value
    total: Value

    def probabilities(self, ctx: LayerContext, *, flows: bool = True) -> Value:
        """exps / total; without ``flows`` no gradient goes back through them."""
        share = e.arg(0) / e.arg(1)
        return ctx.b.map(share if flows else e.stop(share), self.exps, self.total)


def softmax_pieces(ctx: LayerContext, x: Value, axis: int) -> Softmax:
    """Subtract the maximum, exponentiate, add up. Caffe: softmax_layer.cpp."""
    b = ctx.b
    top = b.reduce("max", x, (axis,))
    # The maximum cancels out, so no gradient flows through it.
    exps = b.map(e.exp(e.arg(0) - e.stop(e.arg(1))), x, top)
    return Softmax(top, exps, b.sum(exps, (axis,)))


@dataclass(frozen=True)
class Positions:
    """Where a loss is summed: which positions count, and what the sum is divided by.

    ``outer``: extents before the class axis; ``count``: all positions. ``ignored``: the label
    that does not count, if there is one. ``fixed``: what PRE_FIXED, a value of forks, divides by.
    """

    outer: int
    count: int
    normalization: str
    ignored: int | None
    fixed: float = 1.0

    def keep(self, label: Expr, term: Expr) -> Expr:
        """``term`` where the label counts, 0 elsewhere."""
        if self.ignored is None:
            return term
        return e.where(e.equal(e.to_int(label), self.ignored), 0.0, term)

    def normalized(self, ctx: LayerContext, terms: Value, labels: Value) -> Value:
        """The sum of all terms over the normalizer, a scalar.

        Caffe: get_normalizer of softmax_loss_layer.cpp; never divides by less than 1.
        """
        b = ctx.b
        total = b.sum(terms, range(terms.type.rank))
        if self.normalization == "VALID" and self.ignored is not None:
            counted = b.map(self.keep(e.arg(0), e.const(1.0)), labels)
            valid = b.reshape(b.sum(counted, range(labels.type.rank)), total.shape)
            loss = b.map(e.arg(0) / e.maximum(e.arg(1), 1.0), total, valid)
        elif self.normalization == "NONE":
            loss = total
        elif self.normalization == "PRE_FIXED":
            loss = b.map(e.arg(0) / max(1.0, self.fixed), total)
        else:
            number = self.outer if self.normalization == "BATCH_SIZE" else self.count
            loss = b.map(e.arg(0) / e.dyn(larger(number, 1), F32), total)
        return b.reshape(loss, ())


def loss_positions(
    loss_param: Message, outer: int, count: int, default: str = "VALID"
) -> Positions:
    """Read LossParameter: ``normalization`` wins over the older ``normalize``."""
    if loss_param.has("normalization"):
        normalization = loss_param.normalization
    elif loss_param.has("normalize"):
        normalization = "VALID" if loss_param.normalize else "BATCH_SIZE"
    else:
        normalization = default
    ignored, fixed = loss_param.get("ignore_label"), loss_param.get("pre_fixed_normalizer", 1.0)
    return Positions(outer, count, normalization, ignored, fixed)


def mean_over_batch(ctx: LayerContext, terms: Value, scale: float = 1.0) -> Value:
    """``scale`` times the sum of all terms over the batch size, a scalar."""
    total = ctx.b.sum(terms, range(terms.type.rank))
    batch = e.dyn(ctx.x.shape[0], F32)
    term = e.arg(0) if scale == 1.0 else e.arg(0) * scale
    return ctx.b.reshape(ctx.b.map(term / batch, total), ())
