"""Host memory that other processes of this machine can map.

On Linux it is a file without a name, which others open by the number of the process that has it
open (memfd_create(2), proc_pid_fd(5)). It lasts until the last of them has let go of it, however
they end.
"""

from __future__ import annotations

import mmap
import os
import secrets
import weakref
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .buffers import Memory


@dataclass(frozen=True)
class MemoryAddress:
    """Where the memory of a process is found by another one.

    Attributes:
        machine: of all processes that can find it; another boot or container has another one.
        process: that has it. file: the number that it has there.
        name: of the file. nbytes: its size.
    """

    machine: str
    process: int
    file: int
    name: str
    nbytes: int


class SharedMemory(Memory):
    """A zeroed, aligned block of host memory that :func:`mapped` finds.

    Raises:
        OSError: this system has none, or not so much.
    """

    __slots__ = ("address",)

    def __init__(self, nbytes: int) -> None:
        super().__init__(0)
        if not hasattr(os, "memfd_create"):
            raise OSError("this system has no files without a name")
        name = f"roastery-{secrets.token_hex(8)}"
        file = os.memfd_create(name)
        weakref.finalize(self, os.close, file)
        os.ftruncate(file, _size(nbytes))
        self.raw = _bytes(file, nbytes)
        self.address = MemoryAddress(_machine(), os.getpid(), file, name, nbytes)


def shareable(nbytes: int) -> Memory:
    """Memory that others can map, if this system has such; else plain memory."""
    try:
        return SharedMemory(nbytes)
    except OSError:
        return Memory(nbytes)


def mapped(address: MemoryAddress) -> np.ndarray:
    """The bytes of another process's memory, writable.

    Raises:
        OSError: there is no such memory here.
    """
    if address.machine != _machine():
        raise OSError("it is another machine's")
    path = f"/proc/{address.process}/fd/{address.file}"
    file = os.open(path, os.O_RDWR)
    try:
        # A process that has ended leaves its number to others.
        is_it = address.name in os.readlink(f"/proc/self/fd/{file}")
        if not is_it or os.fstat(file).st_size != _size(address.nbytes):
            raise OSError(f"{path} is another file")
        return _bytes(file, address.nbytes)
    finally:
        os.close(file)


def _size(nbytes: int) -> int:
    return max(nbytes, 1)


def _bytes(file: int, nbytes: int) -> np.ndarray:
    return np.frombuffer(mmap.mmap(file, _size(nbytes)), np.uint8, nbytes)


def _machine() -> str:
    """Names the processes that see each other's numbers."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"{boot} {os.stat('/proc/self/ns/pid').st_ino}"
