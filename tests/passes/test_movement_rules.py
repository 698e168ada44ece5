"""What simplify makes of ops that move elements: fewer of them, and the same elements."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from compiler.options import CompileOptions
from compiler.passes.registry import default_passes
from compiler.passes.simplify import simplify
from compiler.pipeline import run_passes
from compiler.target import GENERIC
from ir import expr as e
from ir.build import Builder
from ir.graph import Value
from ir.graph_sizes import graph_at
from ir.interpret import run_graph
from ir.ops.movement import Concat, Pad, Reshape, Slice, Transpose
from ir.ops.pointwise import Map
from ir.size import Scope, symbol
from ir.types import TensorType
from ir.verify import verify

X = (4, 7)


class Moves:
    """Short names for the ops, and two inputs."""

    def __init__(self) -> None:
        self.b = Builder("net")
        self.x, self.z = (self.b.input(name, TensorType(X)) for name in "xz")
        self.cube = self.b.input("cube", TensorType((2, 3, 4)))

    def cut(self, x: Value, axis: int, start: int, stop: int) -> Value:
        return self.b.emit(Slice(axis, start, stop), x)

    def join(self, axis: int, *parts: Value) -> Value:
        return self.b.emit(Concat(axis), *parts)

    def turn(self, x: Value, *order: int) -> Value:
        return self.b.emit(Transpose(order), x)

    def view(self, x: Value, *shape: int) -> Value:
        return self.b.emit(Reshape(shape), x)

    def wide(self, x: Value, low: tuple[int, ...], high: tuple[int, ...], value: float) -> Value:
        return self.b.emit(Pad(low, high, value), x)

    def times(self, a: Value, c: Value, flags: str = "") -> Value:
        """Their product, of those transposed whose letter is in ``flags``."""
        return self.b.matmul(a, c, transpose_a="a" in flags, transpose_b="b" in flags)

    def full(self, number: float, *shape: int) -> Value:
        return self.b.emit(Map((e.const(number),), shape))


def parts(m: Moves, axis: int, one: tuple[int, int], other: tuple[int, int], z: bool) -> Value:
    """Two slices along the first or the second axis, side by side."""
    return m.join(1, m.cut(m.x, axis, *one), m.cut(m.z if z else m.x, axis, *other))


CASES: dict[str, tuple[Callable[[Moves], Value], str]] = {
    "slice of slice": (lambda m: m.cut(m.cut(m.x, 1, 1, 6), 1, 2, 4), "slice"),
    "slice of another axis": (lambda m: m.cut(m.cut(m.x, 1, 1, 6), 0, 1, 3), "slice slice"),
    "slice of all": (lambda m: m.cut(m.x, 1, 0, 7), ""),
    "slice of all but one": (lambda m: m.cut(m.x, 1, 0, 6), "slice"),
    "slice in a piece": (lambda m: m.cut(m.join(1, m.x, m.z), 1, 8, 10), "slice"),
    "slice that is a piece": (lambda m: m.cut(m.join(1, m.x, m.z), 1, 7, 14), ""),
    "slice of two pieces": (lambda m: m.cut(m.join(1, m.x, m.z), 1, 6, 8), "concat slice"),
    "slice across pieces": (lambda m: m.cut(m.join(1, m.x, m.z), 0, 1, 3), "concat slice"),
    "concat of one": (lambda m: m.join(1, m.x), ""),
    "concat of neighbours": (lambda m: parts(m, 1, (1, 3), (3, 5), False), "slice"),
    "concat of all": (lambda m: parts(m, 1, (0, 3), (3, 7), False), ""),
    "concat in another order": (
        lambda m: parts(m, 1, (3, 5), (1, 3), False),
        "slice slice concat",
    ),
    "concat of what overlaps": (
        lambda m: parts(m, 1, (1, 3), (2, 4), False),
        "slice slice concat",
    ),
    "concat of two sources": (lambda m: parts(m, 1, (1, 3), (3, 5), True), "slice slice concat"),
    "concat along another axis": (
        lambda m: parts(m, 0, (0, 1), (1, 2), False),
        "slice slice concat",
    ),
    "transposed twice": (lambda m: m.turn(m.turn(m.cube, 1, 2, 0), 0, 2, 1), "transpose"),
    "rotated twice": (lambda m: m.turn(m.turn(m.cube, 1, 2, 0), 1, 2, 0), "transpose"),
    "rotated back": (lambda m: m.turn(m.turn(m.cube, 1, 2, 0), 2, 0, 1), ""),
    "not transposed": (lambda m: m.turn(m.cube, 0, 1, 2), ""),
    "reshaped twice": (lambda m: m.view(m.view(m.x, 7, 4), 2, 14), "reshape"),
    "reshaped back": (lambda m: m.view(m.view(m.x, 7, 4), 4, 7), ""),
    "padded by nothing": (lambda m: m.wide(m.x, (0, 0), (0, 0), 1.0), ""),
    "padded behind": (lambda m: m.wide(m.x, (0, 0), (0, 2), 1.0), "pad"),
    "padded before": (lambda m: m.wide(m.x, (0, 1), (0, 0), 1.0), "pad"),
    "a number padded by itself": (lambda m: m.wide(m.full(1.0, 4, 7), (0, 1), (0, 0), 1.0), "map"),
    "a number padded": (lambda m: m.wide(m.full(1.0, 4, 7), (0, 1), (0, 0), 0.5), "map pad"),
    "a number moved": (lambda m: m.turn(m.full(1.0, 4, 7), 1, 0), "map"),
    "a number twice": (lambda m: m.join(0, m.full(1.0, 2, 3), m.full(1.0, 1, 3)), "map"),
    "first factor turned": (lambda m: m.times(m.turn(m.x, 1, 0), m.z), "matmul"),
    "second factor turned": (lambda m: m.times(m.x, m.turn(m.z, 1, 0)), "matmul"),
    "first turned back": (lambda m: m.times(m.turn(m.x, 1, 0), m.z, "ab"), "matmul"),
    "second turned back": (lambda m: m.times(m.x, m.turn(m.z, 1, 0), "ab"), "matmul"),
    "both turned, one back": (
        lambda m: m.times(m.turn(m.x, 1, 0), m.turn(m.z, 1, 0), "a"),
        "matmul",
    ),
    "factors of a batch turned": (
        lambda m: m.times(m.cube, m.turn(m.cube, 0, 2, 1)),
        "matmul",
    ),
    "a factor turned with its batch": (
        lambda m: m.times(m.turn(m.cube, 2, 1, 0), m.turn(m.cube, 2, 0, 1)),
        "transpose transpose matmul",
    ),
    "a map behind a view": (
        lambda m: m.b.map(e.arg(0) * 2.0, m.view(m.b.sum(m.x, (1,)), 2, 2)),
        "reduce map reshape",
    ),
    "a map of positions behind a view": (
        lambda m: m.b.map(e.arg(0) * e.to_float(e.index(1)), m.view(m.b.sum(m.x, (1,)), 2, 2)),
        "reduce reshape map",
    ),
    "two numbers": (lambda m: m.join(0, m.full(1.0, 2, 3), m.full(2.0, 1, 3)), "map map concat"),
}
"""What is built, and the ops that are left of it."""


@pytest.mark.parametrize("name", CASES)
def test_moves_become_fewer(name: str) -> None:
    build, left = CASES[name]
    moves = Moves()
    moves.b.output("y", build(moves))
    graph = moves.b.finish()
    simpler = simplify(graph)
    verify(simpler)
    assert " ".join(n.op.name for n in simpler.nodes) == left
    rng = np.random.default_rng(0)
    inputs = [rng.standard_normal(p.value.shape) for p in graph.inputs]
    for one, other in zip(run_graph(simpler, inputs), run_graph(graph, inputs), strict=True):
        np.testing.assert_array_equal(one, other)


N, H = "N", "H"
OPTIMISING = CompileOptions(passes=[p for p in default_passes(GENERIC) if p != "fuse"])


def at_sizes(build: Callable[[Builder, int, int], Value], *sizes: tuple[int, int]) -> None:
    """Optimised for all sizes and put at some, a graph gives what it gives at these."""
    scope = Scope()
    b = Builder("net")
    b.output("y", build(b, symbol(scope, N, 4), symbol(scope, H, 6)))
    scope.close()
    graph = b.finish()
    simpler = run_passes(graph, OPTIMISING)
    for n, h in sizes:
        there = graph_at(graph, {N: n, H: h})
        rng = np.random.default_rng(0)
        inputs = [rng.standard_normal(p.value.shape) for p in there.inputs]
        (wanted,) = run_graph(there, inputs)
        here = graph_at(simpler, {N: n, H: h})
        verify(here)
        (found,) = run_graph(here, inputs)
        np.testing.assert_allclose(found, wanted, rtol=1e-6)


def test_a_slice_is_in_a_piece_at_all_sizes_or_in_none() -> None:
    def build(b: Builder, n: int, h: int) -> Value:
        x, z = (b.input(name, TensorType((n, h))) for name in "xz")
        return b.emit(Slice(1, 1, 5), b.concat([x, z], 1))

    at_sizes(build, (4, 6), (4, 5), (2, 3))  # of the last, two columns are of another piece


def test_a_number_of_sizes_is_not_what_is_padded_with() -> None:
    """Even where it is the same number at hand."""

    def build(b: Builder, n: int, h: int) -> Value:
        return b.pad(b.emit(Map((e.dyn(n / 4),), (n, h))), (0, 1), (0, 0), 1.0)

    at_sizes(build, (4, 6), (8, 2))


def test_numbers_of_sizes_are_computed_at_each_size() -> None:
    def build(b: Builder, n: int, h: int) -> Value:
        one, other = (b.emit(Map((e.dyn(number),), (n, h))) for number in (1.0 / n, 0.5 * n))
        x = b.input("x", TensorType((n, h)))
        return b.map(-e.arg(0) * (e.arg(1) + e.arg(1)) / e.arg(2) - e.arg(1), x, one, other)

    at_sizes(build, (4, 6), (1, 6), (5, 1))


def turned(b: Builder, n: int, h: int) -> Value:
    x = b.transpose(b.input("x", TensorType((n, 2, h, 2))), (2, 1, 0, 3))
    return b.slice(b.reshape(b.transpose(x, (2, 0, 1, 3)), (1, n * h * 4)), 1, 3, n * h * 4 - 1)


def turned_back(b: Builder, n: int, h: int) -> Value:
    x = b.transpose(b.input("x", TensorType((n, 2, h))), (2, 1, 0))
    return b.pad(b.transpose(b.pad(x, (0, 1, 0), (2, 0, 1)), (2, 1, 0)), (0, -1, 0), (-1, 0, -2))


def halves_swapped(b: Builder, n: int, h: int) -> Value:
    x = b.concat([b.input(name, TensorType((n, h))) for name in "xz"], 1)
    return b.concat([b.slice(x, 1, h, 2 * h), b.slice(x, 1, 0, h)], 1)


def halves_joined(b: Builder, n: int, h: int) -> Value:
    x = b.input("x", TensorType((n, h)))
    return b.transpose(b.concat([b.slice(x, 1, 0, h // 2), b.slice(x, 1, h // 2, h)], 1), (1, 0))


def repeated(b: Builder, n: int, h: int) -> Value:
    x = b.input("x", TensorType((n, 1, h)))
    wide = b.transpose(b.broadcast(x, (n, n, h)), (1, 0, 2))
    return b.concat([b.reshape(wide, (n * n, h)), b.reshape(b.copy(wide), (n * n, h))], 0)


def pads_added(b: Builder, n: int, h: int) -> Value:
    x, z = (b.input(name, TensorType((n, 4))) for name in "xz")
    return b.add(b.pad(x, (0, 0), (0, h - 4)), b.pad(z, (0, h - 4), (0, 0)))  # one over the other


@pytest.mark.parametrize(
    "build", [turned, turned_back, halves_swapped, halves_joined, repeated, pads_added]
)
def test_moves_one_after_the_other_at_all_sizes(build: Callable[..., Value]) -> None:
    at_sizes(build, (4, 6), (1, 6), (2, 5), (7, 9), (1, 4), (3, 8))
