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
    def inner(self) -> tuple[int, ...]:
        """For planes: the last run of reduced axes."""
        last = len(self.shape)
        while last - 1 in self.axes:
            last -= 1
        return tuple(range(last, len(self.shape)))

    def count(self, axes: Sequence[int]) -> int:
        return math.prod(self.shape[axis] for axis in axes)

    def at(self, number: Callable[[int], int]) -> Reduction:
        """With the numbers that sizes are."""
        return replace(self, shape=tuple(map(number, self.shape)))

    def programs(self, tile: Config) -> int:
        side = {"rows": tile["A"], "planes": 1, "columns": tile["B"]}[self.kind]
        return -(-self.count(self.kept) // side)

    def walk(self, tile: Config) -> tuple[int, int]:
        """Steps along the dimension that can be split, and loads that each of them takes."""
        total = self.count(self.axes)
        if self.kind == "planes":
            inner = self.count(self.inner)
            return -(-(total // inner) // tile["A"]), -(-inner // tile["B"])
        return -(-total // tile["B" if self.kind == "rows" else "A"]), 1


def reduction_of(body: Graph) -> Reduction:
    nodes = tuple(n for n in body.nodes if n.op.fold is not None)
    shapes = {n.inputs[0].shape for n in nodes}
    axes = {n.op.reduced_axes for n in nodes}
    if len(shapes) != 1 or len(axes) != 1:
        raise ValueError(f"a reduce group needs one shape and one set of axes: {shapes}, {axes}")
    return Reduction(nodes, shapes.pop(), tuple(sorted(axes.pop())))
