"""What MATLAB passed to a command, checked where it is asked for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from ir.errors import RoasteryError

#: The largest whole number that Caffe keeps, and the most values of a blob.
MOST = (1 << 31) - 1

_WORDS = {
    b"text": "a string",
    b"numbers": "doubles",
    b"single": "singles",
    b"handle": "a handle",
}


class MexArguments:
    """The arguments of a call, as the MEX file passes them.

    Each is ``(kind, value)``: ``text`` with bytes, ``numbers`` with floats, ``handle`` with a
    number and a key, ``single`` with a buffer and sizes, the fastest first, ``other`` with a class.
    """

    def __init__(self, command: str, arguments: Sequence[tuple[Any, ...]]) -> None:
        self._command = command
        self._arguments = arguments

    def __len__(self) -> int:
        return len(self._arguments)

    def text(self, place: int) -> str:
        """A string, such as a path."""
        value = self._value(place, b"text")
        return bytes(value).decode("utf-8", "surrogateescape")

    def path(self, place: int) -> str:
        """The name of a file; ``~`` is the home folder, as MATLAB's own functions take it."""
        name = self.text(place)
        if not name:
            raise self._error(place, "the name of a file is wanted, given is an empty string")
        return os.path.expanduser(name)

    def numbers(self, place: int) -> tuple[float, ...]:
        """Doubles, whatever shape they have."""
        return tuple(map(float, self._value(place, b"numbers")))

    def wholes(self, place: int) -> tuple[int, ...]:
        """Whole numbers from 0 on, given as doubles."""
        found = self.numbers(place)
        for value in found:
            if not (0 <= value <= MOST and value == int(value)):
                raise self._error(place, f"{value:g} is no whole number from 0 to {MOST}")
        return tuple(map(int, found))

    def whole(self, place: int) -> int:
        """One whole number from 0 on, given as a double."""
        found = self.wholes(place)
        if len(found) != 1:
            raise self._error(place, f"one number is wanted, not {len(found)}")
        return found[0]

    def handle(self, place: int) -> tuple[int, float]:
        """What a handle refers to, and the key that it was given with."""
        number, key = self._value(place, b"handle")
        return int(number), float(key)

    def single(self, place: int) -> np.ndarray:
        """An array, its axes in Caffe's order. It is MATLAB's memory: copy it, do not keep it."""
        self._value(place, b"single")
        _, buffer, sizes = self._arguments[place]
        return np.frombuffer(buffer, np.float32).reshape([int(size) for size in sizes][::-1])

    def _value(self, place: int, kind: bytes) -> Any:
        if place >= len(self._arguments):
            raise RoasteryError(f"'{self._command}' takes more than {len(self)} arguments")
        found = self._arguments[place]
        if found[0] != kind:
            what = _WORDS.get(found[0]) or bytes(found[1]).decode("utf-8", "replace")
            raise self._error(place, f"{_WORDS[kind]} wanted, given is {what}")
        return found[1]

    def _error(self, place: int, what: str) -> RoasteryError:
        return RoasteryError(f"argument {place + 1} of '{self._command}': {what}")
