"""Every tile configuration of every kernel, with several programs, against the reference.

What a configuration is comes from the schedules' own tables: one that no case here launches fails
a test.
"""

from __future__ import annotations

import dataclasses
import importlib
import math
import pkgutil
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest
from kernel_runner import check, fused, random_inputs, scheduled, single

from compiler.kernel import Config, Launch
from compiler.kernels import rules
from compiler.kernels.choice import Choice
from compiler.kernels.products import VIEWS
from compiler.kernels.schedules.single import SINGLES
from compiler.triton import heuristics
from compiler.triton.heuristics import elements, row
from ir import expr as e
from ir.build import Builder
from ir.graph import Node, Value
from ir.layout import Layout, channels_last
from ir.op import Op, Property
from ir.ops.convolution import Conv, ConvInputGrad, ConvWeightGrad
from ir.ops.gather import ScatterAdd, ScatterLast
from ir.ops.introsort import IntroSort
from ir.ops.match import Match
from ir.ops.matmul import MatMul
from ir.ops.pointwise import Map
from ir.ops.region import RegionMax, RegionScatter
from ir.ops.region_sum import RegionSpread, RegionSum
from ir.ops.selection import Largest
from ir.ops.sort import TopK
from ir.ops.suppression import NonMaximum
from ir.ops.window import WindowMax
from ir.types import F16, I32, TensorType
from tests.support import program_kernels, sample_nets
from tests.support.lowering import lowered

Shape = tuple[int, ...]
SAME = ((1, 1), (1, 1), (1, 1))  # stride, pad, dilation


def total(shape: Shape, axes: Shape, inputs: int = 1) -> Node:
    """The sum of the inputs' elements along axes; the further inputs broadcast."""

    def build(b: Builder, *xs: Value) -> Value:
        together = e.arg(0)
        for i in range(1, len(xs)):
            together = together + e.arg(i)
        return b.sum(b.map(together, *xs), axes)

    return fused(build, shape, *[(1,) * len(shape)] * (inputs - 1), schedule="reduce")


def deviations(shape: Shape, axes: Shape) -> Node:
    """With the sum, as variances are computed."""

    def build(b: Builder, x: Value) -> list[Value]:
        return [b.sum(x, axes), b.reduce("deviations", x, axes)]

    return fused(build, shape, schedule="reduce")


def added(inputs: int) -> Node:
    """The sum of several tensors, element by element."""

    def build(b: Builder, *xs: Value) -> Value:
        return b.map(sum((e.arg(i) for i in range(1, len(xs))), e.arg(0)), *xs)

    return fused(build, *[(2, 600)] * inputs)


def softmax(kind: str, length: int) -> Node:
    """Over rows of channels, of more than a program takes of the shortest."""
    along, beside = "BA" if kind == "rows" else "AB"
    tile = next((t for t in row.TILES[kind] if t[along] >= length), row.TILES[kind][-1])
    rows = tile[beside] + 1
    shape = (rows, length) if kind == "rows" else (1, length, rows)

    def build(b: Builder, x: Value) -> list[Value]:
        most = b.reduce("max", x, (1,))
        power = b.map(e.exp(e.arg(0) - e.arg(1)), x, most)
        return [b.map(e.arg(0) / e.arg(1), power, b.sum(power, (1,))), most]

    return fused(build, shape, schedule="row")


def longest(kind: str) -> Iterator[int]:
    """Lengths of rows, each of which takes another tile."""
    held = [tile["B" if kind == "rows" else "A"] for tile in row.TILES[kind][:-1]]
    yield from (length - length // 4 for length in held)
    yield held[-1] + 5


def of_halves(op: Op, *types: TensorType) -> Node:
    """With float16 operands."""
    return single(op, *(dataclasses.replace(t, dtype=F16) for t in types))


CHANNELS_LAST = (
    TensorType((5, 64, 8, 8), layout=channels_last(4)),
    TensorType((36, 64, 3, 3), layout=channels_last(4)),
)


def images(channels: int) -> TensorType:
    return TensorType((2, channels, 5, 7), layout=channels_last(4))


def windows(channels: int) -> Node:
    op = WindowMax((1, 1, 3, 3), (1, 1, 1, 1), (0, 0, 1, 1), (0, 0, 1, 1), spatial_rank=2)

    def build(b: Builder, x: Value) -> list[Value]:
        return list(b.emit_all(op, x, layout=channels_last(4)))

    return fused(build, images(channels))


def tap_sums(channels: int) -> Node:
    op = ConvWeightGrad(*SAME, channels, (3, 3))
    return single(op, images(channels), images(channels))


def channel_rows(channels: int) -> Node:
    def build(b: Builder, x: Value, factor: Value) -> Value:
        return b.emit(Map((e.arg(0) * e.arg(1),)), x, factor, layout=channels_last(4))

    image = TensorType((2, channels, 5, 31), layout=channels_last(4))
    return fused(build, image, (1, channels, 1, 1))


PICTURES = (2, 5, 4, 3)
PER_CELL = (3, 5, 2, 2)
CELLS: tuple[np.ndarray, ...] = (
    np.array([1, 0, 1], np.int32),
    np.array([[0, 2, 2, 5], [-1, 1, 1, 3], [2, 2, 3, 4]], np.int32),
    np.array([[0, 1, 2, 3], [1, 1, 2, 4], [-2, 0, 1, 3]], np.int32),
)
"""Three regions of two cells by two: images, rows, columns. Ends ascend, as whoever says where
cells lie promises."""
PLACES = RegionMax().reference(
    [np.random.default_rng(1).standard_normal(PICTURES), *CELLS],
    [TensorType(PER_CELL), TensorType(PER_CELL, I32)],
)[1]


def cells_of(op: Op, *types: TensorType | Shape) -> Node:
    return single(op, *types, *(TensorType(array.shape, I32) for array in CELLS))


CASES: dict[str, Node] = {
    "matmul of halves": of_halves(MatMul(False, True), TensorType((130, 80)), TensorType((70, 80))),
    "matmul of halves, turned": of_halves(
        MatMul(True, False), TensorType((80, 130)), TensorType((80, 70))
    ),
    "conv of halves, channels last": of_halves(Conv(*SAME), *CHANNELS_LAST),
    "matmul": single(MatMul(False, True), (130, 80), (36, 80)),
    "matmul turned": single(MatMul(True, False), (80, 130), (80, 70)),
    "conv": single(Conv(*SAME), (2, 2, 9, 9), (36, 2, 3, 3)),
    "conv, channels last": single(
        Conv(*SAME),
        TensorType((5, 32, 8, 8), layout=channels_last(4)),
        TensorType((36, 32, 3, 3), layout=channels_last(4)),
    ),
    "conv groups": single(Conv(*SAME, 2), (1, 4, 6, 6), (72, 2, 3, 3)),
    "conv_input_grad": single(ConvInputGrad(*SAME, spatial=(9, 9)), (2, 2, 9, 9), (2, 36, 3, 3)),
    "conv_input_grad, channels last": single(
        ConvInputGrad(*SAME, spatial=(8, 8)),
        TensorType((5, 32, 8, 8), layout=channels_last(4)),
        TensorType((32, 36, 3, 3), layout=Layout.of((1, 2, 3, 0))),
    ),
    "conv_input_grad strided": single(
        ConvInputGrad((2, 2), (1, 1), (1, 1), spatial=(12, 12)), (1, 8, 6, 6), (8, 4, 3, 3)
    ),
    "conv_weight_grad": single(ConvWeightGrad(*SAME, window=(3, 3)), (4, 4, 6, 6), (4, 130, 6, 6)),
    "deviations in rows": deviations((66, 1030), (1,)),
    "deviations in planes": deviations((66, 2, 40), (0, 2)),
    "deviations in columns": deviations((70, 260), (0,)),
    "reduce_rows": total((66, 1030), (1,)),
    "reduce_rows of many": total((65, 1030), (1,), inputs=7),
    "reduce_planes": total((66, 2, 40), (0, 2)),
    "reduce_planes of many": total((65, 2, 20), (0, 2), inputs=7),
    "reduce_columns": total((70, 260), (0,)),
    "reduce_columns in many parts": total((16700, 17), (0,)),
    "reduce_columns of many": total((65, 257), (0,), inputs=7),
    "flat of few": added(2),
    "flat of many": added(9),
    "flat of windows": single(
        WindowMax((1, 1, 3, 3), (1, 1, 1, 1), (0, 0, 1, 1), (0, 0, 1, 1), spatial_rank=2),
        (2, 3, 10, 10),
    ),
    "scatter_add": single(ScatterAdd(260), (270, 70), TensorType((270,), I32)),
    "top_k": single(TopK(2), (3, 1100)),
    "many of top_k": single(TopK(40, "first"), (3, 1100)),
    "suppression": single(NonMaximum(0.3), (2, 40, 4), TensorType((2,), I32)),
    "match": single(Match(2, 0.5), (2, 1100, 4), TensorType((3, 4)), TensorType((3,), I32)),
    "scatter_last": single(
        ScatterLast(260), (2, 40), TensorType((2, 40), I32), TensorType((2,), I32)
    ),
    "introsort": single(IntroSort(20), (3, 30), TensorType((3, 30), I32), TensorType((3,), I32)),
    "region_max": cells_of(RegionMax(), PICTURES),
    "region_scatter": cells_of(RegionScatter(PICTURES), PER_CELL, TensorType(PER_CELL, I32)),
    "region_sum": cells_of(RegionSum(), PICTURES),
    "region_spread": cells_of(RegionSpread(PICTURES), PER_CELL),
    "largest": single(Largest(), (2, 1100), TensorType((2,), I32)),
    **{f"windows of {3 * wide} channels": windows(3 * wide) for wide in elements.WIDTHS},
    **{f"rows of {3 * wide} channels": channel_rows(3 * wide) for wide in elements.WIDTHS},
    **{f"tap_sums of {3 * wide} channels": tap_sums(3 * wide) for wide in elements.WIDTHS},
    "tap_sums of halves": of_halves(ConvWeightGrad(*SAME, 48, (3, 3)), images(48), images(48)),
    **{f"{kind} {length}": softmax(kind, length) for kind in row.TILES for length in longest(kind)},
}


def operands(name: str) -> list[np.ndarray]:
    """Random ones, but of what says where cells lie, what is sorted, and whose boxes are found."""
    arrays = random_inputs(CASES[name])
    match name:
        case "region_max" | "region_sum" | "region_spread":
            return [arrays[0], *CELLS]
        case "region_scatter":
            return [arrays[0], PLACES, *CELLS]
        case "introsort":
            marks = np.random.default_rng(1).random(arrays[1].shape) < 0.8
            return [np.round(arrays[0]), marks.astype(np.int32), np.array([1, 0, 1], np.int32)]
        case "scatter_last":
            spots = np.random.default_rng(1).integers(-3, 263, arrays[1].shape)
            return [arrays[0], spots.astype(np.int32), np.array([40, 30], np.int32)]
        case "match":
            return [*map(boxes, arrays[:2]), np.array([0, 1, 1], np.int32)]
    return arrays


def boxes(corners: np.ndarray) -> np.ndarray:
    """That begin before they end."""
    first, last = np.split(corners, 2, axis=-1)
    return np.concatenate([np.minimum(first, last), np.maximum(first, last)], axis=-1)


class Run(NamedTuple):
    name: str
    precision: str
    choice: Choice
    launches: list[Launch]


TOLERANCES = {"float32": 1e-4, "tf32": 5e-3, "ieee": 1e-4}
"""By the precision of products."""


def of(launch: Launch) -> tuple[str, Config]:
    """What is told apart: a family and its configuration."""
    return launch.kernel.entry, launch.config


def multiplies(node: Node) -> bool:
    return any(Property.CONTRACTION in n.op.properties for n in node.op.body.nodes)


def covering() -> Iterator[Run]:
    """Choices that together launch all that the schedules of the cases can launch.

    Of rows only the smallest tile that holds them: there is a case for each.
    """
    seen: set[tuple[str, Config, str]] = set()
    for name, node in CASES.items():
        for precision in TOLERANCES if multiplies(node) else ("float32",):
            ways = scheduled(node, precision)
            for choice in ways.choices[: 1 if node.op.schedule == "row" else None]:
                few = min(choice.splits, 3)  # splits: as good as many, and faster
                choice = dataclasses.replace(choice, splits=few)
                launches = ways.launches(choice)
                used = {
                    (name, launches[0].config, precision),
                    *((*of(launch), "") for launch in launches[1:]),
                }
                if not used <= seen:
                    yield Run(name, precision, choice, launches)
                seen |= used


RUNS = list(covering())


def described(run: Run) -> str:
    configs = [c for c in (run.choice.config, run.choice.second) if c is not None]
    sizes = ["x".join(str(size) for _, size in config.constants) for config in configs]
    return f"{run.name} {run.precision} {' '.join(sizes)} {run.choice.splits}"


@pytest.mark.parametrize("run", RUNS, ids=described)
def test_choices(run: Run) -> None:
    tolerance = TOLERANCES[run.precision]
    check(
        CASES[run.name],
        operands(run.name),
        tolerance=tolerance,
        choice=run.choice,
        precision=run.precision,
    )


def configurations() -> set[Config]:
    """All that stand in tables of the heuristics, and of ops with kernels of their own."""
    found: set[Config] = set()

    def walk(item: Any) -> None:
        if isinstance(item, Config):
            found.add(item)
        elif isinstance(item, dict):
            for value in item.values():
                walk(value)
        elif isinstance(item, (tuple, list, set, frozenset)):
            for value in item:
                walk(value)
        elif dataclasses.is_dataclass(item) and not isinstance(item, type):
            for field in dataclasses.fields(item):
                walk(getattr(item, field.name))

    for package in (heuristics, rules):
        for module in pkgutil.iter_modules(package.__path__):
            walk(vars(importlib.import_module(f"{package.__name__}.{module.name}")))
    walk(SINGLES)
    return found


LAUNCHED = {of(launch) for run in RUNS for launch in run.launches}


def test_every_configuration_is_launched() -> None:
    """Of products and reductions whole and split."""
    found = configurations()
    assert len(found) > 30
    launched = {config for _, config in LAUNCHED}
    split = {config.constants[:-1]: 0 for config in launched if config.constants[-1][0] == "SPLIT"}
    for config in found:
        ways = [config]
        if config.constants in split:
            ways = [config.having("SPLIT", value) for value in (0, 1)]
        assert [way for way in ways if way not in launched] == []


def test_every_kernel_of_its_own_is_launched() -> None:
    ops = {type(node.op.body.nodes[0].op) for node in CASES.values()}
    assert ops >= {*VIEWS, *SINGLES}


def test_every_configuration_has_several_programs() -> None:
    several = {of(launch) for run in RUNS for launch in run.launches if math.prod(launch.grid) > 1}
    assert several == LAUNCHED


@pytest.mark.parametrize("net", ["lenet", "inception", "residual", "recurrent", "siamese"])
def test_nets_launch_nothing_else(net: str) -> None:
    compiled = program_kernels.training(lowered(getattr(sample_nets, net)()))
    for launch in compiled.alone:
        assert of(launch) in LAUNCHED, launch.label
