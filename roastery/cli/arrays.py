"""Arrays in files, for the command line."""

from __future__ import annotations

import math
import os
import sys
import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import IO

import numpy as np

from ir.errors import RoasteryError
from ir.types import shape_text

from ..files.atomic_file import atomic_path
from ..files.missing import cannot_read
from ..files.npz_file import write_npz
from ..files.regular_file import open_regular

_KINDS = "biufc"
_PIECE = 16 << 20
_LONGEST_HEADER = 1 << 16
_FREE_BYTES = 512 << 20
_MOST_INFLATED = 16
"""A compressed array may take this much, or this many times the size of its file."""


Shape = tuple[int | None, ...]


class _NoArray(ValueError):
    """What is wrong with a file that should hold an array."""


class _OtherShape(Exception):
    """The array has another shape than was wanted."""


def load_array(path: str, name: str, shape: Shape | None = None) -> np.ndarray:
    """The array in a .npy file, or ``FILE.npz:NAME``; never runs code from the file.

    Args:
        path: the file.
        name: the input it is for; also the array's name in an .npz that does not say one.
        shape: the shape that is wanted, None where any extent is. Another one is refused before
            any number is read.

    Raises RoasteryError for a file that is missing or holds something else.
    """
    file, colon, member = path.rpartition(":")
    if not colon or not file.endswith(".npz"):
        file, member = path, name
    try:
        with open_regular(file) as stream:
            if stream.read(4) not in (b"PK\x03\x04", b"PK\x05\x06"):
                stream.seek(0)
                return _read_array(stream, os.fstat(stream.fileno()).st_size, shape)
            return _from_archive(stream, file, member, name, shape)
    except OSError as error:
        raise cannot_read("file", file, error, what=f"input '{name}'") from error
    except _NoArray as error:
        raise RoasteryError(f"input '{name}': {file} holds no array: {error}") from error
    except _OtherShape as error:
        raise RoasteryError(
            f"input '{name}': the array in {file} has shape {shape_text(error.args[0])}; "
            f"{shape_text(['?' if d is None else d for d in shape or ()])} was expected",
            hint="export the net with the shape you need",
        ) from None


def load_npy(path: str | os.PathLike[str]) -> np.ndarray:
    """The array in a .npy file; never runs code from the file.

    Raises RoasteryError for a file that is missing or holds something else.
    """
    try:
        with open_regular(path) as stream:
            if stream.read(4) == b"PK\x03\x04":
                raise RoasteryError(
                    f"'{path}' holds several arrays", hint="save one with numpy.save"
                )
            stream.seek(0)
            return _read_array(stream, os.fstat(stream.fileno()).st_size, None)
    except OSError as error:
        raise cannot_read("file", path, error) from error
    except _NoArray as error:
        raise RoasteryError(f"'{path}' is not a numpy file: {error}") from error


def _from_archive(
    stream: IO[bytes], file: str, member: str, name: str, shape: Shape | None
) -> np.ndarray:
    size = os.fstat(stream.fileno()).st_size
    try:
        with zipfile.ZipFile(stream) as archive:
            stored = {info.filename: info for info in archive.infolist()}
            info = stored.get(f"{member}.npy") or stored.get(member)
            if info is None:
                there = ", ".join(key.removesuffix(".npy") for key in list(stored)[:20])
                raise RoasteryError(
                    f"input '{name}': {file} has no array '{member}'",
                    hint=f"it has: {there or 'none'}",
                )
            most = max(_FREE_BYTES, _MOST_INFLATED * size)
            if info.file_size > most:
                raise _NoArray(f"{member} unpacks to {info.file_size} bytes, {most} are the limit")
            with archive.open(info) as opened:
                return _read_array(opened, info.file_size, shape)
    except (RoasteryError, _NoArray, _OtherShape):
        raise
    except Exception as error:  # whatever zipfile and zlib make of a damaged archive
        raise _NoArray(_first(error)) from error


def _read_array(stream: IO[bytes], size: int, shape: Shape | None) -> np.ndarray:
    """The array in a stream of ``size`` bytes, its header compared with them first."""
    found, fortran, dtype = _read_header(stream)
    if dtype.kind not in _KINDS:
        raise _NoArray(f"it holds {dtype}, not numbers")
    # True is an int too; and where one axis is 0, numpy multiplies the others all the same.
    if (
        len(found) > 32
        or any(type(dim) is not int or dim < 0 for dim in found)
        or (0 in found and math.prod(max(dim, 1) for dim in found) > sys.maxsize // 16)
    ):
        raise _NoArray(f"{str(found)[:80]} is no shape")
    if shape is not None and not _fits(found, shape):
        raise _OtherShape(found)
    count = 1
    for dim in found:
        count *= dim
    needed = count * dtype.itemsize
    if needed > size:
        raise _NoArray(f"its shape {found} takes {needed} bytes, and it has {size}")
    content = bytearray(needed)
    view, filled = memoryview(content), 0
    while filled < needed:
        piece = stream.read(min(_PIECE, needed - filled))
        if not piece:
            raise _NoArray(f"it ends after {filled} of {needed} bytes")
        view[filled : filled + len(piece)] = piece
        filled += len(piece)
    stream.read(1)  # at the end of a member its checksum is compared
    return np.frombuffer(content, dtype).reshape(found, order="F" if fortran else "C")


def _fits(found: tuple[int, ...], wanted: Shape) -> bool:
    return len(found) == len(wanted) and all(
        b in (None, a) for a, b in zip(found, wanted, strict=True)
    )


def _read_header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, whether it is in Fortran's order, and type."""
    try:
        version = np.lib.format.read_magic(stream)
        if version not in ((1, 0), (2, 0), (3, 0)):
            raise _NoArray(f"version {version} of numpy's format is not known")
        prefix = stream.read(2 if version == (1, 0) else 4)
        length = int.from_bytes(prefix, "little")
        if length > _LONGEST_HEADER:
            raise _NoArray(f"its header claims {length} bytes")
        header = BytesIO(prefix + stream.read(length))
        if version == (1, 0):
            return np.lib.format.read_array_header_1_0(header)
        return np.lib.format.read_array_header_2_0(header)
    except _NoArray:
        raise
    except Exception as error:  # the header is a Python literal: numpy raises whatever it meets
        raise _NoArray(_first(error)) from error


def _first(error: Exception) -> str:
    """What numpy says, without the pages that may follow."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def save_arrays(path: str | os.PathLike[str], arrays: Mapping[str, np.ndarray]) -> None:
    """Write an .npz, whole or not at all."""
    target = Path(path)
    with atomic_path(target) as partial, partial.open("wb") as file:
        write_npz(file, arrays)


def save_array(path: str | os.PathLike[str], array: np.ndarray) -> None:
    """Write a .npy, whole or not at all."""
    with atomic_path(Path(path)) as partial, partial.open("wb") as file:
        np.save(file, array)
