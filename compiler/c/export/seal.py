"""Seals in examples, which tell whether somebody changed them since they were written."""

from __future__ import annotations

import hashlib
import re

_SEAL = re.compile(rb"\(seal [0-9a-f]{16}\)")
_OPEN = b"(seal 0000000000000000)"


def sealed(data: bytes) -> bytes:
    """With the seal that fits, in the place that is there for it."""
    plain = _SEAL.sub(_OPEN, data, count=1)
    return plain.replace(_OPEN, b"(seal %s)" % hashlib.sha256(plain).hexdigest()[:16].encode(), 1)


def is_unchanged(data: bytes) -> bool:
    """Whether the seal is there, and fits."""
    return _SEAL.search(data) is not None and sealed(data) == data
