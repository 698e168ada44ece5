"""How much memory this machine has."""

from __future__ import annotations

import os
from functools import cache


@cache
def physical_memory() -> int:
    """Bytes; no limit where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return 2**63
