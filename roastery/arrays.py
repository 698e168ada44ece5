"""Arrays in files, for the command line."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ir.atomic_file import atomic_path
from ir.errors import RoasteryError


def load_array(path: str, name: str) -> np.ndarray:
    """The array in a .npy file, or ``FILE.npz:NAME``; never runs code from the file.

    Raises RoasteryError for a file that is missing or holds something else.
    """
    file, colon, member = path.rpartition(":")
    if not colon or not file.endswith(".npz"):
        file, member = path, name
    try:
        loaded = np.load(file, allow_pickle=False)
    except FileNotFoundError:
        raise RoasteryError(f"input '{name}': there is no file {file}") from None
    except (OSError, ValueError, EOFError) as error:
        raise RoasteryError(f"input '{name}': {file} holds no array: {error}") from error
    if isinstance(loaded, np.ndarray):
        return loaded
    with loaded:
        if member not in loaded.files:
            raise RoasteryError(
                f"input '{name}': {file} has no array '{member}'",
                hint=f"it has: {', '.join(loaded.files) or 'none'}",
            )
        return np.asarray(loaded[member])


def save_arrays(path: str | os.PathLike[str], arrays: Mapping[str, np.ndarray]) -> None:
    """Write an .npz, whole or not at all."""
    target = Path(path)
    with atomic_path(target) as partial, partial.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]  # a name may be any text
