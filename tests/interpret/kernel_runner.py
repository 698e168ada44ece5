"""Runs a fused group's kernels under Triton's interpreter and through the reference."""

from __future__ import annotations

import dataclasses
import functools
import math
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from compiler.kernel import Launch, Scratch
from compiler.kernels.choice import Choice
from compiler.kernels.launch import Ways
from compiler.options import CompileOptions
from compiler.precision import FLOAT32
from compiler.triton.lower import ways_of
from frontends.lowering.input_sizes import InputSizes
from ir.build import Builder
from ir.errors import RoasteryError
from ir.graph import Graph, Node, Value
from ir.graph_sizes import Substitution
from ir.interpret import run_node
from ir.layout_numpy import array_of, memory_of
from ir.location import Location
from ir.narrow import narrowed, widened
from ir.op import Op
from ir.ops.convolution import Conv, ConvInputGrad
from ir.ops.fusion import Fused
from ir.size import Evaluation
from ir.types import BF16, BOOL, F16, I32, DType, TensorType
from runtime.backends.host_launcher import HostLauncher
from runtime.interpret.launcher import InterpretLauncher
from runtime.interpret.program_order import Order
from tests.support.printed_launch import bind
from tests.support.program_orders import backwards, shuffled

PLACE = Location("net.prototxt", 7, 1, "layer")

ROUNDING = {F16: 2.0**-11, BF16: 2.0**-8}
"""Of the largest element, as memory holds it."""
LEAST = {F16: 2.0**-14}
"""Smaller numbers have less bits."""

Build = Callable[..., Value | Sequence[Value]]
Shape = tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class General:
    """A node whose types hold symbols, and what these are in the node that stands for it."""

    node: Node
    values: Mapping[str, int]


GENERAL: dict[int, General] = {}
"""By the addresses of nodes, none of which ends before the tests do."""
_NODES: list[Node] = []


def fused(
    build: Build, *types: TensorType | Shape, schedule: str = "flat", variables: Sequence[int] = ()
) -> Node:
    """A Fused node whose body is what ``build(b, *inputs)`` makes, at the sizes of ``types``.

    Its kernels are made of a node in which batches and images are symbols, as a net's are.

    ``variables``: numbers of the inputs whose sizes are numbers all the same.
    """
    wanted = [t if isinstance(t, TensorType) else TensorType(t) for t in types]
    node = _fused(build, wanted, InputSizes(fixed=True), schedule)
    numbers = {*variables, *_weights(node.op.body)}
    batches = {t.shape[0] for i, t in enumerate(wanted) if t.rank and i not in numbers}
    if batches != {1}:
        numbers |= {i for i, t in enumerate(wanted) if t.shape[:1] == (1,)}
    sizes = InputSizes()
    general_types = [
        t if i in numbers else dataclasses.replace(t, shape=sizes.shape(t.shape))
        for i, t in enumerate(wanted)
    ]
    try:
        general = _fused(build, general_types, sizes, schedule)
    except (RoasteryError, TypeError):  # of an op whose attributes are for these sizes
        return node
    values = {name: symbol.value for name, symbol in sizes.scope.symbols.items()}
    node = Substitution(values).node(general)
    _NODES.append(node)
    GENERAL[id(node)] = General(general, values)
    return node


def _fused(build: Build, types: Sequence[TensorType], sizes: InputSizes, schedule: str) -> Node:
    b = Builder("group")
    b.location = PLACE
    inputs = [b.input(f"in{i}", t) for i, t in enumerate(types)]
    results = build(b, *inputs)
    for i, value in enumerate([results] if isinstance(results, Value) else results):
        b.output(f"out{i}", value)
    sizes.scope.close()
    op = Fused("layer", schedule, b.finish())
    outer = tuple(Value(f"in{i}", t) for i, t in enumerate(types))
    outputs = tuple(Value(f"out{i}", p.value.type) for i, p in enumerate(op.body.outputs))
    return Node(op, outer, outputs, PLACE)


def _weights(body: Graph) -> set[int]:
    """The inputs of which convolutions' weights are made: their sizes are numbers."""
    found: set[Value] = set()
    for node in reversed(body.nodes):
        if isinstance(node.op, Conv | ConvInputGrad):
            found.add(node.inputs[1])
        elif found & set(node.outputs):
            found.update(node.inputs)
    return {i for i, port in enumerate(body.inputs) if port.value in found}


@dataclasses.dataclass(frozen=True)
class NumberedWays:
    """The ways to do a node, with numbers for the sizes in their launches."""

    node: Node
    ways: Ways
    values: Mapping[str, int]

    @property
    def choices(self) -> Sequence[Choice]:
        return self.ways.choices

    def launches(self, choice: Choice) -> list[Launch]:
        at = Substitution(self.values)
        general = self.ways.task.node
        known = dict(
            zip(
                (*general.inputs, *general.outputs),
                (*self.node.inputs, *self.node.outputs),
                strict=True,
            )
        )

        def part(item: Any) -> Any:
            if isinstance(item, Value):
                return known[item]
            if isinstance(item, Scratch):
                return Scratch(item.number, at.number(item.nbytes))
            return at.number(item)

        return [
            dataclasses.replace(
                launch,
                arguments=tuple(map(part, launch.arguments)),
                grid=tuple(map(part, launch.grid)),
                outputs=tuple(map(part, launch.outputs)),
            )
            for launch in self.ways.launches(choice)
        ]


def scheduled(node: Node, precision: str = FLOAT32) -> NumberedWays:
    """The ways to do a fused node on a device of which nothing is known."""
    options = CompileOptions(precision=precision)
    general = GENERAL.get(id(node), General(node, {}))
    number = Evaluation(general.values).size
    return NumberedWays(node, ways_of(general.node, options, number), general.values)


def lowered(node: Node, choice: Choice | None = None, precision: str = FLOAT32) -> list[Launch]:
    """The launches of a fused node: by what its schedule prefers, or as :func:`check` is told."""
    ways = scheduled(node, precision)
    return ways.launches(choice or ways.choices[0])


def single(op: Op, *types: TensorType | Shape, schedule: str = "single") -> Node:
    weights = (1,) if isinstance(op, Conv | ConvInputGrad) else ()
    return fused(lambda b, *xs: b.emit_all(op, *xs), *types, schedule=schedule, variables=weights)


def random_inputs(node: Node, seed: int = 0, high: int = 5) -> list[np.ndarray]:
    """Normal floats, integers below ``high``."""
    rng = np.random.default_rng(seed)
    arrays = []
    for value in node.inputs:
        if value.type.dtype.is_float:
            numbers = rng.standard_normal(value.shape).astype(np.float32)
            arrays.append(narrowed(numbers, value.type.dtype))
        elif value.type.dtype is BOOL:
            arrays.append(rng.random(value.shape) < 0.5)
        else:
            arrays.append(rng.integers(0, high, value.shape).astype(value.type.dtype.numpy))
    return arrays


def padded(array: np.ndarray, type: TensorType) -> np.ndarray:
    """A buffer as the memory plan makes them; what lies behind the array, and what fills up blocks,
    is poison."""
    dtype, count = type.dtype, type.memory_size
    poison = poison_of(dtype) if dtype.is_float else 12345678 if dtype is not BOOL else True
    buffer = np.full(max(16, -(-count // 16) * 16), poison, dtype.numpy)
    np.copyto(buffer[:count], memory_of(array, type), where=exists(type))
    return buffer


def poison_of(dtype: DType) -> Any:
    """What is no number, as memory holds it."""
    return narrowed(np.array(np.nan, np.float32), dtype)


def exists(type: TensorType) -> np.ndarray:
    """Where memory holds an element of the tensor."""
    return memory_of(np.ones(type.shape, bool), type)


@functools.cache
def launcher(order: Order | None) -> InterpretLauncher:
    """Checks accesses in ascending order only: it need not be done twice."""
    folder = Path(tempfile.mkdtemp(prefix="roastery-kernels-"))
    return InterpretLauncher(folder, check=order is None, order=order)


def run_launches(
    launches: Sequence[Launch],
    node: Node,
    inputs: Sequence[np.ndarray],
    order: Order | None = None,
    over: Mapping[Value, Value] | None = None,
    by: HostLauncher | None = None,
) -> list[np.ndarray]:
    """Outputs of the node, computed by its launches, whose programs run in the order.

    ``over``: outputs that are written into the buffers of inputs. ``by``: of another target.
    """
    over = over or {}
    buffers: dict[Value | Scratch, np.ndarray] = {
        v: padded(a, v.type) for v, a in zip(node.inputs, inputs, strict=True)
    }
    before = {v: b.copy() for v, b in buffers.items()}
    for value in node.outputs:
        buffers[value] = padded(np.zeros(value.shape, value.type.dtype.numpy), value.type)
        poison = poison_of(value.type.dtype) if value.type.dtype.is_float else -77
        poison = poison if value.type.dtype is not BOOL else False
        np.copyto(buffers[value][: value.type.memory_size], poison, where=exists(value.type))
    for result, operand in over.items():
        buffers[result] = buffers[operand]
        del before[operand]

    def resolve(buffer: Value | Scratch) -> np.ndarray:
        if isinstance(buffer, Scratch) and buffer not in buffers:
            buffers[buffer] = np.full(-(-buffer.nbytes // 64) * 16, np.nan, np.float32)
        found = buffers[buffer]
        if isinstance(buffer, Scratch) and dtype_of.get(buffer) is I32:
            return found.view(np.int32)
        return found

    dtype_of = {
        argument: parameter.dtype
        for launch in launches
        for parameter, argument in zip(launch.kernel.parameters, launch.arguments, strict=True)
        if isinstance(argument, Scratch)
    }
    for launch in launches:
        bind(by or launcher(order), launch, resolve)()
    for value, original in before.items():
        np.testing.assert_array_equal(buffers[value], original, "an input was changed")
    return [array_of(buffers[v][: v.type.memory_size], v.type) for v in node.outputs]


def check(
    node: Node,
    inputs: Sequence[np.ndarray] | None = None,
    *,
    tolerance: float = 1e-5,
    choice: Choice | None = None,
    precision: str = FLOAT32,
    seed: int = 0,
) -> list[Launch]:
    """Compare kernels and reference (in float64); returns the launches.

    The error is relative to the largest element of the result. When programs run in another
    order, the result is the same to the last bit.

    ``choice``: of the schedule; by default what it prefers.
    """
    arrays = list(inputs) if inputs is not None else random_inputs(node, seed)
    launches = lowered(node, choice, precision)
    got = run_launches(launches, node, arrays)
    most = max((math.prod(launch.grid) for launch in launches), default=0)
    if most > 1:
        order = backwards if most == 2 else shuffled
        for again, first in zip(run_launches(launches, node, arrays, order), got, strict=True):
            np.testing.assert_array_equal(again, first, f"programs run {order.__name__}")
    source = launches[0].kernel.source if launches else ""
    compare(node, got, arrays, tolerance=tolerance, context=source)
    return launches


def compare(
    node: Node,
    got: Sequence[np.ndarray],
    inputs: Sequence[np.ndarray],
    *,
    tolerance: float,
    context: str = "",
) -> None:
    """Outputs of a node with what the reference computes in float64."""
    numbers = [widened(a, v.type.dtype) for a, v in zip(inputs, node.inputs, strict=True)]
    wide = [a.astype(np.float64) if a.dtype == np.float32 else a for a in numbers]
    for value, have, want in zip(node.outputs, got, run_node(node, wide), strict=True):
        context = f"{value}\n{context}"
        dtype = value.type.dtype
        have, want = widened(have, dtype), widened(want, dtype)
        tolerance = max(tolerance, ROUNDING.get(dtype, 0.0))
        if not dtype.is_float:
            np.testing.assert_array_equal(have, want, context)
            continue
        finite = np.isfinite(want)
        np.testing.assert_array_equal(have[~finite], want[~finite].astype(np.float32), context)
        scale = max(LEAST.get(dtype, 1e-12), float(np.abs(want[finite]).max(initial=0.0)))
        worst = float(np.abs(have[finite] - want[finite]).max(initial=0.0)) / scale
        assert worst <= tolerance, f"relative error {worst:.2e}: {context}"
