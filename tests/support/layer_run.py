"""Run one record on the reference: forward, gradients, and a check of one against the other."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

import numpy as np

from compiler.passes.rewrite import resume
from frontends.lowering.known_layers import load_layers
from frontends.lowering.net import lower_layers
from frontends.prototxt import parse_text
from ir.backward import backward
from ir.graph import Graph, Port, Role, Value
from ir.interpret import run_graph
from ir.ops.dynamic import SizeChanged
from ir.program import RANDOM_STATE, NetProgram
from tests.support.layer_cases import LayerCase

Arrays = dict[str, np.ndarray]


class LayerRun:
    """A record, lowered, with values for all its inputs.

    ``values`` holds an array per graph input by the port's name: blobs, variables, random state.
    """

    def __init__(self, case: LayerCase) -> None:
        load_layers()
        self.case = case
        net = parse_text(case.prototxt, "NetParameter", f"{case.name}.prototxt")
        self.program: NetProgram = lower_layers(net, case.phase).program
        self.values = fill(case, self.program)
        shapes: dict[str, tuple[int, ...]] = {}
        while (changed := self._changed()) is not None:
            assert not changed.shapes.keys() & shapes.keys(), changed
            shapes |= changed.shapes
            self.program = lower_layers(net, case.phase, shapes=shapes).program

    def _changed(self) -> SizeChanged | None:
        """What sizes that depend on data came out, if not as the net was lowered for."""
        try:
            self.forward()
        except SizeChanged as changed:
            return changed
        return None

    def forward(self, values: Mapping[str, np.ndarray] | None = None) -> Arrays:
        """Outputs of the net and written variables, by name."""
        return run_named(self.program.graph, values or self.values)

    def gradients(
        self, seeds: Mapping[str, np.ndarray], values: Mapping[str, np.ndarray] | None = None
    ) -> Arrays:
        """Diffs of input blobs and parameters by name, given those of the net's outputs."""
        forward = self.program.graph
        b = resume(forward)
        given: dict[Value, Value] = {}
        feeds = dict(values or self.values)
        for name, array in seeds.items():
            seed = b.input(f"seed of {name}", forward.output(name).value.type, Role.SEED)
            feeds[f"seed of {name}"] = array
            value = forward.output(name).value
            given[value] = b.add(given[value], seed) if value in given else seed
        wanted = [p for p in forward.inputs if p.role in (Role.DATA, Role.PARAMETER)]
        found = backward(b, given, [p.value for p in wanted])
        b.outputs = []
        for port in wanted:
            if port.value in found:
                b.output(port.name, found[port.value])
        return run_named(b.finish(), feeds)

    def outputs(self) -> list[Port]:
        """The net's outputs that are blobs."""
        return [p for p in self.program.graph.outputs if p.role is Role.RESULT]


def run_named(graph: Graph, values: Mapping[str, np.ndarray]) -> Arrays:
    """What a graph gives, by name."""
    results = run_graph(graph, [values[p.name] for p in graph.inputs])
    return {p.name: a for p, a in zip(graph.outputs, results, strict=True)}


def in_single(values: Mapping[str, np.ndarray]) -> Arrays:
    """With float32 numbers for float64 ones."""
    return {n: a.astype(np.float32) if a.dtype == np.float64 else a for n, a in values.items()}


def fill(case: LayerCase, program: NetProgram) -> Arrays:
    """Float64 values for all inputs of a graph, from a seed that follows from the record's name."""
    rng = np.random.default_rng(zlib.crc32(case.name.encode()))
    values: Arrays = {}
    for port in program.graph.inputs:
        kind = port.value.type
        if port.name == RANDOM_STATE:
            values[port.name] = np.array([7, 3], np.uint32)
        elif case.inputs and port.name in case.inputs:
            values[port.name] = np.asarray(case.inputs[port.name](rng), np.float64)
            assert values[port.name].shape == kind.shape, (port.name, kind.shape)
        else:
            values[port.name] = rng.standard_normal(kind.shape)
    return values


def directional_error(run: LayerRun, step: float = 1e-6) -> tuple[float, float]:
    """Backward against central differences along one random direction, in float64.

    Returns the relative difference, and the size of the derivative (which is not to be 0).
    """
    rng = np.random.default_rng(11)
    outputs = [p for p in run.outputs() if p.value.type.dtype.is_float]
    seeds = {p.name: rng.standard_normal(p.value.shape) for p in outputs}
    gradients = run.gradients(seeds)
    direction = {name: rng.standard_normal(run.values[name].shape) for name in gradients}
    analytic = sum(float(np.vdot(g, direction[name])) for name, g in gradients.items())

    def total(sign: float) -> float:
        moved = dict(run.values)
        for name, d in direction.items():
            moved[name] = run.values[name] + sign * step * d
        results = run.forward(moved)
        return sum(float(np.vdot(results[name], seed)) for name, seed in seeds.items())

    numeric = (total(1.0) - total(-1.0)) / (2.0 * step)
    return abs(analytic - numeric) / max(abs(numeric), abs(analytic), 1e-8), abs(analytic)
