"""Names of a clip's frames, by a pattern as printf takes it."""

from __future__ import annotations

import re

_CONVERSION = re.compile(r"%(?:%|[-+ #0]{0,5}[0-9]{0,2}(?:\.[0-9]{1,2})?([a-zA-Z])|.?)", re.DOTALL)
_NUMBERS = "di"


def pattern_mistake(pattern: str, kinds: str) -> str | None:
    """What is wrong with a pattern; None: nothing.

    Args:
        pattern: such as ``flow_%c_%04d.jpg``.
        kinds: of the values that names are made of, in order: "c" a letter, "d" a number. A
            pattern may leave out the last ones.
    """
    found = []
    for conversion in _CONVERSION.finditer(pattern):
        if conversion[0] == "%%":
            continue
        kind = conversion[1]
        if kind is None or kind not in _NUMBERS + "c":
            return f"'{conversion[0]}' is nothing that is written into it"
        found.append("d" if kind in _NUMBERS else kind)
    if "".join(found) != kinds[: len(found)]:
        return f"its values are {_listed(found)}, where there are {_listed(list(kinds))}"
    return None


def frame_name(pattern: str, *values: str | int) -> str:
    """The name of a frame, by a pattern that `pattern_mistake` finds no fault with."""
    used = sum(conversion[0] != "%%" for conversion in _CONVERSION.finditer(pattern))
    return pattern % values[:used]


def _listed(kinds: list[str]) -> str:
    return ", ".join("a letter (%c)" if kind == "c" else "a number (%d)" for kind in kinds)
