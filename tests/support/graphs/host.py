"""What runs on the host: Python's functions, results whose size depends on data."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ir.graph import Role
from ir.ops.dynamic import NonZero, Trim
from ir.ops.host import HostCall
from ir.ops.ranks import MeanOverRanks
from ir.size import value_of
from ir.types import BOOL, F32, I32
from tests.support.rank_means import LikeThese

from .arrays import few_not_zero, integers
from .growth import Growth, draws


@draws(HostCall)
def draw_host_call(g: Growth) -> None:
    """sin of every input; with no result it is a file output."""
    inputs = [g.value(1, 2, 4) for _ in range(g.number(1, 2))]
    label = f"call{len(g.b.nodes)}"
    sink = g.number(0, 4) == 4

    def forward(arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        g.calls.append(label)
        return [] if sink else [np.sin(a) for a in arrays]

    def backward(needed: Sequence[bool], arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        g.calls.append(f"{label}.backward")
        count = len(inputs)
        parts = zip(needed, arrays[:count], arrays[2 * count :], strict=True)
        return [np.cos(x) * d for wanted, x, d in parts if wanted]

    types = () if sink else tuple(v.type.logical for v in inputs)
    g.emit(HostCall(label, types, forward, None if sink else backward), *inputs)


@draws(MeanOverRanks)
def draw_mean_over_ranks(g: Growth) -> None:
    inputs = [g.value(1, 2, 4) for _ in range(g.number(1, 2))]
    ranks = LikeThese(told=lambda: g.calls.append("mean"))
    g.emit(MeanOverRanks(ranks), *inputs)


@draws(NonZero)
def draw_nonzero(g: Growth) -> None:
    shape = (value_of(g.batch), *(g.extent() for _ in range(g.number(0, 1))))
    count = g.number(0, int(np.prod(shape)))
    dtype = g.choice(F32, I32, BOOL)
    mask = g.input(shape, dtype, few_not_zero(count), Role.DATA)
    g.emit(NonZero(count, f"filter{len(g.b.nodes)}"), mask)


@draws(Trim)
def draw_trim(g: Growth) -> None:
    x = g.value(1, 2, 3)
    count = g.number(0, value_of(x.shape[0]))
    found = g.input((1,), I32, integers(count, count + 1), Role.DATA)
    g.emit(Trim(count, 0, f"trim{len(g.b.nodes)}"), x, found)
