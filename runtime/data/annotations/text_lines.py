"""Lines of text: the number of a label, xmin, ymin, xmax, ymax.

weiliu89/caffe: src/caffe/util/io.cpp, ReadTxtToAnnotatedDatum.
"""

from __future__ import annotations

import os

from ir.errors import RoasteryError

from ..image_list import label_number
from .found import FoundObject, FoundObjects, finite, place_in


def parse_lines(data: bytes, path: str | os.PathLike[str]) -> FoundObjects:
    """The objects of an annotation, one a line; blank lines are passed over.

    Args:
        path: of the file, for errors.

    Raises RoasteryError for a line that is anything else.
    """
    text = data.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        words = line.split()
        if not words:
            continue
        place = place_in(path, number)
        label = label_number(words[0])
        if len(words) != 5 or label is None:
            raise RoasteryError(
                f"the line is '{line.strip()[:80]}'",
                location=place,
                hint="a line is the number of a label and a box in pixels: 3 10 20 110 95 "
                "(xmin, ymin, xmax, ymax)",
            )
        try:
            x1, y1, x2, y2 = map(float, words[1:])
        except ValueError:
            raise RoasteryError(
                f"the box is '{' '.join(words[1:])[:80]}'; four numbers were expected",
                location=place,
            ) from None
        finite((x1, y1, x2, y2), place, "the box")
        found.append(FoundObject(label, (x1, y1, x2, y2), False, place))
    return FoundObjects(tuple(found))
