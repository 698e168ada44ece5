"""The reduce schedule: tiles, splits, NaN, ties, epilogues."""

from __future__ import annotations

import math

import numpy as np
import pytest
from kernel_runner import Build, check, fused, random_inputs, single

from ir import expr as e
from ir.build import Builder
from ir.graph import Value
from ir.layout import Layout, channels_last
from ir.ops.reduction import ArgExtreme, Reduce
from ir.types import I32, TensorType

CASES = [
    ((4, 7), (1,)),
    ((4, 7), (0,)),
    ((3, 4, 5), (1,)),
    ((3, 4, 5), (0, 1, 2)),
    ((2, 3, 4, 5), (0, 2, 3)),
    ((2, 3, 4, 5), (0, 2)),
    ((2, 3, 4, 5), (1, 3)),
    ((65, 17), (1,)),
    ((17, 130), (0,)),
    ((5, 1100), (1,)),
    ((1, 1), (1,)),
    ((2, 3, 1, 1), (1,)),
    ((2, 3, 1, 1), (2, 3)),
    ((0, 3), (0,)),
    ((2, 0, 3), (1,)),
]


@pytest.mark.parametrize(("shape", "axes"), CASES, ids=str)
@pytest.mark.parametrize("kind", ["sum", "max", "min", "deviations"])
def test_reductions(shape: tuple[int, ...], axes: tuple[int, ...], kind: str) -> None:
    check(single(Reduce(kind, axes), shape, schedule="reduce"))


def test_products() -> None:
    for shape, axes in (((3, 4), (1,)), ((3, 4), (0,)), ((2, 3, 2), (0, 2)), ((0, 2), (0,))):
        check(single(Reduce("prod", axes), shape, schedule="reduce"))


@pytest.mark.parametrize("kind", ["max", "min"])
@pytest.mark.parametrize("axis", [0, 1])
def test_extremes_keep_nan(kind: str, axis: int) -> None:
    node = single(Reduce(kind, (axis,)), (5, 6), schedule="reduce")
    (x,) = random_inputs(node)
    x[2, 3] = np.nan
    x[4] = -np.inf
    check(node, [x])


@pytest.mark.parametrize("kind", ["max", "min"])
@pytest.mark.parametrize("tie", ["first", "last"])
@pytest.mark.parametrize(
    ("shape", "axis"), [((6, 9), 1), ((9, 6), 0), ((3, 5, 4), 1), ((2, 1100), 1)]
)
def test_places_of_extremes(kind: str, tie: str, shape: tuple[int, ...], axis: int) -> None:
    node = single(ArgExtreme(kind, axis, tie), shape, schedule="reduce")
    (x,) = random_inputs(node)
    x = np.round(x)
    check(node, [x])
    x.flat[x.size // 2] = x.flat[-1] = np.nan
    check(node, [x])
    check(node, [np.full(shape, -np.inf, np.float32)])


def test_integers() -> None:
    for kind in ("sum", "max", "min"):
        check(single(Reduce(kind, (1,)), TensorType((3, 9), I32), schedule="reduce"))


@pytest.mark.parametrize(
    ("shape", "axes"), [((40000,), (0,)), ((90, 2, 300), (0, 2)), ((2000, 5), (0,))], ids=str
)
def test_long_reductions_are_split(shape: tuple[int, ...], axes: tuple[int, ...]) -> None:
    def build(b, x):  # type: ignore[no-untyped-def]
        y = b.sum(b.map(e.arg(0) * e.arg(0), x), axes)
        return b.map(e.arg(0) / e.dyn(float(x.type.size)), y), y

    launches = check(fused(build, shape, schedule="reduce"))
    assert len(launches) == 2
    assert launches[0].grid[1] > 1
    assert launches[0].outputs != launches[1].outputs


def moments(axes: tuple[int, ...]) -> Build:
    """The mean and the sum of squared deviations."""

    def build(b: Builder, x: Value) -> list[Value]:
        count = e.dyn(float(math.prod(x.shape[a] for a in axes)))
        mean = b.map(e.arg(0) / count, b.sum(x, axes))
        return [mean, b.reduce("deviations", x, axes)]

    return build


@pytest.mark.parametrize(
    ("shape", "axes", "layout"),
    [
        ((40000,), (0,), None),
        ((90, 2, 300), (0, 2), None),
        ((2000, 5), (0,), None),
        ((3, 70, 9, 9), (0, 2, 3), channels_last(4)),
        ((8, 5, 40, 40), (0, 2, 3), channels_last(4)),
        ((2, 3, 30, 30), (2, 3), channels_last(4)),
    ],
    ids=str,
)
@pytest.mark.parametrize(("middle", "spread"), [(0.0, 1.0), (1e4, 1.0), (-3e5, 2.0), (1e-3, 1e-6)])
def test_deviations_are_exact_far_from_zero(
    shape: tuple[int, ...],
    axes: tuple[int, ...],
    layout: Layout | None,
    middle: float,
    spread: float,
) -> None:
    """As by two passes: nothing large is subtracted from something large."""
    node = fused(moments(axes), TensorType(shape, layout=layout), schedule="reduce")
    (x,) = random_inputs(node)
    check(node, [(middle + spread * x).astype(np.float32)], tolerance=1e-6)


def test_deviations_of_what_is_no_number() -> None:
    node = fused(moments((1,)), (3, 1100), schedule="reduce")
    (x,) = random_inputs(node)
    x[1, 700] = np.nan
    check(node, [x])


@pytest.mark.parametrize("axes", [(0, 2, 3), (0,), (2, 3), (1,), (0, 3)], ids=str)
@pytest.mark.parametrize("kind", ["sum", "max", "deviations"])
def test_tiles_lie_as_memory_does(kind: str, axes: tuple[int, ...]) -> None:
    image = TensorType((3, 20, 4, 5), layout=channels_last(4))
    (launch,) = check(single(Reduce(kind, axes), image, schedule="reduce"))
    assert launch.kernel.entry == ("reduce_rows" if axes == (1,) else "reduce_columns")


def test_results_in_another_order_than_memory() -> None:
    """[1, 20, 4, 5], seen as [20, 20], of images whose channels lie side by side."""

    def build(b: Builder, x: Value) -> list[Value]:
        total = b.sum(x, (0,))
        return [total, b.reshape(total, (20, 20))]

    check(fused(build, TensorType((3, 20, 4, 5), layout=channels_last(4)), schedule="reduce"))


def test_split_places() -> None:
    node = single(ArgExtreme("max", 0, "last"), (40000,), schedule="reduce")
    (x,) = random_inputs(node)
    x = np.round(x)
    assert len(check(node, [x])) == 2
    x[[3, 777, 39998]] = np.nan
    check(node, [x])


def test_siblings_with_prologue_and_epilogue() -> None:
    def build(b, x, shift):  # type: ignore[no-untyped-def]
        y = b.map(e.maximum(e.arg(0) - e.arg(1), 0.0), x, shift)
        total = b.sum(y, (0, 2, 3))
        square = b.sum(b.map(e.arg(0) * e.arg(0), y), (0, 2, 3))
        count = e.dyn(40.0)
        mean = b.map(e.arg(0) / count, total)
        return mean, b.map(e.arg(1) / count - e.arg(0) * e.arg(0), mean, square), total

    node = fused(build, (2, 3, 4, 5), (1, 3, 1, 1), schedule="reduce")
    (launch,) = check(node)
    assert launch.kernel.source.count("tl.load(") == 2
    assert len(launch.outputs) == 3


@pytest.mark.parametrize(
    ("axes", "small", "large"),
    [
        ((0, 2, 3), (2, 3, 4, 5), (7, 3, 9, 2)),
        ((1,), (2, 6), (9, 6)),
        ((1,), (2, 6, 5, 5), (3, 6, 2, 9)),
        ((0,), (4, 6), (33, 6)),
    ],
    ids=str,
)
def test_text_does_not_depend_on_batch_or_image(
    axes: tuple[int, ...], small: tuple[int, ...], large: tuple[int, ...]
) -> None:
    nodes = [single(Reduce("sum", axes), s, schedule="reduce") for s in (small, large)]
    texts = [[launch.kernel.source for launch in check(n)] for n in nodes]
    assert texts[0] == texts[1]
