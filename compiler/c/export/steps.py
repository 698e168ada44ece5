"""A plan as a table in C."""

from __future__ import annotations

import itertools
import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence

from compiler.kernel import Kernel, Parameter
from compiler.plan.plan import Copy, Moving, PartRef, Plan, PlanArgument, PlanLaunch, Ref
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
        name = places.named(buffer)
        copy = place, places[buffer], plan.buffers[buffer].type.nbytes
        yield _copied(*copy, name, f"{name}: kernels read whole vectors")
    for step in plan.plain_steps:
        if isinstance(step, Copy):
            copy = places[step.source], places[step.target], step.nbytes
            source, target = (places.named(buffer) for buffer in step.uses)
            yield _copied(*copy, target, f"{source} to {target}")
        elif isinstance(step, PlanLaunch) and 0 not in step.grid:
            kernel = plan.kernels[step.kernel]
            arguments = [
                _argument(places, parameter, argument)
                for parameter, argument in zip(kernel.parameters, step.arguments, strict=True)
            ]
            looked = {a for a in step.arguments if isinstance(a, Ref | PartRef)}
            nbytes = sum(plan.bytes_of(a) for a in looked)
            across, down, _ = step.grid
            numbers = across * down, across, nbytes
            yield _row(names[kernel], numbers, arguments, f"{step.label}  {step.location}")
    for buffer, place in places.given:
        name = places.named(buffer)
        copy = places[buffer], place, plan.buffers[buffer].type.nbytes
        yield _copied(*copy, name, f"{name}: kernels write whole vectors")


def _copied(source: Place, target: Place, nbytes: int, name: str, about: str) -> str:
    programs = -(-nbytes // COPIED)
    arguments = [(_at(target), name), (_at(source), name), (f"SIZED({nbytes})", "")]
    return _row("copy_bytes", (programs, programs, 2 * nbytes), arguments, about)


def _row(
    kernel: str, numbers: Sequence[int], arguments: Sequence[tuple[str, str]], about: str
) -> str:
    before = ", ".join(map(str, [kernel, *numbers, len(arguments)]))
    given = "\n".join(_lines(arguments))
    return (
        f"/* {comment_text(printable(about))} */\n"
        f"    {{{before},\n     (const plan_argument[]){{\n{given}}}}},"
    )


def _lines(arguments: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Those with a name each on a line of its own, others as many as go on one."""
    indent = " " * 9
    for named, group in itertools.groupby(arguments, lambda argument: bool(argument[1])):
        if named:
            yield from (f"{indent}{a}, /* {comment_text(printable(name))} */" for a, name in group)
        else:
            text = " ".join(f"{a}," for a, _ in group)
            yield textwrap.fill(text, 100, initial_indent=indent, subsequent_indent=indent)


def _at(place: Place, offset: int = 0) -> str:
    return f"AT({place.kind}, {place.at + offset})"


def _argument(places: CPlaces, parameter: Parameter, argument: PlanArgument) -> tuple[str, str]:
    """As it is spelled, and the name of what lies there."""
    if isinstance(argument, PartRef):
        return _at(places[argument.buffer], argument.offset), places.named(argument.buffer)
    if isinstance(argument, Ref):
        return _at(places[argument.buffer]), places.named(argument.buffer)
    assert not isinstance(argument, Moving), "plain steps hold none"
    if parameter.kind == "f32":
        return f"REAL_NUMBER({_real(argument)})", ""
    return f"SIZED({argument})", ""


def _real(number: float) -> str:
    if math.isfinite(number):
        return f"{float(number).hex()}f"
    return "NAN" if math.isnan(number) else "INFINITY" if number > 0 else "-INFINITY"
