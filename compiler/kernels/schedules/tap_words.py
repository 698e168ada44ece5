"""Where the taps of a window lie in the padding, as the bits of an integer.

A step of the loop over a convolution's depth meets one tap. Whether that lies in an image is known
for every position of a tile and every tap before the loop: so it is computed there, and a step asks
for one bit. To compare places anew takes more instructions than the rest of a load.

before: ``for k: y = y0 + k // 768; x = x0 + k // 256 % 3; load, mask 0 <= y < 56 & 0 <= x < 56``
after:  ``taps = where(y0 >= 0 & x0 >= 0, 1, 0) + ...; for k: load, mask bit(taps, k // 256)``
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import NamedTuple

from compiler.kernel import Config
from ir import expr as e
from ir.expr import Expr

from ..builder import KernelBuilder
from ..emitter import Access
from ..expressions import axes_of, bit, every
from ..index import ZERO, Affine, Base, variable
from ..monomial import Monomial
from ..products import Places, Side

MOST_BITS = 31  # of an integer that is not negative


class TapWord(NamedTuple):
    """A tile of bits, one for so many elements (``run``) of the depth."""

    word: Expr
    run: int

    def holds(self, builder: KernelBuilder, step: Expr) -> Expr:
        """Whether what is read in a step exists."""
        return bit(self.word, builder.let(step // self.run, "i", "tap"))


def tap_word(
    builder: KernelBuilder,
    read: Callable[[Places], Access],
    bounds: tuple[Expr, ...],
    side: Side,
    axis: int,
    config: Config,
) -> TapWord | None:
    """The bits of what is read at places of the depth; None where nothing is won by them.

    Args:
        side: the depth. axis: of the tile, along which it lies. bounds: conditions besides.
    """
    length, sizes = config["K"], side.sizes
    inner, filled = side.inner, side.filled(length)
    if inner is None or filled is None or length == 1:
        return None
    counts = [size.constant or 0 for size in sizes[:inner]]
    run = filled[inner].size
    lanes = variable(Base(builder.lanes("K", axis)))

    def guard(taps: tuple[int, ...], first: int) -> tuple[Expr, ...]:
        places = [_number(tap) for tap in taps]
        places += [lanes.plus(_number(first)), *[ZERO] * (len(sizes) - inner - 1)]
        return read(places).guard

    axes = [axes_of(condition) for condition in guard((0,) * inner, 0)]
    if any(axis in found for found in axes):  # several taps lie in one step
        run = length
    blocks = range(0, filled[inner].size, run)
    if not any(axes) or not 1 < math.prod(counts) * len(blocks) <= MOST_BITS:
        return None
    word: Expr = e.const(0)
    taps = itertools.product(*map(range, counts))
    for number, (tap, first) in enumerate(itertools.product(taps, blocks)):
        conditions = tuple(dict.fromkeys((*guard(tap, first), *bounds)))
        here: Expr = e.const(1 << number)
        if conditions:
            here = e.where(every(conditions), here, 0)
        word = builder.let(word + here, "i", "taps") if number else here
    return TapWord(word, run)


def _number(place: int) -> Affine:
    return Affine((), (Monomial.of(place),)) if place else ZERO
