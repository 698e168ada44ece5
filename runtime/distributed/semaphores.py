"""Semaphores in memory that several processes see: sem_overview(7), "unnamed semaphores".

What a process wrote before it posts one is seen by who has taken it then, on all processors (POSIX,
"Memory Synchronization"), and who waits for one sleeps.
"""

from __future__ import annotations

import ctypes
import errno
import time

import numpy as np

ROOM = 64
"""Bytes of a semaphore: a line of caches, which is more than any system's sem_t has."""


class _TimeSpec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class Semaphores:
    """So many as there is room for, numbered from 0.

    Args:
        memory: bytes, which stay where they are.
        fresh: they are made now, and count 0; else somebody else has made them.

    Raises:
        OSError: this system has none.
    """

    def __init__(self, memory: np.ndarray, *, fresh: bool = False) -> None:
        self._memory = memory
        self._first = memory.ctypes.data
        self._libc = ctypes.CDLL(None, use_errno=True)
        for name in ("sem_init", "sem_post", "sem_trywait", "sem_timedwait"):
            if not hasattr(self._libc, name):
                raise OSError(f"this system has no {name}")
        for number in range(memory.nbytes // ROOM if fresh else 0):
            self._call("sem_init", number, ctypes.c_int(1), ctypes.c_uint(0))

    def post(self, number: int) -> None:
        """Let one that takes it go on."""
        self._call("sem_post", number)

    def take(self, number: int, seconds: float = 0.0) -> bool:
        """Take it as soon as somebody has posted it; whether that was within some seconds.

        A signal may make it return before these are over.
        """
        if not seconds:
            return self._call("sem_trywait", number, allowed=(errno.EAGAIN, errno.EINTR))
        end = time.time() + seconds
        until = _TimeSpec(int(end), int(end % 1 * 1e9))
        return self._call(
            "sem_timedwait",
            number,
            ctypes.byref(until),
            allowed=(errno.ETIMEDOUT, errno.EINTR),
        )

    def _call(self, name: str, number: int, *more: object, allowed: tuple[int, ...] = ()) -> bool:
        """Whether a call was successful, or failed in an expected way."""
        place = ctypes.c_void_p(self._first + number * ROOM)
        if not getattr(self._libc, name)(place, *more):
            return True
        if (code := ctypes.get_errno()) not in allowed:
            raise OSError(code, f"{name}: {errno.errorcode.get(code, '')}")
        return False
