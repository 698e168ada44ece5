"""MNIST's IDX files into a database. Caffe: examples/mnist/convert_mnist_data.cpp."""

from __future__ import annotations

import gzip
import math
import os
import zlib
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from ir.errors import RoasteryError

from ..database_writer import check_backend, check_target, new_database
from ..datum import Datum, serialize_datum
from ..notes import note
from .progress import Progress, silent

IMAGE_MAGIC = 2051
LABEL_MAGIC = 2049
_ORIGIN = "convert_mnist_data.cpp"


def convert_mnist(
    images: str | os.PathLike[str],
    labels: str | os.PathLike[str],
    database: str | os.PathLike[str],
    backend: str = "lmdb",
    progress: Progress = silent,
) -> int:
    """Write an image file and its label file as records keyed "%08d"; how many there are.

    Files may be compressed with gzip. Raises RoasteryError for files that are missing,
    are not IDX files, are cut off, or do not belong together.
    """
    check_backend(backend)
    check_target(Path(database))
    pixels = read_idx(Path(images), IMAGE_MAGIC, 3)
    numbers = read_idx(Path(labels), LABEL_MAGIC, 1)
    count, rows, columns = pixels.shape
    if count != len(numbers):
        raise RoasteryError(
            f"'{images}' has {count} images and '{labels}' {len(numbers)} labels",
            hint="take the image and label file of the same set",
        )
    if not pixels.size:
        raise RoasteryError(f"'{images}' holds no images")
    note(f"A total of {count} items.", _ORIGIN)
    note(f"Rows: {rows} Cols: {columns}", _ORIGIN)
    with new_database(Path(database), backend) as writer:
        for index in range(count):
            datum = Datum(1, rows, columns, pixels[index].tobytes(), int(numbers[index]))
            writer.put(b"%08d" % index, serialize_datum(datum))
            progress(index + 1, count)
    note(f"Processed {count} files.", _ORIGIN)
    return int(count)


def read_idx(path: Path, magic: int, axes: int) -> np.ndarray:
    """The uint8 array of an IDX file, which may be compressed with gzip.

    Args:
        magic: the number it must begin with.
        axes: how many sizes follow.
    """
    try:
        with open(path, "rb") as file:
            compressed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path) if compressed else open(path, "rb") as stream:
            header = stream.read(4 * (1 + axes))
            found = int.from_bytes(header[:4], "big")
            if len(header) < 4 * (1 + axes) or found != magic:
                raise RoasteryError(
                    f"'{path}' begins with {found}, {magic} was expected", hint=_what_is(found)
                )
            shape = tuple(
                int.from_bytes(header[i : i + 4], "big") for i in range(4, len(header), 4)
            )
            size = math.prod(shape)
            data = _read_at_most(cast(BinaryIO, stream), size + 1)
    except FileNotFoundError:
        raise RoasteryError(f"'{path}' does not exist") from None
    except (OSError, EOFError, zlib.error) as error:
        raise RoasteryError(f"cannot read '{path}': {error}") from error
    if len(data) != size:
        told = "more" if len(data) > size else str(len(data))
        raise RoasteryError(
            f"'{path}' says that {size} bytes follow, and it has {told}",
            hint="the file is cut off or damaged: get it again",
        )
    return np.frombuffer(data, np.uint8).reshape(shape)


def _read_at_most(stream: BinaryIO, size: int) -> bytes:
    """Read in pieces, so that a header that lies about its sizes takes no memory."""
    parts = []
    left = size
    while left:
        part = stream.read(min(left, 1 << 24))
        if not part:
            break
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _what_is(magic: int) -> str:
    if magic == IMAGE_MAGIC:
        return "this is an image file: images come first, then labels"
    if magic == LABEL_MAGIC:
        return "this is a label file: images come first, then labels"
    return (
        "MNIST's files are named like train-images-idx3-ubyte and "
        "train-labels-idx1-ubyte, with or without .gz"
    )
