"""Statistics of the records of all ranks, of those of each rank's own."""

from __future__ import annotations

from ir import expr as e
from ir.graph import Value
from ir.ops.ranks import MeanOverRanks

from .context import LayerContext


def over_ranks(ctx: LayerContext, mean: Value, variance: Value) -> tuple[Value, Value]:
    """Mean and biased variance of the records of all ranks, which have as many each.

    Args:
        mean: of the own records. variance: theirs, through which no gradient flows to the mean.
    """
    if ctx.ranks is None:
        return mean, variance
    b, together = ctx.b, MeanOverRanks(ctx.ranks)
    middle = b.emit(together, mean)
    # The mean square of what the records differ by from another middle than their own. To first
    # order the mean of these over all ranks does not change with the middle of all.
    away = e.arg(1) - e.stop(e.arg(2))
    squares = b.map(e.arg(0) + away * away, variance, mean, middle)
    # The mean goes along once more: gradients of both then come back in one message.
    mean, variance = b.emit_all(together, mean, squares)
    return mean, variance


def rank_count(ctx: LayerContext) -> int:
    """How many ranks share the statistics of a batch."""
    return 1 if ctx.ranks is None else ctx.ranks.count
