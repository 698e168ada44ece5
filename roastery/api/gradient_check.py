"""``roastery.check_gradient``: is the gradient of a layer the derivative of what it computes?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from compiler.passes.rewrite import resume
from frontends.prototxt import Message
from ir.backward import backward
from ir.errors import RoasteryError
from ir.graph import Graph, Port, Role
from ir.interpret import run_graph
from ir.printable import printable
from ir.program import RANDOM_STATE, NetProgram
from runtime.machine.blas_threads import ONE_BLAS_THREAD
from runtime.memory.fillers import fill
from runtime.python.own_exceptions import own_exceptions
from runtime.python.permission import python_allowed

from ..building import NetRequest, lower_net
from ..building.logger import logger_report
from ..building.lowered import Shapes
from ..reading import nets
from .input_shapes import check_input_shapes

Given = Sequence[int] | np.ndarray

_FLOOR = 1e-3
"""Derivatives smaller than this are compared absolutely: differences have rounding errors."""


@dataclass(frozen=True)
class GradientRow:
    """One blob or parameter. ``error`` is the largest relative one; ``at`` is where it is."""

    name: str
    elements: int
    checked: int
    error: float
    at: tuple[int, ...]
    backward: float
    difference: float


@dataclass(frozen=True)
class GradientReport:
    """What :func:`check_gradient` found; prints as a table."""

    net: str
    tolerance: float
    rows: tuple[GradientRow, ...]

    @property
    def ok(self) -> bool:
        """Whether no error is above the tolerance, and anything was checked at all."""
        return bool(self.rows) and all(row.error <= self.tolerance for row in self.rows)

    def __str__(self) -> str:
        lines = [
            f"gradient of '{self.net}' against central differences in double precision",
            f"{'':20}{'checked':>12}{'error':>11}   where it is largest",
        ]
        for row in self.rows:
            mark = "" if row.error <= self.tolerance else f"  <- above {self.tolerance:g}"
            name = printable(row.name)
            lines.append(
                f"{name:20}{row.checked:>5} of {row.elements:<4}{row.error:>10.1e}   "
                f"{list(row.at)}: backward {row.backward:.6g}, difference "
                f"{row.difference:.6g}{mark}"
            )
        if not self.rows:
            lines.append("nothing gets a gradient")
        return "\n".join(lines)


@own_exceptions()
@ONE_BLAS_THREAD
def check_gradient(
    net: nets.NetSource,
    *,
    inputs: Mapping[str, Given] | None = None,
    phase: str = "TRAIN",
    level: int = 0,
    stages: Sequence[str] = (),
    samples: int = 24,
    step: float = 1e-6,
    tolerance: float = 1e-5,
    seed: int = 0,
    allow_python: bool | None = None,
) -> GradientReport:
    """Compare backward with difference quotients, in double precision.

    The quantity that is differentiated is a sum of all outputs with random weights, by inputs and
    parameters. Derivatives that differ on purpose (``expr.grad_as``, ``expr.stop``) show as errors.

    Args:
        net: prototxt text, a file, or a message; a whole net or single layers.
        inputs: shapes of blobs that no layer makes and of inputs, or arrays for inputs that random
            numbers do not suit (labels).
        phase, level, stages: of the state that chooses the layers.
        samples: elements checked per blob and parameter, drawn at random.
        allow_python: as in :func:`roastery.compile`.
    """
    inputs = inputs or {}
    shapes = {
        name: given.shape if isinstance(given, np.ndarray) else tuple(given)
        for name, given in inputs.items()
    }
    message = _net(net, shapes)
    message.set("force_backward", True)
    request = NetRequest(
        message,
        nets.net_state(message, phase, level, stages),
        shapes,
        allow_python=python_allowed(allow_python),
    )
    program = lower_net(request, logger_report()).program
    read = {p.name: p.value.shape for p in program.graph.inputs if p.role is Role.DATA}
    check_input_shapes("inputs", shapes, read)
    rng = np.random.default_rng(seed)
    values = {p.name: _value(p, program, inputs, rng) for p in program.graph.inputs}
    forward = _Forward(program, rng)
    gradients = forward.gradients(values)
    rows = [
        _compare(name, gradient, values, forward.objective, samples, step, rng)
        for name, gradient in gradients.items()
    ]
    return GradientReport(program.name or "net", tolerance, tuple(rows))


def _net(source: nets.NetSource, shapes: Shapes) -> Message:
    text = isinstance(source, str) and ("{" in source or "\n" in source)
    message = nets.net_from_text(str(source)) if text else nets.read_net(source)
    made = {top for m in message.layer for top in m.top}
    read = {bottom for m in message.layer for bottom in m.bottom}
    missing = [name for name in shapes if name in read - made]
    if not missing:
        return message
    added = [_input_layer(name, shapes[name]) for name in missing]
    return message.replaced("layer", [*added, *message.layer])


def _input_layer(name: str, shape: Sequence[int]) -> Message:
    layer = Message("LayerParameter")
    layer.set("name", f"input_{name}")
    layer.set("type", "Input")
    layer.add("top", name)
    layer.mutable("input_param").add("shape").set("dim", shape)
    return layer


def _value(
    port: Port, program: NetProgram, inputs: Mapping[str, Given], rng: np.random.Generator
) -> np.ndarray:
    kind = port.value.type
    if port.name == RANDOM_STATE:
        return np.array([rng.integers(1 << 31), 0], np.uint32)
    given = inputs.get(port.name)
    if isinstance(given, np.ndarray):
        return given.astype(np.float64)
    variable = program.variables.get(port.name)
    if variable is not None and (variable.filler.kind != "constant" or port.role is Role.STATE):
        return fill(variable.filler, kind.shape, rng).astype(np.float64)
    return rng.standard_normal(kind.shape)


class _Forward:
    """The net's forward graph, and the same with backward behind it."""

    def __init__(self, program: NetProgram, rng: np.random.Generator) -> None:
        losses = program.loss_weights  # outputs, too, where nobody named their tops
        self._graph: Graph = program.showing(losses)
        self._outputs = [
            p
            for p in self._graph.outputs
            if p.role is Role.RESULT
            and (p.name in program.outputs or p.name in losses)
            and p.value.type.dtype.is_float
        ]
        if not self._outputs:
            raise RoasteryError("the net has no output, so nothing can be differentiated")
        self._weights = [rng.standard_normal(p.value.shape) for p in self._outputs]
        first_learning = {c.name for c in program.variables.values() if c.learns}
        self._wanted = [
            p
            for p in program.graph.inputs
            if p.value.type.dtype.is_float and (p.role is Role.DATA or p.name in first_learning)
        ]

    def objective(self, values: Mapping[str, np.ndarray]) -> float:
        results = run_graph(self._graph, [values[p.name] for p in self._graph.inputs])
        found = {p.name: r for p, r in zip(self._graph.outputs, results, strict=True)}
        pairs = zip(self._outputs, self._weights, strict=True)
        return sum(float(np.vdot(found[p.name], w)) for p, w in pairs)

    def gradients(self, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """By input and parameter, of those that get one."""
        b = resume(self._graph)
        b.outputs = []
        seeds = {}
        arrays = [values[p.name] for p in self._graph.inputs]
        for port, weight in zip(self._outputs, self._weights, strict=True):
            seeds[port.value] = b.input(f"seed of {port.name}", port.value.type, Role.SEED)
            arrays.append(weight)
        found = backward(b, seeds, [p.value for p in self._wanted])
        for port in self._wanted:
            if port.value in found:
                b.output(port.name, found[port.value])
        graph = b.finish()
        results = run_graph(graph, arrays)
        return {p.name: r for p, r in zip(graph.outputs, results, strict=True)}


def _compare(
    name: str,
    gradient: np.ndarray,
    values: Mapping[str, np.ndarray],
    objective: Callable[[Mapping[str, np.ndarray]], float],
    samples: int,
    step: float,
    rng: np.random.Generator,
) -> GradientRow:
    count = min(samples, gradient.size)
    worst = GradientRow(name, gradient.size, count, 0.0, (), 0.0, 0.0)
    for flat in np.sort(rng.choice(gradient.size, count, replace=False)):
        at = tuple(int(i) for i in np.unravel_index(flat, gradient.shape))
        moved = dict(values)
        results = []
        for sign in (1.0, -1.0):
            moved[name] = values[name].copy()
            moved[name][at] += sign * step
            results.append(objective(moved))
        difference = (results[0] - results[1]) / (2.0 * step)
        ours = float(gradient[at])
        error = abs(ours - difference) / max(abs(ours), abs(difference), _FLOOR)
        if not error <= worst.error or not worst.at:
            worst = GradientRow(name, gradient.size, count, error, at, ours, difference)
    return worst
