"""Axes of a value, and how they run over the axes of an image that the net was given.

An axis that was made of several (a Flatten's) is a list of factors, the last of which runs
fastest. Each factor says by how many pixels its next place is further, along each axis of the
input that it runs over.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class TracedFactor:
    """``steps``: pixels from one place to the next, by axis of the input; None: now these, now
    others."""

    extent: int
    steps: Mapping[int, Fraction | None] = field(default_factory=dict)

    def cut(self, inner: int) -> tuple[TracedFactor, TracedFactor]:
        """As two, of which the second has an extent of ``inner``, which divides it."""
        outer = {key: None if step is None else step * inner for key, step in self.steps.items()}
        return TracedFactor(self.extent // inner, outer), TracedFactor(inner, self.steps)


TracedAxis = tuple[TracedFactor, ...]


def extent_of(axis: TracedAxis) -> int:
    """How many places an axis has."""
    return math.prod(factor.extent for factor in axis)


def traced(axes: Sequence[TracedAxis]) -> set[int]:
    """The axes of inputs that these run over."""
    return {key for axis in axes for factor in axis for key in factor.steps}


def reshaped_axes(
    axes: Sequence[TracedAxis], shape: Sequence[int]
) -> tuple[TracedAxis, ...] | None:
    """The axes under another shape; None where they do not come out even."""
    left = [f for axis in reversed(axes) for f in reversed(axis) if f.extent != 1]
    found: list[TracedAxis] = []
    for missing in shape:
        taken: list[TracedFactor] = []
        while missing != 1:
            if not left or not missing or not left[-1].extent:
                return None
            factor = left.pop()
            if missing % factor.extent == 0:
                taken.append(factor)
                missing //= factor.extent
            elif factor.extent % missing == 0:
                outer, inner = factor.cut(factor.extent // missing)
                taken.append(outer)
                left.append(inner)
                missing = 1
            else:
                return None
        found.append(tuple(taken) or (TracedFactor(1),))
    return None if left else tuple(found)


def even_axis(axis: TracedAxis) -> TracedAxis:
    """The same with factors together whose steps go on from one to the next."""
    found: list[TracedFactor] = []
    for factor in axis:
        if factor.extent == 1 and len(axis) > 1:
            continue
        if found and found[-1].steps == _outer(factor):
            factor = TracedFactor(found.pop().extent * factor.extent, factor.steps)
        found.append(factor)
    return tuple(found) or axis[:1]


def _outer(factor: TracedFactor) -> Mapping[int, Fraction | None]:
    """The steps of a factor before this one with which both are one."""
    return {
        key: None if step is None else step * factor.extent for key, step in factor.steps.items()
    }


def averaged_axis(axis: TracedAxis) -> TracedAxis:
    """Likewise, and where each element is there several times, side by side, one factor of
    narrower steps: which is right but for less than one of the wide ones."""
    axis = even_axis(axis)
    times = tail_of(axis)
    if len(axis) != 2 or times == 1 or None in axis[0].steps.values():
        return axis
    steps = {key: step and step / times for key, step in axis[0].steps.items()}
    return (TracedFactor(extent_of(axis), steps),)


def joined_axes(one: TracedAxis, other: TracedAxis) -> TracedAxis:
    """An axis that runs over what two axes of one extent run over; by the wider steps."""
    if one == other or not traced([other]):
        return one
    if not traced([one]):
        return other
    if _extents(one) != _extents(other):
        one, other = averaged_axis(one), averaged_axis(other)
    if _extents(one) == _extents(other):
        return tuple(TracedFactor(a.extent, _wider(a, b)) for a, b in zip(one, other, strict=True))
    return (TracedFactor(extent_of(one), uneven_steps(one, other)),)


def _extents(axis: TracedAxis) -> list[int]:
    return [factor.extent for factor in axis]


def uneven_steps(*axes: TracedAxis) -> dict[int, Fraction | None]:
    """The steps of a factor that runs over what some axes run over, in no even steps."""
    return dict.fromkeys(key for axis in axes for factor in axis for key in factor.steps)


def _wider(one: TracedFactor, other: TracedFactor) -> Mapping[int, Fraction | None]:
    found = dict(one.steps)
    for key, step in other.steps.items():
        before = found.get(key, step)
        found[key] = None if before is None or step is None else max(before, step)
    return found


def tail_of(axis: TracedAxis) -> int:
    """How many places the last factors have that run over nothing."""
    count = 1
    for factor in reversed(axis):
        if factor.steps:
            break
        count *= factor.extent
    return count
