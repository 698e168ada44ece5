"""How much memory this machine gives this process."""

from __future__ import annotations

import os
import resource
from pathlib import Path

_NO_LIMIT = 2**63
_GROUP_FILES = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def physical_memory() -> int:
    """Bytes: the machine's memory, or less where a container or `ulimit -v` allows less.

    No limit where the system does not say.
    """
    return min(_machine(), _address_space(), *map(_group, _GROUP_FILES))


def _machine() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return _NO_LIMIT


def _address_space() -> int:
    soft = resource.getrlimit(resource.RLIMIT_AS)[0]
    return _NO_LIMIT if soft == resource.RLIM_INFINITY else soft


def _group(file: str) -> int:
    """The limit of a container (control groups, version 2 or 1)."""
    try:
        return int(Path(file).read_text())
    except (OSError, ValueError):  # no such file, or "max"
        return _NO_LIMIT
