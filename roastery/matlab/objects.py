"""What MATLAB holds handles of. A handle is a number and the key of the time it was given in.

Numbers are given once. So a handle of something that is gone is known as such, whatever came after,
and a struct that somebody made up leads nowhere.
"""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass, field
from typing import Any

from ir.errors import RoasteryError

_numbers = itertools.count(1)


@dataclass
class HeldObject:
    """Something that MATLAB has a handle of.

    Attributes:
        kind: "Net", "Solver", "Layer" or "Blob", as MATLAB's class is called.
        owner: the number of what it belongs to, if it does not stand alone.
        parts: the numbers of what belongs to it.
        told: what was told of its parts, by name, once that was asked for.
    """

    kind: str
    thing: Any
    owner: int | None = None
    parts: list[int] = field(default_factory=list)
    told: dict[str, Any] = field(default_factory=dict)


class HeldObjects:
    """All that MATLAB has handles of, and the key that they are valid with."""

    def __init__(self) -> None:
        self._held: dict[int, HeldObject] = {}
        self.key = _new_key()

    def add(self, kind: str, thing: Any, owner: int | None = None) -> int:
        """Keep something; its number."""
        number = next(_numbers)
        self._held[number] = HeldObject(kind, thing, owner)
        if owner is not None:
            self._held[owner].parts.append(number)
        return number

    def find(self, kind: str, handle: tuple[int, float]) -> HeldObject:
        """What a handle of that kind refers to.

        Raises:
            RoasteryError: it was cleared or deleted, or the handle is of another kind.
        """
        number, key = handle
        if key != self.key:
            raise RoasteryError(
                f"this {kind} was cleared: its handle is of before caffe.reset_all()",
                hint="make a new net or solver after caffe.reset_all()",
            )
        held = self._held.get(number)
        if held is None:
            raise RoasteryError(
                f"this {kind} is no more: it, or the net or solver that it belongs to, was deleted",
                hint="keep the net or solver in a variable for as long as its blobs are used",
            )
        if held.kind != kind:
            raise RoasteryError(f"a handle of a {kind} is wanted, this is one of a {held.kind}")
        return held

    def knows(self, kind: str, handle: tuple[int, float]) -> bool:
        """Whether the handle is one of that kind, and what it refers to is still there."""
        held = self._held.get(handle[0])
        return handle[1] == self.key and held is not None and held.kind == kind

    def forget(self, handle: tuple[int, float]) -> None:
        """Let go of something that stands alone, and of its parts; what is gone stays gone.

        A solver's net goes with its solver.
        """
        number, key = handle
        held = self._held.get(number)
        if key == self.key and held is not None and held.owner is None:
            self._remove(number)

    def clear(self) -> tuple[int, int]:
        """Let go of everything and take a new key: how many solvers and lone nets there were."""
        kinds = [held.kind for held in self._held.values() if held.owner is None]
        self._held.clear()
        self.key = _new_key()
        return kinds.count("Solver"), kinds.count("Net")

    def _remove(self, number: int) -> None:
        held = self._held.pop(number)
        for part in held.parts:
            self._remove(part)


def _new_key() -> float:
    """Whole, so that it is the same double after any printing, and unlike the one before."""
    return float(random.SystemRandom().getrandbits(48))


#: Those of this process.
OBJECTS = HeldObjects()
