"""Lists of the sizes of images (``name_size_file``): a line is a name, a height and a width."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ir.errors import RoasteryError
from ir.location import Location

from ..files.missing import cannot_read
from ..files.regular_file import read_regular_text

LARGEST = 1 << 24
"""Whole numbers up to here are f32 numbers."""


def read_image_sizes(path: str | Path, place: Location | None = None) -> np.ndarray:
    """f32 (images, 2): heights and widths, in the order of the file; at least one.

    Words may be on any lines, as C++'s streams read them.
    weiliu89/caffe, ssd: src/caffe/layers/detection_evaluate_layer.cpp.
    """
    try:
        words = read_regular_text(path, place).split()
    except OSError as error:
        raise cannot_read("list of images' sizes", path, error, place) from error
    number, rest = divmod(len(words), 3)
    if rest or not number:
        raise RoasteryError(
            f"'{path}' holds {len(words)} words, which are no names, heights and widths",
            location=place,
            hint="a line for each image: its name, its height and its width, without spaces in the "
            "name",
        )
    sizes = np.empty((number, 2), np.float32)
    for i in range(number):
        for k, what in enumerate(("height", "width")):
            word = words[3 * i + 1 + k]
            # Digits of other scripts are no numbers to Caffe.
            value = int(word) if word.isascii() and word.isdigit() and len(word) < 9 else 0
            if not 1 <= value <= LARGEST:
                raise RoasteryError(
                    f"'{path}' gives image {i + 1}, '{words[3 * i]}', the {what} '{word}'",
                    location=place,
                    hint=f"a whole number from 1 to {LARGEST}",
                )
            sizes[i, k] = value
    return sizes
