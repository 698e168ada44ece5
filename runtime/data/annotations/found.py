"""What a file says is in a picture, in pixels, and the boxes that a record holds for it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ir.errors import RoasteryError
from ir.location import Location
from roastery.files.regular_file import read_regular

from ..boxes.boxes import ObjectBoxes, no_boxes

MOST_BYTES = 64 << 20
"""No file about one picture is larger."""


@dataclass(frozen=True, slots=True)
class FoundObject:
    """A thing in a picture.

    Attributes:
        name: what it is called, or the number of its kind.
        corners: xmin, ymin, xmax, ymax in pixels.
        difficult: hard to see, or a crowd: nets may leave it out of account.
        place: where the file says so.
    """

    name: str | int
    corners: tuple[float, float, float, float]
    difficult: bool
    place: Location


@dataclass(frozen=True, slots=True)
class FoundObjects:
    """What is in a picture; ``height`` and ``width`` as the file says them, None if it doesn't."""

    objects: tuple[FoundObject, ...]
    height: int | None = None
    width: int | None = None


def read_annotation(path: str | os.PathLike[str]) -> bytes:
    """The bytes of a file with annotations. Raises RoasteryError, and FileNotFoundError."""
    name = os.fspath(path)
    try:
        if os.stat(path).st_size > MOST_BYTES:
            raise RoasteryError(
                f"'{name}' is larger than {MOST_BYTES >> 20} MiB: it is not about one picture"
            )
        return read_regular(path)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise RoasteryError(f"cannot read '{name}': {error.strerror}") from error


def boxes_of(
    found: FoundObjects, height: int, width: int, labels: Mapping[str, int]
) -> ObjectBoxes:
    """Boxes as parts of a picture's size, numbered from 0 among those of their label.

    Args:
        height, width: of the picture file; what the annotations say goes before it.
        labels: numbers by names.

    Raises RoasteryError for a name that is not there, or a size of 0.
    """
    high = height if found.height is None else found.height
    wide = width if found.width is None else found.width
    if not found.objects:
        return no_boxes()
    if min(high, wide) < 1:
        raise RoasteryError(
            f"the picture is {wide} wide and {high} high", location=found.objects[0].place
        )
    counts: Counter[int] = Counter()
    numbers, instances = [], []
    for thing in found.objects:
        label = _label(thing, labels)
        numbers.append(label)
        instances.append(counts[label])
        counts[label] += 1
    size = np.array([wide, high, wide, high], np.float32)
    with np.errstate(all="ignore"):
        corners = np.array([thing.corners for thing in found.objects], np.float32) / size
    return ObjectBoxes(
        corners,
        np.array(numbers, np.int32),
        np.array(instances, np.int32),
        np.array([thing.difficult for thing in found.objects], np.bool_),
        np.full(len(numbers), np.nan, np.float32),
    )


def _label(thing: FoundObject, labels: Mapping[str, int]) -> int:
    if isinstance(thing.name, int):
        return thing.name
    if thing.name in labels:
        return labels[thing.name]
    known = ", ".join(list(labels)[:20]) + (", ..." if len(labels) > 20 else "")
    # COCO's annotations name a category by its number only.
    number = ', and COCO\'s category_id is looked up there: item { name: "84" ... }'
    raise RoasteryError(
        f"{thing.name[:80]!r} is no name of the label map",
        location=thing.place,
        hint=f"its names are: {known}{number if thing.name.isdigit() else ''}",
    )


def remarks(found: FoundObjects, height: int, width: int) -> Iterator[str]:
    """What is odd about annotations, each thing once; it is stored all the same."""
    if found.height not in (None, height):
        yield f"inconsistent image height: {found.height}, the picture has {height}."
    if found.width not in (None, width):
        yield f"inconsistent image width: {found.width}, the picture has {width}."
    high = height if found.height is None else found.height
    wide = width if found.width is None else found.width
    corners = np.array([thing.corners for thing in found.objects], np.float64).reshape(-1, 4)
    if (corners < 0).any() or (corners > [wide, high, wide, high]).any():
        yield "bounding box exceeds image boundary."
    if (corners[:, :2] > corners[:, 2:]).any():
        yield "bounding box irregular."


def place_in(path: str | os.PathLike[str], line: int = 0, column: int = 0) -> Location:
    """A place in a file with annotations."""
    return Location(str(Path(path)), line, column)


def finite(numbers: Sequence[float], place: Location, what: str) -> None:
    """Refuse what is no number of pixels."""
    if not np.isfinite(np.asarray(numbers, np.float32)).all():
        raise RoasteryError(f"{what} is not a box: {list(numbers)!r:.200}", location=place)
