"""Where memory holds the elements of a tensor: all that kernels know of layouts.

Everything else asks for an element by its coordinates. :func:`address` makes of them the place in
memory, and :func:`coordinates_of` says which element memory holds at a place. Schedules that write
results ask besides whether memory counts as their own loops do, to take the place at hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ir.expr import Expr
from ir.layout import Layout

from .builder import KernelBuilder
from .index import ZERO, Affine, Base, IterationRange, linearize, split_range, variable
from .monomial import ONE, Monomial, product


def address(
    builder: KernelBuilder, at: Sequence[Affine], extents: Sequence[Monomial], layout: Layout | None
) -> Affine:
    """The place in memory of the element at some coordinates."""
    if layout is None:
        return linearize(at, extents)
    digits = []
    for part in layout.parts:
        index, block = at[part.axis], layout.block(part.axis)
        if block:
            index = _divided(builder, index, block)[1 if part.block else 0]
        digits.append(index)
    return linearize(digits, _sizes(builder, extents, layout))


def coordinates_of(
    builder: KernelBuilder, place: Affine, extents: Sequence[Monomial], layout: Layout | None
) -> tuple[tuple[Affine, ...], Mapping[int, Expr]]:
    """The element at a place in memory, and by axis the conditions under which it exists: the last
    block is filled up."""
    if layout is None:
        return split_index(builder, place, extents), {}
    found = [ZERO] * len(extents)
    digits = split_index(builder, place, _sizes(builder, extents, layout))
    for part, digit in zip(layout.parts, digits, strict=True):
        above = layout.block(part.axis) if not part.block else 0
        found[part.axis] = found[part.axis].plus(digit.scaled(Monomial.of(above or 1)))
    conditions = {}
    for axis, extent in enumerate(extents):
        block = layout.block(axis)
        if block and (extent.constant is None or extent.constant % block):
            inside = builder.index(found[axis]) < builder.size(extent)
            conditions[axis] = builder.let(inside, "m")
    return tuple(found), conditions


def split_index(
    builder: KernelBuilder, index: Affine, extents: Sequence[Monomial]
) -> tuple[Affine, ...]:
    """Coordinates, row-major, of a flat index."""
    if index.is_zero:
        return (ZERO,) * len(extents)
    iteration_range = index.iteration_range
    if iteration_range is not None and iteration_range.extent not in (None, product(extents)):
        shorter = _shortened(extents, iteration_range.extent)
        if shorter is not None:
            return split_range(iteration_range, shorter)
        iteration_range = None
    if iteration_range is None:
        iteration_range = IterationRange(_named(builder.index(index), index))
    return split_range(iteration_range, extents)


def _shortened(extents: Sequence[Monomial], total: Monomial) -> list[Monomial] | None:
    """Extents whose product is ``total``, of which the leading one differs, as in a slice that
    begins with the first element; None where there are no such."""
    leading = next((a for a, x in enumerate(extents) if x.constant != 1), len(extents) - 1)
    rest = product(extents[leading + 1 :])
    if not rest.factor:
        return None
    fewer = total / rest
    if fewer.factor != int(fewer.factor) or any(power < 0 for _, power in fewer.powers):
        return None
    return [*extents[:leading], fewer, *extents[leading + 1 :]]


def _sizes(builder: KernelBuilder, extents: Sequence[Monomial], layout: Layout) -> list[Monomial]:
    """Extents of what memory counts by."""
    sizes = []
    for axis, inside in layout.parts:
        block = layout.block(axis)
        whole = builder.blocks(extents[axis], block) if block else extents[axis]
        sizes.append(Monomial.of(inside) if inside else whole)
    return sizes


def _divided(builder: KernelBuilder, index: Affine, block: int) -> tuple[Affine, Affine]:
    """``index // block`` and ``index % block``, as ranges where that can be."""
    size = Monomial.of(block)
    one = index.iteration_range
    if one is not None and (one.extent is None or not (one.extent.constant or 1) % block):
        above = None if one.extent is None else one.extent / size
        above_it = IterationRange(one.base, one.inner * size, above)
        return _only(above_it), _only(IterationRange(one.base, one.inner, size))
    whole = [(r, w / size) for r, w in index.terms if w.constant and not w.constant % block]
    rest = [(r, w) for r, w in index.terms if not (w.constant and not w.constant % block)]
    shifts = tuple([o / size for o in index.offsets if o.constant and not o.constant % block])
    if len(shifts) == len(index.offsets) and len(rest) <= 1:
        low = Affine(tuple(rest))
        extent = rest[0][0].extent if rest and rest[0][1] == ONE else None
        if not rest or (extent and extent.constant and extent.constant <= block):
            return Affine(tuple(whole), shifts), low
    value = builder.index(index)
    parts = (builder.let(value // block, "i"), builder.let(value % block, "i"))
    high, low = (variable(_named(part, index)) for part in parts)
    return high, low


def _named(value: Expr, index: Affine) -> Base:
    """A variable that is computed from an index, and inside of its range where the index is."""
    ranges = [r for r, _ in index.terms if r.extent is None]
    return Base(value, tuple(bound for r in ranges for bound in r.base.bounds))


def _only(iteration_range: IterationRange) -> Affine:
    return Affine(((iteration_range, ONE),))
