"""Pictures to squares of one size. Caffe: tools/extra/resize_and_crop_images.py."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ir.errors import RoasteryError
from roastery.files.atomic_file import atomic_path
from roastery.files.missing import missing
from roastery.files.regular_file import check_name, read_regular

from ...logging.records import Severity
from ..image_codec import ImageError, decode_image, encode_image, import_cv2, resize_image
from ..image_limit import check_pixels
from ..notes import NoteKind, Notes, to_logger
from .progress import Progress, silent

EXTENSIONS = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm")

_LEFT_OUT = NoteKind(
    "resize_and_crop_images.py", "{path} is left out: {reason}", severity=Severity.WARNING
)


@dataclass(frozen=True, slots=True)
class ResizedImages:
    """How many pictures were written, and the names of those that could not be read."""

    written: int
    skipped: tuple[str, ...]


def resize_and_crop(
    input_folder: str | os.PathLike[str],
    output_folder: str | os.PathLike[str],
    output_side_length: int = 256,
    files: Sequence[str] | None = None,
    progress: Progress = silent,
    notes: Notes = to_logger,
) -> ResizedImages:
    """Shrink or grow the shorter side to ``output_side_length`` and cut out the centre.

    Args:
        files: names relative to ``input_folder``; all pictures in it when None. They
            keep their names in ``output_folder``, which is made where it is missing.

    Pictures that cannot be read are noted and left out. Raises RoasteryError when there
    are none, or none can be read.
    """
    source, target = Path(input_folder), Path(output_folder)
    check_pixels(output_side_length, output_side_length)
    if output_side_length < 1:
        raise RoasteryError(
            f"output_side_length is {output_side_length}; at least 1 pixel was expected"
        )
    if not source.is_dir():
        raise missing("folder", source)
    import_cv2()
    names = sorted(_pictures(source)) if files is None else list(files)
    if not names:
        raise RoasteryError(
            f"'{source}' holds no pictures",
            hint="files ending in " + ", ".join(EXTENSIONS) + " are taken",
        )
    skipped = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        done = pool.map(
            lambda name: _convert(source, target, name, output_side_length, notes), names
        )
        try:
            for index, (name, converted) in enumerate(zip(names, done, strict=True)):
                if not converted:
                    skipped.append(name)
                progress(index + 1, len(names))
        except BaseException:  # a signal does not wait for a million pictures
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    if len(skipped) == len(names):
        raise RoasteryError(f"none of the {len(names)} pictures of '{source}' could be read")
    return ResizedImages(len(names) - len(skipped), tuple(skipped))


def centre_square(pixels: np.ndarray, side: int) -> np.ndarray:
    """The centre of a picture whose shorter side was made ``side`` pixels long."""
    height, width = pixels.shape[:2]
    new_height, new_width = side, side
    if height > width:
        new_height = side * height // width
    else:
        new_width = side * width // height
    resized = resize_image(pixels, new_height, new_width)
    top, left = (new_height - side) // 2, (new_width - side) // 2
    return resized[top : top + side, left : left + side]


def _pictures(folder: Path) -> list[str]:
    return [
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.suffix.lower() in EXTENSIONS and path.is_file()
    ]


def _convert(source: Path, target: Path, name: str, side: int, notes: Notes) -> bool:
    check_name(name)
    path = target / name
    if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(target)):
        raise RoasteryError(
            f"'{name}' leads out of the input folder", hint="names are relative to the input folder"
        )
    try:
        pixels = decode_image(read_regular(source / name), "color")
        data = encode_image(centre_square(pixels, side), path.suffix.lstrip(".") or "jpg")
    except (OSError, ImageError, RoasteryError) as error:
        notes(_LEFT_OUT(path=source / name, reason=error))
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path, durable=False) as temporary:
        temporary.write_bytes(data)
    return True
