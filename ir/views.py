"""Views: whether the same memory, read in order, is a tensor under another shape and layout."""

from __future__ import annotations

from collections.abc import Sequence

from .layout import Layout, Part
from .size import always_at_least
from .types import TensorType

_Run = tuple[int, int]
"""Steps of memory: how far each one moves in row-major order, and how many there are."""


def keeps_memory(before: TensorType, after: TensorType) -> bool:
    """Whether two tensors that hold the same elements, in row-major order of their shapes, also
    hold them in the same order of memory: then one is a view of the other's buffer."""
    if before.memory_size != before.size or after.memory_size != after.size:
        return before == after  # blocks are filled up
    return _runs(before) == _runs(after)


def viewed(before: TensorType, shape: Sequence[int]) -> TensorType | None:
    """The type under which the memory of ``before`` is a tensor of ``shape`` with the same elements
    in row-major order; None: no layout says so."""
    shape = tuple(shape)
    if before.layout is None or before.shape == shape:
        return TensorType(shape, before.dtype, before.layout)
    if before.memory_size != before.size or not before.size:
        return None
    stride = _strides(shape)
    left = [d * s for d, s in zip(shape, stride, strict=True)]  # what of each axis has no part yet
    parts: list[Part] = []
    for step, count in _runs(before):
        top = step * count
        while top != step:
            axis = next((a for a in range(len(shape)) if stride[a] != left[a] == top), None)
            if axis is None:
                return None
            ends = _in_order(stride[axis], step)
            if ends is None or ends[0] % ends[1]:
                return None
            bottom = ends[0]
            block = left[axis] // stride[axis] if left[axis] != shape[axis] * stride[axis] else 0
            if block and bottom != stride[axis]:
                return None
            parts.append(Part(axis, block))
            left[axis] = top = bottom
    layout = _with_units(parts, shape)
    if {part.axis for part in layout.parts} != set(range(len(shape))):
        return None  # an axis of which conditions say in other words that its extent is 1
    return TensorType(shape, before.dtype, layout)


def in_whole_blocks(types: Sequence[TensorType], axis: int) -> bool:
    """Whether tensors that stand one after the other along an axis share no block of it."""
    sizes = {t.layout.block(axis) if t.layout else 0 for t in types}
    size = sizes.pop()
    return not sizes and size > 0 and not any(t.shape[axis] % size for t in types)


def _in_order(a: int, b: int) -> tuple[int, int] | None:
    """The larger one first, where that is the same at all sizes."""
    if always_at_least(a, b):
        return a, b
    return (b, a) if always_at_least(b, a) else None


def _with_units(parts: list[Part], shape: tuple[int, ...]) -> Layout:
    """With the axes of extent 1, which may stand anywhere: each behind the one before it."""
    for axis, extent in enumerate(shape):
        if extent == 1:
            before = [i for i, part in enumerate(parts) if part == Part(axis - 1)]
            parts.insert(before[0] + 1 if before else 0, Part(axis))
    return Layout(tuple(parts))


def _runs(type: TensorType) -> list[_Run]:
    """The steps of memory, the outermost first, as few as there can be."""
    stride = _strides(type.shape)
    layout = type.layout or Layout.of(range(type.rank))
    found: list[_Run] = []
    for digit in layout.digits(type.shape):
        step, count = stride[digit.axis] * digit.divisor, digit.extent
        if count == 1:
            continue
        if found and found[-1][0] == step * count:
            count *= found.pop()[1]
        found.append((step, count))
    return found


def _strides(shape: Sequence[int]) -> list[int]:
    """Of every axis, how far a step along it moves in row-major order."""
    strides = [1] * len(shape)
    for axis in range(len(shape) - 1, 0, -1):
        strides[axis - 1] = strides[axis] * shape[axis]
    return strides
