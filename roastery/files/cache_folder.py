"""The cache folder: what is made once and kept between runs.

Losing what is in it costs only time, so files appear whole (a rename) but are not flushed
to the disk. What is read from it becomes machine code that runs, so it must be the user's own:
a folder or file of somebody else, or that others can write, is not used.
"""

from __future__ import annotations

import contextlib
import logging
import os
import stat
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from ir.errors import RoasteryError
from ir.printable import printable

_LOGGER = logging.getLogger("roastery.cache")
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH

_told: set[str] = set()


def cache_folder() -> Path:
    """``$ROASTERY_CACHE``, else ``roastery`` in the user's cache folder. May not exist yet."""
    chosen = os.environ.get("ROASTERY_CACHE")
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "roastery"


class PrivateFolder:
    """A folder whose files only this user can have written.

    Args:
        folder: where it is; made when something is written.
        inside: folders around it that must be private too.
    """

    def __init__(self, folder: Path, inside: Sequence[Path] = ()) -> None:
        self.folder = folder
        self._inside = tuple(inside)

    @classmethod
    def in_cache(cls, name: str) -> PrivateFolder:
        """A part of the cache folder."""
        return cls(cache_folder() / name, [cache_folder()])

    def read(self, name: str) -> bytes | None:
        """A file of the folder, or of a folder in it; None where there is none to be trusted."""
        path = self.folder / name
        if not self._usable(path.parent):
            return None
        with contextlib.suppress(OSError), open(path, "rb", opener=_own_file) as file:
            found = os.fstat(file.fileno())
            if stat.S_ISREG(found.st_mode) and not _refusal(path, found):
                return file.read()
        return None

    def write(self, name: str, data: bytes) -> bool:
        """Write a file that others see whole or not at all; False where that cannot be."""
        path = self.folder / name
        if not self._usable(path.parent):
            return False
        try:
            for folder in self._chain(path.parent):
                folder.parent.mkdir(parents=True, exist_ok=True)
                with contextlib.suppress(FileExistsError):
                    folder.mkdir(mode=0o700)
            write_atomically(path, data)
        except (OSError, RoasteryError):
            return False
        return True

    def names(self) -> list[str]:
        """Of the files that are in it, in order; of none where it is not to be trusted."""
        if not self._usable(self.folder):
            return []
        found = (path.name for _, _, path in _files(self.folder))
        return sorted(name for name in found if not name.startswith("."))

    def touch(self, name: str) -> None:
        """Say that a file is used now."""
        with contextlib.suppress(OSError):
            os.utime(self.folder / name, follow_symlinks=False)

    def remove_oldest(self, name: str, most_bytes: int) -> set[str]:
        """Remove those files of a folder in it (``.``: its own) that were used longest ago, until
        the rest takes no more; their names."""
        files = sorted(_files(self.folder / name))
        left = sum(size for _, size, _ in files) - most_bytes
        removed = set()
        for _, size, path in files:
            if left <= 0:
                break
            left -= size
            removed.add(path.name)
            with contextlib.suppress(OSError):
                path.unlink()
        return removed

    def _chain(self, inner: Path) -> list[Path]:
        return list(dict.fromkeys((*self._inside, self.folder, inner)))

    def _usable(self, inner: Path) -> bool:
        """Whether every folder on the way is the user's own, or not there yet; tells of it once."""
        for folder in self._chain(inner):
            reason = _folder_refusal(folder)
            if reason is None:
                continue
            if reason not in _told:
                _told.add(reason)
                _LOGGER.warning("the cache of kernels is not used: %s", printable(reason))
            return False
        return True


def _own_file(path: str, flags: int) -> int:
    """No link, and no wait for who writes a pipe."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _files(folder: Path) -> Iterator[tuple[float, int, Path]]:
    """When each file of a folder was used last, its bytes, its path."""
    with contextlib.suppress(OSError), os.scandir(folder) as found:
        for entry in found:
            with contextlib.suppress(OSError):
                if entry.is_file(follow_symlinks=False):
                    about = entry.stat(follow_symlinks=False)
                    yield about.st_mtime, about.st_size, Path(entry.path)


def _folder_refusal(folder: Path) -> str | None:
    """Why a folder is not used. A link to it must be the user's, or the system's."""
    try:
        link = os.lstat(folder)
        found = os.stat(folder)
    except OSError:
        return None  # nothing is there, and nothing will be read
    if stat.S_ISLNK(link.st_mode) and link.st_uid not in (os.geteuid(), 0):
        return f"the link {folder} belongs to user {link.st_uid}; set ROASTERY_CACHE to a folder"
    return _refusal(folder, found)


def _refusal(path: Path, found: os.stat_result) -> str | None:
    if found.st_uid != os.geteuid():
        return (
            f"{path} belongs to user {found.st_uid}, not to you ({os.geteuid()}); set "
            "ROASTERY_CACHE to a folder of your own"
        )
    if found.st_mode & _OTHERS_MAY_WRITE:
        return f"others can write {path}; remove it, or `chmod -R go-w` it if you trust it"
    return None


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file that others see whole or not at all, and only its owner can read.

    Raises :class:`RoasteryError` when the folder cannot be written.
    """
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise RoasteryError(
            f"cannot write in {path.parent}: {error.strerror}",
            hint="set ROASTERY_CACHE to a folder that can be written",
        ) from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
