"""Picture files as arrays: float32, RGB, (height, width, channels), in [0, 1].

It needs numpy and OpenCV alone, so that exported nets run where no protobuf is installed.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ir.errors import RoasteryError
from roastery.files.missing import cannot_read
from roastery.files.regular_file import read_regular

from .image_codec import ImageError, decode_any_depth

if TYPE_CHECKING:
    from _typeshed import SupportsRead

#: Weights of red, green and blue in the brightness of a colour (ITU-R BT.709).
_BRIGHTNESS = np.array([0.2125, 0.7154, 0.0721], np.float32)


class UnreadablePicture(RoasteryError):
    """A file that is missing, or no picture that can be decoded."""


def load_image(
    filename: str | os.PathLike[str] | SupportsRead[bytes], color: bool = True
) -> np.ndarray:
    """Read a picture file: (height, width, 3) in RGB, or with ``color=False`` (height, width, 1).

    Args:
        filename: its path, or a file that is open for bytes (``io.BytesIO``).

    Raises UnreadablePicture.
    """
    if not isinstance(filename, str | os.PathLike):
        return _from_open_file(filename, color)
    path = Path(filename)
    try:
        return picture_from_bytes(read_regular(path), color)
    except OSError as error:
        told = cannot_read("picture", path, error)
        raise UnreadablePicture(told.message, hint=told.hint) from error
    except ImageError as error:
        raise UnreadablePicture(f"cannot read the picture '{path}': {error}") from error


def _from_open_file(file: SupportsRead[bytes], color: bool) -> np.ndarray:
    data = file.read()
    if not isinstance(data, bytes | bytearray):
        raise UnreadablePicture(
            f"the open file of a picture gave {type(data).__name__}, not bytes",
            hint='open it with "rb"',
        )
    try:
        return picture_from_bytes(bytes(data), color)
    except ImageError as error:
        raise UnreadablePicture(f"cannot read the picture of an open file: {error}") from error


def picture_from_bytes(data: bytes, color: bool = True) -> np.ndarray:
    """As :func:`load_image`, of a file's bytes. Raises ImageError."""
    pixels = decode_any_depth(data, "native")
    largest = np.float32(np.iinfo(pixels.dtype).max if pixels.dtype.kind in "ui" else 1.0)
    if pixels.ndim == 2:
        pixels = pixels[:, :, np.newaxis]
    if pixels.shape[2] >= 3:
        pixels = pixels[:, :, 2::-1]  # OpenCV's order is BGR, then alpha
        image = np.ascontiguousarray(pixels, np.float32)
        image /= largest
        return image if color else (image @ _BRIGHTNESS)[:, :, np.newaxis]
    gray = pixels[:, :, :1].astype(np.float32)
    gray /= largest
    return np.tile(gray, (1, 1, 3)) if color else np.ascontiguousarray(gray)
