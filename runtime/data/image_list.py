"""Lists of pictures: one "path label" a line, split at the last space."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ir.errors import RoasteryError
from ir.location import Location
from roastery.files.missing import cannot_read
from roastery.files.regular_file import read_regular_text

# int() would take 1_000 and digits of other scripts too, and no number of thousands of digits.
_LABEL = re.compile(r"([-+]?)0*([0-9]{1,10})")


@dataclass(frozen=True, slots=True)
class ListedImage:
    """A line of a list: the picture's path as written, its label, and the line's number."""

    path: str
    label: int
    line: int


def read_image_list(path: Path, place: Location | None = None) -> list[ListedImage]:
    """The pictures of a list in order; blank lines are passed over.

    Caffe reads a line without a label as a path with label 0, and a label that is no number
    as 0; both would train on wrong labels. Raises RoasteryError for those, and for a list that
    is missing or empty.
    """
    images = []
    for number, line in enumerate(read_list_file(path, place).split("\n"), 1):
        line = line.rstrip()
        if line:
            images.append(_parse_line(path, number, line))
    if not images:
        raise RoasteryError(
            f"image list '{path}' is empty",
            location=place,
            hint="each line names an image and its label: images/cat.jpg 3",
        )
    return images


def read_list_file(path: Path, place: Location | None) -> str:
    """What a list says. Raises RoasteryError for one that is missing or cannot be read."""
    try:
        return read_regular_text(path, place).removeprefix("\ufeff")
    except OSError as error:
        raise cannot_read("image list", path, error, place) from error


def label_number(text: str) -> int | None:
    """A whole number of 32 bits; None for any other text."""
    parts = _LABEL.fullmatch(text)
    value = int(parts[1] + parts[2]) if parts else 1 << 31
    return value if -(1 << 31) <= value < 1 << 31 else None


def _parse_line(path: Path, number: int, line: str) -> ListedImage:
    name, space, label = line.rpartition(" ")
    if not space:
        raise _mistake(path, number, line, 1, "the line has no label")
    if not name.strip():
        raise _mistake(path, number, line, 1, "the line names no image")
    value = label_number(label)
    if value is None:
        what = f"label '{label[:40]}' is not a whole number of 32 bits"
        raise _mistake(path, number, line, len(line) - len(label) + 1, what)
    return ListedImage(name.rstrip(), value, number)


def _mistake(path: Path, number: int, line: str, column: int, what: str) -> RoasteryError:
    hint = "a line is a path, a space and a class number: images/cat.jpg 3"
    if "\t" in line:
        hint += "; a tab does not part them"
    return RoasteryError(what, location=Location(str(path), number, column, text=line), hint=hint)
