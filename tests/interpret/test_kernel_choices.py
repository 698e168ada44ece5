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
from typing import Any

import pytest
from kernel_runner import check, fused, scheduled, single

from compiler import kernels
from compiler.kernel import Config, Launch
from compiler.kernels.products import VIEWS
from compiler.kernels.schedules import row
from compiler.kernels.schedules.single import SINGLES
from compiler.kernels.task import Choice
from ir import expr as e
from ir.build import Builder
from ir.graph import Node, Value
from ir.ops.convolution import Conv, ConvInputGrad, ConvWeightGrad
from ir.ops.gather import ScatterAdd
from ir.ops.matmul import MatMul
from ir.ops.sort import TopK
from ir.ops.window import WindowMax
from ir.types import I32, TensorType
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


def added(inputs: int) -> Node:
    """The sum of several tensors, element by element."""

    def build(b: Builder, *xs: Value) -> Value:
        return b.map(sum((e.arg(i) for i in range(1, len(xs))), e.arg(0)), *xs)

    return fused(build, *[(2, 600)] * inputs)


def softmax(kind: str, length: int) -> Node:
    """Over rows of channels, of more than a program takes of the shortest."""
    tile = next(t for t in row.TILES[kind] if t.held is None or t.held >= length)
    rows = tile.sizes[0 if kind == "rows" else 1] + 1
    shape = (rows, length) if kind == "rows" else (1, length, rows)

    def build(b: Builder, x: Value) -> list[Value]:
        most = b.reduce("max", x, (1,))
        power = b.map(e.exp(e.arg(0) - e.arg(1)), x, most)
        return [b.map(e.arg(0) / e.arg(1), power, b.sum(power, (1,))), most]

    return fused(build, shape, schedule="row")


def longest(kind: str) -> Iterator[int]:
    """Lengths of rows, each of which takes another tile."""
    held = [tile.held for tile in row.TILES[kind] if tile.held is not None]
    yield from (length - length // 4 for length in held)
    yield held[-1] + 5


CASES: dict[str, Node] = {
    "matmul": single(MatMul(False, True), (130, 40), (36, 40)),
    "conv": single(Conv(*SAME), (2, 2, 9, 9), (36, 2, 3, 3)),
    "conv groups": single(Conv(*SAME, 2), (1, 4, 6, 6), (72, 2, 3, 3)),
    "conv_input_grad": single(ConvInputGrad(*SAME, spatial=(9, 9)), (2, 2, 9, 9), (2, 36, 3, 3)),
    "conv_input_grad strided": single(
        ConvInputGrad((2, 2), (1, 1), (1, 1), spatial=(12, 12)), (1, 8, 6, 6), (8, 4, 3, 3)
    ),
    "conv_weight_grad": single(ConvWeightGrad(*SAME, window=(3, 3)), (1, 4, 5, 5), (1, 130, 5, 5)),
    "reduce_rows": total((66, 1030), (1,)),
    "reduce_rows of many": total((65, 1030), (1,), inputs=7),
    "reduce_planes": total((66, 2, 40), (0, 2)),
    "reduce_planes of many": total((65, 2, 20), (0, 2), inputs=7),
    "reduce_columns": total((70, 260), (0,)),
    "reduce_columns of many": total((65, 257), (0,), inputs=7),
    "flat of few": added(2),
    "flat of many": added(9),
    "flat of windows": single(
        WindowMax((1, 1, 3, 3), (1, 1, 1, 1), (0, 0, 1, 1), (0, 0, 1, 1), spatial_rank=2),
        (2, 3, 10, 10),
    ),
    "scatter_add": single(ScatterAdd(5), (40, 300), TensorType((40,), I32)),
    "top_k": single(TopK(2), (3, 1100)),
    **{f"{kind} {length}": softmax(kind, length) for kind in row.TILES for length in longest(kind)},
}


Run = tuple[str, Choice, list[Launch]]


def covering() -> Iterator[Run]:
    """Choices that together launch all that the schedules of the cases can launch.

    Of rows only the smallest tile that holds them: there is a case for each.
    """
    seen: set[tuple[str, int]] = set()
    for name, node in CASES.items():
        ways = scheduled(node)
        for choice in ways.choices[: 1 if node.op.schedule == "row" else None]:
            few = min(choice.splits, 3)  # splits: as good as many, and faster
            choice = dataclasses.replace(choice, splits=few)
            launches = ways.launches(choice)
            used = {(name, id(launches[0].chosen))}
            used |= {(launch.kernel.entry, id(launch.chosen)) for launch in launches[1:]}
            if not used <= seen:
                yield name, choice, launches
            seen |= used


RUNS = list(covering())


@pytest.mark.parametrize(
    ("name", "choice"),
    [(name, choice) for name, choice, _ in RUNS],
    ids=[f"{name} {c.tile} {c.splits} {c.second}" for name, c, _ in RUNS],
)
def test_choices(name: str, choice: Choice) -> None:
    check(CASES[name], tolerance=1e-4, choice=choice)


def configurations() -> list[Config]:
    """All that stand in tables of the schedules' modules."""
    found: dict[int, Config] = {}

    def walk(item: Any) -> None:
        if isinstance(item, Config):
            found[id(item)] = item
        elif isinstance(item, dict):
            for value in item.values():
                walk(value)
        elif isinstance(item, (tuple, list, set, frozenset)):
            for value in item:
                walk(value)
        elif dataclasses.is_dataclass(item) and not isinstance(item, type):
            for field in dataclasses.fields(item):
                walk(getattr(item, field.name))

    for module in pkgutil.walk_packages(kernels.__path__, "compiler.kernels."):
        walk(vars(importlib.import_module(module.name)))
    return list(found.values())


LAUNCHED = {
    (launch.kernel.entry, id(launch.chosen)) for _, _, launches in RUNS for launch in launches
}


def test_every_configuration_is_launched() -> None:
    found = configurations()
    assert len(found) > 60
    launched = {number for _, number in LAUNCHED}
    assert [config for config in found if id(config) not in launched] == []


def test_every_kernel_is_launched_with_all_that_it_owns() -> None:
    ops = {type(inner.op) for node in CASES.values() for inner in node.op.body.nodes}
    assert ops >= {*VIEWS, *SINGLES}
    for _, _, launches in RUNS:
        for launch in launches:
            name = launch.kernel.entry
            assert [c for c in launch.kernel.configs if (name, id(c)) not in LAUNCHED] == []


def test_every_configuration_has_several_programs() -> None:
    several = {
        (launch.kernel.entry, id(launch.chosen))
        for _, _, launches in RUNS
        for launch in launches
        if math.prod(launch.grid) > 1
    }
    assert several == LAUNCHED


@pytest.mark.parametrize("net", ["lenet", "inception", "residual", "recurrent", "siamese"])
def test_nets_launch_nothing_else(net: str) -> None:
    compiled = program_kernels.training(lowered(getattr(sample_nets, net)()))
    for launch in compiled.launches:
        assert (launch.kernel.entry, id(launch.chosen)) in LAUNCHED, launch.label
