"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

from ir.errors import RoasteryError

from .missing import no_folder
from .owned_folder import owned_folder
from .regular_file import check_name
from .special_output import is_special, pour


@contextmanager
def atomic_path(
    path: str | os.PathLike[str], durable: bool = True, *, replaces_folder: bool = False
) -> Iterator[Path]:
    """A temporary path of the same name, renamed to ``path`` when the block succeeds.

    What was made there, a file or a folder, is flushed to the disk first, so that after
    a kill or a power cut ``path`` holds either what it held before or all of the new.
    On an exception the temporary is removed; after a kill the next call for ``path`` removes it
    (see :mod:`roastery.files.owned_folder`). Only a file replaces what exists already, or with
    ``replaces_folder`` a folder, which is moved away for that and removed;
    a device or pipe is written to, never replaced. Through a symbolic link its target is replaced.
    Without ``durable`` nothing is flushed: whole after a kill, not after a power cut.

    Raises:
        RoasteryError: the folder is missing, or the system refuses to write (a full disk).
    """
    check_name(path)
    # What /dev/stdout and `>(gzip)` lead to has no path of its own, so no link is followed yet.
    target = Path(path)
    if is_special(target):
        # Many formats are not written from front to back: first a file, then its bytes.
        with TemporaryDirectory() as folder:
            beside = Path(folder) / "output"
            yield beside
            try:
                pour(beside, target)
            except OSError as error:
                reason = error.strerror or error
                raise RoasteryError(f"cannot write {os.fspath(path)}: {reason}") from error
        return
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise no_folder(path, target.parent)
    with ExitStack() as stack:
        ours: str | None = None
        try:
            temporary = stack.enter_context(owned_folder(target.parent, target.name))
            ours = str(temporary)
            yield temporary
            if durable:
                _flush(temporary)
            if replaces_folder and target.is_dir():
                _exchange(temporary, target)
            else:
                os.replace(temporary, target)
            if durable:
                _flush_entry(target.parent)
        except OSError as error:
            # An error of writing names no file or ours; one of reading names another file.
            if ours is not None and error.filename not in (None, ours):
                raise
            reason = error.strerror or error
            raise RoasteryError(f"cannot write {os.fspath(path)}: {reason}") from error


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


def _exchange(temporary: Path, target: Path) -> None:
    """Give ``target`` to a new folder; the old one goes with the temporary's own folder."""
    old = temporary.with_name(f"{temporary.name}.old")
    os.rename(target, old)
    try:
        os.rename(temporary, target)
    except OSError:
        os.rename(old, target)
        raise


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
