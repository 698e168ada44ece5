"""Sliding windows, with places and their adjoints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ir.graph import Value
from ir.ops.window import WindowMax, WindowPick, WindowScatter, WindowSpread, WindowSum
from ir.size import Size, value_of

from .growth import Growth, draws


@dataclass
class _Slide:
    """Attributes of windows over the last axes of a tensor; each holds some element."""

    window: tuple[int, ...]
    stride: tuple[int, ...]
    low: tuple[int, ...]
    high: tuple[int, ...]

    @property
    def attributes(self) -> dict[str, Any]:
        return vars(self).copy()


def _axis(g: Growth, extent: int, slides: bool) -> tuple[int, int, int, int]:
    window = g.number(1, 3) if slides and extent else 1
    if window == 1 and not slides:
        return 1, 1, 0, 0
    stride = g.number(1, 3)
    low = g.number(0, window - 1)
    if isinstance(extent, Size):
        reached = max(g.number(0, window - 1), window - low - value_of(extent))
        further = (extent + low + reached - window) // stride
        return window, stride, low, further * stride + window - low - extent
    most = (extent - 1 + low) // stride + 1  # the last window begins inside
    count = g.choice(*range(most, 0, -1))
    high = (count - 1) * stride + window - low - extent
    while high >= window:
        high -= stride
    return window, stride, low, high


def _slide(g: Growth, shape: tuple[int, ...], first: int) -> _Slide:
    """``first``: the first axis that windows may slide over."""
    axes = [_axis(g, d, i >= first) for i, d in enumerate(shape)]
    return _Slide(*(tuple(column) for column in zip(*axes, strict=True)))


def _full(v: Value) -> bool:
    return all(v.shape[1:])


@draws(WindowSum)
def draw_window_sum(g: Growth) -> None:
    x = g.value(4, 3, 2, where=_full)
    g.emit(WindowSum(**_slide(g, x.shape, 1).attributes), x)


@draws(WindowSpread)
def draw_window_spread(g: Growth) -> None:
    like = g.value(4, 3, 2, where=_full)
    op = WindowSpread(**_slide(g, like.shape, 1).attributes, shape=like.shape)
    g.emit(op, g.value(shape=op.out_shape(like.shape)))


def _places(g: Growth) -> tuple[Value, _Slide, int, Value, Value]:
    """What maxima are taken of, how, the rank of places; the maxima and the places."""
    x = g.value(4, 4, 3, 5, where=_full)
    rank = g.number(1, x.type.rank - 2)
    slide = _slide(g, x.shape, x.type.rank - rank)
    best, place = g.emit(WindowMax(**slide.attributes, spatial_rank=rank), x)
    return x, slide, rank, best, place


@draws(WindowMax)
def draw_window_max(g: Growth) -> None:
    _places(g)


@draws(WindowScatter)
def draw_window_scatter(g: Growth) -> None:
    x, slide, rank, best, place = _places(g)
    op = WindowScatter(**slide.attributes, shape=x.shape, spatial_rank=rank)
    g.emit(op, g.value(shape=best.shape), place)


@draws(WindowPick)
def draw_window_pick(g: Growth) -> None:
    x, slide, rank, _, place = _places(g)
    g.emit(WindowPick(**slide.attributes, spatial_rank=rank), g.value(shape=x.shape), place)
