"""Averages of memory that all ranks of one machine see: nothing of it is sent.

A rank tells the others that it has written a part. When all have, each averages its share of the
part, for all of them: it reads the others' memory, and writes the mean to everybody's. When all
have told that they did so, the mean is there. So a rank reads and writes a part's bytes twice,
whatever the number of ranks; sockets would copy them several times more, in threads that take the
processors from the passes. (NCCL and MPI do alike between processes of a machine. The shares are
those of Rabenseifner's algorithm: Thakur et al., "Optimization of Collective Communication
Operations in MPICH", 2005, section 4.5.)
"""

from __future__ import annotations

import contextlib
import os
import select
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..memory.buffers import PADDING, Buffer, Memory
from ..memory.shared import MemoryAddress, SharedMemory, mapped
from .semaphores import ROOM, Semaphores

_AT_ONCE = 1 << 14
"""Elements that are averaged at once, which stay in a processor's cache meanwhile."""

_LOOK = 0.1
_REMARK = 60.0
"""Seconds between looks at whether those still live for whom this rank waits; after which it says
for whom, and then after twice as many."""

_WRITTEN, _AVERAGED, _NUMBER = range(3)
"""What ranks tell each other: each in an order of its own."""
_KINDS = 3

_SLOTS = 2
"""Numbers of a rank: the one that others may still read, and the next."""

Gathered = Callable[[Any], list[Any]]
"""Gives what each rank has for a value."""


class Ended(OSError):
    """A rank has ended, or does not answer."""


class OneMachine:
    """All ranks, as one of them sees them. All of them call all of this, in the same order.

    Args:
        table: what they tell each other by.
        processes: of the ranks, by number.
        patience: seconds after which one that does not answer counts as lost.
        tell: hears for whom this rank waits, if it waits long.

    Raises:
        OSError: this system cannot watch processes.
    """

    def __init__(
        self,
        table: _Table,
        rank: int,
        processes: Sequence[int],
        patience: float,
        tell: Callable[[str], None],
    ) -> None:
        if not hasattr(os, "pidfd_open"):
            raise OSError("this system does not tell when a process has ended")
        self._table = table
        self._turn = 0  # which of the numbers is next
        self._rank = rank
        self._count = len(processes)
        self._processes = processes
        self._others = [other for other in range(self._count) if other != rank]
        self._living = select.poll()
        self._watched: dict[int, int] = {}
        for other in self._others:
            file = os.pidfd_open(processes[other])
            weakref.finalize(self, os.close, file)
            self._living.register(file, select.POLLIN)
            self._watched[file] = other
        self._missing: list[set[int]] = [set(self._others) for _ in range(_KINDS)]
        self._patience = patience
        self._tell = tell
        self._blocks: dict[Memory, list[np.ndarray]] = {}
        self._begun: deque[_Part] = deque()
        self._finished = True
        self._remark = _REMARK

    @classmethod
    def meet(
        cls,
        rank: int,
        gathered: Gathered,
        patience: float,
        tell: Callable[[str], None],
        *,
        wanted: bool = True,
    ) -> OneMachine | None:
        """All ranks, if they are on one machine, and all want it; see above."""
        memory: SharedMemory | None = None
        table: _Table | None = None
        count = len(gathered(None))
        with contextlib.suppress(OSError):
            if rank == 0:
                made = SharedMemory(_Table.bytes(count))
                table, memory = _Table(made.raw, count, fresh=True), made
        addresses = gathered((os.getpid(), memory.address if memory is not None else None))
        found: OneMachine | None = None
        with contextlib.suppress(OSError):
            if wanted:
                table = table or _Table(_of(addresses[0][1]), count)
                found = cls(table, rank, [process for process, _ in addresses], patience, tell)
        return found if all(gathered(found is not None)) else None

    def share(self, memory: Memory, gathered: Gathered) -> None:
        """See each other's blocks, of which this is one's own, where all can be seen."""
        own = memory.address if isinstance(memory, SharedMemory) else None
        addresses: list[MemoryAddress | None] = gathered(own)
        blocks: list[np.ndarray] = []
        with contextlib.suppress(OSError):
            blocks += [
                memory.raw if number == self._rank else _of(address)
                for number, address in enumerate(addresses)
            ]
        alike = len(blocks) == self._count and len({block.nbytes for block in blocks}) == 1
        if all(gathered(alike)):
            self._blocks[memory] = [block.view(np.float32) for block in blocks]

    def sees(self, memory: Memory) -> bool:
        """Whether all see each other's blocks, of which this is one's own."""
        return memory in self._blocks

    def average_later(self, buffer: Buffer, done: Callable[[], None] | None = None) -> None:
        """Begin to replace each element by its mean over all ranks."""
        lines = buffer.capacity // PADDING
        first, last = (lines * n // self._count * PADDING for n in (self._rank, self._rank + 1))
        share = slice(buffer.start + first, buffer.start + last)
        parts = [block[share] for block in self._blocks[buffer.memory]]
        self._post(_WRITTEN)
        self._begun.append(_Part(parts, done))
        self._finished = False
        while self._begun and self._all_told(_WRITTEN):
            self._average()

    def finish_averages(self) -> None:
        """Wait for all that was begun to be averaged. Raises Ended."""
        while self._begun:
            self._wait(_WRITTEN)
            self._average()
        if not self._finished:
            self._finished = True
            self._post(_AVERAGED)
            self._wait(_AVERAGED)

    def highest_later(self, number: int) -> Callable[[], int]:
        """Begin to find the largest of the numbers of all ranks; one at a time."""
        numbers = self._table.numbers[self._turn]
        self._turn = (self._turn + 1) % _SLOTS
        numbers[self._rank] = number
        self._post(_NUMBER)

        def read() -> int:
            self._wait(_NUMBER)
            return int(numbers.max())

        return read

    def _average(self) -> None:
        part = self._begun.popleft()
        average_arrays(part.shares)
        if part.done is not None:
            part.done()

    def _post(self, kind: int) -> None:
        for other in self._others:
            self._table.semaphores.post(self._table.place(kind, self._rank, other))

    def _all_told(self, kind: int, seconds: float = 0.0) -> bool:
        """Whether all others have told something once more, for one of them at most so long."""
        missing = self._missing[kind]
        for other in sorted(missing):
            if self._table.semaphores.take(self._table.place(kind, other, self._rank), seconds):
                missing.remove(other)
            else:
                seconds = 0.0
        if missing:
            return False
        missing.update(self._others)
        return True

    def _wait(self, kind: int) -> None:
        start = time.monotonic()
        while not self._all_told(kind, _LOOK):
            ended = {self._watched[file] for file, _ in self._living.poll(0)}
            if self._all_told(kind):  # before it ended
                return
            waited = time.monotonic() - start
            for other in sorted(self._missing[kind]):
                if other in ended:
                    raise Ended(f"rank {other} has ended")
                who = f"rank {other} (process {self._processes[other]})"
                if waited > self._patience:
                    raise Ended(f"{who} has not answered for {waited:.0f} s")
                if waited > self._remark:
                    self._tell(f"rank {self._rank} has waited {waited:.0f} s for {who}")
                    self._remark *= 2


@dataclass(frozen=True)
class _Part:
    """A part of all blocks that ranks average: this one's share of each, and what is called when
    that is done."""

    shares: Sequence[np.ndarray]
    done: Callable[[], None] | None


class _Table:
    """What ranks tell each other by: semaphores, one for each of them, from each of them, of each
    kind, and a few numbers of each.

    Args:
        memory: so many :meth:`bytes`, which all see.
        fresh: nobody has used it before.
    """

    def __init__(self, memory: np.ndarray, count: int, *, fresh: bool = False) -> None:
        split = _KINDS * count * count * ROOM
        self._count = count
        self.semaphores = Semaphores(memory[:split], fresh=fresh)
        self.numbers = memory[split:].view(np.int64).reshape(_SLOTS, count)

    @staticmethod
    def bytes(count: int) -> int:
        return _KINDS * count * count * ROOM + _SLOTS * count * 8

    def place(self, kind: int, teller: int, told: int) -> int:
        return (kind * self._count + teller) * self._count + told


def average_arrays(parts: Sequence[np.ndarray]) -> None:
    """Replace the elements of two or more float32 arrays of one size by their means: the sum in
    the order of the arrays, then divided."""
    first, second, *others = parts
    scale = np.float32(1.0 / len(parts))
    sums = np.empty(min(_AT_ONCE, first.size), np.float32)
    for start in range(0, first.size, _AT_ONCE):
        stop = min(start + _AT_ONCE, first.size)
        total = sums[: stop - start]
        np.add(first[start:stop], second[start:stop], out=total)
        for other in others:
            total += other[start:stop]
        total *= scale
        for part in parts:
            part[start:stop] = total


def _of(address: MemoryAddress | None) -> np.ndarray:
    if address is None:
        raise OSError("it is nobody else's to see")
    return mapped(address)
