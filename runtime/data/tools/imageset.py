"""Pictures of a list into a database. Caffe: tools/convert_imageset.cpp."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ir.errors import RoasteryError
from ir.types import shape_text

from ..database_writer import check_backend, check_target, new_database
from ..datum import serialize_datum
from ..draws import SHUFFLE, Draws
from ..image_codec import import_cv2
from ..image_limit import check_pixels
from ..image_list import ListedImage, read_image_list
from ..notes import NoteKind, Notes, to_logger
from .progress import Progress, silent
from .stored_picture import (
    LargePicture,
    PictureStore,
    StoredPicture,
    folder_prefix,
    load_in_order,
)

_ORIGIN = "convert_imageset.cpp"
_SHUFFLING = NoteKind(_ORIGIN, "Shuffling data")
_TOTAL = NoteKind(_ORIGIN, "A total of {count} images.")
_ENCODED = NoteKind(_ORIGIN, "encode_type specified, assuming encoded=true.")
_PROCESSED = NoteKind(_ORIGIN, "Processed {count} files.")


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
    store = PictureStore(
        color=not gray,
        resize_height=max(0, resize_height),
        resize_width=max(0, resize_width),
        encoded=encoded or bool(encode_type),
        encode_type=encode_type,
        notes=notes,
    )
    store.check()
    images = read_image_list(Path(list_file))
    if shuffle:
        notes(_SHUFFLING())
        order = Draws(seed).permutation(SHUFFLE, 0, len(images))
        images = [images[int(i)] for i in order]
    notes(_TOTAL(count=len(images)))
    if encode_type and not encoded:
        notes(_ENCODED())
    root = folder_prefix(root_folder)

    def load(listed: ListedImage, most_pixels: int | None) -> _Loaded | LargePicture | None:
        stored = store.load(root + listed.path, listed.label, most_pixels)
        if not isinstance(stored, StoredPicture):
            return stored
        return _Loaded(serialize_datum(stored.datum), stored.size)

    first: _Sized | None = None
    written, skipped = 0, []
    loaded_images = load_in_order(images, load, store.most_pixels)
    with new_database(target, backend, notes) as writer:
        for index, (listed, loaded) in enumerate(loaded_images):
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
                f"read; the first is '{root}{images[0].path}'",
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
