"""Names of the tensors and nodes of a model, of which no two are the same."""

from __future__ import annotations

import itertools
from collections.abc import Iterable


class ModelNames:
    """Those that are taken, also by graphs inside."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._reserved: set[str] = set()
        self._numbers = itertools.count()

    def number(self) -> int:
        """One that was not given before."""
        return next(self._numbers)

    def unique(self, name: str) -> str:
        """A name of its own, as near to ``name`` as can be."""
        name = encodable(name)
        found = name
        while not found or found in self._taken:
            found = f"{name}.{self.number()}"
        self._taken.add(found)
        return found

    def reserve(self, names: Iterable[str]) -> None:
        """Keep names for those who are to be called so."""
        self._reserved |= set(map(encodable, names)) - self._taken
        self._taken |= self._reserved

    def claim(self, name: str) -> str:
        """A name that was kept, or one like it."""
        name = encodable(name)
        if name not in self._reserved:
            return self.unique(name)
        self._reserved.discard(name)
        return name


def encodable(name: str) -> str:
    """A name as UTF-8 can hold it: what of a prototxt is none stands as its code."""
    return name.encode("utf-8", "backslashreplace").decode()
