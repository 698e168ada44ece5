"""One vector of results, or one result, gathered of all that is reduced."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from ir.expr import Expr
from ir.graph import Node

from ...emitter import Access
from ...expressions import Axes
from ...folds import fold_of
from ...index import Base
from .reduced_loops import ReducedLoops
from .reduced_walk import ReducedWalk
from .tile import ONE_VECTOR, U, V


class Gathering:
    """Several reductions of one walk. ``axes``: the dimensions of the tile along results."""

    def __init__(self, loops: ReducedLoops, walk: ReducedWalk, nodes: Sequence[Node]) -> None:
        self._loops, self._walk, self._builder = loops, walk, loops.builder
        self._nodes, self._folds = nodes, [fold_of(node) for node in nodes]
        self._origins: list[Expr | None] = []

    def gathered(
        self, kept: dict[int, Base], inside: tuple[Expr, ...], axes: Axes
    ) -> list[tuple[Expr, ...]]:
        """Of each its value, of some a place, too."""
        loops = self._loops
        at = loops.access(kept, inside)
        self._origins = [
            loops.emitter.emit(node.inputs[0], at) if fold.from_origin else None
            for fold, node in zip(self._folds, self._nodes, strict=True)
        ]
        across = loops.lane in loops.reduced
        mine = ONE_VECTOR if across else axes
        totals = self._begin(mine)
        with contextlib.ExitStack() as stack:
            bases = self._walk.outer(stack, kept)
            if len(loops.reduced) > 1:  # a tree: what an inner loop gathers, and then its total
                parts = self._begin(mine)
                self._inner(bases, inside, mine, parts)
                for fold, part, total in zip(self._folds, parts, totals, strict=True):
                    fold.step(self._builder, total, part)
            else:
                self._inner(bases, inside, mine, totals)
        return [self._finish(i, total, V) for i, total in enumerate(totals)] if across else totals

    def _inner(
        self,
        bases: dict[int, Base],
        inside: tuple[Expr, ...],
        axes: Axes,
        parts: Sequence[tuple[Expr, ...]],
    ) -> None:
        """What the innermost loop reaches is added to ``parts``."""
        many = self._loops.config["U"] > 1 and U not in axes
        wide = self._begin(axes | {U}) if many else parts
        for access, along in self._walk.inner(bases, inside, tiles=True):
            target = wide if U in along else parts
            for number, gathered in enumerate(target):
                self._folds[number].step(self._builder, gathered, self._taken(number, access))
        if many:
            for i, (fold, gathered, part) in enumerate(zip(self._folds, wide, parts, strict=True)):
                fold.step(self._builder, part, self._finish(i, gathered, U))

    def _begin(self, axes: Axes) -> list[tuple[Expr, ...]]:
        return [
            fold.begin(self._builder, axes, node.output.name)
            for fold, node in zip(self._folds, self._nodes, strict=True)
        ]

    def _finish(self, number: int, gathered: tuple[Expr, ...], axis: int) -> tuple[Expr, ...]:
        name = self._nodes[number].output.name
        return self._folds[number].finish(self._builder, gathered, (axis,), name)

    def _taken(self, number: int, access: Access) -> tuple[Expr, ...]:
        """What is reduced, neutral where it is not inside."""
        emitter, node, fold = self._loops.emitter, self._nodes[number], self._folds[number]
        value = emitter.emit(node.inputs[0], access)
        emitter.builder.place(node.location)
        return fold.taken(emitter, value, access, access.guard, self._origins[number])
