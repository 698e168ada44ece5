"""Vectors along the innermost loop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from compiler.kernel import Config
from ir import expr as e
from ir.expr import Expr

from ...builder import KernelBuilder
from ...expressions import Axes
from ...index import Base
from ...monomial import Monomial
from .tile import MANY_VECTORS, ONE_VECTOR, U, V

_UNROLLED = 4  # vectors of a block that are written one by one


class LanePlace(NamedTuple):
    """Where vectors are: a variable, conditions under which lanes are inside, the dimensions of the
    tile that they fill."""

    base: Base
    inside: tuple[Expr, ...]
    axes: Axes


@dataclass
class Lanes:
    """Vectors along a stretch of memory: whole ones, and the rest of the last one."""

    builder: KernelBuilder
    config: Config

    @property
    def width(self) -> int:
        return self.config["V"]

    def vectors(
        self, start: Expr | None, end: Expr, extent: Monomial, block: int = 0, whole: bool = False
    ) -> Iterator[LanePlace]:
        """Every position of a stretch, by vectors.

        For to be looped over: what is written in a turn stands inside its loop. ``extent``: of
        what starts at a multiple of the lanes and goes to its end, or to another such multiple.
        ``whole``: its end is one as well.
        """
        builder, width, known = self.builder, self.width, extent.constant
        lanes = builder.lanes("V", V)
        whole = whole or (known is not None and known % width == 0)
        if start is None and known is not None and known <= _UNROLLED * width:
            for first in range(0, known, width):
                at = builder.let(e.const(first) + lanes, "i") if first else lanes
                inside = () if first + width <= known else (self._inside(at, end),)
                yield LanePlace(Base(at, below=block), inside, ONE_VECTOR)
            return
        stop = end if whole else end - (width - 1)
        with builder.loop(stop, start, e.const(width), hint="i") as step:
            yield LanePlace(Base(builder.let(step + lanes, "i"), below=block), (), ONE_VECTOR)
        if not whole:
            yield from self._rest(builder.let(end - end % width, "i", "rest"), end, block)

    def tiles(
        self, start: Expr | None, end: Expr, extent: Monomial, block: int = 0
    ) -> Iterator[LanePlace]:
        """Likewise, by ``U`` vectors at once as far as there are so many."""
        builder, width, count = self.builder, self.width, self.config["U"]
        if count == 1 or (extent.constant or 2 * count * width) < count * width:
            yield from self.vectors(start, end, extent, block)
            return
        step = count * width
        lanes = builder.lanes("U", U) * width + builder.lanes("V", V)
        with builder.loop(end - (step - 1), start, e.const(step), hint="i") as first:
            yield LanePlace(Base(builder.let(first + lanes, "i"), below=block), (), MANY_VECTORS)
        if (extent.constant or 1) % step == 0:
            return
        first = e.const(0) if start is None else start
        rest = builder.let(first + (end - first) // step * step, "i", "rest")
        yield from self.vectors(rest, end, extent, block)

    def _rest(self, rest: Expr, end: Expr, block: int) -> Iterator[LanePlace]:
        with self.builder.when(rest < end):
            at = self.builder.let(rest + self.builder.lanes("V", V), "i")
            yield LanePlace(Base(at, below=block), (self._inside(at, end),), ONE_VECTOR)

    def _inside(self, at: Expr, end: Expr) -> Expr:
        return self.builder.let(at < end, "m")
