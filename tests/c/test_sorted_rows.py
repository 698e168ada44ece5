"""The largest of rows on CPUs: in one order, whatever the keys, on any number of threads."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from compiler.c.lower import lower_to_c
from compiler.kernel import Launch
from compiler.options import CompileOptions
from ir.graph import Node
from ir.ops.sort import TopK
from ir.types import F32, I32, TensorType
from tests.interpret.kernel_runner import GENERAL, fused, run_launches, single
from tests.support import c_kernels
from tests.support.c_kernels import needs_compiler

SIZES = [(3, 500, 40), (1, 70, 70), (70, 40, 39), (2, 3000, 900), (5, 100, 2), (1, 999, 998)]
"""Rows, their length, how many are asked for. Of the third there are more than programs."""


def numbers(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.standard_normal(shape).astype(np.float32)


def alike(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.integers(-3, 3, shape).astype(np.float32) / -2


def strange(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    values = np.array([np.nan, -np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-42, -1e-42, 1], np.float32)
    return rng.choice(values, shape)


def whole(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.integers(-(2**31), 2**31, shape).astype(np.int32)


def ends(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.choice(np.array([-(2**31), 2**31 - 1, 0, -1], np.int64), shape).astype(np.int32)


def flags(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return (rng.random(shape) < rng.choice([0.0, 0.1, 1.0])).astype(np.int32)


def lowered(node: Node) -> list[Launch]:
    return lower_to_c(node, CompileOptions(target=c_kernels.machine()))


@needs_compiler
@pytest.mark.parametrize("tie", ["first", "last"])
@pytest.mark.parametrize("kind", [numbers, alike, strange, whole, ends, flags])
def test_as_the_reference_on_any_number_of_threads(kind: object, tie: str) -> None:
    assert callable(kind)
    rng = np.random.default_rng(4)
    for rows, length, k in SIZES:
        x = kind(rng, (rows, length))
        node = single(TopK(k, tie), TensorType(x.shape, I32 if x.dtype == np.int32 else F32))
        launches = lowered(node)
        wanted = node.op.body.nodes[0].op.reference([x], [])
        for threads in (1, 3):
            launcher = c_kernels.launcher_of([x.kernel for x in launches], threads)
            found = run_launches(launches, node, [x], by=launcher)
            for have, want in zip(found, wanted, strict=True):
                np.testing.assert_array_equal(have.view(np.int32), want.view(np.int32), f"{k}")


def test_few_are_selected() -> None:
    entries = [lowered(single(TopK(k), (4, 9000)))[0].kernel.entry for k in (1, 5, 400)]
    assert [entry.split("_")[0] for entry in entries] == ["top", "sort", "sort"]


def test_the_text_knows_no_number_that_may_change() -> None:
    node = fused(
        lambda b, x: b.emit_all(TopK((x.type.shape[-1] + 1) // 2), x),
        (2, 3, 4, 9999),
        schedule="single",
    )
    (launch,) = lowered(GENERAL[id(node)].node)
    assert launch.kernel.entry.startswith("sort_rows")
    assert "9999" not in launch.kernel.source and "5000" not in launch.kernel.source


def test_memory_does_not_grow_with_rows() -> None:
    def scratch(rows: int) -> int:
        (launch,) = lowered(single(TopK(400, "first"), (rows, 8732)))
        return sum(x.nbytes for x in launch.outputs if hasattr(x, "nbytes"))

    assert scratch(640) == scratch(64)


def test_more_rows_at_another_time_have_programs() -> None:
    node = fused(lambda b, x: b.emit_all(TopK(9), x), (2, 300), schedule="single")
    target = replace(c_kernels.machine(), processors=5)
    (launch,) = lower_to_c(GENERAL[id(node)].node, CompileOptions(target=target))
    assert launch.grid == (5, 1, 1)
    (launch,) = lower_to_c(single(TopK(9), (1, 300)), CompileOptions(target=target))
    assert launch.grid == (1, 1, 1)
