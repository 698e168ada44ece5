"""Averages over ranks that are in this process, or nowhere."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

T = TypeVar("T")


@dataclass(frozen=True)
class LikeThese:
    """Ranks with the very records of this one: means are what it has.

    ``told``: called for every message.
    """

    count: int = 2
    told: Callable[[], None] = lambda: None

    def average(self, array: np.ndarray) -> np.ndarray:
        self.told()
        return array.copy()


@dataclass
class Others:
    """Ranks that say something else than this one, which follows from what it says.

    ``asked``: what this one said, message by message.
    """

    count: int = 2
    asked: list[np.ndarray] = field(default_factory=list)

    def average(self, array: np.ndarray) -> np.ndarray:
        self.asked.append(array.copy())
        return array * array.dtype.type(0.75) + array.dtype.type(0.01)


class Threads:
    """Ranks that are threads: each runs the same function, given its number and the others."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._meeting = threading.Barrier(count, timeout=60)
        self._said: list[np.ndarray] = [np.empty(0)] * count

    def run(self, function: Callable[[int, Thread], T]) -> Sequence[T]:
        with ThreadPoolExecutor(self.count) as pool:
            each = [pool.submit(function, n, Thread(self, n)) for n in range(self.count)]
            return [one.result() for one in each]

    def average(self, number: int, array: np.ndarray) -> np.ndarray:
        self._said[number] = array.copy()
        self._meeting.wait()
        found = np.mean(self._said, axis=0)
        self._meeting.wait()
        return np.asarray(found)


@dataclass(frozen=True)
class Thread:
    """One of them."""

    ranks: Threads
    number: int

    @property
    def count(self) -> int:
        return self.ranks.count

    def average(self, array: np.ndarray) -> np.ndarray:
        return self.ranks.average(self.number, array)
