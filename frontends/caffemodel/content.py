"""A file's bytes and what they are: recognised by content, never by name."""

from __future__ import annotations

import os
import re

from ir.errors import RoasteryError
from roastery.files.lent_bytes import LentBytes
from roastery.files.missing import cannot_read
from roastery.files.regular_file import open_regular

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def is_hdf5(path: str | os.PathLike[str]) -> bool:
    """Whether a file is HDF5, whatever its name.

    Raises:
        RoasteryError: it is missing, unreadable or empty.
    """
    name = os.fspath(path)
    try:
        with open_regular(path) as file:
            head = file.read(len(HDF5_SIGNATURE))
    except OSError as error:
        raise cannot_read("file", name, error) from None
    if not head:
        raise RoasteryError(f"{name} is empty")
    return head == HDF5_SIGNATURE


def read_binary(path: str | os.PathLike[str], expected: str) -> LentBytes:
    """The bytes of a protobuf file.

    Args:
        path: the file.
        expected: what it should hold, for errors: "weights".

    Raises:
        RoasteryError: it is missing, empty, or plainly something else.
    """
    name = os.fspath(path)
    is_hdf5(path)
    try:
        with open_regular(path) as file:
            head = file.read(1024)
            # No message begins with a zero: of a large file of zeros no more is read.
            data = LentBytes(file, name, len(head) if head.startswith(b"\0") else None)
    except OSError as error:
        raise cannot_read("file", name, error) from None
    if head.startswith(b"version https://git-lfs"):
        raise RoasteryError(
            f"{name} is a Git LFS pointer, not {expected}",
            hint="fetch the file with `git lfs pull`",
        )
    if head.lstrip()[:5].lower() in (b"<!doc", b"<html"):
        raise RoasteryError(f"{name} is a web page, not {expected}", hint="the download went wrong")
    if _is_text(head):
        raise RoasteryError(
            f"{name} is a text file, not {expected}",
            hint="a prototxt describes a net; its numbers are in the .caffemodel file",
        )
    return data


def _is_text(head: bytes) -> bool:
    """Whether bytes are text: no control characters and hardly any outside ASCII."""
    foreign = sum(byte >= 0x80 for byte in head)
    return not _CONTROL.search(head) and foreign <= len(head) // 4
