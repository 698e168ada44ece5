"""Arrays as JSON."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from .engine import Port
from .problems import Problem

_MORE = 1000
"""Commas that may stand elsewhere: in names."""

_TOKENS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
"""Strings, also those that never end, and brackets. Nothing is read twice."""


def arrays_from_json(
    body: bytes, inputs: Mapping[str, Port], max_depth: int, most_numbers: int | None = None
) -> dict[str, np.ndarray]:
    """``{"inputs": {"data": [...]}}``, ``{"data": [...]}``, or of a net with one input its list."""
    _check_count(body, max_depth, most_numbers)
    _check_depth(body, max_depth)
    try:
        said = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise _bad(f"the body is no JSON: {error}"[:200]) from None
    if isinstance(said, list) and len(inputs) == 1:
        said = {next(iter(inputs)): said}
    if not isinstance(said, dict):
        raise _bad("an object with the inputs was expected")
    if said.keys() == {"inputs"} and "inputs" not in inputs:
        said = said["inputs"]
    if not isinstance(said, dict):
        raise _bad('"inputs" is no object of arrays by name')
    return {name: _array(name, value) for name, value in said.items()}


def _array(name: str, value: Any) -> np.ndarray:
    try:
        array = np.array(value)
    except (ValueError, OverflowError):
        raise _bad(f"input {name!r:.60}: rows have different lengths or depths") from None
    if array.dtype.kind not in "biuf" or not np.isfinite(array).all():
        raise _bad(f"input {name!r:.60} holds what is no finite number")
    return array


def _check_count(body: bytes, max_depth: int, most: int | None) -> None:
    """What is too much is refused at a glance: to parse it takes seconds, in which the server does
    nothing else. There is a comma between any two numbers, and between any two lists that are not
    in each other."""
    commas = body.count(b",")
    if most is not None and commas > most + _MORE:
        raise _bad(
            f"the body has more than {most} numbers, which is all that the net takes at once"
        )
    if body.count(b"[") + body.count(b"{") > (commas + 1) * max_depth:
        raise _bad(f"more than {max_depth} lists and objects are in each other, or it is no JSON")


def _check_depth(body: bytes, most: int) -> None:
    depth = 0
    for token in _TOKENS.finditer(body):
        first = body[token.start()]
        if first in b"[{":
            depth += 1
            if depth > most:
                raise _bad(f"more than {most} lists and objects are in each other")
        elif first in b"]}":
            depth -= 1


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no number of JSON")


def _bad(error: str) -> Problem:
    return Problem(422, "json", error, 'an example: {"inputs": {"data": [[0.5, 1.5]]}}; see /info')


def json_values(array: np.ndarray) -> Any:
    """Nested lists; None for what is no finite number."""
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        return _with_nulls(array.tolist())
    return array.tolist()


def _with_nulls(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_nulls(item) for item in value]
    return value if math.isfinite(value) else None
