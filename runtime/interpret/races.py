"""Programs of one launch that use the same memory, at least one of them writing.

On a GPU they run at once, so what comes out depends on chance. The interpreter runs one after the
other, and most such mistakes go unnoticed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

Program = tuple[int, int, int]

_NOBODY, _SEVERAL = 0, -1


class RaceError(Exception):
    """A program touched memory that another one of its launch writes."""


class _Users:
    """Of every element of a buffer: the numbers of the programs that read and that wrote it."""

    def __init__(self, count: int) -> None:
        self.readers = np.full(count, _NOBODY, np.int32)
        self.writers = np.full(count, _NOBODY, np.int32)


class Races:
    """Remembers who uses the buffers that a launch writes; each is a (start, end) of addresses."""

    def __init__(self, written: Iterable[tuple[int, int]]) -> None:
        self._buffers = sorted(set(written))
        self._users: dict[tuple[int, int], _Users] = {}
        self._programs: dict[Program, int] = {}

    def load(self, program: Program, addresses: np.ndarray, size: int) -> None:
        """A program reads elements of ``size`` bytes. Raises :class:`RaceError`."""
        me = self._number(program)
        for users, places in self._used(addresses, size):
            self._alone(me, "reads", users.writers[places], "wrote")
            before = users.readers[places]
            mine = (before == _NOBODY) | (before == me)
            users.readers[places] = np.where(mine, me, _SEVERAL)

    def store(self, program: Program, addresses: np.ndarray, size: int) -> None:
        """A program writes elements of ``size`` bytes. Raises :class:`RaceError`."""
        me = self._number(program)
        for users, places in self._used(addresses, size):
            self._alone(me, "writes", users.readers[places], "read")
            self._alone(me, "writes", users.writers[places], "wrote")
            users.writers[places] = me

    def _number(self, program: Program) -> int:
        return self._programs.setdefault(program, len(self._programs) + 1)

    def _used(self, addresses: np.ndarray, size: int) -> Iterator[tuple[_Users, np.ndarray]]:
        """The buffers touched, and the numbers of their elements."""
        for start, end in self._buffers:
            inside = addresses[(addresses >= start) & (addresses < end)]
            if inside.size:
                users = self._users.get((start, size))
                if users is None:
                    users = self._users[start, size] = _Users((end - start) // size)
                yield users, (inside.astype(np.int64) - start) // size

    def _alone(self, me: int, does: str, others: np.ndarray, did: str) -> None:
        bad = others[(others != _NOBODY) & (others != me)]
        if bad.size:
            names = {number: program for program, number in self._programs.items()}
            other = names.get(int(bad[0]), "several")
            raise RaceError(
                f"program {names[me]} {does} {bad.size} of the elements that another ({other}) "
                f"{did}: on a GPU they run at once"
            )
