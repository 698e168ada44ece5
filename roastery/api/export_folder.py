"""A folder of files that a command made, and that people may have changed since."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path

from compiler.c.export.seal import is_unchanged
from ir.errors import RoasteryError
from ir.printable import printable

from ..files.atomic_file import atomic_path, atomic_write


def write_folder(
    path: str | os.PathLike[str], files: Mapping[str, bytes], examples: Collection[str]
) -> list[str]:
    """A new folder appears as a whole. In one that holds all of these files they are replaced, but
    examples that somebody changed (:mod:`compiler.c.export.seal`).

    Returns the names of examples that stay as they are.

    Raises RoasteryError where something else is, and for what cannot be written.
    """
    folder = Path(path)
    try:
        there = set(os.listdir(folder))
    except FileNotFoundError:
        there = set()
    except OSError as error:
        raise RoasteryError(
            f"cannot write {printable(str(path))}: {error.strerror}", hint="name a new folder"
        ) from None
    if not there:
        with atomic_path(folder) as temporary:
            temporary.mkdir()
            for name, data in files.items():
                (temporary / name).write_bytes(data)
        return []
    if lost := sorted(files.keys() - there):
        raise RoasteryError(
            f"cannot write {printable(str(path))}: the folder holds other files, and no {lost[0]}",
            hint="name a new folder, or remove this one",
        )
    kept = [name for name in examples if not is_unchanged((folder / name).read_bytes())]
    for name in files.keys() - set(kept):
        with atomic_write(folder / name) as file:
            file.write(files[name])
    return kept
