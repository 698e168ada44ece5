"""The cost model: what it counts in nodes, how near it is to what was measured, what it chooses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from benchmarks.predicted.measured import (
    H200,
    launch_errors,
    lost_by_choice,
    product_errors,
    products,
)
from compiler.architecture import Architecture
from compiler.compiled import CompiledGraph
from compiler.kernels.choice import Beside
from compiler.kernels.products import ProductShape
from compiler.options import CompileOptions
from compiler.pipeline import compile_graph
from compiler.precision import PRECISIONS
from compiler.target import Target, typical
from compiler.triton.cost.prediction import Prediction, predictions
from compiler.triton.cost.time import BoundBy, time_of
from compiler.triton.cost.work import Work
from compiler.triton.heuristics.contract import TILES, contract_choices
from compiler.triton.lower import lower_node
from ir import expr as e
from ir.build import Builder
from ir.graph import Role
from ir.ops.matmul import MatMul
from ir.types import TensorType

H100 = typical(Architecture(90))
CAPABILITIES = (75, 80, 86, 87, 89, 90, 100, 120)


def predicted(
    write: Callable[[Builder], object], target: Target = H100, precision: str = "float32"
) -> list[Prediction]:
    b = Builder("net")
    write(b)
    compiled = compile_graph(b.finish(), lower_node, CompileOptions(target, precision))
    return list(predictions(compiled, target))


def doubled(count: int, *more: int) -> Callable[[Builder], object]:
    def write(b: Builder) -> object:
        x = b.input("x", TensorType((count, *more)))
        return b.output("y", b.map(e.arg(0) * 2.0, x))

    return write


def multiplied(rows: int, depth: int, columns: int) -> Callable[[Builder], object]:
    def write(b: Builder) -> object:
        left = b.input("x", TensorType((rows, depth)))
        right = b.input("w", TensorType((depth, columns)), Role.PARAMETER)
        return b.output("y", b.emit(MatMul(), left, right))

    return write


def test_products_take_what_an_h200_took() -> None:
    for kind, errors in product_errors().items():
        assert errors.median < 0.1 and 0.9 < errors.sums < 1.1, (kind, errors)


def test_tiles_and_splits_lose_little_against_the_best_that_was_measured() -> None:
    lost = lost_by_choice()
    assert len(lost) > 60
    assert sum(lost.values()) / len(lost) < 0.03
    assert max(lost.values()) < 0.2, max(lost, key=lost.__getitem__)


def test_other_launches_take_what_an_h200_took() -> None:
    found = launch_errors()
    for kernel in ("flat", "reduce_planes"):  # nearly all of the time
        assert found[kernel].median < 0.4 and 0.9 < found[kernel].sums < 1.1, found[kernel]


def test_every_tile_of_the_table_has_a_rate_that_was_measured_or_is_below_one() -> None:
    seen = {(p.layer.factors, p.config) for p in products()}
    for kind, tiles in TILES.items():
        measured = [tile for tile in tiles if (kind, tile.config) in seen]
        assert measured, kind
        best = max(tile.rate for tile in measured)
        assert all(tile.rate <= best for tile in tiles if tile not in measured)


def test_a_large_copy_is_bound_by_memory() -> None:
    (one,) = predicted(doubled(1 << 26))
    assert one.nbytes == 2 * 4 << 26
    assert one.time.limit is BoundBy.MEMORY
    assert one.least < one.time.seconds < 1.3 * one.least


def test_a_small_one_takes_what_a_launch_takes() -> None:
    (one,) = predicted(doubled(64))
    assert 0.5e-6 < one.time.seconds < 3e-6
    assert one.time.limit in (BoundBy.LAUNCH, BoundBy.LATENCY)


def test_only_what_is_read_of_a_tensor_counts() -> None:
    def write(b: Builder) -> object:
        x = b.input("x", TensorType((64, 4096)))
        return b.output("y", b.map(e.arg(0) + 1.0, b.slice(x, 1, 0, 32)))

    (one,) = predicted(write)
    assert one.nbytes == 2 * 4 * 64 * 32


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_large_product_is_bound_by_its_units(precision: str) -> None:
    found = predicted(multiplied(4096, 4096, 4096), precision=precision)
    first = next(one for one in found if one.flops)
    assert first.flops == 2 * 4096**3
    units = BoundBy.ARITHMETIC if precision == "ieee" else BoundBy.TENSOR
    assert first.time.limit is units
    assert first.least < first.time.seconds < 12 * first.least


def test_precisions_take_the_time_of_their_units() -> None:
    def seconds(precision: str) -> float:
        found = predicted(multiplied(4096, 4096, 4096), precision=precision)
        return sum(one.time.seconds for one in found)

    half, tf32, split, ieee = map(seconds, ("bfloat16", "tf32", "float32", "ieee"))
    assert half < tf32 < split < ieee


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_every_generation_has_its_rates(capability: int) -> None:
    target = typical(Architecture(capability))
    for found in (predicted(multiplied(512, 512, 512), target), predicted(doubled(4096), target)):
        for one in found:
            assert 0 < one.least < one.time.seconds < 1


def test_faster_devices_take_less() -> None:
    def seconds(capability: int) -> float:
        target = typical(Architecture(capability))
        return sum(one.time.seconds for one in predicted(multiplied(8192, 4096, 4096), target))

    assert seconds(100) < seconds(90) < seconds(80) < seconds(87)


def test_nothing_takes_no_time() -> None:
    assert time_of(Work(0, 4, 32, 0), H100).seconds == 0.0
    assert predicted(doubled(0)) == []


def test_indices_of_64_bits() -> None:
    (one,) = predicted(doubled(3, 1 << 30))
    assert one.nbytes == 2 * 4 * 3 << 30
    assert one.time.limit is BoundBy.MEMORY


def test_few_tiles_of_a_deep_product_are_split_to_fill_the_device() -> None:
    shape = ProductShape(1, 64, 64, 200_704)
    (kind,) = (kind for kind in TILES if kind.precision == "tf32" and kind.held)
    first, *_ = contract_choices(shape, False, kind, H200)
    programs = shape.programs(first.config) * first.splits
    assert H200.processors / 2 < programs
    small = replace(H200, processors=2)
    fewer, *_ = contract_choices(shape, False, kind, small)
    assert fewer.splits < first.splits


def test_sums_that_read_tensors_leave_registers_to_themselves() -> None:
    """A tile of 128 x 256 holds 128 sums in each thread, and tensors beside it as many numbers."""
    shape = ProductShape(1, 200_704, 256, 256)
    (kind,) = (kind for kind in TILES if kind.precision == "half" and not kind.held)
    ways = (Beside(True, crowded) for crowded in (False, True))
    alone, crowded = (contract_choices(shape, False, kind, H200, beside) for beside in ways)
    most = [
        max(c.config["M"] * c.config["N"] // (32 * c.config.num_warps) for c in choices)
        for choices in (alone, crowded)
    ]
    assert most == [128, 64]


def test_a_split_has_to_gain_more_where_others_would_sum_its_results() -> None:
    """As of the last 3 x 3 layers of ResNet-50, whose tiles are fewer than processors."""
    shape = ProductShape(1, 3136, 512, 4608, depth_run=512)
    (kind,) = (kind for kind in TILES if kind.precision == "tf32" and not kind.held)
    ways = (contract_choices(shape, False, kind, H100, Beside(summed)) for summed in (False, True))
    assert [choices[0].splits for choices in ways] == [2, 1]


def test_more_instructions_take_longer() -> None:
    def seconds(value: e.Expr) -> float:
        def write(b: Builder) -> object:
            x = b.input("x", TensorType((1 << 20,)))
            return b.output("y", b.map(value, x))

        return sum(one.time.seconds for one in predicted(write))

    x = e.arg(0)
    many = x
    for _ in range(20):
        many = e.exp(many)
    assert seconds(many) > 1.5 * seconds(x + 1.0)


def test_alike_launches_are_counted_each() -> None:
    def write(b: Builder) -> object:
        x = b.input("x", TensorType((1 << 16,)))
        b.output("y", b.sum(x, (0,)))
        z = b.input("z", TensorType((1 << 16,)))
        return b.output("t", b.sum(z, (0,)))

    found = predicted(write)
    half = len(found) // 2
    assert [p.time for p in found[:half]] == [p.time for p in found[half:]]


def test_a_launch_that_says_nothing_of_itself_is_bound_by_its_bytes() -> None:
    def lower(*arguments: object) -> object:
        return [replace(launch, body=None) for launch in lower_node(*arguments)]  # type: ignore[arg-type]

    b = Builder("net")
    doubled(1 << 20)(b)
    compiled: CompiledGraph = compile_graph(b.finish(), lower, CompileOptions(H100))  # type: ignore[arg-type]
    (one,) = predictions(compiled, H100)
    assert (one.nbytes, one.time.limit) == (2 * 4 << 20, BoundBy.MEMORY)
