"""Errors on the way from the compiler to a pycaffe script."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ir.errors import RoasteryError
from runtime.python_layer import PythonLayerError


class MissingFileError(RoasteryError, RuntimeError):
    """A file that cannot be opened; pycaffe raises a RuntimeError here."""


def check_file(path: str | os.PathLike[str], what: str) -> None:
    """Raises MissingFileError unless ``path`` is a file."""
    if not Path(path).is_file():
        raise MissingFileError(
            f"there is no {what} '{os.fspath(path)}'",
            hint="relative paths start from the working directory",
        )


@contextmanager
def own_exceptions() -> Iterator[None]:
    """An exception of a user's Python layer reaches the user as it was raised.

    A note on it names the layer and its line in the prototxt. A module that cannot be imported
    is told as our own error.
    """
    try:
        yield
    except PythonLayerError as error:
        cause = error.__cause__
        if not isinstance(cause, Exception) or isinstance(cause, ImportError):
            raise
        cause.add_note(str(error))
        raise cause from None
