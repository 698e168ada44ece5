"""Pictures of a list into a database. Caffe: tools/convert_imageset.cpp."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ir.errors import RoasteryError
from ir.types import shape_text
from roastery.files.regular_file import read_regular

from ...logging.records import Severity
from ..database_writer import check_backend, check_target, new_database
from ..datum import Datum, serialize_datum
from ..draws import SHUFFLE, Draws
from ..image_codec import (
    LARGE_PIXELS,
    ImageError,
    channel_count,
    channel_major,
    check_size,
    decode_image,
    encode_image,
    import_cv2,
    keeps_channels,
    resize_image,
)
from ..image_limit import check_pixels
from ..image_list import ListedImage, read_image_list
from ..notes import NoteKind, Notes, to_logger
from .progress import Progress, silent

_ORIGIN = "convert_imageset.cpp"
_SHUFFLING = NoteKind(_ORIGIN, "Shuffling data")
_TOTAL = NoteKind(_ORIGIN, "A total of {count} images.")
_ENCODED = NoteKind(_ORIGIN, "encode_type specified, assuming encoded=true.")
_PROCESSED = NoteKind(_ORIGIN, "Processed {count} files.")
_LEFT_OUT = NoteKind(_ORIGIN, "{path} is left out: {reason}", severity=Severity.WARNING)
_UNREADABLE = NoteKind(
    "io.cpp", "Could not open or find file {path}: {reason}", severity=Severity.WARNING
)
_JPEG = b"\xff\xd8\xff"
_AHEAD = 64
"""Pictures decoded side by side before they are written."""


@dataclass(frozen=True, slots=True)
class ConvertedImages:
    """How many pictures were written, and the paths of those that could not be read."""

    written: int
    skipped: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A record to write, with the size of its picture: (height, width, channels)."""

    value: bytes
    size: tuple[int, ...]


class _Large:
    """Stands for a picture that is decoded later."""


@dataclass(frozen=True, slots=True)
class _Options:
    root: str
    color: bool
    resize_height: int
    resize_width: int
    encoded: bool
    encode_type: str
    notes: Notes


_Sized = tuple[ListedImage, tuple[int, ...]]


def convert_imageset(
    root_folder: str,
    list_file: str | os.PathLike[str],
    database: str | os.PathLike[str],
    *,
    gray: bool = False,
    shuffle: bool = False,
    backend: str = "lmdb",
    resize_width: int = 0,
    resize_height: int = 0,
    check_size: bool = False,
    encoded: bool = False,
    encode_type: str = "",
    seed: int = 0,
    progress: Progress = silent,
    notes: Notes = to_logger,
) -> ConvertedImages:
    """Write the pictures of a list as Datum records, keyed "%08d_PATH".

    Args:
        root_folder: put before every path of the list.
        gray: one channel instead of three.
        shuffle: in the random order of ``seed``; keys number the shuffled list.
        resize_width, resize_height: size of the pictures, if both are above 0.
        check_size: refuse pictures of different sizes.
        encoded: store picture files instead of pixels; the file as it is, unless it has
            to be resized or turned into another type, or holds other pixels than were asked
            for: with ``gray``, more than one channel (Caffe stores such files as they are, and
            trains on their colours); more than 8 bits per channel.
        encode_type: type to encode to, such as "png"; implies ``encoded``.

    Pictures that cannot be read are noted and left out. Raises RoasteryError for a list
    that is missing or empty or has lines without labels, a database that exists, a type
    that cannot hold one channel with ``gray``, or when no picture can be read.
    """
    target = Path(database)
    check_backend(backend)
    check_target(target)
    check_pixels(resize_height, resize_width)
    import_cv2()
    encode_type = encode_type.lower().lstrip(".")
    if gray and keeps_channels(encode_type, 3) and not keeps_channels(encode_type, 1):
        raise RoasteryError(
            f"'.{encode_type}' files hold no gray pictures of one channel",
            hint="--encode_type=png or jpg",
        )
    images = read_image_list(Path(list_file))
    if shuffle:
        notes(_SHUFFLING())
        order = Draws(seed).permutation(SHUFFLE, 0, len(images))
        images = [images[int(i)] for i in order]
    notes(_TOTAL(count=len(images)))
    if encode_type and not encoded:
        notes(_ENCODED())
    options = _Options(
        _folder_prefix(root_folder),
        not gray,
        max(0, resize_height),
        max(0, resize_width),
        encoded or bool(encode_type),
        encode_type,
        notes,
    )
    first: _Sized | None = None
    written, skipped = 0, []
    with new_database(target, backend, notes) as writer:
        for index, (listed, loaded) in enumerate(_load_all(images, options)):
            progress(index + 1, len(images))
            if loaded is None:
                skipped.append(listed.path)
                continue
            if first is None:
                first = listed, loaded.size
            elif check_size and loaded.size != first[1]:
                raise _uneven(list_file, first, (listed, loaded.size))
            key = f"{index:08d}_{listed.path}".encode("utf-8", "surrogateescape")
            writer.put(key, loaded.value)
            written += 1
            if written % 1000 == 0:
                notes(_PROCESSED(count=written))
        if not written:
            raise RoasteryError(
                f"none of the {len(images)} images of '{list_file}' could be "
                f"read; the first is '{options.root}{images[0].path}'",
                hint="ROOTFOLDER is put before every path of the list as it stands",
            )
    if written % 1000:
        notes(_PROCESSED(count=written))
    return ConvertedImages(written, tuple(skipped))


def _uneven(list_file: str | os.PathLike[str], first: _Sized, other: _Sized) -> RoasteryError:
    return RoasteryError(
        f"image '{other[0].path}' ({os.fspath(list_file)}, line {other[0].line}) is "
        f"{shape_text(other[1])}, but '{first[0].path}' is {shape_text(first[1])} "
        "(height x width x channels)",
        hint="give --resize_height and --resize_width, or leave out --check_size",
    )


def _folder_prefix(root: str) -> str:
    """Caffe joins root and path as text; a folder given without its slash gets one."""
    return f"{root}/" if root and not root.endswith("/") and os.path.isdir(root) else root


def _load_all(
    images: list[ListedImage], options: _Options
) -> Iterator[tuple[ListedImage, _Loaded | None]]:
    """Pictures in order, decoded on all cores, a bounded number ahead of the writer.

    Large ones, of which that number would fill the memory, are decoded when their turn comes.
    """
    stays_large = not options.encoded and not options.resize_height * options.resize_width
    most_pixels = LARGE_PIXELS // 4 if stays_large else LARGE_PIXELS
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for begin in range(0, len(images), _AHEAD):
            group = images[begin : begin + _AHEAD]
            ahead = pool.map(lambda image: _load(image, options, most_pixels), group)
            for listed, loaded in zip(group, ahead, strict=True):
                found = _load(listed, options) if isinstance(loaded, _Large) else loaded
                assert not isinstance(found, _Large)
                yield listed, found


def _load(
    listed: ListedImage, options: _Options, most_pixels: int | None = None
) -> _Loaded | _Large | None:
    """A picture's record; None if it cannot be read, _Large if it has more pixels than asked."""
    path = options.root + listed.path
    try:
        data = read_regular(path)
        if most_pixels is not None and check_size(data) > most_pixels:
            return _Large()
        pixels = decode_image(data, "color" if options.color else "gray")
    except ImageError as error:
        options.notes(_UNREADABLE(path=path, reason=error))
        return None
    except (OSError, RoasteryError) as error:
        reason = error.message if isinstance(error, RoasteryError) else error.strerror
        options.notes(_UNREADABLE(path=path, reason=reason))
        return None
    resized = options.resize_height > 0 and options.resize_width > 0
    if resized:
        pixels = resize_image(pixels, options.resize_height, options.resize_width)
    size = (*pixels.shape[:2], channel_count(pixels))
    if not options.encoded:
        array = channel_major(pixels)
        channels, height, width = array.shape
        datum = Datum(channels, height, width, array.tobytes(), listed.label, encoded=False)
        return _Loaded(serialize_datum(datum), size)
    extension = _extension(listed.path)
    wanted = options.encode_type or extension
    same_type = wanted == extension or (wanted, extension) == ("jpg", "jpeg")
    if resized or not same_type or not _holds(data, options.color):
        if not options.encode_type and not options.color and not keeps_channels(wanted, 1):
            wanted = "png"
        try:
            data = encode_image(pixels, wanted)
        except ImageError as error:
            options.notes(_LEFT_OUT(path=path, reason=error))
            return None
    return _Loaded(serialize_datum(Datum(data=data, label=listed.label, encoded=True)), size)


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


def _extension(path: str) -> str:
    return path.rpartition(".")[2].lower()
