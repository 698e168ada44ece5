"""What the writers of databases raise when the system or the library refuses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class DatabaseWriteError(Exception):
    """Why a database cannot be written; says nothing about which."""


@contextmanager
def writing(folder: Path, *kinds: type[Exception]) -> Iterator[None]:
    """Errors of a library become `DatabaseWriteError`; ``folder`` is left out of their texts."""
    try:
        yield
    except kinds as error:
        text = str(error).replace(f"{folder}/", "").removeprefix("b'").rstrip("'")
        raise DatabaseWriteError(text.removeprefix("IO error: ")) from error
