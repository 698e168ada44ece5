"""Ranks over torch.distributed: gloo for host memory, NCCL for GPUs."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np

from ir.errors import RoasteryError

from ..memory.buffers import Buffer
from .meeting import meet, strangers
from .ranks import LostRanks, Wait

T = TypeVar("T")

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

    Raises:
        LostRanks: from any call, where another rank is gone.
    """

    def __init__(self, lost: str = _AGAIN) -> None:
        self._hint = lost
        import torch
        import torch.distributed

        self._torch: Any = torch
        self._group: Any = torch.distributed
        self.rank = int(self._group.get_rank())
        self.count = int(self._group.get_world_size())
        self._apart: Any = None  # a group with an order of its own, see `average`

    def average_later(self, buffer: Buffer, done: Callable[[], None] | None = None) -> Wait:
        if buffer.memory.device_copy is not None:
            from .on_gpu import average_later

            with self._lost():
                return average_later(buffer)
        flat = buffer.flat
        with self._lost():
            work = self._group.all_reduce(self._torch.from_numpy(flat), async_op=True)
        if done is not None:
            work.get_future().add_done_callback(lambda _: done())

        def wait() -> None:
            with self._lost():
                work.wait()
            np.multiply(flat, np.float32(1.0 / self.count), out=flat)

        return wait

    def highest_later(self, number: int) -> Callable[[], int]:
        with self._lost():
            tensor = self._torch.tensor([number], dtype=self._torch.int64)
            work = self._group.all_reduce(tensor, self._group.ReduceOp.MAX, async_op=True)

        def read() -> int:
            with self._lost():
                work.wait()
            return int(tensor[0])

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
        except RuntimeError as error:
            raise LostRanks(
                f"rank {self.rank} has lost the connection to the other ranks: "
                f"{str(error).splitlines()[0]:.200}",
                hint=self._hint,
            ) from error


def no_torch(error: ImportError) -> RoasteryError:
    """Why there are not several ranks."""
    return RoasteryError(
        f"several ranks need torch.distributed, and torch cannot be imported: {error}",
        hint="pip install 'roastery[distributed]'",
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
    return TorchRanks(lost)
