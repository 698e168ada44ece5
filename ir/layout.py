"""Memory layouts: in which order, and in which blocks, memory holds a tensor's elements.

Shapes and axes are logical everywhere; only who turns coordinates into an address asks for the
layout. ``f32[2,64,8,8]{0,2,3,1}`` is an image with the channels innermost, and
``f32[2,64,8,8]{0,1,2,3,1:16}`` one whose channels lie in blocks of 16: four groups of channels
(axis 1), in each of them all positions, and of each position 16 channels (``1:16``). The last
block of an axis is filled up; nobody reads what stands there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple


class Digit(NamedTuple):
    """A part of a coordinate that memory counts by: ``coordinate // divisor % extent``.

    The remainder is needed only where ``wraps``; else the coordinate is never beyond.
    """

    axis: int
    divisor: int
    extent: int
    wraps: bool


class Part(NamedTuple):
    """An axis, or what is left of it above its block; with ``block`` the place inside the block."""

    axis: int
    block: int = 0

    def __str__(self) -> str:
        return f"{self.axis}:{self.block}" if self.block else str(self.axis)


class Layout(NamedTuple):
    """The parts of all axes, as memory counts them: the outermost first."""

    parts: tuple[Part, ...]

    @staticmethod
    def of(order: Sequence[int], blocks: Sequence[tuple[int, int]] = ()) -> Layout:
        """Axes in an order, and innermost blocks of some of them: ``(axis, elements)``."""
        return Layout((*map(Part, order), *(Part(*block) for block in blocks)))

    def __str__(self) -> str:
        return f"{{{','.join(map(str, self.parts))}}}"

    @staticmethod
    def parse(text: str) -> Layout:
        """Inverse of ``str``. Raises ValueError for anything else."""
        if re.fullmatch(r"\{\d+(:[1-9]\d*)?(,\d+(:[1-9]\d*)?)*\}", text) is None:
            raise ValueError(f"not a layout: {text!r}")
        words = [word.split(":") for word in text[1:-1].split(",")]
        return Layout(tuple(Part(*map(int, word)) for word in words))

    @property
    def is_row_major(self) -> bool:
        return self.parts == tuple(map(Part, range(len(self.parts))))

    def check(self, rank: int) -> None:
        """ValueError unless it orders the axes of a tensor of ``rank``: each once, and of each at
        most one block, of at least two elements, somewhere inside of it."""
        seen: dict[int, int] = {}
        for part in self.parts:
            before = seen.get(part.axis)
            if part.block and (part.block < 2 or before != 0):
                raise ValueError(f"layout {self}: {part} is no block inside of axis {part.axis}")
            if not part.block and before is not None:
                raise ValueError(f"layout {self} has axis {part.axis} twice")
            seen[part.axis] = part.block
        if sorted(seen) != list(range(rank)):
            raise ValueError(f"layout {self} does not order the axes of rank {rank}")

    def block(self, axis: int) -> int:
        """Elements in a block of an axis; 0: it has none."""
        for part in self.parts:  # of a few
            if part.block and part.axis == axis:
                return part.block
        return 0

    def digits(self, shape: Sequence[int]) -> list[Digit]:
        """What memory counts by, for a tensor of ``shape``, the outermost first."""
        found = []
        for axis, block in self.parts:
            inside = self.block(axis)
            if block:
                found.append(Digit(axis, 1, block, True))
            elif inside:
                found.append(Digit(axis, inside, -(-shape[axis] // inside), False))
            else:
                found.append(Digit(axis, 1, shape[axis], False))
        return found


def channels_last(rank: int) -> Layout:
    """Of images and weights, N x C x extents: the channels innermost."""
    return Layout.of((0, *range(2, rank), 1))
