"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_path(path: str | os.PathLike[str], durable: bool = True) -> Iterator[Path]:
    """A temporary sibling of ``path``, renamed to it when the block succeeds.

    What was made there, a file or a folder, is flushed to the disk first, so that after
    a kill or a power cut ``path`` holds either what it held before or all of the new.
    On an exception the temporary is removed. Only a file replaces what exists already.
    Without ``durable`` nothing is flushed: whole after a kill, not after a power cut.
    """
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.partial")
    _remove(temporary)
    try:
        yield temporary
        if durable:
            _flush(temporary)
        os.replace(temporary, target)
        if durable:
            _flush_entry(target.parent)
    except BaseException:
        _remove(temporary)
        raise


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
