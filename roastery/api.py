"""``roastery.compile``: a net as a callable."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from frontends.lowering.one_layer import LayerLowering
from ir.program import NetProgram
from runtime.executable import FusedNet
from runtime.layerwise import LayerwiseNet
from runtime.store import Store

from . import nets
from .building import open_feeds
from .devices import choose_device, open_backend
from .logger import LOGGER, log_notes, logger_log
from .memory_check import check_memory
from .own_exceptions import own_exceptions
from .probe import RuntimeProbe
from .python_permission import python_allowed
from .weights import load_weights


class Parameters(Mapping[str, list[np.ndarray]]):
    """Parameters by layer name: a list of writable arrays per layer (weights, bias ...).

    The second layer of a name stands under ``name@2``.
    """

    def __init__(self, program: NetProgram, store: Store, *, diff: bool = False) -> None:
        self._buffers = store.diff if diff else store.data
        self._cells = {layer.key: layer.cells for layer in program.layers if layer.cells}

    def __getitem__(self, layer: str) -> list[np.ndarray]:
        # Made when asked for: an array that somebody holds is copied with every run on a GPU.
        return [self._buffers[cell].array for cell in self._cells[layer]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._cells)

    def __len__(self) -> int:
        return len(self._cells)


class Executable:
    """A compiled net. Call it with its inputs by name; it returns its outputs by name.

    A batch or image size it has not seen is planned again, with the same kernels.

    Attributes:
        parameters: writable arrays by layer name, which the net really uses.
        parameter_diffs: their diffs, to which :meth:`backward` adds.
    """

    def __init__(self, net: FusedNet) -> None:
        self._net = net
        if net.program.phase == "TRAIN":
            net.prepare_backward()
        self._before: dict[str, np.ndarray] = {}  # state that forward changed, as it was
        self.parameters = Parameters(net.program, net.store)
        self.parameter_diffs = Parameters(net.program, net.store, diff=True)

    @property
    def device(self) -> str:
        return self._net.backend.name

    @property
    def inputs(self) -> dict[str, tuple[int, ...]]:
        """Shapes by name, as they are now."""
        return {name: b.type.shape for name, b in self._net.inputs.items()}

    @property
    def outputs(self) -> list[str]:
        return [*self._net.program.outputs, *self._net.observe]

    @own_exceptions()
    def __call__(self, **inputs: np.ndarray) -> dict[str, np.ndarray]:
        """Run forward. Arrays are copied in; the outputs are new arrays."""
        self._net.set_inputs(inputs)
        if not self._net.ready_for_backward:
            self._before = self._net.written_state()
        self._net.forward()
        return {name: self._net.output(name).copy() for name in self.outputs}

    @own_exceptions()
    def backward(self, **diffs: np.ndarray) -> dict[str, np.ndarray]:
        """Diffs of the inputs, given diffs of outputs by name (default: loss weights).

        Adds to :attr:`parameter_diffs`. In phase TEST the first call runs forward once more, from
        the state it started from, to save what backward needs; later passes save it by themselves.
        """
        if not self._net.ready_for_backward:
            self._net.prepare_backward()
            self._net.restore_state(self._before)
            self._net.rerun()
        return {name: array.copy() for name, array in self._net.backward(diffs).items()}

    def clear_diffs(self) -> None:
        """Set all parameter diffs to zero."""
        self._net.store.clear_diffs()

    @property
    def program(self) -> NetProgram:
        """The lowered net."""
        return self._net.program

    @property
    def store(self) -> Store:
        """Its parameters and state, as `roastery.exporting.export_program` takes them."""
        return self._net.store


@own_exceptions()
def compile(
    net: nets.NetSource,
    weights: str | os.PathLike[str] | None = None,
    phase: str = "TEST",
    device: str | None = None,
    *,
    level: int = 0,
    stages: Sequence[str] = (),
    shapes: Mapping[str, Sequence[int]] | None = None,
    observe: Sequence[str] = (),
    seed: int = 0,
    freeze: bool = False,
    allow_python: bool | None = None,
) -> Executable:
    """Compile a net.

    Args:
        net: a prototxt file (old forms are upgraded), or a NetParameter message.
        weights: a .caffemodel or .caffemodel.h5 to copy parameters from, by layer name.
        phase: "TEST" or "TRAIN".
        device: ``reference``, ``cpu``, ``cuda[:N]`` or ``interpret``; default: CUDA where there is
            one, else the CPU.
        shapes: input shapes that replace those of the prototxt.
        observe: inner blobs to return besides the outputs.
        seed: of fillers and dropout.
        freeze: parameters will not change any more: BatchNorm and Scale are folded into weights
            on the first call, and later edits of ``parameters`` do not count.
        allow_python: Python layers may import modules that are neither installed nor on PYTHONPATH,
            from the working directory and the prototxt's; default: ROASTERY_PYTHON_LAYERS, else no.

    What was ignored or upgraded in the net, and layers of the weights that the net lacks, go to the
    logger "roastery" at level INFO; what may be a mistake (names that repeat) as WARNING.

    Raises RoasteryError for every mistake in the files, with its place.
    """
    message = nets.read_net(net)
    for note in message.notes:
        LOGGER.log(logging.INFO if note.level == "info" else logging.WARNING, "%s", note)
    stages = (*message.state.stage, *stages)

    probe = RuntimeProbe(allow_python=python_allowed(allow_python))

    def lower(new: Mapping[str, Sequence[int]]) -> LayerLowering:
        return nets.lower_layers(
            message, phase, level=level, stages=stages, shapes=new, probe=probe
        )

    layers = lower(shapes or {})
    program = layers.program
    log_notes(program)
    check_memory(program)
    backend = open_backend(choose_device(device))
    store = Store(program.cells, seed)
    state = nets.state_message(phase)
    state.set("level", level)
    state.set("stage", stages)
    described = nets.with_splits(nets.filtered(message, state))
    feeds = open_feeds(described, program, seed, backend=backend)
    fused = FusedNet(
        program,
        backend,
        store,
        feeds,
        observe,
        lambda new: lower(new).program,
        by_layer=lambda: LayerwiseNet(program, backend, store, None, layers.layer),
        freeze=freeze,
    )
    if weights is not None:
        load_weights(weights, program, store, logger_log())
    return Executable(fused)
