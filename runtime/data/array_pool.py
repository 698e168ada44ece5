"""Batches reuse the memory of batches that nobody holds any more.

A fresh batch of 64 crops has 40 MB, which the system must find and clear page by page;
that takes about as long as transforming raw records into it.
"""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable

import numpy as np

from .source import Shape

_MOST_SHAPES = 8


class ArrayPool:
    """Allocates float32 arrays whose memory returns when the last view of it is gone.

    Views count: an array is leased over a memoryview, and numpy lets every view of it,
    and view of a view, refer to the lease itself, whose end can be observed.
    """

    def __init__(self, keep: int, create: Callable[[Shape], np.ndarray] | None = None) -> None:
        """``keep``: how many arrays of a shape wait for reuse at most. ``create`` makes new ones,
        on any thread; unless given, numpy does."""
        self._keep = keep
        self._create = create or _new
        self._free: dict[Shape, deque[np.ndarray]] = {}

    def allocate(self, shape: Shape) -> np.ndarray:
        """An uninitialised array. May be called on any thread."""
        shelf = self._free.get(shape)
        if shelf is None:
            if len(self._free) >= _MOST_SHAPES:  # pictures of many sizes: begin anew
                self._free = {}
            shelf = self._free.setdefault(shape, deque(maxlen=self._keep))
        try:
            memory = shelf.pop()
        except IndexError:
            memory = self._create(shape)
        if not memory.size:
            return memory
        lease = np.frombuffer(memory.data.cast("B"), np.float32)
        weakref.finalize(lease, shelf.append, memory).atexit = False
        return lease.reshape(shape)


def _new(shape: Shape) -> np.ndarray:
    return np.empty(shape, np.float32)
