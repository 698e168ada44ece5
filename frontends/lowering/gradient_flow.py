"""Which layers run backward, and which bottoms get a diff. Caffe: src/caffe/net.cpp, Init."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ir.graph import Value
from ir.program import LayerInfo, Variable


def mark_backward(
    layers: Sequence[LayerInfo], variables: Mapping[str, Variable], force_backward: bool
) -> tuple[LayerInfo, ...]:
    """Set ``needs_backward`` and trim ``backward_bottoms``.

    ``backward_bottoms`` come in as "may get a diff": what propagate_down says, or whether
    anything below the bottom learns. A layer runs backward when it or something below it learns,
    it contributes to a loss, and some layer above asks for the diff of one of its tops; with
    force_backward every layer does.
    """
    if force_backward:
        return tuple(replace(layer, needs_backward=True) for layer in layers)
    learning = _above_learning(layers, variables)
    contributes: set[Value] = set()  # a loss is computed from these
    unasked: set[Value] = set()  # the layer that reads these wants no diff of them
    marked: list[LayerInfo] = []
    for layer, learns in zip(reversed(layers), reversed(learning), strict=True):
        tops = list(zip(layer.top_values, layer.loss_weights, strict=True))
        counts = any(weight != 0.0 or v in contributes for v, weight in tops)
        asked = any(weight != 0.0 or v not in unasked for v, weight in tops)
        runs = learns and counts and asked
        bottoms = tuple(counts and (asked or not learns) and ok for ok in layer.backward_bottoms)
        if counts:
            contributes.update(layer.bottom_values)
        unasked.update(v for v, ok in zip(layer.bottom_values, bottoms, strict=True) if not ok)
        marked.append(
            replace(
                layer, needs_backward=runs, backward_bottoms=tuple(runs and ok for ok in bottoms)
            )
        )
    return tuple(reversed(marked))


def _above_learning(layers: Sequence[LayerInfo], variables: Mapping[str, Variable]) -> list[bool]:
    """Per layer: does it learn, or anything below it? propagate_down does not matter here."""
    found: list[bool] = []
    values: set[Value] = set()
    for layer in layers:
        learns = any(variables[name].learns for name in layer.variables) or any(
            v in values for v in layer.bottom_values
        )
        found.append(learns)
        if learns:
            values.update(layer.top_values)
    return found
