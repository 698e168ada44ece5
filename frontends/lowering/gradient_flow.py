"""Which layers run backward, and which bottoms get a diff. Caffe: src/caffe/net.cpp, Init."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ir.graph import Value
from ir.program import Cell, LayerInfo


def mark_backward(
    layers: Sequence[LayerInfo], cells: Mapping[str, Cell], force_backward: bool
) -> tuple[LayerInfo, ...]:
    """Set ``needs_backward`` and trim ``backward_bottoms``.

    ``backward_bottoms`` come in as "may get a diff". A layer needs backward when something it
    reads needs a diff or a cell of it learns, and when it contributes to a loss; with
    force_backward all layers do.
    """
    needed: set[Value] = set()
    below: list[bool] = []
    for layer in layers:
        allowed = layer.backward_bottoms
        wants = (
            force_backward
            or any(cells[c].learns for c in layer.cells)
            or any(ok and v in needed for v, ok in zip(layer.bottom_values, allowed, strict=True))
        )
        below.append(wants)
        if wants:
            needed.update(layer.top_values)
    contributes: set[Value] = set()
    marked: list[LayerInfo] = []
    for layer, wants in zip(reversed(layers), reversed(below), strict=True):
        loss = any(w != 0.0 for w in layer.loss_weights)
        counts = loss or any(v in contributes for v in layer.top_values)
        if counts:
            contributes.update(layer.bottom_values)
        runs = wants and (counts or force_backward)
        bottoms = tuple(
            runs and ok and (force_backward or v in needed)
            for v, ok in zip(layer.bottom_values, layer.backward_bottoms, strict=True)
        )
        marked.append(replace(layer, needs_backward=runs, backward_bottoms=bottoms))
    return tuple(reversed(marked))
