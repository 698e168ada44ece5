"""Whether the numbers of a plan fit together: asked of every plan that is read from a file."""

from __future__ import annotations

from collections.abc import Iterable, Sized

from compiler.kernel import Parameter

from .plan import Copy, HostStep, Moving, PartRef, Plan, PlanArgument, PlanLaunch, Ref, Repeat

ALIGNMENT = 16
"""Bytes; kernels were compiled for it."""
_LARGEST_FLOAT = 3.4028235677973366e38  # below: what rounds to a finite float32
_LARGEST_GRID = 2**31 - 1
MOST_TURNS = 1 << 20
"""Of a repetition that a file asks for."""


def check_plan(plan: Plan) -> None:
    """Raise ValueError unless every number names something, and every use stays in its memory.

    What it lets pass can still be machine code that does harm: checks find damage, not malice.
    """
    _within(plan.bound, plan.buffers, "a port's buffer")
    if len(plan.memory.offsets) != len(plan.buffers):
        raise ValueError(f"{len(plan.buffers)} buffers have {len(plan.memory.offsets)} offsets")
    for buffer, offset in zip(plan.buffers, plan.memory.offsets, strict=True):
        room = plan.memory.nbytes
        if offset is not None and (
            offset < 0 or offset % ALIGNMENT or offset + buffer.type.nbytes > room
        ):
            raise ValueError(
                f"{buffer.name}: {buffer.type.nbytes} bytes at {offset} exceed {room}, or do not "
                f"start at a multiple of {ALIGNMENT}"
            )
    for buffer in (plan.buffers[number] for number in plan.bound):
        if buffer.type.layout is not None:
            raise ValueError(f"a port holds {buffer.name}, {buffer.type}: it is not row-major")
    placed = plan.bound | {i for i, offset in enumerate(plan.memory.offsets) if offset is not None}
    for number, step in enumerate(plan.steps):
        where = f"step {number}"
        _within(step.uses, plan.buffers, f"{where}: a buffer")
        if not placed.issuperset(step.uses):
            raise ValueError(f"{where} uses a buffer that has no memory")
        if isinstance(step, Repeat):
            _check_repeat(plan, step, where)
        elif isinstance(step, PlanLaunch):
            _check_launch(plan, step, where)
        else:
            _check_sizes(plan, step, where)


def _check_repeat(plan: Plan, repeat: Repeat, where: str) -> None:
    if not 0 < repeat.turns <= MOST_TURNS or not repeat.launches:
        raise ValueError(f"{where}: {len(repeat.launches)} launches, {repeat.turns} times")
    for launch in repeat.launches:
        _check_launch(plan, launch, where, repeat.turns)


def _check_moving(plan: Plan, parameter: Parameter, moving: Moving, turns: int, where: str) -> None:
    """Asked of the ends: all other places lie between them, a multiple of the stride away."""
    start, stride, cycle = moving.start, moving.stride, moving.cycle
    first = 0 if moving.first is None else 1
    last = turns - 1 if moving.last is None else turns - 2
    ends = {start + stride * turn for turn in (first, last) if first <= last}
    if cycle:
        fits = stride > 0 and cycle % stride == 0
        ends = {start % stride, start % stride + cycle - stride} if fits else {-1}
    size = ALIGNMENT if parameter.divisible else parameter.dtype.itemsize if parameter.dtype else 1
    buffer = plan.buffers[moving.buffer]
    inside = all(0 <= end <= buffer.type.nbytes - moving.nbytes for end in ends)
    if moving.nbytes < 0 or not inside or any(end % size for end in (*ends, stride)):
        raise ValueError(f"{where}: {moving} leaves {buffer.name}, {buffer.type}")


def _check_launch(plan: Plan, launch: PlanLaunch, where: str, turns: int = 0) -> None:
    """``turns``: of the repetition that it is in."""
    _within([launch.kernel], plan.kernels, f"{where}: the kernel")
    kernel = plan.kernels[launch.kernel]
    if not all(0 <= n <= _LARGEST_GRID for n in launch.grid):
        raise ValueError(f"{where}: a grid of {launch.grid}")
    if len(launch.arguments) != len(kernel.parameters):
        given, taken = len(launch.arguments), len(kernel.parameters)
        raise ValueError(f"{where}: {given} arguments, {taken} are taken")
    for parameter, argument in zip(kernel.parameters, launch.arguments, strict=True):
        if not _fits(parameter, argument, turns):
            raise ValueError(f"{where}: {argument!r:.80} is no {parameter.kind}")
        if isinstance(argument, Moving):
            _check_moving(plan, parameter, argument, turns, where)


def _fits(parameter: Parameter, argument: PlanArgument, turns: int) -> bool:
    if isinstance(argument, Moving):
        return parameter.kind == "pointer" and turns > 0
    if isinstance(argument, PartRef):
        return False
    if isinstance(argument, Ref):
        return parameter.kind == "pointer"
    if parameter.kind == "f32":
        return abs(argument) <= _LARGEST_FLOAT
    bits = {"i32": 31, "i64": 63}.get(parameter.kind)
    return bits is not None and type(argument) is int and -(2**bits) <= argument < 2**bits


def _check_sizes(plan: Plan, step: HostStep | Copy, where: str) -> None:
    if isinstance(step, Copy):
        parts = [(buffer, step.nbytes) for buffer in step.uses]
    else:
        tensors = (*step.inputs, *step.outputs)
        if laid := [t.type for t in tensors if t.type.layout is not None]:
            raise ValueError(f"{where}: a host op takes and gives row-major memory, not {laid[0]}")
        parts = [(t.buffer, t.type.nbytes) for t in tensors]
    for number, nbytes in parts:
        buffer = plan.buffers[number]
        if not 0 <= nbytes <= buffer.type.nbytes:
            raise ValueError(f"{where}: {nbytes} bytes exceed {buffer.name}, {buffer.type}")


def _within(numbers: Iterable[int], things: Sized, what: str) -> None:
    for number in numbers:
        if not 0 <= number < len(things):
            raise ValueError(f"{what} is {number}; there are {len(things)}")
