"""Winograd's transforms."""

from __future__ import annotations

from ir.graph import Value
from ir.ops.winograd import WinogradInput, WinogradOutput, WinogradWeights

from .growth import Growth, draws


def _full(v: Value) -> bool:
    return all(v.shape[1:])


@draws(WinogradInput)
def draw_winograd_input(g: Growth) -> None:
    x = g.value(4, where=_full)
    g.emit(WinogradInput(g.choice(2, 4), pad=(g.number(1, 2), g.number(1, 2))), x)


@draws(WinogradWeights)
def draw_winograd_weights(g: Growth) -> None:
    g.emit(WinogradWeights(g.choice(2, 4)), g.value(shape=(g.number(1, 3), g.number(1, 3), 3, 3)))


@draws(WinogradOutput)
def draw_winograd_output(g: Growth) -> None:
    tile, tiles = g.choice(2, 4), (g.number(1, 2), g.number(1, 2))
    channels = (tile + 2) ** 2 * g.number(1, 2)
    op = WinogradOutput(tile, spatial=tuple(tile * n - g.number(0, 1) for n in tiles))
    g.emit(op, g.value(shape=(g.number(1, 2), channels, *tiles)))
