"""Compiled kernels kept on disk, by all that decides what is compiled.

A file per library, and one per kernel that names the library which has it. What is wrong with a
file (cut off, flipped bits, somebody else's) makes it as if it were not there, and is told once.
Those used longest ago are removed where all take more than ``MOST_BYTES``.
"""

from __future__ import annotations

import contextlib
import logging
import re
from pathlib import Path

from roastery.files.cache_folder import PrivateFolder

from .shared_library import Library

_LOGGER = logging.getLogger("roastery.cache")
_NAME = re.compile(r"[0-9a-f]{64}")
MOST_BYTES = 512 << 20
_LIBRARIES = "libraries"


class LibraryStore:
    """A folder of libraries, by default a part of the cache folder."""

    def __init__(self, folder: Path | None = None, most_bytes: int = MOST_BYTES) -> None:
        self._private = PrivateFolder.in_cache("c") if folder is None else PrivateFolder(folder)
        self._most_bytes = most_bytes
        self._told = False

    def load(self, key: str) -> Library | None:
        """The library that has a kernel; None where no sound one has it."""
        name = self._private.read(_kernel(key))
        if name is None:
            return None
        text = name.decode("ascii", "replace")
        data = self._private.read(f"{_LIBRARIES}/{text}") if _NAME.fullmatch(text) else b""
        if data is None:
            return None  # it was removed
        library = Library.decoded(data)
        if library is None or key not in library.kernels:
            self._tell(_kernel(key) if not data else f"{_LIBRARIES}/{text}")
            return None
        self._private.touch(f"{_LIBRARIES}/{text}")
        return library

    def save(self, library: Library) -> None:
        """Keep one. A folder that cannot be written costs time later, nothing else."""
        if self._private.write(f"{_LIBRARIES}/{library.name}", library.encoded()):
            for key in library.kernels:
                self._private.write(_kernel(key), library.name.encode())

    def _tell(self, name: str) -> None:
        if not self._told:
            self._told = True
            path = self._private.folder / name
            _LOGGER.warning("the cache of kernels is damaged, and made anew: %s", path)

    def make_room(self) -> None:
        """Remove what was used longest ago, where all takes too much: once after some were saved,
        since every file is looked at."""
        removed = self._private.remove_oldest(_LIBRARIES, self._most_bytes)
        kernels = (self._private.folder / "kernels").glob("*") if removed else ()
        for path in kernels:
            with contextlib.suppress(OSError):
                if path.read_text("ascii", "replace") in removed:
                    path.unlink()


def _kernel(key: str) -> str:
    return f"kernels/{key}"
