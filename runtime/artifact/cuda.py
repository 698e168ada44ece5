"""Runs an artifact on a GPU: its stored launch plan, through libcuda."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ir.errors import RoasteryError
from runtime.cuda.driver import CapturedGraph, CudaError, Device, DeviceBuffer, Driver
from runtime.cuda.launcher import KernelLoader, choose_binary
from runtime.memory.buffers import padded_size

from .errors import ArtifactError
from .plan import ARENA, LaunchPlan, StoredAllocation, StoredCopy
from .reader import Artifact

_ALIGNMENT = 256  # bytes, between weights


class CudaRunner:
    """Everything on the device: weights, arena and code. A call is a captured graph.

    ``driver``: another driver than the machine's, for tests.
    """

    def __init__(self, artifact: Artifact, index: int = 0, driver: Driver | None = None) -> None:
        self._path = artifact.path
        plan = artifact.plan()
        weights = artifact.weights()
        rooms = {name: _room(array) for name, array in weights.items()}
        artifact.check_places(plan, rooms)
        self._device = Device(index, driver)
        self._stream = self._device.stream()
        self._weights, self._addresses = self._upload(weights, rooms)
        self._arena = self._device.allocate(plan.arena_bytes)
        self._stream.clear(self._arena.address, plan.arena_bytes)
        self._steps = self._prepare(plan)
        self._captured: CapturedGraph | None = None
        types = {t.name: t.type for t in (*artifact.manifest.inputs, *artifact.manifest.outputs)}
        self._inputs = {
            name: (self._address(place), self._pinned(types[name].shape, types[name].dtype.numpy))
            for name, place in plan.inputs
        }
        self._outputs = {
            name: (self._address(place), self._pinned(types[name].shape, types[name].dtype.numpy))
            for name, place in plan.outputs
        }
        self._names = [tensor.name for tensor in artifact.manifest.outputs]
        self._stream.synchronize()

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        self._device.activate()
        for name, array in inputs.items():
            address, pinned = self._inputs[name]
            pinned[...] = array
            self._stream.upload(address, pinned)
        if self._captured is not None:
            self._captured.launch(self._stream)
        else:
            self._queue()
        for address, pinned in self._outputs.values():
            self._stream.download(pinned, address)
        self._stream.synchronize()
        if self._captured is None:
            # Not before the first run: the driver loads code at its first use.
            self._captured = self._stream.capture(self._queue)
        return {name: self._outputs[name][1].copy() for name in self._names}

    def close(self) -> None:
        self._captured = None
        self._steps = []
        self._arena.close()
        self._weights.close()

    def _queue(self) -> None:
        for step in self._steps:
            step()

    def _pinned(self, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        nbytes = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        return self._device.pinned(nbytes).array(shape, dtype)

    def _upload(
        self, weights: Mapping[str, np.ndarray], rooms: Mapping[str, int]
    ) -> tuple[DeviceBuffer, dict[str, int]]:
        """All weights in one allocation; their addresses by name."""
        offsets, total = {}, 0
        for name, room in rooms.items():
            offsets[name] = total
            total += -(-room // _ALIGNMENT) * _ALIGNMENT
        memory = self._device.allocate(total)
        self._stream.clear(memory.address, total)  # kernels may read the padding
        for name, array in weights.items():
            self._stream.upload(memory.address + offsets[name], np.ascontiguousarray(array))
        self._stream.synchronize()
        return memory, {name: memory.address + offset for name, offset in offsets.items()}

    def _address(self, place: StoredAllocation) -> int:
        base = self._arena.address if place.space == ARENA else self._addresses[place.weight]
        return base + place.offset

    def _prepare(self, plan: LaunchPlan) -> list[Callable[[], None]]:
        capability = self._device.properties.capability
        try:
            chosen = [choose_binary(kernel.binaries, capability) for kernel in plan.kernels]
        except RoasteryError as error:
            raise ArtifactError(self._path, error.message, hint=error.hint) from error
        loader = KernelLoader(self._device, self._stream)
        steps: list[Callable[[], None]] = []
        for step in plan.steps:
            if isinstance(step, StoredCopy):
                steps.append(self._copy(step))
                continue
            binary, image = chosen[step.kernel]
            values = [
                self._address(a) if isinstance(a, StoredAllocation) else a for a in step.arguments
            ]
            try:
                steps.append(loader.prepare(binary, image, step.grid, values, step.label))
            except (CudaError, ValueError) as error:
                place = step.location or "unknown"
                raise ArtifactError(
                    self._path, f"kernel {step.label} (from {place}) cannot be launched: {error}"
                ) from error
        return steps

    def _copy(self, step: StoredCopy) -> Callable[[], None]:
        target, source = self._address(step.target), self._address(step.source)
        return lambda: self._stream.copy(target, source, step.nbytes)


def _room(array: np.ndarray) -> int:
    """Bytes that an array takes with the padding kernels may read."""
    return padded_size(array.size) * array.itemsize
