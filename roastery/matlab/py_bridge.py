"""What MATLAB calls through its own bridge to Python, ``py.``, where there is no MEX file.

The same commands and checks as through the MEX file. MATLAB passes a row of singles as anything
with a buffer, and takes ``array.array`` back.
"""

from __future__ import annotations

import array
from collections.abc import Sequence
from typing import Any

import numpy as np

from .calls import call_command

_KINDS = ("text", "numbers", "single", "handle", "other")


def call_from_py(command: str, arguments: Sequence[Any]) -> list[Any]:
    """Run a command.

    Args:
        arguments: each a sequence of a kind and what belongs to it: ``text`` and a str; ``numbers``
            and a sequence of numbers; ``single``, a buffer of float32 and a sequence of sizes;
            ``handle``, a number and a key; ``other`` and the name of a class.

    Returns ``["ok", result]`` or ``["error", identifier, message]``. A result is a list that begins
    with its kind, as in :mod:`roastery.matlab.results`; of ``single`` follow sizes and values, of
    ``handles`` the key and numbers, of ``cells`` a list of results, of ``record`` names and
    results.
    """
    answer = call_command(
        (b"text", command.encode("utf-8", "surrogateescape")), *map(_given, arguments)
    )
    if answer[0] == b"ok":
        return ["ok", _shown(answer[1])]
    if answer[0] == b"interrupted":
        return ["error", "Roastery:interrupted", "interrupted"]
    return ["error", *(word.decode("utf-8", "replace") for word in answer[1:])]


def _given(argument: Sequence[Any]) -> tuple[Any, ...]:
    kind, *values = argument
    name = str(kind).encode()
    match kind:
        case "text" | "other":
            return name, str(values[0]).encode("utf-8", "surrogateescape")
        case "numbers":
            return name, tuple(float(value) for value in _flat(values[0]))
        case "handle":
            return name, (int(values[0]), float(values[1]))
        case "single":
            buffer = np.ascontiguousarray(np.asarray(values[0], np.float32).ravel())
            return name, buffer.data, tuple(int(size) for size in _flat(values[1]))
    raise ValueError(f"an argument is one of {_KINDS}, not {kind!r}")


def _flat(values: Any) -> list[Any]:
    """A single number arrives as one, a row of several as a sequence or as a buffer."""
    return list(np.asarray(values, np.float64).ravel())


def _shown(result: tuple[Any, ...]) -> list[Any]:
    kind = result[0].decode()
    match kind:
        case "text":
            return [kind, result[1].decode("utf-8", "replace")]
        case "row" | "column":
            return [kind, array.array("d", result[1])]
        case "single":
            return [kind, array.array("d", result[1]), array.array("f", result[3].tobytes())]
        case "handles":
            return [kind, result[1], array.array("Q", result[2])]
        case "cells":
            return [kind, [_shown(item) for item in result[1]]]
        case "record":
            names = [name.decode() for name, _ in result[1]]
            return [kind, names, [_shown(item) for _, item in result[1]]]
    return [kind, *result[1:]]
