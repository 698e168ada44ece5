"""R-CNN's window files: pictures, and boxes in them with class and overlap.

For each picture, with a line for each window, whose corners both lie inside::

    # INDEX
    PATH
    CHANNELS
    HEIGHT
    WIDTH
    NUMBER_OF_WINDOWS
    CLASS OVERLAP X1 Y1 X2 Y2
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ir.errors import RoasteryError
from ir.location import Location
from roastery.files.missing import cannot_read
from roastery.files.regular_file import read_regular_text

Number = TypeVar("Number", int, float)

_LARGEST = (1 << 31) - 1


@dataclass(frozen=True, slots=True)
class Window:
    """A box of picture number ``image``, corners included, in pixels."""

    image: int
    label: int
    overlap: float
    x1: int
    y1: int
    x2: int
    y2: int


@dataclass(frozen=True, slots=True)
class WindowImage:
    """A picture as the file describes it."""

    path: str
    channels: int
    line: int


def read_windows(path: Path, place: Location | None) -> tuple[list[WindowImage], list[Window]]:
    """Pictures and windows in the order of the file. Raises RoasteryError."""
    try:
        text = read_regular_text(path, place)
    except OSError as error:
        raise cannot_read("window file", path, error, place) from error
    reader = _Reader(path, text)
    images: list[WindowImage] = []
    windows: list[Window] = []
    while (mark := reader.word_or_end()) is not None:
        if mark != "#":
            raise reader.error(f"'{mark}' found where '# INDEX' of the next image was expected")
        reader.number(int, "the image's index")
        name = reader.word("the image's path")
        line = reader.line
        channels, _, _ = (reader.number(int, what) for what in ("channels", "height", "width"))
        images.append(WindowImage(name, channels, line))
        for _ in range(reader.number(int, "the number of windows")):
            label = reader.number(int, "a class")
            overlap = reader.number(float, "an overlap")
            x1, y1, x2, y2 = (reader.number(int, "a corner") for _ in range(4))
            windows.append(Window(len(images) - 1, label, overlap, x1, y1, x2, y2))
    if not images:
        raise RoasteryError(f"window file '{path}' is empty", location=place)
    return images, windows


class _Reader:
    """Words of a text, one at a time, with the line of the last one."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._words = self._split(text)
        self.line = 0

    def _split(self, text: str) -> Iterator[str]:
        for number, line in enumerate(text.split("\n"), 1):
            for word in line.split():
                self.line = number
                yield word

    def word_or_end(self) -> str | None:
        return next(self._words, None)

    def word(self, what: str) -> str:
        found = self.word_or_end()
        if found is None:
            raise self.error(f"the file ends where {what} was expected")
        return found

    def number(self, kind: Callable[[str], Number], what: str) -> Number:
        found = self.word(what)
        try:
            value = kind(found)
        except ValueError:
            value = None
        # What Caffe reads are C's int and float; NaN compares with no threshold.
        if value is None or not abs(value) <= (_LARGEST if kind is int else 1e30):
            raise self.error(f"'{found[:80]}' found where {what} was expected")
        return value

    def error(self, message: str) -> RoasteryError:
        return RoasteryError(message, location=Location(str(self._path), self.line))
