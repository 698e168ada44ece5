"""Lists of pictures: one "path label" a line, split at the last space."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ir.errors import RoasteryError
from ir.location import Location


@dataclass(frozen=True, slots=True)
class ListedImage:
    """A line of a list: the picture's path as written, its label, and the line's number."""

    path: str
    label: int
    line: int


def read_image_list(path: Path, place: Location | None = None) -> list[ListedImage]:
    """The pictures of a list in order; blank lines are passed over.

    A line without a space is a path with label 0, as in Caffe. Raises RoasteryError for
    a list that is missing or empty, or a label that is not a whole number.
    """
    try:
        text = path.read_text("utf-8", "surrogateescape")
    except FileNotFoundError:
        raise RoasteryError(f"image list '{path}' does not exist", location=place) from None
    except OSError as error:
        raise RoasteryError(
            f"cannot read the image list '{path}': {error.strerror}", location=place
        ) from error
    images = []
    for number, line in enumerate(text.split("\n"), 1):
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


def _parse_line(path: Path, number: int, line: str) -> ListedImage:
    name, space, label = line.rpartition(" ")
    if not space:
        return ListedImage(line, 0, number)
    try:
        value = int(label)
    except ValueError:
        value = 1 << 31
    if not -(1 << 31) <= value < 1 << 31:
        raise RoasteryError(
            f"label '{label}' is not a whole number",
            location=Location(str(path), number, len(line) - len(label) + 1, text=line),
            hint="a line is a path, a space and a class number: images/cat.jpg 3",
        )
    return ListedImage(name.rstrip(), value, number)
