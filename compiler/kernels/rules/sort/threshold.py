"""The key that as many of a row have, or a larger one, as are asked for."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from ir import expr as e
from ir.expr import Expr

from ...builder import KernelBuilder
from ...expressions import SCALAR, across, any_lane

_LARGEST_BIT = 2**30
Blocks = Callable[[], contextlib.AbstractContextManager[tuple[Expr, Expr]]]
"""Opens a loop over a row: gives places and keys of a block; behind the row the least key."""


def threshold(
    builder: KernelBuilder, blocks: Blocks, count: Expr, least: Expr, largest: Expr
) -> tuple[Expr, Expr]:
    """It, and how many keys are larger: less than ``count``, while with those that are equal there
    are as many, or more.

    ``least``, ``largest``: of all keys. Found bit by bit, of which each takes a look at the row
    unless it is known that all keys, or too few, are as large. It need not be a key where just as
    many are larger.
    """
    found = builder.declare(e.const(-(2**31)), SCALAR, "i", "found")
    most = builder.declare(e.const(0), SCALAR, "i", "most")
    trial = builder.declare(e.const(0), SCALAR, "i", "trial")
    bit = builder.declare(e.const(_LARGEST_BIT), SCALAR, "i", "bit")
    builder.assign(most, largest)
    with builder.loop(e.const(32), hint="turn"):
        builder.assign(found, e.where(trial <= least, trial, found))
        with builder.when(any_lane((least < trial) & (trial <= most))):
            many = number_of(builder, blocks, lambda _, key: key >= trial)
            enough = builder.now(many >= count, "enough")
            closer = e.where(e.equal(many, count), trial, most)
            builder.assign(most, e.where(enough, closer, trial - 1))
            builder.assign(found, e.where(enough, trial, found))
        builder.assign(trial, found + bit)
        builder.assign(bit, bit // 2)
    return found, number_of(builder, blocks, lambda _, key: key > found)


def number_of(builder: KernelBuilder, blocks: Blocks, holds: Callable[[Expr, Expr], Expr]) -> Expr:
    """How many places and keys of a row meet a condition, as a tile of one element."""
    number = builder.declare(e.const(0), frozenset({0}), "i", "number")
    with blocks() as (place, key):
        builder.increase(number, e.where(holds(place, key), 1, 0))
    return builder.now(across("sum", number, (0,)), "many")
