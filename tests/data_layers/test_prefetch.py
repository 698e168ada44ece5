"""Reading ahead: the same batches for any number of threads, and a clean end."""

from __future__ import annotations

import contextlib
import gc
import itertools
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest
from every_source import make_data, open_kind, same

from runtime.data.array_pool import ArrayPool
from runtime.data.config import OpenOptions, SourceConfig
from runtime.data.planned import Allocate, PlannedSource
from runtime.data.prefetch import Prefetcher, read_ahead
from runtime.data.source import Position, Shape

ROOT = Path(__file__).parents[2]


class _Config(SourceConfig):
    kind = "Counting"

    def open(self, options: OpenOptions) -> Counting:
        return Counting()


class Counting(PlannedSource[int]):
    """Batch number n is [n]; loading may be made slow or fail."""

    def __init__(self, delay: float = 0.0, bad: int = -1, bad_plan: int = -1) -> None:
        super().__init__(_Config(tops=("n",), layer="count"), OpenOptions())
        self.delay, self.bad, self.bad_plan = delay, bad, bad_plan
        self.number = 0
        self.closed = 0
        self.in_plan = 0

    def plan_work(self) -> int:
        self.in_plan += 1
        assert self.in_plan == 1, "two threads plan at once"
        time.sleep(0.0005)
        self.in_plan -= 1
        self.number += 1
        if self.number - 1 == self.bad_plan:
            raise RuntimeError(f"cannot plan {self.bad_plan}")
        return self.number - 1

    def next_shapes(self) -> list[Shape]:
        return [(1,)]

    def load(self, work: int, allocate: Allocate) -> list[np.ndarray]:
        time.sleep(self.delay * (2 if work % 3 == 0 else 1))
        if work == self.bad:
            raise RuntimeError(f"cannot load {work}")
        out = allocate((1,))
        out[0] = work
        return [out]

    def place_now(self) -> Position:
        return {"number": self.number}

    def move_to(self, position: Mapping[str, Any]) -> None:
        self.number = position["number"]

    def close(self) -> None:
        self.closed += 1


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_data(tmp_path_factory.mktemp("sources"))


@pytest.mark.parametrize(
    "kind", ["lmdb", "lmdb_encoded", "images_shuffled", "hdf5_shuffled", "windows", "leveldb"]
)
def test_thread_counts_give_the_same_batches(kind: str, folder: Path) -> None:
    plain = open_kind(kind, folder)
    wanted = [plain.next() for _ in range(12)]
    plain.close()
    for threads in (1, 4):
        with Prefetcher(
            open_kind(kind, folder),
            depth=6,  # type: ignore[arg-type]
            threads=threads,
        ) as prefetcher:
            for batch in wanted:
                found = prefetcher.next()
                assert same(found.arrays, batch.arrays) and found.position == batch.position


def test_order_holds_when_loading_takes_uneven_time() -> None:
    with Prefetcher(Counting(0.002), 8, 4) as prefetcher:
        assert [int(prefetcher.next().arrays[0][0]) for _ in range(60)] == list(range(60))


def test_never_more_than_depth_ahead() -> None:
    source = Counting()
    with Prefetcher(source, 3, 4) as prefetcher:
        for taken in range(1, 5):
            prefetcher.next()
            time.sleep(0.03)
            assert source.number == taken + 3


def test_waiting_is_measured() -> None:
    with Prefetcher(Counting(0.03), 2, 1) as slow:
        slow.next()
        slow.next()
        assert slow.wait_seconds > 0.04
        time.sleep(0.2)
        before = slow.wait_seconds
        slow.next()
        assert slow.wait_seconds == before


@pytest.mark.parametrize("source", [Counting(bad=3), Counting(bad_plan=3)])
def test_errors_come_in_their_place_and_stay(source: Counting) -> None:
    with Prefetcher(source, 4, 3) as prefetcher:
        assert [int(prefetcher.next().arrays[0][0]) for _ in range(3)] == [0, 1, 2]
        for _ in range(2):
            with pytest.raises(RuntimeError, match="3"):
                prefetcher.next()
        with pytest.raises(RuntimeError, match="3"):
            prefetcher.shapes()
        assert prefetcher.position()["number"] == 3
        prefetcher.restore({"kind": "Counting", "number": 5})
        assert int(prefetcher.next().arrays[0][0]) == 5


class Interrupted(BaseException):
    """What a signal's handler raises."""


@contextlib.contextmanager
def interrupted(number: int) -> Iterator[None]:
    """Raises where a function that is called on this thread begins: the one with this number."""
    calls = itertools.count()

    def trace(frame: FrameType, event: str, argument: object) -> None:
        if next(calls) == number:
            raise Interrupted

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


@pytest.mark.parametrize("number", range(1, 40))
def test_an_interrupted_reader_holds_nobody_up(number: int) -> None:
    """Handlers of signals run where functions begin; no lock stays behind, which workers want."""
    source = Counting(0.001)
    prefetcher = Prefetcher(source, 2, 2)
    with contextlib.suppress(Interrupted), interrupted(number):
        for _ in range(4):
            prefetcher.next()
    closing = threading.Thread(target=prefetcher.close, daemon=True)
    closing.start()
    closing.join(5)
    assert source.closed == 1


def test_failed_restore_leaves_it_working() -> None:
    with Prefetcher(Counting(), 2, 2) as prefetcher:
        prefetcher.next()
        with pytest.raises(Exception, match="belongs to a Other"):
            prefetcher.restore({"kind": "Other"})
        assert int(prefetcher.next().arrays[0][0]) == 1


def test_allocator_is_used() -> None:
    shapes: list[Shape] = []

    def allocate(shape: Shape) -> np.ndarray:
        shapes.append(shape)
        return np.empty(shape, np.float32)

    source = read_ahead(Counting(), depth=2, allocate=allocate)
    source.next()
    source.close()
    assert shapes and set(shapes) == {(1,)}


def test_close_ends_threads_and_the_source() -> None:
    source = Counting(0.01)
    prefetcher = Prefetcher(source, 4, 3)
    prefetcher.next()
    names = {thread.name for thread in threading.enumerate()}
    assert {"data-count-0", "data-count-1", "data-count-2"} <= names
    prefetcher.close()
    prefetcher.close()
    assert source.closed == 1
    assert not any(thread.name.startswith("data-count") for thread in threading.enumerate())
    with pytest.raises(ValueError, match="closed"):
        prefetcher.next()


def test_dropping_it_ends_the_threads() -> None:
    source = Counting()
    prefetcher = Prefetcher(source, 2, 2)
    prefetcher.next()
    del prefetcher
    gc.collect()
    assert source.closed == 1


@pytest.mark.parametrize(
    "ending",
    [
        "pass",
        "raise SystemExit(0)",
        "import os, signal; os.kill(os.getpid(), signal.SIGINT); prefetcher.next()",
    ],
)
def test_interpreter_ends_without_close(ending: str, folder: Path) -> None:
    program = (
        "import sys; sys.path[:0] = sys.argv[1:3]\n"
        "from pathlib import Path\n"
        "from every_source import open_kind\n"
        "from runtime.data.prefetch import Prefetcher\n"
        "prefetcher = Prefetcher(open_kind('lmdb_encoded', Path(sys.argv[3])), 4, 3)\n"
        "prefetcher.next()\n"
        f"{ending}\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(ROOT), str(Path(__file__).parent), str(folder)],
        timeout=60,
        capture_output=True,
        text=True,
        check=False,
    )
    if "SIGINT" in ending:
        assert done.returncode != 0
        assert done.stderr.rstrip().endswith("KeyboardInterrupt")
    else:
        assert (done.returncode, done.stderr) == (0, "")


def test_memory_is_reused_only_when_no_view_is_left() -> None:
    pool = ArrayPool(keep=2)
    first = pool.allocate((3, 4))
    assert first.shape == (3, 4) and first.dtype == np.float32 and first.flags.c_contiguous
    address = first.ctypes.data
    row = first[1:].reshape(-1)[2:]
    del first
    gc.collect()
    second = pool.allocate((3, 4))
    assert second.ctypes.data != address
    del row
    assert pool.allocate((3, 4)).ctypes.data == address
    assert pool.allocate((4, 3)).shape == (4, 3)
    assert pool.allocate((0, 3)).shape == (0, 3)


def test_labels_of_many_sizes_push_no_pictures_out() -> None:
    made: list[Shape] = []

    def create(shape: Shape) -> np.ndarray:
        made.append(shape)
        return np.empty(shape, np.float32)

    pool = ArrayPool(keep=2, create=create)
    for rows in range(1, 200):
        pictures, label = pool.allocate((2, 3, 200, 200)), pool.allocate((1, 1, rows, 8))
        assert label.shape == (1, 1, rows, 8) and pictures.shape == (2, 3, 200, 200)
        del pictures, label
    assert made.count((240_000,)) == 1 and len(made) < 6


def test_kept_batches_are_not_overwritten(folder: Path) -> None:
    with Prefetcher(open_kind("lmdb", folder), 2, 2) as prefetcher:  # type: ignore[arg-type]
        kept = [prefetcher.next().arrays[0] for _ in range(10)]
        copies = [array.copy() for array in kept]
        for _ in range(10):
            prefetcher.next()
        assert all(np.array_equal(a, b) for a, b in zip(kept, copies, strict=True))
        assert len({array.ctypes.data for array in kept}) == 10
