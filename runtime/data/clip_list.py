"""Lists of clips: a folder of frames, their number and a class number, for each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ir.errors import RoasteryError
from ir.location import Location

from .image_list import label_number
from .pair_list import ListedWord, words_of_list

_EXAMPLE = "clips/v_Archery_g01 164 2"


@dataclass(frozen=True, slots=True)
class ListedClip:
    """A clip: its folder as written, how many frames it has, its label, and the list's line."""

    folder: str
    frames: int
    label: int
    line: int


def read_clip_list(path: Path, place: Location | None = None) -> list[ListedClip]:
    """The clips of a list in order, however they are spread over lines.

    yjxiong/caffe ends the list where a number cannot be read; here that is an error.
    Raises RoasteryError for it, and for a list that is missing or empty.
    """
    words = words_of_list(path, place, _EXAMPLE)
    if len(words) % 3:
        raise RoasteryError(
            f"the last clip has no frames and label: the list has {len(words)} words",
            location=words[-1].location,
            hint="a clip is its folder, a number of frames and a class number: "
            f"{_EXAMPLE}; folders have no spaces in them",
        )
    return [
        ListedClip(
            folder.text,
            _number(frames, "number of frames"),
            _number(label, "label"),
            folder.location.line,
        )
        for folder, frames, label in zip(words[::3], words[1::3], words[2::3], strict=True)
    ]


def _number(word: ListedWord, what: str) -> int:
    value = label_number(word.text)
    if value is None:
        raise RoasteryError(
            f"{what} '{word.text[:40]}' is not a whole number of 32 bits",
            location=word.location,
            hint=f"a clip is its folder, a number of frames and a class number: {_EXAMPLE}",
        )
    return value
