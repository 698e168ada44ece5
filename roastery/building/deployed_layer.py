"""A net inside a layer: TRT, whose net Roastery runs itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from compiler.partitions import whole
from frontends.lowering.part import LayerLowering
from frontends.prototxt.message import Message
from ir.errors import RoasteryError
from ir.location import Location
from ir.types import shape_text
from runtime.memory.store import Store
from runtime.net import PartitionedNet

from ..devices.backends import choose_device, open_backend
from ..devices.compile_options import CompileRequest, compile_options
from ..reading import nets
from ..weights.parameters import WeightsFile
from .logger import logger_log, logger_report

Shape = tuple[int, ...]


class DeployedLayer:
    """Runs the net ``deploy`` with the weights ``model``, which are read when it first runs.

    Implements :class:`frontends.lowering.probe.HostLayerProbe`. The top is the blob that
    ``deploy_outputs`` names first.

    Args:
        layer: the TRT layer.
        bottoms: shapes of the picture and of its label.
        lower: lowers the net inside for its test phase.
    """

    blobs: Sequence[np.ndarray] = ()
    backward = None

    def __init__(
        self,
        layer: Message,
        bottoms: Sequence[Shape],
        lower: Callable[[Message], LayerLowering],
    ) -> None:
        self._layer = layer
        self._running: PartitionedNet | None = None
        self._held: list[np.ndarray] | None = None
        deploy = layer.trt_param.deploy
        try:
            net = nets.read_net(Path(deploy))
        except RoasteryError as error:
            if error.location is not None:
                raise  # a mistake in that net
            raise self._error(error.message, "deploy", error.hint) from error
        inner = next((m for m in net.layer if m.has("trt_param")), None)
        if inner is not None:
            raise self._error(
                f"the net '{deploy}' has a layer that runs a net itself, '{inner.name}'", "deploy"
            )
        program = self._program = lower(net).program
        fed = next((info for info in program.layers if info.source is not None), None)
        if fed is not None:
            raise self._error(
                f"the net '{deploy}' reads data itself, in layer '{fed.name}'", "deploy"
            )
        made = {
            name: value.shape
            for info in program.layers
            for name, value in zip(info.tops, info.top_values, strict=True)
        }
        self._input = self._input_of(program.inputs)
        self._output = layer.trt_param.deploy_outputs[0]
        if self._output not in made:
            raise self._error(
                f"the net '{deploy}' has no blob '{self._output}'",
                "deploy_outputs",
                f"its outputs are {', '.join(program.outputs)}",
            )
        self._picture = tuple(map(int, made[self._input]))
        self.shapes: Sequence[Shape] = [tuple(map(int, made[self._output]))]
        self.reshape(bottoms)

    def reshape(self, bottoms: Sequence[Shape]) -> None:
        """The picture must have the size of the net's input."""
        if tuple(bottoms[0]) != self._picture:
            raise self._error(
                f"'{self._layer.bottom[0]}' has shape {shape_text(tuple(bottoms[0]))}, and the "
                f"input '{self._input}' of '{self._layer.trt_param.deploy}' "
                f"{shape_text(self._picture)}",
                "deploy",
                "the net inside takes a picture at a time, of its own size",
            )

    def forward(self, inputs: Sequence[np.ndarray], tops: Sequence[Shape]) -> list[np.ndarray]:
        held, self._held = self._held, None
        if held is not None:
            return held
        self.reshape([array.shape for array in inputs])
        if self._running is None:
            self._running = self._compiled()
        self._running.inputs.take({self._input: inputs[0].astype(np.float32)})
        self._running.forward()
        return [self._running.output(self._output).copy()]

    def hold(self, results: Sequence[np.ndarray]) -> None:
        self._held = list(results)

    def _compiled(self) -> PartitionedNet:
        model = self._layer.trt_param.model
        if not Path(model).exists():
            raise self._error(f"there are no weights '{model}'", "model")
        backend = open_backend(choose_device(None))
        options = compile_options(backend, CompileRequest(), logger_report().note)
        weights = WeightsFile(model)
        program = self._program
        store = Store(program.variables, 0, {}, weights.gives(program))
        net = PartitionedNet(
            program,
            backend,
            store,
            partitioning=whole(program, [self._output]),
            options=options,
            freeze=True,
        )
        weights.load(program, store, logger_log(), again=True)
        return net

    def _input_of(self, inputs: Sequence[str]) -> str:
        if len(inputs) == 1:
            return inputs[0]
        found = next((name for name in inputs if name == self._layer.bottom[0]), None)
        if found is None:
            raise self._error(
                f"the net '{self._layer.trt_param.deploy}' has {len(inputs)} inputs, none of which "
                f"is called '{self._layer.bottom[0]}'",
                "deploy",
                f"its inputs are {', '.join(inputs)}" if inputs else "it has Input layers for data",
            )
        return found

    def _error(self, message: str, field: str, hint: str | None = None) -> RoasteryError:
        place: Location = self._layer.trt_param.location_of(field)
        return RoasteryError(
            message, location=replace(place, layer=self._layer.name, field=field), hint=hint
        )
