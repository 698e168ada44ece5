"""Pictures as converters store them: pixels, or picture files, at the size that was asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from ir.errors import RoasteryError
from roastery.files.regular_file import read_regular

from ...logging.records import Severity
from ..datum import Datum
from ..image_codec import (
    LARGE_PIXELS,
    ImageError,
    channel_count,
    channel_major,
    check_size,
    decode_image,
    encode_image,
    keeps_channels,
    resize_image,
    scale_image,
)
from ..notes import NoteKind, Notes

LEFT_OUT = NoteKind(
    "convert_imageset.cpp", "{path} is left out: {reason}", severity=Severity.WARNING
)
UNREADABLE = NoteKind(
    "io.cpp", "Could not open or find file {path}: {reason}", severity=Severity.WARNING
)
_JPEG = b"\xff\xd8\xff"
_AHEAD = 64
"""Pictures decoded side by side before they are written."""

_Item = TypeVar("_Item")
_Loaded = TypeVar("_Loaded")


@dataclass(frozen=True, slots=True)
class StoredPicture:
    """A record to write, its picture's (height, width, channels), and the height and width of
    the file that it was read from."""

    datum: Datum
    size: tuple[int, ...]
    original: tuple[int, int]


class LargePicture:
    """Stands for a picture that is decoded later."""


@dataclass(frozen=True, kw_only=True)
class PictureStore:
    """How pictures are stored.

    Attributes:
        color: three channels, or one.
        resize_height, resize_width: the size of all, if both are above 0.
        min_dim, max_dim: bounds of a picture's smaller and larger side, which it is scaled to;
            0: none. They go before the size.
        encoded: as files instead of pixels: as they are, unless they have to be resized or turned
            into another type, or hold other pixels than were asked for.
        encode_type: the type of files, such as "png"; "": each has its own.
        sized: records of files tell the picture's size, too, as SSD's do.
        notes: is told of pictures that cannot be read.
    """

    color: bool
    resize_height: int = 0
    resize_width: int = 0
    min_dim: int = 0
    max_dim: int = 0
    encoded: bool = False
    encode_type: str = ""
    sized: bool = False
    notes: Notes

    def check(self) -> None:
        """Refuse a type of files that cannot hold what was asked for."""
        kind = self.encode_type
        if not self.color and keeps_channels(kind, 3) and not keeps_channels(kind, 1):
            raise RoasteryError(
                f"'.{kind}' files hold no gray pictures of one channel",
                hint="--encode_type=png or jpg",
            )

    @property
    def resizes(self) -> bool:
        """Whether all pictures get one size."""
        return self.resize_height > 0 and self.resize_width > 0

    @property
    def most_pixels(self) -> int:
        """Pictures of more pixels are decoded one after the other."""
        scaled = self.resizes or self.max_dim > 0
        return LARGE_PIXELS if self.encoded or scaled else LARGE_PIXELS // 4

    def load(
        self, path: str, label: int, most_pixels: int | None = None
    ) -> StoredPicture | LargePicture | None:
        """A picture's record; None if it cannot be read.

        LargePicture stands for one of more than ``most_pixels``.
        """
        try:
            data = read_regular(path)
            if most_pixels is not None and check_size(data) > most_pixels:
                return LargePicture()
            pixels = decode_image(data, "color" if self.color else "gray")
            original = (pixels.shape[0], pixels.shape[1])
            pixels, changed = self._scaled(pixels)
        except ImageError as error:
            self.notes(UNREADABLE(path=path, reason=error))
            return None
        except (OSError, RoasteryError) as error:
            reason = error.message if isinstance(error, RoasteryError) else error.strerror
            self.notes(UNREADABLE(path=path, reason=reason))
            return None
        size = (*pixels.shape[:2], channel_count(pixels))
        if not self.encoded:
            array = channel_major(pixels)
            channels, height, width = array.shape
            datum = Datum(channels, height, width, array.tobytes(), label, encoded=False)
            return StoredPicture(datum, size, original)
        extension = path.rpartition(".")[2].lower()
        wanted = self.encode_type or extension
        same_type = wanted == extension or (wanted, extension) == ("jpg", "jpeg")
        if changed or not same_type or not _holds(data, self.color):
            if not self.encode_type and not self.color and not keeps_channels(wanted, 1):
                wanted = "png"
            try:
                data = encode_image(pixels, wanted)
            except ImageError as error:
                self.notes(LEFT_OUT(path=path, reason=error))
                return None
        datum = Datum(data=data, label=label, encoded=True)
        if self.sized:
            datum.height, datum.width, datum.channels = size
        return StoredPicture(datum, size, original)

    def _scaled(self, pixels: np.ndarray) -> tuple[np.ndarray, bool]:
        """The picture at the size that it shall have, and whether that is another one.

        weiliu89/caffe: src/caffe/util/io.cpp, ReadImageToCVMat.
        """
        if self.min_dim > 0 or self.max_dim > 0:
            small, large = sorted(pixels.shape[:2])
            factor = np.float32(1)
            if self.min_dim > 0 and small < self.min_dim:
                factor = np.float32(self.min_dim) / np.float32(small)
            if self.max_dim > 0 and int(factor * np.float32(large)) > self.max_dim:
                factor = np.float32(self.max_dim) / np.float32(large)
            if factor == 1:
                return pixels, False
            return scale_image(pixels, float(factor)), True
        if self.resizes:
            return resize_image(pixels, self.resize_height, self.resize_width), True
        return pixels, False


def folder_prefix(root: str) -> str:
    """Caffe joins root and path as text; a folder given without its slash gets one."""
    return f"{root}/" if root and not root.endswith("/") and os.path.isdir(root) else root


def load_in_order(
    items: Sequence[_Item],
    load: Callable[[_Item, int | None], _Loaded | LargePicture | None],
    most_pixels: int,
) -> Iterator[tuple[_Item, _Loaded | None]]:
    """Items in order with what ``load`` makes of them, on all cores, a bounded number ahead.

    Large pictures, of which that number would fill the memory, are loaded when their turn comes.
    """
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for begin in range(0, len(items), _AHEAD):
            group = items[begin : begin + _AHEAD]
            ahead = pool.map(lambda item: load(item, most_pixels), group)
            for item, loaded in zip(group, ahead, strict=True):
                found = load(item, None) if isinstance(loaded, LargePicture) else loaded
                assert not isinstance(found, LargePicture)
                yield item, found


def _holds(data: bytes, color: bool) -> bool:
    """Whether a file, decoded as training decodes it, holds what was asked for.

    Gray files among colours stay as they are, as in Caffe: ``force_color`` decodes them.
    """
    if color and data.startswith(_JPEG):
        return True
    try:
        channels = channel_count(decode_image(data, "native"))
    except ImageError:
        return False
    return color or channels == 1
