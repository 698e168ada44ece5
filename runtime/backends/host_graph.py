"""A plan in host memory: its kernels by a launcher, its host steps by numpy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from compiler.plan.arena import aligned
from compiler.plan.plan import (
    HostStep,
    HostTensor,
    Moving,
    PartRef,
    PlainStep,
    Plan,
    PlanLaunch,
    Ref,
    Repeat,
)
from ir.ports import PortKey

from ..memory.buffers import Buffer, host_bytes
from .host_launcher import HostLauncher
from .placement import Placement

if TYPE_CHECKING:
    from ir.op import Op

Run = Callable[[], None]


class HostGraph:
    """A plan bound to host memory. ``hosts``: what its host steps call, by node."""

    def __init__(
        self,
        plan: Plan,
        hosts: Mapping[int, Op],
        launcher: HostLauncher,
        inputs: Mapping[PortKey, Buffer],
        outputs: Mapping[PortKey, Buffer],
    ) -> None:
        self.plan = plan
        self._hosts = hosts
        self._launcher = launcher
        self._arena = host_bytes(plan.memory.nbytes)
        self._placement = Placement(plan, inputs, outputs)
        self._memory: dict[int, np.ndarray] = {}
        self._written = {port.buffer for port in plan.outputs}
        self._written.update(number for step in plan.steps for number in step.writes)
        single = [self._step(step) for step in plan.plain_steps]
        for source, target in self._placement.copies:
            single.append(self._copy(source.array, target.array))
        self.steps = self._joined(single)
        self._calling: tuple[tuple[int, ...], list[list[Run]]] = ((), [self.steps])

    def run(self) -> None:
        """Run every step; raises what host steps raise."""
        for run in self.steps:
            run()

    def run_calling(self, after: Mapping[int, Run]) -> None:
        """Run, and call ``after[n]`` when the plan's step ``n`` has run."""
        stops = tuple(sorted(after))
        if stops != self._calling[0]:
            self._calling = stops, [self._joined(part) for part in self._parts(stops)]
        for number, part in zip((*stops, None), self._calling[1], strict=True):
            for run in part:
                run()
            if number is not None:
                after[number]()

    def _parts(self, stops: Iterable[int]) -> Iterable[list[Run]]:
        """The single steps up to the end of each of some steps of the plan, and the rest."""
        counts = (len(list(s.unrolled())) if isinstance(s, Repeat) else 1 for s in self.plan.steps)
        ends, single = list(accumulate(counts)), self._single()
        begin = 0
        for stop in stops:
            yield single[begin : ends[stop]]
            begin = ends[stop]
        yield single[begin:]

    def _joined(self, steps: list[Run]) -> list[Run]:
        """Steps that follow each other, with what can be run at once in one."""
        return steps

    def _single(self) -> list[Run]:
        """All steps, one by one again."""
        return self.steps

    def memory(self, number: int) -> np.ndarray:
        """All bytes of a buffer, padding included."""
        if number not in self._memory:
            self._memory[number] = self._bytes(number)
        return self._memory[number]

    def _bytes(self, number: int) -> np.ndarray:
        place = self._placement[number]
        if isinstance(place, Buffer):
            return (place.flat if number in self._written else place.read_flat).view(np.uint8)
        return self._arena[place : place + aligned(self.plan.buffers[number].type.nbytes)]

    def _array(self, tensor: HostTensor) -> np.ndarray:
        flat = self.memory(tensor.buffer).view(tensor.type.dtype.numpy)
        return flat[: tensor.type.size].reshape(tensor.type.shape)

    def _step(self, step: PlainStep) -> Run:
        if isinstance(step, PlanLaunch):
            return self._launch(step)
        if isinstance(step, HostStep):
            return self._host(step)
        source, target = (self.memory(n)[: step.nbytes] for n in (step.source, step.target))
        return self._copy(source, target)

    def _launch(self, launch: PlanLaunch) -> Run:
        kernel = self.plan.kernels[launch.kernel]
        arguments: list[np.ndarray | int | float] = []
        written = []
        for parameter, argument in zip(kernel.parameters, launch.arguments, strict=True):
            if isinstance(argument, Ref | PartRef):
                assert parameter.dtype is not None, "a pointer has one"
                if argument.buffer in launch.writes:
                    written.append(len(arguments))
                arguments.append(self._at(argument).view(parameter.dtype.numpy))
            else:
                assert not isinstance(argument, Moving), "plain steps hold none"
                arguments.append(argument)
        return self._launcher.prepare(
            kernel, launch.config, launch.grid, arguments, written, str(launch)
        )

    def _at(self, argument: Ref | PartRef) -> np.ndarray:
        memory = self.memory(argument.buffer)
        if isinstance(argument, Ref):
            return memory
        return memory[argument.offset : argument.offset + argument.nbytes]

    def _host(self, step: HostStep) -> Run:
        op = self._hosts[step.node]
        sources = [self._array(tensor) for tensor in step.inputs]
        targets = [self._array(tensor) for tensor in step.outputs]
        types = [tensor.type for tensor in step.outputs]

        def run() -> None:
            for target, result in zip(targets, op.reference(sources, types), strict=True):
                np.copyto(target, result)

        return run

    def _copy(self, source: np.ndarray, target: np.ndarray) -> Run:
        return lambda: np.copyto(target, source)
