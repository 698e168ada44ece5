"""Memory that is freed is kept for the next request."""

from __future__ import annotations

import ctypes
import platform

_TRIM, _MMAP = -1, -3  # names of parameters in glibc's malloc.h
_LARGEST = 32 << 20


def keep_freed_memory() -> None:
    """A picture takes arrays of a megabyte or so, which glibc would give back to the system each
    time and get again, page by page: a fifth of what an answer of a small net costs. Does nothing
    where there is no glibc."""
    if platform.libc_ver()[0] != "glibc":
        return
    libc = ctypes.CDLL(None)
    libc.mallopt(_MMAP, _LARGEST)
    libc.mallopt(_TRIM, 4 * _LARGEST)
