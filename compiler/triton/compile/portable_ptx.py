"""The version of PTX that newer cards are given: the lowest with which a kernel compiles.

PTX for sm_80 is what cards newer than a cubin's are given, and a driver takes no PTX that is
newer than itself. What a release of Triton writes decides what is needed: 7.4 (drivers of
CUDA 11.4) with 3.6, 3.7 and 3.9; 3.8 writes some kernels in the words of 7.8 (CUDA 11.8). The
assembler says so, kernel by kernel.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

CAPABILITY = 80
LOWEST = 74  # version 7.4: the oldest that knows all that sm_80 has

_REQUIRED = re.compile(r"requires PTX ISA (?:\.version )?(\d+)\.(\d+)")

T = TypeVar("T")


def with_lowest(compile: Callable[[int], T], lowest: int = LOWEST) -> T:
    """Call ``compile`` with a version, and with a later one where its error asks for that."""
    try:
        return compile(lowest)
    except Exception as error:
        needed = required_version(str(error))
        if needed is None or needed <= lowest:
            raise
        return with_lowest(compile, needed)


def required_version(message: str) -> int | None:
    """78 for "requires PTX ISA .version 7.8 or later", the highest that is asked for."""
    found = [10 * int(major) + int(minor) for major, minor in _REQUIRED.findall(message)]
    return max(found, default=None)
