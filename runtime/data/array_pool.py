"""Batches reuse the memory of batches that nobody holds any more.

A fresh batch of 64 crops has 40 MB, which the system must find and clear page by page;
that takes about as long as transforming raw records into it.
"""

from __future__ import annotations

import math
import weakref
from collections import deque
from collections.abc import Callable

import numpy as np

from .source import Shape

_MOST_SIZES = 16
_SMALL = 1 << 16


class ArrayPool:
    """Allocates float32 arrays whose memory returns when the last view of it is gone.

    Views count: an array is leased over a memoryview, and numpy lets every view of it,
    and view of a view, refer to the lease itself, whose end can be observed.
    """

    def __init__(self, keep: int, create: Callable[[Shape], np.ndarray] | None = None) -> None:
        """``keep``: how many arrays of a size wait for reuse at most. ``create`` makes new ones,
        on any thread; unless given, numpy does."""
        self._keep = keep
        self._create = create or _new
        self._free: dict[int, deque[np.ndarray]] = {}

    def allocate(self, shape: Shape) -> np.ndarray:
        """An uninitialised array. May be called on any thread."""
        count = math.prod(shape)
        if not count:
            return self._create(shape)
        size = _roomy(count)
        shelf = self._free.get(size)
        if shelf is None:
            if len(self._free) >= _MOST_SIZES:  # pictures of many sizes: begin anew
                self._free = {}
            shelf = self._free.setdefault(size, deque(maxlen=self._keep))
        try:
            memory = shelf.pop()
        except IndexError:
            memory = self._create((size,))
        lease = np.frombuffer(memory.data.cast("B"), np.float32, count)
        weakref.finalize(lease, shelf.append, memory).atexit = False
        return lease.reshape(shape)


def _roomy(count: int) -> int:
    """Values to make room for. Few sizes serve all small arrays: every batch of pictures with boxes
    has a label of its own size, and none of them shall push its pictures out."""
    return 1 << max(8, (count - 1).bit_length()) if count < _SMALL else count


def _new(shape: Shape) -> np.ndarray:
    return np.empty(shape, np.float32)
