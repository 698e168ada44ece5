"""Errors that pycaffe has a class of its own for."""

from __future__ import annotations

import os

from ir.errors import RoasteryError

from ..files.missing import missing


class MissingFileError(RoasteryError, RuntimeError):
    """A file that cannot be opened; pycaffe raises a RuntimeError here."""


def check_exists(path: str | os.PathLike[str], what: str) -> None:
    """Raises MissingFileError if ``path`` is not there, or is a folder."""
    if os.path.isdir(path):
        raise MissingFileError(f"'{os.fspath(path)}' is a folder, not a {what}")
    if not os.path.exists(path):
        hint = "relative paths start from the working directory"
        lost = missing(what, path, hint=hint)
        raise MissingFileError(lost.message, hint=lost.hint)
