"""Padding that differs from side to side: pad_l, pad_r, pad_t, pad_b and pad_type of Synopsys.

synopsys-caffe: src/caffe/layers/base_conv_layer.cpp, pooling_layer.cpp, src/caffe/util/im2col.cpp.
"""

from __future__ import annotations

from collections.abc import Sequence

from ir.size import larger

from .context import LayerContext

PADDING_FIELDS = ("pad_l", "pad_r", "pad_t", "pad_b", "pad_type")
"""For ``fork_fields`` of a layer that honours them."""

_SAME = 1

Sides = tuple[tuple[int, int], tuple[int, int]]
"""Padding before and behind, of height and width."""


def uneven_padding(ctx: LayerContext, rank: int) -> Sides | None:
    """What the four fields say; None where they are 0, as in the fork, and ``pad`` counts.

    Args:
        rank: how many spatial axes the bottom has.
    """
    p = ctx.param
    sides = ((p.pad_t, p.pad_b), (p.pad_l, p.pad_r))
    if not any(map(any, sides)):
        return None
    first = next(field for field in PADDING_FIELDS if p.has(field) and p[field])
    ctx.check(rank == 2, f"{first} is for 2 spatial axes, the bottom has {rank}", first)
    _alone(ctx, first)
    for field in ("pad_t", "pad_b", "pad_l", "pad_r"):
        ctx.check(p[field] >= 0, f"{field} is {p[field]}", field, "0 or more")
    return sides


def is_same_padding(ctx: LayerContext) -> bool:
    """Whether pad_type asks for TensorFlow's "SAME": as many outputs as the stride divides."""
    kind = ctx.param.pad_type
    if kind == 0:
        return False
    ctx.check(kind == _SAME, f"pad_type is {kind}", "pad_type", "0 (as padded) or 1 (SAME)")
    _alone(ctx, "pad_type")
    return True


def same_padding(extents: Sequence[int], window: Sequence[int], stride: Sequence[int]) -> Sides:
    """Padding before and behind that makes ceil(extent / stride) windows; more goes behind.

    The fork leaves a dilation out of account.
    """
    sides = []
    for d, k, s in zip(extents, window, stride, strict=True):
        whole = larger((-(-d // s) - 1) * s + k - d, 0)
        sides.append((whole // 2, whole - whole // 2))
    return (sides[0], sides[1])


def _alone(ctx: LayerContext, field: str) -> None:
    """Refuse other fields that say how far to pad."""
    p = ctx.param
    others = ["pad", "pad_h", "pad_w", *(["pad_type"] if field != "pad_type" else [])]
    for other in others:
        given = p.has(other) and p[other] not in (0, [0], [0, 0])
        ctx.check(not given, f"both {field} and {other} are given", other, "give one of the two")
