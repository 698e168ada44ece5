"""Whether results agree as far as rounding lets them, which is found out by trying.

A graph is run in double precision, and again with noise in every value that was rounded. Where
noise makes little difference, so must other kernels and other orders of sums; where a maximum
changes hands or a difference cancels, little can be asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ir import expr as e
from ir.expr_exchange import without_gradient_marks
from ir.graph import Graph, Node, Value
from ir.interpret import run_node
from ir.op import Property
from ir.ops.loop import StepLoop
from ir.ops.pointwise import Map

SINGLE, DOUBLE = 2.0**-22, 2.0**-44
"""Noise, as a part of a value: what kernels may do in float32, and passes in double precision."""

_RUNS = 3
_MOST = 1e20
"""Larger numbers would soon be infinite in float32."""


class TooLarge(Exception):
    """A value is not finite, or will soon not be."""


@dataclass(frozen=True)
class Expected:
    """The outputs of a graph, and by how much each may differ; None: by anything."""

    arrays: list[np.ndarray]
    tolerances: list[float | None]

    def check(self, found: Sequence[np.ndarray], names: Sequence[str]) -> None:
        """Raise AssertionError where something is out of tolerance."""
        for i, (array, name) in enumerate(zip(found, names, strict=True)):
            self.check_one(i, array, name)

    def check_one(self, number: int, found: np.ndarray, name: str) -> None:
        """:meth:`check` of one output."""
        wanted, tolerance = self.arrays[number], self.tolerances[number]
        assert found.shape == wanted.shape, name
        if tolerance is None or not wanted.size:
            return
        wrong = np.abs(found.astype(np.float64) - wanted.astype(np.float64)).ravel()
        worst = wrong.argmax()
        assert wrong[worst] <= tolerance, (
            f"{name}: {found.flat[worst]}, {wanted.flat[worst]} expected within {tolerance}"
        )


def expected(graph: Graph, inputs: Sequence[np.ndarray], noise: float) -> Expected:
    """Run a graph on double precision inputs. Raises :class:`TooLarge`."""
    run = _Run(graph, None, noise)
    arrays = run.outputs(inputs)
    others = [_Run(graph, np.random.default_rng(i), noise).outputs(inputs) for i in range(_RUNS)]
    tolerances: list[float | None] = []
    for i, array in enumerate(arrays):
        differences = [np.abs(o[i].astype(np.float64) - array) for o in others]
        spread = max((float(d.max()) for d in differences if d.size), default=0.0)
        scale = float(np.abs(array).max()) if array.size else 0.0
        if array.dtype.kind != "f":
            tolerances.append(None if spread else 0.0)
        else:
            # A jump: whether others jump as well cannot be said.
            jumps = spread > 1e5 * run.most_noise * max(scale, 1e-3)
            own = run.noise[graph.outputs[i].value]
            tolerances.append(None if jumps else 40 * (spread + own * scale) + 1e-30)
    return Expected(arrays, tolerances)


class _Run:
    """One run; without a generator of random numbers there is no noise."""

    def __init__(self, graph: Graph, rng: np.random.Generator | None, noise: float) -> None:
        self.graph = graph
        self.rng = rng
        self.noise: dict[Value, float] = {}
        self.most_noise = noise
        self._least = noise
        self._known: dict[Value, np.ndarray] = {}

    def outputs(self, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        for port, array in zip(self.graph.inputs, inputs, strict=True):
            self._define(port.value, array, (), self._least)
        with np.errstate(all="ignore"):
            for node in self.graph.nodes:
                operands = [self._known[v] for v in node.inputs]
                moves = bool(node.op.properties & (Property.MOVEMENT | Property.VIEW))
                results = self._results(node, operands)
                for i, (value, array) in enumerate(zip(node.outputs, results, strict=True)):
                    noise = self._noise(node, i)
                    self._define(value, array, (array,) if moves else operands, noise)
        return [self._known[p.value] for p in self.graph.outputs]

    def _results(self, node: Node, operands: list[np.ndarray]) -> Sequence[np.ndarray]:
        if isinstance(node.op, StepLoop):  # with noise in every step
            body = node.op.body
            run = lambda given: _Run(body, self.rng, self._least).outputs(given)  # noqa: E731
            return node.op.by_steps(run, operands)
        if self.rng is not None and self._least >= SINGLE and isinstance(node.op, Map):
            return _in_single(node, operands)
        return run_node(node, operands)

    def _noise(self, node: Node, number: int) -> float:
        """A map that reads nothing double computes in single precision. Whether this one does, or
        will after a pass has split it, is told by what its expression reads."""
        read = node.inputs
        if isinstance(node.op, Map):
            # What only a gradient reads is dropped, and literals are left, which are single.
            expr = without_gradient_marks(node.op.exprs[number])
            read = tuple(node.inputs[i] for i in e.arguments(expr))
        floats = [v for v in read if v.type.dtype.is_float]
        return max(self._least, min((self.noise[v] for v in floats), default=SINGLE))

    def _define(
        self, value: Value, array: np.ndarray, operands: Sequence[np.ndarray], noise: float
    ) -> None:
        self.noise[value] = noise
        if array.dtype.kind == "f":
            if array.size and not np.abs(array).max() < _MOST:
                raise TooLarge
            self.most_noise = max(noise, self.most_noise)
            if self.rng is not None:
                array = _noisy(array, operands, self.rng, noise)
        self._known[value] = array


def _in_single(node: Node, operands: Sequence[np.ndarray]) -> list[np.ndarray]:
    """A map rounds inside of its expression, too: ``1 - tanh(x)**2`` may be nothing but that."""
    single = [x.astype(np.float32) if x.dtype == np.float64 else x for x in operands]
    wide = (run_node(node, operands), run_node(node, single))
    return [rounded.astype(exact.dtype) for exact, rounded in zip(*wide, strict=True)]


def _noisy(
    array: np.ndarray, operands: Sequence[np.ndarray], rng: np.random.Generator, noise: float
) -> np.ndarray:
    """With noise in what was computed and rounded: no short numbers, nothing passed on."""
    short = (array * 256 == np.rint(array * 256)) & (np.abs(array) < 256)
    kept = short.ravel()
    for operand in operands:
        if operand.dtype == array.dtype:
            kept = kept | np.isin(array.ravel(), operand.ravel())
    factor = 1 + noise * rng.choice((-1.0, 1.0), array.shape)
    return np.where(kept.reshape(array.shape), array, array * factor).astype(array.dtype)
