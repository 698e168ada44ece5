"""Names of ports that tell how many rows of a result count, where a run tells that.

Such a result is computed in memory for as many rows as there could be; beside it stands the number
(i32[1]) under a name of its own: ``found:2:detection_out`` counts along axis 2.
"""

from __future__ import annotations

from collections.abc import Iterable

_FOUND = "found:"


def found_name(result: str, axis: int) -> str:
    """The name of the number for a result."""
    return f"{_FOUND}{axis}:{result}"


def tells_rows(name: str) -> bool:
    """Whether a port of this name holds such a number."""
    return name.startswith(_FOUND)


def counted_results(names: Iterable[str]) -> dict[str, tuple[str, int]]:
    """Of all names, per result that has such a number: the number's name, and the axis."""
    found: dict[str, tuple[str, int]] = {}
    for name in names:
        axis, colon, result = name.removeprefix(_FOUND).partition(":")
        if tells_rows(name) and colon and axis.isdecimal():
            found[result] = name, int(axis)
    return found
