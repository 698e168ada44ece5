"""SidePositions of a tile along one of its sides, by the axes that they count.

Tiles end where the innermost axis ends, so that one lies within one place of all other axes: these
are scalars, and what is read lies side by side. So it is with the channels of a convolution over
images with the channels last: a step along the depth is one tap, and some channels of it. Where the
innermost axis is a multiple of the tile nothing needs a bound; else its last tile is filled up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from compiler.kernel import Config
from ir.expr import Expr

from ..builder import KernelBuilder
from ..expressions import constant
from ..index import ZERO, Affine, Base, delinearize, variable
from ..monomial import product
from ..products import Side, Sizes


@dataclass(frozen=True)
class SidePositions:
    """Some positions, one after the other.

    Attributes:
        places: their coordinates, one for each axis. base: where they may be outside.
        inside: as ``places``, for who knows that they are not.
    """

    places: Sequence[Affine]
    base: Base | None = field(default=None)
    inside: Sequence[Affine] = ()

    def bounds(self) -> tuple[Expr, ...]:
        """Conditions under which they exist."""
        return tuple(bound() for bound in self.base.bounds) if self.base else ()


def tile_positions(
    builder: KernelBuilder,
    tile: Expr,
    name: str,
    axis: int,
    side: Side,
    config: Config,
    hint: str,
) -> SidePositions:
    """Those of a tile, by its number along its side.

    Args:
        name: of the constant that is the length of the side.
        axis: of the tile.
    """
    lanes = builder.lanes(name, axis)
    if side.filled(config[name]):
        start = builder.let(tile * constant(name), "i", f"{hint}_0")
        return _in_runs(builder, start, lanes, side, config[name], hint)
    return _anywhere(builder, builder.let(tile * constant(name) + lanes, "i", hint), side.sizes)


def step_positions(
    builder: KernelBuilder,
    start: Expr,
    name: str,
    axis: int,
    side: Side,
    config: Config,
    hint: str,
    whole: bool = False,
) -> SidePositions:
    """Those from a start on, which is a multiple of the length. ``whole``: all of them exist."""
    lanes = builder.lanes(name, axis)
    if side.filled(config[name]):
        return _in_runs(builder, start, lanes, side, config[name], hint)
    at = builder.let(start + lanes, "i", hint)
    return _anywhere(builder, at, side.sizes, config[name], (start, lanes), whole)


def lone_position(number: Expr, sizes: Sizes) -> SidePositions:
    """A scalar position."""
    if number.op == "const":  # the only one
        return SidePositions((ZERO,) * len(sizes))
    return SidePositions(_coordinates(Base(number), sizes))


def _in_runs(
    builder: KernelBuilder, start: Expr, lanes: Expr, side: Side, length: int, hint: str
) -> SidePositions:
    filled, inner, sizes = side.filled(length), side.inner, side.sizes
    assert filled and inner is not None
    places = list(_coordinates(Base(start), filled))
    if filled == sizes:
        places[inner] = places[inner].plus(variable(Base(lanes)))
        return SidePositions(places, inside=places)
    first, size = builder.index(places[inner]), builder.size(sizes[inner])
    at = builder.let(first + lanes, "i", hint)
    base = Base(at, (lambda: builder.let(at < size, "m"),), parts=(first, lanes))
    inside = [*places[:inner], variable(Base(at, parts=base.parts)), *places[inner + 1 :]]
    return SidePositions([*places[:inner], variable(base), *places[inner + 1 :]], base, inside)


def _anywhere(
    builder: KernelBuilder,
    at: Expr,
    sizes: Sizes,
    length: int = 0,
    parts: tuple[Expr, ...] = (),
    whole: bool = False,
) -> SidePositions:
    """``length``: of steps, whose places are the sums of ``parts``."""
    extent = product(sizes)
    if whole or (length and extent.constant is not None and extent.constant % length == 0):
        base = Base(at, parts=parts)
    else:
        size = builder.size(extent)
        base = Base(at, (lambda: builder.let(at < size, "m"),), parts=parts)
    inside = _coordinates(Base(at, parts=parts), sizes)
    return SidePositions(_coordinates(base, sizes), base, inside)


def _coordinates(base: Base, sizes: Sizes) -> Sequence[Affine]:
    return delinearize(base, sizes) if len(sizes) > 1 else (variable(base),)
