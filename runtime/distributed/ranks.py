"""The processes that train together, as the solver sees them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar

import numpy as np

from ir.errors import RoasteryError

from ..memory.buffers import Buffer, Memory

T = TypeVar("T")


class LostRanks(RoasteryError):
    """Another rank has ended, or cannot be reached any more."""


class Ranks(Protocol):
    """Processes that run the same program on other records, numbered from 0.

    What is called here all of them call, in the same order; each call waits for the others. Where
    one of them ends, those that wait for it raise :class:`LostRanks`.

    Attributes:
        rank: the number of this one.
        count: how many there are.
    """

    @property
    def rank(self) -> int: ...

    @property
    def count(self) -> int: ...

    def share(self, memory: Memory) -> None:
        """Parts of a block of memory, of one size on all ranks, will be averaged again and again.
        It has to live as long as this does."""
        ...

    def average_later(self, buffer: Buffer, done: Callable[[], None] | None = None) -> None:
        """Begin to replace each element by its mean over all ranks: their sum, then divided.

        Args:
            done: called when they are summed up, on any thread, as far as that can be told.
        """
        ...

    def finish_averages(self) -> None:
        """Wait for all that was begun to be averaged. On a device that runs beside the host it
        holds up the work that is queued afterwards, and not the host."""
        ...

    def highest_later(self, number: int) -> Callable[[], int]:
        """Begin to find the largest of the numbers of all ranks."""
        ...

    def average(self, array: np.ndarray) -> np.ndarray:
        """The mean over all ranks of each element, in a new array.

        These calls have an order of their own: between them and others there need not be the same
        one on all ranks, as plans put them where they like.
        """
        ...

    def mean(self, numbers: Sequence[float]) -> list[float]:
        """The mean over all ranks of each number."""
        ...

    def from_first(self, value: T) -> T:
        """What rank 0 has for a value."""
        ...

    def gathered(self, value: T) -> list[T]:
        """What each rank has for a value, by their numbers."""
        ...

    def copy_first(self, buffers: Iterable[Buffer]) -> None:
        """Fill buffers with what those of rank 0 hold."""
        ...


class Alone:
    """One process, which has nobody to wait for."""

    rank = 0
    count = 1

    def share(self, memory: Memory) -> None:
        """There is nobody to share it with."""

    def average_later(self, buffer: Buffer, done: Callable[[], None] | None = None) -> None:
        """It is the mean of one."""

    def finish_averages(self) -> None:
        """There is nothing to wait for."""

    def highest_later(self, number: int) -> Callable[[], int]:
        return lambda: number

    def average(self, array: np.ndarray) -> np.ndarray:
        return array.copy()

    def mean(self, numbers: Sequence[float]) -> list[float]:
        return list(numbers)

    def from_first(self, value: T) -> T:
        return value

    def gathered(self, value: T) -> list[T]:
        return [value]

    def copy_first(self, buffers: Iterable[Buffer]) -> None:
        """There is nothing to copy."""


ALONE = Alone()
