"""The row schedule under Triton's interpreter: short and long rows, neighbours and columns."""

from __future__ import annotations

import numpy as np
import pytest
from kernel_runner import check, fused, lowered, random_inputs

from ir import expr as e
from ir.build import Builder
from ir.graph import Node, Value
from ir.ops.reduction import ArgExtreme

SHAPES = [
    (7, 10),
    (1, 10),
    (3, 2),
    (5, 16),
    (2, 1000),
    (2, 5000),
    (2, 21, 5, 3),
    (1, 3, 4, 4),
    (2, 64, 3, 3),
    (2, 70, 5, 2),
    (3, 130, 1, 1),
]


def softmax(shape: tuple[int, ...]) -> Node:
    def build(b: Builder, x: Value) -> list[Value]:
        most = b.reduce("max", x, (1,))
        power = b.map(e.exp(e.arg(0) - e.arg(1)), x, most)
        total = b.sum(power, (1,))
        return [b.map(e.arg(0) / e.arg(1), power, total), b.map(e.log(e.arg(0)), total)]

    return fused(build, shape, schedule="row")


def three_levels(shape: tuple[int, ...]) -> Node:
    """The variance by the mean, the place of the largest, and a value that only broadcasts."""

    def build(b: Builder, x: Value, y: Value) -> list[Value]:
        mean = b.map(e.arg(0) / float(shape[1]), b.sum(x, (1,)))
        off = b.map(e.arg(0) - e.arg(1), x, mean)
        square = b.sum(b.map(e.arg(0) * e.arg(0), off), (1,))
        place = b.emit(ArgExtreme("max", 1), x)
        repeated = b.sum(b.maps([e.arg(0)], square, shape=x.shape)[0], (1,))
        result = b.map(e.arg(0) * e.arg(1) + e.arg(2), off, square, y)
        wide = b.maps([e.arg(0) + 1.0], mean, shape=x.shape)[0]
        return [result, square, place, repeated, wide]

    reduced = (shape[0], 1, *shape[2:])
    return fused(build, shape, reduced, schedule="row")


@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: "x".join(map(str, s)))
@pytest.mark.parametrize("make", [softmax, three_levels], ids=lambda f: f.__name__)
def test_rows(make: object, shape: tuple[int, ...]) -> None:
    assert callable(make)
    node = make(shape)
    check(node, random_inputs(node, seed=shape[1]))


@pytest.mark.parametrize("shape", [(3, 10), (2, 5000), (2, 21, 2, 2)])
def test_rows_that_hold_no_number(shape: tuple[int, ...]) -> None:
    node = softmax(shape)
    (x,) = random_inputs(node)
    x[0, 3], x[1, 1] = np.nan, -np.inf
    with np.errstate(invalid="ignore"):
        check(node, [x])


@pytest.mark.parametrize("channels", [10, 5000])
def test_another_batch_is_the_same_text(channels: int) -> None:
    texts = {lowered(softmax((n, channels)))[0].kernel.source for n in (1, 2, 64)}
    assert len(texts) == 1
    images = {
        lowered(three_levels((n, channels, h, h)))[0].kernel.source
        for n, h in ((1, 2), (2, 3), (9, 5))
    }
    assert len(images) == 1


@pytest.mark.parametrize("shape", [(64, 1000, 1, 1), (64, 1000), (64, 1, 1000)])
def test_axes_of_one_element_are_no_columns(shape: tuple[int, ...]) -> None:
    """Rows of neighbours, whatever their axes are called: a program for few of them."""
    axis = shape.index(1000)

    def build(b: Builder, x: Value) -> Value:
        power = b.map(e.exp(e.arg(0) - e.arg(1)), x, b.reduce("max", x, (axis,)))
        return b.map(e.arg(0) / e.arg(1), power, b.sum(power, (axis,)))

    (launch,) = lowered(fused(build, shape, schedule="row"))
    assert launch.kernel.entry == "row" and launch.grid == (64, 1, 1)
