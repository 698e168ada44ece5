"""Names of a kernel's variables, given as a text mentions them first."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .expressions import Local


class Names:
    """``readable``: after blobs and meanings. Otherwise equal kernels have equal names.

    ``reserved``: what means something else in the target's language.
    """

    def __init__(self, readable: bool, reserved: Iterable[str]) -> None:
        self.readable = readable
        self._taken = set(reserved)
        self._given: dict[Local, str] = {}
        self._counts: dict[str, int] = {}

    def of(self, variable: Local) -> str:
        name = self._given.get(variable)
        if name is None:
            hint = variable.hint if self.readable else ""
            name = self._described(variable.stem, hint) if hint else self._numbered(variable.stem)
            self._given[variable] = name
            self._taken.add(name)
        return name

    def give(self, variable: Local, text: str) -> None:
        """What stands for a variable that has no name."""
        self._given[variable] = text

    def _numbered(self, stem: str) -> str:
        while True:
            number = self._counts.get(stem, 0)
            self._counts[stem] = number + 1
            if f"{stem}{number}" not in self._taken:
                return f"{stem}{number}"

    def _described(self, stem: str, hint: str) -> str:
        base = re.sub(r"\W+", "_", hint, flags=re.ASCII).strip("_").lower() or stem
        if base[0].isdigit():
            base = f"{stem}_{base}"
        name, number = base, 1
        while name in self._taken:
            number += 1
            name = f"{base}_{number}"
        return name
