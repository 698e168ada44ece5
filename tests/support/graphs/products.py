"""Convolutions, their gradients, and matrix products."""

from __future__ import annotations

from typing import Any

from ir.graph import Value
from ir.ops.convolution import Conv, ConvInputGrad, ConvWeightGrad, conv_output_extent
from ir.ops.matmul import MatMul

from .growth import Growth, draws

_RANKS = (4, 4, 3, 5)


def _full(v: Value) -> bool:
    """Extents and channels are not empty; the batch may be."""
    return all(v.shape[1:])


class _Kind:
    """Attributes of a convolution over ``rank`` axes."""

    def __init__(self, g: Growth, rank: int) -> None:
        self.window = tuple(g.number(1, 3) for _ in range(rank))
        self.stride = tuple(g.number(1, 3) for _ in range(rank))
        self.pad = tuple(g.number(0, 2) for _ in range(rank))
        self.dilation = tuple(g.choice(1, 1, 2) for _ in range(rank))

    def span(self, axis: int) -> int:
        return self.dilation[axis] * (self.window[axis] - 1) + 1

    def fit(self, spatial: tuple[int, ...]) -> None:
        """Shrink windows that are larger than what they slide over."""
        window = list(self.window)
        for i, d in enumerate(spatial):
            while self.dilation[i] * (window[i] - 1) + 1 > d + 2 * self.pad[i]:
                window[i] -= 1
        self.window = tuple(window)

    def attributes(self, group: int) -> dict[str, Any]:
        return {
            "stride": self.stride,
            "pad": self.pad,
            "dilation": self.dilation,
            "group": group,
        }

    def outputs(self, spatial: tuple[int, ...]) -> tuple[int, ...]:
        sizes = zip(spatial, self.window, self.stride, self.pad, self.dilation, strict=True)
        return tuple(conv_output_extent(*each) for each in sizes)


def _group(g: Growth, channels: int) -> int:
    return g.choice(*(n for n in (1, 2, 3, 5) if channels % n == 0))


@draws(Conv)
def draw_conv(g: Growth) -> None:
    x = g.value(*_RANKS, where=_full)
    kind = _Kind(g, x.type.rank - 2)
    kind.fit(x.shape[2:])
    group = _group(g, x.shape[1])
    outer = group * g.number(1, 3)
    w = g.value(shape=(outer, x.shape[1] // group, *kind.window))
    g.emit(Conv(**kind.attributes(group)), x, w)


@draws(ConvInputGrad)
def draw_conv_input_grad(g: Growth) -> None:
    dy = g.value(*_RANKS, where=_full)
    kind = _Kind(g, dy.type.rank - 2)
    spatial = []
    for i, out in enumerate(dy.shape[2:]):
        reached = (out - 1) * kind.stride[i] + kind.span(i) - 2 * kind.pad[i]
        # Elements that no window reaches may follow.
        extent = reached + g.number(0, kind.stride[i] - 1)
        while extent < 1:  # less padding, then
            kind.pad = tuple(p - (j == i) for j, p in enumerate(kind.pad))
            extent += 2
        spatial.append(extent)
    group = _group(g, dy.shape[1])
    w = g.value(shape=(dy.shape[1], g.number(1, 3), *kind.window))
    g.emit(ConvInputGrad(**kind.attributes(group), spatial=tuple(spatial)), dy, w)


@draws(ConvWeightGrad)
def draw_conv_weight_grad(g: Growth) -> None:
    x = g.value(*_RANKS, where=_full)
    kind = _Kind(g, x.type.rank - 2)
    kind.fit(x.shape[2:])
    group = _group(g, x.shape[1])
    outputs = kind.outputs(x.shape[2:])
    dy = g.value(shape=(x.shape[0], group * g.number(1, 2), *outputs))
    g.emit(ConvWeightGrad(**kind.attributes(group), window=kind.window), x, dy)


@draws(MatMul)
def draw_matmul(g: Growth) -> None:
    a = g.value(2, 2, 3, 4)
    op = MatMul(g.flag(), g.flag())
    inner = a.shape[-2] if op.transpose_a else a.shape[-1]
    outer = g.extent()
    last = (outer, inner) if op.transpose_b else (inner, outer)
    g.emit(op, a, g.value(shape=(*a.shape[:-2], *last)))
