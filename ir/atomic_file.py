"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from .errors import RoasteryError


@contextmanager
def atomic_path(path: str | os.PathLike[str], durable: bool = True) -> Iterator[Path]:
    """A temporary sibling of ``path``, renamed to it when the block succeeds.

    What was made there, a file or a folder, is flushed to the disk first, so that after
    a kill or a power cut ``path`` holds either what it held before or all of the new.
    On an exception the temporary is removed. Only a file replaces what exists already;
    a device or pipe is written directly. Through a symbolic link its target is replaced.
    Without ``durable`` nothing is flushed: whole after a kill, not after a power cut.

    Raises:
        RoasteryError: the folder is missing, or the system refuses to write (a full disk).
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file() and not target.is_dir():
        yield target
        return
    if not target.parent.is_dir():
        raise RoasteryError(
            f"cannot write {os.fspath(path)}: there is no directory {target.parent}",
            hint="make the directory first",
        )
    temporary = target.with_name(f".{target.name[:200]}.{os.getpid()}.partial")
    _remove(temporary)
    try:
        yield temporary
        if durable:
            _flush(temporary)
        os.replace(temporary, target)
        if durable:
            _flush_entry(target.parent)
    except BaseException as error:
        _remove(temporary)
        # An error of writing names no file or ours; one of reading names another file.
        if isinstance(error, OSError) and error.filename in (None, str(temporary)):
            reason = error.strerror or error
            raise RoasteryError(f"cannot write {os.fspath(path)}: {reason}") from error
        raise


@contextmanager
def atomic_write(
    path: str | os.PathLike[str], mode: str = "wb", **options: Any
) -> Iterator[IO[Any]]:
    """An open file that becomes ``path`` at the end of the block; see ``atomic_path``.

    Args:
        path: where the file shall be.
        mode: "wb" or "w" (UTF-8 unless an encoding is given).
        options: for ``open``.
    """
    if "b" not in mode:
        options.setdefault("encoding", "utf-8")
    with atomic_path(path) as temporary, open(temporary, mode, **options) as file:
        yield file


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    if path.is_dir():
        for child in path.iterdir():
            _flush(child)
        _flush_entry(path)
        return
    with open(path, "rb+") as file:
        os.fsync(file.fileno())


def _flush_entry(folder: Path) -> None:
    """Make renames in a folder last; not every system lets a folder be opened."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)
