"""Which axes reductions reduce, and what tiles over them look like."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from compiler.kernel import Config
from ir.graph import Graph, Node

from ..folds import Fold


def tile_of(a: int, b: int, warps: int = 4) -> Config:
    """A x B elements."""
    return Config((("A", a), ("B", b)), warps)


@dataclass(frozen=True, slots=True)
class Reduction:
    """The anchors of a group: reductions of one shape over the same axes."""

    nodes: tuple[Node, ...]
    shape: tuple[int, ...]
    axes: tuple[int, ...]

    @property
    def folds(self) -> list[Fold]:
        return [Fold.of(n) for n in self.nodes]

    @property
    def kind(self) -> str:
        if len(self.shape) - 1 not in self.axes:
            return "columns"
        neighbours = self.axes == tuple(range(self.axes[0], len(self.shape)))
        return "rows" if neighbours else "planes"

    @property
    def kept(self) -> tuple[int, ...]:
        return tuple(i for i in range(len(self.shape)) if i not in self.axes)

    @property
    def side(self) -> int | None:
        """The dimension of the tile along the results; None where a tile makes one of them."""
        return {"rows": 0, "planes": None, "columns": 1}[self.kind]

    @property
    def walked(self) -> list[tuple[tuple[int, ...], int]]:
        """Reduced axes, and the dimension of the tile along them. The first can be split."""
        if self.side is not None:
            return [(self.axes, 1 - self.side)]
        run = max(a for a in range(len(self.shape)) if a not in self.axes)  # what ends the last
        outer = tuple(a for a in self.axes if a < run)
        return [(outer, 0), (self.axes[len(outer) :], 1)]

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
    return Reduction(nodes, shapes.pop(), tuple(sorted(axes.pop())))
