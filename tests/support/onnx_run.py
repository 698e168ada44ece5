"""ONNX models of lowered nets, run by onnxruntime and compared with the reference."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
import onnxruntime

from frontends.lowering.known_layers import load_layers
from frontends.lowering.net import lower_layers
from frontends.prototxt import Message, parse_text
from ir.ops.dynamic import SizeChanged
from ir.program import NetProgram
from roastery.api.export_onnx import OnnxRequest, program_model
from runtime.memory.store import Store
from tests.support.layer_cases import LayerCase
from tests.support.layer_run import fill, in_single, run_named

Arrays = dict[str, np.ndarray]

onnxruntime.set_default_logger_severity(4)


def parsed(case: LayerCase) -> Message:
    load_layers()
    return parse_text(case.prototxt, "NetParameter", f"{case.name}.prototxt")


def lowered(case: LayerCase) -> NetProgram:
    """In phase TEST, before anything has run."""
    return lower_layers(parsed(case), "TEST").program


def _tame(array: np.ndarray) -> np.ndarray:
    rng = np.random.default_rng(array.size)
    if array.ndim < 2:
        return rng.uniform(0.2, 0.6, array.shape).astype(np.float32)
    size = (2.0 / np.prod(array.shape[1:])) ** 0.5
    return (rng.standard_normal(array.shape) * size).astype(np.float32)


def _resized(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    made = np.resize(array, shape)
    if made.shape == array.shape or (array == np.round(array)).all():
        return made
    noise = np.random.default_rng(5).uniform(0.99, 1.01, shape)
    return (made * noise).astype(array.dtype)


class OnnxRun:
    """A net in phase TEST, with values for all its inputs, as a model.

    Args:
        tame: parameters are of a size that keeps numbers as they are from layer to layer, and
            statistics are positive.

    Raises RoasteryError where it cannot be one.
    """

    def __init__(self, case: LayerCase, request: OnnxRequest, tame: bool = False) -> None:
        self.net = parsed(case)
        self.program = lowered(case)
        self.values = in_single(fill(case, self.program))
        store = Store(self.program.variables, seed=0)
        for port in self.program.graph.inputs:
            if port.name not in store.data:
                continue
            array = self.values[port.name].astype(port.value.type.dtype.numpy)
            if tame and array.dtype == np.float32:
                array = _tame(array)
            self.values[port.name] = array
            store.data[port.name].fill(array)
        self.model = program_model(self.program, store, request)
        onnx.checker.check_model(self.model, full_check=True)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        content = self.model.SerializeToString()
        self.session = onnxruntime.InferenceSession(content, options)

    def compare(self, program: NetProgram | None = None, within: float = 1e-4) -> list[str]:
        """Outputs that differ from the reference's, at the sizes of a program; [] if none does.

        What is fed has the numbers of the record, repeated or cut off, no two of them equal unless
        they are whole.
        """
        wanted = program or self.program
        values = dict(self.values)
        for port in wanted.graph.inputs:
            values[port.name] = _resized(self.values[port.name], port.value.shape)
        expected = self._expected(wanted, values)
        feeds = {i.name: values[i.name] for i in self.session.get_inputs()}
        found = self.session.run(None, feeds)
        wrong = []
        for port, array in zip(self.session.get_outputs(), found, strict=True):
            right = expected[port.name]
            if right.shape != array.shape:
                wrong.append(f"{port.name}: {array.shape}, not {right.shape}")
            elif not np.allclose(right, array, rtol=within, atol=within, equal_nan=True):
                away = float(np.nanmax(np.abs(right - array)))
                wrong.append(f"{port.name}: {away} away")
        return wrong

    def outputs(self) -> Arrays:
        """What the model makes of the record's numbers."""
        feeds = {i.name: self.values[i.name] for i in self.session.get_inputs()}
        names = [o.name for o in self.session.get_outputs()]
        return dict(zip(names, self.session.run(names, feeds), strict=True))

    def _expected(self, program: NetProgram, values: Mapping[str, np.ndarray]) -> Arrays:
        """What the reference makes of it, lowered again for sizes that depend on data."""
        shapes = {n: a.shape for n, a in values.items() if n in program.inputs}
        told: dict[str, tuple[int, ...]] = {}
        while True:
            try:
                return run_named(program.graph, values)
            except SizeChanged as changed:
                assert not changed.shapes.keys() & told.keys(), changed
                told |= changed.shapes
                program = lower_layers(self.net, "TEST", shapes={**shapes, **told}).program
