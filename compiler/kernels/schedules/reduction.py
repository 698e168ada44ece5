"""Which axes reductions reduce, and what tiles over them look like.

Axes are in the order in which memory has them: neighbours of a tile are neighbours there."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from compiler.kernel import Config
from ir.graph import Graph, Node
from ir.size import Size

from ..folds import Fold, fold_of


def tile_of(a: int, b: int, warps: int = 4) -> Config:
    """A x B elements."""
    return Config((("A", a), ("B", b)), warps)


@dataclass(frozen=True, slots=True)
class Reduction:
    """The anchors of a group: reductions of one shape over the same axes.

    ``order``: all axes, the outermost of memory first, those of one element before all; ``units``:
    how many of these there are.
    """

    nodes: tuple[Node, ...]
    shape: tuple[int, ...]
    axes: tuple[int, ...]
    order: tuple[int, ...]
    units: int = 0

    @property
    def folds(self) -> list[Fold]:
        return [fold_of(n) for n in self.nodes]

    @property
    def kind(self) -> str:
        if self.order[-1] not in self.axes:
            return "columns"
        long = [axis for axis in self.order[self.units :] if axis in self.axes]
        return "rows" if not long or [*self.order[-len(long) :]] == long else "planes"

    @property
    def kept(self) -> tuple[int, ...]:
        return tuple(axis for axis in self.order if axis not in self.axes)

    @property
    def in_order(self) -> bool:
        """Whether results that are row-major are in memory's order."""
        long = [axis for axis in self.order[self.units :] if axis not in self.axes]
        return long == sorted(long)

    @property
    def side(self) -> int | None:
        """The dimension of the tile along the results; None where a tile makes one of them."""
        return {"rows": 0, "planes": None, "columns": 1}[self.kind]

    @property
    def walked(self) -> list[tuple[tuple[int, ...], int]]:
        """Reduced axes, and the dimension of the tile along them. The first can be split."""
        reduced = tuple(axis for axis in self.order if axis in self.axes)
        if self.side is not None:
            return [(reduced, 1 - self.side)]
        run = self.order.index(self.kept[-1])  # what ends the last
        outer = tuple(axis for axis in self.order[:run] if axis in self.axes)
        return [(outer, 0), (reduced[len(outer) :], 1)]

    def count(self, axes: Sequence[int]) -> int:
        return math.prod(self.shape[axis] for axis in axes)

    def at(self, number: Callable[[int], int]) -> Reduction:
        """With the numbers that sizes are."""
        return replace(self, shape=tuple(map(number, self.shape)))

    def programs(self, tile: Config) -> int:
        return -(-self.count(self.kept) // (1 if self.side is None else tile["AB"[self.side]]))

    def walk(self, tile: Config) -> tuple[int, int]:
        """Steps along the dimension that can be split, and loads that each of them takes."""
        steps = [-(-self.count(axes) // tile["AB"[axis]]) for axes, axis in self.walked]
        return steps[0], math.prod(steps[1:])


def reduction_of(body: Graph) -> Reduction:
    nodes = tuple(n for n in body.nodes if n.op.fold is not None)
    shapes = {n.inputs[0].shape for n in nodes}
    axes = {n.op.reduced_axes for n in nodes}
    if len(shapes) != 1 or len(axes) != 1:
        raise ValueError(f"a reduce group needs one shape and one set of axes: {shapes}, {axes}")
    shape = shapes.pop()
    order = _order(body, shape)
    units = tuple(axis for axis in order if not isinstance(shape[axis], Size) and shape[axis] == 1)
    order = (*units, *(axis for axis in order if axis not in units))
    return Reduction(nodes, shape, tuple(sorted(axes.pop())), order, len(units))


def _order(body: Graph, shape: tuple[int, ...]) -> tuple[int, ...]:
    """In which memory has the axes of what is read as it is reduced."""
    parts = (node.output for node in body.nodes if node.op.cut is not None)
    types = [value.type for value in (*(port.value for port in body.inputs), *parts)]
    layouts = (type.layout for type in types if type.layout and type.shape == shape)
    layout = next(layouts, None)
    if layout is None:
        return tuple(range(len(shape)))
    last = {part.axis: number for number, part in enumerate(layout.parts)}
    return tuple(sorted(last, key=last.__getitem__))
