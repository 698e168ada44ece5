"""Ranks over torch.distributed: gloo for host memory, NCCL for GPUs."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np

from ir.errors import RoasteryError

from ..memory.buffers import Buffer, Memory
from .later_signals import later_signals
from .meeting import meet, strangers
from .one_machine import Ended, OneMachine
from .ranks import LostRanks

T = TypeVar("T")

_SHARE = "ROASTERY_SHARE_GRADIENTS"

_TIMEOUT = datetime.timedelta(hours=2)
"""After which a rank that does not answer counts as lost: tests that one rank runs for all may
take long, and one that has ended is noticed at once."""


_AGAIN = (
    "the rank that ended first says why; `torchrun --max-restarts=N` starts all of them again, "
    "from the newest snapshot"
)


class TorchRanks:
    """The default group of torch.distributed, which must be there: see :func:`join`.

    Args:
        lost: what to do when another rank is gone.
        tell: hears for whom this rank waits, if it waits long, as far as that can be told.

    Raises:
        LostRanks: from any call, where another rank is gone.
    """

    def __init__(self, lost: str = _AGAIN, tell: Callable[[str], None] = lambda _: None) -> None:
        import torch
        import torch.distributed

        self._hint = lost
        self._torch: Any = torch
        self._group: Any = torch.distributed
        self.rank = int(self._group.get_rank())
        self.count = int(self._group.get_world_size())
        self._apart: Any = None  # a group with an order of its own, see `average`
        self._begun: list[Callable[[], None]] = []  # waits for what is sent
        self._machine = OneMachine.meet(
            self.rank, self.gathered, _TIMEOUT.total_seconds(), tell, wanted=_shares_gradients()
        )

    def share(self, memory: Memory) -> None:
        if self._machine is not None:
            self._machine.share(memory, self.gathered)

    def average_later(self, buffer: Buffer, done: Callable[[], None] | None = None) -> None:
        with self._lost():
            if self._machine is not None and self._machine.sees(buffer.memory):
                self._machine.average_later(buffer, done)
            elif buffer.memory.device_copy is not None:
                from .on_gpu import average_later

                self._begun.append(average_later(buffer))
            else:
                self._begun.append(self._sent(buffer.flat, done))

    def _sent(self, flat: np.ndarray, done: Callable[[], None] | None) -> Callable[[], None]:
        work = self._group.all_reduce(self._torch.from_numpy(flat), async_op=True)
        if done is not None:
            work.get_future().add_done_callback(lambda _: done())

        def wait() -> None:
            work.wait()
            np.multiply(flat, np.float32(1.0 / self.count), out=flat)

        return wait

    def finish_averages(self) -> None:
        begun, self._begun = self._begun, []
        with self._lost():
            for wait in begun:
                wait()
            if self._machine is not None:
                self._machine.finish_averages()

    def highest_later(self, number: int) -> Callable[[], int]:
        if self._machine is not None:
            found = self._machine.highest_later(number)
        else:
            with self._lost():
                tensor = self._torch.tensor([number], dtype=self._torch.int64)
                work = self._group.all_reduce(tensor, self._group.ReduceOp.MAX, async_op=True)

            def found() -> int:
                work.wait()
                return int(tensor[0])

        def read() -> int:
            with self._lost():
                return found()

        return read

    def average(self, array: np.ndarray) -> np.ndarray:
        total = array.copy()
        with self._lost():
            if self._apart is None:
                self._apart = self._group.new_group(backend="gloo", timeout=_TIMEOUT)
            self._group.all_reduce(self._torch.from_numpy(total), group=self._apart)
        total /= self.count
        return total

    def mean(self, numbers: Sequence[float]) -> list[float]:
        with self._lost():
            tensor = self._torch.tensor(list(numbers), dtype=self._torch.float64)
            self._group.all_reduce(tensor)
            found: list[float] = (tensor / self.count).tolist()
        return found

    def from_first(self, value: T) -> T:
        boxed: list[Any] = [value]
        with self._lost():
            self._group.broadcast_object_list(boxed, src=0, device=self._torch.device("cpu"))
        found: T = boxed[0]
        return found

    def gathered(self, value: T) -> list[T]:
        found: list[Any] = [None] * self.count
        with self._lost():
            self._group.all_gather_object(found, value)
        return found

    def copy_first(self, buffers: Iterable[Buffer]) -> None:
        for buffer in buffers:
            array = buffer.array.reshape(-1) if self.rank else buffer.peek().reshape(-1).copy()
            with self._lost():
                bytes = self._torch.from_numpy(array.view(np.uint8))
                self._group.broadcast(bytes, src=0)

    def close(self) -> None:
        """Leave, when all are here: none of the others is at work any more."""
        with self._lost():
            self._group.barrier()
            self._group.destroy_process_group()

    @contextmanager
    def _lost(self) -> Iterator[None]:
        try:
            yield
        except (RuntimeError, Ended) as error:
            raise LostRanks(
                f"rank {self.rank} has lost the connection to the other ranks: "
                f"{str(error).splitlines()[0]:.200}",
                hint=self._hint,
            ) from error


def _shares_gradients() -> bool:
    """Whether ranks of one machine may average what they all see."""
    said = os.environ.get(_SHARE, "").strip()
    if said not in ("", "0", "1"):
        raise RoasteryError(f"{_SHARE}={said:.80}: must be 1 or 0")
    return said != "0"


def no_torch(error: ImportError) -> RoasteryError:
    """Why there are not several ranks."""
    return RoasteryError(
        f"several ranks need torch.distributed, and torch cannot be imported: {error}",
        hint="pip install 'roastery[distributed]', or pip install torch",
    )


def join(
    device: str,
    store: Any = None,
    rank: int = -1,
    count: int = -1,
    lost: str = _AGAIN,
    tell: Callable[[str], None] = lambda _: None,
) -> TorchRanks:
    """Meet the other ranks, as the environment says (torchrun sets it) or at a store.

    Args:
        device: what this rank runs on, "cuda:1" or a device in host memory.
        store: of torch.distributed, where ranks meet, with this one's number and how many come.
        lost: what to do when another rank is gone, for errors.
        tell: hears for whom this rank waits, if it waits long.

    Raises:
        RoasteryError: torch is not installed, or the others do not come.
    """
    try:
        with later_signals():
            import torch
            import torch.distributed as group
    except ImportError as error:
        raise no_torch(error) from error
    backend = "gloo"
    if device.startswith("cuda"):
        backend = "cpu:gloo,cuda:nccl"
        torch.cuda.set_device(torch.device(device if ":" in device else "cuda:0"))
    if store is None:
        store, rank, count = meet(_TIMEOUT, tell, os.environ)
    try:
        group.init_process_group(
            backend, store=store, rank=rank, world_size=count, timeout=_TIMEOUT
        )
    except (RuntimeError, ValueError) as error:
        raise strangers(str(error).splitlines()[0][:300]) from error
    return TorchRanks(lost, tell)
