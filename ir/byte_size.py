"""Numbers of bytes, as people read and write them."""

from __future__ import annotations

import re

_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_WRITTEN = re.compile(r"(\d{1,20}(?:\.\d{1,20})?)\s*(?:([kmgt])(i?b)?|b|bytes?)?", re.IGNORECASE)
_MOST = 1 << 63


def byte_size(count: float) -> str:
    """Four digits and a unit: "1.5 GiB"."""
    for unit in _UNITS[:-1]:
        if count < 1024:
            return f"{count:.4g} {unit}"
        count /= 1024
    return f"{count:.4g} {_UNITS[-1]}"


def parse_byte_size(text: str) -> int | None:
    """What people write: "3.5GiB", "3.5 GB" (of 1000 MB), "3500M" (of 1024 K), "123456". None for
    anything else, and for what no machine has."""
    found = _WRITTEN.fullmatch(text.strip())
    if found is None:
        return None
    number, unit, kind = found.groups()
    base = 1000 if (kind or "").lower() == "b" else 1024
    count = float(number) * base ** ("kmgt".index(unit.lower()) + 1 if unit else 0)
    return round(count) if 1 <= count < _MOST else None
