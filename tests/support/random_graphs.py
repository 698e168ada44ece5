"""Random graphs over the ops that nets are made of, for tests of passes and plans."""

from __future__ import annotations

import numpy as np

from ir import expr as e
from ir.build import Builder
from ir.graph import Graph, Role, Value
from ir.location import Location
from ir.ops.convolution import Conv
from ir.ops.window import WindowMax, WindowSum
from ir.types import TensorType

N, C, H, W = 2, 3, 4, 4
FULL, ROW, FLAT = (N, C, H, W), (1, C, 1, 1), (N, C * H * W)
UNARY = (
    e.maximum(e.arg(0), 0.0), e.tanh(e.arg(0)), e.sigmoid(e.arg(0)), e.arg(0) * 0.5,
    e.where(e.arg(0) > 0.0, e.arg(0), e.arg(0) * 0.1), e.arg(0) * e.arg(0), e.stop(e.arg(0)),
)  # fmt: skip
BINARY = (
    e.arg(0) + e.arg(1), e.arg(0) * e.arg(1), e.maximum(e.arg(0), e.arg(1)),
    e.arg(0) / (e.arg(1) * e.arg(1) + 1.0), e.arg(0),
)  # fmt: skip
WINDOW = {"window": (1, 1, 3, 3), "stride": (1,) * 4, "low": (0, 0, 1, 1), "high": (0, 0, 1, 1)}


class _Growth:
    """A graph under construction: values by shape, each with a layer of its own."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.b = Builder("random")
        self.values: dict[tuple[int, ...], list[Value]] = {}
        for name, shape, role in (
            ("x", FULL, Role.DATA), ("y", FULL, Role.DATA), ("scale", ROW, Role.PARAMETER),
            ("rows", FLAT, Role.DATA), ("state", FULL, Role.STATE), ("mean", ROW, Role.STATE),
        ):  # fmt: skip
            self.keep(self.b.input(name, TensorType(shape), role))
        self.filter = self.b.input("filter", TensorType((C, C, 3, 3)), Role.PARAMETER)
        self.matrix = self.b.input("matrix", TensorType((C * H * W,) * 2), Role.PARAMETER)

    def keep(self, value: Value) -> None:
        self.values.setdefault(value.shape, []).append(value)

    def pick(self, shape: tuple[int, ...]) -> Value:
        """Often a recent value, so that chains grow."""
        known = self.values[shape]
        recent = known[-4:] if self.rng.random() < 0.7 else known
        return recent[int(self.rng.integers(len(recent)))]

    def grow(self) -> None:
        b, pick = self.b, self.pick
        kind = int(self.rng.integers(12))
        shape = (FULL, FULL, ROW, FLAT)[int(self.rng.integers(4))]
        unary = UNARY[int(self.rng.integers(len(UNARY)))]
        binary = BINARY[int(self.rng.integers(len(BINARY)))]
        if kind <= 2:
            made = b.map(unary, pick(shape))
        elif kind <= 4:
            made = b.map(binary, pick(shape), pick(shape))
        elif kind == 5:
            made = b.map(binary, pick(FULL), pick(ROW))
        elif kind == 6:
            made = b.reduce(("sum", "max")[int(self.rng.integers(2))], pick(FULL), (0, 2, 3))
        elif kind == 7:
            made = b.emit(Conv((1, 1), (1, 1), (1, 1)), pick(FULL), self.filter)
        elif kind == 8:
            made = b.matmul(pick(FLAT), self.matrix, transpose_b=bool(self.rng.integers(2)))
        elif kind == 9:
            made = (
                b.reshape(pick(FULL), FLAT) if self.rng.integers(2) else b.reshape(pick(FLAT), FULL)
            )
        elif kind == 10:
            op = WindowSum(**WINDOW) if self.rng.integers(2) else WindowMax(**WINDOW)
            made = b.emit_all(op, pick(FULL))[0]
        else:
            made = self.move(pick(FULL))
        self.keep(made)

    def move(self, value: Value) -> Value:
        b = self.b
        kind = int(self.rng.integers(3))
        if kind == 0:
            return b.transpose(value, (0, 1, 3, 2))
        if kind == 1:
            parts = [b.slice(value, 1, 0, 1), b.slice(value, 1, 1, C)]
            return b.concat([parts[1], parts[0]], 1)
        wide = b.pad(value, (0, 0, 1, 0), (0, 0, 0, 1), 0.25)
        return b.slice(b.slice(wide, 3, 1, W + 1), 2, 0, H)


def random_graph(seed: int, nodes: int = 30) -> Graph:
    """A forward graph with results of several shapes, and cells that it writes."""
    rng = np.random.default_rng(seed)
    growth = _Growth(rng)
    for i in range(nodes):
        layer = f"layer{i // 3}"
        with growth.b.at(Location("net.prototxt", i + 1, layer=layer), layer):
            growth.grow()
    for shape, values in growth.values.items():
        growth.b.output(f"out{len(shape)}_{shape[0]}", values[-1])
    growth.b.output("middle", growth.values[FULL][len(growth.values[FULL]) // 2])
    growth.b.output("state", growth.pick(FULL), Role.STATE)
    growth.b.output("mean", growth.pick(ROW), Role.STATE)
    return growth.b.finish()


def random_inputs(graph: Graph, seed: int = 0) -> list[np.ndarray]:
    """Double precision arrays for the graph's inputs."""
    rng = np.random.default_rng(seed)
    return [0.3 * rng.standard_normal(p.value.shape) for p in graph.inputs]
