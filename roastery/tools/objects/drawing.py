"""Boxes with names, drawn over a picture."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from runtime.data.image_codec import import_cv2

from .found import PictureObject
from .places import LabelPlaces

_FAR = 1 << 20
"""No picture is so wide: boxes that end farther away end here."""

_SMALLEST = 0.25
"""Of letters: smaller ones cannot be read."""


def with_boxes(picture: np.ndarray, objects: Iterable[tuple[PictureObject, str]]) -> np.ndarray:
    """A picture with boxes and what is said of them, the best on top.

    Texts stand at their boxes, and beside each other where there is room: those of the best
    objects are placed first.

    Args:
        picture: (height, width, 3), uint8, BGR; it stays as it is.
        objects: the best first.
    """
    cv2 = import_cv2()
    shown = np.ascontiguousarray(picture).copy()
    line = max(1, round(min(shown.shape[:2]) / 250))
    places = LabelPlaces(*shown.shape[:2])
    labels = []
    drawn = [
        (found, text, [_pixel(edge) for edge in found.box], _color(found.label))
        for found, text in objects
    ]
    for _, text, box, color in drawn:
        plain = text.encode("ascii", "replace").decode("ascii")  # the font has no other letters
        size, (width, height), base = _measured(cv2, plain, shown.shape)
        at = places.take(box, height + base, width)
        labels.append((plain, size, (at[0], at[1], width, height, base), color))
    for _, _, (x1, y1, x2, y2), color in reversed(drawn):
        cv2.rectangle(shown, (x1, y1), (x2, y2), color, line)
    for label in reversed(labels):
        _write(cv2, shown, *label)
    return shown


def _measured(cv2: Any, text: str, picture: tuple[int, ...]) -> tuple[float, tuple[int, int], int]:
    """The size of letters, and what a text then takes: (width, height), and below its line.

    Letters are smaller in small pictures, and where a text is wider than the picture.
    """
    size = min(max(0.35, min(picture[:2]) / 1000), max(_SMALLEST, min(picture[:2]) / 400))
    (width, height), base = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, size, 1)
    if width > picture[1]:
        size = max(_SMALLEST, size * picture[1] / width)
        (width, height), base = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, size, 1)
    return size, (width, height), max(2, min(base, round(base * size * 2)))


def _write(
    cv2: Any,
    shown: np.ndarray,
    text: str,
    size: float,
    place: tuple[int, int, int, int, int],
    color: tuple[int, int, int],
) -> None:
    """A text on a ground of its box's colour."""
    x, y, width, height, base = place
    cv2.rectangle(shown, (x, y), (x + width - 1, y + height + base - 1), color, cv2.FILLED)
    black = (0, 0, 0) if sum(color) > 380 else (255, 255, 255)
    at = (x, y + height + base // 2)
    cv2.putText(shown, text, at, cv2.FONT_HERSHEY_SIMPLEX, size, black, 1, cv2.LINE_AA)


def _color(label: int) -> tuple[int, int, int]:
    """Bright, and another one for each of the classes near it; BGR."""
    place = (label * 0.618033988749895) % 1.0 * 6.0
    rising = round(255 * (place % 1.0))
    ring = [
        (255, rising, 0), (255 - rising, 255, 0), (0, 255, rising),
        (0, 255 - rising, 255), (rising, 0, 255), (255, 0, 255 - rising),
    ]  # fmt: skip
    return ring[int(place) % 6]


def _pixel(edge: float) -> int:
    return round(min(max(edge, -_FAR), _FAR)) if edge == edge else 0
