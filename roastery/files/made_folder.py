"""Folders that a command makes for what it writes."""

from __future__ import annotations

from pathlib import Path

from ir.errors import RoasteryError


def make_folder(folder: Path) -> None:
    """Make a folder, and those that it lies in, if they are missing.

    Raises RoasteryError where there can be none.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RoasteryError(f"cannot make the folder {folder}: {error.strerror}") from error
