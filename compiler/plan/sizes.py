"""A plan whose sizes hold symbols, for one batch and image size: numbers, and where buffers lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ir.type_sizes import TypeSubstitution

from .memory import place_buffers
from .plan import (
    ArenaLayout,
    Copy,
    HostStep,
    HostTensor,
    Moving,
    PartRef,
    Plan,
    PlanArgument,
    PlanLaunch,
    Ref,
    Repeat,
    Step,
)


def plan_at(plan: Plan, values: Mapping[str, int]) -> Plan:
    """The plan where the symbols of its sizes have these values.

    It launches the same kernels in the same configurations. Raises KeyError for a symbol without a
    value, ValueError for a value that is no whole number from 1, and ZeroDivisionError where a size
    divides by 0.
    """
    return place_buffers(with_numbers(plan, values))


def with_numbers(plan: Plan, values: Mapping[str, int]) -> Plan:
    """As :func:`plan_at`, with buffers where they were."""
    at = TypeSubstitution(values)

    def tensor(tensor: HostTensor) -> HostTensor:
        return HostTensor(tensor.buffer, at.type(tensor.type))

    def argument(given: PlanArgument) -> PlanArgument:
        match given:
            case Ref() | PartRef():
                return given
            case Moving():
                numbers = map(at.number, (given.start, given.stride, given.nbytes, given.cycle))
                start, stride, nbytes, cycle = numbers
                return replace(given, start=start, stride=stride, nbytes=nbytes, cycle=cycle)
        return at.number(given)  # type: ignore[no-any-return]

    def launch(launch: PlanLaunch) -> PlanLaunch:
        x, y, z = map(at.number, launch.grid)
        return replace(launch, arguments=tuple(map(argument, launch.arguments)), grid=(x, y, z))

    def step(step: Step) -> Step:
        match step:
            case PlanLaunch():
                return launch(step)
            case Repeat():
                return replace(step, launches=tuple(map(launch, step.launches)))
            case HostStep():
                inputs, outputs = (tuple(map(tensor, t)) for t in (step.inputs, step.outputs))
                return replace(step, inputs=inputs, outputs=outputs)
            case Copy():
                return replace(step, nbytes=at.number(step.nbytes))

    buffers = tuple(replace(buffer, type=at.type(buffer.type)) for buffer in plan.buffers)
    offsets = tuple(offset and at.number(offset) for offset in plan.memory.offsets)
    memory = ArenaLayout(offsets, at.number(plan.memory.nbytes))
    return replace(plan, buffers=buffers, steps=tuple(map(step, plan.steps)), memory=memory)
