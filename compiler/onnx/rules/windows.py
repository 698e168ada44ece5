"""Windows that slide over tensors: sums, maxima, and what gives elements back to windows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ir.graph import Node, Value
from ir.ops.pointwise import Map
from ir.ops.window import WindowMax, WindowPick, WindowScatter, WindowSpread, WindowSum, _Window
from ir.size import Size
from ir.types import DType

from ..expressions import known_numbers
from ..maps import divided_by
from ..paddings import padded
from ..patterns import Around, OneNode, pattern
from ..registry import expresses
from ..unsupported import Unsupported
from ..writer import Writer

LOWEST = float(np.finfo(np.float32).min)


@dataclass(frozen=True)
class Slide:
    """A window over the trailing axes of (N, C, extents), as pooling takes it."""

    name: str
    window: list[int]
    stride: list[int]
    pads: list[int] | None


def sliding(op: _Window, rank: int) -> list[int]:
    return [axis for axis in range(rank) if op.slides(axis)]


def is_pooling(op: _Window, rank: int) -> bool:
    """Whether the window slides over nothing but axes that pooling slides over."""
    return 3 <= rank <= 5 and all(axis >= 2 for axis in sliding(op, rank))


def laid(writer: Writer, op: _Window, x: Value, number: float, explicit: bool = False) -> Slide:
    """Padding as an attribute where it can be one, else as elements of ``number`` around.

    ``explicit``: always as elements.
    """
    name, axes = writer.of(x), range(2, x.type.rank)
    window, stride = ([kind[axis] for axis in axes] for kind in (op.window, op.stride))
    low, high = ([kind[axis] for axis in axes] for kind in (op.low, op.high))
    if any(isinstance(d, Size) for d in (*window, *stride)):
        raise Unsupported("the window follows from the size of an input")
    plain = not explicit and all(
        not isinstance(d, Size) and 0 <= d < k
        for pads in (low, high)
        for d, k in zip(pads, window, strict=True)
    )
    if plain:
        pads = [*low, *high]
        return Slide(name, window, stride, pads if any(pads) else None)
    name = padded(writer, name, op.low, op.high, x.type.dtype.numpy.type(number))
    return Slide(name, window, stride, None)


def average(writer: Writer, slide: Slide, without_padding: bool = False) -> str:
    """Of all elements of a window, padding among them unless it is left out."""
    return writer.node(
        "AveragePool",
        [slide.name],
        kernel_shape=slide.window,
        strides=slide.stride,
        pads=slide.pads,
        count_include_pad=1 if slide.pads and not without_padding else None,
    )


@expresses(WindowSum, half=True)
def window_sum(writer: Writer, node: Node) -> list[str]:
    op = node.op
    assert isinstance(op, WindowSum)
    (x,) = node.inputs
    rank = x.type.rank
    axes = sliding(op, rank)
    if all(not isinstance(op.window[axis], Size) and op.window[axis] == 1 for axis in axes):
        # What is cut off behind the last window no step gets to.
        high = [
            0 if not isinstance(h, Size) and 0 <= -h < op.stride[axis] else h
            for axis, h in enumerate(op.high)
        ]
        name = padded(writer, writer.of(x), op.low, high, x.type.dtype.numpy.type(0))
        steps = [axis for axis in axes if op.stride[axis] != 1]
        for axis in steps:
            name = writer.slice(name, axis, 0, None, op.stride[axis])
        return [name]
    whole = [axis for axis in axes if _spans(op, x, axis)]
    if whole == axes:
        return [writer.reduce("Sum", writer.of(x), axes)]
    if is_pooling(op, rank):
        slide = laid(writer, op, x, 0.0)
        count = x.type.dtype.numpy.type(math.prod(slide.window))
        return [writer.node("Mul", [average(writer, slide), writer.constant(count)])]
    return [_elsewhere(writer, op, node, axes)]


def _spans(op: _Window, x: Value, axis: int) -> bool:
    """Whether the only window along an axis is the whole axis."""
    plain = (not isinstance(p, Size) and p == 0 for p in (op.low[axis], op.high[axis]))
    return all(plain) and bool(op.window[axis] == x.shape[axis])


def _elsewhere(writer: Writer, op: WindowSum, node: Node, axes: Sequence[int]) -> str:
    """Sums along axes that pooling does not slide over: these are put last for it."""
    (x,), result = node.inputs, node.output
    rank = x.type.rank
    if len(axes) > 3:
        raise Unsupported(f"a sum that slides over {len(axes)} axes")
    order = [axis for axis in range(rank) if axis not in axes] + list(axes)
    name = padded(writer, writer.of(x), op.low, op.high, x.type.dtype.numpy.type(0))
    full = [d + low + high for d, low, high in zip(x.shape, op.low, op.high, strict=True)]
    name = writer.node("Transpose", [name], perm=order)
    shape = [1, math.prod(x.shape[axis] for axis in order[: rank - len(axes)])]
    name = writer.reshape(name, [*shape, *(full[axis] for axis in axes)])
    window = [op.window[axis] for axis in axes]
    slide = Slide(name, window, [op.stride[axis] for axis in axes], None)
    if any(isinstance(d, Size) for d in window):
        raise Unsupported("the window follows from the size of an input")
    count = writer.constant(x.type.dtype.numpy.type(math.prod(window)))
    name = writer.node("Mul", [average(writer, slide), count])
    name = writer.reshape(name, [result.shape[axis] for axis in order])
    return writer.node("Transpose", [name], perm=[order.index(axis) for axis in range(rank)])


@expresses(WindowMax, half=True)
def window_max(writer: Writer, node: Node) -> list[str]:
    op = node.op
    assert isinstance(op, WindowMax)
    (x,) = node.inputs
    rank = x.type.rank
    place_read = writer.is_read(node.outputs[1])
    if not is_pooling(op, rank) or (place_read and rank - op.spatial_rank != 2):
        raise Unsupported("a maximum over windows of other axes than the last of three to five")
    if not place_read and all(_spans(op, x, axis) for axis in range(2, rank)):
        return [writer.node("GlobalMaxPool", [writer.of(x)]), ""]
    slide = laid(writer, op, x, LOWEST, explicit=place_read)
    count = 2 if place_read else 1
    found = writer.node_of(
        "MaxPool",
        [slide.name],
        count,
        kernel_shape=slide.window,
        strides=slide.stride,
        pads=slide.pads,
    )
    if not place_read:
        return [found[0], ""]
    return [found[0], _place(writer, op, x, *found)]


def _place(writer: Writer, op: WindowMax, x: Value, best: str, flat: str) -> str:
    """Places in the images without their padding, from places in the padded tensor."""
    axes = range(2, x.type.rank)
    full = [x.shape[axis] + op.low[axis] + op.high[axis] for axis in axes]
    rest = writer.node("Mod", [flat, writer.scalar(math.prod(full))])
    total = ""
    for i, axis in enumerate(axes):
        inner = math.prod(full[i + 1 :])
        own = writer.node("Div", [rest, writer.scalar(inner)])
        rest = writer.node("Mod", [rest, writer.scalar(inner)])
        own = writer.node("Sub", [own, writer.scalar(op.low[axis])])
        if total:
            total = writer.node("Mul", [total, writer.scalar(x.shape[axis])])
        total = writer.node("Add", [total, own]) if total else own
    there = writer.node("Greater", [best, writer.constant(x.type.dtype.numpy.type(LOWEST))])
    none = writer.constant(np.int32(-1))
    return writer.node("Where", [there, writer.cast(total, DType.I32), none])


def _as_rows(writer: Writer, name: str, shape: Sequence[int], spatial: int) -> str:
    first = len(shape) - spatial
    return writer.reshape(name, (math.prod(shape[:first]), math.prod(shape[first:])))


def _places(writer: Writer, place: Value, spatial: int) -> tuple[str, str]:
    """Which windows have a place, and the places as int64 rows, of which none is below 0."""
    name, zero = writer.of(place), writer.constant(np.int32(0))
    there = writer.node("GreaterOrEqual", [name, zero])
    at = writer.whole(writer.node("Max", [name, zero]))
    return there, _as_rows(writer, at, place.shape, spatial)


@expresses(WindowScatter)
def window_scatter(writer: Writer, node: Node) -> list[str]:
    op = node.op
    assert isinstance(op, WindowScatter)
    g, place = node.inputs
    there, at = _places(writer, place, op.spatial_rank)
    nothing = writer.constant(g.type.dtype.numpy.type(0))
    values = writer.node("Where", [there, writer.of(g), nothing])
    rows = _as_rows(writer, values, g.shape, op.spatial_rank)
    first = len(op.shape) - op.spatial_rank
    flat = (math.prod(op.shape[:first]), math.prod(op.shape[first:]))
    table = writer.filled(flat, 0, g.type.dtype)
    made = writer.node("ScatterElements", [table, at, rows], axis=1, reduction="add")
    return [writer.reshape(made, op.shape)]


@expresses(WindowPick)
def window_pick(writer: Writer, node: Node) -> list[str]:
    op = node.op
    assert isinstance(op, WindowPick)
    x, place = node.inputs
    there, at = _places(writer, place, op.spatial_rank)
    rows = _as_rows(writer, writer.of(x), x.shape, op.spatial_rank)
    picked = writer.reshape(writer.node("GatherElements", [rows, at], axis=1), place.shape)
    nothing = writer.constant(x.type.dtype.numpy.type(0))
    return [writer.node("Where", [there, picked, nothing])]


@expresses(WindowSpread, half=True)
def window_spread(writer: Writer, node: Node) -> list[str]:
    """A transposed convolution of each plane with ones."""
    op = node.op
    assert isinstance(op, WindowSpread)
    (g,) = node.inputs
    rank = g.type.rank
    if not is_pooling(op, rank) or any(isinstance(d, Size) for d in op.window):
        raise Unsupported("windows over other axes than those of images")
    planes = writer.reshape(writer.of(g), (g.shape[0] * g.shape[1], 1, *g.shape[2:]))
    window = list(op.window[2:])
    ones = writer.constant(np.ones((1, 1, *window), g.type.dtype.numpy))
    made = writer.node(
        "ConvTranspose", [planes, ones], kernel_shape=window, strides=list(op.stride[2:])
    )
    full = [d + op.low[i] + op.high[i] for i, d in enumerate(op.shape)]
    made = writer.reshape(made, (*op.shape[:2], *full[2:]))
    cut = [-d for d in op.low], [-d for d in op.high]
    return [padded(writer, made, *cut, g.type.dtype.numpy.type(0))]


@pattern(Map)
def average_pooling(around: Around, node: Node) -> OneNode | None:
    """The sum of a window over the number of its elements: AveragePool."""
    found = divided_by(node)
    if found is None:
        return None
    x, divisor = found
    inner = around.made_by(x, WindowSum)
    if inner is None or not around.only_read_by(x, node) or node.output.shape != x.shape:
        return None
    op = inner.op
    assert isinstance(op, WindowSum)
    source = inner.inputs[0]
    if not is_pooling(op, source.type.rank) or any(isinstance(d, Size) for d in op.window):
        return None
    counts = known_numbers(divisor, node.output.shape)
    if counts is None:
        return None
    whole = math.prod(op.window)
    padding = isinstance(counts, np.ndarray) and counts.ndim > 0
    inside = _inside(op, source.shape, node.output.shape) if padding else None
    if padding and (inside is None or not np.array_equal(counts, inside)):
        return None
    if not padding and float(counts) != whole:
        return None
    return OneNode(
        (inner, node), lambda writer: [average(writer, laid(writer, op, source, 0.0), padding)]
    )


def _inside(op: WindowSum, shape: Sequence[int], result: Sequence[int]) -> np.ndarray | None:
    """How many elements of each window are none of the padding; None: some are cut off."""
    total = np.ones((1,) * len(shape), np.int64)
    for axis in range(2, len(shape)):
        low, high, extent = op.low[axis], op.high[axis], shape[axis]
        window = op.window[axis]
        if any(isinstance(d, Size) for d in (low, high, extent, result[axis])):
            return None
        if not (0 <= low < window and 0 <= high < window):
            return None
        start = np.arange(result[axis]) * op.stride[axis] - low
        count = np.minimum(start + window, extent) - np.maximum(start, 0)
        total = total * count.reshape([-1 if i == axis else 1 for i in range(len(shape))])
    return total
