"""What kernels of regions share: where cells lie, and images copied so that channels lie side by
side.

All elements of a cell are in the same places of every channel. So a program takes one after the
other, each for many channels at once, which then ought to be neighbours in memory. The copy has
planes: for each image, and each cell that has channels of its own, blocks of channels; of each
block all pixels, of each pixel the channels of the block.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from compiler.kernel import Config, Scratch
from ir import expr as e
from ir.expr import Expr
from ir.graph import Node, Value
from ir.types import TensorType

from ..builder import KernelBuilder
from ..expressions import constant, element, read
from ..nodes import KernelBody
from ..schedules.single import pointer_to
from ..task import Task

VECTORS = 4
"""Blocks of channels that a program takes together where one thread computes it: what says where
cells lie is then read once for all of them."""

PIXELS = 4
"""Of a cell, as a guess: sizes do not say how large regions are."""

TILE = ("VECTORS", "BLOCK")
CONFIGS = (
    Config((("VECTORS", 1), ("BLOCK", 32)), 1),
    Config((("VECTORS", 1), ("BLOCK", 128)), 2),
)


class CellSpan(NamedTuple):
    """Rows (or columns) of a cell that are in the image: from ``begin`` on, before ``end``."""

    begin: Expr
    end: Expr


class Visit(NamedTuple):
    """A region that a program looks at, for a block of channels.

    Attributes:
        exists: whether its image does. there: which channels do.
    """

    region: Expr
    image: Expr
    exists: Expr
    block: Expr
    channel: Expr
    there: Expr


@dataclass(frozen=True)
class RegionKernel:
    """The operands of a node that say where cells lie, and the sizes of all.

    Args:
        image: the type of the features, or of their diffs. cells: images, vertical, horizontal.
    """

    task: Task
    node: Node
    config: Config
    image: TensorType
    cells: tuple[Value, ...]
    by_cell: bool = False

    @property
    def rows(self) -> int:
        return self.cells[1].shape[1] // 2

    @property
    def columns(self) -> int:
        return self.cells[2].shape[1] // 2

    @property
    def kinds(self) -> int:
        """Of channels that a cell reads: one for each cell that has its own."""
        return self.rows * self.columns if self.by_cell else 1

    @property
    def channels(self) -> int:
        """Of the result."""
        return self.image.shape[1] // self.kinds

    @property
    def vectors(self) -> int:
        if not self.task.heuristic.one_thread:
            return 1
        return max(1, min(VECTORS, -(-self.task.number(self.channels) // self.config["BLOCK"])))

    @property
    def width(self) -> int:
        """Channels of a block."""
        return self.vectors * self.config["BLOCK"]

    @property
    def tile(self) -> Config:
        """The configuration, with the blocks that a program takes together."""
        constants = ("VECTORS", self.vectors), ("BLOCK", self.config["BLOCK"])
        return Config(constants, self.config.num_warps)

    @property
    def blocks(self) -> int:
        return -(-self.channels // self.width)

    @property
    def pixels(self) -> int:
        return self.image.shape[2] * self.image.shape[3]

    @property
    def planes(self) -> int:
        """Blocks of channels of all images."""
        return self.image.shape[0] * self.kinds * self.blocks

    @property
    def copies(self) -> bool:
        """Whether so many cells are read that it pays to copy the images first."""
        number = self.task.number
        cells = number(self.cells[0].shape[0]) * self.rows * self.columns // self.kinds
        return cells * PIXELS > number(self.image.shape[0] * self.pixels)

    def scratch(self, number: int) -> Scratch:
        """Room for all planes."""
        count = self.planes * self.pixels * self.width + 16
        return Scratch(number, count * self.image.dtype.itemsize)

    def begin(self, builder: KernelBuilder) -> Inside:
        builder.place(self.node.location)
        return Inside(self, builder)


class Inside:
    """A kernel of a node that reads regions: what it knows of them."""

    def __init__(self, of: RegionKernel, builder: KernelBuilder) -> None:
        self.of = of
        self.builder = builder
        images, _, height, width = of.image.shape
        self.count = self.size(of.cells[0].shape[0], "regions")
        self.images = self.size(images, "images")
        self.height, self.width = self.size(height, "height"), self.size(width, "width")
        self.pixels = builder.let(self.height * self.width, "i", "pixels")
        self._ends = [pointer_to(of.task, builder, value) for value in of.cells]

    def size(self, size: int, hint: str) -> Expr:
        return self.builder.size(self.builder.extent(size, hint))

    def pointer(self, value: Value) -> Expr:
        return pointer_to(self.of.task, self.builder, value)

    def lanes(self) -> Expr:
        """The number of a channel in its block."""
        lanes = self.builder.lanes("VECTORS", 0) * constant("BLOCK")
        return self.builder.let(lanes + self.builder.lanes("BLOCK", 1), "i", "lane")

    def image_of(self, region: Expr) -> Expr:
        return self.builder.let(read(element(self._ends[0], region)), "i", "image")

    def vertical(self, region: Expr, row: Expr) -> CellSpan:
        return self._window(1, region, row, self.of.rows, self.height)

    def horizontal(self, region: Expr, column: Expr) -> CellSpan:
        return self._window(2, region, column, self.of.columns, self.width)

    def _window(self, which: int, region: Expr, cell: Expr, count: int, extent: Expr) -> CellSpan:
        let = self.builder.let
        place = let(region * (2 * count) + cell, "i", "place")
        begin = e.maximum(read(element(self._ends[which], place)), 0)
        end = e.minimum(read(element(self._ends[which], place + count)), extent)
        return CellSpan(let(begin, "i", "begin"), let(end, "i", "end"))

    def plane(self, image: Expr, kind: Expr, block: Expr) -> Expr:
        """The number of a plane."""
        if self.of.kinds > 1:
            image = image * self.of.kinds + kind
        return image * self.of.blocks + block

    def parted(self, plane: Expr) -> tuple[Expr, Expr, Expr]:
        """Image, kind and block of a plane."""
        let, of = self.builder.let, self.of
        block = let(plane % of.blocks, "i", "block")
        rest = let(plane // of.blocks, "i", "rest")
        if of.kinds == 1:
            return rest, e.const(0), block
        return let(rest // of.kinds, "i", "image"), let(rest % of.kinds, "i", "kind"), block

    def start(self, image: Expr, kind: Expr, channel: Expr) -> Expr:
        """Where a channel of an image begins in the features."""
        of = self.of
        place = image * of.channels + channel
        if of.kinds > 1:
            place = place * of.kinds + kind
        return place * self.pixels

    def cell_place(self, region: Expr, channel: Expr, row: Expr, column: Expr) -> Expr:
        """Of a cell in the result, for each channel."""
        of = self.of
        return (region * of.channels + channel) * (of.rows * of.columns) + row * of.columns + column

    def visited(self) -> Visit:
        """Of a program for a region and a block of channels: blocks one after the other, so that
        what is read of one stays in caches."""
        let, of = self.builder.let, self.of
        program = let(self.builder.program(), "i", "program")
        region, block = let(program % self.count, "i", "region"), let(program // self.count, "i")
        channel = let(block * of.width + self.lanes(), "i", "channel")
        there = let(channel < of.channels, "m", "there")
        image = let(read(element(self._ends[0], region)), "i", "image")
        exists = let((image >= 0) & (image < self.images), "m", "exists")
        return Visit(region, image, exists, block, channel, there)

    def visible(self, at: Visit, row: Expr) -> CellSpan:
        """:meth:`vertical`, and nothing of an image that is not there."""
        begin, end = self.vertical(at.region, row)
        return CellSpan(begin, self.builder.let(e.where(at.exists, end, begin), "i", "end"))

    def features(self, x: Value, at: Visit, kind: Expr) -> Callable[[Expr], Expr]:
        """Reads the channels of a pixel, by the pixel's number."""
        let, lane, of = self.builder.let, self.lanes(), self.of
        if not of.copies:
            source = self.pointer(x)
            start = let(self.start(at.image, kind, at.channel), "i", "start")
            return lambda spot: read(element(source, start + spot, (at.there,)), 0.0)
        copy = self.builder.pointer(of.scratch(0), of.image.dtype, "copy")
        start = let(self.plane(at.image, kind, at.block) * self.pixels, "i", "start")
        return lambda spot: read(element(copy, (start + spot) * of.width + lane))

    @contextlib.contextmanager
    def elements(self, vertical: CellSpan, horizontal: CellSpan) -> Iterator[tuple[Expr, Expr]]:
        """Loops over the pixels of a cell: gives row and column."""
        with self.builder.loop(vertical.end, vertical.begin, hint="h") as h:
            with self.builder.loop(horizontal.end, horizontal.begin, hint="w") as w:
                yield h, w


def copied(regions: RegionKernel, x: Value) -> Iterator[KernelBody]:
    """Copies images to scratch memory, with channels side by side: a program takes a row. None
    where that does not pay."""
    if not regions.copies:
        return
    scratch = regions.scratch(0)
    builder = regions.task.builder()
    inside = regions.begin(builder)
    source, copy = inside.pointer(x), builder.pointer(scratch, x.type.dtype, "copy")
    program = builder.let(builder.program(), "i", "program")
    row = builder.let(program % inside.height, "i", "row")
    plane = builder.let(program // inside.height, "i", "plane")
    image, kind, block = inside.parted(plane)
    lane = inside.lanes()
    channel = builder.let(block * regions.width + lane, "i", "channel")
    there = builder.let(channel < regions.channels, "m", "there")
    start = builder.let(inside.start(image, kind, channel), "i", "start")
    first = builder.let(row * inside.width, "i", "first")
    with builder.loop(inside.width, hint="w") as w:
        spot = builder.let(first + w, "i", "spot")
        value = builder.let(read(element(source, start + spot, (there,)), 0.0), "x", "value")
        place = (plane * inside.pixels + spot) * regions.width
        builder.store(element(copy, place + lane), value)
    programs = regions.planes * regions.image.shape[2]
    why = f"channels of {x.type.logical} side by side, {regions.width} in a block"
    grid, writes = (programs, 1), (scratch,)
    yield regions.task.kernel(
        builder, "copy_channels", TILE, regions.tile, grid, why, ".channels", writes
    )
