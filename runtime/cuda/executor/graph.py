"""A compiled graph bound to memory on a GPU."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from compiler.binary import Binary
from compiler.plan.plan import (
    Copy,
    HostStep,
    HostTensor,
    Moving,
    PartRef,
    Plan,
    PlanArgument,
    PlanLaunch,
    Ref,
)
from ir.errors import RoasteryError
from ir.graph import PortKey
from ir.op import Op
from ir.types import TensorType
from runtime.backends.placement import Placement
from runtime.cuda.driver import CapturedGraph, CudaError
from runtime.cuda.driver.libcuda import CAPTURE_ERRORS
from runtime.cuda.launcher import KernelLoader, choose_binary
from runtime.memory.buffers import Buffer

from .device_copy import CudaCopy, covers, device_side
from .session import DeviceArena, DeviceFailure, Session, failure

_ATTEMPTS = 3  # to capture the same launches

Call = Callable[[], None]
CodeOf = Callable[[PlanLaunch], Sequence[Binary]]
"""The binaries of a launch's kernel, in its configuration."""


class CudaGraph:
    """Runs a plan's steps in order. Running allocates nothing.

    What a run reads is uploaded first where the host side is ahead. Launches between host
    steps are captured when they run for the second time, and again when the arena has moved.

    Args:
        hosts: what host steps call, by node.
    """

    def __init__(
        self,
        plan: Plan,
        hosts: Mapping[int, Op],
        session: Session,
        loader: KernelLoader,
        code: CodeOf,
        inputs: Mapping[PortKey, Buffer],
        outputs: Mapping[PortKey, Buffer],
    ) -> None:
        self.plan = plan
        self._hosts = hosts
        self._session = session
        self._loader = loader
        self._code = code
        self._placement = Placement(plan, inputs, outputs)
        self._buffers = (*inputs.values(), *outputs.values())  # keeps their memory
        # An output that is a part of its memory leaves the rest as it is: that must be there.
        read = [*inputs.values(), *(b for b in outputs.values() if not covers(b))]
        self._read = self._device_copies(read)
        self._written = self._device_copies(outputs.values())
        session.reserve(plan.memory.nbytes, plan.name)
        self._place: tuple[DeviceArena, int] | None = (
            None  # the arena's state that steps were made for
        )
        self._stops: tuple[int, ...] = ()  # after which of the plan's steps somebody is called
        self._steps: list[list[_Launches | _HostCall]] = []  # up to each of them, and behind

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
        self.run_calling({})

    def run_calling(self, after: Mapping[int, Call]) -> None:
        """As :meth:`run`, and call ``after[n]`` when the plan's step ``n`` has been queued."""
        if not after.keys() <= set(self._stops):
            self._stops, self._place = tuple(sorted(after)), None
        with self._session.running() as arena:
            try:
                self._prepare(arena)
                for device_copy in self._read:
                    device_copy.to_device()
                for number, steps in zip((*self._stops, None), self._steps, strict=True):
                    for step in steps:
                        step.run()
                    if number is not None and number in after:
                        after[number]()
            except CudaError as error:
                raise failure(error, f"'{self.plan.name}'") from error
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

    def prepare(self) -> None:
        """Load the code and pack every launch. Raises RoasteryError for what cannot be launched."""
        with self._session.running() as arena:
            self._prepare(arena)

    def _prepare(self, arena: DeviceArena) -> None:
        """Pack every launch for the addresses of now, unless that was done."""
        arena.reserve(self.plan.memory.nbytes, self.plan.name)
        if self._place == (arena, arena.generation):
            return
        parts: list[list[_Launches | _HostCall]] = []
        for between in self.plan.parts_between(self._stops):
            steps: list[_Launches | _HostCall] = []
            for part in between:
                if isinstance(part, HostStep):
                    steps.append(self._host_call(part, arena))
                else:
                    calls = [self._call(step, arena) for step in part]
                    steps.append(_Launches(self._session, calls))
            parts.append(steps)
        copies = [
            self._copy(self._bound(source), self._bound(target), target.type.nbytes)
            for source, target in self._placement.copies
        ]
        if copies and steps and isinstance(steps[-1], _Launches):
            steps[-1].calls += copies
        elif copies:
            steps.append(_Launches(self._session, copies))
        self._steps = parts
        self._place = (arena, arena.generation)

    def _address(self, number: int, arena: DeviceArena) -> int:
        place = self._placement[number]
        return arena.address + place if isinstance(place, int) else self._bound(place)

    def _bound(self, buffer: Buffer) -> int:
        return device_side(buffer.memory, self._session).address + buffer.span[0]

    def _call(self, step: PlanLaunch | Copy, arena: DeviceArena) -> tuple[str, Call]:
        if isinstance(step, Copy):
            source, target = (self._address(n, arena) for n in (step.source, step.target))
            return self._copy(source, target, step.nbytes)
        if 0 in step.grid:
            return str(step), lambda: None
        values = [self._value(argument, arena) for argument in step.arguments]
        capability = self._session.device.properties.capability
        binary, image = choose_binary(self._code(step), capability)
        try:
            call = self._loader.prepare(binary, image, step.grid, values, step.label)
        except (CudaError, ValueError) as error:
            raise RoasteryError(f"{step} cannot be launched: {error}") from error
        return str(step), call

    def _value(self, argument: PlanArgument, arena: DeviceArena) -> int | float:
        if isinstance(argument, Ref):
            return self._address(argument.buffer, arena)
        if isinstance(argument, PartRef):
            return self._address(argument.buffer, arena) + argument.offset
        assert not isinstance(argument, Moving), "plain steps hold none"
        return argument

    def _copy(self, source: int, target: int, nbytes: int) -> tuple[str, Call]:
        stream = self._session.compute
        return "a copy into an output", lambda: stream.copy(target, source, nbytes)

    def _host_call(self, step: HostStep, arena: DeviceArena) -> _HostCall:
        def memory(tensor: HostTensor) -> tuple[int, np.ndarray]:
            array = np.zeros(tensor.type.shape, tensor.type.dtype.numpy)
            return self._address(tensor.buffer, arena), array

        return _HostCall(
            self._session,
            self._hosts[step.node],
            [memory(tensor) for tensor in step.inputs],
            [memory(tensor) for tensor in step.outputs],
            [tensor.type for tensor in step.outputs],
        )


class _Launches:
    """Calls that queue work, one after the other: captured once they have run."""

    def __init__(self, session: Session, calls: list[tuple[str, Call]]) -> None:
        self._session = session
        self.calls = calls
        self._ran = False
        self._attempts = _ATTEMPTS if len(calls) > 1 else 0
        self._captured: CapturedGraph | None = None

    def run(self) -> None:
        stream = self._session.compute
        if self._captured is not None:
            self._captured.launch(stream)
        elif launch_blocking():
            self._each(wait=True)
        # Not at first: the driver loads code at its first use, and many shapes run only once.
        elif self._ran and self._attempts and self._capture():
            self.run()
        else:
            self._each()
            self._ran = True

    def _capture(self) -> bool:
        """Whether it worked. Another library in this process may do what spoils it."""
        self._attempts -= 1
        try:
            self._captured = self._session.compute.capture(self._each)
        except (CudaError, RoasteryError) as error:
            cause = error if isinstance(error, CudaError) else error.__cause__
            if not isinstance(cause, CudaError) or cause.code not in CAPTURE_ERRORS:
                raise
            self._session.tell_of_spoiled_capture(cause)
            return False
        return True

    def _each(self, wait: bool = False) -> None:
        for name, call in self.calls:
            try:
                call()
                if wait:
                    self._session.compute.synchronize()
            except CudaError as error:
                raise RoasteryError(f"{name} failed on the GPU: {error}") from error


class _HostCall:
    """An op that runs on the host, on copies of its inputs: (address, array) of each."""

    def __init__(
        self,
        session: Session,
        op: Op,
        inputs: Sequence[tuple[int, np.ndarray]],
        outputs: Sequence[tuple[int, np.ndarray]],
        types: Sequence[TensorType],
    ) -> None:
        self._session = session
        self._op = op
        self._inputs = inputs
        self._outputs = outputs
        self._types = types

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
