"""Grids of cells laid on images: maxima and sums of what is in them.

Both go along the columns and then along the rows of an image, region after region, as the elements
of a cell are those in its rows and in its columns.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ir.graph import Node, Value
from ir.ops.region import RegionMax
from ir.ops.region_sum import RegionSum
from ir.types import DType

from ..ranges import is_inside
from ..registry import expresses
from ..scans import Typed, scanned
from ..unsupported import Unsupported
from ..writer import Writer


def _masks(writer: Writer, ends: Value, extent: int) -> str:
    """[R, cells, extent]: which rows, or columns, of an image are in each cell."""
    half = ends.shape[1] // 2
    name = writer.node("Unsqueeze", [writer.of(ends), writer.ints([2])])
    number = writer.reshape(writer.arange(extent), (1, 1, extent))
    begin, end = writer.slice(name, 1, 0, half), writer.slice(name, 1, half, ends.shape[1])
    inside = writer.node("GreaterOrEqual", [number, begin])
    return writer.node("And", [inside, writer.node("Less", [number, end])])


def _known(writer: Writer, images: Value, count: int) -> tuple[str, str]:
    """Which regions are on an image that is there, and numbers of images that all are."""
    name, zero = writer.of(images), writer.constant(np.int32(0))
    known = is_inside(writer, name, writer.number(count, DType.I32))
    return known, writer.node("Where", [known, name, zero])


@expresses(RegionMax)
def region_max(writer: Writer, node: Node) -> list[str]:
    if writer.is_read(node.outputs[1]):
        raise Unsupported("the place of the maximum of a cell")
    x, images, vertical, horizontal = node.inputs
    dtype = x.type.dtype
    known, image = _known(writer, images, x.shape[0])
    rows = _masks(writer, vertical, x.shape[2])
    rows = writer.node("And", [rows, writer.node("Unsqueeze", [known, writer.ints([1, 2])])])
    columns = _masks(writer, horizontal, x.shape[3])
    lowest = writer.constant(dtype.numpy.type(-np.inf))
    pixels = writer.of(x)

    def step(
        inner: Writer, states: Sequence[str], parts: Sequence[str]
    ) -> tuple[list[Typed], list[Typed]]:
        number, down, along = parts  # down [rows, H], along [columns, W]
        picture = inner.node("Gather", [pixels, number], axis=0)  # [C, H, W]
        made = _largest(inner, picture, along, lowest, horizontal.shape[1] // 2)  # [C, H, columns]
        turned = inner.node("Transpose", [made], perm=[0, 2, 1])
        made = _largest(inner, turned, down, lowest, vertical.shape[1] // 2)  # [C, columns, rows]
        made = inner.node("Transpose", [made], perm=[0, 2, 1])
        empty = inner.node("Equal", [made, lowest])
        nothing = inner.constant(dtype.numpy.type(0))
        return [], [Typed(inner.node("Where", [empty, nothing, made]), dtype)]

    sliced = [Typed(image, DType.I32), Typed(rows, DType.BOOL), Typed(columns, DType.BOOL)]
    (made,) = scanned(writer, node.location, [], sliced, step)
    return [made, ""]


def _largest(writer: Writer, name: str, masks: str, lowest: str, count: int) -> str:
    """[..., cells]: the largest of [..., extent] where each mask [cells, extent] says so."""
    parts = []
    for i in range(count):
        mask = writer.node("Gather", [masks, writer.constant(np.int64(i))], axis=0)
        parts.append(writer.reduce("Max", writer.node("Where", [mask, name, lowest]), [-1]))
    return parts[0] if count == 1 else writer.node("Concat", parts, axis=-1)


@expresses(RegionSum)
def region_sum(writer: Writer, node: Node) -> list[str]:
    """Products with matrices of weights, which are 0 outside of the cells."""
    op = node.op
    assert isinstance(op, RegionSum)
    x, images, vertical, horizontal, *weights = node.inputs
    dtype = x.type.dtype
    channels, height, width = x.shape[1:]
    known, image = _known(writer, images, x.shape[0])
    factors = []
    for ends, extent, weight in zip(
        (vertical, horizontal), (height, width), weights or (None, None), strict=True
    ):
        mask = _masks(writer, ends, extent)
        given = writer.of(weight) if weight is not None else writer.constant(dtype.numpy.type(1))
        nothing = writer.constant(dtype.numpy.type(0))
        factors.append(writer.node("Where", [mask, given, nothing]))
    there = writer.node("Unsqueeze", [writer.cast(known, dtype), writer.ints([1, 2])])
    factors[0] = writer.node("Mul", [factors[0], there])
    rows, columns = vertical.shape[1] // 2, horizontal.shape[1] // 2
    pixels = writer.of(x)

    def step(
        inner: Writer, states: Sequence[str], parts: Sequence[str]
    ) -> tuple[list[Typed], list[Typed]]:
        number, down, along = parts  # down [rows, H], along [columns, W]
        picture = inner.node("Gather", [pixels, number], axis=0)
        if not op.by_cell:
            turned = inner.node("Transpose", [along], perm=[1, 0])
            made = inner.node("MatMul", [inner.node("MatMul", [down, picture]), turned])
            return [], [Typed(made, dtype)]
        own = channels // (rows * columns)
        picture = inner.reshape(picture, (own, rows, columns, height, width))
        down = inner.node("Unsqueeze", [down, inner.ints([1, 2])])  # [rows, 1, 1, H]
        along = inner.node("Unsqueeze", [along, inner.ints([2])])  # [columns, W, 1]
        made = inner.node("MatMul", [inner.node("MatMul", [down, picture]), along])
        made = inner.node("Squeeze", [made, inner.ints([3, 4])])
        return [], [Typed(made, dtype)]

    sliced = [Typed(image, DType.I32), *(Typed(factor, dtype) for factor in factors)]
    return scanned(writer, node.location, [], sliced, step)
