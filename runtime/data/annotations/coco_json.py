"""COCO's annotations of one picture. weiliu89/caffe: src/caffe/util/io.cpp,
ReadJSONToAnnotatedDatum; data/coco/ splits COCO's files into such ones."""

from __future__ import annotations

import json
import os
from typing import Any

from ir.errors import RoasteryError

from .found import FoundObject, FoundObjects, finite, place_in

_SHAPE = '{"image": {"height": H, "width": W}, "annotation": [{"category_id": 1, "bbox": [...]}]}'


def parse_coco(data: bytes, path: str | os.PathLike[str]) -> FoundObjects:
    """The objects of an annotation, in their order; crowds are difficult.

    Args:
        path: of the file, for errors.

    Raises RoasteryError for bytes that are no JSON, or not in the shape of COCO's.
    """
    place = place_in(path)
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        line, column = getattr(error, "lineno", 0), getattr(error, "colno", 0)
        reason = getattr(error, "msg", None) or str(error)[:80] or "it lies too deep"
        raise RoasteryError(
            f"this is no JSON: {reason}", location=place_in(path, line, column)
        ) from None
    annotations = value.get("annotation") if isinstance(value, dict) else None
    if not isinstance(annotations, list):
        whole = isinstance(value, dict) and "annotations" in value
        raise RoasteryError(
            "this file is of a whole set" if whole else "the file has no list 'annotation'",
            location=place,
            hint=f"one file is about one picture: {_SHAPE}",
        )
    image = value.get("image")
    size = image if isinstance(image, dict) else {}
    objects = tuple(_object(item, i, path) for i, item in enumerate(annotations))
    return FoundObjects(objects, _whole(size.get("height")), _whole(size.get("width")))


def _object(item: Any, index: int, path: str | os.PathLike[str]) -> FoundObject:
    place = place_in(path)
    what = f"annotation[{index}]"
    if not isinstance(item, dict):
        raise RoasteryError(f"{what} is no object", location=place)
    category = item.get("category_id")
    if isinstance(category, bool) or not isinstance(category, int | str):
        raise RoasteryError(f"{what} has no category_id", location=place)
    box = item.get("bbox")
    if not (
        isinstance(box, list)
        and len(box) == 4
        and all(isinstance(n, int | float) and not isinstance(n, bool) for n in box)
        and all(abs(n) < 1e30 for n in box)
    ):
        raise RoasteryError(
            f"bbox of {what} is {_shown(box)}; [x, y, width, height] was expected", location=place
        )
    x, y, wide, high = map(float, box)
    finite((x, y, x + wide, y + high), place, f"bbox of {what}")
    crowd = item.get("iscrowd", 0)
    return FoundObject(_text(category), (x, y, x + wide, y + high), crowd in (1, "1"), place)


def _text(category: int | str) -> str:
    if isinstance(category, int) and abs(category) >= 1 << 63:
        return "a number of too many digits"
    return str(category)


def _shown(value: Any) -> str:
    try:
        return f"{value!r:.80}"
    except ValueError:  # a number of thousands of digits
        return "something else"


def _whole(value: Any) -> int | None:
    """A size in pixels; None for what is none: the picture's own counts then."""
    fine = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 30
    return value if fine else None
