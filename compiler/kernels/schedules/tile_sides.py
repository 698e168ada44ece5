"""SidePositions of a tile along one of its sides, by the axes that they count.

Where the innermost axis is a multiple of the tile, a tile lies within one place of all other axes:
these are scalars, and nothing needs a bound. So it is with the channels of a convolution over
images with the channels last: a step along the depth is one tap, and some channels of it.
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
from ..products import Sizes


@dataclass(frozen=True)
class SidePositions:
    """Some positions, one after the other.

    Attributes:
        places: their coordinates, one for each axis. base: where they may be outside.
    """

    places: Sequence[Affine]
    base: Base | None = field(default=None)

    def bounds(self) -> tuple[Expr, ...]:
        """Conditions under which they exist."""
        return tuple(bound() for bound in self.base.bounds) if self.base else ()


def tile_positions(
    builder: KernelBuilder,
    tile: Expr,
    name: str,
    axis: int,
    sizes: Sizes,
    config: Config,
    hint: str,
) -> SidePositions:
    """Those of a tile, by its number along its side.

    Args:
        name: of the constant that is the length of the side.
        axis: of the tile.
    """
    lanes = builder.lanes(name, axis)
    if _is_whole(sizes, config[name]):
        start = builder.let(tile * constant(name), "i", f"{hint}_0")
        return _within(start, lanes, sizes)
    return _anywhere(builder, builder.let(tile * constant(name) + lanes, "i", hint), sizes)


def step_positions(
    builder: KernelBuilder,
    start: Expr,
    name: str,
    axis: int,
    sizes: Sizes,
    config: Config,
    hint: str,
) -> SidePositions:
    """Those from a start on, which is a multiple of the length."""
    lanes = builder.lanes(name, axis)
    if _is_whole(sizes, config[name]):
        return _within(start, lanes, sizes)
    return _anywhere(builder, builder.let(start + lanes, "i", hint), sizes, config[name])


def lone_position(number: Expr, sizes: Sizes) -> SidePositions:
    """A scalar position."""
    if number.op == "const":  # the only one
        return SidePositions((ZERO,) * len(sizes))
    return SidePositions(_coordinates(Base(number), sizes))


def _is_whole(sizes: Sizes, length: int) -> bool:
    """Whether the innermost axis is a multiple of the length."""
    inner = _innermost(sizes)
    extent = None if inner is None else sizes[inner].constant
    return extent is not None and extent % length == 0


def _innermost(sizes: Sizes) -> int | None:
    return max((i for i, size in enumerate(sizes) if size.constant != 1), default=None)


def _within(start: Expr, lanes: Expr, sizes: Sizes) -> SidePositions:
    places = list(_coordinates(Base(start), sizes))
    inner = _innermost(sizes)
    assert inner is not None
    places[inner] = places[inner].plus(variable(Base(lanes)))
    return SidePositions(places)


def _anywhere(builder: KernelBuilder, at: Expr, sizes: Sizes, length: int = 0) -> SidePositions:
    extent = product(sizes)
    if length and extent.constant is not None and extent.constant % length == 0:
        base = Base(at)
    else:
        size = builder.size(extent)
        base = Base(at, (lambda: builder.let(at < size, "m"),))
    return SidePositions(_coordinates(base, sizes), base)


def _coordinates(base: Base, sizes: Sizes) -> Sequence[Affine]:
    return delinearize(base, sizes) if len(sizes) > 1 else (variable(base),)
