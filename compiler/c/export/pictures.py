"""What a printout says of pictures: how they become an input, and what classes are called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

import numpy as np

from ir.printable import printable

from . import third_party
from .names import c_string, comment_text

DECODER = "stb_image.h"
_ACROSS = 6  # numbers of a line


@dataclass(frozen=True)
class CPictures:
    """What becomes of pictures, in the words of ``templates/pictures.h``.

    Attributes:
        input: the input's number.
        shape: its channels (1 or 3), height and width.
        scaled: (height, width) that pictures are scaled to first.
        swap: of each channel of the input which one of the picture it is.
        mean: numbers for the channels; empty: none. mean_image: one for each value instead.
    """

    input: int
    shape: tuple[int, int, int]
    scaled: tuple[int, int]
    swap: tuple[int, ...]
    raw_scale: float
    mean: tuple[float, ...]
    mean_image: np.ndarray | None
    input_scale: float
    labels: Sequence[str]


def pictures_source(pictures: CPictures, title: str) -> str:
    """The file that defines ``pictures_become`` and the names of classes."""
    swap = [*pictures.swap, 0, 0, 0][:3]
    arrays, named = [], []
    for name, numbers in (("mean", pictures.mean), ("mean_image", pictures.mean_image)):
        flat = np.asarray(() if numbers is None else numbers, np.float32).reshape(-1)
        named.append(name if len(flat) else "NULL")
        if len(flat):
            arrays.append(f"static const float {name}[] = {{\n{_lines(flat)}\n}};\n")
    (channels, height, width), (tall, wide) = pictures.shape, pictures.scaled
    labels = "".join(f"    {c_string(printable(label))},\n" for label in pictures.labels)
    return f"""/* {comment_text(title)} What it does with pictures. */
#include "pictures.h"

{"".join(arrays)}
const picture_rules pictures_become = {{
    .input = {pictures.input},
    .channels = {channels}, .height = {height}, .width = {width},
    .tall = {tall}, .wide = {wide},
    .swap = {{{", ".join(map(str, swap))}}},
    .raw_scale = {_number(np.float32(pictures.raw_scale))},
    .mean = {named[0]},
    .mean_image = {named[1]},
    .input_scale = {_number(np.float32(pictures.input_scale))},
}};

const int class_count = {len(pictures.labels)};
const char *const class_names[] = {{
{labels}    NULL
}};
"""


def decoder() -> bytes:
    """The file by others that reads pictures, with its licence at its end."""
    return resources.files(third_party).joinpath(DECODER).read_bytes()


def _lines(numbers: np.ndarray) -> str:
    words = [_number(number) for number in numbers]
    rows = (words[i : i + _ACROSS] for i in range(0, len(words), _ACROSS))
    return "\n".join(f"    {', '.join(row)}," for row in rows)


def _number(value: np.float32) -> str:
    """A literal that is this number exactly; what is none or has no end is not given."""
    return f"{float(value):.9e}f"
