"""Parts of reductions in scratch memory: stored by one kernel, folded by the next."""

from __future__ import annotations

from collections.abc import Sequence

from compiler.kernel import Scratch
from ir.expr import Expr
from ir.graph import Node

from ...expressions import Axes, element, read
from ...folds import fold_of
from ...index import Base
from ...monomial import product
from .reduced_loops import ReducedLoops


class ReducedParts:
    def __init__(self, loops: ReducedLoops) -> None:
        self._loops, self._builder = loops, loops.builder

    def buffers(self) -> list[tuple[Scratch, ...]]:
        """Of each reduction that of its values, of some that of their places, too."""
        loops = self._loops
        elements = loops.splits * product(x.extent for x in loops.kept).size
        numbers = iter(range(3 * len(loops.reduction.nodes)))
        return [
            tuple(Scratch(next(numbers), elements * start.dtype.itemsize) for start in fold.starts)
            for fold in loops.reduction.folds
        ]

    def store(
        self,
        kept: dict[int, Base],
        inside: tuple[Expr, ...],
        found: Sequence[tuple[Expr, ...]],
    ) -> None:
        """What this program's part gave."""
        builder = self._builder
        place = self._place(kept, builder.program(1))
        for values, buffers in zip(found, self.buffers(), strict=True):
            for value, buffer in zip(values, buffers, strict=True):
                pointer = builder.pointer(buffer, value.dtype, "partial")
                builder.store(element(pointer, place, inside), value)

    def folded(
        self, node: Node, kept: dict[int, Base], inside: tuple[Expr, ...], axes: Axes
    ) -> tuple[Expr, ...]:
        """What all parts give, in their order."""
        builder, fold = self._builder, fold_of(node)
        buffers = self.buffers()[self._loops.reduction.nodes.index(node)]
        totals = fold.begin(builder, axes, node.output.name)
        parts = builder.size(builder.amount(self._loops.splits, "parts"))
        with builder.loop(parts, hint="part") as part:
            place = self._place(kept, part)
            taken = []
            for buffer, start in zip(buffers, fold.starts, strict=True):
                pointer = builder.pointer(buffer, start.dtype, "partial")
                where = element(pointer, place, inside)
                taken.append(builder.let(read(where, start.value if inside else None), "x", "part"))
            fold.step(builder, totals, tuple(taken))
        return totals

    def _place(self, kept: dict[int, Base], part: Expr) -> Expr:
        """The number of a result among those of all parts."""
        total: Expr = part
        for loop in self._loops.kept:
            total = total * self._builder.size(loop.extent) + kept[loop.number].at
        return total
