"""Parts of memory whose content can be had again, so that they need not stay.

Parameters of a frozen net are read once; what was computed of them is all that later passes read.
"""

from __future__ import annotations

import ctypes
import functools
import mmap
import sys
import threading
from collections.abc import Callable, Collection
from typing import Protocol

import numpy as np

from .ranges import Range


class Origin(Protocol):
    """Where the content of a tensor came from."""

    def read_into(self, target: np.ndarray) -> None:
        """Fill consecutive bytes with it; RoasteryError where it is not there any more."""
        ...


class Origins:
    """Those of the parts of one block of memory, by ranges of bytes that do not overlap.

    Attributes:
        lock: held by whoever looks at loans and gives memory back, or takes a loan.
    """

    def __init__(self, raw: np.ndarray) -> None:
        self.lock = threading.RLock()
        self._raw = raw
        self._known: dict[Range, Origin] = {}
        self._away: set[Range] = set()

    @property
    def nbytes_away(self) -> int:
        """Bytes that are not there now."""
        return sum(stop - start for start, stop in self._away)

    def know(self, part: Range, origin: Origin) -> None:
        """What is in a range now could be read again."""
        with self.lock:
            self._known[part] = origin

    def give_back(self, part: Range, lent: Callable[[Range], bool]) -> None:
        """Let the system have the pages of a range, unless nobody knows where to get its content
        or somebody holds a view of it (``lent``)."""
        if part not in self._known or part in self._away:
            return
        address, page = self._raw.ctypes.data, mmap.PAGESIZE
        begin = -(-(address + part[0]) // page) * page
        end = (address + part[1]) // page * page
        if begin < end and not lent(part) and _give_back_pages()(begin, end - begin):
            self._away.add(part)

    def bring_back(self, part: Range, *, written: bool) -> None:
        """Have the content of a range there. ``written``: it may be another one from now on.

        Raises RoasteryError where it cannot be read any more.
        """
        for away in _overlapping(part, self._away):
            self._known[away].read_into(self._raw[slice(*away)])
            self._away.discard(away)
        if written:
            for known in _overlapping(part, self._known):
                del self._known[known]


def overlap(a: Range, b: Range) -> bool:
    """Whether two ranges have something in common."""
    return a[0] < b[1] and b[0] < a[1]


def _overlapping(part: Range, others: Collection[Range]) -> list[Range]:
    return [other for other in others if overlap(part, other)]


@functools.cache
def _give_back_pages() -> Callable[[int, int], bool]:
    """Gives pages back, if the system can: address, bytes -> whether they are gone."""
    if sys.platform != "linux":
        return lambda address, nbytes: False
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)

    def give_back(address: int, nbytes: int) -> bool:
        madvise(address, nbytes, mmap.MADV_NOHUGEPAGE)  # else Linux may fill it again, by zeros
        return madvise(address, nbytes, mmap.MADV_DONTNEED) == 0

    return give_back
