"""The flat schedule: pointwise, movement, window and gather kernels against the reference."""

from __future__ import annotations

import numpy as np
import pytest
from kernel_runner import check, fused, lowered, random_inputs, single

from compiler.triton.printer.spelling import SPELLING
from ir import expr as e
from ir.ops.gather import Gather
from ir.ops.movement import Concat, Pad, Slice, Transpose
from ir.ops.pointwise import Map
from ir.ops.window import WindowMax, WindowPick, WindowScatter, WindowSpread, WindowSum
from ir.primitives import PRIMITIVES
from ir.types import BOOL, I32, U32, TensorType

SPECIAL = np.array(
    [
        0.0,
        -0.0,
        1.0,
        -1.0,
        1e-7,
        -1e-7,
        1e-3,
        -3e-2,
        0.3,
        0.49,
        0.51,
        -0.5,
        2.0,
        -2.5,
        7.0,
        -9.0,
        30.0,
        -30.0,
        88.0,
        -88.0,
        100.0,
        -100.0,
        np.inf,
        -np.inf,
        np.nan,
    ],
    np.float32,
)


def test_every_primitive_is_spelled() -> None:
    assert SPELLING.keys() == PRIMITIVES.keys()


@pytest.mark.parametrize(
    "name", [p.name for p in PRIMITIVES.values() if p.arity == 1 and p.result != "int"]
)
def test_unary_primitives(name: str) -> None:
    x = SPECIAL
    if name in ("log", "sqrt"):
        x = np.abs(x)
    if name in ("exp", "expm1"):
        x = x[~(x > 88)]
    if name == "log1p":
        x = x[~(x < -1)]
    if name == "to_float":
        node = fused(lambda b, v: b.map(e.to_float(e.arg(0, I32)), v), TensorType((7,), I32))
        check(node)
        return
    if name == "not":
        node = fused(lambda b, v: b.map(~e.arg(0, BOOL), v), TensorType((7,), BOOL))
        check(node)
        return
    node = fused(lambda b, v: b.map(e.unary(name, e.arg(0)), v), x.shape)
    check(node, [x], tolerance=2e-6)
    # Relative error at every element, where the result is not beyond float32.
    lowest = -10 if name == "sigmoid" else -50  # numpy's formula cancels below
    small = x[np.isfinite(x) & (x < 50) & (x > lowest)]
    for value in small:
        node = fused(lambda b, v: b.map(e.unary(name, e.arg(0)), v), (1,))
        check(node, [np.array([value])], tolerance=3e-6 if abs(value) < 20 else 1e-5)


@pytest.mark.parametrize(
    "name", [p.name for p in PRIMITIVES.values() if p.arity == 2 and p.result != "bool"]
)
def test_binary_primitives(name: str) -> None:
    if name in ("floordiv", "mod"):
        types = [TensorType((3, 5), I32)] * 2
        node = fused(
            lambda b, x, y: b.map(e.binary(name, e.arg(0, I32), e.arg(1, I32)), x, y), *types
        )
        rng = np.random.default_rng(0)
        check(node, [rng.integers(0, 99, (3, 5), np.int32), rng.integers(1, 9, (3, 5), np.int32)])
        return
    x, y = np.meshgrid(SPECIAL, SPECIAL)
    if name == "pow":  # beyond float32, and signed zeros and infinities of odd powers
        inside = (np.abs(x) <= 30) & (np.abs(y) <= 9) & (x != 0)
        x, y = x[inside], y[inside]
        keep = np.abs(np.where(x != 0, y, 0) * np.log(np.abs(x))) < 60
        x, y = x[keep], y[keep]
    node = fused(lambda b, x, y: b.map(e.binary(name, e.arg(0), e.arg(1)), x, y), x.shape, y.shape)
    if name in ("add", "sub", "mul", "div"):
        inside = (np.abs(x) < 1e3) & (np.abs(y) < 1e3) & (np.abs(y) > 1e-4)
        x, y = np.where(inside, x, 1), np.where(inside, y, 2)
    check(node, [x.astype(np.float32), y.astype(np.float32)], tolerance=1e-6)


@pytest.mark.parametrize("name", ["lt", "le", "gt", "ge", "eq", "ne"])
def test_comparisons(name: str) -> None:
    x, y = np.meshgrid(SPECIAL, SPECIAL)
    node = fused(
        lambda b, x, y: b.map(e.to_float(e.binary(name, e.arg(0), e.arg(1))), x, y),
        x.shape,
        y.shape,
    )
    check(node, [np.ascontiguousarray(x), np.ascontiguousarray(y)])


def test_booleans_are_stored_and_read() -> None:
    node = fused(lambda b, x: b.map(e.arg(0) > 0.0, x), (3, 7))
    check(node)
    flags = [TensorType((3, 7), BOOL)] * 2
    node = fused(
        lambda b, x, y: b.map(
            e.where((e.arg(0, BOOL) & e.arg(1, BOOL)) | ~e.arg(1, BOOL), 1.0, 2.0), x, y
        ),
        *flags,
    )
    check(node)


def test_random_numbers_are_bit_for_bit() -> None:
    def build(b, seed):  # type: ignore[no-untyped-def]
        return b.map(e.rand(e.arg(0, U32), e.linear(), e.index(1), 3), seed, shape=(5, 9))

    node = fused(build, TensorType((1, 1), U32))
    for seed in (0, 7, 2**32 - 1):
        check(node, [np.full((1, 1), seed, np.uint32)], tolerance=0.0)


@pytest.mark.parametrize(
    ("shapes", "expected"),
    [
        (((2, 3, 4, 5), (1, 3, 1, 1)), 1),
        (((2, 3, 4, 5), (2, 3, 1, 1)), 0),
        (((2, 3, 4, 5), (1, 1, 4, 5)), 1),
        (((2, 3, 4, 5), (2, 1, 1, 5)), None),
        (((1, 3, 1, 5), (2, 1, 4, 1)), None),
        (((1, 1), (1, 1)), 0),
        (((17,), (1,)), 0),
        (((), ()), 0),
    ],
)
def test_broadcasting(shapes: tuple[tuple[int, ...], ...], expected: int | None) -> None:
    node = fused(lambda b, x, y: b.map(e.arg(0) * e.arg(1) + 1.0, x, y), *shapes)
    (launch,) = check(node)
    if expected is not None:
        assert launch.kernel.source.count(" % ") <= expected


def test_a_plain_chain_has_no_index_arithmetic() -> None:
    def build(b, x, y):  # type: ignore[no-untyped-def]
        z = b.map(e.maximum(e.arg(0) + e.arg(1), 0.0), x, y)
        return b.map(e.arg(0) * 2.0 + e.arg(1), z, x), z

    node = fused(build, (2, 3, 5, 7), (2, 3, 5, 7))
    (launch,) = check(node)
    source = launch.kernel.source
    assert "//" not in source and "%" not in source
    assert source.count("tl.load") == 2 and source.count("tl.store") == 2
    assert len(launch.kernel.parameters) == 5  # four pointers and the padded count
    assert all(p.divisible for p in launch.kernel.parameters)


def test_outputs_may_be_reshapes_of_each_other() -> None:
    def build(b, x):  # type: ignore[no-untyped-def]
        y = b.map(e.arg(0) * 2.0, x)
        return y, b.reshape(b.map(e.arg(0) + 1.0, y), (2, 12)), b.reshape(y, (24,))

    check(fused(build, (2, 3, 4)))


@pytest.mark.parametrize(
    ("op", "shapes"),
    [
        (Slice(0, 1, 3), [(4, 5)]),
        (Slice(1, 2, 5), [(2, 6, 3, 2)]),
        (Slice(3, 0, 2), [(2, 3, 2, 5)]),
        (Concat(1), [(2, 3, 4), (2, 1, 4), (2, 5, 4)]),
        (Concat(0), [(1, 3), (4, 3)]),
        (Concat(2), [(2, 3, 1), (2, 3, 6)]),
        (Pad((0, 0, 1, 2), (0, 0, 2, 0), 0.5), [(2, 3, 3, 4)]),
        (Pad((0, -1), (0, -2)), [(3, 7)]),
        (Pad((2, -1), (-1, 3), -1.0), [(3, 4)]),
        (Transpose((0, 2, 3, 1)), [(2, 3, 4, 5)]),
        (Transpose((1, 0)), [(3, 7)]),
    ],
)
def test_movement(op, shapes) -> None:  # type: ignore[no-untyped-def]
    check(single(op, *shapes, schedule="flat"))


@pytest.mark.parametrize(
    ("shape", "result"),
    [
        ((2, 12), (2, 3, 4)),
        ((2, 3, 4), (6, 4)),
        ((4, 6), (3, 8)),
        ((1, 6), (2, 3)),
        ((2, 1, 3), (6, 1, 1)),
        ((2, 3, 4, 5), (2, 60)),
    ],
)
def test_reshape_inside_a_chain(shape: tuple[int, ...], result: tuple[int, ...]) -> None:
    def build(b, x, scale):  # type: ignore[no-untyped-def]
        y = b.map(e.arg(0) * e.arg(1), x, scale)
        z = b.reshape(y, result)
        return b.map(e.arg(0) + e.to_float(e.index(1)), z)

    scale = (1, shape[1], *(1 for _ in shape[2:]))
    check(fused(build, shape, scale))


@pytest.mark.parametrize(
    ("cut", "shape", "result"),
    [
        (Slice(1, 0, 4), (2, 32), (2, 8, 2, 2)),
        (Slice(1, 0, 3), (2, 32), (2, 8, 2, 2)),
        (Slice(1, 4, 8), (2, 32), (2, 8, 2, 2)),
        (Slice(2, 0, 1), (2, 24), (2, 3, 4, 2)),
        (Slice(3, 0, 1), (2, 24), (2, 3, 4, 2)),
        (Slice(1, 0, 6), (2, 3, 5), (2, 15)),
        (Slice(1, 0, 5), (2, 3, 5), (2, 15)),
        (Slice(1, 0, 8), (3, 4, 6), (3, 24)),
    ],
)
def test_a_part_of_what_is_reshaped(
    cut: Slice, shape: tuple[int, ...], result: tuple[int, ...]
) -> None:
    """Such as half of the diff that an InnerProduct hands to a Concat."""

    def build(b, x):  # type: ignore[no-untyped-def]
        return b.map(e.arg(0) * 2.0, b.emit(cut, b.reshape(b.map(e.arg(0) + 1.0, x), result)))

    check(fused(build, shape))


WINDOWS = [
    # window, stride, low, high, shape
    ((1, 1, 2, 2), (1, 1, 2, 2), (0,) * 4, (0,) * 4, (2, 3, 4, 6)),
    ((1, 1, 3, 3), (1, 1, 2, 2), (0, 0, 1, 1), (0, 0, 0, 1), (2, 3, 4, 5)),
    ((1, 1, 3, 2), (1, 1, 1, 3), (0,) * 4, (0, 0, 0, -1), (1, 2, 5, 6)),
    ((1, 1, 2, 2), (1, 1, 3, 3), (0,) * 4, (0, 0, -1, 0), (2, 2, 6, 5)),
    ((1, 5, 1, 1), (1, 1, 1, 1), (0, 2, 0, 0), (0, 2, 0, 0), (2, 7, 2, 3)),
    ((1, 1, 5), (1, 1, 2), (0, 0, 2), (0, 0, 2), (2, 2, 9)),
]


@pytest.mark.parametrize("case", WINDOWS, ids=str)
def test_window_sums(case) -> None:  # type: ignore[no-untyped-def]
    *kind, shape = case
    (launch,) = check(single(WindowSum(*kind), shape, schedule="flat"))
    (out,) = launch.outputs
    check(single(WindowSpread(*kind, shape=shape), out.shape, schedule="flat"))  # type: ignore[union-attr]


@pytest.mark.parametrize("case", [w for w in WINDOWS if w[0][1] == 1], ids=str)
def test_window_maxima(case) -> None:  # type: ignore[no-untyped-def]
    *kind, shape = case
    rank = len(shape) - 2
    op = WindowMax(*kind, spatial_rank=rank)
    node = single(op, shape, schedule="flat")
    (x,) = random_inputs(node)
    x = np.round(x * 2) / 2  # ties: the first element wins
    x.flat[::11] = np.nan
    check(node, [x])
    value, place = op.reference([x], [v.type for v in node.outputs])
    places = TensorType(place.shape, I32)
    scatter = single(
        WindowScatter(*kind, shape=shape, spatial_rank=rank), value.shape, places, schedule="flat"
    )
    check(scatter, [random_inputs(scatter)[0], place])
    pick = single(WindowPick(*kind, spatial_rank=rank), shape, places, schedule="flat")
    check(pick, [random_inputs(pick)[0], place])


def test_an_exponent_may_follow_from_a_shape() -> None:
    check(fused(lambda b, x: b.map(e.power(e.absolute(e.arg(0)), e.dyn(0.75)), x), (5,)))


def test_comparisons_of_single_elements_meet_tiles() -> None:
    rule = e.where((e.arg(1) > 0.5) | (e.arg(0) > e.dyn(0.0)), e.arg(0), 0.0)
    check(fused(lambda b, x, c: b.map(rule, x, c), (5, 3), (1, 1)))


def test_windows_of_a_cell_of_one_element() -> None:
    """Nothing in it moves along the tile, conditions neither."""
    op = WindowSpread((1, 1), (1, 2), (0, 0), (0, 0), (1, 1))
    check(fused(lambda b, x: b.emit(op, x), (1, 1), variables=[0]))


def test_a_large_window_is_a_loop() -> None:
    kind = ((1, 1, 7, 7), (1, 1, 1, 1), (0, 0, 3, 3), (0, 0, 3, 3))
    (launch,) = check(single(WindowSum(*kind), (1, 2, 5, 5), schedule="flat"))
    assert "static_range" not in launch.kernel.source
    check(single(WindowMax(*kind), (1, 2, 5, 5), schedule="flat"))


def test_lrn_squares_in_the_loop() -> None:
    kind = ((1, 5, 1, 1), (1, 1, 1, 1), (0, 2, 0, 0), (0, 2, 0, 0))

    def build(b, x):  # type: ignore[no-untyped-def]
        total = b.emit(WindowSum(*kind), b.map(e.arg(0) * e.arg(0), x))
        scale = b.map(e.arg(0) * 2e-5 + 1.0, total)
        return b.map(e.arg(0) * e.power(e.arg(1), -0.75), x, scale), scale

    check(fused(build, (2, 7, 3, 4)))


def test_gather() -> None:
    node = single(Gather(), (5, 3), TensorType((7,), I32), schedule="flat")
    table = random_inputs(node)[0]
    check(node, [table, np.array([0, 4, -1, 5, 2, 2, 99], np.int32)])


def test_numbers_that_follow_from_shapes_are_arguments() -> None:
    def build(b, x):  # type: ignore[no-untyped-def]
        return b.map(e.arg(0) / e.dyn(float(x.shape[0])) + e.to_float(e.dyn(3)), x)

    first, second = (lowered(fused(build, (n, 4)))[0] for n in (3, 6))
    assert first.kernel.source == second.kernel.source
    assert first.arguments != second.arguments
    check(fused(build, (3, 4)))


def test_nothing_is_launched_for_empty_results() -> None:
    assert lowered(fused(lambda b, x: b.map(e.arg(0) + 1.0, x), (0, 3))) == []


def test_a_map_without_inputs() -> None:
    check(fused(lambda b: b.map(e.to_float(e.index(0)) * 0.5, shape=(3, 7))))
    check(fused(lambda b: b.fill(2.5, (3, 7))))


def test_map_takes_several_results() -> None:
    check(fused(lambda b, x: b.maps((e.exp(e.arg(0)), e.exp(e.arg(0)) + 1.0), x), (5, 5)))
    assert Map.name == "map"
