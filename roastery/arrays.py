"""Arrays in files, for the command line."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ir.atomic_file import atomic_path
from ir.errors import RoasteryError

_DAMAGED = (
    OSError,
    ValueError,
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    SyntaxError,
    TypeError,
    RuntimeError,
)
"""What numpy and zipfile raise for files that are not theirs, or no longer."""


def load_array(path: str, name: str) -> np.ndarray:
    """The array in a .npy file, or ``FILE.npz:NAME``; never runs code from the file.

    Raises RoasteryError for a file that is missing or holds something else.
    """
    file, colon, member = path.rpartition(":")
    if not colon or not file.endswith(".npz"):
        file, member = path, name
    try:
        loaded = np.load(file, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded
        with loaded:
            if member not in loaded.files:
                raise RoasteryError(
                    f"input '{name}': {file} has no array '{member}'",
                    hint=f"it has: {', '.join(loaded.files) or 'none'}",
                )
            return np.asarray(loaded[member])
    except FileNotFoundError:
        raise RoasteryError(f"input '{name}': there is no file {file}") from None
    except _DAMAGED as error:
        raise RoasteryError(f"input '{name}': {file} holds no array: {_first(error)}") from error


def load_npy(path: str | os.PathLike[str]) -> np.ndarray:
    """The array in a .npy file; never runs code from the file.

    Raises RoasteryError for a file that is missing or holds something else.
    """
    try:
        loaded = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise RoasteryError(f"there is no file '{path}'") from None
    except _DAMAGED as error:
        raise RoasteryError(f"'{path}' is not a numpy file: {_first(error)}") from error
    if not isinstance(loaded, np.ndarray):
        loaded.close()
        raise RoasteryError(f"'{path}' holds several arrays", hint="save one with numpy.save")
    return loaded


def _first(error: Exception) -> str:
    """What numpy says, without the pages that may follow."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def save_arrays(path: str | os.PathLike[str], arrays: Mapping[str, np.ndarray]) -> None:
    """Write an .npz, whole or not at all."""
    target = Path(path)
    with atomic_path(target) as partial, partial.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]  # a name may be any text
