"""A plan as a table in C."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from compiler.kernel import Kernel, Parameter
from compiler.plan.plan import Copy, Plan, PlanArgument, PlanLaunch, Ref
from ir.printable import printable

from .names import comment_text
from .places import CPlaces, Place

COPIED = 4096
"""Bytes that a program of ``copy_bytes`` copies."""


def plan_table(plan: Plan, places: CPlaces, names: Mapping[Kernel, str]) -> tuple[int, str]:
    """How many steps there are, and all, each with the layer that it came from.

    ``names``: of the kernels' functions.
    """
    rows = list(_rows(plan, places, names))
    return len(rows), "\n".join(f"    {row}" for row in [*rows, "{0} /* the end */"])


def _rows(plan: Plan, places: CPlaces, names: Mapping[Kernel, str]) -> Iterator[str]:
    for buffer, place in places.taken:
        about = f"{plan.buffers[buffer].name}: kernels read whole vectors"
        yield _copied(places[buffer], place, plan.buffers[buffer].type.nbytes, about)
    for step in plan.steps:
        if isinstance(step, Copy):
            about = f"{plan.buffers[step.source].name} to {plan.buffers[step.target].name}"
            yield _copied(places[step.target], places[step.source], step.nbytes, about)
        elif isinstance(step, PlanLaunch) and 0 not in step.grid:
            kernel = plan.kernels[step.kernel]
            arguments = [
                _argument(places, parameter, argument)
                for parameter, argument in zip(kernel.parameters, step.arguments, strict=True)
            ]
            looked = {a.buffer: None for a in step.arguments if isinstance(a, Ref)}
            nbytes = sum(plan.buffers[buffer].type.nbytes for buffer in looked)
            across, down, _ = step.grid
            about = f"{step.label}  {step.location}"
            yield _row(names[kernel], across * down, across, nbytes, arguments, about)
    for buffer, place in places.given:
        about = f"{plan.buffers[buffer].name}: kernels write whole vectors"
        yield _copied(place, places[buffer], plan.buffers[buffer].type.nbytes, about)


def _copied(target: Place, source: Place, nbytes: int, about: str) -> str:
    programs = -(-nbytes // COPIED)
    arguments = [_place(target), _place(source), f"SIZED({nbytes})"]
    return _row("copy_bytes", programs, programs, 2 * nbytes, arguments, about)


def _row(
    kernel: str, programs: int, across: int, nbytes: int, arguments: Sequence[str], about: str
) -> str:
    given = ", ".join(arguments)
    return (
        f"/* {comment_text(printable(about))} */\n"
        f"    {{{kernel}, {programs}, {across}, {nbytes}, {len(arguments)},\n"
        f"     (const plan_argument[]){{{given}}}}},"
    )


def _place(place: Place) -> str:
    return f"AT({place.kind}, {place.at})"


def _argument(places: CPlaces, parameter: Parameter, argument: PlanArgument) -> str:
    if isinstance(argument, Ref):
        return _place(places[argument.buffer])
    if parameter.kind == "f32":
        return f"REAL_NUMBER({_real(argument)})"
    return f"SIZED({argument})"


def _real(number: float) -> str:
    if math.isfinite(number):
        return f"{float(number).hex()}f"
    return "NAN" if math.isnan(number) else "INFINITY" if number > 0 else "-INFINITY"
