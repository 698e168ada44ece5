"""Reductions of device memory by NCCL, in order with what the executor queues."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..cuda.executor.device_copy import CudaCopy
from ..memory.buffers import Buffer


class _DeviceArray:
    """Device memory as torch takes it, which copies nothing.

    https://numba.readthedocs.io/en/stable/cuda/cuda_array_interface.html
    """

    def __init__(self, address: int, size: int) -> None:
        self.__cuda_array_interface__ = {
            "data": (address, False),
            "shape": (size,),
            "typestr": "<f4",
            "version": 3,
        }


def average_later(buffer: Buffer) -> Callable[[], None]:
    """Begin to average a buffer behind all work that is queued so far; what is queued after the
    result was called comes behind that."""
    import torch
    import torch.distributed as group

    copy = buffer.memory.device_copy
    assert isinstance(copy, CudaCopy), "it is on a GPU"
    session = copy.session
    start, _ = buffer.span
    device = torch.device("cuda", session.device.properties.index)
    stream: Any = torch.cuda.ExternalStream(session.compute.handle.value, device=device)
    tensor = torch.as_tensor(_DeviceArray(copy.address + start, buffer.capacity), device=device)
    with torch.cuda.stream(stream):
        work = group.all_reduce(tensor, group.ReduceOp.AVG, async_op=True)

    def wait() -> None:
        with torch.cuda.stream(stream):
            work.wait()
        if copy.device_written():
            session.synchronize()

    return wait
