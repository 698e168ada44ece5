"""Sums over all positions of what a product makes, in its kernel.

A kernel that multiplies has each of its results in registers. If somebody sums them over all rows,
that is over all but the channels, it gives the sum of its tile, too, and the result is not read
again. Whatever else the sum is of is read there in the same order, once in either case.
"""

from __future__ import annotations

from collections.abc import Sequence

from ir.graph import Node, Value
from ir.op import DEVIATIONS

from .patterns import OpPattern
from .rows import KnownNodes

MOST_SUMS = 8  # of one kernel

_KINDS = ("sum", DEVIATIONS)


def summing_product(grouping: KnownNodes, members: Sequence[int]) -> Node | None:
    """The product of a group, if its kernel can sum over rows and has room for that."""
    found = [m for m in members if grouping.patterns[m] is OpPattern.CONTRACT]
    if len(found) != 1:
        return None
    node = grouping.nodes[found[0]]
    images = node.op.images
    alone = images[-1] and node.op.channels[-1][0].groups == 1 if images else node.op.outer_axes
    return node if alone else None


def summed_with(grouping: KnownNodes, product: Node, sums: Sequence[int], made: set[Value]) -> bool:
    """Whether all of a group's reductions (``sums``) are such sums, of values that are ``made``."""
    reduces = [m for m in sums if grouping.patterns[m] is OpPattern.REDUCE]
    return len(reduces) <= MOST_SUMS and all(
        _is_over_rows(grouping.nodes[m], product) and _reads(grouping, m, made) for m in reduces
    )


def _is_over_rows(node: Node, product: Node) -> bool:
    fold, result = node.op.fold, product.output
    channel = product.op.channel_axis(result.type.rank)
    assert fold is not None
    others = [axis for axis in range(result.type.rank) if axis != channel]
    return (
        fold.kind in _KINDS
        and not fold.tie
        and node.inputs[0].shape == result.shape
        and list(fold.axes) == others
    )


def _reads(grouping: KnownNodes, i: int, made: set[Value]) -> bool:
    """Whether what a node reduces reads results of the product's kernel, each where it is made."""
    (value,) = grouping.nodes[i].inputs
    work = grouping.inlining.inlined.get(value)
    if work is None:
        return value in made
    own = [aligned for leaf, aligned in work.loads.items() if leaf in made]
    return bool(own) and all(own)


def results_read(grouping: KnownNodes, members: Sequence[int]) -> set[Value]:
    """What reductions of a group read of its product's results: it has to be in memory for a device
    on which another kernel sums up."""
    if summing_product(grouping, members) is None:
        return set()
    made = {v for m in members for v in grouping.nodes[m].outputs}
    reduces = (m for m in members if grouping.patterns[m] is OpPattern.REDUCE)
    return {value for m in reduces for value in grouping.loads[m] if value in made}
