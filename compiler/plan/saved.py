"""A plan as JSON, with the symbols of its sizes and the values that they had when it was made."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator
from typing import Any

from ir.size import Real, Scope, Size, Symbol, symbol, symbols_of

from .codec import from_json, to_json
from .plan import Plan
from .reader import shortened

_MOST_SYMBOLS = 64


def plan_to_json(plan: Plan) -> dict[str, Any]:
    """Inverse of :func:`plan_from_json`."""
    symbols = sorted(set(symbols_in_data(plan)), key=lambda symbol: symbol.number)
    return {"sizes": {s.key: s.value for s in symbols}, **to_json(plan)}


def plan_from_json(data: Any) -> Plan:
    """A plan whose types, arguments and grids hold sizes; see :mod:`ir.size`. Raises ValueError."""
    rest = dict(from_json(dict, data, "plan"))
    scope = Scope()
    named = sizes_from_json(rest.pop("sizes", None), scope)
    scope.close()
    plan: Plan = from_json(Plan, rest, "plan", named)
    return plan


def sizes_from_json(data: Any, scope: Scope) -> dict[str, int]:
    """Symbols of a scope, by their names, of a table of values. Raises ValueError."""
    values: dict[str, int] = from_json(dict[str, int], data, "sizes")
    if len(values) > _MOST_SYMBOLS or min(values.values(), default=1) < 1:
        raise ValueError(f"sizes must be at least 1 and few, they are {shortened(values)}")
    return {name: symbol(scope, name, value) for name, value in values.items()}


def symbols_in_data(part: Any) -> Iterator[Symbol]:
    """Of all sizes in plain data."""
    left = [part]
    while left:
        part = left.pop()
        kind = part.__class__
        if kind in _PLAIN:
            continue
        if kind is tuple:
            left += part
        elif isinstance(part, Size | Real):
            yield from symbols_of(part)
        elif isinstance(part, dict):
            left += part.values()
        else:
            left += [getattr(part, name) for name in _fields(kind)]


_PLAIN = {int, str, float, bool, type(None)}


@functools.cache
def _fields(kind: type) -> tuple[str, ...]:
    """Plans have tens of thousands of values: classes are looked at once."""
    if not dataclasses.is_dataclass(kind):
        return ()
    return tuple(field.name for field in dataclasses.fields(kind))
