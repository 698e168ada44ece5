"""A fused group as a graph of its own: run on random inputs, held against the reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from ir.graph import Graph, Node, Port, PortKey, Role, Value
from ir.interpret import run_node
from ir.narrow import narrowed, widened
from ir.op import Property
from ir.types import BOOL, I32, U32, TensorType
from runtime.memory.buffers import Buffer

from .held import Held


def lone_graph(node: Node) -> Graph:
    """The node alone. Its ports have the layouts that its operands and results have in the net."""
    return Graph(
        node.location.layer or node.op.name,
        tuple(Port(v.name, v, Role.DATA) for v in node.inputs),
        (node,),
        tuple(Port(v.name, v, Role.RESULT) for v in node.outputs),
    )


class LoneRun:
    """Random operands of a node, memory for a device to run it in, and what the reference says.

    Operands are around zero; they are positive where results would be no finite numbers. Integers
    mostly are places that other nodes have found: so those find them again, in random numbers.

    Args:
        node: of plain numbers.
        makers: the nodes that make values of its graph, as far as they are known.

    Attributes:
        inputs, outputs: by the ports of :func:`lone_graph`; the elements as memory holds them.
    """

    def __init__(self, node: Node, makers: Mapping[Value, Node] = MappingProxyType({})) -> None:
        graph = lone_graph(node)
        self._node = node
        rng = np.random.default_rng(0)
        with np.errstate(all="ignore"):
            arrays = [_operand(value, makers, rng) for value in node.inputs]
            self._expected = _exact(node, arrays)
            if not all(np.isfinite(array).all() for array in self._expected):
                arrays = [_positive(a, v.type) for a, v in zip(arrays, node.inputs, strict=True)]
                self._expected = _exact(node, arrays)
        self._held = [Held(node, i) for i in range(len(node.inputs) + len(node.outputs))]
        taken, made = self._held[: len(node.inputs)], self._held[len(node.inputs) :]
        self.inputs = _buffers(graph.inputs, taken)
        self.outputs = _buffers(graph.outputs, made)
        for buffer, array, held in zip(self.inputs.values(), arrays, taken, strict=True):
            held.write(buffer.array, array)

    def errors(self) -> list[float]:
        """Of each result, as the outputs hold it now: the largest difference from the reference in
        double precision, relative to the largest element."""
        made = self._held[len(self._node.inputs) :]
        found = zip(self.outputs.values(), made, self._expected, strict=True)
        return [
            _error(widened(held.read(b.peek()), held.type.dtype), want) for b, held, want in found
        ]


def _buffers(ports: Sequence[Port], held: Sequence[Held]) -> Mapping[PortKey, Buffer]:
    """Of the elements that memory holds."""
    types = ((port.key, held.type) for port, held in zip(ports, held, strict=True))
    return {key: Buffer(TensorType((type.memory_size,), type.dtype)) for key, type in types}


def _operand(value: Value, makers: Mapping[Value, Node], rng: np.random.Generator) -> np.ndarray:
    dtype = value.type.dtype
    if dtype.is_float:
        return narrowed(rng.standard_normal(value.shape).astype(np.float32), dtype)
    if dtype is BOOL:
        return rng.random(value.shape) < 0.5
    maker = makers.get(value)
    if maker is None or maker.op.properties & Property.HOST:
        return rng.integers(0, 4, value.shape).astype(dtype.numpy)
    results = run_node(maker, [_operand(operand, makers, rng) for operand in maker.inputs])
    return results[maker.outputs.index(value)]


def places_found(node: Node, makers: Mapping[Value, Node]) -> dict[int, np.ndarray]:
    """The integers among a node's operands that other nodes make, by number: as these find them in
    random numbers."""
    rng = np.random.default_rng(0)
    return {
        i: _operand(value, makers, rng)
        for i, value in enumerate(node.inputs)
        if value.type.dtype in (I32, U32)
        and value in makers
        and not makers[value].op.properties & Property.HOST
    }


def _positive(array: np.ndarray, type: TensorType) -> np.ndarray:
    if not type.dtype.is_float:
        return array
    return narrowed(np.abs(widened(array, type.dtype)), type.dtype)


def _exact(node: Node, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    numbers = [widened(a, v.type.dtype) for a, v in zip(arrays, node.inputs, strict=True)]
    wide = [array.astype(np.float64) if array.dtype.kind == "f" else array for array in numbers]
    results = zip(run_node(node, wide), node.outputs, strict=True)
    return [np.asarray(widened(result, v.type.dtype), np.float64) for result, v in results]


def _error(have: np.ndarray, want: np.ndarray) -> float:
    have = have.astype(np.float64)
    with np.errstate(invalid="ignore"):
        off = np.where(np.isfinite(want), np.abs(have - want), (have != want) & (have == have))
        off = np.where(np.isnan(off), np.inf, off)  # no number where there should be one
    return float(off.max(initial=0.0)) / max(
        float(np.abs(want[np.isfinite(want)]).max(initial=0.0)), 1e-12
    )
