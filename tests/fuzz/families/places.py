"""Recorded files that samples are made of."""

from __future__ import annotations

from ..mutants import DATA


def texts(*patterns: str, most: int = 30_000) -> list[tuple[str, str]]:
    """(name, text) of recorded files, the long ones left out."""
    found = []
    for pattern in patterns:
        for path in sorted(DATA.glob(pattern)):
            if path.stat().st_size <= most:
                found.append((path.name, path.read_text("utf-8", "surrogateescape")))
    assert found, patterns
    return found
