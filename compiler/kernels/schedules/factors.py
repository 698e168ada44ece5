"""The operands of a matrix product, as the loop over the depth reads them: tile by tile."""

from __future__ import annotations

from collections.abc import Callable

from compiler.kernel import Config
from ir.expr import Expr
from ir.graph import Value

from ..emitter import Access, Emitter, zero
from ..expressions import axes_of
from ..products import Places, Side
from .tap_words import tap_word
from .tile_sides import SidePositions, step_positions


class Factor:
    """An operand. It is made before the loop, where it computes what steps only ask for.

    Args:
        read: where, by places of its side (rows or columns) and of the depth.
        depth: all of it. axis: of a tile, the one along which it lies.
    """

    def __init__(
        self,
        emitter: Emitter,
        value: Value,
        read: Callable[[Places, Places], Access],
        side: SidePositions,
        depth: Side,
        axis: int,
        config: Config,
    ) -> None:
        self.emitter, self.value, self.read, self.side = emitter, value, read, side
        self.depth, self.axis, self.config = depth, axis, config
        emitter.builder.lanes("K", axis)
        self.word = tap_word(
            emitter.builder,
            lambda at: read(side.inside, at),
            side.bounds(),
            depth,
            axis,
            config,
        )

    def tile(self, step: Expr, whole: bool = False) -> Expr:
        """From a step on: 0 outside the matrix and in a convolution's padding. ``whole``: the depth
        does not end in it."""
        emitter, builder = self.emitter, self.emitter.builder
        deep = step_positions(builder, step, "K", self.axis, self.depth, self.config, "deep", whole)
        if self.word:
            inside = (self.word.holds(builder, step), *deep.bounds())
            access = self.read(self.side.inside, deep.places).bare
        else:
            inside = (*self.side.bounds(), *deep.bounds())
            access = self.read(self.side.places, deep.places)
        found = emitter.emit_guarded(self.value, access.guarded(*inside))
        if not axes_of(found):  # one element in all: no tile yet
            found = emitter.chosen(inside, found, zero(self.value.type.dtype))
        return emitter.narrowed(found, self.value.type.dtype)
