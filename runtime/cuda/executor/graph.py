"""A compiled graph bound to memory on a GPU."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from compiler.compiled import CompiledGraph, HostStep, Segment
from compiler.kernel import Launch, Scratch
from compiler.plan.memory import InArena
from ir.errors import RoasteryError
from ir.graph import PortKey, Value
from runtime.backends.placement import Placement, Region
from runtime.cuda.driver import CapturedGraph, CudaError
from runtime.cuda.launcher import CudaLauncher
from runtime.memory.buffers import Buffer

from .device_copy import CudaCopy, covers, device_side
from .session import DeviceArena, DeviceFailure, Session, failure

Call = Callable[[], None]


class CudaGraph:
    """Runs launches, copies and host steps in order. Running allocates nothing.

    What a run reads is uploaded first where the host side is ahead. Launches between host
    steps are captured when they run for the second time, and again when the arena has moved.
    """

    def __init__(
        self,
        compiled: CompiledGraph,
        session: Session,
        launcher: CudaLauncher,
        inputs: Mapping[PortKey, Buffer],
        outputs: Mapping[PortKey, Buffer],
    ) -> None:
        self.compiled = compiled
        self._session = session
        self._launcher = launcher
        self._placement = Placement(compiled, inputs, outputs)
        self._buffers = (*inputs.values(), *outputs.values())  # keeps their memory
        # An output that is a part of its memory leaves the rest as it is: that must be there.
        read = [*inputs.values(), *(b for b in outputs.values() if not covers(b))]
        self._read = self._device_copies(read)
        self._written = self._device_copies(outputs.values())
        session.reserve(compiled.memory.peak, compiled.graph.name)
        self._place: tuple[DeviceArena, int] | None = (
            None  # the arena's state that steps were made for
        )
        self._steps: list[_Launches | _HostCall] = []

    def _device_copies(self, buffers: Iterable[Buffer]) -> list[CudaCopy]:
        found: dict[int, CudaCopy] = {}
        for buffer in buffers:
            device_copy = device_side(buffer.memory, self._session)
            found[id(device_copy)] = device_copy
        return list(found.values())

    # --- running ----------------------------------------------------------------------

    def run(self) -> None:
        """Queue everything; waits only for host steps and for views that somebody holds.

        Raises what host steps raise, and RoasteryError when the device fails.
        """
        with self._session.running() as arena:
            try:
                self._prepare(arena)
                for device_copy in self._read:
                    device_copy.to_device()
                for step in self._steps:
                    step.run()
            except CudaError as error:
                raise failure(error, f"'{self.compiled.graph.name}'") from error
            except BaseException:  # of a host step: what ran before it has written
                with contextlib.suppress(CudaError, DeviceFailure):
                    self._settle()
                raise
            self._settle()

    def _settle(self) -> None:
        """Tell the memory that it was written."""
        refreshed = [device_copy.device_written() for device_copy in self._written]
        if any(refreshed):
            self._session.synchronize()

    # --- binding ----------------------------------------------------------------------

    def _prepare(self, arena: DeviceArena) -> None:
        """Pack every launch for the addresses of now, unless that was done."""
        arena.reserve(self.compiled.memory.peak, self.compiled.graph.name)
        if self._place == (arena, arena.generation):
            return
        steps: list[_Launches | _HostCall] = []
        for step in self.compiled.steps:
            if isinstance(step, Segment):
                calls = [self._call(launch, arena) for launch in step.launches]
                steps.append(_Launches(self._session, calls))
            else:
                steps.append(self._host_call(step, arena))
        copies = [self._copy(source, target, arena) for source, target in self._placement.copies]
        if copies and steps and isinstance(steps[-1], _Launches):
            steps[-1].calls += copies
        elif copies:
            steps.append(_Launches(self._session, copies))
        self._steps = steps
        self._place = (arena, arena.generation)

    def _address(self, region: Region, arena: DeviceArena) -> int:
        if isinstance(region, InArena):
            return arena.address + region.offset
        return device_side(region.memory, self._session).address + region.span[0]

    def _call(self, launch: Launch, arena: DeviceArena) -> tuple[str, Call]:
        def resolve(item: Value | Scratch) -> int:
            return self._address(self._placement.region(item), arena)

        name = f"kernel {launch.label} (from {launch.location})"
        try:
            return name, self._launcher.bind(launch, resolve)
        except (CudaError, ValueError) as error:
            raise RoasteryError(f"{name} cannot be launched: {error}") from error

    def _copy(self, source: Region, target: Buffer, arena: DeviceArena) -> tuple[str, Call]:
        stream = self._session.compute
        to, of = self._address(target, arena), self._address(source, arena)
        nbytes = target.type.nbytes
        return "a copy into an output", lambda: stream.copy(to, of, nbytes)

    def _host_call(self, step: HostStep, arena: DeviceArena) -> _HostCall:
        def address(value: Value) -> int:
            return self._address(self._placement.region(value), arena)

        node = step.node
        sources, targets = map(address, node.inputs), map(address, node.outputs)
        return _HostCall(self._session, step, [*sources], [*targets])


class _Launches:
    """Calls that queue work, one after the other: captured once they have run."""

    def __init__(self, session: Session, calls: list[tuple[str, Call]]) -> None:
        self._session = session
        self.calls = calls
        self._ran = False
        self._captured: CapturedGraph | None = None

    def run(self) -> None:
        stream = self._session.compute
        if self._captured is not None:
            self._captured.launch(stream)
        elif launch_blocking():
            self._each(wait=True)
        elif self._ran and len(self.calls) > 1:
            # Not at first: the driver loads code at its first use, and many shapes run only once.
            self._captured = stream.capture(self._each)
            self._captured.launch(stream)
        else:
            self._each()
            self._ran = True

    def _each(self, wait: bool = False) -> None:
        for name, call in self.calls:
            try:
                call()
                if wait:
                    self._session.compute.synchronize()
            except CudaError as error:
                raise RoasteryError(f"{name} failed on the GPU: {error}") from error


class _HostCall:
    """A node that runs on the host, on copies of its inputs."""

    def __init__(
        self, session: Session, step: HostStep, sources: Sequence[int], targets: Sequence[int]
    ) -> None:
        node = step.node
        self._session = session
        self._op = node.op
        self._types = [v.type for v in node.outputs]
        self._inputs = [
            (a, np.zeros(v.shape, v.type.dtype.numpy))
            for a, v in zip(sources, node.inputs, strict=True)
        ]
        self._outputs = [
            (a, np.zeros(t.shape, t.dtype.numpy)) for a, t in zip(targets, self._types, strict=True)
        ]

    def run(self) -> None:
        stream = self._session.compute
        for address, array in self._inputs:
            stream.download(array, address)
        self._session.synchronize()
        results = self._op.reference([array for _, array in self._inputs], self._types)
        self._session.device.activate()  # it may have used another
        for (address, array), result in zip(self._outputs, results, strict=True):
            np.copyto(array, result)
            stream.upload(address, array)


def launch_blocking() -> bool:
    """Whether to wait for each kernel, so that a failure names the one that caused it."""
    return os.environ.get("ROASTERY_LAUNCH_BLOCKING", "") not in ("", "0")
