"""Arrays before which and behind which nothing may be touched: whoever does ends the process."""

from __future__ import annotations

import ctypes
import mmap

import numpy as np

_PAGE = mmap.PAGESIZE


def guarded(array: np.ndarray) -> np.ndarray:
    """A copy that ends where a page begins which nobody may read."""
    pages = max(1, -(-array.nbytes // _PAGE))
    area = mmap.mmap(-1, (pages + 2) * _PAGE)
    start = ctypes.addressof(ctypes.c_char.from_buffer(area))
    for page in (0, pages + 1):
        ctypes.CDLL(None).mprotect(ctypes.c_void_p(start + page * _PAGE), _PAGE, 0)
    copy = np.frombuffer(area, np.uint8, array.nbytes, (pages + 1) * _PAGE - array.nbytes)
    copy = copy.view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy
