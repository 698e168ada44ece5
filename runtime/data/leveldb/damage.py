"""The error of files that are not what LevelDB wrote."""

from __future__ import annotations

from pathlib import Path

from ..database_error import DatabaseError


class LevelError(DatabaseError):
    """A file of a LevelDB is missing, cut off or damaged."""


def damaged(path: Path, offset: int, what: str) -> LevelError:
    """The error for a place of a file."""
    return LevelError(f"{path.name} is damaged at byte {offset}: {what}")


def cut_off(path: Path, size: int, what: str) -> LevelError:
    """The error for a file that ends at ``size`` where more must follow."""
    return LevelError(f"{path.name} is cut off: it ends at byte {size}, {what}")
