"""Tiles of products one after the other, so that caches hold what they share."""

from __future__ import annotations

from dataclasses import replace

import pytest

from compiler.c.lanes import lanes_of
from compiler.c.lower import lower_to_c
from compiler.c.register_tiles import images_first, results_first
from compiler.options import CompileOptions
from ir.layout import Layout
from ir.ops.convolution import Conv, ConvInputGrad
from ir.ops.matmul import MatMul
from ir.types import TensorType
from runtime.machine.processor import cpu_target
from tests.interpret.kernel_runner import compare, random_inputs, run_launches, single
from tests.support.c_kernels import launcher_of, needs_compiler
from tests.support.layouts import with_layouts

TARGET = replace(cpu_target(), l2_cache=2 << 20)
MIB = 1 << 20


def test_images_that_a_cache_holds_one_by_one() -> None:
    assert images_first(TARGET, images=8, tiles=8, vectors=MIB // 16, others=6 * MIB)
    assert not images_first(TARGET, images=1, tiles=8, vectors=MIB // 16, others=6 * MIB)
    assert not images_first(TARGET, images=8, tiles=8, vectors=MIB // 16, others=MIB)  # all held
    assert not images_first(TARGET, images=2, tiles=8, vectors=MIB, others=16 * MIB)  # none held
    assert not images_first(TARGET, images=8, tiles=2, vectors=8 * MIB, others=4 * MIB)
    assert not images_first(replace(TARGET, l2_cache=0), 8, 8, MIB // 16, 6 * MIB)


@needs_compiler
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("gradient", [False, True], ids=["forward", "gradient"])
def test_both_orders_compute_the_same(gradient: bool, stride: int) -> None:
    lanes = lanes_of(TARGET)
    blocks = Layout.of(range(4), [(1, lanes)])
    kind = (stride, stride), (0, 0), (1, 1), 1
    x, w = TensorType((3, 2 * lanes, 24, 12)), TensorType((8 * lanes, 2 * lanes, 1, 1))
    weights = Layout.of(range(4), [(1, lanes), (0, lanes)])
    node = with_layouts(single(Conv(*kind), x, w), [blocks, weights, blocks])
    if gradient:
        (y,) = Conv(*kind).infer([x, w])
        back = ConvInputGrad(*kind, spatial=(24, 12))
        node = with_layouts(single(back, y, w), [blocks, weights, blocks])
    arrays = random_inputs(node)
    texts = set()
    for cache in (2 * MIB, 24 * 12 * 2 * lanes * 4 * 3 // 2):  # for all, for one image
        launches = lower_to_c(node, CompileOptions(target=replace(TARGET, l2_cache=cache)))
        launcher = launcher_of(launch.kernel for launch in launches)
        got = run_launches(launches, node, arrays, by=launcher)
        compare(node, got, arrays, tolerance=1e-5, context=launches[0].kernel.source)
        texts.add(launches[0].kernel.source)
    assert gradient or stride > 1 or len(texts) == 2


def test_results_that_no_cache_holds_of_operands_that_one_does() -> None:
    assert results_first(TARGET, operands=MIB, result=3 * MIB)
    assert not results_first(TARGET, operands=2 * MIB, result=3 * MIB)
    assert not results_first(TARGET, operands=MIB, result=MIB)
    assert not results_first(replace(TARGET, l2_cache=0), operands=MIB, result=3 * MIB)


@needs_compiler
@pytest.mark.parametrize(
    ("shapes", "transposed"),
    [
        ([(5, 1030), (1030, 1104)], {}),  # by parts of the lines that a step reads
        ([(1, 1030), (1030, 1104)], {}),
        ([(5, 1104), (1030, 1104)], {"transpose_b": True}),
        ([(3, 1030), (3, 1104)], {"transpose_a": True}),  # in the order of the results
    ],
    ids=["lines", "one row", "along lines", "results"],
)
def test_products_of_large_matrices(
    shapes: list[tuple[int, int]], transposed: dict[str, bool]
) -> None:
    target = replace(TARGET, l2_cache=MIB)
    node = single(MatMul(**transposed), *map(TensorType, shapes))
    arrays = random_inputs(node)
    launches = lower_to_c(node, CompileOptions(target=target))
    source = launches[0].kernel.source
    assert ("near_ahead_f" in source) is ("transpose_a" not in transposed)
    assert (len(launches) == 2) is not bool(transposed)
    launcher = launcher_of(launch.kernel for launch in launches)
    got = run_launches(launches, node, arrays, by=launcher)
    compare(node, got, arrays, tolerance=2e-5, context=source)
