"""Gather and Scatter (yjxiong's Caffe): batches between processes, of which there is one."""

from __future__ import annotations

from collections.abc import Sequence

from ir.graph import Value

from ..context import LayerContext
from ..registry import layer


def _same(ctx: LayerContext) -> Sequence[Value]:
    for field in ("gather_param",):
        ctx.check(
            not ctx.layer.has(field),
            f"this {ctx.kind.name} picks elements, as in another fork, and is not known here",
            field,
        )
    return ctx.bottoms


layer(
    "Gather",
    bottoms=(1, None),
    tops=(1, None),
    same_count=True,
    shares_data=True,
    fork="yjxiong",
    note="There is one process: the bottoms as they are. Other forks' Gather is another layer.",
)(_same)
layer(
    "Scatter",
    bottoms=(1, None),
    tops=(1, None),
    same_count=True,
    shares_data=True,
    fork="yjxiong",
    note="There is one process: the bottoms as they are.",
)(_same)
