"""Decoding, encoding and resizing pictures with OpenCV: 8 bits, BGR, channel-major.

OpenCV is imported when the first picture needs it; raw databases do without.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from functools import lru_cache
from typing import Any, Literal, TypeAlias

import numpy as np

from ir.errors import RoasteryError
from ir.location import Location

from .image_header import picture_size
from .image_limit import BYTES_PER_PIXEL, VARIABLE, max_image_pixels
from .picture_size import BadHeader

Color: TypeAlias = Literal["color", "gray", "native"]
"""native: as many channels as the file has."""


_MOST_BLANK = 1 << 16
"""Large pictures have no more pixels than this for a byte, in any format: not even empty ones."""

LARGE_PIXELS = 1 << 24
_one_large_picture = threading.Lock()
"""Many threads decode side by side; large pictures go one after the other."""


class ImageError(ValueError):
    """The bytes are no picture that OpenCV can decode to 8 bits per channel."""


def import_cv2(place: Location | None = None) -> Any:
    """The cv2 module, or an error that says what to install."""
    if "cv2" not in sys.modules:
        # OpenCV reads its own limit once; it holds for formats whose headers we do not know.
        os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(max_image_pixels()))
    try:
        import cv2
    except ImportError as error:
        raise RoasteryError(
            "pictures need the package opencv-python-headless, which is not installed",
            location=place,
            hint="pip install roastery[images]",
        ) from error
    return cv2


def decode_image(
    data: bytes | memoryview, color: Color, place: Location | None = None
) -> np.ndarray:
    """A picture file's pixels: uint8, (height, width) or (height, width, channels), BGR.

    Raises ImageError, also for a picture that says it is larger than the limit.
    """
    pixels = decode_any_depth(data, color, place)
    if pixels.dtype != np.uint8:
        raise ImageError(f"its pixels are {pixels.dtype}; 8 bits per channel are read")
    return pixels


def decode_any_depth(
    data: bytes | memoryview, color: Color, place: Location | None = None
) -> np.ndarray:
    """As :func:`decode_image`, with 16 bits or floats where "native" pixels have them."""
    cv2 = import_cv2(place)
    flag = {
        "color": cv2.IMREAD_COLOR,
        "gray": cv2.IMREAD_GRAYSCALE,
        "native": cv2.IMREAD_UNCHANGED,
    }[color]
    if not len(data):
        raise ImageError("it is empty")
    large = check_size(data) > LARGE_PIXELS
    try:
        with _one_large_picture if large else contextlib.nullcontext():
            pixels: np.ndarray | None = cv2.imdecode(np.frombuffer(data, np.uint8), flag)
    except cv2.error as error:
        raise ImageError(f"OpenCV cannot decode it ({error.err})") from error
    if pixels is None:
        raise ImageError("it is not a picture that OpenCV can decode")
    return pixels


def check_size(data: bytes | memoryview) -> int:
    """The number of pixels that a picture's header claims; 0 where the format is not known.

    Raises ImageError where that is beyond the limit, or the header cannot be true.
    """
    try:
        size = picture_size(data)
    except BadHeader as error:
        raise ImageError(f"it is damaged: {error}") from error
    if size is None:
        return 0
    limit = max_image_pixels()
    if size.pixels > limit or size.pixels * size.decoding_bytes > limit * BYTES_PER_PIXEL:
        least = max(size.pixels, -(-size.pixels * size.decoding_bytes // BYTES_PER_PIXEL))
        raise ImageError(
            f"its header says that it is {size.width} x {size.height} pixels, which take "
            f"{size.pixels * size.decoding_bytes >> 20} MiB to decode; the limit is {limit} pixels "
            f"of {BYTES_PER_PIXEL} bytes (if it is really so large, set {VARIABLE} or "
            f"--max_image_pixels to {least})"
        )
    blank = size.pixels // _MOST_BLANK if size.pixels > LARGE_PIXELS else 0
    if len(data) < max(
        size.least_bytes, blank
    ):  # decoders take memory first, and make up what is missing
        raise ImageError(
            f"it is damaged: its header says that it is {size.width} x {size.height} pixels, "
            f"which no {len(data)} bytes can hold"
        )
    return size.pixels


def resize_image(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """Bilinear resizing on 8-bit pixels, as cv::resize does it.

    Raises ImageError for a size that is none, or beyond the limit.
    """
    return _resized(pixels, height, width, import_cv2().INTER_LINEAR)


def resize_plane(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """As :func:`resize_image`, of one channel, 8 bits or float32, to a size that was checked."""
    cv2 = import_cv2()
    resized: np.ndarray = cv2.resize(
        np.ascontiguousarray(values), (width, height), interpolation=cv2.INTER_LINEAR
    )
    return resized


def scale_image(pixels: np.ndarray, factor: float) -> np.ndarray:
    """As :func:`resize_image`, both sides by a factor."""
    height, width = (round(side * factor) for side in pixels.shape[:2])
    if min(height, width) < 1 or height * width > max_image_pixels():
        raise ImageError(
            f"it cannot be resized to {height} x {width} pixels (the limit is {max_image_pixels()})"
        )
    cv2 = import_cv2()
    scaled: np.ndarray = cv2.resize(
        pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR
    )
    return scaled


def resize_labels(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """As :func:`resize_image`, of class numbers: each is the nearest pixel's."""
    return _resized(pixels, height, width, import_cv2().INTER_NEAREST)


def _resized(pixels: np.ndarray, height: int, width: int, interpolation: int) -> np.ndarray:
    if min(height, width) < 1 or height * width > max_image_pixels():
        raise ImageError(
            f"it cannot be resized to {height} x {width} pixels (the limit is {max_image_pixels()})"
        )
    resized: np.ndarray = import_cv2().resize(pixels, (width, height), interpolation=interpolation)
    return resized


def encode_image(pixels: np.ndarray, extension: str, quality: int | None = None) -> bytes:
    """The bytes of a picture file; ``extension`` is such as "png". Raises ImageError.

    ``quality``: of a JPEG, 1 to 100; None: OpenCV's own.
    """
    cv2 = import_cv2()
    settings = [] if quality is None else [cv2.IMWRITE_JPEG_QUALITY, quality]
    try:
        done, data = cv2.imencode(f".{extension}", pixels, settings)
    except cv2.error as error:
        raise ImageError(f"OpenCV cannot write '.{extension}' files") from error
    if not done:
        raise ImageError(f"OpenCV could not write it as '.{extension}'")
    return bytes(data)


@lru_cache
def keeps_channels(extension: str, channels: int) -> bool:
    """Whether files of a type hold this number of channels (webp makes three of one)."""
    pixels = np.zeros((2, 2, channels), np.uint8)
    try:
        return channel_count(decode_image(encode_image(pixels, extension), "native")) == channels
    except ImageError:
        return False


def channel_count(pixels: np.ndarray) -> int:
    """The channels of decoded pixels."""
    return pixels.shape[2] if pixels.ndim == 3 else 1


def channel_major(pixels: np.ndarray) -> np.ndarray:
    """Decoded pixels as contiguous (channels, height, width)."""
    if pixels.ndim == 2:
        return pixels[np.newaxis]
    planes = np.empty((pixels.shape[2], *pixels.shape[:2]), pixels.dtype)
    import_cv2().split(pixels, list(planes))
    return planes


def mirror_rows(images: np.ndarray) -> None:
    """Reverse the last axis of a contiguous float32 (..., height, width) array in place.

    OpenCV does it four times as fast as numpy, and is not needed.
    """
    try:
        import cv2
    except ImportError:
        images[...] = images[..., ::-1]
        return
    rows = images.reshape(-1, images.shape[-1])
    cv2.flip(rows, 1, rows)
