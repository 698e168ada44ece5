"""IDX files, MNIST's format: a header of big-endian numbers, then bytes. Perhaps in gzip."""

from __future__ import annotations

import gzip
import math
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from ir.errors import RoasteryError
from roastery.files.missing import missing
from roastery.files.regular_file import open_regular

IMAGE_MAGIC = 2051
LABEL_MAGIC = 2049

_FREE_BYTES = 256 << 20
_MOST_INFLATED = 64
"""A compressed file may unpack to this much, or this many times its size."""
_PIECE = 1 << 22
_DAMAGE = (OSError, EOFError, zlib.error)


class IdxFile:
    """An open IDX file. ``shape`` is what its header claims; nothing else is read before it is
    asked for.
    """

    def __init__(self, path: Path, shape: tuple[int, ...], stream: BinaryIO) -> None:
        self.path = path
        self.shape = shape
        self._stream = stream
        self._done = 0

    def items(self) -> Iterator[bytes]:
        """The bytes of each entry of the first axis. Raises RoasteryError where the file ends
        too early, or goes on behind the last.
        """
        size = math.prod(self.shape[1:])
        together = max(1, _PIECE // max(1, size))
        left = self.shape[0]
        while left:
            count = min(together, left)
            block = self._read(count * size)
            yield from (block[i * size : (i + 1) * size] for i in range(count))
            left -= count
        if self._piece(1):
            raise self._wrong("more")

    def _read(self, size: int) -> bytes:
        """So many bytes, in pieces: a header that lies about its sizes takes no memory."""
        block = bytearray()
        while len(block) < size:
            piece = self._piece(min(size - len(block), _PIECE))
            if not piece:
                raise self._wrong(str(self._done + len(block)))
            block += piece
        self._done += size
        return bytes(block)

    def _piece(self, size: int) -> bytes:
        try:
            return self._stream.read(size)
        except _DAMAGE as error:  # caught here: around us another file may be written
            raise RoasteryError(f"cannot read '{self.path}': {error}") from error

    def _wrong(self, there: str) -> RoasteryError:
        return RoasteryError(
            f"'{self.path}' says that {math.prod(self.shape)} bytes follow, and it has {there}",
            hint="the file is cut off or damaged: get it again",
        )


@contextmanager
def open_idx(path: Path, magic: int, axes: int) -> Iterator[IdxFile]:
    """An IDX file of bytes, which may be compressed with gzip.

    Args:
        magic: the number it must begin with.
        axes: how many sizes follow.

    Raises RoasteryError for a file that is missing, of another kind or damaged (also while the
    block reads from it), and for one that says it is larger than it can be.
    """
    try:
        with open_regular(path) as file:
            compressed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            stored = os.fstat(file.fileno()).st_size
            with gzip.open(file) if compressed else file as opened:
                stream = cast(BinaryIO, opened)
                header = stream.read(4 * (1 + axes))
                found = int.from_bytes(header[:4], "big")
                if len(header) < 4 * (1 + axes) or found != magic:
                    raise RoasteryError(
                        f"'{path}' begins with {found}, {magic} was expected", hint=_what_is(found)
                    )
                sizes = [header[i : i + 4] for i in range(4, len(header), 4)]
                idx = IdxFile(path, tuple(int.from_bytes(size, "big") for size in sizes), stream)
                _check_size(idx, stored, len(header), compressed=compressed)
                yield idx
    except FileNotFoundError:
        raise missing("file", path) from None
    except _DAMAGE as error:
        if isinstance(error, OSError) and error.filename not in (None, path, str(path)):
            raise
        raise RoasteryError(f"cannot read '{path}': {error}") from error


def _check_size(idx: IdxFile, stored: int, header: int, *, compressed: bool) -> None:
    size = math.prod(idx.shape)
    if not compressed and size != stored - header:
        raise RoasteryError(
            f"'{idx.path}' says that {size} bytes follow, and it has {stored - header}",
            hint="the file is cut off or damaged: get it again",
        )
    most = max(_FREE_BYTES, _MOST_INFLATED * stored)
    if compressed and size > most:
        raise RoasteryError(
            f"'{idx.path}' says that {size} bytes follow; {stored} compressed bytes are taken to "
            f"hold at most {most}",
            hint="if it is really so large, unpack it first: gunzip -k FILE",
        )


def _what_is(magic: int) -> str:
    if magic == IMAGE_MAGIC:
        return "this is an image file: images come first, then labels"
    if magic == LABEL_MAGIC:
        return "this is a label file: images come first, then labels"
    return (
        "MNIST's files are named like train-images-idx3-ubyte and "
        "train-labels-idx1-ubyte, with or without .gz"
    )


@contextmanager
def labelled_images(
    images: str | os.PathLike[str], labels: str | os.PathLike[str]
) -> Iterator[tuple[IdxFile, IdxFile]]:
    """An image file, [count, rows, columns], and its label file, [count], open in the block.

    Raises RoasteryError for files that are missing, are not IDX files, hold nothing, or do not
    belong together.
    """
    with (
        open_idx(Path(images), IMAGE_MAGIC, 3) as pixels,
        open_idx(Path(labels), LABEL_MAGIC, 1) as numbers,
    ):
        if pixels.shape[0] != numbers.shape[0]:
            raise RoasteryError(
                f"'{images}' has {pixels.shape[0]} images and '{labels}' {numbers.shape[0]} labels",
                hint="take the image and label file of the same set",
            )
        if not math.prod(pixels.shape):
            raise RoasteryError(f"'{images}' holds no images")
        yield pixels, numbers
