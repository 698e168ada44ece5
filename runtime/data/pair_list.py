"""Lists of pictures and their label pictures: paths parted by white space."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ir.errors import RoasteryError
from ir.location import Location

from .image_list import read_list_file

# What C++ streams skip; str.split() would part at spaces of other scripts too.
_WORD = re.compile(r"[^ \t\n\v\f\r]+")


@dataclass(frozen=True, slots=True)
class ListedPair:
    """A picture's path and what the list says of its labels, as written, and the line's number."""

    path: str
    label: str
    line: int


def read_pair_list(path: Path, place: Location | None = None) -> list[ListedPair]:
    """Pictures and label pictures in turn, however they are spread over lines.

    Raises RoasteryError for a list that is missing or empty, or whose last picture has no label.
    """
    words = words_of_list(path, place, "images/a.png labels/a.png")
    if len(words) % 2:
        raise RoasteryError(
            f"picture '{words[-1].text[:200]}' has no label picture: the list has "
            f"{len(words)} paths",
            location=words[-1].location,
            hint="a list names pictures and label pictures in turn: images/a.png labels/a.png; "
            "paths have no spaces in them",
        )
    pairs = zip(words[::2], words[1::2], strict=True)
    return [ListedPair(image.text, label.text, image.location.line) for image, label in pairs]


@dataclass(frozen=True, slots=True)
class ListedWord:
    """A word of a list, and where it stands."""

    text: str
    location: Location


def words_of_list(path: Path, place: Location | None, example: str) -> list[ListedWord]:
    """The words of a list, however they are spread over lines.

    Args:
        path: of the list.
        place: of the setting that names it, for errors.
        example: of a line.

    Raises RoasteryError for a list that is missing or empty.
    """
    words = []
    for number, line in enumerate(read_list_file(path, place).split("\n"), 1):
        shown = line.rstrip("\r")
        for word in _WORD.finditer(line):
            found = Location(str(path), number, word.start() + 1, text=shown)
            words.append(ListedWord(word[0], found))
    if not words:
        raise _empty(path, place, example)
    return words


def read_labelled_lines(
    path: Path, wanted: str | None, place: Location | None = None
) -> list[ListedPair]:
    """A picture a line, then what it is labelled with; what follows on a line is not read.

    Args:
        path: of the list.
        wanted: what a label is, for errors; None: there need not be any.

    Raises RoasteryError for a list that is missing or empty, or a line without its label.
    """
    found = []
    for number, line in enumerate(read_list_file(path, place).split("\n"), 1):
        words = _WORD.findall(line)
        if not words:
            continue
        if wanted is not None and len(words) < 2:
            raise RoasteryError(
                f"the line names no {wanted}",
                location=Location(str(path), number, 1, text=line.rstrip("\r")),
                hint=f"a line is a picture's path, a space and its {wanted}",
            )
        found.append(ListedPair(words[0], words[1] if wanted is not None else "", number))
    if not found:
        raise _empty(path, place, f"images/a.png {'' if wanted is None else wanted}".rstrip())
    return found


def _empty(path: Path, place: Location | None, line: str) -> RoasteryError:
    return RoasteryError(
        f"image list '{path}' is empty", location=place, hint=f"each line is such as: {line}"
    )
