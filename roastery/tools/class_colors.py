"""Names and colours of classes, and pictures with classes drawn over them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ir.errors import RoasteryError
from ir.location import Location

from ..files.missing import cannot_read
from ..files.regular_file import read_regular_text

_MOST_CLASSES = 1 << 16
_PICTURE = re.compile(r"\S+\.(jpe?g|png|bmp|tiff?|gif|webp|ppm|pgm)", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)[,;]?")
_SPELLED_COLOR = re.compile(r"#[0-9a-f]{6}|\(?\d+[,;]\d+[,;]\d+\)?", re.IGNORECASE)
_DIGITS = 9
"""Of a number in a file, as far as it is read: whatever has more is no colour."""


@dataclass(frozen=True, slots=True)
class ClassColor:
    """How a class is shown: red, green and blue from 0 to 255."""

    name: str
    color: tuple[int, int, int]


def common_color(number: int) -> tuple[int, int, int]:
    """The colour that PASCAL VOC's tools give a class number: 0 is black, 1 dark red.

    The number's bits in turn become bits of red, green and blue, highest first.
    """
    color = [0, 0, 0]
    for place in range(8):
        for channel in range(3):
            color[channel] |= (number >> (3 * place + channel) & 1) << (7 - place)
    return color[0], color[1], color[2]


def read_classes(path: Path, note: Callable[[str], None] | None = None) -> list[ClassColor]:
    """A class a line: its name, and behind it red, green and blue if it has a colour of its own.

    ``note`` is told of the first line that may be meant as a colour and is none. Raises
    RoasteryError for a file that cannot be read, for a list of pictures, and for numbers that are
    no colour.
    """
    try:
        lines = read_regular_text(path).removeprefix("\ufeff").splitlines()
    except OSError as error:
        raise cannot_read("file of classes", path, error) from error
    if any("\0" in line for line in lines):
        raise RoasteryError(
            f"'{path}' holds zero bytes: it is no text file", hint="a class a line, class 0 first"
        )
    while lines and not lines[-1].strip():
        lines.pop()
    if not 0 < len(lines) <= _MOST_CLASSES:
        raise RoasteryError(
            f"'{path}' names {len(lines)} classes; from 1 to {_MOST_CLASSES} can be",
            hint="a class a line, class 0 first",
        )
    found = []
    doubtful: list[int] = []
    for number, line in enumerate(lines):
        words = line.split()
        if words and _PICTURE.fullmatch(words[0]):
            raise RoasteryError(
                f"'{words[0]}' is a picture's name: this is a list of pictures, and names of "
                "classes are wanted",
                location=Location(str(path), number + 1, 1, text=line),
                hint="a class a line, class 0 first",
            )
        values = [int(word[:_DIGITS]) for word in words[-3:] if word.isascii() and word.isdecimal()]
        if len(words) > 3 and len(values) == 3:
            if max(values) > 255:
                raise RoasteryError(
                    f"{max(values)} is no part of a colour: they go from 0 to 255",
                    location=Location(str(path), number + 1, 1, text=line),
                )
            found.append(ClassColor(" ".join(words[:-3]), (values[0], values[1], values[2])))
        else:
            name = " ".join(words) or f"class {number}"
            found.append(ClassColor(name, common_color(number)))
            if _half_a_color(words):
                doubtful.append(number)
    if doubtful and note is not None:
        first, more = doubtful[0], len(doubtful) - 1
        note(
            f"'{path}', line {first + 1}: all of '{found[first].name}' is taken as a class's name; "
            "a colour is three whole numbers from 0 to 255 behind the name"
            + (f" ({more} more like it)" if more else "")
        )
    return found


def _half_a_color(words: Sequence[str]) -> bool:
    """Whether the words of a name look as if they held a colour, or only one."""
    if not words:
        return False
    numbers = 0
    while numbers < len(words) and _NUMBER.fullmatch(words[-1 - numbers]):
        numbers += 1
    return numbers > 1 or bool(_SPELLED_COLOR.fullmatch(words[-1]))


def class_at(classes: Sequence[ClassColor], number: int) -> ClassColor:
    """A class by its number, also one that the file did not name."""
    if number < len(classes):
        return classes[number]
    return ClassColor(f"class {number}", common_color(number))


def overlay(
    picture: np.ndarray,
    numbers: np.ndarray,
    classes: Sequence[ClassColor],
    opacity: float,
    plain: int,
) -> np.ndarray:
    """A picture with its classes' colours over it, uint8.

    Args:
        picture: (height, width, 3) from 0 to 255, RGB.
        numbers: the class of every pixel, (height, width).
        classes: names and colours, as far as they are known.
        opacity: 0 shows the picture alone, 1 the colours alone.
        plain: the class whose pixels stay as they are; -1: none.
    """
    present = np.unique(numbers)
    colors = np.array([class_at(classes, int(n)).color for n in present], np.float32)
    shares = np.where(present == plain, 0.0, opacity).astype(np.float32)
    places = np.searchsorted(present, numbers)
    share = shares[places][..., np.newaxis]
    mixed = picture.astype(np.float32) * (1 - share) + colors[places] * share
    return np.rint(mixed).astype(np.uint8)
