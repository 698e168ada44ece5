"""A plan as JSON, with the symbols of its sizes and the values that they had when it was made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ir.size import Scope, symbol, symbols_of

from .codec import from_json, shortened, to_json
from .plan import Copy, HostStep, Plan, PlanLaunch, Ref

_MOST_SYMBOLS = 64


def plan_to_json(plan: Plan) -> dict[str, Any]:
    """Inverse of :func:`plan_from_json`."""
    found = {s.key: s for number in _numbers(plan) for s in symbols_of(number)}
    in_order = sorted(found.values(), key=lambda s: s.number)
    return {"sizes": {s.key: s.value for s in in_order}, **to_json(plan)}


def plan_from_json(data: Any) -> Plan:
    """A plan whose types, arguments and grids hold sizes; see :mod:`ir.size`. Raises ValueError."""
    rest = dict(from_json(dict, data, "plan"))
    values: dict[str, int] = from_json(dict[str, int], rest.pop("sizes", None), "sizes")
    if len(values) > _MOST_SYMBOLS or min(values.values(), default=1) < 1:
        raise ValueError(f"sizes must be at least 1 and few, they are {shortened(values)}")
    scope = Scope()
    named = {name: symbol(scope, name, value) for name, value in values.items()}
    scope.close()
    plan: Plan = from_json(Plan, rest, "plan", named)
    return plan


def _numbers(plan: Plan) -> Iterator[float]:
    """All that may be a size."""
    for buffer in plan.buffers:
        yield from buffer.type.shape
    for step in plan.steps:
        if isinstance(step, PlanLaunch):
            yield from (a for a in step.arguments if not isinstance(a, Ref))
            yield from step.grid
        elif isinstance(step, HostStep):
            for tensor in (*step.inputs, *step.outputs):
                yield from tensor.type.shape
        elif isinstance(step, Copy):
            yield step.nbytes
