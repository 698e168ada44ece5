"""The error of files that are no whole LMDB."""

from __future__ import annotations

from ..database_error import DatabaseError


class LmdbError(DatabaseError):
    """The file is not an LMDB, or it is damaged, cut off, or changed while it is read."""


def damaged_page(number: int, what: str) -> LmdbError:
    """The error for a page that holds what liblmdb never writes."""
    return LmdbError(f"page {number} is damaged: {what}")
