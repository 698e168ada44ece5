"""What launches took on an H200, beside what the cost model has for them.

``products``: convolutions over images with the channels last and gradients of weights, 64 images,
each in several tiles and splits. ``launches``: kernels of training passes of LeNet, GoogLeNet and
ResNet-50 that multiply no matrices, with the work that was counted in them.
"""

from __future__ import annotations

import csv
import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from compiler.kernel import Config
from compiler.kernels.expressions import DotKind
from compiler.kernels.products import ProductShape
from compiler.precision import HALF, TF32X3
from compiler.target import KiB, MiB, gpu
from compiler.triton.cost.product import product_work
from compiler.triton.cost.time import time_of
from compiler.triton.cost.work import Work
from compiler.triton.heuristics.contract import TILES, Tile

DATA = Path(__file__).parent.parent.parent / "tests" / "data" / "measured"
H200 = gpu("H200", 90, 132, 227 * KiB, 60 * MiB, 4.8e12)
IMAGES = 64


@dataclass(frozen=True)
class Layer:
    """A square convolution, or its gradient of weights."""

    factors: DotKind
    extent: int
    channels: int
    outputs: int
    window: int
    stride: int
    pad: int

    def __str__(self) -> str:
        size = f"{self.window}x{self.window}, {self.channels} to {self.outputs}"
        return f"{size} channels, {self.extent} pixels"

    @property
    def operands(self) -> int:
        """Bytes that a product reads at least."""
        itemsize = 2 if self.factors.precision == HALF else 4
        across = self.extent // (self.stride if self.window == 1 else 1)
        images = IMAGES * across**2 * self.channels
        out = (self.extent + 2 * self.pad - self.window) // self.stride + 1
        other = IMAGES * out**2 * self.outputs
        weights = self.window**2 * self.channels * self.outputs
        if not self.factors.held:
            other = weights * (2 if self.factors.precision == TF32X3 else 1)
        return itemsize * (images + other)


@dataclass(frozen=True)
class Product:
    """A launch that multiplies matrices. ``tile``: None for one that is not in the table."""

    layer: Layer
    shape: ProductShape
    config: Config
    splits: int
    seconds: float

    @property
    def tile(self) -> Tile | None:
        found = (tile for tile in TILES[self.layer.factors] if tile.config == self.config)
        return next(found, None)

    def predicted(self, tile: Tile) -> float:
        """Seconds of this launch alone."""
        factors = self.layer.factors
        work = product_work(self.shape, tile.config, tile.rate, self.splits, factors, H200)
        work = replace(work, nbytes=work.nbytes + self.layer.operands)
        return time_of(work, H200).seconds


@dataclass(frozen=True)
class Launched:
    """Another launch. ``count``: how many of them took ``seconds`` on average."""

    kernel: str
    work: Work
    count: int
    seconds: float

    @property
    def predicted(self) -> float:
        return time_of(self.work, H200).seconds


def products() -> Iterator[Product]:
    for row in _rows("h200_products.csv"):
        precision, *held = row["factors"].split()
        layer = Layer(
            DotKind(precision, bool(held)),
            *(int(row[n]) for n in ("extent", "channels", "outputs", "window", "stride", "pad")),
        )
        shape = ProductShape(1, *(int(row[n]) for n in ("rows", "columns", "depth")))
        sides = tuple((side, int(row[side])) for side in "MNK")
        config = Config(sides, int(row["warps"]), int(row["stages"]))
        seconds = 1e-6 * float(row["microseconds"])
        yield Product(layer, shape, config, int(row["splits"]), seconds)


def launches() -> Iterator[Launched]:
    for row in _rows("h200_launches.csv"):
        whole = {n: int(row[n]) for n in ("programs", "warps", "registers", "shared")}
        counts = {n: float(row[n]) for n in ("instructions", "cached", "waits", "nbytes")}
        work = Work(**whole, **counts)
        yield Launched(row["kernel"], work, int(row["count"]), 1e-6 * float(row["microseconds"]))


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8") as file:
        yield from csv.DictReader(file)


@dataclass(frozen=True)
class Errors:
    """Of predictions: how often, the median of the relative error either way, the worst, and the
    sum of what was predicted over that of what was measured."""

    count: int
    median: float
    worst: float
    sums: float

    @staticmethod
    def of(pairs: Sequence[tuple[float, float]]) -> Errors:
        """``pairs``: predicted and measured."""
        off = [math.exp(abs(math.log(p / m))) - 1 for p, m in pairs]
        sums = sum(p for p, _ in pairs) / sum(m for _, m in pairs)
        return Errors(len(off), statistics.median(off), max(off), sums)


def product_errors() -> dict[DotKind, Errors]:
    """Of tiles of the table, by how they multiply."""
    found: dict[DotKind, list[tuple[float, float]]] = {}
    for product in products():
        if tile := product.tile:
            pair = product.predicted(tile), product.seconds
            found.setdefault(product.layer.factors, []).append(pair)
    return {kind: Errors.of(pairs) for kind, pairs in found.items()}


def launch_errors() -> dict[str, Errors]:
    """By kernel."""
    found: dict[str, list[tuple[float, float]]] = {}
    for one in launches():
        found.setdefault(one.kernel, []).extend([(one.predicted, one.seconds)] * one.count)
    return {kernel: Errors.of(pairs) for kernel, pairs in found.items()}


def lost_by_choice() -> dict[Layer, float]:
    """How much longer than the best measured way takes the one that the model prefers, of those of
    the table that were measured; 0: nothing."""
    ways: dict[Layer, list[tuple[float, float]]] = {}
    for product in products():
        if tile := product.tile:
            ways.setdefault(product.layer, []).append((product.predicted(tile), product.seconds))
    return {
        layer: min(each)[1] / min(seconds for _, seconds in each) - 1
        for layer, each in ways.items()
        if len(each) > 1
    }
