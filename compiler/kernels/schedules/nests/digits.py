"""What memory counts a tensor's elements by, and where an element is by its places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ir.expr import Expr
from ir.types import TensorType

from ...emitter import Access, Emitter
from ...index import ZERO, Affine, Base, IterationRange, merged, split_range
from ...monomial import ONE, Monomial


class MemoryDigit(NamedTuple):
    """What memory counts by: an axis, the part of it above its block, or the place in a block."""

    axis: int
    block: int  # of a place in a block, its extent
    above: int  # of what is above blocks, theirs; else 1
    extent: Monomial


DigitGroups = tuple[tuple[int, ...], ...]
"""Numbers of digits that are one loop each, the outermost first."""


def digits_of(emitter: Emitter, type: TensorType) -> list[MemoryDigit]:
    """Those of a tensor's memory, the outermost first; none of extent 1."""
    extents = emitter.extents(type.shape)
    found = []
    if type.layout is None:
        found = [MemoryDigit(axis, 0, 1, extent) for axis, extent in enumerate(extents)]
    else:
        for axis, inside in type.layout.parts:
            above = 1 if inside else type.layout.block(axis) or 1
            whole = emitter.builder.blocks(extents[axis], above) if above > 1 else extents[axis]
            extent = Monomial.of(inside) if inside else whole
            found.append(MemoryDigit(axis, inside, above, extent))
    return [digit for digit in found if digit.extent.constant != 1]


def access_of(
    emitter: Emitter, type: TensorType, digits: Sequence[MemoryDigit], places: Sequence[Affine]
) -> Access:
    """The element at some places along the digits. No guard says whether it exists."""
    found = [ZERO] * len(type.shape)
    for digit, place in zip(digits, places, strict=True):
        found[digit.axis] = found[digit.axis].plus(place.scaled(Monomial.of(digit.above)))
    return Access(tuple(map(merged, found)), emitter.extents(type.shape))


def existing(emitter: Emitter, type: TensorType, at: Access) -> Access:
    """With the conditions under which it exists: the last block of an axis is filled up."""
    conditions: list[Expr] = []
    for axis, extent in enumerate(at.extents):
        block = type.layout.block(axis) if type.layout else 0
        if block and (extent.constant is None or extent.constant % block):
            (inside,) = emitter.inside(at.coordinates[axis], False, extent)
            emitter.fills(inside, at.coordinates[axis], extent, block)
            conditions.append(inside)
    return at.guarded(*conditions)


def split_places(
    digits: Sequence[MemoryDigit], groups: DigitGroups, bases: Sequence[Base]
) -> list[Affine]:
    """Places along all digits by the variables of their groups."""
    found = [ZERO] * len(digits)
    for numbers, base in zip(groups, bases, strict=True):
        if len(numbers) == 1:
            (number,) = numbers
            block = digits[number].block
            place = IterationRange(base, ONE, Monomial.of(block) if block else None)
            found[number] = Affine(((place, ONE),))
            continue
        extents = [digits[number].extent for number in numbers]
        for number, place_of in zip(
            numbers, split_range(IterationRange(base), extents), strict=True
        ):
            found[number] = place_of
    return found
