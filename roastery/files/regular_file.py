"""Opening what is a file: every reader of users' files comes through here.

A pipe hangs until somebody writes, a device may never end, and both may be named by a file
that came from elsewhere. So only regular files are opened, without waiting.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import BinaryIO

from ir.errors import RoasteryError
from ir.location import Location

_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def open_regular(path: str | os.PathLike[str], place: Location | None = None) -> BinaryIO:
    """A regular file, open for reading bytes.

    Args:
        path: the file; a symbolic link is followed.
        place: where the path is named, for errors.

    Raises:
        OSError: as ``open``, for a folder too.
        RoasteryError: it is a device, a pipe or a socket, or its name cannot be one.
    """
    check_regular(path, place)
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    try:
        # Once more, of what was opened: the name may mean something else by now.
        _check_mode(os.fstat(handle).st_mode, path, place)
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def read_regular(path: str | os.PathLike[str], place: Location | None = None) -> bytes:
    """The bytes of a regular file; see :func:`open_regular`."""
    with open_regular(path, place) as file:
        return file.read()


def read_regular_text(path: str | os.PathLike[str], place: Location | None = None) -> str:
    """The text of a regular file; bytes that are not UTF-8 become surrogates and go back whole."""
    return read_regular(path, place).decode("utf-8", "surrogateescape")


def check_regular(path: str | os.PathLike[str], place: Location | None = None) -> None:
    """Raise as :func:`open_regular` would, for libraries that open files by their names."""
    check_name(path, place)
    _check_mode(os.stat(path).st_mode, path, place)


def check_name(path: str | os.PathLike[str], place: Location | None = None) -> None:
    """Raise RoasteryError for what the system cannot take as the name of a file."""
    name = os.fspath(path)
    try:
        encoded = os.fsencode(name)
    except UnicodeEncodeError:
        raise RoasteryError(f"{name!a} cannot be the name of a file", location=place) from None
    if b"\0" in encoded:
        raise RoasteryError(
            f"{name!a} cannot be the name of a file: it holds a zero byte", location=place
        )


def _check_mode(mode: int, path: str | os.PathLike[str], place: Location | None) -> None:
    kind = _KINDS.get(stat.S_IFMT(mode))
    if kind is not None:
        raise RoasteryError(
            f"'{os.fspath(path)}' is {kind}, not a file",
            location=place,
            hint="name a file"
            if kind == "a device"
            else "write what it gives into a file first, and name that: cat PIPE > FILE",
        )
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
