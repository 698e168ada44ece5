"""Averages of memory that ranks see together: threads are the ranks, or processes that end."""

from __future__ import annotations

import itertools
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ir.types import TensorType
from runtime.distributed import one_machine
from runtime.distributed.one_machine import Ended, OneMachine
from runtime.distributed.semaphores import ROOM, Semaphores
from runtime.memory.buffers import PADDING, Buffer, Memory
from runtime.memory.shared import SharedMemory, mapped

pytestmark = pytest.mark.skipif(
    not hasattr(os, "memfd_create"), reason="this system has no files without a name"
)

PATIENCE = 60.0


class Hall:
    """Where threads hand each other what each has."""

    def __init__(self, count: int) -> None:
        self._barrier = threading.Barrier(count)
        self._values: list[Any] = [None] * count

    def gathered(self, rank: int) -> Callable[[Any], list[Any]]:
        def gather(value: Any) -> list[Any]:
            self._values[rank] = value
            self._barrier.wait(PATIENCE)
            found = list(self._values)
            self._barrier.wait(PATIENCE)
            return found

        return gather


def by_all(count: int, do: Callable[[int, OneMachine | None, Hall], Any], **met: Any) -> list[Any]:
    """What each rank's thread returns, who has met the others."""
    hall = Hall(count)

    def run(rank: int) -> Any:
        words = {name: value[rank] for name, value in met.items()}
        machine = OneMachine.meet(rank, hall.gathered(rank), PATIENCE, lambda _: None, **words)
        return do(rank, machine, hall)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def test_semaphores() -> None:
    memory = np.zeros(3 * ROOM, np.uint8)
    mine, others = Semaphores(memory, fresh=True), Semaphores(memory)
    mine.post(1)
    mine.post(1)
    assert not others.take(0) and not others.take(2)
    assert others.take(1) and others.take(1, 5.0) and not others.take(1)
    began = time.monotonic()
    assert not others.take(1, 0.05)
    assert 0.03 < time.monotonic() - began < 5
    with ThreadPoolExecutor(1) as pool:
        taken = pool.submit(others.take, 2, 20.0)
        mine.post(2)
        assert taken.result()


def sizes() -> Iterator[tuple[int, int]]:
    """Elements of buffers, and where these begin: of no lines for some ranks, of one, of many."""
    start = 0
    for lines in (1, 2, 5, 64, 4097):
        yield lines * PADDING, start
        start += lines * PADDING


@pytest.mark.parametrize("count", [2, 3, 5])
def test_averages(count: int) -> None:
    """Of two blocks, over and over, however fast each rank is: all have the same bits."""
    whole = sum(size for size, _ in sizes())
    draw = np.random.default_rng(count)
    values = draw.standard_normal((3, 2, count, whole)).astype(np.float32)

    def train(rank: int, machine: OneMachine | None, hall: Hall) -> list[np.ndarray]:
        assert machine is not None
        slow, found = random.Random(rank), []
        memories = [SharedMemory(whole * 4) for _ in range(2)]
        for memory in memories:
            machine.share(memory, hall.gathered(rank))
            assert machine.sees(memory)
        blocks = [Buffer(TensorType((whole,)), memory) for memory in memories]
        called: list[int] = []
        for turn in range(len(values)):
            for (size, start), (number, block) in itertools.product(sizes(), enumerate(blocks)):
                part = block.part(start, TensorType((size,)))
                part.array[...] = values[turn, number, rank, start : start + size]
                time.sleep(slow.choice((0, 0, 0.003)))
                machine.average_later(part, lambda: called.append(1))
            machine.finish_averages()
            found += [block.peek().copy() for block in blocks]
        assert len(called) == len(values) * 2 * len(list(sizes()))
        return found

    every = by_all(count, train)
    expected = values.astype(np.float64).mean(2).reshape(-1, whole)
    np.testing.assert_allclose(np.stack(every[0]), expected, atol=1e-6)
    for other in every[1:]:
        np.testing.assert_array_equal(np.stack(other), np.stack(every[0]))


def test_the_highest_number() -> None:
    numbers = np.random.default_rng(0).integers(-5, 5, (50, 3))

    def ask(rank: int, machine: OneMachine | None, hall: Hall) -> list[int]:
        assert machine is not None
        slow, found = random.Random(rank), []
        for row in numbers:
            read = machine.highest_later(int(row[rank]))
            time.sleep(slow.choice((0, 0, 0.002)))
            found.append(read())
        return found

    expected = numbers.max(1).tolist()
    assert by_all(3, ask) == [expected] * 3


def test_memory_of_ones_own_is_not_shared() -> None:
    def share(rank: int, machine: OneMachine | None, hall: Hall) -> bool:
        assert machine is not None
        memory = SharedMemory(64) if rank else Memory(64)
        machine.share(memory, hall.gathered(rank))
        return machine.sees(memory)

    assert by_all(2, share) == [False, False]


def test_memory_of_different_sizes_is_not_shared() -> None:
    def share(rank: int, machine: OneMachine | None, hall: Hall) -> bool:
        assert machine is not None
        memory = SharedMemory(64 + 64 * rank)
        machine.share(memory, hall.gathered(rank))
        return machine.sees(memory)

    assert by_all(2, share) == [False, False]


def test_a_system_that_cannot_watch_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pythons built for old systems lack it."""
    monkeypatch.delattr(os, "pidfd_open")
    assert by_all(2, lambda rank, machine, hall: machine) == [None, None]


def test_one_that_does_not_want_it() -> None:
    assert by_all(2, lambda rank, machine, hall: machine, wanted=[True, False]) == [None, None]


def test_memory_that_is_not_there() -> None:
    memory = SharedMemory(100)
    memory.raw[:] = 7
    np.testing.assert_array_equal(mapped(memory.address), memory.raw)
    seen = mapped(memory.address)
    seen[3] = 9
    assert memory.raw[3] == 9
    with open("/dev/null", "rb") as other:
        for wrong in (
            replace(memory.address, machine="another"),
            replace(memory.address, name="roastery-0"),
            replace(memory.address, nbytes=99),
            replace(memory.address, file=other.fileno()),
            replace(memory.address, process=gone()),
        ):
            with pytest.raises(OSError):
                mapped(wrong)
    file = Path(f"/proc/self/fd/{memory.address.file}")
    assert file.exists()
    del memory
    assert not file.exists() or "roastery" not in os.readlink(file)
    assert seen[3] == 9, "who has mapped it keeps it"


def gone() -> int:
    """The number of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    return process.pid


def test_one_that_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its last word counts; then the others hear that it has ended, after they said that they
    wait."""
    monkeypatch.setattr(one_machine, "_REMARK", 0.2)
    word = "import sys; sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", word], stdin=subprocess.PIPE) as process:
        table = one_machine._Table(np.zeros(one_machine._Table.bytes(2), np.uint8), 2, fresh=True)
        said: list[str] = []
        machine = OneMachine(table, 0, [os.getpid(), process.pid], PATIENCE, said.append)
        read = machine.highest_later(3)
        waits = threading.Thread(target=lambda: said.append(str(read())))
        waits.start()
        while not said:
            time.sleep(0.01)
        table.numbers[0, 1] = 8
        table.semaphores.post(table.place(one_machine._NUMBER, 1, 0))
        assert process.stdin
        process.stdin.close()
        process.wait()
        waits.join()
        assert said[0].startswith("rank 0 has waited 0 s for rank 1 (process ")
        assert said[1:] == ["8"]
        with pytest.raises(Ended, match="rank 1 has ended"):
            machine.highest_later(3)()


def test_one_that_does_not_answer() -> None:
    table = one_machine._Table(np.zeros(one_machine._Table.bytes(2), np.uint8), 2, fresh=True)
    machine = OneMachine(table, 1, [os.getpid()] * 2, 0.1, lambda _: None)
    with pytest.raises(Ended, match=r"rank 0 \(process \d+\) has not answered for 0 s"):
        machine.highest_later(0)()
