"""The way through what is reduced: outer loops, and the innermost one by vectors."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from ir import expr as e
from ir.expr import Expr

from ...emitter import Access
from ...expressions import SCALAR, Axes, axes_of
from ...index import Base
from .lanes import Lanes
from .reduced_loops import DigitLoop, ReducedLoops
from .tile import U


class ReducedWalk:
    """For to be looped over: what is written in a turn stands inside its loops."""

    def __init__(self, loops: ReducedLoops) -> None:
        self._loops, self._builder = loops, loops.builder
        self.lanes = Lanes(loops.builder, loops.config)

    def elements(
        self, kept: dict[int, Base], inside: tuple[Expr, ...]
    ) -> Iterator[tuple[Access, Axes]]:
        """Once over all that is reduced: the access, the dimensions of the tile along it."""
        with contextlib.ExitStack() as stack:
            bases = self.outer(stack, kept)
            yield from self.inner(bases, inside, tiles=False)

    def outer(self, stack: contextlib.ExitStack, kept: dict[int, Base]) -> dict[int, Base]:
        """All loops but the innermost one, around what ``stack`` holds."""
        bases = dict(kept)
        for loop in self._loops.reduced[:-1]:
            start, stop = self._stretch(loop)
            at = stack.enter_context(self._builder.loop(stop, start, hint="step"))
            bases[loop.number] = Base(at, below=loop.block)
        return bases

    def inner(
        self, bases: dict[int, Base], inside: tuple[Expr, ...], tiles: bool
    ) -> Iterator[tuple[Access, Axes]]:
        """The innermost loop. ``tiles``: by several vectors at once, as far as there are so many"""
        access = self._loops.access
        if not self._loops.reduced:
            yield access(bases, inside), SCALAR
            return
        loop = self._loops.reduced[-1]
        start, stop = self._stretch(loop)
        if loop == self._loops.lane:
            walk = self.lanes.tiles if tiles else self.lanes.vectors
            for base, more, axes in walk(start, stop, loop.extent, loop.block):
                yield access({**bases, loop.number: base}, (*inside, *more)), axes
            return
        many = tiles and not any(U in axes_of(b.at) for b in bases.values())
        for base, axes in self._positions(loop, start, stop, many):
            yield access({**bases, loop.number: base}, inside), axes

    def _positions(
        self, loop: DigitLoop, start: Expr | None, stop: Expr, many: bool
    ) -> Iterator[tuple[Base, Axes]]:
        """Of a loop that is not in the lanes; ``many``: ``U`` of them at once."""
        builder, count = self._builder, self._loops.config["U"]
        rest = start
        if many and count > 1 and (loop.extent.constant or count) >= count:
            lanes = builder.lanes("U", U)
            with builder.loop(stop - (count - 1), start, e.const(count), hint="step") as step:
                yield Base(builder.let(step + lanes, "i"), below=loop.block), frozenset({U})
            if (loop.extent.constant or 1) % count == 0 and start is None:
                return
            first = e.const(0) if start is None else start
            rest = builder.let(first + (stop - first) // count * count, "i", "rest")
        with builder.loop(stop, rest, hint="step") as step:
            yield Base(step, below=loop.block), SCALAR

    def _stretch(self, loop: DigitLoop) -> tuple[Expr | None, Expr]:
        """From where to where a part goes."""
        builder, loops = self._builder, self._loops
        stop = builder.size(loop.extent)
        if loop != loops.split:
            return None, stop
        width = loops.config["V"] if loop == loops.lane else 1
        share = -(-loops.task.number(loop.extent.size) // loops.splits // width) * width
        size = builder.size(builder.amount(max(share, width), "part"))
        start = builder.let(builder.program(1) * size, "i", "start")
        last = e.equal(builder.program(1), builder.size(builder.amount(loops.splits - 1, "last")))
        return start, builder.let(e.where(last, stop, e.minimum(start + size, stop)), "i", "stop")
