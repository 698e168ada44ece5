"""The graphs of a net's layers at the shapes that the layers run at."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from compiler.layerwise import LayerGraphs, LayerGraphTable
from ir.errors import RoasteryError
from ir.graph import Role
from ir.program import LayerInfo, NetProgram

Shape = tuple[int, ...]

_KEPT = 8
"""Of so many shapes per layer the graphs are kept."""


class LowerLayer(Protocol):
    """Lowers one layer again; `frontends.lowering.one_layer.LayerLowering.layer` is one."""

    def __call__(
        self,
        number: int,
        bottoms: Sequence[Shape],
        sizes: Mapping[str, Shape],
        *,
        runs_next: bool = True,
    ) -> NetProgram: ...


@dataclass(frozen=True)
class LayerShapes:
    """What the graphs of a layer are made for: the shapes of its bottoms, and ``sizes`` by name
    that they do not tell (`LayerInfo.sizes`)."""

    bottoms: tuple[Shape, ...]
    sizes: tuple[tuple[str, Shape], ...] = ()


def lowered_shapes(layer: LayerInfo) -> LayerShapes:
    """The shapes that a layer was lowered for. A size that depends on data is not among them."""
    tops = dict(zip(layer.tops, layer.top_values, strict=True))
    return LayerShapes(
        tuple(value.shape for value in layer.bottom_values),
        tuple((name, tops[name].shape) for name in layer.sizes if name in tops),
    )


class GraphsByShape:
    """Graphs by layer number and shapes; those of the net as it was lowered, and more on demand.

    Args:
        lower_again: None: every layer has the shapes of ``program``.
    """

    def __init__(self, program: NetProgram, lower_again: LowerLayer | None) -> None:
        self.lower_again = lower_again
        self._program = program
        self._first = LayerGraphTable(program)
        self._shared = _shared_statistics(program)
        self._kept: list[OrderedDict[LayerShapes, LayerGraphs]] = [
            OrderedDict() for _ in program.layers
        ]

    def at(self, number: int, shapes: LayerShapes) -> LayerGraphs:
        """Raises RoasteryError where the layer cannot take the shapes."""
        kept = self._kept[number]
        if shapes not in kept:
            kept[shapes] = self._make(number, shapes)
        kept.move_to_end(shapes)
        while len(kept) > _KEPT:
            kept.popitem(last=False)
        return kept[shapes]

    def _make(self, number: int, shapes: LayerShapes) -> LayerGraphs:
        layer = self._program.layers[number]
        # In the whole graph, a layer reads shared statistics as the layer before it left them; one
        # by one, both find them in their variable.
        alone = self.lower_again is not None and not self._shared.isdisjoint(layer.variables)
        if shapes == lowered_shapes(layer) and not alone:
            return self._first[number]
        if self.lower_again is None:
            given = dict(zip(layer.bottoms, shapes.bottoms, strict=True)) | dict(shapes.sizes)
            raise RoasteryError(
                f"this net has fixed shapes; given {given}", location=layer.location
            )
        return LayerGraphTable(self.lower_again(number, shapes.bottoms, dict(shapes.sizes)))[0]

    def reshaped(self, number: int, bottoms: Sequence[Shape]) -> LayerGraphs:
        """The graphs after the layer's own `reshape` was called; it may say anything each time."""
        assert self.lower_again is not None
        return LayerGraphTable(self.lower_again(number, bottoms, {}, runs_next=False))[0]


def _shared_statistics(program: NetProgram) -> frozenset[str]:
    uses = Counter(variable for layer in program.layers for variable in layer.variables)
    return frozenset(
        name
        for name, count in uses.items()
        if count > 1 and program.variables[name].role is Role.STATE
    )
