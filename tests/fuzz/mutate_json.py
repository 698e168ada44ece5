"""Changes to JSON values that keep them JSON."""

from __future__ import annotations

import json
from random import Random
from typing import Any

_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**32, 2**63, 10**40, 0.5, 1e308, -1.5, "", "x", "0",
    "NaN", "\0",
    "../../etc/passwd", "\ud800", "x" * 5000, [], [[]], {}, {"a": 1}, [0] * 1000,
)  # fmt: skip


def mutate(data: bytes, rng: Random) -> bytes:
    """One change in one of the lines, or in the whole text, whichever is JSON."""
    lines = data.split(b"\n")
    for whole in (True, False):
        at = 0 if whole else rng.randrange(len(lines))
        try:
            value = json.loads(data if whole else lines[at])
        except (ValueError, RecursionError):
            continue
        new = json.dumps(_change(value, rng), default=str).encode()
        if whole:
            return new
        lines[at] = new
        return b"\n".join(lines)
    return data + b"{"


def _change(value: Any, rng: Random) -> Any:
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = rng.choice(list(value))
        what = rng.randrange(8)
        changed = dict(value)
        if what == 0:
            del changed[key]
        elif what == 1:
            changed[rng.choice(("", "x", key + "2"))] = changed[key]
        else:
            changed[key] = _change(value[key], rng)
        return changed
    if isinstance(value, list) and value and rng.random() < 0.8:
        at = rng.randrange(len(value))
        if rng.random() < 0.2:
            return value[:at] + [value[at]] * rng.choice((0, 2, 500)) + value[at + 1 :]
        return [*value[:at], _change(value[at], rng), *value[at + 1 :]]
    if isinstance(value, int) and not isinstance(value, bool) and rng.random() < 0.5:
        return rng.choice(
            (value + 1, value - 1, -value, value * 1000, value * 0.5 if abs(value) < 2**99 else 0.5)
        )
    return rng.choice(_VALUES)
