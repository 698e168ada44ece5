"""Kernels of CPUs that are loops along the digits of memory: layouts, edges, parts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from compiler.c.lanes import lanes_of
from compiler.c.lower import lower_to_c
from compiler.options import CompileOptions
from ir import expr as e
from ir.build import Builder
from ir.graph import Node, Value
from ir.layout import Layout, Part
from ir.ops.fusion import Fused
from ir.ops.movement import Concat, Pad, Slice, Transpose
from ir.ops.window import WindowMax, WindowScatter, WindowSpread, WindowSum
from ir.types import I32, TensorType
from runtime.machine.processor import cpu_target
from tests.interpret import kernel_runner
from tests.interpret.kernel_runner import compare, fused, random_inputs, run_launches
from tests.support.c_kernels import launcher_of, needs_compiler
from tests.support.guarded_memory import guarded
from tests.support.layouts import port_values, with_layouts

pytestmark = needs_compiler
TARGET = cpu_target()
Arrange = Callable[[Node], Node]
ZERO, ONE, TWO = (e.arg(i) for i in range(3))


def arranged(node: Node, layouts: Callable[[TensorType], Layout | None]) -> Node:
    """With layouts for what the node reads and writes."""
    assert isinstance(node.op, Fused)
    return with_layouts(node, [layouts(value.type) for value in port_values(node.op.body)])


def blocks(type: TensorType) -> Layout | None:
    """Channels in blocks of 16, of images."""
    image = type.rank == 4 and type.shape[1] > 1 and type.shape[2] * type.shape[3] > 1
    return Layout.of(range(4), [(1, 16)]) if image else None


ARRANGEMENTS: dict[str, Arrange] = {
    "rows": lambda node: node,
    "blocks": lambda node: arranged(node, blocks),
    "last": lambda node: arranged(
        node, lambda type: Layout.of((0, 2, 3, 1)) if type.rank == 4 else None
    ),
}


def checked(node: Node, arrays: list[np.ndarray] | None = None, splits: int = 0) -> None:
    """What kernels make is what the reference makes, in whatever order programs run."""
    launches = lower_to_c(node, CompileOptions(target=TARGET))
    assert len(launches) == (2 if splits else 1)
    assert not splits or launches[0].grid[1] == splits
    launcher = launcher_of(launch.kernel for launch in launches)
    arrays = random_inputs(node) if arrays is None else arrays
    got = run_launches(launches, node, arrays, by=launcher)
    compare(node, got, arrays, tolerance=1e-5, context=launches[0].kernel.source)


@pytest.fixture(autouse=True)
def _guarded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing may be touched around memory."""
    padded = kernel_runner.padded
    monkeypatch.setattr(kernel_runner, "padded", lambda *given: guarded(padded(*given)))


@pytest.fixture(params=ARRANGEMENTS)
def arrange(request: pytest.FixtureRequest) -> Arrange:
    return ARRANGEMENTS[request.param]


@pytest.mark.parametrize("channels", [20, 48])
def test_scale_and_bias(arrange: Arrange, channels: int) -> None:
    shape = (2, channels, 5, 7)
    one = (1, channels, 1, 1)
    checked(arrange(fused(lambda b, *v: b.map(ZERO * ONE + TWO, *v), shape, one, one)))


@pytest.mark.parametrize("filled", [0, 1], ids=["operand", "result"])
def test_blocks_that_end_behind_rows(filled: int) -> None:
    """They lie as rows do, and are one stretch with them, of which one side has more."""
    blocks_of_rows = Layout((Part(0), Part(0, 4), Part(1)))
    layouts = [blocks_of_rows if i == filled else None for i in range(2)]
    node = fused(lambda b, x: b.map(ZERO * ZERO, x), (5, 40))
    checked(with_layouts(node, layouts))


@pytest.mark.parametrize("schedule", ["flat", "reduce"])
def test_loops_multiply_by_reciprocals_of_roots(schedule: str) -> None:
    """That stay the same in all turns."""
    shape, one = (2, 48, 5, 7), (1, 48, 1, 1)

    def build(b: Builder, x: Value, mean: Value, variance: Value) -> Value:
        y = b.map((ZERO - ONE) / e.sqrt(TWO * TWO + 1e-5), x, mean, variance)
        return y if schedule == "flat" else b.sum(y, (0, 2, 3))

    node = arranged(fused(build, shape, one, one, schedule=schedule), blocks)
    checked(node)
    (launch,) = lower_to_c(node, CompileOptions(target=TARGET))
    lines = [x for x in launch.kernel.source.splitlines() if " vf " in x and " / " in x]
    assert lines and all("= all_f(1.0f) / sqrt_f(" in line for line in lines), lines


@pytest.mark.parametrize("channels", [20, 48])
@pytest.mark.parametrize("op", [WindowSum, WindowSpread])
def test_windows_over_channels(arrange: Arrange, channels: int, op: type) -> None:
    window = {"window": (1, 4, 1, 1), "stride": (1, 1, 1, 1), "low": (0, 2, 0, 0)}
    shape = (2, channels, 3, 5)
    more = {"shape": shape} if op is WindowSpread else {}

    def build(b: Builder, x: Value) -> Value:
        near = b.emit(op(**window, high=(0, 1, 0, 0), **more), b.map(ZERO * ZERO + 1.0, x))
        return b.map(ZERO * e.primitive("pow", ONE + 1.0, e.const(-0.75)), x, near)

    checked(arrange(fused(build, shape)))


@pytest.mark.parametrize(("stride", "side"), [(1, 9), (2, 4), (2, 40), (3, 9)])
def test_pooling(arrange: Arrange, stride: int, side: int) -> None:
    high = -(-(side + 1 - 3) // stride) * stride + 3 - side - 1
    kind = {"window": (1, 1, 3, 3), "stride": (1, 1, stride, stride)}
    kind |= {"low": (0, 0, 1, 1), "high": (0, 0, high, high)}
    op = WindowMax(**kind, spatial_rank=2)
    shape = (2, 20, side, side)
    checked(arrange(fused(lambda b, x: b.emit_all(op, x), shape)))
    checked(arrange(fused(lambda b, x: b.emit(WindowSum(**kind), x), shape)))
    x = np.random.default_rng(2).standard_normal(shape).astype(np.float32)
    types = op.infer([TensorType(shape)])
    best, places = op.reference([x], types)
    back = WindowScatter(**kind, shape=shape, spatial_rank=2)
    node = fused(lambda b, g, m: b.emit(back, g, m), best.shape, TensorType(best.shape, I32))
    checked(arrange(node), [best, places])
    spread = WindowSpread(**kind, shape=shape)
    checked(arrange(fused(lambda b, g: b.emit(spread, g), best.shape)))


def test_the_greater_of_what_cannot_be_compared(arrange: Arrange) -> None:
    """As where one is asked whether it is greater: not a number never is."""
    kind = {"window": (1, 1, 3, 1), "stride": (1, 1, 1, 1), "low": (0, 0, 1, 0)}
    op = WindowMax(**kind, high=(0, 0, 1, 0), spatial_rank=2)
    shape = (1, 20, 9, 5)
    special = np.float32([np.nan, -np.inf, np.inf, 0.0, 1.0, -3.4028234663852886e38])
    x = np.random.default_rng(3).choice(special, shape).astype(np.float32)
    node = arrange(fused(lambda b, v: b.emit_all(op, v)[0], shape))
    launches = lower_to_c(node, CompileOptions(target=TARGET))
    assert "above_f(" in launches[0].kernel.source
    launcher = launcher_of(launch.kernel for launch in launches)
    (got,) = run_launches(launches, node, [x], by=launcher)
    want, _ = op.reference([x], op.infer([TensorType(shape)]))
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("channels", [(32, 16), (20, 12)])
def test_reductions_of_parts_read_vectors(channels: tuple[int, int]) -> None:
    """Channels that are put together lie in the lanes, as in each part."""
    shapes = [(2, count, 7, 7) for count in channels]

    def build(b: Builder, *parts: Value) -> Value:
        return b.reduce("sum", b.emit(Concat(1), *parts), (2, 3))

    node = arranged(fused(build, *shapes, schedule="reduce"), blocks)
    checked(node)
    (launch,) = lower_to_c(node, CompileOptions(target=TARGET))
    assert ("step_f(" in launch.kernel.source) is False


@pytest.mark.parametrize("parts", [(16, 32, 16), (16, 4, 20), (3, 1, 2)])
def test_concat_and_slice(arrange: Arrange, parts: tuple[int, ...]) -> None:
    shapes = [(2, channels, 3, 7) for channels in parts]
    checked(arrange(fused(lambda b, *v: b.emit(Concat(1), *v), *shapes)))
    whole = (2, sum(parts), 3, 7)
    first, second = parts[0], parts[0] + parts[1]
    checked(arrange(fused(lambda b, x: b.emit(Slice(1, first, second), x), whole)))


def test_pads(arrange: Arrange) -> None:
    pad = Pad((0, 16, 2, 1), (0, 4, 1, 3), 0.5)
    checked(arrange(fused(lambda b, x: b.emit(pad, x), (2, 20, 5, 6))))


@pytest.mark.parametrize("shape", [(2, 32, 6, 8), (2, 20, 5, 7), (1, 3, 9, 9), (3, 70, 1, 33)])
def test_copies_between_layouts(shape: tuple[int, ...]) -> None:
    sort = [None, Layout.of(range(4), [(1, 16)]), Layout.of((0, 2, 3, 1)), Layout.of((3, 2, 1, 0))]
    for first in sort:
        for second in sort:
            node = fused(lambda b, x: b.map(ZERO * 2.0, x), shape)
            known = iter((first, second))
            checked(arranged(node, lambda type, known=known: next(known)))  # type: ignore[misc]


@pytest.mark.parametrize("rows", [64, 50])
@pytest.mark.parametrize("back", [False, True])
@pytest.mark.parametrize("more", [0, 3])
def test_squares_are_turned_in_registers(rows: int, back: bool, more: int) -> None:
    """Where lanes are far apart, and one turn of a loop takes what lies beside the last one's. The
    last block may be a part of one (``more``)."""
    lanes = lanes_of(TARGET)
    shape = (4 * lanes + more, rows, 1, 1)
    kinds = [None, Layout.of(range(4), [(0, lanes)])]
    node = fused(lambda b, x, y: b.map(ZERO * 2.0 + ONE, x, y), shape, shape)
    first, second = reversed(kinds) if back else kinds
    known = iter((first, second, second))
    node = arranged(node, lambda type: next(known))
    checked(node)
    (launch,) = lower_to_c(node, CompileOptions(target=TARGET))
    assert (
        "put_square_f(" in launch.kernel.source if back else "= square_f(" in launch.kernel.source
    )


def test_rows_that_fill_no_vector(arrange: Arrange) -> None:
    """Lanes lie along channels: of what is read in blocks, and of what is all in short rows."""
    kind = {"window": (1, 1, 3, 3), "stride": (1, 1, 2, 2), "low": (0, 0, 0, 0)}
    channels = 3 * lanes_of(TARGET) + 1
    op = WindowSum(**kind, high=(0, 0, 1, 1))
    node = fused(lambda b, x: b.emit(op, x), (2, channels, 8, 8))
    known = iter((Layout.of(range(4), [(1, 16)]), None))
    checked(arranged(node, lambda type: next(known)))
    place = e.to_float(e.index(3) * e.index(2))
    checked(arrange(fused(lambda b, x: b.map(ZERO / (place + 1.0), x), (2, channels, 3, 3))))


@pytest.mark.parametrize("step", [2, 3, 9, 12, 13])
def test_lanes_at_small_distances(step: int) -> None:
    """Weights of windows of so many elements, whose channels lie in the lanes. Nothing is read
    behind the last one."""
    lanes = lanes_of(TARGET)
    shape = (2 * lanes, 2 * lanes, 1, step)
    known = iter(
        (None, Layout((Part(1), Part(0), Part(2), Part(3), Part(0, lanes), Part(1, lanes))))
    )
    node = arranged(fused(lambda b, x: b.map(ZERO * 2.0, x), shape), lambda type: next(known))
    checked(node)
    (launch,) = lower_to_c(node, CompileOptions(target=TARGET))
    assert f", {step})" in launch.kernel.source


@pytest.mark.parametrize("shape", [(16, 16), (33, 50), (1, 40), (64, 128)])
def test_transposes(shape: tuple[int, int]) -> None:
    node = fused(lambda b, x: b.emit(Transpose((1, 0)), x), shape)
    checked(node)
    (launch,) = lower_to_c(node, CompileOptions(target=TARGET))
    assert ("= square_f(" in launch.kernel.source) == (min(shape) >= lanes_of(TARGET))


@pytest.mark.parametrize("axes", [(0, 2, 3), (1,), (0, 1, 2, 3), (2, 3), (0,), (3,)])
def test_reductions(arrange: Arrange, axes: tuple[int, ...]) -> None:
    def build(b: Builder, x: Value) -> list[Value]:
        squares = b.map(ZERO * ZERO, x)
        return [b.map(ZERO * 0.5, b.reduce("sum", squares, axes)), b.reduce("max", x, axes)]

    checked(arrange(fused(build, (2, 20, 5, 7), schedule="reduce")))


@pytest.mark.parametrize("channels", [100, 32])
def test_softmax(arrange: Arrange, channels: int) -> None:
    def build(b: Builder, x: Value) -> Value:
        raised = b.map(e.unary("exp", ZERO - ONE), x, b.reduce("max", x, (1,)))
        return b.map(ZERO / ONE, raised, b.reduce("sum", raised, (1,)))

    checked(arrange(fused(build, (3, channels, 2, 5), schedule="row")))
    checked(fused(build, (3, channels), schedule="row"))


@pytest.mark.parametrize("kind", ["rows", "blocks"])
def test_long_reductions_are_folded_from_parts(kind: str) -> None:
    """As many as their sizes say, so that threads change no bit."""
    x = np.random.default_rng(3).random((8, 16, 60, 60), np.float32)
    node = fused(lambda b, x: b.reduce("sum", x, (0, 2, 3)), x.shape, schedule="reduce")
    node = ARRANGEMENTS[kind](node)
    checked(node, [x], splits=16 if kind == "blocks" else 0)
    whole = fused(lambda b, x: b.reduce("sum", x, (0, 1, 2, 3)), x.shape, schedule="reduce")
    checked(ARRANGEMENTS[kind](whole), [x], splits=16)
