"""What the elements of a value see of the net's input, and what windows and sums make of that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from .traced_axis import (
    TracedAxis,
    TracedFactor,
    averaged_axis,
    even_axis,
    extent_of,
    joined_axes,
    tail_of,
    traced,
    uneven_steps,
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a value's elements depend on.

    Attributes:
        axes: of the value.
        spans: for each axis of the input of which its elements see a part: where the part of the
            first element begins and ends (not included), in pixels.
        whole: the axes of which its elements see all.
    """

    axes: tuple[TracedAxis, ...]
    spans: Mapping[int, tuple[Fraction, Fraction]]
    whole: frozenset[int] = frozenset()

    @property
    def depends(self) -> bool:
        """Whether an element depends on the net's input at all."""
        return bool(self.spans or self.whole)

    def everything(self) -> frozenset[int]:
        """The axes of the input of which it sees all or a part."""
        return self.whole | self.spans.keys()

    def shaped(self, shape: Sequence[int]) -> Seen:
        """With axes that run over nothing where extents are others."""
        pairs = zip(self.axes, shape, strict=True)
        return replace(
            self, axes=tuple(a if extent_of(a) == d else (TracedFactor(d),) for a, d in pairs)
        )

    def with_axis(self, number: int, axis: TracedAxis) -> Seen:
        """The same with another axis of this number."""
        return replace(self, axes=(*self.axes[:number], axis, *self.axes[number + 1 :]))

    def seeing_all(self, of: frozenset[int]) -> Seen:
        """Which sees all of some axes of the input."""
        whole = self.whole | of
        return Seen(self.axes, {k: s for k, s in self.spans.items() if k not in whole}, whole)


def all_seen(operands: Sequence[Seen], shape: Sequence[int]) -> Seen:
    """Of what data tells, or the host makes: it may see anything that its operands see."""
    whole = frozenset[int]().union(*(each.everything() for each in operands))
    return Seen(tuple((TracedFactor(d),) for d in shape), {}, whole)


def seen_together(operands: Sequence[Seen], axes: tuple[TracedAxis, ...]) -> Seen:
    """With these axes: what all of them see together."""
    spans: dict[int, tuple[Fraction, Fraction]] = {}
    for each in operands:
        for key, (begin, end) in each.spans.items():
            old = spans.get(key, (begin, end))
            spans[key] = min(old[0], begin), max(old[1], end)
    whole = frozenset[int]().union(*(each.whole for each in operands))
    return Seen(axes, spans).seeing_all(whole)


def seen_most(operands: Sequence[Seen], axes: tuple[TracedAxis, ...]) -> Seen:
    """With these axes: the most that one of them sees."""
    spans: dict[int, tuple[Fraction, Fraction]] = {}
    for each in operands:
        for key, (begin, end) in each.spans.items():
            old = spans.get(key, (begin, end))
            spans[key] = max(old, (begin, end), key=lambda span: span[1] - span[0])
    whole = frozenset[int]().union(*(each.whole for each in operands))
    return Seen(axes, spans).seeing_all(whole)


def seen_by_element(shape: Sequence[int], operands: Sequence[Seen]) -> Seen:
    """Of what is computed element by element."""
    operands = [each for each in operands if each.depends]
    axes: list[TracedAxis] = []
    repeated: set[int] = set()
    for i, d in enumerate(shape):
        found: TracedAxis = (TracedFactor(d),)
        for each in operands:
            if extent_of(each.axes[i]) == d:
                found = joined_axes(found, each.axes[i])
            else:  # one place is shown to all
                repeated |= traced([each.axes[i]])
        axes.append(found)
    return seen_together(operands, tuple(axes)).seeing_all(frozenset(repeated))


def seen_folded(seen: Seen, axes: Sequence[int]) -> Seen:
    """With whole axes summed up: one element sees what all of them saw."""
    spans, whole = dict(seen.spans), set[int]()
    left = traced([axis for i, axis in enumerate(seen.axes) if i not in axes])
    for i in axes:
        for factor in seen.axes[i]:
            for key, step in factor.steps.items():
                if key not in left or step is None:
                    whole.add(key)
                elif key in spans:
                    begin, end = spans[key]
                    spans[key] = begin, end + (factor.extent - 1) * step
    kept = tuple((TracedFactor(1),) if i in axes else axis for i, axis in enumerate(seen.axes))
    return Seen(kept, spans, seen.whole).seeing_all(frozenset(whole))


def seen_moved(seen: Seen, number: int, out: int, offset: int) -> Seen:
    """With the axis begun ``offset`` elements later (earlier, where it is below 0)."""
    axis = averaged_axis(seen.axes[number])
    seen = seen.with_axis(number, axis)
    steps = uneven_steps(axis)
    if steps and (len(axis) > 1 or None in axis[0].steps.values()):
        # Where it begins now is not told by one step; how much an element sees stays.
        return seen.with_axis(number, (TracedFactor(out, steps),))
    return seen_windowed(seen, number, out, -offset, Fraction(1), 0)


def seen_windowed(
    seen: Seen, number: int, out: int, low: int, stride: Fraction, reach: int
) -> Seen:
    """After a window that slides along an axis.

    Args:
        out: how many windows there are.
        low: how far before the first element the first window begins.
        stride: elements of the axis from one window to the next.
        reach: from the first element of a window to its last.
    """
    axis, spans = even_axis(seen.axes[number]), dict(seen.spans)
    times = tail_of(axis) if len(axis) == 2 else 1
    if times > 1:  # each element is there so many times, side by side: an image that was enlarged
        low, reach, stride = -(-low // times), -(-reach // times), stride / times
    elif len(axis) > 1 and traced([axis]):  # what is side by side there is so in no image
        axis = (TracedFactor(out, uneven_steps(axis)),)
    steps: dict[int, Fraction | None] = {}
    whole = set[int]()
    for key, step in axis[0].steps.items():
        if step is None:
            whole.add(key)
        elif key in spans:
            begin, end = spans[key]
            spans[key] = begin - low * step, end + (reach - low) * step
            steps[key] = step * stride
    moved = seen.with_axis(number, (TracedFactor(out, steps),))
    return replace(moved, spans=spans).seeing_all(frozenset(whole))


def seen_spread(seen: Seen, number: int, out: int, low: int, last: int, stride: int) -> Seen:
    """After windows that are added up to a larger image: an element is in a few of them.

    Args:
        low: elements of that image before its first. last: from the first element of a window to
            its last. stride: elements of that image from one window to the next.
    """
    before = (last - low) // stride
    return seen_windowed(seen, number, out, before, Fraction(1, stride), last // stride)
