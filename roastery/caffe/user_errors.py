"""Errors that pycaffe has a class of its own for."""

from __future__ import annotations

import os
from pathlib import Path

from ir.errors import RoasteryError

from ..files.missing import missing


class MissingFileError(RoasteryError, RuntimeError):
    """A file that cannot be opened; pycaffe raises a RuntimeError here."""


def check_exists(path: str | os.PathLike[str], what: str) -> None:
    """Raises MissingFileError unless ``path`` is a file."""
    if not Path(path).is_file():
        hint = "relative paths start from the working directory"
        lost = missing(what, path, hint=hint)
        raise MissingFileError(lost.message, hint=lost.hint)
