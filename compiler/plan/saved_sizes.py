"""A plan from a file at the sizes that it was saved with, or at others: planned without a compiler.

Forms come from anywhere, so that what they give at other sizes is checked as a file's numbers are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from compiler.kernel import WIDE

from .check import check_plan
from .memory import place_buffers
from .plan import ArenaLayout, Plan
from .reader import LARGEST
from .saved import symbols_in_data
from .sizes import with_numbers

_MOST_PLACED = 20_000
"""Buffers: the time that it takes to place them grows with their square."""


def saved_plan_at(
    plan: Plan,
    values: Mapping[str, int],
    *,
    as_saved: bool = False,
    memory: ArenaLayout | None = None,
) -> Plan:
    """The plan where the symbols of its sizes have these values. Raises ValueError.

    Args:
        as_saved: the values are those that it was saved with, and so is the place of each buffer.
        memory: where buffers lie at these sizes, where that is known; else they are placed.
    """
    try:
        found = with_numbers(plan, values)
    except KeyError as error:
        raise ValueError(f"the size {error} has no value") from None
    except ArithmeticError as error:
        raise ValueError(f"a size is no number: {error}") from None
    if any(symbols_in_data(found)):
        raise ValueError("a size stands where only a number can")
    for buffer in found.buffers:
        if min(buffer.type.shape, default=0) < 0 or buffer.type.nbytes > LARGEST:
            raise ValueError(f"{buffer.name}: {buffer.type} has no extents of a tensor")
    if not as_saved:
        if len(found.buffers) > _MOST_PLACED:
            raise ValueError(f"{len(found.buffers)} buffers are too many for other sizes")
        _check_width(found)
        found = place_buffers(found) if memory is None else replace(found, memory=memory)
    check_plan(found)
    return found


def _check_width(plan: Plan) -> None:
    """Kernels were compiled for indices that fit the sizes of then."""
    for launch in plan.launches:
        kinds = {parameter.kind for parameter in plan.kernels[launch.kernel].parameters}
        used = [plan.buffers[number] for number in launch.uses]
        large = [buffer for buffer in used if buffer.type.memory_size >= WIDE]
        if large and "i64" not in kinds:
            raise ValueError(
                f"{launch} was compiled for buffers of less than {WIDE} elements; "
                f"{large[0].name} has {large[0].type.memory_size}"
            )
